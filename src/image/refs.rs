//! References: the names of images, and how a user's word resolves to an image.

use std::path::PathBuf;

use jiff::Timestamp;

use super::error::{Error, Result};
use super::record::{NamedImage, REFERENCE_VERSION, Record, Reference};
use super::store::{Seen, Store, remove_file};
use crate::base::{disk, id};
use crate::oci::{self, Digest, ImageId, Platform};

/// What a user's word refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The image.
    pub image: ImageId,
    /// The reference, or `None` if the word is an id.
    pub reference: Option<Reference>,
}

impl Store {
    /// Returns all undamaged references, by name; [`Store::damaged`] returns the others. This is
    /// for callers that delete what no reference names. Others use what can be read
    /// ([`Store::read_references`]).
    ///
    /// # Errors
    ///
    /// The folder, or a file that is not damaged, cannot be read.
    pub fn references(&self) -> Result<Vec<Reference>> {
        self.read_references()?.all()
    }

    /// Returns all references, by name, as far as they can be read.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn read_references(&self) -> Result<Seen<Reference>> {
        let mut seen: Seen<Reference> = Seen::read(&self.paths().refs())?;
        seen.whole.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(seen)
    }

    /// Returns the reference with exactly this name.
    ///
    /// # Errors
    ///
    /// [`Error::DamagedName`], or its file cannot be read.
    pub fn reference(&self, name: &oci::Reference) -> Result<Option<Reference>> {
        match disk::read_state(&self.reference_path(name)) {
            Ok(reference) => Ok(Some(reference)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(source) if source.is_of_the_file() => {
                Err(Error::DamagedName { name: name.to_string(), source })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Resolves a full id, a name, or an id prefix to an image. If a name has several images,
    /// returns the one for the host's platform, or else the first.
    ///
    /// # Errors
    ///
    /// [`Error::NoImage`], [`Error::Ambiguous`], [`Error::DamagedName`]; [`Error::DamagedImage`]
    /// for an id.
    pub fn resolve(&self, word: &str) -> Result<Resolved> {
        self.resolve_for(word, &Platform::host())
    }

    /// Like [`Self::resolve`], but if a name has several images, returns the one for `wanted`.
    ///
    /// # Errors
    ///
    /// As [`Self::resolve`].
    pub fn resolve_for(&self, word: &str, wanted: &Platform) -> Result<Resolved> {
        let no_image = || Error::NoImage(word.to_owned());
        let bare = word.strip_prefix("sha256:").unwrap_or(word);
        let by_id = |image: ImageId| Resolved { image, reference: None };
        if id::is_hex(bare, 64) {
            let id: ImageId = format!("sha256:{bare}").parse().map_err(|_| no_image())?;
            return match self.image(&id) {
                Err(Error::NoImage(_)) => Err(no_image()),
                image => image.map(|record| by_id(record.id)),
            };
        }
        if let Ok(name) = word.parse::<oci::Reference>()
            && let Some(reference) = self.find_name(&name)?
        {
            let is_whole = reference.target.as_ref() == name.digest();
            let by_manifest = reference
                .images
                .iter()
                .find(|one| one.manifest.is_some() && one.manifest.as_ref() == name.digest());
            return Ok(match by_manifest.filter(|_| !is_whole) {
                Some(one) => by_id(one.image.clone()),
                None => Resolved { image: self.choose(&reference, wanted), reference: Some(reference) },
            });
        }
        let is_prefix = bare.len() <= 64 && !bare.is_empty() && id::is_hex(bare, bare.len());
        if !is_prefix {
            return Err(no_image());
        }
        let images = self.read_images()?;
        let mut fits = images.whole.into_iter().filter(|image| image.id.hex().starts_with(bare));
        match (fits.next(), fits.next()) {
            (Some(only), None) => Ok(by_id(only.id)),
            (None, _) => match self.meant(word)?.damaged.pop().and_then(|damaged| damaged.image) {
                Some(image) => self.image(&image).map(|record| by_id(record.id)),
                None => Err(no_image()),
            },
            (Some(a), Some(b)) => {
                let candidates = [a, b].into_iter().chain(fits).map(|image| image.id.short().to_owned());
                Err(Error::Ambiguous { prefix: word.to_owned(), candidates: candidates.collect() })
            }
        }
    }

    /// Chooses an image of a name by platform.
    fn choose(&self, reference: &Reference, wanted: &Platform) -> ImageId {
        if let [only] = reference.images.as_slice() {
            return only.image.clone();
        }
        let fit = |one: &&NamedImage| self.platform_of(one).and_then(|offered| wanted.fit(&offered));
        let fitting = reference.images.iter().filter(|one| fit(one).is_some());
        // Of equally good ones the first; `max_by_key` returns the last.
        let best = fitting.rev().max_by_key(|one| fit(one));
        best.unwrap_or(&reference.images[0]).image.clone()
    }

    /// Returns the platform of an image of a name; `None` if only its lost record knew it.
    pub(super) fn platform_of(&self, one: &NamedImage) -> Option<Platform> {
        one.platform.clone().or_else(|| self.image(&one.image).ok().map(|record| record.platform))
    }

    /// Finds a name. With a digest, finds any reference of that repository that the registry knows
    /// by this digest, or that has an image with it.
    pub(super) fn find_name(&self, name: &oci::Reference) -> Result<Option<Reference>> {
        let Some(digest) = name.digest() else { return self.reference(name) };
        let fits = |reference: &Reference| {
            let digests = [reference.target.as_ref(), reference.name.digest()];
            let mut manifests = reference.images.iter().map(|one| one.manifest.as_ref());
            reference.name.full_name() == name.full_name()
                && (digests.contains(&Some(digest)) || manifests.any(|one| one == Some(digest)))
        };
        let mut seen = self.read_references()?;
        match (seen.whole.into_iter().find(fits), seen.unread.pop()) {
            (None, Some(error)) => Err(error.into()), // that may be the one
            (found, _) => Ok(found),
        }
    }

    /// Gives another name to what was resolved: all images of a name, or the single image of an id.
    /// The name is taken from any other image.
    ///
    /// # Errors
    ///
    /// [`Error::NoImage`]; [`Error::Invalid`] for a name with a digest; [`Error::DamagedImage`] if
    /// none of the images can be read.
    pub fn tag(&self, meant: &Resolved, name: &oci::Reference) -> Result<()> {
        if name.digest().is_some() {
            return Err(Error::Invalid("refusing to create a tag with a digest reference".to_owned()));
        }
        disk::private_dir(&self.paths().refs())?;
        let _images = self.lock_images()?;
        let mut images = match &meant.reference {
            Some(reference) => reference.images.clone(),
            None => vec![self.named_image(&self.image(&meant.image)?)],
        };
        let (mut records, mut unreadable) = (Vec::new(), None);
        for one in &mut images {
            match self.image(&one.image) {
                Ok(record) => {
                    one.platform.get_or_insert(record.platform.clone());
                    records.push(record);
                }
                Err(error @ Error::DamagedImage { .. }) => unreadable = Some(error),
                Err(error) => return Err(error),
            }
        }
        if let Some(error) = unreadable.filter(|_| records.is_empty()) {
            return Err(error);
        }
        // Within a repository, the registry's digest is valid for the new tag as well.
        let has_all = |other: &Reference| images.iter().all(|one| other.names(&one.image));
        let target = self
            .read_references()?
            .whole
            .into_iter()
            .find(|other| other.name.full_name() == name.full_name() && has_all(other))
            .and_then(|other| other.target);
        let path = self.reference_path(name);
        let unknown = self.replaceable(name)?.map(|old| old.unknown).unwrap_or_default();
        let (version, name) = (REFERENCE_VERSION, name.clone());
        disk::write_state_synced(&path, &Reference { version, name, target, images, unknown })?;
        for record in &mut records {
            record.tagged = Some(Timestamp::now());
            disk::write_state_synced(&self.record_path(&record.id), record)?;
        }
        Ok(disk::sync_folders([self.paths().refs(), self.paths().images()])?)
    }

    /// Converts an image's record to an entry of a name.
    pub(super) fn named_image(&self, record: &Record) -> NamedImage {
        NamedImage {
            platform: Some(record.platform.clone()),
            manifest: record.manifest.clone(),
            ..NamedImage::from(record.id.clone())
        }
    }

    /// Removes a name and keeps the image. The caller holds the images' lock.
    pub(super) fn remove_reference(&self, name: &oci::Reference) -> Result<()> {
        remove_file(&self.reference_path(name))
    }

    /// Writes the references of an image. A reference to the same index of a registry gets an
    /// additional image; others are replaced. The caller holds the images' lock.
    pub(super) fn write_references(
        &self,
        names: &[oci::Reference],
        image: &NamedImage,
        target: Option<&Digest>,
    ) -> Result<()> {
        let states = names.iter().map(|name| self.new_reference(name, image, target));
        Ok(disk::write_states_synced(&states.collect::<Result<Vec<_>>>()?)?)
    }

    /// Returns a new reference and its path.
    fn new_reference(
        &self,
        name: &oci::Reference,
        image: &NamedImage,
        target: Option<&Digest>,
    ) -> Result<(PathBuf, Reference)> {
        // With both a tag and a digest, the tag is the name and the digest its target.
        let (name, digest) = match (name.tag(), name.digest()) {
            (Some(tag), Some(digest)) => {
                let tagged = name.with_tag(tag).map_err(|error| Error::Invalid(error.to_string()))?;
                (tagged, Some(digest.clone()))
            }
            (_, digest) => (name.clone(), digest.cloned()),
        };
        let path = self.reference_path(&name);
        let old = self.replaceable(&name)?;
        let unknown = old.as_ref().map(|old| old.unknown.clone()).unwrap_or_default();
        let target = target.cloned().or(digest);
        let (version, images) = (REFERENCE_VERSION, vec![image.clone()]);
        let mut new = Reference { version, name, target, images, unknown };
        if let Some(old) = old.filter(|old| old.is_of_index(&new)) {
            new.images = old.images;
            for one in &mut new.images {
                one.platform = one.platform.take().or_else(|| self.platform_of(one));
            }
            new.put(image.clone());
        }
        Ok((path, new))
    }

    /// Returns the reference with this name if it can be replaced. A damaged one can be, but not
    /// one with a temporary read error or from a newer hoist.
    fn replaceable(&self, name: &oci::Reference) -> Result<Option<Reference>> {
        match self.reference(name) {
            Err(Error::DamagedName { source, .. }) if !source.is_of_another_version() => Ok(None),
            reference => reference,
        }
    }

    /// Writes a reference. The caller holds the images' lock.
    pub(super) fn rewrite_reference(&self, reference: &Reference) -> Result<()> {
        Ok(disk::write_state_synced(&self.reference_path(&reference.name), reference)?)
    }

    /// Returns the file of a reference: named by its full name if that fits, or else by a digest.
    fn reference_path(&self, name: &oci::Reference) -> PathBuf {
        let full = String::from(name.clone());
        let escaped = full.replace('/', "+");
        let stem = if escaped.len() <= 200 { escaped } else { Digest::of(full.as_bytes()).hex().to_owned() };
        self.paths().refs().join(format!("{stem}.json"))
    }
}

#[cfg(test)]
mod tests;
