//! The trash in the list.

use ratatui::style::Modifier;

use crate::tui::list::columns::Column;
use crate::tui::list::view::empty::Said;
use crate::tui::list::view::{Cell, ago};
use crate::tui::model::Model;
use crate::tui::trash::model::TrashRow;
use crate::tui::words::{size, span};

/// Returns a row's text in a column.
pub(crate) fn cell(model: &Model, row: &TrashRow, column: Option<Column>, _: usize) -> Cell {
    let theme = &model.theme;
    match column {
        Some(Column::Name) => {
            let others = row.names.len().saturating_sub(1);
            let name = if others == 0 { row.name.clone() } else { format!("{} +{others}", row.name) };
            (name, theme.text.add_modifier(Modifier::BOLD))
        }
        Some(Column::Kind) => (row.kind.to_owned(), theme.dim),
        Some(Column::Removed) => (ago(model, Some(row.removed)), theme.text),
        Some(Column::Left) => {
            let left = row.left(model.now);
            let is_soon = left.as_secs() < 3600 || model.keeping.is_short;
            let word = if left.is_zero() { "now".to_owned() } else { span(left) };
            (word, if is_soon { theme.warn } else { theme.text })
        }
        Some(Column::Size) => (row.size.map_or_else(|| "-".to_owned(), size), theme.text),
        _ => (String::new(), theme.text),
    }
}

/// Returns the text of the empty list.
pub(crate) fn empty(model: &Model) -> Said {
    let what = match model.keeping.time {
        None => "The trash is disabled: `[trash] keep` is 0 in the configuration.",
        Some(_) => "The trash is empty. Removed containers and images can be restored from here.",
    };
    (what, Vec::new())
}
