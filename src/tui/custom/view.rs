//! Draws the dialog that asks for input to a custom command.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::Paragraph;

use crate::tui::action::Action;
use crate::tui::custom::ask::Ask;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::view::dialog::{keys, open, two_lines};
use crate::tui::words::{Align, cell};

/// Draws the dialog.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, asked: &Ask) {
    let theme = &model.theme;
    let title = cell(&asked.title, 40, Align::Left);
    let inner = open(frame, model, title.trim_end(), "", 70, 7);
    let field = Rect { y: inner.y + 1, height: 1.min(inner.height), ..inner };
    frame.buffer_mut().set_style(field, theme.sel);
    frame.render_widget(asked.input.area(), field);
    let (text, style) = match &asked.error {
        Some(error) => (format!("✗ {error}"), theme.err),
        None => (asked.hint.clone(), theme.dim),
    };
    let below = Rect { y: inner.y + 2, height: inner.height.saturating_sub(2), ..inner };
    let actions = [(Action::Accept, "ok"), (Action::Dismiss, "cancel")];
    let mut lines = two_lines(&text, below.width, style);
    lines.push(keys(model, KeyContext::Prompt, &actions, below.width.into()));
    frame.render_widget(Paragraph::new(lines), below);
}
