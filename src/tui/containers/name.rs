//! Checks a name that is typed for a container.

use crate::base::Name;
use crate::tui::containers::model::ContainerRow;
use crate::tui::form::model::{Mark, Note};

/// Checks whether a container can have this name; `own` is its current name.
pub(crate) fn free(name: &str, containers: &[ContainerRow], own: Option<&str>) -> Option<Note> {
    let note = |mark, text: &str| Some(Note { mark, text: text.to_owned(), offer: None });
    if let Err(error) = name.parse::<Name>() {
        return note(Mark::Bad, &error.to_string());
    }
    let is_taken = |name: &str| containers.iter().any(|row| row.name == name);
    if own == Some(name) || !is_taken(name) {
        return note(Mark::Good, if own == Some(name) { "current name" } else { "available" });
    }
    let taken = containers.iter().find(|row| row.name == name);
    let state = taken.map_or_else(String::new, |row| row.status.to_string());
    let offer = (2..1000).map(|n| format!("{name}-{n}")).find(|name| !is_taken(name));
    let next = offer.as_ref().map_or_else(String::new, |offer| format!(" → {offer}?"));
    Some(Note { mark: Mark::Bad, text: format!("taken ({state}){next}"), offer })
}
