//! hoist: a container engine without a daemon, and its front ends.
//!
//! The layers are drawn in ARCHITECTURE.md; `tests/suite/tidy.rs` checks who may name whom.

mod base;
mod cgroup;
#[cfg(feature = "cli")]
mod cli;
#[cfg(any(feature = "cli", feature = "tui"))]
mod command;
pub mod config;
mod container;
#[cfg(any(feature = "cli", feature = "tui"))]
mod docker;
pub mod engine;
mod files;
mod image;
mod layer;
mod monitor;
mod network;
mod oci;
mod registry;
mod runtime;
mod snapshot;
mod sys;
mod systemd;

#[cfg(feature = "tui")]
mod tui;

#[doc(hidden)]
pub mod internals;

/// What the program can become: each takes its words, and gives an exit code.
pub mod role {
    #[cfg(feature = "cli")]
    pub use crate::cli::oci::words_of as oci_words;
    #[cfg(feature = "cli")]
    pub use crate::cli::run as command_line;
    pub use crate::engine::trash::helper as empty_trash;
    pub use crate::monitor::main as monitor;

    /// The command line of the embedded runtime.
    #[cfg(feature = "cli")]
    #[must_use]
    pub fn oci(words: Vec<std::ffi::OsString>, environment: &crate::config::Environment) -> i32 {
        let caller = crate::cli::oci::Caller {
            sockets: environment.sockets_passed(),
            bus: environment.text("DBUS_SESSION_BUS_ADDRESS"),
            run: environment.get("XDG_RUNTIME_DIR").map(Into::into),
        };
        crate::cli::oci::run(words, &caller)
    }

    /// The terminal UI.
    #[cfg(feature = "tui")]
    #[must_use]
    pub fn screen(flags: crate::config::Flags, environment: crate::config::Environment) -> u8 {
        crate::sys::process::share_heaps(); // before there are threads
        crate::tui::open(flags, environment)
    }
}

#[cfg(test)]
#[path = "../tests/suite/support/skip.rs"]
mod skip;
