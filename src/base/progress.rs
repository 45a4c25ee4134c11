//! How long work tells of itself: plain data to a sink, so that a terminal, a plain log,
//! the TUI and a test each show it their way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a part of the work (a layer, mostly) is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Known, not begun.
    Waiting,
    /// Bytes arrive.
    Downloading,
    /// Bytes are all there; their digest is being checked.
    Verifying,
    /// Files are being written.
    Extracting,
    /// Was there before.
    Exists,
    /// Failed, and will be tried again.
    Retrying,
    /// Finished.
    Done,
}

/// One piece of news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A line for people: `Pulling from library/debian`.
    Note(String),
    /// What goes on otherwise than was wished, a sentence.
    Warning(String),
    /// A part changed.
    Part {
        /// Twelve hex digits of a layer, or another short name.
        id: String,
        /// What it is at.
        phase: Phase,
        /// Bytes done of this phase.
        current: u64,
        /// Bytes in all, where known.
        total: Option<u64>,
    },
}

/// Where progress goes, and whence the wish to stop comes. Cheap to clone.
#[derive(Clone)]
pub struct Reporter {
    sink: Arc<dyn Fn(Progress) + Send + Sync>,
    cancelled: Arc<Flag>,
}

/// The wish to stop: of a part, or of the whole it belongs to.
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
    /// Reports to `sink`, which must be quick and must not block.
    pub fn new(sink: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self { sink: Arc::new(sink), cancelled: Arc::default() }
    }

    /// For a part of the work: it reports to `sink`, stops when the whole is to stop, and
    /// can be stopped alone.
    #[must_use]
    pub fn part(&self, sink: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        let flag = Flag { here: AtomicBool::new(false), above: Some(self.cancelled.clone()) };
        Self { sink: Arc::new(sink), cancelled: Arc::new(flag) }
    }

    /// Reports to nobody.
    #[must_use]
    pub fn silent() -> Self {
        Self::new(|_| {})
    }

    /// Tells `news`.
    pub fn report(&self, news: Progress) {
        (self.sink)(news);
    }

    /// Tells a line for people.
    pub fn note(&self, line: impl Into<String>) {
        self.report(Progress::Note(line.into()));
    }

    /// Warns of `what`.
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
