//! Terminals in containers.

use crate::tui::containers::fit::{Verb, misfit};
use crate::tui::containers::model::ContainerRow;
use crate::tui::effect::{Effect, Program};
use crate::tui::model::Model;
use crate::tui::section::{Subject, TaskId};
use crate::tui::tab::{PaneId, Tab};
use crate::tui::tasks::model::{Session, TaskRow, What};

/// Opens a terminal in the container.
pub(crate) fn terminal(model: &mut Model, row: &ContainerRow, program: Program) -> Vec<Effect> {
    let verb = match &program {
        Program::Attach => Verb::Attach,
        Program::Start => Verb::Start,
        _ => Verb::Exec,
    };
    if is_refused(model, row, verb) {
        return Vec::new();
    }
    let id = session(model, row, &what(&program), program.clone());
    model.show_tab(Tab::Session(id));
    model.typing = Some(id);
    vec![Effect::Open(id, Some(row.id.clone()), program)]
}

/// Refuses a verb that does not fit the container, with the reason. Returns whether it was refused.
fn is_refused(model: &mut Model, row: &ContainerRow, verb: Verb) -> bool {
    let why = misfit(row, verb);
    if let Some(why) = &why {
        model.fail(why.failure(verb, &row.name));
    }
    why.is_some()
}

fn what(program: &Program) -> String {
    let first = |words: &[String]| words.first().cloned().unwrap_or_default();
    match program {
        Program::Attach | Program::Start => "attach".to_owned(),
        Program::Shell => "shell".to_owned(),
        Program::Words(line) | Program::Host(line) => first(&line.words),
        Program::Exec(asked) => first(&asked.request.command),
        Program::Running(id) => id.to_string(),
    }
}

/// Opens a terminal in a container, in the given pane.
pub(crate) fn shell(model: &mut Model, row: &ContainerRow, program: Program, pane: PaneId) -> Vec<Effect> {
    if is_refused(model, row, Verb::Exec) {
        return Vec::new();
    }
    let id = session(model, row, "shell", program.clone());
    if let Some(pane) = model.windows.get_mut(pane) {
        pane.tab = Tab::Session(id);
    }
    if model.pane().id == pane {
        model.typing = Some(id);
    }
    vec![Effect::Open(id, Some(row.id.clone()), program)]
}

/// Opens a terminal for a command of the user, called `name`: in the container, or on this machine.
/// A command of this machine is shown with the container that it is about.
pub(crate) fn custom(
    model: &mut Model,
    row: Option<&ContainerRow>,
    name: &str,
    program: Program,
) -> Vec<Effect> {
    if let (Some(row), Program::Words(_)) = (row, &program)
        && is_refused(model, row, Verb::Exec)
    {
        return Vec::new();
    }
    let id = match row {
        Some(row) => session(model, row, name, program.clone()),
        None => {
            let id = model.new_task();
            let session = Session::new(None, program.clone());
            let row = TaskRow::new(id, name.to_owned(), model.now, What::Session(Box::new(session)));
            model.tasks.put(row);
            id
        }
    };
    model.show_tab(Tab::Session(id));
    if row.is_none() {
        // No object of the list has it as a tab.
        model.pane_mut().pinned = Some(Subject::Task(id));
    }
    model.typing = Some(id);
    vec![Effect::Open(id, row.map(|row| row.id.clone()), program)]
}

fn session(model: &mut Model, row: &ContainerRow, what: &str, program: Program) -> TaskId {
    let id = model.new_task();
    let title = format!("{}: {what}", row.name);
    let session = Session::new(Some(row.id.clone()), program);
    model.tasks.put(TaskRow::new(id, title, model.now, What::Session(Box::new(session))));
    id
}
