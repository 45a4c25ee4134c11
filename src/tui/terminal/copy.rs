//! Selecting text in a terminal, with the mouse or in copy mode. Copy mode has its own cursor,
//! which moves over the screen and the scrollback.

use alacritty_terminal::grid::{Dimensions, Scroll};
use alacritty_terminal::index::{Boundary, Column, Direction, Line, Point, Side};
use alacritty_terminal::selection::{Selection, SelectionType};
use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::search::{Match, RegexSearch};
use alacritty_terminal::vi_mode::ViMotion;

use crate::tui::terminal::screen::Emulator;
use crate::tui::terminal::walk::{Kind, Step};

/// The maximum length of a text to copy: terminals drop longer OSC 52 sequences, or stall.
pub const MOST: usize = 1 << 20;

impl Kind {
    fn selection(self) -> SelectionType {
        match self {
            Self::Characters => SelectionType::Simple,
            Self::Lines => SelectionType::Lines,
            Self::Block => SelectionType::Block,
        }
    }
}

/// The search pattern, and the last match.
#[derive(Debug, Default)]
pub(crate) struct Search {
    regex: Option<RegexSearch>,
    hit: Option<Match>,
}

impl Emulator {
    /// Starts copy mode.
    pub fn begin_copy(&mut self) {
        if !self.is_copying() {
            self.term.toggle_vi_mode();
        }
    }

    /// Ends copy mode, and shows the newest lines.
    pub fn end_copy(&mut self) {
        if self.is_copying() {
            self.term.toggle_vi_mode();
        }
        self.term.selection = None;
        self.search = Search::default();
        self.unscroll();
    }

    /// Whether copy mode is active.
    #[must_use]
    pub fn is_copying(&self) -> bool {
        self.term.mode().contains(TermMode::VI)
    }

    /// Moves the cursor of copy mode, which extends or shrinks the selection.
    pub fn step(&mut self, step: Step) {
        let lines = i32::try_from(self.term.screen_lines()).unwrap_or(i32::MAX);
        let motion = match step {
            Step::Up => ViMotion::Up,
            Step::Down => ViMotion::Down,
            Step::Left => ViMotion::Left,
            Step::Right => ViMotion::Right,
            Step::LineStart => ViMotion::First,
            Step::LineEnd => ViMotion::Last,
            Step::WordLeft => ViMotion::WordLeft,
            Step::WordRight => ViMotion::WordRight,
            Step::Top => return self.go_to(self.term.topmost_line()),
            Step::Bottom => return self.go_to(self.term.bottommost_line()),
            Step::HalfUp => return self.go_by(-(lines / 2).max(1)),
            Step::HalfDown => return self.go_by((lines / 2).max(1)),
            Step::PageUp => return self.go_by(-(lines - 1).max(1)),
            Step::PageDown => return self.go_by((lines - 1).max(1)),
        };
        self.term.vi_motion(motion);
    }

    fn go_by(&mut self, lines: i32) {
        self.go_to(self.term.vi_mode_cursor.point.line + lines);
    }

    fn go_to(&mut self, line: Line) {
        let line = line.grid_clamp(&self.term, Boundary::Grid);
        self.term.vi_goto_point(Point::new(line, self.term.vi_mode_cursor.point.column));
    }

    /// Starts a selection at the cursor; the same kind again ends it.
    pub fn mark(&mut self, kind: Kind) {
        let kind = kind.selection();
        if self.term.selection.take_if(|selection| selection.ty == kind).is_some() {
            return;
        }
        let mut selection = Selection::new(kind, self.term.vi_mode_cursor.point, Side::Left);
        selection.include_all();
        self.term.selection = Some(selection);
    }

    /// Sets the search pattern.
    ///
    /// # Errors
    ///
    /// Fails if it is not a valid regular expression.
    pub fn search_for(&mut self, text: &str) -> Result<(), String> {
        let regex = RegexSearch::new(text).map_err(|error| error.to_string())?;
        self.search = Search { regex: Some(regex), hit: None };
        Ok(())
    }

    /// Goes to the next match, wrapping around. Returns whether there is one.
    pub fn next_match(&mut self, up: bool) -> bool {
        let Some(regex) = &mut self.search.regex else { return false };
        let cursor = self.term.vi_mode_cursor.point;
        let (direction, from) = match up {
            true => (Direction::Left, cursor.sub(&self.term, Boundary::None, 1)),
            false => (Direction::Right, cursor.add(&self.term, Boundary::None, 1)),
        };
        let hit = self.term.search_next(regex, from, direction, Side::Left, None);
        if let Some(hit) = &hit {
            self.term.vi_goto_point(*hit.start());
        }
        self.search.hit = hit;
        self.search.hit.is_some()
    }

    /// Whether a cell is selected.
    #[must_use]
    pub fn is_marked(&self, at: Point) -> bool {
        self.search.hit.as_ref().is_some_and(|hit| hit.contains(&at))
    }

    /// Returns the selected text, or the line of copy mode's cursor; `None` if that is empty, or
    /// too long for a clipboard.
    #[must_use]
    pub fn marked_text(&mut self) -> Option<String> {
        let is_unmarked = self.term.selection.is_none() && self.is_copying();
        if is_unmarked {
            self.mark(Kind::Lines);
        }
        let text = self.term.selection_to_string()?;
        if is_unmarked {
            self.unmark();
        }
        let text = text.trim_end_matches('\n').to_owned();
        Some(text).filter(|text| !text.is_empty() && text.len() <= MOST)
    }

    /// Starts a selection with the mouse at a cell of the window.
    pub fn press(&mut self, column: u16, row: u16, kind: Kind) {
        let point = self.under(column, row);
        self.term.selection = Some(Selection::new(kind.selection(), point, Side::Left));
    }

    /// Extends the selection to another cell. Beyond the window's edge, it scrolls.
    pub fn drag(&mut self, column: u16, row: i32) {
        let lines = i32::try_from(self.term.screen_lines()).unwrap_or(i32::MAX);
        if row < 0 {
            self.term.scroll_display(Scroll::Delta(1));
        } else if row >= lines {
            self.term.scroll_display(Scroll::Delta(-1));
        }
        let row = u16::try_from(row.clamp(0, lines - 1)).unwrap_or(0);
        let point = self.under(column, row);
        if let Some(selection) = &mut self.term.selection {
            selection.update(point, Side::Right);
        }
    }

    /// Clears the selection.
    pub fn unmark(&mut self) {
        self.term.selection = None;
    }

    fn under(&self, column: u16, row: u16) -> Point {
        let offset = i32::try_from(self.term.grid().display_offset()).unwrap_or(i32::MAX);
        let column = usize::from(column).min(self.term.columns() - 1);
        Point::new(Line(i32::from(row) - offset), Column(column))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::terminal::screen::Screen;

    fn screen() -> Screen {
        let screen = Screen::new(20, 3);
        screen.lock().feed(b"alpha one\r\nbeta two\r\ngamma three\r\nalpha four\r\n$ ");
        screen
    }

    #[test]
    fn what_scrolled_away_is_found_marked_and_copied() {
        let screen = screen();
        let mut emulator = screen.lock();
        emulator.begin_copy();
        emulator.search_for("alpha").unwrap();
        assert!(emulator.next_match(true));
        assert!(emulator.next_match(true));
        assert_eq!(emulator.scrolled(), 2);
        emulator.mark(Kind::Characters);
        emulator.step(Step::WordRight);
        emulator.step(Step::Down);
        assert_eq!(emulator.marked_text().unwrap(), "alpha one\nbeta tw");
        emulator.end_copy();
        assert_eq!((emulator.scrolled(), emulator.is_copying()), (0, false));
        assert!(emulator.search_for("(").is_err());
    }

    #[test]
    fn without_a_mark_the_cursors_line_is_copied() {
        let screen = screen();
        let mut emulator = screen.lock();
        emulator.begin_copy();
        emulator.step(Step::Top);
        assert_eq!(emulator.marked_text().unwrap(), "alpha one");
        emulator.step(Step::Bottom);
        emulator.step(Step::PageUp);
        emulator.mark(Kind::Lines);
        emulator.mark(Kind::Lines);
        assert!(emulator.term().selection.is_none());
    }

    #[test]
    fn the_mouse_marks_and_scrolls_past_the_edge() {
        let screen = screen();
        let mut emulator = screen.lock();
        emulator.press(0, 0, Kind::Characters);
        emulator.drag(4, 0);
        assert_eq!(emulator.marked_text().unwrap(), "gamma");
        emulator.drag(0, -1);
        assert_eq!(emulator.scrolled(), 1);
        emulator.drag(90, 90);
        emulator.unmark();
        assert_eq!(emulator.marked_text(), None);
    }
}
