//! How two images differ: what their containers would find, whatever layers it comes in.

use jiff::Timestamp;

use super::config::{self, ConfigChange};
use crate::layer::LayerPath;
use crate::layer::compare::{FileChange, Found, Sum};
use crate::layer::stack::path_in;
use crate::oci::{Digest, ImageId, Platform, Reference};

/// How two images differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDiff {
    /// The images: before, and after.
    pub images: [ComparedImage; 2],
    /// How many layers both have.
    pub common: usize,
    /// The paths of the changes and of the folders they lie in; the first is the root.
    pub paths: Vec<LayerPath>,
    /// What differs, a folder before what is in it.
    pub changes: Vec<FileChange>,
    /// Files that only the second has.
    pub added: Sum,
    /// Files that both have, and that differ; as the second has them.
    pub changed: Sum,
    /// Bytes of those in the first.
    pub changed_before: u64,
    /// Files that only the first has.
    pub removed: Sum,
    /// What containers get otherwise: command, environment, labels, …
    pub config: Vec<ConfigChange>,
    /// More differs than is held: the sums go on.
    pub is_cut: bool,
}

/// One of the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedImage {
    /// The image.
    pub id: ImageId,
    /// Its tags.
    pub tags: Vec<Reference>,
    /// What it was built for.
    pub platform: Platform,
    /// When it was built, as it says.
    pub created: Option<Timestamp>,
    /// Bytes of all files of its layers.
    pub size: u64,
    /// How many layers it has.
    pub layers: usize,
}

/// One of the two, with what its record and configuration say.
#[derive(Debug)]
pub struct Side<'a> {
    /// The image.
    pub image: ComparedImage,
    /// Its layers, bottom first.
    pub layers: &'a [Digest],
    /// Its configuration.
    pub document: &'a serde_json::Value,
}

impl ImageDiff {
    /// Joins what their files differ in with what else does.
    #[must_use]
    pub(crate) fn new(found: Found, [before, after]: [Side<'_>; 2]) -> Self {
        let common = before.layers.iter().filter(|layer| after.layers.contains(layer)).count();
        let config = config::changes(before.document, after.document);
        let Found { paths, changes, added, changed, changed_before, removed, is_cut } = found;
        let images = [before.image, after.image];
        Self { images, common, paths, changes, added, changed, changed_before, removed, config, is_cut }
    }

    /// The same, seen from the other image.
    #[must_use]
    pub fn swapped(mut self) -> Self {
        let Self { paths, changes, added, changed, changed_before, removed, is_cut, .. } = self;
        let found = Found { paths, changes, added, changed, changed_before, removed, is_cut }.swapped();
        self.images.reverse();
        self.config.iter_mut().for_each(|change| std::mem::swap(&mut change.before, &mut change.after));
        Self {
            images: self.images,
            common: self.common,
            config: self.config,
            paths: found.paths,
            changes: found.changes,
            added: found.added,
            changed: found.changed,
            changed_before: found.changed_before,
            removed: found.removed,
            is_cut: found.is_cut,
        }
    }

    /// A path of the table as one, from the root.
    #[must_use]
    pub fn path(&self, at: u32) -> std::path::PathBuf {
        path_in(&self.paths, at)
    }

    /// Whether their files are the same.
    #[must_use]
    pub fn has_same_files(&self) -> bool {
        self.changes.is_empty() && !self.is_cut
    }
}
