//! What can be wrong with a layer, while it is read, applied or walked.

use std::fmt;
use std::io;

use crate::base::disk;
use crate::base::error::{ErrorKind, Explain, io_hint, io_kind};
use crate::sys;

/// A layer could not be read, applied or walked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A folder could not be opened.
    #[error(transparent)]
    Disk(#[from] disk::Error),
    /// A system call failed.
    #[error(transparent)]
    Sys(#[from] sys::Error),
    /// Bytes could not be read.
    #[error("cannot read {what}")]
    Read {
        /// What was being read.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// Whoever provides the bytes failed.
    #[error(transparent)]
    Input(InputError),
    /// Something exceeds what hoist takes.
    #[error("{what} is too large: the limit is {}", crate::base::units::binary(*.limit))]
    TooLarge {
        /// What was read.
        what: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// There is more of something than hoist takes.
    #[error("too many {what}: the limit is {limit}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// An archive is not of its format.
    #[error("the archive is malformed: {0}")]
    Malformed(String),
    /// An entry of an archive cannot be put where it says.
    #[error("cannot unpack `{path}`")]
    Entry {
        /// Its name in the archive.
        path: String,
        /// Why.
        source: Box<Error>,
    },
    /// A file cannot be put into an archive.
    #[error("cannot pack `{path}`")]
    Pack {
        /// Its path in the layer.
        path: String,
        /// Why.
        source: Box<Error>,
    },
    /// A file is not what it was when it was opened.
    #[error("`{0}` became shorter while it was read")]
    Changed(String),
    /// An archive cannot be written.
    #[error("cannot write the archive")]
    Write(#[source] io::Error),
    /// An entry of an archive is refused.
    #[error("{0}")]
    Refused(String),
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
}

/// The error of another module whose reader a layer comes from.
#[derive(Debug)]
pub struct InputError(Box<dyn Explain>);

impl InputError {
    /// Carries `error` through a layer's reader.
    pub fn new(error: impl Explain) -> Self {
        Self(Box::new(error))
    }

    /// Takes the error out again, if it is an `E`.
    ///
    /// # Errors
    ///
    /// Itself, when it is another one.
    pub fn take<E: Explain>(self) -> std::result::Result<E, Self> {
        if !(&*self.0 as &dyn std::error::Error).is::<E>() {
            return Err(self);
        }
        let error: Box<dyn std::error::Error> = self.0;
        match error.downcast::<E>() {
            Ok(error) => Ok(*error),
            Err(_) => unreachable!("its type was asked for"),
        }
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for InputError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

/// The result of work on a layer.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// For `map_err`: says what was being read.
    pub fn read(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| match source.downcast::<Self>() {
            // Readers of ours carry their own errors through std's.
            Ok(error) => error,
            Err(source) => Self::Read { what, source },
        }
    }

    /// For readers that can only return std's errors; [`Error::read`] takes it out again.
    #[must_use]
    pub fn into_io(self) -> io::Error {
        io::Error::other(self)
    }
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Disk(error) => error.kind(),
            Self::Sys(error) => error.kind(),
            Self::Read { source, .. } | Self::Write(source) => io_kind(source),
            Self::Input(error) => error.0.kind(),
            Self::Entry { source, .. } | Self::Pack { source, .. } => source.kind(),
            Self::Changed(_) => ErrorKind::Conflict,
            Self::Malformed(_) => ErrorKind::Corrupt,
            Self::TooLarge { .. } | Self::TooMany { .. } | Self::Refused(_) => ErrorKind::Invalid,
            Self::Interrupted => ErrorKind::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Disk(error) => error.hint(),
            Self::Sys(error) => error.hint(),
            Self::Read { source, .. } | Self::Write(source) => io_hint(source),
            Self::Input(error) => error.0.hint(),
            Self::Entry { source, .. } | Self::Pack { source, .. } => source.hint(),
            Self::Changed(_) => Some("stop what writes it, or try again".to_owned()),
            _ => None,
        }
    }
}
