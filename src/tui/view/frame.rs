//! Borders and backgrounds.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType};

use crate::tui::model::{Focus, Model};
use crate::tui::theme::Theme;

/// Returns the default style.
pub(crate) fn base(model: &Model) -> Style {
    model.theme.bg.patch(model.theme.text)
}

/// Returns a pane's border; with focus it is heavy, and its title has the accent colour.
pub(crate) fn border(model: &Model, has_focus: bool, title: Vec<Span<'static>>) -> Block<'static> {
    let theme = &model.theme;
    let (kind, style) = match has_focus {
        true => (BorderType::Thick, theme.accent),
        false => (BorderType::Rounded, theme.dim),
    };
    lined(model, has_focus, (kind, style), title)
}

/// Returns the border of a terminal: double where its keys belong to hoist, heavy where they go to
/// its program, and in the colour of a warning where that is the main program of a container.
pub(crate) fn terminal_border(
    model: &Model,
    (has_keys, is_main): (bool, bool),
    title: Vec<Span<'static>>,
) -> Block<'static> {
    let theme = &model.theme;
    let style = if is_main { theme.warn } else { theme.accent };
    let kind = if has_keys { BorderType::Thick } else { BorderType::Double };
    lined(model, true, (kind, style), title)
}

fn lined(
    model: &Model,
    has_focus: bool,
    (kind, style): (BorderType, Style),
    title: Vec<Span<'static>>,
) -> Block<'static> {
    let theme = &model.theme;
    let line = match kind {
        BorderType::Thick => "━ ",
        BorderType::Double => "═ ",
        _ => "─ ",
    };
    let title_style = if has_focus { theme.accent.add_modifier(Modifier::BOLD) } else { theme.text };
    let block = Block::bordered().border_type(kind).border_style(style).style(base(model));
    // Without a title, the border has no gap.
    if title.iter().all(|span| span.content.is_empty()) {
        return block;
    }
    let mut spans = vec![Span::styled(line, style)];
    spans.extend(title.into_iter().map(|span| {
        let own = span.style;
        span.style(title_style.patch(own))
    }));
    spans.push(Span::raw(" "));
    block.title_top(Line::from(spans))
}

/// Returns the heading of a part of a page, which has no border of its own.
pub(crate) fn heading(model: &Model, title: &str) -> Span<'static> {
    Span::styled(format!(" {title}"), model.theme.text.add_modifier(Modifier::BOLD))
}

/// Returns a line as the selected one. A theme that reverses the selection shows it in one style,
/// because each colour of the line would become a background of its own.
pub(crate) fn selected<'a>(mut line: Line<'a>, theme: &Theme) -> Line<'a> {
    if theme.reverses() {
        line.spans.iter_mut().for_each(|span| span.style = Style::default());
    }
    line.style(theme.sel)
}

/// Like [`selected`], for a row that is already drawn.
pub(crate) fn select(frame: &mut Frame<'_>, model: &Model, row: Rect) {
    let theme = &model.theme;
    let style = if theme.reverses() { Style::reset().patch(base(model)).patch(theme.sel) } else { theme.sel };
    frame.buffer_mut().set_style(row, style);
}

/// Whether `focus` has the focus and no dialog is open.
pub(crate) fn has_focus(model: &Model, focus: Focus) -> bool {
    model.focus == focus && model.layers.is_empty()
}
