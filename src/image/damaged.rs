//! Records of images and references that cannot be read because they are damaged or were written by
//! a newer hoist. They are identified by their file names and can be removed; until then,
//! everything they may need is kept. The same applies to an image of which only a name is left. An
//! image that lacks its configuration or a layer is listed with the reason.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::commit;
use super::error::{Error, Result};
use super::record::{Record, Reference};
use super::remove::Removed;
use super::store::{Seen, Store, remove_file};
use crate::base::{disk, id};
use crate::oci::{self, Digest, ImageId};

/// A file that is unreadable or missing.
#[derive(Debug)]
pub struct Damaged {
    /// The image, if it is an image's record.
    pub image: Option<ImageId>,
    /// The name, if it is a reference; for an image, a name that leads to it.
    pub name: Option<oci::Reference>,
    /// Why it cannot be read.
    pub why: disk::Error,
    path: PathBuf,
}

/// Everything in the store, for lists.
#[derive(Debug)]
pub struct Survey {
    /// The images, newest first.
    pub images: Vec<Record>,
    /// Their names.
    pub references: Vec<Reference>,
    /// Files that stay unreadable until someone changes them.
    pub damaged: Vec<Damaged>,
    /// Images with a readable record but missing parts, with what is missing.
    pub incomplete: Vec<(Record, Error)>,
    /// Temporary errors that prevented reading more.
    pub unread: Vec<disk::Error>,
}

/// What a user's word refers to, as far as it is unreadable.
#[derive(Debug, Default)]
pub(super) struct Meant {
    /// The unreadable files.
    pub(super) damaged: Vec<Damaged>,
    /// The name that the word refers to, with its readable images.
    pub(super) rest: Option<Reference>,
}

impl Damaged {
    /// Returns its name, its id, or its file name.
    #[must_use]
    pub fn called(&self) -> String {
        let id = self.image.as_ref().map(|image| image.short().to_owned());
        let name = self.name.as_ref().map(ToString::to_string).or(id);
        name.unwrap_or_else(|| stem(&self.path).to_owned())
    }

    /// Returns whether a user's word is its name or its file name.
    fn is_called(&self, word: &str) -> bool {
        let is_named = self.name.is_some() && self.name == word.parse().ok();
        self.image.is_none() && (is_named || stem(&self.path) == word)
    }
}

impl Store {
    /// Returns every unreadable record and reference.
    ///
    /// # Errors
    ///
    /// Their folders, or files that are not damaged, cannot be read.
    pub fn damaged(&self) -> Result<Vec<Damaged>> {
        let (mut images, mut names) = (self.read_images()?, self.read_references()?);
        match images.unread.pop().or_else(|| names.unread.pop()) {
            Some(error) => Err(error.into()),
            None => Ok(self.take_damaged(&mut images, &mut names)),
        }
    }

    /// Returns every image and reference, as far as they can be read.
    ///
    /// # Errors
    ///
    /// Their folders cannot be read.
    pub fn survey(&self) -> Result<Survey> {
        let (mut images, mut names) = (self.read_images()?, self.read_references()?);
        let damaged = self.take_damaged(&mut images, &mut names);
        let unread = images.unread.into_iter().chain(names.unread).collect();
        let (mut whole, mut incomplete) = (Vec::new(), Vec::new());
        for image in images.whole {
            // A temporary error is reported when the image is used.
            match self.lost_part(&image).ok().flatten() {
                Some(lost) => incomplete.push((image, lost)),
                None => whole.push(image),
            }
        }
        Ok(Survey { images: whole, references: names.whole, damaged, incomplete, unread })
    }

    /// Returns whether `word` refers only to unreadable files, or to an image that lacks a part.
    ///
    /// # Errors
    ///
    /// [`Error::NoImage`], [`Error::Ambiguous`], or the store cannot be read.
    pub fn is_damaged(&self, word: &str) -> Result<bool> {
        let meant = self.meant(word)?;
        if !meant.damaged.is_empty() {
            return Ok(meant.rest.is_none());
        }
        let image = self.image(&self.resolve(word)?.image)?;
        Ok(self.lost_part(&image)?.is_some())
    }

    /// Takes the damaged images and names out of both lists.
    fn take_damaged(&self, images: &mut Seen<Record>, names: &mut Seen<Reference>) -> Vec<Damaged> {
        let mut known: HashSet<ImageId> = images.whole.iter().map(|image| image.id.clone()).collect();
        let mut damaged = Vec::new();
        for (path, why) in images.damaged.drain(..) {
            let image: Option<ImageId> = format!("sha256:{}", stem(&path)).parse().ok();
            let leads_there = |one: &&Reference| image.as_ref().is_some_and(|image| one.names(image));
            let name = names.whole.iter().find(leads_there).map(|one| one.name.clone());
            known.extend(image.clone());
            damaged.push(Damaged { image, name, why, path });
        }
        for name in &names.whole {
            for one in &name.images {
                if known.insert(one.image.clone()) {
                    damaged.extend(self.without_record(name, &one.image));
                }
            }
        }
        damaged.extend(names.damaged.drain(..).map(|(path, why)| {
            let name = stem(&path).replace('+', "/").parse().ok();
            Damaged { image: None, name, why, path }
        }));
        damaged
    }

    /// Returns an image of a name if its record is lost. It may also have just been removed or
    /// added.
    fn without_record(&self, name: &Reference, image: &ImageId) -> Option<Damaged> {
        let path = self.record_path(image);
        let why = disk::read_state::<Record>(&path).err().filter(disk::Error::is_not_found)?;
        // A removal deletes names before the record.
        let is_there = matches!(self.reference(&name.name), Ok(Some(now)) if now.names(image));
        let (image, name) = (Some(image.clone()), Some(name.name.clone()));
        is_there.then_some(Damaged { image, name, why, path })
    }

    /// Returns the unreadable files that `word` refers to, in the order of [`Store::resolve`]: a
    /// name takes precedence over an id prefix, which must be unique among all images, readable or
    /// not.
    pub(super) fn meant(&self, word: &str) -> Result<Meant> {
        let bare = word.strip_prefix("sha256:").unwrap_or(word);
        let mut damaged = self.damaged()?;
        if !id::is_hex(bare, 64) && self.named(word)?.is_some() {
            let resolved = self.resolve(word)?;
            // The digest of a manifest refers to a single image of its name.
            let is_its = |image: &ImageId| match &resolved.reference {
                Some(name) => name.names(image),
                None => resolved.image == *image,
            };
            damaged.retain(|one| one.image.as_ref().is_some_and(is_its));
            let is_whole = |image: &ImageId| !damaged.iter().any(|one| one.image.as_ref() == Some(image));
            let rest = resolved.reference.and_then(|name| name.only(|one| is_whole(&one.image)));
            return Ok(Meant { damaged, rest });
        }
        let is_named = damaged.iter().any(|one| one.is_called(word));
        let is_start = !is_named && !bare.is_empty() && id::is_hex(bare, bare.len());
        let fits = |image: &ImageId| is_start && image.hex().starts_with(bare);
        damaged.retain(|one| one.is_called(word) || one.image.as_ref().is_some_and(fits));
        let Some(first) = damaged.pop() else { return Ok(Meant::default()) };
        let whole = self.images()?.into_iter().map(|record| record.id).filter(|image| fits(image));
        let others: Vec<String> =
            damaged.iter().map(Damaged::called).chain(whole.map(|image| image.short().to_owned())).collect();
        if others.is_empty() {
            return Ok(Meant { damaged: vec![first], rest: None });
        }
        let mut candidates = [vec![first.called()], others].concat();
        candidates.sort();
        Err(Error::Ambiguous { prefix: word.to_owned(), candidates })
    }

    /// Returns the reference that `word` names, if it is readable.
    fn named(&self, word: &str) -> Result<Option<Reference>> {
        let Ok(name) = word.parse() else { return Ok(None) };
        match self.find_name(&name) {
            Err(Error::DamagedName { .. }) => Ok(None),
            found => found,
        }
    }

    /// Removes unreadable files and returns what was removed. The caller holds the images' lock.
    pub(super) fn remove_damaged(&self, damaged: &[Damaged]) -> Result<Vec<Removed>> {
        let mut removed = Vec::new();
        for one in damaged {
            self.remove_one_damaged(one, &mut removed)?;
        }
        Ok(removed)
    }

    fn remove_one_damaged(&self, meant: &Damaged, removed: &mut Vec<Removed>) -> Result<()> {
        let mut names = self.references()?;
        names.retain(|one| meant.image.as_ref().is_some_and(|image| one.names(image)));
        for reference in &names {
            match reference.only(|one| Some(&one.image) != meant.image.as_ref()) {
                Some(rest) => self.rewrite_reference(&rest)?,
                None => {
                    self.remove_reference(&reference.name)?;
                    removed.push(Removed::Untagged(reference.name.to_string()));
                }
            }
        }
        remove_file(&meant.path)?;
        removed.push(match &meant.image {
            Some(image) => Removed::Deleted(image.clone()),
            None => Removed::Untagged(meant.called()),
        });
        let folders = self.changed(&names, &[]);
        Ok(disk::sync_folders(folders.iter().map(PathBuf::as_path).chain(meant.path.parent()))?)
    }

    /// Returns what the image of an unreadable record needs, if its configuration is readable.
    pub(super) fn needs_of(&self, damaged: &Damaged) -> Option<Vec<Digest>> {
        let image = damaged.image.as_ref()?;
        let layers = commit::diff_ids(&self.config_bytes(image).ok()?).ok()?;
        let fix = super::chain::fix_key(&layers);
        Some(layers.into_iter().chain([fix, image.clone()]).collect())
    }
}

fn stem(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::base::Explain as _;
    use crate::image::{Force, Parents, Roots, User, fixture};

    /// Creates a store with an image of one layer, `web:1`.
    fn store(dir: &tempfile::TempDir) -> (Store, ImageId, Digest) {
        fixture::store(dir, "", None)
    }

    fn sweep(store: &Store) {
        store.sweep(|| Ok::<_, Error>(Roots::default())).unwrap();
    }

    fn remove(store: &Store, word: &str) -> Vec<Removed> {
        store.remove(word, Force::No, Parents::Prune, || Ok::<_, Error>(Vec::new())).unwrap()
    }

    #[test]
    fn an_image_whose_record_cannot_be_read_keeps_its_layers_and_is_removed_by_any_word() {
        let newer = r#"{"version":9}"#;
        for text in ["", "{", newer] {
            for word in ["name", "id", "short"] {
                let dir = tempfile::tempdir().unwrap();
                let (store, image, layer) = store(&dir);
                fs::write(store.record_path(&image), text).unwrap();
                sweep(&store);
                assert!(store.has_layer(&layer) && store.has_blob(&image));
                let damaged = store.damaged().unwrap();
                let [one] = damaged.as_slice() else { panic!("{damaged:?}") };
                assert_eq!((one.called().as_str(), one.image.as_ref()), ("web:1", Some(&image)));
                let is_newer = matches!(one.why, disk::Error::Newer { version: 9, .. });
                assert_eq!(is_newer, text == newer, "{}", one.why);
                let word = match word {
                    "name" => "web:1",
                    "id" => image.hex(),
                    _ => image.short(),
                };
                let gone = [Removed::Untagged("web:1".to_owned()), Removed::Deleted(image.clone())];
                assert_eq!(remove(&store, word), gone);
                sweep(&store);
                assert!(!store.has_layer(&layer) && store.damaged().unwrap().is_empty());
            }
        }
    }

    #[test]
    fn who_asks_for_a_damaged_image_hears_that_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let (store, image, _) = store(&dir);
        fs::write(store.record_path(&image), "{").unwrap();
        for word in [image.hex(), image.short(), &image.to_string()] {
            let error = store.resolve(word).unwrap_err();
            assert!(matches!(&error, Error::DamagedImage { image: its, .. } if *its == image), "{error}");
            assert!(error.hint().is_some_and(|hint| hint.contains(image.short())));
        }
        assert_eq!(store.resolve("web:1").unwrap().image, image, "the name still leads there");
        assert!(matches!(store.image(&image), Err(Error::DamagedImage { .. })));
    }

    #[test]
    fn a_name_without_its_image_is_damaged_and_keeps_what_the_configuration_names() {
        for word in ["name", "id", "short"] {
            let dir = tempfile::tempdir().unwrap();
            let (store, image, layer) = store(&dir);
            fs::remove_file(store.record_path(&image)).unwrap();
            let seen = store.survey().unwrap();
            let [one] = seen.damaged.as_slice() else { panic!("{seen:?}") };
            assert_eq!((one.called().as_str(), one.image.as_ref()), ("web:1", Some(&image)));
            assert!(one.why.is_not_found() && seen.images.is_empty());
            let error = store.image(&store.resolve("web:1").unwrap().image).unwrap_err();
            assert!(matches!(error, Error::DamagedImage { .. }), "{error}");
            assert_eq!(error.kind(), crate::base::ErrorKind::Corrupt);
            sweep(&store);
            assert!(store.has_layer(&layer) && store.has_blob(&image));
            let word = match word {
                "name" => "web:1",
                "id" => image.hex(),
                _ => image.short(),
            };
            assert!(store.is_damaged(word).unwrap());
            let gone = [Removed::Untagged("web:1".to_owned()), Removed::Deleted(image.clone())];
            assert_eq!(remove(&store, word), gone);
            assert!(store.survey().unwrap().damaged.is_empty());
            assert!(matches!(store.image(&image), Err(Error::NoImage(_))));
        }
    }

    #[test]
    fn a_name_without_record_and_configuration_keeps_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (store, image, layer) = store(&dir);
        fs::remove_file(store.record_path(&image)).unwrap();
        fs::remove_file(store.blob_path(&image)).unwrap();
        let swept = store.sweep(|| Ok::<_, Error>(Roots::default())).unwrap();
        assert_eq!((swept.layers, swept.held_by), (vec![layer], vec![]));
        assert_eq!(store.damaged().unwrap().len(), 1);
    }

    #[test]
    fn an_image_that_lacks_a_part_is_told_and_removed_as_any_other() {
        for part in ["configuration", "layer"] {
            let dir = tempfile::tempdir().unwrap();
            let (store, image, layer) = store(&dir);
            let digest = match part {
                "layer" => {
                    crate::sys::tree::remove(&store.layer_dir(&layer).unwrap()).unwrap();
                    layer
                }
                _ => {
                    fs::remove_file(store.blob_path(&image)).unwrap();
                    image.clone()
                }
            };
            sweep(&store);
            let seen = store.survey().unwrap();
            let [(one, lost)] = seen.incomplete.as_slice() else { panic!("{seen:?}") };
            assert_eq!((&one.id, seen.images.len(), seen.damaged.len()), (&image, 0, 0));
            assert_eq!(lost.to_string(), format!("{part} {digest} is not in the store"));
            assert!(store.is_damaged("web:1").unwrap());
            assert_eq!(remove(&store, "web:1").len(), 2);
        }
    }

    /// Copies the record of an image to an id with the same first two digits.
    fn twin(store: &Store, image: &ImageId, end: char) -> PathBuf {
        let id = format!("{}{}", &image.hex()[..2], end.to_string().repeat(62));
        let mut record: serde_json::Value =
            serde_json::from_slice(&fs::read(store.record_path(image)).unwrap()).unwrap();
        record["id"] = format!("sha256:{id}").into();
        let path = store.paths().images().join(format!("{id}.json"));
        fs::write(&path, record.to_string()).unwrap();
        path
    }

    #[test]
    fn the_start_of_an_id_means_a_damaged_image_only_where_it_fits_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let (store, image, _) = store(&dir);
        let twins = ['a', 'b'].map(|end| twin(&store, &image, end));
        let prefix = &image.hex()[..2];
        let try_remove = |word: &str| {
            store
                .remove(word, Force::Yes, Parents::Prune, || Ok::<_, Error>(Vec::new()))
                .map(|gone| gone.len())
        };
        // Two readable and one damaged; then one readable and two damaged; then two damaged.
        for spoilt in [store.record_path(&image), twins[0].clone()] {
            fs::write(&spoilt, "{").unwrap();
            let error = try_remove(prefix).unwrap_err();
            let Error::Ambiguous { candidates, .. } = &error else { panic!("{error:?}") };
            assert_eq!(candidates.len(), 3, "{candidates:?}");
            assert!(store.is_damaged(prefix).is_err() && spoilt.exists());
        }
        fs::remove_file(&twins[1]).unwrap();
        assert!(matches!(try_remove(prefix), Err(Error::Ambiguous { .. })));
        assert_eq!(try_remove("web:1").unwrap(), 2);
        assert_eq!(try_remove(prefix).unwrap(), 1);
    }

    #[test]
    fn a_damaged_image_that_containers_use_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (store, image, _) = store(&dir);
        fs::write(store.record_path(&image), "{").unwrap();
        let try_remove = |force, is_running| {
            let user = User { container: "db".to_owned(), image: image.clone(), is_running };
            store.remove("web:1", force, Parents::Prune, || Ok::<_, Error>(vec![user]))
        };
        for (force, is_running) in [(Force::No, false), (Force::No, true), (Force::Yes, true)] {
            let error = try_remove(force, is_running).unwrap_err();
            assert!(matches!(error, Error::InUse { .. }), "{error}");
        }
        assert_eq!(try_remove(Force::Yes, false).unwrap().len(), 2);
    }

    #[test]
    fn what_cannot_be_read_at_the_moment_is_not_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let (store, image, _) = store(&dir);
        fs::remove_file(store.record_path(&image)).unwrap();
        std::os::unix::fs::symlink("/proc/self/mem", store.record_path(&image)).unwrap(); // EIO
        assert!(matches!(store.damaged().unwrap_err(), Error::Disk(_)));
        assert!(matches!(store.images().unwrap_err(), Error::Disk(_)));
        let seen = store.survey().unwrap();
        assert_eq!((seen.images.len(), seen.damaged.len(), seen.unread.len()), (0, 0, 1));
    }

    #[test]
    fn without_the_configuration_everything_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (store, image, layer) = store(&dir);
        fs::write(store.record_path(&image), "").unwrap();
        fs::remove_file(store.blob_path(&image)).unwrap();
        let swept = store.sweep(|| Ok::<_, Error>(Roots::default())).unwrap();
        assert_eq!((swept.layers.len(), swept.held_by.as_slice()), (0, ["web:1".to_owned()].as_slice()));
        assert!(store.paths().layers().join("0/diff").exists());
        remove(&store, "web:1");
        sweep(&store);
        assert!(!store.has_layer(&layer));
    }

    #[test]
    fn a_container_that_cannot_be_read_keeps_every_layer() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _, layer) = store(&dir);
        remove(&store, "web:1");
        let roots = || Ok::<_, Error>(Roots { unreadable: vec!["db".to_owned()], ..Roots::default() });
        assert_eq!(store.sweep(roots).unwrap().held_by, ["db"]);
        assert!(store.paths().layers().join("0/diff").exists());
        sweep(&store);
        assert!(!store.has_layer(&layer));
    }

    #[test]
    fn a_name_that_cannot_be_read_is_one_name_less() {
        let dir = tempfile::tempdir().unwrap();
        let (store, image, layer) = store(&dir);
        store.tag(&store.resolve("web:1").unwrap(), &"registry.test/team/web:2".parse().unwrap()).unwrap();
        fs::write(store.paths().refs().join("registry.test+team+web:2.json"), "{}").unwrap();
        sweep(&store);
        assert!(store.has_layer(&layer));
        assert_eq!(store.resolve("web:1").unwrap().image, image);
        assert_eq!(store.damaged().unwrap()[0].called(), "registry.test/team/web:2");
        let gone = remove(&store, "registry.test/team/web:2");
        assert_eq!(gone, [Removed::Untagged("registry.test/team/web:2".to_owned())]);
        assert_eq!((store.damaged().unwrap().len(), store.references().unwrap().len()), (0, 1));
    }
}
