//! Programs that use the user's terminal for a while: an editor, or a program of the user.

use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinError;

use super::files::Edited;
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
            Guest::Program(line) => {
                screen::give_back();
                let folder = self.world.folder.clone();
                let program = tokio::task::spawn_blocking(move || host::run(&line, &folder));
                let result = tokio::select! {
                    result = program => result.unwrap_or(Ok(())),
                    // The guest received the same signal and handles it itself.
                    () = signals.gone() => Ok(()),
                };
                screen.take().map_err(Error::Terminal)?;
                result.err().map(Event::HostFailed)
            }
        };
        keys.resume();
        // An earlier Ctrl-C was meant for the guest.
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
