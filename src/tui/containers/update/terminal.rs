//! Terminals in containers.

use crate::tui::containers::fit::{Verb, misfit};
use crate::tui::containers::model::ContainerRow;
use crate::tui::effect::{Effect, Line, Program, Target};
use crate::tui::model::Model;
use crate::tui::section::{Subject, TaskId};
use crate::tui::tab::{PaneId, Tab};
use crate::tui::tasks::model::Session;
use crate::tui::tasks::update::session::list_session;

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
    model.show_terminal(id);
    model.typing = Some(id);
    vec![Effect::Open(id, Target::In(row.id.clone(), program))]
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
        Program::Words(line) => first(&line.words),
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
    vec![Effect::Open(id, Target::In(row.id.clone(), program))]
}

/// Opens a terminal in a container for a command of the user, called `name`.
pub(crate) fn custom(model: &mut Model, row: &ContainerRow, name: &str, line: Line) -> Vec<Effect> {
    if is_refused(model, row, Verb::Exec) {
        return Vec::new();
    }
    let program = Program::Words(line);
    let id = session(model, row, name, program.clone());
    model.show_terminal(id);
    model.typing = Some(id);
    vec![Effect::Open(id, Target::In(row.id.clone(), program))]
}

/// Opens a terminal on this machine for a command of the user, called `name`. It is shown with the
/// container that it is about.
pub(crate) fn on_host(model: &mut Model, row: Option<&ContainerRow>, name: &str, line: Line) -> Vec<Effect> {
    let title = row.map_or_else(|| name.to_owned(), |row| format!("{}: {name}", row.name));
    let id = put(model, title, Session::on_host(line.clone(), row.map(|row| row.id.clone())));
    model.show_terminal(id);
    if row.is_none() {
        // No object of the list has it as a tab.
        model.pane_mut().pinned = Some(Subject::Task(id));
    }
    model.typing = Some(id);
    vec![Effect::Open(id, Target::Host(line))]
}

fn session(model: &mut Model, row: &ContainerRow, what: &str, program: Program) -> TaskId {
    put(model, format!("{}: {what}", row.name), Session::inside(row.id.clone(), program))
}

fn put(model: &mut Model, title: String, session: Session) -> TaskId {
    let id = model.new_task();
    list_session(model, (id, model.now), &title, session);
    id
}
