//! Programs that have the user's terminal for a while: an editor, or a program of the user's.

use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinError;

use super::files::Edited;
use super::screen::Screen;
use super::{Done, Driver, Keys, Signals, editor, files, host, screen};
use crate::engine::files::{Place, Stamp, shown};
use crate::tui::Error;
use crate::tui::event::Event;
use crate::tui::failure::Failure;
use crate::tui::files::model::FilesWish;

/// Who has the terminal next.
pub(super) enum Guest {
    /// The user's editor, with a file that is written back.
    Editor {
        /// Where the file is.
        place: Place,
        /// Its path there.
        path: PathBuf,
        /// What it holds.
        bytes: Vec<u8>,
        /// What it was when that was read.
        stamp: Stamp,
    },
    /// The user's editor, with a text (and its name) that is only looked at.
    Viewer(String, String),
    /// A program of the user's.
    Program(Vec<String>),
}

impl Driver {
    /// Lets a guest have the terminal, where one was asked for, and takes it back when that
    /// has ended. What comes from the engine meanwhile waits.
    pub(super) async fn give_way(
        &mut self,
        keys: &mut Keys,
        signals: &mut Signals,
        screen: &mut Screen,
    ) -> Done {
        let Some(guest) = self.guest.take() else { return Ok(()) };
        // Whoever reads keys beside the guest would take some of them from it.
        keys.pause();
        let told = match guest {
            Guest::Editor { place, path, bytes, stamp } => {
                screen::give_back();
                let (world, name) = (self.world.clone(), shown(path.file_name().unwrap_or_default()));
                let changed = tokio::task::spawn_blocking(move || editor::change(&world, &name, &bytes));
                let outcome = changed.await.unwrap_or_else(|why| Err(failed(&why)));
                screen.take().map_err(Error::Terminal)?;
                let wish = FilesWish::Edit(place.clone(), path.clone());
                let edited = Edited { place, path, stamp, outcome };
                Some(Event::FilesDone(wish, files::write_back(&self.engine, edited).await))
            }
            Guest::Viewer(name, text) => {
                screen::give_back();
                let world = self.world.clone();
                let viewed = tokio::task::spawn_blocking(move || editor::view(&world, &name, &text)).await;
                screen.take().map_err(Error::Terminal)?;
                viewed.unwrap_or_else(|why| Err(failed(&why))).err().map(Event::HostFailed)
            }
            Guest::Program(words) => {
                screen::give_back();
                let folder = self.world.folder.clone();
                let program = tokio::task::spawn_blocking(move || host::run(&words, &folder));
                let result = tokio::select! {
                    result = program => result.unwrap_or(Ok(())),
                    // It got the same signal; what it does then is its own business.
                    () = signals.gone() => Ok(()),
                };
                screen.take().map_err(Error::Terminal)?;
                result.err().map(Event::HostFailed)
            }
        };
        keys.resume();
        // Ctrl-C was meant for the guest.
        signals.interrupt = signal(SignalKind::interrupt()).map_err(Error::Terminal)?;
        self.now(screen)?;
        let (width, height) = crossterm::terminal::size().map_err(Error::Terminal)?;
        self.take(Event::Resize(width, height), screen)?;
        told.map_or(Ok(()), |told| self.take(told, screen))
    }
}

fn failed(why: &JoinError) -> Failure {
    Failure { what: "cannot run the editor".to_owned(), why: vec![why.to_string()], hint: None }
}
