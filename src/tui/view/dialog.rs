//! Dialogs over the screen.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear};
use unicode_width::UnicodeWidthStr;

use crate::tui::action::Action;
use crate::tui::keymap::KeyContext;
use crate::tui::layout::middle;
use crate::tui::model::Model;
use crate::tui::words::{Align, cell, wrap};

/// Draws all dialogs, the topmost last.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model) {
    model.layers.iter().for_each(|layer| layer.dialog().draw(frame, model));
}

/// Draws an empty dialog; returns the area inside.
pub(crate) fn open(
    frame: &mut Frame<'_>,
    model: &Model,
    title: &str,
    note: &str,
    width: u16,
    height: u16,
) -> Rect {
    let theme = &model.theme;
    let area = middle(frame.area(), width, height);
    let room = usize::from(area.width).saturating_sub(6);
    let title = cell(title, title.width().min(room), Align::Left);
    let note = model.signs(note);
    let mut block = Block::bordered()
        .border_type(BorderType::Thick)
        .border_style(theme.accent)
        .style(theme.overlay.patch(theme.text))
        .title_top(Line::styled(format!("━ {title} "), theme.accent.add_modifier(Modifier::BOLD)));
    if usize::from(area.width) > title.width() + note.width() + 8 && !note.is_empty() {
        block = block.title_top(Line::styled(format!(" {note} "), theme.dim).alignment(Alignment::Right));
    }
    let inner = block.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

/// Says in the lower border of a dialog that its content goes on above or below.
pub(crate) fn more(frame: &mut Frame<'_>, model: &Model, inner: Rect, (above, below): (bool, bool)) {
    let text = match (above, below) {
        (false, false) => return,
        (false, true) => " ↓ more ",
        (true, false) => " ↑ more ",
        (true, true) => " ↑↓ more ",
    };
    let width = u16::try_from(text.width()).unwrap_or(u16::MAX);
    let at = Rect { x: inner.right().saturating_sub(width), y: inner.bottom(), width, height: 1 };
    frame.render_widget(Line::styled(text, model.theme.warn), at.intersection(frame.area()));
}

/// Returns the line of a dialog's keys.
pub(crate) fn keys(model: &Model, place: KeyContext, actions: &[(Action, &str)]) -> Line<'static> {
    let mut spans = Vec::new();
    for (action, word) in actions {
        spans.push(Span::styled(model.keys_of(place, *action), model.theme.accent));
        spans.push(Span::raw(format!(" {}   ", model.signs(word))));
    }
    Line::from(spans)
}

/// Wraps the message about an input line to exactly two lines, the second of which is often empty.
pub(crate) fn two_lines(text: &str, width: u16, style: Style) -> Vec<Line<'static>> {
    let mut lines = wrap(text, width.into(), 2);
    let rest = lines.split_off(1.min(lines.len())).join(" ");
    let rest = rest.split_whitespace().collect::<Vec<_>>().join(" ");
    let second = if rest.is_empty() { rest } else { format!("  {rest}") };
    let shown = lines.into_iter().chain([second]);
    shown.map(|line| Line::styled(cell(&line, width.into(), Align::Left), style)).collect()
}
