//! How much a container changed.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::OFlags;

use super::Result;
use crate::sys::fs::{self, FileType};

/// What a folder takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of all files, each counted once.
    pub bytes: u64,
    /// Files and folders, without the folder itself.
    pub files: u64,
}

/// Adds up what lies in `upper`, which may change meanwhile; nothing there is no use.
///
/// # Errors
///
/// When a folder cannot be read.
pub fn usage(upper: &Path) -> Result<Usage> {
    let mut usage = Usage::default();
    let mut seen = HashSet::new();
    let mut folders: Vec<OwnedFd> = match fs::open_dir(upper) {
        Ok(folder) => vec![folder],
        Err(error) if error.is(rustix::io::Errno::NOENT) => return Ok(usage),
        Err(error) => return Err(error.into()),
    };
    while let Some(folder) = folders.pop() {
        for name in fs::entries(&folder)? {
            // A file that went in the meantime is no error.
            let Ok(stat) = fs::stat_at(&folder, &name) else { continue };
            usage.files += 1;
            match fs::file_type(&stat) {
                FileType::Directory => {
                    if let Ok(inner) = fs::open_at(&folder, &name, OFlags::RDONLY | OFlags::DIRECTORY) {
                        folders.push(inner);
                    }
                }
                FileType::RegularFile if stat.st_nlink == 1 || seen.insert((stat.st_dev, stat.st_ino)) => {
                    usage.bytes += u64::try_from(stat.st_size).unwrap_or(0);
                }
                _ => {}
            }
        }
    }
    Ok(usage)
}
