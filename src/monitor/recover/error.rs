//! The errors of a recovery.

use std::fmt;

use crate::base::{ContainerId, ErrorKind, Explain, Name, Paths};
use crate::cgroup;
use crate::container::store;
use crate::monitor::launch;

/// A container could not be recovered.
#[derive(Debug, thiserror::Error)]
#[error("cannot {task}")]
pub struct Error {
    /// What failed.
    pub task: Task,
    /// Why it failed.
    #[source]
    pub why: RecoverError,
}

/// A step of a recovery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Read its state.
    Read(Name),
    /// Clean up what its run has left.
    CleanUp(ContainerId),
    /// Record that a user stopped it.
    KeepEnded(Name),
    /// Adopt it with a new monitor.
    Adopt(Name),
    /// Restart it with a new monitor.
    Restart(Name),
    /// Remove it because of `--rm`.
    Remove(Name),
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(name) => write!(f, "read the state of `{name}`"),
            Self::CleanUp(id) => write!(f, "clean up after `{}`", id.short()),
            Self::KeepEnded(name) => {
                write!(f, "prevent `{name}` from being restarted by its policy")
            }
            Self::Adopt(name) => write!(f, "take over `{name}`"),
            Self::Restart(name) => write!(f, "restart `{name}`"),
            Self::Remove(name) => write!(f, "remove `{name}`"),
        }
    }
}

/// Why a recovery failed.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// A state file could not be read or written.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The cgroup could not be read.
    #[error(transparent)]
    Cgroup(#[from] cgroup::Error),
    /// The new monitor failed.
    #[error(transparent)]
    Launch(#[from] launch::Error),
    /// A removal failed.
    #[error(transparent)]
    Monitor(#[from] crate::monitor::Error),
    /// It has processes, but the file or folder that describes them is missing.
    #[error("its processes are running, but its {what} is missing")]
    RunLost {
        /// The file or folder.
        what: &'static str,
        /// The container.
        id: ContainerId,
    },
    /// It has processes, but its folder is missing.
    #[error("its processes are running, but its folder in the data folder is missing")]
    RecordLost,
}

impl RecoverError {
    pub(super) fn run_lost(paths: &Paths, id: &ContainerId) -> Self {
        let what = if store::monitor_lock(paths, id).exists() { "run.json" } else { "run folder" };
        Self::RunLost { what, id: id.clone() }
    }

    /// Whether something must be repaired before it can be recovered. Other errors, such as a lack
    /// of descriptors or a failing disk, say nothing about the container.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::RunLost { .. } | Self::RecordLost => true,
            Self::Store(error) => {
                matches!(error, store::Error::Damaged { .. } | store::Error::DamagedRun { .. })
            }
            Self::Cgroup(_) | Self::Launch(_) | Self::Monitor(_) => false,
        }
    }
}

impl Explain for RecoverError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Cgroup(error) => error.kind(),
            Self::Launch(error) => error.kind(),
            Self::Monitor(error) => error.kind(),
            Self::RunLost { .. } | Self::RecordLost => ErrorKind::Corrupt,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Cgroup(error) => error.hint(),
            Self::Launch(error) => error.hint(),
            Self::Monitor(error) => error.hint(),
            Self::RunLost { id, .. } => Some(store::how_to_end(id)),
            Self::RecordLost => Some(
                "mount the data folder where it was, or kill and remove everything with `hoist system reset`"
                    .to_owned(),
            ),
        }
    }
}

/// The result of a recovery.
pub type Result<T> = std::result::Result<T, Error>;

/// Adds the step that failed.
pub(super) trait During<T> {
    fn during(self, task: impl FnOnce() -> Task) -> Result<T>;
}

impl<T, E: Into<RecoverError>> During<T> for std::result::Result<T, E> {
    fn during(self, task: impl FnOnce() -> Task) -> Result<T> {
        self.map_err(|why| Error { task: task(), why: why.into() })
    }
}
