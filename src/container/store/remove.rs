//! Containers that go: for good, or aside and back; and what a killed process left of one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::names::{claim, is_confirmed, is_left_behind, links, name_of, owner, release, relink};
use super::{Error, Result, forget_run, ids, load, load_run, lock_file, monitor_lock, unsynced};
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
    let discarded = discarded(paths, &record.id)?;
    let moved = move_away(paths, &record.id, &discarded)?;
    let released = release(paths, &record.name, &record.id);
    match forget_run(paths, &record.id) {
        Err(error) if moved.is_none() => return Err(error),
        _ => {} // a run without its container is found and swept
    }
    if !record.config.lifecycle.auto_remove {
        disk::sync_folders(moved.into_iter().chain(released))?;
    }
    Ok(discarded)
}

/// The same for a container whose record cannot be read, or is not there. The caller holds its
/// lock, where its folder is.
///
/// # Errors
///
/// When its folder cannot be moved away.
pub fn remove_unreadable(paths: &Paths, id: &ContainerId) -> Result<PathBuf> {
    let discarded = discarded(paths, id)?;
    let moved = move_away(paths, id, &discarded)?;
    let mut released = None;
    while let Some(name) = name_of(paths, id) {
        let link = paths.container_name(&name);
        fs::remove_file(&link).map_err(DiskError::io("remove", link))?;
        released = Some(paths.container_names());
    }
    let _ = forget_run(paths, id); // a run without its container is found and swept
    disk::sync_folders(moved.into_iter().chain(released))?;
    Ok(discarded)
}

/// Where a container goes that is removed. One that was removed before and still lies there
/// had the same id: it is in the way of nothing but this.
fn discarded(paths: &Paths, id: &ContainerId) -> Result<PathBuf> {
    disk::private_dir(&paths.discarded())?;
    let discarded = paths.discarded().join(format!("container-{id}"));
    tree::remove(&discarded)?;
    Ok(discarded)
}

/// Moves a container's folder, and gives the folder that it was in; `None` when it was not there.
fn move_away(paths: &Paths, id: &ContainerId, place: &Path) -> Result<Option<PathBuf>> {
    let folder = paths.container(id);
    match fs::rename(&folder, place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(DiskError::io("remove", folder)(error).into()),
        Ok(()) => Ok(Some(paths.containers())),
    }
}

/// Moves a container's folder to `place`: from this one rename on it is not there, and its
/// name is free. What stood in the way of the rest is swept later. The caller holds its lock,
/// and what it wrote into the folder is on the disk.
///
/// # Errors
///
/// [`Error::NotFound`]; when its folder cannot be moved, and then it is still there.
pub fn set_aside(paths: &Paths, record: &Record, place: &Path) -> Result<()> {
    let Some(moved) = move_away(paths, &record.id, place)? else {
        return Err(Error::NotFound(record.id.as_str().to_owned()));
    };
    let released = release(paths, &record.name, &record.id);
    let _ = forget_run(paths, &record.id); // a run without its container is found and swept
    let arrived = place.parent().map(Path::to_owned);
    Ok(disk::sync_folders(arrived.into_iter().chain([moved]).chain(released))?)
}

/// The record in a folder that was set aside.
///
/// # Errors
///
/// When it is not there or cannot be read.
pub fn load_aside(place: &Path) -> Result<Record> {
    Ok(disk::read_state(&place.join("record.json"))?)
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
    disk::write_state_synced(&place.join("record.json"), record)?;
    disk::private_dir(&paths.containers())?;
    claim(paths, &record.name, &record.id)?;
    // Back without its name it would be half-made.
    disk::sync_folders([place, &paths.container_names()])?;
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

/// Whether a record is that of a container whose `create` was killed before it got its name. What
/// has run, or was on the disk with its name, has only lost the link.
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
    /// It has no record, or one that is half-made or litter.
    Goes,
    /// The link of its name was lost.
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

/// Whether a record that cannot be read is what a power cut left of one that nobody was
/// promised. Otherwise it is damaged: a person should see it.
#[must_use]
pub fn is_litter(paths: &Paths, id: &ContainerId) -> bool {
    let is_up = || {
        !matches!(load_run(paths, id), Ok(None)) || Lock::is_held(&monitor_lock(paths, id)).unwrap_or(true)
    };
    unsynced(&paths.container(id)).exists() && !is_up()
}

/// Whether there are more names than containers, or fewer: something is to be swept, or was
/// changed at this moment.
#[must_use]
pub fn has_other_names(paths: &Paths, containers: usize) -> bool {
    fs::read_dir(paths.container_names()).map_or(0, Iterator::count) != containers
}

/// Takes away what a killed `create`, `rm` or `rename` left: half-made and discarded folders,
/// and names that lead nowhere or that a container does not have. Names that were lost are given
/// back.
///
/// # Errors
///
/// When the folder of containers cannot be read.
pub fn sweep(paths: &Paths) -> Result<()> {
    // Who makes or renames a container holds its lock, and may be done by now.
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
            let _ = fs::remove_file(link); // whoever puts one back looks again
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
