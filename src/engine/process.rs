//! A process of a container: its details, and signals to it.
//!
//! A pid may be reused, and users act on a list seconds after it was read. Therefore a process is
//! identified by pid and start time. A descriptor is opened first, and then checked to be this
//! process and in the container. Even if the process exits meanwhile, a signal goes to the right
//! process or to none.

use std::os::fd::AsFd as _;

use super::error::{Doing, Result};
use super::{Engine, ErrorKind, Explain, Process};
pub use crate::container::detail::ProcessDetail;
use crate::container::detail::detail;
use crate::container::options::lifecycle;
use crate::sys::{self, signal};

/// The process has exited.
#[derive(Debug, thiserror::Error)]
#[error("it has no process {0}")]
struct NoProcess(u32);

impl Explain for NoProcess {
    fn kind(&self) -> ErrorKind {
        ErrorKind::NotFound
    }
}

impl Engine {
    pub(super) fn signal_process(&self, target: &str, process: Process, word: &str) -> Result<()> {
        let doing = || format!("send {word} to process {} of `{}`", process.pid, self.called(target));
        let number =
            signal::parse(word).ok_or_else(|| lifecycle::Error::Signal(word.to_owned())).doing(doing)?;
        let gone = || NoProcess(process.pid);
        let pid = i32::try_from(process.pid).map_err(|_| gone()).doing(doing)?;
        let pidfd = sys::process::open(pid).map_err(|_| gone()).doing(doing)?;
        let members = self.members(target, doing)?;
        if !members.contains(process.pid) || !process.is_alive() {
            return Err(gone()).doing(doing);
        }
        sys::process::signal(pidfd.as_fd(), number).doing(doing)
    }

    pub(super) fn process(&self, target: &str, pid: u32) -> Result<ProcessDetail> {
        let doing = || format!("read process {pid} of `{}`", self.called(target));
        let members = self.members(target, doing)?;
        let detail = detail(pid, &members.users()).filter(|_| members.contains(pid));
        detail.ok_or(NoProcess(pid)).doing(doing)
    }
}
