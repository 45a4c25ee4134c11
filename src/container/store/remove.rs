//! Removes containers for good, or moves them aside and back, and cleans up after killed processes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::names::{claim, is_confirmed, is_left_behind, links, name_of, owner, release, relink};
use super::{Error, Result, forget_run, ids, load, load_run, lock_file, monitor_lock, unsynced};
use crate::base::disk::{self, Error as DiskError, Lock, Rank};
use crate::base::{ContainerId, Paths};
use crate::container::record::Record;
use crate::sys::tree;

/// Removes a container. It no longer exists when this returns; [`delete`] deletes the returned
/// folder, which may take a while.
///
/// # Errors
///
/// Its folder cannot be moved away.
pub fn remove(paths: &Paths, record: &Record) -> Result<PathBuf> {
    let discarded = discarded(paths, &record.id)?;
    let moved = move_away(paths, &record.id, &discarded)?;
    let released = release(paths, &record.name, &record.id);
    match forget_run(paths, &record.id) {
        Err(error) if moved.is_none() => return Err(error),
        _ => {} // the next listing clears up a run without a container
    }
    if !record.config.lifecycle.auto_remove {
        disk::sync_folders(moved.into_iter().chain(released))?;
    }
    Ok(discarded)
}

/// Like [`remove`], for a container whose record is unreadable or missing. The caller holds its
/// lock, if its folder exists.
///
/// # Errors
///
/// Its folder cannot be moved away.
pub fn remove_unreadable(paths: &Paths, id: &ContainerId) -> Result<PathBuf> {
    let discarded = discarded(paths, id)?;
    let moved = move_away(paths, id, &discarded)?;
    let mut released = None;
    while let Some(name) = name_of(paths, id) {
        let link = paths.container_name(&name);
        fs::remove_file(&link).map_err(DiskError::io("remove", link))?;
        released = Some(paths.container_names());
    }
    let _ = forget_run(paths, id); // the next listing clears up a run without a container
    disk::sync_folders(moved.into_iter().chain(released))?;
    Ok(discarded)
}

/// Returns where to move a container that is removed. Deletes an earlier one with the same id that
/// is still there.
fn discarded(paths: &Paths, id: &ContainerId) -> Result<PathBuf> {
    disk::private_dir(&paths.discarded())?;
    let discarded = paths.discarded().join(format!("container-{id}"));
    tree::remove(&discarded)?;
    Ok(discarded)
}

/// Moves a container's folder and returns its old parent; `None` if it did not exist.
fn move_away(paths: &Paths, id: &ContainerId, place: &Path) -> Result<Option<PathBuf>> {
    let folder = paths.container(id);
    match fs::rename(&folder, place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(DiskError::io("remove", folder)(error).into()),
        Ok(()) => Ok(Some(paths.containers())),
    }
}

/// Moves a container's folder to `place`. The container is gone after this single rename, and its
/// name is free; leftovers are swept later. The caller holds its lock and has synced what it wrote
/// into the folder.
///
/// # Errors
///
/// [`Error::NotFound`], or the folder cannot be moved and stays where it is.
pub fn set_aside(paths: &Paths, record: &Record, place: &Path) -> Result<()> {
    let Some(moved) = move_away(paths, &record.id, place)? else {
        return Err(Error::NotFound(record.id.as_str().to_owned()));
    };
    let released = release(paths, &record.name, &record.id);
    let _ = forget_run(paths, &record.id); // the next listing clears up a run without a container
    let arrived = place.parent().map(Path::to_owned);
    Ok(disk::sync_folders(arrived.into_iter().chain([moved]).chain(released))?)
}

/// Reads the record in a folder that was set aside.
///
/// # Errors
///
/// It does not exist or cannot be read.
pub fn load_aside(place: &Path) -> Result<Record> {
    Ok(disk::read_state(&place.join("record.json"))?)
}

/// Reverts [`set_aside`], under the name in `record`. The caller holds the lock in `place`, which
/// moves along.
///
/// The link is created first. If the process is killed in between, a stale link remains and the
/// folder stays in `place`. In the reverse order, [`sweep`] would remove a container without a
/// name.
///
/// # Errors
///
/// [`Error::NameInUse`]; then the container is still in `place`.
pub fn put_back(paths: &Paths, record: &Record, place: &Path) -> Result<()> {
    disk::write_state_synced(&place.join("record.json"), record)?;
    disk::private_dir(&paths.containers())?;
    claim(paths, &record.name, &record.id)?;
    // Without its name on disk, the container would be half-made.
    disk::sync_folders([place, &paths.container_names()])?;
    let folder = paths.container(&record.id);
    {
        // A sweep of layers sees the container either before this or after it.
        let _images = Lock::exclusive(&paths.image_lock(), Rank::Image)?;
        if let Err(error) = fs::rename(place, &folder) {
            release(paths, &record.name, &record.id);
            return Err(DiskError::io("restore", folder)(error).into());
        }
    }
    // Another process may have taken the name: until the rename, the link had no record.
    if is_confirmed(paths, record) {
        let left = place.parent().map(Path::to_owned);
        return Ok(disk::sync_folders([paths.containers()].into_iter().chain(left))?);
    }
    fs::rename(&folder, place).map_err(DiskError::io("set aside", folder))?;
    match owner(paths, &record.name) {
        Some(owner) => Err(Error::NameInUse { name: record.name.clone(), owner }),
        None => put_back(paths, record, place),
    }
}

/// Deletes what [`remove`] moved away.
///
/// # Errors
///
/// A file cannot be deleted.
pub fn delete(discarded: &Path) -> Result<()> {
    Ok(tree::remove(discarded)?)
}

/// Returns whether a removed container has yet to be deleted.
#[must_use]
pub fn has_discarded(paths: &Paths) -> bool {
    fs::read_dir(paths.discarded()).is_ok_and(|mut entries| {
        entries.any(|entry| entry.is_ok_and(|it| it.file_name().to_string_lossy().starts_with("container-")))
    })
}

/// Returns whether a container is half-made: its `create` was killed before it got its name. A
/// container that has run, or was on disk with its name, has only lost its link.
#[must_use]
pub fn is_half_made(paths: &Paths, record: &Record) -> bool {
    record.state.started.is_none()
        && !is_confirmed(paths, record)
        && unsynced(&paths.container(&record.id)).exists()
}

/// What a sweep does with a container's folder.
#[derive(PartialEq, Eq)]
enum Fate {
    Stays,
    /// It has no record, or is half-made or litter.
    Goes,
    /// Its link was lost.
    GetsLink(Box<Record>),
}

fn fate(paths: &Paths, id: &ContainerId) -> Fate {
    match load(paths, id) {
        Ok(Some(record)) if is_confirmed(paths, &record) => Fate::Stays,
        Ok(Some(record)) if is_half_made(paths, &record) => Fate::Goes,
        Ok(Some(record)) => Fate::GetsLink(Box::new(record)),
        Ok(None) => Fate::Goes,
        Err(Error::Damaged { .. }) if is_litter(paths, id) => Fate::Goes,
        Err(_) => Fate::Stays,
    }
}

/// Returns whether an unreadable record is litter: left by a power cut before the container was
/// reported as created. Otherwise it is damaged, and the user should see it.
#[must_use]
pub fn is_litter(paths: &Paths, id: &ContainerId) -> bool {
    let is_up = || {
        !matches!(load_run(paths, id), Ok(None)) || Lock::is_held(&monitor_lock(paths, id)).unwrap_or(true)
    };
    unsynced(&paths.container(id)).exists() && !is_up()
}

/// Returns whether the number of names differs from the number of containers. Then something needs
/// to be swept, or is being changed.
#[must_use]
pub fn has_other_names(paths: &Paths, containers: usize) -> bool {
    fs::read_dir(paths.container_names()).map_or(0, Iterator::count) != containers
}

/// Cleans up after a killed `create`, `rm` or `rename`: removes half-made and discarded folders,
/// and links that are dangling or left over. Recreates lost links.
///
/// # Errors
///
/// The folder of containers cannot be read.
pub fn sweep(paths: &Paths) -> Result<()> {
    // A process that creates or renames a container holds its lock, and may be done by now.
    let lock = |id: &ContainerId| Lock::try_exclusive(&lock_file(paths, id), Rank::Container).ok().flatten();
    for id in ids(paths)?.into_iter().filter(|id| fate(paths, id) != Fate::Stays) {
        let Some(_lock) = lock(&id) else { continue };
        match fate(paths, &id) {
            Fate::Stays => {}
            Fate::Goes => drop(tree::remove(&paths.container(&id))), // the next sweep finds what is left
            Fate::GetsLink(record) => relink(paths, &record),
        }
    }
    for (link, id) in links(paths) {
        let is_stale = match &id {
            Some(id) if paths.container(id).exists() => {
                is_left_behind(paths, &link, id)
                    && lock(id).is_some_and(|_lock| is_left_behind(paths, &link, id))
            }
            _ => true,
        };
        if is_stale {
            let _ = fs::remove_file(link); // a process that restores the container checks its link again
        }
    }
    if let Ok(entries) = fs::read_dir(paths.discarded()) {
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with("container-") {
                let _ = tree::remove(&entry.path()); // another process may be deleting it too
            }
        }
    }
    Ok(())
}
