//! Information about processes through pidfds, including some that another process has reaped.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};

use super::process::Exit;
use super::{Error, Result, check};

/// `struct pidfd_info` as of Linux 6.15.
#[repr(C)]
#[derive(Default)]
struct Info {
    mask: u64,
    cgroup: u64,
    pid: u32,
    tgid: u32,
    ppid: u32,
    ruid: u32,
    rgid: u32,
    euid: u32,
    egid: u32,
    suid: u32,
    sgid: u32,
    fsuid: u32,
    fsgid: u32,
    exit_code: i32,
}

const INFO_EXIT: u64 = 1 << 3;
const IOC_READ_WRITE: libc::c_ulong = 3;
/// `_IOWR(0xFF, 11, struct pidfd_info)`. The size identifies the version of the struct.
const GET_INFO: libc::c_ulong =
    (IOC_READ_WRITE << 30) | ((std::mem::size_of::<Info>() as libc::c_ulong) << 16) | (0xff << 8) | 11;

/// Returns the process id in this pid namespace, unless the process has been reaped.
#[must_use]
pub fn pid(pidfd: BorrowedFd<'_>) -> Option<i32> {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd())).ok()?;
    let pid = info.lines().find_map(|line| line.strip_prefix("Pid:"))?.trim().parse().ok()?;
    Some(pid).filter(|pid| *pid > 0)
}

/// Returns a copy of the descriptor that a process has with this number.
///
/// # Errors
///
/// `EPERM` without the permission to trace the process; `EBADF` if it has no such descriptor;
/// `ENOSYS` before Linux 5.6.
pub fn take(pidfd: BorrowedFd<'_>, number: i32) -> Result<OwnedFd> {
    let taken = rustix::process::pidfd_getfd(pidfd, number, rustix::process::PidfdGetfdFlags::empty());
    check(taken, || format!("pidfd_getfd({number})"))
}

/// Returns the exit status of a process that is not a child of this one; `None` if it has not been
/// reaped yet, or the kernel does not provide it (before 6.15).
///
/// # Errors
///
/// None: an unknown status is `None`.
pub fn exit_of_other(pidfd: BorrowedFd<'_>) -> Result<Option<Exit>> {
    let mut info = Info { mask: INFO_EXIT, ..Info::default() };
    // SAFETY: the request number contains the size of the struct, which the kernel reads and fills.
    // It outlives the call.
    let ret = unsafe { libc::ioctl(pidfd.as_raw_fd(), GET_INFO, &raw mut info) };
    if ret != 0 || info.mask & INFO_EXIT == 0 {
        return Ok(None);
    }
    Ok(Some(Exit::of_status(info.exit_code)))
}

/// Waits until a process that has exited is reaped by its parent, or the timeout expires. Only then
/// does [`exit_of_other`] return its status.
///
/// # Errors
///
/// None in practice.
pub fn wait_until_reaped(pidfd: BorrowedFd<'_>, patience: Duration) -> Result<()> {
    // POLLIN would report the exit itself. POLLHUP, which reports the reaping, needs no request.
    let mut polled = [PollFd::from_borrowed_fd(pidfd, PollFlags::empty())];
    let patience = Timespec::try_from(patience).ok();
    match rustix::event::poll(&mut polled, patience.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(errno) => Err(Error::new("poll(pidfd)", errno)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;
    use crate::sys::probe::Probe;

    #[test]
    fn the_exit_code_of_a_process_that_another_reaped_is_known() {
        if !Probe::now().unwrap().pidfd_info {
            crate::skip::skipped("PIDFD_GET_INFO is of Linux 6.15");
            return;
        }
        let mut child = std::process::Command::new("sh").args(["-c", "exit 42"]).spawn().unwrap();
        let pidfd = crate::sys::process::open(child.id().try_into().unwrap()).unwrap();
        child.wait().unwrap();
        assert_eq!(exit_of_other(pidfd.as_fd()).unwrap(), Some(Exit::Code(42)));
        let own = crate::sys::process::open(std::process::id().try_into().unwrap()).unwrap();
        assert_eq!(exit_of_other(own.as_fd()).unwrap(), None);
    }

    #[test]
    fn a_process_has_its_id_until_it_is_reaped() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let id = child.id().try_into().unwrap();
        let pidfd = crate::sys::process::open(id).unwrap();
        assert_eq!(pid(pidfd.as_fd()), Some(id));
        child.wait().unwrap();
        assert_eq!(pid(pidfd.as_fd()), None);
    }
}
