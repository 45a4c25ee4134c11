//! What a layer leaves to the layers below it, and what of it could not be created.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What unpacking a single layer cannot resolve by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Traits {
    /// Folders that contain files but that the layer does not describe. They take their metadata
    /// from the layers below.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub implied: Vec<Implied>,
    /// Hard links to files of the layers below, as (link, target).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<(RawPath, RawPath)>,
    /// What could not be created as described, as messages for users.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A folder that a layer implies. Nested ones are written by name only, so deep paths are not
/// repeated for each of their folders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Implied {
    /// The index of an earlier folder in the list, and the name inside it.
    Inside(usize, RawPath),
    /// The whole path.
    Path(RawPath),
}

/// A path in a layer, relative to its root; not necessarily UTF-8.
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
