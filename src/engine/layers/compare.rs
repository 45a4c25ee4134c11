//! How two images differ: what their containers would find, whatever layers it comes in.

use jiff::Timestamp;

use super::{ConfigChange, LayerPath};
use crate::engine::error::{Error, Result};
use crate::engine::image::{ImageDetail, Images};
use crate::engine::{Engine, Reporter, blocking};
use crate::image;
pub use crate::layer::compare::{Difference, FileChange, Sum};
use crate::layer::compare::{Found, Walk};
use crate::layer::opaque_attribute;
use crate::layer::stack::path_in;
use crate::oci::{ImageId, Platform, Reference};

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

impl ImageDiff {
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

impl Images<'_> {
    /// How the files and the configuration of two images differ.
    ///
    /// # Errors
    ///
    /// `No such image: x`; a layer that cannot be read; when it is cancelled.
    pub async fn compare(&self, before: &str, after: &str, reporter: Reporter) -> Result<ImageDiff> {
        let (engine, names) = (self.engine.clone(), [before.to_owned(), after.to_owned()]);
        blocking(move || compare(&engine, &names, &reporter)).await
    }
}

fn compare(engine: &Engine, names: &[String; 2], reporter: &Reporter) -> Result<ImageDiff> {
    let details = [engine.image_detail(&names[0])?, engine.image_detail(&names[1])?];
    let doing = || format!("compare `{}` with `{}`", names[0], names[1]);
    let store = engine.image_store()?;
    let opaque = opaque_attribute(store.in_user_namespace());
    let folders = [details[0].folders.as_slice(), details[1].folders.as_slice()];
    let walk = Walk::new(folders, opaque, super::MOST_PATHS, reporter);
    let walk = walk.map_err(|error| Error::new(doing(), error))?;
    let found = walk.run().map_err(|error| Error::new(doing(), error))?;
    let [before, after] = &details;
    let common = before.image.layers.iter().filter(|layer| after.image.layers.contains(layer)).count();
    Ok(ImageDiff {
        common,
        config: image::config::changes(&before.document, &after.document),
        images: details.map(|ImageDetail { image, .. }| ComparedImage {
            layers: image.layers.len(),
            id: image.id,
            tags: image.tags,
            platform: image.platform,
            created: image.created,
            size: image.size,
        }),
        paths: found.paths,
        changes: found.changes,
        added: found.added,
        changed: found.changed,
        changed_before: found.changed_before,
        removed: found.removed,
        is_cut: found.is_cut,
    })
}
