//! Files that are whole after a crash, and locks between processes.
//!
//! A state file is replaced, never written in place: write beside, rename. Readers
//! therefore take no lock. Writers take one, and locks come in this order:
//!
//! ```text
//! container → volume → network → image → store
//! ```
//!
//! The last four are leaves: held for one file change, never across a wait, a process
//! start or an await. Debug builds assert the order (see [`Rank`]).
//!
//! # After a power cut
//!
//! What was reported as done is there. A record is on the disk before it gets its name
//! ([`write_state_synced`]), the folders that changed before the answer ([`sync_folders`]),
//! and the many files of an image by one [`sync`] before its record names them. Whoever is
//! killed in between leaves the old file, or one that nobody was told of.
//!
//! These may be lost, and are written without waiting for the disk ([`write_state`]):
//!
//! - everything below the run folder (`run.json`, leases, the journal): a reboot voids it;
//! - all files of a container with `--rm`, which a reboot ends: its folder says so
//!   (`container::store`), so that a torn record is litter and not a damaged container;
//! - logs, and what a container wrote to its own file system: that is for its program to sync;
//! - unfinished downloads, and the notes of when the store was swept.

use std::cell::RefCell;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{ErrorKind, Explain, io_hint, io_kind};

/// The largest state file that is read: what is larger was not written by hoist.
const MAX_STATE: u64 = 64 << 20;

/// A file operation that failed, with the file it failed on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A system call failed.
    #[error("cannot {verb} {path}")]
    Io {
        /// What was tried: `read`, `rename`, …
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is there, but is not what it should be.
    #[error("{path} is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// The file has a form that this hoist does not know.
    #[error("{path} was written by a newer hoist: it has version {version}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// What was to be written could not be read again.
    #[error("refusing to write {path}: it could not be read again")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// The file is too large to be one of hoist's.
    #[error("{path} is too large for a state file: {size} bytes")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
}

impl Error {
    /// For `map_err`: says what was tried on `path`.
    pub fn io(verb: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { verb, path, source }
    }

    /// Whether the cause is that the file does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Whether the cause is the file itself: it stays unreadable until somebody changes it. All
    /// else, a lack of descriptors or of memory, a disk that fails, says nothing of the file.
    #[must_use]
    pub fn is_of_the_file(&self) -> bool {
        use io::ErrorKind::{InvalidData, IsADirectory, PermissionDenied};
        match self {
            Self::Damaged { .. } | Self::Newer { .. } | Self::TooLarge { .. } => true,
            Self::Io { source, .. } => [InvalidData, IsADirectory, PermissionDenied].contains(&source.kind()),
            Self::Unreadable { .. } => false,
        }
    }
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { source, .. } => io_kind(source),
            Self::Damaged { .. } | Self::TooLarge { .. } => ErrorKind::Corrupt,
            Self::Newer { .. } => ErrorKind::Unsupported,
            Self::Unreadable { .. } => ErrorKind::Invalid,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } => io_hint(source),
            Self::Newer { .. } => Some("use the hoist that wrote it, or a newer one".to_owned()),
            Self::Damaged { .. } | Self::TooLarge { .. } | Self::Unreadable { .. } => None,
        }
    }
}

/// The result of a file operation.
pub type Result<T> = std::result::Result<T, Error>;

/// Creates `path` and what is missing above it, mode 0700.
///
/// # Errors
///
/// What mkdir(2) says; that it exists already is no error.
pub fn private_dir(path: &Path) -> Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(Error::io("create", path))
}

/// Puts `bytes` at `path` in one step: a reader sees the old file or the new one, whole.
///
/// After a power cut it may be either, or cut short: see [`write_state_synced`].
///
/// # Errors
///
/// `ENOSPC` and whatever else open, write or rename say; then the old file is untouched.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut draft = Draft::new(path)?;
    draft.file.write_all(bytes).map_err(Error::io("write", &draft.beside))?;
    draft.replace()
}

/// A file that is written beside its path and takes that name when it is whole. One that is
/// dropped before is gone.
#[derive(Debug)]
pub struct Draft {
    file: File,
    beside: PathBuf,
    path: PathBuf,
}

impl Draft {
    /// Begins one, mode 0600.
    ///
    /// # Errors
    ///
    /// What open(2) says.
    pub fn new(path: &Path) -> Result<Self> {
        // The name is unique per process and thread, so that two writers never share it.
        let beside = beside(path)?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside);
        let file = file.map_err(Error::io("write", &beside))?;
        Ok(Self { file, beside, path: path.to_owned() })
    }

    /// The file, to be written.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Puts it at its path, in the place of what is there.
    ///
    /// # Errors
    ///
    /// What rename(2) says; then what is there stays.
    pub fn replace(self) -> Result<()> {
        fs::rename(&self.beside, &self.path).map_err(Error::io("replace", &self.path))
    }

    /// Puts it at its path, if nothing is there.
    ///
    /// # Errors
    ///
    /// That something is; then that stays.
    pub fn place(self) -> Result<()> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        let placed = renameat_with(CWD, &self.beside, CWD, &self.path, RenameFlags::NOREPLACE);
        match placed {
            // Not every file system can do it in one step.
            Err(rustix::io::Errno::INVAL) if fs::symlink_metadata(&self.path).is_err() => self.replace(),
            placed => placed.map_err(|errno| Error::io("create", &self.path)(errno.into())),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.beside); // it has its name, or nobody wants it
    }
}

/// What a state file holds: JSON that says which form it has.
pub trait State: Serialize + DeserializeOwned {
    /// The newest form. This and every older one is read, from 1 on.
    const NEWEST: u32;

    /// The form of this one.
    fn version(&self) -> u32;
}

/// `state!(Record, VERSION)`: a type with a field `version` is what a state file holds.
macro_rules! state {
    ($type:ty, $newest:expr) => {
        impl $crate::base::disk::State for $type {
            const NEWEST: u32 = $newest;

            fn version(&self) -> u32 {
                self.version
            }
        }
    };
}
pub(crate) use state;

/// Replaces `path` by `value`, which may be lost in a power cut.
///
/// # Errors
///
/// As [`replace`]; [`Error::Unreadable`] when [`read_state`] would refuse it.
pub fn write_state<T: State>(path: &Path, value: &T) -> Result<()> {
    replace(path, &encode(path, value)?)
}

/// Replaces `path` by `value`: whoever finds it after a power cut finds it whole. That its
/// name is there too is for [`sync_folders`], once for everything that was done.
///
/// # Errors
///
/// As [`write_state`].
pub fn write_state_synced<T: State>(path: &Path, value: &T) -> Result<()> {
    let mut draft = Draft::new(path)?;
    draft.file.write_all(&encode(path, value)?).map_err(Error::io("write", &draft.beside))?;
    draft.file.sync_data().map_err(Error::io("sync", &draft.beside))?;
    draft.replace()
}

/// Writes `value` over what is at `path`, where there is no room beside it. A reader may
/// find it torn at that moment, and so may everybody when this process is killed in it.
///
/// # Errors
///
/// When the file is not there or cannot be written.
pub fn overwrite_state<T: State>(path: &Path, value: &T) -> Result<()> {
    let bytes = encode(path, value)?;
    let file = OpenOptions::new().write(true).open(path).map_err(Error::io("open", path))?;
    let written = (&file).write_all(&bytes).and_then(|()| file.set_len(bytes.len() as u64));
    written.map_err(Error::io("write", path))
}

/// The bytes of `value`, which can be read again: what is written must not be what the next
/// command finds damaged.
fn encode<T: State>(path: &Path, value: &T) -> Result<Vec<u8>> {
    let unreadable = |source| Error::Unreadable { path: path.into(), source };
    let mut bytes = serde_json::to_vec(value).map_err(unreadable)?;
    serde_json::from_slice::<T>(&bytes).map_err(unreadable)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads a state file of at most 64 MiB.
///
/// # Errors
///
/// [`Error::is_not_found`] when it is not there, [`Error::Damaged`] when it does not parse,
/// [`Error::Newer`] when its version is not known here.
pub fn read_state<T: State>(path: &Path) -> Result<T> {
    let bytes = read(path, MAX_STATE)?;
    let is_known = |version: u32| (1..=T::NEWEST).contains(&version);
    match serde_json::from_slice::<T>(&bytes) {
        Ok(state) if is_known(state.version()) => Ok(state),
        Ok(state) => Err(Error::Newer { path: path.into(), version: state.version() }),
        Err(source) => match serde_json::from_slice::<Form>(&bytes) {
            Ok(form) if !is_known(form.version) => {
                Err(Error::Newer { path: path.into(), version: form.version })
            }
            _ => Err(Error::Damaged { path: path.into(), source }),
        },
    }
}

/// What every form of every state file has.
#[derive(serde::Deserialize)]
struct Form {
    version: u32,
}

/// Reads a JSON file of at most 64 MiB, whatever its version.
///
/// # Errors
///
/// [`Error::is_not_found`] when it is not there, [`Error::Damaged`] when it does not parse.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = read(path, MAX_STATE)?;
    serde_json::from_slice(&bytes).map_err(|source| Error::Damaged { path: path.into(), source })
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
///
/// [`Error::TooLarge`] beyond the limit, also when the file grows while it is read.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    // A pipe in the place of a file would wait for its writer.
    let file = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path);
    let file = file.map_err(Error::io("open", path))?;
    let meta = file.metadata().map_err(Error::io("stat", path))?;
    if !meta.is_file() && !meta.is_dir() {
        let source = io::Error::new(io::ErrorKind::InvalidData, "it is not a regular file");
        return Err(Error::io("read", path)(source));
    }
    let size = meta.len();
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(limit)).unwrap_or(0));
    file.take(limit + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLarge { path: path.into(), size });
    }
    Ok(bytes)
}

/// The largest file of text that a user hands over: variables, labels, a profile, settings.
const MAX_TEXT: u64 = 16 << 20;

/// Reads a text that a user names: a file, or a pipe. `/dev/zero` has an end here too.
///
/// # Errors
///
/// `EFBIG` beyond 16 MiB; when it is not UTF-8; what open(2) and read(2) say.
pub fn read_text(path: &Path) -> io::Result<String> {
    let bytes = read_bytes(path)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// As [`read_text`], of any bytes.
///
/// # Errors
///
/// `EFBIG` beyond 16 MiB; what open(2) and read(2) say.
pub fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_TEXT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_TEXT { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// Writes the files of a small folder, and their names, to the disk: before what they are a
/// copy of goes.
///
/// # Errors
///
/// `EIO` or `ENOSPC` when it cannot be written.
pub fn sync_folder(dir: &Path) -> Result<()> {
    let sync = || -> io::Result<()> {
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                File::open(entry.path())?.sync_all()?;
            }
        }
        File::open(dir)?.sync_all()
    };
    sync().map_err(Error::io("sync", dir))
}

/// Writes to the disk which names these folders hold: what a verb reports survives a power cut
/// from here on. Only those that changed, in the order they were changed in: with one journal
/// the last change takes the others along. A folder that is not there needs nothing.
///
/// # Errors
///
/// `EIO` or `ENOSPC` when it cannot be written.
pub fn sync_folders(folders: &[&Path]) -> Result<()> {
    let has_one_journal = folders.last().is_some_and(|last| has_one_journal(last));
    let first = if has_one_journal { folders.len() - 1 } else { 0 };
    for folder in &folders[first..] {
        sync_file(folder)?;
    }
    Ok(())
}

/// Writes the contents of a file to the disk, or the names in a folder. One that is not there
/// needs nothing.
///
/// # Errors
///
/// `EIO` or `ENOSPC` when it cannot be written.
pub fn sync_file(path: &Path) -> Result<()> {
    match File::open(path).and_then(|file| file.sync_all()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        synced => synced.map_err(Error::io("sync", path)),
    }
}

/// Whether a file system keeps changes of names in the order they were made in, so that the
/// last one on the disk means that all are: ext4 and XFS. Each fsync costs a flush of the disk.
fn has_one_journal(path: &Path) -> bool {
    const XFS: i64 = 0x5846_5342;
    const EXT: i64 = 0xEF53;
    rustix::fs::statfs(path).is_ok_and(|stat| [XFS, EXT].contains(&stat.f_type))
}

/// Writes everything of the file system that holds `dir` to the disk: one call for any
/// number of files.
///
/// # Errors
///
/// `EIO` or `ENOSPC` when some earlier write of this file system was lost.
pub fn sync(dir: &Path) -> Result<()> {
    let folder = File::open(dir).map_err(Error::io("open", dir))?;
    rustix::fs::syncfs(&folder).map_err(|e| Error::io("sync", dir)(e.into()))
}

/// Where a lock stands in the order that keeps processes from waiting for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// One container's record.
    Container,
    /// The volumes.
    Volume,
    /// The networks, their leases and the machine-wide address choice.
    Network,
    /// References and image records.
    Image,
    /// Blobs and layers.
    Store,
}

/// An exclusive or shared lock on a file of its own, released when dropped or when the
/// process dies.
///
/// Not to be held across an await (clippy.toml names it).
#[derive(Debug)]
pub struct Lock {
    file: File,
    held: Held,
}

impl Lock {
    /// Waits until no other process holds `path`.
    ///
    /// # Errors
    ///
    /// When the lock file cannot be made or locked.
    pub fn exclusive(path: &Path, rank: Rank) -> Result<Self> {
        let held = Held::enter(rank);
        let file = settle(path, |file| file.lock().map(|()| true))?;
        Ok(Self { file: file.ok_or_else(|| raced(path))?, held })
    }

    /// Waits until nobody holds `path` exclusively.
    ///
    /// # Errors
    ///
    /// When the lock file cannot be made or locked.
    pub fn shared(path: &Path, rank: Rank) -> Result<Self> {
        let held = Held::enter(rank);
        let file = settle(path, |file| file.lock_shared().map(|()| true))?;
        Ok(Self { file: file.ok_or_else(|| raced(path))?, held })
    }

    /// Takes the lock if it is free; `None` when another process holds it.
    ///
    /// # Errors
    ///
    /// When the lock file cannot be made or locked.
    pub fn try_exclusive(path: &Path, rank: Rank) -> Result<Option<Self>> {
        let file = settle(path, |file| match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        })?;
        Ok(file.map(|file| Self { file, held: Held::enter(rank) }))
    }

    /// Whether some process holds `path`; a missing file is not held.
    ///
    /// # Errors
    ///
    /// When the file exists but cannot be opened or locked.
    pub fn is_held(path: &Path) -> Result<bool> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Error::io("open", path)(error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", path)(error)),
        }
    }

    /// Takes over a lock that another process acquired and passed by descriptor.
    #[must_use]
    pub fn adopt(descriptor: OwnedFd, rank: Rank) -> Self {
        Self { file: File::from(descriptor), held: Held::enter(rank) }
    }

    /// Gives the lock away, to be passed to another process by descriptor.
    #[must_use]
    pub fn into_fd(self) -> OwnedFd {
        let Self { file, held } = self;
        drop(held);
        file.into()
    }
}

impl AsFd for Lock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Opens and locks until the locked file is the one that `path` names: its directory may
/// have been removed and made anew while this process waited.
fn settle(path: &Path, take: impl Fn(&File) -> io::Result<bool>) -> Result<Option<File>> {
    loop {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(Error::io("open", path))?;
        if !take(&file).map_err(Error::io("lock", path))? {
            return Ok(None);
        }
        let ours = file.metadata().map_err(Error::io("stat", path))?;
        match fs::metadata(path) {
            Ok(there) if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) => return Ok(Some(file)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("stat", path)(error)),
        }
    }
}

fn raced(path: &Path) -> Error {
    Error::io("lock", path)(io::ErrorKind::WouldBlock.into())
}

fn beside(path: &Path) -> Result<PathBuf> {
    let random = super::id::random_bytes::<6>().map_err(Error::io("name a file beside", path))?;
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", super::id::hex(&random)));
    Ok(path.with_file_name(name))
}

thread_local! {
    static HELD: RefCell<Vec<Rank>> = const { RefCell::new(Vec::new()) };
}

/// A note, for debug builds, that this thread holds a lock of some rank.
#[derive(Debug)]
struct Held(Rank);

impl Held {
    fn enter(rank: Rank) -> Self {
        if cfg!(debug_assertions) {
            HELD.with_borrow_mut(|held| {
                let highest = held.iter().max();
                assert!(
                    highest.is_none_or(|&highest| highest <= rank),
                    "a lock of rank {rank:?} while one of {highest:?} is held"
                );
                held.push(rank);
            });
        }
        Self(rank)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if cfg!(debug_assertions) {
            // A lock may be dropped on another thread than it was taken on: then it is
            // not in this thread's list.
            HELD.with_borrow_mut(|held| {
                if let Some(at) = held.iter().rposition(|&rank| rank == self.0) {
                    held.remove(at);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_is_whole_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        for text in ["first", "second, longer", "3"] {
            replace(&path, text.as_bytes()).unwrap();
            assert_eq!(read(&path, 100).unwrap(), text.as_bytes());
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_draft_takes_no_place_that_is_taken_and_leaves_nothing_when_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        drop(Draft::new(&path).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        Draft::new(&path).unwrap().place().unwrap();
        let error = Draft::new(&path).unwrap().place().unwrap_err();
        assert!(matches!(error, Error::Io { source, .. } if source.kind() == io::ErrorKind::AlreadyExists));
        Draft::new(&path).unwrap().replace().unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_replace_keeps_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("folder");
        fs::create_dir_all(path.join("full")).unwrap(); // rename(2) over it fails
        let error = replace(&path, b"new").unwrap_err();
        assert!(error.to_string().starts_with("cannot replace "), "{error}");
        assert!(path.join("full").exists());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
    struct Note {
        version: u32,
        text: Option<super::super::Name>,
    }
    state!(Note, 2);

    #[test]
    fn a_form_that_is_not_known_is_newer_and_not_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("note.json");
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            match read_state::<Note>(&path) {
                Ok(note) => format!("version {}", note.version),
                Err(error) => error.to_string().replace(&path.display().to_string(), "it"),
            }
        };
        for (text, said) in [
            (r#"{"version":1}"#, "version 1"),
            (r#"{"version":2,"text":"web"}"#, "version 2"),
            (r#"{"version":3,"text":"web"}"#, "it was written by a newer hoist: it has version 3"),
            (r#"{"version":3,"text":["other"]}"#, "it was written by a newer hoist: it has version 3"),
            (r#"{"version":0}"#, "it was written by a newer hoist: it has version 0"),
            (r#"{"version":2,"text":7}"#, "it is damaged"),
            (r#"{"text":"web"}"#, "it is damaged"),
            ("", "it is damaged"),
            ("{\"version\":", "it is damaged"),
        ] {
            assert_eq!(read(text), said, "{text}");
        }
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        #[derive(Serialize, serde::Deserialize)]
        struct Odd {
            version: u32,
            #[serde(serialize_with = "as_text")]
            number: u32,
        }
        state!(Odd, 1);
        fn as_text<S: serde::Serializer>(number: &u32, to: S) -> std::result::Result<S::Ok, S::Error> {
            to.serialize_str(&number.to_string())
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("odd.json");
        let error = write_state_synced(&path, &Odd { version: 1, number: 7 }).unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }), "{error}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_beyond_the_limit_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("big");
        fs::write(&path, [0; 11]).unwrap();
        assert!(matches!(read(&path, 10), Err(Error::TooLarge { size: 11, .. })));
        assert_eq!(read(&path, 11).unwrap().len(), 11);
    }

    #[test]
    fn a_lock_excludes_another_and_is_free_after_drop() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        assert!(!Lock::is_held(&path).unwrap());
        let lock = Lock::exclusive(&path, Rank::Container).unwrap();
        assert!(Lock::is_held(&path).unwrap());
        assert!(Lock::try_exclusive(&path, Rank::Container).unwrap().is_none());
        drop(lock);
        assert!(Lock::try_exclusive(&path, Rank::Container).unwrap().is_some());
    }

    #[test]
    fn a_lock_file_that_was_replaced_is_locked_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let old = Lock::exclusive(&path, Rank::Container).unwrap();
        fs::remove_file(&path).unwrap();
        let new = Lock::try_exclusive(&path, Rank::Container).unwrap();
        assert!(new.is_some(), "the removed file's lock does not count");
        drop(old);
    }

    #[test]
    #[should_panic(expected = "a lock of rank Container while one of")]
    fn locks_out_of_order_are_caught() {
        let dir = tempfile::tempdir().unwrap();
        let _image = Lock::exclusive(&dir.path().join("a"), Rank::Image).unwrap();
        let _container = Lock::exclusive(&dir.path().join("b"), Rank::Container).unwrap();
    }
}
