//! Keys of the tabs Stats, Top, Inspect and Why.

use super::copy;
use super::object::signal_items;
use super::{name_of, prompt};
use crate::engine::{ContainerId, Process};
use crate::tui::action::Action;
use crate::tui::event::{Effect, Job};
use crate::tui::inspect::model::Form;
use crate::tui::keymap::Place;
use crate::tui::model::layer::{Layer, Menu, Purpose};
use crate::tui::model::{Model, Subject, Tab, Tone};
use crate::tui::stats::model::Frozen;
use crate::tui::stats::series::CSV;
use crate::tui::tasks::update::quiet_work;
use crate::tui::top::model::{Column, Member, TopPane};

/// What `action` does in one of these tabs; `None` when that is nothing special.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    match model.shown_tab(model.pane()) {
        Tab::Stats => stats(model, action),
        Tab::Top => top(model, action),
        Tab::Inspect => inspect(model, action),
        _ => None,
    }
}

/// Puts the cursor where the mouse was pressed: line `line` of the pane.
pub(crate) fn point(model: &mut Model, line: usize) {
    match model.shown_tab(model.pane()) {
        // The first line is the heading.
        Tab::Top => line.checked_sub(1).into_iter().for_each(|line| model.pane_mut().top.point(line)),
        Tab::Inspect => model.pane_mut().inspect.point(line),
        _ => {}
    }
}

fn stats(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let stats = &mut model.pane_mut().stats;
    match action {
        Action::RangeLonger | Action::Right => stats.range = stats.range.step(1),
        Action::RangeShorter | Action::Left => stats.range = stats.range.step(-1),
        Action::ScaleUp => stats.zoom(1),
        Action::ScaleDown => stats.zoom(-1),
        Action::EachPart => stats.is_split = !stats.is_split,
        Action::Freeze => freeze(model),
        Action::Compare => compare(model),
        Action::SaveCsv => prompt(model, Purpose::SaveCsv, &csv_name(model)),
        _ => return None,
    }
    Some(Vec::new())
}

fn freeze(model: &mut Model) {
    let now = model.now;
    let Some(Subject::Container(id)) = model.subject() else { return };
    let series = model.series.get(&id);
    let point = series.and_then(|series| series.now().copied());
    let last = series.and_then(|series| series.last.clone());
    model.pane_mut().stats.freeze(Frozen { at: now, point, last });
}

/// Puts the marked containers into the same charts.
fn compare(model: &mut Model) {
    let marked = model.containers.marked().into_iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    let had = model.pane().stats.beside.len();
    match model.pane_mut().stats.compare(marked) {
        0 if had > 0 => model.say(Tone::Plain, "alone again", None),
        0 => {
            let key = model.keys_of(Place::Containers, Action::Mark);
            let hint = format!("mark containers in the list with {key}, then compare");
            model.say(Tone::Plain, "no other container is marked", Some(hint));
        }
        _ => {}
    }
}

/// `worker-1h.csv`
fn csv_name(model: &Model) -> String {
    let name = model.subject().map_or_else(String::new, |subject| name_of(model, &subject));
    format!("{name}-{}.csv", model.pane().stats.range.label())
}

/// Writes what the charts show to a file.
pub(crate) fn save_csv(model: &mut Model, path: &str) -> Vec<Effect> {
    let Some(Subject::Container(id)) = model.subject() else { return Vec::new() };
    let stats = &model.pane().stats;
    let (range, mut text) = (stats.range, CSV.to_owned());
    for id in [&id].into_iter().chain(&stats.beside) {
        let (Some(row), Some(series)) = (model.containers.get(id.as_str()), model.series.get(id)) else {
            continue;
        };
        // Of a container that has ended, its last moments.
        let newest = series.last.as_ref().map_or(model.now, |last| last.time);
        let end = if row.status.is_up() { stats.end(model.now) } else { stats.end(newest) };
        text += &series.csv(&row.name, end, range);
    }
    let rows = text.lines().count() - 1;
    let path = model.world.absolute(path);
    let title = format!("save {rows} rows to {}", path.display());
    vec![quiet_work(model, &title, Job::Write(path, text))]
}

fn top(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let columns = [
        (Action::TopPid, Column::Pid),
        (Action::TopUser, Column::User),
        (Action::TopCpu, Column::Cpu),
        (Action::TopMemory, Column::Memory),
        (Action::TopTime, Column::Time),
        (Action::TopCommand, Column::Command),
    ];
    let pane = &mut model.pane_mut().top;
    if let Some((_, column)) = columns.into_iter().find(|(of, _)| *of == action) {
        pane.sort(column);
        return Some(Vec::new());
    }
    match action {
        Action::ProcessTree => pane.turn(),
        Action::Search => {
            let filter = pane.filter.clone();
            prompt(model, Purpose::TopFilter, &filter);
        }
        Action::Back if !pane.filter.is_empty() => pane.look_for(""),
        Action::SignalProcess => signals(model),
        Action::ProcessPage | Action::Open => return Some(page(model)),
        _ => return None,
    }
    Some(Vec::new())
}

/// Chooses a signal for the process under the cursor.
fn signals(model: &mut Model) {
    let Some((of, member)) = chosen(&model.pane().top) else {
        model.say(Tone::Plain, "no process is selected", None);
        return;
    };
    let process = Process { pid: member.row.pid, start_time: member.row.start_time };
    let title = format!("Send process {} ({}) a signal", member.row.inner_pid, word(&member.row.command));
    model.layers.push(Layer::Menu(Menu {
        title,
        items: signal_items(),
        cursor: 0,
        containers: vec![of],
        process: Some(process),
    }));
}

/// The first word of a command, without its folders.
fn word(command: &str) -> String {
    let word = command.split_whitespace().next().unwrap_or_default();
    let word = word.rsplit('/').next().unwrap_or_default();
    word.chars().filter(|c| !c.is_control()).take(24).collect()
}

fn chosen(pane: &TopPane) -> Option<(ContainerId, Member)> {
    Some((pane.of.clone()?, pane.selected()?.clone()))
}

/// Everything known of the process under the cursor.
fn page(model: &mut Model) -> Vec<Effect> {
    match chosen(&model.pane().top) {
        Some((of, member)) => vec![Effect::ReadProcess(of, member.row.pid)],
        None => {
            model.say(Tone::Plain, "no process is selected", None);
            Vec::new()
        }
    }
}

fn inspect(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let pane = &mut model.pane_mut().inspect;
    match action {
        Action::Fold => pane.fold(true),
        Action::Unfold => pane.fold(false),
        Action::FoldAll => pane.fold_all(true),
        Action::UnfoldAll => pane.fold_all(false),
        Action::NextForm => pane.turn(),
        Action::Open if pane.form == Form::Tree && pane.document.is_some() => pane.turn_fold(),
        Action::CopyValue => {
            let value = pane.value().unwrap_or_default();
            return Some(copy::text(model, value));
        }
        Action::CopyPath => match pane.path() {
            Some(path) => return Some(copy::text(model, path)),
            None => model.say(Tone::Plain, "paths are of the tree", None),
        },
        Action::EditShown => return Some(edit(model)),
        _ => return None,
    }
    Some(Vec::new())
}

/// Opens the document in the user's editor, in the form that is shown.
fn edit(model: &mut Model) -> Vec<Effect> {
    let pane = &model.pane().inspect;
    if pane.document.is_none() {
        model.say(Tone::Plain, "it is not read yet", None);
        return Vec::new();
    }
    let (text, ending) = (
        pane.text(pane.form),
        match pane.form {
            Form::Yaml => "yaml",
            Form::Command => "sh",
            Form::Tree | Form::Json => "json",
        },
    );
    let name = model.subject().map_or_else(String::new, |subject| name_of(model, &subject));
    vec![Effect::Edit(format!("{name}.{ending}"), text)]
}
