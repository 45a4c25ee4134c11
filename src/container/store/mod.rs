//! Containers on disk, a folder each.
//!
//! ```text
//! <root>/containers/<id>/   record.json  unsynced  lock  upper  work  log/  etc/
//! <root>/names/containers/<name> → id
//! <run>/containers/<id>/    run.json  control  monitor.lock  monitor.log  exec/  stats/
//! ```
//! The link in `names` completes a container: the folder is created first, then the link, which
//! fails if the name is taken. A folder is half-made if its lock is free, no name points back to
//! it, and it is `unsynced` or has no record; [`sweep`] removes it. A link that no record confirms
//! is stale and gets replaced. If a complete container has lost its link, [`sweep`] recreates it;
//! until then the record reserves the name. An unreadable record may be all that is left of a
//! container: it confirms every link to it, and is removed only on request.
//!
//! `unsynced` exists until the name and the record are on disk. With `--rm` it stays, since a power
//! cut ends such a container anyway. A record that a power cut damaged while `unsynced` still
//! existed was never reported as created, and is litter.

mod names;
mod remove;
mod trash;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use jiff::Timestamp;

use super::record::{Record, Run};
use super::status::Status;
use crate::base::disk::{self, Error as DiskError, Lock, Rank};
use crate::base::{ContainerId, ErrorKind, Explain, Name, Paths};
use crate::sys::{self, tree};

use names::{claim, release};
pub use names::{find, find_id, is_confirmed, name_of, rename};
pub use remove::{
    delete, has_discarded, has_other_names, is_half_made, is_litter, load_aside, remove, remove_unreadable,
    sweep,
};
pub use trash::{restore, trash};

/// A container cannot be found, created or named.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No container has this name or id.
    #[error("No such container: {0}")]
    NotFound(String),
    /// The id prefix matches several containers.
    #[error("multiple containers start with `{prefix}`: {}", .candidates.join(", "))]
    Ambiguous {
        /// The prefix as the user wrote it.
        prefix: String,
        /// The short ids that it matches.
        candidates: Vec<String>,
    },
    /// Another container has the name.
    #[error("the container name `{name}` is already in use by container `{}`", .owner.short())]
    NameInUse {
        /// The name.
        name: Name,
        /// The container that has it.
        owner: ContainerId,
    },
    /// The container's record cannot be read. The container can still be removed.
    #[error("the state of container `{}` cannot be read", .id.short())]
    Damaged {
        /// The container.
        id: ContainerId,
        /// Which file, and why.
        source: DiskError,
    },
    /// The container's `run.json` cannot be read, and the container may be running.
    #[error("the state of container `{}` cannot be read", .id.short())]
    DamagedRun {
        /// The container.
        id: ContainerId,
        /// Which file, and why.
        source: DiskError,
    },
    /// Another file cannot be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Ambiguous { .. } => ErrorKind::Ambiguous,
            Self::NameInUse { .. } => ErrorKind::Conflict,
            // The container exists even though the file does not.
            Self::Damaged { source, .. } if source.is_not_found() => ErrorKind::Corrupt,
            Self::Disk(error)
            | Self::Damaged { source: error, .. }
            | Self::DamagedRun { source: error, .. } => error.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound(_) => None,
            Self::Ambiguous { .. } => Some("use more digits of the ID, or the name".to_owned()),
            Self::NameInUse { .. } => Some("remove or rename that container, or use another name".to_owned()),
            Self::Damaged { id, source } => {
                let id = id.short();
                let hint =
                    format!("remove it with `hoist rm {id}`, or with `hoist rm -f {id}` if it is running");
                Some(join_hints(source.hint(), hint))
            }
            Self::DamagedRun { id, source } => Some(join_hints(source.hint(), how_to_end(id))),
            Self::Disk(error) => error.hint(),
        }
    }
}

fn join_hints(first: Option<String>, second: String) -> String {
    match first {
        Some(first) => format!("{first}; {second}"),
        None => second,
    }
}

/// Returns a hint on how to stop a container whose `run.json` cannot be read.
#[must_use]
pub fn how_to_end(id: &ContainerId) -> String {
    let id = id.short();
    format!("kill it with `hoist kill {id}`, or remove it with `hoist rm -f {id}`")
}

/// The result of an operation of the store.
pub type Result<T> = std::result::Result<T, Error>;

/// Returns the path of a container's lock.
#[must_use]
pub fn lock_file(paths: &Paths, id: &ContainerId) -> PathBuf {
    paths.container(id).join("lock")
}

/// Returns the path of the lock that its monitor holds while it is alive.
#[must_use]
pub fn monitor_lock(paths: &Paths, id: &ContainerId) -> PathBuf {
    paths.container_run(id).join("monitor.lock")
}

/// Takes the container's lock, which keeps others from starting, changing or removing it.
///
/// # Errors
///
/// [`Error::NotFound`] if the container does not exist.
pub fn lock(paths: &Paths, id: &ContainerId) -> Result<Lock> {
    match Lock::exclusive(&lock_file(paths, id), Rank::Container) {
        Err(error) if error.is_not_found() => Err(Error::NotFound(id.as_str().to_owned())),
        other => Ok(other?),
    }
}

/// Like [`lock`], but returns `None` if the lock is held.
///
/// # Errors
///
/// As [`lock`].
pub fn try_lock(paths: &Paths, id: &ContainerId) -> Result<Option<Lock>> {
    match Lock::try_exclusive(&lock_file(paths, id), Rank::Container) {
        Err(error) if error.is_not_found() => Err(Error::NotFound(id.as_str().to_owned())),
        other => Ok(other?),
    }
}

/// Clears the way for the lock of a container that is to be removed: deletes a folder or a socket
/// in place of the lock file, which could not be locked.
///
/// # Errors
///
/// It cannot be deleted.
pub fn make_lockable(paths: &Paths, id: &ContainerId) -> Result<()> {
    let file = lock_file(paths, id);
    match try_lock(paths, id) {
        Err(Error::Disk(error)) if error.is_of_the_file() && !file.is_file() => Ok(tree::remove(&file)?),
        _ => Ok(()),
    }
}

fn record_file(paths: &Paths, id: &ContainerId) -> PathBuf {
    paths.container(id).join("record.json")
}

fn run_file(paths: &Paths, id: &ContainerId) -> PathBuf {
    paths.container_run(id).join("run.json")
}

/// Returns the record of a container, or `None` if there is none.
///
/// # Errors
///
/// It exists but cannot be read.
pub fn load(paths: &Paths, id: &ContainerId) -> Result<Option<Record>> {
    let path = record_file(paths, id);
    let record: Option<Record> = match disk::read_state(&path) {
        Err(source) if source.is_not_found() && is_lost(paths, id) => {
            return Err(Error::Damaged { id: id.clone(), source });
        }
        read => none_when_missing(read, |source| Error::Damaged { id: id.clone(), source })?,
    };
    match record {
        Some(record) if record.id != *id => {
            let source = serde::de::Error::custom(format!("it is the record of {}", record.id.short()));
            Err(Error::Damaged { id: id.clone(), source: DiskError::Damaged { path, source } })
        }
        record => Ok(record),
    }
}

/// Returns the current run of a container; `None` if it has none, or one of an earlier boot.
///
/// # Errors
///
/// It exists but cannot be read.
pub fn load_run(paths: &Paths, id: &ContainerId) -> Result<Option<Run>> {
    let damaged = |source| Error::DamagedRun { id: id.clone(), source };
    let run: Option<Run> = none_when_missing(disk::read_state(&run_file(paths, id)), damaged)?;
    Ok(run.filter(|run| run.boot_id == boot_id()))
}

/// Returns whether a container has lost its record: a name leads to its folder, and the name is
/// created last. A container that is half-made or being removed has no name.
fn is_lost(paths: &Paths, id: &ContainerId) -> bool {
    let leads_here = |link: &fs::DirEntry| {
        fs::read_link(link.path()).is_ok_and(|target| target.as_os_str() == id.as_str())
    };
    let names = fs::read_dir(paths.container_names()).into_iter().flatten().flatten();
    paths.container(id).exists() && names.into_iter().any(|link| leads_here(&link))
}

fn none_when_missing<T>(
    result: disk::Result<T>,
    damaged: impl FnOnce(DiskError) -> Error,
) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(source) if source.is_of_the_file() => Err(damaged(source)),
        Err(error) => Err(error.into()),
    }
}

/// Writes the record. Unless the container has `--rm`, it is on disk when this returns, so a start
/// or an exit code that was reported survives a power cut.
///
/// # Errors
///
/// The disk is full, or the container does not exist.
pub fn save(paths: &Paths, record: &Record) -> Result<()> {
    let path = record_file(paths, &record.id);
    if record.config.lifecycle.auto_remove {
        return Ok(disk::write_state(&path, record)?);
    }
    disk::write_state_synced(&path, record)?;
    let folder = paths.container(&record.id);
    let _ = fs::remove_file(unsynced(&folder)); // harmless if it stays
    Ok(disk::sync_folders([folder])?)
}

/// Writes the run.
///
/// # Errors
///
/// The disk is full.
pub fn save_run(paths: &Paths, id: &ContainerId, run: &Run) -> Result<()> {
    Ok(disk::write_state(&run_file(paths, id), run)?)
}

/// Replaces the run. If the disk is full, overwrites the file in place, which needs no additional
/// space.
///
/// # Errors
///
/// There is no run, or the file cannot be overwritten either.
pub fn replace_run(paths: &Paths, id: &ContainerId, run: &Run) -> Result<()> {
    let path = run_file(paths, id);
    match disk::write_state(&path, run) {
        Err(_) => Ok(disk::overwrite_state(&path, run)?),
        Ok(()) => Ok(()),
    }
}

/// Stores the exit state in the run, for when the record cannot be written.
///
/// # Errors
///
/// There is no run, or its file cannot be written either.
pub fn keep_end(paths: &Paths, record: &Record) -> Result<()> {
    let Some(run) = load_run(paths, &record.id)? else {
        return Err(Error::NotFound(record.id.as_str().to_owned()));
    };
    // The container's resources have been released.
    let ended = Some(record.state.clone());
    let run = Run { status: Status::Exited, init: None, endpoints: None, ended, ..run };
    replace_run(paths, &record.id, &run)
}

/// Removes the run's folder.
///
/// # Errors
///
/// A file in it cannot be removed.
pub fn forget_run(paths: &Paths, id: &ContainerId) -> Result<()> {
    // The file that readers look at goes first.
    let _ = fs::remove_file(run_file(paths, id));
    Ok(tree::remove(&paths.container_run(id))?)
}

/// Returns the kernel's id of the current boot.
#[must_use]
pub fn boot_id() -> &'static str {
    static BOOT: OnceLock<String> = OnceLock::new();
    BOOT.get_or_init(|| {
        let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        text.trim().to_owned()
    })
}

/// Returns the time of the current boot according to the kernel.
#[must_use]
pub fn boot_time() -> Option<Timestamp> {
    Timestamp::from_second(sys::process::boot_time()?).ok()
}

/// Returns a container's status according to its state files.
#[must_use]
pub fn status(record: &Record, run: Option<&Run>) -> Status {
    match run {
        Some(run) if run.init.is_some() || matches!(run.status, Status::Restarting | Status::Unknown(_)) => {
            run.status
        }
        _ if record.state.started.is_some() => Status::Exited,
        _ => Status::Created,
    }
}

/// Returns the ids of all container folders, including half-made ones.
///
/// # Errors
///
/// The folder cannot be read.
pub fn ids(paths: &Paths) -> Result<Vec<ContainerId>> {
    ids_in(paths.containers())
}

/// Returns the records of all containers, and what those are called whose record cannot be read.
///
/// # Errors
///
/// The containers cannot be listed.
pub fn records(paths: &Paths) -> Result<(Vec<Record>, Vec<String>)> {
    let (mut records, mut unreadable) = (Vec::new(), Vec::new());
    for id in ids(paths)? {
        match load(paths, &id) {
            Ok(record) => records.extend(record),
            Err(Error::Damaged { .. }) if is_litter(paths, &id) => {}
            Err(_) => {
                let name = name_of(paths, &id).map(|name| name.to_string());
                unreadable.push(name.unwrap_or_else(|| id.short().to_owned()));
            }
        }
    }
    Ok((records, unreadable))
}

/// Returns the ids of all runs, including those of removed containers.
///
/// # Errors
///
/// The folder cannot be read.
pub fn run_ids(paths: &Paths) -> Result<Vec<ContainerId>> {
    ids_in(paths.runs())
}

fn ids_in(dir: PathBuf) -> Result<Vec<ContainerId>> {
    let entries = match fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(DiskError::io("read", dir)(error).into()),
    };
    Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

/// Returns the file that marks a container whose record may not be on disk.
fn unsynced(folder: &Path) -> PathBuf {
    folder.join("unsynced")
}

/// Creates a container: its folder, its record, and then its name. Unless it has `--rm`, all of it
/// is on disk when this returns. The caller keeps the lock until it is done with the new container.
///
/// # Errors
///
/// [`Error::NameInUse`]; then nothing is left behind.
pub fn create(paths: &Paths, record: &Record) -> Result<Lock> {
    let folder = paths.container(&record.id);
    let lock = new_folder(paths, &record.id)?;
    let made = (|| {
        let unsynced = unsynced(&folder);
        fs::File::create(&unsynced).map_err(DiskError::io("create", &unsynced))?;
        let path = record_file(paths, &record.id);
        disk::write_state(&path, record)?;
        claim(paths, &record.name, &record.id)?;
        if !record.config.lifecycle.auto_remove {
            disk::sync_file(&path)?;
            disk::sync_folders([&folder, &paths.containers(), &paths.container_names()])?;
            let _ = fs::remove_file(unsynced); // harmless if it stays
        }
        Ok(())
    })();
    if made.is_err() {
        release(paths, &record.name, &record.id);
        let _ = tree::remove(&folder); // the first error is the one to report
    }
    made.map(|()| lock)
}

/// Creates a container's folder and takes its lock. Retries if [`sweep`] removed the folder in
/// between because it looked half-made.
fn new_folder(paths: &Paths, id: &ContainerId) -> Result<Lock> {
    loop {
        disk::private_dir(&paths.container(id))?;
        match lock(paths, id) {
            Err(Error::NotFound(_)) => {}
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests;
