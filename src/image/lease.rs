//! Leases: what unfinished work needs, kept from the sweep until the work is committed.
//!
//! A lease is a locked file with one digest a line, `ingest/leases/<random>`. The lock
//! dies with its holder, so a killed process leaves a file that the next sweep removes.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Mutex;

use super::error::Result;
use super::store::{Store, read_dir};
use crate::base::{disk, id};
use crate::oci::Digest;

/// Keeps blobs and layers from the sweep while it lives. Shared by threads.
#[derive(Debug)]
pub struct Lease {
    path: PathBuf,
    file: Mutex<File>,
}

impl Store {
    /// A lease on nothing, yet.
    ///
    /// # Errors
    ///
    /// When its file cannot be made.
    pub fn lease(&self) -> Result<Lease> {
        let dir = self.leases();
        disk::private_dir(&dir)?;
        // The sweep removes unlocked files: it must not see this one before it is locked.
        let _adding = self.lock_to_add()?;
        let random = id::random_bytes::<8>().map_err(disk::Error::io("name a lease in", &dir))?;
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

    /// Keeps a layer from the sweep; says whether it is here.
    ///
    /// # Errors
    ///
    /// When the lease cannot be written.
    pub fn protect_layer(&self, lease: &Lease, diff_id: &Digest) -> Result<bool> {
        self.protect(lease, diff_id)?;
        Ok(self.has_layer(diff_id))
    }

    /// Keeps a blob from the sweep; says whether it is here.
    ///
    /// # Errors
    ///
    /// When the lease cannot be written.
    pub fn protect_blob(&self, lease: &Lease, digest: &Digest) -> Result<bool> {
        self.protect(lease, digest)?;
        Ok(self.has_blob(digest))
    }

    /// Once this returns, a sweep either went before, or sees the line.
    fn protect(&self, lease: &Lease, digest: &Digest) -> Result<()> {
        let _adding = self.lock_to_add()?;
        let mut file = lease.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let written = file.write_all(format!("{digest}\n").as_bytes());
        Ok(written.map_err(disk::Error::io("write", &lease.path))?)
    }

    /// What living leases hold; files of dead ones are removed. Only under the sweep's lock.
    pub(super) fn leased(&self) -> Result<Vec<Digest>> {
        let dir = self.leases();
        let mut digests = Vec::new();
        for name in read_dir(&dir)? {
            let path = dir.join(name);
            let file = match disk::open(&path) {
                Ok(file) => file,
                // There is no lease, or it is gone.
                Err(error) if error.is_not_found() || error.is_of_the_file() => continue,
                Err(error) => return Err(error.into()),
            };
            if file.try_lock_shared().is_ok() {
                let _ = fs::remove_file(&path); // its owner died, or removes it itself
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
        let _ = fs::remove_file(&self.path); // an unlocked file is removed by the sweep as well
    }
}
