//! Events in the list.

use jiff::SignedDuration;
use ratatui::style::Modifier;

use crate::tui::action::Action;
use crate::tui::events::model::EventRow;
use crate::tui::list::columns::Column;
use crate::tui::list::view::Cell;
use crate::tui::list::view::empty::{Said, plain};
use crate::tui::model::Model;

/// Returns a row's text in a column.
pub(crate) fn cell(model: &Model, row: &EventRow, column: Option<Column>, _: usize) -> Cell {
    let theme = &model.theme;
    let is_bad = matches!(row.action.as_str(), "oom" | "kill")
        || (row.action == "die" && !row.attributes.starts_with("exitCode=0"));
    let style = if is_bad { theme.err } else { theme.text };
    match column {
        Some(Column::Time) => {
            let zoned = row.time.to_zoned(jiff::tz::TimeZone::system());
            let today = model.now.duration_since(row.time) < SignedDuration::from_hours(24);
            (zoned.strftime(if today { "%H:%M:%S" } else { "%d %b" }).to_string(), theme.dim)
        }
        Some(Column::Kind) => (row.kind.as_str().to_owned(), theme.dim),
        Some(Column::Action) => (row.action.clone(), style),
        Some(Column::Name) => (row.name.clone(), theme.text.add_modifier(Modifier::BOLD)),
        Some(Column::Attributes) => (row.attributes.clone(), theme.dim),
        _ => (String::new(), theme.text),
    }
}

/// Returns the text of the empty list.
pub(crate) fn empty(_: &Model) -> Said {
    let offers = vec![plain(Action::GoContainers, "go to containers")];
    ("No events since this machine started.", offers)
}
