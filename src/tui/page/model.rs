//! Text to read, broken into lines that fit.

use crate::tui::words::wrap;

/// Text to read.
#[derive(Debug)]
pub struct Page {
    /// Its heading.
    pub title: String,
    /// The line at the top.
    pub top: usize,
    /// What it says.
    lines: Vec<String>,
    /// The same in lines of this many columns.
    fitted: (usize, Vec<String>),
}

impl Page {
    /// A page that says this.
    #[must_use]
    pub fn new(title: String, lines: Vec<String>) -> Self {
        Self { title, top: 0, lines, fitted: (0, Vec::new()) }
    }

    /// The columns of a page's text, and the most rows, on a screen of this size.
    #[must_use]
    pub fn room((width, height): (u16, u16)) -> (usize, usize) {
        let width = if width < 60 { width } else { (width - 4).min(96) };
        (usize::from(width.saturating_sub(4)).max(1), usize::from(height.saturating_sub(4)).max(1))
    }

    /// Breaks its lines for a screen of this size.
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

    /// Its lines as they are shown.
    #[must_use]
    pub fn rows(&self) -> &[String] {
        &self.fitted.1
    }
}
