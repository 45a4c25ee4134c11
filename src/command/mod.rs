//! The grammar that converts between arguments and requests. The command line and the TUI's `:`
//! line share it.
//!
//! ```text
//! arguments ── global flags ── verb (a table) ── clap ── Words::asked ──▶ Request ── resolve ──▶ Resolved
//!                                                            pure                   files, variables, folder
//! CreateRequest ── equivalent::run ──▶ arguments
//! ```
//! Nothing here talks to an engine. [`parse`] uses only the arguments; [`Request::resolve`] reads
//! what they refer to. Only the requested verb is built, since building the whole tree of options
//! takes longer than many verbs run.
//!
//! A verb is a row in the file of its noun ([`table`]), next to the arguments it takes. A noun is
//! such a file, a variant of [`Request`] and a row of [`NOUNS`].

mod complete;
pub mod container;
mod create;
mod empty;
pub mod equivalent;
mod field;
mod fields;
pub mod flags;
mod help;
pub mod image;
mod keys;
#[cfg(test)]
pub(crate) mod man;
pub mod network;
mod options;
#[cfg(test)]
pub(crate) mod reference;
mod refused;
mod resolve;
mod suggest;
pub mod system;
mod table;
mod usage;
pub mod volume;
mod words;

use std::path::PathBuf;

use clap::{ArgMatches, FromArgMatches};

use crate::config::Flags;
use table::Noun;

pub use complete::completion;
pub use field::{Field, Kind, NameKind, Section};
pub use fields::FIELDS;
pub use keys::{DEFAULT_DETACH, Keys};
pub use resolve::{Resolved, World};
pub use suggest::{Suggestions, choices, suggest};
pub use table::{Verb, summary};
pub use usage::Usage;
pub use words::{join, split};

/// A parsed command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The global flags as written, such as `--root`.
    pub flags: Flags,
    /// `-D`
    pub debug: bool,
    /// The request.
    pub request: Request,
}

/// A request, by noun. Files that it refers to have not been read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "a noun each")]
pub enum Request {
    /// Shows this text.
    Show(String),
    /// No verb was given: opens the terminal UI.
    Nothing,
    Container(container::Request),
    Image(image::Request),
    Network(network::Request),
    System(system::Request),
    Volume(volume::Request),
}

/// The nouns, in the order of the overview.
const NOUNS: &[Noun] = &[container::NOUN, image::NOUN, network::NOUN, volume::NOUN, system::NOUN];

/// Docker's nouns that hoist does not support.
const LACKING: &[&str] = &[
    "builder",
    "buildx",
    "checkpoint",
    "compose",
    "config",
    "context",
    "manifest",
    "node",
    "plugin",
    "secret",
    "service",
    "stack",
    "swarm",
    "trust",
];

impl Request {
    /// Returns the verb, if it has one.
    #[must_use]
    pub fn verb(&self) -> Option<&'static Verb> {
        Some(match self {
            Self::Show(_) | Self::Nothing => return None,
            Self::Container(request) => request.verb(),
            Self::Image(request) => request.verb(),
            Self::Network(request) => request.verb(),
            Self::System(request) => request.verb(),
            Self::Volume(request) => request.verb(),
        })
    }

    /// Returns whether it may change anything.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.verb().is_some_and(Verb::changes)
    }
}

/// The arguments of a verb, as clap parses them.
trait Words: clap::Args + FromArgMatches {
    /// The request that they make.
    type Asked;

    /// Converts the arguments to a request.
    ///
    /// # Errors
    ///
    /// Options contradict each other, or a value is invalid.
    fn asked(self) -> Result<Self::Asked, Usage>;
}

/// Implements [`Words`] for arguments that are the request themselves.
macro_rules! plain {
    ($($name:ident)*) => {$(
        impl $crate::command::Words for $name {
            type Asked = Self;

            fn asked(self) -> Result<Self, $crate::command::Usage> {
                Ok(self)
            }
        }
    )*};
}
use plain;

/// Parses a command line, without the program's name. What it refers to is left to
/// [`Request::resolve`].
///
/// # Errors
///
/// [`Usage`], with Docker's exit code.
pub fn parse(words: &[String]) -> Result<Parsed, Usage> {
    let mut parsed = Parsed { flags: Flags::default(), debug: false, request: Request::Nothing };
    let mut rest = words;
    while let Some((word, tail)) = rest.split_first() {
        let (name, attached) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ => (word.as_str(), None),
        };
        let slot = match name {
            "--root" => &mut parsed.flags.root,
            "--run-root" => &mut parsed.flags.run_root,
            "--config" => &mut parsed.flags.file,
            "--read-only" if attached.is_none() => {
                parsed.flags.read_only = true;
                rest = tail;
                continue;
            }
            "-D" | "--debug" => {
                parsed.debug = true;
                rest = tail;
                continue;
            }
            "-v" | "--version" => {
                parsed.request = Request::Show(format!("hoist version {}\n", env!("CARGO_PKG_VERSION")));
                return Ok(parsed);
            }
            "--help" | "-h" | "help" if tail.is_empty() => {
                parsed.request = Request::Show(table::overview());
                return Ok(parsed);
            }
            // Handle `hoist help run`.
            "help" => {
                let words: Vec<_> = tail.iter().cloned().chain(["--help".to_owned()]).collect();
                parsed.request = verb(&words)?;
                return Ok(parsed);
            }
            _ if word.starts_with('-') => return Err(refused::global(word)),
            // The flag has no effect on a verb, so accepting it would be misleading.
            _ if parsed.flags.read_only => {
                return Err(Usage::argument(
                    "--read-only is for the terminal UI and cannot be used with a command",
                )
                .hint("run `hoist --read-only` without a command"));
            }
            // `hoist oci --root` means something else.
            "oci" => {
                return Err(Usage::argument("global options cannot be used with `oci`")
                    .hint("put options after `hoist oci`: see `hoist oci --help`"));
            }
            _ => {
                parsed.request = verb(rest)?;
                return Ok(parsed);
            }
        };
        let (path, after) = path_of(name, attached, tail)?;
        *slot = Some(path);
        rest = after;
    }
    Ok(parsed)
}

/// Returns the path of a global flag, which may be attached to it, and the words after it.
fn path_of<'a>(
    flag: &str,
    attached: Option<&'a str>,
    tail: &'a [String],
) -> Result<(PathBuf, &'a [String]), Usage> {
    let value = match attached {
        Some(value) => Some((value, tail)),
        None => tail.split_first().map(|(value, after)| (value.as_str(), after)),
    };
    // An empty path would mean the current folder, and falling back to the default would be
    // unexpected too.
    match value {
        Some((path, after)) if !path.is_empty() => Ok((path.into(), after)),
        _ => Err(Usage::flag(format!("flag needs an argument: {flag}"), "hoist")),
    }
}

/// Parses a verb and its arguments.
fn verb(words: &[String]) -> Result<Request, Usage> {
    let (verb, rest) = match table::find(words) {
        table::Found::Verb(verb, rest) => (verb, rest),
        table::Found::Noun(noun) => return Ok(Request::Show(noun.help())),
        table::Found::Unknown(usage) => return Err(usage),
    };
    let command = verb.command();
    let rest = empty::without(&command, rest);
    match lenient(command).try_get_matches_from(rest) {
        Ok(matches) => (verb.read)(&matches).map_err(|usage| usage.of(verb)),
        Err(error) if error.kind() == clap::error::ErrorKind::DisplayHelp => {
            Ok(Request::Show(help::help(verb)))
        }
        Err(error) => Err(usage::from_clap(&error, verb)),
    }
}

/// Converts clap's matches to the request of a verb.
fn read<T: Words>(matches: &ArgMatches) -> Result<T::Asked, Usage> {
    match T::from_arg_matches(matches) {
        Ok(words) => words.asked(),
        Err(error) => Err(Usage::argument(error.to_string())),
    }
}

/// Makes clap parse like Docker: accept `--rm=false`, option values that begin with a dash, and
/// options that are given twice.
fn lenient(command: clap::Command) -> clap::Command {
    use clap::ArgAction::{Append, Set, SetTrue};
    command.no_binary_name(true).args_override_self(true).mut_args(|arg| match arg.get_action() {
        SetTrue => arg
            .action(Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .default_value("false")
            .value_parser(truth),
        Set | Append if !arg.is_positional() => arg.allow_hyphen_values(true),
        _ => arg,
    })
}

/// Parses a boolean like Go's `strconv.ParseBool`.
fn truth(word: &str) -> Result<bool, String> {
    match word {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("expected true or false".to_owned()),
    }
}

#[cfg(test)]
mod tests;
