//! What the configuration of a container mounts, and how that is seen while it does not run.
//!
//! Its root, a detached tree, becomes the root of a mount namespace of its own, and each
//! mount is attached where a start would attach it: onto a descriptor that was found inside
//! the root. From then on the kernel follows links and `..` there as it does for a container
//! that runs, and nothing is mounted where anybody else sees it. The namespace lives as long
//! as its descriptor.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::shown;
use crate::container::spec::ETC_FILES;
use crate::container::{MountKind, MountRequest, Record, Submounts};
use crate::files::mount::{Missing, Mount};
use crate::files::root::cleaned;
use crate::sys::mount::{self, Attrs, Depth, Filesystem, Propagation};
use crate::sys::ns::{self, Namespace, Namespaces};
use crate::sys::{self, fs};

/// What the configuration mounts.
pub(super) fn configured(record: &Record) -> Vec<Mount> {
    record.config.mounts.list.iter().map(mount_of).collect()
}

fn mount_of(request: &MountRequest) -> Mount {
    let (shown, source) = match &request.kind {
        MountKind::Bind(bind) => (format!("→ {}", shown(&bind.source)), bind.source.clone()),
        MountKind::Tmpfs(_) | MountKind::Unknown(_) => (request.kind.as_str().to_owned(), PathBuf::new()),
    };
    let is_tmpfs = matches!(request.kind, MountKind::Tmpfs(_));
    Mount { target: cleaned(&request.target), shown, is_tmpfs, source, missing: None }
}

/// A tree to be attached.
struct Source {
    target: PathBuf,
    tree: sys::Result<OwnedFd>,
}

/// Attaches in `root` what a start of the container would, but for what is made for its
/// processes. Returns what keeps it attached, and what became of each mount of the configuration.
pub(super) fn attach(
    root: &OwnedFd,
    record: &Record,
    folder: &Path,
) -> sys::Result<(Option<OwnedFd>, Vec<Mount>)> {
    let mut sources = etc(record, folder);
    let first = sources.len();
    sources.extend(record.config.mounts.list.iter().map(source));
    if sources.is_empty() {
        return Ok((None, Vec::new()));
    }
    // A thread of its own: whatever fails, none that does other work stays in there.
    let (namespace, done) = std::thread::scope(|scope| {
        let beside = std::thread::Builder::new().spawn_scoped(scope, || attach_here(root, sources));
        let beside = sys::check(beside, || "clone()".to_owned())?;
        beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    let mut mounts = configured(record);
    for (mount, done) in mounts.iter_mut().zip(done.into_iter().skip(first)) {
        mount.missing = done.err();
        if matches!(mount.missing, Some(Missing::Source(_))) {
            mount.shown.insert_str(0, "missing ");
        }
    }
    Ok((Some(namespace), mounts))
}

/// The files of /etc that are each container's own, as its last run left them.
fn etc(record: &Record, folder: &Path) -> Vec<Source> {
    let of = |name: &&str| {
        let target = Path::new("/etc").join(name);
        let is_replaced = record.config.mounts.list.iter().any(|mount| mount.target == target);
        let tree = (!is_replaced).then(|| mount::open_tree_at(folder.join("etc").join(name), Depth::One));
        // Before the first run there are none.
        tree.filter(Result::is_ok).map(|tree| Source { target, tree })
    };
    ETC_FILES.iter().filter_map(of).collect()
}

fn source(request: &MountRequest) -> Source {
    let open = || match &request.kind {
        MountKind::Bind(bind) => {
            let depth = if bind.recursive { Depth::Tree } else { Depth::One };
            let tree = mount::open_tree_at(&bind.source, depth)?;
            if request.read_only {
                let depth = if bind.submounts == Submounts::Writable { Depth::One } else { Depth::Tree };
                mount::set_attrs(tree.as_fd(), depth, Attrs::MOUNT_ATTR_RDONLY, Attrs::empty())?;
            }
            Ok(tree)
        }
        // What was in it went with its run, and what is put there now would not be in the next.
        MountKind::Tmpfs(_) | MountKind::Unknown(_) => {
            Filesystem::new("tmpfs")?.mount(Attrs::MOUNT_ATTR_RDONLY)
        }
    };
    Source { target: request.target.clone(), tree: open() }
}

type Attached = std::result::Result<(), Missing>;

/// Puts this thread into a mount namespace whose root is `root`, and attaches the sources.
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
    // Nothing is lost when it fails: the thread ends.
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
    // What is attached to a copy that shares its mounts would be attached to the original.
    mount::set_propagation(tree.as_fd(), Depth::Tree, Propagation::Private).map_err(failed)?;
    mount::attach(tree.as_fd(), place.as_fd()).map_err(failed)
}
