//! Opens a procfs of a pid namespace that this process does not belong to.
//!
//! A new procfs shows the pid namespace of the process that mounts it. Entering that namespace just
//! to mount it would expose a process with all privileges. Therefore the kernel is asked for a
//! procfs of another namespace. Where that is not supported (before Linux 6.17), a procfs that a
//! process in there already uses is taken.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::Stat;

use super::{Error, Result, target};
use crate::sys::mount::{self, Attrs, Depth, Filesystem, Propagation};
use crate::sys::ns::{self, Namespace};
use crate::sys::{self, fs};

/// Returns a detached procfs that shows the processes of this pid namespace.
pub(super) fn of(pid_namespace: &OwnedFd) -> Result<OwnedFd> {
    match new(pid_namespace) {
        Err(error) if error.is(rustix::io::Errno::INVAL) => existing(pid_namespace),
        result => Ok(result?),
    }
}

fn new(pid_namespace: &OwnedFd) -> sys::Result<OwnedFd> {
    let mut procfs = Filesystem::new("proc")?;
    procfs.set_fd("pidns", pid_namespace.as_fd())?;
    procfs.mount(Attrs::empty())
}

/// Returns a copy of what a process of the namespace has mounted at `/proc`, after checking that it
/// is a procfs of that namespace.
fn existing(pid_namespace: &OwnedFd) -> Result<OwnedFd> {
    let wanted = fs::stat(pid_namespace)?;
    let home = ns::of_self(Namespace::Mount)?;
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    for pid in pids.filter(|pid| is_in(*pid, &wanted)) {
        let Ok(theirs) = ns::open(pid, Namespace::Mount) else { continue }; // it has exited
        ns::enter(theirs.as_fd(), Namespace::Mount)?;
        let tree = mount::open_tree_at("/proc", Depth::One);
        ns::enter(home.as_fd(), Namespace::Mount)?;
        if let Ok(tree) = tree
            && shows(&tree, &wanted)?
        {
            mount::set_propagation(tree.as_fd(), Depth::One, Propagation::Private)?;
            mount::set_attrs(tree.as_fd(), Depth::One, Attrs::empty(), Attrs::MOUNT_ATTR_RDONLY)?;
            return Ok(tree);
        }
    }
    Err(Error::spec("linux.namespaces", "no process in the pid namespace has mounted its procfs"))
}

fn is_in(pid: i32, wanted: &Stat) -> bool {
    let found = ns::open(pid, Namespace::Pid).and_then(fs::stat);
    found.is_ok_and(|found| is_same(&found, wanted))
}

/// Whether a procfs shows the wanted namespace, which is that of its process 1.
fn shows(tree: &OwnedFd, wanted: &Stat) -> Result<bool> {
    if !target::is_procfs(tree)? {
        return Ok(false);
    }
    let first = fs::stat_followed(tree, Path::new("1/ns/pid"));
    Ok(first.is_ok_and(|first| is_same(&first, wanted)))
}

fn is_same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}
