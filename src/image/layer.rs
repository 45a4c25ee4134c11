//! An unpacked layer, and how one is created from a stream.
//!
//! ```text
//! ingest/unpack-<hex>/diff   being written, under ingest/unpack-<hex>.lock
//! layers/<n>/diff            moved here once the diffID is verified
//! layers/<n>/meta.json       its metadata
//! layers/by-diff/<hex>       → ../<n>, created last
//! ```

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::lease::Lease;
use super::store::{Store, read_dir};
use crate::base::disk::{Unknown, state};
use crate::base::progress::Reporter;
use crate::base::{disk, id};
use crate::layer::{self, LayerSource, Traits, WRITER_VERSION, stream};
use crate::oci::Digest;
use crate::sys::{check, tree};

/// Current version of `meta.json`.
const VERSION: u32 = 1;

/// A layer in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The digest of its tar.
    pub diff_id: Digest,
    /// Size of its files in bytes.
    pub size: u64,
    /// What could not be recreated exactly, for display; usually empty.
    pub notes: Vec<String>,
}

impl Layer {
    /// Reports what could not be recreated exactly.
    fn tell_notes(&self, reporter: &Reporter) {
        for note in &self.notes {
            reporter.note(format!("layer {}: {note}", self.diff_id.short()));
        }
    }
}

/// The metadata of a layer: `meta.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// The version of the file format.
    pub version: u32,
    /// The digest of its tar.
    pub diff_id: Digest,
    /// Size of its files in bytes.
    pub size: u64,
    /// Number of entries in its tar.
    pub entries: u64,
    /// The version of hoist's tar writer, if hoist wrote the tar: the same version reproduces the
    /// digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer: Option<u32>,
    /// What depends on lower layers, and what could not be recreated.
    #[serde(flatten)]
    pub traits: Traits,
    /// Fields written by a newer hoist, kept when the file is rewritten.
    #[serde(flatten)]
    pub unknown: Unknown,
}

state!(Meta, VERSION);

impl Meta {
    pub(super) fn new(diff_id: Digest, size: u64, entries: u64, traits: Traits) -> Self {
        Self { version: VERSION, diff_id, size, entries, writer: None, traits, unknown: Unknown::new() }
    }
}

impl Store {
    /// Unpacks a layer and verifies its digest while streaming. A layer that is already in the
    /// store is not read.
    ///
    /// Waits while another process or thread unpacks the same layer, and then uses that one.
    ///
    /// # Errors
    ///
    /// [`Error::Digest`], [`Error::Malformed`], [`Error::TooLarge`], [`Error::Entry`],
    /// [`Error::Interrupted`]; then nothing of it is in the store.
    pub fn unpack(&self, lease: &Lease, source: LayerSource<'_>, reporter: &Reporter) -> Result<Layer> {
        self.unpack_by(lease, source, None, reporter)
    }

    /// Like [`Self::unpack`], for a tar that hoist's tar writer of version `writer` wrote.
    fn unpack_by(
        &self,
        lease: &Lease,
        source: LayerSource<'_>,
        writer: Option<u32>,
        reporter: &Reporter,
    ) -> Result<Layer> {
        let name = match source.diff_id {
            Some(diff_id) => diff_id.hex().to_owned(),
            None => id::hex(&random(&self.paths().ingest())?),
        };
        let work = Work::begin(&self.paths().ingest().join(format!("unpack-{name}")))?;
        if let Some(diff_id) = source.diff_id
            && self.protect_layer(lease, diff_id)?
        {
            return self.layer(diff_id);
        }
        work.clear()?;
        let wanted = source.diff_id.cloned();
        let diff = work.path.join("diff");
        disk::private_dir(&work.path)?;
        fs::DirBuilder::new().mode(0o755).create(&diff).map_err(disk::Error::io("create", &diff))?;
        let root = crate::sys::fs::open_dir(&diff)?;
        crate::sys::fs::chmod(&root, 0o755)?;
        let (extracted, diff_id) =
            stream::unpack(source, &root, &self.limits.of_layer(), self.in_user_namespace, reporter)?;
        if let Some(wanted) = wanted.filter(|wanted| *wanted != diff_id) {
            return Err(Error::Digest { what: "the layer".to_owned(), wanted, found: diff_id });
        }
        let meta = Meta { writer, ..Meta::new(diff_id, extracted.size, extracted.entries, extracted.traits) };
        self.publish(lease, &work, &meta)?;
        let layer = self.layer(&meta.diff_id)?;
        layer.tell_notes(reporter);
        Ok(layer)
    }

    /// Unpacks the tar that `write` writes, so that every layer is created the same way. `writer`
    /// is the version of hoist's tar writer, if it is used.
    pub(super) fn unpack_written(
        &self,
        lease: &Lease,
        (name, writer): (&str, Option<u32>),
        reporter: &Reporter,
        write: impl FnOnce(io::PipeWriter) -> Result<()> + Send,
    ) -> Result<Layer> {
        let (reader, pipe) = io::pipe().map_err(Error::read("a pipe"))?;
        std::thread::scope(|scope| {
            let writing = std::thread::Builder::new().spawn_scoped(scope, move || write(pipe));
            let writing = check(writing, || "start a thread".to_owned())?;
            let source = LayerSource { reader: Box::new(reader), diff_id: None, size: None, name };
            let layer = self.unpack_by(lease, source, writer, reporter);
            match writing.join() {
                // The writer's error is the cause unless the reader failed first.
                Ok(Err(error)) if !is_broken_pipe(&error) => Err(error),
                Ok(_) => layer,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    /// Creates a layer from the changes in `upper`, a container's upper folder, which must not
    /// change meanwhile. Warns about what a layer cannot hold.
    ///
    /// # Errors
    ///
    /// As [`layer::write`] and [`Self::unpack`]; then there is no new layer.
    pub fn add_changes(&self, lease: &Lease, upper: &Path, reporter: &Reporter) -> Result<Layer> {
        let root = crate::sys::fs::open_dir(upper)?;
        let form = ("changes", Some(WRITER_VERSION));
        self.unpack_written(lease, form, reporter, |pipe| {
            let (written, _) = layer::write(&root, &Traits::default(), self.in_user_namespace, pipe)?;
            for path in written.left_out {
                reporter.warn(format!("skipped `{path}`: it cannot be stored in a layer"));
            }
            Ok(())
        })
    }

    /// Writes a layer in the store as a tar. If hoist wrote the layer ([`Meta::writer`]), the tar
    /// has the same digest; otherwise it contains the same files.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`]; as [`layer::write`].
    pub fn write_layer<W: io::Write>(&self, diff_id: &Digest, out: W) -> Result<W> {
        let meta = self.layer_meta(diff_id)?;
        if let Some(newer) = meta.writer.filter(|writer| *writer > WRITER_VERSION) {
            let why =
                format!("layer {} was written by a newer version of hoist (format {newer})", diff_id.short());
            return Err(Error::Refused(why));
        }
        let root = crate::sys::fs::open_dir(&self.layer_dir(diff_id)?.join("diff"))?;
        Ok(layer::write(&root, &meta.traits, self.in_user_namespace, out)?.1)
    }

    /// Returns a layer in the store.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`].
    pub fn layer(&self, diff_id: &Digest) -> Result<Layer> {
        let meta = self.layer_meta(diff_id)?;
        Ok(Layer { diff_id: meta.diff_id, size: meta.size, notes: meta.traits.notes })
    }

    /// Returns the metadata of a layer.
    pub(super) fn layer_meta(&self, diff_id: &Digest) -> Result<Meta> {
        match disk::read_state(&self.layer_dir(diff_id)?.join("meta.json")) {
            Err(source) if source.is_of_the_file() || source.is_not_found() => {
                let images = self.images_with(diff_id);
                Err(Error::DamagedLayer { layer: diff_id.clone(), images, source })
            }
            read => Ok(read?),
        }
    }

    /// Returns the names of images with this layer.
    fn images_with(&self, layer: &Digest) -> Vec<String> {
        let images = self.read_images().map(|seen| seen.whole).unwrap_or_default();
        let references = self.read_references().map(|seen| seen.whole).unwrap_or_default();
        let having =
            images.into_iter().filter(|image| image.layers.iter().chain(&image.fix).any(|it| it == layer));
        let called = |image: super::record::Record| {
            let name = references.iter().find(|one| one.names(&image.id)).map(|one| one.name.to_string());
            name.unwrap_or_else(|| image.id.short().to_owned())
        };
        having.map(called).collect()
    }

    pub(super) fn meta_at(&self, folder: &Path) -> Result<Meta> {
        Ok(disk::read_state(&folder.join("meta.json"))?)
    }

    /// Adds an unpacked tree to the store as a layer. The link is created last.
    pub(super) fn publish(&self, lease: &Lease, work: &Work, meta: &Meta) -> Result<()> {
        if self.protect_layer(lease, &meta.diff_id)? {
            return Ok(()); // the same layer has been added meanwhile
        }
        let layers = self.paths().layers();
        disk::private_dir(&layers.join("by-diff"))?;
        disk::write_state(&work.path.join("meta.json"), meta)?;
        let link = self.layer_link(&meta.diff_id);
        if fs::symlink_metadata(&link).is_ok() {
            return self.put_back_layer(work, &meta.diff_id);
        }
        let _adding = self.lock_to_add()?;
        let number = self.next_number()?;
        let folder = layers.join(&number);
        // The folder was created empty by `next_number`, and a rename may replace an empty folder.
        fs::rename(&work.path, &folder).map_err(disk::Error::io("create", &folder))?;
        match std::os::unix::fs::symlink(Path::new("..").join(&number), &link) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.discard(&folder)?; // another process added the same layer
                Ok(())
            }
            result => Ok(result.map_err(disk::Error::io("create", link))?),
        }
    }

    /// Restores a layer with a lost folder under its old number, which containers' records use.
    /// The lease protects the link.
    fn put_back_layer(&self, work: &Work, diff_id: &Digest) -> Result<()> {
        // Excludes others that do the same.
        let _alone = self.lock_to_sweep()?;
        let lost = self.layer_number(diff_id)?.filter(|_| !self.has_layer(diff_id));
        let Some(number) = lost else { return Ok(()) };
        let folder = self.paths().layers().join(number);
        self.discard(&folder)?;
        Ok(fs::rename(&work.path, &folder).map_err(disk::Error::io("create", &folder))?)
    }

    /// Creates a folder with the next free number. Short names let many layers fit into the options
    /// of one mount. A number that only a link has belongs to a layer whose folder is lost.
    fn next_number(&self) -> Result<String> {
        let layers = self.paths().layers();
        let mut used = read_dir(&layers)?;
        let links = layers.join("by-diff");
        let linked = read_dir(&links)?.into_iter().filter_map(|link| fs::read_link(links.join(link)).ok());
        used.extend(linked.filter_map(|target| Some(target.file_name()?.to_str()?.to_owned())));
        let highest = used.iter().filter_map(|name| u64::from_str_radix(name, 36).ok()).max();
        let mut number = highest.map_or(0, |highest| highest + 1);
        loop {
            let name = base36(number);
            match fs::DirBuilder::new().mode(0o700).create(layers.join(&name)) {
                Ok(()) => return Ok(name),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(disk::Error::io("create", layers.join(name))(error).into()),
            }
        }
    }
}

/// Returns whether the reader closed the pipe.
fn is_broken_pipe(error: &Error) -> bool {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    let mut causes = causes.filter_map(|error| error.downcast_ref::<io::Error>());
    causes.any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// A locked tree that is being unpacked; removed when dropped.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) path: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

impl Work {
    /// Locks `path`, and waits while another process or thread works on it.
    pub(super) fn begin(path: &Path) -> Result<Self> {
        disk::private_dir(path.parent().unwrap_or(path))?;
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        let lock_path = PathBuf::from(lock_path);
        loop {
            let lock = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&lock_path)
                .map_err(disk::Error::io("open", &lock_path))?;
            lock.lock().map_err(disk::Error::io("lock", &lock_path))?;
            // The previous holder removed the lock file when it was done.
            let ours = lock.metadata().map_err(disk::Error::io("stat", &lock_path))?;
            if matches!(fs::metadata(&lock_path), Ok(there) if there.ino() == ours.ino()) {
                return Ok(Self { path: path.to_owned(), lock_path, _lock: lock });
            }
        }
    }

    /// Removes what a killed process left at the path.
    pub(super) fn clear(&self) -> Result<()> {
        Ok(tree::remove(&self.path)?)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = self.clear(); // a sweep removes the rest
        let _ = fs::remove_file(&self.lock_path);
    }
}

fn random(near: &Path) -> Result<[u8; 8]> {
    Ok(id::random_bytes::<8>().map_err(disk::Error::io("generate a name in", near))?)
}

fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[usize::try_from(number % 36).unwrap_or(0)]);
        number /= 36;
        if number == 0 {
            break;
        }
    }
    digits.iter().rev().map(|&digit| char::from(digit)).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::base::Paths;
    use crate::image::{Commit, Roots};
    use crate::layer::{Implied, RawPath};

    fn store(dir: &tempfile::TempDir) -> Store {
        Store::new(Paths::new(dir.path().join("root"), dir.path().join("run")), false)
    }

    fn archive(files: &[(&str, u32, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, mode, text) in files {
            let mut header = tar::Header::new_ustar();
            header.set_mode(*mode);
            header.set_size(text.len() as u64);
            header.set_mtime(1_000_000);
            header.set_uid(0);
            header.set_gid(0);
            let kind = if path.ends_with('/') { tar::EntryType::Directory } else { tar::EntryType::Regular };
            header.set_entry_type(kind);
            builder.append_data(&mut header, path, text.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn source<'a>(bytes: &'a [u8], diff_id: Option<&'a Digest>) -> LayerSource<'a> {
        LayerSource { reader: Box::new(bytes), diff_id, size: None, name: "test" }
    }

    #[test]
    fn a_layer_is_unpacked_once_and_swept_when_nothing_needs_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir);
        let tar = archive(&[("etc/", 0o750, ""), ("etc/motd", 0o640, "hello\n"), ("usr/bin/x", 0o4755, "x")]);
        let diff_id = Digest::of(&tar);
        let lease = store.lease().unwrap();
        let layer = store.unpack(&lease, source(&tar, Some(&diff_id)), &Reporter::silent()).unwrap();
        assert_eq!((layer.size, layer.notes.len()), (7, 0));
        // An existing layer is not read again.
        store.unpack(&lease, source(b"no tar", Some(&diff_id)), &Reporter::silent()).unwrap();
        let diff = store.layer_dir(&diff_id).unwrap().join("diff");
        assert_eq!(fs::read_to_string(diff.join("etc/motd")).unwrap(), "hello\n");
        let mode = |path: &str| fs::metadata(diff.join(path)).unwrap().permissions().mode() & 0o7777;
        assert_eq!(
            (mode("etc"), mode("etc/motd"), mode("usr/bin"), mode("usr/bin/x")),
            (0o750, 0o640, 0o755, 0o4755)
        );
        assert_eq!(fs::metadata(diff.join("etc")).unwrap().mtime(), 1_000_000);
        let implied = store.layer_meta(&diff_id).unwrap().traits.implied;
        assert_eq!(
            implied,
            [Implied::Path(RawPath("usr".into())), Implied::Inside(0, RawPath("bin".into()))]
        );

        let roots = || Ok::<_, Error>(Roots::default());
        assert_eq!(store.sweep(roots).unwrap().layers, []);
        drop(lease);
        assert_eq!(store.sweep(roots).unwrap().layers, std::slice::from_ref(&diff_id));
        assert!(!store.has_layer(&diff_id));
        let litter = read_dir(&store.paths().layers()).unwrap();
        assert_eq!(litter, ["by-diff"]);
        assert_eq!(read_dir(&store.paths().discarded()).unwrap(), [""; 0]);
    }

    #[test]
    fn a_layer_of_another_digest_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir);
        let lease = store.lease().unwrap();
        let wanted = Digest::of(b"other");
        let tar = archive(&[("a", 0o644, "a")]);
        let error = store.unpack(&lease, source(&tar, Some(&wanted)), &Reporter::silent()).unwrap_err();
        assert!(matches!(error, Error::Digest { .. }), "{error}");
        assert!(!store.has_layer(&wanted));
        assert_eq!(read_dir(&store.paths().ingest()).unwrap(), ["leases"]);
    }

    #[test]
    fn an_image_is_found_by_every_name_and_swept_with_its_layers() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir);
        let tar = archive(&[("a", 0o644, "a")]);
        let lease = store.lease().unwrap();
        let layer = store.unpack(&lease, source(&tar, None), &Reporter::silent()).unwrap();
        let config = format!(
            r#"{{"architecture":"amd64","os":"linux","config":{{"Labels":{{"a":"b"}}}},"rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
            layer.diff_id
        );
        let name: crate::oci::Reference = "acme/web:1".parse().unwrap();
        let commit =
            Commit { config: config.as_bytes(), names: std::slice::from_ref(&name), ..Commit::default() };
        let id = store.commit(&lease, &commit).unwrap();
        drop(lease);
        for word in [&*id.to_string(), id.hex(), id.short(), "acme/web:1"] {
            assert_eq!(store.resolve(word).unwrap().image, id, "{word}");
        }
        assert!(matches!(store.resolve("acme/web"), Err(Error::NoImage(_))));
        assert_eq!(store.images().unwrap()[0].labels["a"], "b");
        assert_eq!(store.layers_of(&id).unwrap(), [PathBuf::from("0/diff")]);
        let roots = || Ok::<_, Error>(Roots::default());
        assert_eq!(store.sweep(roots).unwrap(), super::super::sweep::Swept::default());
        fs::remove_file(store.record_path(&id)).unwrap();
        store.remove_reference(&name).unwrap();
        // A container's record protects its layers.
        let used = || Ok::<_, Error>(Roots { layers: vec!["0/diff".into()], ..Roots::default() });
        assert_eq!(store.sweep(used).unwrap().layers, []);
        assert_eq!(store.sweep(roots).unwrap().layers, [layer.diff_id]);
    }

    #[test]
    fn a_layer_whose_folder_was_lost_comes_back_at_its_number() {
        for kept in ["", "meta.json"] {
            let dir = tempfile::tempdir().unwrap();
            let store = store(&dir);
            let lease = store.lease().unwrap();
            let tars = ["a", "b"].map(|name| archive(&[(name, 0o644, name)]));
            let unpack =
                |tar: &[u8], diff_id| store.unpack(&lease, source(tar, diff_id), &Reporter::silent());
            let lost = unpack(&tars[0], None).unwrap().diff_id;
            let folder = store.layer_dir(&lost).unwrap();
            tree::remove(&folder.join(if kept.is_empty() { "." } else { "diff" })).unwrap();
            assert!(!store.has_layer(&lost) && matches!(store.layer(&lost), Err(Error::Missing { .. })));
            // The number of a layer in use is not reused, whether an image or a container uses it.
            let used = || Ok::<_, Error>(Roots { layers: vec!["0/diff".into()], ..Roots::default() });
            store.sweep(used).unwrap();
            let other = unpack(&tars[1], None).unwrap().diff_id;
            assert_eq!(store.layer_dir(&other).unwrap(), folder.with_file_name("1"));
            let diff_id = Some(&lost).filter(|_| kept.is_empty());
            assert_eq!(unpack(&tars[0], diff_id).unwrap().diff_id, lost);
            assert_eq!(store.layer_dir(&lost).unwrap(), folder);
            assert_eq!(fs::read_to_string(folder.join("diff/a")).unwrap(), "a");
        }
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([0, 35, 36, 1295].map(base36), ["0", "z", "10", "zz"]);
    }
}
