//! Turns a bundle into a process tree: namespaces, mounts, credentials, seccomp, execve.
//!
//! This module does not know images, networks or names. The caller must be single-threaded: it is
//! cloned, and the copy sets up the container.
//!
//! ```text
//! caller                          init (a copy of the caller)
//! create(plan) ── clone3 ───────▶ a table of named steps: mounts, pivot, names, limits
//!   … configures the network …      │
//! Created::go_on() ── go on ────▶ users, capabilities, seccomp, execve
//!              ◀── executed, or the failed step with its system call
//! ```

mod attach;
mod channel;
mod confine;
mod copyup;
mod create;
mod entry;
mod error;
mod exec;
pub mod hook;
mod idmap;
mod init;
mod interpreter;
mod listener;
mod mask;
mod namespaces;
mod options;
mod payload;
mod prepare;
mod procfs;
mod progress;
mod reaper;
mod scheduling;
pub mod seccomp;
mod state;
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

/// Returns the names of the mount options that mean the same for every file system.
#[must_use]
pub fn mount_options() -> Vec<String> {
    options::names()
}

/// The parameters of a new container.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The bundle's `config.json`.
    pub spec: &'a Spec,
    /// The root file system, which replaces `spec.root.path`.
    pub root: Root,
    /// Detached trees that the caller has created, with the destinations of their mounts in
    /// `spec.mounts`. The runtime opens the other binds.
    pub mounts: Vec<(PathBuf, OwnedFd)>,
    /// The payload's standard streams.
    pub stdio: Stdio,
    /// The payload's cgroup; `None` means the caller's.
    pub cgroup: Option<&'a Cgroup>,
    /// Whether the payload is process 1, or the child of a small init that reaps processes.
    pub init: Init,
    /// Who starts the payload.
    pub gate: Gate,
    /// Descriptors that the payload gets as 3, 4, …, which are their numbers here.
    pub passed: Vec<OwnedFd>,
    /// What to do with a link of the root file system where a procfs or sysfs is mounted.
    pub links: Links,
    /// Whether the payload has a session keyring of its own.
    pub keyring: Keyring,
    /// The hooks, of which those up to the start are run. Without them, a spec with hooks is refused.
    pub hooks: Option<hook::Calls>,
    /// The features of this kernel and the privileges of the caller.
    pub probe: &'a Probe,
}

/// Who starts the payload.
#[derive(Debug)]
pub enum Gate {
    /// The creator, with [`Created::go_on`].
    Maker,
    /// Anyone who writes a byte to `start`, even after the creator has exited. Init reports to
    /// `report`, which is closed by `execve`: see [`hear_report`].
    Fifo {
        /// Opened for reading and writing, to avoid end of file.
        start: OwnedFd,
        /// Opened for reading and writing, so that opening it does not block.
        report: OwnedFd,
    },
}

/// A root file system.
#[derive(Debug)]
pub enum Root {
    /// A detached mount, as created by `snapshot::mount`.
    Tree(OwnedFd),
    /// A directory of the host.
    Path(PathBuf),
}

/// The standard streams of a process.
#[derive(Debug)]
pub enum Stdio {
    /// A new terminal of the container's devpts, whose master is returned.
    Terminal {
        /// Columns and rows.
        size: Option<(u16, u16)>,
    },
    /// Standard input, output and error.
    Files([OwnedFd; 3]),
    /// The caller's streams.
    Inherit,
}

/// What happens to a symbolic link, or a file, in the place of a procfs or sysfs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// It is refused, wherever these are mounted.
    Refuse,
    /// A directory replaces it at `/proc` and `/sys`.
    Replace,
}

/// The session keyring of a process, see keyrings(7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyring {
    /// A new one.
    Own,
    /// The caller's.
    Callers,
}

/// What runs as process 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Init {
    /// The payload itself.
    Payload,
    /// A small init of hoist, which forwards signals and reaps processes (`--init`).
    Reaper,
}

/// The parameters of a process in a running container.
#[derive(Debug)]
pub struct Exec<'a> {
    /// The container's init.
    pub target: BorrowedFd<'a>,
    /// The process to execute.
    pub process: &'a crate::oci::runtime::Process,
    /// The container's spec, for its namespaces, seccomp filter and masks.
    pub spec: &'a Spec,
    /// What an agent of its seccomp filter is told about the container. Without it, a filter with
    /// one is refused.
    pub calls: Option<hook::Calls>,
    /// The standard streams.
    pub stdio: Stdio,
    /// Descriptors that the process gets as 3, 4, …, which are their numbers here.
    pub passed: Vec<OwnedFd>,
    /// The container's cgroup; `None` means the caller's.
    pub cgroup: Option<&'a Cgroup>,
    /// The features of this kernel and the privileges of the caller.
    pub probe: &'a Probe,
}
