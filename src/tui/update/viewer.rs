//! Actions of the focused pane: scrolling, searching, terminals.

use crate::tui::action::Action;
use crate::tui::effect::Effect;

use crate::tui::failure::Tone;
use crate::tui::inspect::update::next_match;
use crate::tui::model::Model;
use crate::tui::section::Subject;
use crate::tui::tab::Tab;
use crate::tui::update::window;

/// Applies `action` in the focused pane; `None` for the default behaviour.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let viewer = model.shown_tab(model.pane()).viewer();
    if !viewer.has_all_keys()
        && let Some(effects) = viewer.act(model, action)
    {
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
        Action::Left => sideways(model, -8),
        Action::Right => sideways(model, 8),
        Action::Logs | Action::Stats | Action::Top | Action::Inspect => match model.subject() {
            Some(Subject::Container(_)) => model.show_tab(fixed(action)),
            Some(_) if action == Action::Inspect => model.show_tab(Tab::Inspect),
            _ => return None,
        },
        action if action.tab().is_some() => nth_tab(model, action.tab().unwrap_or(0)),
        Action::Search if viewer.search(model) => {}
        Action::NextMatch => next_match(model, false),
        Action::PreviousMatch => next_match(model, true),
        Action::Open => return window::act(model, Action::Zoom),
        _ => return None,
    }
    Some(Vec::new())
}

fn nth_tab(model: &mut Model, at: usize) {
    let tabs = model.tabs(model.pane());
    match tabs.get(at) {
        Some(tab) => model.show_tab(*tab),
        None => {
            let count = tabs.len();
            model.say(Tone::Plain, format!("there is no tab {}: the last tab is {count}", at + 1), None);
        }
    }
}

fn fixed(action: Action) -> Tab {
    let shown = Tab::ALL.iter().find(|tab| tab.viewer().action() == Some(action));
    shown.copied().unwrap_or(Tab::Logs)
}

/// Scrolls the current pane by this many lines.
pub(crate) fn scroll(model: &mut Model, by: i64) -> Vec<Effect> {
    model.shown_tab(model.pane()).viewer().scroll(model, by)
}

fn sideways(model: &mut Model, by: isize) {
    let viewer = model.shown_tab(model.pane()).viewer();
    if let Some(left) = viewer.left(model.pane_mut()) {
        *left = left.saturating_add_signed(by).min(4096);
    }
}
