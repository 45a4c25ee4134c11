//! What one layer's folder says of a path: that it is there, that it is gone, or nothing.
//!
//! Whiteouts and opaque folders are overlayfs' own: a character device 0:0 stands where a
//! file was removed, an attribute on a folder hides what lies below it.
//! <https://docs.kernel.org/filesystems/overlayfs.html#whiteouts-and-opaque-directories>

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::sys::Result;
use crate::sys::fs::{self, FileType, Stat};
use crate::sys::xattr;

/// What a layer says of a path.
#[derive(Debug)]
pub enum There {
    /// Nothing; perhaps it hides what is below.
    Nothing {
        /// It does.
        hides: bool,
    },
    /// It has it, and perhaps hides what is below.
    Here {
        /// The file or folder, as a mere place.
        place: OwnedFd,
        /// It does.
        hides: bool,
    },
}

/// What the layer unpacked at `root` says of `path`, relative to it; no link is followed.
/// `opaque` is the attribute of folders that hide what is below.
///
/// # Errors
///
/// When the layer cannot be read.
pub fn look(root: &OwnedFd, path: &Path, opaque: &OsStr) -> Result<There> {
    let mut place = fs::open_beneath(root, Path::new("."), OFlags::PATH)?;
    let mut hides = is_opaque(&place, opaque)?;
    for part in path {
        let inner = match fs::open_at(&place, part, OFlags::PATH) {
            Err(error) if error.is(Errno::NOENT) => return Ok(There::Nothing { hides }),
            // Something that is no folder stands in the way, and hides one below.
            Err(error) if error.is(Errno::NOTDIR) => return Ok(There::Nothing { hides: true }),
            result => result?,
        };
        let stat = fs::stat(&inner)?;
        match fs::file_type(&stat) {
            _ if is_whiteout(&stat) => return Ok(There::Nothing { hides: true }),
            FileType::Directory => hides |= is_opaque(&inner, opaque)?,
            _ => hides = true,
        }
        place = inner;
    }
    Ok(There::Here { place, hides })
}

/// Whether a file stands for one that was removed.
#[must_use]
pub fn is_whiteout(stat: &Stat) -> bool {
    fs::file_type(stat) == FileType::CharacterDevice && fs::device_numbers(stat.st_rdev) == (0, 0)
}

/// Whether a folder hides what lies below it.
///
/// # Errors
///
/// When its attributes cannot be read.
pub fn is_opaque(folder: impl AsFd, opaque: &OsStr) -> Result<bool> {
    Ok(xattr::get_place(folder, opaque)?.is_some())
}
