//! Processes identified by pid and start time, so that a reused pid is not mistaken for them.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use jiff::Timestamp;
use rustix::io::Errno;

use super::record::Process;
use super::top;
use crate::sys;
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

    /// Returns when it was started, according to the current clock.
    #[must_use]
    pub fn started(self) -> Option<Timestamp> {
        top::moment(process::boot_time()?, self.start_time)
    }

    /// A descriptor of it, which can never be another's; `None` when it has ended.
    ///
    /// # Errors
    ///
    /// If that cannot be found out: `EMFILE`, for example.
    pub fn open(self) -> sys::Result<Option<OwnedFd>> {
        let Ok(pid) = i32::try_from(self.pid) else { return Ok(None) };
        let opened = match process::open(pid) {
            Err(error) if error.is(Errno::SRCH) => return Ok(None),
            opened => opened,
        };
        // Only now is it certain that the result is of this process and not of a later one, or of a
        // thread that has its pid.
        if process::read_start_time(self.pid)? != Some(self.start_time) {
            return Ok(None);
        }
        opened.map(Some)
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
        assert!(own.open().unwrap().is_some());
        let later = Process { start_time: own.start_time + 1, ..own };
        assert!(later.open().unwrap().is_none(), "the pid is another's");
    }

    #[test]
    fn what_is_there_and_cannot_be_opened_has_not_ended() {
        // A thread has a pid and a start time, but only its process has a descriptor.
        let thread = || Process::of(rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned()).unwrap();
        let open = move || (thread().open(), Process { start_time: 1, ..thread() }.open());
        let (error, other) = std::thread::spawn(open).join().unwrap();
        error.unwrap_err();
        assert!(other.unwrap().is_none(), "the pid is a thread's by now");
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
