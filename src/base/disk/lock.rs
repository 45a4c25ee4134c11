//! Locks between processes, and the order in which they are taken.

use std::cell::RefCell;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::{Error, Result};

/// The place of a lock in the order that prevents deadlocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// What the terminal UI saves.
    UiState,
    /// One container's record.
    Container,
    /// The volumes.
    Volume,
    /// The networks, their leases and the machine-wide choice of addresses.
    Network,
    /// References and image records.
    Image,
    /// Blobs and layers.
    Store,
}

/// An exclusive or shared lock on a lock file. It is released when dropped or when the process
/// ends.
///
/// It must not be held across an await (checked through clippy.toml).
#[derive(Debug)]
pub struct Lock {
    file: File,
    held: Held,
}

impl Lock {
    /// Waits for an exclusive lock on `path`.
    ///
    /// # Errors
    ///
    /// If the lock file cannot be created or locked.
    pub fn exclusive(path: &Path, rank: Rank) -> Result<Self> {
        let held = Held::enter(rank);
        let file = open_locked(path, |file| file.lock().map(|()| true))?;
        Ok(Self { file: file.ok_or_else(|| raced(path))?, held })
    }

    /// Waits for a shared lock on `path`.
    ///
    /// # Errors
    ///
    /// If the lock file cannot be created or locked.
    pub fn shared(path: &Path, rank: Rank) -> Result<Self> {
        let held = Held::enter(rank);
        let file = open_locked(path, |file| file.lock_shared().map(|()| true))?;
        Ok(Self { file: file.ok_or_else(|| raced(path))?, held })
    }

    /// Takes an exclusive lock if it is free; `None` if another process holds it.
    ///
    /// # Errors
    ///
    /// If the lock file cannot be created or locked.
    pub fn try_exclusive(path: &Path, rank: Rank) -> Result<Option<Self>> {
        let file = open_locked(path, |file| match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        })?;
        Ok(file.map(|file| Self { file, held: Held::enter(rank) }))
    }

    /// Whether some process holds a lock on `path`. A missing file or a socket is not locked.
    ///
    /// # Errors
    ///
    /// If the file exists but cannot be opened or locked.
    pub fn is_held(path: &Path) -> Result<bool> {
        // Opening a pipe, which can be locked too, would otherwise wait for its other end.
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) if error.raw_os_error() == Some(libc::ENXIO) => return Ok(false), // a socket
            Err(error) => return Err(Error::io("open", path)(error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", path)(error)),
        }
    }

    /// Takes over a lock that another process passed as a descriptor.
    #[must_use]
    pub fn adopt(descriptor: OwnedFd, rank: Rank) -> Self {
        Self { file: File::from(descriptor), held: Held::enter(rank) }
    }

    /// Gives up the lock as a descriptor, to pass it to another process.
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

/// Opens and locks the file until it is the one that `path` names: its directory may have been
/// removed and created again while this process waited.
fn open_locked(path: &Path, take: impl Fn(&File) -> io::Result<bool>) -> Result<Option<File>> {
    loop {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
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

thread_local! {
    static HELD: RefCell<Vec<Rank>> = const { RefCell::new(Vec::new()) };
}

/// Records, in debug builds, that this thread holds a lock of some rank.
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
            // If a lock is dropped on another thread than took it, it is not in this thread's list.
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
    fn a_link_in_the_place_of_a_lock_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (path, target) = (dir.path().join("lock"), dir.path().join("target"));
        std::os::unix::fs::symlink(&target, &path).unwrap();
        let error = Lock::try_exclusive(&path, Rank::UiState).unwrap_err();
        assert!(error.to_string().contains("lock"), "{error}");
        assert!(!target.exists());
    }

    #[test]
    #[should_panic(expected = "a lock of rank Container while one of")]
    fn locks_out_of_order_are_caught() {
        let dir = tempfile::tempdir().unwrap();
        let _image = Lock::exclusive(&dir.path().join("a"), Rank::Image).unwrap();
        let _container = Lock::exclusive(&dir.path().join("b"), Rank::Container).unwrap();
    }
}
