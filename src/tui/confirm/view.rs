//! Draws the confirmation dialog.

use ratatui::Frame;
use ratatui::style::Modifier;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use crate::tui::action::Action;
use crate::tui::confirm::model::Confirm;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::view::dialog::{keys, open};
use crate::tui::words::{Align, cell};

/// Draws the dialog.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, question: &Confirm) {
    let theme = &model.theme;
    let (most, room) = (question.rows(model.size), Confirm::width(model.size.0));
    let gap = if Confirm::is_low(model.size.1) { None } else { Some(Line::default()) };
    let hidden = question.items.len().saturating_sub(most);
    let top = question.top.min(hidden);
    let mut lines: Vec<Line<'_>> = gap.iter().cloned().collect();
    let bold = theme.text.add_modifier(Modifier::BOLD);
    let shown = question.items.iter().skip(top).take(most);
    lines.extend(shown.map(|item| Line::styled(fitted(item, room), bold)));
    if hidden > 0 {
        let keys = model.keys_of(KeyContext::Confirm, Action::Down)
            + " "
            + &model.keys_of(KeyContext::Confirm, Action::Up);
        let text = format!("{}–{} of {} · {keys} scroll", top + 1, top + most, question.items.len());
        lines.push(Line::styled(text, theme.dim));
    }
    lines.extend(gap.iter().cloned());
    lines.extend(question.note_lines(model.size.0).into_iter().map(|note| Line::styled(note, theme.warn)));
    lines.extend(gap);
    let no = format!("{} (also ↵, Esc)", question.no);
    let answers = [(Action::Accept, question.yes), (Action::Dismiss, no.as_str())];
    lines.push(keys(model, KeyContext::Confirm, &answers, room));
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let inner = open(frame, model, &question.title, "", 64, height);
    frame.render_widget(Paragraph::new(lines), inner);
}

/// Shortens an item to fit. What becomes of the object stands after the last ` · ` and stays.
fn fitted(item: &str, room: usize) -> String {
    let (name, rest) = item.rfind(" · ").map_or((item, ""), |at| item.split_at(at));
    let name = cell(name, name.width().min(room.saturating_sub(rest.width()).max(1)), Align::Left);
    cell(&(name + rest), room, Align::Left).trim_end().to_owned()
}
