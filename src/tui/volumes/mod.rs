//! The list of volumes.

pub mod model;
pub(crate) mod reader;
pub mod view;

use crate::command::NameKind;
use crate::engine::{Event, Kind};
use crate::tui::action::Action;
use crate::tui::events::model::EventRow;
use crate::tui::keymap::KeyContext;
use crate::tui::list::columns::Column;
use crate::tui::list::table::Table;
use crate::tui::list::view::{Cell, empty};
use crate::tui::list_screen::ListScreen;
use crate::tui::model::Model;
use crate::tui::model::targets::About;
use crate::tui::reader::ListReader;
use crate::tui::section::Subject;
use model::VolumeRow;

/// The volumes list.
#[derive(Debug)]
pub struct Volumes;

impl ListScreen for Volumes {
    type Row = VolumeRow;
    type Read = Vec<VolumeRow>;

    const KEY_CONTEXT: KeyContext = KeyContext::Volumes;
    const ACTION: Action = Action::GoVolumes;
    const COLUMNS: &'static [Column] = &[Column::Name, Column::Driver, Column::Folder];
    const IS_IN_NAVIGATOR: bool = true;
    const NAMES_ARE: Option<NameKind> = Some(NameKind::Volume);
    const COMMAND: Option<&'static [&'static str]> = Some(&["volume", "ls"]);

    fn table(model: &Model) -> &Table<VolumeRow> {
        &model.volumes
    }

    fn table_mut(model: &mut Model) -> &mut Table<VolumeRow> {
        &mut model.volumes
    }

    fn cell(model: &Model, row: &VolumeRow, column: Option<Column>, width: usize) -> Cell {
        view::cell(model, row, column, width)
    }

    fn empty(model: &Model) -> empty::Said {
        view::empty(model)
    }

    async fn read(reader: ListReader) {
        reader::read(reader).await;
    }

    fn take(model: &mut Model, read: Vec<VolumeRow>) {
        model.volumes.set(read);
    }

    fn is_changed_by(event: &Event) -> bool {
        event.kind == Kind::Volume
    }

    fn name_of(_: &Model, subject: &Subject) -> String {
        let Subject::Volume(name) = subject else { return String::new() };
        name.clone()
    }

    fn named(_: &Model, name: &str) -> Option<Subject> {
        Some(Subject::Volume(name.to_owned()))
    }

    fn of_event(model: &Model, event: &EventRow) -> Option<Subject> {
        let row = model.volumes.get(&event.name).filter(|_| event.kind == Kind::Volume);
        row.map(|row| Subject::Volume(row.name.clone()))
    }

    fn names(model: &Model) -> Vec<(String, String)> {
        model.volumes.all().iter().map(|row| (row.name.clone(), "volume".to_owned())).collect()
    }
}

impl About for VolumeRow {
    fn about(&self, _: &Model) -> Option<Subject> {
        Some(Subject::Volume(self.name.clone()))
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}
