//! The command line: passes requests to the engine, and prints the results.
//!
//! ```text
//! arguments ── command::parse, resolve ──▶ Request ── a file per noun, a function per verb ──▶ engine ──▶ stdout, stderr, exit code
//! ```
//! Errors are reported once, here: what failed, why, and what to do. Standard output contains only
//! what was requested.

mod clock;
mod containers;
mod create;
mod failure;
mod images;
mod inspect;
#[cfg(test)]
mod manual;
mod networks;
pub mod oci;
mod output;
mod progress;
mod session;
mod system;
mod terminal;
mod volumes;
mod watch;

use std::ffi::OsString;
use std::time::Duration;

use clock::Clock;
use failure::{Failure, Result};

use crate::base::disk;
use crate::command::container::Request as OfContainers;
use crate::command::system::Request as OfSystem;
use crate::command::{self, Parsed, Request, World};
use crate::config::{Config, Environment, Flags};
use crate::engine::{self, Engine, Folders, Settings, check_descriptors, check_threads};

/// How long an idle thread is kept.
const KEEP_THREAD: Duration = Duration::from_secs(24 * 3600);

/// Runs the terminal UI if no verb is given, with the flags and the environment.
pub type Screen = fn(Flags, Environment) -> u8;

/// Parses the arguments, executes the command, and returns the exit code.
///
/// Without a verb, calls `screen`.
#[must_use]
pub fn run(args: Vec<OsString>, environment: Environment, screen: Screen) -> u8 {
    match try_run(args, environment, screen) {
        Ok(code) => code,
        Err(failure) => failure.tell(),
    }
}

fn try_run(args: Vec<OsString>, environment: Environment, screen: Screen) -> Result<u8> {
    let words = texts(&args)?;
    let folder = std::env::current_dir().unwrap_or_else(|_| "/".into());
    let world = World { environment, folder, read: disk::read_text };
    let Parsed { flags, debug, request } = command::parse(&words)?;
    let flags = world.flags(flags);
    let request = request.resolve(&world)?.into_request();
    match request {
        Request::Show(text) => return output::print(&text).map(|()| 0),
        Request::Nothing => return Ok(screen(flags, world.environment)),
        Request::System(OfSystem::Completion(shell)) => {
            return output::print(&command::completion(shell)).map(|()| 0);
        }
        Request::System(OfSystem::Version(version)) => return system::version(&version),
        _ => {}
    }
    if debug {
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::DEBUG).init();
    }
    // An exit code of 1 would look like the container program's own.
    let of_run = |failure: Failure| failure.of_program(create::ENGINE);
    let (engine, folders) = match (open(&flags, &world.environment), &request) {
        (Err(failure), Request::Container(OfContainers::Run(_))) => return Err(of_run(failure)),
        (opened, _) => opened?,
    };
    if carries_container(&request) {
        session::block_faults()?;
    }
    let of_request = |failure: Failure| match &request {
        Request::Container(OfContainers::Run(_)) => of_run(failure),
        _ => failure,
    };
    // One thread is enough for waiting. The engine's work runs on blocking threads, of which the
    // first is kept: tokio treats it as a bug if there is none.
    check_descriptors().map_err(|error| of_request(Failure::no_descriptors(error)))?;
    check_threads(threads(&request)).map_err(|error| of_request(Failure::no_threads(error)))?;
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().thread_keep_alive(KEEP_THREAD).build();
    let runtime = runtime.map_err(|error| of_request(Failure::no_descriptors(error)))?;
    let clock = Clock::new(&world.environment);
    let code = runtime.block_on(async {
        match (engine, request) {
            (engine, Request::System(OfSystem::Info(info))) => system::info(engine, folders, info).await,
            (Err(error), Request::Container(OfContainers::Run(_))) => Err(of_run(error.into())),
            (engine, request) => perform(&engine?, &clock, request).await,
        }
    });
    // A thread that waits for standard input must not keep the program from exiting.
    runtime.shutdown_background();
    code
}

/// Converts the arguments to text. If one is not UTF-8, fails with the exit code of its verb.
fn texts(args: &[OsString]) -> Result<Vec<String>> {
    let texts = args.iter().map(|word| word.to_str().map(str::to_owned).ok_or(word));
    texts.collect::<std::result::Result<_, _>>().map_err(|word| {
        let failure = Failure::NotText(word.clone());
        let like_it: Vec<_> = args.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        match command::parse(&like_it) {
            Ok(Parsed { request: Request::Container(OfContainers::Run(_)), .. }) => {
                failure.code(create::ENGINE)
            }
            Ok(_) => failure,
            Err(usage) => failure.code(usage.code()),
        }
    })
}

/// Returns how many threads must be available, to avoid starting a container that cannot be served.
fn threads(request: &Request) -> usize {
    let executes = matches!(request, Request::Container(OfContainers::Exec(_)));
    // The engine's thread, and those for standard input, output and signals.
    if executes || carries_container(request) { 4 } else { 1 }
}

/// Returns whether the caller's terminal may be attached to a container's own process.
fn carries_container(request: &Request) -> bool {
    use OfContainers::{Attach, Run, Start};
    matches!(request, Request::Container(Run(_) | Start(_) | Attach(_)))
}

/// Opens the configured engine; returns it, or why it cannot be opened, and its folders.
fn open(flags: &Flags, environment: &Environment) -> Result<(engine::Result<Engine>, Folders)> {
    let config = Config::load(flags, environment).map_err(Failure::explained)?;
    output::warn(&engine::Warnings(config.warnings.clone()));
    let settings = Settings::from_config(&config)?;
    let folders = settings.folders();
    Ok((Engine::open(settings), folders))
}

async fn perform(engine: &Engine, clock: &Clock, request: Request) -> Result<u8> {
    match request {
        Request::Show(_) | Request::Nothing => Ok(0),
        Request::Container(request) => containers::perform(engine, clock, request).await,
        Request::Image(request) => images::perform(engine, clock, request).await,
        Request::Network(request) => networks::perform(engine, request).await,
        Request::System(request) => system::perform(engine, clock, request).await,
        Request::Volume(request) => volumes::perform(engine, request).await,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    #[test]
    fn what_carries_a_terminal_needs_room_for_more_threads() {
        for (words, carries, count) in [
            ("run debian", true, 4),
            ("container run debian", true, 4),
            ("start web", true, 4),
            ("attach web", true, 4),
            ("exec web true", false, 4),
            ("create debian", false, 1),
            ("ps", false, 1),
            ("logs -f web", false, 1),
            ("pull debian", false, 1),
        ] {
            let words: Vec<_> = words.split(' ').map(str::to_owned).collect();
            let request = command::parse(&words).unwrap().request;
            assert_eq!((carries_container(&request), threads(&request)), (carries, count), "{words:?}");
        }
    }

    #[test]
    fn a_word_that_is_no_text_fails_with_the_code_of_its_verb() {
        for (words, code) in [
            ("run debian ?", 125),
            ("run -v ? debian", 125),
            ("container run ?", 125),
            ("create ?", 1),
            ("exec web ?", 1),
            ("ps --format ?", 1),
            ("?", 1),
        ] {
            let word = |word: &str| match word {
                "?" => OsString::from_vec(vec![0xff]),
                word => word.into(),
            };
            let failure = texts(&words.split(' ').map(word).collect::<Vec<_>>()).unwrap_err();
            assert_eq!(failure.exit_code(), code, "{words}");
        }
    }
}
