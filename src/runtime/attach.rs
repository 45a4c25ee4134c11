//! Init's mounts: each is attached to a descriptor that was resolved inside the root.

use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, OFlags};

use super::copyup;
use super::options::Now;
use super::prepare::{Device, Mount, What, set_attributes, set_propagation};
use super::state::State;
use super::support::lexical;
use super::target::{self, Kind};
use super::{Error, Result};
use crate::sys::fs;
use crate::sys::mount::{self, Attrs, Depth, Filesystem};
use crate::sys::selinux;
use crate::sys::tree;

/// Performs the mounts in the order of the spec.
pub(super) fn mount_all(state: &mut State<'_>) -> Result<()> {
    let mounts = std::mem::take(&mut state.plan.mounts);
    for mount in &mounts {
        let name = || format!("mount {}", mount.destination.display());
        mount_one(state, mount).map_err(|error| error.in_step(name()))?;
    }
    Ok(())
}

fn mount_one(state: &mut State<'_>, mount: &Mount) -> Result<()> {
    let root = state.plan.root.as_fd();
    let plain = lexical(&mount.destination);
    let is_directory = !matches!(mount.what, What::Tree { is_directory: false, .. });
    let refuse = |why: &str| Error::spec(&format!("mounts[{}]", mount.destination.display()), why);
    let covers = mount.makes("tmpfs") && target::open_existing(root, &mount.destination)?.is_some();
    let target = match plain.to_str() {
        Some("") => return Err(Error::spec("mounts", "cannot mount over the root")),
        _ if mount.refuses_links => target::ordinary_directory(root, &plain)?
            .ok_or_else(|| refuse("the root file system has a symbolic link or a file there"))?,
        // Symbolic links of the image must not redirect these three (CVE-2026-41579).
        Some("proc" | "sys" | "dev") => target::own_directory(root, plain.as_os_str())?,
        _ => target::open_or_make(
            root,
            &mount.destination,
            if is_directory { Kind::Directory } else { Kind::File },
        )?,
    };
    if target::is_procfs(&target)? && !plain.starts_with("proc") {
        return Err(refuse("the destination resolves to a path in /proc"));
    }
    match &mount.what {
        What::Tree { tree, .. } => {
            if plain == Path::new("proc") && !target::is_procfs(tree)? {
                return Err(Error::spec("mounts[/proc]", "the source is not a procfs"));
            }
            mount::attach(tree.as_fd(), target.as_fd())?;
        }
        What::New { kind, source } => {
            let tree = new_filesystem(state, mount, kind, source.as_deref())?;
            if covers {
                cover(mount, target.as_fd(), tree.as_fd())?;
            }
            set_late(mount, &tree)?;
            mount::attach(tree.as_fd(), target.as_fd())?;
            set_propagation(&tree, &mount.options)?;
            if kind == "devpts" && plain == Path::new("dev/pts") {
                state.devpts = Some(tree);
            }
        }
        What::Cgroups(trees) => {
            mount_cgroups(mount, trees, target.as_fd(), state.plan.mount_label.as_deref())?;
        }
    }
    Ok(())
}

/// Prepares a tmpfs for the folder that it is going to cover: it has the folder's mode, as in other
/// runtimes, unless that is an option.
fn cover(mount: &Mount, folder: BorrowedFd<'_>, tmpfs: BorrowedFd<'_>) -> Result<()> {
    let stat = fs::stat(folder)?;
    let root = fs::reopen(tmpfs, OFlags::RDONLY | OFlags::DIRECTORY)?;
    if mount.options.copy_up {
        copyup::copy(folder, root.as_fd())?;
    }
    if !mount.options.data.iter().any(|(key, _)| key == "mode") {
        fs::chmod(&root, stat.st_mode & 0o7777)?;
    }
    Ok(())
}

fn new_filesystem(state: &mut State<'_>, mount: &Mount, kind: &str, source: Option<&str>) -> Result<OwnedFd> {
    if kind == "proc" && state.is_pid_namespace_joined() {
        let tree = state
            .joined_procfs
            .take()
            .ok_or_else(|| Error::spec("mounts", "there can be only one procfs"))?;
        set_attributes(&tree, &mount.options)?;
        return Ok(tree);
    }
    // The policy labels the files of these; the label of mqueue is set below.
    let label = state.plan.mount_label.as_deref().filter(|_| !["proc", "sysfs"].contains(&kind));
    let context = label.filter(|_| kind != "mqueue");
    // An unmapped group would only make the mount fail.
    let is_unmapped = |key: &str, value: Option<&str>| {
        let gid = value.and_then(|value| value.parse().ok());
        kind == "devpts" && key == "gid" && gid.is_some_and(|gid| !maps_gid(state, gid))
    };
    let data = mount.options.data.iter().map(|(key, value)| (key.as_str(), value.as_deref()));
    let data: Vec<_> = data.filter(|(key, value)| !is_unmapped(key, *value)).collect();
    let is_long =
        data.iter().any(|(_, value)| value.is_some_and(|value| value.len() > Filesystem::MAX_VALUE));
    let tree = if is_long {
        // The names of an overlay's layers, mostly.
        let mut options: Vec<_> = data.iter().map(|(key, value)| option(key, *value)).collect();
        options.extend(context.map(mount::context_option).transpose()?);
        let source = source.unwrap_or("none");
        let make = || mount::mount_classic(kind, source, Path::new("/proc"), &options.join(","));
        let tree = mount::apart(make)?;
        mount::set_attrs(tree.as_fd(), Depth::One, early(mount), Attrs::empty())?;
        tree
    } else {
        let mut filesystem = Filesystem::new(kind)?;
        if let Some(source) = source {
            filesystem.set("source", source)?;
        }
        set_context(&mut filesystem, context)?;
        for (key, value) in data {
            match value {
                Some(value) => filesystem.set(key, value)?,
                None => filesystem.set_flag(key)?,
            }
        }
        filesystem.mount(early(mount))?
    };
    if let (Some(label), "mqueue") = (label, kind) {
        selinux::label_place(&tree, label)?;
    }
    Ok(tree)
}

/// Returns the attributes of a mount from its creation on: nothing can be copied into one that is
/// read-only.
fn early(mount: &Mount) -> Attrs {
    let late = if mount.options.copy_up { Attrs::MOUNT_ATTR_RDONLY } else { Attrs::empty() };
    mount.options.own.of(Now::Relative).0.difference(late)
}

/// Sets the attributes that a new file system does not have yet.
fn set_late(mount: &Mount, tree: &OwnedFd) -> Result<()> {
    if mount.options.copy_up || !mount.options.all.is_empty() {
        set_attributes(tree, &mount.options)
    } else {
        Ok(())
    }
}

/// Writes an option as mount(8) takes it.
fn option(key: &str, value: Option<&str>) -> String {
    value.map_or_else(|| key.to_owned(), |value| format!("{key}={value}"))
}

/// Gives all files of a file system the same SELinux label, like the option `context=` of mount(8).
pub(super) fn set_context(filesystem: &mut Filesystem, label: Option<&str>) -> Result<()> {
    label.map_or(Ok(()), |label| Ok(filesystem.set("context", label)?))
}

/// Whether a group id is mapped in the container's user namespace.
fn maps_gid(state: &State<'_>, gid: u32) -> bool {
    state.plan.namespaces.maps_gid(gid).unwrap_or_else(|| state.plan.probe.maps_gid(gid))
}

/// Mounts the cgroups: a single v2 tree directly, v1 trees in directories of a tmpfs.
fn mount_cgroups(
    mount: &Mount,
    trees: &[(String, OwnedFd)],
    target: BorrowedFd<'_>,
    label: Option<&str>,
) -> Result<()> {
    if let [(name, tree)] = trees
        && name.is_empty()
    {
        set_attributes(tree, &mount.options)?;
        set_propagation(tree, &mount.options)?;
        return Ok(mount::attach(tree.as_fd(), target)?);
    }
    let mut tmpfs = Filesystem::new("tmpfs")?;
    tmpfs.set("source", "cgroup")?;
    set_context(&mut tmpfs, label)?;
    tmpfs.set("mode", "755")?;
    let attrs = Attrs::MOUNT_ATTR_NOSUID | Attrs::MOUNT_ATTR_NODEV | Attrs::MOUNT_ATTR_NOEXEC;
    let folder = tmpfs.mount(attrs)?;
    mount::attach(folder.as_fd(), target)?;
    for (name, tree) in trees {
        fs::mkdir_at(&folder, OsStr::new(name), 0o755)?;
        let place = fs::open_at(&folder, OsStr::new(name), OFlags::PATH | OFlags::DIRECTORY)?;
        set_attributes(tree, &mount.options)?;
        set_propagation(tree, &mount.options)?;
        mount::attach(tree.as_fd(), place.as_fd())?;
    }
    set_attributes(&folder, &mount.options)
}

/// Links that programs expect below `/dev`.
const LINKS: &[(&str, &str)] = &[
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// Creates the device nodes and links, unless `/dev` is a folder of the host.
pub(super) fn make_devices(state: &mut State<'_>) -> Result<()> {
    let is_host_dev = |mount: &crate::oci::runtime::Mount| {
        let options = mount.options().as_deref().unwrap_or_default();
        let bind =
            mount.typ().as_deref() == Some("bind") || options.iter().any(|o| o == "bind" || o == "rbind");
        bind && lexical(mount.destination()) == Path::new("dev")
    };
    if state.plan.spec.mounts().iter().flatten().any(is_host_dev) {
        return Ok(());
    }
    let root = state.plan.root.as_fd();
    for device in &state.plan.devices {
        let step = || format!("create device {}", device.path.display());
        make_device(root, device).map_err(|error| error.in_step(step()))?;
    }
    let dev = target::own_directory(root, OsStr::new("dev"))?;
    for (name, link_target) in LINKS {
        skip_existing(fs::symlink_at(OsStr::new(link_target), &dev, OsStr::new(name)))?;
    }
    Ok(())
}

fn make_device(root: BorrowedFd<'_>, device: &Device) -> Result<()> {
    let (parent, name) = target::parent_of(root, &device.path)?;
    remove_link(&parent, &name)?;
    if let Some(tree) = &device.tree {
        skip_existing(fs::create_at(&parent, &name, 0o666).map(drop))?;
        let place = fs::open_at(&parent, &name, OFlags::PATH)?;
        return Ok(mount::attach(tree.as_fd(), place.as_fd())?);
    }
    let number = fs::device(device.number.0, device.number.1);
    skip_existing(fs::mknod_at(&parent, &name, device.kind, device.mode, number))?;
    if device.owner != (0, 0) {
        fs::chown_at(&parent, &name, device.owner.0, device.owner.1)?;
    }
    Ok(())
}

/// Removes a symbolic link of the image that is in the place of a device.
fn remove_link(dir: &OwnedFd, name: &OsStr) -> Result<()> {
    match fs::open_at(dir, name, OFlags::PATH) {
        Ok(place) if fs::file_type(&fs::stat(&place)?) == FileType::Symlink => {
            Ok(tree::remove_at(dir, name)?)
        }
        _ => Ok(()),
    }
}

/// Ignores `EEXIST`, since a root file system may contain its own nodes.
fn skip_existing(made: crate::sys::Result<()>) -> Result<()> {
    match made {
        Err(error) if !error.is(rustix::io::Errno::EXIST) => Err(error.into()),
        _ => Ok(()),
    }
}

/// Mounts the terminal as `/dev/console`.
pub(super) fn make_console(root: BorrowedFd<'_>, terminal: BorrowedFd<'_>) -> Result<()> {
    let dev = target::own_directory(root, OsStr::new("dev"))?;
    let name = OsStr::new("console");
    remove_link(&dev, name)?;
    skip_existing(fs::create_at(&dev, name, 0o600).map(drop))?;
    let place = fs::open_at(&dev, name, OFlags::PATH)?;
    let tree = mount::open_tree(terminal, "", Depth::One).map_err(|error| {
        Error::from(error).in_step(format!("bind descriptor {} as the console", terminal.as_raw_fd()))
    })?;
    Ok(mount::attach(tree.as_fd(), place.as_fd())?)
}
