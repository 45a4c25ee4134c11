//! Networks in the list.

use ratatui::style::Modifier;

use crate::tui::action::Action;
use crate::tui::list::columns::Column;
use crate::tui::list::view::empty::{Said, plain};
use crate::tui::list::view::{Cell, ago, or_dash};
use crate::tui::model::Model;
use crate::tui::networks::model::NetworkRow;

/// Returns a row's text in a column.
pub(crate) fn cell(model: &Model, row: &NetworkRow, column: Option<Column>, _: usize) -> Cell {
    let theme = &model.theme;
    match column {
        Some(Column::Name) => (row.name.clone(), theme.text.add_modifier(Modifier::BOLD)),
        Some(Column::Driver) => (row.driver.clone(), theme.dim),
        Some(Column::Subnet) => (or_dash(&row.subnet), theme.text),
        Some(Column::Containers) => {
            let name = |id: &String| {
                model.containers.get(id).map_or(id.as_str(), |row| row.name.as_str()).to_owned()
            };
            (or_dash(&row.members.iter().take(8).map(name).collect::<Vec<_>>().join(" ")), theme.text)
        }
        Some(Column::Created) => (ago(model, row.created), theme.dim),
        Some(Column::Id) => (row.id.chars().take(12).collect(), theme.dim),
        _ => (String::new(), theme.text),
    }
}

/// Returns the text of the empty list.
pub(crate) fn empty(_: &Model) -> Said {
    let what = "No networks. The default network is created when a container needs it.";
    (what, vec![plain(Action::GoImages, "go to images: run one")])
}
