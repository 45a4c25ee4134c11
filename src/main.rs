//! `hoist`: one binary, several roles.
//!
//! The roles that run beside every container come first, before anything is set up that
//! they would pay for: no argument parser, no async runtime, no allocation to speak of.
//!
//! ```text
//! hoist monitor …   one per run: src/monitor/
//! hoist helper …    slow work that nobody waits for: engine::trash::helper
//! hoist oci …       the embedded runtime for who speaks the OCI runtime specification
//! hoist VERB …      the command line
//! hoist             the terminal UI
//! ```

use std::process::ExitCode;

#[cfg(feature = "cli")]
use hoist::config::{Environment, Flags};

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    if let Some((first, rest)) = words.split_first()
        && first == "monitor"
    {
        return hoist::role::monitor(rest.iter().cloned());
    }
    if let [role, work, rest @ ..] = words.as_slice()
        && role == "helper"
        && work == "empty-trash"
    {
        return hoist::role::empty_trash(rest.iter().cloned());
    }
    #[cfg(feature = "cli")]
    {
        if let Some(words) = oci_words(&words) {
            let code = hoist::role::oci(words, &Environment::read());
            return ExitCode::from(u8::try_from(code).unwrap_or(255));
        }
        ExitCode::from(hoist::role::command_line(words, Environment::read(), screen))
    }
    #[cfg(not(feature = "cli"))]
    ExitCode::SUCCESS
}

/// Returns the words of a command line of the embedded runtime: those of `hoist oci`, or of a link to
/// hoist with the name `hoist-oci`, for callers that take a single program.
#[cfg(feature = "cli")]
fn oci_words(words: &[std::ffi::OsString]) -> Option<Vec<std::ffi::OsString>> {
    let program = std::env::args_os().next().unwrap_or_default();
    match std::path::Path::new(&program).file_name() {
        Some(name) if name == "hoist-oci" => Some(words.to_vec()),
        _ => hoist::role::oci_words(words),
    }
}

/// No verb was given: the terminal UI.
#[cfg(all(feature = "cli", feature = "tui"))]
fn screen(flags: Flags, environment: Environment) -> u8 {
    hoist::role::screen(flags, environment)
}

/// No verb was given, and there is nothing to show.
#[cfg(all(feature = "cli", not(feature = "tui")))]
fn screen(_flags: Flags, _environment: Environment) -> u8 {
    use std::io::Write;
    // Nobody is left to be told when this fails.
    let _ = writeln!(
        std::io::stderr(),
        "error: this build of hoist has no terminal UI\nhint: see `hoist --help`"
    );
    1
}
