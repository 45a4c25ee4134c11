//! Linux namespaces: opens, joins and leaves them. See namespaces(7).

use std::fmt;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::thread::{LinkNameSpaceType, ThreadNameSpaceType, UnshareFlags};

use super::{Result, check};

/// A type of namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Namespace {
    /// User and group ids, capabilities.
    User,
    /// Mounts.
    Mount,
    /// Process ids.
    Pid,
    /// Network.
    Net,
    /// Host name and NIS domain name.
    Uts,
    /// System V IPC and message queues.
    Ipc,
    /// The root of cgroup paths.
    Cgroup,
    /// The monotonic clock, and the one that counts from the boot.
    Time,
}

impl Namespace {
    /// All types, in the order in which they must be joined: the user namespace, which owns the
    /// others, comes first.
    pub const ALL: [Namespace; 8] =
        [Self::User, Self::Mount, Self::Pid, Self::Net, Self::Uts, Self::Ipc, Self::Cgroup, Self::Time];

    /// Returns the name below `/proc/<pid>/ns`.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Mount => "mnt",
            Self::Pid => "pid",
            Self::Net => "net",
            Self::Uts => "uts",
            Self::Ipc => "ipc",
            Self::Cgroup => "cgroup",
            Self::Time => "time",
        }
    }

    fn flag(self) -> UnshareFlags {
        match self {
            Self::User => UnshareFlags::NEWUSER,
            Self::Mount => UnshareFlags::NEWNS,
            Self::Pid => UnshareFlags::NEWPID,
            Self::Net => UnshareFlags::NEWNET,
            Self::Uts => UnshareFlags::NEWUTS,
            Self::Ipc => UnshareFlags::NEWIPC,
            Self::Cgroup => UnshareFlags::NEWCGROUP,
            Self::Time => UnshareFlags::NEWTIME,
        }
    }

    fn link(self) -> LinkNameSpaceType {
        match self {
            Self::User => LinkNameSpaceType::User,
            Self::Mount => LinkNameSpaceType::Mount,
            Self::Pid => LinkNameSpaceType::ProcessID,
            Self::Net => LinkNameSpaceType::Network,
            Self::Uts => LinkNameSpaceType::HostNameAndNISDomainName,
            Self::Ipc => LinkNameSpaceType::InterProcessCommunication,
            Self::Cgroup => LinkNameSpaceType::ControlGroup,
            Self::Time => LinkNameSpaceType::Time,
        }
    }
}

/// A set of namespace types.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Namespaces(u8);

impl Namespaces {
    /// The empty set.
    pub const NONE: Namespaces = Namespaces(0);

    /// Whether the set contains this type.
    #[must_use]
    pub fn has(self, kind: Namespace) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// Returns the set with this type added.
    #[must_use]
    pub fn with(self, kind: Namespace) -> Self {
        Self(self.0 | 1 << kind as u8)
    }

    /// Returns the set without this type.
    #[must_use]
    pub fn without(self, kind: Namespace) -> Self {
        Self(self.0 & !(1 << kind as u8))
    }

    /// Iterates over the types in the order of [`Namespace::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Namespace> {
        Namespace::ALL.into_iter().filter(move |kind| self.has(*kind))
    }

    /// Returns the flags for `clone`, `unshare` and `setns`.
    #[must_use]
    pub fn bits(self) -> u64 {
        self.iter().fold(0, |bits, kind| bits | u64::from(kind.flag().bits()))
    }
}

impl FromIterator<Namespace> for Namespaces {
    fn from_iter<I: IntoIterator<Item = Namespace>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Namespaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Namespace::file).collect();
        f.write_str(&names.join("+"))
    }
}

/// Opens a namespace of a process in this pid namespace.
///
/// # Errors
///
/// `ENOENT` if the process is gone, `EACCES` if this process may not inspect it.
pub fn open(pid: i32, kind: Namespace) -> Result<OwnedFd> {
    open_path(Path::new(&format!("/proc/{pid}/ns/{}", kind.file())))
}

/// Opens a namespace of this process.
///
/// # Errors
///
/// If `/proc` is not mounted.
pub fn of_self(kind: Namespace) -> Result<OwnedFd> {
    open_path(Path::new(&format!("/proc/self/ns/{}", kind.file())))
}

/// Opens a namespace by its path, without waiting if that is a FIFO.
///
/// # Errors
///
/// `ENOENT` if the path does not exist.
pub fn open_path(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    check(rustix::fs::open(path, flags, Mode::empty()), || format!("open({})", path.display()))
}

/// Returns the type of an open namespace; `None` if the file is something else.
#[must_use]
pub fn kind(file: impl AsFd) -> Option<Namespace> {
    /// `_IO(0xb7, 3)`, see ioctl_nsfs(2)
    const NS_GET_NSTYPE: libc::Ioctl = 0xb703;
    // Another file could understand the same number as something else.
    let system = rustix::fs::fstatfs(&file).ok()?;
    if system.f_type != libc::NSFS_MAGIC {
        return None;
    }
    // SAFETY: the file is a namespace (checked above), for which this request takes no argument.
    let bits = unsafe { libc::ioctl(file.as_fd().as_raw_fd(), NS_GET_NSTYPE) };
    let bits = u32::try_from(bits).ok()?;
    Namespace::ALL.into_iter().find(|kind| kind.flag().bits() == bits)
}

/// Joins the namespace `fd`, which must be of type `kind`.
///
/// # Errors
///
/// `EINVAL` if it is of another type, `EPERM` without privilege over it.
pub fn enter(fd: BorrowedFd<'_>, kind: Namespace) -> Result<()> {
    check(rustix::thread::move_into_link_name_space(fd, Some(kind.link())), || {
        format!("setns({})", kind.file())
    })
}

/// Joins several namespaces of a process in one call.
///
/// # Errors
///
/// `EPERM` without privilege over one of them, `ESRCH` if the process is gone.
pub fn enter_all(pidfd: BorrowedFd<'_>, kinds: Namespaces) -> Result<()> {
    let bits = kinds.iter().fold(ThreadNameSpaceType::empty(), |bits, kind| {
        bits | ThreadNameSpaceType::from_bits_retain(kind.flag().bits())
    });
    check(rustix::thread::move_into_thread_name_spaces(pidfd, bits), || format!("setns(pidfd, {kinds:?})"))
}

/// Moves this process into new namespaces of these types.
///
/// # Errors
///
/// `EPERM` without privilege.
pub fn unshare(kinds: Namespaces) -> Result<()> {
    let bits = kinds.iter().fold(UnshareFlags::empty(), |bits, kind| bits | kind.flag());
    // SAFETY: none of these flags unshares file descriptors, which is what makes this call unsafe.
    check(unsafe { rustix::thread::unshare_unsafe(bits) }, || format!("unshare({kinds:?})"))
}
