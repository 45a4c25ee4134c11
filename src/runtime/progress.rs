//! Records how far a process has come on its way to the program.
//!
//! Under the seccomp filter it may be unable to report that: the filter may forbid writes, or kill
//! it. So each step is recorded in memory shared with the creator, which takes no system call.

use std::rc::Rc;

use crate::sys::Result;
use crate::sys::shared::Shared;

/// The bits of the errno.
const ERRNO: i32 = 0xfff;
/// The bit that says whether the program's file exists.
const HAS_FILE: i32 = 0x1000;
/// The first bit of the step number.
const STEP: u32 = 13;

/// The memory page shared by a process and its creator.
#[derive(Debug, Clone)]
pub(super) struct Progress(Rc<Shared>);

/// The last recorded state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reached {
    /// The step, counted from 0.
    pub(super) step: usize,
    /// Why it failed; 0 if it did not.
    pub(super) errno: i32,
    /// Whether the program's file was found in the container, if the search was done.
    pub(super) has_file: bool,
}

impl Progress {
    pub(super) fn new() -> Result<Self> {
        Ok(Self(Rc::new(Shared::new()?)))
    }

    /// Records the start of a step, or with an errno its failure.
    pub(super) fn note(&self, reached: Reached) {
        let step = i32::try_from(reached.step + 1).unwrap_or(0);
        let file = if reached.has_file { HAS_FILE } else { 0 };
        self.0.set((step << STEP) | file | (reached.errno & ERRNO));
    }

    /// Returns the last recorded state; `None` before the first step.
    pub(super) fn reached(&self) -> Option<Reached> {
        let number = self.0.get();
        let step = usize::try_from(number >> STEP).ok()?.checked_sub(1)?;
        Some(Reached { step, errno: number & ERRNO, has_file: number & HAS_FILE != 0 })
    }

    /// Excludes the page from copies of this process made from here on. They must not use it.
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
