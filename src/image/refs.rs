//! References: which names an image has, and what a user's word for one means.

use std::path::PathBuf;

use jiff::Timestamp;

use super::error::{Error, Result};
use super::record::{Reference, VERSION};
use super::store::{Seen, Store, remove_file};
use crate::base::{disk, id};
use crate::oci::{self, Digest, ImageId};

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

    /// Finds the image that the user means: an id in full, a name, or the start of an id.
    ///
    /// # Errors
    ///
    /// [`Error::NoImage`], [`Error::Ambiguous`], [`Error::DamagedName`];
    /// [`Error::DamagedImage`] for an id.
    pub fn resolve(&self, word: &str) -> Result<Resolved> {
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
            return Ok(Resolved { image: reference.image.clone(), reference: Some(reference) });
        }
        let is_prefix = bare.len() <= 64 && !bare.is_empty() && id::is_hex(bare, bare.len());
        if !is_prefix {
            return Err(no_image());
        }
        let images = self.read_images()?;
        let mut fits = images.whole.into_iter().filter(|image| image.id.hex().starts_with(bare));
        match (fits.next(), fits.next()) {
            (Some(only), None) => Ok(by_id(only.id)),
            (None, _) => match self.meant(word)?.and_then(|damaged| damaged.image) {
                Some(image) => self.image(&image).map(|record| by_id(record.id)),
                None => Err(no_image()),
            },
            (Some(a), Some(b)) => {
                let candidates = [a, b].into_iter().chain(fits).map(|image| image.id.short().to_owned());
                Err(Error::Ambiguous { prefix: word.to_owned(), candidates: candidates.collect() })
            }
        }
    }

    /// A name as it stands; or, with a digest, any reference of that repository which the
    /// registry knows by it.
    pub(super) fn find_name(&self, name: &oci::Reference) -> Result<Option<Reference>> {
        let Some(digest) = name.digest() else { return self.reference(name) };
        let fits = |reference: &Reference| {
            reference.name.full_name() == name.full_name()
                && (reference.target.as_ref() == Some(digest) || reference.name.digest() == Some(digest))
        };
        let mut seen = self.read_references()?;
        match (seen.whole.into_iter().find(fits), seen.unread.pop()) {
            (None, Some(error)) => Err(error.into()), // it may be that one
            (found, _) => Ok(found),
        }
    }

    /// Gives the image another name; another image that had it loses it.
    ///
    /// # Errors
    ///
    /// [`Error::NoImage`]; [`Error::Invalid`] for a name with a digest.
    pub fn tag(&self, image: &ImageId, name: &oci::Reference) -> Result<()> {
        if name.digest().is_some() {
            return Err(Error::Invalid("refusing to create a tag with a digest reference".to_owned()));
        }
        disk::private_dir(&self.paths().refs())?;
        let _images = self.lock_images()?;
        let mut record = self.image(image)?;
        // Within one repository the registry's digest holds for the new tag as well.
        let target = self
            .read_references()?
            .whole
            .into_iter()
            .find(|other| other.image == *image && other.name.full_name() == name.full_name())
            .and_then(|other| other.target);
        self.write_references(std::slice::from_ref(name), image, target.as_ref())?;
        record.tagged = Some(Timestamp::now());
        disk::write_state_synced(&self.record_path(image), &record)?;
        Ok(disk::sync_folders([self.paths().refs(), self.paths().images()])?)
    }

    /// Takes a name away, under the images' lock. The image stays.
    pub(super) fn remove_reference(&self, name: &oci::Reference) -> Result<()> {
        remove_file(&self.reference_path(name))
    }

    /// Writes the references of an image, under the images' lock.
    pub(super) fn write_references(
        &self,
        names: &[oci::Reference],
        image: &ImageId,
        target: Option<&Digest>,
    ) -> Result<()> {
        let states = names.iter().map(|name| self.new_reference(name, image, target));
        Ok(disk::write_states_synced(&states.collect::<Result<Vec<_>>>()?)?)
    }

    /// A reference, and where it goes.
    fn new_reference(
        &self,
        name: &oci::Reference,
        image: &ImageId,
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
        let unknown = disk::read_state::<Reference>(&path).map(|old| old.unknown).unwrap_or_default();
        let target = target.cloned().or(digest);
        Ok((path, Reference { version: VERSION, name, image: image.clone(), target, unknown }))
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
