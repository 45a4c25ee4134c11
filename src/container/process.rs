//! Processes that a reused pid is not mistaken for.

use std::fs;
use std::path::PathBuf;

use super::record::Process;
use crate::sys::process::start_time;

impl Process {
    /// The process that has this pid now; `None` when there is none.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        start_time(pid).map(|start_time| Self { pid, start_time })
    }

    /// Whether it still runs: a zombie does not.
    #[must_use]
    pub fn is_alive(self) -> bool {
        start_time(self.pid) == Some(self.start_time)
    }

    /// How it ended, as of wait(2), while nobody has reaped it: then the kernel still shows
    /// it to who may trace it.
    #[must_use]
    pub fn status_of_zombie(self) -> Option<i32> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        // Numbered from 3 in proc_pid_stat(5): the state, …, 22 the start, …, 52 the status.
        let is_it = fields.first() == Some(&"Z") && fields.get(19)?.parse() == Ok(self.start_time);
        if is_it { fields.get(49)?.parse().ok() } else { None }
    }

    /// Its folder in /proc, which names another process once this one is gone.
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
    }

    #[test]
    fn a_zombie_is_not_alive() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let process = Process { pid: child.id(), start_time: 0 };
        // WNOWAIT leaves the zombie there.
        let id = rustix::process::Pid::from_child(&child);
        let options = rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
        rustix::process::waitid(rustix::process::WaitId::Pid(id), options).unwrap();
        assert_eq!(Process::of(process.pid), None);
        assert_eq!(process.status_of_zombie(), None, "it started at another time");
        child.wait().unwrap();
    }
}
