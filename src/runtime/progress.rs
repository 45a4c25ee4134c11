//! How far a process of ours came on its way to the program.
//!
//! From the filter of system calls on it may be unable to tell: the filter can forbid to
//! write, or kill it. So each step is noted in memory that its maker shares, which takes no
//! system call.

use std::rc::Rc;

use crate::sys::Result;
use crate::sys::shared::Shared;

/// Bits of an errno.
const ERRNO: i32 = 0xfff;
/// The bit that says whether the program's file is there.
const HAS_FILE: i32 = 0x1000;
/// Where the number of the step begins.
const STEP: u32 = 13;

/// The page of one process and its maker.
#[derive(Debug, Clone)]
pub(super) struct Progress(Rc<Shared>);

/// The last that was noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reached {
    /// The step, counted from 0.
    pub(super) step: usize,
    /// Why it failed; 0 when it did not.
    pub(super) errno: i32,
    /// Whether the program's file was found in the container, as far as it was looked for.
    pub(super) has_file: bool,
}

impl Progress {
    pub(super) fn new() -> Result<Self> {
        Ok(Self(Rc::new(Shared::new()?)))
    }

    /// Notes a step that begins, or with its errno one that failed.
    pub(super) fn note(&self, reached: Reached) {
        let step = i32::try_from(reached.step + 1).unwrap_or(0);
        let file = if reached.has_file { HAS_FILE } else { 0 };
        self.0.set((step << STEP) | file | (reached.errno & ERRNO));
    }

    /// `None` before the first step.
    pub(super) fn reached(&self) -> Option<Reached> {
        let number = self.0.get();
        let step = usize::try_from(number >> STEP).ok()?.checked_sub(1)?;
        Some(Reached { step, errno: number & ERRNO, has_file: number & HAS_FILE != 0 })
    }

    /// Keeps the page from the copies that this process makes from here on; they must not
    /// use it.
    pub(super) fn keep_from_copies(&self) -> Result<()> {
        self.0.keep_from_copies()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_last_is_read() {
        let progress = Progress::new().unwrap();
        let theirs = progress.clone();
        assert_eq!(theirs.reached(), None);
        for (step, errno, has_file) in
            [(0, 0, false), (17, 0, true), (17, libc::EPERM, false), (18, 4095, true)]
        {
            let reached = Reached { step, errno, has_file };
            progress.note(reached);
            assert_eq!(theirs.reached(), Some(reached));
        }
    }
}
