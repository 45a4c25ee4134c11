//! Writes blobs to a file that a later attempt can resume, and verifies their digest.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::error::{Error, Result};
use super::lease::Lease;
use super::store::Store;
use crate::base::disk;
use crate::oci::{Digest, Hasher};

/// A blob that is being written. If dropped before [`Ingest::finish`], it can be resumed.
#[derive(Debug)]
pub struct Ingest {
    store: Store,
    digest: Digest,
    size: Option<u64>,
    path: PathBuf,
    file: File,
    hasher: Hasher,
    written: u64,
}

/// The result of [`Store::try_begin`].
#[derive(Debug)]
pub enum Begun {
    /// The blob is in the store.
    Here,
    /// Another process or thread is writing it.
    Busy,
    /// The caller is to write it.
    Ingest(Box<Ingest>),
}

impl Store {
    /// Begins or resumes the blob of `digest`, with its `size` in bytes if known.
    ///
    /// Waits while another process or thread writes the same blob. Returns `None` if the blob is in
    /// the store, where `lease` protects it. Bytes left by an earlier attempt are hashed again.
    ///
    /// # Errors
    ///
    /// The file cannot be created or read.
    pub fn begin(&self, lease: &Lease, digest: &Digest, size: Option<u64>) -> Result<Option<Ingest>> {
        loop {
            match self.begin_with(lease, digest, size, |file| file.lock().map(|()| true))? {
                Begun::Here => return Ok(None),
                Begun::Busy => {}
                Begun::Ingest(ingest) => return Ok(Some(*ingest)),
            }
        }
    }

    /// Like [`Self::begin`], but does not wait.
    ///
    /// # Errors
    ///
    /// The file cannot be created or read.
    pub fn try_begin(&self, lease: &Lease, digest: &Digest, size: Option<u64>) -> Result<Begun> {
        self.begin_with(lease, digest, size, |file| match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        })
    }

    /// Removes the partial download of a blob that is no longer needed, unless another process is
    /// writing it. Otherwise a sweep removes it after a while.
    pub fn forget_part(&self, digest: &Digest) {
        let path = self.part_path(digest);
        if let Ok(file) = disk::open(&path)
            && file.try_lock().is_ok()
            && fs::metadata(&path).ok().zip(file.metadata().ok()).is_some_and(|(a, b)| a.ino() == b.ino())
        {
            let _ = fs::remove_file(&path);
        }
    }

    fn part_path(&self, digest: &Digest) -> PathBuf {
        self.paths().ingest().join(format!("{}-{}.part", digest.algorithm().as_str(), digest.hex()))
    }

    fn begin_with(
        &self,
        lease: &Lease,
        digest: &Digest,
        size: Option<u64>,
        lock: impl Fn(&File) -> io::Result<bool>,
    ) -> Result<Begun> {
        let dir = self.paths().ingest();
        disk::private_dir(&dir)?;
        let path = self.part_path(digest);
        loop {
            if self.protect_blob(lease, digest)? {
                return Ok(Begun::Here);
            }
            let file = disk::open_to_append(&path)?;
            if !lock(&file).map_err(disk::Error::io("lock", &path))? {
                return Ok(Begun::Busy);
            }
            // The previous holder of the lock may have finished or swept the file.
            let ours = file.metadata().map_err(disk::Error::io("stat", &path))?;
            if !matches!(fs::metadata(&path), Ok(there) if there.ino() == ours.ino()) {
                continue;
            }
            let hasher = Hasher::new(digest.algorithm());
            let (store, digest) = (self.clone(), digest.clone());
            let mut ingest = Ingest { store, digest, size, path, file, hasher, written: 0 };
            ingest.take_over()?;
            return Ok(Begun::Ingest(Box::new(ingest)));
        }
    }
}

impl Ingest {
    /// Returns the blob's digest.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Returns how many bytes have been written; this is also the offset of the next one.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.written
    }

    /// Returns a reader of the bytes that have been written.
    ///
    /// # Errors
    ///
    /// The file cannot be opened again.
    pub fn existing(&self) -> Result<impl Read + Send + use<>> {
        let file = disk::open(&self.path)?;
        Ok(file.take(self.written))
    }

    /// Discards the bytes that have been written.
    ///
    /// # Errors
    ///
    /// The file cannot be truncated.
    pub fn restart(&mut self) -> Result<()> {
        self.file.set_len(0).map_err(disk::Error::io("empty", &self.path))?;
        self.hasher = Hasher::new(self.digest.algorithm());
        self.written = 0;
        Ok(())
    }

    /// Appends bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Size`] beyond the expected size, and write errors.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let end = self.written + bytes.len() as u64;
        if let Some(wanted) = self.size.filter(|&size| end > size) {
            return Err(Error::Size { what: self.what(), wanted, found: end });
        }
        self.file.write_all(bytes).map_err(disk::Error::io("write", &self.path))?;
        self.hasher.update(bytes);
        self.written = end;
        Ok(())
    }

    /// Returns a reader of the growing file; offsets below [`Self::offset`] can be read.
    ///
    /// # Errors
    ///
    /// The file cannot be opened again.
    pub fn reader(&self) -> Result<File> {
        Ok(disk::open(&self.path)?)
    }

    /// Verifies size and digest of what has been written.
    ///
    /// # Errors
    ///
    /// [`Error::Size`], [`Error::Digest`].
    pub fn check(&self) -> Result<()> {
        if let Some(wanted) = self.size.filter(|&size| size != self.written) {
            return Err(Error::Size { what: self.what(), wanted, found: self.written });
        }
        let found = self.hasher.clone().finish();
        if found == self.digest {
            return Ok(());
        }
        Err(Error::Digest { what: self.what(), wanted: self.digest.clone(), found })
    }

    /// Verifies size and digest, and adds the blob to the store.
    ///
    /// # Errors
    ///
    /// [`Error::Size`]: if the blob is too short, it can be resumed. [`Error::Digest`]: it is
    /// discarded.
    pub fn finish(self) -> Result<()> {
        match self.check() {
            Err(error @ Error::Digest { .. }) => {
                self.discard()?;
                return Err(error);
            }
            checked => checked?,
        }
        let blob = self.store.blob_path(&self.digest);
        disk::private_dir(blob.parent().unwrap_or(&blob))?;
        Ok(fs::rename(&self.path, &blob).map_err(disk::Error::io("create", &blob))?)
    }

    /// Discards the bytes.
    ///
    /// # Errors
    ///
    /// The file cannot be removed.
    pub fn discard(self) -> Result<()> {
        Ok(fs::remove_file(&self.path).map_err(disk::Error::io("remove", &self.path))?)
    }

    /// Hashes the bytes that an earlier attempt left.
    fn take_over(&mut self) -> Result<()> {
        self.file.seek(SeekFrom::Start(0)).map_err(disk::Error::io("read", &self.path))?;
        let mut buffer = vec![0; 256 << 10];
        loop {
            match self.file.read(&mut buffer) {
                Ok(0) => break,
                Ok(len) => {
                    self.hasher.update(&buffer[..len]);
                    self.written += len as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(disk::Error::io("read", &self.path)(error).into()),
            }
        }
        if self.size.is_some_and(|size| self.written > size) { self.restart() } else { Ok(()) }
    }

    fn what(&self) -> String {
        format!("the blob {}", self.digest.short())
    }
}

/// Verifies the digest of a document.
///
/// # Errors
///
/// [`Error::Digest`].
pub fn verify(what: &str, bytes: &[u8], wanted: &Digest) -> Result<()> {
    let mut hasher = Hasher::new(wanted.algorithm());
    hasher.update(bytes);
    let found = hasher.finish();
    if found == *wanted {
        return Ok(());
    }
    Err(Error::Digest { what: what.to_owned(), wanted: wanted.clone(), found })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Paths;

    fn store(dir: &tempfile::TempDir) -> Store {
        Store::new(Paths::new(dir.path().join("root"), dir.path().join("run")), false)
    }

    #[test]
    fn a_blob_is_resumed_and_appears_only_when_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir);
        let lease = store.lease().unwrap();
        let digest = Digest::of(b"hello world");
        let mut first = store.begin(&lease, &digest, Some(11)).unwrap().unwrap();
        first.append(b"hello ").unwrap();
        assert!(matches!(first.finish(), Err(Error::Size { wanted: 11, found: 6, .. })));
        assert!(!store.has_blob(&digest));

        let mut second = store.begin(&lease, &digest, Some(11)).unwrap().unwrap();
        assert_eq!(second.offset(), 6);
        let mut existing = String::new();
        second.existing().unwrap().read_to_string(&mut existing).unwrap();
        assert_eq!(existing, "hello ");
        second.append(b"world").unwrap();
        assert!(matches!(second.append(b"!"), Err(Error::Size { found: 12, .. })));
        second.finish().unwrap();
        assert_eq!(store.read_blob(&digest, 100).unwrap(), b"hello world");
        assert!(store.begin(&lease, &digest, Some(11)).unwrap().is_none());
    }

    #[test]
    fn bytes_with_another_digest_are_thrown_away() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir);
        let lease = store.lease().unwrap();
        let digest = Digest::of(b"right");
        let mut ingest = store.begin(&lease, &digest, None).unwrap().unwrap();
        ingest.append(b"wrong").unwrap();
        assert!(matches!(ingest.finish(), Err(Error::Digest { .. })));
        assert_eq!(store.begin(&lease, &digest, None).unwrap().unwrap().offset(), 0);
    }
}
