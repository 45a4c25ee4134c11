//! Container names: look-up by name and id, naming and renaming.
//!
//! If the link of a name is lost or damaged, the record still has the name. To avoid reading every
//! record, a look-up reads only those of containers without a link.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Error, Result, ids, is_half_made, load, lock_file, save};
use crate::base::disk::{self, Error as DiskError, Lock};
use crate::base::{ContainerId, Name, Paths, id};
use crate::container::record::Record;

/// Finds a container by its id, its name, or a prefix of its id, in this order.
///
/// # Errors
///
/// [`Error::NotFound`] and [`Error::Ambiguous`]; [`Error::Damaged`] if its record cannot be read.
pub fn find(paths: &Paths, target: &str) -> Result<Record> {
    let id = find_id(paths, target)?;
    load(paths, &id)?.ok_or_else(|| Error::NotFound(target.to_owned()))
}

/// Like [`find`], but also finds a container whose record cannot be read.
///
/// # Errors
///
/// [`Error::NotFound`] and [`Error::Ambiguous`].
pub fn find_id(paths: &Paths, target: &str) -> Result<ContainerId> {
    let not_found = || Error::NotFound(target.to_owned());
    if let Ok(id) = target.parse::<ContainerId>()
        && is_there(paths, &id)
    {
        return Ok(id);
    }
    if let Ok(name) = target.parse::<Name>()
        && let Some(id) = owner(paths, &name).or_else(|| unlinked_owner(paths, &name))
    {
        return Ok(id);
    }
    if target.is_empty() || !id::is_hex(target, target.len()) {
        return Err(not_found());
    }
    let mut found: Vec<_> = ids(paths)?.into_iter().filter(|id| id.as_str().starts_with(target)).collect();
    found.retain(|id| is_there(paths, id));
    match found.len() {
        0 => Err(not_found()),
        1 => found.pop().ok_or_else(not_found),
        _ => {
            let mut candidates: Vec<_> = found.iter().map(|id| id.short().to_owned()).collect();
            candidates.sort();
            Err(Error::Ambiguous { prefix: target.to_owned(), candidates })
        }
    }
}

/// Returns whether there is a record, readable or not.
fn is_there(paths: &Paths, id: &ContainerId) -> bool {
    !matches!(load(paths, id), Ok(None))
}

/// Returns the container that owns a name; `None` if the name is free or its link is stale.
pub(super) fn owner(paths: &Paths, name: &Name) -> Option<ContainerId> {
    let target = fs::read_link(paths.container_name(name)).ok()?;
    let id: ContainerId = target.to_str()?.parse().ok()?;
    match load(paths, &id) {
        Ok(record) => record.filter(|record| record.name == *name).map(|record| record.id),
        Err(_) => Some(id), // it may have this name
    }
}

/// Returns the owner of a name whose link is lost, according to the records.
fn unlinked_owner(paths: &Paths, name: &Name) -> Option<ContainerId> {
    let mut unlinked: HashSet<_> = ids(paths).ok()?.into_iter().collect();
    for (_, id) in links(paths) {
        id.map(|id| unlinked.remove(&id));
    }
    unlinked.into_iter().find(|id| {
        let record = load(paths, id).ok().flatten();
        record.is_some_and(|record| record.name == *name && !is_half_made(paths, &record))
    })
}

/// Returns every link in the folder of names with the container that it points to.
pub(super) fn links(paths: &Paths) -> impl Iterator<Item = (PathBuf, Option<ContainerId>)> {
    let entries = fs::read_dir(paths.container_names()).into_iter().flatten().flatten();
    entries.map(|entry| {
        let link = entry.path();
        let target = fs::read_link(&link).ok();
        let id = target.as_deref().and_then(Path::to_str).and_then(|target| target.parse().ok());
        (link, id)
    })
}

/// Recreates the link from a container's name to it, unless another container has taken the name.
/// The caller holds the container's lock.
pub(super) fn relink(paths: &Paths, record: &Record) {
    let link = paths.container_name(&record.name);
    if owner(paths, &record.name).is_none() && !is_changing(paths, &link) {
        let _ = disk::private_dir(&paths.container_names());
        let _ = fs::remove_file(&link); // stale or missing
        let _ = symlink(record.id.as_str(), link); // without a link it can still be found
    }
}

/// Returns whether a link is left over from an interrupted rename: the container it points to has
/// another name.
pub(super) fn is_left_behind(paths: &Paths, link: &Path, id: &ContainerId) -> bool {
    matches!(load(paths, id), Ok(Some(record)) if paths.container_name(&record.name) != link)
}

/// Returns the name that points to a container whose record cannot be read.
#[must_use]
pub fn name_of(paths: &Paths, id: &ContainerId) -> Option<Name> {
    let leads_there = |name: &Name| {
        fs::read_link(paths.container_name(name)).is_ok_and(|target| target == Path::new(id.as_str()))
    };
    let entries = fs::read_dir(paths.container_names()).ok()?.flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(leads_there)
}

/// Returns whether the container's name points to it.
#[must_use]
pub fn is_confirmed(paths: &Paths, record: &Record) -> bool {
    let target = fs::read_link(paths.container_name(&record.name));
    target.is_ok_and(|target| target == Path::new(record.id.as_str()))
}

/// How long to wait for a rename in progress, in milliseconds.
const PATIENCE: u32 = 1000;

/// Creates the link from a name to an id.
pub(super) fn claim(paths: &Paths, name: &Name, id: &ContainerId) -> Result<()> {
    let link = paths.container_name(name);
    if let Some(owner) = unlinked_owner(paths, name).filter(|owner| owner != id) {
        return Err(Error::NameInUse { name: name.clone(), owner });
    }
    for tries in 0..2 * PATIENCE {
        match symlink(id.as_str(), &link) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                disk::private_dir(&paths.container_names())?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if let Some(owner) = owner(paths, name) {
                    return Err(Error::NameInUse { name: name.clone(), owner });
                }
                // A rename in progress has created its link but not yet written its record.
                if is_changing(paths, &link) && tries < PATIENCE {
                    std::thread::sleep(Duration::from_millis(1));
                    continue;
                }
                let _ = fs::remove_file(&link); // another process may have removed it first
            }
            Err(error) => return Err(DiskError::io("link", link)(error).into()),
        }
    }
    Err(DiskError::io("link", link)(io::ErrorKind::AlreadyExists.into()).into())
}

/// Returns whether the lock of the container that a link points to is held.
fn is_changing(paths: &Paths, link: &Path) -> bool {
    let target = fs::read_link(link).ok();
    let id = target.as_deref().and_then(Path::to_str).and_then(|target| target.parse().ok());
    id.is_some_and(|id| Lock::is_held(&lock_file(paths, &id)).unwrap_or(false))
}

/// Renames a container. The caller holds its lock, or is its monitor.
///
/// # Errors
///
/// [`Error::NameInUse`]; then it keeps the old name. After a disk error it may have either name;
/// its record says which.
pub fn rename(paths: &Paths, record: &mut Record, name: Name) -> Result<()> {
    claim(paths, &name, &record.id)?;
    let old = std::mem::replace(&mut record.name, name);
    // A record on disk without its name would be half-made.
    if let Err(error) = sync_names(paths, record).and_then(|()| save(paths, record)) {
        // If the record was written and only syncing its folder failed, both names stay.
        if !may_have(paths, &record.name, &record.id) {
            let _ = fs::remove_file(paths.container_name(&record.name));
            record.name = old;
        }
        return Err(error);
    }
    release(paths, &old, &record.id);
    sync_names(paths, record)
}

/// Returns whether the record has this name or cannot be read.
fn may_have(paths: &Paths, name: &Name, id: &ContainerId) -> bool {
    load(paths, id).map_or(true, |record| record.is_some_and(|record| record.name == *name))
}

/// Syncs the folder of names, unless the container has `--rm`.
fn sync_names(paths: &Paths, record: &Record) -> Result<()> {
    if record.config.lifecycle.auto_remove {
        return Ok(());
    }
    Ok(disk::sync_folders([paths.container_names()])?)
}

/// Frees a name if it belongs to this container. Returns the folder that changed.
pub(super) fn release(paths: &Paths, name: &Name, id: &ContainerId) -> Option<PathBuf> {
    let link = paths.container_name(name);
    let is_its = fs::read_link(&link).is_ok_and(|target| target == Path::new(id.as_str()));
    (is_its && fs::remove_file(link).is_ok()).then(|| paths.container_names()) // stale links are replaced
}
