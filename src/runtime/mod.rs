//! A bundle becomes a process tree: namespaces, mounts, credentials, seccomp, exec.
//!
//! Nothing here knows an image, a network or a name. The caller must have one thread: it
//! is cloned, and the copy sets the container up.
//!
//! ```text
//! caller                          init (a copy of the caller)
//! create(plan) ── clone3 ───────▶ a table of named steps: mounts, pivot, names, limits
//!   … configures the network …      │
//! Created::go_on() ── go on ────▶ users, capabilities, seccomp, execve
//!              ◀── exec'd, or the step that failed with its system call
//! ```

mod error;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use crate::cgroup::Cgroup;
use crate::oci::runtime::Spec;
use crate::sys::probe::Probe;

pub use error::{Error, Result};

/// What to make a container of.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The bundle's `config.json`.
    pub spec: &'a Spec,
    /// The root file system, instead of the one `spec.root.path` names.
    pub root: Root,
    /// Detached trees that the caller made already, by the destination of the mount in
    /// `spec.mounts` whose source they are. The other binds are opened by the runtime.
    pub mounts: Vec<(PathBuf, OwnedFd)>,
    /// Where the payload's standard streams go.
    pub stdio: Stdio,
    /// The cgroup the payload runs in; `None`: the caller's.
    pub cgroup: Option<&'a Cgroup>,
    /// Whether the payload is process 1, or the child of a small init that reaps.
    pub init: Init,
    /// What this kernel and this caller permit.
    pub probe: &'a Probe,
}

/// A root file system.
#[derive(Debug)]
pub enum Root {
    /// A detached mount, as `snapshot::mount` makes it.
    Tree(OwnedFd),
    /// A directory of the host.
    Path(PathBuf),
}

/// Where a process's standard streams go.
#[derive(Debug)]
pub enum Stdio {
    /// A new terminal from the container's own devpts; its master is handed back.
    Terminal {
        /// Columns and rows.
        size: Option<(u16, u16)>,
    },
    /// Standard input, output and error.
    Files([OwnedFd; 3]),
    /// Those of the caller.
    Inherit,
}

/// What runs as process 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Init {
    /// The payload itself.
    Payload,
    /// A small init of ours, which passes signals on and reaps (`--init`).
    Reaper,
}

/// A container whose init is setting itself up.
#[derive(Debug)]
pub struct Created {
    pid: i32,
    pidfd: OwnedFd,
}

/// A container, or a process in one, whose payload has been executed.
#[derive(Debug)]
pub struct Running {
    /// The process id as the caller sees it.
    pub pid: i32,
    /// The process, to poll, signal and wait for.
    pub pidfd: OwnedFd,
    /// The master of its terminal, if it has one.
    pub console: Option<OwnedFd>,
    /// What could not be had and was left out, a sentence each.
    pub warnings: Vec<String>,
}

/// Makes the container's first process and lets it set itself up until [`Created::go_on`].
///
/// The caller must have a single thread.
///
/// # Errors
///
/// What can be told before the clone: a spec that cannot be, sources that are missing,
/// too few privileges. What fails inside is told by [`Created::go_on`].
pub fn create(plan: Plan<'_>) -> Result<Created> {
    let _ = plan;
    Err(Error::NotYet)
}

impl Created {
    /// The process id as the caller sees it.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// The process, to poll, signal and wait for.
    #[must_use]
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// The container's network namespace, at once after [`create`].
    ///
    /// # Errors
    ///
    /// The process is gone, or the namespace is joined by path and cannot be opened.
    pub fn network_namespace(&self) -> Result<OwnedFd> {
        Err(Error::NotYet)
    }

    /// Lets init execute the payload, once its network stands; returns when it has.
    ///
    /// # Errors
    ///
    /// The step of init that failed, with its system call; the process has been reaped.
    pub fn go_on(self) -> Result<Running> {
        Err(Error::NotYet)
    }

    /// Kills and reaps init: the start is off.
    pub fn abandon(self) {}
}

/// A process to run in a container that runs already.
#[derive(Debug)]
pub struct Exec<'a> {
    /// The container's first process.
    pub target: BorrowedFd<'a>,
    /// What to run, as whom, with what.
    pub process: &'a crate::oci::runtime::Process,
    /// The container's spec: which namespaces to join, its seccomp filter, its masks.
    pub spec: &'a Spec,
    /// Where the standard streams go.
    pub stdio: Stdio,
    /// The container's cgroup; `None`: the caller's.
    pub cgroup: Option<&'a Cgroup>,
    /// What this kernel and this caller permit.
    pub probe: &'a Probe,
}

/// Runs one more process in a running container; returns once it was executed.
///
/// The caller must have a single thread.
///
/// # Errors
///
/// The step that failed, with its system call; `ProgramNotFound` and
/// `ProgramNotRunnable` as their own kinds.
pub fn exec(exec: Exec<'_>) -> Result<Running> {
    let _ = exec;
    Err(Error::NotYet)
}
