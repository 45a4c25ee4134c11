//! No key is silent: a bound key does something in its context, or a message says why not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::SignedDuration;

use super::{act, update};
use crate::engine::files::{FileKind, Place};
use crate::engine::{self, Actor, Kind, ProcessRow, Top};
use crate::tui::action::{Action, Group};
use crate::tui::compare::model::tests::diff;
use crate::tui::containers::model::ContainerRow;
use crate::tui::event::Event;
use crate::tui::events::model::EventRow;
use crate::tui::files::model::tests::{entry, listing};
use crate::tui::files::model::{FilesAnswer, FilesAsk, FilesDone, FilesWish};
use crate::tui::fixture::{WAYS, drawn, empty, full, now, press, screen, serve, sparse, write};
use crate::tui::inspect::model::Document;
use crate::tui::keymap::KeyContext;
use crate::tui::layers::model::tests::report;
use crate::tui::model::Model;
use crate::tui::reading::{Answer, LayersNews, Listed};
use crate::tui::terminal::screen::Screens;
use crate::tui::top::model::TopRead;

/// Answers all requests for what is visible.
pub(crate) fn answer(model: &mut Model) {
    update(model, Event::List(Ok(Listed::Events(Vec::new()))));
    let value = serde_json::json!({"A": {"B": {"C": 7}}, "Mounts": []});
    let document = Box::new(Document { value, command: None });
    update(model, Event::Answer(model.pane().inspect.serial, Answer::Inspect(Ok(document))));
    for (serial, ask) in model.wants().files() {
        if let FilesAsk::Folder(_, folder) = ask {
            let entries = vec![entry("bin", FileKind::Folder, 0), entry("etc", FileKind::Folder, 0)];
            let answer = FilesAnswer::Folder(listing(&folder.to_string_lossy(), entries));
            update(model, Event::Answer(serial, Answer::Files(Ok(answer))));
        }
    }
    if let Some(id) = model.container().map(|row| row.id.clone()) {
        let process = |(pid, parent, user, command): (u32, u32, &str, &str), memory, cpu_secs| ProcessRow {
            pid,
            parent,
            inner_pid: pid,
            memory,
            command: command.to_owned(),
            user: user.to_owned(),
            cpu_secs,
            ..ProcessRow::default()
        };
        // Each column produces a different order.
        let processes = vec![
            process((3, 0, "b", "z"), 10, 2.0),
            process((1, 2, "c", "y"), 30, 3.0),
            process((2, 3, "a", "x"), 20, 1.0),
        ];
        for later in [0, 2] {
            update(model, Event::Tick(now() + SignedDuration::from_secs(later)));
            update(
                model,
                Event::Answer(
                    model.pane().id.serial(),
                    Answer::Top(TopRead { of: id.clone(), result: Ok(Top { processes: processes.clone() }) }),
                ),
            );
        }
    }
    let (layers, compare) = (model.pane().layers.serial, model.pane().compare.serial);
    update(model, Event::Answer(layers, Answer::Layers(LayersNews::Report(Box::new(report())))));
    update(model, Event::Answer(compare, Answer::Compare(LayersNews::Report(Box::new(diff())))));
}

/// Whether no message is needed, because the screen already shows that nothing can happen.
fn is_plain(place: KeyContext, action: Action) -> bool {
    let is_here = match place {
        KeyContext::Containers => Action::GoContainers,
        KeyContext::Images => Action::GoImages,
        KeyContext::Volumes => Action::GoVolumes,
        KeyContext::Networks => Action::GoNetworks,
        KeyContext::Tasks => Action::GoTasks,
        KeyContext::Events => Action::GoEvents,
        KeyContext::Trash => Action::GoTrash,
        KeyContext::Logs => Action::Logs,
        KeyContext::Stats => Action::Stats,
        KeyContext::Top => Action::Top,
        KeyContext::Inspect => Action::Inspect,
        KeyContext::Files => Action::Files,
        KeyContext::Layers => Action::Layers,
        _ => Action::Down,
    };
    let moves = matches!(action, Action::PaneLeft | Action::PaneRight | Action::PaneUp | Action::PaneDown);
    // Behind the `,` prefix they change the list, which the pane covers.
    let hidden = !matches!(place.above(), Some(KeyContext::Lists))
        && (matches!(action.group(), Group::Sort | Group::List) || action == Action::ShowAll);
    // The first and the last entry of a choice, a history or candidates.
    let ends = matches!(
        action,
        Action::Older | Action::Newer | Action::Complete | Action::CompleteBack | Action::ColumnSooner
    );
    // At an end, the cursor or the scrollbar shows that there is nothing more. Sideways nothing does.
    let scrolls = action.group() == Group::Move && !matches!(action, Action::Left | Action::Right);
    scrolls || action == is_here || moves || hidden || ends
}

fn silent_in(make: impl Fn() -> Model, place: KeyContext) -> BTreeSet<String> {
    let first = make();
    assert_eq!(first.key_context(), place);
    let actions: BTreeSet<Action> = first.bindings(place).iter().map(|binding| binding.action).collect();
    let (before, looked) = (screen(&first), drawn(&make(), &Screens::default()));
    let read = first.wants().logs();
    let mut silent = BTreeSet::new();
    for action in actions.into_iter().filter(|action| !is_plain(place, *action)) {
        let mut model = make();
        let effects = act(&mut model, action);
        model.settle();
        let is_asleep = effects.is_empty() && model.wants().logs() == read;
        if is_asleep && screen(&model) == before && drawn(&model, &Screens::default()) == looked {
            silent.insert(format!("{} {}", place.name(), action.name()));
        }
    }
    silent
}

#[test]
fn whatever_is_bound_does_something_or_says_why_not() {
    let mut silent = BTreeSet::new();
    for (place, way) in WAYS {
        let make = || {
            let mut model = full(80, 24);
            press(&mut model, way);
            answer(&mut model);
            model
        };
        silent.extend(silent_in(make, *place));
    }
    assert_eq!(silent, BTreeSet::new());
}

/// The parts of pages that have several, how to reach the page, and from there the part.
const PARTS: &[(KeyContext, &str, &str)] = &[
    (KeyContext::Layers, "2 enter", "tab"),
    (KeyContext::Layers, "2 enter", "tab G"),
    (KeyContext::Compare, "2 space space D", "tab"),
    (KeyContext::Compare, "2 space space D", "G"),
    (KeyContext::Files, "f", "tab"),
    (KeyContext::Files, "f", "G"),
    (KeyContext::Inspect, "i", "G"),
    (KeyContext::Inspect, "i", "F"),
];

#[test]
fn no_part_of_a_page_is_silent() {
    let mut silent = BTreeSet::new();
    for (place, page, part) in PARTS {
        let make = || {
            let mut model = full(130, 30);
            for keys in [page, part] {
                press(&mut model, keys);
                answer(&mut model);
            }
            model
        };
        let keys = silent_in(make, *place);
        silent.extend(keys.into_iter().map(|key| format!("{key} after `{page} {part}`")));
    }
    assert_eq!(silent, BTreeSet::new());
}

/// Opens a file of the browser, or the differences between two.
fn opened(model: &mut Model, is_file: bool) {
    press(model, "f");
    answer(model);
    let (place, path) = (Place::Host, PathBuf::from("/etc/hosts"));
    let wish = match is_file {
        true => FilesWish::View(place, path),
        false => FilesWish::Compare([(place.clone(), path.clone()), (place, path)]),
    };
    let page = FilesDone::Page("hosts".to_owned(), vec!["127.0.0.1 localhost".to_owned()]);
    update(model, Event::FilesDone(wish, Ok(page)));
}

#[test]
fn the_text_of_a_file_is_not_silent() {
    for is_file in [true, false] {
        let make = || {
            let mut model = full(80, 24);
            opened(&mut model, is_file);
            model
        };
        assert_eq!(silent_in(make, KeyContext::Files), BTreeSet::new(), "{is_file}");
    }
    let mut model = full(80, 24);
    opened(&mut model, true);
    press(&mut model, "space");
    assert!(
        screen(&model).contains("`mark` works in the list of files → Esc closes the text"),
        "{}",
        screen(&model)
    );
}

#[test]
fn pages_of_containers_in_any_state_are_not_silent() {
    let mut silent = BTreeSet::new();
    // The containers of `full`, one in each state.
    for to in ["", "j", "j j", "j j j", "j j j j", "j j j j j", "j j j j j j"] {
        for (place, tab) in [
            (KeyContext::Logs, "l"),
            (KeyContext::Stats, "S"),
            (KeyContext::Top, "t"),
            (KeyContext::Inspect, "i"),
            (KeyContext::Files, "f"),
        ] {
            let make = || {
                let mut model = sparse(80, 24);
                press(&mut model, &format!("g g {to} {tab}"));
                answer(&mut model);
                if place == KeyContext::Logs {
                    serve(&mut model, &[]);
                }
                model
            };
            silent.extend(silent_in(make, place).into_iter().map(|key| format!("{key} after `{to}`")));
        }
    }
    assert_eq!(silent, BTreeSet::new());
}

#[test]
fn events_of_every_kind_are_not_silent() {
    let mut silent = BTreeSet::new();
    let objects: Vec<(Kind, String)> = {
        let model = sparse(80, 24);
        let container = |row: &ContainerRow| (Kind::Container, row.id.to_string());
        let containers = model.containers.all().iter().map(container);
        let images = model.images.all().iter().map(|row| (Kind::Image, row.id.clone()));
        let volumes = model.volumes.all().iter().map(|row| (Kind::Volume, row.name.clone()));
        let networks = model.networks.all().iter().map(|row| (Kind::Network, row.id.clone()));
        let gone = (Kind::Container, "ab".repeat(32));
        containers.chain(images).chain(volumes).chain(networks).chain([gone]).collect()
    };
    for (kind, id) in objects {
        let make = || {
            let mut model = sparse(80, 24);
            press(&mut model, "6");
            let event = engine::Event {
                kind,
                action: "create".to_owned(),
                actor: Actor { id: id.clone(), attributes: BTreeMap::new() },
                scope: "local".to_owned(),
                time: now().as_second(),
                time_nano: now().as_second() * 1_000_000_000,
            };
            update(&mut model, Event::List(Ok(Listed::Events(vec![EventRow::new(&event)]))));
            model
        };
        let keys = silent_in(make, KeyContext::Events);
        silent.extend(keys.into_iter().map(|key| format!("{key} at {kind:?} {id}")));
    }
    assert_eq!(silent, BTreeSet::new());
}

#[test]
fn lists_without_a_match_are_not_silent() {
    let mut silent = BTreeSet::new();
    for (place, way) in WAYS.iter().take(7) {
        let make = || {
            let mut model = sparse(80, 24);
            press(&mut model, way);
            press(&mut model, "/");
            write(&mut model, "nothing has this name");
            press(&mut model, "enter");
            model
        };
        silent.extend(silent_in(make, *place));
    }
    assert_eq!(silent, BTreeSet::new());
}

#[test]
fn the_ends_of_the_columns_are_told() {
    for (way, text) in
        [("left", "no columns are hidden on the left"), ("3 right", "no columns are hidden on the right")]
    {
        let mut model = full(80, 24);
        press(&mut model, way);
        assert!(screen(&model).contains(text), "{way}: {}", screen(&model));
    }
    let mut model = full(80, 24);
    press(&mut model, "right right right right right right right right right right right");
    let shown = screen(&model);
    assert!(shown.contains("PORTS") && shown.contains("no columns are hidden on the right"), "{shown}");
}

#[test]
fn where_nothing_is_that_is_said() {
    let mut silent = BTreeSet::new();
    for (place, way) in WAYS.iter().take(7).filter(|(place, _)| *place != KeyContext::Tasks) {
        let make = || {
            let mut model = empty(80, 24);
            press(&mut model, way);
            update(&mut model, Event::List(Ok(Listed::Events(Vec::new()))));
            model
        };
        silent.extend(silent_in(make, *place));
    }
    assert_eq!(silent, BTreeSet::new());
}

#[test]
fn the_navigator_is_not_silent() {
    let mut silent = BTreeSet::new();
    for way in ["shift-tab g g j", "shift-tab G"] {
        let make = || {
            let mut model = full(160, 30);
            press(&mut model, way);
            model
        };
        silent.extend(silent_in(make, KeyContext::Navigator));
    }
    assert_eq!(silent, BTreeSet::new());
}

#[test]
fn a_key_without_a_binding_says_so_and_where_it_has_one() {
    for (way, key, text) in [
        ("l", "r", "`r` works in the list → q goes there, ,r works here"),
        ("l", "d", "`d` works in the list → q goes there, ,d works here"),
        ("2 i", "p", "`p` works in the list → q goes there, ,p works here"),
        ("7", "x", "`x` does nothing here → ? shows the keys"),
        ("f", "s", "`s` works in the list → q goes there, ,s works here"),
    ] {
        let mut model = full(100, 40);
        press(&mut model, way);
        assert_eq!(press(&mut model, key), []);
        assert!(screen(&model).contains(text), "{way} {key}: {:?}", model.notice);
    }
    // Dialogs keep to what they offer.
    let mut model = full(80, 24);
    press(&mut model, "d d x");
    assert_eq!(model.notice, None);
}

#[test]
fn what_is_repeated_where_it_cannot_be_is_said() {
    let mut model = full(80, 24);
    press(&mut model, "s");
    model.notice = None;
    press(&mut model, "2 .");
    assert_eq!(model.notice.take().unwrap().text, "no container is selected");
    press(&mut model, "1 j K enter 4 .");
    assert_eq!(model.notice.take().unwrap().text, "`kill…` is not available here");
    press(&mut model, "2 t");
    write(&mut model, "more:1");
    press(&mut model, "enter 1 .");
    assert!(model.notice.is_some() || !model.layers.is_empty());
}
