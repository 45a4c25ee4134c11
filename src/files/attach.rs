//! Attaches mounts in a private root.
//!
//! The root, a detached tree, becomes the root of its own mount namespace, and each mount is
//! attached where a start would attach it: to a descriptor resolved inside the root. From then on
//! the kernel resolves symbolic links and `..` there as in a running container. The namespace
//! exists as long as its descriptor.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::beside;
use super::mount::Missing;
use crate::sys::mount::{self, Attrs, Depth, Filesystem, Propagation};
use crate::sys::ns::{self, Namespace, Namespaces};
use crate::sys::{self, fs};

/// A tree to be attached.
pub(crate) struct Source {
    target: PathBuf,
    tree: sys::Result<OwnedFd>,
}

impl Source {
    /// Creates a source from a file or folder of this machine, with or without the mounts in it.
    /// `read_only` says whether and how deep it is read-only.
    pub(crate) fn bind(target: PathBuf, source: &Path, depth: Depth, read_only: Option<Depth>) -> Self {
        let open = || {
            let tree = mount::open_tree_at(source, depth)?;
            if let Some(depth) = read_only {
                mount::set_attrs(tree.as_fd(), depth, Attrs::MOUNT_ATTR_RDONLY, Attrs::empty())?;
            }
            Ok(tree)
        };
        Self { target, tree: open() }
    }

    /// Creates an empty folder.
    pub(crate) fn empty(target: PathBuf) -> Self {
        let open = || Filesystem::new("tmpfs")?.mount(Attrs::MOUNT_ATTR_RDONLY);
        Self { target, tree: open() }
    }

    /// Whether it can be attached.
    pub(crate) fn is_there(&self) -> bool {
        self.tree.is_ok()
    }
}

/// The result for a source.
pub(crate) type Attached = std::result::Result<(), Missing>;

/// Attaches the sources in `root`. Returns a descriptor that keeps them attached, and the result
/// for each.
pub(crate) fn attach(root: &OwnedFd, sources: Vec<Source>) -> sys::Result<(OwnedFd, Vec<Attached>)> {
    // Whatever fails, no thread that does other work may remain in the namespace.
    beside(|| attach_here(root, sources))
}

/// Moves this thread into a mount namespace whose root is `root`, and attaches the sources.
fn attach_here(root: &OwnedFd, sources: Vec<Source>) -> sys::Result<(OwnedFd, Vec<Attached>)> {
    let own = Path::new("/proc/thread-self/ns/mnt");
    let home = ns::open_path(own)?;
    ns::unshare(Namespaces::NONE.with(Namespace::Mount))?;
    let namespace = ns::open_path(own)?;
    mount::set_root_propagation(Propagation::Private)?;
    mount::attach(root.as_fd(), fs::open_place(Path::new("/"))?.as_fd())?;
    fs::change_dir(root)?;
    mount::enter_root_here()?;
    let done = sources.into_iter().map(|source| attach_one(root, source)).collect();
    // A failure is harmless: the thread ends.
    let _ = ns::enter(home.as_fd(), Namespace::Mount);
    Ok((namespace, done))
}

fn attach_one(root: &OwnedFd, source: Source) -> Attached {
    let failed = |error| Missing::Source(Arc::new(error));
    let tree = source.tree.map_err(failed)?;
    let place = match fs::open_in_root(root, &source.target, OFlags::PATH) {
        Err(error) if error.is(Errno::NOENT) => return Err(Missing::Place),
        result => result.map_err(failed)?,
    };
    // Otherwise mounts attached to the copy would propagate to the original.
    mount::set_propagation(tree.as_fd(), Depth::Tree, Propagation::Private).map_err(failed)?;
    mount::attach(tree.as_fd(), place.as_fd()).map_err(failed)
}
