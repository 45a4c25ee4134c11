//! Actions of the focused pane: scrolling, searching, terminals.

use crate::tui::action::Action;
use crate::tui::effect::Effect;

use crate::tui::failure::Tone;
use crate::tui::inspect::update::next_match;
use crate::tui::keymap::KeyContext;
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
        // It opens a tab in the full window, but does not leave it.
        Action::Open if model.is_zoomed && (model.is_alone || model.windows.count() == 1) => {
            let key = model.keys_of(KeyContext::Global, Action::Zoom);
            let hint = (!key.is_empty()).then(|| format!("{key} shows the list"));
            model.say(Tone::Plain, "it already fills the window", hint);
        }
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

/// Scrolls sideways, as far as something is hidden there.
fn sideways(model: &mut Model, by: isize) {
    let viewer = model.shown_tab(model.pane()).viewer();
    let farthest = model.pane_inner().map_or(0, |area| viewer.farthest(model, model.pane(), area));
    let before = viewer.left(model.pane_mut()).map_or(0, |left| *left);
    let after = slide(model, before, by, farthest);
    if let Some(left) = viewer.left(model.pane_mut()) {
        *left = after;
    }
}

/// Returns the new position of a text that is scrolled to the column `left`, after a key that moves
/// it by this many columns. At `farthest`, its end is visible. A key that cannot move it says so.
pub(crate) fn slide(model: &mut Model, left: usize, by: isize, farthest: usize) -> usize {
    let to = left.saturating_add_signed(by);
    let to = if by > 0 { to.min(farthest.max(left)) } else { to };
    if to == left {
        let side = if by < 0 { "left" } else { "right" };
        model.say(Tone::Plain, format!("nothing is hidden on the {side}"), None);
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{ProcessRow, Top};
    use crate::tui::event::Event;
    use crate::tui::fixture::{full, lines, press, screen, serve};
    use crate::tui::inspect::model::Document;
    use crate::tui::reading::Answer;
    use crate::tui::top::model::TopRead;
    use crate::tui::update::update;

    fn long() -> String {
        format!("begin {}end", "and so on ".repeat(30))
    }

    /// Scrolls to the right until nothing is hidden there, and back.
    fn slides(model: &mut Model, what: &str) {
        assert!(!screen(model).contains("end"), "{what}: {}", screen(model));
        for _ in 0..60 {
            press(model, "right");
        }
        let shown = screen(model);
        assert!(shown.contains("so on end"), "{what}: {shown}");
        assert!(shown.contains("nothing is hidden on the right"), "{what}: {shown}");
        press(model, "left");
        model.notice = None;
        assert!(screen(model).contains("so on"), "{what}: {}", screen(model));
        for _ in 0..60 {
            press(model, "left");
        }
        let shown = screen(model);
        assert!(shown.contains("begin and so"), "{what}: {shown}");
        assert!(shown.contains("nothing is hidden on the left"), "{what}: {shown}");
    }

    #[test]
    fn a_log_is_scrolled_sideways_to_the_end_of_its_lines() {
        let mut model = full(80, 24);
        press(&mut model, "l ] [");
        serve(&mut model, &lines(&["short", &long()]));
        slides(&mut model, "log");
        press(&mut model, "w right");
        assert!(screen(&model).contains("nothing is hidden on the right"), "{}", screen(&model));
    }

    #[test]
    fn processes_are_scrolled_sideways_to_the_end_of_their_commands() {
        let mut model = full(80, 24);
        press(&mut model, "t");
        let id = model.container().unwrap().id.clone();
        let process = |pid, command: &str| ProcessRow {
            pid: 48_000 + pid,
            inner_pid: pid,
            command: command.to_owned(),
            state: 'S',
            ..ProcessRow::default()
        };
        let top = Top { processes: vec![process(1, "init"), process(7, &long())] };
        let serial = model.pane().id.serial();
        update(&mut model, Event::Answer(serial, Answer::Top(TopRead { of: id, result: Ok(top) })));
        slides(&mut model, "top");
    }

    #[test]
    fn a_document_is_scrolled_sideways_to_the_end_of_its_values() {
        for forms in ["", "F", "F F"] {
            let mut model = full(80, 24);
            press(&mut model, "i");
            let serial = model.pane().inspect.serial;
            let value = serde_json::json!({"Id": "ab12", "Args": long()});
            let document = Box::new(Document { value, command: None });
            update(&mut model, Event::Answer(serial, Answer::Inspect(Ok(document))));
            press(&mut model, format!("{forms} j").trim_start());
            slides(&mut model, &format!("inspect, {forms}"));
        }
    }
}
