//! Work in the background: what words of the command line ask of the engine.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;

use crate::base::error::one_line;
use crate::base::units::counted;
use crate::command::{self, Request, World};
use crate::engine::{
    ArchiveInput, CreateRequest, Doing as _, Engine, Error, ErrorKind, Explain, Force, ImportRequest,
    Parents, PullOptions, PullStatus, Removed, Reporter, Result, Unsupported, Warnings, image,
};
use crate::oci::{ImageId, Reference};
use crate::tui::event::{Finish, Job};
use crate::tui::list::rows::ContainerRow;

/// Words that the grammar refuses.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Refused(pub(super) command::Usage);

impl Explain for Refused {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// Does it, and says how it went.
pub(super) async fn work(engine: &Engine, world: &World, job: Job, reporter: Reporter) -> Result<Finish> {
    match job {
        Job::Words(words) => {
            let doing = || format!("run `hoist {}`", command::join(&words));
            let parsed = command::parse(&words, world).map_err(Refused).doing(doing)?;
            request(engine, parsed.request, reporter).await
        }
        // The driver runs these itself.
        Job::Print(words) => unsupported("print", &command::join(&words)),
        Job::SaveLog(save) => {
            let path = save.path.display().to_string();
            let lines = engine.containers().save_log(*save, reporter).await?;
            Ok(said(format!("saved {} to {path}", counted(lines, "line"))))
        }
        Job::Write(path, text) => write(path, text).await,
        Job::Copy(request) => Ok(said(super::files::copy(engine, request, reporter).await?)),
        Job::Delete(place, folder, names) => {
            Ok(said(super::files::delete(engine, (&place, &folder), names, reporter).await?))
        }
        Job::FromHost(name) => {
            let doing = || format!("make `{name}`");
            let name: Reference = name.parse().map_err(BadName).doing(doing)?;
            from_host(engine, name, image::default_programs(), reporter).await
        }
    }
}

/// Writes a new file; one that is there is left alone.
async fn write(path: PathBuf, text: String) -> Result<Finish> {
    let doing = format!("save {}", path.display());
    let told = format!("saved {}", path.display());
    let written = tokio::task::spawn_blocking(move || {
        let mut file = File::options().write(true).create_new(true).open(path)?;
        file.write_all(text.as_bytes())
    });
    match written.await {
        Ok(Ok(())) => Ok(said(told)),
        Ok(Err(why)) => Err(Error::new(doing, NotWritten(why))),
        Err(_) => Err(Error::new(doing, NotWritten(io::ErrorKind::Interrupted.into()))),
    }
}

/// A file that was not written.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct NotWritten(io::Error);

impl Explain for NotWritten {
    fn kind(&self) -> ErrorKind {
        if self.0.kind() == io::ErrorKind::AlreadyExists { ErrorKind::Conflict } else { ErrorKind::Internal }
    }

    fn hint(&self) -> Option<String> {
        let is_there = self.0.kind() == io::ErrorKind::AlreadyExists;
        is_there.then(|| "it is not overwritten: remove it first, or take another name".to_owned())
    }
}

/// A name that is no reference.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct BadName(<Reference as std::str::FromStr>::Err);

impl Explain for BadName {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

async fn request(engine: &Engine, request: Request, reporter: Reporter) -> Result<Finish> {
    let images = engine.images();
    match request {
        Request::Run(run) => {
            let tty = run.create.request.options.process.tty && !run.detach;
            create(engine, run.create.request, Then::start(tty), reporter).await
        }
        Request::Create(asked) => create(engine, asked.request, Then::Nothing, reporter).await,
        Request::Pull(pull) => {
            let options = PullOptions { platform: pull.platform };
            let pulled = images.pull(&pull.reference, options, reporter).await?;
            let how = match pulled.status {
                PullStatus::Downloaded => "pulled",
                PullStatus::UpToDate => "up to date:",
            };
            let name = pull.reference.tag().is_some().then(|| pull.reference.to_string());
            Ok(made(format!("{how} {}", pull.reference), name, &pulled.image))
        }
        Request::Load(load) => {
            let Some(path) = load.input else { return unsupported("load from standard input", "-i FILE") };
            let loaded = images.load(ArchiveInput::File(path), reporter).await?;
            let names: Vec<String> =
                loaded.iter().flat_map(|it| it.names.iter().map(ToString::to_string)).collect();
            let text = format!("loaded {}", names.join(", "));
            Ok(match loaded.first() {
                Some(first) => made(text, first.names.first().map(ToString::to_string), &first.image),
                None => said(text),
            })
        }
        Request::Import(import) => {
            let Some(path) = import.source else {
                return unsupported("import from standard input", "a file");
            };
            let name = import.reference.as_ref().map(ToString::to_string);
            let request = ImportRequest {
                input: ArchiveInput::File(path),
                name: import.reference,
                changes: import.changes,
                message: import.message,
                platform: import.platform,
            };
            let id = images.import(request, reporter).await?;
            Ok(made(format!("imported {}", name.as_deref().unwrap_or("an image")), name, &id))
        }
        Request::FromHost(asked) => from_host(engine, asked.reference, asked.programs, reporter).await,
        Request::Tag(tag) => {
            let told = format!("tagged {}", tag.name);
            images.tag(&tag.image, tag.name).await?;
            Ok(said(told))
        }
        Request::Rmi(rmi) => {
            let force = if rmi.force { Force::Yes } else { Force::No };
            let parents = if rmi.no_prune { Parents::Keep } else { Parents::Prune };
            for name in &rmi.names {
                for one in images.remove(name, force, parents).await? {
                    reporter.note(match one {
                        Removed::Untagged(name) => format!("Untagged: {name}"),
                        Removed::Deleted(digest) => format!("Deleted: {digest}"),
                    });
                }
            }
            Ok(said(format!("removed {}", rmi.names.join(", "))))
        }
        other => verb(engine, other, reporter).await,
    }
}

/// Verbs on containers that are there.
async fn verb(engine: &Engine, request: Request, reporter: Reporter) -> Result<Finish> {
    let on = |told: &'static str, targets| On { told, targets, reporter };
    // A task's future must be able to go to another thread: each owns what it works with.
    let of = || engine.clone();
    match request {
        Request::Start(it) => {
            let work =
                |engine: Engine, target: String| async move { engine.containers().start(&target).await };
            on("started", it.targets).each(|target| work(of(), target)).await
        }
        Request::Stop(it) => {
            let (signal, secs) = (it.signal, it.timeout);
            let work = |engine: Engine, signal: Option<String>, target: String| async move {
                engine.containers().stop(&target, signal.as_deref(), secs).await
            };
            on("stopped", it.targets).each(|target| work(of(), signal.clone(), target)).await
        }
        Request::Restart(it) => {
            let (signal, secs) = (it.signal, it.timeout);
            let work = |engine: Engine, signal: Option<String>, target: String| async move {
                engine.containers().restart(&target, signal.as_deref(), secs).await
            };
            on("restarted", it.targets).each(|target| work(of(), signal.clone(), target)).await
        }
        Request::Kill(it) => {
            let signal = it.signal;
            let work = |engine: Engine, signal: String, target: String| async move {
                engine.containers().kill(&target, &signal).await
            };
            on("killed", it.targets).each(|target| work(of(), signal.clone(), target)).await
        }
        Request::Pause(it) => {
            let work =
                |engine: Engine, target: String| async move { engine.containers().pause(&target).await };
            on("paused", it.targets).each(|target| work(of(), target)).await
        }
        Request::Unpause(it) => {
            let work =
                |engine: Engine, target: String| async move { engine.containers().unpause(&target).await };
            on("resumed", it.targets).each(|target| work(of(), target)).await
        }
        Request::Rm(it) => {
            let (force, volumes) = (it.force, it.volumes);
            let work = |engine: Engine, target: String| async move {
                match engine.containers().remove(&target, force, volumes).await {
                    // What is not there need not be removed by force.
                    Err(error) if force && error.kind() == ErrorKind::NotFound => Ok(()),
                    other => other,
                }
            };
            on("removed", it.targets).each(|target| work(of(), target)).await
        }
        Request::Rename(it) => {
            let warnings = engine.containers().rename(&it.target, it.name).await?;
            Ok(said(format!("renamed {}{}", it.target, told(&warnings))))
        }
        _ => unsupported("this command in the TUI", "the command line"),
    }
}

/// Objects that something is done to.
struct On {
    told: &'static str,
    targets: Vec<String>,
    reporter: Reporter,
}

impl On {
    /// Does `work` for each, one after the other; goes on after a failure, as the command
    /// line does. What failed first is the failure, the others are noted.
    async fn each<T: Into<Warnings>, F: Future<Output = Result<T>>>(
        self,
        work: impl Fn(String) -> F,
    ) -> Result<Finish> {
        let mut warnings = Warnings::default();
        let mut done = Vec::new();
        let mut failed = None;
        for target in self.targets {
            match work(target.clone()).await {
                Ok(more) => {
                    warnings.0.extend(more.into().0);
                    done.push(target);
                }
                Err(error) => {
                    self.reporter.note(one_line(&error));
                    failed.get_or_insert(error);
                }
            }
        }
        match failed {
            None => Ok(said(format!("{} {}{}", self.told, done.join(", "), told(&warnings)))),
            Some(error) => Err(error),
        }
    }
}

/// What follows on a container's creation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    Start,
    /// The TUI starts it, with a terminal.
    Open,
}

impl Then {
    fn start(tty: bool) -> Self {
        if tty { Self::Open } else { Self::Start }
    }
}

async fn create(engine: &Engine, request: CreateRequest, then: Then, reporter: Reporter) -> Result<Finish> {
    let created = engine.containers().create(request, reporter).await?;
    let id = created.id.as_str();
    let mut warnings = created.warnings;
    if then == Then::Start {
        warnings.0.extend(engine.containers().start(id).await?.0);
    }
    let container = engine.containers().get(id).await?;
    let word = if then == Then::Start { "started" } else { "created" };
    Ok(Finish {
        text: format!("{word} {}{}", created.name, told(&warnings)),
        made: Some(Box::new(ContainerRow::new(&container))),
        image: None,
        opens: then == Then::Open,
    })
}

/// Warnings as they stand behind what was done.
fn told(warnings: &Warnings) -> String {
    warnings.0.iter().map(|warning| format!(" · {warning}")).collect()
}

async fn from_host(
    engine: &Engine,
    name: Reference,
    programs: Vec<String>,
    reporter: Reporter,
) -> Result<Finish> {
    let count = programs.len();
    let text = format!("made {name} of {count} programs of this machine");
    let called = name.to_string();
    let id = engine.images().from_host(name, programs, reporter).await?;
    Ok(made(text, Some(called), &id))
}

/// An image was made: it is known by its name, where it has one.
fn made(text: String, name: Option<String>, id: &ImageId) -> Finish {
    Finish { text, made: None, image: Some(name.unwrap_or_else(|| id.short().to_owned())), opens: false }
}

fn said(text: String) -> Finish {
    Finish { text, made: None, image: None, opens: false }
}

fn unsupported(what: &str, instead: &str) -> Result<Finish> {
    let why = Unsupported { what: what.to_owned(), instead: Some(format!("use {instead}")) };
    Err(Error::new("do that here", why))
}
