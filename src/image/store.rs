//! The content store: the paths and contents of blobs, layers and image records.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::error::{Error, Result};
use super::record::{Record, Reference};
use crate::base::disk::{self, Lock, Rank};
use crate::base::{Paths, id};
use crate::layer;
use crate::oci::{Digest, ImageId};
use crate::sys::tree;

/// Maximum sizes of images. Real images are far below all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Size of a manifest or an index in bytes.
    pub manifest: u64,
    /// Size of a configuration in bytes.
    pub config: u64,
    /// Number of layers of an image; the kernel stacks 500.
    pub layers: usize,
    /// Size of an unpacked layer in bytes.
    pub layer: u64,
    /// Number of entries of a layer.
    pub entries: u64,
    /// Compression ratio of a layer or an archive.
    pub ratio: u64,
    /// Unpacked bytes below which the ratio is not checked.
    pub free: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let layer::Limits { bytes, entries, ratio, free } = layer::Limits::default();
        Self {
            manifest: 4 << 20,
            config: 8 << 20,
            layers: 490, // leaves room for a fix layer and the container's own
            layer: bytes,
            entries,
            ratio,
            free,
        }
    }
}

impl Limits {
    /// Returns the limits of a single layer.
    pub(super) fn of_layer(&self) -> layer::Limits {
        let Self { layer: bytes, entries, ratio, free, .. } = *self;
        layer::Limits { bytes, entries, ratio, free }
    }
}

/// Number of threads that delete files.
const DELETERS: usize = 4;

/// The content store of one state folder. It is cheap to clone and holds nothing open.
#[derive(Debug, Clone)]
pub struct Store {
    paths: Paths,
    pub(super) limits: Limits,
    pub(super) in_user_namespace: bool,
}

/// The files of a folder, as far as they can be read.
#[derive(Debug)]
pub struct Seen<T> {
    /// Their contents.
    pub whole: Vec<T>,
    /// Damaged files, with the reason.
    pub(super) damaged: Vec<(PathBuf, disk::Error)>,
    /// Temporary errors: the files themselves may be fine.
    pub unread: Vec<disk::Error>,
}

impl<T: disk::State> Seen<T> {
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let mut seen = Self { whole: Vec::new(), damaged: Vec::new(), unread: Vec::new() };
        for path in json_files(folder)? {
            match disk::read_state(&path) {
                Ok(it) => seen.whole.push(it),
                Err(error) if error.is_not_found() => {} // removed meanwhile
                Err(error) if error.is_of_the_file() => seen.damaged.push((path, error)),
                Err(error) => seen.unread.push(error),
            }
        }
        Ok(seen)
    }

    /// Returns the readable files, or the first temporary error.
    pub(super) fn all(self) -> Result<Vec<T>> {
        match self.unread.into_iter().next() {
            Some(error) => Err(error.into()),
            None => Ok(self.whole),
        }
    }
}

impl Store {
    /// Creates the store under `paths`. Folders are created when first written to.
    ///
    /// In a user namespace, overlayfs stores its markers in other attributes, and owners and
    /// devices that cannot be created are recorded instead of failing the layer.
    #[must_use]
    pub fn new(paths: Paths, in_user_namespace: bool) -> Self {
        Self { paths, limits: Limits::default(), in_user_namespace }
    }

    /// Returns the same store with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Returns the paths of the state folder.
    #[must_use]
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Returns the maximum sizes of images.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns whether overlayfs stores its markers where a user namespace can write them.
    #[must_use]
    pub fn in_user_namespace(&self) -> bool {
        self.in_user_namespace
    }

    /// Returns the path of a blob, whether or not it exists.
    #[must_use]
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.paths.blobs().join(digest.algorithm().as_str()).join(digest.hex())
    }

    /// Returns whether the blob exists.
    #[must_use]
    pub fn has_blob(&self, digest: &Digest) -> bool {
        self.blob_path(digest).exists()
    }

    /// Opens a blob.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] if it does not exist.
    pub fn open_blob(&self, digest: &Digest) -> Result<File> {
        let path = self.blob_path(digest);
        match disk::open(&path) {
            Err(error) if error.is_not_found() => {
                Err(Error::Missing { what: "blob", digest: digest.clone() })
            }
            file => Ok(file?),
        }
    }

    /// Reads a document of at most `limit` bytes and verifies its digest.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], [`Error::Digest`], or it is larger than `limit`.
    pub fn read_blob(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>> {
        let bytes = match disk::read(&self.blob_path(digest), limit) {
            Err(error) if error.is_not_found() => {
                return Err(Error::Missing { what: "blob", digest: digest.clone() });
            }
            result => result?,
        };
        super::ingest::verify("the blob", &bytes, digest)?;
        Ok(bytes)
    }

    /// Writes a document to the store.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        self.put_blob_as(bytes, &digest)?;
        Ok(digest)
    }

    /// Writes a document with a known digest to the store.
    ///
    /// # Errors
    ///
    /// [`Error::Digest`] if the digest is wrong, and write errors.
    pub fn put_blob_as(&self, bytes: &[u8], digest: &Digest) -> Result<()> {
        super::ingest::verify("the blob", bytes, digest)?;
        let path = self.blob_path(digest);
        // A blob that a power cut truncated is written again.
        if disk::read(&path, bytes.len() as u64).ok().as_deref() != Some(bytes) {
            // A sweep removes files without a blob's name, including the temporary file.
            let _adding = self.lock_to_add()?;
            disk::private_dir(path.parent().unwrap_or(&path))?;
            disk::replace(&path, bytes)?;
        }
        Ok(())
    }

    /// Returns the folder name in `<root>/layers` for this diffID. The folder may be lost.
    pub(super) fn layer_number(&self, diff_id: &Digest) -> Result<Option<String>> {
        let link = self.layer_link(diff_id);
        match fs::read_link(&link) {
            Ok(target) => Ok(target.file_name().and_then(|name| name.to_str()).map(str::to_owned)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(disk::Error::io("read", link)(error).into()),
        }
    }

    /// Returns the path of the link that makes the layer exist.
    pub(super) fn layer_link(&self, diff_id: &Digest) -> PathBuf {
        self.paths.layers().join("by-diff").join(diff_id.hex())
    }

    /// Returns whether the unpacked layer exists. Only a lease protects it from a sweep.
    #[must_use]
    pub fn has_layer(&self, diff_id: &Digest) -> bool {
        self.layer_dir(diff_id).is_ok()
    }

    /// Returns the layer's folder, which holds `diff` and `meta.json`.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`].
    pub fn layer_dir(&self, diff_id: &Digest) -> Result<PathBuf> {
        Ok(self.paths.layers().join(self.layer_here(diff_id)?))
    }

    /// Returns the folder of an existing layer, relative to `<root>/layers`.
    fn layer_here(&self, diff_id: &Digest) -> Result<String> {
        if let Some(number) = self.layer_number(diff_id)?
            && is_folder(&self.paths.layers().join(&number).join("diff"))?
        {
            return Ok(number);
        }
        Err(Error::Missing { what: "layer", digest: diff_id.clone() })
    }

    /// Returns which part of an image is missing: its configuration, or a layer.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn lost_part(&self, image: &Record) -> Result<Option<Error>> {
        if !self.has_blob(&image.id) {
            return Ok(Some(Error::Missing { what: "configuration", digest: image.id.clone() }));
        }
        for layer in image.layers.iter().chain(&image.fix) {
            match self.layer_here(layer) {
                Ok(_) => {}
                Err(missing @ Error::Missing { .. }) => return Ok(Some(missing)),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Returns the record of an image.
    ///
    /// # Errors
    ///
    /// [`Error::NoImage`], [`Error::DamagedImage`].
    pub fn image(&self, id: &ImageId) -> Result<Record> {
        match disk::read_state(&self.record_path(id)) {
            Err(error) if error.is_not_found() && !self.is_named(id) => Err(Error::NoImage(id.to_string())),
            Err(source) if source.is_of_the_file() || source.is_not_found() => {
                Err(Error::DamagedImage { image: id.clone(), source })
            }
            result => Ok(result?),
        }
    }

    /// Returns whether a name leads to the image.
    fn is_named(&self, id: &ImageId) -> bool {
        self.read_references().is_ok_and(|names| names.whole.iter().any(|name| name.names(id)))
    }

    /// Returns the path of an image's record.
    pub(super) fn record_path(&self, id: &ImageId) -> PathBuf {
        self.paths.images().join(format!("{}.json", id.hex()))
    }

    /// Returns all undamaged images, newest first; [`Store::damaged`] returns the others.
    ///
    /// # Errors
    ///
    /// The folder, or a file that is not damaged, cannot be read.
    pub fn images(&self) -> Result<Vec<Record>> {
        self.read_images()?.all()
    }

    /// Returns all images, newest first, as far as they can be read.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn read_images(&self) -> Result<Seen<Record>> {
        let mut seen: Seen<Record> = Seen::read(&self.paths.images())?;
        seen.whole.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| b.added.cmp(&a.added)));
        Ok(seen)
    }

    /// Returns the configuration of an image as it was written.
    ///
    /// # Errors
    ///
    /// It is missing or damaged.
    pub fn config_bytes(&self, id: &ImageId) -> Result<Vec<u8>> {
        self.read_blob(id, self.limits.config)
    }

    /// Returns the folders of an image's layers, topmost first, relative to `<root>/layers`.
    ///
    /// # Errors
    ///
    /// [`Error::NoImage`], and [`Error::Missing`] if a layer is lost.
    pub fn layers_of(&self, id: &ImageId) -> Result<Vec<PathBuf>> {
        let record = self.image(id)?;
        let bottom_first = record.layers.iter().chain(&record.fix);
        let mut folders = bottom_first
            .map(|diff_id| Ok(Path::new(&self.layer_here(diff_id)?).join("diff")))
            .collect::<Result<Vec<_>>>()?;
        folders.reverse();
        // The kernel refuses the same layer twice in one overlay.
        let mut seen = std::collections::HashSet::new();
        folders.retain(|folder| seen.insert(folder.clone()));
        Ok(folders)
    }

    /// Returns the folders to sync after these references and records changed, in this order.
    pub(super) fn changed(&self, references: &[Reference], records: &[Record]) -> Vec<PathBuf> {
        let references = (!references.is_empty()).then(|| self.paths.refs());
        references.into_iter().chain((!records.is_empty()).then(|| self.paths.images())).collect()
    }

    /// Locks image records and references. Finishes interrupted moves first, so that the holder
    /// sees complete images.
    pub(super) fn lock_images(&self) -> Result<Lock> {
        disk::private_dir(self.paths.root())?;
        let lock = Lock::exclusive(&self.paths.image_lock(), Rank::Image)?;
        self.finish_moves()?;
        Ok(lock)
    }

    /// Locks the store for adding blobs and layers, which keeps out sweeps.
    pub(super) fn lock_to_add(&self) -> Result<Lock> {
        disk::private_dir(self.paths.root())?;
        Ok(Lock::shared(&self.paths.store_lock(), Rank::Store)?)
    }

    /// Moves `path` to where the sweep deletes it. Succeeds if it does not exist.
    pub(super) fn discard(&self, path: &Path) -> Result<()> {
        let discarded = self.paths.discarded();
        disk::private_dir(&discarded)?;
        let random = id::random_bytes::<8>().map_err(disk::Error::io("generate a name in", &discarded))?;
        match fs::rename(path, discarded.join(id::hex(&random))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(disk::Error::io("remove", path)(error).into())
            }
            _ => Ok(()),
        }
    }

    /// Returns whether the store has been swept since the machine started. If not, a power cut may
    /// have truncated files that no image refers to: sweep before adding to the store.
    ///
    /// # Errors
    ///
    /// /proc is not mounted.
    pub fn is_of_this_boot(&self) -> Result<bool> {
        match disk::read(&self.boot_file(), MAX_BOOT) {
            Ok(boot) => Ok(boot == boot_id()?.as_bytes()),
            Err(_) => Ok(false),
        }
    }

    /// Records that the store has been swept since the machine started.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn mark_boot(&self) -> Result<()> {
        disk::private_dir(&self.paths.ingest())?;
        // A concurrent sweep would remove the partially written file.
        let _adding = self.lock_to_add()?;
        Ok(disk::replace(&self.boot_file(), boot_id()?.as_bytes())?)
    }

    fn boot_file(&self) -> PathBuf {
        self.paths.ingest().join("boot")
    }

    /// Deletes everything that was discarded, on several threads: an image consists of many small
    /// files.
    ///
    /// # Errors
    ///
    /// Something cannot be deleted.
    pub fn delete_discarded(&self) -> Result<()> {
        let discarded = self.paths.discarded();
        let entries = Mutex::new(read_dir(&discarded)?);
        let next = || entries.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let work = || -> Result<()> {
            while let Some(name) = next() {
                tree::remove(&discarded.join(name))?;
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            // If no more threads can be created, fewer do the work.
            let others: Vec<_> = (1..DELETERS)
                .filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, work).ok())
                .collect();
            let own = work();
            others.into_iter().map(|other| other.join().unwrap_or(Ok(()))).fold(own, Result::and)
        })
    }
}

/// Returns whether there is a folder at `path`.
fn is_folder(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(meta) => Ok(meta.is_dir()),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(false)
        }
        Err(error) => Err(disk::Error::io("stat", path)(error).into()),
    }
}

/// Removes a file. Succeeds if it does not exist.
pub(super) fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(disk::Error::io("remove", path)(error).into())
        }
        _ => Ok(()),
    }
}

/// Returns the names in a folder; empty if it does not exist.
pub(super) fn read_dir(dir: &Path) -> Result<Vec<String>> {
    let listing = match fs::read_dir(dir) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(disk::Error::io("list", dir)(error).into()),
    };
    listing
        .map(|entry| {
            let entry = entry.map_err(disk::Error::io("list", dir))?;
            Ok(entry.file_name().to_string_lossy().into_owned())
        })
        .collect()
}

/// Returns the state files in a folder, without those that are being written.
pub(super) fn json_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let names = read_dir(dir)?;
    let is_state = |name: &String| !name.starts_with('.') && name.ends_with(".json");
    Ok(names.into_iter().filter(is_state).map(|name| dir.join(name)).collect())
}

/// Maximum length of a boot id.
const MAX_BOOT: u64 = 64;

fn boot_id() -> Result<String> {
    let path = "/proc/sys/kernel/random/boot_id";
    Ok(fs::read_to_string(path).map_err(disk::Error::io("read", path))?)
}
