//! Terminals in containers.

use crate::engine::Verb as Wish;
use crate::tui::containers::model::ContainerRow;
use crate::tui::containers::update::allowed::allowed;
use crate::tui::effect::{Effect, Program};
use crate::tui::model::Model;
use crate::tui::section::TaskId;
use crate::tui::tab::{PaneId, Tab};
use crate::tui::tasks::model::{TaskRow, What};

/// Opens a terminal in the container.
pub(crate) fn terminal(model: &mut Model, row: &ContainerRow, program: Program) -> Vec<Effect> {
    let (wish, what) = match &program {
        Program::Attach => (Wish::Attach, "attach".to_owned()),
        Program::Shell => (Wish::Exec, "shell".to_owned()),
        Program::Words(words) => (Wish::Exec, words.first().cloned().unwrap_or_default()),
        Program::Exec(asked) => (Wish::Exec, asked.request.command.first().cloned().unwrap_or_default()),
        Program::Start => (Wish::Start, "attach".to_owned()),
    };
    if let Err(failure) = allowed(row, wish) {
        model.fail(failure);
        return Vec::new();
    }
    let id = session(model, row, &what);
    model.show_tab(Tab::Session(id));
    vec![Effect::Open(id, row.id.clone(), program)]
}

/// Opens a terminal in a container, in the given pane.
pub(crate) fn shell(model: &mut Model, row: &ContainerRow, program: Program, pane: PaneId) -> Vec<Effect> {
    if let Err(failure) = allowed(row, Wish::Exec) {
        model.fail(failure);
        return Vec::new();
    }
    let id = session(model, row, "shell");
    if let Some(pane) = model.windows.get_mut(pane) {
        pane.tab = Tab::Session(id);
    }
    vec![Effect::Open(id, row.id.clone(), program)]
}

fn session(model: &mut Model, row: &ContainerRow, what: &str) -> TaskId {
    let id = model.new_task();
    let title = format!("{}: {what}", row.name);
    model.tasks.put(TaskRow::new(id, title, model.now, What::Session(row.id.clone())));
    id
}
