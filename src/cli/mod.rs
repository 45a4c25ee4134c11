//! The command line: a request goes to the engine, what comes back to the terminal.
//!
//! ```text
//! words ── command::parse ──▶ Request ── one function a verb ──▶ engine ──▶ stdout, stderr, exit code
//! ```
//! Errors are told once, here: what failed, why, what to do. Standard output carries
//! nothing but what was asked for.

mod clock;
mod containers;
mod create;
mod failure;
mod images;
mod lists;
pub mod oci;
mod output;
mod progress;
mod session;
mod system;
mod terminal;
mod watch;

use std::ffi::OsString;
use std::time::Duration;

use clock::Clock;
use failure::{Failure, Result};

use crate::base::disk;
use crate::command::{self, Parsed, Request, World};
use crate::config::{Config, Environment, Flags};
use crate::engine::{self, Engine, Folders, Settings, check_descriptors, check_threads};

/// How long an idle thread stays.
const KEEP_THREAD: Duration = Duration::from_secs(24 * 3600);

/// What stands behind no verb at all: the terminal UI, with the configuration it has.
pub type Screen = fn(Flags, Environment) -> u8;

/// Reads the words behind the program's name, does what they say, and returns the exit code.
///
/// Without a verb it is `screen` that is asked.
#[must_use]
pub fn run(args: Vec<OsString>, environment: Environment, screen: Screen) -> u8 {
    match try_run(args, environment, screen) {
        Ok(code) => code,
        Err(failure) => failure.tell(),
    }
}

fn try_run(args: Vec<OsString>, environment: Environment, screen: Screen) -> Result<u8> {
    let words: Vec<String> =
        args.into_iter().map(|word| word.into_string().map_err(Failure::NotText)).collect::<Result<_>>()?;
    let folder = std::env::current_dir().unwrap_or_else(|_| "/".into());
    let world = World { environment, folder, read: disk::read_text };
    let Parsed { flags, debug, request } = command::parse(&words, &world)?;
    match request {
        Request::Show(text) => return output::print(&text).map(|()| 0),
        Request::Completion(shell) => return output::print(&command::completion(shell)).map(|()| 0),
        Request::Nothing => return Ok(screen(flags, world.environment)),
        Request::Version(version) => return system::version(&version),
        _ => {}
    }
    if debug {
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::DEBUG).init();
    }
    // 1 would be taken for the program's own.
    let of_run = |failure: Failure| failure.of_program(create::ENGINE);
    let (engine, folders) = match (open(&flags, &world.environment), &request) {
        (Err(failure), Request::Run(_)) => return Err(of_run(failure)),
        (opened, _) => opened?,
    };
    if matches!(request, Request::Run(_) | Request::Start(_) | Request::Attach(_)) {
        session::block_faults()?;
    }
    let of_request = |failure: Failure| match &request {
        Request::Run(_) => of_run(failure),
        _ => failure,
    };
    // One thread is enough to wait with; the engine's work runs on blocking ones, of which
    // the first is kept: tokio takes it for a bug when there is not even one.
    check_descriptors().map_err(|error| of_request(Failure::no_descriptors(error)))?;
    check_threads(threads(&request)).map_err(|error| of_request(Failure::no_threads(error)))?;
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().thread_keep_alive(KEEP_THREAD).build();
    let runtime = runtime.map_err(|error| of_request(Failure::no_descriptors(error)))?;
    let clock = Clock::new(&world.environment);
    let code = runtime.block_on(async {
        match (engine, request) {
            (engine, Request::Info(info)) => system::info(engine, folders, info).await,
            (Err(error), Request::Run(_)) => Err(of_run(error.into())),
            (engine, request) => perform(&engine?, &clock, request).await,
        }
    });
    // A thread that waits for standard input must not keep the program from its end.
    runtime.shutdown_background();
    code
}

/// How many threads there must be room for, so that nothing is started that nobody could
/// attend to.
fn threads(request: &Request) -> usize {
    match request {
        // The engine's one, and those of standard input, of output and of signals.
        Request::Run(_) | Request::Start(_) | Request::Attach(_) | Request::Exec(_) => 4,
        _ => 1,
    }
}

/// The engine of the configuration, or why it cannot be opened, and where it is.
fn open(flags: &Flags, environment: &Environment) -> Result<(engine::Result<Engine>, Folders)> {
    let config = Config::load(flags, environment).map_err(Failure::explained)?;
    output::warn(&engine::Warnings(config.warnings.clone()));
    let settings = Settings::from_config(&config)?;
    let folders = settings.folders();
    Ok((Engine::open(settings), folders))
}

async fn perform(engine: &Engine, clock: &Clock, request: Request) -> Result<u8> {
    match request {
        // Done before there was an engine, or without one.
        Request::Show(_)
        | Request::Completion(_)
        | Request::Nothing
        | Request::Info(_)
        | Request::Version(_) => Ok(0),
        Request::Attach(it) => containers::attach(engine, it).await,
        Request::Create(it) => create::create(engine, *it).await,
        Request::Events(it) => watch::events(engine, clock, it).await,
        Request::Exec(it) => containers::exec(engine, it).await,
        Request::FromHost(it) => images::from_host(engine, it).await,
        Request::History(it) => lists::history(engine, clock, it).await,
        Request::ImageInspect(it) => lists::inspect_images(engine, it).await,
        Request::Images(it) => lists::images(engine, clock, it).await,
        Request::Import(it) => images::import(engine, it).await,
        Request::Inspect(it) => lists::inspect(engine, it).await,
        Request::Kill(it) => containers::kill(engine, it).await,
        Request::Load(it) => images::load(engine, it).await,
        Request::Logs(it) => watch::logs(engine, clock, it).await,
        Request::NetworkInspect(it) => lists::inspect_networks(engine, it).await,
        Request::NetworkLs(it) => lists::networks(engine, it).await,
        Request::Pause(it) => containers::pause(engine, it).await,
        Request::Ps(it) => lists::ps(engine, clock, it).await,
        Request::Pull(it) => images::pull(engine, it).await,
        Request::Rename(it) => containers::rename(engine, it).await,
        Request::Restart(it) => containers::restart(engine, it).await,
        Request::Rm(it) => containers::remove(engine, it).await,
        Request::Rmi(it) => images::remove(engine, it).await,
        Request::Run(it) => create::run(engine, *it).await,
        Request::Start(it) => containers::start(engine, it).await,
        Request::Stats(it) => watch::stats(engine, it).await,
        Request::Stop(it) => containers::stop(engine, it).await,
        Request::SystemBoot(_) => system::boot(engine).await,
        Request::SystemInstall(_) => system::install(engine).await,
        Request::SystemReset(it) => system::reset(engine, it).await,
        Request::SystemShutdown(_) => system::shutdown(engine).await,
        Request::SystemUninstall(_) => system::uninstall(engine).await,
        Request::Tag(it) => images::tag(engine, it).await,
        Request::Top(it) => containers::top(engine, clock, it).await,
        Request::Unpause(it) => containers::unpause(engine, it).await,
        Request::VolumeLs(it) => lists::volumes(&it),
        Request::Wait(it) => containers::wait(engine, it).await,
    }
}
