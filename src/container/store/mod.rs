//! Containers on the disk: found, made, changed and removed, a folder each.
//!
//! ```text
//! <root>/containers/<id>/   record.json  unsynced  lock  upper  work  log/  etc/
//! <root>/names/containers/<name> → id
//! <run>/containers/<id>/    run.json  control  monitor.lock  monitor.log  exec/
//! ```
//! The link in `names` is what makes a container: the folder comes first, then the link,
//! which fails when the name is taken. A folder whose name does not point back, which is
//! `unsynced` or has no record, and whose lock is free is half-made, and [`sweep`] takes it away;
//! a link that no record confirms is stale, and is replaced. One that a whole container has lost
//! [`sweep`] makes again, and until then the record holds the name. A record that cannot be read
//! may be all there is of a container: it confirms every link to it, and only who asks for it
//! removes it.
//!
//! `unsynced` is there until the name and the record are on the disk: for ever with `--rm`, which
//! a power cut ends anyway. So what a power cut leaves of a record that nobody was promised is
//! litter.

mod names;
mod remove;

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
    delete, has_discarded, has_other_names, is_half_made, is_litter, load_aside, put_back, remove,
    remove_unreadable, set_aside, sweep,
};

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
    /// A state file of the container cannot be read. It can be removed all the same.
    #[error("the state of container `{}` cannot be read", .id.short())]
    Damaged {
        /// The container.
        id: ContainerId,
        /// Which file, and why.
        source: DiskError,
    },
    /// The file of the container's run cannot be read, and the container may be up.
    #[error("the state of container `{}` cannot be read", .id.short())]
    DamagedRun {
        /// The container.
        id: ContainerId,
        /// Which file, and why.
        source: DiskError,
    },
    /// Another file.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Ambiguous { .. } => ErrorKind::Ambiguous,
            Self::NameInUse { .. } => ErrorKind::Conflict,
            // The container is there, whatever of it is not.
            Self::Damaged { source, .. } if source.is_not_found() => ErrorKind::Corrupt,
            Self::Disk(error)
            | Self::Damaged { source: error, .. }
            | Self::DamagedRun { source: error, .. } => error.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound(_) => None,
            Self::Ambiguous { .. } => Some("give more digits of the id, or the name".to_owned()),
            Self::NameInUse { .. } => Some("remove or rename that container, or use another name".to_owned()),
            Self::Damaged { id, source } => {
                let id = id.short();
                let hint = format!("`hoist rm {id}` removes it, `hoist rm -f {id}` also while it runs");
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

/// What ends a container without its run's file.
#[must_use]
pub fn how_to_end(id: &ContainerId) -> String {
    let id = id.short();
    format!("`hoist kill {id}` ends it, `hoist rm -f {id}` removes it")
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

/// The same, if nobody holds it.
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

/// Takes away what lies in the place of the lock's file of a container that is to be removed: a
/// folder or a socket, which nobody can lock, does not keep the container.
///
/// # Errors
///
/// It cannot be removed.
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

/// The record of a container; `None` when there is none.
///
/// # Errors
///
/// When it is there but cannot be read.
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

/// The run of a container; `None` when it has none, or one of another boot.
///
/// # Errors
///
/// When it is there but cannot be read.
pub fn load_run(paths: &Paths, id: &ContainerId) -> Result<Option<Run>> {
    let damaged = |source| Error::DamagedRun { id: id.clone(), source };
    let run: Option<Run> = none_when_missing(disk::read_state(&run_file(paths, id)), damaged)?;
    Ok(run.filter(|run| run.boot_id == boot_id()))
}

/// Whether a container is there but its record is not: a name leads to its folder, and names
/// are given last. What is half-made or being removed has none.
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

/// Writes the record. It is on the disk when this returns, but with `--rm`: whoever hears of a
/// start or an exit code finds it after a power cut.
///
/// # Errors
///
/// When the disk is full or the container is gone.
pub fn save(paths: &Paths, record: &Record) -> Result<()> {
    let path = record_file(paths, &record.id);
    if record.config.lifecycle.auto_remove {
        return Ok(disk::write_state(&path, record)?);
    }
    disk::write_state_synced(&path, record)?;
    let folder = paths.container(&record.id);
    let _ = fs::remove_file(unsynced(&folder)); // one that is left says less
    Ok(disk::sync_folders([folder])?)
}

/// Writes the run.
///
/// # Errors
///
/// When the disk is full.
pub fn save_run(paths: &Paths, id: &ContainerId, run: &Run) -> Result<()> {
    Ok(disk::write_state(&run_file(paths, id), run)?)
}

/// Writes the run over the one that is there, in place where the disk is full: that needs no
/// further room.
///
/// # Errors
///
/// When there is none, or it cannot be written in place either.
pub fn replace_run(paths: &Paths, id: &ContainerId, run: &Run) -> Result<()> {
    let path = run_file(paths, id);
    match disk::write_state(&path, run) {
        Err(_) => Ok(disk::overwrite_state(&path, run)?),
        Ok(()) => Ok(()),
    }
}

/// Keeps in the run how it ended: the record cannot be written.
///
/// # Errors
///
/// When there is no run, or its file cannot be written either.
pub fn keep_end(paths: &Paths, record: &Record) -> Result<()> {
    let Some(run) = load_run(paths, &record.id)? else {
        return Err(Error::NotFound(record.id.as_str().to_owned()));
    };
    // What the container had is given back.
    let ended = Some(record.state.clone());
    let run = Run { status: Status::Exited, init: None, endpoints: None, ended, ..run };
    replace_run(paths, &record.id, &run)
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

/// When this boot began, as the kernel reckons it.
#[must_use]
pub fn boot_time() -> Option<Timestamp> {
    Timestamp::from_second(sys::process::boot_time()?).ok()
}

/// How a container is, by what is on the disk.
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

/// What says of a container's folder that its record may not be on the disk.
fn unsynced(folder: &Path) -> PathBuf {
    folder.join("unsynced")
}

/// Makes a container: its folder, its record, and then its name; then all of it is on the
/// disk, but with `--rm`. The lock is the caller's to keep until it is done with the new
/// container.
///
/// # Errors
///
/// [`Error::NameInUse`]; then nothing is left.
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
            let _ = fs::remove_file(unsynced); // one that is left says less
        }
        Ok(())
    })();
    if made.is_err() {
        release(paths, &record.name, &record.id);
        let _ = tree::remove(&folder); // the first error is the one to report
    }
    made.map(|()| lock)
}

/// Makes a container's folder and takes its lock: again when [`sweep`] came in between and took
/// the folder for half-made.
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
