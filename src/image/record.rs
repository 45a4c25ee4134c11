//! What is on disk about an image, and about a reference to one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::base::disk::{Unknown, state};
use crate::oci::{self, Digest, ImageId, Platform};

/// Current version of an image's file.
pub const VERSION: u32 = 1;
/// Current version of a reference's file.
pub const REFERENCE_VERSION: u32 = 2;

/// One image: `<root>/images/<hex of its id>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The form of this file.
    pub version: u32,
    /// The digest of the configuration.
    pub id: ImageId,
    /// When it was built, as its configuration says.
    pub created: Option<Timestamp>,
    /// When it came into this store.
    pub added: Timestamp,
    /// What it was built for.
    pub platform: Platform,
    /// The diffIDs of its layers, bottom first.
    pub layers: Vec<Digest>,
    /// The layer that goes on top to mend what depends on lower ones, by its key.
    #[serde(default)]
    pub fix: Option<Digest>,
    /// The manifest it came with, if any: a blob.
    #[serde(default)]
    pub manifest: Option<Digest>,
    /// Bytes of all files in its layers.
    pub size: u64,
    /// The configuration's labels, so that a list need not open it.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The image it was built on, where that is known.
    #[serde(default)]
    pub parent: Option<ImageId>,
    /// When a reference was last given to it.
    #[serde(default)]
    pub tagged: Option<Timestamp>,
    /// Fields of a newer hoist, kept when this one rewrites the file.
    #[serde(flatten)]
    pub unknown: Unknown,
}

state!(Record, VERSION);

/// One name and the images it stands for, one a platform: `<root>/refs/<name>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ReferenceFile")]
pub struct Reference {
    /// The form of this file.
    pub version: u32,
    /// With a tag, or by digest alone.
    pub name: oci::Reference,
    /// The digest under which the registry knows it: of a manifest, or of an index.
    #[serde(default)]
    pub target: Option<Digest>,
    /// What of the index is here, in the order in which it came; never empty.
    pub images: Vec<NamedImage>,
    /// Fields of a newer hoist, kept when this one rewrites the file.
    #[serde(flatten)]
    pub unknown: Unknown,
}

state!(Reference, REFERENCE_VERSION);

/// One image of a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedImage {
    /// What it was built for; where a file of version 1 named it, its record knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// The image.
    pub image: ImageId,
    /// The manifest by which the index names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Digest>,
    /// Fields of a newer hoist, kept when this one rewrites the file.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A reference's file, of any version.
#[derive(Deserialize)]
struct ReferenceFile {
    version: u32,
    name: oci::Reference,
    /// Of version 1: the only image.
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
            return Err("it names no image");
        }
        // Any other version stays what it is, to be told.
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
    /// Whether the image is one of those that it stands for.
    #[must_use]
    pub fn names(&self, image: &ImageId) -> bool {
        self.images.iter().any(|one| one.image == *image)
    }

    /// Whether both stand for the same index of a registry.
    #[must_use]
    pub fn is_of_index(&self, other: &Self) -> bool {
        self.target.is_some() && self.target == other.target
    }

    /// Adds an image, in the place of the one for the same platform.
    pub(super) fn put(&mut self, image: NamedImage) {
        let is_same = |one: &NamedImage| one.image == image.image || one.platform == image.platform;
        match self.images.iter_mut().find(|one| is_same(one)) {
            Some(one) => *one = NamedImage { unknown: std::mem::take(&mut one.unknown), ..image },
            None => self.images.push(image),
        }
    }

    /// The same name with only those of its images that `keep` says; `None` without any.
    pub(super) fn only(&self, keep: impl Fn(&NamedImage) -> bool) -> Option<Self> {
        let images: Vec<_> = self.images.iter().filter(|one| keep(one)).cloned().collect();
        (!images.is_empty()).then(|| Self { images, ..self.clone() })
    }

    /// `debian@sha256:…`: the name Docker lists under RepoDigests.
    #[must_use]
    pub fn repo_digest(&self) -> Option<String> {
        let digest = self.name.digest().or(self.target.as_ref())?;
        Some(format!("{}@{digest}", self.name.familiar_name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The oldest forms, as hoist 0.1 wrote them: they must be read for ever.
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
