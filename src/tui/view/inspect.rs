//! Everything known of an object, as text.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::texts;
use super::words::cut;
use crate::tui::model::Model;
use crate::tui::model::log::contains;
use crate::tui::model::pane::TextPane;

/// Draws the window of a pane's text.
pub(super) fn draw(frame: &mut Frame<'_>, model: &Model, pane: &TextPane, area: Rect) {
    let theme = &model.theme;
    if let Some(failure) = &pane.failure {
        frame.render_widget(Paragraph::new(texts::failure(failure, theme)), area);
        return;
    }
    let Some(lines) = &pane.lines else {
        frame.render_widget(Line::styled(" reading…", theme.dim), area);
        return;
    };
    let window = lines.iter().enumerate().skip(pane.top).take(area.height.into());
    let rows = window.map(|(at, line)| {
        let fits = !pane.search.is_empty() && contains(line.as_bytes(), &pane.search);
        let gutter = if fits { Span::styled("»", theme.mark) } else { Span::raw(" ") };
        let strong = if pane.hit == Some(at) { Modifier::BOLD } else { Modifier::empty() };
        let spans = json(line, theme.accent, theme.text, theme.ok);
        let spans = cut(spans, pane.left, usize::from(area.width.saturating_sub(1)).max(1), 1);
        let mut row = vec![gutter];
        row.extend(spans.into_iter().next().unwrap_or_default());
        Line::from(row).style(Style::default().add_modifier(strong))
    });
    frame.render_widget(Paragraph::new(rows.collect::<Vec<_>>()), area);
}

/// A line of indented JSON: the key, then its value.
fn json(line: &str, key: Style, plain: Style, value: Style) -> Vec<Span<'static>> {
    let clean: String = line.chars().map(|c| if c.is_control() { '·' } else { c }).collect();
    let indent = clean.len() - clean.trim_start().len();
    match clean.find("\": ").filter(|_| clean[indent..].starts_with('"')) {
        Some(end) => vec![
            Span::raw(clean[..indent].to_owned()),
            Span::styled(clean[indent..=end].to_owned(), key),
            Span::styled(": ", plain),
            Span::styled(clean[end + 3..].to_owned(), value),
        ],
        None => vec![Span::styled(clean, plain)],
    }
}

/// What stands in the lower border: how much it is, and what is searched for.
pub(super) fn note(model: &Model, pane: &TextPane) -> (String, Style) {
    let lines = pane.lines.as_ref().map_or(0, Vec::len);
    let search = if pane.search.is_empty() { String::new() } else { format!("/{} · ", pane.search) };
    (format!(" {search}{lines} lines "), model.theme.dim)
}
