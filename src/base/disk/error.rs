//! Errors of file operations, with the file concerned.

use std::io;
use std::path::PathBuf;

use crate::base::error::{ErrorKind, Explain, io_hint, io_kind};

/// A file operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A system call failed.
    #[error("cannot {verb} {path}")]
    Io {
        /// What was attempted: `read`, `rename`, …
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file exists, but its contents are invalid.
    #[error("{path} is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The parser's error.
        source: serde_json::Error,
    },
    /// The file has a version that is newer than this hoist supports.
    #[error("{path} was written by a newer version of hoist: it has version {version}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// The file has a version that no hoist uses.
    #[error("{path} has an unknown version: {version}")]
    UnknownVersion {
        /// The file.
        path: PathBuf,
        /// What stands in place of a version.
        version: String,
    },
    /// The value to be written could not be parsed again.
    #[error("refusing to write {path}: hoist could not read it back")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The parser's error.
        source: serde_json::Error,
    },
    /// The file is too large for a state file.
    #[error("{path} is too large for a state file: {size} bytes")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
}

impl Error {
    /// For `map_err`: adds what was attempted on `path`.
    pub fn io(verb: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { verb, path, source }
    }

    /// Whether the cause is that the file does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Whether the file itself is the cause, so that it stays unreadable until somebody changes it.
    /// Other causes, such as a lack of descriptors or memory, or a failing disk, say nothing about
    /// the file.
    #[must_use]
    pub fn is_of_the_file(&self) -> bool {
        use io::ErrorKind::{InvalidData, IsADirectory, PermissionDenied};
        match self {
            Self::Damaged { .. } | Self::TooLarge { .. } => true,
            Self::Newer { .. } | Self::UnknownVersion { .. } => true,
            Self::Io { source, .. } => {
                [InvalidData, IsADirectory, PermissionDenied].contains(&source.kind())
                    // Broken links, sockets, and nodes of missing devices.
                    || [libc::ELOOP, libc::ENAMETOOLONG, libc::ENXIO, libc::ENODEV]
                        .iter()
                        .any(|&errno| source.raw_os_error() == Some(errno))
            }
            Self::Unreadable { .. } => false,
        }
    }

    /// Whether the file system supports no locks, as some that are mounted over a network do not.
    #[must_use]
    pub fn has_no_locks(&self) -> bool {
        let Self::Io { verb: "lock", source, .. } = self else { return false };
        [libc::ENOLCK, libc::EOPNOTSUPP, libc::ENOSYS]
            .iter()
            .any(|&errno| source.raw_os_error() == Some(errno))
    }

    /// Whether nothing can be written there, as on a full or read-only disk.
    #[must_use]
    pub fn is_unwritable(&self) -> bool {
        use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        let kinds = [PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull];
        matches!(self, Self::Io { source, .. } if kinds.contains(&source.kind()))
    }

    /// Whether another version of hoist wrote the file. Only that version should change it.
    #[must_use]
    pub fn is_of_another_version(&self) -> bool {
        matches!(self, Self::Newer { .. } | Self::UnknownVersion { .. })
    }

    /// Returns the reason first and then the file, for lines that may be truncated.
    #[must_use]
    pub fn reason_first(&self) -> String {
        let (reason, path) = match self {
            Self::Io { verb, path, source } => (format!("cannot {verb} it: {source}"), path),
            Self::Damaged { path, source } => (source.to_string(), path),
            Self::Newer { path, version } => {
                (format!("written by a newer version of hoist, version {version}"), path)
            }
            Self::UnknownVersion { path, version } => (format!("unknown version: {version}"), path),
            Self::Unreadable { path, source } => (format!("it could not be read back: {source}"), path),
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
            Self::Newer { .. } => Some("use the version of hoist that wrote it, or a newer one".to_owned()),
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
            (
                Error::Newer { path: path.into(), version: 3 },
                "written by a newer version of hoist, version 3",
            ),
            (
                Error::io("read", path)(io::Error::from_raw_os_error(libc::EISDIR)),
                "cannot read it: Is a directory (os error 21)",
            ),
        ] {
            assert_eq!(error.reason_first(), format!("{said}, in {}", path.display()));
        }
    }
}
