//! What is written to the disk, and when.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::{Error, Result};

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
