//! What a single layer says about a path: it exists, it is removed, or nothing.
//!
//! Whiteouts and opaque folders have overlayfs' form: a character device 0:0 replaces a removed
//! file, and an attribute on a folder hides what the layers below have in it.
//! <https://docs.kernel.org/filesystems/overlayfs.html#whiteouts-and-opaque-directories>

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::sys::fs::{self, FileType, Stat};
use crate::sys::xattr;
use crate::sys::{Result, check};

/// What a layer says about a path.
#[derive(Debug)]
pub enum There {
    /// The layer does not have it.
    Nothing {
        /// Whether it hides the path in the layers below.
        hides: bool,
    },
    /// The layer has it.
    Here {
        /// The file or folder, opened with `O_PATH`.
        place: OwnedFd,
        /// Whether it hides the path in the layers below.
        hides: bool,
    },
}

/// Returns what the layer unpacked at `root` says about `path`, relative to it, without following
/// links. `opaque` is the attribute of folders that hide the layers below.
///
/// # Errors
///
/// If the layer cannot be read.
pub fn look(root: &OwnedFd, path: &Path, opaque: &'static OsStr) -> Result<There> {
    Cursor::new(fs::open_beneath(root, Path::new("."), OFlags::PATH)?, opaque)?.look(path)
}

/// Looks up paths in one layer, one after the other.
///
/// It stays in the folder of the last answer, so looking up paths in tree order takes one step
/// each, however deep they are.
#[derive(Debug)]
pub(crate) struct Cursor {
    opaque: &'static OsStr,
    /// The current folder, opened with `O_PATH`, and its path below the root.
    place: OwnedFd,
    names: Vec<OsString>,
    /// Whether the root, and the folder of each name, hides the layers below.
    hides: Vec<bool>,
    /// How many names were looked up.
    pub(crate) steps: u64,
}

impl Cursor {
    /// Starts at `place`, the root of an unpacked layer. `opaque` is the attribute of folders that
    /// hide the layers below.
    ///
    /// # Errors
    ///
    /// If the layer cannot be read.
    pub(crate) fn new(place: OwnedFd, opaque: &'static OsStr) -> Result<Self> {
        let hides = vec![is_opaque(&place, opaque)?];
        Ok(Self { opaque, place, names: Vec::new(), hides, steps: 0 })
    }

    /// Returns what the layer says about `path`, relative to its root, without following links.
    ///
    /// # Errors
    ///
    /// If the layer cannot be read.
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
                    // A file on the way hides any folder of that name in the layers below.
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

/// Whether a file is a whiteout, which marks a removed one.
#[must_use]
pub fn is_whiteout(stat: &Stat) -> bool {
    fs::file_type(stat) == FileType::CharacterDevice && fs::device_numbers(stat.st_rdev) == (0, 0)
}

/// Whether a folder hides what the layers below have in it.
///
/// # Errors
///
/// If its attributes cannot be read.
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
