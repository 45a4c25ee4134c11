//! Draws a menu.

use ratatui::Frame;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::tui::menu::model::Menu;
use crate::tui::model::Model;
use crate::tui::view::dialog::{more, open};
use crate::tui::view::frame::selected;
use crate::tui::words::{Align, Beyond, cell};

/// Draws the menu, with `keys` in its border.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, choice: &Menu, keys: &str) {
    let theme = &model.theme;
    let area = choice.area(model.size);
    let inner = open(frame, model, &choice.title, keys, area.width, area.height);
    let rows = usize::from(inner.height);
    // The longest name and a gap, as long as there is room for a description.
    let wide = (choice.name_width() + 2).min(usize::from(inner.width) * 2 / 3);
    let room = usize::from(inner.width).saturating_sub(wide + 2);
    let top = choice.top(model.size);
    let lines = choice.items.iter().enumerate().skip(top).take(rows).map(|(at, (name, note))| {
        let bar = if at == choice.cursor { "▌ " } else { "  " };
        let line = Line::from(vec![
            Span::styled(bar, theme.accent),
            Span::raw(cell(name, wide.saturating_sub(2), Align::Left) + "  "),
            Span::styled(cell(note, room, Align::Left), theme.dim),
        ]);
        if at == choice.cursor { selected(line, theme) } else { line }
    });
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), inner);
    more(frame, model, inner, Beyond::window(top, rows, choice.items.len()));
}

#[cfg(test)]
mod tests {
    use crate::tui::fixture::{full, press, screen};

    #[test]
    fn a_menu_that_is_longer_than_the_window_says_so() {
        let mut model = full(40, 12);
        press(&mut model, "K");
        let count = model.layers.last_mut().unwrap().dialog_mut().menu().unwrap().items.len();
        assert!(count > 9, "{count} items would all fit");
        assert!(screen(&model).contains(" ↓ more ━"), "{}", screen(&model));
        for _ in 1..count {
            press(&mut model, "j");
        }
        let shown = screen(&model);
        assert!(shown.contains(" ↑ more ━"), "{shown}");
        model.size = (80, 60);
        model.settle();
        assert!(!screen(&model).contains("more ━"), "{}", screen(&model));
    }
}
