//! A pane: its border with the tabs, and the contents of the tab.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Block;
use unicode_width::UnicodeWidthStr;

use crate::tui::model::titles::{short_name, tab_name};
use crate::tui::model::window::Pane;
use crate::tui::model::{Focus, Model};
use crate::tui::section::Subject;
use crate::tui::tab::Tab;
use crate::tui::tasks::model::{Session, TaskRow, TaskState};
use crate::tui::terminal::screen::Screens;
use crate::tui::view::frame::{border, terminal_border};
use crate::tui::viewer::Seen;
use crate::tui::words::{Align, cell};

/// The sign of a pinned pane.
const PINNED: &str = "⊙ ";

/// The columns that the tabs of a pane leave to its name, if it needs them.
const NAME: usize = 12;

/// Draws a pane.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, screens: &Screens, pane: &Pane, area: Rect) {
    let has_keys = model.focus == Focus::Detail && model.pane().id == pane.id && model.layers.is_empty();
    let tab = model.shown_tab(pane);
    let subject = model.subject_of(pane);
    let subject = subject.as_ref();
    let is_gone = subject.is_some_and(|subject| model.is_gone(subject));
    let seen = Seen { model, screens, pane, tab, subject, is_gone, has_keys };
    let viewer = tab.viewer();
    // Both corners, the line before the name, and a blank after it.
    let room = usize::from(area.width).saturating_sub(5);
    let tabs = match subject {
        _ if model.is_zoomed => viewer.title(&seen, area.width),
        Some(Subject::Container(_) | Subject::Image(_)) => Some(tab_line(&seen, room)),
        _ => None,
    };
    let room = room.saturating_sub(tabs.as_ref().map_or(0, |tabs| tabs.width() + 1));
    // Of a pane that follows the list, nothing is said.
    let sign = if pane.is_pinned() { PINNED } else { "" };
    let mut block = frame_of(&seen, format!("{sign}{}", title(&seen, room.saturating_sub(sign.width()))));
    if let Some(tabs) = tabs {
        block = block.title_top(tabs.right_aligned());
    }
    // An empty note would be a gap in the border.
    if let Some((note, style)) = viewer.note(&seen, area.width).filter(|(note, _)| !note.trim().is_empty()) {
        block = block.title_bottom(Line::styled(note, style).right_aligned());
    }
    let inner = block.inner(area);
    frame.render_widget(block, area);
    match subject {
        Some(subject) if is_gone && viewer.is_blank(pane) => {
            let text = format!(" {} was removed: no data was read before", model.last_name_of(subject));
            frame.render_widget(Line::styled(text, model.theme.dim), inner);
        }
        Some(_) => viewer.draw(frame, &seen, inner),
        None => frame.render_widget(Line::styled(" nothing is selected", model.theme.dim), inner),
    }
}

/// Returns the border of a pane, without its tabs.
fn frame_of(seen: &Seen<'_>, title: String) -> Block<'static> {
    let (model, title) = (seen.model, vec![Span::raw(title)]);
    match seen.tab {
        Tab::Session(id) if seen.has_keys && !model.session_is_over(id) => {
            let session = model.task(id).and_then(TaskRow::session);
            let types = model.typing == Some(id) || model.copying == Some(id);
            terminal_border(model, (types, session.is_some_and(Session::is_main)), title)
        }
        _ => border(model, seen.has_keys, title),
    }
}

/// Returns the title of a pane in at most `room` columns; the name is shortened before the rest.
fn title(seen: &Seen<'_>, room: usize) -> String {
    let (model, tab) = (seen.model, seen.tab);
    let fitted = |rest: &str, name: &dyn Fn(usize) -> String| {
        let text = name(room.saturating_sub(rest.width())) + rest;
        cell(&text, text.width().min(room), Align::Left)
    };
    let gone = if seen.is_gone { " (removed)" } else { "" };
    match (tab, seen.subject) {
        (Tab::Session(id), _) => model.task(id).map_or_else(String::new, |task| {
            let rest = match &task.state {
                TaskState::Done(text) => format!(" · {text}"),
                TaskState::Failed(_) => " · failed".to_owned(),
                _ => String::new(),
            };
            fitted(&rest, &|room| cell(&task.title, task.title.width().min(room), Align::Left))
        }),
        // If it is the only pane, the line above shows its subject.
        (_, Some(_)) if model.is_zoomed && model.panes().len() == 1 => tab_name(model, tab),
        (_, Some(subject)) if model.is_zoomed => {
            fitted(&format!("{gone} · {}", tab_name(model, tab)), &|room| short_name(model, subject, room))
        }
        (_, Some(subject)) => fitted(gone, &|room| short_name(model, subject, room)),
        (_, None) => String::new(),
    }
}

/// Returns the tabs or, if they do not fit beside a short name, only the current one. They have
/// numbers where these show them.
fn tab_line(seen: &Seen<'_>, room: usize) -> Line<'static> {
    let (model, shown) = (seen.model, seen.tab);
    let theme = &model.theme;
    let named = |(at, tab): (usize, Tab)| {
        let has_number = seen.has_keys && model.numbers_mean_tabs();
        let number = if has_number { format!("{} ", at + 1) } else { String::new() };
        (tab, format!("{number}{}", tab_name(model, tab)))
    };
    let mut tabs: Vec<(Tab, String)> = model.tabs(seen.pane).into_iter().enumerate().map(named).collect();
    let width: usize = tabs.iter().map(|(_, name)| name.width() + 2).sum();
    let sign = if seen.pane.is_pinned() { PINNED.width() } else { 0 };
    let name = title(seen, room).width().min(NAME) + sign;
    if width + name + 3 > room {
        tabs.retain(|(tab, _)| *tab == shown);
    }
    let mut spans = vec![Span::raw(" ")];
    for (tab, name) in tabs {
        spans.push(match tab == shown {
            true => Span::styled(format!("[{name}]"), theme.accent.add_modifier(Modifier::BOLD)),
            false => Span::styled(format!(" {name} "), theme.dim),
        });
    }
    spans.push(Span::raw(" "));
    Line::from(spans)
}
