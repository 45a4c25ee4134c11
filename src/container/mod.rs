//! A container as data: what was asked for, what it became, how it is.
//!
//! ```text
//! Options (the user's words) ──┐
//!                              ├─ Options::resolve ─▶ Options ─ spec ─▶ OCI runtime spec
//! ImageConfig (the image's) ───┘
//! ```
//! `record.json` holds what must outlive a reboot ([`Record`]), `run.json` what must not
//! ([`Run`]). While a monitor lives it is the only writer of both.

pub mod capability;
pub mod detail;
pub mod devices;
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
