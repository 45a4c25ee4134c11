//! The integration tests, with a module for each suite. They are one program, to link hoist only
//! once.
//!
//! `cargo test --test suite containers::` runs a single suite, and a longer name a single test.
//! Most need root, or root in a user namespace. `tests/all` runs all with everything they need.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod bundle;
mod case;
mod support;

mod behaviour;
mod callers;
mod cgroup;
mod cli;
mod containers;
mod crash;
mod damaged;
mod documents;
mod entry;
mod exec;
mod export;
mod files;
mod folders;
mod host;
mod image;
mod image_crash;
mod layer;
mod layers;
mod monitor;
mod network;
mod newer;
mod oci;
mod oci_hooks;
mod oci_listener;
mod oci_mounts;
mod oci_namespaces;
mod oci_resources;
mod oci_run;
mod oci_scheduling;
mod oci_words;
mod registry;
mod runtime;
mod seams;
mod security;
mod snapshot;
mod tidy;
mod trash;
#[cfg(feature = "tui")]
mod tui;
mod written;
