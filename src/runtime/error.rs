//! What can go wrong between a bundle and its running payload.

use std::path::PathBuf;

use super::payload;
use crate::base::error::{ErrorKind, Explain};
use crate::sys;

/// The result of a runtime call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a container, or a process in one, could not be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A step of init failed; the system call is the cause.
    #[error("container set-up stopped at: {step}")]
    Step {
        /// The step's name.
        step: String,
        /// The system call with its arguments and errno.
        source: sys::Error,
    },
    /// A step under the seccomp filter failed or was killed.
    #[error("the program cannot be started under its seccomp profile: {step}")]
    Filtered {
        /// The step's name.
        step: String,
        /// What is known of it.
        source: Cause,
    },
    /// The program is not in the container.
    #[error("exec: `{program}`: executable file not found in the container")]
    ProgramNotFound {
        /// The program as it was asked for.
        program: String,
    },
    /// The program is there, but not the interpreter that its file names.
    #[error("exec: `{program}`: its interpreter{} is not in the container", named(.interpreter.as_deref()))]
    NoInterpreter {
        /// The program as it was asked for.
        program: String,
        /// The dynamic linker, or what the `#!` line names; `None` where it could not be read.
        interpreter: Option<String>,
    },
    /// The program is there, but the kernel does not run it.
    #[error("exec: `{program}` cannot be executed")]
    ProgramNotRunnable {
        /// The program as it was asked for.
        program: String,
        /// What the kernel said.
        source: sys::Error,
    },
    /// The working directory is not inside the root.
    #[error("the working directory `{path}` leads out of the container")]
    OutsideRoot {
        /// The directory as it was asked for.
        path: PathBuf,
    },
    /// There is no such working directory.
    #[error("the working directory `{path}` does not exist in the container")]
    NoWorkdir {
        /// The directory as it was asked for.
        path: PathBuf,
    },
    /// The spec asks for what cannot be or what is not supported.
    #[error("`{field}`: {why}")]
    Spec {
        /// Where in `config.json`.
        field: String,
        /// What is wrong with it.
        why: String,
    },
    /// The user or group to run as is not known in the container.
    #[error("unable to find {what} `{name}`: no matching entry in the container's {file} file")]
    UnknownUser {
        /// `user` or `group`.
        what: &'static str,
        /// The name as it was asked for.
        name: String,
        /// `passwd` or `group`.
        file: &'static str,
    },
    /// This kernel or this caller cannot contain anything.
    #[error("{missing}")]
    NotPermitted {
        /// What is missing.
        missing: &'static str,
    },
    /// Init died without a word.
    #[error("container init died during set-up ({status})")]
    Died {
        /// How it ended.
        status: String,
    },
    /// A system call of the caller failed.
    #[error("cannot prepare the container")]
    Prepare(#[from] sys::Error),
    /// The cgroup cannot be used.
    #[error("cannot use the container's cgroup")]
    Cgroup(#[source] crate::cgroup::Error),
}

/// What is known of a step that failed under the seccomp filter.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The system call.
    #[error(transparent)]
    Call(sys::Error),
    /// The error number alone: the filter forbade to tell more.
    #[error(transparent)]
    Errno(std::io::Error),
    /// How the process ended.
    #[error("it ended {0}")]
    Ended(String),
}

impl Cause {
    fn errno(&self) -> i32 {
        match self {
            Self::Call(error) => error.errno(),
            Self::Errno(error) => error.raw_os_error().unwrap_or(0),
            Self::Ended(_) => 0,
        }
    }
}

impl Error {
    /// The spec asks for what cannot be, or what is not supported.
    pub(super) fn spec(field: &str, why: &str) -> Self {
        Self::Spec { field: field.to_owned(), why: why.to_owned() }
    }

    /// Why the kernel refused; 0 where it did not.
    pub(super) fn errno(&self) -> i32 {
        match self {
            Self::Step { source, .. } | Self::ProgramNotRunnable { source, .. } | Self::Prepare(source) => {
                source.errno()
            }
            Self::Filtered { source, .. } => source.errno(),
            _ => 0,
        }
    }

    /// The same failure of a step where a filter may be the cause: none is of what is used up.
    pub(super) fn under_filter(self) -> Self {
        match self {
            Self::Step { step, source } if !is_shortage(source.errno()) => {
                Self::Filtered { step, source: Cause::Call(source) }
            }
            other => other,
        }
    }

    /// The same failure as that of this step, if it is one of a system call.
    pub(super) fn in_step(self, step: String) -> Self {
        match self {
            Self::Prepare(source) => Self::Step { step, source },
            other => other,
        }
    }
}

/// ` /lib/ld-musl-x86_64.so.1` in back-ticks, where it is known.
fn named(interpreter: Option<&str>) -> String {
    interpreter.map(|path| format!(" `{path}`")).unwrap_or_default()
}

/// Whether the kernel refuses for lack of something, whatever the filter.
pub(super) fn is_shortage(errno: i32) -> bool {
    [libc::EAGAIN, libc::ENOMEM, libc::EMFILE, libc::ENFILE].contains(&errno)
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Step { source, .. } | Self::Prepare(source) => source.kind(),
            // As in Docker: the kernel says the same of both.
            Self::ProgramNotFound { .. } | Self::NoInterpreter { .. } => ErrorKind::ProgramNotFound,
            Self::ProgramNotRunnable { .. } | Self::OutsideRoot { .. } | Self::NoWorkdir { .. } => {
                ErrorKind::ProgramNotRunnable
            }
            Self::Spec { .. } | Self::UnknownUser { .. } => ErrorKind::Invalid,
            Self::NotPermitted { .. } => ErrorKind::Denied,
            Self::Cgroup(source) => source.kind(),
            Self::Filtered { .. } => ErrorKind::Denied,
            Self::Died { .. } => ErrorKind::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Step { source, .. } | Self::Prepare(source) => source.hint(),
            Self::Filtered { step, .. } => {
                let calls = payload::calls_of(step);
                Some(format!("the profile probably forbids what this step calls: allow {calls} in it"))
            }
            Self::ProgramNotRunnable { source, .. } if source.is(rustix::io::Errno::PERM) => Some(
                "its seccomp profile forbids `execve`, or the file has capabilities that the container does not"
                    .to_owned(),
            ),
            Self::NoInterpreter { interpreter: Some(name), .. } if name.ends_with("\\r") => {
                Some("its first line ends as Windows ends lines: convert it, for example with `dos2unix`".to_owned())
            }
            Self::NoInterpreter { .. } => {
                Some("use an image that has it, or a program that needs none".to_owned())
            }
            Self::NotPermitted { .. } => Some("run it as root: `sudo hoist …`".to_owned()),
            _ => None,
        }
    }
}
