//! A file operation that failed, with the file it failed on.

use std::io;
use std::path::PathBuf;

use crate::base::error::{ErrorKind, Explain, io_hint, io_kind};

/// A file operation that failed, with the file it failed on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A system call failed.
    #[error("cannot {verb} {path}")]
    Io {
        /// What was tried: `read`, `rename`, …
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is there, but is not what it should be.
    #[error("{path} is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// The file has a form that this hoist does not know.
    #[error("{path} was written by a newer hoist: it has version {version}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// The file has a version that no hoist writes.
    #[error("{path} is of an unknown version: {version}")]
    UnknownVersion {
        /// The file.
        path: PathBuf,
        /// What it says instead of one.
        version: String,
    },
    /// What was to be written could not be read again.
    #[error("refusing to write {path}: it could not be read again")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// The file is too large to be one of hoist's.
    #[error("{path} is too large for a state file: {size} bytes")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
}

impl Error {
    /// For `map_err`: says what was tried on `path`.
    pub fn io(verb: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { verb, path, source }
    }

    /// Whether the cause is that the file does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Whether the cause is the file itself: it stays unreadable until somebody changes it. All
    /// else, a lack of descriptors or of memory, a disk that fails, says nothing of the file.
    #[must_use]
    pub fn is_of_the_file(&self) -> bool {
        use io::ErrorKind::{InvalidData, IsADirectory, PermissionDenied};
        match self {
            Self::Damaged { .. } | Self::TooLarge { .. } => true,
            Self::Newer { .. } | Self::UnknownVersion { .. } => true,
            Self::Io { source, .. } => {
                [InvalidData, IsADirectory, PermissionDenied].contains(&source.kind())
                    // Links that lead nowhere, sockets, and nodes of no device.
                    || [libc::ELOOP, libc::ENAMETOOLONG, libc::ENXIO, libc::ENODEV]
                        .iter()
                        .any(|&errno| source.raw_os_error() == Some(errno))
            }
            Self::Unreadable { .. } => false,
        }
    }

    /// Whether nothing new can be written there: a full or read-only disk.
    #[must_use]
    pub fn is_unwritable(&self) -> bool {
        use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        let kinds = [PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull];
        matches!(self, Self::Io { source, .. } if kinds.contains(&source.kind()))
    }

    /// Whether another version of hoist wrote the file, whose it is to change.
    #[must_use]
    pub fn is_of_another_version(&self) -> bool {
        matches!(self, Self::Newer { .. } | Self::UnknownVersion { .. })
    }

    /// What is wrong, and then with which file: for a line that may be cut.
    #[must_use]
    pub fn reason_first(&self) -> String {
        let (reason, path) = match self {
            Self::Io { verb, path, source } => (format!("cannot {verb} it: {source}"), path),
            Self::Damaged { path, source } => (source.to_string(), path),
            Self::Newer { path, version } => (format!("written by a newer hoist, version {version}"), path),
            Self::UnknownVersion { path, version } => (format!("of an unknown version: {version}"), path),
            Self::Unreadable { path, source } => (format!("it could not be read again: {source}"), path),
            Self::TooLarge { path, size } => (format!("too large for a state file: {size} bytes"), path),
        };
        format!("{reason}, in {}", path.display())
    }
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { source, .. } => io_kind(source),
            Self::Damaged { .. } | Self::TooLarge { .. } => ErrorKind::Corrupt,
            Self::Newer { .. } | Self::UnknownVersion { .. } => ErrorKind::Unsupported,
            Self::Unreadable { .. } => ErrorKind::Invalid,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } => io_hint(source),
            Self::Newer { .. } => Some("use the hoist that wrote it, or a newer one".to_owned()),
            Self::Damaged { .. } | Self::TooLarge { .. } => None,
            Self::UnknownVersion { .. } | Self::Unreadable { .. } => None,
        }
    }
}

/// The result of a file operation.
pub type Result<T> = std::result::Result<T, Error>;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_line_that_is_cut_says_what_is_wrong_before_where() {
        let path = Path::new("/var/lib/hoist/note.json");
        let source = || serde_json::from_str::<serde_json::Value>("{").unwrap_err();
        for (error, said) in [
            (Error::Damaged { path: path.into(), source: source() }, source().to_string().as_str()),
            (Error::Newer { path: path.into(), version: 3 }, "written by a newer hoist, version 3"),
            (
                Error::io("read", path)(io::Error::from_raw_os_error(libc::EISDIR)),
                "cannot read it: Is a directory (os error 21)",
            ),
        ] {
            assert_eq!(error.reason_first(), format!("{said}, in {}", path.display()));
        }
    }
}
