//! What front ends see of an image: plain data from its record, its names and its configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::Value;

use super::record::{Record, Reference as Named};
use super::{Error, Result, Store};
use crate::oci::{self, Digest, ImageId, Platform, Reference};

/// An image in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageView {
    /// The digest of its configuration.
    pub id: ImageId,
    /// Its tags, sorted: `debian:12`.
    pub tags: Vec<Reference>,
    /// Its names by digest, sorted: `debian@sha256:…`.
    pub digests: Vec<Reference>,
    /// When it was built, according to its configuration.
    pub created: Option<Timestamp>,
    /// When it was added to the store.
    pub added: Timestamp,
    /// When it was last tagged.
    pub tagged: Option<Timestamp>,
    /// The size of all files of its layers, in bytes.
    pub size: u64,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The platform it was built for.
    pub platform: Platform,
    /// The image it was built from, if known.
    pub parent: Option<ImageId>,
    /// The diffIDs of its layers, bottom first.
    pub layers: Vec<Digest>,
}

impl ImageView {
    /// Combines an image with its names in the store.
    pub(crate) fn new(record: Record, references: &[Named]) -> Self {
        let mine = || references.iter().filter(|reference| reference.names(&record.id));
        let tags: BTreeSet<_> =
            mine().filter(|mine| mine.name.digest().is_none()).map(|mine| mine.name.clone()).collect();
        let by_digest = |mine: &Named| {
            let digest = mine.name.digest().or(mine.target.as_ref())?;
            Some(mine.name.with_digest(digest.clone()))
        };
        let digests: BTreeSet<_> = mine().filter_map(by_digest).collect();
        Self {
            id: record.id,
            tags: tags.into_iter().collect(),
            digests: digests.into_iter().collect(),
            created: record.created,
            added: record.added,
            tagged: record.tagged,
            size: record.size,
            labels: record.labels,
            platform: record.platform,
            parent: record.parent,
            layers: record.layers,
        }
    }

    /// Whether it has no tag.
    #[must_use]
    pub fn is_dangling(&self) -> bool {
        self.tags.is_empty()
    }
}

/// An image with its details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDetail {
    /// The image.
    pub image: ImageView,
    /// The original configuration document. Its `config` applies to containers.
    pub document: Value,
    /// The absolute paths of the layers' folders, topmost first.
    pub folders: Vec<PathBuf>,
}

impl ImageDetail {
    /// Reads the details of an image.
    ///
    /// # Errors
    ///
    /// `No such image: x`, or if a file of it cannot be read.
    pub(crate) fn of(store: &Store, target: &str) -> Result<Self> {
        let resolved = store.resolve(target)?;
        let record = store.image(&resolved.image)?;
        let bytes = store.config_bytes(&record.id)?;
        let document = serde_json::from_slice(&bytes)
            .map_err(|error| Error::malformed("the image's configuration", error))?;
        let layers = store.paths().layers();
        let folders = store.layers_of(&record.id)?;
        let references = store.read_references()?.whole;
        Ok(Self {
            image: ImageView::new(record, &references),
            document,
            folders: folders.into_iter().map(|folder| layers.join(folder)).collect(),
        })
    }

    /// Returns the configuration for containers: user, environment, command, …
    ///
    /// # Errors
    ///
    /// If that part of the document is malformed.
    pub(crate) fn config(&self) -> Result<oci::image::Config> {
        match self.document.get("config") {
            None | Some(Value::Null) => Ok(oci::image::Config::default()),
            Some(config) => serde_json::from_value(with_lists(config.clone()))
                .map_err(|error| Error::malformed("the image's configuration", error)),
        }
    }
}

/// Turns single strings into lists. Some builders write a string for a list, and Docker accepts it.
fn with_lists(mut config: Value) -> Value {
    for key in ["Entrypoint", "Cmd"] {
        if let Some(word) = config.get_mut(key).filter(|word| word.is_string()) {
            *word = Value::Array(vec![word.take()]);
        }
    }
    config
}

/// A line of an image's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The image that this step created, if it is in the store.
    pub id: Option<ImageId>,
    /// When the step was run.
    pub created: Option<Timestamp>,
    /// The command of the step.
    pub created_by: String,
    /// The size of its layer, in bytes.
    pub size: u64,
    /// The author's comment.
    pub comment: String,
    /// The tags of that image.
    pub tags: Vec<Reference>,
}

/// Returns the history of an image, newest line first.
#[must_use]
pub fn history(detail: &ImageDetail, store: &Store) -> Vec<HistoryEntry> {
    let empty = Vec::new();
    let lines = detail.document.get("history").and_then(Value::as_array).unwrap_or(&empty);
    let mut layers = detail.image.layers.iter();
    let mut entries: Vec<HistoryEntry> = lines
        .iter()
        .map(|line| {
            let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let is_empty = line.get("empty_layer").and_then(Value::as_bool).unwrap_or(false);
            let layer = if is_empty { None } else { layers.next() };
            HistoryEntry {
                id: None,
                created: text("created").parse().ok(),
                created_by: text("created_by"),
                size: layer.and_then(|layer| store.layer(layer).ok()).map_or(0, |layer| layer.size),
                comment: text("comment"),
                tags: Vec::new(),
            }
        })
        .collect();
    entries.reverse();
    if let Some(newest) = entries.first_mut() {
        newest.id = Some(detail.image.id.clone());
        newest.tags.clone_from(&detail.image.tags);
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_word_is_a_command() {
        let config = serde_json::json!({ "Entrypoint": "echo", "Cmd": "hi", "User": "app" });
        let config: oci::image::Config = serde_json::from_value(with_lists(config)).unwrap();
        assert_eq!(config.entrypoint().as_deref(), Some(&["echo".to_owned()][..]));
        assert_eq!(config.cmd().as_deref(), Some(&["hi".to_owned()][..]));
    }
}
