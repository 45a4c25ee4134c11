//! The errors of the runtime.

use std::path::PathBuf;

use super::payload;
use crate::base::error::{ErrorKind, Explain};
use crate::base::program::CONVERT_LINE_ENDS;
use crate::sys;

/// The result of a runtime call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A container, or a process in one, could not be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A step of init failed because of a system call.
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
        /// What is known about the failure.
        source: Cause,
    },
    /// The program does not exist in the container.
    #[error("exec: `{program}`: executable file not found in the container")]
    ProgramNotFound {
        /// The program as requested.
        program: String,
    },
    /// The program exists, but the interpreter named by its file does not.
    #[error("exec: `{program}`: its interpreter{} is not in the container", named(.interpreter.as_deref()))]
    NoInterpreter {
        /// The program as requested.
        program: String,
        /// The dynamic linker, or the program of the `#!` line; `None` if it could not be read.
        interpreter: Option<String>,
    },
    /// The program exists, but the kernel does not execute it.
    #[error("exec: `{program}` cannot be executed")]
    ProgramNotRunnable {
        /// The program as requested.
        program: String,
        /// The kernel's error.
        source: sys::Error,
    },
    /// The working directory is outside the root.
    #[error("the working directory `{path}` is outside the container")]
    OutsideRoot {
        /// The directory as requested.
        path: PathBuf,
    },
    /// The working directory does not exist.
    #[error("the working directory `{path}` does not exist in the container")]
    NoWorkdir {
        /// The directory as requested.
        path: PathBuf,
    },
    /// The spec contains something invalid or unsupported.
    #[error("`{field}`: {why}")]
    Spec {
        /// The field of `config.json`.
        field: String,
        /// What is wrong with it.
        why: String,
    },
    /// The container's user or group database lacks the requested name.
    #[error("unable to find {what} `{name}`: no matching entry in the container's {file} file")]
    UnknownUser {
        /// `user` or `group`.
        what: &'static str,
        /// The name as requested.
        name: String,
        /// `passwd` or `group`.
        file: &'static str,
    },
    /// This kernel or this caller lacks something required to run containers.
    #[error("{missing}")]
    NotPermitted {
        /// What is missing.
        missing: &'static str,
    },
    /// Init died without a message.
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

/// What is known about a step that failed under the seccomp filter.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The system call.
    #[error(transparent)]
    Call(sys::Error),
    /// Only the errno: the filter did not permit reporting more.
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
    /// Creates the error for an invalid or unsupported field of the spec.
    pub(super) fn spec(field: &str, why: &str) -> Self {
        Self::Spec { field: field.to_owned(), why: why.to_owned() }
    }

    /// Returns the kernel's errno; 0 if there is none.
    pub(super) fn errno(&self) -> i32 {
        match self {
            Self::Step { source, .. } | Self::ProgramNotRunnable { source, .. } | Self::Prepare(source) => {
                source.errno()
            }
            Self::Filtered { source, .. } => source.errno(),
            _ => 0,
        }
    }

    /// Marks an error of a step as possibly caused by the filter, unless a resource is exhausted.
    pub(super) fn under_filter(self) -> Self {
        match self {
            Self::Step { step, source } if !is_shortage(source.errno()) => {
                Self::Filtered { step, source: Cause::Call(source) }
            }
            other => other,
        }
    }

    /// Attributes an error of a system call to this step.
    pub(super) fn in_step(self, step: String) -> Self {
        match self {
            Self::Prepare(source) => Self::Step { step, source },
            other => other,
        }
    }
}

/// Returns ` /lib/ld-musl-x86_64.so.1` in back-ticks, if known.
fn named(interpreter: Option<&str>) -> String {
    interpreter.map(|path| format!(" `{path}`")).unwrap_or_default()
}

/// Whether the errno means a lack of resources, whatever the filter.
pub(super) fn is_shortage(errno: i32) -> bool {
    [libc::EAGAIN, libc::ENOMEM, libc::EMFILE, libc::ENFILE].contains(&errno)
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Step { source, .. } | Self::Prepare(source) => source.kind(),
            // As in Docker: the kernel returns the same errno for both.
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
                Some(format!("the profile probably forbids a system call that this step needs: allow {calls}"))
            }
            Self::ProgramNotRunnable { source, .. } if source.is(rustix::io::Errno::PERM) => Some(
                "its seccomp profile forbids `execve`, or the file has capabilities that the container does not have"
                    .to_owned(),
            ),
            Self::NoInterpreter { interpreter: Some(name), .. } if name.ends_with("\\r") => {
                Some(CONVERT_LINE_ENDS.to_owned())
            }
            Self::NoInterpreter { .. } => {
                Some("use an image that has it, or a program that needs none".to_owned())
            }
            Self::NotPermitted { .. } => Some("run it as root: `sudo hoist …`".to_owned()),
            _ => None,
        }
    }
}
