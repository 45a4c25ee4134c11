//! Borders and grounds that all of the screen has.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType};

use crate::tui::model::{Focus, Model};

/// The style of everything that says nothing else.
pub(crate) fn base(model: &Model) -> Style {
    model.theme.bg.patch(model.theme.text)
}

/// A pane's border: heavy, with its title in the accent colour, where the keys are.
pub(crate) fn border(model: &Model, has_focus: bool, title: Vec<Span<'static>>) -> Block<'static> {
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
pub(crate) fn has_focus(model: &Model, focus: Focus) -> bool {
    model.focus == focus && model.layers.is_empty()
}

/// A rectangle of at most this size in the middle of the screen.
pub(crate) fn middle(screen: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 3,
        width,
        height,
    }
}
