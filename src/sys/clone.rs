//! The one way hoist makes a process that is a copy of itself.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::ns::Namespaces;
use super::shared::Shared;
use super::{Error, Result, check, check_ret};

/// Which of the two processes this is.
#[derive(Debug)]
pub enum Side {
    /// The one that called.
    Parent(Child),
    /// The copy.
    Child,
}

/// A process just made.
#[derive(Debug)]
pub struct Child {
    /// Its id in the caller's pid namespace.
    pub pid: i32,
    /// The process itself.
    pub pidfd: OwnedFd,
}

#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// Copies this process into new namespaces, born in `cgroup` if one is given.
///
/// # Errors
///
/// `EBUSY` when the caller has more than one thread; `EPERM` without privilege; `ENOSYS`
/// before Linux 5.3 and in containers whose filter forbids it.
pub fn clone3(namespaces: Namespaces, cgroup: Option<BorrowedFd<'_>>) -> Result<Side> {
    let call =
        || format!("clone3({namespaces:?}{})", if cgroup.is_some() { ", CLONE_INTO_CGROUP" } else { "" });
    if !has_one_thread()? {
        return Err(Error::new(call(), std::io::Error::from_raw_os_error(libc::EBUSY)));
    }
    let mut pidfd: libc::c_int = -1;
    let mut args = CloneArgs {
        flags: namespaces.bits() | flag(libc::CLONE_PIDFD),
        pidfd: (&raw mut pidfd).addr() as u64,
        exit_signal: flag(libc::SIGCHLD),
        ..CloneArgs::default()
    };
    if let Some(cgroup) = cgroup {
        args.flags |= 1 << 33; // CLONE_INTO_CGROUP
        args.cgroup = u64::try_from(cgroup.as_raw_fd()).unwrap_or(u64::MAX);
    }
    // SAFETY: without CLONE_VM the copy has its own memory, and as the caller has a
    // single thread (checked above) no lock is held by a thread the copy lacks. `args`
    // is readable for the size given, `pidfd` writable.
    let ret = unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<CloneArgs>()) };
    let pid = check_ret(ret, call)?;
    if pid == 0 {
        return Ok(Side::Child);
    }
    // SAFETY: the kernel just opened this descriptor for us and nobody else knows it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok(Side::Parent(Child { pid: i32::try_from(pid).unwrap_or(-1), pidfd }))
}

/// Copies this process as it is, by the old call that every filter knows. The child's id;
/// `None` in the child.
///
/// # Errors
///
/// `EAGAIN` when there are too many processes.
pub fn fork() -> Result<Option<i32>> {
    // SAFETY: the process is a copy made by `clone3`, so it has a single thread, and no
    // lock is held by another that the child would lack.
    let pid = unsafe { libc::fork() };
    check_ret(pid.into(), || "fork()".to_owned())?;
    Ok(Some(pid).filter(|pid| *pid != 0))
}

/// Copies this process as it is, as a child of its parent: a sibling. Its id is in `born`
/// before it runs. Whether this is the copy.
///
/// The call is the old one, with nothing that a filter of system calls would look at.
///
/// # Errors
///
/// `EAGAIN` when there are too many processes, `EPERM` where a filter forbids it.
pub fn fork_as_sibling(born: &Shared) -> Result<bool> {
    let flags = libc::CLONE_PARENT | libc::CLONE_PARENT_SETTID | libc::SIGCHLD;
    // SAFETY: without CLONE_VM the copy has its own memory; the process is a copy made by
    // `clone3`, so it has a single thread and no lock is held by another. No stack is given
    // and none of the last two arguments is asked for by the flags. `born` is writable.
    let ret = unsafe { libc::syscall(libc::SYS_clone, flags, 0_usize, born.as_ptr(), 0_usize, 0_usize) };
    Ok(check_ret(ret, || "clone(CLONE_PARENT)".to_owned())? == 0)
}

fn flag(bits: libc::c_int) -> u64 {
    u64::from(bits.cast_unsigned())
}

/// Each thread is a directory below `/proc/self/task`, beside `.` and `..`.
fn has_one_thread() -> Result<bool> {
    let stat = check(rustix::fs::stat(c"/proc/self/task"), || "stat(/proc/self/task)".to_owned())?;
    Ok(stat.st_nlink == 3)
}
