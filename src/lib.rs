//! hoist: a container engine without a daemon, and its front ends.
//!
//! The layers are drawn in ARCHITECTURE.md; `tests/suite/tidy.rs` checks who may name whom.

pub mod base;
pub mod cgroup;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(any(feature = "cli", feature = "tui"))]
pub mod command;
pub mod config;
pub mod container;
#[cfg(any(feature = "cli", feature = "tui"))]
pub mod docker;
pub mod engine;
pub(crate) mod files;
pub mod image;
pub mod layer;
pub mod monitor;
pub mod network;
pub mod oci;
pub mod registry;
pub mod runtime;
pub mod snapshot;
pub mod sys;

#[cfg(feature = "tui")]
pub mod tui;

#[cfg(test)]
#[path = "../tests/suite/support/skip.rs"]
mod skip;
