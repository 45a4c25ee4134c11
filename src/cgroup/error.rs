//! Errors of cgroup operations.

use std::io;
use std::path::PathBuf;

use crate::base::error::{ErrorKind, Explain, io_kind};

/// The result of a cgroup operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A cgroup could not be created, changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An operation on a file or directory of the cgroup file system failed.
    #[error("cannot {doing} {path}")]
    File {
        /// The operation: `write "100000 50000" to`, `make`, …
        doing: String,
        /// The file.
        path: PathBuf,
        /// The kernel's error.
        source: io::Error,
    },
    /// The machine has no controller for a limit.
    #[error("this machine has no cgroup controller for {limit}")]
    NoController {
        /// The resource to be limited.
        limit: &'static str,
    },
    /// A parent group does not delegate the controller for a limit.
    #[error("the cgroup controller for {limit} is not enabled below {group}")]
    NotHandedDown {
        /// The resource to be limited.
        limit: &'static str,
        /// The group that does not delegate it.
        group: PathBuf,
    },
    /// The container's access to devices could not be restricted.
    #[error("cannot restrict which devices the container uses")]
    NoDeviceRules {
        /// The kernel's error; `None` if there is no group to restrict.
        source: Option<crate::sys::Error>,
    },
    /// A system call failed.
    #[error("cannot show the cgroup to the container")]
    Call(#[from] crate::sys::Error),
    /// Processes did not freeze or die in time.
    #[error("processes in {path} are still {state} after {secs} s")]
    Stuck {
        /// The group.
        path: PathBuf,
        /// `running` or `alive`.
        state: &'static str,
        /// How long this process waited, in seconds.
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
                "mount the cgroup file system writable at /sys/fs/cgroup, or allow all devices with \
                 `--privileged`"
                    .to_owned(),
            ),
            Self::NoDeviceRules { source: Some(_) } => {
                Some("allow hoist to call `bpf`, or allow all devices with `--privileged`".to_owned())
            }
            Self::Call(source) => source.hint(),
            _ => None,
        }
    }
}
