//! The list of containers.

pub mod fit;
pub mod model;
pub(crate) mod name;
pub(crate) mod reader;
pub mod update;
pub mod view;
pub mod words;

use crate::command::NameKind;
use crate::engine::{Engine, Kind, Result};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
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
use crate::tui::tab::Tab;
use model::ContainerRow;

/// The containers list.
#[derive(Debug)]
pub struct Containers;

impl ListScreen for Containers {
    type Row = ContainerRow;
    type Read = Vec<ContainerRow>;

    const KEY_CONTEXT: KeyContext = KeyContext::Containers;
    const ACTION: Action = Action::GoContainers;
    const COLUMNS: &'static [Column] = &[
        Column::Name,
        Column::State,
        Column::Image,
        Column::Chart,
        Column::Cpu,
        Column::Memory,
        Column::NetIn,
        Column::NetOut,
        Column::Up,
        Column::Ports,
    ];
    const FURTHER: &'static [Column] = &[
        Column::Pids,
        Column::Project,
        Column::Network,
        Column::Address,
        Column::Id,
        Column::Created,
        Column::Command,
    ];
    const HAS_GLYPH: bool = true;
    const NAMES_ARE: Option<NameKind> = Some(NameKind::Container);
    const COMMAND: Option<&'static [&'static str]> = Some(&["ps", "-a"]);

    fn table(model: &Model) -> &Table<ContainerRow> {
        &model.containers
    }

    fn table_mut(model: &mut Model) -> &mut Table<ContainerRow> {
        &mut model.containers
    }

    fn cell(model: &Model, row: &ContainerRow, column: Option<Column>, width: usize) -> Cell {
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

    fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
        update::act(model, action)
    }

    fn first_tab(model: &Model, last: Option<Tab>) -> Tab {
        match last {
            Some(Tab::Session(id)) => Tab::Session(id),
            // For a failed container, the user wants to know the cause first.
            _ if model.container().is_some_and(ContainerRow::is_ill) => Tab::Why,
            last => last.unwrap_or(Tab::Logs),
        }
    }

    fn name_of(model: &Model, subject: &Subject) -> String {
        let Subject::Container(id) = subject else { return String::new() };
        model.last_name(id)
    }

    fn id_of(_: &Model, subject: &Subject) -> Option<String> {
        let Subject::Container(id) = subject else { return None };
        Some(id.to_string())
    }

    fn named(model: &Model, name: &str) -> Option<Subject> {
        let row = model.containers.all().iter().find(|row| row.name == name);
        row.map(|row| Subject::Container(row.id.clone()))
    }

    fn of_event(model: &Model, event: &EventRow) -> Option<Subject> {
        let row = model.containers.get(&event.id).filter(|_| event.kind == Kind::Container);
        row.and_then(|row| row.about(model))
    }

    fn names(model: &Model) -> Vec<(String, String)> {
        model.containers.all().iter().map(|row| (row.name.clone(), row.status.to_string())).collect()
    }

    fn command(action: Action) -> Option<&'static [&'static str]> {
        Some(match action {
            Action::Logs => &["logs", "-f"],
            Action::Stats => &["stats"],
            Action::Top => &["top"],
            Action::Inspect => &["inspect"],
            Action::Restart => &["restart"],
            Action::Attach => &["attach"],
            Action::Remove => &["rm"],
            Action::RemoveForce => &["rm", "-f"],
            Action::Kill => &["kill"],
            Action::Shell => &["exec", "-it"],
            _ => return None,
        })
    }

    async fn document(engine: &Engine, subject: &Subject) -> Result<Document> {
        reader::document(engine, subject).await
    }
}

impl About for ContainerRow {
    fn about(&self, _: &Model) -> Option<Subject> {
        Some(Subject::Container(self.id.clone()))
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}
