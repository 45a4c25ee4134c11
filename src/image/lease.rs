//! Leases protect what unfinished work needs from the sweep until it is committed.
//!
//! A lease is a locked file with one digest per line, `ingest/leases/<random>`. The lock is
//! released when its holder dies, so the next sweep removes the file of a killed process.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Mutex;

use super::error::Result;
use super::store::{Store, read_dir};
use crate::base::{disk, id};
use crate::oci::Digest;

/// Protects blobs and layers from the sweep until it is dropped. Threads can share it.
#[derive(Debug)]
pub struct Lease {
    path: PathBuf,
    file: Mutex<File>,
}

impl Store {
    /// Creates an empty lease.
    ///
    /// # Errors
    ///
    /// Its file cannot be created.
    pub fn lease(&self) -> Result<Lease> {
        let dir = self.leases();
        disk::private_dir(&dir)?;
        // A sweep removes unlocked files, so it must not see the file before it is locked.
        let _adding = self.lock_to_add()?;
        let random = id::random_bytes::<8>().map_err(disk::Error::io("generate a name in", &dir))?;
        let path = dir.join(id::hex(&random));
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(disk::Error::io("create", &path))?;
        file.lock().map_err(disk::Error::io("lock", &path))?;
        Ok(Lease { path, file: Mutex::new(file) })
    }

    /// Protects a layer from the sweep, and returns whether it is in the store.
    ///
    /// # Errors
    ///
    /// The lease cannot be written.
    pub fn protect_layer(&self, lease: &Lease, diff_id: &Digest) -> Result<bool> {
        self.protect(lease, diff_id)?;
        Ok(self.has_layer(diff_id))
    }

    /// Protects a blob from the sweep, and returns whether it is in the store.
    ///
    /// # Errors
    ///
    /// The lease cannot be written.
    pub fn protect_blob(&self, lease: &Lease, digest: &Digest) -> Result<bool> {
        self.protect(lease, digest)?;
        Ok(self.has_blob(digest))
    }

    /// Adds a digest to the lease. Any sweep that begins after this returns sees it.
    fn protect(&self, lease: &Lease, digest: &Digest) -> Result<()> {
        let _adding = self.lock_to_add()?;
        let mut file = lease.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let written = file.write_all(format!("{digest}\n").as_bytes());
        Ok(written.map_err(disk::Error::io("write", &lease.path))?)
    }

    /// Returns what live leases protect, and removes the files of dead ones. The caller holds the
    /// sweep's lock.
    pub(super) fn leased(&self) -> Result<Vec<Digest>> {
        let dir = self.leases();
        let mut digests = Vec::new();
        for name in read_dir(&dir)? {
            let path = dir.join(name);
            let file = match disk::open(&path) {
                Ok(file) => file,
                // It is not a lease, or has been removed.
                Err(error) if error.is_not_found() || error.is_of_the_file() => continue,
                Err(error) => return Err(error.into()),
            };
            if file.try_lock_shared().is_ok() {
                let _ = fs::remove_file(&path); // its owner is dead, or removes it itself
                continue;
            }
            let text = disk::read(&path, 64 << 20)?;
            digests.extend(String::from_utf8_lossy(&text).lines().filter_map(|line| line.parse().ok()));
        }
        Ok(digests)
    }

    fn leases(&self) -> PathBuf {
        self.paths().ingest().join("leases")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path); // a sweep removes unlocked files as well
    }
}
