//! A log: only the lines of its window are looked at.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::words::{cut, span};
use super::{ansi, texts};
use crate::engine::Stream;
use crate::tui::action::Action;
use crate::tui::keymap::Place;
use crate::tui::model::Model;
use crate::tui::model::log::{LineRef, contains};
use crate::tui::model::pane::{LogPane, Times};

/// Draws the lines of a pane's log.
pub(super) fn draw(frame: &mut Frame<'_>, model: &Model, pane: &LogPane, area: Rect) {
    let theme = &model.theme;
    if let Some(failure) = &pane.failure {
        frame.render_widget(Paragraph::new(texts::failure(failure, theme)), area);
        return;
    }
    if pane.store.end() == pane.store.first() {
        let text = if pane.is_over { " it has written nothing" } else { " waiting for output…" };
        frame.render_widget(Line::styled(text, theme.dim), area);
        return;
    }
    let width = usize::from(area.width.saturating_sub(1)).max(1);
    let height = usize::from(area.height);
    let row = |number: u64| {
        let line = pane.store.get(number)?;
        Some(log_rows(model, pane, &line, pane.hit == Some(number), width))
    };
    // Only what is drawn is parsed: from the top line down, or from the newest line up.
    let mut rows: Vec<Line<'_>> = Vec::with_capacity(height);
    if pane.is_paused {
        let mut number = pane.top.max(pane.store.first());
        while let Some(lines) = row(number).filter(|_| rows.len() < height) {
            rows.extend(lines);
            number += 1;
        }
        rows.truncate(height);
    } else {
        let mut number = pane.store.end();
        while number > pane.store.first() && rows.len() < height {
            number -= 1;
            let mut lines = row(number).unwrap_or_default();
            lines.append(&mut rows);
            rows = lines;
        }
        let surplus = rows.len().saturating_sub(height);
        rows.drain(..surplus);
    }
    frame.render_widget(Paragraph::new(rows), area);
}

/// A log line as one row, or as several when long lines wrap.
fn log_rows(
    model: &Model,
    pane: &LogPane,
    line: &LineRef<'_>,
    is_hit: bool,
    width: usize,
) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let fits = !pane.search.is_empty() && contains(line.bytes, &pane.search);
    let gutter = match (is_hit || fits, line.stream) {
        (true, _) => Span::styled("»", theme.mark),
        (_, Stream::Stderr) => Span::styled("▏", theme.warn),
        _ => Span::raw(" "),
    };
    let time = match pane.times {
        Times::Off => String::new(),
        Times::Clock => {
            let zoned = line.time.to_zoned(jiff::tz::TimeZone::system());
            format!("{} ", zoned.strftime("%H:%M:%S"))
        }
        Times::Ago => format!("{:>6} ", span(model.now.duration_since(line.time))),
    };
    let indent = time.len();
    let base = if is_hit { theme.text.add_modifier(Modifier::BOLD) } else { theme.text };
    let spans = ansi::spans(line.bytes, base);
    let room = width.saturating_sub(indent).max(1);
    let pieces = if pane.wraps { cut(spans, 0, room, usize::MAX) } else { cut(spans, pane.left, room, 1) };
    let rows = pieces.into_iter().enumerate().map(|(at, piece)| {
        let head =
            if at == 0 { (gutter.clone(), time.clone()) } else { (Span::raw(" "), " ".repeat(indent)) };
        let mut spans = vec![head.0, Span::styled(head.1, theme.dim)];
        spans.extend(piece);
        Line::from(spans)
    });
    rows.collect()
}

/// What stands in the lower border: whether it follows, and what is searched for.
pub(super) fn note(model: &Model, log: &LogPane) -> (String, Style) {
    let theme = &model.theme;
    let search = if log.search.is_empty() { String::new() } else { format!("/{} · ", log.search) };
    let lines = log.store.end();
    match (log.is_paused, log.unseen()) {
        (true, 0) => (format!(" {search}paused · line {} of {lines} ", log.top + 1), theme.warn),
        (true, new) => {
            let key = model.keys_of(Place::Logs, Action::Last);
            (format!(" {search}paused · +{new} new ↓{key} "), theme.warn)
        }
        (false, _) if log.is_over => (format!(" {search}{lines} lines "), theme.dim),
        (false, _) => (format!(" {search}follow ● {lines} lines "), theme.ok),
    }
}
