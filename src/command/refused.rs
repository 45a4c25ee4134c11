//! Docker's options that hoist does not have: each is refused by name instead of as a misspelling.
//! Which these are, the rows of the verbs say.

use super::table::Verb;
use super::usage::Usage;

/// Global options of Docker that mean a daemon, and so nothing here.
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

/// The refusal of an option that Docker has and hoist lacks.
pub(super) fn option(verb: &Verb, written: &str) -> Option<Usage> {
    let spelled = verb.lacks().find(|names| names.split(", ").any(|name| name == written))?;
    let long = spelled.rsplit(", ").next().unwrap_or(spelled);
    Some(Usage::flag(format!("{long} is not supported yet"), &verb.name()))
}

/// The refusal of an option before the verb.
pub(super) fn global(word: &str) -> Usage {
    let name = word.split('=').next().unwrap_or(word);
    if GLOBALS.contains(&name) {
        let hint = "hoist talks to no daemon; `--root` and `--run-root` choose another engine";
        return Usage::argument(format!("{name} is not supported")).hint(hint);
    }
    Usage::flag(format!("unknown flag: {name}"), "hoist")
}
