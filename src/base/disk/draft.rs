//! Files that are written under a temporary name and then renamed.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

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
    draft.file.write_all(bytes).map_err(Error::io("write", &draft.beside))?;
    draft.replace()
}

/// A file that is written under a temporary name beside its path, and renamed when it is complete.
/// It is deleted when dropped before that.
#[derive(Debug)]
pub struct Draft {
    pub(super) file: File,
    pub(super) beside: PathBuf,
    path: PathBuf,
}

impl Draft {
    /// Creates the temporary file with mode 0600.
    ///
    /// # Errors
    ///
    /// Errors of open(2).
    pub fn new(path: &Path) -> Result<Self> {
        // The name is unique to each process and thread, so two writers never share it.
        let beside = beside(path)?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside);
        let file = file.map_err(Error::io("write", &beside))?;
        Ok(Self { file, beside, path: path.to_owned() })
    }

    /// Returns the temporary file, for writing.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Syncs its contents to the disk.
    pub(super) fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(Error::io("sync", &self.beside))?;
        #[cfg(test)]
        super::cut::synced(&self.beside);
        Ok(())
    }

    /// Renames it to its path, replacing any existing file.
    ///
    /// # Errors
    ///
    /// Errors of rename(2); the existing file is then unchanged.
    pub fn replace(self) -> Result<()> {
        fs::rename(&self.beside, &self.path).map_err(Error::io("replace", &self.path))
    }

    /// Renames it to its path, which must not exist.
    ///
    /// # Errors
    ///
    /// If the path exists. It is then unchanged.
    pub fn place(self) -> Result<()> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        let placed = renameat_with(CWD, &self.beside, CWD, &self.path, RenameFlags::NOREPLACE);
        match placed {
            // Not every file system supports this in one step.
            Err(rustix::io::Errno::INVAL) if fs::symlink_metadata(&self.path).is_err() => self.replace(),
            placed => placed.map_err(|errno| Error::io("create", &self.path)(errno.into())),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.beside); // renamed already, or abandoned
    }
}

fn beside(path: &Path) -> Result<PathBuf> {
    let random = id::random_bytes::<6>().map_err(Error::io("name a file beside", path))?;
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
}
