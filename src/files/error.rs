//! Why files could not be looked at or changed.

use std::path::PathBuf;
use std::sync::Arc;

use super::{DEEPEST, FileKind, shown};
use crate::base::{ErrorKind, Explain};
use crate::{layer, sys};

/// Why files could not be looked at or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A system call.
    #[error(transparent)]
    Sys(#[from] sys::Error),
    /// A layer cannot be read.
    #[error(transparent)]
    Layer(#[from] layer::Error),
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
    /// A folder into itself.
    #[error("`{}` lies in itself", shown(.0))]
    IntoItself(PathBuf),
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
    /// The user asked for it.
    #[error("it was cancelled")]
    Cancelled,
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Sys(error) => error.kind(),
            Self::Layer(error) => error.kind(),
            Self::NotPlain(_) | Self::BadName(_) | Self::TooDeep(_) | Self::IntoItself(_) | Self::NoHost => {
                ErrorKind::Invalid
            }
            Self::Exists(_)
            | Self::Mounted(_)
            | Self::Changed
            | Self::Busy
            | Self::Restarting
            | Self::Covered => ErrorKind::Conflict,
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
            Self::Changed => "read it again, and change that",
            Self::NoPlace(_) => "start it once",
            Self::Busy => "try again",
            Self::Restarting => "stop it first, or wait until it runs",
            Self::Covered => "stop it first",
            Self::ReadOnly(why) if why.contains("image") => "change the files of a container made of it",
            _ => return None,
        };
        Some(text.to_owned())
    }
}

/// The result of work on files.
pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Whether the kernel says that there is nothing of that name.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Sys(error) if error.is(rustix::io::Errno::NOENT))
    }
}
