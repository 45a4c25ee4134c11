//! `run` and `create`.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::failure::{Failure, Result};
use super::output::{line, note, warn};
use super::progress::{ProgressOutput, shown};
use super::session::{self, End, Manner};
use super::terminal;
use crate::command::container::{Create, Run};
use crate::engine::{AttachOptions, Created, Engine, Removal, Running, Streams, WaitFor};

/// Docker's exit code for failures before the container's program runs.
pub(super) const ENGINE: u8 = 125;

pub(super) async fn create(engine: &Engine, create: Create) -> Result<u8> {
    let created = make(engine, create).await?;
    line(&created.id)?;
    Ok(0)
}

pub(super) async fn run(engine: &Engine, run: Run) -> Result<u8> {
    let options = &run.create.request.options;
    let (tty, auto_remove) = (options.process.tty, options.lifecycle.auto_remove);
    if tty && run.streams.stdin && !terminal::is_input_terminal() {
        return Err(not_a_terminal());
    }
    let created = make(engine, run.create).await.map_err(|failure| failure.of_program(ENGINE))?;
    let (id, name) = (created.id.as_str(), created.name.as_str());
    let containers = engine.containers();
    if run.detach {
        match containers.start(name).await {
            Ok(warnings) => warn(&warnings),
            Err(error) => {
                forget(engine, id, auto_remove).await;
                return Err(Failure::from(error).of_program(ENGINE));
            }
        }
        line(id)?;
        return Ok(0);
    }
    let size = if tty { terminal::size() } else { None };
    let attached = match containers.start_attached(name, attach_options(run.streams), size).await {
        Ok(attached) => attached,
        Err(error) => {
            forget(engine, id, auto_remove).await;
            return Err(Failure::from(error).of_program(ENGINE));
        }
    };
    let manner = Manner {
        stdin: run.streams.stdin,
        sig_proxy: run.sig_proxy.then(|| (engine.clone(), id.to_owned())),
        detach_keys: run.detach_keys,
        redraw: false,
    };
    let end = session::run(attached, manner).await.map_err(|failure| match failure {
        Failure::Output(_) => failure,
        other => other.of_program(ENGINE),
    })?;
    exit_code(engine, id, end).await
}

/// Attaches without dropping output, however slow the reader is.
pub(super) fn attach_options(streams: Streams) -> AttachOptions {
    let Streams { stdin, stdout, stderr } = streams;
    AttachOptions { stdin, stdout, stderr, lossless: true }
}

pub(super) fn not_a_terminal() -> Failure {
    let hint = "omit -t if standard input is a pipe or a file".to_owned();
    Failure::Words("the input device is not a TTY".to_owned(), Some(hint))
}

/// Returns the exit code for the end of a session.
pub(super) async fn exit_code(engine: &Engine, target: &str, end: End) -> Result<u8> {
    match end {
        End::Exited(code) | End::Signal(code) => Ok(code),
        End::Detached => Ok(0),
        End::Unread => Ok(128 + 13),
        // The monitor was killed: waiting settles the run that it left.
        End::Lost => {
            let found = engine.containers().get(target).await.ok();
            let kept = found.filter(|container| !container.config.lifecycle.auto_remove);
            let rest =
                kept.map_or_else(String::new, |container| format!("; see `hoist logs {}`", container.name));
            note(format!(
                "warning: the monitor of the container was killed: output may be missing here{rest}"
            ));
            Ok(engine.containers().wait(target, WaitFor::NotRunning).await?.code)
        }
    }
}

/// Removes a container with `--rm` that could not be started.
async fn forget(engine: &Engine, id: &str, auto_remove: bool) {
    if auto_remove {
        // The monitor may have removed it already.
        let _ = engine.containers().remove(id, Removal::for_good(Running::Kill)).await;
    }
}

async fn make(engine: &Engine, create: Create) -> Result<Created> {
    let cidfile = create.cidfile.as_deref().map(CidFile::reserve).transpose()?;
    let place = if create.quiet { ProgressOutput::Nowhere } else { ProgressOutput::Stderr };
    let containers = engine.containers();
    let created = shown(place, || {}, |reporter| containers.create(create.request, reporter)).await?;
    warn(&created.warnings);
    if let Some(cidfile) = cidfile {
        cidfile.fill(created.id.as_str())?;
    }
    Ok(created)
}

/// The file of `--cidfile`: created first, and removed if no container is created.
struct CidFile {
    path: PathBuf,
    file: std::fs::File,
    is_filled: bool,
}

impl CidFile {
    fn reserve(path: &Path) -> Result<Self> {
        let bad = |why: String| Failure::words(why).code(ENGINE);
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(file) => Ok(Self { path: path.to_owned(), file, is_filled: false }),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Failure::Words(
                format!("container ID file found: {}", path.display()),
                Some("make sure the other container isn't running, or delete the file".to_owned()),
            )
            .code(ENGINE)),
            Err(error) => {
                Err(bad(format!("cannot create the container ID file {}: {error}", path.display())))
            }
        }
    }

    fn fill(mut self, id: &str) -> Result<()> {
        self.file.write_all(id.as_bytes()).map_err(Failure::cannot("write the container ID file"))?;
        self.is_filled = true;
        Ok(())
    }
}

impl Drop for CidFile {
    fn drop(&mut self) {
        if !self.is_filled {
            // Best effort: an empty file may remain.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_for_the_id_is_there_before_the_container_and_goes_without_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cid");
        let file = CidFile::reserve(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"");
        assert_eq!(CidFile::reserve(&path).map(drop).unwrap_err().exit_code(), ENGINE, "it is another's");
        drop(file);
        assert!(!path.exists());
        CidFile::reserve(&path).unwrap().fill("abc").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"abc");
        let nowhere = CidFile::reserve(&dir.path().join("none/cid")).map(drop).unwrap_err();
        assert_eq!(nowhere.exit_code(), ENGINE);
    }
}
