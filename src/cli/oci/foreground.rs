//! Stays with a process until it ends: its signals, its terminal and its exit code.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, read, write};
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};

use super::Failed;
use crate::runtime::Running;
use crate::sys::signal::Signals;
use crate::sys::{process, pty};

/// How much is passed on at a time: a pipe that is ready takes it without waiting (`PIPE_BUF`).
const PART: usize = 4096;

/// The caller's terminal in raw mode, in which every key is passed on. Restored on drop.
struct Raw(Termios);

impl Raw {
    /// Returns `None` if standard input is no terminal.
    fn enter() -> Option<Self> {
        let before = tcgetattr(io::stdin()).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Now, &raw).ok()?;
        Some(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // A terminal that was closed need not be restored.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// Returns the columns and rows of the caller's terminal.
pub(super) fn size() -> Option<(u16, u16)> {
    let size = tcgetwinsize(io::stdin()).or_else(|_| tcgetwinsize(io::stdout())).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

/// Waits for the end of a process and returns its exit code. Signals, which must be blocked, are sent
/// to it; if the process has a terminal, it is connected with the caller's.
pub(super) fn stay(running: &Running) -> Result<i32, Failed> {
    let signals = Signals::open()?;
    let _raw = running.console.as_ref().and_then(|_| Raw::enter());
    let mut terminal = running.console.as_ref().map(Terminal::new).transpose()?;
    let mut has_ended = false;
    loop {
        let mut polled = vec![PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN)];
        polled.extend((!has_ended).then(|| PollFd::new(&running.pidfd, PollFlags::IN)));
        polled.extend(terminal.iter().flat_map(Terminal::polled));
        match poll(&mut polled, None) {
            Err(Errno::INTR) => continue,
            polled => polled?,
        };
        drop(polled);
        while let Some(number) = signals.next()? {
            match &terminal {
                _ if number == libc::SIGCHLD => {}
                Some(terminal) if number == libc::SIGWINCH => terminal.follow_size(),
                // Nobody waits for the rest of its output.
                _ if has_ended => return Ok(process::wait(running.pidfd.as_fd())?.code()),
                _ => drop(process::signal(running.pidfd.as_fd(), number)), // it may end meanwhile
            }
        }
        // Looked at before its output, which is whole then.
        has_ended = has_ended || process::has_ended(running.pidfd.as_fd())?;
        if let Some(terminal) = &mut terminal {
            terminal.pass_on()?;
        }
        if has_ended && terminal.as_ref().is_none_or(Terminal::has_shown_all) {
            return Ok(process::wait(running.pidfd.as_fd())?.code());
        }
    }
}

/// The terminal of a process, what was typed for it, and what it has to show. Each direction is passed
/// on in small parts, so that neither holds up the other, nor signals.
struct Terminal<'a> {
    master: &'a OwnedFd,
    typed: VecDeque<u8>,
    shown: VecDeque<u8>,
    /// Whether more can be read from standard input.
    is_typed_at: bool,
    /// Whether standard output can be written to.
    is_watched: bool,
    /// Whether a process may still write to the terminal.
    is_open: bool,
    /// Whether there was nothing to read from it the last time.
    is_quiet: bool,
}

impl<'a> Terminal<'a> {
    fn new(master: &'a OwnedFd) -> Result<Self, Failed> {
        rustix::io::ioctl_fionbio(master, true)?;
        let (typed, shown) = (VecDeque::new(), VecDeque::new());
        let terminal = Self {
            master,
            typed,
            shown,
            is_typed_at: true,
            is_watched: true,
            is_open: true,
            is_quiet: false,
        };
        terminal.follow_size();
        Ok(terminal)
    }

    /// Gives the terminal the size of the caller's, if that has one.
    fn follow_size(&self) {
        if isatty(io::stdin())
            && let Some((columns, rows)) = size()
        {
            let _ = pty::set_size(self.master.as_fd(), columns, rows); // it may have been closed
        }
    }

    /// Returns what to wait for. What was read is passed on before more is.
    fn polled(&self) -> Vec<PollFd<'_>> {
        let mut polled = Vec::new();
        let mut of_master = PollFlags::empty();
        of_master.set(PollFlags::IN, self.shown.is_empty());
        of_master.set(PollFlags::OUT, !self.typed.is_empty());
        // Its end is told even to who waits for nothing.
        if self.is_open && !of_master.is_empty() {
            polled.push(PollFd::new(self.master, of_master));
        }
        if !self.shown.is_empty() {
            polled.push(PollFd::from_borrowed_fd(rustix::stdio::stdout(), PollFlags::OUT));
        }
        if self.is_open && self.is_typed_at && self.typed.is_empty() {
            polled.push(PollFd::from_borrowed_fd(rustix::stdio::stdin(), PollFlags::IN));
        }
        polled
    }

    /// Passes on a part in each direction.
    fn pass_on(&mut self) -> Result<(), Failed> {
        let mut part = [0; PART];
        if self.is_open && self.shown.is_empty() {
            match read(self.master, &mut part) {
                Ok(count) if count > 0 => {
                    self.is_quiet = false;
                    self.shown.extend(&part[..count]);
                }
                Err(Errno::AGAIN | Errno::INTR) => self.is_quiet = true,
                // EIO: the last process has closed it.
                Ok(_) | Err(_) => self.is_open = false,
            }
        }
        if !self.is_watched {
            self.shown.clear(); // who has stopped reading does not end the program
        }
        if !self.shown.is_empty() && is_ready(rustix::stdio::stdout(), PollFlags::OUT)? {
            match write(rustix::stdio::stdout(), self.shown.make_contiguous()) {
                Ok(count) => drop(self.shown.drain(..count)),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(Errno::PIPE) => self.is_watched = false,
                Err(error) => return Err(error.into()),
            }
        }
        if self.is_open && self.is_typed_at && self.typed.is_empty() {
            self.read_typed(&mut part)?;
        }
        if !self.typed.is_empty() {
            match write(self.master, self.typed.make_contiguous()) {
                Ok(count) => drop(self.typed.drain(..count)),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(_) => self.typed.clear(),
            }
        }
        Ok(())
    }

    fn read_typed(&mut self, part: &mut [u8]) -> Result<(), Failed> {
        if is_ready(rustix::stdio::stdin(), PollFlags::IN)? {
            match read(rustix::stdio::stdin(), &mut *part) {
                Ok(count) if count > 0 => self.typed.extend(&part[..count]),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Ok(_) | Err(_) => self.is_typed_at = false,
            }
        }
        Ok(())
    }

    /// Whether what the process has written was shown. Others cannot write any more: the kernel hangs
    /// the terminal up when the process ends, since it leads its session.
    fn has_shown_all(&self) -> bool {
        self.shown.is_empty() && (self.is_quiet || !self.is_open)
    }
}

fn is_ready(fd: BorrowedFd<'_>, for_what: PollFlags) -> Result<bool, Failed> {
    let mut polled = [PollFd::from_borrowed_fd(fd, for_what)];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut polled, Some(&now))?;
    Ok(!polled[0].revents().is_empty())
}
