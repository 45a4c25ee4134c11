//! The root file system of a container that has no mount namespace of its own: it stays mounted in
//! the caller's namespace until the container is deleted.

use std::path::PathBuf;

use super::Failed;
use crate::oci::runtime::{LinuxNamespaceType, Spec};
use crate::sys::{fs, mount};

/// What is mounted at the path of a root file system.
pub(super) struct Mounted {
    path: PathBuf,
    pub(super) id: u64,
}

impl Mounted {
    /// Returns what is mounted there for this caller; `None` if the container has a mount namespace
    /// of its own.
    pub(super) fn now(spec: &Spec) -> Option<Self> {
        let namespaces = spec.linux().as_ref().and_then(|linux| linux.namespaces().as_ref());
        let is_own = namespaces.into_iter().flatten().any(|namespace| {
            let has_path = namespace.path().as_ref().is_some_and(|path| !path.as_os_str().is_empty());
            namespace.typ() == LinuxNamespaceType::Mount && !has_path
        });
        let path = spec.root().as_ref().filter(|_| !is_own)?.path().canonicalize().ok()?;
        let id = fs::mount_id(fs::open_place(&path).ok()?).ok()?;
        Some(Self { path, id })
    }

    /// Unmounts it.
    pub(super) fn detach(&self) -> Result<(), Failed> {
        Ok(mount::detach(&self.path)?)
    }
}
