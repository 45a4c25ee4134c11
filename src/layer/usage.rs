//! Disk usage of a layer, or of a container's changes.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::fd::BorrowedFd;
use std::path::Path;

use super::error::{Error, Result};
use crate::sys::fs::{self, FileType};
use crate::sys::tree::{self, Leave, Step, Visitor};

/// Disk usage of a folder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Size of all files in bytes; a file with several names counts once.
    pub bytes: u64,
    /// Number of files and folders, without the folder itself.
    pub files: u64,
}

/// How many files with several names are remembered. Beyond that, each name counts.
const MAX_LINKED: usize = 1 << 20;

/// Adds up the contents of `upper`, which may change meanwhile. A missing folder uses nothing.
///
/// # Errors
///
/// If a folder cannot be read.
pub fn usage(upper: &Path) -> Result<Usage> {
    let folder = match fs::open_dir(upper) {
        Ok(folder) => folder,
        Err(error) if error.is(rustix::io::Errno::NOENT) => return Ok(Usage::default()),
        Err(error) => return Err(error.into()),
    };
    let mut sum = Sum::default();
    tree::walk(folder, OsStr::new("."), &mut sum)?;
    Ok(sum.usage)
}

#[derive(Default)]
struct Sum {
    usage: Usage,
    linked: HashSet<(u64, u64)>,
}

impl Visitor for Sum {
    type Error = Error;

    fn entry(&mut self, folder: BorrowedFd<'_>, name: &OsStr, _: FileType) -> Result<Step> {
        // The file may have been removed since it was listed.
        let Ok(stat) = fs::stat_at(folder, name) else { return Ok(Step::Pass) };
        self.usage.files += 1;
        let kind = fs::file_type(&stat);
        if kind == FileType::RegularFile {
            let is_new = stat.st_nlink == 1
                || self.linked.len() == MAX_LINKED
                || self.linked.insert((stat.st_dev, stat.st_ino));
            self.usage.bytes += if is_new { u64::try_from(stat.st_size).unwrap_or(0) } else { 0 };
        }
        Ok(if kind == FileType::Directory { Step::Enter } else { Step::Pass })
    }

    fn refused(&mut self, _: BorrowedFd<'_>, _: &OsStr, _: crate::sys::Error) -> Result<Leave> {
        Ok(Leave::Done) // removed, or on another file system
    }

    fn leave(&mut self, _: BorrowedFd<'_>, _: &OsStr, _: u32) -> Result<Leave> {
        Ok(Leave::Done)
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::OFlags;

    use super::*;

    #[test]
    fn a_tree_of_any_depth_is_added_up() {
        // On a disk, creating this many folders takes a minute.
        let dir = tempfile::tempdir_in("/dev/shm").unwrap();
        let mut folder = fs::open_dir(dir.path()).unwrap();
        for _ in 0..60_000 {
            fs::mkdir_at(&folder, OsStr::new("d"), 0o700).unwrap();
            folder = fs::open_at(&folder, OsStr::new("d"), OFlags::RDONLY | OFlags::DIRECTORY).unwrap();
        }
        let file = fs::create_at(&folder, OsStr::new("file"), 0o600).unwrap();
        rustix::io::write(&file, b"four").unwrap();
        fs::link_at(&folder, OsStr::new("file"), &folder, OsStr::new("again")).unwrap();
        // An open descriptor deep down would slow the kernel.
        drop((folder, file));
        assert_eq!(usage(dir.path()).unwrap(), Usage { bytes: 4, files: 60_002 });
        tree::clear(dir.path()).unwrap();
        assert_eq!(usage(dir.path()).unwrap(), Usage::default());
        assert_eq!(usage(&dir.path().join("none")).unwrap(), Usage::default());
    }
}
