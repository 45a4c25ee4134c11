//! The events of a container, in Docker's words.

use std::collections::BTreeMap;

use crate::base::journal::{self, Event, Kind};
use crate::base::{Paths, disk};
use crate::container::Record;

/// Writes an event of a container to the journal. `more` are additional attributes of this action.
///
/// # Errors
///
/// If the journal cannot be written. This does not undo the action.
pub fn tell(paths: &Paths, record: &Record, action: &str, more: &[(&str, &str)]) -> disk::Result<()> {
    let mut attributes: BTreeMap<String, String> = record.config.labels.clone();
    attributes.insert("image".to_owned(), record.image.clone());
    attributes.insert("name".to_owned(), record.name.as_str().to_owned());
    attributes.extend(more.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
    journal::append(&paths.journal(), &Event::now(Kind::Container, action, record.id.as_str(), attributes))
}

/// Like [`tell`], but returns a warning, for callers that continue in any case.
#[must_use]
pub fn tell_or_warn(paths: &Paths, record: &Record, action: &str, more: &[(&str, &str)]) -> Option<String> {
    tell(paths, record, action, more).err().as_ref().map(journal::unrecorded)
}
