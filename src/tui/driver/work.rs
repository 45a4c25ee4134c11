//! Work in the background: what words of the command line ask of the engine.

use crate::command::{self, Request, World};
use crate::engine::{
    ArchiveInput, CreateRequest, Doing as _, Engine, Error, ErrorKind, Explain, Force, ImportRequest,
    Parents, PullOptions, PullStatus, Reporter, Result, Unsupported, WaitFor, image,
};
use crate::oci::Reference;
use crate::tui::event::{Finish, Job};
use crate::tui::model::rows::ContainerRow;

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
            Ok(said(format!("saved {lines} lines to {path}")))
        }
        Job::FromHost(name) => {
            let doing = || format!("make `{name}`");
            let name: Reference = name.parse().map_err(BadName).doing(doing)?;
            from_host(engine, name, image::default_programs(), reporter).await
        }
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
            let tty = run.create.request.options.tty && !run.detach;
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
            Ok(made(format!("{how} {}", pull.reference), &pulled.image.to_string()))
        }
        Request::Load(load) => {
            let Some(path) = load.input else { return unsupported("load from standard input", "-i FILE") };
            let loaded = images.load(ArchiveInput::File(path), reporter).await?;
            let names: Vec<String> =
                loaded.iter().flat_map(|it| it.names.iter().map(ToString::to_string)).collect();
            let first = loaded.first().map_or_else(String::new, |it| it.image.to_string());
            Ok(made(format!("loaded {}", names.join(", ")), &first))
        }
        Request::Import(import) => {
            let Some(path) = import.source else {
                return unsupported("import from standard input", "a file");
            };
            let name = import.reference.as_ref().map_or_else(String::new, ToString::to_string);
            let request = ImportRequest {
                input: ArchiveInput::File(path),
                name: import.reference,
                changes: import.changes,
                message: import.message,
                platform: import.platform,
            };
            let id = images.import(request, reporter).await?;
            Ok(made(format!("imported {name}"), &id.to_string()))
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
                images.remove(name, force, parents).await?;
            }
            Ok(said(format!("removed {}", rmi.names.join(", "))))
        }
        other => verb(engine, other).await,
    }
}

/// Verbs on containers that are there.
async fn verb(engine: &Engine, request: Request) -> Result<Finish> {
    let containers = engine.containers();
    let (told, targets) = match request {
        Request::Start(start) => {
            for target in &start.targets {
                containers.start(target).await?;
            }
            ("started", start.targets)
        }
        Request::Stop(stop) => {
            for target in &stop.targets {
                containers.stop(target, stop.signal.as_deref(), stop.timeout).await?;
            }
            ("stopped", stop.targets)
        }
        Request::Restart(restart) => {
            for target in &restart.targets {
                containers.restart(target, restart.signal.as_deref(), restart.timeout).await?;
            }
            ("restarted", restart.targets)
        }
        Request::Kill(kill) => {
            for target in &kill.targets {
                containers.kill(target, &kill.signal).await?;
            }
            ("killed", kill.targets)
        }
        Request::Pause(pause) => {
            for target in &pause.targets {
                containers.pause(target).await?;
            }
            ("paused", pause.targets)
        }
        Request::Unpause(unpause) => {
            for target in &unpause.targets {
                containers.unpause(target).await?;
            }
            ("resumed", unpause.targets)
        }
        Request::Rm(rm) => {
            for target in &rm.targets {
                containers.remove(target, rm.force, rm.volumes).await?;
            }
            ("removed", rm.targets)
        }
        Request::Rename(rename) => {
            containers.rename(&rename.target, rename.name).await?;
            ("renamed", vec![rename.target])
        }
        Request::Wait(wait) => {
            for target in &wait.targets {
                containers.wait(target, WaitFor::NotRunning).await?;
            }
            ("ended:", wait.targets)
        }
        _ => return unsupported("this command in the TUI", "the command line"),
    };
    Ok(said(format!("{told} {}", targets.join(", "))))
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
    if then == Then::Start {
        engine.containers().start(id).await?;
    }
    let container = engine.containers().get(id).await?;
    let word = if then == Then::Start { "started" } else { "created" };
    let warnings = created.warnings.iter().map(|warning| format!(" · {warning}")).collect::<String>();
    Ok(Finish {
        text: format!("{word} {}{warnings}", created.name),
        made: Some(Box::new(ContainerRow::new(&container))),
        image: None,
        opens: then == Then::Open,
    })
}

async fn from_host(
    engine: &Engine,
    name: Reference,
    programs: Vec<String>,
    reporter: Reporter,
) -> Result<Finish> {
    let count = programs.len();
    let text = format!("made {name} of {count} programs of this machine");
    let id = engine.images().from_host(name, programs, reporter).await?;
    Ok(made(text, &id.to_string()))
}

fn made(text: String, id: &str) -> Finish {
    let hex = id.split_once(':').map_or(id, |(_, hex)| hex);
    Finish { text, made: None, image: Some(hex.chars().take(12).collect()), opens: false }
}

fn said(text: String) -> Finish {
    Finish { text, made: None, image: None, opens: false }
}

fn unsupported(what: &str, instead: &str) -> Result<Finish> {
    let why = Unsupported { what: what.to_owned(), instead: Some(format!("use {instead}")) };
    Err(Error::new("do that here", why))
}
