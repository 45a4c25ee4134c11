//! Draws the palette: the matches with their keys, and the effect of the selected one.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::command::join;
use crate::tui::action::Action;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::palette::model::{Entry, Palette, equivalent};
use crate::tui::view::dialog::{keys, open};
use crate::tui::view::frame::selected;
use crate::tui::words::{Align, cell};

/// Draws the palette.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, palette: &Palette) {
    let theme = &model.theme;
    let (width, height) = model.size;
    let is_low = height < 16;
    let tall = if is_low { height.saturating_sub(2) } else { (height - 4).min(30) };
    let inner = open(frame, model, "Commands", "", width.saturating_sub(4).min(96), tall);
    let field =
        Rect { x: inner.x + 2, width: inner.width.saturating_sub(2), height: 1.min(inner.height), ..inner };
    frame.render_widget(Line::styled("> ", theme.accent), Rect { height: 1.min(inner.height), ..inner });
    frame.render_widget(palette.input.area(), field);
    let count = format!(" {} of {} ", palette.found, palette.total);
    frame.render_widget(Line::styled(count, theme.dim).alignment(Alignment::Right), field);
    let (gap, below) = if is_low { (1, 2) } else { (2, 3) };
    let rows = inner.height.saturating_sub(gap + below);
    let list = Rect { y: inner.y + gap, height: rows, ..inner }.intersection(inner);
    let lines =
        window(palette, rows.into()).map(|(at, entry)| line(model, entry, at == palette.cursor, list.width));
    let lines: Vec<Line<'_>> = lines.collect();
    if lines.is_empty() {
        frame.render_widget(Line::styled("  no matches", theme.dim), list);
    }
    frame.render_widget(Paragraph::new(lines), list);
    let foot = Rect { y: inner.bottom().saturating_sub(below), height: below.min(inner.height), ..inner };
    let (about, same) = palette.chosen().map_or((String::new(), String::new()), about);
    let actions = [
        (Action::Accept, "run"),
        (Action::Complete, "complete"),
        (Action::CopyShown, "copy command"),
        (Action::Dismiss, "close"),
    ];
    let room = usize::from(foot.width);
    let mut lines = vec![
        Line::styled(cell(&about, room, Align::Left), theme.text),
        Line::styled(cell(&same, room, Align::Left), theme.dim),
    ];
    if !is_low {
        lines.push(keys(model, KeyContext::Palette, &actions, foot.width.into()));
    }
    frame.render_widget(Paragraph::new(lines), foot);
}

/// Returns the entries around the cursor.
fn window(palette: &Palette, rows: usize) -> impl Iterator<Item = (usize, &Entry)> {
    let top = (palette.cursor + 1).saturating_sub(rows.max(1));
    palette.shown.iter().enumerate().skip(top).take(rows)
}

fn line(model: &Model, entry: &Entry, is_under: bool, width: u16) -> Line<'static> {
    let theme = &model.theme;
    let width = usize::from(width);
    let (name, keys) = if width >= 60 { (26, 9) } else { (width / 3, 6) };
    let object = width.saturating_sub(name + keys + 5).max(4);
    let what = entry.object.as_ref().map_or(entry.deed.kind, |object| object.name.as_str());
    let what_style = if entry.object.is_some() { theme.text } else { theme.dim };
    let line = Line::from(vec![
        Span::styled(if is_under { "▌ " } else { "  " }, theme.accent),
        Span::raw(cell(&entry.deed.name, name, Align::Left) + "  "),
        Span::styled(cell(what, object, Align::Left), what_style),
        Span::styled(cell(&entry.deed.keys, keys, Align::Right), theme.accent),
    ]);
    if is_under { selected(line, theme) } else { line }
}

/// Returns what an entry would do, and the equivalent command.
fn about(entry: &Entry) -> (String, String) {
    let object = entry.object.as_ref().map_or_else(String::new, |object| format!("{}: ", object.name));
    let same = equivalent(entry).map_or_else(String::new, |words| format!("$ hoist {}", join(&words)));
    (format!("{object}{}", entry.deed.about), same)
}
