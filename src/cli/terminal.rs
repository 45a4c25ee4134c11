//! The caller's terminal: its size, and a raw mode that is always restored.

use std::io::{self, IsTerminal};
use std::sync::{Mutex, Once, PoisonError};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// The terminal settings before raw mode.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Returns whether standard input is a terminal.
pub(super) fn is_input_terminal() -> bool {
    io::stdin().is_terminal()
}

/// Returns whether any standard stream is a terminal.
pub(super) fn has_any() -> bool {
    io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal()
}

/// Returns the rows and columns of the terminal, if there is one.
pub(super) fn size() -> Option<(u16, u16)> {
    let of = |size: rustix::termios::Winsize| (size.ws_row, size.ws_col);
    let size = tcgetwinsize(io::stdout()).or_else(|_| tcgetwinsize(io::stdin())).map(of).ok()?;
    (size != (0, 0)).then_some(size)
}

/// Raw mode, in which every key is passed on as it is typed. Restored on drop, and on panic.
#[derive(Debug)]
pub(super) struct Raw(());

impl Raw {
    /// Switches standard input to raw mode.
    ///
    /// # Errors
    ///
    /// It is not a terminal.
    pub(super) fn enter() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        // The release build aborts on panic without dropping anything.
        HOOK.call_once(|| {
            let next = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                restore();
                next(info);
            }));
        });
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        Ok(Self(()))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(before) = before {
        // A closed terminal need not be restored.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
}
