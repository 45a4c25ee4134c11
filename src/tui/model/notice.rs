//! The notice at the bottom.

use jiff::Timestamp;

use crate::tui::failure::{Failure, Tone};

/// The notice at the bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Whether it is good or bad news.
    pub tone: Tone,
    /// The message.
    pub text: String,
    /// A hint on what to do.
    pub hint: Option<String>,
    /// When it disappears.
    pub until: Timestamp,
    /// Whether it asks to press the same key again; any other input withdraws it.
    pub asks: bool,
    /// Whether it is about the last failure, which the details page shows in full.
    pub is_failure: bool,
}

/// A message that was too long for the last line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LongMessage {
    /// The message.
    pub(super) notice: Notice,
    /// Whether something has failed since.
    pub(super) is_before_failure: bool,
}

/// What the details page shows of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// The failure.
    pub failure: Failure,
    /// Its parts, if several operations failed at once.
    pub parts: Vec<Failure>,
}

impl From<Failure> for Details {
    fn from(failure: Failure) -> Self {
        Self { failure, parts: Vec::new() }
    }
}
