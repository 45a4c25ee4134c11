//! What a layer says by leaving it to the layers below it, and what of it could not be made.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a layer's unpacker could not settle on its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Traits {
    /// Folders that files lie in but that the layer does not describe: they look as they
    /// do in the layers below.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub implied: Vec<Implied>,
    /// Hard links to files of the layers below: the link's path, then the file's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<(RawPath, RawPath)>,
    /// What could not be made as it was, for people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A folder that a layer implies. One in another one is written by its name alone, so that
/// deep paths are not written for each of their folders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Implied {
    /// In the folder at this place of the list, which is an earlier one.
    Inside(usize, RawPath),
    /// By its whole path.
    Path(RawPath),
}

/// A path in a layer, relative to its root; not always UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RawPath(pub PathBuf);

impl Serialize for RawPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.0.to_str() {
            Some(text) => serializer.serialize_str(text),
            None => self.0.as_os_str().as_bytes().serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for RawPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Bytes(Vec<u8>),
        }
        Ok(Self(match Form::deserialize(deserializer)? {
            Form::Text(text) => text.into(),
            Form::Bytes(bytes) => OsString::from_vec(bytes).into(),
        }))
    }
}
