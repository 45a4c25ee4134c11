//! A page of text, wrapped to fit.

use unicode_width::UnicodeWidthChar;

use crate::tui::words::wrap;

/// A page of text in a dialog.
#[derive(Debug)]
pub struct Page {
    /// Its title.
    pub title: String,
    /// The first visible line.
    pub top: usize,
    /// Its lines.
    lines: Vec<String>,
    /// The lines wrapped to this many columns.
    fitted: (usize, Vec<String>),
}

impl Page {
    /// Creates a page with these lines.
    #[must_use]
    pub fn new(title: String, lines: Vec<String>) -> Self {
        Self { title, top: 0, lines, fitted: (0, Vec::new()) }
    }

    /// Returns the columns for text, and the maximum number of rows, on a screen of this size.
    #[must_use]
    pub fn room((width, height): (u16, u16)) -> (usize, usize) {
        let width = if width < 60 { width } else { (width - 4).min(96) };
        (usize::from(width.saturating_sub(4)).max(1), usize::from(height.saturating_sub(4)).max(1))
    }

    /// Wraps the lines for a screen of this size.
    pub fn fit(&mut self, size: (u16, u16)) {
        let (width, rows) = Self::room(size);
        if self.fitted.0 != width {
            let lines = self.lines.iter().flat_map(|line| wrap(line, width, hanging(line, width / 2)));
            self.fitted = (width, lines.collect());
        }
        self.top = self.top.min(self.rows().len().saturating_sub(rows));
    }

    /// Returns the wrapped lines.
    #[must_use]
    pub fn rows(&self) -> &[String] {
        &self.fitted.1
    }
}

/// Returns the column where the last text of a line begins that is set off by several blanks, so
/// that the rest of the line continues below it; at most `most`.
fn hanging(line: &str, most: usize) -> usize {
    let (mut column, mut blanks, mut begins) = (0, 2, 0);
    for c in line.chars() {
        if c == ' ' {
            blanks += 1;
        } else {
            if blanks > 1 && column <= most {
                begins = column;
            }
            blanks = 0;
        }
        column += c.width().unwrap_or(0);
    }
    begins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrapped_continues_below_its_beginning() {
        let lines = [
            "name  value   a text that is wrapped at the end",
            "  because of that it is wrapped",
            "plain text that is wrapped as well",
        ];
        let mut page = Page::new(String::new(), lines.map(str::to_owned).to_vec());
        page.fit((36, 24));
        assert_eq!(
            page.rows(),
            [
                "name  value   a text that is",
                "              wrapped at the end",
                "  because of that it is wrapped",
                "plain text that is wrapped as",
                "well",
            ]
        );
        page.fit((28, 24));
        assert_eq!(page.rows()[..3], ["name  value   a text", "      that is wrapped at", "      the end"]);
    }
}
