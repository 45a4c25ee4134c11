//! `info`, `version` and the `system` commands.

use std::fs;
use std::io::{BufRead, IsTerminal, Write};

use super::clock::Clock;
use super::failure::{Failure, Result};
use super::output::{line, objects, print, warn};
use super::{inspect, watch};
use crate::base::error::one_line;
use crate::command::system::{Info, Request, Reset, Version};
use crate::docker::info::{self as texts, Facts};
use crate::docker::schema;
use crate::engine::{self, ContainerView, Damaged, Engine, Folders, Outcome, Status};
use crate::oci::Platform;

pub(super) async fn perform(engine: &Engine, clock: &Clock, request: Request) -> Result<u8> {
    match request {
        Request::Boot(_) => boot(engine).await,
        Request::Events(it) => watch::events(engine, clock, it).await,
        Request::Inspect(it) => inspect::any(engine, it).await,
        Request::Install(_) => install(engine).await,
        Request::Reset(it) => reset(engine, it).await,
        Request::Shutdown(_) => shutdown(engine).await,
        Request::Uninstall(_) => uninstall(engine).await,
        // These have been handled without an engine.
        Request::Completion(_) | Request::Info(_) | Request::Version(_) => Ok(0),
    }
}

/// Returns the facts about this machine.
fn facts() -> Facts {
    let system = rustix::system::uname();
    let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap_or_default();
    let kib: u64 = kib.trim().trim_end_matches(" kB").parse().unwrap_or(0);
    let is_unified = fs::exists("/sys/fs/cgroup/cgroup.controllers").unwrap_or(false);
    Facts {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        arch: Platform::host().arch,
        kernel: text(system.release()),
        hostname: text(system.nodename()),
        system: name.unwrap_or("Linux").trim_matches('"').to_owned(),
        cpus: std::thread::available_parallelism().map_or(1, usize::from),
        memory: kib * 1024,
        cgroup: if is_unified { "2" } else { "1" }.to_owned(),
        ..Facts::default()
    }
}

pub(super) fn version(version: &Version) -> Result<u8> {
    let facts = facts();
    match version.format.as_deref() {
        None | Some("") => print(&texts::version_text(&facts))?,
        format => objects(&[(texts::version(&facts), schema::VERSION)], format)?,
    }
    Ok(0)
}

/// Prints what is known, even for users who may not open the engine. Then containers and images
/// cannot be counted, which is reported.
pub(super) async fn info(engine: engine::Result<Engine>, folders: Folders, info: Info) -> Result<u8> {
    let Folders { root, run, engine: name } = folders;
    let mut facts = Facts { engine: name, root, run, ..facts() };
    match engine {
        Ok(engine) => {
            facts.apparmor = engine.apparmor();
            match engine.containers().listing().await {
                Ok(listing) => {
                    // As in `ps`, a damaged container counts as not running.
                    let (running, paused, others) = counted(&listing.whole);
                    facts.containers = Some((running, paused, others + listing.damaged.len()));
                    facts.warnings.extend(listing.warnings);
                    facts.warnings.extend(listing.damaged.iter().map(|one| unread("container", one)));
                }
                Err(error) => facts.faults.push(with_hint(&error)),
            }
            match engine.images().listing().await {
                Ok(listing) => {
                    facts.images = Some(listing.whole.len());
                    facts.warnings.extend(listing.warnings);
                    facts.warnings.extend(listing.damaged.iter().map(|one| unread("image", one)));
                }
                Err(error) => facts.faults.push(with_hint(&error)),
            }
            match engine.networks().listing().await {
                Ok(listing) => facts.warnings.extend(listing.warnings),
                Err(error) => facts.faults.push(with_hint(&error)),
            }
        }
        Err(error) => facts.faults.push(with_hint(&error)),
    }
    warn(&engine::Warnings(facts.faults.clone()));
    match info.format.as_deref() {
        None | Some("") => print(&texts::info_text(&facts))?,
        format => objects(&[(texts::info(&facts), schema::INFO)], format)?,
    }
    Ok(0)
}

fn unread(noun: &str, one: &Damaged) -> String {
    format!("{noun} {} is damaged: {}", one.called(), one.why)
}

/// Counts running, paused and other containers.
fn counted(containers: &[ContainerView]) -> (usize, usize, usize) {
    let count = |statuses: &[Status]| containers.iter().filter(|c| statuses.contains(&c.status)).count();
    let running = count(&[Status::Running, Status::Restarting]);
    let paused = count(&[Status::Paused]);
    (running, paused, containers.len() - running - paused)
}

/// Returns `cannot open …: why (what to do)`.
fn with_hint(error: &engine::Error) -> String {
    let told = one_line(error);
    match error.hint() {
        Some(hint) => format!("{told} ({hint})"),
        None => told,
    }
}

async fn reset(engine: &Engine, reset: Reset) -> Result<u8> {
    let folders = engine.settings().folders();
    if !reset.force {
        let question = format!(
            "WARNING! This will remove all containers, images and networks of the engine at {} and {}.\n\
             Are you sure you want to continue? [y/N] ",
            folders.root.display(),
            folders.run.display()
        );
        if !asked(&question)? {
            return Ok(0);
        }
    }
    engine.reset().await?;
    Ok(0)
}

async fn boot(engine: &Engine) -> Result<u8> {
    outcomes(engine.boot().await?)
}

async fn shutdown(engine: &Engine) -> Result<u8> {
    outcomes(engine.shutdown().await?)
}

/// Prints the names of those that succeeded, and reports failures.
fn outcomes(outcomes: Vec<Outcome>) -> Result<u8> {
    let mut code = 0;
    for outcome in outcomes {
        match outcome.result {
            Ok(warnings) => {
                warn(&warnings);
                line(outcome.name)?;
            }
            Err(error) => code = Failure::from(error).tell(),
        }
    }
    Ok(code)
}

async fn install(engine: &Engine) -> Result<u8> {
    let unit = engine.install().await?;
    line(format!("Installed {}: containers start at boot and stop at shutdown", unit.display()))?;
    Ok(0)
}

async fn uninstall(engine: &Engine) -> Result<u8> {
    let unit = engine.uninstall().await?;
    line(format!("Removed {}; running containers keep running", unit.display()))?;
    Ok(0)
}

/// Asks for confirmation at the terminal; no answer means no.
fn asked(question: &str) -> Result<bool> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        let hint = Some("use --force to skip the prompt".to_owned());
        return Err(Failure::Words(
            "cannot prompt for confirmation: standard input is not a terminal".to_owned(),
            hint,
        ));
    }
    print(question)?;
    std::io::stdout().flush().map_err(Failure::Output)?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer).map_err(Failure::cannot("read the answer"))?;
    line("")?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
