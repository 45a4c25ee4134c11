//! Names of file systems.

use crate::engine::files::{Place, shown};
use crate::tui::model::Model;
use crate::tui::model::titles::name_of;
use crate::tui::section::Subject;

/// Returns the user-visible name of a file system: a container's name, not its id.
pub(crate) fn whose_word(model: &Model, place: &Place) -> String {
    match place {
        Place::Container(id) => match id.parse() {
            Ok(id) => name_of(model, &Subject::Container(id)),
            Err(_) => id.chars().take(12).collect(),
        },
        Place::Host => "host".to_owned(),
        other => shown(other.name()),
    }
}
