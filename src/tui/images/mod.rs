//! The list of images.

pub mod model;
pub(crate) mod reader;
pub mod update;
pub mod view;

use std::collections::BTreeSet;

use crate::command::NameKind;
use crate::engine::{Engine, Event, Kind, Result};
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
use model::{ImageRow, repository};

/// The images list, with a row for each name.
#[derive(Debug)]
pub struct Images;

impl ListScreen for Images {
    type Row = ImageRow;
    type Read = Vec<ImageRow>;

    const KEY_CONTEXT: KeyContext = KeyContext::Images;
    const ACTION: Action = Action::GoImages;
    const COLUMNS: &'static [Column] =
        &[Column::Name, Column::Id, Column::Created, Column::Size, Column::Platform, Column::UsedBy];
    const IS_IN_NAVIGATOR: bool = true;
    const NAMES_ARE: Option<NameKind> = Some(NameKind::Image);
    const COMMAND: Option<&'static [&'static str]> = Some(&["images"]);

    fn table(model: &Model) -> &Table<ImageRow> {
        &model.images
    }

    fn table_mut(model: &mut Model) -> &mut Table<ImageRow> {
        &mut model.images
    }

    fn cell(model: &Model, row: &ImageRow, column: Option<Column>, width: usize) -> Cell {
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
        event.kind == Kind::Image
    }

    fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
        update::act(model, action)
    }

    fn first_tab(_: &Model, _: Option<Tab>) -> Tab {
        Tab::Layers
    }

    fn name_of(_: &Model, subject: &Subject) -> String {
        let Subject::Image(name) = subject else { return String::new() };
        name.clone()
    }

    fn id_of(model: &Model, subject: &Subject) -> Option<String> {
        let Subject::Image(target) = subject else { return None };
        model.images.all().iter().find(|row| row.target() == target).map(|row| row.id.clone())
    }

    fn named(_: &Model, name: &str) -> Option<Subject> {
        Some(Subject::Image(name.to_owned()))
    }

    fn of_event(model: &Model, event: &EventRow) -> Option<Subject> {
        let is_it =
            |row: &&ImageRow| row.id == event.id || row.target() == event.id || row.target() == event.name;
        let row = model.images.all().iter().find(is_it).filter(|_| event.kind == Kind::Image);
        row.and_then(|row| row.about(model))
    }

    fn names(model: &Model) -> Vec<(String, String)> {
        let named = || model.images.all().iter().filter(|row| !row.name.is_empty());
        let mut names: Vec<_> = named().map(|row| (row.name.clone(), "image".to_owned())).collect();
        // The repositories, for other tags of them.
        let repositories: BTreeSet<&str> = named().map(|row| repository(&row.name)).collect();
        names.extend(repositories.into_iter().map(|name| (name.to_owned(), "repository".to_owned())));
        names
    }

    fn command(action: Action) -> Option<&'static [&'static str]> {
        Some(match action {
            Action::Run => &["run", "-it"],
            Action::Inspect => &["image", "inspect"],
            Action::Remove => &["rmi"],
            Action::RemoveForce => &["rmi", "-f"],
            _ => return None,
        })
    }

    async fn document(engine: &Engine, subject: &Subject) -> Result<Document> {
        reader::document(engine, subject).await
    }
}

impl About for ImageRow {
    fn about(&self, _: &Model) -> Option<Subject> {
        Some(Subject::Image(self.target().to_owned()))
    }

    fn title(&self) -> String {
        if self.name.is_empty() { self.short().to_owned() } else { self.name.clone() }
    }
}
