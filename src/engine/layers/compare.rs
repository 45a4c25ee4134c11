//! How two images differ: what their containers would find, whatever layers it comes in.
//!
//! Both are walked at once as overlayfs would stack them, a folder at a time, and nothing is
//! mounted. What both have from the very same layers is the same, so that whole trees of a
//! common base are never read:
//!
//! ```text
//!            before            after
//! /usr       [base]            [base]           the same layers: not looked into
//! /srv       [base, app 1]     [base, app 2]    looked into
//! /srv/x     app 1             app 2            kind, mode, owner, attributes, size; then bytes
//! ```
//! Files are the same when their kind, mode, owner, attributes and bytes are; the bytes are
//! read and compared, for a digest of a file is nowhere kept, and times say nothing: each
//! build makes its own. Times are therefore no difference either.

use jiff::Timestamp;

use super::walk::Walk;
use super::{ConfigChange, LayerPath, path};
use crate::engine::error::{Error, Result};
use crate::engine::files::{FileKind, Mark};
use crate::engine::image::{ImageDetail, Images};
use crate::engine::{Engine, Reporter, blocking};
use crate::layer::opaque_attribute;
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

/// Files and their bytes; folders are none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// What differs at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Its place in the table.
    pub path: u32,
    /// Added, changed or gone.
    pub mark: Mark,
    /// What it is; of one that is gone, what it was.
    pub kind: FileKind,
    /// Bytes before.
    pub before: u64,
    /// Bytes after.
    pub after: u64,
    /// Of one that changed, what of it.
    pub what: Vec<Difference>,
}

/// One respect in which two files differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Difference {
    Kind(FileKind, FileKind),
    Mode(u32, u32),
    Owner((u32, u32), (u32, u32)),
    Content,
    Target,
    Device,
    Attributes,
}

impl ImageDiff {
    /// The same, seen from the other image.
    #[must_use]
    pub fn swapped(mut self) -> Self {
        self.images.reverse();
        std::mem::swap(&mut self.added, &mut self.removed);
        std::mem::swap(&mut self.changed.bytes, &mut self.changed_before);
        for change in &mut self.changes {
            std::mem::swap(&mut change.before, &mut change.after);
            change.mark = match change.mark {
                Mark::Added => Mark::Deleted,
                Mark::Deleted => Mark::Added,
                Mark::Changed => Mark::Changed,
            };
            for difference in &mut change.what {
                *difference = match *difference {
                    Difference::Kind(one, two) => {
                        change.kind = one;
                        Difference::Kind(two, one)
                    }
                    Difference::Mode(one, two) => Difference::Mode(two, one),
                    Difference::Owner(one, two) => Difference::Owner(two, one),
                    same => same,
                };
            }
        }
        self.config.iter_mut().for_each(|change| std::mem::swap(&mut change.before, &mut change.after));
        self
    }

    /// A path of the table as one, from the root.
    #[must_use]
    pub fn path(&self, at: u32) -> std::path::PathBuf {
        let above = |at: u32| (self.paths[at as usize].parent, &self.paths[at as usize].name);
        path(above, at)
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
        config: super::config::changes(&before.document, &after.document),
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
