//! The grammar: words ⇄ requests. The command line and the TUI's `:` line share it.
//!
//! ```text
//! words ── global flags ── verb (a table) ── clap ── Words::request ──▶ Request
//! CreateRequest ── equivalent::run ──▶ words
//! ```
//! Nothing here talks to an engine. What a word may refer to (variables, files named by
//! `--env-file` and the like) comes in through [`World`]. Only the verb that is asked for
//! is built: the whole tree of options costs more than many a verb's work.

mod complete;
mod container;
mod create;
mod empty;
pub mod equivalent;
mod fields;
pub mod flags;
mod image;
mod keys;
mod lists;
mod options;
mod refused;
mod suggest;
mod table;
mod usage;
mod words;

use std::io;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, FromArgMatches};

use crate::config::{Environment, Flags};

pub use complete::{Shell, completion};
pub use container::{
    Attach, Exec, Inspect, Kill, Logs, ObjectType, Pause, Rename, Restart, Rm, Start, Stop, Top, Unpause,
    Wait,
};
pub use create::{Create, Run};
pub use fields::{FIELDS, Field, Kind, Section};
pub use image::{FromHost, ImageInspect, Import, Load, Pull, Rmi, Tag};
pub use keys::{DEFAULT_DETACH, Keys};
pub use lists::{
    Events, History, Images, Info, NetworkInspect, NetworkLs, Ps, Stats, SystemBoot, SystemInstall,
    SystemReset, SystemShutdown, SystemUninstall, Version, VolumeLs,
};
pub use suggest::{Noun, Suggestions, choices, suggest};
pub use table::summary;
pub use usage::Usage;
pub use words::{join, split};

/// What words may refer to: variables and files of who wrote them.
#[derive(Debug, Clone)]
pub struct World {
    /// For `-e NAME` and `--env-file`.
    pub environment: Environment,
    /// What relative paths start from.
    pub folder: PathBuf,
    /// Reads a file that is named.
    pub read: fn(&Path) -> io::Result<String>,
}

impl World {
    /// The path as an absolute one.
    #[must_use]
    pub fn absolute(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }
}

/// What the words of one command line mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// `--root` and the like.
    pub flags: Flags,
    /// `-D`
    pub debug: bool,
    /// What to do.
    pub request: Request,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "a verb each")]
pub enum Request {
    /// Nothing but to show this text.
    Show(String),
    /// No verb was given: the terminal UI.
    Nothing,
    Attach(Attach),
    Completion(Shell),
    Create(Box<Create>),
    Events(Events),
    Exec(Exec),
    FromHost(FromHost),
    History(History),
    ImageInspect(ImageInspect),
    Images(Images),
    Import(Import),
    Info(Info),
    Inspect(Inspect),
    Kill(Kill),
    Load(Load),
    Logs(Logs),
    NetworkInspect(NetworkInspect),
    NetworkLs(NetworkLs),
    Pause(Pause),
    Ps(Ps),
    Pull(Pull),
    Rename(Rename),
    Restart(Restart),
    Rm(Rm),
    Rmi(Rmi),
    Run(Box<Run>),
    Start(Start),
    Stats(Stats),
    Stop(Stop),
    SystemBoot(SystemBoot),
    SystemInstall(SystemInstall),
    SystemReset(SystemReset),
    SystemShutdown(SystemShutdown),
    SystemUninstall(SystemUninstall),
    Tag(Tag),
    Top(Top),
    Unpause(Unpause),
    Version(Version),
    VolumeLs(VolumeLs),
    Wait(Wait),
}

impl Request {
    /// Whether it may change anything: a container, an image, a network, or what a program
    /// in a container does. What only shows, does not.
    #[must_use]
    pub fn changes(&self) -> bool {
        match self {
            Self::Show(_)
            | Self::Nothing
            | Self::Completion(_)
            | Self::Events(_)
            | Self::History(_)
            | Self::ImageInspect(_)
            | Self::Images(_)
            | Self::Info(_)
            | Self::Inspect(_)
            | Self::Logs(_)
            | Self::NetworkInspect(_)
            | Self::NetworkLs(_)
            | Self::Ps(_)
            | Self::Stats(_)
            | Self::Top(_)
            | Self::Version(_)
            | Self::VolumeLs(_)
            | Self::Wait(_) => false,
            Self::Attach(_)
            | Self::Create(_)
            | Self::Exec(_)
            | Self::FromHost(_)
            | Self::Import(_)
            | Self::Kill(_)
            | Self::Load(_)
            | Self::Pause(_)
            | Self::Pull(_)
            | Self::Rename(_)
            | Self::Restart(_)
            | Self::Rm(_)
            | Self::Rmi(_)
            | Self::Run(_)
            | Self::Start(_)
            | Self::Stop(_)
            | Self::SystemBoot(_)
            | Self::SystemInstall(_)
            | Self::SystemReset(_)
            | Self::SystemShutdown(_)
            | Self::SystemUninstall(_)
            | Self::Tag(_)
            | Self::Unpause(_) => true,
        }
    }
}

/// The words of one verb, as clap reads them.
trait Words: clap::Args + FromArgMatches {
    /// What they mean.
    ///
    /// # Errors
    ///
    /// When they contradict each other or a value is not what its option takes.
    fn request(self, world: &World) -> Result<Request, Usage>;
}

/// Reads one command line, without the program's name.
///
/// # Errors
///
/// [`Usage`], with the exit code that Docker has for it.
pub fn parse(words: &[String], world: &World) -> Result<Parsed, Usage> {
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
            // `hoist help run`
            "help" => {
                let words: Vec<_> = tail.iter().cloned().chain(["--help".to_owned()]).collect();
                parsed.request = verb(&words, world)?;
                return Ok(parsed);
            }
            _ if word.starts_with('-') => return Err(refused::global(word)),
            // A verb is not made harmless by it, and must not seem to be.
            _ if parsed.flags.read_only => {
                return Err(Usage::argument("--read-only is for the terminal UI, which takes no command")
                    .hint("`hoist --read-only` alone opens it"));
            }
            _ => {
                parsed.request = verb(rest, world)?;
                return Ok(parsed);
            }
        };
        let (value, after) = match (attached, tail.split_first()) {
            (Some(value), _) => (value, tail),
            (None, Some((value, after))) => (value.as_str(), after),
            (None, None) => return Err(Usage::flag(format!("flag needs an argument: {name}"), "hoist")),
        };
        // Nothing here would be the current folder, and the default one another surprise.
        if value.is_empty() {
            return Err(Usage::flag(format!("flag needs an argument: {name}"), "hoist"));
        }
        *slot = Some(world.absolute(value));
        rest = after;
    }
    Ok(parsed)
}

/// Reads a verb and its words.
fn verb(words: &[String], world: &World) -> Result<Request, Usage> {
    let (verb, rest) = match table::find(words) {
        table::Found::Verb(verb, rest) => (verb, rest),
        table::Found::Group(text) => return Ok(Request::Show(text)),
        table::Found::Unknown(usage) => return Err(usage),
    };
    let command = verb.command();
    let rest = empty::without(&command, rest);
    match lenient(command).try_get_matches_from(rest) {
        Ok(matches) => (verb.read)(&matches, world).map_err(|usage| usage.of(verb)),
        Err(error) if error.kind() == clap::error::ErrorKind::DisplayHelp => Ok(Request::Show(verb.help())),
        Err(error) => Err(usage::from_clap(&error, verb)),
    }
}

/// Reads matches as the words of one verb.
fn read<T: Words>(matches: &ArgMatches, world: &World) -> Result<Request, Usage> {
    match T::from_arg_matches(matches) {
        Ok(words) => words.request(world),
        Err(error) => Err(Usage::argument(error.to_string())),
    }
}

/// Lets clap read as Docker's parser does: `--rm=false`, an option's value that starts
/// with a dash, an option given twice.
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

/// What Go's `strconv.ParseBool` takes.
fn truth(word: &str) -> Result<bool, String> {
    match word {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("want true or false".to_owned()),
    }
}

#[cfg(test)]
mod tests;
