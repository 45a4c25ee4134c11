//! How two images differ: in the files that their containers see, whichever layers contain them, and in
//! their configuration.

use jiff::Timestamp;

use super::config::{self, ConfigChange};
use crate::layer::compare::FileDiff;
use crate::layer::stack::path_in;
use crate::oci::{Digest, ImageId, Platform, Reference};

/// How two images differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDiff {
    /// The images: before and after.
    pub images: [ComparedImage; 2],
    /// The number of layers that both have.
    pub common: usize,
    /// How their files differ.
    pub files: FileDiff,
    /// How their configurations differ: command, environment, labels, …
    pub config: Vec<ConfigChange>,
}

/// One of two images that are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedImage {
    /// Its id.
    pub id: ImageId,
    /// Its tags.
    pub tags: Vec<Reference>,
    /// The platform it was built for.
    pub platform: Platform,
    /// When it was built, according to its configuration.
    pub created: Option<Timestamp>,
    /// The size of all files of its layers, in bytes.
    pub size: u64,
    /// The number of its layers.
    pub layers: usize,
}

/// One of two images, with its layers and configuration.
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
    /// Combines the differences of the files with those of the configurations.
    #[must_use]
    pub(crate) fn new(files: FileDiff, [before, after]: [Side<'_>; 2]) -> Self {
        let common = before.layers.iter().filter(|layer| after.layers.contains(layer)).count();
        let config = config::changes(before.document, after.document);
        Self { images: [before.image, after.image], common, files, config }
    }

    /// Returns the same difference with the images exchanged.
    #[must_use]
    pub fn swapped(mut self) -> Self {
        self.images.reverse();
        self.config.iter_mut().for_each(|change| std::mem::swap(&mut change.before, &mut change.after));
        Self { files: self.files.swapped(), ..self }
    }

    /// Returns the full path of an entry of the table of paths.
    #[must_use]
    pub fn path(&self, at: u32) -> std::path::PathBuf {
        path_in(&self.files.paths, at)
    }

    /// Whether the files of both are the same.
    #[must_use]
    pub fn has_same_files(&self) -> bool {
        self.files.changes.is_empty() && !self.files.is_cut
    }
}
