//! The error of all verbs: what was being done, and why it failed.

use std::fmt;

use crate::base::error::chain;
use crate::base::{ErrorKind, Explain};
use crate::container::store;
use crate::image;
use crate::monitor::recover;

/// A verb failed.
#[derive(Debug)]
pub struct Error {
    doing: String,
    why: Box<dyn Explain>,
}

/// The result of a verb.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Creates the error for a failure `why` while `doing` (a verb and its object: "pause `web`").
    pub fn new(doing: impl Into<String>, why: impl Explain) -> Self {
        Self { doing: doing.into(), why: Box::new(why) }
    }

    /// Returns what failed: "pause `web`".
    #[must_use]
    pub fn doing(&self) -> &str {
        &self.doing
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.why.kind()
    }

    /// Whether the object of the verb does not exist. The kind [`ErrorKind::NotFound`] may also mean
    /// that a file of it is missing.
    #[must_use]
    pub fn is_no_such_object(&self) -> bool {
        let why = self.why();
        why.is::<NotFound>()
            || matches!(why.downcast_ref(), Some(store::Error::NotFound(_)))
            || matches!(why.downcast_ref(), Some(image::Error::NoImage(_)))
    }

    /// Returns a hint on how to fix it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        self.why.hint()
    }

    /// Returns the immediate cause.
    #[must_use]
    pub fn why(&self) -> &(dyn std::error::Error + 'static) {
        self.why.as_ref()
    }

    /// Returns all causes, from the immediate one to the root cause.
    #[must_use]
    pub fn causes(&self) -> Vec<String> {
        chain(self.why.as_ref())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}", self.doing)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.why.as_ref())
    }
}

/// Adds what was being done to an error from below the engine.
pub trait Doing<T> {
    /// `what` is a verb and its object: "pause `web`".
    ///
    /// # Errors
    ///
    /// The same failure, with `what` added.
    fn doing<S: Into<String>>(self, what: impl FnOnce() -> S) -> Result<T>;
}

impl<T, E: Explain> Doing<T> for std::result::Result<T, E> {
    fn doing<S: Into<String>>(self, what: impl FnOnce() -> S) -> Result<T> {
        self.map_err(|why| Error::new(what(), why))
    }
}

impl From<recover::Error> for Error {
    fn from(error: recover::Error) -> Self {
        Self::new(error.task.to_string(), error.why)
    }
}

/// An object that does not exist, in Docker's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("No such {noun}: {name}")]
pub struct NotFound {
    /// `container`, `image`, `network`, `volume`, `exec instance`.
    pub noun: &'static str,
    /// As the user wrote it.
    pub name: String,
}

impl Explain for NotFound {
    fn kind(&self) -> ErrorKind {
        ErrorKind::NotFound
    }
}

/// A prefix of an id that matches several objects.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("multiple {noun}s start with `{prefix}`: {}", .candidates.join(", "))]
pub struct Ambiguous {
    /// `container`, `image`, …
    pub noun: &'static str,
    /// As the user wrote it.
    pub prefix: String,
    /// The matching objects.
    pub candidates: Vec<String>,
}

impl Explain for Ambiguous {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Ambiguous
    }

    fn hint(&self) -> Option<String> {
        Some("use more digits of the ID, or the name".to_owned())
    }
}

/// An option or verb that hoist does not support.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is not supported")]
pub struct Unsupported {
    /// The option or verb, as the user wrote it.
    pub what: String,
    /// What to use instead.
    pub instead: Option<String>,
}

impl Explain for Unsupported {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unsupported
    }

    fn hint(&self) -> Option<String> {
        self.instead.clone()
    }
}
