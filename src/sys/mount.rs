//! Mounts by descriptor. Mount trees are created detached, visible to no process, and then attached
//! to a descriptor, so no path is resolved twice.

use std::fmt::Write as _;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::CWD;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags,
};

use super::ns::{self, Namespace, Namespaces};
use super::{Error, Result, check, fs};

pub use rustix::mount::MountAttrFlags as Attrs;

/// How mount events propagate between a mount and its copies: mount_namespaces(7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// They do not.
    Private,
    /// From the original to the copy.
    Slave,
    /// In both directions.
    Shared,
    /// They do not, and the mount cannot be bind-mounted either.
    Unbindable,
}

/// Whether a call applies to one mount or to the whole tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Only this mount.
    One,
    /// This mount and all mounts below it.
    Tree,
}

/// A new instance of a file system, being configured.
#[derive(Debug)]
pub struct Filesystem {
    context: OwnedFd,
    kind: String,
    options: String,
}

impl Filesystem {
    /// Starts to configure a file system of this type (`proc`, `tmpfs`, `overlay`, …).
    ///
    /// # Errors
    ///
    /// `ENODEV` for an unknown type, `EPERM` without privilege.
    pub fn new(kind: &str) -> Result<Self> {
        let context =
            check(rustix::mount::fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC), || format!("fsopen({kind})"))?;
        Ok(Self { context, kind: kind.to_owned(), options: String::new() })
    }

    /// The maximum length of a value for [`set`](Self::set) in bytes: fsconfig(2).
    pub const MAX_VALUE: usize = 254;

    /// Sets an option with a value of up to [`MAX_VALUE`](Self::MAX_VALUE) bytes.
    ///
    /// # Errors
    ///
    /// `EINVAL` for an unknown option or value.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let result = rustix::mount::fsconfig_set_string(self.context.as_fd(), key, value);
        self.note(key, Some(value));
        result.map_err(|errno| self.failed(&format!("fsconfig({}, {key}={value})", self.kind), errno))
    }

    /// Sets an option whose value is a descriptor.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the option takes no descriptor.
    pub fn set_fd(&mut self, key: &str, fd: BorrowedFd<'_>) -> Result<()> {
        let result = rustix::mount::fsconfig_set_fd(self.context.as_fd(), key, fd);
        self.note(key, Some("<descriptor>"));
        result.map_err(|errno| self.failed(&format!("fsconfig({}, {key}=<descriptor>)", self.kind), errno))
    }

    /// Sets an option without a value.
    ///
    /// # Errors
    ///
    /// `EINVAL` for an unknown option.
    pub fn set_flag(&mut self, key: &str) -> Result<()> {
        let result = rustix::mount::fsconfig_set_flag(self.context.as_fd(), key);
        self.note(key, None);
        result.map_err(|errno| self.failed(&format!("fsconfig({}, {key})", self.kind), errno))
    }

    /// Creates the file system and a detached mount of it.
    ///
    /// # Errors
    ///
    /// The file system's error; its log messages are part of the text.
    pub fn mount(self, attrs: Attrs) -> Result<OwnedFd> {
        rustix::mount::fsconfig_create(self.context.as_fd())
            .map_err(|errno| self.failed(&format!("mount({}{})", self.kind, self.options), errno))?;
        rustix::mount::fsmount(self.context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attrs)
            .map_err(|errno| self.failed(&format!("fsmount({}, {attrs:?})", self.kind), errno))
    }

    fn note(&mut self, key: &str, value: Option<&str>) {
        self.options.push_str(", ");
        self.options.push_str(key);
        if let Some(value) = value {
            self.options.push('=');
            self.options.push_str(value);
        }
    }

    /// Returns the error for `call`, including the file system's log messages.
    fn failed(&self, call: &str, errno: rustix::io::Errno) -> Error {
        let mut text = call.to_owned();
        let mut line = [0; 512];
        while let Ok(length) = rustix::io::read(&self.context, &mut line) {
            let words = String::from_utf8_lossy(&line[..length]);
            let _ = write!(text, ": {}", words.trim_end().trim_start_matches(['e', 'w', 'i']).trim());
            if length == 0 {
                break;
            }
        }
        Error::new(text, errno)
    }
}

/// Returns a detached copy of the mount at `path` below `dir`, or at `dir` if the path is empty.
///
/// # Errors
///
/// `EPERM` without privilege; `EINVAL` if the mount is locked by another user namespace.
pub fn open_tree(dir: BorrowedFd<'_>, path: impl AsRef<Path>, depth: Depth) -> Result<OwnedFd> {
    let path = path.as_ref();
    let mut flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    if depth == Depth::Tree {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    check(rustix::mount::open_tree(dir, path, flags), || {
        format!("open_tree({}, OPEN_TREE_CLONE)", named(dir, path))
    })
}

/// Returns a detached copy of the mount at an absolute path on the host.
///
/// # Errors
///
/// As for [`open_tree`]; `ENOENT` if the path does not exist.
pub fn open_tree_at(path: impl AsRef<Path>, depth: Depth) -> Result<OwnedFd> {
    open_tree(CWD, path, depth)
}

/// Sets and clears attributes of a mount or of a whole tree.
///
/// # Errors
///
/// `EPERM` to clear an attribute locked by another user namespace.
pub fn set_attrs(mount: BorrowedFd<'_>, depth: Depth, set: Attrs, clear: Attrs) -> Result<()> {
    set_attr(mount, depth, &Attr { set: set.bits().into(), clear: clear.bits().into(), ..Attr::default() })
        .map_err(|error| Error::new(format!("mount_setattr({set:?}, clear {clear:?}, {depth:?})"), error))
}

/// Maps the owners of files in a detached mount, or in a whole tree, as in a user namespace.
///
/// # Errors
///
/// `EINVAL` if the file system cannot do that, or has been mapped already; `EPERM` without privilege
/// over it.
pub fn map_ids(mount: BorrowedFd<'_>, depth: Depth, namespace: BorrowedFd<'_>) -> Result<()> {
    let attr = Attr {
        set: Attrs::MOUNT_ATTR_IDMAP.bits().into(),
        userns_fd: u64::try_from(namespace.as_raw_fd()).unwrap_or(u64::MAX),
        ..Attr::default()
    };
    set_attr(mount, depth, &attr)
        .map_err(|error| Error::new(format!("mount_setattr(MOUNT_ATTR_IDMAP, {depth:?})"), error))
}

/// Sets the propagation type of a mount or of a whole tree.
///
/// # Errors
///
/// `EPERM` without privilege.
pub fn set_propagation(mount: BorrowedFd<'_>, depth: Depth, propagation: Propagation) -> Result<()> {
    let bits = match propagation {
        Propagation::Private => libc::MS_PRIVATE,
        Propagation::Slave => libc::MS_SLAVE,
        Propagation::Shared => libc::MS_SHARED,
        Propagation::Unbindable => libc::MS_UNBINDABLE,
    };
    set_attr(mount, depth, &Attr { propagation: bits, ..Attr::default() })
        .map_err(|error| Error::new(format!("mount_setattr({propagation:?}, {depth:?})"), error))
}

#[repr(C)]
#[derive(Default)]
struct Attr {
    set: u64,
    clear: u64,
    propagation: u64,
    userns_fd: u64,
}

fn set_attr(mount: BorrowedFd<'_>, depth: Depth, attr: &Attr) -> std::io::Result<()> {
    let flags = libc::AT_EMPTY_PATH | if depth == Depth::Tree { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is a C string, and `attr` is readable for the size given with it. The kernel
    // writes to neither.
    let ret = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            std::ptr::from_ref(attr),
            size_of::<Attr>(),
        )
    };
    if ret == -1 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}

/// Attaches a detached mount to `target`.
///
/// # Errors
///
/// `ENOTDIR` if one is a directory and the other is not; `EINVAL` if the mount is not detached.
pub fn attach(mount: BorrowedFd<'_>, target: BorrowedFd<'_>) -> Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    check(rustix::mount::move_mount(mount, c"", target, c"", flags), || {
        format!("move_mount(onto {})", named(target, Path::new("")))
    })
}

/// Makes the current directory, which must be the root of a mount, the root of this mount
/// namespace, and unmounts the old root.
///
/// # Errors
///
/// `EINVAL` if the directory is not a mount point, or its parent mount is shared.
pub fn enter_root_here() -> Result<()> {
    check(rustix::process::pivot_root(c".", c"."), || "pivot_root(., .)".to_owned())?;
    // The old root is now mounted over the new one, and is the working directory.
    check(rustix::mount::unmount(c".", UnmountFlags::DETACH), || "umount2(., MNT_DETACH)".to_owned())?;
    check(rustix::process::chdir(c"/"), || "chdir(/)".to_owned())
}

/// Makes a folder the root and the working directory of this process alone.
///
/// # Errors
///
/// `EPERM` without CAP_SYS_CHROOT.
pub fn change_root(root: BorrowedFd<'_>) -> Result<()> {
    check(rustix::process::fchdir(root), || "fchdir(root)".to_owned())?;
    check(rustix::process::chroot(c"."), || "chroot(.)".to_owned())
}

/// Sets the propagation type of all mounts in this namespace.
///
/// # Errors
///
/// `EPERM` without privilege.
pub fn set_root_propagation(propagation: Propagation) -> Result<()> {
    let flags = match propagation {
        Propagation::Private => MountPropagationFlags::PRIVATE,
        Propagation::Slave => MountPropagationFlags::DOWNSTREAM,
        Propagation::Shared => MountPropagationFlags::SHARED,
        Propagation::Unbindable => MountPropagationFlags::UNBINDABLE,
    };
    check(rustix::mount::mount_change(c"/", flags | MountPropagationFlags::REC), || {
        format!("mount(/, MS_REC, {propagation:?})")
    })
}

/// Lazily unmounts the mount at `path`, even if it is in use.
///
/// # Errors
///
/// `EINVAL` if nothing is mounted there.
pub fn detach(path: &Path) -> Result<()> {
    check(rustix::mount::unmount(path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW), || {
        format!("umount2({}, MNT_DETACH)", path.display())
    })
}

/// Creates a file system with mount(2), which takes up to 4095 bytes of options, and returns a
/// detached mount of it. `hidden` is a path that nothing needs meanwhile: it is mounted over in a
/// namespace that only lasts for this call, see [`apart`].
///
/// # Errors
///
/// The file system's error.
pub fn mount_classic(kind: &str, source: &str, hidden: &Path, options: &str) -> Result<OwnedFd> {
    let options_c = check(std::ffi::CString::new(options), || format!("mount({kind}, {options:?})"))?;
    let flags = rustix::mount::MountFlags::empty();
    check(rustix::mount::mount(source, hidden, kind, flags, options_c.as_c_str()), || {
        format!("mount({kind}, {}, {options:?})", hidden.display())
    })?;
    open_tree_at(hidden, Depth::One)
}

/// Returns the option of mount(2) that gives all files of a file system the same SELinux label.
///
/// # Errors
///
/// `EINVAL` if the label contains a quote.
pub fn context_option(label: &str) -> Result<String> {
    // A label contains commas, so it is quoted.
    let label = if label.contains('"') { Err(rustix::io::Errno::INVAL) } else { Ok(label) };
    check(label, || "mount(context=)".to_owned()).map(|label| format!("context=\"{label}\""))
}

/// Calls `work` in a mount namespace of its own, from which nothing propagates, and returns to the
/// namespace, the root and the working directory of this thread.
///
/// # Errors
///
/// Those of `work`; `EPERM` without privilege.
pub fn apart<T, E: From<Error>>(
    work: impl FnOnce() -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    let home = ns::open_path(Path::new("/proc/thread-self/ns/mnt"))?;
    let [root, folder] = ["/", "."].map(|path| fs::open_place(Path::new(path)));
    let (root, folder) = (root?, folder?);
    ns::unshare(Namespaces::default().with(Namespace::Mount))?;
    let done = set_root_propagation(Propagation::Private).map_err(E::from).and_then(|()| work());
    ns::enter(home.as_fd(), Namespace::Mount)?;
    // setns(2) has chosen the top of the namespace.
    change_root(root.as_fd())?;
    fs::change_dir(&folder)?;
    done
}

/// Formats a place given by a descriptor and a path below it.
fn named(dir: BorrowedFd<'_>, path: &Path) -> String {
    if !path.as_os_str().is_empty() {
        return path.display().to_string();
    }
    let link = format!("/proc/self/fd/{}", dir.as_raw_fd());
    std::fs::read_link(&link).map_or(link, |target| target.display().to_string())
}
