//! Images in the list.

use ratatui::style::Modifier;

use crate::tui::action::Action;
use crate::tui::images::model::ImageRow;
use crate::tui::list::columns::Column;
use crate::tui::list::view::empty::{Said, plain};
use crate::tui::list::view::{Cell, ago, or_dash};
use crate::tui::model::Model;
use crate::tui::words::{image_name, size};

/// Returns a row's text in a column.
pub(crate) fn cell(model: &Model, row: &ImageRow, column: Option<Column>, width: usize) -> Cell {
    let theme = &model.theme;
    match column {
        None => (String::new(), theme.dim),
        Some(Column::UsedBy) if let Some(why) = &row.damaged => (why.clone(), theme.err),
        Some(Column::Size) if row.damaged.is_some() => ("damaged".to_owned(), theme.err),
        Some(Column::Created) if row.damaged.is_some() => ("-".to_owned(), theme.dim),
        Some(Column::Name) if row.name.is_empty() => ("<none>".to_owned(), theme.dim),
        Some(Column::Name) => (image_name(&row.name, width), theme.text.add_modifier(Modifier::BOLD)),
        Some(Column::Id) => (row.short().to_owned(), theme.dim),
        Some(Column::Created) => (ago(model, row.created), theme.text),
        Some(Column::Size) => (size(row.size), theme.text),
        Some(Column::Platform) => (row.platform.clone(), theme.dim),
        Some(Column::UsedBy) => (or_dash(&row.users.join(" ")), theme.text),
        Some(_) => (String::new(), theme.text),
    }
}

/// Returns the text of the empty list.
pub(crate) fn empty(_: &Model) -> Said {
    let offers = vec![
        plain(Action::FromHost, "create one from this machine's shell and core tools"),
        (Action::Pull, "pull an image from a registry", "(alpine, debian, nginx)".to_owned()),
        plain(Action::Load, "load images from an archive written by `save`"),
        plain(Action::Import, "import a root file system archive"),
    ];
    ("No images yet.", offers)
}
