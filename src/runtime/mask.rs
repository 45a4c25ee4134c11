//! Hides paths or makes them read-only, after everything is mounted.
//!
//! A hidden file is covered by a null device of the container, not by the host's node, whose mode
//! could be changed with CAP_SYS_ADMIN after a remount, nor by a file of the image
//! (CVE-2025-31133). In a user namespace, where nodes cannot be created, an empty file is used. All
//! hidden directories are covered by the same empty tmpfs.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::FileType;

use super::attach::set_context;
use super::state::State;
use super::{Result, target};
use crate::sys::fs;
use crate::sys::mount::{self, Attrs, Depth, Filesystem, Propagation};

/// Hides `linux.maskedPaths`.
pub(super) fn mask(state: &mut State<'_>) -> Result<()> {
    let spec = state.plan.spec;
    let paths = spec.linux().as_ref().and_then(|linux| linux.masked_paths().as_ref());
    let label = state.plan.mount_label.as_deref();
    let mut covers = Covers { label, file: None, directory: None };
    let root = fs::open_place(Path::new("/"))?;
    for path in paths.into_iter().flatten() {
        let place = target::open_existing(root.as_fd(), Path::new(path))?;
        if let Some(place) = place {
            covers.put_over(place.as_fd()).map_err(|error| error.in_step(format!("mask {path}")))?;
        }
    }
    Ok(())
}

/// The mounts that cover hidden paths.
struct Covers<'a> {
    label: Option<&'a str>,
    file: Option<OwnedFd>,
    directory: Option<OwnedFd>,
}

impl Covers<'_> {
    fn put_over(&mut self, place: BorrowedFd<'_>) -> Result<()> {
        let is_directory = fs::file_type(&fs::stat(place)?) == FileType::Directory;
        let known = if is_directory { &mut self.directory } else { &mut self.file };
        // A detached mount can be attached only once, so further uses need a copy.
        let cover = match known {
            Some(attached) => mount::open_tree(attached.as_fd(), "", Depth::One)?,
            None if is_directory => empty_directory(self.label)?,
            None => null(self.label)?,
        };
        mount::attach(cover.as_fd(), place)?;
        known.get_or_insert(cover);
        Ok(())
    }
}

const HARMLESS: Attrs = Attrs::MOUNT_ATTR_NOSUID.union(Attrs::MOUNT_ATTR_NOEXEC);

fn empty_directory(label: Option<&str>) -> Result<OwnedFd> {
    Ok(tmpfs(label)?.mount(HARMLESS | Attrs::MOUNT_ATTR_RDONLY | Attrs::MOUNT_ATTR_NODEV)?)
}

/// Returns a tmpfs with room for its root and one file.
fn tmpfs(label: Option<&str>) -> Result<Filesystem> {
    let mut tmpfs = Filesystem::new("tmpfs")?;
    tmpfs.set("mode", "555")?;
    tmpfs.set("nr_blocks", "1")?;
    tmpfs.set("nr_inodes", "2")?;
    set_context(&mut tmpfs, label)?;
    Ok(tmpfs)
}

/// Returns a detached mount of a null device of its own, or of an empty file if devices cannot be
/// created.
fn null(label: Option<&str>) -> Result<OwnedFd> {
    let (folder, name) = (tmpfs(label)?.mount(HARMLESS)?, OsStr::new("null"));
    match fs::mknod_at(&folder, name, FileType::CharacterDevice, 0o666, fs::device(1, 3)) {
        Err(error) if error.is(rustix::io::Errno::PERM) => drop(fs::create_at(&folder, name, 0o444)?),
        made => made?,
    }
    // Only part of an attached mount can be cloned. Attach it over the root for a moment; this
    // process already uses the root below.
    let root = fs::open_place(Path::new("/"))?;
    mount::attach(folder.as_fd(), root.as_fd())?;
    let file = mount::open_tree(folder.as_fd(), name, Depth::One)?;
    fs::change_dir(&folder)?;
    mount::detach(Path::new("."))?;
    fs::change_dir(&root)?;
    // If the root is shared, so is what was mounted over it.
    mount::set_propagation(file.as_fd(), Depth::One, Propagation::Private)?;
    mount::set_attrs(file.as_fd(), Depth::One, Attrs::MOUNT_ATTR_RDONLY, Attrs::empty())?;
    Ok(file)
}

/// Makes `linux.readonlyPaths` read-only, including everything below them.
pub(super) fn make_read_only(state: &mut State<'_>) -> Result<()> {
    let linux = state.plan.spec.linux().as_ref();
    let paths = linux.and_then(|linux| linux.readonly_paths().as_ref());
    let root = fs::open_place(Path::new("/"))?;
    for path in paths.into_iter().flatten() {
        let make = || -> Result<()> {
            let Some(place) = target::open_existing(root.as_fd(), Path::new(path))? else { return Ok(()) };
            let copy = mount::open_tree(place.as_fd(), "", Depth::Tree)?;
            mount::set_attrs(copy.as_fd(), Depth::Tree, Attrs::MOUNT_ATTR_RDONLY, Attrs::empty())?;
            Ok(mount::attach(copy.as_fd(), place.as_fd())?)
        };
        make().map_err(|error| error.in_step(format!("make {path} read-only")))?;
    }
    Ok(())
}
