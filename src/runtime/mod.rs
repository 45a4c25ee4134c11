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

mod attach;
mod channel;
mod confine;
mod create;
mod entry;
mod error;
mod exec;
mod init;
mod interpreter;
mod mask;
mod options;
mod payload;
mod prepare;
mod procfs;
mod progress;
mod reaper;
pub mod seccomp;
mod support;
mod sysctl;
mod target;
mod user;

use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::PathBuf;

use crate::cgroup::Cgroup;
use crate::oci::runtime::Spec;
use crate::sys::probe::Probe;

pub use channel::read_report;
pub use create::{Created, Running, confirm_executed, create};
pub use entry::hear_report;
pub use error::{Error, Result};
pub use exec::exec;

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
    /// Who says when the payload is to be executed.
    pub gate: Gate,
    /// What this kernel and this caller permit.
    pub probe: &'a Probe,
}

/// Who says when the payload is to be executed.
#[derive(Debug)]
pub enum Gate {
    /// The maker, by [`Created::go_on`].
    Maker,
    /// Anyone who writes a byte to `start`; the maker may be gone. Init then speaks to
    /// `report`, which closes with `execve`: see [`hear_report`].
    Fifo {
        /// Opened for reading and writing, so that it never ends.
        start: OwnedFd,
        /// Opened for reading and writing, so that opening it never blocks.
        report: OwnedFd,
    },
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
