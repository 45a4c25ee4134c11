//! References: which names an image has, and what a user's word for one means.

use std::path::PathBuf;

use jiff::Timestamp;

use super::error::{Error, Result};
use super::record::{NamedImage, REFERENCE_VERSION, Record, Reference};
use super::store::{Seen, Store, remove_file};
use crate::base::{disk, id};
use crate::oci::{self, Digest, ImageId, Platform};

/// What a user's word for an image means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The image.
    pub image: ImageId,
    /// The reference that was meant; `None` when it was an id.
    pub reference: Option<Reference>,
}

impl Store {
    /// All references but the damaged, by name: [`Store::damaged`] has the others. For who deletes
    /// what none of them names; others take what can be read ([`Store::read_references`]).
    ///
    /// # Errors
    ///
    /// When the folder cannot be read, or a file that is not damaged.
    pub fn references(&self) -> Result<Vec<Reference>> {
        self.read_references()?.all()
    }

    /// All references, by name, as far as they can be read.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn read_references(&self) -> Result<Seen<Reference>> {
        let mut seen: Seen<Reference> = Seen::read(&self.paths().refs())?;
        seen.whole.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(seen)
    }

    /// The reference of exactly this name.
    ///
    /// # Errors
    ///
    /// [`Error::DamagedName`]; when its file cannot be read.
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

    /// Finds the image that the user means: an id in full, a name, or the start of an id. Of
    /// several images of a name, the one for this machine, else the one that came first.
    ///
    /// # Errors
    ///
    /// [`Error::NoImage`], [`Error::Ambiguous`], [`Error::DamagedName`];
    /// [`Error::DamagedImage`] for an id.
    pub fn resolve(&self, word: &str) -> Result<Resolved> {
        self.resolve_for(word, &Platform::host())
    }

    /// As [`Self::resolve`], of several images of a name the one for `wanted`.
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

    /// Which image of a name is meant.
    fn choose(&self, reference: &Reference, wanted: &Platform) -> ImageId {
        if let [only] = reference.images.as_slice() {
            return only.image.clone();
        }
        let fit = |one: &&NamedImage| self.platform_of(one).and_then(|offered| wanted.fit(&offered));
        let fitting = reference.images.iter().filter(|one| fit(one).is_some());
        // The first of those that fit as well: `max_by_key` gives the last.
        let best = fitting.rev().max_by_key(|one| fit(one));
        best.unwrap_or(&reference.images[0]).image.clone()
    }

    /// What an image of a name was built for; `None` where only its lost record knew.
    pub(super) fn platform_of(&self, one: &NamedImage) -> Option<Platform> {
        one.platform.clone().or_else(|| self.image(&one.image).ok().map(|record| record.platform))
    }

    /// A name as it stands; or, with a digest, any reference of that repository which the
    /// registry knows by it, or by the digest of one of its images.
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
            (None, Some(error)) => Err(error.into()), // it may be that one
            (found, _) => Ok(found),
        }
    }

    /// Gives another name to what was meant: by a name all its images, by an id the one; what
    /// had it loses it.
    ///
    /// # Errors
    ///
    /// [`Error::NoImage`]; [`Error::Invalid`] for a name with a digest;
    /// [`Error::DamagedImage`] when none of the images can be read.
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
        // Within one repository the registry's digest holds for the new tag as well.
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

    /// An image as a name holds it.
    pub(super) fn named_image(&self, record: &Record) -> NamedImage {
        NamedImage {
            platform: Some(record.platform.clone()),
            manifest: record.manifest.clone(),
            ..NamedImage::from(record.id.clone())
        }
    }

    /// Takes a name away, under the images' lock. The image stays.
    pub(super) fn remove_reference(&self, name: &oci::Reference) -> Result<()> {
        remove_file(&self.reference_path(name))
    }

    /// Writes the references of an image, under the images' lock: those that stand for the same
    /// index of a registry get one more image, the others this one alone.
    pub(super) fn write_references(
        &self,
        names: &[oci::Reference],
        image: &NamedImage,
        target: Option<&Digest>,
    ) -> Result<()> {
        let states = names.iter().map(|name| self.new_reference(name, image, target));
        Ok(disk::write_states_synced(&states.collect::<Result<Vec<_>>>()?)?)
    }

    /// A reference, and where it goes.
    fn new_reference(
        &self,
        name: &oci::Reference,
        image: &NamedImage,
        target: Option<&Digest>,
    ) -> Result<(PathBuf, Reference)> {
        // With a tag and a digest, the tag is the name; the digest is what it points to.
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

    /// The reference of this name, if any, which another one may replace: also a damaged one,
    /// but none that cannot be read just now, nor a newer hoist's.
    fn replaceable(&self, name: &oci::Reference) -> Result<Option<Reference>> {
        match self.reference(name) {
            Err(Error::DamagedName { source, .. }) if !source.is_of_another_version() => Ok(None),
            reference => reference,
        }
    }

    /// Writes a reference as it was, under the images' lock.
    pub(super) fn rewrite_reference(&self, reference: &Reference) -> Result<()> {
        Ok(disk::write_state_synced(&self.reference_path(&reference.name), reference)?)
    }

    /// The file of a reference: its full name where a file name can hold that, else a digest.
    fn reference_path(&self, name: &oci::Reference) -> PathBuf {
        let full = String::from(name.clone());
        let escaped = full.replace('/', "+");
        let stem = if escaped.len() <= 200 { escaped } else { Digest::of(full.as_bytes()).hex().to_owned() };
        self.paths().refs().join(format!("{stem}.json"))
    }
}

#[cfg(test)]
mod tests;
