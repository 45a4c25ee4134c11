//! Commits an image. Once this returns, the image is complete and survives a power cut.
//!
//! ```text
//! layers and blobs exist (leased) → fix layer → syncfs → record → references → the folders that changed
//! ```

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::error::{Error, Result};
use super::lease::Lease;
use super::record::{Record, VERSION};
use super::store::Store;
use crate::base::disk;
use crate::oci::{Digest, ImageId, Platform, Reference};

/// The parts of a new image.
#[derive(Debug, Clone, Copy, Default)]
pub struct Commit<'a> {
    /// The configuration; its digest is the image's id.
    pub config: &'a [u8],
    /// The manifest, if it has one.
    pub manifest: Option<&'a [u8]>,
    /// The digest by which a registry knows it: of its manifest, or of the index it was chosen
    /// from.
    pub target: Option<&'a Digest>,
    /// Its names. Other images lose them, except those with the same `target`.
    pub names: &'a [Reference],
    /// The image it was built on.
    pub parent: Option<&'a ImageId>,
}

/// The fields of an image's configuration that the store needs.
#[derive(Debug, Deserialize)]
struct Document {
    #[serde(default)]
    architecture: Option<String>,
    #[serde(default)]
    os: Option<String>,
    #[serde(default)]
    variant: Option<String>,
    #[serde(default)]
    created: Option<String>,
    #[serde(default)]
    config: Option<Inner>,
    rootfs: RootFs,
}

#[derive(Debug, Deserialize)]
struct Inner {
    #[serde(default, rename = "Labels")]
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Option<Vec<Digest>>,
}

/// Returns the diffIDs in a configuration, bottom first.
///
/// # Errors
///
/// [`Error::Malformed`].
pub fn diff_ids(config: &[u8]) -> Result<Vec<Digest>> {
    Ok(parse(config)?.rootfs.diff_ids.unwrap_or_default())
}

/// Parses a configuration. Refuses a platform that could not be read back from the record.
fn parse(config: &[u8]) -> Result<Document> {
    let malformed = |error: &dyn std::fmt::Display| Error::malformed("the image's configuration", error);
    let document: Document = serde_json::from_slice(config).map_err(|error| malformed(&error))?;
    platform_of(&document).to_string().parse::<Platform>().map_err(|error| malformed(&error))?;
    Ok(document)
}

impl Store {
    /// Creates an image from layers in the store.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] if a layer is not in the store, [`Error::Malformed`], and write errors.
    /// Then the image does not exist.
    pub fn commit(&self, lease: &Lease, commit: &Commit<'_>) -> Result<ImageId> {
        self.check_size("the image's configuration", commit.config, self.limits.config)?;
        self.check_size("the manifest", commit.manifest.unwrap_or_default(), self.limits.manifest)?;
        let document = parse(commit.config)?;
        let layers = document.rootfs.diff_ids.clone().unwrap_or_default();
        if layers.len() > self.limits.layers {
            let limit = self.limits.layers as u64;
            return Err(Error::TooMany { what: "layers", limit });
        }
        for layer in &layers {
            if !self.protect_layer(lease, layer)? {
                return Err(Error::Missing { what: "layer", digest: layer.clone() });
            }
        }
        let id = Digest::of(commit.config);
        self.protect_blob(lease, &id)?;
        self.put_blob(commit.config)?;
        let manifest = commit.manifest.map(Digest::of);
        if let (Some(bytes), Some(digest)) = (commit.manifest, &manifest) {
            self.protect_blob(lease, digest)?;
            self.put_blob(bytes)?;
        }
        let fix = self.fix_layer(lease, &layers)?;
        let mut size = 0;
        for layer in layers.iter().chain(&fix) {
            size += self.layer_meta(layer)?.size;
        }
        disk::private_dir(&self.paths().images())?;
        disk::private_dir(&self.paths().refs())?;
        disk::sync(self.paths().root())?;

        let _images = self.lock_images()?;
        let now = Timestamp::now();
        let old = self.image(&id).ok();
        let record = Record {
            version: VERSION,
            created: document.created.as_deref().and_then(|text| text.parse().ok()),
            added: old.as_ref().map_or(now, |old| old.added),
            platform: platform_of(&document),
            layers,
            fix,
            manifest: manifest.or_else(|| old.as_ref().and_then(|old| old.manifest.clone())),
            size,
            labels: document.config.and_then(|config| config.labels).unwrap_or_default(),
            parent: commit.parent.cloned().or_else(|| old.as_ref().and_then(|old| old.parent.clone())),
            tagged: if commit.names.is_empty() { old.as_ref().and_then(|old| old.tagged) } else { Some(now) },
            unknown: old.map(|old| old.unknown).unwrap_or_default(),
            id: id.clone(),
        };
        disk::write_state_synced(&self.record_path(&id), &record)?;
        self.write_references(commit.names, &self.named_image(&record), commit.target)?;
        let references = (!commit.names.is_empty()).then(|| self.paths().refs());
        disk::sync_folders([self.paths().images()].into_iter().chain(references))?;
        Ok(id)
    }

    fn check_size(&self, what: &str, bytes: &[u8], limit: u64) -> Result<()> {
        if bytes.len() as u64 > limit {
            return Err(Error::TooLarge { what: what.to_owned(), limit });
        }
        Ok(())
    }
}

/// Returns the platform; missing fields default to the host's, as in Docker.
fn platform_of(document: &Document) -> Platform {
    let host = Platform::host();
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    Platform {
        os: given(&document.os).unwrap_or(host.os),
        arch: given(&document.architecture).unwrap_or(host.arch),
        variant: given(&document.variant),
    }
}
