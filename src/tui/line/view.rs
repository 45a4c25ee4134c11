//! Draws an input line and its completions.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};
use unicode_width::UnicodeWidthStr;

use crate::tui::action::Action;
use crate::tui::keymap::KeyContext;
use crate::tui::line::candidates::Candidates;
use crate::tui::line::model::Prompt;
use crate::tui::model::Model;
use crate::tui::view::dialog::{keys, open, two_lines};
use crate::tui::view::frame::{base, selected};
use crate::tui::words::{Align, cell};

/// The number of completions that are shown at once.
const ROWS: usize = 8;

/// Draws the dialog of an input line, or only the completions if the line is at the bottom.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, prompt: &Prompt) {
    if prompt.purpose.is_line() { above_line(frame, model, prompt) } else { dialog(frame, model, prompt) }
}

fn dialog(frame: &mut Frame<'_>, model: &Model, prompt: &Prompt) {
    let theme = &model.theme;
    let inner = open(frame, model, prompt.purpose.title(), "", prompt.purpose.width(), 7);
    let field = Rect { y: inner.y + 1, height: 1.min(inner.height), ..inner };
    frame.buffer_mut().set_style(field, theme.sel);
    frame.render_widget(prompt.input.area(), field);
    let (text, style) = match (&prompt.error, &prompt.note) {
        (Some(error), _) => (format!("✗ {error}"), theme.err),
        (None, Some(note)) => crate::tui::form::view::note_line(note, theme),
        (None, None) => (prompt.purpose.hint().to_owned(), theme.dim),
    };
    let below = Rect { y: inner.y + 2, height: inner.height.saturating_sub(2), ..inner };
    let mut actions = vec![(Action::Accept, "ok"), (Action::Dismiss, "cancel")];
    if !prompt.candidates.items.is_empty() {
        actions.push((Action::Complete, "complete"));
    }
    let mut lines = two_lines(&text, below.width, style);
    lines.push(keys(model, KeyContext::Prompt, &actions, below.width.into()));
    frame.render_widget(Paragraph::new(lines), below);
    below_field(frame, model, prompt, inner);
}

/// Draws the line at the bottom, with its hint.
pub(crate) fn line(frame: &mut Frame<'_>, model: &Model, prompt: &Prompt, area: Rect) {
    let sign = format!(" {}", prompt.purpose.sign());
    frame.render_widget(Line::styled(" ".repeat(area.width.into()), base(model)), area);
    frame.render_widget(Line::styled(sign, model.theme.accent), area);
    let field = Rect { x: area.x + 2, width: area.width.saturating_sub(2), ..area };
    frame.render_widget(prompt.input.area(), field);
    if prompt.input.is_proposed() {
        // Typing replaces it, like a selected text.
        let width = u16::try_from(prompt.input.text().width()).unwrap_or(u16::MAX);
        let old = Rect { width: width.min(field.width), ..field };
        frame.buffer_mut().set_style(old, model.theme.sel);
    }
    let hint = prompt.error.clone().unwrap_or_else(|| prompt.purpose.hint().to_owned());
    let used = u16::try_from(prompt.input.text().width()).unwrap_or(u16::MAX).saturating_add(4);
    let room = field.width.saturating_sub(used);
    if room > 20 {
        let style = if prompt.error.is_some() { model.theme.err } else { model.theme.dim };
        let text = cell(&hint, room.into(), Align::Right);
        let place = Rect { x: field.right() - room, width: room, ..field };
        frame.render_widget(Line::styled(text, style), place);
    }
}

/// Draws the completions above the line at the bottom.
fn above_line(frame: &mut Frame<'_>, model: &Model, prompt: &Prompt) {
    let screen = frame.area();
    let begin = u16::try_from(prompt.candidates.before.width() + 2).unwrap_or(u16::MAX);
    // Inside the border of the pane below them.
    let rows = height(&prompt.candidates).min(screen.height.saturating_sub(5));
    let area =
        Rect { x: begin, y: screen.height.saturating_sub(3 + rows), width: screen.width, height: rows };
    candidates(frame, model, &prompt.candidates, area);
}

/// Draws the completions below the field of a dialog.
fn below_field(frame: &mut Frame<'_>, model: &Model, prompt: &Prompt, inner: Rect) {
    let begin = u16::try_from(prompt.candidates.before.width()).unwrap_or(u16::MAX).min(inner.width / 2);
    let y = inner.y + 6;
    // Inside the border of the pane below them.
    let rows = height(&prompt.candidates).min(frame.area().height.saturating_sub(y + 3));
    let area = Rect { x: inner.x + begin, y, width: inner.width.saturating_sub(begin), height: rows };
    candidates(frame, model, &prompt.candidates, area);
}

fn height(candidates: &Candidates) -> u16 {
    u16::try_from(candidates.items.len().min(ROWS)).unwrap_or(0)
}

fn candidates(frame: &mut Frame<'_>, model: &Model, candidates: &Candidates, area: Rect) {
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
    let width =
        u16::try_from(word + about + 4 + more).unwrap_or(u16::MAX).min(screen.width.saturating_sub(2));
    let x = area.x.min(screen.width.saturating_sub(width + 1));
    let area = Rect { x, width, ..area }.intersection(screen);
    let lines = window.map(|(at, item)| {
        let line = Line::from(vec![
            Span::raw(format!(" {} ", cell(&item.word, word, Align::Left))),
            Span::styled(format!("{} ", cell(&item.about, about, Align::Left)), theme.dim),
        ]);
        if candidates.chosen == Some(at) { selected(line, theme) } else { line }
    });
    let lines: Vec<Line<'_>> = lines.collect();
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).style(theme.overlay.patch(theme.text)), area);
    if hidden > 0 {
        let place = Rect { x: area.right().saturating_sub(6), y: area.bottom() - 1, width: 6, height: 1 };
        frame.render_widget(Line::styled(format!("{:>5} ", format!("+{hidden}")), theme.warn), place);
    }
}
