//! Shows what a command prints by running hoist's own executable.
//!
//! The output is exact, because it is the command line itself, which uses the same folders. It is
//! sent at most once per frame; if there is a lot, only the last part.

use std::collections::HashMap;
use std::io::{self, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::signal::Signal;
use tokio::sync::Notify;

use super::pace::FRAME;
use super::process::Group;
use crate::command::join;
use crate::engine::Engine;
use crate::tui::event::{Event, Finish};
use crate::tui::failure::Failure;
use crate::tui::reader::EventSender;
use crate::tui::section::TaskId;

/// The maximum size of output that was not yet sent; beyond that its beginning is cut.
const HELD: usize = 1 << 20;

/// The running programs.
#[derive(Default)]
pub(super) struct Prints {
    running: HashMap<TaskId, Running>,
}

/// A running program. It is told to end when hoist exits.
struct Running {
    group: Group,
    was_asked: bool,
}

impl Prints {
    /// Starts a program. Its end is reported like that of any other task.
    pub(super) fn start(
        &mut self,
        engine: &Engine,
        config: Option<&std::path::Path>,
        tell: &EventSender,
        id: TaskId,
        words: Vec<String>,
    ) {
        match spawn(engine, config, &words) {
            Ok((group, output)) => {
                self.running.insert(id, Running { group, was_asked: false });
                tokio::spawn(carry(tell.clone(), id, words, group, output));
            }
            Err(error) => {
                let what = format!("cannot start `hoist {}`", join(&words));
                let failure = Failure { what, why: vec![error.to_string()], hint: None };
                let tell = tell.clone();
                tokio::spawn(async move { tell.send(Event::Finished(id, Err(failure))).await });
            }
        }
    }

    /// Terminates a program; the second call kills it. Returns `false` if it is not running.
    pub(super) fn cancel(&mut self, id: TaskId) -> bool {
        let Some(running) = self.running.get_mut(&id) else { return false };
        running.group.signal(next_signal(running.was_asked));
        running.was_asked = true;
        true
    }

    /// Forgets a program that has exited.
    pub(super) fn take(&mut self, id: TaskId) {
        self.running.remove(&id);
    }
}

/// Returns the signal for a cancellation: SIGTERM first, then SIGKILL.
fn next_signal(was_asked: bool) -> Signal {
    if was_asked { Signal::SIGKILL } else { Signal::SIGTERM }
}

fn spawn(
    engine: &Engine,
    config: Option<&std::path::Path>,
    words: &[String],
) -> io::Result<(Group, io::PipeReader)> {
    // A single pipe for both, so that lines remain in order.
    let (output, theirs) = io::pipe()?;
    let folders = engine.settings().folders();
    let mut command = Command::new(&engine.settings().program);
    command.arg("--root").arg(folders.root).arg("--run-root").arg(folders.run);
    if let Some(config) = config {
        command.arg("--config").arg(config);
    }
    command.args(words).stdin(Stdio::null()).stdout(theirs.try_clone()?).stderr(theirs);
    Ok((Group::start(&mut command, Signal::SIGTERM)?, output))
}

/// Output that was read but not yet sent.
#[derive(Default)]
struct Held {
    bytes: Vec<u8>,
    is_over: bool,
}

impl Held {
    /// Adds output that was read; empty at the end. If there is too much, the last half is kept,
    /// starting at the beginning of a line.
    fn take(&mut self, read: &[u8]) {
        self.is_over = read.is_empty();
        self.bytes.extend_from_slice(read);
        if self.bytes.len() > HELD {
            let surplus = self.bytes.len() - HELD / 2;
            let line = self.bytes[surplus..].iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            self.bytes.drain(..surplus + line);
        }
    }
}

/// Returns the result of a program, for the list of tasks.
fn ending(line: &str, status: Option<ExitStatus>) -> Result<Finish, Failure> {
    match status {
        Some(status) if status.success() => {
            Ok(Finish { text: format!("{line}: done"), made: None, image: None, opens: false })
        }
        Some(status) => Err(Failure { what: format!("`{line}`: {status}"), ..Failure::default() }),
        None => Err(Failure { what: format!("`{line}`: its exit status is unknown"), ..Failure::default() }),
    }
}

async fn carry(tell: EventSender, id: TaskId, words: Vec<String>, group: Group, output: io::PipeReader) {
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
    let ended = tokio::task::spawn_blocking(move || group.wait()).await;
    let status = ended.ok().and_then(Result::ok);
    tell.send(Event::Finished(id, ending(&join(&words), status))).await;
}

fn read(mut output: io::PipeReader, held: &Mutex<Held>, bell: &Notify) {
    let mut chunk = vec![0; 64 << 10];
    loop {
        let count = output.read(&mut chunk).unwrap_or(0);
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        held.take(&chunk[..count]);
        drop(held);
        bell.notify_one();
        if count == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::ExitStatusExt as _;

    use tokio::sync::mpsc;

    use super::*;
    use crate::base::Paths;
    use crate::engine::Settings;

    #[test]
    fn of_much_the_last_lines_are_kept() {
        let mut held = Held::default();
        held.take(b"few\n");
        assert_eq!((held.bytes.as_slice(), held.is_over), (b"few\n".as_slice(), false));
        let line = [b"x".repeat(99), b"\n".to_vec()].concat();
        for _ in 0..HELD / 100 + 1 {
            held.take(&line);
        }
        assert!(held.bytes.len() <= HELD / 2 + 100, "{}", held.bytes.len());
        assert!(held.bytes.starts_with(&line), "it begins with a whole line");
        held.take(b"");
        assert!(held.is_over && held.bytes.ends_with(&line));
    }

    #[test]
    fn an_end_is_told_in_the_words_of_the_line() {
        let told = |status: Option<i32>| match ending("ps -a", status.map(ExitStatus::from_raw)) {
            Ok(finish) => finish.text,
            Err(failure) => failure.what,
        };
        assert_eq!(told(Some(0)), "ps -a: done");
        assert_eq!(told(Some(1 << 8)), "`ps -a`: exit status: 1");
        assert_eq!(told(Some(9)), "`ps -a`: signal: 9 (SIGKILL)");
        assert_eq!(told(None), "`ps -a`: its exit status is unknown");
    }

    /// Returns an engine whose executable is this script, and the receiver of its events.
    fn rig(script: &str) -> (tempfile::TempDir, Engine, EventSender, mpsc::Receiver<Event>) {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("hoist");
        std::fs::write(&program, format!("#!/bin/sh\n{script}")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        let engine = Engine::open(Settings { program, ..Settings::new(paths) }).unwrap();
        let (tell, told) = mpsc::channel(64);
        (dir, engine, EventSender(tell), told)
    }

    /// Waits until the program has printed this.
    async fn hear(told: &mut mpsc::Receiver<Event>, text: &str) {
        let mut said = String::new();
        while !said.contains(text) {
            match told.recv().await {
                Some(Event::Said(_, bytes)) => said += &String::from_utf8_lossy(&bytes),
                other => panic!("{other:?} before {text}"),
            }
        }
    }

    #[tokio::test]
    async fn what_it_prints_is_told_and_then_how_it_ended() {
        let (_dir, engine, tell, mut told) = rig("shift 4; echo \"$@\"; echo wrong >&2; exit 3");
        let mut prints = Prints::default();
        let words = ["ps".to_owned(), "-a".to_owned()];
        prints.start(&engine, None, &tell, TaskId(7), words.to_vec());
        hear(&mut told, "ps -a\nwrong\n").await;
        let Some(Event::Finished(TaskId(7), Err(failure))) = told.recv().await else { panic!() };
        assert_eq!(failure.what, "`ps -a`: exit status: 3");
        prints.take(TaskId(7));
        assert!(!prints.cancel(TaskId(7)), "it has ended");
    }

    #[tokio::test]
    async fn one_that_does_not_end_when_it_is_asked_is_ended() {
        let (_dir, engine, tell, mut told) =
            rig("trap 'echo asked' TERM; echo ready; while :; do sleep 0.05; done");
        let mut prints = Prints::default();
        prints.start(&engine, None, &tell, TaskId(1), vec!["events".to_owned()]);
        hear(&mut told, "ready").await;
        assert!(prints.cancel(TaskId(1)));
        hear(&mut told, "asked").await;
        assert!(prints.cancel(TaskId(1)));
        let Some(Event::Finished(_, Err(failure))) = told.recv().await else { panic!() };
        assert_eq!(failure.what, "`events`: signal: 9 (SIGKILL)");
    }

    #[tokio::test]
    async fn a_program_that_cannot_be_started_is_a_task_that_failed() {
        let (dir, engine, tell, mut told) = rig("");
        std::fs::remove_file(dir.path().join("hoist")).unwrap();
        let mut prints = Prints::default();
        prints.start(&engine, None, &tell, TaskId(1), vec!["ps".to_owned()]);
        let Some(Event::Finished(_, Err(failure))) = told.recv().await else { panic!() };
        assert_eq!(failure.what, "cannot start `hoist ps`");
        assert!(!prints.cancel(TaskId(1)), "there is nothing to cancel");
    }
}
