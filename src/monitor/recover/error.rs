//! Why a container could not be recovered.

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
    /// Why.
    #[source]
    pub why: Why,
}

/// What is done for a container without a monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Its state is read.
    Read(Name),
    /// What its run has left is cleared.
    CleanUp(ContainerId),
    /// It is noted that a person ended it.
    KeepEnded(Name),
    /// Another monitor takes it over.
    Adopt(Name),
    /// Another monitor starts it again.
    Restart(Name),
    /// It is removed, as was wished for its end.
    Remove(Name),
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(name) => write!(f, "read the state of `{name}`"),
            Self::CleanUp(id) => write!(f, "clean up after `{}`", id.short()),
            Self::KeepEnded(name) => {
                write!(f, "keep `{name}` from the start that its restart policy wants")
            }
            Self::Adopt(name) => write!(f, "take over `{name}`"),
            Self::Restart(name) => write!(f, "restart `{name}`"),
            Self::Remove(name) => write!(f, "remove `{name}`"),
        }
    }
}

/// Why it failed.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    /// A state file.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// What its cgroup holds cannot be told.
    #[error(transparent)]
    Cgroup(#[from] cgroup::Error),
    /// The other monitor.
    #[error(transparent)]
    Launch(#[from] launch::Error),
    /// A removal.
    #[error(transparent)]
    Monitor(#[from] crate::monitor::Error),
    /// Its processes are there, and what would tell of them is not.
    #[error("its processes run, but its {what} is missing")]
    RunLost {
        /// The file or folder.
        what: &'static str,
        /// Whose.
        id: ContainerId,
    },
    /// Its processes are there, and its folder is not.
    #[error("its processes run, but its folder in the data folder is missing")]
    RecordLost,
}

impl Why {
    pub(super) fn run_lost(paths: &Paths, id: &ContainerId) -> Self {
        let what = if store::monitor_lock(paths, id).exists() { "run.json" } else { "run folder" };
        Self::RunLost { what, id: id.clone() }
    }

    /// Whether somebody has to change something before it can be recovered. All else, a lack of
    /// descriptors, a disk that fails, says nothing of the container.
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

impl Explain for Why {
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
            Self::RecordLost => {
                Some("mount the data folder where it was; or `hoist system reset` ends everything".to_owned())
            }
        }
    }
}

/// The result of a recovery.
pub type Result<T> = std::result::Result<T, Error>;

/// Adds what was being done.
pub(super) trait During<T> {
    fn during(self, task: impl FnOnce() -> Task) -> Result<T>;
}

impl<T, E: Into<Why>> During<T> for std::result::Result<T, E> {
    fn during(self, task: impl FnOnce() -> Task) -> Result<T> {
        self.map_err(|why| Error { task: task(), why: why.into() })
    }
}
