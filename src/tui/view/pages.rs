//! Pages to read: plain text.

use ratatui::text::Line;

use crate::tui::model::layer::{Page, PageKind};

/// The lines of a page.
pub(super) fn lines(page: &Page) -> Vec<Line<'static>> {
    match &page.kind {
        PageKind::Text(lines) => lines.iter().map(|line| Line::raw(line.clone())).collect(),
    }
}
