//! Errors for Docker's options that hoist does not support, so that they are not reported as
//! unknown. The rows of the verbs list them.

use super::table::Verb;
use super::usage::Usage;

/// Docker's global options that concern the daemon.
const GLOBALS: &[&str] = &[
    "--context",
    "-c",
    "--host",
    "-H",
    "--log-level",
    "-l",
    "--tls",
    "--tlscacert",
    "--tlscert",
    "--tlskey",
    "--tlsverify",
];

/// Returns the error for an option that Docker has and hoist does not.
pub(super) fn option(verb: &Verb, written: &str) -> Option<Usage> {
    let spelled = verb.lacks().find(|names| names.split(", ").any(|name| name == written))?;
    let long = spelled.rsplit(", ").next().unwrap_or(spelled);
    Some(Usage::flag(format!("{long} is not supported yet"), &verb.name()))
}

/// Returns the error for an option before the verb.
pub(super) fn global(word: &str) -> Usage {
    let name = word.split('=').next().unwrap_or(word);
    if GLOBALS.contains(&name) {
        let hint = "hoist has no daemon; use `--root` and `--run-root` to choose another engine";
        return Usage::argument(format!("{name} is not supported")).hint(hint);
    }
    Usage::flag(format!("unknown flag: {name}"), "hoist")
}
