//! Lines of output as pieces, which are cut or wrapped to the width of a window.

use ratatui::style::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::base::output;
use crate::engine::Level;

/// The role of a piece of a line, in addition to its own style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The program's text.
    Text,
    /// The word for the level.
    Level(Level),
    /// A key of JSON.
    Key,
    /// Less important text.
    Dim,
    /// A search match.
    Match,
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its role.
    pub role: Role,
    /// The program's own style.
    pub style: Style,
    /// Its printable text.
    pub text: String,
}

impl Piece {
    /// Returns a piece in the default style, with its text made printable.
    pub fn new(role: Role, text: impl Into<String>) -> Self {
        let text = crate::base::text::line(&text.into()).into_owned();
        Self { role, style: Style::default(), text }
    }
}

/// Returns a line of a program's output as pieces of one style each.
#[must_use]
pub fn of_output(line: &[u8], base: Style) -> Vec<Piece> {
    let parts = output::styled(line, base).into_iter();
    parts.map(|(text, style)| Piece { role: Role::Text, style, text }).collect()
}

/// Cuts a row into at most `most` pieces of `width` columns, the first of which begins at column
/// `left`.
#[must_use]
pub fn cut(row: Vec<Piece>, left: usize, width: usize, most: usize) -> Vec<Vec<Piece>> {
    let mut rows: Vec<Vec<Piece>> = vec![Vec::new()];
    let (mut column, mut begin) = (0, left);
    'all: for piece in row {
        let mut text = String::new();
        for c in piece.text.chars() {
            let wide = c.width().unwrap_or(0);
            if column + wide > begin + width.max(2) {
                push(&mut rows, &piece, &mut text);
                if rows.len() >= most {
                    break 'all;
                }
                begin = column;
                rows.push(Vec::new());
            }
            if column >= begin {
                text.push(c);
            } else if column + wide > begin {
                text.push(' '); // half of a wide character
            }
            column += wide;
        }
        push(&mut rows, &piece, &mut text);
    }
    rows
}

fn push(rows: &mut [Vec<Piece>], piece: &Piece, text: &mut String) {
    if let (Some(row), false) = (rows.last_mut(), text.is_empty()) {
        row.push(Piece { text: std::mem::take(text), ..piece.clone() });
    }
}

/// Returns the width of a row.
#[must_use]
pub fn width(row: &[Piece]) -> usize {
    row.iter().map(|piece| piece.text.width()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_into_rows_by_columns_not_characters() {
        let rows = |text: &str, left, width, most| -> Vec<String> {
            let (one, two) = text.split_at(3);
            let row = vec![Piece::new(Role::Text, one), Piece::new(Role::Dim, two)];
            let rows = cut(row, left, width, most);
            rows.iter().map(|row| row.iter().map(|piece| piece.text.as_str()).collect()).collect()
        };
        assert_eq!(rows("abcdefgh", 0, 3, usize::MAX), ["abc", "def", "gh"]);
        assert_eq!(rows("abcdefgh", 2, 3, 1), ["cde"]);
        assert_eq!(rows("abc日本語", 0, 4, usize::MAX), ["abc", "日本", "語"]);
        assert_eq!(rows("abc日本語", 4, 4, 1), [" 本"]);
        assert_eq!(rows("abc", 9, 4, 1), [""]);
    }
}
