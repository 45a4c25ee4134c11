//! What hoist prints when it is called with words: our own program, run beside us.
//!
//! Exact, because it is the command line itself; it speaks to the same folders. What it
//! prints is told at most once a frame, and only the last part of it where that is much.

use std::collections::HashMap;
use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::sync::Notify;

use super::FRAME;
use crate::command::join;
use crate::engine::Engine;
use crate::tui::event::{Event, Finish};
use crate::tui::model::Failure;
use crate::tui::reader::EventSender;
use crate::tui::tasks::model::TaskId;

/// What is printed and not told yet is cut at its beginning when it is more than this.
const HELD: usize = 1 << 20;

/// The programs that run.
#[derive(Default)]
pub(super) struct Prints {
    running: HashMap<TaskId, Running>,
}

/// One of them, by a descriptor that never means another process.
struct Running {
    process: Arc<std::os::fd::OwnedFd>,
    was_asked: bool,
}

impl Drop for Prints {
    fn drop(&mut self) {
        for running in self.running.values() {
            running.signal(Signal::TERM);
        }
    }
}

impl Running {
    fn signal(&self, signal: Signal) {
        // One that has ended needs no signal.
        let _ = pidfd_send_signal(&self.process, signal);
    }
}

impl Prints {
    /// Begins it. Its end is told as that of any other work.
    pub(super) fn start(
        &mut self,
        engine: &Engine,
        config: Option<&std::path::Path>,
        tell: &EventSender,
        id: TaskId,
        words: Vec<String>,
    ) {
        match spawn(engine, config, &words) {
            Ok((child, process, output)) => {
                self.running.insert(id, Running { process: Arc::new(process), was_asked: false });
                tokio::spawn(carry(tell.clone(), id, words, child, output));
            }
            Err(error) => {
                let what = format!("cannot start `hoist {}`", join(&words));
                let failure = Failure { what, why: vec![error.to_string()], hint: None };
                let tell = tell.clone();
                tokio::spawn(async move { tell.send(Event::Finished(id, Err(failure))).await });
            }
        }
    }

    /// Asks it to end; asked again, it is ended. `false` when there is none.
    pub(super) fn cancel(&mut self, id: TaskId) -> bool {
        let Some(running) = self.running.get_mut(&id) else { return false };
        running.signal(if running.was_asked { Signal::KILL } else { Signal::TERM });
        running.was_asked = true;
        true
    }

    /// Forgets one that has ended.
    pub(super) fn take(&mut self, id: TaskId) {
        self.running.remove(&id);
    }
}

type Spawned = (std::process::Child, std::os::fd::OwnedFd, io::PipeReader);

fn spawn(engine: &Engine, config: Option<&std::path::Path>, words: &[String]) -> io::Result<Spawned> {
    // One pipe for both, so that lines stand in the order they were written.
    let (output, theirs) = io::pipe()?;
    let folders = engine.settings().folders();
    let mut command = Command::new(&engine.settings().program);
    command.arg("--root").arg(folders.root).arg("--run-root").arg(folders.run);
    if let Some(config) = config {
        command.arg("--config").arg(config);
    }
    command.args(words).stdin(Stdio::null()).stdout(theirs.try_clone()?).stderr(theirs);
    let child = command.spawn()?;
    // It is not waited for before this, so its number is its own.
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    let process = pidfd_open(pid, PidfdFlags::empty())?;
    Ok((child, process, output))
}

/// Bytes that were read and not told.
#[derive(Default)]
struct Held {
    bytes: Vec<u8>,
    is_over: bool,
}

async fn carry(
    tell: EventSender,
    id: TaskId,
    words: Vec<String>,
    mut child: std::process::Child,
    output: io::PipeReader,
) {
    let held: Arc<Mutex<Held>> = Arc::default();
    let bell = Arc::new(Notify::new());
    let reader = {
        let (held, bell) = (held.clone(), bell.clone());
        tokio::task::spawn_blocking(move || read(output, &held, &bell))
    };
    loop {
        bell.notified().await;
        let Held { bytes, is_over } =
            std::mem::take(&mut *held.lock().unwrap_or_else(PoisonError::into_inner));
        if !bytes.is_empty() {
            tell.send(Event::Said(id, bytes)).await;
        }
        if is_over {
            break;
        }
        tokio::time::sleep(FRAME).await;
    }
    let _ = reader.await;
    let ended = tokio::task::spawn_blocking(move || child.wait()).await;
    let line = join(&words);
    let result = match ended {
        Ok(Ok(status)) if status.success() => {
            let text = format!("{line}: done");
            Ok(Finish { text, made: None, image: None, opens: false })
        }
        Ok(Ok(status)) => Err(Failure { what: format!("`{line}`: {status}"), ..Failure::default() }),
        _ => Err(Failure { what: format!("`{line}`: its end was not seen"), ..Failure::default() }),
    };
    tell.send(Event::Finished(id, result)).await;
}

fn read(mut output: io::PipeReader, held: &Mutex<Held>, bell: &Notify) {
    let mut chunk = vec![0; 64 << 10];
    loop {
        let count = output.read(&mut chunk).unwrap_or(0);
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        held.bytes.extend_from_slice(&chunk[..count]);
        if held.bytes.len() > HELD {
            let surplus = held.bytes.len() - HELD / 2;
            let line = held.bytes[surplus..].iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            held.bytes.drain(..surplus + line);
        }
        held.is_over = count == 0;
        drop(held);
        bell.notify_one();
        if count == 0 {
            return;
        }
    }
}
