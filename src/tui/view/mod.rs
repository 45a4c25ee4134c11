//! Draws the screen as a function of the model, which it does not change.

pub(crate) mod bars;
pub(crate) mod detail;
pub(crate) mod dialog;
pub(crate) mod frame;
pub(crate) mod glyphs;
#[cfg(test)]
mod look_tests;
#[cfg(test)]
mod tests;
pub(crate) mod texts;
#[cfg(test)]
mod usage_tests;

use ratatui::Frame;
use ratatui::buffer::Cell;
use ratatui::layout::Rect;
use ratatui::widgets::Paragraph;

use super::model::{Model, inner};
use crate::config::Icons;
use crate::tui::tab::Tab;
use crate::tui::tasks::model::TaskRow;
use crate::tui::terminal::screen::Screens;
use crate::tui::view::frame::base;
use crate::tui::{list, navigator, stats, terminal};
use glyphs::Motion;

/// Draws the whole screen.
pub fn draw(frame: &mut Frame<'_>, model: &Model, screens: &Screens) {
    let (area, (width, height)) = (frame.area(), model.size);
    if area.width < width || area.height < height {
        // The terminal has just become smaller: its new size comes as the next event.
        return;
    }
    let kept = compose(frame, model, screens);
    glyphs::fit(frame.buffer_mut(), model.look.icons, motion(model), &kept);
    glyphs::disarm(frame.buffer_mut());
}

/// Draws the screen in Unicode; returns the foreign contents that must be kept.
fn compose(frame: &mut Frame<'_>, model: &Model, screens: &Screens) -> Vec<(Rect, Vec<Cell>)> {
    let layout = model.layout();
    let screen = frame.area();
    frame.buffer_mut().set_style(screen, base(model));
    if layout.is_too_small {
        let keys = model.keys_of(super::keymap::KeyContext::Global, super::action::Action::Command);
        let text = format!("resize, or press {keys} to type a command");
        frame.render_widget(Paragraph::new(text).style(model.theme.warn), layout.status);
        dialog::draw(frame, model);
        return Vec::new();
    }
    match layout.header {
        Some(area) => {
            let rest = bars::mode(frame, model, area);
            bars::header(frame, model, rest);
            bars::tabs(frame, model, layout.tabs);
        }
        None => {
            let rest = bars::mode(frame, model, layout.tabs);
            bars::tabs(frame, model, rest);
        }
    }
    if let Some(area) = layout.navigator {
        navigator::view::draw(frame, model, area);
    }
    if let Some(area) = layout.list {
        list::view::draw(frame, model, area);
    }
    for (id, area) in model.panes() {
        if let Some(pane) = model.windows.get(id) {
            detail::draw(frame, model, screens, pane, area);
        }
    }
    if let Some(area) = layout.side {
        stats::view::side(frame, model, area);
    }
    bars::keys(frame, model, layout.keys);
    let typed = terminal::view::cursor_line(model, screens);
    bars::status(frame, model, layout.status, typed);
    bars::notice_box(frame, model, typed);
    let kept = kept(frame, model);
    dialog::draw(frame, model);
    bars::which_key(frame, model);
    kept
}

fn motion(model: &Model) -> Motion {
    if model.look.motion { Motion::On } else { Motion::Off }
}

/// Returns the foreign contents: what programs drew in terminals, and with icons also the texts of
/// viewers.
fn kept(frame: &mut Frame<'_>, model: &Model) -> Vec<(Rect, Vec<Cell>)> {
    if !glyphs::is_needed(model.look.icons, motion(model)) {
        return Vec::new();
    }
    let is_kept = |tab: Tab| match model.look.icons {
        Icons::Unicode | Icons::Ascii => is_foreign(model, tab),
        Icons::Nerd => is_foreign(model, tab) || tab.viewer().shows_texts(),
    };
    let areas = contents(model).into_iter().filter(|(tab, _)| is_kept(*tab));
    areas.map(|(_, area)| glyphs::keep(frame.buffer_mut(), area)).collect()
}

/// Whether a program has drawn the contents of a tab.
fn is_foreign(model: &Model, tab: Tab) -> bool {
    matches!(tab, Tab::Session(id) if !model.task(id).is_some_and(TaskRow::is_unseen))
}

/// Returns the tabs and areas of the visible panes.
fn contents(model: &Model) -> Vec<(Tab, Rect)> {
    let panes = model.panes().into_iter();
    let content = |(id, area)| Some((model.shown_tab(model.windows.get(id)?), inner(area)));
    panes.filter_map(content).collect()
}

/// Draws the screen for a terminal without Unicode; returns the symbols that are not ASCII. Letters
/// are allowed, because names and texts may be in any script.
#[cfg(test)]
pub(crate) fn draw_ascii(frame: &mut Frame<'_>, model: &Model, screens: &Screens) -> String {
    compose(frame, model, screens);
    let is_terminal = |(tab, area): (Tab, Rect)| is_foreign(model, tab).then_some(area);
    let kept: Vec<_> = contents(model).into_iter().filter_map(is_terminal).collect();
    glyphs::fit(frame.buffer_mut(), Icons::Ascii, Motion::On, &[]);
    let area = frame.area();
    let buffer = frame.buffer_mut();
    let ours = area.positions().filter(|at| !kept.iter().any(|area| area.contains(*at)));
    let signs = ours.flat_map(|at| buffer[at].symbol().chars().collect::<Vec<_>>());
    signs.filter(|sign| !sign.is_ascii() && !sign.is_alphanumeric()).collect()
}

/// Draws the screen before its symbols are fitted to the terminal.
#[cfg(test)]
pub(crate) fn draw_unfitted(frame: &mut Frame<'_>, model: &Model, screens: &Screens) {
    compose(frame, model, screens);
}

/// Draws the line of keys of this context.
#[cfg(test)]
pub(crate) fn draw_keys(frame: &mut Frame<'_>, model: &Model, area: Rect) {
    bars::keys(frame, model, area);
}
