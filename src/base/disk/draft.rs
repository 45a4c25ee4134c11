//! Files that are written under a temporary name and then renamed.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::{Error, Result};
use crate::base::id;

/// Replaces the contents of `path` atomically: readers see either the old file or the new one.
///
/// After a power cut the file may be either of them, or truncated: see [`write_state_synced`].
///
/// # Errors
///
/// `ENOSPC`, and other errors of open(2), write(2) or rename(2). The old file is then unchanged.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut draft = Draft::new(path)?;
    draft.write(bytes)?;
    draft.replace()
}

/// A file that is written under a temporary name beside its path, and renamed when it is complete.
/// It is deleted when dropped before that. Errors name its path, which the user knows.
#[derive(Debug)]
pub struct Draft {
    file: File,
    /// The temporary name; `None` for a file without a name.
    beside: Option<PathBuf>,
    path: PathBuf,
}

impl Draft {
    /// Creates the temporary file with mode 0600. A process that is killed leaves it behind, so this
    /// is for small files that are written at once.
    ///
    /// # Errors
    ///
    /// Errors of open(2).
    pub fn new(path: &Path) -> Result<Self> {
        // The name is unique to each process and thread, so two writers never share it.
        let beside = beside(path)?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside);
        let file = file.map_err(Error::io("write", path))?;
        Ok(Self { file, beside: Some(beside), path: path.to_owned() })
    }

    /// Creates a temporary file without a name (`O_TMPFILE`), so that a process that is killed leaves
    /// no incomplete file behind; a complete one, if it is killed in the middle of [`Self::replace`]. On
    /// file systems without such files this is [`Self::new`].
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn unnamed(path: &Path) -> Result<Self> {
        Self::unnamed_by(path, |folder| {
            let flags = OFlags::WRONLY | OFlags::TMPFILE | OFlags::CLOEXEC;
            rustix::fs::open(folder, flags, Mode::RUSR | Mode::WUSR)
        })
    }

    fn unnamed_by(path: &Path, open: impl Fn(&Path) -> rustix::io::Result<OwnedFd>) -> Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        match open(folder.unwrap_or(Path::new("."))) {
            Ok(file) => Ok(Self { file: file.into(), beside: None, path: path.to_owned() }),
            // If the folder is the problem, this fails with the right error.
            Err(_) => Self::new(path),
        }
    }

    /// Returns the temporary file, for writing.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Appends `bytes` to the temporary file.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(Error::io("write", &self.path))
    }

    /// Syncs its contents to the disk.
    pub(super) fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(Error::io("sync", &self.path))?;
        #[cfg(test)]
        super::cut::synced(self.beside.as_deref().unwrap_or(&self.path));
        Ok(())
    }

    /// Renames it to its path, replacing any existing file.
    ///
    /// # Errors
    ///
    /// Errors of linkat(2) and rename(2); the existing file is then unchanged.
    pub fn replace(mut self) -> Result<()> {
        let beside = match &self.beside {
            Some(beside) => beside.clone(),
            None => {
                let failed = |errno: Errno| Error::io("replace", &self.path)(errno.into());
                match self.link(&self.path) {
                    Ok(()) => return Ok(()),
                    // linkat(2) cannot replace a file.
                    Err(Errno::EXIST) => {}
                    Err(errno) => return Err(failed(errno)),
                }
                let beside = beside(&self.path)?;
                self.link(&beside).map_err(failed)?;
                self.beside.insert(beside).clone()
            }
        };
        fs::rename(&beside, &self.path).map_err(Error::io("replace", &self.path))
    }

    /// Renames it to its path, which must not exist.
    ///
    /// # Errors
    ///
    /// If the path exists. It is then unchanged.
    pub fn place(self) -> Result<()> {
        let placed = match &self.beside {
            Some(beside) => rustix::fs::renameat_with(CWD, beside, CWD, &self.path, RenameFlags::NOREPLACE),
            None => self.link(&self.path),
        };
        match placed {
            // Not every file system supports this in one step.
            Err(Errno::INVAL) if self.beside.is_some() && fs::symlink_metadata(&self.path).is_err() => {
                self.replace()
            }
            placed => placed.map_err(|errno| Error::io("create", &self.path)(errno.into())),
        }
    }

    /// Links a file without a name to a path that must not exist. This goes through `/proc`, because
    /// linking a descriptor directly needs CAP_DAC_READ_SEARCH on older kernels.
    fn link(&self, path: &Path) -> rustix::io::Result<()> {
        let file = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        rustix::fs::linkat(CWD, file, CWD, path, AtFlags::SYMLINK_FOLLOW)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            let _ = fs::remove_file(beside); // renamed already, or abandoned
        }
    }
}

fn beside(path: &Path) -> Result<PathBuf> {
    let random = id::random_bytes::<6>().map_err(Error::io("generate a name next to", path))?;
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", id::hex(&random)));
    Ok(path.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::base::disk::read;

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

    /// As on a file system without `O_TMPFILE`.
    fn refused(path: &Path) -> Result<Draft> {
        Draft::unnamed_by(path, |_| Err(Errno::OPNOTSUPP))
    }

    #[test]
    fn a_draft_takes_no_place_that_is_taken_and_leaves_nothing_when_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let count = || fs::read_dir(dir.path()).unwrap().count();
        for (name, begin, shows) in [
            ("new", Draft::new as fn(&Path) -> Result<Draft>, 1),
            ("unnamed", Draft::unnamed, 0),
            ("refused", refused, 1),
        ] {
            let path = dir.path().join("file");
            let written = |text: &str| {
                let mut draft = begin(&path).unwrap();
                draft.write(text.as_bytes()).unwrap();
                draft
            };
            let read = || fs::read_to_string(&path).unwrap();
            let draft = written("dropped");
            assert_eq!(count(), shows, "{name}");
            drop(draft);
            assert_eq!(count(), 0, "{name}");
            written("first").place().unwrap();
            let error = written("second").place().unwrap_err();
            assert!(
                matches!(error, Error::Io { source, .. } if source.kind() == io::ErrorKind::AlreadyExists),
                "{name}"
            );
            assert_eq!(read(), "first", "{name}");
            written("third").replace().unwrap();
            assert_eq!((read().as_str(), count()), ("third", 1), "{name}");
            fs::remove_file(&path).unwrap();
            written("fourth").replace().unwrap();
            assert_eq!((read().as_str(), count()), ("fourth", 1), "{name}");
            let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
            assert_eq!(mode & 0o7777, 0o600, "{name}");
            fs::remove_file(&path).unwrap();
        }
        let nowhere = Draft::unnamed(&dir.path().join("none/file")).unwrap_err();
        assert!(nowhere.is_not_found(), "{nowhere}");
    }

    #[test]
    fn errors_name_the_file_that_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut draft = Draft { file: full, beside: Some(beside(&path).unwrap()), path: path.clone() };
        let nowhere = dir.path().join("none").join("state.json");
        for (error, path) in
            [(draft.write(b"x").unwrap_err(), &path), (Draft::new(&nowhere).unwrap_err(), &nowhere)]
        {
            let wanted = format!("cannot write {}", path.display());
            assert_eq!(error.to_string(), wanted);
        }
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
}
