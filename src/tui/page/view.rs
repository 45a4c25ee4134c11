//! Draws a page of text.

use ratatui::Frame;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use crate::tui::model::Model;
use crate::tui::page::model::Page;
use crate::tui::view::dialog::{more, open};
use crate::tui::words::Beyond;

/// Draws the page.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, shown: &Page) {
    let (room, most) = Page::room(model.size);
    let count = shown.rows().len();
    let (wide, tall) = (u16::try_from(room + 4), u16::try_from(count.min(most) + 2));
    let (wide, tall) = (wide.unwrap_or(u16::MAX), tall.unwrap_or(u16::MAX));
    let inner = open(frame, model, &shown.title, "Esc close", wide, tall);
    let window = shown.rows().iter().skip(shown.top).take(usize::from(inner.height));
    frame.render_widget(
        Paragraph::new(window.map(|line| Line::raw(line.as_str())).collect::<Vec<_>>()),
        inner,
    );
    more(frame, model, inner, Beyond::window(shown.top, inner.height.into(), count));
}
