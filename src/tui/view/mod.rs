//! The screen as a function of the model. Nothing here changes anything.

pub mod ansi;
mod bars;
pub mod chart;
mod detail;
mod dialog;
mod lists;
mod pages;
mod stats;
mod terminal;
#[cfg(test)]
mod tests;
mod texts;
pub mod words;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Paragraph};

use super::model::{Focus, Model};
use super::terminal::Screens;

/// Draws the whole screen.
pub fn draw(frame: &mut Frame<'_>, model: &Model, screens: &Screens) {
    let layout = model.layout();
    let screen = frame.area();
    frame.buffer_mut().set_style(screen, base(model));
    if layout.is_too_small {
        let keys = model.keys_of(super::keymap::Place::Global, super::action::Action::Command);
        let text = format!("resize, or press {keys} to type a command");
        frame.render_widget(Paragraph::new(text).style(model.theme.warn), layout.status);
        dialog::draw(frame, model);
        return;
    }
    bars::header(frame, model, &layout);
    bars::tabs(frame, model, layout.tabs);
    if let Some(area) = layout.list {
        lists::draw(frame, model, area);
    }
    if let Some(area) = layout.detail {
        detail::draw(frame, model, screens, area);
    }
    if let Some(area) = layout.side {
        stats::side(frame, model, area);
    }
    bars::keys(frame, model, layout.keys);
    bars::status(frame, model, layout.status);
    dialog::draw(frame, model);
    bars::which_key(frame, model);
}

/// The style of everything that says nothing else.
fn base(model: &Model) -> Style {
    model.theme.bg.patch(model.theme.text)
}

/// A pane's border: heavy, with its title in the accent colour, where the keys are.
fn border(model: &Model, has_focus: bool, title: Vec<Span<'static>>) -> Block<'static> {
    let theme = &model.theme;
    let (kind, style) = match has_focus {
        true => (BorderType::Thick, theme.accent),
        false => (BorderType::Rounded, theme.dim),
    };
    let line = if has_focus { "━ " } else { "─ " };
    let title_style = if has_focus { theme.accent.add_modifier(Modifier::BOLD) } else { theme.text };
    let mut spans = vec![Span::styled(line, style)];
    spans.extend(title.into_iter().map(|span| {
        let own = span.style;
        span.style(title_style.patch(own))
    }));
    spans.push(Span::raw(" "));
    Block::bordered().border_type(kind).border_style(style).style(base(model)).title_top(Line::from(spans))
}

/// Whether the list, or the detail pane, has the keys.
fn has_focus(model: &Model, focus: Focus) -> bool {
    model.focus == focus && model.layers.is_empty()
}

/// A rectangle of at most this size in the middle of the screen.
fn middle(screen: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 3,
        width,
        height,
    }
}
