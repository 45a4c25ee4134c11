//! What containers are called: found by name and id, named and renamed.
//!
//! Where the link of a name is lost or damaged, the record still says whose it is. So that no
//! look-up reads every record for that, only those are read to which no link leads.

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

/// Finds a container by its id, its name, or the start of its id, in this order.
///
/// # Errors
///
/// [`Error::NotFound`] and [`Error::Ambiguous`]; [`Error::Damaged`] when it is the one.
pub fn find(paths: &Paths, target: &str) -> Result<Record> {
    let id = find_id(paths, target)?;
    load(paths, &id)?.ok_or_else(|| Error::NotFound(target.to_owned()))
}

/// The same, also where its record cannot be read.
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

/// Whether there is a record, readable or not.
fn is_there(paths: &Paths, id: &ContainerId) -> bool {
    !matches!(load(paths, id), Ok(None))
}

/// Whose name this is; `None` when it is free, or its link is stale.
pub(super) fn owner(paths: &Paths, name: &Name) -> Option<ContainerId> {
    let target = fs::read_link(paths.container_name(name)).ok()?;
    let id: ContainerId = target.to_str()?.parse().ok()?;
    match load(paths, &id) {
        Ok(record) => record.filter(|record| record.name == *name).map(|record| record.id),
        Err(_) => Some(id), // it may be called so
    }
}

/// Whose name this is by its record alone: its link was lost.
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

/// Every link in the folder of names, and to which container it leads.
pub(super) fn links(paths: &Paths) -> impl Iterator<Item = (PathBuf, Option<ContainerId>)> {
    let entries = fs::read_dir(paths.container_names()).into_iter().flatten().flatten();
    entries.map(|entry| {
        let link = entry.path();
        let target = fs::read_link(&link).ok();
        let id = target.as_deref().and_then(Path::to_str).and_then(|target| target.parse().ok());
        (link, id)
    })
}

/// Makes the link again that leads from a container's name to it, unless the name is another's
/// by now. The caller holds its lock.
pub(super) fn relink(paths: &Paths, record: &Record) {
    let link = paths.container_name(&record.name);
    if owner(paths, &record.name).is_none() && !is_changing(paths, &link) {
        let _ = disk::private_dir(&paths.container_names());
        let _ = fs::remove_file(&link); // stale, or not there
        let _ = symlink(record.id.as_str(), link); // without it the record is found all the same
    }
}

/// Whether a link is left of a rename that was killed: the container it leads to is called
/// otherwise.
pub(super) fn is_left_behind(paths: &Paths, link: &Path, id: &ContainerId) -> bool {
    matches!(load(paths, id), Ok(Some(record)) if paths.container_name(&record.name) != link)
}

/// The name that leads to a container whose record cannot be read.
#[must_use]
pub fn name_of(paths: &Paths, id: &ContainerId) -> Option<Name> {
    let leads_there = |name: &Name| {
        fs::read_link(paths.container_name(name)).is_ok_and(|target| target == Path::new(id.as_str()))
    };
    let entries = fs::read_dir(paths.container_names()).ok()?.flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(leads_there)
}

/// Whether the container's name points to it.
#[must_use]
pub fn is_confirmed(paths: &Paths, record: &Record) -> bool {
    let target = fs::read_link(paths.container_name(&record.name));
    target.is_ok_and(|target| target == Path::new(record.id.as_str()))
}

/// Milliseconds that a rename may take.
const PATIENCE: u32 = 1000;

/// Makes the link from a name to an id.
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
                // A rename in progress has its link before its record.
                if is_changing(paths, &link) && tries < PATIENCE {
                    std::thread::sleep(Duration::from_millis(1));
                    continue;
                }
                let _ = fs::remove_file(&link); // somebody else may have been faster
            }
            Err(error) => return Err(DiskError::io("link", link)(error).into()),
        }
    }
    Err(DiskError::io("link", link)(io::ErrorKind::AlreadyExists.into()).into())
}

/// Whether somebody holds the lock of the container that a link points to.
fn is_changing(paths: &Paths, link: &Path) -> bool {
    let target = fs::read_link(link).ok();
    let id = target.as_deref().and_then(Path::to_str).and_then(|target| target.parse().ok());
    id.is_some_and(|id| Lock::is_held(&lock_file(paths, &id)).unwrap_or(false))
}

/// Gives a container another name. The caller holds its lock, or is its monitor.
///
/// # Errors
///
/// [`Error::NameInUse`]; then it keeps the old one. When the disk fails last, it may have the
/// new one: as its record says.
pub fn rename(paths: &Paths, record: &mut Record, name: Name) -> Result<()> {
    claim(paths, &name, &record.id)?;
    let old = std::mem::replace(&mut record.name, name);
    // A record on the disk whose name is not would be half-made.
    if let Err(error) = sync_names(paths, record).and_then(|()| save(paths, record)) {
        // The record may be there, and only its folder not on the disk: both names stay then.
        if !may_have(paths, &record.name, &record.id) {
            let _ = fs::remove_file(paths.container_name(&record.name));
            record.name = old;
        }
        return Err(error);
    }
    release(paths, &old, &record.id);
    sync_names(paths, record)
}

/// Whether the record has this name, or cannot be read.
fn may_have(paths: &Paths, name: &Name, id: &ContainerId) -> bool {
    load(paths, id).map_or(true, |record| record.is_some_and(|record| record.name == *name))
}

/// Writes to the disk which names there are, unless the container is one with `--rm`.
fn sync_names(paths: &Paths, record: &Record) -> Result<()> {
    if record.config.lifecycle.auto_remove {
        return Ok(());
    }
    Ok(disk::sync_folders([paths.container_names()])?)
}

/// Frees a name, if it is this container's, and gives the folder that this changed.
pub(super) fn release(paths: &Paths, name: &Name, id: &ContainerId) -> Option<PathBuf> {
    let link = paths.container_name(name);
    let is_its = fs::read_link(&link).is_ok_and(|target| target == Path::new(id.as_str()));
    (is_its && fs::remove_file(link).is_ok()).then(|| paths.container_names()) // stale links are replaced
}
