//! A verb on several objects at once, whose results are reported together.

use crate::tui::effect::Effect;
use crate::tui::failure::Failure;

/// A verb on several objects.
#[derive(Debug)]
pub struct Batch {
    /// `removed`
    pub told: &'static str,
    waiting: Vec<Effect>,
    done: usize,
    failed: Vec<Failure>,
    skipped: String,
}

impl Batch {
    /// Starts a batch; `failed` contains the ones that were refused immediately.
    #[must_use]
    pub fn new(told: &'static str, waiting: Vec<Effect>, failed: Vec<Failure>) -> Self {
        Self { told, waiting, done: 0, failed, skipped: String::new() }
    }

    /// Sets which others were skipped: `2 exited`.
    #[must_use]
    pub fn skipping(self, skipped: String) -> Self {
        Self { skipped, ..self }
    }

    /// Stores a result; returns `false` if the effect does not belong to this batch.
    pub fn take(&mut self, effect: &Effect, result: &Result<(), Failure>) -> bool {
        let Some(at) = self.waiting.iter().position(|one| one == effect) else { return false };
        self.waiting.swap_remove(at);
        match result {
            Ok(()) => self.done += 1,
            Err(failure) => self.failed.push(failure.clone()),
        }
        true
    }

    /// Whether all effects have finished.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Summarizes the results: `removed 3, 1 failed`.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut summary = format!("{} {}", self.told, self.done);
        if !self.skipped.is_empty() {
            summary += &format!(", skipped {}", self.skipped);
        }
        if !self.failed.is_empty() {
            summary += &format!(", {} failed", self.failed.len());
        }
        summary
    }

    /// Returns the failures.
    #[must_use]
    pub fn into_failures(self) -> Vec<Failure> {
        self.failed
    }
}
