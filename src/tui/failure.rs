//! What went wrong, and how good news are.

use crate::engine;

/// What went wrong, for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// `cannot pause `web``
    pub what: String,
    /// From the nearest cause to the root one.
    pub why: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl From<engine::Error> for Failure {
    fn from(error: engine::Error) -> Self {
        Self { what: error.to_string(), why: error.causes(), hint: error.hint() }
    }
}

impl Failure {
    /// In one line, without the hint.
    #[must_use]
    pub fn line(&self) -> String {
        match self.why.as_slice() {
            [] => self.what.clone(),
            [first, ..] => format!("{}: {first}", self.what),
        }
    }
}

/// Whether news are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Tone {
    Good,
    Plain,
    Warning,
    Bad,
}
