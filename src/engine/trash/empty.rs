//! Empties the trash: on request immediately, and expired entries in the background by a helper.
//!
//! ```text
//! engine call ─▶ anything due? ─▶ hoist helper empty-trash ROOT RUN      (detached)
//!                checked at most     lowest priority, one at a time (trash.lock):
//!                once a minute       entry → .gone-… ─▶ sweep of images ─▶ deleted
//! ```
//! The order makes it resumable: if the helper is killed in between, it leaves a `.gone-…` folder,
//! which is due by itself and starts with the sweep again.

use std::ffi::{CString, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::super::error::{Doing, Result};
use super::super::{Engine, Settings, Warnings};
use crate::base::Paths;
use crate::base::disk::{self, Lock, Rank};
use crate::base::trash::{self, Contents, TrashEntry, next_due};
use crate::sys;

/// The minimum interval between two checks of a process.
const LOOK: Duration = Duration::from_secs(60);

/// What was deleted permanently.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Emptied {
    /// The number of entries.
    pub count: usize,
    /// Their bytes, as far as known.
    pub bytes: u64,
    /// Warnings for the caller.
    pub warnings: Warnings,
}

impl Engine {
    /// Starts a helper if anything in the trash is due, without waiting for it. Usually this only
    /// costs looking into an empty folder.
    pub(in crate::engine) fn empty_what_is_due(&self) {
        let mut looked = self.inner.looked.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if looked.is_some_and(|then| then.elapsed() < LOOK) {
            return;
        }
        *looked = Some(Instant::now());
        drop(looked);
        let is_due = trash::contents(self.paths()).is_ok_and(|contents| self.has_due(&contents));
        if is_due {
            match self.spawn_helper() {
                Ok(helper) => self.reap(Some(helper)),
                Err(error) => tracing::debug!(%error, "cannot empty the trash"),
            }
        }
    }

    fn has_due(&self, contents: &Contents) -> bool {
        !contents.gone.is_empty() || !contents.litter.is_empty() || self.due(&contents.entries).is_some()
    }

    fn due<'a>(&self, entries: &'a [TrashEntry]) -> Option<&'a TrashEntry> {
        let space = (self.settings().space)(self.paths().root());
        next_due(entries, Timestamp::now(), space)
    }

    fn spawn_helper(&self) -> sys::Result<OwnedFd> {
        let null = fs::OpenOptions::new().read(true).write(true).open("/dev/null");
        let null = null.map_err(|error| sys::Error::new("open(\"/dev/null\")", error))?;
        let words = [
            b"hoist".as_slice(),
            b"helper",
            b"empty-trash",
            self.paths().root().as_os_str().as_encoded_bytes(),
            self.paths().run().as_os_str().as_encoded_bytes(),
        ];
        let args = words.map(CString::new).into_iter().collect::<std::result::Result<Vec<_>, _>>();
        let invalid = || sys::Error::new("posix_spawn()", io::Error::from(io::ErrorKind::InvalidInput));
        let args = args.map_err(|_| invalid())?;
        let streams = [null.as_fd(), null.as_fd(), null.as_fd()];
        let command = sys::spawn::Command { program: self.program(), args: &args, streams, passed: &[] };
        sys::process::open(sys::spawn::spawn(&command)?)
    }

    /// Deletes entries permanently, and returns what was deleted, without entries that were removed
    /// meanwhile. A failure with one entry does not affect the others.
    pub(super) fn purge(&self, entries: &[TrashEntry]) -> Result<Emptied> {
        let doing = || "empty the trash";
        let mut emptied = Emptied::default();
        let (mut gone, mut done) = (Vec::new(), Ok(()));
        for entry in entries {
            match self.hide_entry(entry) {
                Ok(Some((folder, untold))) => {
                    emptied.count += 1;
                    // One warning about an unwritable journal is enough.
                    emptied.warnings.0.extend(untold.filter(|_| emptied.warnings.0.is_empty()));
                    emptied.bytes += entry.size.unwrap_or(0);
                    gone.push(folder);
                }
                Ok(None) => {}
                Err(error) => done = done.and(Err(error)),
            }
        }
        self.sweep_before(&gone)?;
        done.and(delete(&gone)).doing(doing)?;
        Ok(emptied)
    }

    /// Moves an entry out of the trash, and returns warnings too; `None` if it was removed
    /// meanwhile.
    fn hide_entry(&self, entry: &TrashEntry) -> disk::Result<Option<(PathBuf, Option<String>)>> {
        let Some(gone) = trash::purge(self.paths(), entry)? else { return Ok(None) };
        let attributes = [("name", entry.name.as_str()), ("trash", entry.id.as_str())];
        let untold = self.tell_of(entry.kind, "purge", &entry.object, &attributes);
        Ok(Some((gone, untold)))
    }

    /// Deletes the layers that only these folders needed. This is done before deleting the folders,
    /// so that it is repeated if the process is killed in between, and only when a power cut could
    /// not bring back a folder whose layers are missing.
    fn sweep_before(&self, gone: &[PathBuf]) -> Result<()> {
        if !gone.is_empty() {
            disk::sync_folders([self.paths().trash()]).doing(|| "empty the trash")?;
            self.sweep_images(&self.image_store()?)?;
        }
        Ok(())
    }

    /// Does everything that is due, one after the other.
    pub(super) fn empty_due(&self) -> Result<()> {
        let doing = || "empty the trash";
        let (mut stuck, mut done) = (Vec::new(), Ok(()));
        loop {
            let Contents { entries, litter, mut gone } = trash::contents(self.paths()).doing(doing)?;
            gone.retain(|folder| !stuck.contains(folder));
            for folder in litter {
                gone.extend(trash::hide(self.paths(), &folder));
            }
            if let Some(entry) = self.due(&entries) {
                gone.extend(self.hide_entry(entry).doing(doing)?.map(|(folder, _)| folder));
            } else if gone.is_empty() {
                return done.doing(doing);
            }
            self.sweep_before(&gone)?;
            done = done.and(delete(&gone));
            stuck.extend(gone.into_iter().filter(|folder| folder.exists()));
        }
    }

    /// Takes the whole trash away from a helper that is emptying it, and waits for it to exit.
    pub(in crate::engine) fn take_trash_away(&self) -> Result<()> {
        let doing = || "empty the trash";
        let paths = self.paths();
        if !paths.trash().exists() {
            return Ok(());
        }
        disk::private_dir(&paths.discarded()).doing(doing)?;
        let aside = paths.discarded().join("trash");
        let _ = sys::tree::remove(&aside); // left by a reset that was killed
        fs::rename(paths.trash(), &aside).map_err(disk::Error::io("remove", paths.trash())).doing(doing)?;
        // A missing lock file is held by nobody, and on a full disk it could not be created.
        if !paths.trash_lock().exists() {
            return Ok(());
        }
        Lock::exclusive(&paths.trash_lock(), Rank::Container).map(drop).doing(doing)
    }
}

/// Deletes as many of the folders as possible; returns the first failure.
fn delete(folders: &[PathBuf]) -> disk::Result<()> {
    let mut done = Ok(());
    for folder in folders {
        done = done.and(sys::tree::remove(folder));
    }
    done
}

/// `hoist helper empty-trash ROOT RUN`: deletes what is due and exits. If another helper is
/// running, that one does the work.
#[must_use]
pub fn helper(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut words = words.into_iter();
    let (Some(root), Some(run)) = (words.next(), words.next()) else { return ExitCode::FAILURE };
    let paths = Paths::new(root, run);
    let _ = std::env::set_current_dir("/"); // keeps no file system busy
    sys::process::lower_priority();
    // After a reset, nothing must be created again.
    if !paths.trash().is_dir() {
        return ExitCode::SUCCESS;
    }
    let lock = match Lock::try_exclusive(&paths.trash_lock(), Rank::Container) {
        Ok(Some(lock)) => lock.into_fd(),
        Ok(None) => return ExitCode::SUCCESS,
        Err(_) => return ExitCode::FAILURE,
    };
    // Keep the lock until the process exits, so that the next owner finds no trace of it.
    std::mem::forget(lock);
    let emptied = Engine::open(Settings::new(paths)).and_then(|engine| engine.empty_due());
    if emptied.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::journal::Kind;

    #[test]
    fn nothing_is_deleted_before_a_power_cut_would_leave_its_entry_purged() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        let engine = Engine::open(Settings::new(paths.clone())).unwrap();
        let names = vec!["web".to_owned()];
        let entry =
            TrashEntry::new(Kind::Image, "ab", names, "web".to_owned(), Duration::from_secs(3600)).unwrap();
        let folder = trash::folder(&paths, &entry.id);
        disk::private_dir(&folder).unwrap();
        trash::write(&folder, &entry).unwrap();
        let found = || trash::contents(&paths).unwrap();

        let purged = disk::cut::broken(&paths.trash(), || engine.purge(std::slice::from_ref(&entry)));
        purged.unwrap_err();
        assert_eq!((found().entries.len(), found().gone.len()), (0, 1));
        engine.empty_due().unwrap();
        assert_eq!(found().gone.len(), 0);
    }
}
