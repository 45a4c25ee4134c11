//! Errors of reading, applying or walking a layer.

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
        /// The cause.
        source: io::Error,
    },
    /// The reader that provides the bytes failed.
    #[error(transparent)]
    Input(InputError),
    /// Something is larger than hoist accepts.
    #[error("{what} is too large: the limit is {}", crate::base::units::binary(*.limit))]
    TooLarge {
        /// What is too large.
        what: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// There are more of something than hoist accepts.
    #[error("too many {what}: the limit is {limit}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// An archive is malformed.
    #[error("the archive is malformed: {0}")]
    Malformed(String),
    /// An entry of an archive could not be unpacked.
    #[error("cannot unpack `{path}`")]
    Entry {
        /// Its name in the archive.
        path: String,
        /// The cause.
        source: Box<Error>,
    },
    /// A file cannot be put into an archive.
    #[error("cannot pack `{path}`")]
    Pack {
        /// Its path in the layer.
        path: String,
        /// The cause.
        source: Box<Error>,
    },
    /// A file shrank while it was read.
    #[error("`{0}` shrank while it was read")]
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

/// An error of the module that provides a layer's bytes.
#[derive(Debug)]
pub struct InputError(Box<dyn Explain>);

impl InputError {
    /// Wraps `error`, to pass it through a layer's reader.
    pub fn new(error: impl Explain) -> Self {
        Self(Box::new(error))
    }

    /// Unwraps the error if it is an `E`.
    ///
    /// # Errors
    ///
    /// Returns `self` if it is another type.
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

/// The result of an operation on a layer.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// For `map_err`: adds what was being read.
    pub fn read(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| match source.downcast::<Self>() {
            // Our own readers pass their errors through std's.
            Ok(error) => error,
            Err(source) => Self::Read { what, source },
        }
    }

    /// Wraps the error for readers that can only return std's; [`Error::read`] unwraps it.
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
            Self::Changed(_) => Some("stop the process that writes it, or try again".to_owned()),
            _ => None,
        }
    }
}
