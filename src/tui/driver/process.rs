//! A program that has the user's terminal for a while.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The process of a guest, so that it does not outlive hoist.
#[derive(Clone, Default)]
pub(super) struct Process(Arc<Mutex<Option<OwnedFd>>>);

impl Process {
    /// Runs a command, and waits until it exits.
    pub(super) fn run(&self, command: &mut Command) -> io::Result<ExitStatus> {
        let mut child = command.spawn()?;
        // It has not been waited for, so its pid is still valid.
        let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
        let process = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = process;
        child.wait()
    }

    /// Tells it that its terminal is gone.
    pub(super) fn hang_up(&self) {
        if let Some(process) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = pidfd_send_signal(process, Signal::HUP); // it may have exited
        }
    }
}
