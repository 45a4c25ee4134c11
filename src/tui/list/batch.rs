//! A verb on several objects at once, whose results are reported together.

use crate::tui::effect::Effect;
use crate::tui::failure::Failure;
use crate::tui::verb_words::{DELETE, Words};

/// A verb on several objects.
#[derive(Debug)]
pub struct Batch {
    words: &'static Words,
    waiting: Vec<Effect>,
    all: usize,
    /// The number of those that were refused immediately.
    refused: usize,
    done: usize,
    /// The number of those that another process had removed.
    gone: usize,
    withdrawn: usize,
    failed: Vec<Failure>,
    skipped: String,
    hint: Option<String>,
    /// Whether all effects have begun, so that none can be cancelled.
    has_begun: bool,
}

impl Batch {
    /// Starts a batch; `failed` contains the ones that were refused immediately.
    #[must_use]
    pub fn new(words: &'static Words, waiting: Vec<Effect>, failed: Vec<Failure>) -> Self {
        let (all, refused) = (waiting.len(), failed.len());
        Self {
            words,
            waiting,
            all,
            refused,
            done: 0,
            gone: 0,
            withdrawn: 0,
            failed,
            skipped: String::new(),
            hint: None,
            has_begun: false,
        }
    }

    /// Sets which others were skipped, such as `2 exited`, and what to do with them instead.
    #[must_use]
    pub fn skipping(self, skipped: String, hint: Option<String>) -> Self {
        Self { skipped, hint, ..self }
    }

    /// Returns what to do with the skipped ones instead.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Adds this number of objects that had already been removed.
    #[must_use]
    pub fn with_gone(self, gone: usize) -> Self {
        Self { gone, all: self.all + gone, ..self }
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

    /// Stores that another process had removed the object of an effect; returns `false` if it does
    /// not belong to this batch.
    pub fn miss(&mut self, effect: &Effect) -> bool {
        let Some(at) = self.waiting.iter().position(|one| one == effect) else { return false };
        self.waiting.swap_remove(at);
        self.gone += 1;
        true
    }

    /// Whether anything was done.
    #[must_use]
    pub fn has_done_something(&self) -> bool {
        self.done > 0
    }

    /// Drops an effect that will not begin; returns `false` if it does not belong to this batch.
    pub fn withdraw(&mut self, effect: &Effect) -> bool {
        let Some(at) = self.waiting.iter().position(|one| one == effect) else { return false };
        self.waiting.swap_remove(at);
        self.withdrawn += 1;
        true
    }

    /// Records that all effects have begun, apart from those that were dropped.
    pub fn begin_all(&mut self) {
        self.has_begun = true;
    }

    /// Whether some effects may still be cancelled.
    #[must_use]
    pub fn can_be_cancelled(&self) -> bool {
        !self.has_begun
    }

    /// Returns the effects that have not finished.
    #[must_use]
    pub fn waiting(&self) -> &[Effect] {
        &self.waiting
    }

    /// Returns the progress: `removing 212 of 1,000`.
    #[must_use]
    pub fn progress(&self) -> String {
        let done = self.all - self.waiting.len() - self.withdrawn;
        format!("{} {} of {}", self.words.progressive, grouped(done), grouped(self.all))
    }

    /// Whether all effects have finished.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Summarizes the results: `removed 3, 1 of 4 failed`.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut summary = format!("{} {}", self.words.past, grouped(self.done));
        if self.withdrawn > 0 {
            summary += &format!(" of {}, then cancelled", grouped(self.all));
        }
        // Another process may have restored what is to be deleted.
        let state = if self.words == DELETE { "no longer in the trash" } else { "already removed" };
        let gone = format!("{} {state}", grouped(self.gone));
        let skipped = [self.skipped.as_str(), if self.gone > 0 { &gone } else { "" }];
        let skipped: Vec<&str> = skipped.into_iter().filter(|text| !text.is_empty()).collect();
        if !skipped.is_empty() {
            summary += &format!(", skipped {}", skipped.join(", "));
        }
        if !self.failed.is_empty() {
            let all = self.all + self.refused;
            summary += &format!(", {} of {} failed", grouped(self.failed.len()), grouped(all));
        }
        summary
    }

    /// Returns the failures.
    #[must_use]
    pub fn into_failures(self) -> Vec<Failure> {
        self.failed
    }
}

/// Formats a number with separators: `1,000`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let parts: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|part| str::from_utf8(part).ok()).collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::section::TaskId;
    use crate::tui::verb_words::REMOVE;

    #[test]
    fn progress_and_result_are_told_in_words() {
        let effects: Vec<Effect> = (0..1200).map(|id| Effect::Cancel(TaskId(id))).collect();
        let mut batch = Batch::new(REMOVE, effects.clone(), Vec::new());
        for effect in &effects[..1100] {
            assert!(batch.take(effect, &Ok(())));
        }
        assert_eq!(batch.progress(), "removing 1,100 of 1,200");
        assert!(batch.withdraw(&effects[1150]) && !batch.withdraw(&effects[1150]));
        for effect in &effects[1100..] {
            batch.take(effect, &Ok(()));
        }
        assert!(batch.is_over());
        assert_eq!(batch.summary(), "removed 1,199 of 1,200, then cancelled");
    }

    #[test]
    fn what_another_process_removed_counts_as_skipped() {
        let effects: Vec<Effect> = (0..4).map(|id| Effect::Cancel(TaskId(id))).collect();
        let mut batch = Batch::new(REMOVE, effects.clone(), Vec::new()).with_gone(1);
        assert_eq!(batch.progress(), "removing 1 of 5");
        assert!(batch.miss(&effects[0]) && !batch.miss(&effects[0]));
        assert_eq!(batch.progress(), "removing 2 of 5");
        assert!(!batch.has_done_something());
        batch.take(&effects[1], &Ok(()));
        batch.take(&effects[2], &Err(Failure::default()));
        assert_eq!(batch.progress(), "removing 4 of 5");
        batch.take(&effects[3], &Ok(()));
        assert_eq!(batch.summary(), "removed 2, skipped 2 already removed, 1 of 5 failed");
        let batch =
            Batch::new(REMOVE, Vec::new(), Vec::new()).skipping("2 exited".to_owned(), None).with_gone(1);
        assert_eq!(batch.summary(), "removed 0, skipped 2 exited, 1 already removed");
        let batch = Batch::new(DELETE, Vec::new(), Vec::new()).with_gone(2);
        assert_eq!(batch.summary(), "deleted 0, skipped 2 no longer in the trash");
    }
}
