//! The emulator of a terminal in a pane: the driver feeds it, and the view draws it.
//!
//! It is not part of the model. The session's task changes its cells, protected by a lock that is
//! held briefly; the model only knows that the terminal exists, its name, and whether it is alive.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alacritty_terminal::event::{Event as TermEvent, EventListener, WindowSize};
use alacritty_terminal::grid::{Dimensions, Scroll};
use alacritty_terminal::term::cell::Cell;
use alacritty_terminal::term::{Config, Term, TermMode};
use alacritty_terminal::vte::ansi::Processor;

use super::copy;
use crate::tui::section::TaskId;

/// The maximum number of scrollback lines.
const SCROLLBACK: usize = 10_000;

/// The number of lines for which the emulator allocates memory at once.
const CHUNK: usize = 1_000;

/// The approximate size of the cells of all terminals together, in bytes.
const CELLS: usize = 28 << 20;

/// Returns the number of scrollback lines for each of `terminals` terminals with this width.
#[must_use]
pub fn history(columns: u16, terminals: usize) -> usize {
    let line = usize::from(columns.max(2)) * size_of::<Cell>();
    let lines = CELLS / (line * terminals.max(1));
    (lines / CHUNK * CHUNK).clamp(CHUNK, SCROLLBACK)
}

/// The terminals by their tasks.
#[derive(Debug, Default)]
pub struct Screens(HashMap<TaskId, Screen>);

impl Screens {
    /// Returns the terminal of a task.
    #[must_use]
    pub fn get(&self, id: TaskId) -> Option<&Screen> {
        self.0.get(&id)
    }

    /// Adds a terminal.
    pub fn put(&mut self, id: TaskId, screen: Screen) {
        self.0.insert(id, screen);
    }

    /// Returns all terminals.
    pub fn all(&self) -> impl Iterator<Item = &Screen> {
        self.0.values()
    }

    /// Removes a terminal.
    pub fn take(&mut self, id: TaskId) {
        self.0.remove(&id);
    }
}

/// A terminal, shared by the task that feeds it and the view.
#[derive(Debug, Clone)]
pub struct Screen(Arc<Mutex<Emulator>>);

impl Screen {
    /// Returns an empty terminal.
    #[must_use]
    pub fn new(columns: u16, lines: u16) -> Self {
        Self(Arc::new(Mutex::new(Emulator::new(columns, lines))))
    }

    /// Locks the emulator.
    pub fn lock(&self) -> MutexGuard<'_, Emulator> {
        // After a panic of the holder, the cells are still valid, whatever they contain.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The emulator of a terminal.
pub struct Emulator {
    pub(super) term: Term<Mailbox>,
    pub(super) parser: Processor,
    pub(super) mailbox: Mailbox,
    pub(super) search: copy::Search,
    pub(super) kept: usize,
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emulator").field("size", &self.size()).finish_non_exhaustive()
    }
}

/// Requests of the program to its terminal.
#[derive(Debug, Default)]
pub struct Asked {
    /// Answers for the program to read.
    pub answers: Vec<u8>,
    /// Text for the user's clipboard.
    pub copied: Option<String>,
}

/// Receives the events of the emulator.
#[derive(Debug, Clone, Default)]
pub(super) struct Mailbox(Arc<Mutex<Vec<TermEvent>>>);

impl EventListener for Mailbox {
    fn send_event(&self, event: TermEvent) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}

struct Size {
    columns: usize,
    lines: usize,
}

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        self.lines
    }

    fn screen_lines(&self) -> usize {
        self.lines
    }

    fn columns(&self) -> usize {
        self.columns
    }
}

impl Emulator {
    fn new(columns: u16, lines: u16) -> Self {
        let mailbox = Mailbox::default();
        let config = Config { scrolling_history: SCROLLBACK, ..Config::default() };
        let size = Size { columns: columns.max(2).into(), lines: lines.max(1).into() };
        let term = Term::new(config, &size, mailbox.clone());
        Self { term, parser: Processor::new(), mailbox, search: copy::Search::default(), kept: SCROLLBACK }
    }

    /// Processes output of the program, and returns its requests.
    pub fn feed(&mut self, bytes: &[u8]) -> Asked {
        self.parser.advance(&mut self.term, bytes);
        let mail = std::mem::take(&mut *self.mailbox.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut asked = Asked::default();
        for event in mail {
            match event {
                TermEvent::PtyWrite(text) => asked.answers.extend(text.into_bytes()),
                TermEvent::ClipboardStore(_, text) => asked.copied = Some(text),
                TermEvent::TextAreaSizeRequest(answer) => {
                    let (columns, lines) = self.size();
                    let size =
                        WindowSize { num_lines: lines, num_cols: columns, cell_width: 8, cell_height: 16 };
                    asked.answers.extend(answer(size).into_bytes());
                }
                _ => {}
            }
        }
        asked
    }

    /// Returns the number of columns and lines.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        let narrow = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        (narrow(self.term.columns()), narrow(self.term.screen_lines()))
    }

    /// Sets the size; returns whether it has changed.
    pub fn resize(&mut self, columns: u16, lines: u16) -> bool {
        let (columns, lines) = (columns.max(2), lines.max(1));
        let is_other = self.size() != (columns, lines);
        if is_other {
            self.term.resize(Size { columns: columns.into(), lines: lines.into() });
        }
        is_other
    }

    /// Sets the number of scrollback lines; older lines are dropped.
    pub fn keep(&mut self, lines: usize) {
        if self.kept != lines {
            self.kept = lines;
            self.term.set_options(Config { scrolling_history: lines, ..Config::default() });
        }
    }

    /// Scrolls up by this many lines, or down if negative.
    pub fn scroll(&mut self, lines: i32) {
        self.term.scroll_display(Scroll::Delta(lines));
    }

    /// Scrolls to the newest lines.
    pub fn unscroll(&mut self) {
        self.term.scroll_display(Scroll::Bottom);
    }

    /// Returns by how many lines the window is scrolled up.
    #[must_use]
    pub fn scrolled(&self) -> usize {
        self.term.grid().display_offset()
    }

    /// Returns the modes that the program has set, which determine how keys are encoded.
    #[must_use]
    pub fn mode(&self) -> TermMode {
        *self.term.mode()
    }

    /// Returns the terminal, for drawing.
    #[must_use]
    pub fn term(&self) -> &Term<impl EventListener> {
        &self.term
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_asks_where_the_cursor_is_gets_an_answer() {
        let screen = Screen::new(20, 5);
        let asked = screen.lock().feed(b"ab\x1b[6n");
        assert_eq!(asked.answers, b"\x1b[1;3R");
    }

    #[test]
    fn lines_that_scrolled_away_can_be_looked_at() {
        let screen = Screen::new(20, 2);
        let mut emulator = screen.lock();
        emulator.feed(b"1\r\n2\r\n3\r\n4");
        emulator.scroll(1);
        assert_eq!(emulator.scrolled(), 1);
        emulator.scroll(100);
        assert_eq!(emulator.scrolled(), 2);
        emulator.unscroll();
        assert_eq!(emulator.scrolled(), 0);
    }

    #[test]
    fn the_more_terminals_there_are_the_less_each_keeps() {
        assert_eq!(
            [history(80, 1), history(118, 2), history(118, 10), history(0, 0)],
            [10_000, 5_000, 1_000, 10_000]
        );
        let screen = Screen::new(20, 2);
        let mut emulator = screen.lock();
        emulator.keep(5);
        for _ in 0..100 {
            emulator.feed(b"line\r\n");
        }
        emulator.scroll(1000);
        assert_eq!(emulator.scrolled(), 5);
    }

    #[test]
    fn a_size_of_nothing_is_survived() {
        let screen = Screen::new(0, 0);
        let mut emulator = screen.lock();
        assert!(emulator.resize(80, 24));
        assert!(!emulator.resize(80, 24));
        emulator.feed("\u{1f980} wide".as_bytes());
        assert!(emulator.resize(1, 1));
    }
}
