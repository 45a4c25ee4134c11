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
    /// The controller of a limit is there, but not the file.
    #[error("cannot limit {limit}: this kernel has no {path}")]
    NoFile {
        /// The resource to be limited.
        limit: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// A limit that only cgroup v1 has.
    #[error("`{limit}` needs the cgroup v1 controller `{controller}`, which is not there")]
    OnlyV1 {
        /// The field of `linux.resources`.
        limit: &'static str,
        /// The controller.
        controller: &'static str,
    },
    /// A name in `linux.resources` cannot be used.
    #[error("`linux.resources.{field}`: `{name}` {reason}")]
    Name {
        /// The field.
        field: &'static str,
        /// The name, as it was given.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A limit of memory and swap together that says nothing about swap.
    #[error("cannot limit memory and swap to {both} bytes with {memory}")]
    Swap {
        /// The limit of both.
        both: i64,
        /// The limit of memory alone, in words.
        memory: String,
    },
    /// More memory is in use than a new limit allows, and it is not to be reclaimed.
    #[error("cannot limit memory to {limit} bytes: {used} are in use")]
    InUse {
        /// The new limit.
        limit: u64,
        /// The bytes in use.
        used: u64,
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

impl Error {
    /// Refuses a name in a field of `linux.resources`.
    pub(super) fn name(field: &'static str, name: &str, reason: &'static str) -> Self {
        Self::Name { field, name: name.to_owned(), reason }
    }

    /// Whether the kernel says that a value does not fit.
    pub(super) fn is_unfit(&self) -> bool {
        matches!(self, Self::File { source, .. } if source.raw_os_error() == Some(libc::EINVAL))
    }
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::File { source, .. } => io_kind(source),
            Self::NoController { .. }
            | Self::NotHandedDown { .. }
            | Self::NoFile { .. }
            | Self::OnlyV1 { .. }
            | Self::NoDeviceRules { source: None } => ErrorKind::Unsupported,
            Self::Name { .. } | Self::Swap { .. } => ErrorKind::Invalid,
            Self::NoDeviceRules { source: Some(source) } => source.kind(),
            Self::Call(source) => source.kind(),
            Self::InUse { .. } | Self::Stuck { .. } => ErrorKind::Conflict,
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
