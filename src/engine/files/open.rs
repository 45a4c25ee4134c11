//! Opens the root in which paths are resolved, for one call.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use super::{MOST_ENTRIES, Place, Refusal, mounts};
use crate::base::disk::Lock;
use crate::container::{Record, Status, store};
use crate::engine::Engine;
use crate::engine::container::Stored;
use crate::engine::error::{Doing, Result};
use crate::files::process::{self, MountedRoot};
use crate::files::root::{IMAGE, Root, Whose};
use crate::files::{self, Error};
use crate::layer::marks::Marks;
use crate::snapshot::{self, Layout};
use crate::sys::fs;
use crate::sys::probe::Probe;

/// Maximum number of attempts for a container whose state changes meanwhile.
const TRIES: u32 = 5;

/// The purpose for which a root is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Read,
    Change,
}

/// Opens the root of `place`.
pub(super) fn root(
    engine: &Engine,
    place: &Place,
    wish: Wish,
    doing: impl Fn() -> String + Copy,
) -> Result<Root> {
    match (place, wish) {
        (Place::Host, _) => Ok(Root::plain(fs::open_dir(Path::new("/")).doing(doing)?, Whose::Machine)),
        (Place::Container(name), _) => container(engine, name, wish, doing),
        (Place::Image(_) | Place::Layers(..), Wish::Change) => Err(Error::ReadOnly(IMAGE)).doing(doing),
        (Place::Image(name), Wish::Read) => image(engine.image_detail(name)?.folders, doing),
        (Place::Layers(name, count), Wish::Read) => {
            let detail = engine.image_detail(name)?;
            let image_store = engine.image_store()?;
            let folders = detail.image.layers.iter().take(*count).rev();
            let folders = folders.map(|layer| Ok(image_store.layer_dir(layer)?.join("diff")));
            let folders: crate::image::Result<Vec<_>> = folders.collect();
            image(folders.doing(|| format!("find the layers of {name}"))?, doing)
        }
    }
}

fn image(folders: Vec<PathBuf>, doing: impl Fn() -> String) -> Result<Root> {
    let layout = Layout { lower: folders, ..Layout::default() };
    Ok(Root::plain(snapshot::mount(&layout, &probe()?).doing(doing)?, Whose::Image))
}

fn probe() -> Result<Probe> {
    Probe::now().doing(|| "determine what this kernel supports")
}

fn container(engine: &Engine, name: &str, wish: Wish, doing: impl Fn() -> String + Copy) -> Result<Root> {
    let running = |pidfd: BorrowedFd<'_>, folder: &Path, _| process::root(pidfd, folder);
    let Opened { record, tree, lock } = opened(engine, name, wish, running, doing)?;
    let folder = engine.paths().container(&record.id);
    let (namespace, mounts, whose) = match lock {
        None => (None, mounts::configured(&record), Whose::Running),
        Some(_) => {
            let (namespace, mounts) = mounts::attach(&tree, &record, &folder).doing(doing)?;
            (namespace, mounts, Whose::Stopped { is_read_only: record.config.mounts.read_only })
        }
    };
    let layers = record.layers.iter().map(|layer| engine.paths().layers().join(layer));
    let in_user_namespace = probe()?.in_user_namespace;
    let marks = Marks::open(&folder.join("upper"), layers, in_user_namespace, MOST_ENTRIES).doing(doing)?;
    let mut root = Root { tree, _namespace: namespace, marks, mounts, whose, _lock: lock };
    root.find_mounts().doing(doing)?;
    Ok(root)
}

/// Opens the root file system of a container without what is mounted in it; also returns its
/// record. The root is detached and read-only. No lock is held, so the container may be started,
/// stopped and removed meanwhile.
///
/// # Errors
///
/// If there is no such container, or while it is being started, stopped or restarted.
pub(in crate::engine) fn root_alone(
    engine: &Engine,
    name: &str,
    doing: impl Fn() -> String + Copy,
) -> Result<(Record, OwnedFd)> {
    let Opened { record, tree, .. } = opened(engine, name, Wish::Read, process::root_alone, doing)?;
    Ok((record, tree))
}

/// A container whose root is open.
struct Opened {
    record: Record,
    tree: OwnedFd,
    /// For a container that is not running: the lock that keeps others from mounting its root.
    lock: Option<Lock>,
}

/// Opens the root of a container in its current state; tries again if the state changes meanwhile.
/// For a running container, `running` opens the root of its process, given by its pidfd, its folder
/// in /proc, and the root that was mounted for it.
fn opened(
    engine: &Engine,
    name: &str,
    wish: Wish,
    running: impl Fn(BorrowedFd<'_>, &Path, MountedRoot) -> files::Result<Option<OwnedFd>>,
    doing: impl Fn() -> String + Copy,
) -> Result<Opened> {
    for _ in 0..TRIES {
        let Stored { record, run, status, .. } = engine.get(name)?;
        if status == Status::Restarting {
            return Err(Refusal::Restarting).doing(doing);
        }
        let mounted = MountedRoot {
            device: run.as_ref().and_then(|run| run.root_device),
            inode: run.as_ref().and_then(|run| run.root_inode),
        };
        let opened = match run.and_then(|run| run.init()).filter(|_| status.is_up()) {
            Some(init) => match init.open().doing(doing)? {
                Some(pidfd) => {
                    running(pidfd.as_fd(), &init.folder(), mounted).doing(doing)?.map(|tree| (tree, None))
                }
                None => None,
            },
            None => stopped(engine, &record, wish, doing)?.map(|(tree, lock)| (tree, Some(lock))),
        };
        if let Some((tree, lock)) = opened {
            return Ok(Opened { record, tree, lock });
        }
    }
    Err(Error::Busy).doing(doing)
}

/// Mounts the root of a stopped container under its lock. Returns `None` if it was started
/// meanwhile.
fn stopped(
    engine: &Engine,
    record: &Record,
    wish: Wish,
    doing: impl Fn() -> String,
) -> Result<Option<(OwnedFd, Lock)>> {
    let (paths, id) = (engine.paths(), &record.id);
    let opening = || format!("open the files of `{}`", record.name);
    let lock = store::lock(paths, id).doing(opening)?;
    engine.wait_for_ending_monitor(id, opening)?;
    if store::load_run(paths, id).doing(opening)?.is_some() {
        return Ok(None);
    }
    let layers = paths.layers();
    let mut lower: Vec<PathBuf> = record.layers.iter().map(|layer| layers.join(layer)).collect();
    let folder = paths.container(id);
    let upper = folder.join("upper");
    let layout = match wish {
        // Two mounts may read the same upper folder, but only one may write to it.
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
    Ok(Some((snapshot::mount(&layout, &probe()?).doing(doing)?, lock)))
}
