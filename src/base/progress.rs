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
    cancelled: Arc<AtomicBool>,
}

impl Reporter {
    /// Reports to `sink`, which must be quick and must not block.
    pub fn new(sink: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self { sink: Arc::new(sink), cancelled: Arc::default() }
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

    /// Asks the work to stop at its next step.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the work should stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").field("cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}
