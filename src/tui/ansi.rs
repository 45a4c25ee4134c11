//! Converts a line of text to spans, keeping the program's colours and making everything else
//! harmless.
//!
//! Foreground colours, bold, italic and underline are kept. Backgrounds are dropped, because they
//! would hide the cursor and search matches. Black and white become the theme's text colour,
//! because they might be invisible without their background. Only printable characters reach the
//! terminal. For the rest there are two ways:
//!
//! - Output of programs ([`output`]) is shown as a terminal would leave it: what follows a carriage
//!   return replaces what was before, as in a progress bar, and other control sequences vanish.
//! - The bytes of a file ([`spans`]) are all visible: a control byte as its picture (`␇`), and a
//!   control *sequence* other than a colour as `␛`.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;
use vte::{Params, Parser, Perform};

/// Columns between tab stops.
const TAB: usize = 8;

/// The maximum number of columns drawn for a line.
const LONGEST: usize = 16 << 10;

/// Returns a line of a file as spans of one style each.
#[must_use]
pub fn spans(line: &[u8], base: Style) -> Vec<Span<'static>> {
    let mut canvas =
        Canvas { spans: Vec::new(), text: String::new(), style: base, base, column: 0, is_over: false };
    let mut parser = Parser::new();
    parser.advance(&mut canvas, &line[..line.len().min(LONGEST)]);
    // End an unfinished sequence, so that it is shown as well.
    canvas.is_over = true;
    parser.advance(&mut canvas, b"\x18");
    canvas.end_span();
    canvas.spans
}

/// Returns a line of a program's output as spans of one style each.
#[must_use]
pub fn output(line: &[u8], base: Style) -> Vec<Span<'static>> {
    let mut row = Row { cells: Vec::new(), at: 0, style: base, base };
    Parser::new().advance(&mut row, &line[..line.len().min(LONGEST)]);
    let mut spans: Vec<(String, Style)> = Vec::new();
    for Cell { c, marks, style } in row.cells {
        match spans.last_mut().filter(|(_, last)| *last == style) {
            Some((text, _)) => text.push(c),
            None => spans.push((c.to_string(), style)),
        }
        spans.last_mut().into_iter().for_each(|(text, _)| text.extend(&marks));
    }
    spans.into_iter().map(|(text, style)| Span::styled(text, style)).collect()
}

/// The row of a terminal. A wide character is a single cell, like any other.
struct Row {
    cells: Vec<Cell>,
    /// The place of the cursor.
    at: usize,
    style: Style,
    base: Style,
}

#[derive(Clone)]
struct Cell {
    c: char,
    /// Characters without a width of their own, such as accents.
    marks: Vec<char>,
    style: Style,
}

impl Row {
    fn go(&mut self, at: usize) {
        self.at = at.min(LONGEST);
    }

    fn blank(&self) -> Cell {
        Cell { c: ' ', marks: Vec::new(), style: self.base }
    }

    /// Clears from the cursor, to the cursor, or everything.
    fn clear(&mut self, how: usize) {
        let (blank, end) = (self.blank(), self.at.min(self.cells.len()));
        match how {
            0 => self.cells.truncate(end),
            1 => self.cells[..end].fill(blank),
            _ => self.cells.clear(),
        }
    }
}

impl Perform for Row {
    fn print(&mut self, c: char) {
        let c = crate::base::text::shown(c);
        if unicode_width::UnicodeWidthChar::width(c) == Some(0) {
            let before = self.at.checked_sub(1).and_then(|at| self.cells.get_mut(at));
            before.into_iter().for_each(|cell| cell.marks.push(c));
            return;
        }
        let cell = Cell { c, marks: Vec::new(), style: self.style };
        if self.at > self.cells.len() {
            let blank = self.blank();
            self.cells.resize(self.at, blank);
        }
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
            'm' => self.style = colored(self.style, self.base, params),
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

struct Canvas {
    spans: Vec<Span<'static>>,
    text: String,
    style: Style,
    base: Style,
    column: usize,
    is_over: bool,
}

impl Canvas {
    fn end_span(&mut self) {
        if !self.text.is_empty() {
            self.spans.push(Span::styled(std::mem::take(&mut self.text), self.style));
        }
    }

    fn restyle(&mut self, style: Style) {
        if style != self.style {
            self.end_span();
            self.style = style;
        }
    }
}

impl Perform for Canvas {
    fn print(&mut self, c: char) {
        let c = crate::base::text::shown(c);
        self.column += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        self.text.push(c);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            _ if self.is_over => {}
            b'\t' => {
                let gap = TAB - self.column % TAB;
                self.text.extend(std::iter::repeat_n(' ', gap));
                self.column += gap;
            }
            _ => self.print(char::from(byte)),
        }
    }

    fn csi_dispatch(&mut self, params: &Params, between: &[u8], _: bool, action: char) {
        match action {
            'm' if between.is_empty() => {
                let style = colored(self.style, self.base, params);
                self.restyle(style);
            }
            'K' => {} // clears the rest of the line, which is empty
            _ => self.print('\u{1b}'),
        }
    }

    fn esc_dispatch(&mut self, _: &[u8], _: bool, byte: u8) {
        // The string's start was already shown; `ESC ( B` selects the character set that is drawn
        // anyway.
        if !matches!(byte, b'\\' | b'B') {
            self.print('\u{1b}');
        }
    }

    fn osc_dispatch(&mut self, _: &[&[u8]], _: bool) {
        self.print('\u{1b}');
    }

    fn hook(&mut self, _: &Params, _: &[u8], _: bool, _: char) {
        self.print('\u{1b}');
    }
}

/// Returns `style` with the parameters of an SGR sequence applied.
fn colored(mut style: Style, base: Style, params: &Params) -> Style {
    let mut params = params.iter();
    while let Some(param) = params.next() {
        let [code, own @ ..] = param else { continue };
        style = match code {
            0 => base,
            1 => style.add_modifier(Modifier::BOLD),
            2 => style.add_modifier(Modifier::DIM),
            3 => style.add_modifier(Modifier::ITALIC),
            4 if own.first() == Some(&0) => style.remove_modifier(Modifier::UNDERLINED),
            4 => style.add_modifier(Modifier::UNDERLINED),
            22 => style.remove_modifier(Modifier::BOLD | Modifier::DIM),
            23 => style.remove_modifier(Modifier::ITALIC),
            24 => style.remove_modifier(Modifier::UNDERLINED),
            30..=37 | 90..=97 => {
                let index = if *code < 90 { code - 30 } else { code - 90 + 8 };
                indexed(style, base, index)
            }
            39 => Style { fg: base.fg, ..style },
            38 | 48 | 58 => {
                // Either `38:2::r:g:b` in a single parameter, or `38;2;r;g;b` in five.
                let color = if own.is_empty() { long_color(&mut params) } else { own_color(own) };
                match color {
                    Some(Long::Index(index)) if *code == 38 => indexed(style, base, index),
                    Some(Long::Rgb(color)) if *code == 38 => style.fg(color),
                    _ => style,
                }
            }
            _ => style,
        };
    }
    style
}

fn indexed(style: Style, base: Style, index: u16) -> Style {
    match index {
        0 | 7 | 15 | 16 | 231 => Style { fg: base.fg, ..style },
        _ => style.fg(Color::Indexed(u8::try_from(index).unwrap_or(u8::MAX))),
    }
}

enum Long {
    Index(u16),
    Rgb(Color),
}

fn rgb(r: u16, g: u16, b: u16) -> Long {
    let byte = |code: u16| u8::try_from(code).unwrap_or(u8::MAX);
    Long::Rgb(Color::Rgb(byte(r), byte(g), byte(b)))
}

/// Parses `5;n` and `2;r;g;b`.
fn long_color<'a>(params: &mut impl Iterator<Item = &'a [u16]>) -> Option<Long> {
    let mut next = || params.next().and_then(|param| param.first().copied());
    match next()? {
        5 => next().map(Long::Index),
        2 => Some(rgb(next()?, next()?, next()?)),
        _ => None,
    }
}

/// Parses `5:n`, `2:r:g:b` and `2:space:r:g:b`.
fn own_color(own: &[u16]) -> Option<Long> {
    match own {
        [5, index, ..] => Some(Long::Index(*index)),
        [2, r, g, b] | [2, _, r, g, b, ..] => Some(rgb(*r, *g, *b)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(line: &[u8]) -> String {
        spans(line, Style::default()).iter().map(|span| span.content.as_ref()).collect()
    }

    #[test]
    fn colours_are_kept_and_everything_else_is_harmless() {
        for (line, text) in [
            (&b"\x1b[31mred\x1b[0m plain"[..], "red plain"),
            (b"a\tb", "a       b"),
            (b"bell\x07 back\x08", "bell␇ back␈"),
            (b"\x1b[2J\x1b[Hcleared\x1b[K", "␛␛cleared"),
            (b"\x1b]0;title\x07done", "␛done"),
            (b"\x1b]52;c;eA==\x1b\\done", "␛done"),
            (b"\x1bP1;2qsixel\x1b\\done", "␛done"),
            (b"\x1bcreset", "␛reset"),
            (b"a\x1b]0;without an end", "a␛"),
            (b"", ""),
            ("a\u{9b}2Jb".as_bytes(), "a·2Jb"),
            (b"caf\xc3\xa9 \xff", "café �"),
            ("\u{202e}evil".as_bytes(), "·evil"),
            (b"50%\r51%", "50%␍51%"),
        ] {
            assert_eq!(drawn(line), text, "{line:?}");
        }
    }

    #[test]
    fn a_style_lasts_until_it_is_changed() {
        let spans = spans(b"\x1b[1;38;5;200mx\x1b[41my\x1b[39mz", Style::default());
        let styles: Vec<_> =
            spans.iter().map(|span| (span.content.as_ref(), span.style.fg, span.style.bg)).collect();
        assert_eq!(styles, [("xy", Some(Color::Indexed(200)), None), ("z", None, None)]);
    }

    #[test]
    fn colours_come_in_every_spelling_and_black_or_white_are_the_themes() {
        let base = Style::default().fg(Color::Green);
        for (line, color) in [
            (&b"\x1b[31mx"[..], Color::Indexed(1)),
            (b"\x1b[95mx", Color::Indexed(13)),
            (b"\x1b[38;5;200mx", Color::Indexed(200)),
            (b"\x1b[38;2;1;2;3mx", Color::Rgb(1, 2, 3)),
            (b"\x1b[38:2::1:2:3mx", Color::Rgb(1, 2, 3)),
            (b"\x1b[38:2:1:2:3mx", Color::Rgb(1, 2, 3)),
            (b"\x1b[48;2;1;2;3;34mx", Color::Indexed(4)),
            (b"\x1b[30;47mx", Color::Green),
            (b"\x1b[31;39mx", Color::Green),
            (b"\x1b[38mx", Color::Green),
        ] {
            let spans = spans(line, base);
            assert_eq!((spans[0].style.fg, spans[0].style.bg), (Some(color), None), "{line:?}");
        }
    }

    fn left_by(line: &[u8]) -> String {
        output(line, Style::default()).iter().map(|span| span.content.as_ref()).collect()
    }

    #[test]
    fn output_is_what_a_terminal_would_show_in_the_end() {
        for (line, text) in [
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
            (b"nul \0", "nul ␀"),
            ("e\u{301}\r\u{301}x".as_bytes(), "x"),
            ("⚙\u{fe0f} 10%\r⚙\u{fe0f} 20%".as_bytes(), "⚙\u{fe0f} 20%"),
            (b"caf\xc3\xa9 \xff", "café �"),
            ("\u{202e}evil".as_bytes(), "·evil"),
        ] {
            assert_eq!(left_by(line), text, "{line:?}");
        }
        let spans = output(b"\x1b[31m50%\r\x1b[32m51\x1b[0m", Style::default());
        let styles: Vec<_> = spans.iter().map(|span| (span.content.as_ref(), span.style.fg)).collect();
        assert_eq!(styles, [("51", Some(Color::Indexed(2))), ("%", Some(Color::Indexed(1)))]);
        let far = output(b"\x1b[99999999Cx\x1b[65535C\x1b[65535Cy", Style::default());
        assert!(far.iter().map(|span| span.content.len()).sum::<usize>() <= LONGEST + 1);
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_control_character(line: Vec<u8>) {
            prop_assert!(!drawn(&line).chars().any(char::is_control));
            prop_assert!(!left_by(&line).chars().any(char::is_control));
        }
    }
}
