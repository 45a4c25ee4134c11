//! Test images: packed layers with a matching configuration.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use hoist::internals::oci::Digest;
use serde_json::{Value, json};

use super::toy::{Content, OCI_GZIP, OCI_MANIFEST, OCI_TAR, OCI_ZSTD};

/// A layer as stored in a registry, and the digest of its tar.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) kind: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) diff_id: Digest,
}

impl Layer {
    pub(crate) fn gzip(tar: &[u8]) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(tar).unwrap();
        Self { kind: OCI_GZIP, bytes: encoder.finish().unwrap(), diff_id: Digest::of(tar) }
    }

    pub(crate) fn zstd(tar: &[u8]) -> Self {
        Self { kind: OCI_ZSTD, bytes: zstd::encode_all(tar, 1).unwrap(), diff_id: Digest::of(tar) }
    }

    pub(crate) fn plain(tar: &[u8]) -> Self {
        Self { kind: OCI_TAR, bytes: tar.to_vec(), diff_id: Digest::of(tar) }
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }
}

/// Returns a tar of regular files.
pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// Returns `len` bytes that do not compress well, different for each `seed`.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let step = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(step).take(len).collect()
}

/// Returns the configuration of an image with these layers for this machine.
pub(crate) fn config(layers: &[Layer]) -> Value {
    let platform = hoist::internals::oci::Platform::host();
    let diff_ids: Vec<&Digest> = layers.iter().map(|layer| &layer.diff_id).collect();
    let history: Vec<Value> = layers.iter().map(|_| json!({"created_by": "a test"})).collect();
    json!({
        "history": history, "os": platform.os, "architecture": platform.arch, "created": "2026-01-02T03:04:05Z",
        "config": {"Cmd": ["/bin/sh"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    })
}

/// Adds an image with these layers under `tag`, and returns its manifest's descriptor.
pub(crate) fn put(content: &mut Content, tag: &str, layers: &[Layer]) -> Value {
    let parts: Vec<_> = layers.iter().map(|layer| (layer.kind, &layer.bytes[..])).collect();
    content.image(tag, &config(layers), &parts)
}

/// Writes an OCI layout with one image, `latest`, for other tools to read.
pub(crate) fn layout(dir: &Path, layers: &[Layer]) {
    let mut content = Content::default();
    let mut manifest = put(&mut content, "latest", layers);
    manifest["annotations"] = json!({"org.opencontainers.image.ref.name": "latest"});
    assert_eq!(manifest["mediaType"], OCI_MANIFEST);
    let blobs = dir.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    for (digest, bytes) in content.everything() {
        fs::write(blobs.join(digest.hex()), bytes).unwrap();
    }
    let index = json!({"schemaVersion": 2, "manifests": [manifest]});
    fs::write(dir.join("index.json"), index.to_string()).unwrap();
    fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#).unwrap();
}
