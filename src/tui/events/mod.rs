//! The list of events.

pub mod model;
pub(crate) mod reader;
pub mod update;
pub mod view;

use crate::tui::action::Action;
use crate::tui::keymap::KeyContext;
use crate::tui::list;
use crate::tui::list::columns::Column;
use crate::tui::list::table::Table;
use crate::tui::list::view::{Cell, empty};
use crate::tui::list_screen::{Counted, ListScreen};
use crate::tui::model::Model;
use crate::tui::model::targets::About;
use crate::tui::reader::ListReader;
use crate::tui::section::Subject;
use model::EventRow;

/// The events list, newest first.
#[derive(Debug)]
pub struct Events;

impl ListScreen for Events {
    type Row = EventRow;
    type Read = Vec<EventRow>;

    const KEY_CONTEXT: KeyContext = KeyContext::Events;
    const ACTION: Action = Action::GoEvents;
    const COLUMNS: &'static [Column] =
        &[Column::Time, Column::Kind, Column::Action, Column::Name, Column::Attributes];
    const COUNTED: Counted = Counted::Never;
    const IS_READ_AT_START: bool = false;
    const HAS_OBJECTS: bool = false;
    const COMMAND: Option<&'static [&'static str]> = Some(&["events"]);

    fn table(model: &Model) -> &Table<EventRow> {
        &model.journal
    }

    fn table_mut(model: &mut Model) -> &mut Table<EventRow> {
        &mut model.journal
    }

    fn cell(model: &Model, row: &EventRow, column: Option<Column>, width: usize) -> Cell {
        view::cell(model, row, column, width)
    }

    fn empty(model: &Model) -> empty::Said {
        view::empty(model)
    }

    async fn read(reader: ListReader) {
        reader::read(reader).await;
    }

    fn take(model: &mut Model, read: Self::Read) {
        update::take(model, read);
    }

    fn open(model: &mut Model) -> bool {
        list::update::go_to_object(model);
        true
    }
}

impl About for EventRow {
    const REPEATS: bool = true;

    fn about(&self, model: &Model) -> Option<Subject> {
        model.object_of(self)
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}
