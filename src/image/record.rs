//! The state files of images and references.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::base::disk::{Unknown, state};
use crate::oci::{self, Digest, ImageId, Platform};

/// Current version of an image's file.
pub const VERSION: u32 = 1;
/// Current version of a reference's file.
pub const REFERENCE_VERSION: u32 = 2;

/// An image: `<root>/images/<hex of its id>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The version of the file format.
    pub version: u32,
    /// The digest of the configuration.
    pub id: ImageId,
    /// When it was built, according to its configuration.
    pub created: Option<Timestamp>,
    /// When it was added to this store.
    pub added: Timestamp,
    /// Its platform.
    pub platform: Platform,
    /// The diffIDs of its layers, bottom first.
    pub layers: Vec<Digest>,
    /// The key of its fix layer, which goes on top, if it needs one.
    #[serde(default)]
    pub fix: Option<Digest>,
    /// The manifest it came with, if any: a blob.
    #[serde(default)]
    pub manifest: Option<Digest>,
    /// Size of all files in its layers in bytes.
    pub size: u64,
    /// The configuration's labels, so that a list need not open it.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The image it was built on, if known.
    #[serde(default)]
    pub parent: Option<ImageId>,
    /// When a reference was last given to it.
    #[serde(default)]
    pub tagged: Option<Timestamp>,
    /// Fields written by a newer hoist, kept when the file is rewritten.
    #[serde(flatten)]
    pub unknown: Unknown,
}

state!(Record, VERSION);

/// A name and its images, one per platform: `<root>/refs/<name>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ReferenceFile")]
pub struct Reference {
    /// The version of the file format.
    pub version: u32,
    /// The name with a tag, or with a digest only.
    pub name: oci::Reference,
    /// The digest by which the registry knows it: of a manifest, or of an index.
    #[serde(default)]
    pub target: Option<Digest>,
    /// Its images in the order in which they were added; never empty.
    pub images: Vec<NamedImage>,
    /// Fields written by a newer hoist, kept when the file is rewritten.
    #[serde(flatten)]
    pub unknown: Unknown,
}

state!(Reference, REFERENCE_VERSION);

/// One image of a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedImage {
    /// Its platform; `None` if the name comes from a file of version 1, then see its record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// The image.
    pub image: ImageId,
    /// The manifest by which the index refers to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Digest>,
    /// Fields written by a newer hoist, kept when the file is rewritten.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A reference's file of any version.
#[derive(Deserialize)]
struct ReferenceFile {
    version: u32,
    name: oci::Reference,
    /// In version 1, the only image.
    #[serde(default)]
    image: Option<ImageId>,
    #[serde(default)]
    target: Option<Digest>,
    #[serde(default)]
    images: Vec<NamedImage>,
    #[serde(flatten)]
    unknown: Unknown,
}

impl TryFrom<ReferenceFile> for Reference {
    type Error = &'static str;

    fn try_from(file: ReferenceFile) -> Result<Self, Self::Error> {
        let ReferenceFile { version, name, image, target, mut images, unknown } = file;
        images.extend(image.filter(|_| version == 1).map(NamedImage::from));
        if images.is_empty() {
            return Err("it has no images");
        }
        // Other versions are kept, so that they can be reported.
        let version = if version == 1 { REFERENCE_VERSION } else { version };
        Ok(Self { version, name, target, images, unknown })
    }
}

impl From<ImageId> for NamedImage {
    fn from(image: ImageId) -> Self {
        Self { platform: None, image, manifest: None, unknown: Unknown::new() }
    }
}

impl Reference {
    /// Returns whether the name stands for this image.
    #[must_use]
    pub fn names(&self, image: &ImageId) -> bool {
        self.images.iter().any(|one| one.image == *image)
    }

    /// Returns whether both stand for the same index of a registry.
    #[must_use]
    pub fn is_of_index(&self, other: &Self) -> bool {
        self.target.is_some() && self.target == other.target
    }

    /// Adds an image, replacing one for the same platform.
    pub(super) fn put(&mut self, image: NamedImage) {
        let is_same = |one: &NamedImage| one.image == image.image || one.platform == image.platform;
        match self.images.iter_mut().find(|one| is_same(one)) {
            Some(one) => *one = NamedImage { unknown: std::mem::take(&mut one.unknown), ..image },
            None => self.images.push(image),
        }
    }

    /// Returns the same name with only the images that `keep` selects, or `None` if there are none.
    pub(super) fn only(&self, keep: impl Fn(&NamedImage) -> bool) -> Option<Self> {
        let images: Vec<_> = self.images.iter().filter(|one| keep(one)).cloned().collect();
        (!images.is_empty()).then(|| Self { images, ..self.clone() })
    }

    /// Returns the name that Docker lists under RepoDigests, such as `debian@sha256:…`.
    #[must_use]
    pub fn repo_digest(&self) -> Option<String> {
        let digest = self.name.digest().or(self.target.as_ref())?;
        Some(format!("{}@{digest}", self.name.familiar_name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 1, as written by hoist 0.1; it must stay readable forever.
    const RECORD: &str = r#"{"version":1,"id":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","created":"2026-11-22T07:00:00Z","added":"2026-11-22T07:00:00Z","platform":"linux/amd64","layers":[],"size":7,"newer":"kept"}"#;
    const REFERENCE: &str = r#"{"version":1,"name":"docker.io/library/web:1","image":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","newer":["kept"]}"#;

    #[test]
    fn the_oldest_files_are_read_and_unknown_fields_kept() {
        let record: Record = serde_json::from_str(RECORD).unwrap();
        assert_eq!((record.size, record.labels.len(), &record.fix), (7, 0, &None));
        assert!(serde_json::to_string(&record).unwrap().contains(r#""newer":"kept""#));
        let reference: Reference = serde_json::from_str(REFERENCE).unwrap();
        assert_eq!((reference.name.to_string().as_str(), &reference.target), ("web:1", &None));
        assert_eq!(reference.images, [NamedImage::from(record.id.clone())]);
        let again = serde_json::to_string(&reference).unwrap();
        assert!(again.starts_with(r#"{"version":2,"#) && again.contains(r#""newer":["kept"]"#), "{again}");
        assert_eq!(serde_json::from_str::<Reference>(&again).unwrap(), reference);
        for version in [0, 3] {
            let other = again.replace("\"version\":2", &format!("\"version\":{version}"));
            assert_eq!(serde_json::from_str::<Reference>(&other).unwrap().version, version);
        }
    }
}
