//! A log line as cells: the program's colours are kept, everything else is made harmless.
//!
//! Foregrounds, bold, italic and underline stay; backgrounds go, for they hide the cursor
//! and the search. A control byte is shown as its picture (`␛`, `␇`) where it stands alone,
//! a control *sequence* that is not about colour vanishes. Nothing reaches the terminal
//! but printable characters.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;
use vte::{Params, Parser, Perform};

/// Columns between tab stops.
const TAB: usize = 8;

/// No line is drawn further than this.
const LONGEST: usize = 16 << 10;

/// Parses a line into spans of one style each.
#[must_use]
pub fn spans(line: &[u8], base: Style) -> Vec<Span<'static>> {
    let mut canvas = Canvas { spans: Vec::new(), text: String::new(), style: base, base, column: 0 };
    Parser::new().advance(&mut canvas, &line[..line.len().min(LONGEST)]);
    canvas.end_span();
    canvas.spans
}

struct Canvas {
    spans: Vec<Span<'static>>,
    text: String,
    style: Style,
    base: Style,
    column: usize,
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
        // What turns the writing direction or has no shape could forge what a line says.
        let is_hidden = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        let c = match c {
            '\u{7f}' => '␡',
            _ if is_hidden || c.is_control() => '·',
            _ => c,
        };
        self.column += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        self.text.push(c);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\t' => {
                let gap = TAB - self.column % TAB;
                self.text.extend(std::iter::repeat_n(' ', gap));
                self.column += gap;
            }
            0x00..=0x1f => self.print(char::from_u32(0x2400 + u32::from(byte)).unwrap_or('·')),
            _ => self.print('·'),
        }
    }

    fn csi_dispatch(&mut self, params: &Params, _: &[u8], _: bool, action: char) {
        if action == 'm' {
            let style = colored(self.style, self.base, params);
            self.restyle(style);
        }
    }
}

/// `style` after the parameters of an SGR sequence.
fn colored(mut style: Style, base: Style, params: &Params) -> Style {
    let codes: Vec<u16> = params.iter().flatten().copied().collect();
    let mut rest = codes.as_slice();
    while let [code, after @ ..] = rest {
        rest = after;
        style = match code {
            0 => base,
            1 => style.add_modifier(Modifier::BOLD),
            2 => style.add_modifier(Modifier::DIM),
            3 => style.add_modifier(Modifier::ITALIC),
            4 => style.add_modifier(Modifier::UNDERLINED),
            22 => style.remove_modifier(Modifier::BOLD | Modifier::DIM),
            23 => style.remove_modifier(Modifier::ITALIC),
            24 => style.remove_modifier(Modifier::UNDERLINED),
            30..=37 | 90..=97 => {
                let index = if *code < 90 { code - 30 } else { code - 90 + 8 };
                style.fg(Color::Indexed(u8::try_from(index).unwrap_or(7)))
            }
            39 => Style { fg: base.fg, ..style },
            38 | 48 => {
                let (color, after) = long_color(rest);
                rest = after;
                if *code == 38 { Style { fg: color.or(style.fg), ..style } } else { style }
            }
            _ => style,
        };
    }
    style
}

/// `5;n` and `2;r;g;b`.
fn long_color(codes: &[u16]) -> (Option<Color>, &[u16]) {
    let byte = |code: u16| u8::try_from(code).unwrap_or(u8::MAX);
    match codes {
        [5, index, rest @ ..] => (Some(Color::Indexed(byte(*index))), rest),
        [2, r, g, b, rest @ ..] => (Some(Color::Rgb(byte(*r), byte(*g), byte(*b))), rest),
        _ => (None, &[]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(line: &[u8]) -> String {
        spans(line, Style::default()).iter().map(|span| span.content.as_ref()).collect()
    }

    #[test]
    fn colours_are_kept_and_everything_else_is_harmless() {
        for (line, text) in [
            (&b"\x1b[31mred\x1b[0m plain"[..], "red plain"),
            (b"a\tb", "a       b"),
            (b"bell\x07 back\x08", "bell␇ back␈"),
            (b"\x1b[2J\x1b[Hcleared", "cleared"),
            (b"\x1b]0;title\x07done", "done"),
            (b"caf\xc3\xa9 \xff", "café �"),
            ("\u{202e}evil".as_bytes(), "·evil"),
            (b"50%\r51%", "50%␍51%"),
        ] {
            assert_eq!(shown(line), text, "{line:?}");
        }
    }

    #[test]
    fn a_style_lasts_until_it_is_changed() {
        let spans = spans(b"\x1b[1;38;5;200mx\x1b[41my\x1b[39mz", Style::default());
        let styles: Vec<_> =
            spans.iter().map(|span| (span.content.as_ref(), span.style.fg, span.style.bg)).collect();
        assert_eq!(styles, [("xy", Some(Color::Indexed(200)), None), ("z", None, None)]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_control_character(line: Vec<u8>) {
            prop_assert!(!shown(&line).chars().any(char::is_control));
        }
    }
}
