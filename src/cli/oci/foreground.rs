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

/// How much is passed on at a time.
const PART: usize = 16 << 10;

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
    loop {
        let ended = {
            let mut polled = vec![
                PollFd::new(&running.pidfd, PollFlags::IN),
                PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN),
            ];
            polled.extend(terminal.iter().flat_map(Terminal::polled));
            match poll(&mut polled, None) {
                Err(Errno::INTR) => continue,
                polled => polled?,
            };
            !polled[0].revents().is_empty()
        };
        while let Some(number) = signals.next()? {
            match &terminal {
                Some(terminal) if number == libc::SIGWINCH => terminal.follow_size(),
                // It may have ended.
                _ if number != libc::SIGCHLD => drop(process::signal(running.pidfd.as_fd(), number)),
                _ => {}
            }
        }
        if let Some(terminal) = &mut terminal {
            terminal.pass_on()?;
        }
        if ended {
            return Ok(process::wait(running.pidfd.as_fd())?.code());
        }
    }
}

/// The terminal of a process, and what was typed for it.
struct Terminal<'a> {
    master: &'a OwnedFd,
    typed: VecDeque<u8>,
    /// Whether more can be read from standard input.
    is_typed_at: bool,
    /// Whether a process may still write to the terminal.
    is_open: bool,
}

impl<'a> Terminal<'a> {
    fn new(master: &'a OwnedFd) -> Result<Self, Failed> {
        // Neither side may wait for the other.
        rustix::io::ioctl_fionbio(master, true)?;
        let terminal = Self { master, typed: VecDeque::new(), is_typed_at: true, is_open: true };
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

    /// Returns what to wait for. What was typed is passed on before more is read.
    fn polled(&self) -> Vec<PollFd<'_>> {
        let out = if self.typed.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
        let mut polled = Vec::new();
        if self.is_open {
            polled.push(PollFd::new(self.master, PollFlags::IN | out));
        }
        if self.is_typed_at && self.typed.is_empty() {
            polled.push(PollFd::from_borrowed_fd(rustix::stdio::stdin(), PollFlags::IN));
        }
        polled
    }

    /// Passes on what is there, in both directions.
    fn pass_on(&mut self) -> Result<(), Failed> {
        let mut part = [0; PART];
        while self.is_open {
            match read(self.master, &mut part) {
                Ok(count) if count > 0 => write_all(rustix::stdio::stdout(), &part[..count])?,
                Err(Errno::AGAIN | Errno::INTR) => break,
                // EIO: the last process has closed it.
                Ok(_) | Err(_) => self.is_open = false,
            }
        }
        if self.is_typed_at && self.typed.is_empty() && is_readable(rustix::stdio::stdin())? {
            match read(rustix::stdio::stdin(), &mut part) {
                Ok(count) if count > 0 => self.typed.extend(&part[..count]),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Ok(_) | Err(_) => self.is_typed_at = false,
            }
        }
        while !self.typed.is_empty() {
            match write(self.master, self.typed.make_contiguous()) {
                Ok(count) => drop(self.typed.drain(..count)),
                Err(Errno::AGAIN) => break,
                Err(_) => self.typed.clear(),
            }
        }
        Ok(())
    }
}

fn is_readable(fd: BorrowedFd<'_>) -> Result<bool, Failed> {
    let mut polled = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut polled, Some(&now))?;
    Ok(!polled[0].revents().is_empty())
}

fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8]) -> Result<(), Failed> {
    while !bytes.is_empty() {
        match write(to, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => drop(poll(&mut [PollFd::from_borrowed_fd(to, PollFlags::OUT)], None)?),
            // Who does not listen any more does not end the program.
            Err(Errno::PIPE) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
