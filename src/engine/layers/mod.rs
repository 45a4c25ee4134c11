//! What each layer of an image adds, changes and removes, and what of it is wasted.
//!
//! Read from the unpacked layers, bottom first, as overlayfs would stack them. One table of
//! paths serves all layers; a layer is a list of changes to it:
//!
//! ```text
//! paths    0 /   1 /srv   2 /srv/app   3 /tmp   4 /tmp/x …       parents come first
//! layer 1  + 1  + 2 (148M)
//! layer 2  ~ 2 (12M)  + 4           148M of layer 1 are wasted
//! layer 3  − 4
//! ```

mod build;
mod compare;
mod config;
mod history;
mod walk;

use std::ffi::OsStr;
use std::path::PathBuf;

use jiff::Timestamp;

use super::error::{Doing, Error, Result};
use super::files::{Error as FileError, FileKind, Mark};
use super::image::Images;
use super::{Engine, Reporter, blocking};
use crate::layer::opaque_attribute;
use crate::oci::{Digest, ImageId, Platform, Reference};

pub use compare::{ComparedImage, Difference, FileChange, ImageDiff, Sum};
pub use config::ConfigChange;

/// More paths are not held in memory; sizes and counts go on.
pub const MOST_PATHS: usize = 200_000;

/// More lines of waste are not told.
const MOST_WASTE: usize = 200;

/// All that is known of an image's layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerReport {
    /// The image.
    pub id: ImageId,
    /// Its tags.
    pub tags: Vec<Reference>,
    /// What it was built for.
    pub platform: Platform,
    /// When it was built, as it says.
    pub created: Option<Timestamp>,
    /// What its containers get, for people: `user`, `entrypoint`, …
    pub config: Vec<(&'static str, String)>,
    /// The containers made of it, by name.
    pub used_by: Vec<String>,
    /// Every path that any layer names; the first is the root.
    pub paths: Vec<LayerPath>,
    /// Its history, bottom first: lines that made no layer too.
    pub layers: Vec<LayerInfo>,
    /// What lower layers hold for nothing, most bytes first.
    pub waste: Vec<Waste>,
    /// Bytes of all of it.
    pub wasted: u64,
    /// Bytes of all layers.
    pub total: u64,
    /// It has more paths than are held.
    pub is_cut: bool,
}

/// A path that a layer names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerPath {
    /// The place of its folder in the table; the root's is its own.
    pub parent: u32,
    /// Its last part; empty for the root.
    pub name: Box<OsStr>,
}

/// A line of an image's history, with the layer it made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LayerInfo {
    /// The layer; `None` for a line that made none.
    pub diff_id: Option<Digest>,
    /// Which layer of those there are, from 1; 0 for a line that made none.
    pub number: usize,
    /// The instruction, as far as it can be told from the command.
    pub command: String,
    /// When.
    pub created: Option<Timestamp>,
    /// What its author says.
    pub comment: String,
    /// Bytes of its files.
    pub size: u64,
    /// What it does, in the order of the walk: a folder before what is in it.
    pub changes: Vec<LayerChange>,
    /// Files it adds.
    pub added: u64,
    /// Files it changes.
    pub changed: u64,
    /// Files it removes.
    pub removed: u64,
}

/// What a layer does to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerChange {
    /// Its place in the table.
    pub path: u32,
    /// Adds, changes or deletes it; a deleted folder goes with all that is in it.
    pub mark: Mark,
    /// What it is, or was.
    pub kind: FileKind,
    /// Bytes of the file; of a deleted folder, all that was in it.
    pub size: u64,
}

/// Bytes of lower layers that nobody sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waste {
    /// The file, or the folder that several lie in.
    pub path: PathBuf,
    /// How many files.
    pub files: u64,
    /// Bytes.
    pub bytes: u64,
    /// Changed or deleted.
    pub mark: Mark,
    /// By which layer, from 1.
    pub by: usize,
}

impl LayerReport {
    /// How much of what its layers hold is seen, in tenths of a percent.
    #[must_use]
    pub fn efficiency(&self) -> u64 {
        match self.total {
            0 => 1000,
            total => (total - self.wasted.min(total)).saturating_mul(1000) / total,
        }
    }

    /// A path of the table as one, from the root.
    #[must_use]
    pub fn path(&self, at: u32) -> PathBuf {
        let above = |at: u32| (self.paths[at as usize].parent, &self.paths[at as usize].name);
        path(above, at)
    }
}

/// The path at `at`, where `above` tells the place of a path's folder and its last part.
fn path<'a>(above: impl Fn(u32) -> (u32, &'a Box<OsStr>), at: u32) -> PathBuf {
    let (mut names, mut at) = (Vec::new(), at);
    while at != 0 {
        let (parent, name) = above(at);
        names.push(name);
        at = parent;
    }
    let mut whole = PathBuf::from("/");
    names.iter().rev().for_each(|name| whole.push(name.as_ref()));
    whole
}

impl Images<'_> {
    /// What each layer of an image does. Progress is told layer by layer.
    ///
    /// # Errors
    ///
    /// `No such image: x`; a layer that cannot be read; when it is cancelled.
    pub async fn layers(&self, target: &str, reporter: Reporter) -> Result<LayerReport> {
        let (engine, target) = (self.engine.clone(), target.to_owned());
        blocking(move || report(&engine, &target, &reporter)).await
    }
}

fn report(engine: &Engine, target: &str, reporter: &Reporter) -> Result<LayerReport> {
    let detail = engine.image_detail(target)?;
    let store = engine.image_store()?;
    let doing = || format!("read the layers of `{target}`");
    let opaque = opaque_attribute(store.in_user_namespace());
    let mut layers = history::lines(&detail);
    let mut stack = build::Stack::new(opaque, MOST_PATHS);
    let count = detail.image.layers.len();
    for (at, layer) in layers.iter_mut().filter(|layer| layer.diff_id.is_some()).enumerate() {
        let Some(diff_id) = layer.diff_id.clone() else { continue };
        layer.number = at + 1;
        layer.size = store.layer(&diff_id).doing(doing)?.size;
        let folder = store.layer_dir(&diff_id).doing(doing)?.join("diff");
        reporter.note(format!("layer {} of {count}", at + 1));
        stack.add(&folder, layer, reporter).map_err(|why: FileError| Error::new(doing(), why))?;
    }
    let users = engine.container_records()?.0.into_iter();
    let used_by = users.filter(|record| record.image_id == detail.image.id);
    let total = layers.iter().map(|layer| layer.size).sum();
    Ok(LayerReport {
        config: history::facts(&detail),
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
