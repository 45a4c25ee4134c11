//! Draws the help: a table of groups and keys, or search results.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use crate::tui::action::Action;
use crate::tui::help::model::{Entry, Help, entries, others};
use crate::tui::key::show_strokes;
use crate::tui::keymap::{Binding, KeyContext};
use crate::tui::model::Model;
use crate::tui::model::offers::label_of_open;
use crate::tui::model::titles::tab_name;
use crate::tui::view::dialog::{more, open};
use crate::tui::view::frame::selected;
use crate::tui::words::{Align, Beyond, cell};

/// The columns of an entry.
const ENTRY: usize = 17;

/// The columns of the group names.
const GROUP: usize = 10;

/// Draws the help over the screen.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, help: &Help) {
    let theme = &model.theme;
    let (width, height) = model.size;
    let wide = width.saturating_sub(4).clamp(36, 124);
    let room = usize::from(wide).saturating_sub(4);
    let found = help.found(&model.keymap);
    let lines = match &found {
        Some(found) => {
            found.iter().enumerate().map(|(at, entry)| row(model, help, at, entry, room)).collect()
        }
        None => table(model, help, room),
    };
    let tall = u16::try_from(lines.len() + 5).unwrap_or(u16::MAX);
    // The dialog keeps its size during a search.
    let tall = if found.is_some() { tall.max(20) } else { tall };
    let title = format!("Help · {}", if help.shows_others { "other screens" } else { help.place.about() });
    let note = "type to search keys and actions";
    let inner = open(frame, model, &title, note, wide, tall.min(height.saturating_sub(1)));
    let field = Rect { height: 1.min(inner.height), ..inner };
    frame.render_widget(Line::styled("/", theme.accent), field);
    let typed = Rect { x: field.x + 2, width: field.width.saturating_sub(2), ..field };
    frame.render_widget(help.input.area(), typed);
    let body = Rect { y: inner.y + 1, height: inner.height.saturating_sub(2), ..inner };
    let rows = usize::from(body.height);
    let top = match &found {
        Some(found) => (help.cursor.min(found.len().saturating_sub(1)) + 1).saturating_sub(rows),
        None => help.top.min(lines.len().saturating_sub(rows)),
    };
    let beyond = Beyond::window(top, rows, lines.len());
    let none = found.as_ref().is_some_and(Vec::is_empty);
    let window: Vec<_> = lines.into_iter().skip(top).take(rows).collect();
    frame.render_widget(Paragraph::new(window), body);
    if none {
        let text = Line::styled("no matching keys or actions", theme.dim);
        frame.render_widget(text, Rect { height: 1.min(body.height), ..body });
    }
    let foot = Rect { y: inner.bottom().saturating_sub(1), height: 1.min(inner.height), ..inner };
    frame.render_widget(footer(model, help, found.is_some()), foot);
    more(frame, model, inner, beyond);
}

/// Returns the groups, with as many entries per line as fit.
fn table(model: &Model, help: &Help, room: usize) -> Vec<Line<'static>> {
    let mut lines = vec![Line::default()];
    if help.shows_others {
        for (place, entries) in others(&model.keymap, help.place) {
            lines.extend(group(model, place.name(), &entries, room));
        }
        return lines;
    }
    let mut entries = entries(&model.keymap, help.place);
    if model.key_context_below() == help.place {
        entries.iter_mut().for_each(|entry| name_tab(model, entry));
        // Keys for numbers beyond the last tab have no effect.
        entries.retain(|entry| entry.action.tab().is_none_or(|at| at < model.tabs(model.pane()).len()));
    }
    for chunk in entries.chunk_by(|one, other| one.action.group() == other.action.group()) {
        lines.extend(group(model, chunk[0].action.group().title(), chunk, room));
    }
    lines.extend(behind_a_prefix(model, help).map(|text| Line::styled(text, model.theme.dim)));
    let release = model.keys_of(KeyContext::Terminal, Action::Release);
    let text = format!("In a terminal, all keys go to the program; {release} returns them to hoist.");
    lines.extend([Line::default(), Line::styled(text, model.theme.dim)]);
    lines
}

/// Says which keys of a list act on the object that a page shows.
fn behind_a_prefix(model: &Model, help: &Help) -> Option<String> {
    const EXAMPLES: usize = 3;
    let list = model.acted_section().key_context();
    let is_shown =
        |binding: &&Binding| model.keymap.imports(binding) && model.is_useful(list, binding.action);
    let lines: Vec<&Binding> = model.bindings(help.place).iter().filter(is_shown).take(EXAMPLES).collect();
    let prefix = model.signs(&show_strokes(&lines.first()?.keys[..1]));
    let keys: Vec<String> = lines.iter().map(|line| model.signs(&show_strokes(&line.keys))).collect();
    Some(format!("{prefix} followed by a key of the list acts on the object shown: {}", keys.join(" ")))
}

/// Labels the key of a tab with the tab's name, and Enter with what it opens here.
fn name_tab(model: &Model, entry: &mut Entry) {
    let tabs = model.tabs(model.pane());
    if let Some(tab) = entry.action.tab().and_then(|at| tabs.get(at)) {
        entry.label = tab_name(model, *tab);
    }
    if entry.action == Action::Open {
        entry.label = label_of_open(model.key_context_below()).to_owned();
    }
}

fn group(model: &Model, name: &str, entries: &[Entry], room: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let per_line = (room.saturating_sub(GROUP + 1) / ENTRY).max(1);
    let mut lines: Vec<Line<'static>> = Vec::new();
    let mut used = per_line;
    for entry in entries {
        let keys = model.signs(entry.keys.first().map_or("", String::as_str));
        let needed = (keys.width() + 1 + entry.label.width()).div_ceil(ENTRY - 1).clamp(1, per_line);
        if used + needed > per_line {
            let name = if lines.is_empty() { name } else { "" };
            lines.push(Line::styled(cell(name, GROUP + 1, Align::Left), theme.accent));
            used = 0;
        }
        let width = needed * ENTRY - 1;
        let label = cell(&entry.label, width.saturating_sub(keys.width() + 1), Align::Left);
        if let Some(line) = lines.last_mut() {
            line.push_span(Span::styled(keys, theme.mark));
            line.push_span(Span::styled(format!(" {label} "), theme.text));
        }
        used += needed;
    }
    lines
}

/// Returns a search result: its keys, its description, and its place.
fn row(model: &Model, help: &Help, at: usize, entry: &Entry, room: usize) -> Line<'static> {
    let theme = &model.theme;
    let is_here = at == help.cursor;
    let keys = model.signs(&entry.keys.join(" "));
    let keys = cell(&keys, keys.width().min(13), Align::Left);
    let gap = " ".repeat(14 - keys.width());
    let place = entry.place.name();
    let width = room.saturating_sub(16 + place.len() + 2);
    let style = if entry.is_here { theme.text } else { theme.dim };
    let line = Line::from(vec![
        Span::styled(if is_here { "▌" } else { " " }, theme.accent),
        Span::styled(keys, theme.mark),
        Span::raw(gap),
        Span::styled(cell(&entry.help, width, Align::Left), style),
        Span::styled(format!(" {place}"), theme.dim),
    ]);
    if is_here { selected(line, theme) } else { line }
}

fn footer(model: &Model, help: &Help, has_query: bool) -> Line<'static> {
    let theme = &model.theme;
    let keys: &[(Action, &str)] = match has_query {
        true => &[(Action::Accept, "run"), (Action::Dismiss, "close")],
        false if help.shows_others => &[(Action::NextTab, "this screen"), (Action::Dismiss, "close")],
        false => &[(Action::NextTab, "other screens"), (Action::Dismiss, "close")],
    };
    let mut spans = Vec::new();
    for (action, word) in keys {
        spans.push(Span::styled(model.keys_of(KeyContext::Help, *action), theme.accent));
        spans.push(Span::styled(format!(" {word}   "), theme.text));
    }
    Line::from(spans)
}
