//! Mark and sweep: what no image, container or lease needs goes.
//!
//! Marked are: every image record with its configuration, manifest, the manifest's blobs
//! and its layers; every reference's target; the layers of containers; what was set aside
//! and what living leases hold. The rest is moved away under the store's lock, and deleted after it.
//!
//! A record that cannot be read needs what it needed before. Of an image, its configuration
//! tells that; where nothing does, nothing is removed. Only after a restart of the machine
//! layers that nothing names lose their links all the same: they may never have reached the
//! disk, and must not be taken for whole by the next image.

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

/// What lives outside the image store but needs it.
#[derive(Debug, Clone, Default)]
pub struct Roots {
    /// Layer folders of containers, relative to `<root>/layers`, as their records have them.
    pub layers: Vec<PathBuf>,
    /// Images that were set aside and can be put back.
    pub aside: Vec<Kept>,
    /// What cannot be read and may need anything, by what it is called: everything stays.
    pub unreadable: Vec<String>,
}

/// What a sweep removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Layers, by diffID.
    pub layers: Vec<Digest>,
    /// Blobs.
    pub blobs: u64,
    /// Bytes of both, as far as they were known.
    pub bytes: u64,
    /// What cannot be read and may need the rest: nothing more goes until it is removed.
    pub held_by: Vec<String>,
}

/// How long an unfinished download waits to be resumed.
const KEEP_PARTS: Duration = Duration::from_secs(7 * 24 * 3600);

#[derive(Debug, Default)]
struct Marks {
    blobs: HashSet<Digest>,
    layers: HashSet<Digest>,
    folders: HashSet<String>,
    /// What may need any layer.
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

/// The digests that a manifest or an index names, whatever else is in it.
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
    /// Removes what nothing needs, and the litter of processes that were killed.
    ///
    /// `roots` is asked under the locks. Who writes a container's record looks afterwards
    /// whether its image is still there, and gives up where it is not.
    ///
    /// # Errors
    ///
    /// When something cannot be read or removed; what was removed until then is gone.
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
                // A name alone keeps a registry's manifest, no layer; nor do layers help where
                // neither record nor configuration tells which they are.
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

    /// What a manifest names. An index' other platforms are not here, which is no matter.
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
        // Links first: a layer without one does not exist.
        let links = layers.join("by-diff");
        for name in read_dir(&links)? {
            let link = links.join(&name);
            let target = fs::read_link(&link).ok();
            let folder = target.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
            // Where the folder was lost, the link keeps its number from other layers.
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

    /// State files that were being written when their writer was killed: who writes one
    /// holds the images' lock.
    fn sweep_torn(&self) -> Result<()> {
        for folder in [self.paths().images(), self.paths().refs()] {
            for name in read_dir(&folder)?.into_iter().filter(|name| name.starts_with('.')) {
                self.discard(&folder.join(name))?;
            }
        }
        Ok(())
    }

    /// Removes at once what killed processes left unfinished, but downloads, which are resumed.
    /// Costs the look into two empty folders, mostly.
    ///
    /// # Errors
    ///
    /// When something cannot be read or removed.
    pub fn tidy(&self) -> Result<()> {
        let ingest = self.paths().ingest();
        let is_work = |name: &String| name != "leases" && name != "boot" && !name.ends_with(".part");
        if !read_dir(&ingest)?.iter().any(is_work) && read_dir(&ingest.join("leases"))?.is_empty() {
            return Ok(());
        }
        {
            // Whoever has it adds something, or sweeps.
            let store = Lock::try_exclusive(&self.paths().store_lock(), Rank::Store)?;
            let Some(_store) = store else { return Ok(()) };
            self.leased()?;
            self.sweep_ingest()?;
        }
        self.delete_discarded()
    }

    /// Unfinished work whose owner is dead: unpacked trees at once, downloads after a while.
    fn sweep_ingest(&self) -> Result<()> {
        let ingest = self.paths().ingest();
        for name in read_dir(&ingest)? {
            let path = ingest.join(&name);
            let Ok(meta) = fs::symlink_metadata(&path) else { continue };
            if let Some(stem) = name.strip_suffix(".lock") {
                let Ok(lock) = disk::open(&path) else { continue };
                if lock.try_lock().is_ok() {
                    self.discard(&ingest.join(stem))?;
                    let _ = fs::remove_file(&path); // who waits for it looks at the path again
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
