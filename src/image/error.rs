//! Errors of image operations.

use std::io;
use std::path::PathBuf;

use crate::base::disk;
use crate::base::error::{ErrorKind, Explain, io_hint, io_kind};
use crate::base::program::CONVERT_LINE_ENDS;
use crate::layer::{self, InputError};
use crate::oci::{Digest, ImageId, Reference};
use crate::sys;

/// An image operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A state file could not be read or written.
    #[error(transparent)]
    Disk(#[from] disk::Error),
    /// A system call failed.
    #[error(transparent)]
    Sys(#[from] sys::Error),
    /// Data could not be read.
    #[error("cannot read {what}")]
    Read {
        /// What was being read.
        what: String,
        /// The cause.
        source: io::Error,
    },
    /// The content does not match its digest.
    #[error("{what} is damaged: its digest is {found}, not {wanted}")]
    Digest {
        /// What was checked.
        what: String,
        /// The expected digest.
        wanted: Digest,
        /// The actual digest.
        found: Digest,
    },
    /// The content does not have the expected size.
    #[error("{what} has {found} bytes, not {wanted}")]
    Size {
        /// What was checked.
        what: String,
        /// The expected size in bytes.
        wanted: u64,
        /// The actual size in bytes.
        found: u64,
    },
    /// Something is larger than its limit.
    #[error("{what} is too large: the limit is {}", crate::base::units::binary(*.limit))]
    TooLarge {
        /// What was being read.
        what: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// There are more items than the limit.
    #[error("too many {what}: the limit is {limit}")]
    TooMany {
        /// The kind of item.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// A document or an archive has an invalid format.
    #[error("{what} is malformed: {why}")]
    Malformed {
        /// The document.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// A layer could not be read or applied.
    #[error(transparent)]
    Layer(layer::Error),
    /// An archive is refused.
    #[error("{0}")]
    Refused(String),
    /// The content store lacks something that an image needs.
    #[error("{what} {digest} is not in the store")]
    Missing {
        /// `layer`, `blob`, …
        what: &'static str,
        /// Its digest.
        digest: Digest,
    },
    /// The metadata of a layer cannot be read, so the layer cannot be used for anything new.
    #[error("the metadata of layer {} cannot be read", .layer.short())]
    DamagedLayer {
        /// The layer.
        layer: Digest,
        /// The images that use it.
        images: Vec<String>,
        /// Which file, and why.
        source: disk::Error,
    },
    /// The record of an image is damaged or lost.
    #[error("image {} is damaged", .image.short())]
    DamagedImage {
        /// The image.
        image: ImageId,
        /// Which file, and why.
        source: disk::Error,
    },
    /// The file of a name is damaged.
    #[error("the name `{name}` is damaged")]
    DamagedName {
        /// The name.
        name: String,
        /// Which file, and why.
        source: disk::Error,
    },
    /// No image has this name or id.
    #[error("No such image: {0}")]
    NoImage(String),
    /// The id prefix matches several images.
    #[error("multiple images start with `{prefix}`: {}", .candidates.join(", "))]
    Ambiguous {
        /// The prefix as the user wrote it.
        prefix: String,
        /// The short ids that it matches.
        candidates: Vec<String>,
    },
    /// The image is in use.
    #[error("{why}")]
    InUse {
        /// The reason, in Docker's words.
        why: String,
        /// What to do about it, if anything.
        hint: Option<String>,
    },
    /// Another image has the name.
    #[error("the name `{name}` is already in use by image `{}`", .owner.short())]
    NameInUse {
        /// The name.
        name: Reference,
        /// The image that has it.
        owner: ImageId,
    },
    /// The request is invalid.
    #[error("{0}")]
    Invalid(String),
    /// A program does not exist on this machine.
    #[error("cannot find the program `{0}` on this machine")]
    NoProgram(String),
    /// A library that a program needs does not exist.
    #[error("{needed_by} needs {library}, which is not on this machine")]
    NoLibrary {
        /// The library's name.
        library: String,
        /// The file that needs it.
        needed_by: PathBuf,
    },
    /// The interpreter of a script does not exist.
    #[error("{} needs `{interpreter}`, which is not on this machine", .script.display())]
    NoInterpreter {
        /// Its path or name, escaped.
        interpreter: String,
        /// The script that names it.
        script: PathBuf,
    },
    /// The user cancelled the operation.
    #[error("interrupted")]
    Interrupted,
}

/// The result of an image operation.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Returns a function for `map_err` that adds what was being read.
    pub fn read(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| match layer::Error::read("")(source) {
            layer::Error::Read { source, .. } => Self::Read { what, source },
            error => error.into(),
        }
    }

    /// Creates a [`Error::Malformed`].
    pub fn malformed(what: impl Into<String>, why: impl ToString) -> Self {
        Self::Malformed { what: what.into(), why: why.to_string() }
    }

    /// Wraps the error for readers that can only return `io::Error`; [`Error::read`] unwraps it.
    #[must_use]
    pub fn into_io(self) -> io::Error {
        layer::Error::Input(InputError::new(self)).into_io()
    }
}

impl From<layer::Error> for Error {
    fn from(error: layer::Error) -> Self {
        match error {
            layer::Error::Interrupted => Self::Interrupted,
            layer::Error::Input(input) => match input.take() {
                Ok(ours) => ours,
                Err(other) => Self::Layer(layer::Error::Input(other)),
            },
            error => Self::Layer(error),
        }
    }
}

/// Returns a hint for an unreadable file of an image.
fn replace_or_remove(why: &disk::Error, word: &str) -> String {
    let replace = match why.is_of_another_version() {
        true => "use the version of hoist that wrote it",
        false => "pull or load the image again",
    };
    format!("{replace}, or remove it with `hoist rmi {word}`")
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Disk(error) => error.kind(),
            Self::DamagedImage { source: error, .. }
            | Self::DamagedName { source: error, .. }
            | Self::DamagedLayer { source: error, .. } => match error.kind() {
                ErrorKind::NotFound => ErrorKind::Corrupt, // the image itself exists
                kind => kind,
            },
            Self::Sys(error) => error.kind(),
            Self::Read { source, .. } => io_kind(source),
            Self::Layer(error) => error.kind(),
            Self::Digest { .. } | Self::Size { .. } | Self::Malformed { .. } | Self::Missing { .. } => {
                ErrorKind::Corrupt
            }
            Self::NoImage(_) | Self::NoProgram(_) | Self::NoLibrary { .. } | Self::NoInterpreter { .. } => {
                ErrorKind::NotFound
            }
            Self::TooLarge { .. } | Self::TooMany { .. } | Self::Refused(_) | Self::Invalid(_) => {
                ErrorKind::Invalid
            }
            Self::Ambiguous { .. } => ErrorKind::Ambiguous,
            Self::InUse { .. } | Self::NameInUse { .. } => ErrorKind::Conflict,
            Self::Interrupted => ErrorKind::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::DamagedLayer { images, .. } => Some(format!(
                "remove the images that use it, then pull or load them again: {}",
                images.join(", ")
            )),
            Self::DamagedImage { image, source } => Some(replace_or_remove(source, image.short())),
            Self::DamagedName { name, source } => Some(replace_or_remove(source, name)),
            Self::Missing { .. } => Some("pull or load the image again".to_owned()),
            Self::Disk(error) => error.hint(),
            Self::Sys(error) => error.hint(),
            Self::Read { source, .. } => io_hint(source),
            Self::Layer(error) => error.hint(),
            Self::Ambiguous { .. } => Some("use more digits of the ID, or the name".to_owned()),
            Self::InUse { hint, .. } => hint.clone(),
            Self::NameInUse { .. } => Some("remove that name, or use another one".to_owned()),
            Self::NoInterpreter { interpreter, .. } if interpreter.ends_with("\\r") => {
                Some(CONVERT_LINE_ENDS.to_owned())
            }
            Self::NoInterpreter { .. } => Some("install the interpreter, or omit the program".to_owned()),
            Self::NoLibrary { .. } => Some("install the library, or omit the program".to_owned()),
            _ => None,
        }
    }
}
