//! What can be wrong with an image, on its way in or in the store.

use std::io;
use std::path::PathBuf;

use crate::base::disk;
use crate::base::error::{ErrorKind, Explain, io_hint, io_kind};
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
    /// Bytes could not be read.
    #[error("cannot read {what}")]
    Read {
        /// What was being read.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// Bytes are not those that the digest promises.
    #[error("{what} is damaged: its digest is {found}, not {wanted}")]
    Digest {
        /// What was checked.
        what: String,
        /// As promised.
        wanted: Digest,
        /// As it is.
        found: Digest,
    },
    /// There are more or fewer bytes than promised.
    #[error("{what} has {found} bytes, not {wanted}")]
    Size {
        /// What was checked.
        what: String,
        /// As promised.
        wanted: u64,
        /// As it is.
        found: u64,
    },
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
    /// A document or an archive is not of its format.
    #[error("{what} is malformed: {why}")]
    Malformed {
        /// The document.
        what: String,
        /// What is wrong.
        why: String,
    },
    /// A layer could not be read or applied.
    #[error(transparent)]
    Layer(layer::Error),
    /// An archive is refused.
    #[error("{0}")]
    Refused(String),
    /// The content store lacks something an image needs.
    #[error("{what} {digest} is not in the store")]
    Missing {
        /// `layer`, `blob`, …
        what: &'static str,
        /// Which.
        digest: Digest,
    },
    /// The file about a layer cannot be read, and so nothing new can be made of the layer.
    #[error("what is known of layer {} cannot be read", .layer.short())]
    DamagedLayer {
        /// The layer.
        layer: Digest,
        /// Which images have it.
        images: Vec<String>,
        /// Which file, and why.
        source: disk::Error,
    },
    /// The record of an image cannot be read until somebody changes it, or is lost.
    #[error("image {} is damaged", .image.short())]
    DamagedImage {
        /// The image.
        image: ImageId,
        /// Which file, and why.
        source: disk::Error,
    },
    /// The file of a name cannot be read until somebody changes it.
    #[error("the name `{name}` is damaged")]
    DamagedName {
        /// The name.
        name: String,
        /// Which file, and why.
        source: disk::Error,
    },
    /// No image of that name or id.
    #[error("No such image: {0}")]
    NoImage(String),
    /// The start of an id fits several images.
    #[error("multiple images start with `{prefix}`: {}", .candidates.join(", "))]
    Ambiguous {
        /// As the user wrote it.
        prefix: String,
        /// What it could mean.
        candidates: Vec<String>,
    },
    /// Something uses the image.
    #[error("{why}")]
    InUse {
        /// In Docker's words.
        why: String,
        /// The way out, if there is one.
        hint: Option<String>,
    },
    /// Another image has the name.
    #[error("the name `{name}` is already in use by image `{}`", .owner.short())]
    NameInUse {
        /// The name.
        name: Reference,
        /// Whose it is.
        owner: ImageId,
    },
    /// What the user asked for cannot be.
    #[error("{0}")]
    Invalid(String),
    /// A program of this machine is not there.
    #[error("cannot find the program `{0}` on this machine")]
    NoProgram(String),
    /// A library that a program needs is not there.
    #[error("{needed_by} needs {library}, which is not on this machine")]
    NoLibrary {
        /// The library's name.
        library: String,
        /// Who needs it.
        needed_by: PathBuf,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
}

/// The result of an image operation.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// For `map_err`: says what was being read.
    pub fn read(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| match layer::Error::read("")(source) {
            layer::Error::Read { source, .. } => Self::Read { what, source },
            error => error.into(),
        }
    }

    /// A document of which `why` is wrong.
    pub fn malformed(what: impl Into<String>, why: impl ToString) -> Self {
        Self::Malformed { what: what.into(), why: why.to_string() }
    }

    /// For readers that can only return std's errors; [`Error::read`] takes it out again.
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

/// What to do about a file of an image that cannot be read.
fn replace_or_remove(why: &disk::Error, word: &str) -> String {
    let replace = match why.is_of_another_version() {
        true => "use the hoist that wrote it",
        false => "pull or load it again",
    };
    format!("{replace}; `hoist rmi {word}` removes it")
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Disk(error) => error.kind(),
            Self::DamagedImage { source: error, .. }
            | Self::DamagedName { source: error, .. }
            | Self::DamagedLayer { source: error, .. } => match error.kind() {
                ErrorKind::NotFound => ErrorKind::Corrupt, // the image itself is there
                kind => kind,
            },
            Self::Sys(error) => error.kind(),
            Self::Read { source, .. } => io_kind(source),
            Self::Layer(error) => error.kind(),
            Self::Digest { .. } | Self::Size { .. } | Self::Malformed { .. } | Self::Missing { .. } => {
                ErrorKind::Corrupt
            }
            Self::NoImage(_) | Self::NoProgram(_) | Self::NoLibrary { .. } => ErrorKind::NotFound,
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
            Self::DamagedLayer { images, .. } => {
                Some(format!("remove the images that have it and get them again: {}", images.join(", ")))
            }
            Self::DamagedImage { image, source } => Some(replace_or_remove(source, image.short())),
            Self::DamagedName { name, source } => Some(replace_or_remove(source, name)),
            Self::Missing { .. } => Some("pull or load the image again".to_owned()),
            Self::Disk(error) => error.hint(),
            Self::Sys(error) => error.hint(),
            Self::Read { source, .. } => io_hint(source),
            Self::Layer(error) => error.hint(),
            Self::Ambiguous { .. } => Some("give more digits of the id, or the name".to_owned()),
            Self::InUse { hint, .. } => hint.clone(),
            Self::NameInUse { .. } => Some("remove that name, or use another one".to_owned()),
            Self::NoLibrary { .. } => Some("install the library, or leave the program out".to_owned()),
            _ => None,
        }
    }
}
