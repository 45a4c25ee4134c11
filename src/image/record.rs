//! What is on disk about an image, and about a reference to one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::base::disk::state;
use crate::oci::{self, Digest, ImageId, Platform};

/// Current version of both files.
pub const VERSION: u32 = 1;

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
    pub unknown: BTreeMap<String, serde_json::Value>,
}

state!(Record, VERSION);

/// One name of an image: `<root>/refs/<name>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The form of this file.
    pub version: u32,
    /// With a tag, or by digest alone.
    pub name: oci::Reference,
    /// The image.
    pub image: ImageId,
    /// The digest under which the registry knows it: of a manifest, or of an index.
    #[serde(default)]
    pub target: Option<Digest>,
    /// Fields of a newer hoist, kept when this one rewrites the file.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, serde_json::Value>,
}

state!(Reference, VERSION);

impl Reference {
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
        assert!(serde_json::to_string(&reference).unwrap().contains(r#""newer":["kept"]"#));
    }
}
