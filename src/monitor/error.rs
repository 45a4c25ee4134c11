//! The errors of a monitor.

use crate::base::{ErrorKind, Explain, disk};
use crate::container::options::NotUnderstood;
use crate::container::store;
use crate::{cgroup, network, runtime, snapshot, sys};

/// A failure of a monitor.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program does not exist in the container.
    #[error("exec: \"{program}\": {}", missing(.program))]
    ProgramNotFound {
        /// The program as requested.
        program: String,
    },
    /// The embedded runtime failed.
    #[error(transparent)]
    Runtime(runtime::Error),
    /// The root file system could not be created.
    #[error("cannot create the root file system")]
    Root(#[from] snapshot::Error),
    /// The network could not be connected.
    #[error("cannot connect the container to its network")]
    Network(#[from] network::Error),
    /// The cgroup could not be set up.
    #[error("cannot set up the container's cgroup")]
    Cgroup(#[from] cgroup::Error),
    /// A state file of the container could not be read or written.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Another file could not be read or written.
    #[error(transparent)]
    Disk(#[from] disk::Error),
    /// A system call failed.
    #[error(transparent)]
    Sys(#[from] sys::Error),
    /// The source of a bind does not exist.
    #[error("bind source path does not exist: {0}")]
    NoSource(std::path::PathBuf),
    /// An AppArmor profile that was requested by name is not loaded.
    #[error("the AppArmor profile `{0}` is not loaded")]
    NoProfile(String),
    /// The default AppArmor profile of another version of hoist is no longer loaded.
    #[error(
        "the AppArmor profile `{0}` is not loaded; another version of hoist started the container with it"
    )]
    OldProfile(String),
    /// SELinux is enabled, but its policy has no labels for containers.
    #[error("the SELinux policy has no labels for containers: {path}")]
    NoLabels {
        /// The file that should contain them.
        path: String,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The record contains something by a newer hoist that a start must understand.
    #[error(transparent)]
    NotUnderstood(#[from] NotUnderstood),
    /// There is nothing to monitor.
    #[error("the container is not running")]
    NotRunning,
    /// Another monitor is running for the container.
    #[error("another monitor is already running for the container")]
    Taken,
    /// `hoist monitor` was called manually.
    #[error("`hoist monitor` is for internal use only: {0}")]
    Usage(&'static str),
}

/// Docker's words: paths are checked directly, names are searched in `$PATH`.
fn missing(program: &str) -> String {
    if program.contains('/') {
        format!("stat {program}: no such file or directory")
    } else {
        "executable file not found in $PATH".to_owned()
    }
}

impl From<runtime::Error> for Error {
    fn from(error: runtime::Error) -> Self {
        match error {
            runtime::Error::ProgramNotFound { program } => Self::ProgramNotFound { program },
            error => Self::Runtime(error),
        }
    }
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::ProgramNotFound { .. } => ErrorKind::ProgramNotFound,
            Self::Runtime(error) => error.kind(),
            Self::Root(error) => error.kind(),
            Self::Network(error) => error.kind(),
            Self::Cgroup(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Disk(error) => error.kind(),
            Self::Sys(error) => error.kind(),
            Self::NoSource(_) | Self::NoProfile(_) | Self::Usage(_) => ErrorKind::Invalid,
            Self::NoLabels { .. } | Self::NotUnderstood(_) => ErrorKind::Unsupported,
            Self::OldProfile(_) => ErrorKind::Conflict,
            Self::NotRunning | Self::Taken => ErrorKind::Conflict,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Runtime(error) => error.hint(),
            Self::Root(error) => error.hint(),
            Self::Network(error) => error.hint(),
            Self::Cgroup(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Disk(error) => error.hint(),
            Self::Sys(error) => error.hint(),
            Self::NotUnderstood(error) => error.hint(),
            Self::NoSource(_) => Some("create it first, or use `-v`, which creates it".to_owned()),
            Self::NoLabels { .. } => {
                Some("install the package container-selinux, or omit `--security-opt label=`".to_owned())
            }
            Self::OldProfile(_) => Some("restart the container to apply the current profile".to_owned()),
            Self::NoProfile(_) => Some(
                "load it with `apparmor_parser -r FILE`, or omit `--security-opt apparmor=` to use the \
                 default profile"
                    .to_owned(),
            ),
            Self::ProgramNotFound { .. } | Self::NotRunning | Self::Taken | Self::Usage(_) => None,
        }
    }
}

/// A verb that a monitor rejects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The request of a newer hoist is unknown.
    #[error("the container was started by hoist {}, which cannot do this", env!("CARGO_PKG_VERSION"))]
    Unknown,
    /// A session of `exec` does not support this verb.
    #[error("an exec session does not support this")]
    Session,
    /// The maximum number of clients is reached.
    #[error("too many clients are attached")]
    Full,
}

impl Explain for Refused {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unknown | Self::Session => ErrorKind::Unsupported,
            Self::Full => ErrorKind::Conflict,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown => Some("restart the container to use this feature".to_owned()),
            Self::Session => None,
            Self::Full => Some("detach one of them".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_told_in_dockers_words() {
        for (program, message) in [
            ("foo", "exec: \"foo\": executable file not found in $PATH"),
            ("/bin/foo", "exec: \"/bin/foo\": stat /bin/foo: no such file or directory"),
        ] {
            let error = Error::from(runtime::Error::ProgramNotFound { program: program.to_owned() });
            assert_eq!((error.to_string().as_str(), error.kind()), (message, ErrorKind::ProgramNotFound));
        }
    }
}
