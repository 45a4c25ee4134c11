//! The root in which paths are resolved, opened for one call.

use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::OFlags;

use super::error::{Error, Result};
use super::mount::Mount;
use crate::base::disk::Lock;
use crate::layer::marks::Marks;
use crate::sys::fs;

/// An open root. Its mounts are dropped before the lock that keeps others from mounting it.
pub(crate) struct Root {
    pub(crate) tree: OwnedFd,
    /// Keeps the mounts attached.
    pub(crate) _namespace: Option<OwnedFd>,
    /// How a container's files differ from its image.
    pub(crate) marks: Option<Marks>,
    /// The mounts of the container's configuration.
    pub(crate) mounts: Vec<Mount>,
    pub(crate) whose: Whose,
    /// Keeps others from mounting it.
    pub(crate) _lock: Option<Lock>,
}

/// The owner of the root, which determines what can be changed.
#[derive(Clone, Copy)]
pub(crate) enum Whose {
    Machine,
    Image,
    Running,
    /// It is mounted read-only for reading, so only the configuration says what can be changed.
    Stopped {
        is_read_only: bool,
    },
}

/// An open folder.
pub(crate) struct Folder {
    /// Open for reading and searching.
    pub(crate) dir: OwnedFd,
    /// Its path in the root.
    pub(crate) path: PathBuf,
}

pub(crate) const IMAGE: &str = "an image cannot be changed";
const READ_ONLY: &str = "the container's root file system is read-only";
const MOUNT: &str = "the file system there is read-only";
const TMPFS: &str = "a tmpfs is empty while the container is not running";

impl Root {
    /// Creates a root without mounts.
    pub(crate) fn plain(tree: OwnedFd, whose: Whose) -> Self {
        Self { tree, _namespace: None, marks: None, mounts: Vec::new(), whose, _lock: None }
    }

    pub(crate) fn tree(&self) -> &OwnedFd {
        &self.tree
    }

    /// Whether a file is on the root's own mount, rather than on one inside it.
    pub(crate) fn is_on_own_mount(&self, place: &OwnedFd) -> Result<bool> {
        Ok(fs::mount_id(place)? == fs::mount_id(&self.tree)?)
    }

    /// Fails if a file cannot be changed.
    pub(crate) fn changeable(&self, place: &OwnedFd, path: &Path) -> Result<()> {
        self.read_only(place, path)?.map_or(Ok(()), |why| Err(Error::ReadOnly(why)))
    }

    /// Returns why a file cannot be changed; `None` if it can.
    pub(crate) fn read_only(&self, place: &OwnedFd, path: &Path) -> Result<Option<&'static str>> {
        let is_own = self.is_on_own_mount(place)?;
        let is_in_tmpfs = || self.mounts.iter().any(|it| it.is_tmpfs && path.starts_with(&it.target));
        Ok(match self.whose {
            Whose::Image => Some(IMAGE),
            Whose::Stopped { is_read_only } if is_own => is_read_only.then_some(READ_ONLY),
            _ if !fs::is_read_only(place)? => None,
            Whose::Running if is_own => Some(READ_ONLY),
            Whose::Stopped { .. } if is_in_tmpfs() => Some(TMPFS),
            _ => Some(MOUNT),
        })
    }

    /// Opens the folder `path`, resolving symbolic links inside this root.
    pub(crate) fn folder(&self, path: &Path) -> Result<Folder> {
        let (dir, path) = self.resolve(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
        Ok(Folder { dir, path })
    }

    /// Opens the folder `path` to change its entries.
    pub(crate) fn folder_to_change(&self, path: &Path) -> Result<Folder> {
        let folder = self.folder(path)?;
        self.changeable(&folder.dir, &folder.path)?;
        Ok(folder)
    }

    /// Opens `path` with `O_PATH`, resolving symbolic links inside this root.
    pub(crate) fn place(&self, path: &Path) -> Result<OwnedFd> {
        Ok(self.resolve(path, OFlags::PATH)?.0)
    }

    fn resolve(&self, path: &Path, flags: OFlags) -> Result<(OwnedFd, PathBuf)> {
        let opened = fs::open_in_root(&self.tree, path, flags);
        let real = opened.as_ref().ok().map(|file| self.real_path(file)).transpose()?.flatten();
        let real = real.unwrap_or_else(|| cleaned(path));
        match self.mounts.iter().find_map(|mount| mount.refusal(&real)) {
            Some(why) => Err(why),
            None => Ok((opened?, real)),
        }
    }

    /// Resolves the targets of mounts, following symbolic links of the image.
    pub(crate) fn find_mounts(&mut self) -> Result<()> {
        for at in 0..self.mounts.len() {
            let place = fs::open_in_root(&self.tree, &self.mounts[at].target, OFlags::PATH);
            if let Ok(place) = place
                && let Some(path) = self.real_path(&place)?
            {
                self.mounts[at].target = path;
            }
        }
        Ok(())
    }

    /// Returns the path of an open file in this root, if the kernel knows one. Names can contain
    /// anything, so the path is checked by opening it.
    pub(crate) fn real_path(&self, file: &OwnedFd) -> Result<Option<PathBuf>> {
        let path = fs::path_of(file)?;
        let Ok(there) = fs::open_in_root(&self.tree, &path, OFlags::PATH | OFlags::NOFOLLOW) else {
            return Ok(None);
        };
        let (asked, found) = (fs::stat(file)?, fs::stat(&there)?);
        let is_it = (asked.st_dev, asked.st_ino) == (found.st_dev, found.st_ino);
        Ok(is_it.then_some(path))
    }
}

/// Returns `path` from the root, without `.` and `..`.
pub(crate) fn cleaned(path: &Path) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => drop(clean.pop()),
            _ => {}
        }
    }
    clean
}
