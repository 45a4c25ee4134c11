//! A pane: its border with the tabs, and what the tab shows.

use ratatui::Frame;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use crate::tui::action::Action;
use crate::tui::keymap::Place;
use crate::tui::model::titles::{name_of, tab_name};
use crate::tui::model::window::Pane;
use crate::tui::model::{Focus, Model, Subject, Tab};
use crate::tui::terminal::Screens;
use crate::tui::view::border;
use crate::tui::words::{Align, cell};
use crate::tui::{compare, files, inspect, layers, logs, stats, tasks, terminal, top, why};

/// Draws a pane.
pub(crate) fn draw(frame: &mut Frame<'_>, model: &Model, screens: &Screens, pane: &Pane, area: Rect) {
    let has_keys = model.focus == Focus::Detail && model.pane().id == pane.id && model.layers.is_empty();
    let tab = model.shown_tab(pane);
    let subject = model.subject_of(pane);
    let name = match (tab, &subject) {
        (Tab::Session(id), _) => model.task(id).map_or_else(String::new, |task| task.title.clone()),
        // Alone in the window, the line above says whose it is.
        (_, Some(_)) if model.is_zoomed && model.panes().len() == 1 => tab_name(model, tab),
        (_, Some(subject)) if model.is_zoomed => {
            format!("{} · {}", name_of(model, subject), tab_name(model, tab))
        }
        (_, Some(subject)) => name_of(model, subject),
        (_, None) => String::new(),
    };
    let mut block = border(model, has_keys, vec![Span::raw(cell_title(&name, area.width))]);
    if !model.is_zoomed && matches!(subject, Some(Subject::Container(_) | Subject::Image(_))) {
        let room = usize::from(area.width).saturating_sub(name.len() + 8);
        block = block.title_top(tab_line(model, pane, tab, room).alignment(Alignment::Right));
    }
    if model.is_zoomed {
        block = match tab {
            Tab::Logs => match logs::view::top_note(&pane.log) {
                Some(note) => {
                    block.title_top(Line::styled(format!(" {note} "), model.theme.dim).right_aligned())
                }
                None => block,
            },
            Tab::Top => {
                block.title_top(Line::styled(top::view::title(&pane.top), model.theme.dim).right_aligned())
            }
            Tab::Inspect => {
                let key = model.keys_of(Place::Inspect, Action::NextForm);
                block.title_top(inspect::view::title(&pane.inspect, &key, &model.theme).right_aligned())
            }
            Tab::Compare => {
                let title = compare::view::title(&pane.compare, usize::from(area.width).saturating_sub(16));
                block.title_top(Line::styled(title, model.theme.dim).right_aligned())
            }
            _ => block,
        };
    }
    if let Some((note, style)) = bottom_note(model, screens, pane, tab, area.width) {
        block = block.title_bottom(Line::styled(note, style).alignment(Alignment::Right));
    }
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if subject.is_none() {
        frame.render_widget(Line::styled(" nothing is selected", model.theme.dim), inner);
        return;
    }
    if let (Tab::Inspect, Some(Subject::Task(id))) = (tab, &subject) {
        tasks::view::peek(frame, model, *id, inner);
        return;
    }
    match tab {
        Tab::Logs => logs::view::draw(frame, model, &pane.log, inner),
        Tab::Stats => {
            if let Some(row) = model.container_of(pane) {
                stats::view::draw(frame, model, &pane.stats, &row.id, inner);
            }
        }
        Tab::Top => {
            let is_up = model.container_of(pane).is_some_and(|row| row.status.is_up());
            top::view::draw(frame, model, &pane.top, is_up, inner);
        }
        Tab::Inspect => inspect::view::draw(frame, model, &pane.inspect, inner),
        Tab::Why => why::view::draw(frame, model, &pane.why, has_keys, inner),
        Tab::Files => files::view::draw(frame, model, &pane.files, inner, has_keys),
        Tab::Layers => layers::view::draw(frame, model, &pane.layers, inner, has_keys),
        Tab::Compare => compare::view::draw(frame, model, &pane.compare, inner, has_keys),
        Tab::Session(id) => terminal::view::draw(frame, model, screens, (id, has_keys), inner),
    }
}

fn cell_title(name: &str, width: u16) -> String {
    let room = usize::from(width / 3).max(8);
    cell(name, unicode_width::UnicodeWidthStr::width(name).min(room), Align::Left)
}

/// The tabs; where there is no room for all, the shown one.
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

/// What stands in the lower border: whether a log follows, how to leave a terminal.
fn bottom_note(
    model: &Model,
    screens: &Screens,
    pane: &Pane,
    tab: Tab,
    width: u16,
) -> Option<(String, Style)> {
    let theme = &model.theme;
    Some(match tab {
        Tab::Logs => logs::view::bottom_note(model, &pane.log, usize::from(width.saturating_sub(4))),
        Tab::Session(id) if model.copying == Some(id) => (" copy mode ".to_owned(), theme.warn),
        Tab::Session(id) if !model.session_is_over(id) => {
            let scrolled = screens.get(id).map_or(0, |screen| screen.lock().scrolled());
            let key = model.keys_of(Place::Terminal, Action::Release);
            match scrolled {
                0 => (format!(" {key} release "), theme.dim),
                lines => (format!(" {lines} lines up · {key} release "), theme.warn),
            }
        }
        Tab::Top => (top::view::note(&pane.top, model.now), theme.dim),
        Tab::Inspect if matches!(model.subject_of(pane), Some(Subject::Task(_))) => return None,
        Tab::Inspect => (inspect::view::note(&pane.inspect, width), theme.dim),
        Tab::Files => files::view::note(model, &pane.files),
        Tab::Layers => layers::view::note(model, &pane.layers),
        Tab::Compare => compare::view::note(model, &pane.compare),
        Tab::Stats if pane.stats.frozen.is_some() => (" frozen ".to_owned(), theme.warn),
        Tab::Stats | Tab::Why | Tab::Session(_) => return None,
    })
}
