//! Why the root of somebody's files could not be opened.

use super::super::error::Error as EngineError;
use crate::base::{ErrorKind, Explain};
use crate::{files, layer, snapshot, sys};

/// Why a root could not be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    /// It could not be mounted.
    #[error(transparent)]
    Mount(#[from] snapshot::Error),
    /// The container is on its way up or down.
    #[error("the container is being started or ended at this moment")]
    Busy,
    /// Between two runs its root is its monitor's.
    #[error("the container is being restarted by its policy")]
    Restarting,
    /// What is seen at its root is not its layers.
    #[error("its root file system cannot be told from what is mounted over it")]
    Covered,
    /// Neither side of a copy is this machine.
    #[error("files are copied to or from this machine only")]
    NoHost,
}

impl Explain for OpenError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Mount(error) => error.kind(),
            Self::Busy | Self::Restarting | Self::Covered => ErrorKind::Conflict,
            Self::NoHost => ErrorKind::Invalid,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Mount(error) => error.hint(),
            Self::Busy => Some("try again".to_owned()),
            Self::Restarting => Some("stop it first, or wait until it runs".to_owned()),
            Self::Covered => Some("stop it first".to_owned()),
            Self::NoHost => None,
        }
    }
}

/// A failure with or without the words for what was being done.
#[derive(Debug)]
pub(super) enum Fault {
    Told(EngineError),
    Open(OpenError),
    Own(files::Error),
}

/// The result of a step.
pub(super) type Done<T> = std::result::Result<T, Fault>;

impl From<OpenError> for Fault {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<snapshot::Error> for Fault {
    fn from(error: snapshot::Error) -> Self {
        Self::Open(error.into())
    }
}

impl From<files::Error> for Fault {
    fn from(error: files::Error) -> Self {
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

impl Fault {
    pub(super) fn doing(self, doing: impl FnOnce() -> String) -> EngineError {
        match self {
            Self::Told(error) => error,
            Self::Open(error) => EngineError::new(doing(), error),
            Self::Own(error) => EngineError::new(doing(), error),
        }
    }
}
