//! Programs that use the user's terminal for a while: an editor, a program of the user, or the shell.

use std::path::PathBuf;
use std::time::Duration;

use tokio::task::{JoinError, JoinHandle};

use super::files::Edited;
use super::process::{Process, is_in_front, reclaim_terminal, suspend_job};
use super::screen::Screen;
use super::{Done, Driver, Keys, Signals, editor, files, host, screen};
use crate::engine::files::{Place, Stamp, shown};
use crate::tui::Error;
use crate::tui::effect::Line;
use crate::tui::event::Event;
use crate::tui::failure::Failure;
use crate::tui::files::model::FilesWish;

/// The program that uses the terminal next.
pub(super) enum Guest {
    /// The user's editor, with a file that is written back afterwards.
    Editor {
        /// The file system that contains the file.
        place: Place,
        /// The path in that file system.
        path: PathBuf,
        /// The contents.
        bytes: Vec<u8>,
        /// The file's stamp when the contents were read.
        stamp: Stamp,
    },
    /// The user's editor, with the name and text of a file that is only viewed.
    Viewer(String, String),
    /// A program of the user.
    Program(Line),
    /// The shell that started hoist, while hoist is suspended.
    Shell,
    /// Hoist was stopped and resumed without a chance to restore the terminal, so that the shell has
    /// set modes of its own.
    Nobody,
}

/// How long a guest may take to exit when hoist has to leave.
const PATIENCE: Duration = Duration::from_millis(300);

/// How long hoist waits for a signal that ends it when it is resumed as a background job, before it
/// suspends itself again.
const BACKGROUND_GRACE: Duration = Duration::from_millis(500);

/// Waits for a guest; if that is suspended, hoist is too. Hoist is the foreground job afterwards.
/// `None` if a signal ends hoist; then the guest is hung up.
async fn until_exit<T>(
    mut guest: JoinHandle<T>,
    process: &Process,
    signals: &mut Signals,
) -> Option<Result<T, JoinError>> {
    loop {
        tokio::select! {
            result = &mut guest => return until_in_front(signals).await.map(|()| result),
            () = process.suspended() => match suspend(signals).await {
                Some(()) => process.resume(),
                None => break,
            },
            Some(()) = signals.stop.recv() => process.stop(),
            Some(()) = signals.resumed.recv() => process.reclaim(),
            () = signals.ends.gone() => break,
        }
    }
    process.hang_up();
    // An editor's copy of a file is removed when it has exited.
    if tokio::time::timeout(PATIENCE, guest).await.is_err() {
        reclaim_terminal();
    }
    None
}

/// Suspends hoist until it is the foreground job again. `None` if a signal ends it.
async fn suspend(signals: &mut Signals) -> Option<()> {
    suspend_job();
    until_in_front(signals).await
}

/// Waits until hoist is the foreground job; in the background it suspends itself again. `None` if a
/// signal ends it.
async fn until_in_front(signals: &mut Signals) -> Option<()> {
    loop {
        tokio::select! {
            biased;
            () = signals.ends.gone() => return None,
            () = std::future::ready(()), if is_in_front() => return Some(()),
            () = tokio::time::sleep(BACKGROUND_GRACE) => if !is_in_front() { suspend_job() },
        }
    }
}

impl Driver {
    /// Lets a guest use the terminal if one is waiting, and takes the terminal back when the guest
    /// exits. Events of the engine wait meanwhile.
    pub(super) async fn give_way(
        &mut self,
        keys: &mut Keys,
        signals: &mut Signals,
        screen: &mut Screen,
    ) -> Done {
        let Some(guest) = self.guest.take() else { return Ok(()) };
        // A reader of keys would take some of the guest's input.
        keys.pause();
        let process = Process::default();
        // In the background, this would change the modes that the shell has set.
        if is_in_front() {
            screen::give_back();
        }
        let told = match guest {
            Guest::Editor { place, path, bytes, stamp } => {
                let (world, name) = (self.world.clone(), shown(path.file_name().unwrap_or_default()));
                let editor = process.clone();
                let changed =
                    tokio::task::spawn_blocking(move || editor::change(&world, &editor, &name, &bytes));
                let Some(changed) = until_exit(changed, &process, signals).await else { return Ok(()) };
                screen.take().map_err(Error::Terminal)?;
                let outcome = changed.unwrap_or_else(|why| Err(failed(&why)));
                let wish = FilesWish::Edit(place.clone(), path.clone());
                let edited = Edited { place, path, stamp, outcome };
                Some(Event::FilesDone(wish, files::write_back(&self.engine, edited).await))
            }
            Guest::Viewer(name, text) => {
                let (world, editor) = (self.world.clone(), process.clone());
                let viewed = tokio::task::spawn_blocking(move || editor::view(&world, &editor, &name, &text));
                let Some(viewed) = until_exit(viewed, &process, signals).await else { return Ok(()) };
                screen.take().map_err(Error::Terminal)?;
                viewed.unwrap_or_else(|why| Err(failed(&why))).err().map(Event::HostFailed)
            }
            Guest::Program(line) => {
                let (folder, program) = (self.world.folder.clone(), process.clone());
                let program = tokio::task::spawn_blocking(move || host::run(&program, &line, &folder));
                let Some(result) = until_exit(program, &process, signals).await else { return Ok(()) };
                screen.take().map_err(Error::Terminal)?;
                result.unwrap_or(Ok(())).err().map(Event::HostFailed)
            }
            Guest::Shell | Guest::Nobody => {
                let resumed = match guest {
                    Guest::Shell => suspend(signals).await,
                    _ => until_in_front(signals).await,
                };
                let Some(()) = resumed else { return Ok(()) };
                screen::give_back(); // unless that was done above
                screen.take().map_err(Error::Terminal)?;
                None
            }
        };
        keys.resume();
        signals.forget().map_err(Error::Terminal)?;
        self.now(screen)?;
        let (width, height) = crossterm::terminal::size().map_err(Error::Terminal)?;
        self.take(Event::Resize(width, height), screen)?;
        told.map_or(Ok(()), |told| self.take(told, screen))
    }
}

fn failed(why: &JoinError) -> Failure {
    Failure { what: "cannot run the editor".to_owned(), why: vec![why.to_string()], hint: None }
}
