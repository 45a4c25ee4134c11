//! Splitting and closing panes, and moving between them.

use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::failure::Tone;
use crate::tui::keymap::KeyContext;
use crate::tui::model::window::{Axis, Toward};
use crate::tui::model::{Focus, Model};
use crate::tui::tab::Tab;

/// How far a border moves, in thousandths.
const STEP: i16 = 50;

/// Applies `action` to the panes; `None` if it is not such an action.
pub(crate) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    if model.windows.count() == 1 && needs_another(model, action) {
        let key = model.keys_of(KeyContext::Global, Action::SplitRight);
        model.say(Tone::Plain, "there is only one pane", Some(format!("press {key} to split it")));
        return Some(Vec::new());
    }
    match action {
        Action::SplitRight => split(model, Axis::Columns),
        Action::SplitDown => split(model, Axis::Rows),
        Action::PaneLeft => toward(model, Toward::Left),
        Action::PaneRight => toward(model, Toward::Right),
        Action::PaneUp => toward(model, Toward::Up),
        Action::PaneDown => toward(model, Toward::Down),
        Action::Wider => model.windows.resize(Axis::Columns, STEP),
        Action::Narrower => model.windows.resize(Axis::Columns, -STEP),
        Action::Taller => model.windows.resize(Axis::Rows, STEP),
        Action::Shorter => model.windows.resize(Axis::Rows, -STEP),
        Action::EqualPanes => model.windows.equalize(),
        Action::ExchangePanes => model.windows.exchange(),
        Action::ClosePane => close(model),
        Action::OnlyPane => {
            model.windows.only();
            model.is_alone = false;
        }
        Action::PinPane => pin(model),
        Action::NextPane => other(model, 1),
        Action::PreviousPane => other(model, -1),
        Action::Zoom if model.subject().is_some() => zoom(model),
        _ => return None,
    }
    Some(Vec::new())
}

/// Whether `action` needs more than one pane.
fn needs_another(model: &Model, action: Action) -> bool {
    match action {
        // Closing a single pinned pane makes it follow the list again.
        Action::ClosePane => model.pane().pinned.is_none() && (model.focus == Focus::List || model.is_zoomed),
        Action::Wider
        | Action::Narrower
        | Action::Taller
        | Action::Shorter
        | Action::EqualPanes
        | Action::ExchangePanes
        | Action::OnlyPane => true,
        // Nothing is beside a terminal that fills the window.
        Action::PaneLeft | Action::PaneRight | Action::PaneUp | Action::PaneDown => {
            model.is_zoomed && matches!(model.shown_tab(model.pane()), Tab::Session(_))
        }
        _ => false,
    }
}

/// Splits the current pane. The new one shows the same tab of the same object; beside a terminal, the
/// object's first other tab, because a terminal is shown once and starts only when asked to.
fn split(model: &mut Model, axis: Axis) {
    if model.focus == Focus::List && model.layout().detail.is_none() {
        model.is_zoomed = true;
    }
    let Some(area) = model.layout().detail else {
        model.say(Tone::Plain, "there is no room for a pane", None);
        return;
    };
    let Some(subject) = model.subject_of(model.pane()) else {
        model.say(Tone::Plain, "select an object first", None);
        return;
    };
    let tab = model.shown_tab(model.pane());
    let old = model.pane().id;
    let Some(new) = model.windows.split(axis, area) else {
        model.say(Tone::Warning, "this pane is too small to split", Some("zoom the pane first".into()));
        return;
    };
    model.is_alone = false;
    model.focus = Focus::Detail;
    if let Some(pane) = model.windows.get_mut(old) {
        (pane.pinned, pane.tab) = (Some(subject.clone()), tab);
    }
    if !matches!(tab, Tab::Session(_)) {
        return;
    }
    model.typing = None;
    // It stays with the object, as the terminal does.
    model.pane_mut().pinned = Some(subject);
    let others = model.windows.get(new).map_or_else(Vec::new, |pane| model.tabs(pane));
    if let Some(other) = others.into_iter().find(|tab| !matches!(tab, Tab::Session(_))) {
        model.pane_mut().tab = other;
    }
}

fn close(model: &mut Model) {
    model.windows.close();
    model.is_alone = false;
    if model.windows.count() == 1 && !model.is_zoomed {
        model.focus = Focus::List;
    }
}

fn pin(model: &mut Model) {
    let Some(subject) = model.subject_of(model.pane()) else {
        model.say(Tone::Plain, "there is nothing to pin", None);
        return;
    };
    if model.pane().pinned.is_some() {
        model.pane_mut().pinned = None;
        model.say(Tone::Plain, "unpinned: the pane follows the list", None);
        return;
    }
    let (name, key) = (model.last_name_of(&subject), model.keys_of(KeyContext::Global, Action::PinPane));
    let pane = model.pane_mut();
    (pane.pinned, pane.called) = (Some(subject), name.clone());
    model.say(
        Tone::Plain,
        format!("pinned: the pane keeps showing {name}"),
        Some(format!("{key} unpins it")),
    );
}

/// Focuses the pane in a direction; the list is above the uppermost one.
fn toward(model: &mut Model, toward: Toward) {
    let area = model.layout().detail.filter(|_| !model.is_alone);
    let has_navigator = model.layout().navigator.is_some();
    if model.focus == Focus::Navigator {
        if toward == Toward::Right {
            model.focus = Focus::List;
        }
        return;
    }
    if model.focus == Focus::List && toward == Toward::Left && has_navigator {
        model.focus = Focus::Navigator;
        return;
    }
    if model.focus == Focus::List {
        if area.is_some() && model.subject_of(model.pane()).is_some() {
            model.focus = Focus::Detail;
        }
        return;
    }
    match area.and_then(|area| model.windows.toward(toward, area)) {
        Some(id) => model.windows.select(id),
        None if toward == Toward::Up && !model.is_zoomed => model.focus = Focus::List,
        None if toward == Toward::Left && has_navigator => model.focus = Focus::Navigator,
        None => {}
    }
}

/// Focuses the next or previous pane in reading order. The list precedes the first pane. After the
/// last pane comes the navigator, if it is shown, and then the list.
fn other(model: &mut Model, by: isize) {
    let is_shown = model.layout().detail.is_some() && !model.is_alone;
    if !is_shown {
        return;
    }
    let (has_list, has_navigator) = (model.layout().list.is_some(), model.layout().navigator.is_some());
    match (model.focus, model.windows.beside(by)) {
        (Focus::List, _) if by < 0 && has_navigator => model.focus = Focus::Navigator,
        (Focus::Navigator, _) if by > 0 => model.focus = Focus::List,
        (Focus::List | Focus::Navigator, _) => {
            model.windows.select(model.windows.end(by < 0));
            model.focus = match model.subject_of(model.pane()) {
                Some(_) => Focus::Detail,
                // The panes show nothing.
                None if by > 0 && has_navigator => Focus::Navigator,
                None => Focus::List,
            };
        }
        (Focus::Detail, Some(next)) => model.windows.select(next),
        (Focus::Detail, None) if by > 0 && has_navigator => model.focus = Focus::Navigator,
        (Focus::Detail, None) if has_list => model.focus = Focus::List,
        (Focus::Detail, None) => model.windows.select(model.windows.end(by < 0)),
    }
}

/// Cycles through the zoom levels: all panes in the whole window, only the current pane, the list
/// again.
fn zoom(model: &mut Model) {
    let several = model.windows.count() > 1;
    (model.is_zoomed, model.is_alone) = match (model.is_zoomed, model.is_alone) {
        (false, _) => (true, false),
        (true, false) if several => (true, true),
        (true, _) => (false, false),
    };
    model.focus =
        if model.is_zoomed || model.layout().detail.is_some() { Focus::Detail } else { Focus::List };
}
