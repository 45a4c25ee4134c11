//! Failures, and the tone of messages.

use crate::engine;

/// An error as it is shown to the user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// The failed operation: `cannot pause `web``
    pub what: String,
    /// The causes, from the nearest to the root.
    pub why: Vec<String>,
    /// A hint on what to do.
    pub hint: Option<String>,
}

impl From<engine::Error> for Failure {
    fn from(error: engine::Error) -> Self {
        Self { what: error.to_string(), why: error.causes(), hint: error.hint() }
    }
}

impl Failure {
    /// Returns the failure as one line, without the hint.
    #[must_use]
    pub fn line(&self) -> String {
        match self.why.as_slice() {
            [] => self.what.clone(),
            [first, ..] => format!("{}: {first}", self.what),
        }
    }
}

/// Whether a message is good or bad news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Tone {
    Good,
    Plain,
    Warning,
    Bad,
}
