//! Containers that go: for good, or aside and back; and what a killed process left of one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::names::{claim, is_confirmed, owner, release};
use super::{Error, Result, forget_run, ids, load, lock_file};
use crate::base::disk::{self, Error as DiskError, Lock, Rank};
use crate::base::{ContainerId, Paths};
use crate::container::record::Record;
use crate::sys::tree;

/// Removes a container: from this moment it is not there. What it returns is deleted by
/// [`delete`], which may take its time.
///
/// # Errors
///
/// When its folder cannot be moved away.
pub fn remove(paths: &Paths, record: &Record) -> Result<PathBuf> {
    disk::private_dir(&paths.discarded())?;
    let discarded = paths.discarded().join(format!("container-{}", record.id));
    match set_aside(paths, record, &discarded) {
        Err(Error::NotFound(_)) => {
            release(paths, &record.name, &record.id);
            forget_run(paths, &record.id)?;
        }
        result => result?,
    }
    Ok(discarded)
}

/// Moves a container's folder to `place`: from this one rename on it is not there, and its
/// name is free. What stood in the way of the rest is swept later. The caller holds its lock.
///
/// # Errors
///
/// When its folder cannot be moved; then it is still there.
pub fn set_aside(paths: &Paths, record: &Record, place: &Path) -> Result<()> {
    let folder = paths.container(&record.id);
    match fs::rename(&folder, place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::NotFound(record.id.as_str().to_owned()));
        }
        result => result.map_err(DiskError::io("remove", folder))?,
    }
    release(paths, &record.name, &record.id);
    let _ = forget_run(paths, &record.id); // a run without its container is found and swept
    Ok(())
}

/// The record in a folder that was set aside.
///
/// # Errors
///
/// When it is not there or cannot be read.
pub fn load_aside(place: &Path) -> Result<Record> {
    Ok(disk::read_json(&place.join("record.json"))?)
}

/// The opposite of [`set_aside`], under the name that `record` has. The caller holds the
/// lock that lies in `place`, which goes along.
///
/// The name's link comes first: killed in between, this leaves a stale link and the folder
/// where it was. The other way round, [`sweep`] would take a container without a name.
///
/// # Errors
///
/// [`Error::NameInUse`]; then it is still in `place`.
pub fn put_back(paths: &Paths, record: &Record, place: &Path) -> Result<()> {
    disk::write_json(&place.join("record.json"), record)?;
    disk::private_dir(&paths.containers())?;
    claim(paths, &record.name, &record.id)?;
    let folder = paths.container(&record.id);
    {
        // The sweep of layers sees it before this, or after.
        let _images = Lock::exclusive(&paths.image_lock(), Rank::Image)?;
        if let Err(error) = fs::rename(place, &folder) {
            release(paths, &record.name, &record.id);
            return Err(DiskError::io("restore", folder)(error).into());
        }
    }
    // Whoever wanted the name meanwhile found a link without a record.
    if is_confirmed(paths, record) {
        return Ok(());
    }
    fs::rename(&folder, place).map_err(DiskError::io("set aside", folder))?;
    match owner(paths, &record.name)? {
        Some(other) => Err(Error::NameInUse { name: record.name.clone(), owner: other.id }),
        None => put_back(paths, record, place),
    }
}

/// Deletes what [`remove`] moved away.
///
/// # Errors
///
/// When a file of it cannot be deleted.
pub fn delete(discarded: &Path) -> Result<()> {
    Ok(tree::remove(discarded)?)
}

/// Whether some removed container still waits to be deleted.
#[must_use]
pub fn has_discarded(paths: &Paths) -> bool {
    fs::read_dir(paths.discarded()).is_ok_and(|mut entries| {
        entries.any(|entry| entry.is_ok_and(|it| it.file_name().to_string_lossy().starts_with("container-")))
    })
}

/// Whether a folder has no record, or one that never ran and whose name is not its own.
fn is_half_made(paths: &Paths, id: &ContainerId) -> bool {
    match load(paths, id) {
        Ok(Some(record)) => record.state.started.is_none() && !is_confirmed(paths, &record),
        Ok(None) => true,
        Err(_) => false, // damaged: a person should see it
    }
}

/// Takes away what a killed `create` or `rm` left: half-made and discarded folders.
///
/// # Errors
///
/// When the folder of containers cannot be read.
pub fn sweep(paths: &Paths) -> Result<()> {
    for id in ids(paths)?.into_iter().filter(|id| is_half_made(paths, id)) {
        // Who makes or renames a container holds its lock, and may be done by now.
        if let Ok(Some(_lock)) = Lock::try_exclusive(&lock_file(paths, &id), Rank::Container)
            && is_half_made(paths, &id)
        {
            let _ = tree::remove(&paths.container(&id)); // the next sweep finds what is left
        }
    }
    if let Ok(entries) = fs::read_dir(paths.discarded()) {
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with("container-") {
                let _ = tree::remove(&entry.path()); // its remover may be at it too
            }
        }
    }
    Ok(())
}
