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

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use super::record::{Record, Run};
use super::status::Status;
use crate::base::disk::{self, Error as DiskError, Lock, Rank};
use crate::base::{ContainerId, ErrorKind, Explain, Name, Paths, id};

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
    Ok(remove_tree(&paths.container_run(id))?)
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

/// Finds a container by its id, its name, or the start of its id, in this order.
///
/// # Errors
///
/// [`Error::NotFound`] and [`Error::Ambiguous`].
pub fn find(paths: &Paths, target: &str) -> Result<Record> {
    let not_found = || Error::NotFound(target.to_owned());
    if let Ok(id) = target.parse::<ContainerId>()
        && let Some(record) = load(paths, &id)?
    {
        return Ok(record);
    }
    if let Ok(name) = target.parse::<Name>()
        && let Some(record) = owner(paths, &name)?
    {
        return Ok(record);
    }
    if target.is_empty() || !id::is_hex(target, target.len()) {
        return Err(not_found());
    }
    let mut found = Vec::new();
    for id in ids(paths)?.into_iter().filter(|id| id.as_str().starts_with(target)) {
        found.extend(load(paths, &id)?);
    }
    match found.len() {
        0 => Err(not_found()),
        1 => found.pop().ok_or_else(not_found),
        _ => {
            let mut candidates: Vec<_> = found.iter().map(|record| record.id.short().to_owned()).collect();
            candidates.sort();
            Err(Error::Ambiguous { prefix: target.to_owned(), candidates })
        }
    }
}

/// Whose name this is; `None` when it is free, or its link is stale.
fn owner(paths: &Paths, name: &Name) -> Result<Option<Record>> {
    let link = paths.container_name(name);
    let Ok(target) = fs::read_link(&link) else { return Ok(None) };
    let Some(id) = target.to_str().and_then(|target| target.parse().ok()) else { return Ok(None) };
    Ok(load(paths, &id)?.filter(|record| record.name == *name))
}

/// Whether the container's name points to it.
#[must_use]
pub fn is_confirmed(paths: &Paths, record: &Record) -> bool {
    let target = fs::read_link(paths.container_name(&record.name));
    target.is_ok_and(|target| target == Path::new(record.id.as_str()))
}

/// Whether some removed container still waits to be deleted.
#[must_use]
pub fn has_discarded(paths: &Paths) -> bool {
    fs::read_dir(paths.discarded()).is_ok_and(|mut entries| {
        entries.any(|entry| entry.is_ok_and(|it| it.file_name().to_string_lossy().starts_with("container-")))
    })
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
        let _ = remove_tree(&folder); // the first error is the one to report
    }
    made
}

/// Milliseconds that a rename may take.
const PATIENCE: u32 = 1000;

/// Makes the link from a name to an id.
fn claim(paths: &Paths, name: &Name, id: &ContainerId) -> Result<()> {
    let link = paths.container_name(name);
    for tries in 0..2 * PATIENCE {
        match symlink(id.as_str(), &link) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                disk::private_dir(&paths.container_names())?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if let Some(record) = owner(paths, name)? {
                    return Err(Error::NameInUse { name: name.clone(), owner: record.id });
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
/// [`Error::NameInUse`]; then it keeps the old one.
pub fn rename(paths: &Paths, record: &mut Record, name: Name) -> Result<()> {
    claim(paths, &name, &record.id)?;
    let old = std::mem::replace(&mut record.name, name);
    if let Err(error) = save(paths, record) {
        let _ = fs::remove_file(paths.container_name(&record.name));
        record.name = old;
        return Err(error);
    }
    release(paths, &old, &record.id);
    Ok(())
}

/// Frees a name, if it is this container's.
fn release(paths: &Paths, name: &Name, id: &ContainerId) {
    let link = paths.container_name(name);
    if fs::read_link(&link).is_ok_and(|target| target == Path::new(id.as_str())) {
        let _ = fs::remove_file(link); // stale links are replaced
    }
}

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
    Ok(remove_tree(discarded)?)
}

fn remove_tree(folder: &Path) -> disk::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(DiskError::io("delete", folder)(error)),
        _ => Ok(()),
    }
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
            let _ = remove_tree(&paths.container(&id)); // the next sweep finds what is left
        }
    }
    if let Ok(entries) = fs::read_dir(paths.discarded()) {
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with("container-") {
                let _ = remove_tree(&entry.path()); // its remover may be at it too
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths() -> (tempfile::TempDir, Paths) {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        (dir, paths)
    }

    fn record(id: &str, name: &str) -> Record {
        let old = include_str!("../../tests/old_state/record-1.json");
        let mut record: Record = serde_json::from_str(old).unwrap();
        record.id = id.repeat(64).parse().unwrap();
        record.name = name.parse().unwrap();
        record.state.started = None;
        record
    }

    #[test]
    fn a_container_is_found_by_id_name_and_prefix() {
        let (_dir, paths) = paths();
        for (id, name) in [("a", "web"), ("b", "aa"), ("c", "db")] {
            drop(create(&paths, &record(id, name)).unwrap());
        }
        let mut other = record("a", "other");
        other.id = format!("{}b", "a".repeat(63)).parse().unwrap();
        drop(create(&paths, &other).unwrap());
        let found = |target: &str| find(&paths, target).map(|record| record.name.as_str().to_owned());
        assert_eq!(found("web").unwrap(), "web");
        assert_eq!(found("/db").unwrap(), "db");
        assert_eq!(found("c").unwrap(), "db");
        assert_eq!(found("aa").unwrap(), "aa", "a name goes before the start of an id");
        assert_eq!(found(&"a".repeat(64)).unwrap(), "web");
        assert_eq!(
            found("aaa").unwrap_err().to_string(),
            "multiple containers start with `aaa`: aaaaaaaaaaaa, aaaaaaaaaaaa"
        );
        for missing in ["", "d", "we", "../web", "WEB"] {
            assert_eq!(found(missing).unwrap_err().to_string(), format!("No such container: {missing}"));
        }
    }

    #[test]
    fn a_name_is_taken_once_and_a_stale_link_is_replaced() {
        let (_dir, paths) = paths();
        let web = record("a", "web");
        drop(create(&paths, &web).unwrap());
        let error = create(&paths, &record("b", "web")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the container name `web` is already in use by container `aaaaaaaaaaaa`"
        );
        assert_eq!(ids(&paths).unwrap(), std::slice::from_ref(&web.id));
        fs::remove_dir_all(paths.container(&web.id)).unwrap();
        drop(create(&paths, &record("b", "web")).unwrap());
        assert_eq!(find(&paths, "web").unwrap().id, record("b", "web").id);
    }

    #[test]
    fn a_rename_frees_the_old_name() {
        let (_dir, paths) = paths();
        let mut web = record("a", "web");
        drop(create(&paths, &web).unwrap());
        drop(create(&paths, &record("b", "db")).unwrap());
        let error = rename(&paths, &mut web, "db".parse().unwrap()).unwrap_err();
        assert_eq!((error.kind(), web.name.as_str()), (ErrorKind::Conflict, "web"));
        rename(&paths, &mut web, "www".parse().unwrap()).unwrap();
        assert_eq!(find(&paths, "www").unwrap().id, web.id);
        assert!(find(&paths, "web").is_err());
        drop(create(&paths, &record("c", "web")).unwrap());
    }

    #[test]
    fn what_a_killed_create_left_is_swept_and_what_lives_is_not() {
        let (_dir, paths) = paths();
        drop(create(&paths, &record("a", "web")).unwrap());
        disk::private_dir(&paths.container(&record("b", "xx").id)).unwrap();
        let unnamed = record("c", "lost");
        disk::private_dir(&paths.container(&unnamed.id)).unwrap();
        save(&paths, &unnamed).unwrap();
        let busy = record("d", "busy");
        disk::private_dir(&paths.container(&busy.id)).unwrap();
        let lock = lock(&paths, &busy.id).unwrap();
        sweep(&paths).unwrap();
        let mut left = ids(&paths).unwrap();
        left.sort();
        assert_eq!(left, [record("a", "web").id, busy.id]);
        drop(lock);
        sweep(&paths).unwrap();
        assert_eq!(ids(&paths).unwrap().len(), 1);
    }

    #[test]
    fn a_removed_container_is_gone_at_once() {
        let (_dir, paths) = paths();
        let web = record("a", "web");
        drop(create(&paths, &web).unwrap());
        let discarded = remove(&paths, &web).unwrap();
        assert!(find(&paths, "web").is_err());
        assert!(fs::symlink_metadata(paths.container_name(&web.name)).is_err());
        assert!(discarded.exists());
        delete(&discarded).unwrap();
        assert!(!discarded.exists());
    }

    #[test]
    fn what_was_set_aside_comes_back_where_its_name_is_free() {
        let (_dir, paths) = paths();
        let mut web = record("a", "web");
        drop(create(&paths, &web).unwrap());
        let place = paths.trash().join("entry");
        disk::private_dir(&paths.trash()).unwrap();
        set_aside(&paths, &web, &place).unwrap();
        assert!(find(&paths, "web").is_err() && place.exists());
        drop(create(&paths, &record("b", "web")).unwrap());
        let error = put_back(&paths, &load_aside(&place).unwrap(), &place).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the container name `web` is already in use by container `bbbbbbbbbbbb`"
        );
        assert!(place.exists(), "a refusal moves nothing");
        web.name = "www".parse().unwrap();
        put_back(&paths, &web, &place).unwrap();
        assert_eq!(find(&paths, "www").unwrap(), web);
        assert!(!place.exists());
        sweep(&paths).unwrap();
        assert_eq!(ids(&paths).unwrap().len(), 2, "it never ran, and is whole all the same");
    }

    #[test]
    fn what_is_set_aside_is_gone_whatever_is_left_of_its_run() {
        let (_dir, paths) = paths();
        let web = record("a", "web");
        drop(create(&paths, &web).unwrap());
        disk::private_dir(&paths.runs()).unwrap();
        fs::write(paths.container_run(&web.id), "in the way").unwrap();
        let discarded = remove(&paths, &web).unwrap();
        assert!(find(&paths, "web").is_err() && discarded.exists());
        drop(create(&paths, &record("b", "web")).unwrap());
    }

    #[test]
    fn a_restore_that_was_killed_between_link_and_folder_leaves_the_folder_aside() {
        let (_dir, paths) = paths();
        let web = record("a", "web");
        drop(create(&paths, &web).unwrap());
        let place = paths.trash().join("entry");
        disk::private_dir(&paths.trash()).unwrap();
        set_aside(&paths, &web, &place).unwrap();
        claim(&paths, &web.name, &web.id).unwrap();
        sweep(&paths).unwrap();
        assert!(find(&paths, "web").is_err() && place.exists());
        put_back(&paths, &web, &place).unwrap();
        assert_eq!(find(&paths, "web").unwrap().id, web.id);
    }

    #[test]
    fn the_first_version_of_both_files_is_read_and_what_is_unknown_is_kept() {
        let (_dir, paths) = paths();
        let record = record("a", "web");
        assert_eq!(record.unknown["later"], serde_json::json!({"kept": true}));
        disk::private_dir(&paths.container(&record.id)).unwrap();
        save(&paths, &record).unwrap();
        assert_eq!(load(&paths, &record.id).unwrap().unwrap(), record);

        let old = include_str!("../../tests/old_state/run-1.json");
        let mut run: Run = serde_json::from_str(old).unwrap();
        assert_eq!(run.unknown["later"], serde_json::json!([1]));
        assert_eq!(status(&record, Some(&run)), Status::Paused);
        disk::private_dir(&paths.container_run(&record.id)).unwrap();
        save_run(&paths, &record.id, &run).unwrap();
        assert_eq!(load_run(&paths, &record.id).unwrap(), None, "it is of another boot");
        run.boot_id = boot_id().to_owned();
        save_run(&paths, &record.id, &run).unwrap();
        assert_eq!(load_run(&paths, &record.id).unwrap(), Some(run));
    }
}
