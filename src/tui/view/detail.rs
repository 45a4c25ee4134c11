//! A pane: its border with the tabs, and the contents of the tab.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use crate::tui::model::titles::tab_name;
use crate::tui::model::window::Pane;
use crate::tui::model::{Focus, Model};
use crate::tui::section::Subject;
use crate::tui::tab::Tab;
use crate::tui::tasks::model::{Session, TaskRow, TaskState};
use crate::tui::terminal::screen::Screens;
use crate::tui::view::frame::{border, terminal_border};
use crate::tui::viewer::Seen;
use crate::tui::words::{Align, cell};

/// Draws a pane.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, screens: &Screens, pane: &Pane, area: Rect) {
    let has_keys = model.focus == Focus::Detail && model.pane().id == pane.id && model.layers.is_empty();
    let tab = model.shown_tab(pane);
    let subject = model.subject_of(pane);
    let is_gone = subject.as_ref().is_some_and(|subject| model.is_gone(subject));
    let called = subject.as_ref().map_or_else(String::new, |subject| model.last_name_of(subject));
    let gone = format!("{called} is gone");
    let name = match (tab, &subject) {
        (Tab::Session(id), _) => model.task(id).map_or_else(String::new, |task| match &task.state {
            TaskState::Done(text) => format!("{} · {text}", task.title),
            TaskState::Failed(_) => format!("{} · failed", task.title),
            _ => task.title.clone(),
        }),
        // If it is the only pane, the line above shows its subject.
        (_, Some(_)) if model.is_zoomed && model.panes().len() == 1 => tab_name(model, tab),
        (_, Some(_)) if model.is_zoomed => {
            format!("{} · {}", if is_gone { &gone } else { &called }, tab_name(model, tab))
        }
        (_, Some(_)) if is_gone => gone.clone(),
        (_, Some(_)) => called.clone(),
        (_, None) => String::new(),
    };
    let title = vec![Span::raw(cell_title(&name, area.width))];
    let mut block = match tab {
        Tab::Session(id) if has_keys && !model.session_is_over(id) => {
            let session = model.task(id).and_then(TaskRow::session);
            let types = model.typing == Some(id) || model.copying == Some(id);
            terminal_border(model, (types, session.is_some_and(Session::is_main)), title)
        }
        _ => border(model, has_keys, title),
    };
    if !model.is_zoomed && matches!(subject, Some(Subject::Container(_) | Subject::Image(_))) {
        let room = usize::from(area.width).saturating_sub(name.len() + 8);
        block = block.title_top(tab_line(model, pane, tab, room).alignment(Alignment::Right));
    }
    let subject = subject.as_ref();
    let seen = Seen { model, screens, pane, tab, subject, is_gone, has_keys };
    let viewer = tab.viewer();
    if let Some(title) = viewer.title(&seen, area.width).filter(|_| model.is_zoomed) {
        block = block.title_top(title.right_aligned());
    }
    if let Some((note, style)) = viewer.note(&seen, area.width) {
        block = block.title_bottom(Line::styled(note, style).alignment(Alignment::Right));
    }
    let inner = block.inner(area);
    frame.render_widget(block, area);
    match subject {
        Some(_) if is_gone && viewer.is_blank(pane) => {
            let text = format!(" {gone}: nothing was read here before");
            frame.render_widget(Line::styled(text, model.theme.dim), inner);
        }
        Some(_) => viewer.draw(frame, &seen, inner),
        None => frame.render_widget(Line::styled(" nothing is selected", model.theme.dim), inner),
    }
}

fn cell_title(name: &str, width: u16) -> String {
    let room = usize::from(width / 3).max(8);
    cell(name, unicode_width::UnicodeWidthStr::width(name).min(room), Align::Left)
}

/// Returns the tabs or, if they do not fit, only the current one.
fn tab_line(model: &Model, pane: &Pane, shown: Tab, room: usize) -> Line<'static> {
    let theme = &model.theme;
    let mut tabs = model.tabs(pane);
    let width =
        |tabs: &[Tab]| -> usize { tabs.iter().map(|tab| tab_name(model, *tab).chars().count() + 2).sum() };
    if width(&tabs) > room {
        tabs.retain(|tab| *tab == shown);
    }
    let mut spans = vec![Span::raw(" ")];
    for tab in tabs {
        let name = tab_name(model, tab);
        spans.push(match tab == shown {
            true => Span::styled(format!("[{name}]"), theme.accent.add_modifier(Modifier::BOLD)),
            false => Span::styled(format!(" {name} "), theme.dim),
        });
    }
    spans.push(Span::raw(" "));
    Line::from(spans)
}
