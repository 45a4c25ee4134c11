//! Processes identified by pid and start time, so that a reused pid is not mistaken for them.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use super::record::Process;
use crate::sys::process::{self, start_time};

impl Process {
    /// Returns the process that currently has this pid, or `None`.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        start_time(pid).map(|start_time| Self { pid, start_time })
    }

    /// This process.
    #[must_use]
    pub fn own() -> Self {
        let pid = std::process::id();
        Self::of(pid).unwrap_or(Self { pid, start_time: 0 })
    }

    /// Returns whether it is still running; a zombie is not.
    #[must_use]
    pub fn is_alive(self) -> bool {
        start_time(self.pid) == Some(self.start_time)
    }

    /// A descriptor of it, which can never be another's; `None` when it has ended.
    #[must_use]
    pub fn open(self) -> Option<OwnedFd> {
        let pidfd = process::open(i32::try_from(self.pid).ok()?).ok()?;
        // Only now is it certain that the descriptor is of this process and not of a later one.
        self.is_alive().then_some(pidfd)
    }

    /// Returns its wait(2) status if it is a zombie. The kernel shows the status only to callers
    /// that may trace the process.
    #[must_use]
    pub fn status_of_zombie(self) -> Option<i32> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        // Fields are numbered from 3 in proc_pid_stat(5): state, …, 22 start time, …, 52 exit code.
        let is_it = fields.first() == Some(&"Z") && fields.get(19)?.parse() == Ok(self.start_time);
        if is_it { fields.get(49)?.parse().ok() } else { None }
    }

    /// Returns its folder in /proc, which may belong to another process once this one has exited.
    #[must_use]
    pub fn folder(self) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.pid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_one_of_another_start_is_not() {
        let own = Process::of(std::process::id()).unwrap();
        assert!(own.is_alive());
        assert!(!Process { start_time: own.start_time + 1, ..own }.is_alive());
        assert_eq!(Process::of(u32::MAX), None);
        assert!(own.open().is_some());
        assert!(Process { start_time: own.start_time + 1, ..own }.open().is_none(), "the pid is another's");
    }

    #[test]
    fn a_zombie_is_not_alive() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let process = Process { pid: child.id(), start_time: 0 };
        // WNOWAIT leaves the zombie in place.
        let id = rustix::process::Pid::from_child(&child);
        let options = rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
        rustix::process::waitid(rustix::process::WaitId::Pid(id), options).unwrap();
        assert_eq!(Process::of(process.pid), None);
        assert_eq!(process.status_of_zombie(), None, "it started at another time");
        child.wait().unwrap();
    }
}
