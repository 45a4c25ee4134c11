//! Why files could not be looked at or changed.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::error::Error as EngineError;
use super::{DEEPEST, FileKind, shown};
use crate::base::{ErrorKind, Explain};
use crate::{layer, snapshot, sys};

/// Why files could not be looked at or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A system call.
    #[error(transparent)]
    Sys(#[from] sys::Error),
    /// A layer cannot be read.
    #[error(transparent)]
    Layer(#[from] layer::Error),
    /// The root could not be mounted.
    #[error(transparent)]
    Root(#[from] snapshot::Error),
    /// Only plain files are read and written.
    #[error("it is {}, no plain file", .0.words())]
    NotPlain(FileKind),
    /// No file is called so.
    #[error("`{}` cannot be the name of a file", shown(.0))]
    BadName(PathBuf),
    /// Something of that name is there.
    #[error("there is `{}` already", shown(.0))]
    Exists(PathBuf),
    /// It cannot be changed.
    #[error("{0}")]
    ReadOnly(&'static str),
    /// More folders in folders than are followed.
    #[error("`{}` lies deeper than {DEEPEST} folders", shown(.0))]
    TooDeep(PathBuf),
    /// Another file system lies there.
    #[error("something is mounted on `{}`", shown(.0))]
    Mounted(PathBuf),
    /// What the container's configuration mounts there has no place yet.
    #[error("`{}` is made at the container's first start", shown(.0))]
    NoPlace(PathBuf),
    /// What the container's configuration mounts there is not there.
    #[error("`{}` cannot be mounted there", shown(.source_path))]
    NoSource {
        /// The path on this machine.
        source_path: PathBuf,
        /// What the kernel says.
        #[source]
        why: Arc<sys::Error>,
    },
    /// The file is not the one that was read.
    #[error("it was changed meanwhile")]
    Changed,
    /// The container is on its way up or down.
    #[error("the container is being started or ended at this moment")]
    Busy,
    /// Between two runs its root is its monitor's.
    #[error("the container is being restarted by its policy")]
    Restarting,
    /// Neither side of a copy is this machine.
    #[error("files are copied to or from this machine only")]
    NoHost,
    /// A folder into itself.
    #[error("`{}` lies in itself", shown(.0))]
    IntoItself(PathBuf),
    /// The user asked for it.
    #[error("it was cancelled")]
    Cancelled,
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Sys(error) => error.kind(),
            Self::Layer(error) => error.kind(),
            Self::Root(error) => error.kind(),
            Self::NotPlain(_) | Self::BadName(_) | Self::TooDeep(_) | Self::NoHost | Self::IntoItself(_) => {
                ErrorKind::Invalid
            }
            Self::Exists(_) | Self::Mounted(_) | Self::Changed | Self::Busy | Self::Restarting => {
                ErrorKind::Conflict
            }
            Self::ReadOnly(_) => ErrorKind::Denied,
            Self::NoPlace(_) => ErrorKind::NotFound,
            Self::NoSource { why, .. } => why.kind(),
            Self::Cancelled => ErrorKind::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Sys(error) => return error.hint(),
            Self::Layer(error) => return error.hint(),
            Self::Root(error) => return error.hint(),
            Self::Changed => "read it again, and change that",
            Self::Busy => "try again",
            Self::NoPlace(_) => "start it once",
            Self::Restarting => "stop it first, or wait until it runs",
            Self::ReadOnly(why) if why.contains("image") => "change the files of a container made of it",
            _ => return None,
        };
        Some(text.to_owned())
    }
}

/// A failure with or without the words for what was being done.
#[derive(Debug)]
pub(super) enum Fault {
    Told(EngineError),
    Own(Error),
}

/// The result of a step.
pub(super) type Done<T> = std::result::Result<T, Fault>;

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Own(error)
    }
}

impl From<sys::Error> for Fault {
    fn from(error: sys::Error) -> Self {
        Self::Own(error.into())
    }
}

impl From<layer::Error> for Fault {
    fn from(error: layer::Error) -> Self {
        Self::Own(error.into())
    }
}

impl From<snapshot::Error> for Fault {
    fn from(error: snapshot::Error) -> Self {
        Self::Own(error.into())
    }
}

impl Fault {
    pub(super) fn told(self, doing: impl FnOnce() -> String) -> EngineError {
        match self {
            Self::Told(error) => error,
            Self::Own(error) => EngineError::new(doing(), error),
        }
    }

    /// Whether the kernel says that there is nothing of that name.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Own(Error::Sys(error)) if error.is(rustix::io::Errno::NOENT))
    }
}
