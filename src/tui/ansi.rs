//! Converts a line of text to spans, keeping the program's colours and making everything else
//! harmless.
//!
//! Foreground colours, bold, italic and underline are kept. Backgrounds are dropped, because they
//! would hide the cursor and search matches. Black and white become the theme's text colour,
//! because they might be invisible without their background. Only printable characters reach the
//! terminal. For the rest there are two ways:
//!
//! - Output of programs ([`output`]) is shown as a terminal would leave it
//!   ([`crate::base::output`]).
//! - The bytes of a file ([`spans`]) are all visible: a control byte as its picture (`␇`), and a
//!   control *sequence* other than a colour as `␛`.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;
use vte::{Params, Parser, Perform};

use crate::base::output::{self, CellStyle, LONGEST, TAB};

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
    let pieces = output::styled(line, base).into_iter();
    pieces.map(|(text, style)| Span::styled(text, style)).collect()
}

impl CellStyle for Style {
    fn colored(self, base: Self, params: &Params) -> Self {
        colored(self, base, params)
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
    fn a_character_of_output_keeps_the_style_it_was_written_with() {
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
