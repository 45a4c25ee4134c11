//! Background tasks and their progress.

pub mod model;
pub mod output;
pub mod update;
pub mod view;

use ratatui::Frame;

use crate::engine::{self, ExecView, Kind};
use crate::tui::action::Action;
use crate::tui::dialog::Dialog;
use crate::tui::effect::Effect;
use crate::tui::event::Event;
use crate::tui::keymap::KeyContext;
use crate::tui::list::columns::Column;
use crate::tui::list::table::Table;
use crate::tui::list::view::{Cell, empty};
use crate::tui::list_screen::{Counted, ListScreen};
use crate::tui::model::Model;
use crate::tui::model::layer::Layer;
use crate::tui::model::targets::About;
use crate::tui::reader::ListReader;
use crate::tui::reading::Listed;
use crate::tui::section::Subject;
use model::{OutputPage, ProgressPage, TaskRow, TaskState};

/// The list of background tasks and terminals.
#[derive(Debug)]
pub struct Tasks;

impl ListScreen for Tasks {
    type Row = TaskRow;
    type Read = Vec<ExecView>;

    const KEY_CONTEXT: KeyContext = KeyContext::Tasks;
    const ACTION: Action = Action::GoTasks;
    const COLUMNS: &'static [Column] = &[Column::Task, Column::State, Column::Spent];
    const COUNTED: Counted = Counted::WhereThereAreSome;
    const HAS_GLYPH: bool = true;
    fn table(model: &Model) -> &Table<TaskRow> {
        &model.tasks
    }

    fn table_mut(model: &mut Model) -> &mut Table<TaskRow> {
        &mut model.tasks
    }

    fn cell(model: &Model, row: &TaskRow, column: Option<Column>, width: usize) -> Cell {
        view::row(model, row, column, width)
    }

    fn empty(model: &Model) -> empty::Said {
        view::empty(model)
    }

    // The tasks are hoist's own data; what is read are the commands that run in containers.
    async fn read(reader: ListReader) {
        match reader.engine.execs().running().await {
            Ok(execs) => reader.tell.send(Event::List(Ok(Listed::Tasks(execs)))).await,
            // The list of containers fails for the same reason, and says so.
            Err(error) => tracing::debug!(error = error.causes().join(": "), "cannot list running commands"),
        }
    }

    fn take(model: &mut Model, execs: Vec<ExecView>) {
        update::session::found(model, execs);
    }

    fn is_changed_by(event: &engine::Event) -> bool {
        let words = ["exec_start", "exec_die", "die", "destroy", "rename"];
        let action = event.action.split(':').next().unwrap_or_default();
        event.kind == Kind::Container && words.contains(&action)
    }

    fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
        update::act(model, action)
    }

    fn open(model: &mut Model) -> bool {
        let task = model.tasks.selected().map(|task| task.id);
        task.inspect(|id| update::open(model, *id)).is_some()
    }

    fn name_of(model: &Model, subject: &Subject) -> String {
        let Subject::Task(id) = subject else { return String::new() };
        model.task(*id).map_or_else(String::new, |task| task.title.clone())
    }
}

impl Dialog for ProgressPage {
    fn key_context(&self) -> KeyContext {
        KeyContext::Progress
    }

    fn draw(&self, frame: &mut Frame<'_>, model: &Model) {
        view::draw(frame, model, *self);
    }

    fn act(model: &mut Model, action: Action) -> Vec<Effect> {
        update::watch(model, action)
    }

    fn offers(&self, model: &Model, action: Action) -> Option<bool> {
        let task = model.task(self.id)?;
        match action {
            Action::Cancel => Some(task.state == TaskState::Live),
            Action::RunWhenDone => Some(!task.is_over() && task.makes_image() && !model.look.is_read_only),
            _ => None,
        }
    }

    #[cfg(test)]
    fn has_own_colours(&self) -> bool {
        true
    }
}

impl Dialog for OutputPage {
    fn key_context(&self) -> KeyContext {
        KeyContext::Output
    }

    fn draw(&self, frame: &mut Frame<'_>, model: &Model) {
        view::output(frame, model, *self);
    }

    fn act(model: &mut Model, action: Action) -> Vec<Effect> {
        let farthest = match model.layers.last() {
            Some(Layer::Output(page)) => view::farthest_output(model, **page),
            _ => 0,
        };
        update::reading(model, action, farthest)
    }

    fn offers(&self, model: &Model, action: Action) -> Option<bool> {
        let task = model.task(self.id)?;
        match action {
            Action::Cancel => Some(!task.is_over()),
            // The same as the key for cancel.
            Action::CancelTask => Some(false),
            Action::RetryTask => Some(task.can_be_retried() && !model.look.is_read_only),
            Action::CopyShown => Some(!task.output_lines().is_empty()),
            _ => None,
        }
    }

    #[cfg(test)]
    fn has_own_colours(&self) -> bool {
        true
    }
}

impl About for TaskRow {
    fn about(&self, _: &Model) -> Option<Subject> {
        Some(Subject::Task(self.id))
    }

    fn title(&self) -> String {
        self.title.clone()
    }
}
