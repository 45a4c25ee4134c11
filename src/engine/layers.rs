//! What each layer of an image adds, changes and removes, and which of it is wasted.
//!
//! [`crate::layer::stack`] and [`crate::layer::compare`] do the work.

use std::path::PathBuf;

use jiff::Timestamp;

use super::error::{Doing, Result};
use super::image::Images;
use super::{Engine, ImageView, Reporter, blocking};
use crate::image::compare::Side;
pub use crate::image::config::ConfigChange;
use crate::image::history;
use crate::layer::compare::Walk;
use crate::layer::opaque_attribute;
use crate::layer::stack::{Stack, path_in};
pub use crate::layer::{LayerChange, LayerInfo, LayerPath, Waste};
use crate::oci::{ImageId, Platform, Reference};

pub use crate::image::compare::{ComparedImage, ImageDiff};
pub use crate::layer::compare::{Difference, FileChange, FileDiff, Sum};

/// Maximum number of paths kept in memory. Sizes and counts include the others.
pub const MOST_PATHS: usize = 200_000;

/// Maximum number of reported lines of waste.
const MOST_WASTE: usize = 200;

/// A report on the layers of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerReport {
    /// The id of the image.
    pub id: ImageId,
    /// Its tags.
    pub tags: Vec<Reference>,
    /// The platform it was built for.
    pub platform: Platform,
    /// When it was built, according to its configuration.
    pub created: Option<Timestamp>,
    /// The configuration of its containers, for display: `user`, `entrypoint`, …
    pub config: Vec<(&'static str, String)>,
    /// The names of the containers created from it.
    pub used_by: Vec<String>,
    /// All paths in any layer; the first is the root.
    pub paths: Vec<LayerPath>,
    /// Its history, oldest first, including steps without a layer.
    pub layers: Vec<LayerInfo>,
    /// Files in lower layers that are hidden by upper ones, largest first.
    pub waste: Vec<Waste>,
    /// The total waste in bytes.
    pub wasted: u64,
    /// The size of all layers in bytes.
    pub total: u64,
    /// Whether it has more paths than are kept.
    pub is_cut: bool,
}

impl LayerReport {
    /// Returns the share of the layers' bytes that is visible, in tenths of a percent.
    #[must_use]
    pub fn efficiency(&self) -> u64 {
        match self.total {
            0 => 1000,
            total => (total - self.wasted.min(total)).saturating_mul(1000) / total,
        }
    }

    /// Returns the full path of an entry, from the root.
    #[must_use]
    pub fn path(&self, at: u32) -> PathBuf {
        path_in(&self.paths, at)
    }
}

impl Images<'_> {
    /// Returns what each layer of an image does. Reports progress layer by layer.
    ///
    /// # Errors
    ///
    /// `No such image: x`, if a layer cannot be read, or if it is cancelled.
    pub async fn layers(&self, target: &str, reporter: Reporter) -> Result<LayerReport> {
        let (engine, target) = (self.engine.clone(), target.to_owned());
        blocking(move || report(&engine, &target, &reporter)).await
    }

    /// Returns how the files and the configuration of two images differ.
    ///
    /// # Errors
    ///
    /// `No such image: x`, if a layer cannot be read, or if it is cancelled.
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
    let walk = Walk::new(folders, opaque, MOST_PATHS, reporter).doing(doing)?;
    let found = walk.run().doing(doing)?;
    let sides = details.each_ref().map(|detail| Side {
        image: compared(&detail.image),
        layers: &detail.image.layers,
        document: &detail.document,
    });
    Ok(ImageDiff::new(found, sides))
}

fn compared(image: &ImageView) -> ComparedImage {
    ComparedImage {
        id: image.id.clone(),
        tags: image.tags.clone(),
        platform: image.platform.clone(),
        created: image.created,
        size: image.size,
        layers: image.layers.len(),
    }
}

fn report(engine: &Engine, target: &str, reporter: &Reporter) -> Result<LayerReport> {
    let detail = engine.image_detail(target)?;
    let store = engine.image_store()?;
    let doing = || format!("read the layers of `{target}`");
    let opaque = opaque_attribute(store.in_user_namespace());
    let mut layers = history::lines(&detail.document, &detail.image.layers);
    let mut stack = Stack::new(opaque, MOST_PATHS);
    let count = detail.image.layers.len();
    for (at, layer) in layers.iter_mut().filter(|layer| layer.diff_id.is_some()).enumerate() {
        let Some(diff_id) = layer.diff_id.clone() else { continue };
        layer.number = at + 1;
        layer.size = store.layer(&diff_id).doing(doing)?.size;
        let folder = store.layer_dir(&diff_id).doing(doing)?.join("diff");
        reporter.note(format!("layer {} of {count}", at + 1));
        stack.add(&folder, layer, reporter).doing(doing)?;
    }
    let users = engine.container_records()?.0.into_iter();
    let used_by = users.filter(|record| record.image_id == detail.image.id);
    let total = layers.iter().map(|layer| layer.size).sum();
    Ok(LayerReport {
        config: history::facts(&detail.document),
        used_by: used_by.map(|record| record.name.to_string()).collect(),
        id: detail.image.id,
        tags: detail.image.tags,
        platform: detail.image.platform,
        created: detail.image.created,
        waste: stack.waste(MOST_WASTE),
        wasted: stack.wasted,
        is_cut: stack.is_cut,
        paths: stack.into_paths(),
        layers,
        total,
    })
}
