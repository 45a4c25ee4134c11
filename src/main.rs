//! `hoist`: one binary, several roles.
//!
//! The roles that run beside every container come first, before anything is set up that
//! they would pay for: no argument parser, no async runtime, no allocation to speak of.
//!
//! ```text
//! hoist monitor …   one per run: src/monitor/
//! hoist oci …       the embedded runtime for who speaks the OCI runtime specification
//! hoist VERB …      the command line
//! hoist             the terminal UI
//! ```

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::SUCCESS
}
