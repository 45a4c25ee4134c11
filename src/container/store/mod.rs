//! Containers on the disk: found, made, changed and removed, a folder each.
//!
//! ```text
//! <root>/containers/<id>/   record.json  lock  upper  work  log/  etc/
//! <root>/names/containers/<name> → id
//! <run>/containers/<id>/    run.json  control  monitor.lock  monitor.log  exec/
//! ```
//! The link in `names` is what makes a container: the folder comes first, then the link,
//! which fails when the name is taken. A folder whose name does not point back and whose
//! lock is free is half-made, and [`sweep`] takes it away; a link that no record confirms
//! is stale, and is replaced.

mod names;
mod remove;

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::record::{Record, Run};
use super::status::Status;
use crate::base::disk::{self, Error as DiskError, Lock, Rank};
use crate::base::{ContainerId, ErrorKind, Explain, Name, Paths};
use crate::sys::tree;

use names::claim;
pub use names::{find, is_confirmed, rename};
pub use remove::{delete, has_discarded, load_aside, put_back, remove, set_aside, sweep};

/// A container that cannot be found, made or named.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is called so.
    #[error("No such container: {0}")]
    NotFound(String),
    /// The part of an id fits several.
    #[error("multiple containers start with `{prefix}`: {}", .candidates.join(", "))]
    Ambiguous {
        /// As the user wrote it.
        prefix: String,
        /// What it could mean.
        candidates: Vec<String>,
    },
    /// Another container has the name.
    #[error("the container name `{name}` is already in use by container `{}`", .owner.short())]
    NameInUse {
        /// The name.
        name: Name,
        /// Whose it is.
        owner: ContainerId,
    },
    /// A state file.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Ambiguous { .. } => ErrorKind::Invalid,
            Self::NameInUse { .. } => ErrorKind::Conflict,
            Self::Disk(error) => error.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound(_) => None,
            Self::Ambiguous { .. } => Some("give more digits of the id, or the name".to_owned()),
            Self::NameInUse { .. } => Some("remove or rename that container, or use another name".to_owned()),
            Self::Disk(error) => error.hint(),
        }
    }
}

/// The result of a look-up or a change.
pub type Result<T> = std::result::Result<T, Error>;

/// The lock of one container.
#[must_use]
pub fn lock_file(paths: &Paths, id: &ContainerId) -> PathBuf {
    paths.container(id).join("lock")
}

/// The lock its monitor holds while it lives.
#[must_use]
pub fn monitor_lock(paths: &Paths, id: &ContainerId) -> PathBuf {
    paths.container_run(id).join("monitor.lock")
}

/// Takes the container's lock, so that nobody else starts, changes or removes it.
///
/// # Errors
///
/// [`Error::NotFound`] when the container is gone.
pub fn lock(paths: &Paths, id: &ContainerId) -> Result<Lock> {
    match Lock::exclusive(&lock_file(paths, id), Rank::Container) {
        Err(error) if error.is_not_found() => Err(Error::NotFound(id.as_str().to_owned())),
        other => Ok(other?),
    }
}

fn record_file(paths: &Paths, id: &ContainerId) -> PathBuf {
    paths.container(id).join("record.json")
}

fn run_file(paths: &Paths, id: &ContainerId) -> PathBuf {
    paths.container_run(id).join("run.json")
}

/// The record of a container; `None` when there is none.
///
/// # Errors
///
/// When it is there but cannot be read.
pub fn load(paths: &Paths, id: &ContainerId) -> Result<Option<Record>> {
    none_when_missing(disk::read_json(&record_file(paths, id)))
}

/// The run of a container; `None` when it has none, or one of another boot.
///
/// # Errors
///
/// When it is there but cannot be read.
pub fn load_run(paths: &Paths, id: &ContainerId) -> Result<Option<Run>> {
    let run: Option<Run> = none_when_missing(disk::read_json(&run_file(paths, id)))?;
    Ok(run.filter(|run| run.boot_id == boot_id()))
}

fn none_when_missing<T>(result: disk::Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Writes the record.
///
/// # Errors
///
/// When the disk is full or the container is gone.
pub fn save(paths: &Paths, record: &Record) -> Result<()> {
    Ok(disk::write_json(&record_file(paths, &record.id), record)?)
}

/// Writes the run.
///
/// # Errors
///
/// When the disk is full.
pub fn save_run(paths: &Paths, id: &ContainerId, run: &Run) -> Result<()> {
    Ok(disk::write_json(&run_file(paths, id), run)?)
}

/// Forgets the run: its folder is removed.
///
/// # Errors
///
/// When a file of it cannot be removed.
pub fn forget_run(paths: &Paths, id: &ContainerId) -> Result<()> {
    // First what readers look at, then the rest.
    let _ = fs::remove_file(run_file(paths, id));
    Ok(tree::remove(&paths.container_run(id))?)
}

/// What this boot of the machine is called.
#[must_use]
pub fn boot_id() -> &'static str {
    static BOOT: OnceLock<String> = OnceLock::new();
    BOOT.get_or_init(|| {
        let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        text.trim().to_owned()
    })
}

/// How a container is, by what is on the disk.
#[must_use]
pub fn status(record: &Record, run: Option<&Run>) -> Status {
    match run {
        Some(run) if run.init.is_some() || run.status == Status::Restarting => run.status,
        _ if record.state.started.is_some() => Status::Exited,
        _ => Status::Created,
    }
}

/// The ids of all folders, half-made ones too.
///
/// # Errors
///
/// When the folder of containers cannot be read.
pub fn ids(paths: &Paths) -> Result<Vec<ContainerId>> {
    ids_in(paths.containers())
}

/// The ids of all runs, also of containers that are gone.
///
/// # Errors
///
/// When the folder of runs cannot be read.
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

/// Makes a container: its folder, its record, and then its name. The lock is the caller's
/// to keep until it is done with the new container.
///
/// # Errors
///
/// [`Error::NameInUse`]; then nothing is left.
pub fn create(paths: &Paths, record: &Record) -> Result<Lock> {
    let folder = paths.container(&record.id);
    disk::private_dir(&folder)?;
    let made = (|| {
        let lock = lock(paths, &record.id)?;
        save(paths, record)?;
        claim(paths, &record.name, &record.id)?;
        Ok(lock)
    })();
    if made.is_err() {
        let _ = tree::remove(&folder); // the first error is the one to report
    }
    made
}

#[cfg(test)]
mod tests;
