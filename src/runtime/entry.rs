//! The way into a pid namespace in which others live already.
//!
//! Whoever has CAP_SYS_PTRACE in there can use a process as its own from the moment it is
//! born: its descriptors, its root, its memory, its capabilities. So everything is done by a
//! process in between, which nobody in there can name, and what that one makes last has
//! nothing that the program is not to have, but the ends of two pipes.
//!
//! ```text
//! maker ── clone3 ──▶ in between: joins, mounts, ids, capabilities, filter
//!   │◀── the id of ─────┤ clone(CLONE_PARENT)
//!   │                   └──▶ born inside: waits for its start, leads a session, execve
//!   │◀── what stopped it, or just the end of the pipe ───┘
//! ```
//! The id comes by memory that the maker and the process in between share, for a filter may
//! forbid every call that could tell it.

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

/// The longest report that is read: whoever traces the process could write one without end.
const MAX_REPORT: usize = 64 * 1024;

/// What the process in between holds.
pub(super) struct Entry {
    born: Rc<Shared>,
    /// What the process that is born inside waits for.
    start: Option<OwnedFd>,
    report: OwnedFd,
}

/// What the maker holds.
#[derive(Debug)]
pub(super) struct Awaited {
    born: Rc<Shared>,
    /// Where the start is told, if it is by the maker.
    start: Option<OwnedFd>,
    /// Where the report is read, if it is by the maker.
    report: Option<OwnedFd>,
}

/// Both, to be taken apart by the clone of the process in between. What is born inside waits
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

/// The same for what need not wait.
pub(super) fn open_at_once() -> Result<(Entry, Awaited)> {
    let born = Rc::new(Shared::new()?);
    let (heard, report) = pipe()?;
    let entry = Entry { born: Rc::clone(&born), start: None, report };
    Ok((entry, Awaited { born, start: None, report: Some(heard) }))
}

/// A caller without standard streams must not have these ends taken for one of them.
fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    let pipe = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC);
    let (read, write) = check(pipe, || "pipe2(O_CLOEXEC)".to_owned())?;
    Ok((process::above_standard_streams(read)?, process::above_standard_streams(write)?))
}

impl Entry {
    /// Closes what the process that is born inside must not have, the `channel` to the
    /// maker not among it: it is needed until the last moment.
    pub(super) fn leave_the_rest_behind(&self, channel: impl AsFd) -> Result<()> {
        let mut keep = vec![self.report.as_fd(), channel.as_fd()];
        keep.extend(self.start.as_ref().map(AsFd::as_fd));
        process::close_all_but(&keep)?;
        Ok(self.born.keep_from_copies()?)
    }

    /// Is born inside. What stops the program from then on goes to the descriptor.
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
        // The maker is gone, or whoever else could want this program.
        if start.as_ref().is_some_and(|start| !hears_start(start)) {
            process::exit_now(1)
        }
        // What is forgotten takes no system call, and `execve` closes it.
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

/// Leads a session of its own, on the terminal if standard input is one of ours.
///
/// Without a terminal a filter may refuse that: the session of the process in between is none
/// of the caller's either.
pub(super) fn lead_session(has_terminal: bool) -> Result<()> {
    let led = process::new_session();
    if has_terminal {
        led?;
        pty::make_controlling(rustix::stdio::stdin())?;
    }
    Ok(())
}

impl Awaited {
    /// The process that was born inside, once the one in between has ended like this.
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

    /// Lets what was born inside execute the program.
    pub(super) fn tell_start(&self) -> Result<()> {
        let Some(start) = &self.start else { return Ok(()) };
        check(rustix::io::write(start, b"s"), || "write(start)".to_owned())?;
        Ok(())
    }

    /// Waits until the program was executed.
    pub(super) fn hear(&self, child: &Child) -> Result<()> {
        let Some(end) = &self.report else { return Ok(()) };
        hear_report(end, child.pidfd.as_fd()).map(drop) // the warnings came before it was born
    }
}

/// Waits until the program of a process was executed: what could not be had and was left out.
///
/// # Errors
///
/// The step that failed; a report without end, from another writer.
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
            let why = std::io::Error::other("it is longer than any report of ours");
            return Err(sys::Error::new(call(), why).into());
        }
    }
    read_report(&report)
}

/// Waits for a word; whether the process has ended, as someone else may hold the pipe.
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
