//! Pages of removed objects: keys that need the object itself are refused with a reason.

use crate::tui::action::Action;
use crate::tui::failure::Tone;
use crate::tui::keymap::KeyContext;
use crate::tui::model::Model;
use crate::tui::section::Subject;

/// Refuses an action, with a reason, if the page's object is gone. Returns whether it was refused.
pub(crate) fn refuses(model: &mut Model, action: Action) -> bool {
    if !model.needs_what_is_gone(action) {
        return false;
    }
    let name = model.gone().unwrap_or_default();
    let hint = match model.subject() {
        Some(subject) if is_in_trash(model, &subject) => {
            Some(format!("press {} to open the trash", model.keys_of(KeyContext::Global, Action::GoTrash)))
        }
        _ if model.pane().is_pinned() => {
            Some(format!("{} unpins the pane", model.keys_of(KeyContext::Global, Action::PinPane)))
        }
        _ => None,
    };
    model.say(Tone::Plain, format!("`{name}` was removed"), hint);
    true
}

fn is_in_trash(model: &Model, subject: &Subject) -> bool {
    match subject {
        Subject::Container(id) => model.trash.all().iter().any(|row| row.object == id.as_str()),
        Subject::Image(name) => model.trash.all().iter().any(|row| row.names.contains(name)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::{ContainerId, ProcessRow, Top};
    use crate::tui::effect::Effect;
    use crate::tui::event::Event;
    use crate::tui::fixture::{full, keys_line, log, press, screen, write};
    use crate::tui::inspect::model::Document;
    use crate::tui::model::layer::Layer;
    use crate::tui::reading::Answer;
    use crate::tui::tab::Tab;
    use crate::tui::top::model::TopRead;
    use crate::tui::update::update;

    /// Opens the page of the container that these keys select, and reads its contents.
    fn opened(keys: &str) -> (Model, ContainerId) {
        let mut model = full(100, 30);
        press(&mut model, keys);
        let id = model.container().unwrap().id.clone();
        let process = ProcessRow {
            pid: 4242,
            inner_pid: 1,
            threads: 3,
            state: 'S',
            command: "the-server --flag".to_owned(),
            ..ProcessRow::default()
        };
        for (serial, _) in model.wants().read(Tab::Top) {
            let read = TopRead { of: id.clone(), result: Ok(Top { processes: vec![process.clone()] }) };
            update(&mut model, Event::Answer(serial, Answer::Top(read)));
        }
        for (serial, _) in model.wants().read(Tab::Inspect) {
            let document = Document { value: json!({"Driver": "overlay2"}), command: None };
            update(&mut model, Event::Answer(serial, Answer::Inspect(Ok(Box::new(document)))));
        }
        log(&mut model);
        (model, id)
    }

    fn remove(model: &mut Model, id: &ContainerId) {
        update(model, Event::Container(id.clone(), None));
    }

    #[test]
    fn each_tab_keeps_what_was_read_and_reads_no_more() {
        let cases = [
            ("l", "listening on :8080", "3 lines kept"),
            ("S", "Memory", "exited"),
            ("t", "the-server --flag", "1 process, 3 threads at "),
            ("i", "overlay2", ""),
        ];
        for (key, kept, said) in cases {
            let (mut model, id) = opened(key);
            let name = model.container().unwrap().name.clone();
            remove(&mut model, &id);
            let shown = screen(&model);
            assert!(shown.contains(kept) && shown.contains(said), "{key}\n{shown}");
            assert!(
                shown.contains(&format!("{name}  removed")) || shown.contains(&format!("{name} (removed)"))
            );
            assert!(model.wants().readings.keys().all(|reading| reading.tab != model.pane().tab), "{key}");
        }
    }

    #[test]
    fn a_tab_that_was_not_read_says_so_and_does_not_wait() {
        for keys in ["l", "S", "t", "i", "f"] {
            let mut model = full(100, 30);
            press(&mut model, "j j j j"); // a stopped one
            press(&mut model, keys);
            let id = model.container().unwrap().id.clone();
            remove(&mut model, &id);
            let shown = screen(&model);
            assert!(shown.contains("was removed: no"), "{keys}\n{shown}");
            assert!(!shown.contains("reading") && !shown.contains("measuring"), "{keys}\n{shown}");
        }
    }

    #[test]
    fn keys_that_need_it_are_refused_and_not_offered() {
        let cases: [(&str, &[&str], &str); 3] = [
            ("l", &["f", "n", "s a", "&", "W", ", s", ", d d", "/"], "wrap"),
            ("t", &["K", "i", "enter"], "flat"),
            ("i", &[", r"], "form"),
        ];
        for (tab, keys, offered) in cases {
            let (mut model, id) = opened(tab);
            remove(&mut model, &id);
            let line = keys_line(&model, 100);
            assert!(line.contains(offered), "{tab}: {line}");
            for (key, action) in [("f", "pause"), ("&", "filter"), ("K", "signal"), ("W", "save")] {
                assert!(!line.contains(&format!("{key} {action}")), "{tab}: {line}");
            }
            for strokes in keys {
                model.notice = None;
                let effects = press(&mut model, strokes);
                assert_eq!(effects, Vec::<Effect>::new(), "{tab} {strokes}");
                let said = model.notice.as_ref().map(|notice| notice.text.clone());
                assert!(
                    said.is_some_and(|it| it.ends_with("was removed")),
                    "{tab} {strokes}: {:?}",
                    model.notice
                );
            }
        }
    }

    #[test]
    fn a_pinned_pane_says_that_its_object_is_gone_and_offers_what_still_works() {
        let (mut model, id) = opened("l ctrl-w p");
        let name = model.container().unwrap().name.clone();
        assert!(screen(&model).contains(&format!("pinned: the pane keeps showing {name}")));
        remove(&mut model, &id);
        let shown = screen(&model);
        assert!(shown.contains(&format!("› {name}  removed")) && shown.contains("⊙ Logs"), "{shown}");
        let line = keys_line(&model, 100);
        assert!(line.contains("wrap") && !line.contains("f pause"), "{line}");
        assert_eq!(press(&mut model, ", s"), Vec::<Effect>::new());
        assert!(screen(&model).contains(&format!("`{name}` was removed")), "{}", screen(&model));
        assert!(screen(&model).contains("unpins the pane"), "{}", screen(&model));
        // Also while the list has the focus.
        press(&mut model, "q");
        assert!(screen(&model).contains(&format!("⊙ {name} (removed)")), "{}", screen(&model));
        press(&mut model, "tab ctrl-w p");
        assert!(!screen(&model).contains("⊙"), "{}", screen(&model));
        assert!(model.subject_of(model.pane()).is_some_and(|subject| !model.is_gone(&subject)));
    }

    #[test]
    fn a_pinned_network_keeps_its_name_when_it_is_gone() {
        let mut model = full(100, 30);
        press(&mut model, "4 i ctrl-w p");
        update(&mut model, Event::List(Ok(crate::tui::reading::Listed::Networks(Vec::new()))));
        assert!(screen(&model).contains("› bridge  removed"), "{}", screen(&model));
    }

    #[test]
    fn the_sign_of_a_pin_is_in_the_title_at_every_width() {
        for (width, keys) in [(40, "l"), (40, "S"), (80, "l"), (80, "l z"), (200, "l"), (200, "l ctrl-w v")] {
            let mut model = full(width, 24);
            press(&mut model, keys);
            press(&mut model, "ctrl-w p");
            let is_split = keys.ends_with('v');
            assert!(screen(&model).contains("⊙"), "{width} {keys}: {}", screen(&model));
            if !is_split {
                press(&mut model, "ctrl-w p");
                assert!(!screen(&model).contains("⊙"), "{width} {keys}");
            }
        }
    }

    #[test]
    fn panes_beside_each_other_keep_its_name() {
        let (mut model, id) = opened("l z ctrl-w v");
        let name = model.container().unwrap().name.clone();
        remove(&mut model, &id);
        let shown = screen(&model);
        assert_eq!(shown.matches(&format!("{name} (removed)")).count(), 2, "{shown}");
        assert!(!shown.contains(id.short()), "{shown}");
        // Only these panes kept it.
        press(&mut model, "ctrl-w o q");
        assert_eq!(model.known(&id), None);
        assert!(!model.series.contains_key(&id));
    }

    #[test]
    fn the_palette_offers_nothing_of_others_first() {
        let (mut model, id) = opened("l");
        remove(&mut model, &id);
        press(&mut model, "ctrl-p");
        let Some(Layer::Palette(palette)) = model.layers.last() else { panic!() };
        let first: Vec<_> = palette.shown.iter().take(20).map(|entry| entry.object.as_ref()).collect();
        assert!(first.iter().all(Option::is_none), "{first:?}");
        press(&mut model, "esc");
        // While a page is open, its own verbs take precedence.
        let (mut model, _) = opened("j l");
        let name = model.container().unwrap().name.clone();
        press(&mut model, "ctrl-p");
        write(&mut model, "restart");
        let Some(Layer::Palette(palette)) = model.layers.last() else { panic!() };
        assert_eq!(palette.chosen().unwrap().object.as_ref().unwrap().name, name);
    }

    #[test]
    fn what_comes_back_is_read_again() {
        let (mut model, id) = opened("i");
        let row = model.container().unwrap().clone();
        remove(&mut model, &id);
        assert!(model.gone().is_some());
        update(&mut model, Event::Container(id.clone(), Some(Box::new(row))));
        assert_eq!((model.gone(), model.wants().read(Tab::Inspect).len()), (None, 1));
    }
}
