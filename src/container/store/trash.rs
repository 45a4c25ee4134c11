//! Moves containers into the trash and back.

use std::fs;
use std::time::Duration;

use super::remove::{load_aside, put_back, set_aside};
use super::{Record, Result};
use crate::base::disk::{self, Lock, Rank};
use crate::base::journal::Kind;
use crate::base::trash::{self, TrashEntry};
use crate::base::{Name, Paths};

/// Moves a container into the trash, to be kept for this long. Nothing of it is running, and the
/// caller holds its lock.
///
/// # Errors
///
/// The folder cannot be moved and stays where it is.
pub fn trash(paths: &Paths, record: &Record, keep: Duration) -> Result<TrashEntry> {
    disk::private_dir(&paths.trash())?;
    let name = record.name.as_str().to_owned();
    let entry = TrashEntry::new(Kind::Container, record.id.as_str(), vec![name.clone()], name, keep)?;
    let folder = paths.container(&record.id);
    trash::write(&folder, &entry)?;
    disk::sync_folders([&folder])?; // without the note it would be litter
    set_aside(paths, record, &trash::folder(paths, &entry.id))?;
    Ok(entry)
}

/// Reverts [`trash`], under this name. Returns `None` if the entry is no longer there.
///
/// # Errors
///
/// [`Error::NameInUse`](super::Error::NameInUse), or the record cannot be read. The container is
/// still in the trash then.
pub fn restore(paths: &Paths, entry: &str, name: Name) -> Result<Option<Record>> {
    let folder = trash::folder(paths, entry);
    // The container's own lock, which lies in its folder and goes along: nobody else restores or
    // purges it, and no sweep takes what has no name yet.
    let _lock = match Lock::exclusive(&folder.join("lock"), Rank::Container) {
        Err(error) if error.is_not_found() => return Ok(None),
        result => result?,
    };
    let mut record = load_aside(&folder)?;
    record.name = name;
    put_back(paths, &record, &folder)?;
    let _ = fs::remove_file(paths.container(&record.id).join("trash.json")); // says nothing there
    Ok(Some(record))
}
