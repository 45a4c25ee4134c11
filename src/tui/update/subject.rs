//! On a page, the prefix `,` stands for the keys of the list that the page's object belongs to.

use std::collections::HashSet;

use jiff::SignedDuration;

use super::update;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::event::Event;
use crate::tui::fixture::{full, keys_line, now, press, screen, write};
use crate::tui::keymap::KeyContext;
use crate::tui::model::layer::Layer;
use crate::tui::model::{Focus, Model};
use crate::tui::reading::Listed;
use crate::tui::section::TaskId;
use crate::tui::trash::model::{Keeping, TrashRow};
use crate::tui::volumes::model::VolumeRow;

/// Returns a model with two removed objects and a volume.
fn furnished() -> Model {
    let mut model = full(120, 40);
    let row = |name: &str| TrashRow {
        id: format!("container-{name}"),
        kind: "container",
        name: name.to_owned(),
        names: Vec::new(),
        object: name.to_owned(),
        removed: now(),
        until: now() + SignedDuration::from_hours(24),
        size: None,
    };
    let keeping = Keeping { time: None, is_short: false };
    update(&mut model, Event::List(Ok(Listed::Trash((vec![row("old"), row("older")], keeping)))));
    let [name, driver, place] = ["data", "local", "/data"].map(str::to_owned);
    let volume = VolumeRow { name, driver, place };
    update(&mut model, Event::List(Ok(Listed::Volumes(vec![volume]))));
    model
}

fn after(way: &str) -> Model {
    let mut model = furnished();
    press(&mut model, way);
    assert_eq!(model.focus, Focus::Detail, "{way}\n{}", screen(&model));
    model
}

/// The pages of objects of each kind, and their list.
const PAGES: [(&str, KeyContext); 9] = [
    ("l", KeyContext::Containers),
    ("f", KeyContext::Containers),
    ("e ctrl-]", KeyContext::Containers),
    ("2 i", KeyContext::Images),
    ("2 f", KeyContext::Images),
    ("2 H", KeyContext::Images),
    ("3 i", KeyContext::Volumes),
    ("4 i", KeyContext::Networks),
    ("7 i", KeyContext::Trash),
];

#[test]
fn the_prefix_stands_for_the_keys_of_the_list_of_what_is_shown() {
    for (way, list) in PAGES {
        let model = after(way);
        let imported: HashSet<Action> = model
            .bindings(model.key_context())
            .iter()
            .filter(|binding| model.keymap.imports(binding))
            .map(|binding| binding.action)
            .collect();
        let own = model.keymap.of(list).iter().filter(|binding| binding.place == list);
        assert_eq!(imported, own.map(|binding| binding.action).collect(), "{way}");
    }
}

#[test]
fn the_menu_the_bar_and_the_help_name_these_keys() {
    for (way, there, absent) in [
        ("2 i", ["r  run", "t  tag", "H  layers"], ["shell", "restart", "all containers"]),
        ("2 f", ["r  run", "t  tag", "H  layers"], ["shell", "restart", "all containers"]),
        ("7 enter", ["u  restore", "r  restore as", "dd delete"], ["shell", "stop", "pause"]),
    ] {
        let mut model = after(way);
        press(&mut model, ",");
        update(&mut model, Event::Tick(now() + SignedDuration::from_secs(1)));
        let shown = screen(&model).to_lowercase();
        let menu = &shown[shown.find("╭ , …").unwrap_or_else(|| panic!("{way}\n{shown}"))..];
        let squeezed = menu.split_whitespace().collect::<Vec<_>>().join(" ");
        for text in there {
            let text = text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(squeezed.contains(&text), "{way}: {text}\n{shown}");
        }
        for text in absent {
            assert!(!squeezed.contains(text), "{way}: {text}\n{shown}");
        }
    }
    for (way, text, absent, example) in [
        ("2 f", ",r run…", ",n run", ",r ,p ,t"),
        ("7 enter", ",u restore", ",s", ",u ,r ,i"),
        ("l", ",s stop", ",r run", ",l ,e ,s"),
    ] {
        let mut model = after(way);
        let line = keys_line(&model, 240);
        assert!(line.contains(text) && !line.contains(absent), "{way}: {line}");
        press(&mut model, "?");
        press(&mut model, "pgdn pgdn pgdn");
        let text = format!(", followed by a key of the list acts on the object shown: {example}");
        assert!(screen(&model).contains(&text), "{way}\n{}", screen(&model));
    }
}

#[test]
fn a_verb_behind_the_prefix_is_for_what_the_page_shows() {
    // The cursor of the list is elsewhere, and other rows are marked.
    let mut model = after("2 j i ctrl-w p q k space space tab");
    assert!(screen(&model).contains("⊙ debian:13"), "{}", screen(&model));
    press(&mut model, ", t");
    write(&mut model, "mine");
    let effects = press(&mut model, "enter");
    let tagged =
        |effect: &Effect| matches!(effect, Effect::TagImage(from, to) if from == "debian:13" && to == "mine");
    assert!(effects.iter().any(tagged), "{effects:?}");
    press(&mut model, ", r");
    let Some(Layer::Run(form)) = model.layers.last() else { panic!("{}", screen(&model)) };
    assert!(form.words().unwrap().contains(&"debian:13".to_owned()), "{:?}", form.words());
    let mut model = after("2 i");
    press(&mut model, ", n");
    assert!(screen(&model).contains("Pull"), "{}", screen(&model));
    let mut model = after("7 j i ctrl-w p q k tab");
    assert_eq!(press(&mut model, ", u"), [Effect::Restore("container-older".to_owned(), None)]);
}

#[test]
fn the_page_of_a_task_offers_what_can_be_done_to_a_task() {
    let mut model = after("e ctrl-] q 5 tab");
    assert_eq!(model.key_context(), KeyContext::Released);
    press(&mut model, ",");
    update(&mut model, Event::Tick(now() + SignedDuration::from_secs(1)));
    let shown = screen(&model);
    assert!(shown.contains("Show the output of the task") && !shown.contains("Pause"), "{shown}");
    assert!(shown.contains("Cancel the selected task"), "{shown}");
    press(&mut model, "K");
    // Its program has not been started yet.
    assert!(screen(&model).contains("it is still opening"), "{}", screen(&model));
    update(&mut model, Event::Ended(TaskId(1), Ok(Some(0))));
    press(&mut model, "esc tab");
    assert!(matches!(press(&mut model, ", r")[..], [Effect::Close(TaskId(1)), Effect::Open(TaskId(1), _)]));
}

#[test]
fn what_is_for_one_row_is_refused_if_several_are_marked() {
    for (keys, name) in [
        ("2 space space r", "run"),
        ("2 space space t", "tag"),
        ("7 space space r", "restore as"),
        ("space space N", "rename"),
        ("space space R", "run again"),
        ("space space w", "browser"),
        ("space space e", "shell"),
    ] {
        let mut model = furnished();
        assert_eq!(press(&mut model, keys), [], "{keys}");
        assert!(model.layers.is_empty(), "{keys}\n{}", screen(&model));
        let said = model.failure().map(|failure| failure.what.clone());
        assert_eq!(said, Some(format!("`{name}` works on one row at a time")), "{keys}");
    }
    // A single mark is the one, wherever the cursor is.
    let mut model = furnished();
    press(&mut model, "2 space r");
    let Some(Layer::Run(form)) = model.layers.last() else { panic!("{}", screen(&model)) };
    assert!(form.words().unwrap().contains(&"acme/app:2.4.1".to_owned()), "{:?}", form.words());
    // What only shows something shows the row under the cursor.
    let mut model = furnished();
    let effects = press(&mut model, "space space P");
    let id = model.containers.selected().unwrap().id.clone();
    assert_eq!(effects, [Effect::ReadPorts(id)]);
}
