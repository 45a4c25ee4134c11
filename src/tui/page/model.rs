//! A page of text, wrapped to fit.

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
            let lines = self.lines.iter().flat_map(|line| {
                let indent = line.len() - line.trim_start().len();
                wrap(line, width, if indent < width / 2 { indent } else { 0 })
            });
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
