//! Loads images from archives: Docker's (`manifest.json`), OCI layouts (`index.json`), and those
//! that are both, as Docker writes them since version 25.
//!
//! <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>

use std::collections::{HashMap, HashSet};
use std::io::{self, Read};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;

use super::archive::Archive;
use super::commit::{Commit, diff_ids};
use super::error::{Error, Result};
use super::input::Input;
use super::lease::Lease;
use super::manifest::{Descriptor, Document};
use super::store::Store;
use crate::base::progress::{Phase, Progress, Reporter};
use crate::layer::LayerSource;
use crate::oci::{Digest, Hasher, ImageId, Platform, Reference};

/// Maximum depth of nested indexes.
const MAX_DEPTH: usize = 2;
/// Maximum number of names per image.
const MAX_NAMES: usize = 10_000;
/// Layers unpacked in parallel.
const PARALLEL: usize = 4;

/// An image that was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The image.
    pub image: ImageId,
    /// Its names.
    pub names: Vec<Reference>,
}

/// An image in an archive, by member names.
#[derive(Debug)]
struct Found {
    config: String,
    layers: Vec<Piece>,
    names: Vec<Reference>,
}

#[derive(Debug)]
struct Piece {
    member: String,
    /// The digest of the compressed bytes, if the archive states it.
    digest: Option<Digest>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerImage {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// Loads all images of an archive.
///
/// # Errors
///
/// The archive is invalid or damaged. Images that were loaded before the error stay.
pub fn load(store: &Store, input: Input, reporter: &Reporter) -> Result<Vec<Loaded>> {
    let archive = Archive::open(input.spool(store, reporter)?)?;
    let found = find(store, &archive)?;
    let lease = store.lease()?;
    let mut loaded = Vec::new();
    for image in found {
        loaded.push(load_one(store, &lease, &archive, image, reporter)?);
    }
    Ok(loaded)
}

fn find(store: &Store, archive: &Archive) -> Result<Vec<Found>> {
    let is_layout = archive.has("oci-layout") && archive.has("index.json");
    let docker: Vec<DockerImage> = match archive.has("manifest.json") {
        true => {
            let bytes = archive.document("manifest.json", store.limits().manifest)?;
            serde_json::from_slice(&bytes)
                .map_err(|error| Error::malformed("`manifest.json` of the archive", error))?
        }
        false => Vec::new(),
    };
    let found = match (is_layout, docker.is_empty()) {
        (true, _) => find_layout(store, archive, &docker)?,
        (false, false) => docker.into_iter().map(Found::of_docker).collect::<Result<Vec<_>>>()?,
        (false, true) if archive.has("repositories") => {
            return Err(Error::Refused(
                "archives of Docker versions before 1.10 are not supported".to_owned(),
            ));
        }
        (false, true) => {
            let why = "it has neither `manifest.json` nor `index.json`; use `import` for a root file system";
            return Err(Error::malformed("the archive", why));
        }
    };
    match found.is_empty() {
        true => Err(Error::malformed("the archive", "it has no image for this machine's platform")),
        false => Ok(found),
    }
}

impl Found {
    fn of_docker(image: DockerImage) -> Result<Self> {
        let layers = image.layers.unwrap_or_default().into_iter();
        let layers = layers.map(|member| Piece { member, digest: None }).collect();
        Ok(Self {
            config: image.config,
            layers,
            names: names(image.repo_tags.as_deref().unwrap_or_default())?,
        })
    }
}

/// Parses the names of an image and removes duplicates.
fn names(tags: &[String]) -> Result<Vec<Reference>> {
    let name = |tag: &String| tag.parse().map_err(|error| Error::malformed("a name of the archive", error));
    let mut names = Vec::new();
    let mut seen = HashSet::new();
    for tag in tags.iter().filter(|tag| seen.insert(tag.as_str())) {
        names.push(name(tag)?);
    }
    once(&mut names)?;
    Ok(names)
}

/// Removes duplicate names.
fn once(names: &mut Vec<Reference>) -> Result<()> {
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    match names.len() > MAX_NAMES {
        true => Err(Error::TooMany { what: "names of one image", limit: MAX_NAMES as u64 }),
        false => Ok(()),
    }
}

/// Finds the images of an OCI layout: each entry of its index; of a nested index, the image that
/// fits the host best.
fn find_layout(store: &Store, archive: &Archive, docker: &[DockerImage]) -> Result<Vec<Found>> {
    let bytes = archive.document("index.json", store.limits().manifest)?;
    let Document::Index(entries) = Document::parse(&bytes, None)? else {
        return Err(Error::malformed("`index.json` of the archive", "it is not an index"));
    };
    let host = Platform::host();
    let fits =
        |entry: &Descriptor| entry.platform.as_ref().map_or(Some(0), |offered| host.fit(&offered.platform()));
    let any_fits = entries.iter().any(|entry| fits(entry).is_some());
    // Keyed by configuration, which merges entries of the same image (two tags).
    let mut found: Vec<Found> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for entry in entries.iter().filter(|entry| !any_fits || fits(entry).is_some()) {
        let Some((config, layers)) = manifest_of(store, archive, entry, &host, 0)? else { continue };
        let config = Archive::blob_name(&config);
        let is_new = !places.contains_key(&config);
        let place = *places.entry(config.clone()).or_insert_with(|| {
            let layers = layers.iter().map(|layer| Piece {
                member: Archive::blob_name(&layer.digest),
                digest: Some(layer.digest.clone()),
            });
            found.push(Found { config: config.clone(), layers: layers.collect(), names: Vec::new() });
            found.len() - 1
        });
        let names = &mut found[place].names;
        names.extend(entry_name(entry));
        for image in docker.iter().filter(|image| is_new && image.config == config) {
            names.extend(self::names(image.repo_tags.as_deref().unwrap_or_default())?);
        }
    }
    found.iter_mut().try_for_each(|image| once(&mut image.names))?;
    Ok(found)
}

/// Returns the name of an index entry: a full one, or one as written by skopeo and podman.
fn entry_name(entry: &Descriptor) -> Option<Reference> {
    let annotations = entry.annotations.as_ref()?;
    let full = annotations.get("io.containerd.image.name");
    // A single word is a tag without a repository.
    let short = annotations.get("org.opencontainers.image.ref.name").filter(|name| name.contains([':', '/']));
    full.or(short)?.parse().ok()
}

/// Returns the configuration and layers of an entry.
fn manifest_of(
    store: &Store,
    archive: &Archive,
    entry: &Descriptor,
    host: &Platform,
    depth: usize,
) -> Result<Option<(Digest, Vec<Descriptor>)>> {
    let bytes = archive.document(&Archive::blob_name(&entry.digest), store.limits().manifest)?;
    if bytes.len() as u64 != entry.size {
        let what = format!("the manifest {}", entry.digest.short());
        return Err(Error::Size { what, wanted: entry.size, found: bytes.len() as u64 });
    }
    match Document::parse(&bytes, Some(&entry.media_type))? {
        Document::Manifest { config, layers } => Ok(Some((config.digest, layers))),
        Document::Index(_) if depth == MAX_DEPTH => {
            Err(Error::malformed("the archive", "its indexes are nested too deeply"))
        }
        Document::Index(entries) => {
            let fit = |entry: &&Descriptor| {
                entry.platform.as_ref().and_then(|offered| host.fit(&offered.platform()))
            };
            match entries.iter().filter(|entry| fit(entry).is_some()).max_by_key(fit) {
                Some(best) => manifest_of(store, archive, best, host, depth + 1),
                None => Ok(None),
            }
        }
    }
}

fn load_one(
    store: &Store,
    lease: &Lease,
    archive: &Archive,
    image: Found,
    reporter: &Reporter,
) -> Result<Loaded> {
    let config = archive.document(&image.config, store.limits().config)?;
    let diff_ids = diff_ids(&config)?;
    if diff_ids.len() != image.layers.len() {
        let why =
            format!("it has {} layers, but its configuration lists {}", image.layers.len(), diff_ids.len());
        return Err(Error::malformed("the image", why));
    }
    if diff_ids.len() > store.limits().layers {
        let limit = store.limits().layers as u64;
        return Err(Error::TooMany { what: "layers", limit });
    }
    let next = AtomicUsize::new(0);
    let failed: Mutex<Option<Error>> = Mutex::new(None);
    let set_failed = |error| {
        failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(error);
    };
    let has_failed = || failed.lock().is_ok_and(|failed| failed.is_some());
    let work = || {
        while !has_failed() {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let (Some(diff_id), Some(piece)) = (diff_ids.get(index), image.layers.get(index)) else { return };
            if let Err(error) = load_layer(store, lease, archive, piece, diff_id, reporter) {
                set_failed(error);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..PARALLEL.min(diff_ids.len()) {
            // If no more threads can be created, fewer do the work.
            let _ = std::thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
    if let Some(error) = failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        return Err(error);
    }
    let commit = Commit { config: &config, names: &image.names, ..Commit::default() };
    Ok(Loaded { image: store.commit(lease, &commit)?, names: image.names })
}

fn load_layer(
    store: &Store,
    lease: &Lease,
    archive: &Archive,
    piece: &Piece,
    diff_id: &Digest,
    reporter: &Reporter,
) -> Result<()> {
    let phase = |phase: Phase| {
        reporter.report(Progress::Part { id: diff_id.short().to_owned(), phase, current: 0, total: None });
    };
    if store.protect_layer(lease, diff_id)? {
        phase(Phase::Exists);
        return Ok(());
    }
    let (reader, size) = archive.reader(&piece.member)?;
    let packed = Mutex::new(piece.digest.as_ref().map(|digest| Hasher::new(digest.algorithm())));
    let source = LayerSource {
        reader: Box::new(Hashed { inner: reader, hasher: &packed }),
        diff_id: Some(diff_id),
        size: Some(size),
        name: diff_id.short(),
    };
    store.unpack(lease, source, reporter)?;
    let packed = packed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let (Some(wanted), Some(hasher)) = (&piece.digest, packed) {
        let found = hasher.finish();
        // Nothing was read if another process unpacked the same layer meanwhile.
        let nothing = Hasher::new(wanted.algorithm()).finish();
        if found != *wanted && found != nothing {
            return Err(Error::Digest { what: "the layer".to_owned(), wanted: wanted.clone(), found });
        }
    }
    phase(Phase::Done);
    Ok(())
}

/// Hashes what is read.
struct Hashed<'a, R> {
    inner: R,
    hasher: &'a Mutex<Option<Hasher>>,
}

impl<R: Read> Read for Hashed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buffer)?;
        if let Ok(mut hasher) = self.hasher.lock()
            && let Some(hasher) = hasher.as_mut()
        {
            hasher.update(&buffer[..len]);
        }
        Ok(len)
    }
}
