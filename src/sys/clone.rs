//! Creates copies of this process. Nothing else in hoist does.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};

use super::ns::Namespaces;
use super::shared::Shared;
use super::{Error, Result, check, check_ret};

/// The process in which a call returns.
#[derive(Debug)]
pub enum Side {
    /// The calling process.
    Parent(Child),
    /// The new copy.
    Child,
}

/// A newly created process.
#[derive(Debug)]
pub struct Child {
    /// Its process id in the caller's pid namespace.
    pub pid: i32,
    /// A pidfd of the process.
    pub pidfd: OwnedFd,
}

/// How many times the process was copied since it was executed; 0 in the original.
static COPIES: AtomicU32 = AtomicU32::new(0);

/// Returns a number that tells this process from those it is a copy of.
pub(super) fn generation() -> u32 {
    COPIES.load(Ordering::Relaxed)
}

/// Fails unless this process is a copy. In the original, the call would harm other threads and the
/// owners of descriptors.
pub(super) fn refuse_original(call: impl FnOnce() -> String) -> Result<()> {
    if generation() > 0 { Ok(()) } else { Err(Error::new(call(), rustix::io::Errno::BUSY)) }
}

/// Called first in every copy.
fn note_copy() {
    COPIES.fetch_add(1, Ordering::Relaxed);
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

/// Copies this process into new namespaces, and into `cgroup` if one is given.
///
/// # Errors
///
/// `EBUSY` if the caller has several threads; `EPERM` without privilege; `ENOSYS` before Linux 5.3,
/// and in containers whose seccomp filter forbids it.
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
        args.flags |= INTO_CGROUP;
        args.cgroup = u64::try_from(cgroup.as_raw_fd()).unwrap_or(u64::MAX);
    }
    // SAFETY: without CLONE_VM the copy has its own memory. The caller has a single thread (checked
    // above), so no lock is held by a thread that the copy lacks. `args` is readable for the size
    // given, and `pidfd` is writable.
    let ret = unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<CloneArgs>()) };
    let pid = check_ret(ret, call)?;
    if pid == 0 {
        note_copy();
        return Ok(Side::Child);
    }
    // SAFETY: the kernel just opened this descriptor for us and nobody else knows it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok(Side::Parent(Child { pid: i32::try_from(pid).unwrap_or(-1), pidfd }))
}

/// Starts a process without descriptors that does nothing until it is killed, or this one ends.
///
/// # Errors
///
/// As for [`clone3`].
pub fn idle() -> Result<Child> {
    let parent = rustix::process::getpid();
    match clone3(Namespaces::default(), None)? {
        Side::Parent(child) => Ok(child),
        Side::Child => {
            let _ = super::process::close_all(); // the caller's readers wait for the last of them
            let dies = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
            // The parent may have ended before.
            while dies.is_ok() && rustix::process::getppid() == Some(parent) {
                let _ = rustix::event::poll(&mut [], None); // a signal that is not caught changes nothing
            }
            super::process::exit_now(0)
        }
    }
}

/// Copies this process, which must be a copy itself, and waits until the child has executed a
/// program or exited. Returns the child's id, or `None` in the child. Uses the old clone(2), which
/// seccomp filters commonly allow.
///
/// # Errors
///
/// `EAGAIN` if there are too many processes; `EBUSY` in a process that is not a copy.
pub fn fork_until_executed() -> Result<Option<i32>> {
    let call = || "clone(CLONE_VFORK)".to_owned();
    refuse_original(call)?;
    let flags = libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: without CLONE_VM the child has its own memory. This process is a copy made by
    // `clone3` (checked above), so it began with a single thread, and copies start no threads
    // (`tests/suite/tidy.rs`): no lock is held by a thread that the child lacks. No stack is given,
    // and the flags use none of the other arguments.
    let ret = unsafe { libc::syscall(libc::SYS_clone, flags, 0_usize, 0_usize, 0_usize, 0_usize) };
    let pid = i32::try_from(check_ret(ret, call)?).unwrap_or(-1);
    if pid == 0 {
        note_copy();
    }
    Ok(Some(pid).filter(|pid| *pid != 0))
}

/// Copies this process, which must be a copy itself, as a sibling: a child of its parent. Its id is
/// in `born` before it runs. Returns `true` in the copy.
///
/// Uses the old clone(2), without flags that seccomp filters check.
///
/// # Errors
///
/// `EAGAIN` if there are too many processes; `EPERM` if a seccomp filter forbids it; `EBUSY` in a
/// process that is not a copy.
pub fn fork_as_sibling(born: &Shared) -> Result<bool> {
    refuse_original(|| "clone(CLONE_PARENT)".to_owned())?;
    let flags = libc::CLONE_PARENT | libc::CLONE_PARENT_SETTID | libc::SIGCHLD;
    // SAFETY: without CLONE_VM the copy has its own memory. This process is a copy made by `clone3`
    // (checked above) and has a single thread, as above, so no lock is held by another. No stack is
    // given, and the flags use neither of the last two arguments. The kernel writes to `born` only,
    // if it is mapped.
    let ret = unsafe { libc::syscall(libc::SYS_clone, flags, 0_usize, born.as_ptr(), 0_usize, 0_usize) };
    let is_copy = check_ret(ret, || "clone(CLONE_PARENT)".to_owned())? == 0;
    if is_copy {
        note_copy();
    }
    Ok(is_copy)
}

/// Copies this process into `cgroup` as a sibling, a child of its parent, which continues in its
/// place. Returns the copy's id, or `None` in the copy.
///
/// # Errors
///
/// `EBUSY` if the caller has several threads; `EINVAL` before Linux 5.7; `ENOSYS` if a seccomp
/// filter forbids it; `EPERM` without privilege over the group.
pub fn clone_as_sibling_into(cgroup: BorrowedFd<'_>) -> Result<Option<i32>> {
    let call = || "clone3(CLONE_PARENT, CLONE_INTO_CGROUP)".to_owned();
    if !has_one_thread()? {
        return Err(Error::new(call(), std::io::Error::from_raw_os_error(libc::EBUSY)));
    }
    let mut args = CloneArgs {
        // With CLONE_PARENT the kernel uses this process's own exit signal.
        flags: flag(libc::CLONE_PARENT) | INTO_CGROUP,
        cgroup: u64::try_from(cgroup.as_raw_fd()).unwrap_or(u64::MAX),
        ..CloneArgs::default()
    };
    // SAFETY: without CLONE_VM the copy has its own memory. The caller has a single thread (checked
    // above), so no lock is held by a thread that the copy lacks. `args` is readable for the size
    // given.
    let ret = unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<CloneArgs>()) };
    let pid = check_ret(ret, call)?;
    // Not counted as a copy, since it takes the place of this process.
    Ok(i32::try_from(pid).ok().filter(|pid| *pid != 0))
}

/// `CLONE_INTO_CGROUP`
const INTO_CGROUP: u64 = 1 << 33;

fn flag(bits: libc::c_int) -> u64 {
    u64::from(bits.cast_unsigned())
}

/// Each thread is a directory in `/proc/self/task`, besides `.` and `..`.
pub(super) fn has_one_thread() -> Result<bool> {
    let stat = check(rustix::fs::stat(c"/proc/self/task"), || "stat(/proc/self/task)".to_owned())?;
    Ok(stat.st_nlink == 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process;

    #[test]
    fn a_process_that_is_no_copy_keeps_its_descriptors_and_its_threads() {
        use std::os::fd::AsFd as _;
        let file = tempfile::tempfile().unwrap();
        let shared = Shared::new().unwrap();
        let number = file.as_raw_fd();
        let refused = [
            fork_until_executed().map(drop),
            fork_as_sibling(&shared).map(drop),
            process::close_all_but(&[]),
            process::close_all(),
            process::set_standard_stream(file.as_fd(), number),
        ];
        for result in refused {
            assert!(result.unwrap_err().is(rustix::io::Errno::BUSY));
        }
        assert!(file.metadata().is_ok());
    }
}
