//! A small init for programs that are none: passes signals on and reaps orphans.
//!
//! It is the container's first process split in two just before `execve`: the child
//! becomes the program, the first process stays, with nothing open, until it ends. The
//! container's filter of system calls binds it like the program.

use super::error::Cause;
use super::{Error, Result, payload};
use crate::sys::process::Exit;
use crate::sys::{clone, process, signal};

/// The exit code where that of the program cannot be had.
const UNKNOWN: i32 = 1;

/// Splits this process. Returns in the child, and in this process only where the child was
/// killed before it executed the program: by the filter, most likely.
pub(super) fn split(has_terminal: bool) -> Result<()> {
    // Before the fork, so that no signal is lost in between.
    signal::block_all()?;
    match clone::fork_until_executed()? {
        None => {
            // A group of its own, so that a terminal's signals reach it and not the init too.
            process::lead_group()?;
            if has_terminal {
                process::take_foreground(rustix::stdio::stdin())?;
            }
            Ok(signal::set_mask(0)?)
        }
        Some(child) => match end_without_program(child) {
            None => watch(child),
            Some(Exit::Code(code)) => process::exit_now(code), // it has told why
            Some(exit @ Exit::Signal(libc::SIGSYS)) => {
                let source = Cause::Ended(format!("with {exit}"));
                Err(Error::Filtered { step: payload::EXECUTE.to_owned(), source })
            }
            Some(exit) => Err(Error::Died { status: exit.to_string() }),
        },
    }
}

/// How the child ended that has executed nothing. It is about to execute the program or to
/// end; where a filter forbids to ask which, it counts as the program.
fn end_without_program(child: i32) -> Option<Exit> {
    loop {
        // Asked in this order: one that is dead and not reaped yet executes nothing more.
        let news = signal::take_pending(libc::SIGCHLD);
        match (process::has_child_executed(child), news) {
            (Ok(false), Ok(false)) => {}
            (Ok(false), Ok(true)) => match process::wait_any() {
                Ok(Some((pid, exit))) if pid == child => return Some(exit),
                _ => {} // it was stopped, by a tracer
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

/// Passes every signal on, reaps every process, and ends as the child does.
fn watch(child: i32) -> ! {
    // The program's end of its streams must be the last one.
    let _ = process::close_all(); // this is a copy
    loop {
        match signal::wait_any() {
            Ok(libc::SIGCHLD) => reap(child),
            Ok(number) => {
                let _ = signal::send(child, number); // it may just have ended
            }
            Err(error) if error.is(rustix::io::Errno::INTR) => {}
            // A filter forbids it: then the child's end is all that can be waited for.
            Err(_) => process::exit_now(process::wait_for(child).map_or(UNKNOWN, Exit::code)),
        }
    }
}

/// Reaps all that have ended, and ends with the child.
fn reap(child: i32) {
    loop {
        match process::wait_any() {
            Ok(Some((0, _)) | None) => return,
            Ok(Some((pid, exit))) if pid == child => process::exit_now(exit.code()),
            Ok(Some(_)) => {}
            // A filter forbids it: nothing would ever tell of the child's end.
            Err(_) => process::exit_now(UNKNOWN),
        }
    }
}
