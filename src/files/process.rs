//! The root of a running process: as the process sees it, or only its file system.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::io::Errno;

use super::beside;
use super::error::{Error, Result};
use crate::sys::mount::{self, Attrs, Depth};
use crate::sys::ns::{self, Namespace, Namespaces};
use crate::sys::{self, fs, process};

/// Opens the root of the process of `pidfd`; `None` if it has exited meanwhile. `folder` is its
/// folder in /proc.
///
/// # Errors
///
/// [`Error::Busy`] while it is being set up.
pub(crate) fn root(pidfd: BorrowedFd<'_>, folder: &Path) -> Result<Option<OwnedFd>> {
    let Some(tree) = while_it_lives(pidfd, || fs::open_place(&folder.join("root")))? else { return Ok(None) };
    // During set-up it still has this machine's root.
    let (its, ours) = (fs::stat(&tree)?, fs::stat(fs::open_place(Path::new("/"))?)?);
    if (its.st_dev, its.st_ino) == (ours.st_dev, ours.st_ino) {
        return Err(Error::Busy);
    }
    Ok(Some(tree))
}

/// The root that was mounted for a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MountedRoot {
    /// The device number of its file system; `None` in a run of an older hoist.
    pub device: Option<u64>,
    /// Its inode number; `None` in a run of an older hoist.
    pub inode: Option<u64>,
}

/// Returns a read-only copy of the mount that is the root of the process's mount namespace; `None`
/// if it has exited meanwhile. `mounted` is the root that was mounted for it.
///
/// # Errors
///
/// [`Error::Covered`] if that is another root; [`Error::Busy`] while it is being set up.
pub(crate) fn root_alone(
    pidfd: BorrowedFd<'_>,
    folder: &Path,
    mounted: MountedRoot,
) -> Result<Option<OwnedFd>> {
    if root(pidfd, folder)?.is_none() {
        return Ok(None);
    }
    let namespace = while_it_lives(pidfd, || ns::open_path(&folder.join("ns/mnt")))?;
    let Some(namespace) = namespace else { return Ok(None) };
    // No thread that does other work may remain in the namespace.
    let tree = match beside(|| copied_root(&namespace)) {
        // In its own user namespace a program has mounts that cannot be separated.
        Err(error) if error.is(Errno::INVAL) => return Err(Error::Covered),
        tree => tree?,
    };
    // A privileged container can mount anything over it, including another overlay or a folder of it.
    let stat = fs::stat(&tree)?;
    let is_its_own = match mounted.device {
        Some(device) => stat.st_dev == device && mounted.inode.is_none_or(|inode| stat.st_ino == inode),
        None => fs::file_system(&tree)? == libc::OVERLAYFS_SUPER_MAGIC.cast_unsigned(),
    };
    if !is_its_own {
        return Err(Error::Covered);
    }
    Ok(Some(tree))
}

/// Opens a file in a process's folder in /proc; `None` if the process has exited, since the folder
/// may already belong to another one.
fn while_it_lives(
    pidfd: BorrowedFd<'_>,
    open: impl FnOnce() -> sys::Result<OwnedFd>,
) -> Result<Option<OwnedFd>> {
    let opened = match open() {
        Err(error) if error.is(Errno::NOENT) || error.is(Errno::SRCH) => return Ok(None),
        result => result?,
    };
    Ok((!process::has_ended(pidfd)?).then_some(opened))
}

/// Permanently moves this thread into a mount namespace, and copies its root, even if init has left
/// it with chroot(2).
fn copied_root(namespace: &OwnedFd) -> sys::Result<OwnedFd> {
    ns::unshare(Namespaces::NONE.with(Namespace::Mount))?; // setns(2) rejects threads that share CLONE_FS
    ns::enter(namespace.as_fd(), Namespace::Mount)?;
    let tree = mount::open_tree_at("/", Depth::One)?;
    let attrs = Attrs::MOUNT_ATTR_RDONLY | Attrs::MOUNT_ATTR_NODEV;
    mount::set_attrs(tree.as_fd(), Depth::One, attrs, Attrs::empty())?;
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_process_that_is_gone_or_not_set_up_has_no_root() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let (pidfd, folder) = (process::open(pid).unwrap(), std::path::PathBuf::from(format!("/proc/{pid}")));
        assert!(matches!(root(pidfd.as_fd(), &folder), Err(Error::Busy)), "it has this machine's root");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(matches!(root(pidfd.as_fd(), &folder), Ok(None)));
        assert!(matches!(
            root_alone(pidfd.as_fd(), &folder, MountedRoot { device: None, inode: None }),
            Ok(None)
        ));
        // The folder belongs to another process.
        assert!(matches!(root(pidfd.as_fd(), Path::new("/proc/self")), Ok(None)));
    }
}
