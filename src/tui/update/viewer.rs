//! Keys of the detail pane: scrolling, searching, terminals.

use crate::tui::action::Action;
use crate::tui::event::Effect;
use crate::tui::keymap::Place;
use crate::tui::model::layer::Purpose;
use crate::tui::model::{Model, Subject, Tab, Tone};
use crate::tui::update::{prompt, show_tab, tabs, window};
use crate::tui::{files, logs, terminal};

/// What `action` does in the detail pane; `None` when that is nothing special.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let tab = model.shown_tab(model.pane());
    if let Tab::Session(id) = tab
        && let Some(effects) = terminal::update::act(model, id, action)
    {
        return Some(effects);
    }
    if tab == Tab::Logs
        && let Some(effects) = logs::update::act(model, action)
    {
        return Some(effects);
    }
    if let Some(effects) = tabs::act(model, action) {
        return Some(effects);
    }
    let page = model.pane_inner().map_or(1, |area| i64::from(area.height.max(2)));
    match action {
        Action::Down => return Some(scroll(model, 1)),
        Action::Up => return Some(scroll(model, -1)),
        Action::HalfDown => return Some(scroll(model, page / 2)),
        Action::HalfUp => return Some(scroll(model, -page / 2)),
        Action::PageDown => return Some(scroll(model, page - 1)),
        Action::PageUp => return Some(scroll(model, 1 - page)),
        Action::First => return Some(scroll(model, i64::MIN / 2)),
        Action::Last => return Some(scroll(model, i64::MAX / 2)),
        Action::Left => sideways(model, tab, -8),
        Action::Right => sideways(model, tab, 8),
        Action::Logs | Action::Stats | Action::Top | Action::Inspect => match model.subject() {
            Some(Subject::Container(_)) => show_tab(model, fixed(action)),
            Some(_) if action == Action::Inspect => show_tab(model, Tab::Inspect),
            _ => return None,
        },
        action if action.tab().is_some() => nth_tab(model, action.tab().unwrap_or(0)),
        Action::Search if matches!(tab, Tab::Logs | Tab::Inspect) => prompt(model, Purpose::Search, ""),
        Action::NextMatch => next_match(model, false),
        Action::PreviousMatch => next_match(model, true),
        Action::Open => return window::act(model, Action::Zoom),
        Action::Back if tab == Tab::Inspect && !model.pane().inspect.search.is_empty() => {
            model.pane_mut().inspect.search.clear();
        }
        _ => return None,
    }
    Some(Vec::new())
}

fn nth_tab(model: &mut Model, at: usize) {
    let tabs = model.tabs(model.pane());
    match tabs.get(at) {
        Some(tab) => show_tab(model, *tab),
        None => {
            let count = tabs.len();
            model.say(Tone::Plain, format!("there is no tab {}: the last one is {count}", at + 1), None);
        }
    }
}

fn fixed(action: Action) -> Tab {
    match action {
        Action::Stats => Tab::Stats,
        Action::Top => Tab::Top,
        Action::Inspect => Tab::Inspect,
        _ => Tab::Logs,
    }
}

/// Scrolls what the detail pane shows, so many lines.
pub(crate) fn scroll(model: &mut Model, by: i64) -> Vec<Effect> {
    match model.shown_tab(model.pane()) {
        Tab::Logs => model.pane_mut().log.scroll(by),
        Tab::Top => model.pane_mut().top.step(by),
        Tab::Inspect => model.pane_mut().inspect.scroll(by),
        Tab::Session(id) => {
            let lines = i32::try_from(-by.clamp(-100_000, 100_000)).unwrap_or(0);
            return vec![Effect::Scroll(id, lines)];
        }
        Tab::Why => model.pane_mut().why.scroll(by),
        Tab::Files => files::update::scroll(model, by),
        Tab::Layers => model.pane_mut().layers.step(isize::try_from(by).unwrap_or(0)),
        Tab::Compare => model.pane_mut().compare.step(isize::try_from(by).unwrap_or(0)),
        Tab::Stats => {}
    }
    Vec::new()
}

fn sideways(model: &mut Model, tab: Tab, by: isize) {
    let left = match tab {
        Tab::Inspect => &mut model.pane_mut().inspect.left,
        Tab::Top => &mut model.pane_mut().top.left,
        Tab::Logs | Tab::Stats | Tab::Why | Tab::Files | Tab::Layers | Tab::Compare | Tab::Session(_) => {
            return;
        }
    };
    *left = left.saturating_add_signed(by).min(4096);
}

/// Goes to the next match of what is searched for in a text.
pub(crate) fn next_match(model: &mut Model, up: bool) {
    if model.pane().inspect.search.is_empty() {
        say_nothing_is_searched(model);
        return;
    }
    let inspect = &mut model.pane_mut().inspect;
    if !inspect.next_match(up) {
        let which = if up { "earlier" } else { "further" };
        let text = format!("no {which} match of `{}`", inspect.search);
        model.say(Tone::Plain, text, None);
    }
}

/// Says how to search, where there is no match to go to.
pub(crate) fn say_nothing_is_searched(model: &mut Model) {
    let key = model.keys_of(Place::Global, Action::Search);
    model.say(Tone::Plain, "nothing is searched for", Some(format!("{key} searches")));
}
