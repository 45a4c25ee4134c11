//! A verb that was given to several objects at once: its ends are told as one.

use crate::tui::effect::Effect;
use crate::tui::failure::Failure;

/// One verb on several objects.
#[derive(Debug)]
pub struct Batch {
    /// `removed`
    pub told: &'static str,
    waiting: Vec<Effect>,
    done: usize,
    failed: Vec<Failure>,
}

impl Batch {
    /// Begins it; `failed` are those that were refused at once.
    #[must_use]
    pub fn new(told: &'static str, waiting: Vec<Effect>, failed: Vec<Failure>) -> Self {
        Self { told, waiting, done: 0, failed }
    }

    /// Takes in the end of one; `false` when it is none of this batch.
    pub fn take(&mut self, effect: &Effect, result: &Result<(), Failure>) -> bool {
        let Some(at) = self.waiting.iter().position(|one| one == effect) else { return false };
        self.waiting.swap_remove(at);
        match result {
            Ok(()) => self.done += 1,
            Err(failure) => self.failed.push(failure.clone()),
        }
        true
    }

    /// Whether the last one has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What became of it: `removed 3, 1 failed`.
    #[must_use]
    pub fn summary(&self) -> String {
        match self.failed.len() {
            0 => format!("{} {}", self.told, self.done),
            failed => format!("{} {}, {failed} failed", self.told, self.done),
        }
    }

    /// What failed.
    #[must_use]
    pub fn into_failures(self) -> Vec<Failure> {
        self.failed
    }
}
