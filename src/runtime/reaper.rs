//! A small init for programs that are none: passes signals on and reaps orphans.
//!
//! It is the container's first process split in two just before `execve`: the child
//! becomes the program, the first process stays, with nothing open, until it ends. The
//! container's filter of system calls binds it like the program.

use crate::sys::{Result, clone, process, signal};

/// The exit code where that of the program cannot be had.
const UNKNOWN: i32 = 1;

/// Splits this process. Returns in the child only.
pub(super) fn split(has_terminal: bool) -> Result<()> {
    // Before the fork, so that no signal is lost in between.
    signal::block_all()?;
    match clone::fork()? {
        None => {
            // A group of its own, so that a terminal's signals reach it and not the init too.
            process::lead_group()?;
            if has_terminal {
                process::take_foreground(rustix::stdio::stdin())?;
            }
            signal::set_mask(0)
        }
        Some(child) => watch(child),
    }
}

/// Passes every signal on, reaps every process, and ends as the child does.
fn watch(child: i32) -> ! {
    // The program's end of its streams must be the last one.
    let _ = process::close_all(); // this is a copy
    loop {
        match signal::wait_any() {
            Ok(libc::SIGCHLD) => loop {
                match process::wait_any() {
                    Ok(Some((0, _)) | None) => break,
                    Ok(Some((pid, exit))) if pid == child => process::exit_now(exit.code()),
                    Ok(Some(_)) => {}
                    // A filter forbids it: nothing would ever tell of the child's end.
                    Err(_) => process::exit_now(UNKNOWN),
                }
            },
            Ok(number) => {
                let _ = signal::send(child, number); // it may just have ended
            }
            Err(error) if error.is(rustix::io::Errno::INTR) => {}
            // A filter forbids it: then the child's end is all that can be waited for.
            Err(_) => process::exit_now(process::wait_for(child).map_or(UNKNOWN, process::Exit::code)),
        }
    }
}
