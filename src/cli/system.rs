//! `info`, `version` and `system reset`.

use std::fs;
use std::io::{BufRead, IsTerminal, Write};

use super::failure::{Failure, Result};
use super::output::{line, objects, print};
use crate::command::{Info, SystemReset, Version};
use crate::docker::info::{self as texts, Facts};
use crate::engine::{Damaged, Engine, Status};
use crate::oci::Platform;

/// What this machine is.
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
        format => objects(&[texts::version(&facts)], format)?,
    }
    Ok(0)
}

pub(super) async fn info(engine: &Engine, info: Info) -> Result<u8> {
    let listing = engine.containers().listing().await?;
    let images = engine.images().listing().await?;
    let damaged = |noun: &str, one: &Damaged| format!("{noun} {} cannot be read: {}", one.called(), one.why);
    let mut warnings = listing.warnings;
    warnings.extend(listing.damaged.iter().map(|one| damaged("container", one)));
    warnings.extend(images.damaged.iter().map(|one| damaged("image", one)));
    let containers = listing.whole;
    let count = |statuses: &[Status]| containers.iter().filter(|c| statuses.contains(&c.status)).count();
    let running = count(&[Status::Running, Status::Restarting]);
    let paused = count(&[Status::Paused]);
    let facts = Facts {
        containers: (running, paused, containers.len() - running - paused),
        images: images.whole.len(),
        apparmor: engine.apparmor(),
        warnings,
        ..facts()
    };
    match info.format.as_deref() {
        None | Some("") => print(&texts::info_text(&facts, engine.paths()))?,
        format => objects(&[texts::info(&facts, engine.paths())], format)?,
    }
    Ok(0)
}

pub(super) async fn reset(engine: &Engine, reset: SystemReset) -> Result<u8> {
    let paths = engine.paths();
    if !reset.force {
        let question = format!(
            "This removes all containers, images and networks of the engine at {} and {}.\nAre you sure? [y/N] ",
            paths.root().display(),
            paths.run().display()
        );
        if !asked(&question)? {
            return Ok(0);
        }
    }
    engine.reset().await?;
    Ok(0)
}

/// Asks at the terminal; no answer is no.
fn asked(question: &str) -> Result<bool> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        let hint = Some("say --force to go on without asking".to_owned());
        return Err(Failure::Words("cannot ask: standard input is not a terminal".to_owned(), hint));
    }
    print(question)?;
    std::io::stdout().flush()?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    line("")?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
