//! Moves images' names and records out of the store in one step, and back.
//!
//! ```text
//! <root>/trash/.image-<id>/image.json    being moved: the next holder of the images' lock puts it back
//! <root>/trash/image-<id>/image.json     set aside: a root of the sweep, so that its layers stay
//! ```
//! No file system removes several files in one step. So copies are written first, into a folder
//! whose name says that a move is in progress; then the files are removed; then the folder is
//! renamed, which sets the image aside. If a process is killed before the rename, the move is
//! undone. Putting back works the same way in reverse: once the folder is renamed to the
//! in-progress name, the image will be restored.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::record::{NamedImage, REFERENCE_VERSION, Record, Reference};
use super::remove::{Force, Parents, Removed, User};
use super::store::{Store, read_dir};
use crate::base::disk::{self, State, Unknown};
use crate::oci::{self, ImageId, Platform};
use crate::sys::tree;

/// Current version of the file, with references of version 2.
pub const VERSION: u32 = 2;

/// Prefix of folders that are being moved.
const MOVING: &str = ".image-";

/// The content of `image.json`: what was set aside of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The version of the file format.
    pub version: u32,
    /// The image.
    pub image: ImageId,
    /// The names that were removed.
    pub references: Vec<Reference>,
    /// The image's record, and those of parents that were removed with it. If only names were
    /// removed, the record is included too, because the image may be removed later.
    pub records: Vec<Record>,
    /// Whether the image was removed with its names.
    pub is_whole: bool,
    /// Fields written by a newer hoist, kept when the file is rewritten.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl State for Kept {
    const NEWEST: u32 = VERSION;

    fn version(&self) -> u32 {
        self.version
    }

    fn read_old(bytes: &[u8]) -> serde_json::Result<Self> {
        // Reading has already converted its references to the current version.
        Ok(Self { version: VERSION, ..serde_json::from_slice(bytes)? })
    }
}

impl Kept {
    /// Returns its first name, or else its id.
    #[must_use]
    pub fn name(&self) -> String {
        let first = self.references.first().map(|reference| reference.name.to_string());
        first.unwrap_or_else(|| self.image.short().to_owned())
    }
}

/// What was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutBack {
    /// The image.
    pub image: ImageId,
    /// Its restored names.
    pub names: Vec<oci::Reference>,
}

impl Store {
    /// Like [`Store::remove`], but keeps what is removed in `<root>/trash/<id>`, so that it can be
    /// put back. `describe` gets the size of the removed images in bytes and adds further files to
    /// that folder. Damaged images of a name are removed permanently.
    ///
    /// # Errors
    ///
    /// As [`Store::remove`], and if everything that `word` names is damaged. Then nothing readable
    /// has been removed.
    pub fn set_aside<E: From<Error>>(
        &self,
        word: &str,
        id: &str,
        (force, parents): (Force, Parents),
        users: impl FnOnce() -> std::result::Result<Vec<User>, E>,
        describe: impl FnOnce(&Kept, u64, &Path) -> std::result::Result<(), E>,
    ) -> std::result::Result<Vec<Removed>, E> {
        let _images = self.lock_images()?;
        let mut plan = self.plan_removal(word, force, parents, users)?;
        if plan.references.is_empty() && plan.records.is_empty() {
            plan.damaged.pop().map_or(Ok(()), |damaged| Err(Error::from(damaged.why)))?;
        }
        let mut removed = self.remove_damaged(&plan.damaged)?;
        // The damaged ones are gone.
        let image = self.resolve(word)?.image;
        let (is_whole, size) = (!plan.records.is_empty(), plan.size());
        // Images that only lose a name may be removed later.
        let mut records = plan.records.clone();
        for one in plan.references.iter().flat_map(|name| &name.images) {
            if !records.iter().any(|record| record.id == one.image) {
                records.push(self.image(&one.image)?);
            }
        }
        let (references, unknown) = (plan.references, Unknown::new());
        let kept = Kept { version: VERSION, image, references, records, is_whole, unknown };
        let moving = self.paths().trash().join(format!(".{id}"));
        disk::private_dir(&moving).map_err(Error::from)?;
        let written = describe(&kept, size, &moving)
            // Soon this is all that is left of the image.
            .and_then(|()| Ok(disk::write_state_synced(&file_in(&moving), &kept).map_err(Error::from)?))
            .and_then(|()| Ok(disk::sync_folders([&moving, &self.paths().trash()]).map_err(Error::from)?));
        if let Err(error) = written {
            let _ = tree::remove(&moving); // the first error is the one to report
            return Err(error);
        }
        let aside = self.paths().trash().join(id);
        let moved = self
            .take_away(&kept.references, &plan.left, &plan.records)
            .and_then(|()| Ok(fs::rename(&moving, &aside).map_err(disk::Error::io("set aside", &aside))?));
        if let Err(error) = moved {
            self.finish_moves()?;
            return Err(error.into());
        }
        let mut changed = self.changed(&kept.references, &plan.records);
        changed.push(self.paths().trash());
        disk::sync_folders(changed).map_err(Error::from)?;
        removed.append(&mut plan.removed);
        Ok(removed)
    }

    /// Puts back what [`Store::set_aside`] keeps in `<root>/trash/<id>`. With `name`, restores it
    /// under this name only.
    ///
    /// # Errors
    ///
    /// [`Error::NameInUse`] and [`Error::Missing`]; then it stays aside.
    pub fn put_back(&self, id: &str, name: Option<&oci::Reference>) -> Result<PutBack> {
        let _images = self.lock_images()?;
        let aside = self.paths().trash().join(id);
        let mut kept: Kept = disk::read_state(&file_in(&aside))?;
        for diff_id in kept.records.iter().flat_map(|record| record.layers.iter().chain(&record.fix)) {
            if !self.has_layer(diff_id) {
                return Err(Error::Missing { what: "layer", digest: diff_id.clone() });
            }
        }
        if let Some(name) = name {
            let old = kept.references.iter().find(|old| old.name.full_name() == name.full_name());
            let target = old.and_then(|old| old.target.clone());
            let images = kept.references.first().map(|old| old.images.clone());
            let images = images.unwrap_or_else(|| vec![kept.image.clone().into()]);
            let (version, unknown) = (REFERENCE_VERSION, Unknown::new());
            kept.references = vec![Reference { version, name: name.clone(), target, images, unknown }];
        }
        for reference in &kept.references {
            if let Some(other) = self.reference(&reference.name)?
                && self.joined(&other, reference, &kept.records).is_none()
            {
                let owner = other.images[0].image.clone();
                return Err(Error::NameInUse { name: reference.name.clone(), owner });
            }
        }
        if name.is_some() {
            disk::write_state_synced(&file_in(&aside), &kept)?;
        }
        let moving = self.paths().trash().join(format!(".{id}"));
        fs::rename(&aside, &moving).map_err(disk::Error::io("restore", &aside))?;
        self.finish_moves()?;
        let names = kept.references.into_iter().map(|reference| reference.name).collect();
        Ok(PutBack { image: kept.image, names })
    }

    /// Reads what is kept in `<root>/trash/<id>`.
    ///
    /// # Errors
    ///
    /// It does not exist or cannot be read.
    pub fn aside(&self, id: &str) -> Result<Kept> {
        Ok(disk::read_state(&file_in(&self.paths().trash().join(id)))?)
    }

    /// Undoes moves that a killed process left unfinished, so that readers see complete images.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub fn finish_interrupted_moves(&self) -> Result<()> {
        if !self.moves()?.is_empty() {
            drop(self.lock_images()?);
        }
        Ok(())
    }

    fn moves(&self) -> Result<Vec<String>> {
        let mut names = read_dir(&self.paths().trash())?;
        names.retain(|name| name.starts_with(MOVING));
        Ok(names)
    }

    /// Puts back everything that is being moved. The caller holds the images' lock. Files that
    /// exist already are kept, since they may be newer.
    pub(super) fn finish_moves(&self) -> Result<()> {
        for name in self.moves()? {
            let moving = self.paths().trash().join(name);
            match disk::read_state::<Kept>(&file_in(&moving)) {
                Ok(kept) => self.write_back(&kept)?,
                // Without this file, nothing has been removed yet.
                Err(error) if error.is_not_found() => {}
                // It may be all that is left of the image, so the user has to decide (`stuck`).
                Err(disk::Error::Damaged { .. } | disk::Error::TooLarge { .. }) => continue,
                Err(error) if error.is_of_another_version() => continue,
                Err(error) => return Err(error.into()),
            }
            tree::remove(&moving)?;
            // If the folder reappeared after a power cut, it would put the image back again.
            disk::sync_folders([self.paths().trash()])?;
        }
        Ok(())
    }

    /// Returns why interrupted moves of images to the trash cannot be undone.
    ///
    /// # Errors
    ///
    /// The trash cannot be listed.
    pub fn stuck(&self) -> Result<Vec<disk::Error>> {
        let why = |name| disk::read_state::<Kept>(&file_in(&self.paths().trash().join(name))).err();
        Ok(self.moves()?.into_iter().filter_map(why).filter(|error| !error.is_not_found()).collect())
    }

    /// Writes the missing files of an image, and syncs them.
    fn write_back(&self, kept: &Kept) -> Result<()> {
        for folder in [self.paths().images(), self.paths().refs()] {
            disk::private_dir(&folder)?;
        }
        // Records first, so that no name exists without its image.
        let mut changed = Vec::new();
        for record in &kept.records {
            let path = self.record_path(&record.id);
            if !path.exists() {
                disk::write_state_synced(&path, record)?;
                changed.push(self.paths().images());
            }
        }
        for reference in &kept.references {
            let back = match self.reference(&reference.name)? {
                None => Some(reference.clone()),
                Some(there) => {
                    self.joined(&there, reference, &kept.records).filter(|joined| *joined != there)
                }
            };
            if let Some(back) = back {
                self.rewrite_reference(&back)?;
                changed.push(self.paths().refs());
            }
        }
        changed.dedup();
        Ok(disk::sync_folders(changed)?)
    }

    /// Returns an existing name with the images that it lost added again, or `None` if it stands
    /// for other images by now. `records` has the records of the lost images.
    fn joined(&self, there: &Reference, lost: &Reference, records: &[Record]) -> Option<Reference> {
        let is_new = |one: &&NamedImage| !there.names(&one.image);
        let platform = |one: &NamedImage| -> Option<Platform> {
            let record = records.iter().find(|record| record.id == one.image);
            self.platform_of(one).or_else(|| record.map(|record| record.platform.clone()))
        };
        let is_free = |one: &NamedImage| there.images.iter().all(|other| platform(other) != platform(one));
        let mut joined = there.clone();
        for one in lost.images.iter().filter(is_new) {
            // Names that never came from a registry have no index.
            if there.target != lost.target || !is_free(one) {
                return None;
            }
            joined.images.push(one.clone());
        }
        Some(joined)
    }
}

fn file_in(folder: &Path) -> PathBuf {
    folder.join("image.json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Paths;
    use crate::image::{Commit, Roots};

    /// Creates a store with an image without layers under these names.
    fn store(dir: &tempfile::TempDir, names: &[&str]) -> (Store, ImageId) {
        let store = Store::new(Paths::new(dir.path().join("root"), dir.path().join("run")), false);
        let names: Vec<oci::Reference> = names.iter().map(|name| name.parse().unwrap()).collect();
        let config = br#"{"rootfs":{"type":"layers"}}"#;
        let commit = Commit { config, names: &names, ..Commit::default() };
        let id = store.commit(&store.lease().unwrap(), &commit).unwrap();
        (store, id)
    }

    fn aside(store: &Store, word: &str, id: &str) -> Vec<Removed> {
        let how = (Force::No, Parents::Prune);
        store.set_aside(word, id, how, || Ok::<_, Error>(Vec::new()), |_, _, _| Ok(())).unwrap()
    }

    fn names(store: &Store) -> Vec<String> {
        store.references().unwrap().iter().map(|one| one.name.to_string()).collect()
    }

    #[test]
    fn an_image_set_aside_is_gone_and_comes_back_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let (store, image) = store(&dir, &["web:1"]);
        let before = (store.images().unwrap(), store.references().unwrap());
        assert_eq!(aside(&store, "web:1", "image-a").len(), 2);
        assert!(store.images().unwrap().is_empty() && names(&store).is_empty());
        let back = store.put_back("image-a", None).unwrap();
        assert_eq!((back.image, back.names.len()), (image, 1));
        assert_eq!((store.images().unwrap(), store.references().unwrap()), before);
        assert_eq!(read_dir(&store.paths().trash()).unwrap(), [""; 0]);
    }

    #[test]
    fn a_name_alone_comes_back_even_when_its_image_went_meanwhile() {
        let dir = tempfile::tempdir().unwrap();
        let (store, image) = store(&dir, &["web:1", "web:2"]);
        assert_eq!(aside(&store, "web:1", "image-a").len(), 1);
        assert_eq!(names(&store), ["web:2"]);
        store.remove("web:2", Force::No, Parents::Prune, || Ok::<_, Error>(Vec::new())).unwrap();
        store.put_back("image-a", None).unwrap();
        assert_eq!((names(&store), store.images().unwrap().len()), (vec!["web:1".to_owned()], 1));
        assert_eq!(store.resolve("web:1").unwrap().image, image);
    }

    #[test]
    fn a_name_that_is_taken_is_refused_and_another_one_will_do() {
        let dir = tempfile::tempdir().unwrap();
        let (store, image) = store(&dir, &["web:1"]);
        aside(&store, "web:1", "image-a");
        let name: oci::Reference = "web:1".parse().unwrap();
        let config = br#"{"rootfs":{"type":"layers"},"created":"2026-01-01T00:00:00Z"}"#;
        let commit = Commit { config, names: std::slice::from_ref(&name), ..Commit::default() };
        let other = store.commit(&store.lease().unwrap(), &commit).unwrap();
        let error = store.put_back("image-a", None).unwrap_err();
        let why = format!("the name `web:1` is already in use by image `{}`", other.short());
        assert_eq!(error.to_string(), why);
        assert!(store.aside("image-a").is_ok(), "a refusal moves nothing");
        store.put_back("image-a", Some(&"old:1".parse().unwrap())).unwrap();
        assert_eq!(names(&store), ["old:1", "web:1"]);
        assert_eq!(store.resolve("old:1").unwrap().image, image);
    }

    #[test]
    fn a_move_that_was_killed_is_undone_at_any_point() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = store(&dir, &["web:1"]);
        let before = (store.images().unwrap(), store.references().unwrap());
        aside(&store, "web:1", "image-a");
        let trash = store.paths().trash();
        // Before the last step: the files are removed, and the folder has its in-progress name.
        fs::rename(trash.join("image-a"), trash.join(".image-a")).unwrap();
        store.finish_moves().unwrap();
        assert_eq!((store.images().unwrap(), store.references().unwrap()), before);
        // After the copies, with half of the files removed.
        aside(&store, "web:1", "image-b");
        fs::rename(trash.join("image-b"), trash.join(".image-b")).unwrap();
        disk::write_state(&store.record_path(&before.0[0].id), &before.0[0]).unwrap();
        store.finish_moves().unwrap();
        assert_eq!((store.images().unwrap(), store.references().unwrap()), before);
        // Before the copies.
        disk::private_dir(&trash.join(".image-c")).unwrap();
        store.finish_moves().unwrap();
        assert_eq!((store.images().unwrap(), store.references().unwrap()), before);
        assert_eq!(read_dir(&trash).unwrap(), [""; 0]);
    }

    #[test]
    fn a_move_that_cannot_be_read_is_not_thrown_away() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = store(&dir, &["web:1"]);
        let before = (store.images().unwrap(), store.references().unwrap());
        aside(&store, "web:1", "image-a");
        let moving = store.paths().trash().join(".image-a");
        fs::rename(store.paths().trash().join("image-a"), &moving).unwrap();
        let (file, kept) = (file_in(&moving), moving.join("kept"));
        fs::rename(&file, &kept).unwrap();
        // Like too many open files: a temporary error.
        fs::create_dir(&file).unwrap();
        assert!(store.finish_moves().is_err());
        fs::remove_dir(&file).unwrap();
        fs::write(&file, "{").unwrap();
        store.finish_moves().unwrap();
        assert!(kept.exists(), "nothing else may be hindered by it");
        let stuck: Vec<_> = store.stuck().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(stuck, [format!("{} is damaged", file.display())]);
        fs::rename(&kept, &file).unwrap();
        store.finish_moves().unwrap();
        assert_eq!((store.images().unwrap(), store.references().unwrap()), before);
        assert!(store.stuck().unwrap().is_empty());
    }

    #[test]
    fn what_is_aside_keeps_its_blobs_from_the_sweep() {
        let dir = tempfile::tempdir().unwrap();
        let (store, image) = store(&dir, &["web:1"]);
        aside(&store, "web:1", "image-a");
        let roots =
            |store: &Store| Roots { aside: vec![store.aside("image-a").unwrap()], ..Roots::default() };
        store.sweep(|| Ok::<_, Error>(roots(&store))).unwrap();
        assert!(store.has_blob(&image));
        store.sweep(|| Ok::<_, Error>(Roots::default())).unwrap();
        assert!(!store.has_blob(&image));
    }
}
