//! A small init for programs that cannot be process 1: forwards signals and reaps orphans.
//!
//! Just before `execve` the container's first process forks. The child becomes the program, and the
//! parent stays, with nothing open, until the child exits. The container's seccomp filter applies
//! to it as well.

use super::error::Cause;
use super::{Error, Result, payload};
use crate::sys::process::Exit;
use crate::sys::{clone, process, signal};

/// The exit code if that of the program is unavailable.
const UNKNOWN: i32 = 1;

/// Forks this process. Returns in the child. In the parent it returns only if the child was killed
/// before it executed the program, most likely by the filter.
pub(super) fn split(has_terminal: bool) -> Result<()> {
    // Before the fork, to avoid losing a signal in between.
    signal::block_all()?;
    match clone::fork_until_executed()? {
        None => {
            // A separate process group, so that a terminal's signals reach only the program.
            process::lead_group()?;
            if has_terminal {
                process::take_foreground(rustix::stdio::stdin())?;
            }
            Ok(signal::set_mask(0)?)
        }
        Some(child) => match end_without_program(child) {
            None => watch(child),
            Some(Exit::Code(code)) => process::exit_now(code), // it has reported the error
            Some(exit @ Exit::Signal(libc::SIGSYS)) => {
                let source = Cause::Ended(format!("with {exit}"));
                Err(Error::Filtered { step: payload::EXECUTE.to_owned(), source })
            }
            Some(exit) => Err(Error::Died { status: exit.to_string() }),
        },
    }
}

/// Returns the exit of a child that has executed nothing. The child either executes the program or
/// exits. If a filter forbids checking, it counts as the program.
fn end_without_program(child: i32) -> Option<Exit> {
    loop {
        // In this order: a dead child that is not yet reaped executes nothing more.
        let news = signal::take_pending(libc::SIGCHLD);
        match (process::has_child_executed(child), news) {
            (Ok(false), Ok(false)) => {}
            (Ok(false), Ok(true)) => match process::wait_any() {
                Ok(Some((pid, exit))) if pid == child => return Some(exit),
                _ => {} // it was stopped by a tracer
            },
            (_, news) => {
                if let Ok(true) = news {
                    reap(child);
                }
                return None;
            }
        }
    }
}

/// Forwards all signals, reaps all processes, and exits with the child's exit code.
fn watch(child: i32) -> ! {
    // This process must not keep the program's streams open.
    let _ = process::close_all(); // this is a copy
    loop {
        match signal::wait_any() {
            Ok(libc::SIGCHLD) => reap(child),
            Ok(number) => {
                let _ = signal::send(child, number); // it may have just exited
            }
            Err(error) if error.is(rustix::io::Errno::INTR) => {}
            // The filter forbids it: then only the child's exit can be waited for.
            Err(_) => process::exit_now(process::wait_for(child).map_or(UNKNOWN, Exit::code)),
        }
    }
}

/// Reaps all processes that have exited; exits if the child has.
fn reap(child: i32) {
    loop {
        match process::wait_any() {
            Ok(Some((0, _)) | None) => return,
            Ok(Some((pid, exit))) if pid == child => process::exit_now(exit.code()),
            Ok(Some(_)) => {}
            // The filter forbids it: nothing would ever report the child's exit.
            Err(_) => process::exit_now(UNKNOWN),
        }
    }
}
