//! The user's terminal: acquired, drawn to, and restored in any case.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste, EnableFocusChange,
    EnableMouseCapture, KeyboardEnhancementFlags, PopKeyboardEnhancementFlags, PushKeyboardEnhancementFlags,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{Command, ExecutableCommand as _};
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::Notify;

use super::probe::QUESTIONS;
use crate::base::text;

/// Whether hoist has the terminal. The lock is held while a frame is written, so that no part of a
/// frame follows after the terminal was restored.
static TAKEN: Mutex<bool> = Mutex::new(false);

/// Whether the kitty keyboard protocol is supported and enabled.
static TELLS_KEYS_APART: AtomicBool = AtomicBool::new(false);

/// The part of the protocol that is used: no two keys have the same code.
const FLAGS: KeyboardEnhancementFlags = KeyboardEnhancementFlags::DISAMBIGUATE_ESCAPE_CODES;

/// Whether something panicked; the terminal was restored for the message.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// Notified after a panic, so that the loop ends even if nothing else happens.
static BELL: Notify = Notify::const_new();

/// The user's terminal while hoist has it; restored on drop.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Page>>,
    page: Page,
    out: File,
    has_mouse: bool,
    /// A message that no frame has shown yet.
    unshown: Option<String>,
}

impl Screen {
    /// Acquires the terminal, and captures the mouse if `has_mouse`.
    pub(super) fn open(has_mouse: bool) -> io::Result<Self> {
        if !io::stdout().is_terminal() {
            return Err(io::Error::other("standard output is not a terminal"));
        }
        give_back_on_panic();
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let page = Page::default();
        let terminal = Terminal::new(CrosstermBackend::new(page.clone()))?;
        let mut screen = Self { terminal, page, out, has_mouse, unshown: None };
        screen.take()?;
        if io::stdin().is_terminal() {
            screen.out.write_all(QUESTIONS.as_bytes())?;
        }
        Ok(screen)
    }

    /// Acquires the terminal again after it was released.
    pub(super) fn take(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        *taken() = true;
        self.out.execute(EnterAlternateScreen)?.execute(Hide)?;
        self.out.execute(EnableBracketedPaste)?.execute(EnableFocusChange)?;
        if self.has_mouse {
            self.out.execute(EnableMouseCapture)?;
        }
        if TELLS_KEYS_APART.load(Ordering::SeqCst) {
            self.out.execute(PushKeyboardEnhancementFlags(FLAGS))?;
        }
        self.redraw()
    }

    /// Enables the kitty keyboard protocol, which sends a different code for each key. The terminal
    /// must support it.
    pub(super) fn tell_keys_apart(&mut self) -> io::Result<()> {
        if !TELLS_KEYS_APART.swap(true, Ordering::SeqCst) {
            self.out.execute(PushKeyboardEnhancementFlags(FLAGS))?;
        }
        Ok(())
    }

    /// Captures the mouse, or releases it to the terminal, which can then select text with it.
    pub(super) fn mouse(&mut self, is_ours: bool) -> io::Result<()> {
        self.has_mouse = is_ours;
        match is_ours {
            true => self.out.execute(EnableMouseCapture)?,
            false => self.out.execute(DisableMouseCapture)?,
        };
        Ok(())
    }

    /// Draws a frame: the changed cells, in a single write, displayed at once.
    pub(super) fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(render)?;
        self.unshown = None;
        let cells = self.page.take();
        if cells.is_empty() {
            return Ok(());
        }
        let mut frame = ansi(BeginSynchronizedUpdate);
        frame.extend(cells);
        frame.extend(ansi(EndSynchronizedUpdate));
        let is_ours = taken();
        if *is_ours { self.out.write_all(&frame) } else { Ok(()) }
    }

    /// Forces the next frame to draw every cell.
    ///
    /// `Terminal::clear` is not used: it queries the cursor's position, and waits two seconds if
    /// the terminal does not answer.
    pub(super) fn redraw(&mut self) -> io::Result<()> {
        self.terminal = Terminal::new(CrosstermBackend::new(self.page.clone()))?;
        self.page.write_all(&ansi(Clear(ClearType::All)))
    }

    /// Prints a message once the terminal is restored, unless a frame is drawn before, which shows it.
    pub(super) fn say_at_last(&mut self, text: &str) {
        self.unshown = Some(text.to_owned());
    }

    /// Copies `text` to the user's clipboard with OSC 52, which also works over ssh.
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(format!("\x1b]52;c;{}\x07", STANDARD.encode(text)).as_bytes())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
        if let Some(text) = &self.unshown {
            let _ = writeln!(io::stderr(), "hoist: {}", text::line(text)); // there is nowhere else to say it
        }
    }
}

/// Restores the terminal, if hoist has it. Errors are ignored, because they mean that the terminal
/// is gone.
pub(super) fn give_back() {
    restore(&mut taken());
}

fn restore(is_ours: &mut bool) {
    if !std::mem::take(is_ours) {
        return;
    }
    let mut bytes = ansi(EndSynchronizedUpdate);
    if TELLS_KEYS_APART.load(Ordering::SeqCst) {
        bytes.extend(ansi(PopKeyboardEnhancementFlags));
    }
    bytes.extend(ansi(DisableMouseCapture));
    bytes.extend(ansi(DisableFocusChange));
    bytes.extend(ansi(DisableBracketedPaste));
    bytes.extend(ansi(LeaveAlternateScreen));
    bytes.extend(ansi(Show));
    let mut out = io::stdout();
    let _ = out.write_all(&bytes).and_then(|()| out.flush());
    let _ = disable_raw_mode();
}

/// Restores the terminal without waiting for it; only its modes if nothing can be written to it.
pub(super) fn give_back_at_once() {
    // The lock is held while a frame is written.
    if let Ok(mut is_ours) = TAKEN.try_lock()
        && takes_bytes(io::stdout())
    {
        restore(&mut is_ours);
    }
    let _ = disable_raw_mode(); // it may be gone
}

/// Whether a terminal or pipe takes some bytes at once.
fn takes_bytes(output: impl AsFd) -> bool {
    let mut ready = [PollFd::new(&output, PollFlags::OUT)];
    poll(&mut ready, Some(&Timespec::default())).is_ok_and(|count| count > 0)
        && ready[0].revents().contains(PollFlags::OUT)
}

fn taken() -> MutexGuard<'static, bool> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether something panicked, so that hoist no longer has the screen.
pub(super) fn has_panicked() -> bool {
    PANICKED.load(Ordering::SeqCst)
}

/// Waits until something panics.
pub(super) async fn panicked() {
    BELL.notified().await;
}

/// Restores the terminal before a panic's message is printed, so that it is visible.
fn give_back_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            before(panic);
            PANICKED.store(true, Ordering::SeqCst);
            BELL.notify_one();
        }));
    });
}

fn ansi(command: impl Command) -> Vec<u8> {
    let mut text = String::new();
    let _ = command.write_ansi(&mut text); // writing to a String cannot fail
    text.into_bytes()
}

/// A buffer for ratatui's output, so that a frame is a single write.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_that_is_full_takes_no_bytes() {
        let (read, mut write) = io::pipe().unwrap();
        assert!(takes_bytes(&write));
        rustix::io::ioctl_fionbio(&write, true).unwrap();
        while write.write(&[0; 4096]).is_ok() {}
        assert!(!takes_bytes(&write));
        drop(read);
    }
}
