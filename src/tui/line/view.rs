//! The list of what a word that is typed could become.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};
use unicode_width::UnicodeWidthStr;

use crate::tui::line::candidates::Candidates;
use crate::tui::model::Model;
use crate::tui::model::layer::Prompt;
use crate::tui::words::{Align, cell};

/// So many are shown at once.
const ROWS: usize = 8;

/// Above the line at the bottom.
pub(crate) fn above_line(frame: &mut Frame<'_>, model: &Model, prompt: &Prompt) {
    let screen = frame.area();
    let begin = u16::try_from(prompt.candidates.before.width() + 2).unwrap_or(u16::MAX);
    let rows = height(&prompt.candidates).min(screen.height.saturating_sub(2));
    let area =
        Rect { x: begin, y: screen.height.saturating_sub(2 + rows), width: screen.width, height: rows };
    draw(frame, model, &prompt.candidates, area);
}

/// Below the field of a dialog.
pub(crate) fn below(frame: &mut Frame<'_>, model: &Model, prompt: &Prompt, inner: Rect) {
    let begin = u16::try_from(prompt.candidates.before.width()).unwrap_or(u16::MAX).min(inner.width / 2);
    let y = inner.y + 6;
    let rows = height(&prompt.candidates).min(frame.area().height.saturating_sub(y));
    let area = Rect { x: inner.x + begin, y, width: inner.width.saturating_sub(begin), height: rows };
    draw(frame, model, &prompt.candidates, area);
}

fn height(candidates: &Candidates) -> u16 {
    u16::try_from(candidates.items.len().min(ROWS)).unwrap_or(0)
}

fn draw(frame: &mut Frame<'_>, model: &Model, candidates: &Candidates, area: Rect) {
    let theme = &model.theme;
    if candidates.items.is_empty() || area.height == 0 {
        return;
    }
    let rows = usize::from(area.height);
    let chosen = candidates.chosen.unwrap_or(0);
    let top = (chosen + 1).saturating_sub(rows);
    let window = candidates.items.iter().enumerate().skip(top).take(rows);
    let word = window.clone().map(|(_, item)| item.word.width()).max().unwrap_or(0).clamp(8, 40);
    let about = window.clone().map(|(_, item)| item.about.width()).max().unwrap_or(0).min(56);
    let hidden = candidates.items.len() - candidates.items.len().min(rows);
    let more = if hidden > 0 { 6 } else { 0 };
    let screen = frame.area();
    let width = u16::try_from(word + about + 4 + more).unwrap_or(u16::MAX).min(screen.width);
    let x = area.x.min(screen.width.saturating_sub(width));
    let area = Rect { x, width, ..area }.intersection(screen);
    let lines = window.map(|(at, item)| {
        let line = Line::from(vec![
            Span::raw(format!(" {} ", cell(&item.word, word, Align::Left))),
            Span::styled(format!("{} ", cell(&item.about, about, Align::Left)), theme.dim),
        ]);
        if candidates.chosen == Some(at) { line.style(theme.sel) } else { line }
    });
    let lines: Vec<Line<'_>> = lines.collect();
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).style(theme.overlay.patch(theme.text)), area);
    if hidden > 0 {
        let place = Rect { x: area.right().saturating_sub(6), y: area.bottom() - 1, width: 6, height: 1 };
        frame.render_widget(Line::styled(format!("{:>5} ", format!("+{hidden}")), theme.warn), place);
    }
}
