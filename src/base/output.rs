//! What a terminal shows in the end of a line that a program has written: what follows a carriage
//! return replaces what was before, as in a progress bar, and control sequences vanish.
//!
//! This is the only place that decides it, so that what is searched for and filtered is what is
//! seen, before JSON is formatted. Only printable characters remain.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;
pub use vte::Params;
use vte::{Parser, Perform};

use super::text::{is_harmful, shown};

/// Columns between tab stops.
pub const TAB: usize = 8;

/// How many bytes of a line are looked at, and the maximum number of columns of its row.
pub const LONGEST: usize = 16 << 10;

/// How many cells a line may fill by clearing and skipping. A program cannot make a line expensive
/// with sequences that each clear thousands of cells.
const MAX_FILLED: usize = 16 * LONGEST;

/// The style of a cell.
pub trait CellStyle: Copy + PartialEq {
    /// Returns the style with the parameters of an SGR sequence applied; `base` is the style
    /// without any.
    #[must_use]
    fn colored(self, base: Self, params: &Params) -> Self;
}

/// No style.
impl CellStyle for () {
    fn colored(self, (): Self, _: &Params) -> Self {}
}

/// Returns a line as pieces of one style each.
#[must_use]
pub fn styled<S: CellStyle>(line: &[u8], base: S) -> Vec<(String, S)> {
    let mut row = Row { cells: Vec::new(), at: 0, filled: 0, style: base, base };
    Parser::new().advance(&mut row, &line[..line.len().min(LONGEST)]);
    let mut pieces: Vec<(String, S)> = Vec::new();
    for Cell { c, marks, style } in row.cells {
        match pieces.last_mut().filter(|(_, last)| *last == style) {
            Some((text, _)) => text.push(c),
            None => pieces.push((c.to_string(), style)),
        }
        pieces.last_mut().into_iter().for_each(|(text, _)| text.extend(&marks));
    }
    pieces
}

/// Returns the text of a line. Most lines are shown as they were written, and cost one look at their
/// bytes.
#[must_use]
pub fn shown_text(line: &[u8]) -> Cow<'_, [u8]> {
    let line = &line[..line.len().min(LONGEST)];
    if is_as_written(line) {
        return Cow::Borrowed(line);
    }
    let text: String = styled(line, ()).into_iter().map(|(text, ())| text).collect();
    Cow::Owned(text.into_bytes())
}

fn is_as_written(line: &[u8]) -> bool {
    if has_control(line) {
        return false;
    }
    if line.is_ascii() {
        return true;
    }
    // A mark at the beginning has no character to stand on.
    let is_mark = |c: char| c.width() == Some(0);
    std::str::from_utf8(line)
        .is_ok_and(|text| !text.chars().next().is_some_and(is_mark) && !text.chars().any(is_harmful))
}

/// Returns whether a byte is an ASCII control character. Every line of a log is searched for one, so
/// this looks at eight at once.
fn has_control(line: &[u8]) -> bool {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES << 7;
    let (words, rest) = line.as_chunks::<8>();
    let is_in = |word: &[u8; 8]| {
        let word = u64::from_ne_bytes(*word);
        // The highest bit of some byte is set if that byte, or one before it, is less than the limit.
        let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGH;
        below(word, 0x20) | below(word ^ (ONES * 0x7f), 1) != 0
    };
    words.iter().any(is_in) || rest.iter().any(u8::is_ascii_control)
}

/// The row of a terminal. A wide character is a single cell, like any other.
struct Row<S> {
    cells: Vec<Cell<S>>,
    /// The place of the cursor.
    at: usize,
    /// How many cells were filled with blanks.
    filled: usize,
    style: S,
    base: S,
}

#[derive(Clone)]
struct Cell<S> {
    c: char,
    /// Characters without a width of their own, such as accents.
    marks: Vec<char>,
    style: S,
}

impl<S: CellStyle> Row<S> {
    fn go(&mut self, at: usize) {
        self.at = at.min(LONGEST);
    }

    fn blank(&self) -> Cell<S> {
        Cell { c: ' ', marks: Vec::new(), style: self.base }
    }

    /// Whether `count` more cells may be filled with blanks.
    fn may_fill(&self, count: usize) -> bool {
        self.filled + count <= MAX_FILLED
    }

    /// Fills cells with blanks, from one that exists or comes next.
    fn fill(&mut self, from: usize, to: usize) {
        let (blank, end) = (self.blank(), to.min(self.cells.len()));
        self.cells[from..end].fill(blank.clone());
        if to > end {
            self.cells.resize(to, blank);
        }
        self.filled += to - from;
    }

    /// Clears from the cursor, to the cursor, or everything.
    fn clear(&mut self, how: usize) {
        let end = self.at.min(self.cells.len());
        match how {
            0 => self.cells.truncate(end),
            1 if self.may_fill(end) => self.fill(0, end),
            1 => {}
            _ => self.cells.clear(),
        }
    }
}

impl<S: CellStyle> Perform for Row<S> {
    fn print(&mut self, c: char) {
        let c = shown(c);
        if c.width() == Some(0) {
            let before = self.at.checked_sub(1).and_then(|at| self.cells.get_mut(at));
            before.into_iter().for_each(|cell| cell.marks.push(c));
            return;
        }
        let end = self.cells.len();
        match self.at.saturating_sub(end) {
            0 => {}
            gap if self.may_fill(gap) => self.fill(end, self.at),
            _ => self.at = end,
        }
        let cell = Cell { c, marks: Vec::new(), style: self.style };
        match self.cells.get_mut(self.at) {
            Some(there) => *there = cell,
            None => self.cells.push(cell),
        }
        self.go(self.at + 1);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\r' => self.go(0),
            0x08 => self.go(self.at.saturating_sub(1)),
            b'\t' => self.go((self.at / TAB + 1) * TAB),
            // A bell, or a choice of a character set.
            0x07 | 0x0e | 0x0f => {}
            _ => self.print(char::from(byte)),
        }
    }

    fn csi_dispatch(&mut self, params: &Params, between: &[u8], _: bool, action: char) {
        if !between.is_empty() {
            return;
        }
        let number = params.iter().next().and_then(|param| param.first()).copied().map_or(0, usize::from);
        let count = number.max(1);
        match action {
            'm' => self.style = self.style.colored(self.base, params),
            'C' => self.go(self.at + count),
            'D' => self.go(self.at.saturating_sub(count)),
            'G' => self.go(count - 1),
            'K' => self.clear(number),
            'J' if number == 0 => self.clear(0),
            // What clears the screen or draws elsewhere on it leaves what was written.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slowly(line: &[u8]) -> String {
        styled(line, ()).into_iter().map(|(text, ())| text).collect()
    }

    #[test]
    fn what_remains_is_what_a_terminal_would_show_in_the_end() {
        for (line, left) in [
            (&b"\x1b[31mred\x1b[0m plain\r"[..], "red plain"),
            (b"a\tb", "a       b"),
            (b"bell\x07 back\x08\x08\x08\x08luck", "bell luck"),
            (b"kept\x1b[2J\x1b[H as well\x1b[K", "kept as well"),
            (b"ls -l\x08\x08\x08\x1b[J", "ls"),
            (b"\x1b[?25l\x1b[?2004hready\x1b[6n", "ready"),
            (b"\x1b]0;title\x07done", "done"),
            (b"\x1b]52;c;eA==\x1b\\done", "done"),
            (b"\x1bP1;2qsixel\x1b\\done", "done"),
            (b"\x1bcreset\x1b(B", "reset"),
            (b"a\x1b]0;without an end", "a"),
            (b"50%\r51%", "51%"),
            (b"downloading\rdone\x1b[K", "done"),
            (b"downloading\x1b[2K\rdone", "done"),
            (b"downloading\rdone", "doneloading"),
            (b"a\x1b[3Cb\x1b[1Gc", "c   b"),
            (b"over\x1b[1Kit", "    it"),
            (b"nul \0", "nul ␀"),
            ("e\u{301}\r\u{301}x".as_bytes(), "x"),
            ("\u{301}x".as_bytes(), "x"),
            ("⚙\u{fe0f} 10%\r⚙\u{fe0f} 20%".as_bytes(), "⚙\u{fe0f} 20%"),
            (b"caf\xc3\xa9 \xff", "café �"),
            ("\u{202e}evil".as_bytes(), "·evil"),
        ] {
            assert_eq!(String::from_utf8_lossy(&shown_text(line)), left, "{line:?}");
        }
    }

    #[test]
    fn a_control_character_is_found_at_every_place() {
        for byte in 0..=u8::MAX {
            for at in 0..20 {
                let mut line = *b"~ GET /health 200 ~~";
                line[at] = byte;
                assert_eq!(has_control(&line), byte.is_ascii_control(), "{byte} at {at}");
            }
        }
    }

    #[test]
    fn a_line_as_it_was_written_costs_no_copy() {
        for line in ["GET /health 200 1ms", "naïve café 日本語 ⚙\u{fe0f}", ""] {
            assert!(matches!(shown_text(line.as_bytes()), Cow::Borrowed(_)), "{line}");
        }
    }

    #[test]
    fn sequences_that_fill_many_cells_cannot_make_a_line_expensive() {
        let far = "\u{1b}[65535G";
        assert_eq!(shown_text(format!("{far}x{far}y").as_bytes()).len(), LONGEST + 1);
        for sequence in ["\u{1b}[1K", "\r\u{1b}[K\u{1b}[9999Cx"] {
            let line = format!("{far}x{}", sequence.repeat(200));
            let mut row = Row { cells: Vec::new(), at: 0, filled: 0, style: (), base: () };
            Parser::new().advance(&mut row, line.as_bytes());
            // All cells that were filled are counted.
            assert!((MAX_FILLED / 2..=MAX_FILLED).contains(&row.filled), "{sequence:?}: {}", row.filled);
        }
    }

    proptest! {
        #[test]
        fn the_short_way_and_the_long_one_agree(line in "(\\PC|[\\t\\r\u{8}\u{1b}\u{301}\u{202e}]|\u{1b}\\[[0-3]?[KmC]){0,20}") {
            prop_assert_eq!(String::from_utf8_lossy(&shown_text(line.as_bytes())).into_owned(), slowly(line.as_bytes()));
        }

        #[test]
        fn no_bytes_make_a_control_character(line: Vec<u8>) {
            let left = String::from_utf8(shown_text(&line).into_owned()).unwrap();
            prop_assert_eq!(&left, &slowly(&line));
            prop_assert!(!left.chars().any(char::is_control));
        }
    }
}
