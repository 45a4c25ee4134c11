//! Programs that have the user's terminal for a while: an editor, or a program of the user's.

use tokio::signal::unix::{SignalKind, signal};

use super::screen::Screen;
use super::{Done, Driver, Keys, Signals, editor, files, host, screen};
use crate::tui::Error;
use crate::tui::event::Event;
use crate::tui::model::files::FilesWish;

/// Who has the terminal next.
pub(super) enum Guest {
    /// The user's editor, with a file that is written back.
    Editor(FilesWish),
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
            Guest::Editor(wish) => {
                let edited = files::edit(&self.engine, &self.world, screen, wish).await;
                Some(edited.map_err(Error::Terminal)?)
            }
            Guest::Viewer(name, text) => {
                screen::give_back();
                let world = self.world.clone();
                let shown = tokio::task::spawn_blocking(move || editor::view(&world, &name, &text)).await;
                screen.take().map_err(Error::Terminal)?;
                shown.ok().and_then(Result::err).map(Event::HostFailed)
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
