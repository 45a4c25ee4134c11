//! Opening the root that paths are resolved in, for one call.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::error::{Done, Fault, OpenError};
use super::{MOST_ENTRIES, Place, mounts};
use crate::base::disk::Lock;
use crate::container::{Process, Record, Status, store};
use crate::engine::Engine;
use crate::engine::error::Doing;
use crate::files::Error;
use crate::files::root::{IMAGE, Root, Whose};
use crate::layer::marks::Marks;
use crate::snapshot::{self, Layout};
use crate::sys::mount::{self, Attrs, Depth};
use crate::sys::ns::{self, Namespace, Namespaces};
use crate::sys::probe::Probe;
use crate::sys::{self, fs, process};

/// How often a container is looked at again that ends while it is looked at.
const TRIES: u32 = 5;

/// What a root is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Read,
    Change,
}

/// Opens the root of `place`.
pub(super) fn root(engine: &Engine, place: &Place, wish: Wish) -> Done<Root> {
    match (place, wish) {
        (Place::Host, _) => Ok(Root::plain(fs::open_dir(Path::new("/"))?, Whose::Machine)),
        (Place::Container(name), _) => container(engine, name, wish),
        (Place::Image(_) | Place::Layers(..), Wish::Change) => Err(Error::ReadOnly(IMAGE).into()),
        (Place::Image(name), Wish::Read) => {
            let detail = engine.image_detail(name).map_err(Fault::Told)?;
            image(detail.folders)
        }
        (Place::Layers(name, count), Wish::Read) => {
            let detail = engine.image_detail(name).map_err(Fault::Told)?;
            let doing = || format!("find the layers of {name}");
            let image_store = engine.image_store().map_err(Fault::Told)?;
            let folders = detail.image.layers.iter().take(*count).rev();
            let folders = folders.map(|layer| Ok(image_store.layer_dir(layer)?.join("diff")));
            let folders: crate::image::Result<Vec<_>> = folders.collect();
            image(folders.doing(doing).map_err(Fault::Told)?)
        }
    }
}

fn image(folders: Vec<PathBuf>) -> Done<Root> {
    let probe = probe()?;
    let layout = Layout { lower: folders, ..Layout::default() };
    Ok(Root::plain(snapshot::mount(&layout, &probe)?, Whose::Image))
}

fn probe() -> Done<Probe> {
    Probe::now().doing(|| "ask what this kernel permits").map_err(Fault::Told)
}

fn container(engine: &Engine, name: &str, wish: Wish) -> Done<Root> {
    for _ in 0..TRIES {
        let found = engine.get(name).map_err(Fault::Told)?;
        if found.status == Status::Restarting {
            return Err(OpenError::Restarting.into());
        }
        let init = found.run.as_ref().and_then(|run| run.init()).filter(|_| found.status.is_up());
        let is_up = init.is_some();
        let opened = match init {
            Some(init) => running(init)?.map(|tree| (tree, None)),
            None => stopped(engine, &found.record, wish)?.map(|(tree, lock)| (tree, Some(lock))),
        };
        let Some((tree, lock)) = opened else { continue };
        let record = &found.record;
        let (namespace, mounts, whose) = if is_up {
            (None, mounts::configured(record), Whose::Running)
        } else {
            let (namespace, mounts) = mounts::attach(&tree, record, &engine.paths().container(&record.id))?;
            (namespace, mounts, Whose::Stopped { is_read_only: record.config.mounts.read_only })
        };
        let paths = engine.paths();
        let layers = record.layers.iter().map(|layer| paths.layers().join(layer));
        let upper = paths.container(&record.id).join("upper");
        let marks = Marks::open(&upper, layers, probe()?.in_user_namespace, MOST_ENTRIES)?;
        let mut root = Root { tree, _namespace: namespace, marks, mounts, whose, _lock: lock };
        root.find_mounts()?;
        return Ok(root);
    }
    Err(OpenError::Busy.into())
}

/// The root file system of a container alone, without what is mounted in it, and its record. It is
/// detached, and cannot be written; no lock is held, so that it may be started, ended and removed
/// meanwhile.
pub(super) fn alone(engine: &Engine, name: &str) -> Done<(Record, OwnedFd)> {
    for _ in 0..TRIES {
        let found = engine.get(name).map_err(Fault::Told)?;
        if found.status == Status::Restarting {
            return Err(OpenError::Restarting.into());
        }
        let init = found.run.as_ref().and_then(|run| run.init()).filter(|_| found.status.is_up());
        let tree = match init {
            Some(init) => running_alone(init)?,
            None => stopped(engine, &found.record, Wish::Read)?.map(|(tree, _)| tree),
        };
        if let Some(tree) = tree {
            return Ok((found.record, tree));
        }
    }
    Err(OpenError::Busy.into())
}

/// A copy of the mount that is the root of a container's mount namespace; `None` when its first
/// process ended meanwhile.
fn running_alone(init: Process) -> Done<Option<OwnedFd>> {
    if running(init)?.is_none() {
        return Ok(None);
    }
    let namespace = match ns::open_path(&init.folder().join("ns/mnt")) {
        Err(error) if error.is(Errno::NOENT) || error.is(Errno::SRCH) => return Ok(None),
        result => result?,
    };
    // The pid was this process's all the time.
    if !init.is_alive() {
        return Ok(None);
    }
    // A thread of its own: none that does other work stays in there.
    let tree = std::thread::scope(|scope| {
        let beside = std::thread::Builder::new().spawn_scoped(scope, || copied_root(&namespace));
        let beside = sys::check(beside, || "clone()".to_owned())?;
        beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    let tree = match tree {
        // In a user namespace of its own a program has mounts that cannot be parted.
        Err(error) if error.is(Errno::INVAL) => return Err(OpenError::Covered.into()),
        tree => tree?,
    };
    if fs::file_system(&tree)? != libc::OVERLAYFS_SUPER_MAGIC.cast_unsigned() {
        return Err(OpenError::Covered.into());
    }
    Ok(Some(tree))
}

/// Moves this thread into a mount namespace for good, and copies its root, which the first process
/// may have left by chroot(2).
fn copied_root(namespace: &OwnedFd) -> sys::Result<OwnedFd> {
    ns::unshare(Namespaces::NONE.with(Namespace::Mount))?; // a thread that shares its folders cannot go
    ns::enter(namespace.as_fd(), Namespace::Mount)?;
    let tree = mount::open_tree_at("/", Depth::One)?;
    let attrs = Attrs::MOUNT_ATTR_RDONLY | Attrs::MOUNT_ATTR_NODEV;
    mount::set_attrs(tree.as_fd(), Depth::One, attrs, Attrs::empty())?;
    Ok(tree)
}

/// The root of a container's first process; `None` when that ended meanwhile.
fn running(init: Process) -> Done<Option<OwnedFd>> {
    let Ok(pid) = i32::try_from(init.pid) else { return Ok(None) };
    let Ok(pidfd) = process::open(pid) else { return Ok(None) };
    if !init.is_alive() {
        return Ok(None);
    }
    let tree = match fs::open_place(&init.folder().join("root")) {
        Err(error) if error.is(Errno::NOENT) || error.is(Errno::SRCH) => return Ok(None),
        result => result?,
    };
    // The pid was this process's before and is so now: the root is its root.
    if process::has_ended(pidfd.as_fd())? || !init.is_alive() {
        return Ok(None);
    }
    // While it is being set up it still has this machine's root.
    let (its, ours) = (fs::stat(&tree)?, fs::stat(fs::open_place(Path::new("/"))?)?);
    if (its.st_dev, its.st_ino) == (ours.st_dev, ours.st_ino) {
        return Err(OpenError::Busy.into());
    }
    Ok(Some(tree))
}

/// The root of a container that does not run, mounted under its lock; `None` when it was
/// started meanwhile.
fn stopped(engine: &Engine, record: &Record, wish: Wish) -> Done<Option<(OwnedFd, Lock)>> {
    let (paths, id) = (engine.paths(), &record.id);
    let doing = || format!("open the files of `{}`", record.name);
    let lock = store::lock(paths, id).doing(doing).map_err(Fault::Told)?;
    engine.wait_for_ending_monitor(id, doing).map_err(Fault::Told)?;
    if store::load_run(paths, id).doing(doing).map_err(Fault::Told)?.is_some() {
        return Ok(None);
    }
    let layers = paths.layers();
    let mut lower: Vec<PathBuf> = record.layers.iter().map(|layer| layers.join(layer)).collect();
    let folder = paths.container(id);
    let upper = folder.join("upper");
    let layout = match wish {
        // Two mounts may read an upper folder; only one may ever write to it.
        Wish::Read => {
            if upper.exists() {
                lower.insert(0, upper);
            }
            Layout { lower, ..Layout::default() }
        }
        Wish::Change => Layout {
            lower,
            upper: Some((upper, folder.join("work"))),
            read_only: record.config.mounts.read_only,
            ..Layout::default()
        },
    };
    Ok(Some((snapshot::mount(&layout, &probe()?)?, lock)))
}
