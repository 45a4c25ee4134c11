//! What can go wrong with a cgroup.

use std::io;
use std::path::PathBuf;

use crate::base::error::{ErrorKind, Explain, io_kind};

/// The result of a cgroup call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a cgroup could not be made, changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory of the cgroup file system refused.
    #[error("cannot {doing} {path}")]
    File {
        /// `write "100000 50000" to`, `make`, …
        doing: String,
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The controller for a limit is not there.
    #[error("this machine has no cgroup controller for {limit}")]
    NoController {
        /// What was to be limited.
        limit: &'static str,
    },
    /// The controller for a limit is there, but not for the container.
    #[error("the cgroup controller for {limit} is not handed down by {group}")]
    NotHandedDown {
        /// What was to be limited.
        limit: &'static str,
        /// The group that keeps it.
        group: PathBuf,
    },
    /// Nothing would keep the container from the machine's devices.
    #[error("cannot restrict which devices the container uses")]
    NoDeviceRules {
        /// What the kernel said; `None` where there is no group to restrict.
        source: Option<crate::sys::Error>,
    },
    /// A system call failed.
    #[error("cannot show the cgroup to the container")]
    Call(#[from] crate::sys::Error),
    /// Processes neither froze nor died in time.
    #[error("processes in {path} are still {state} after {secs} s")]
    Stuck {
        /// The group.
        path: PathBuf,
        /// `running` or `alive`.
        state: &'static str,
        /// How long was waited.
        secs: u64,
    },
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::File { source, .. } => io_kind(source),
            Self::NoController { .. } | Self::NotHandedDown { .. } | Self::NoDeviceRules { source: None } => {
                ErrorKind::Unsupported
            }
            Self::NoDeviceRules { source: Some(source) } => source.kind(),
            Self::Call(source) => source.kind(),
            Self::Stuck { .. } => ErrorKind::Conflict,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotHandedDown { group, .. } => Some(format!(
                "move the processes in {0}/cgroup.procs into a group below {0}",
                group.display()
            )),
            Self::NoDeviceRules { source: None } => Some(
                "mount the cgroup file system writable at /sys/fs/cgroup; a container with `--privileged` \
                 uses every device"
                    .to_owned(),
            ),
            Self::NoDeviceRules { source: Some(_) } => Some(
                "allow hoist to call `bpf`; a container with `--privileged` uses every device".to_owned(),
            ),
            Self::Call(source) => source.hint(),
            _ => None,
        }
    }
}
