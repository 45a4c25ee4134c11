//! Manifests and indexes. They are parsed strictly, because their contents are then trusted.
//!
//! A document must be of exactly one kind, the one in its descriptor or in the response's
//! Content-Type (CVE-2021-41190): one with both `layers` and `manifests` is refused. Docker's
//! schema 1 and layers stored elsewhere (`urls`, CVE-2020-15157) are explicitly refused. Unknown
//! fields are ignored; what is stored are the original bytes.
//!
//! <https://github.com/opencontainers/image-spec/blob/main/manifest.md>

use serde::Deserialize;

use super::error::{Error, Result};
use crate::oci::{Digest, Platform};

/// The maximum size of a manifest or index in bytes.
pub(super) const MAX_MANIFEST: u64 = 4 << 20;
/// The maximum size of a configuration in bytes.
pub(super) const MAX_CONFIG: u64 = 8 << 20;
/// The maximum number of layers of an image.
const MAX_LAYERS: usize = 500;

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const CONFIGS: &[&str] =
    &["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// The `Accept` header of requests for manifests.
pub(super) const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// The compression of a layer's tar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Packing {
    /// Not compressed.
    Plain,
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
}

/// Media types of layers. Some registries and tools declare uncompressed layers as gzip, so the
/// contents must be checked when they are unpacked.
const LAYERS: &[(&str, Packing)] = &[
    ("application/vnd.oci.image.layer.v1.tar+gzip", Packing::Gzip),
    ("application/vnd.oci.image.layer.v1.tar+zstd", Packing::Zstd),
    ("application/vnd.oci.image.layer.v1.tar", Packing::Plain),
    ("application/vnd.docker.image.rootfs.diff.tar.gzip", Packing::Gzip),
    ("application/vnd.docker.image.rootfs.diff.tar.zstd", Packing::Zstd),
    ("application/vnd.docker.image.rootfs.diff.tar", Packing::Plain),
];

/// A blob in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// One layer of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The compressed tar.
    pub blob: Blob,
    /// Its compression.
    pub packing: Packing,
}

/// The parts of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The configuration, whose digest is the image's id.
    pub config: Blob,
    /// The layers, lowest first.
    pub layers: Vec<Layer>,
}

/// A document that a tag may refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Document {
    Manifest(Manifest),
    Index(Vec<Entry>),
}

/// An image in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) media_type: String,
    pub(super) blob: Blob,
    pub(super) platform: Option<Platform>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    schema_version: u64,
    media_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    fs_layers: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: Digest,
    size: u64,
    platform: Option<RawPlatform>,
}

#[derive(Deserialize)]
struct RawPlatform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

/// Parses a document declared as `media_type`, which may have parameters after a `;`.
pub(super) fn parse(bytes: &[u8], media_type: &str) -> Result<Document> {
    let said = media_type.split(';').next().unwrap_or_default().trim();
    refuse_schema_1(said)?;
    let what = match said {
        OCI_INDEX | DOCKER_LIST => "index",
        OCI_MANIFEST | DOCKER_MANIFEST => "manifest",
        // Generic types, from servers without media types. The document itself must then contain
        // one.
        "" | "application/json" | "application/octet-stream" | "text/plain" => "manifest",
        _ => return Err(Error::Unsupported(format!("a manifest of type `{}`", printable(said)))),
    };
    let malformed = |why: String| Error::Malformed { what, why };
    let raw: Raw = serde_json::from_slice(bytes).map_err(|error| malformed(printable(&error.to_string())))?;
    if raw.schema_version == 1 || raw.fs_layers.is_some() {
        return Err(schema_1());
    }
    if raw.schema_version != 2 {
        return Err(malformed(format!("its schemaVersion is {}", raw.schema_version)));
    }
    let is_known = |said: &str| matches!(said, OCI_INDEX | DOCKER_LIST | OCI_MANIFEST | DOCKER_MANIFEST);
    match raw.media_type.as_deref() {
        Some(own) if is_known(said) && own != said => {
            return Err(malformed(format!("it claims to be `{}`, but was sent as `{said}`", printable(own))));
        }
        Some(own) if !is_known(own) => {
            return Err(Error::Unsupported(format!("a manifest of type `{}`", printable(own))));
        }
        None if !is_known(said) => return Err(malformed("its media type is unknown".to_owned())),
        _ => {}
    }
    let kind = if is_known(said) { said } else { raw.media_type.as_deref().unwrap_or_default() };
    let is_index = matches!(kind, OCI_INDEX | DOCKER_LIST);
    match (is_index, raw.config, raw.layers, raw.manifests) {
        (true, None, None, Some(manifests)) => {
            Ok(Document::Index(manifests.into_iter().map(entry).collect()))
        }
        (false, Some(config), Some(layers), None) => manifest(config, layers).map(Document::Manifest),
        (_, config, layers, manifests) => {
            let is_both = manifests.is_some() && (config.is_some() || layers.is_some());
            let why = if is_both { "it is both a manifest and an index" } else { "a part is missing" };
            Err(malformed(why.to_owned()))
        }
    }
}

/// Refuses schema 1 by its media type: its digest covers only the part without signatures, so the
/// bytes cannot be checked.
pub(super) fn refuse_schema_1(media_type: &str) -> Result<()> {
    let is_old = media_type.starts_with("application/vnd.docker.distribution.manifest.v1+");
    if is_old { Err(schema_1()) } else { Ok(()) }
}

/// Returns the entry that suits `wanted` best: the newest compatible variant, and the first of
/// equals. An entry without a platform is used only if no other fits.
pub(super) fn choose(entries: &[Entry], wanted: &Platform) -> Result<Entry> {
    let rank = |entry: &Entry| match &entry.platform {
        Some(offered) => wanted.fit(offered).map(|fit| u16::from(fit) + 1),
        None => Some(0),
    };
    let mut best: Option<(u16, &Entry)> = None;
    for entry in entries {
        if let Some(rank) = rank(entry)
            && best.is_none_or(|(highest, _)| rank > highest)
        {
            best = Some((rank, entry));
        }
    }
    match best {
        Some((_, entry)) => Ok(entry.clone()),
        None => {
            // Attestations have entries too, with the platform `unknown/unknown`.
            let mut offered: Vec<_> = entries.iter().filter_map(|entry| entry.platform.clone()).collect();
            offered.retain(|platform| platform.os != "unknown");
            offered.sort();
            offered.dedup();
            Err(Error::NoPlatform { wanted: wanted.clone(), offered })
        }
    }
}

fn entry(descriptor: Descriptor) -> Entry {
    let word = |text: String| printable(&text);
    let platform = descriptor.platform.map(|raw| Platform {
        os: word(raw.os),
        arch: word(raw.architecture),
        variant: raw.variant.filter(|variant| !variant.is_empty()).map(word),
    });
    Entry {
        media_type: descriptor.media_type,
        blob: Blob { digest: descriptor.digest, size: descriptor.size },
        platform,
    }
}

fn manifest(config: Descriptor, layers: Vec<Descriptor>) -> Result<Manifest> {
    if !CONFIGS.contains(&config.media_type.as_str()) {
        // Registries also store charts, signatures and other artifacts.
        return Err(Error::NotAnImage(printable(&config.media_type)));
    }
    if config.size > MAX_CONFIG {
        return Err(Error::TooLarge { what: "configuration", limit: MAX_CONFIG });
    }
    if layers.len() > MAX_LAYERS {
        let why = format!("it has {} layers; the maximum is {MAX_LAYERS}", layers.len());
        return Err(Error::Malformed { what: "manifest", why });
    }
    let layers = layers.into_iter().map(layer).collect::<Result<_>>()?;
    Ok(Manifest { config: Blob { digest: config.digest, size: config.size }, layers })
}

fn layer(descriptor: Descriptor) -> Result<Layer> {
    let media_type = descriptor.media_type.as_str();
    if media_type.contains("nondistributable") || media_type.contains("foreign") {
        return Err(Error::Unsupported(format!("a layer stored elsewhere (`{}`)", printable(media_type))));
    }
    match LAYERS.iter().find(|(name, _)| *name == media_type) {
        Some(&(_, packing)) => {
            let blob = Blob { digest: descriptor.digest, size: descriptor.size };
            Ok(Layer { blob, packing })
        }
        None => Err(Error::Unsupported(format!("a layer of type `{}`", printable(media_type)))),
    }
}

fn schema_1() -> Error {
    Error::Unsupported("Docker's image manifest schema 1 (retired in 2020)".to_owned())
}

/// Returns at most 200 characters of untrusted text, without control characters.
pub(super) fn printable(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn descriptor(media_type: &str) -> Value {
        json!({"mediaType": media_type, "digest": Digest::of(media_type.as_bytes()), "size": 7})
    }

    fn image(layer: &str) -> Value {
        json!({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": descriptor(CONFIGS[0]), "layers": [descriptor(layer)],
        })
    }

    fn read(document: &Value, said: &str) -> Result<Document> {
        parse(document.to_string().as_bytes(), said)
    }

    #[test]
    fn every_common_form_is_read() {
        for (layer, packing) in LAYERS {
            let Document::Manifest(manifest) = read(&image(layer), OCI_MANIFEST).unwrap() else { panic!() };
            assert_eq!((manifest.layers.len(), manifest.layers[0].packing), (1, *packing));
        }
        let docker = json!({
            "schemaVersion": 2, "mediaType": DOCKER_MANIFEST,
            "config": descriptor(CONFIGS[1]), "layers": [],
        });
        assert!(read(&docker, DOCKER_MANIFEST).is_ok());
        assert!(read(&docker, "application/json; charset=utf-8").is_ok());
        let index = json!({"schemaVersion": 2, "manifests": [descriptor(OCI_MANIFEST)]});
        assert!(matches!(read(&index, OCI_INDEX), Ok(Document::Index(entries)) if entries.len() == 1));
    }

    #[test]
    fn what_is_not_exactly_one_thing_is_refused_with_a_reason() {
        let gzip = LAYERS[0].0;
        let with = |key: &str, value: Value| {
            let mut document = image(gzip);
            document[key] = value;
            document
        };
        let mut escape = image(gzip);
        escape["layers"][0]["digest"] = json!("sha256:../../../etc/passwd");
        let mut negative = image(gzip);
        negative["layers"][0]["size"] = json!(-1);
        let mut large = image(gzip);
        large["config"]["size"] = json!(MAX_CONFIG + 1);
        let mut chart = image(gzip);
        chart["config"]["mediaType"] = json!("application/vnd.cncf.helm.config.v1+json");
        let cases = [
            ("hybrid", with("manifests", json!([])), OCI_MANIFEST),
            ("hybrid as index", with("manifests", json!([])), DOCKER_LIST),
            ("manifest as index", with("mediaType", json!(null)), OCI_INDEX),
            ("other type", image(gzip), DOCKER_MANIFEST),
            ("schema 1", json!({"schemaVersion": 1, "fsLayers": []}), "application/json"),
            ("schema 1 by type", json!({}), "application/vnd.docker.distribution.manifest.v1+prettyjws"),
            ("schema 3", with("schemaVersion", json!(3)), OCI_MANIFEST),
            ("no type", with("mediaType", json!(null)), "application/json"),
            ("html", json!("<html>"), "text/html"),
            ("foreign", image("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"), OCI_MANIFEST),
            ("unknown layer", image("application/x\u{1b}[2J"), OCI_MANIFEST),
            ("chart", chart, OCI_MANIFEST),
            ("escape", escape, OCI_MANIFEST),
            ("negative", negative, OCI_MANIFEST),
            ("large config", large, OCI_MANIFEST),
            ("501 layers", with("layers", Value::Array(vec![descriptor(gzip); 501])), OCI_MANIFEST),
        ];
        let told: Vec<String> = cases
            .iter()
            .map(|(name, doc, said)| format!("{name}: {}", read(doc, said).unwrap_err()))
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        hybrid: the manifest is malformed: it is both a manifest and an index
        hybrid as index: the index is malformed: it claims to be `application/vnd.oci.image.manifest.v1+json`, but was sent as `application/vnd.docker.distribution.manifest.list.v2+json`
        manifest as index: the index is malformed: a part is missing
        other type: the manifest is malformed: it claims to be `application/vnd.oci.image.manifest.v1+json`, but was sent as `application/vnd.docker.distribution.manifest.v2+json`
        schema 1: Docker's image manifest schema 1 (retired in 2020) is not supported
        schema 1 by type: Docker's image manifest schema 1 (retired in 2020) is not supported
        schema 3: the manifest is malformed: its schemaVersion is 3
        no type: the manifest is malformed: its media type is unknown
        html: a manifest of type `text/html` is not supported
        foreign: a layer stored elsewhere (`application/vnd.docker.image.rootfs.foreign.diff.tar.gzip`) is not supported
        unknown layer: a layer of type `application/x?[2J` is not supported
        chart: it is not an image but `application/vnd.cncf.helm.config.v1+json`
        escape: the manifest is malformed: `sha256:../../../etc/passwd` is not a digest: expected sha256: and 64 hex digits, or sha512: and 128 at line 1 column 340
        negative: the manifest is malformed: invalid value: integer `-1`, expected u64 at line 1 column 395
        large config: the configuration is larger than 8388608 bytes
        501 layers: the manifest is malformed: it has 501 layers; the maximum is 500
        ");
        let twice = br#"{"schemaVersion": 2, "layers": [], "layers": []}"#;
        assert!(parse(twice, OCI_MANIFEST).is_err(), "a key given twice");
    }

    #[test]
    fn the_best_platform_is_chosen() {
        let entry = |platform: Option<&str>| Entry {
            media_type: OCI_MANIFEST.to_owned(),
            blob: Blob { digest: Digest::of(format!("{platform:?}").as_bytes()), size: 1 },
            platform: platform.map(|text| text.parse().unwrap()),
        };
        let entries = ["unknown/unknown", "linux/arm/v6", "linux/arm/v7", "linux/amd64", "windows/amd64"]
            .map(|platform| entry(Some(platform)));
        let chosen = |wanted: &str| {
            choose(&entries, &wanted.parse().unwrap())
                .map(|entry| entry.platform.unwrap().to_string())
                .map_err(|error| error.to_string())
        };
        assert_eq!(chosen("linux/amd64").as_deref(), Ok("linux/amd64"));
        assert_eq!(chosen("linux/arm/v7").as_deref(), Ok("linux/arm/v7"));
        assert_eq!(chosen("linux/arm/v6").as_deref(), Ok("linux/arm/v6"));
        insta::assert_snapshot!(
            chosen("linux/riscv64").unwrap_err(),
            @"there is no image for linux/riscv64: only for linux/amd64, linux/arm/v6, linux/arm/v7, windows/amd64"
        );
        let nameless = [entry(None), entry(Some("linux/arm64"))];
        assert_eq!(choose(&nameless, &"linux/amd64".parse().unwrap()).unwrap().platform, None);
    }
}
