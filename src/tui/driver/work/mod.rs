//! Background jobs: requests to the engine, one file per noun.

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
use crate::tui::effect::Job;
use crate::tui::event::Finish;

/// Arguments that the command line rejects.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Refused(pub(super) command::Usage);

impl Explain for Refused {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// Performs a job, and returns the result; `title` is its name in the list of tasks.
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
        // Handled by the driver.
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
            let doing = || format!("create `{name}`");
            let name: Reference = name.parse().map_err(BadName).doing(doing)?;
            images::from_host(engine, name, image::default_programs(), reporter).await
        }
    }
}

/// Reads the files that a request refers to, on a thread that may block.
pub(super) async fn resolved<T: Send + 'static>(
    world: &World,
    read: impl FnOnce(&World) -> std::result::Result<T, command::Usage> + Send + 'static,
) -> std::result::Result<T, Refused> {
    let world = world.clone();
    match tokio::task::spawn_blocking(move || read(&world)).await.map_err(JoinError::try_into_panic) {
        Ok(result) => result.map_err(Refused),
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // The runtime is shutting down, so nothing receives the result.
        Err(Err(_)) => std::future::pending().await,
    }
}

/// Writes a new file; an existing one is not overwritten.
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

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct NotWritten(io::Error);

impl Explain for NotWritten {
    fn kind(&self) -> ErrorKind {
        if self.0.kind() == io::ErrorKind::AlreadyExists { ErrorKind::Conflict } else { ErrorKind::Internal }
    }

    fn hint(&self) -> Option<String> {
        let is_there = self.0.kind() == io::ErrorKind::AlreadyExists;
        is_there
            .then(|| "existing files are not overwritten: remove it first, or choose another name".to_owned())
    }
}

/// A name that is not a valid reference.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct BadName(pub(super) <Reference as std::str::FromStr>::Err);

impl Explain for BadName {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// Performs a request. Requests that only print something are left to the command line.
async fn request(engine: &Engine, resolved: Resolved, reporter: Reporter) -> Result<Finish> {
    match resolved.into_request() {
        Request::Container(request) => containers::perform(engine, request, reporter).await,
        Request::Image(request) => images::perform(engine, request, reporter).await,
        _ => only_printed(),
    }
}

/// Formats warnings to append to a result.
fn told(warnings: &Warnings) -> String {
    warnings.distinct().map(|warning| format!(" · {warning}")).collect()
}

fn said(text: String) -> Finish {
    Finish { text, made: None, image: None, opens: false }
}

fn only_printed() -> Result<Finish> {
    unsupported("this command in the terminal UI", "the command line")
}

fn unsupported(what: &str, instead: &str) -> Result<Finish> {
    let why = Unsupported { what: what.to_owned(), instead: Some(format!("use {instead}")) };
    Err(Error::new("do that here", why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Paths;
    use crate::engine::Settings;
    use crate::tui::Environment;
    use crate::tui::fixture::asked;

    struct Rig {
        dir: tempfile::TempDir,
        engine: Engine,
        world: World,
    }

    fn rig() -> Rig {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        let engine = Engine::open(Settings::new(paths)).unwrap();
        let read = |path: &std::path::Path| std::fs::read_to_string(path);
        let world = World { environment: Environment::default(), folder: dir.path().to_owned(), read };
        Rig { dir, engine, world }
    }

    impl Rig {
        /// Returns the result of a job.
        async fn result(&self, job: Job, title: &str) -> std::result::Result<String, (ErrorKind, String)> {
            let result = work(&self.engine, &self.world, job, title, Reporter::silent()).await;
            result.map(|finish| finish.text).map_err(|error| {
                let whole: Vec<String> = std::iter::once(error.to_string()).chain(error.causes()).collect();
                (error.kind(), whole.join(": "))
            })
        }

        /// Returns the result of a command line.
        async fn line(&self, line: &str) -> std::result::Result<String, (ErrorKind, String)> {
            self.result(asked(line), line).await
        }
    }

    #[tokio::test]
    async fn work_on_what_is_not_there_fails_by_name() {
        let rig = rig();
        let verbs = ["start", "stop", "restart", "kill", "pause", "unpause", "rm", "rmi", "export -o x.tar"];
        for verb in verbs {
            let (kind, said) = rig.line(&format!("{verb} nope")).await.unwrap_err();
            assert_eq!(kind, ErrorKind::NotFound, "{verb}");
            assert!(said.contains("nope"), "{verb}: {said}");
        }
        assert!(rig.line("tag nope new").await.unwrap_err().1.contains("nope"));
        assert!(rig.line("rename nope new").await.unwrap_err().1.contains("nope"));
        // With force, a missing container is not an error.
        assert_eq!(rig.line("rm -f nope").await, Ok("removed nope".to_owned()));
    }

    #[tokio::test]
    async fn what_only_prints_and_what_needs_streams_says_what_to_use() {
        let rig = rig();
        for line in ["ps", "logs web", "images", "inspect web", "info", "network ls", "volume ls"] {
            let (kind, said) = rig.line(line).await.unwrap_err();
            assert_eq!(kind, ErrorKind::Unsupported, "{line}: {said}");
        }
        for line in ["export web", "load", "import -"] {
            let (kind, said) = rig.line(line).await.unwrap_err();
            assert!(kind == ErrorKind::Unsupported && said.contains("standard"), "{line}: {said}");
        }
    }

    #[tokio::test]
    async fn what_a_request_refers_to_is_read_first_and_named_when_it_cannot_be() {
        let rig = rig();
        let (kind, said) = rig.line("create --env-file missing.env host").await.unwrap_err();
        assert_eq!(kind, ErrorKind::Invalid);
        assert!(
            said.contains("create --env-file missing.env host") && said.contains("missing.env"),
            "{said}"
        );
    }

    #[tokio::test]
    async fn a_file_is_written_once_and_never_over_another_one() {
        let rig = rig();
        let path = rig.dir.path().join("web.csv");
        let job = |text: &str| Job::Write(path.clone(), text.to_owned());
        assert_eq!(rig.result(job("one"), "").await, Ok(format!("saved {}", path.display())));
        let (kind, _) = rig.result(job("two"), "").await.unwrap_err();
        assert_eq!(kind, ErrorKind::Conflict);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
        let missing = Job::Write(rig.dir.path().join("no/folder"), String::new());
        assert_eq!(rig.result(missing, "").await.unwrap_err().0, ErrorKind::Internal);
    }

    #[test]
    fn warnings_stand_behind_what_was_done() {
        assert_eq!(told(&Warnings::default()), "");
        assert_eq!(told(&Warnings(vec!["one".to_owned(), "two".to_owned()])), " · one · two");
    }
}
