//! Container commands.

use std::future::Future;
use std::io::Write;

use futures_util::StreamExt;
use futures_util::stream;

use super::clock::Clock;
use super::create::{self, attach_options, exit_code, not_a_terminal};
use super::failure::{Failure, Result};
use super::output::{is_terminal, line, note, print, stdout, warn};
use super::progress::{ProgressOutput, shown};
use super::session::{self, Manner};
use super::{inspect, terminal, watch};
use crate::base::ErrorKind;
use crate::command::container::{
    Attach, Exec, Export, Kill, Pause, Ps, Rename, Request, Restart, Rm, Start, Stop, Top, Unpause, Wait,
};
use crate::docker::filter::{self, ContainerFilter, Filters};
use crate::docker::{self, Column, Format, ps as ps_rows};
use crate::engine::{
    self, ContainerView, Damaged, Engine, Listing, Removal, Running, Streams, WaitFor, Warnings,
};

pub(super) async fn perform(engine: &Engine, clock: &Clock, request: Request) -> Result<u8> {
    match request {
        Request::Attach(it) => attach(engine, it).await,
        Request::Create(it) => create::create(engine, *it).await,
        Request::Exec(it) => exec(engine, *it).await,
        Request::Export(it) => export(engine, it).await,
        Request::Inspect(it) => inspect::any(engine, it).await,
        Request::Kill(it) => kill(engine, it).await,
        Request::Logs(it) => watch::logs(engine, clock, it).await,
        Request::Pause(it) => pause(engine, it).await,
        Request::Ps(it) => ps(engine, clock, it).await,
        Request::Rename(it) => rename(engine, it).await,
        Request::Restart(it) => restart(engine, it).await,
        Request::Rm(it) => remove(engine, it).await,
        Request::Run(it) => create::run(engine, *it).await,
        Request::Start(it) => start(engine, it).await,
        Request::Stats(it) => watch::stats(engine, it).await,
        Request::Stop(it) => stop(engine, it).await,
        Request::Top(it) => top(engine, clock, it).await,
        Request::Unpause(it) => unpause(engine, it).await,
        Request::Wait(it) => wait(engine, it).await,
    }
}

/// Maximum number of containers that are handled concurrently.
const ABREAST: usize = 16;

/// Runs `work` for each target, several at a time, and prints the targets that succeeded in their
/// order. Continues after a failure; the exit code is then 1.
async fn each<T: Into<Warnings>, F: Future<Output = engine::Result<T>>>(
    targets: &[String],
    work: impl Fn(String) -> F,
) -> Result<u8> {
    let mut code = 0;
    let mut done = stream::iter(targets.iter().cloned().map(work)).buffered(ABREAST);
    for target in targets {
        match done.next().await {
            Some(Ok(warnings)) => {
                warn(&warnings.into());
                line(target)?;
            }
            Some(Err(error)) => code = Failure::from(error).tell(),
            None => {}
        }
    }
    Ok(code)
}

async fn stop(engine: &Engine, stop: Stop) -> Result<u8> {
    let (containers, signal) = (engine.containers(), stop.signal.as_deref());
    each(&stop.targets, async |target| containers.stop(&target, signal, stop.timeout).await).await
}

async fn restart(engine: &Engine, restart: Restart) -> Result<u8> {
    let (containers, signal) = (engine.containers(), restart.signal.as_deref());
    each(&restart.targets, async |target| containers.restart(&target, signal, restart.timeout).await).await
}

async fn kill(engine: &Engine, kill: Kill) -> Result<u8> {
    let containers = engine.containers();
    each(&kill.targets, async |target| containers.kill(&target, &kill.signal).await).await
}

async fn pause(engine: &Engine, pause: Pause) -> Result<u8> {
    let containers = engine.containers();
    each(&pause.targets, async |target| containers.pause(&target).await).await
}

async fn unpause(engine: &Engine, unpause: Unpause) -> Result<u8> {
    let containers = engine.containers();
    each(&unpause.targets, async |target| containers.unpause(&target).await).await
}

async fn remove(engine: &Engine, rm: Rm) -> Result<u8> {
    let containers = engine.containers();
    let mut code = 0;
    let running = if rm.force { Running::Kill } else { Running::Refuse };
    // `-v` makes no difference: data in an image's volumes is removed with the container.
    let removal = Removal::for_good(running);
    let work = async |target: String| {
        let removed = containers.remove(&target, removal).await;
        (target, removed)
    };
    let mut done = stream::iter(rm.targets.iter().cloned().map(work)).buffered(ABREAST);
    while let Some((target, removed)) = done.next().await {
        match removed {
            Ok(gone) => {
                warn(&gone.warnings);
                line(&target)?;
            }
            Err(error) => {
                let is_gone = error.kind() == ErrorKind::NotFound;
                let told = Failure::from(error).tell();
                // With --force, a container that does not exist is not an error.
                if !(rm.force && is_gone) {
                    code = told;
                }
            }
        }
    }
    Ok(code)
}

async fn rename(engine: &Engine, rename: Rename) -> Result<u8> {
    warn(&engine.containers().rename(&rename.target, rename.name).await?);
    Ok(0)
}

async fn wait(engine: &Engine, wait: Wait) -> Result<u8> {
    let mut code = 0;
    for target in &wait.targets {
        match engine.containers().wait(target, WaitFor::NotRunning).await {
            Ok(exit) => line(exit.code)?,
            Err(error) => code = Failure::from(error).tell(),
        }
    }
    Ok(code)
}

async fn start(engine: &Engine, start: Start) -> Result<u8> {
    let containers = engine.containers();
    if !start.attach && !start.interactive {
        let mut code = 0;
        for target in &start.targets {
            match containers.start(target).await {
                Ok(warnings) => {
                    warn(&warnings);
                    line(target)?;
                }
                Err(error) => code = Failure::from(error).tell(),
            }
        }
        return Ok(code);
    }
    let Some(target) = start.targets.first() else { return Ok(0) };
    let container = containers.get(target).await?;
    let config = container.config;
    let stdin = start.interactive && config.process.interactive;
    let options = attach_options(Streams { stdin, stdout: true, stderr: true });
    let size = if config.process.tty { terminal::size() } else { None };
    let attached = containers.start_attached(target, options, size).await?;
    let sig_proxy = Some((engine.clone(), target.clone()));
    let redraw = container.status.is_up() && config.process.tty;
    let manner = Manner { stdin, sig_proxy, detach_keys: start.detach_keys, redraw };
    let end = session::run(attached, manner).await?;
    exit_code(engine, target, end).await
}

/// What Docker prints when its `attach` and `exec` are left with the detach keys.
const DETACHED: &str = "read escape sequence";

async fn attach(engine: &Engine, attach: Attach) -> Result<u8> {
    let containers = engine.containers();
    let container = containers.get(&attach.target).await?;
    let config = &container.config;
    let stdin = attach.stdin && config.process.interactive;
    if config.process.tty && stdin && !terminal::is_input_terminal() {
        return Err(not_a_terminal());
    }
    let options = attach_options(Streams { stdin, stdout: true, stderr: true });
    let attached = containers.attach(&attach.target, options).await?;
    let id = container.id.as_str();
    let sig_proxy = attach.sig_proxy.then(|| (engine.clone(), id.to_owned()));
    let manner = Manner { stdin, sig_proxy, detach_keys: attach.detach_keys, redraw: config.process.tty };
    let end = session::run(attached, manner).await?;
    if end == session::End::Detached {
        note(DETACHED);
    }
    exit_code(engine, id, end).await
}

/// Returns the failure with Docker's exit code for a command that was not executed: 126 or 127 if
/// it could not be started, 1 if the container does not exist, is ambiguous or is not running.
fn not_executed(error: engine::Error) -> Failure {
    let code = if error.kind() == ErrorKind::Invalid { 126 } else { 1 };
    Failure::from(error).of_program(code)
}

async fn exec(engine: &Engine, exec: Exec) -> Result<u8> {
    let containers = engine.containers();
    let mut request = exec.request;
    if request.detach {
        let started = containers.exec_detached(&exec.target, request).await;
        let (_, warnings) = started.map_err(not_executed)?;
        warn(&warnings);
        return Ok(0);
    }
    let stdin = request.interactive;
    if request.tty && stdin && !terminal::is_input_terminal() {
        return Err(not_a_terminal());
    }
    request.size = if request.tty { terminal::size() } else { None };
    let options = attach_options(Streams { stdin, stdout: true, stderr: true });
    let session = containers.exec(&exec.target, request, options).await;
    let session = session.map_err(not_executed)?;
    // As in Docker, signals are not forwarded to an exec: they end the client.
    let manner = Manner { stdin, sig_proxy: None, detach_keys: exec.detach_keys, redraw: false };
    match session::run(session.attached, manner).await? {
        session::End::Exited(code) | session::End::Signal(code) => Ok(code),
        session::End::Detached => {
            note(DETACHED);
            Ok(0)
        }
        session::End::Unread => Ok(128 + 13),
        session::End::Lost => {
            note("error: the monitor of the exec session died: the exit code of the command is unknown");
            Ok(255)
        }
    }
}

async fn export(engine: &Engine, export: Export) -> Result<u8> {
    let containers = engine.containers();
    if let Some(path) = export.output {
        let work = |reporter| containers.export_to(&export.target, path, reporter);
        warn(&shown(ProgressOutput::Nowhere, || {}, work).await?);
        return Ok(0);
    }
    if is_terminal() {
        let refusal = "cowardly refusing to save to a terminal. Use the -o flag or redirect";
        return Err(Failure::words(refusal));
    }
    let mut out = stdout().map_err(Failure::Output)?;
    let mut archive = containers.export(&export.target).await?;
    while let Some(piece) = archive.next().await {
        out.write_all(&piece?).map_err(Failure::Output)?;
    }
    out.flush().map_err(Failure::Output)?;
    warn(&archive.warnings());
    Ok(0)
}

async fn top(engine: &Engine, clock: &Clock, top: Top) -> Result<u8> {
    let [target, options @ ..] = top.words.as_slice() else { return Ok(0) };
    if let Some(option) = options.first() {
        return Err(Failure::words(format!("`top` does not support ps options yet: `{option}`")));
    }
    let rows = engine.containers().top(target).await?;
    let (now, zone) = clock.read();
    print(&docker::stats::top(&rows, now, &zone))?;
    Ok(0)
}

async fn ps(engine: &Engine, clock: &Clock, ps: Ps) -> Result<u8> {
    let filters = Filters::parse(&ps.filter, filter::CONTAINER_KEYS)?;
    let format = Format::parse(ps.format.as_deref().unwrap_or_default())?;
    let Listing { whole: mut containers, mut damaged, warnings } = engine.containers().listing().await?;
    warn(&Warnings(warnings));
    let filter = ContainerFilter::new(filters, &containers)?;
    let last = match (ps.latest, usize::try_from(ps.last)) {
        (true, _) => Some(1),
        (false, Ok(last)) if last > 0 => Some(last),
        _ => None,
    };
    let is_all = ps.all || last.is_some() || filter.is_all();
    containers.retain(|container| (is_all || is_shown(container)) && filter.fits(container));
    containers.truncate(last.unwrap_or(usize::MAX));
    damaged.retain(|one| (ps.all || filter.is_all()) && last.is_none() && filter.fits_damaged(one));
    if ps.quiet && ps.format.is_none() {
        let id = |c: &ContainerView| {
            if ps.no_trunc { c.id.as_str().to_owned() } else { c.id.short().to_owned() }
        };
        print(&containers.iter().map(|c| id(c) + "\n").collect::<String>())?;
        let id = |one: &Damaged| ps_rows::damaged_id(one, !ps.no_trunc) + "\n";
        print(&damaged.iter().map(id).collect::<String>())?;
        return Ok(0);
    }
    if ps.size || (format != Format::Json && format.names("Size")) {
        let mut measured = Vec::with_capacity(containers.len());
        for container in containers {
            measured.push(engine.containers().measure(container).await?);
        }
        containers = measured;
    }
    let (now, zone) = clock.read();
    let rows = containers.iter().map(|c| ps_rows::row(c, !ps.no_trunc, now, &zone));
    let rows = rows.chain(damaged.iter().map(|one| ps_rows::damaged_row(one, !ps.no_trunc)));
    let rows: Vec<_> = rows.collect();
    let mut columns: Vec<Column> = ps_rows::COLUMNS.to_vec();
    columns.extend(ps.size.then_some(ps_rows::SIZE));
    print(&format.show(&columns, ps_rows::TITLES, &rows)?)?;
    Ok(0)
}

/// Returns whether `ps` shows the container without `--all`: it is running, paused or restarting.
fn is_shown(container: &ContainerView) -> bool {
    container.status.is_up() || container.status == engine::Status::Restarting
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::failure::OfKind;

    #[test]
    fn exit_codes_of_exec_are_dockers() {
        for (kind, code) in [
            (ErrorKind::ProgramNotFound, 127),
            (ErrorKind::ProgramNotRunnable, 126),
            (ErrorKind::Invalid, 126),
            (ErrorKind::NotFound, 1),
            (ErrorKind::Ambiguous, 1),
            (ErrorKind::Conflict, 1),
            (ErrorKind::Internal, 1),
            (ErrorKind::Interrupted, 130),
        ] {
            let error = engine::Error::new("execute a command", OfKind(kind));
            assert_eq!(not_executed(error).exit_code(), code, "{kind:?}");
        }
    }
}
