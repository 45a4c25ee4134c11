//! Draws the theme picker over a preview of the theme.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph};

use crate::tui::action::Action;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::themes::model::Picker;
use crate::tui::words::{Align, cell};

/// The columns for names.
const NAME: usize = 18;

/// Draws the picker in the upper right corner, where it covers least.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, picker: &Picker) {
    let theme = &model.theme;
    let themes = model.look.themes.all();
    let screen = frame.area();
    let width = 34.min(screen.width);
    let height = u16::try_from(themes.len() + 3).unwrap_or(u16::MAX).min(screen.height.saturating_sub(2));
    let area = Rect { x: screen.right() - width, y: screen.y + 1, width, height }.intersection(screen);
    let keys = |action| model.keys_of(KeyContext::Themes, action);
    let foot = format!(" {} apply   {} cancel ", keys(Action::Accept), keys(Action::Dismiss));
    let block = Block::bordered()
        .border_type(BorderType::Thick)
        .border_style(theme.accent)
        .style(theme.overlay.patch(theme.text))
        .title_top(Line::styled("━ Theme ", theme.accent.add_modifier(Modifier::BOLD)))
        .title_bottom(Line::styled(foot, theme.dim).alignment(Alignment::Right));
    let inner = block.inner(area);
    let rows = usize::from(inner.height);
    let top = (picker.cursor + 1).saturating_sub(rows);
    let lines = themes.iter().enumerate().skip(top).take(rows).map(|(at, shown)| {
        let is_here = at == picker.cursor;
        let mut spans = vec![
            Span::styled(if is_here { "▌ " } else { "  " }, theme.accent),
            Span::raw(cell(&shown.name, NAME, Align::Left) + " "),
        ];
        // The colours of each theme on its own background.
        let colours = [shown.accent, shown.ok, shown.warn, shown.err, shown.mark];
        let sample = |style| [Span::styled("●", shown.bg.patch(style)), Span::styled(" ", shown.bg)];
        spans.extend(colours.into_iter().flat_map(sample));
        let line = Line::from(spans);
        if is_here { line.style(theme.sel) } else { line }
    });
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()).block(block), area);
}
