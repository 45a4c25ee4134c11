//! The root that paths are resolved in, opened for one call.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::error::{Done, Error, Fault};
use super::mounts::{self, Mount};
use super::{MOST_ENTRIES, Place};
use crate::base::disk::Lock;
use crate::container::{Process, Record, Status, store};
use crate::engine::Engine;
use crate::engine::error::Doing;
use crate::layer::marks::Marks;
use crate::snapshot::{self, Layout};
use crate::sys::probe::Probe;
use crate::sys::{fs, process};

/// What a root is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Read,
    Change,
}

/// An open root. Its mounts go before the lock that kept others from mounting it.
pub(super) struct Root {
    tree: OwnedFd,
    _namespace: Option<OwnedFd>,
    /// How a container's files differ from its image.
    pub(super) marks: Option<Marks>,
    /// What the container's configuration mounts.
    pub(super) mounts: Vec<Mount>,
    whose: Whose,
    _lock: Option<Lock>,
}

#[derive(Clone, Copy)]
enum Whose {
    Machine,
    Image,
    Running,
    /// To be looked at it is mounted read-only, so only the configuration tells.
    Stopped {
        is_read_only: bool,
    },
}

/// An open folder.
pub(super) struct Folder {
    /// To be read and searched.
    pub(super) dir: OwnedFd,
    /// Where it is in its root.
    pub(super) path: PathBuf,
}

const IMAGE: &str = "an image cannot be changed";
const READ_ONLY: &str = "the container's root file system is read-only";
const MOUNT: &str = "the file system there is read-only";
const TMPFS: &str = "a tmpfs is empty while the container does not run";
/// How often a container is looked at anew that ends while it is looked at.
const TRIES: u32 = 5;

impl Root {
    /// Opens the root of `place`.
    pub(super) fn open(engine: &Engine, place: &Place, wish: Wish) -> Done<Self> {
        match (place, wish) {
            (Place::Host, _) => Ok(Self::plain(fs::open_dir(Path::new("/"))?, Whose::Machine)),
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

    fn plain(tree: OwnedFd, whose: Whose) -> Self {
        Self { tree, _namespace: None, marks: None, mounts: Vec::new(), whose, _lock: None }
    }

    pub(super) fn tree(&self) -> &OwnedFd {
        &self.tree
    }

    /// Whether a place is on this root's own mount, not on one in it.
    pub(super) fn is_on_own_mount(&self, place: &OwnedFd) -> Done<bool> {
        Ok(fs::mount_id(place)? == fs::mount_id(&self.tree)?)
    }

    /// Fails when a place cannot be changed.
    pub(super) fn changeable(&self, place: &OwnedFd, path: &Path) -> Done<()> {
        self.read_only(place, path)?.map_or(Ok(()), |why| Err(Error::ReadOnly(why).into()))
    }

    /// Why a place cannot be changed; `None` when it can.
    pub(super) fn read_only(&self, place: &OwnedFd, path: &Path) -> Done<Option<&'static str>> {
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

    /// Opens the folder `path`, whatever links lead to it inside this root.
    pub(super) fn folder(&self, path: &Path) -> Done<Folder> {
        let (dir, path) = self.resolve(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
        Ok(Folder { dir, path })
    }

    /// The same, to change what is in it.
    pub(super) fn folder_to_change(&self, path: &Path) -> Done<Folder> {
        let folder = self.folder(path)?;
        self.changeable(&folder.dir, &folder.path)?;
        Ok(folder)
    }

    /// Opens `path` as a mere place, links followed inside this root.
    pub(super) fn place(&self, path: &Path) -> Done<OwnedFd> {
        Ok(self.resolve(path, OFlags::PATH)?.0)
    }

    fn resolve(&self, path: &Path, flags: OFlags) -> Done<(OwnedFd, PathBuf)> {
        let opened = fs::open_in_root(&self.tree, path, flags);
        let real = opened.as_ref().ok().map(|file| self.real_path(file)).transpose()?.flatten();
        let real = real.unwrap_or_else(|| cleaned(path));
        match self.mounts.iter().find_map(|mount| mount.refusal(&real)) {
            Some(why) => Err(why.into()),
            None => Ok((opened?, real)),
        }
    }

    /// Sees where the links of the image have taken what is mounted.
    fn find_mounts(&mut self) -> Done<()> {
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

    /// The path of an open file in this root, where the kernel knows one that leads to it:
    /// names can be anything, and what it says is only believed when it is so.
    pub(super) fn real_path(&self, file: &OwnedFd) -> Done<Option<PathBuf>> {
        let path = fs::path_of(file)?;
        let Ok(there) = fs::open_in_root(&self.tree, &path, OFlags::PATH | OFlags::NOFOLLOW) else {
            return Ok(None);
        };
        let (asked, found) = (fs::stat(file)?, fs::stat(&there)?);
        let is_it = (asked.st_dev, asked.st_ino) == (found.st_dev, found.st_ino);
        Ok(is_it.then_some(path))
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
            return Err(Error::Restarting.into());
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
    Err(Error::Busy.into())
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
        return Err(Error::Busy.into());
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

/// `path` from the root on, without `.` and `..`.
pub(super) fn cleaned(path: &Path) -> PathBuf {
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
