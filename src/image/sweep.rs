//! Mark and sweep: removes what no image, container or lease needs.
//!
//! Marked are: every image record with its configuration, its manifest, the manifest's blobs and
//! its layers; every reference's target; the layers of containers; what was set aside; and what
//! live leases protect. Everything else is moved away under the store's lock and deleted after the
//! lock is released.
//!
//! An unreadable record still needs what it needed before. An image's configuration says what that
//! is; if it is unreadable too, nothing is removed. The only exception is after a restart of the
//! machine: then unmarked layers lose their links anyway, because they may never have reached the
//! disk, and the next image must not use them.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use super::aside::Kept;
use super::error::Result;
use super::store::{Store, read_dir};
use crate::base::disk::{self, Lock, Rank};
use crate::oci::Digest;

/// What needs the image store from outside.
#[derive(Debug, Clone, Default)]
pub struct Roots {
    /// Layer folders of containers, relative to `<root>/layers`, as in their records.
    pub layers: Vec<PathBuf>,
    /// Images that were set aside and can be put back.
    pub aside: Vec<Kept>,
    /// Names of unreadable files that may need anything: nothing is removed.
    pub unreadable: Vec<String>,
}

/// What a sweep removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Layers, by diffID.
    pub layers: Vec<Digest>,
    /// Number of blobs.
    pub blobs: u64,
    /// Size of both in bytes, as far as known.
    pub bytes: u64,
    /// Unreadable files that may need the rest; nothing more is removed until they are.
    pub held_by: Vec<String>,
}

/// How long an unfinished download can be resumed.
const KEEP_PARTS: Duration = Duration::from_secs(7 * 24 * 3600);

#[derive(Debug, Default)]
struct Marks {
    blobs: HashSet<Digest>,
    layers: HashSet<Digest>,
    folders: HashSet<String>,
    /// Unreadable files that may need any layer.
    held_by: Vec<String>,
    /// Something may need blobs that are not marked.
    may_need_blobs: bool,
}

impl Marks {
    fn image(&mut self, image: super::Record) {
        self.layers.extend(image.layers.into_iter().chain(image.fix));
        self.blobs.insert(image.id);
        self.blobs.extend(image.manifest);
    }
}

/// The digests in a manifest or an index, whatever else it contains.
#[derive(Debug, Default, Deserialize)]
struct Pointers {
    #[serde(default)]
    config: Option<Pointer>,
    #[serde(default)]
    layers: Vec<Pointer>,
    #[serde(default)]
    manifests: Vec<Pointer>,
}

#[derive(Debug, Deserialize)]
struct Pointer {
    digest: Digest,
}

impl Store {
    /// Removes what nothing needs, and what killed processes left behind.
    ///
    /// Calls `roots` under the locks. A process that writes a container's record must check
    /// afterwards that its image still exists, and give up if it does not.
    ///
    /// # Errors
    ///
    /// Something cannot be read or removed. What was removed before stays removed.
    pub fn sweep<E>(
        &self,
        roots: impl FnOnce() -> std::result::Result<Roots, E>,
    ) -> std::result::Result<Swept, E>
    where
        E: From<super::Error>,
    {
        let swept = {
            let _images = self.lock_images()?;
            let _store = self.lock_to_sweep()?;
            let leased = self.leased()?;
            let roots = roots()?;
            let marks = self.mark(leased, roots)?;
            let mut swept = self.sweep_layers(&marks)?;
            if marks.held_by.is_empty() && !marks.may_need_blobs {
                self.sweep_blobs(&marks, &mut swept)?;
            }
            swept.held_by = marks.held_by;
            self.sweep_ingest()?;
            self.sweep_torn()?;
            swept
        };
        self.delete_discarded()?;
        Ok(swept)
    }

    pub(super) fn lock_to_sweep(&self) -> Result<Lock> {
        disk::private_dir(self.paths().root())?;
        Ok(Lock::exclusive(&self.paths().store_lock(), Rank::Store)?)
    }

    fn mark(&self, leased: Vec<Digest>, roots: Roots) -> Result<Marks> {
        let mut marks = Marks { held_by: roots.unreadable, ..Marks::default() };
        marks.layers.extend(leased.iter().cloned());
        marks.blobs.extend(leased);
        let damaged = self.damaged()?;
        self.images()?.into_iter().for_each(|image| marks.image(image));
        for one in &damaged {
            match self.needs_of(one) {
                Some(needs) => {
                    marks.layers.extend(needs.iter().cloned());
                    marks.blobs.extend(needs);
                    marks.may_need_blobs = true;
                }
                // A name by itself needs a registry's manifest but no layer. Without record and
                // configuration, an image cannot be used, so its layers are not needed.
                None if one.image.is_none() || one.why.is_not_found() => marks.may_need_blobs = true,
                None => marks.held_by.push(one.called()),
            }
        }
        let aside = roots.aside.iter();
        aside.flat_map(|kept| kept.records.clone()).for_each(|image| marks.image(image));
        let aside = roots.aside.iter().flat_map(|kept| kept.references.clone());
        for reference in self.references()?.into_iter().chain(aside) {
            marks.blobs.extend(reference.target);
            marks.blobs.extend(reference.images.into_iter().filter_map(|one| one.manifest));
        }
        let manifests: Vec<Digest> = marks.blobs.iter().cloned().collect();
        for digest in manifests {
            marks.blobs.extend(self.pointers(&digest));
        }
        let number = |folder: &PathBuf| Some(folder.components().next()?.as_os_str().to_str()?.to_owned());
        marks.folders.extend(roots.layers.iter().filter_map(number));
        for layer in &marks.layers {
            marks.folders.extend(self.layer_number(layer).ok().flatten());
        }
        Ok(marks)
    }

    /// Returns the digests in a manifest. Those of an index' other platforms may not exist.
    fn pointers(&self, digest: &Digest) -> Vec<Digest> {
        let Ok(bytes) = disk::read(&self.blob_path(digest), self.limits.manifest) else { return Vec::new() };
        let pointers: Pointers = serde_json::from_slice(&bytes).unwrap_or_default();
        let all = pointers.config.into_iter().chain(pointers.layers).chain(pointers.manifests);
        all.map(|pointer| pointer.digest).collect()
    }

    fn sweep_layers(&self, marks: &Marks) -> Result<Swept> {
        let mut swept = Swept::default();
        let layers = self.paths().layers();
        let is_held = !marks.held_by.is_empty();
        if is_held && self.is_of_this_boot()? {
            return Ok(swept);
        }
        // Links first: a layer without a link does not exist.
        let links = layers.join("by-diff");
        for name in read_dir(&links)? {
            let link = links.join(&name);
            let target = fs::read_link(&link).ok();
            let folder = target.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
            // If the folder is lost, the link reserves its number.
            if folder.is_some_and(|folder| marks.folders.contains(folder)) {
                continue;
            }
            if !is_held && let Some(meta) = folder.and_then(|folder| self.meta_at(&layers.join(folder)).ok())
            {
                swept.bytes += meta.size;
                swept.layers.push(meta.diff_id);
            }
            self.discard(&link)?;
        }
        for name in read_dir(&layers)?.into_iter().filter(|_| !is_held) {
            if name != "by-diff" && !marks.folders.contains(&name) {
                self.discard(&layers.join(name))?;
            }
        }
        Ok(swept)
    }

    fn sweep_blobs(&self, marks: &Marks, swept: &mut Swept) -> Result<()> {
        let blobs = self.paths().blobs();
        for algorithm in read_dir(&blobs)? {
            let folder = blobs.join(&algorithm);
            for hex in read_dir(&folder)? {
                let digest = format!("{algorithm}:{hex}").parse::<Digest>();
                if digest.is_ok_and(|digest| marks.blobs.contains(&digest)) {
                    continue;
                }
                let path = folder.join(hex);
                swept.blobs += 1;
                swept.bytes += fs::symlink_metadata(&path).map(|meta| meta.len()).unwrap_or(0);
                self.discard(&path)?;
            }
        }
        Ok(())
    }

    /// Removes state files whose writer was killed. Writers hold the images' lock.
    fn sweep_torn(&self) -> Result<()> {
        for folder in [self.paths().images(), self.paths().refs()] {
            for name in read_dir(&folder)?.into_iter().filter(|name| name.starts_with('.')) {
                self.discard(&folder.join(name))?;
            }
        }
        Ok(())
    }

    /// Removes unfinished work of killed processes immediately, except downloads, which can be
    /// resumed. If there is none, this only lists two empty folders.
    ///
    /// # Errors
    ///
    /// Something cannot be read or removed.
    pub fn tidy(&self) -> Result<()> {
        let ingest = self.paths().ingest();
        let is_work = |name: &String| name != "leases" && name != "boot" && !name.ends_with(".part");
        if !read_dir(&ingest)?.iter().any(is_work) && read_dir(&ingest.join("leases"))?.is_empty() {
            return Ok(());
        }
        {
            // If the lock is held, another process is adding something or sweeping.
            let store = Lock::try_exclusive(&self.paths().store_lock(), Rank::Store)?;
            let Some(_store) = store else { return Ok(()) };
            self.leased()?;
            self.sweep_ingest()?;
        }
        self.delete_discarded()
    }

    /// Removes unfinished work of dead processes: unpacked trees immediately, downloads later.
    fn sweep_ingest(&self) -> Result<()> {
        let ingest = self.paths().ingest();
        for name in read_dir(&ingest)? {
            let path = ingest.join(&name);
            let Ok(meta) = fs::symlink_metadata(&path) else { continue };
            if let Some(stem) = name.strip_suffix(".lock") {
                let Ok(lock) = disk::open(&path) else { continue };
                if lock.try_lock().is_ok() {
                    self.discard(&ingest.join(stem))?;
                    let _ = fs::remove_file(&path); // a process waiting for it checks the path again
                }
            } else if name.ends_with(".part") {
                let now = SystemTime::now();
                let age = meta.modified().ok().and_then(|time| now.duration_since(time).ok());
                let free = disk::open(&path).is_ok_and(|file| file.try_lock().is_ok());
                if free && age.is_some_and(|age| age > KEEP_PARTS) {
                    self.discard(&path)?;
                }
            } else if name != "leases" && name != "boot" && !ingest.join(format!("{name}.lock")).exists() {
                self.discard(&path)?;
            }
        }
        Ok(())
    }
}
