//! The list of networks.

pub mod model;
pub(crate) mod reader;
pub mod view;

use crate::command::NameKind;
use crate::engine::{Engine, Event, Kind, Result};
use crate::tui::action::Action;
use crate::tui::events::model::EventRow;
use crate::tui::inspect::model::Document;
use crate::tui::keymap::KeyContext;
use crate::tui::list::columns::Column;
use crate::tui::list::table::Table;
use crate::tui::list::view::{Cell, empty};
use crate::tui::list_screen::ListScreen;
use crate::tui::model::Model;
use crate::tui::model::targets::About;
use crate::tui::reader::ListReader;
use crate::tui::section::Subject;
use model::NetworkRow;

/// The networks list.
#[derive(Debug)]
pub struct Networks;

impl ListScreen for Networks {
    type Row = NetworkRow;
    type Read = Vec<NetworkRow>;

    const KEY_CONTEXT: KeyContext = KeyContext::Networks;
    const ACTION: Action = Action::GoNetworks;
    const COLUMNS: &'static [Column] =
        &[Column::Name, Column::Driver, Column::Subnet, Column::Containers, Column::Created];
    const FURTHER: &'static [Column] = &[Column::Id];
    const IS_IN_NAVIGATOR: bool = true;
    const NAMES_ARE: Option<NameKind> = Some(NameKind::Network);
    const COMMAND: Option<&'static [&'static str]> = Some(&["network", "ls"]);

    fn table(model: &Model) -> &Table<NetworkRow> {
        &model.networks
    }

    fn table_mut(model: &mut Model) -> &mut Table<NetworkRow> {
        &mut model.networks
    }

    fn cell(model: &Model, row: &NetworkRow, column: Option<Column>, width: usize) -> Cell {
        view::cell(model, row, column, width)
    }

    fn empty(model: &Model) -> empty::Said {
        view::empty(model)
    }

    async fn read(reader: ListReader) {
        reader::read(reader).await;
    }

    fn take(model: &mut Model, read: Vec<NetworkRow>) {
        model.networks.set(read);
    }

    fn is_changed_by(event: &Event) -> bool {
        match event.kind {
            // The rows contain the names of containers.
            Kind::Container => ["start", "die", "destroy", "rename"].contains(&event.action.as_str()),
            kind => kind == Kind::Network,
        }
    }

    fn name_of(model: &Model, subject: &Subject) -> String {
        let Subject::Network(id) = subject else { return String::new() };
        model.networks.get(id).map_or_else(|| id.clone(), |row| row.name.clone())
    }

    fn id_of(_: &Model, subject: &Subject) -> Option<String> {
        let Subject::Network(id) = subject else { return None };
        Some(id.clone())
    }

    fn named(_: &Model, name: &str) -> Option<Subject> {
        Some(Subject::Network(name.to_owned()))
    }

    fn of_event(model: &Model, event: &EventRow) -> Option<Subject> {
        let row = model.networks.get(&event.id).filter(|_| event.kind == Kind::Network);
        row.map(|row| Subject::Network(row.id.clone()))
    }

    fn names(model: &Model) -> Vec<(String, String)> {
        model.networks.all().iter().map(|row| (row.name.clone(), "network".to_owned())).collect()
    }

    fn command(action: Action) -> Option<&'static [&'static str]> {
        (action == Action::Inspect).then_some(&["network", "inspect"])
    }

    async fn document(engine: &Engine, subject: &Subject) -> Result<Document> {
        reader::document(engine, subject).await
    }
}

impl About for NetworkRow {
    fn about(&self, _: &Model) -> Option<Subject> {
        Some(Subject::Network(self.id.clone()))
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}
