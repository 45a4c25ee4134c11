//! Progress of long operations, sent as plain data to a sink. A terminal, a plain log, the TUI and
//! a test each show it in their own way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The current phase of a part, usually a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not started.
    Waiting,
    /// Downloading.
    Downloading,
    /// Downloaded; the digest is being checked.
    Verifying,
    /// Files are being written.
    Extracting,
    /// A file of this machine is being written.
    Writing,
    /// It existed already.
    Exists,
    /// It failed and will be retried.
    Retrying,
    /// Finished.
    Done,
}

/// A progress report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A line for users: `Pulling from library/debian`.
    Note(String),
    /// A warning, as a sentence.
    Warning(String),
    /// The state of a part changed.
    Part {
        /// Twelve hex digits of a layer, or another short name.
        id: String,
        /// Its current phase.
        phase: Phase,
        /// Bytes done in this phase.
        current: u64,
        /// Total bytes, if known.
        total: Option<u64>,
    },
}

/// A sink for progress reports, and a flag that cancels the work. Cheap to clone.
#[derive(Clone)]
pub struct Reporter {
    sink: Arc<dyn Fn(Progress) + Send + Sync>,
    cancelled: Arc<Flag>,
}

/// A cancellation flag, for a part or for the whole it belongs to.
#[derive(Default)]
struct Flag {
    here: AtomicBool,
    above: Option<Arc<Flag>>,
}

impl Flag {
    fn is_set(&self) -> bool {
        self.here.load(Ordering::Relaxed) || self.above.as_deref().is_some_and(Self::is_set)
    }
}

impl Reporter {
    /// Reports to `sink`, which must return quickly and must not block.
    pub fn new(sink: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self { sink: Arc::new(sink), cancelled: Arc::default() }
    }

    /// Returns a reporter for a part of the work. It reports to `sink`, is cancelled with the
    /// whole, and can be cancelled by itself.
    #[must_use]
    pub fn part(&self, sink: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        let flag = Flag { here: AtomicBool::new(false), above: Some(self.cancelled.clone()) };
        Self { sink: Arc::new(sink), cancelled: Arc::new(flag) }
    }

    /// Discards all reports.
    #[must_use]
    pub fn silent() -> Self {
        Self::new(|_| {})
    }

    /// Reports `news`.
    pub fn report(&self, news: Progress) {
        (self.sink)(news);
    }

    /// Reports a line for users.
    pub fn note(&self, line: impl Into<String>) {
        self.report(Progress::Note(line.into()));
    }

    /// Reports a warning.
    pub fn warn(&self, what: impl Into<String>) {
        self.report(Progress::Warning(what.into()));
    }

    /// Asks the work to stop at its next step.
    pub fn cancel(&self) {
        self.cancelled.here.store(true, Ordering::Relaxed);
    }

    /// Whether the work should stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.is_set()
    }
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").field("cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_stops_with_the_whole_but_not_the_other_way_round() {
        let whole = Reporter::silent();
        let (first, second) = (whole.part(|_| {}), whole.part(|_| {}));
        first.cancel();
        assert_eq!((whole.is_cancelled(), first.is_cancelled(), second.is_cancelled()), (false, true, false));
        whole.cancel();
        assert!(second.is_cancelled());
    }
}
