//! The full-screen terminal UI.
//!
//! ```text
//!  keys, mouse ─┐                  ┌─▶ view ─▶ screen     (pure: model → cells)
//!  engine news ─┼─ Event ─ update ─┤
//!  tasks ───────┘   (pure)   │     └─▶ wants              (pure: what must be open)
//!        ▲                   ▼
//!        └── driver ◀──── Effect        (owns engine, terminal, tasks; the only I/O)
//! ```
//! `update` is the only code that changes the [`model`]. It never awaits, so a key takes effect in
//! the next frame whatever the engine does.

pub mod ansi;
pub mod words;

pub mod action;
pub mod alerts;
pub mod compare;
pub mod confirm;
pub mod containers;
pub mod custom;
pub mod dialog;
pub mod dialogs;
mod driver;
pub mod effect;
pub mod event;
pub mod events;
pub mod failure;
pub mod files;
#[cfg(test)]
mod fixture;
pub mod form;
pub mod help;
pub mod images;
pub mod inspect;
pub mod key;
pub mod keymap;
#[cfg(test)]
mod keys_doc;
pub mod layers;
pub mod layout;
pub mod line;
pub mod list;
pub(crate) mod list_screen;
pub mod logs;
pub mod menu;
pub mod model;
pub mod navigator;
pub mod networks;
pub mod page;
pub mod palette;
pub mod pathtree;
pub mod pieces;
pub(crate) mod reader;
pub mod reading;
pub mod removal;
pub mod section;
pub mod sections;
pub mod signals;
pub mod stats;
pub mod tab;
pub mod tasks;
pub mod terminal;
pub mod theme;
pub mod themes;
pub mod top;
pub mod trash;
pub mod undo;
pub mod update;
pub mod verb_words;
pub mod verbs;
pub mod view;
pub mod viewer;
pub mod viewers;
pub mod volumes;
pub mod why;

use std::error::Error as _;
use std::io::{self, Write as _};

use crate::base::disk;
use crate::base::error::{chain, io_hint, lacks_descriptors, report};
use crate::command::World;
use crate::config::{self, Config, Environment, Flags, Ui};
use crate::engine::{self, Engine, ErrorKind, Explain, Settings};

/// The number of threads that must be available: two that run tasks, one that reads keys, and some
/// for the engine's work.
const THREADS: usize = 8;

/// The settings of the TUI.
#[derive(Debug, Clone)]
pub struct TuiSettings {
    /// The section `[ui]` of the configuration.
    pub ui: Ui,
    /// Which of the user's settings are ignored, and why.
    pub warnings: Vec<String>,
    /// The flags for reloading the configuration when its file is saved.
    pub flags: Flags,
    /// What commands may refer to: the user's variables and files.
    pub world: World,
}

/// The TUI could not start or continue.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Standard output is not a terminal, or the terminal is gone.
    #[error("cannot use the terminal")]
    Terminal(#[source] io::Error),
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The engine could not be opened, or cannot report changes.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// The shipped keymap is invalid; a test should have found this.
    #[error("the built-in keymap is invalid")]
    Keymap(#[from] keymap::Error),
    /// A shipped theme is invalid; a test should have found this.
    #[error("a built-in theme is invalid")]
    Theme(#[from] theme::Error),
    /// A bug: some part of hoist panicked. The panic message was printed before.
    #[error("hoist panicked")]
    Panicked,
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Engine(error) => error.kind(),
            Self::Config(error) => error.kind(),
            _ => ErrorKind::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Terminal(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Some("raise the limit on processes: `ulimit -u`, or `pids.max` of the cgroup".to_owned())
            }
            Self::Terminal(error) if lacks_descriptors(error) => io_hint(error),
            Self::Terminal(_) => {
                Some("the terminal UI needs a terminal; `hoist --help` lists the commands".to_owned())
            }
            Self::Engine(error) => error.hint(),
            Self::Config(error) => error.hint(),
            Self::Panicked => Some("containers keep running; please report the message above".to_owned()),
            Self::Keymap(_) | Self::Theme(_) => None,
        }
    }
}

/// Runs the TUI until the user quits, and returns the exit code. Containers, and the programs in
/// its terminals, keep running.
///
/// Creates its own async runtime, so it must not be called from within one.
///
/// # Errors
///
/// Fails if standard output is not a terminal, or the engine cannot report changes. The terminal is
/// restored in any case.
pub fn run(engine: Engine, settings: TuiSettings) -> Result<u8, Error> {
    engine::check_descriptors().map_err(Error::Terminal)?;
    engine::check_threads(THREADS).map_err(Error::Terminal)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_keep_alive(std::time::Duration::from_secs(24 * 3600))
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Error::Terminal)?;
    let code = runtime.block_on(driver::drive(engine, settings));
    // Do not wait for work that might never finish; what it leaves behind is cleaned up later.
    runtime.shutdown_background();
    code
}

/// Runs `hoist` without arguments: reads the configuration, opens the engine, runs the TUI, and
/// returns the exit code. Errors are printed to standard error.
#[must_use]
pub fn open(flags: Flags, environment: Environment) -> u8 {
    match try_open(&flags, environment) {
        Ok(code) => code,
        Err(error) => {
            tell(&error);
            1
        }
    }
}

fn try_open(flags: &Flags, environment: Environment) -> Result<u8, Error> {
    let config = Config::load(flags, &environment)?;
    let engine = Engine::open(Settings::from_config(&config)?)?;
    let folder = std::env::current_dir().unwrap_or_else(|_| "/".into());
    // Only regular files: a read from a pipe could block forever.
    let world = World { environment, folder, read: disk::read_regular_text };
    run(engine, TuiSettings { ui: config.ui, warnings: config.warnings, flags: flags.clone(), world })
}

fn tell(error: &Error) {
    let causes = error.source().map(chain).unwrap_or_default();
    let text = report(&error.to_string(), &causes, error.hint());
    // There is nowhere left to report a failure.
    let _ = io::stderr().write_all(text.as_bytes());
}
