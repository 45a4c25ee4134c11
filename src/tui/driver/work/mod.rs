//! Work in the background: what is asked of the engine, a file a noun.

mod containers;
mod images;

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;

use tokio::task::JoinError;

use crate::base::units::counted;
use crate::command::{self, Request, Resolved, World};
use crate::engine::{
    Doing as _, Engine, Error, ErrorKind, Explain, Reporter, Result, Unsupported, Warnings, image,
};
use crate::oci::Reference;
use crate::tui::event::{Finish, Job};

/// Words that the grammar refuses.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Refused(pub(super) command::Usage);

impl Explain for Refused {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// Does it, and says how it went; `title` is what the list of tasks calls it.
pub(super) async fn work(
    engine: &Engine,
    world: &World,
    job: Job,
    title: &str,
    reporter: Reporter,
) -> Result<Finish> {
    match job {
        Job::Request(asked) => {
            let resolved = resolved(world, |world| asked.resolve(world)).await;
            request(engine, resolved.doing(|| format!("run `hoist {title}`"))?, reporter).await
        }
        // The driver runs these itself.
        Job::Print(words, _) => unsupported("print", &command::join(&words)),
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
            images::from_host(engine, name, image::default_programs(), reporter).await
        }
    }
}

/// Reads what a request refers to, on a thread that may wait for a disk.
pub(super) async fn resolved<T: Send + 'static>(
    world: &World,
    read: impl FnOnce(&World) -> std::result::Result<T, command::Usage> + Send + 'static,
) -> std::result::Result<T, Refused> {
    let world = world.clone();
    match tokio::task::spawn_blocking(move || read(&world)).await.map_err(JoinError::try_into_panic) {
        Ok(result) => result.map_err(Refused),
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // The runtime ends, and nobody is left to be told.
        Err(Err(_)) => std::future::pending().await,
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
pub(super) struct BadName(pub(super) <Reference as std::str::FromStr>::Err);

impl Explain for BadName {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// Does what is asked for; what only shows is for the command line to print.
async fn request(engine: &Engine, resolved: Resolved, reporter: Reporter) -> Result<Finish> {
    match resolved.into_request() {
        Request::Container(request) => containers::perform(engine, request, reporter).await,
        Request::Image(request) => images::perform(engine, request, reporter).await,
        _ => only_printed(),
    }
}

/// Warnings as they stand behind what was done.
fn told(warnings: &Warnings) -> String {
    warnings.0.iter().map(|warning| format!(" · {warning}")).collect()
}

fn said(text: String) -> Finish {
    Finish { text, made: None, image: None, opens: false }
}

fn only_printed() -> Result<Finish> {
    unsupported("this command in the TUI", "the command line")
}

fn unsupported(what: &str, instead: &str) -> Result<Finish> {
    let why = Unsupported { what: what.to_owned(), instead: Some(format!("use {instead}")) };
    Err(Error::new("do that here", why))
}
