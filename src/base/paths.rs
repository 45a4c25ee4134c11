//! The layout of the state folders. Only this module knows where files are.
//!
//! ```text
//! <root>  mode 0700, engine.json names the run folder
//!   blobs/<alg>/<hex>   ingest/   layers/<n>/   layers/by-diff/<hex>   images/<hex>   refs/
//!   names/containers/<name> → id   containers/<id>/{record.json,lock,upper,work,etc/,log/}
//!   names/networks/<name> → id     networks/<id>.json   volumes/<name>/
//!   trash/<entry>/   trash.lock   discarded/
//! <run>   mode 0700, engine.json names the data folder
//!   containers/<id>/{run.json,attach,control,monitor.lock,exec/,stats/}   networks/<id>/   events.log
//! ```

use std::path::{Path, PathBuf};

use super::id::{ContainerId, Name};

/// The running program, even if its file was replaced since.
pub const OWN_PROGRAM: &str = "/proc/self/exe";

/// The folders of one engine: one for what survives a reboot, one for what does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    root: PathBuf,
    run: PathBuf,
}

/// The run folder of the default engine, which has no id.
const DEFAULT_RUN: &str = "/run/hoist";

impl Paths {
    /// Uses these two folders, which need not exist.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, run: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), run: run.into() }
    }

    /// Returns the data folder, which survives a reboot.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the run folder, which a reboot invalidates.
    #[must_use]
    pub fn run(&self) -> &Path {
        &self.run
    }

    /// Returns the id that tells this engine's bridges, nft tables and cgroups on the host from
    /// those of other engines: six hex digits, empty for the default engine.
    #[must_use]
    pub fn engine_id(&self) -> String {
        use sha2::Digest as _;
        if self.run == Path::new(DEFAULT_RUN) {
            return String::new();
        }
        let digest = sha2::Sha256::digest(self.run.as_os_str().as_encoded_bytes());
        super::id::hex(&digest[..3])
    }

    /// Returns `hoist` or `hoist-<engine id>`, the name for this engine's objects on the host.
    #[must_use]
    pub fn engine_name(&self) -> String {
        match self.engine_id().as_str() {
            "" => "hoist".to_owned(),
            id => format!("hoist-{id}"),
        }
    }

    /// The content store, by digest.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    /// Unfinished downloads.
    #[must_use]
    pub fn ingest(&self) -> PathBuf {
        self.root.join("ingest")
    }

    /// Unpacked layers.
    #[must_use]
    pub fn layers(&self) -> PathBuf {
        self.root.join("layers")
    }

    /// Image records, by the hex digits of their configuration's digest.
    #[must_use]
    pub fn images(&self) -> PathBuf {
        self.root.join("images")
    }

    /// References (`name:tag`) to images.
    #[must_use]
    pub fn refs(&self) -> PathBuf {
        self.root.join("refs")
    }

    /// The lock on references and image records.
    #[must_use]
    pub fn image_lock(&self) -> PathBuf {
        self.root.join("image.lock")
    }

    /// The lock on blobs and layers: shared for adding, exclusive for sweeping.
    #[must_use]
    pub fn store_lock(&self) -> PathBuf {
        self.root.join("store.lock")
    }

    /// Removed objects that can be restored, one folder each.
    #[must_use]
    pub fn trash(&self) -> PathBuf {
        self.root.join("trash")
    }

    /// The lock for emptying the trash.
    #[must_use]
    pub fn trash_lock(&self) -> PathBuf {
        self.root.join("trash.lock")
    }

    /// Files that are removed for good and are yet to be deleted.
    #[must_use]
    pub fn discarded(&self) -> PathBuf {
        self.root.join("discarded")
    }

    /// The folders of all containers.
    #[must_use]
    pub fn containers(&self) -> PathBuf {
        self.root.join("containers")
    }

    /// The folder of one container.
    #[must_use]
    pub fn container(&self, id: &ContainerId) -> PathBuf {
        self.containers().join(id.as_str())
    }

    /// The files that are mounted into a container's /etc. They exist after its first start.
    #[must_use]
    pub fn container_etc(&self, id: &ContainerId) -> PathBuf {
        self.container(id).join("etc")
    }

    /// Symbolic links from container names to ids.
    #[must_use]
    pub fn container_names(&self) -> PathBuf {
        self.root.join("names/containers")
    }

    /// The symbolic link of a container name.
    #[must_use]
    pub fn container_name(&self, name: &Name) -> PathBuf {
        self.container_names().join(name.as_str())
    }

    /// Named volumes.
    #[must_use]
    pub fn volumes(&self) -> PathBuf {
        self.root.join("volumes")
    }

    /// Network definitions.
    #[must_use]
    pub fn networks(&self) -> PathBuf {
        self.root.join("networks")
    }

    /// The run folders of all containers.
    #[must_use]
    pub fn runs(&self) -> PathBuf {
        self.run.join("containers")
    }

    /// The run folder of one container.
    #[must_use]
    pub fn container_run(&self, id: &ContainerId) -> PathBuf {
        self.runs().join(id.as_str())
    }

    /// Leases and active names of networks.
    #[must_use]
    pub fn network_runs(&self) -> PathBuf {
        self.run.join("networks")
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.run.join("events.log")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_default_engine_has_no_id() {
        assert_eq!(Paths::new("/var/lib/hoist", "/run/hoist").engine_name(), "hoist");
        let other = Paths::new("/tmp/a", "/tmp/b");
        assert_eq!(other.engine_id().len(), 6);
        assert_ne!(other.engine_id(), Paths::new("/tmp/a", "/tmp/c").engine_id());
    }
}
