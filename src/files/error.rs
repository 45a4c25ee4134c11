//! The errors of file operations.

use std::path::PathBuf;
use std::sync::Arc;

use super::{DEEPEST, FileKind, shown};
use crate::base::{ErrorKind, Explain};
use crate::{layer, sys};

/// A file operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A system call.
    #[error(transparent)]
    Sys(#[from] sys::Error),
    /// A layer cannot be read.
    #[error(transparent)]
    Layer(#[from] layer::Error),
    /// Only regular files are read and written.
    #[error("it is {}, not a regular file", .0.words())]
    NotPlain(FileKind),
    /// The name is not a valid file name.
    #[error("`{}` is not a valid file name", shown(.0))]
    BadName(PathBuf),
    /// A file of that name already exists.
    #[error("`{}` already exists", shown(.0))]
    Exists(PathBuf),
    /// It cannot be changed.
    #[error("{0}")]
    ReadOnly(&'static str),
    /// The folders are nested too deeply.
    #[error("`{}` is nested more than {DEEPEST} folders deep", shown(.0))]
    TooDeep(PathBuf),
    /// A file system is mounted there.
    #[error("something is mounted on `{}`", shown(.0))]
    Mounted(PathBuf),
    /// The mount point of the container's configuration does not exist yet.
    #[error("`{}` is created when the container is started for the first time", shown(.0))]
    NoPlace(PathBuf),
    /// The source of a mount of the container's configuration does not exist.
    #[error("`{}` cannot be mounted there", shown(.source_path))]
    NoSource {
        /// The path on this machine.
        source_path: PathBuf,
        /// The kernel's error.
        #[source]
        why: Arc<sys::Error>,
    },
    /// The file was changed since it was read.
    #[error("it was changed in the meantime")]
    Changed,
    /// A folder cannot be copied into itself.
    #[error("`{}` cannot be copied into itself", shown(.0))]
    IntoItself(PathBuf),
    /// The container is being started or stopped.
    #[error("the container is being started or stopped")]
    Busy,
    /// The root is covered by a different file system than the container's layers.
    #[error("its root file system cannot be distinguished from what is mounted over it")]
    Covered,
    /// The user cancelled it.
    #[error("it was cancelled")]
    Cancelled,
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Sys(error) => error.kind(),
            Self::Layer(error) => error.kind(),
            Self::NotPlain(_) | Self::BadName(_) | Self::TooDeep(_) | Self::IntoItself(_) => {
                ErrorKind::Invalid
            }
            Self::Exists(_) | Self::Mounted(_) | Self::Changed | Self::Busy | Self::Covered => {
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
            Self::Changed => "reload it and repeat the change",
            Self::NoPlace(_) => "start the container once",
            Self::Busy => "try again",
            Self::Covered => "stop it first",
            Self::ReadOnly(why) if why.contains("image") => "change the files of a container created from it",
            _ => return None,
        };
        Some(text.to_owned())
    }
}

/// The result of a file operation.
pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Whether the kernel reports that the file does not exist.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Sys(error) if error.is(rustix::io::Errno::NOENT))
    }
}
