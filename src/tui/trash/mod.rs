//! The trash list.

pub mod model;
pub(crate) mod reader;
pub mod update;
pub mod view;

use crate::engine::{Engine, Event, Kind, Result};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::inspect::model::Document;
use crate::tui::keymap::KeyContext;
use crate::tui::list::columns::Column;
use crate::tui::list::table::Table;
use crate::tui::list::view::{Cell, empty};
use crate::tui::list_screen::{Counted, ListScreen};
use crate::tui::model::Model;
use crate::tui::model::targets::About;
use crate::tui::reader::ListReader;
use crate::tui::section::Subject;
use crate::tui::words::size;
use model::{Keeping, TrashRow};

/// The list of removed objects that can be restored.
#[derive(Debug)]
pub struct Trash;

impl ListScreen for Trash {
    type Row = TrashRow;
    type Read = (Vec<TrashRow>, Keeping);

    const KEY_CONTEXT: KeyContext = KeyContext::Trash;
    const ACTION: Action = Action::GoTrash;
    const COLUMNS: &'static [Column] =
        &[Column::Name, Column::Kind, Column::Removed, Column::Left, Column::Size];
    const COUNTED: Counted = Counted::WhereThereAreSome;
    const IS_IN_NAVIGATOR: bool = true;

    fn table(model: &Model) -> &Table<TrashRow> {
        &model.trash
    }

    fn table_mut(model: &mut Model) -> &mut Table<TrashRow> {
        &mut model.trash
    }

    fn cell(model: &Model, row: &TrashRow, column: Option<Column>, width: usize) -> Cell {
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

    fn is_changed_by(event: &Event) -> bool {
        match event.kind {
            Kind::Container => ["create", "destroy", "purge"].contains(&event.action.as_str()),
            kind => kind == Kind::Image,
        }
    }

    fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
        update::act(model, action)
    }

    fn name_of(model: &Model, subject: &Subject) -> String {
        let Subject::Trash(id) = subject else { return String::new() };
        model.trash.get(id).map_or_else(String::new, |row| row.name.clone())
    }

    fn amount(model: &Model) -> String {
        let rows = model.trash.all();
        let sizes: Option<u64> = rows.iter().map(|row| row.size).sum();
        let sizes = sizes.filter(|_| !rows.is_empty());
        let sizes = sizes.map_or_else(String::new, |bytes| format!(" {}", size(bytes)));
        format!("{}{sizes}", rows.len())
    }

    async fn document(engine: &Engine, subject: &Subject) -> Result<Document> {
        reader::document(engine, subject).await
    }
}

impl About for TrashRow {
    fn about(&self, _: &Model) -> Option<Subject> {
        Some(Subject::Trash(self.id.clone()))
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}
