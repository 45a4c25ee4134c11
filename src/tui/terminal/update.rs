//! Terminals: their actions, copy mode, and the mouse.

use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use crate::tui::action::Action;
use crate::tui::effect::{Effect, Pointer};
use crate::tui::failure::Tone;
use crate::tui::key::Key;
use crate::tui::keymap::KeyContext;
use crate::tui::line::purpose::Purpose;
use crate::tui::line::update::prompt;
use crate::tui::model::{Focus, Model, inner};
use crate::tui::section::TaskId;
use crate::tui::tab::Tab;
use crate::tui::tasks::model::{TaskRow, TaskState};
use crate::tui::tasks::update::session as tasks;
use crate::tui::terminal::walk::{Kind, Step, Walk};

/// Applies `action` in a terminal; `None` for the default behaviour.
pub(crate) fn act(model: &mut Model, id: TaskId, action: Action) -> Option<Vec<Effect>> {
    let page = model.pane_inner().map_or(1, |area| i32::from(area.height / 2).max(1));
    if model.copying == Some(id) {
        return copy(model, id, action);
    }
    let is_unseen = model.task(id).is_some_and(TaskRow::is_unseen);
    match action {
        Action::Release => {
            (model.typing, model.was_released) = (None, true);
            Some(Vec::new())
        }
        Action::Type => Some(take_keys(model, id)),
        Action::CopyMode | Action::Search | Action::Detach if is_unseen => {
            let key = model.keys_of(KeyContext::Released, Action::Type);
            model.say(Tone::Plain, "hoist is not attached to it", Some(format!("press {key} to attach")));
            Some(Vec::new())
        }
        Action::CopyMode => Some(begin_copy(model, id)),
        Action::Search => {
            let effects = begin_copy(model, id);
            prompt(model, Search(id), "");
            Some(effects)
        }
        Action::Detach => Some(detached(model, id)),
        Action::CancelTask => Some(tasks::end(model, &[id], 0)),
        Action::RetryTask => Some(tasks::again(model, id)),
        Action::ScrollUp => Some(vec![Effect::Scroll(id, page)]),
        Action::ScrollDown => Some(vec![Effect::Scroll(id, -page)]),
        Action::CloseTab => {
            let_go(model);
            model.tasks.take(&id.key());
            Some(vec![Effect::Close(id)])
        }
        _ => None,
    }
}

/// Returns how the program of a terminal has ended.
pub(crate) fn ending(task: &TaskRow) -> Option<String> {
    match &task.state {
        TaskState::Live | TaskState::Stopping => None,
        TaskState::Done(text) => Some(text.clone()),
        TaskState::Cancelled => Some("cancelled".to_owned()),
        TaskState::Failed(_) => Some("failed".to_owned()),
    }
}

/// Gives the keys to a terminal. If hoist is not attached to its program yet, it attaches first.
pub(crate) fn take_keys(model: &mut Model, id: TaskId) -> Vec<Effect> {
    if model.keeps_keys_from(id) {
        model.refuse("the program gets no keys");
        return Vec::new();
    }
    let effects = tasks::attach(model, id);
    if model.task(id).is_some_and(TaskRow::is_open) {
        model.focus = Focus::Detail;
        model.typing = Some(id);
    }
    effects
}

/// Whether a key must not reach a terminal yet: the first Ctrl-c after attaching to a container's
/// main program, because many expect it to end only what they look at. It is explained instead.
pub(crate) fn holds_back(model: &mut Model, id: TaskId, key: Key) -> bool {
    if key != (Key { code: KeyCode::Char('c'), held: KeyModifiers::CONTROL }) {
        return false;
    }
    let Some(session) = model.tasks.get_mut(&id.key()).and_then(TaskRow::session_mut) else { return false };
    if session.is_warned {
        return false;
    }
    session.is_warned = true;
    let text = "Ctrl-c may stop the container";
    model.ask_again(Tone::Warning, text, Some("press again to send it".to_owned()));
    true
}

/// Starts copy mode.
pub(crate) fn begin_copy(model: &mut Model, id: TaskId) -> Vec<Effect> {
    model.copying = Some(id);
    model.pane_mut().tab = Tab::Session(id);
    model.focus = Focus::Detail;
    vec![Effect::Walk(id, Walk::Begin)]
}

/// Applies actions of copy mode.
fn copy(model: &mut Model, id: TaskId, action: Action) -> Option<Vec<Effect>> {
    let step = |step| Walk::Move(step);
    let walk = match action {
        Action::Up => step(Step::Up),
        Action::Down => step(Step::Down),
        Action::Left => step(Step::Left),
        Action::Right => step(Step::Right),
        Action::LineStart => step(Step::LineStart),
        Action::LineEnd => step(Step::LineEnd),
        Action::WordLeft => step(Step::WordLeft),
        Action::WordRight => step(Step::WordRight),
        Action::First => step(Step::Top),
        Action::Last => step(Step::Bottom),
        Action::HalfUp => step(Step::HalfUp),
        Action::HalfDown => step(Step::HalfDown),
        Action::PageUp => step(Step::PageUp),
        Action::PageDown => step(Step::PageDown),
        Action::MarkText => Walk::Mark(Kind::Characters),
        Action::MarkLines => Walk::Mark(Kind::Lines),
        Action::MarkBlock => Walk::Mark(Kind::Block),
        Action::NextMatch => Walk::Next { up: false },
        Action::PreviousMatch => Walk::Next { up: true },
        Action::Search => {
            prompt(model, Search(id), "");
            return Some(Vec::new());
        }
        Action::CopyMarked => {
            model.copying = None;
            Walk::Copy
        }
        Action::Back => {
            model.copying = None;
            Walk::End
        }
        _ => return None,
    };
    Some(vec![Effect::Walk(id, walk)])
}

/// The search pattern of copy mode.
#[derive(Debug)]
struct Search(TaskId);

impl Purpose for Search {
    fn title(&self) -> &'static str {
        "Search"
    }

    fn hint(&self) -> &'static str {
        "re:regex · smart case · n next · N previous"
    }

    fn accept(&self, _: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
        Ok(vec![Effect::Walk(self.0, Walk::Search(text.to_owned()))])
    }

    fn is_line(&self) -> bool {
        true
    }
}

/// Handles a mouse event over a terminal; `None` if it is elsewhere. A drag belongs to the terminal
/// where it started, wherever it goes.
pub(crate) fn point(model: &mut Model, mouse: MouseEvent) -> Option<Vec<Effect>> {
    let at = Position::new(mouse.column, mouse.row);
    let shown = |model: &Model, id| match model.shown_tab(model.windows.get(id)?) {
        Tab::Session(task) if model.task(task).is_some_and(TaskRow::is_open) => Some(task),
        _ => None,
    };
    let terminals: Vec<_> = model
        .panes()
        .into_iter()
        .filter_map(|(id, area)| Some((id, shown(model, id)?, inner(area))))
        .collect();
    let dragged = model.dragged;
    let (pane, task, area) = terminals.into_iter().find(|(_, task, area)| match dragged {
        Some(dragged) => *task == dragged,
        None => area.contains(at),
    })?;
    match mouse.kind {
        MouseEventKind::Down(button) => {
            model.windows.select(pane);
            model.focus = Focus::Detail;
            model.typing = Some(task).filter(|_| model.copying != Some(task));
            model.dragged = (button == MouseButton::Left).then_some(task);
        }
        MouseEventKind::Up(_) => model.dragged = None,
        _ => {}
    }
    let column = mouse.column.saturating_sub(area.x).min(area.width.saturating_sub(1));
    let row = i32::from(mouse.row) - i32::from(area.y);
    let is_for_program = !model.keeps_keys_from(task);
    let pointer = Pointer { kind: mouse.kind, held: mouse.modifiers, column, row, is_for_program };
    Some(vec![Effect::Point(task, pointer)])
}

/// Detaches from the session of the current pane.
pub(crate) fn detached(model: &mut Model, id: TaskId) -> Vec<Effect> {
    let_go(model);
    tasks::detach(model, id)
}

/// Closes the pane of a session that has ended or was detached; a single pane returns to the list.
fn let_go(model: &mut Model) {
    if model.windows.count() > 1 {
        model.windows.close();
    } else {
        model.leave_panes();
    }
}
