//! Objects that are named on the `:` line.

use crate::command::{Request, join};
use crate::tui::containers::model::ContainerRow;
use crate::tui::containers::update::terminal::terminal;
use crate::tui::effect::{Effect, Job, Program};
use crate::tui::failure::Failure;
use crate::tui::form::update::find_image;
use crate::tui::list::update::select as select_row;
use crate::tui::model::{Focus, Model};
use crate::tui::section::Section;
use crate::tui::tab::Tab;
use crate::tui::tasks::update::quiet_work;

/// Starts a request in the background; `words` are its title.
pub(super) fn begin(model: &mut Model, words: &[String], request: Request) -> Vec<Effect> {
    vec![quiet_work(model, &join(words), Job::Request(Box::new(request)))]
}

/// Inspects an object in its list; `None` if no list contains it, so that the command line handles
/// it.
pub(super) fn inspect_any(model: &mut Model, name: &str) -> Option<Vec<Effect>> {
    if find(model, name).is_some() {
        return Some(show(model, name, Tab::Inspect));
    }
    let image = find_image(name, model.images.all()).map(|row| row.unique.clone());
    let network = model.networks.all().iter().find(|row| row.name == name).map(|row| row.id.clone());
    let (of, key) = match (image, network) {
        (Some(key), _) => (Section::Images, key),
        (None, Some(key)) => (Section::Networks, key),
        (None, None) => return None,
    };
    select_row(model, of, &key);
    model.show_tab(Tab::Inspect);
    Some(Vec::new())
}

/// Returns the container with a name, an id or a prefix of an id.
pub(super) fn find<'a>(model: &'a Model, target: &str) -> Option<&'a ContainerRow> {
    let rows = model.containers.all();
    let by_name = rows.iter().find(|row| row.name == target);
    by_name.or_else(|| rows.iter().find(|row| !target.is_empty() && row.id.as_str().starts_with(target)))
}

/// Moves the cursor to a container.
fn select(model: &mut Model, target: &str) -> Option<ContainerRow> {
    let Some(row) = find(model, target).cloned() else {
        model.fail(Failure { what: format!("No such container: {target}"), ..Failure::default() });
        return None;
    };
    model.section = Section::Containers;
    (model.shows_all, model.focus) = (true, Focus::List);
    model.containers.filter.clear();
    model.settle();
    model.containers.select_key(row.id.as_str());
    Some(row)
}

pub(super) fn show(model: &mut Model, target: &str, tab: Tab) -> Vec<Effect> {
    if select(model, target).is_some() {
        model.show_tab(tab);
    }
    Vec::new()
}

pub(super) fn open(model: &mut Model, target: &str, program: Program) -> Vec<Effect> {
    match select(model, target) {
        Some(row) => terminal(model, &row, program),
        None => Vec::new(),
    }
}
