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
    let mut words = std::env::args_os().skip(1);
    #[cfg(feature = "cli")]
    if words.next().is_some_and(|word| word == "oci") {
        let code = hoist::cli::oci::run(words.collect());
        return ExitCode::from(u8::try_from(code).unwrap_or(255));
    }
    ExitCode::SUCCESS
}
