//! Enters a pid namespace that already has processes.
//!
//! A process with CAP_SYS_PTRACE in it can control a new process from its creation: its
//! descriptors, root, memory and capabilities. Therefore an intermediate process, which is not
//! visible in there, does everything. The process that it finally creates has nothing that the
//! program must not have, except the ends of two pipes.
//!
//! ```text
//! creator ── clone3 ──▶ intermediate process: joins, mounts, ids, capabilities, filter
//!   │◀── pid ─────────────┤ clone(CLONE_PARENT)
//!   │                     └──▶ process inside: waits for its start, creates a session, execve
//!   │◀── its error, or just the end of the pipe ─┘
//! ```
//! The id is passed in memory shared by the creator and the intermediate process, because a filter
//! may forbid any system call that could report it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use rustix::event::{PollFd, PollFlags};
use rustix::fs::OFlags;

use super::channel::read_report;
use super::{Error, Gate, Result, payload};
use crate::sys::clone::{self, Child};
use crate::sys::process::Exit;
use crate::sys::shared::Shared;
use crate::sys::{self, check, process, pty};

/// Maximum size of a report. A process that traces the writer could send data forever.
const MAX_REPORT: usize = 64 * 1024;

/// The intermediate process's part.
pub(super) struct Entry {
    born: Rc<Shared>,
    /// What the process created inside waits for.
    start: Option<OwnedFd>,
    report: OwnedFd,
}

/// The creator's part.
#[derive(Debug)]
pub(super) struct Awaited {
    born: Rc<Shared>,
    /// Where the creator requests the start, if it is the one to do so.
    start: Option<OwnedFd>,
    /// Where the creator reads the report, if it is the one to do so.
    report: Option<OwnedFd>,
}

/// Returns both parts, for the clone of the intermediate process. The process created inside waits
/// for its start.
pub(super) fn open(gate: Gate) -> Result<(Entry, Awaited)> {
    let (mut entry, mut awaited) = open_at_once()?;
    match gate {
        Gate::Fifo { start, report } => {
            (entry.start, entry.report, awaited.report) = (Some(start), report, None);
        }
        Gate::Maker => {
            let (waits, tells) = pipe()?;
            (entry.start, awaited.start) = (Some(waits), Some(tells));
        }
    }
    Ok((entry, awaited))
}

/// Like [`open`], for a process that does not wait.
pub(super) fn open_at_once() -> Result<(Entry, Awaited)> {
    let born = Rc::new(Shared::new()?);
    let (heard, report) = pipe()?;
    let entry = Entry { born: Rc::clone(&born), start: None, report };
    Ok((entry, Awaited { born, start: None, report: Some(heard) }))
}

/// Creates a pipe. If the caller lacks standard streams, its ends must not take their numbers.
fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    let pipe = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC);
    let (read, write) = check(pipe, || "pipe2(O_CLOEXEC)".to_owned())?;
    Ok((process::above_standard_streams(read)?, process::above_standard_streams(write)?))
}

impl Entry {
    /// Closes what the process created inside must not have. The `channel` to the creator stays
    /// open, because it is needed until the last moment, and so does what the program is passed.
    pub(super) fn leave_the_rest_behind(&self, channel: impl AsFd, passed: &[OwnedFd]) -> Result<()> {
        let mut keep = vec![self.report.as_fd(), channel.as_fd()];
        keep.extend(self.start.as_ref().map(AsFd::as_fd));
        keep.extend(passed.iter().map(AsFd::as_fd));
        process::close_all_but(&keep)?;
        Ok(self.born.keep_from_copies()?)
    }

    /// Continues as the process created inside. Errors from then on go to the returned descriptor.
    pub(super) fn be_born(self) -> OwnedFd {
        match clone::fork_as_sibling(&self.born) {
            Ok(true) => {}
            Ok(false) => process::exit_now(0),
            Err(error) => {
                self.born.set(-error.errno());
                process::exit_now(1)
            }
        }
        let Self { born, start, report } = self;
        // The creator, and any other process that could start this program, has exited.
        if start.as_ref().is_some_and(|start| !hears_start(start)) {
            process::exit_now(1)
        }
        // Forgetting them takes no system call, and `execve` closes them.
        std::mem::forget((born, start));
        report
    }
}

fn hears_start(start: &OwnedFd) -> bool {
    let mut byte = [0];
    loop {
        match rustix::io::read(start, &mut byte) {
            Err(rustix::io::Errno::INTR) => {}
            result => return result == Ok(1),
        }
    }
}

/// Creates a session, with the terminal if standard input is one of ours.
///
/// Without a terminal a filter may forbid that. The session of the intermediate process does not
/// belong to the caller either.
pub(super) fn lead_session(has_terminal: bool) -> Result<()> {
    let led = process::new_session();
    if has_terminal {
        led?;
        pty::make_controlling(rustix::stdio::stdin())?;
    }
    Ok(())
}

impl Awaited {
    /// Returns the process created inside, after the intermediate process has exited.
    pub(super) fn born(&self, between: Exit) -> Result<Child> {
        match self.born.get() {
            0 => Err(Error::Died { status: between.to_string() }),
            pid if pid > 0 => Ok(Child { pid, pidfd: process::open(pid)? }),
            errno => {
                let source = std::io::Error::from_raw_os_error(-errno);
                let source = sys::Error::new("clone(CLONE_PARENT)", source);
                Err(Error::Step { step: payload::ENTER.to_owned(), source })
            }
        }
    }

    /// Lets the process created inside execute the program.
    pub(super) fn tell_start(&self) -> Result<()> {
        let Some(start) = &self.start else { return Ok(()) };
        check(rustix::io::write(start, b"s"), || "write(start)".to_owned())?;
        Ok(())
    }

    /// Waits until the program is executed.
    pub(super) fn hear(&self, child: &Child) -> Result<()> {
        let Some(end) = &self.report else { return Ok(()) };
        hear_report(end, child.pidfd.as_fd()).map(drop) // warnings were sent before it was created
    }
}

/// Waits until the program of a process is executed; returns its warnings.
///
/// # Errors
///
/// The step that failed, or an oversized report by another writer.
pub fn hear_report(end: &OwnedFd, process: BorrowedFd<'_>) -> Result<Vec<String>> {
    let call = || "read(report)".to_owned();
    check(rustix::fs::fcntl_setfl(end, OFlags::NONBLOCK), call)?;
    let mut report = Vec::new();
    let mut has_ended = false;
    loop {
        let mut bytes = [0; 4096];
        match rustix::io::read(end, &mut bytes) {
            Ok(0) => break,
            Ok(length) => report.extend_from_slice(&bytes[..length]),
            Err(rustix::io::Errno::AGAIN) if has_ended => break,
            Err(rustix::io::Errno::AGAIN) => has_ended = wait(end, process)?,
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(sys::Error::new(call(), errno).into()),
        }
        if report.len() > MAX_REPORT {
            let why = std::io::Error::other("it is longer than any valid report");
            return Err(sys::Error::new(call(), why).into());
        }
    }
    read_report(&report)
}

/// Waits for data; returns whether the process has exited, since others may hold the pipe.
fn wait(report: &OwnedFd, process: BorrowedFd<'_>) -> Result<bool> {
    let mut polled = [PollFd::new(report, PollFlags::IN), PollFd::new(&process, PollFlags::IN)];
    match rustix::event::poll(&mut polled, None) {
        Err(rustix::io::Errno::INTR) => Ok(false),
        result => {
            check(result, || "poll(report, pidfd)".to_owned())?;
            Ok(!polled[1].revents().is_empty())
        }
    }
}
