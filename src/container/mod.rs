//! Containers as data: what was requested, what it resolved to, and its current state.
//!
//! ```text
//! Options (the user's words) ──┐
//!                              ├─ Options::resolve ─▶ Options ─ spec ─▶ OCI runtime spec
//! ImageConfig (the image's) ───┘
//! ```
//! `record.json` holds what must survive a reboot ([`Record`]), `run.json` what must not ([`Run`]).
//! While a container's monitor is alive, only the monitor writes them.

pub mod capability;
pub mod detail;
pub mod devices;
pub mod exec;
pub mod history;
pub mod log;
pub mod name;
pub mod options;
pub mod process;
pub mod record;
pub mod sample;
pub mod spec;
pub mod status;
pub mod store;
pub mod top;

pub use options::{
    Bind, LifecycleOptions, LogOptions, MountKind, MountOptions, MountRequest, NetworkMode, NetworkOptions,
    Options, ProcessOptions, Propagation, PullPolicy, Relabel, ResourceOptions, RestartPolicy, Seccomp,
    SecurityOptions, Streams, Submounts, Tmpfs, Ulimit,
};
pub use record::{ExitState, Process, Record, Run};
pub use status::{Conflict, Status, Verb};
