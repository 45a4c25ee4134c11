//! Parses manifests and indexes in archives strictly, so that no two readers can see different
//! images in the same bytes (CVE-2021-41190).
//!
//! <https://github.com/opencontainers/image-spec/blob/main/manifest.md>

use std::collections::BTreeMap;

use serde::Deserialize;

use super::error::{Error, Result};
use crate::oci::{Digest, Platform};

/// A reference to another document or blob.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Its media type.
    #[serde(default)]
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// In an index, its platform.
    #[serde(default)]
    pub platform: Option<Offered>,
    /// Annotations, such as names.
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// The platform of an index entry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Offered {
    /// `linux`; `unknown` for entries that are not images.
    #[serde(default)]
    pub os: String,
    /// `amd64`, …
    #[serde(default)]
    pub architecture: String,
    /// `v8`, …
    #[serde(default)]
    pub variant: Option<String>,
}

impl Offered {
    /// Converts it to a platform.
    #[must_use]
    pub fn platform(&self) -> Platform {
        let variant = self.variant.clone().filter(|variant| !variant.is_empty());
        Platform { os: self.os.clone(), arch: self.architecture.clone(), variant }
    }
}

/// A manifest or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// A single image.
    Manifest {
        /// Its configuration.
        config: Descriptor,
        /// Its layers, bottom first.
        layers: Vec<Descriptor>,
    },
    /// Several images.
    Index(Vec<Descriptor>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    schema_version: Option<u64>,
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Option<Vec<Descriptor>>,
    #[serde(default)]
    manifests: Option<Vec<Descriptor>>,
    #[serde(default, rename = "fsLayers")]
    old_layers: Option<serde_json::Value>,
}

impl Document {
    /// Parses a document with the media type that its descriptor states, if any.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if it is both kinds at once, or not the stated kind.
    pub fn parse(bytes: &[u8], media_type: Option<&str>) -> Result<Self> {
        let bad = |why: &str| Error::malformed("the manifest", why);
        let raw: Raw =
            serde_json::from_slice(bytes).map_err(|error| Error::malformed("the manifest", error))?;
        if raw.schema_version.is_some_and(|version| version != 2) || raw.old_layers.is_some() {
            return Err(bad("only schema version 2 is supported"));
        }
        let said = media_type.filter(|said| !said.is_empty());
        if let (Some(said), Some(own)) = (said, raw.media_type.as_deref())
            && said != own
        {
            return Err(bad(&format!("its media type is {own}, but its descriptor says {said}")));
        }
        let document = match (raw.config, raw.layers, raw.manifests) {
            (Some(config), Some(layers), None) => Self::Manifest { config, layers },
            (None, None, Some(manifests)) => Self::Index(manifests),
            (None, None, None) => return Err(bad("it has neither layers nor manifests")),
            _ => return Err(bad("it is both a manifest and an index")),
        };
        let is_index = matches!(document, Self::Index(_));
        match said.or(raw.media_type.as_deref()).and_then(says_index) {
            Some(says) if says != is_index => Err(bad("it does not match its media type")),
            _ => Ok(document),
        }
    }
}

/// Returns whether a media type is that of an index (or manifest list) rather than a manifest;
/// `None` for others.
fn says_index(media_type: &str) -> Option<bool> {
    match media_type {
        "application/vnd.oci.image.index.v1+json"
        | "application/vnd.docker.distribution.manifest.list.v2+json" => Some(true),
        "application/vnd.oci.image.manifest.v1+json"
        | "application/vnd.docker.distribution.manifest.v2+json" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
    const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

    #[test]
    fn a_document_is_of_one_kind_or_refused() {
        let digest = Digest::of(b"");
        let one = format!(r#"{{"digest":"{digest}","size":0}}"#);
        let manifest = format!(r#"{{"schemaVersion":2,"config":{one},"layers":[{one}]}}"#);
        let index = format!(r#"{{"schemaVersion":2,"manifests":[{one}]}}"#);
        let both = format!(r#"{{"schemaVersion":2,"config":{one},"layers":[],"manifests":[]}}"#);
        let liar = format!(r#"{{"mediaType":"{OCI_INDEX}","config":{one},"layers":[]}}"#);
        let path = r#"{"config":{"digest":"sha256:../../x","size":1},"layers":[]}"#;
        for (bytes, said, fits) in [
            (&*manifest, None, true),
            (&manifest, Some(OCI_MANIFEST), true),
            (&manifest, Some(OCI_INDEX), false),
            (&index, Some(OCI_INDEX), true),
            (&index, Some(OCI_MANIFEST), false),
            (&both, None, false),
            (&liar, None, false),
            (&liar, Some(OCI_MANIFEST), false),
            (path, None, false),
            ("{}", None, false),
            (r#"{"schemaVersion":1,"fsLayers":[]}"#, None, false),
        ] {
            let parsed = Document::parse(bytes.as_bytes(), said);
            assert_eq!(parsed.is_ok(), fits, "{bytes} as {said:?}: {parsed:?}");
        }
    }
}
