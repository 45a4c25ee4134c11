//! What one layer's folder says of a path: that it is there, that it is gone, or nothing.
//!
//! Whiteouts and opaque folders are overlayfs' own: a character device 0:0 stands where a
//! file was removed, an attribute on a folder hides what lies below it.
//! <https://docs.kernel.org/filesystems/overlayfs.html#whiteouts-and-opaque-directories>

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::sys::fs::{self, FileType, Stat};
use crate::sys::xattr;
use crate::sys::{Result, check};

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
pub fn look(root: &OwnedFd, path: &Path, opaque: &'static OsStr) -> Result<There> {
    Cursor::new(fs::open_beneath(root, Path::new("."), OFlags::PATH)?, opaque)?.look(path)
}

/// Asks one layer about paths, one after the other.
///
/// It stays in the folder where the last answer was found, so that paths in the order of
/// their tree cost a step each, however deep they lie.
#[derive(Debug)]
pub(crate) struct Cursor {
    opaque: &'static OsStr,
    /// Where it is: as a mere place, below the layer's root by these names.
    place: OwnedFd,
    names: Vec<OsString>,
    /// Whether the root, and the folder of each name, hides what is below.
    hides: Vec<bool>,
    /// Names looked up.
    pub(crate) steps: u64,
}

impl Cursor {
    /// At `place`, the root of an unpacked layer; `opaque` is the attribute of folders
    /// that hide what is below.
    ///
    /// # Errors
    ///
    /// When the layer cannot be read.
    pub(crate) fn new(place: OwnedFd, opaque: &'static OsStr) -> Result<Self> {
        let hides = vec![is_opaque(&place, opaque)?];
        Ok(Self { opaque, place, names: Vec::new(), hides, steps: 0 })
    }

    /// What the layer says of `path`, relative to its root; no link is followed.
    ///
    /// # Errors
    ///
    /// When the layer cannot be read.
    pub(crate) fn look(&mut self, path: &Path) -> Result<There> {
        let common = self.names.iter().zip(path).take_while(|(known, name)| *known == name).count();
        while self.names.len() > common {
            self.place = self.open(OsStr::new(".."))?;
            self.names.pop();
            self.hides.pop();
        }
        let mut names = path.iter().skip(common);
        while let Some(name) = names.next() {
            let hides = self.hides.last().copied().unwrap_or(false);
            let inner = match self.open(name) {
                Err(error) if error.is(Errno::NOENT) => return Ok(There::Nothing { hides }),
                result => result?,
            };
            let stat = fs::stat(&inner)?;
            if is_whiteout(&stat) {
                return Ok(There::Nothing { hides: true });
            }
            if fs::file_type(&stat) != FileType::Directory {
                return Ok(match names.next() {
                    None => There::Here { place: inner, hides: true },
                    // What is no folder stands in the way, and hides one below.
                    Some(_) => There::Nothing { hides: true },
                });
            }
            self.hides.push(hides || is_opaque(&inner, self.opaque)?);
            self.names.push(name.to_owned());
            self.place = inner;
        }
        let place = check(self.place.try_clone(), || "fcntl(F_DUPFD_CLOEXEC)".to_owned())?;
        Ok(There::Here { place, hides: self.hides.last().copied().unwrap_or(false) })
    }

    fn open(&mut self, name: &OsStr) -> Result<OwnedFd> {
        self.steps += 1;
        fs::open_at(&self.place, name, OFlags::PATH)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_the_order_of_their_tree_cost_a_step_each() {
        let dir = tempfile::tempdir().unwrap();
        let deep = "d/".repeat(300);
        std::fs::create_dir_all(dir.path().join(&deep)).unwrap();
        std::fs::write(dir.path().join(&deep).join("file"), "x").unwrap();
        let place = fs::open_place(dir.path()).unwrap();
        let mut cursor = Cursor::new(place, OsStr::new("user.overlay.opaque")).unwrap();
        let mut path = std::path::PathBuf::new();
        for _ in 0..300 {
            path.push("d");
            assert!(matches!(cursor.look(&path).unwrap(), There::Here { hides: false, .. }));
        }
        assert!(matches!(cursor.look(&path.join("file")).unwrap(), There::Here { hides: true, .. }));
        assert!(matches!(cursor.look(&path.join("file/x")).unwrap(), There::Nothing { hides: true }));
        assert!(matches!(cursor.look(&path.join("none/x")).unwrap(), There::Nothing { hides: false }));
        assert_eq!(cursor.steps, 303);
        assert!(matches!(cursor.look(Path::new("d/none")).unwrap(), There::Nothing { hides: false }));
        assert_eq!(cursor.steps, 303 + 299 + 1);
    }
}
