//! Control groups: limits, freezing, killing and counters of a container, the same over
//! v1, hybrid and v2.
//!
//! ```text
//! <root>[/<controller>]/<parent>/<id>/payload     what limits, freeze and kill act on
//!                                    /monitor     the process that watches it
//! ```
//! The root is a parameter, so tests can use a tree of plain files.

mod error;
mod limits;
mod stats;

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

pub use error::{Error, Result};
pub use limits::{DeviceRule, Limits};
pub use stats::Stats;

use crate::sys::probe::Probe;

/// The cgroup of one container.
#[derive(Debug)]
pub struct Cgroup {
    /// What could not be had and was left out, a sentence each.
    pub warnings: Vec<String>,
}

/// Where a container's cgroup is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// Where the cgroup file systems are: `/sys/fs/cgroup`.
    pub root: PathBuf,
    /// The path below each hierarchy: `hoist`.
    pub path: PathBuf,
}

impl Parent {
    /// The parent `path` below the usual root.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { root: PathBuf::from("/sys/fs/cgroup"), path: path.into() }
    }
}

impl Cgroup {
    /// Makes the cgroup with its limits set. Where the caller may not write, it is made
    /// without, and `warnings` says so.
    ///
    /// # Errors
    ///
    /// A limit that the kernel refuses.
    pub fn create(parent: &Parent, id: &str, limits: &Limits, probe: &Probe) -> Result<Self> {
        let _ = (parent, id, limits, probe);
        Err(Error::NotYet)
    }

    /// The cgroup of a container that runs already, to signal it or to read its counters.
    ///
    /// # Errors
    ///
    /// The root has no cgroup file system.
    pub fn open(parent: &Parent, id: &str) -> Result<Self> {
        let _ = (parent, id);
        Err(Error::NotYet)
    }

    /// Changes the limits.
    ///
    /// # Errors
    ///
    /// A limit that the kernel refuses.
    pub fn update(&self, limits: &Limits) -> Result<()> {
        let _ = limits;
        Err(Error::NotYet)
    }

    /// Moves the calling process into the leaf beside the payload, so that no logout or
    /// stopped service takes it along.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub fn join_monitor(&self) -> Result<()> {
        Err(Error::NotYet)
    }

    /// Stops every process of the payload, and returns once they stand.
    ///
    /// # Errors
    ///
    /// The kernel refuses, or a process does not stop within ten seconds.
    pub fn freeze(&self) -> Result<()> {
        Err(Error::NotYet)
    }

    /// Lets the payload run again.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub fn thaw(&self) -> Result<()> {
        Err(Error::NotYet)
    }

    /// Whether the payload is frozen.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        false
    }

    /// Kills every process of the payload, also of nested groups and when it is frozen.
    ///
    /// # Errors
    ///
    /// The kernel refuses.
    pub fn kill(&self) -> Result<()> {
        Err(Error::NotYet)
    }

    /// The processes of the payload, those of nested groups too.
    ///
    /// # Errors
    ///
    /// The group is gone.
    pub fn pids(&self) -> Result<Vec<i32>> {
        Err(Error::NotYet)
    }

    /// The counters now. What this machine does not count is zero.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats::default()
    }

    /// A descriptor to poll for out-of-memory kills; then ask [`Cgroup::oom_kills`].
    ///
    /// # Errors
    ///
    /// There is no memory controller.
    pub fn oom_events(&self) -> Result<OwnedFd> {
        Err(Error::NotYet)
    }

    /// How many processes of the payload the kernel killed for memory.
    #[must_use]
    pub fn oom_kills(&self) -> u64 {
        0
    }

    /// Removes the groups; they must be empty or about to be. Groups that are gone are fine.
    ///
    /// # Errors
    ///
    /// A process still lives there after two seconds.
    pub fn remove(&self) -> Result<()> {
        Err(Error::NotYet)
    }
}

/// The parent cgroup of a running process: where an engine in a container, or in a
/// delegated unit, has to stay below.
///
/// # Errors
///
/// `/proc` cannot be read.
pub fn own_path(root: &Path) -> Result<PathBuf> {
    let _ = root;
    Err(Error::NotYet)
}
