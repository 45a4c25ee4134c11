//! Volumes in the list.

use ratatui::style::Modifier;

use crate::tui::action::Action;
use crate::tui::list::columns::Column;
use crate::tui::list::view::Cell;
use crate::tui::list::view::empty::{Said, plain};
use crate::tui::model::Model;
use crate::tui::volumes::model::VolumeRow;

/// Returns a row's text in a column.
pub(crate) fn cell(model: &Model, row: &VolumeRow, column: Option<Column>, _: usize) -> Cell {
    let theme = &model.theme;
    match column {
        Some(Column::Name) => (row.name.clone(), theme.text.add_modifier(Modifier::BOLD)),
        Some(Column::Driver) => (row.driver.clone(), theme.dim),
        Some(Column::Folder) => (row.place.clone(), theme.dim),
        _ => (String::new(), theme.text),
    }
}

/// Returns the text of the empty list.
pub(crate) fn empty(_: &Model) -> Said {
    let what = "No volumes. To share a folder with a container, use `-v /folder:/folder`.";
    (what, vec![plain(Action::GoImages, "go to images: run one")])
}
