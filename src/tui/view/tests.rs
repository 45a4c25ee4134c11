//! Snapshots of every screen: full, empty, failed.

use jiff::SignedDuration;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::engine::{Kind, Phase, ProcessRow, Progress, Status, Top};
use crate::tui::containers::model::ContainerRow;
use crate::tui::event::{Configured, Event};
use crate::tui::events::model::EventRow;
use crate::tui::failure::{Failure, Tone};
use crate::tui::fixture::{
    WAYS, container, empty, exec, full, keep_all, keys_line, log, now, over_shot, press, pressed, screen,
    screen_with, shot, sized_shot, wide_shot, write,
};
use crate::tui::inspect::model::Document;
use crate::tui::keymap::KeyContext;
use crate::tui::logs::model::LogNews;
use crate::tui::model::{Details, Model};
use crate::tui::reading::{Answer, Listed};
use crate::tui::section::{Section, TaskId};
use crate::tui::tasks::model::Work;
use crate::tui::terminal::screen::{Screen, Screens};
use crate::tui::top::model::TopRead;
use crate::tui::update::update;
use crate::tui::view;
use crate::tui::volumes::model::VolumeRow;

fn failure() -> Failure {
    Failure {
        what: "cannot read the containers".to_owned(),
        why: vec!["open /var/lib/hoist/containers: Permission denied".to_owned()],
        hint: Some("run it as root: `sudo hoist …`".to_owned()),
    }
}

#[test]
fn the_lists() {
    shot("containers", full);
    // With the navigator, and with charts and events at the side.
    sized_shot("containers_in_a_large_window", (200, 60), full);
    shot("containers_empty", empty);
    shot("containers_failed", |width, height| {
        let mut model = empty(width, height);
        update(&mut model, Event::List(Err((Section::Containers, failure()))));
        model
    });
    shot("images", |width, height| pressed(width, height, "2"));
    for (name, keys) in [("images", "2"), ("volumes", "3"), ("networks", "4"), ("events", "6")] {
        let emptied = |width, height| {
            let mut model = empty(width, height);
            press(&mut model, keys);
            update(&mut model, Event::List(Ok(Listed::Events(vec![]))));
            model
        };
        shot(&format!("{name}_empty"), emptied);
    }
    for (section, name, keys) in [
        (Section::Images, "images", "2"),
        (Section::Volumes, "volumes", "3"),
        (Section::Networks, "networks", "4"),
        (Section::Events, "events", "6"),
        (Section::Trash, "trash", "7"),
    ] {
        let failed = |width, height| {
            let mut model = empty(width, height);
            press(&mut model, keys);
            update(&mut model, Event::List(Err((section, failure()))));
            model
        };
        shot(&format!("{name}_failed"), failed);
    }
    shot("volumes", |width, height| {
        let mut model = full(width, height);
        let volume = |name: &str| VolumeRow {
            name: name.to_owned(),
            driver: "local".to_owned(),
            place: format!("/var/lib/hoist/volumes/{name}/_data"),
        };
        update(&mut model, Event::List(Ok(Listed::Volumes(vec![volume("acme_data"), volume("cache")]))));
        press(&mut model, "3");
        model
    });
    shot("tasks", |width, height| pressed(width, height, "e ctrl-] q 5"));
    shot("events", |width, height| {
        let mut model = pressed(width, height, "6");
        let rows = ["start", "die", "destroy"].map(|action| happened(&model, action)).to_vec();
        update(&mut model, Event::List(Ok(Listed::Events(rows))));
        model
    });
}

#[test]
fn the_detail() {
    wide_shot("logs", |width, height| {
        let mut model = full(width, height);
        press(&mut model, "l");
        if model.pane().log.buffer.is_empty() {
            log(&mut model);
        }
        model
    });
    wide_shot("stats", |width, height| pressed(width, height, "S"));
    wide_shot("top", |width, height| {
        let mut model = pressed(width, height, "t");
        let id = model.container().unwrap().id.clone();
        let process = |pid, command: &str| ProcessRow {
            pid: 48_000 + pid,
            inner_pid: pid,
            user: "app".to_owned(),
            cpu_secs: 2352.0,
            memory: 470 << 20,
            command: command.to_owned(),
            state: 'S',
            ..ProcessRow::default()
        };
        let top = Top { processes: vec![process(1, "tini -- node index.js"), process(7, "node index.js")] };
        let serial = model.pane().id.serial();
        update(&mut model, Event::Answer(serial, Answer::Top(TopRead { of: id, result: Ok(top) })));
        model
    });
    shot("inspect", |width, height| {
        let mut model = pressed(width, height, "i");
        let serial = model.pane().inspect.serial;
        let value = serde_json::json!({"Id": "ab12", "State": {"Status": "running"}});
        let document = Box::new(Document { value, command: None });
        update(&mut model, Event::Answer(serial, Answer::Inspect(Ok(document))));
        model
    });
}

#[test]
fn a_log_that_cannot_be_read() {
    shot("logs_failed", |width, height| {
        let mut model = pressed(width, height, "l");
        let serial = model.pane().log.serial;
        update(&mut model, Event::Answer(serial, Answer::Logs(LogNews::Failed(failure()))));
        model
    });
}

#[test]
fn the_terminal() {
    let open = |width, height| {
        let model = pressed(width, height, "e");
        let (columns, lines) = model.wants().terminals[&TaskId(1)];
        let mut screens = Screens::default();
        let terminal = Screen::new(columns, lines);
        terminal.lock().feed(b"root@api:/# ls\r\n\x1b[1;34mbin\x1b[0m  etc\r\nroot@api:/# ");
        screens.put(TaskId(1), terminal);
        (model, screens)
    };
    shot("terminal", open);
    shot("terminal_released", |width, height| {
        let (mut model, screens) = open(width, height);
        press(&mut model, "ctrl-]");
        (model, screens)
    });
    shot("terminal_attached", |width, height| {
        let (_, screens) = open(width, height);
        (pressed(width, height, "a"), screens)
    });
    shot("terminal_unseen", |width, height| {
        let mut model = full(width, height);
        let id = model.container().unwrap().id.clone();
        let execs = vec![exec(1, &id, "sh -l", true), exec(2, &id, "backup --all", false)];
        update(&mut model, Event::List(Ok(Listed::Tasks(execs))));
        press(&mut model, "5 G l");
        model
    });
    shot("terminal_ended", |width, height| {
        let (mut model, screens) = open(width, height);
        update(&mut model, Event::Ended(TaskId(1), Ok(Some(0))));
        (model, screens)
    });
}

#[test]
fn the_dialogs() {
    over_shot("run_form", |width, height| pressed(width, height, "2 r"));
    over_shot("confirm", |width, height| pressed(width, height, "d D"));
    over("signals", |model| drop(press(model, "K")));
    over("rename", |model| drop(press(model, "N")));
    over("rename_wrong", |model| {
        press(model, "N");
        write(model, " a name with spaces that is too long for it");
        press(model, "enter");
    });
    over("command", |model| {
        press(model, ":");
        write(model, "pull deb");
    });
    over("tag", |model| drop(press(model, "2 t")));
    over("load", |model| drop(press(model, "2 L")));
    over("import", |model| drop(press(model, "2 I")));
    over("exec", |model| drop(press(model, "E")));
    over("quit", |model| drop(press(model, "e ctrl-] q Q")));
    over("choices", |model| {
        press(model, "g");
        update(model, Event::Tick(now() + SignedDuration::from_millis(250)));
    });
    over_shot("progress", |width, height| {
        let mut model = pressed(width, height, "2 p");
        write(&mut model, "debian:13");
        press(&mut model, "enter");
        let mut work = Work::default();
        work.take(Progress::Note("Pulling from library/debian".to_owned()));
        for (id, phase, current) in [
            ("a1b2c3d4e5f6", Phase::Exists, 0),
            ("77de00000000", Phase::Extracting, 30),
            ("c09a00000000", Phase::Downloading, 12),
        ] {
            work.take(Progress::Part {
                id: id.to_owned(),
                phase,
                current: current << 20,
                total: Some(48 << 20),
            });
        }
        update(&mut model, Event::Progress(TaskId(1), work));
        model
    });
}

/// Failures and their messages.
#[test]
fn the_failures() {
    over("failure_details", |model| {
        model.fail(failure());
        press(model, "g !");
    });
    over("failures_of_several", |model| {
        let details = Details { failure: failure(), parts: vec![failure(); 12] };
        model.fail_with(failure().line(), None, details);
        press(model, "g !");
    });
    shot("failure_in_a_box", |width, height| {
        let mut model = full(width, height);
        model.fail(failure());
        model
    });
    over("page_of_ports", |model| {
        press(model, "P");
        let lines = ["80/tcp -> 0.0.0.0:8080", "443/tcp -> 0.0.0.0:8443"].map(str::to_owned).to_vec();
        update(model, Event::Page("Ports of api".to_owned(), Ok(lines)));
    });
    let pulling = |model: &mut Model| {
        press(model, "2 p");
        write(model, "debian:13");
        press(model, "enter");
    };
    over("pull_failed", |model| {
        pulling(model);
        update(model, Event::Finished(TaskId(1), Err(failure())));
    });
    shot("task_failed", |width, height| {
        let mut model = full(width, height);
        pulling(&mut model);
        update(&mut model, Event::Finished(TaskId(1), Err(failure())));
        press(&mut model, "q 5");
        model
    });
    over("broken_configuration", |model| {
        let faults = vec!["/home/me/.config/hoist/keymap.toml, line 3, column 5: in [containers] `d` (inspect of [containers]) is a prefix of `dd` (remove of [containers]), from hoist".to_owned(), "/home/me/.config/hoist/config.toml, line 9, column 1: no such key `thme`".to_owned()];
        let themes = model.look.themes.clone();
        let configured = Configured { ui: None, keymap: None, themes, broken: <_>::default(), faults };
        update(model, Event::Configured(Box::new(configured)));
    });
}

fn happened(model: &Model, action: &str) -> EventRow {
    let row = &model.containers.all()[0];
    let attributes = [("name", row.name.as_str()), ("exitCode", "137"), ("image", "acme/app:2.4.1")];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let mut event = crate::engine::Event::now(Kind::Container, action, row.id.as_str(), attributes);
    event.time_nano = i64::try_from(now().as_nanosecond()).unwrap() - 30_000_000_000;
    EventRow::new(&event)
}

fn over(name: &str, change: impl Fn(&mut Model)) {
    over_shot(name, |width, height| {
        let mut model = full(width, height);
        change(&mut model);
        model
    });
}

#[test]
fn a_terminal_that_is_too_small_says_so_and_still_takes_commands() {
    let mut model = full(39, 11);
    insta::assert_snapshot!(screen(&model).trim(), @"resize, or press : to type a command");
    press(&mut model, ":");
    write(&mut model, "images");
    press(&mut model, "enter");
    assert_eq!(model.section, Section::Images);
}

/// The only snapshot that contains the line of keys.
#[test]
fn the_keys_of_each_place() {
    let mut told = Vec::new();
    let more = [
        (KeyContext::Containers, "G"),
        (KeyContext::Navigator, "shift-tab"),
        (KeyContext::Why, "/ s e e d enter enter"),
        (KeyContext::Terminal, "e"),
        (KeyContext::Prompt, ":"),
        (KeyContext::Prompt, "/"),
        (KeyContext::Palette, "ctrl-p"),
        (KeyContext::Presets, "2 r f2 d enter f3"),
        (KeyContext::Progress, "2 p d enter"),
    ];
    for width in [80, 200] {
        told.push(format!("── {width} columns"));
        for (place, keys) in WAYS.iter().chain(&more) {
            let model = pressed(width, 40, keys);
            if model.key_context() != *place {
                assert_eq!((*place, width), (KeyContext::Navigator, 80), "{keys}");
                continue;
            }
            let name = format!("{} ({keys})", place.name());
            told.push(format!("{name:<30} {}", keys_line(&model, width)));
        }
    }
    keep_all("bars", &told);
}

#[test]
fn a_long_name_is_cut_before_its_state_and_its_tabs() {
    let mut model = empty(120, 40);
    let name = "a-long-name-".repeat(10);
    let long = ContainerRow { name, ..container("long", Status::Running) };
    update(&mut model, Event::List(Ok(Listed::Containers(vec![long]))));
    let shown = screen(&model);
    let border = shown.lines().find(|line| line.contains("[Logs]")).unwrap();
    assert!(border.contains("Inspect") && border.contains("a-long-name-a-long"), "{border}");
    model.size = (80, 24);
    press(&mut model, "enter");
    let shown = screen(&model);
    let first = shown.lines().next().unwrap();
    assert!(first.contains("a-long-name-a-long") && first.contains("… "), "{first}");
    assert!(first.contains("● running"), "{first}");
}

#[test]
fn of_a_long_image_name_the_end_is_shown() {
    let mut model = full(60, 24);
    press(&mut model, "2");
    let mut row = model.images.selected().unwrap().clone();
    row.name = "registry.example.com/team/with/a/deep/path/orders:2.14".to_owned();
    update(&mut model, Event::List(Ok(Listed::Images(vec![row]))));
    press(&mut model, "enter");
    let shown = screen(&model);
    let first = shown.lines().next().unwrap();
    assert!(first.contains("› …") && first.contains("/orders:2.14"), "{first}");
}

#[test]
fn completions_of_a_dialog_leave_the_border_and_the_keys() {
    for (width, height) in [(40, 10), (40, 12), (80, 14)] {
        let mut model = pressed(width, height, "2 p");
        let ends = |model: &Model| screen(model).lines().map(str::to_owned).rev().take(2).collect::<Vec<_>>();
        let before = ends(&model);
        press(&mut model, "a tab");
        assert_eq!(ends(&model), before, "{}", screen(&model));
    }
}

#[test]
fn the_page_of_an_image_offers_no_key_of_containers() {
    let mut model = pressed(120, 40, "2 f");
    assert!(screen(&model).contains("Files"), "{}", screen(&model));
    let keys = keys_line(&model, 120);
    assert!(!keys.contains("shell") && !keys.contains("stop"), "{keys}");
    press(&mut model, ",");
    update(&mut model, Event::Tick(now() + SignedDuration::from_secs(1)));
    let shown = screen(&model);
    assert!(!shown.contains("Open a shell") && !shown.contains("e  shell"), "{shown}");
}

#[test]
fn the_menu_of_verbs_follows_the_state() {
    for (name, has, lacks) in [
        ("web", ["s  stop", "p  pause"], ["s  start", "unpause"]),
        ("migrate", ["s  start", "R  run again…"], ["s  stop", "pause"]),
        ("batch", ["p  unpause", "s  stop"], ["p  pause", "s  start"]),
    ] {
        let mut model = full(120, 40);
        press(&mut model, "/");
        write(&mut model, name);
        press(&mut model, "enter i ,");
        update(&mut model, Event::Tick(now() + SignedDuration::from_secs(1)));
        let shown = screen(&model);
        for text in has {
            assert!(shown.contains(text), "{name}: {text}: {shown}");
        }
        for text in lacks {
            assert!(!shown.contains(text), "{name}: {text}: {shown}");
        }
    }
}

#[test]
fn keys_that_can_do_nothing_are_not_offered() {
    for (keys, lacks) in [
        ("/ m i g r a t e enter S", &["range", "longer", "scale", "freeze"][..]),
        ("/ m i g r a t e enter t", &["tree", "signal", "cpu", "details"]),
        ("/ m i g r a t e enter l", &["pause", "follow"]),
    ] {
        let mut model = full(200, 40);
        press(&mut model, keys);
        let line = keys_line(&model, 200);
        for text in lacks {
            assert!(!line.contains(text), "{keys}: {text}: {line}");
        }
    }
}

#[test]
fn nothing_is_drawn_beyond_a_terminal_that_has_just_become_smaller() {
    for (place, keys) in WAYS {
        let model = pressed(120, 40, keys);
        assert_eq!(model.key_context(), *place);
        for (width, height) in [(119, 40), (120, 39), (80, 24), (1, 1)] {
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            terminal.draw(|frame| view::draw(frame, &model, &Screens::default())).unwrap();
        }
    }
}

#[test]
fn the_end_of_a_message_is_drawn_whatever_else_goes_on() {
    let sizes = [(40, 12), (80, 24), (200, 60)];
    for (strokes, size) in ["j", "e", "e ctrl-]"].iter().flat_map(|keys| sizes.map(|size| (keys, size))) {
        let mut model = pressed(size.0, size.1, strokes);
        for length in 1..60 {
            model.say(Tone::Plain, "a b ".repeat(length), Some("do this".to_owned()));
            let is_text = |c: &char| c.is_alphanumeric() || ['…', '!'].contains(c);
            let shown: String = screen(&model).chars().filter(is_text).collect();
            assert!(shown.contains("dothis") || shown.contains("…g!fordetails"), "{strokes}: {shown}");
        }
    }
}

/// Opens a terminal with a long message; `lines` lines were printed in it.
fn told_in_terminal(width: u16, height: u16, lines: usize) -> (Model, Screens) {
    let mut model = pressed(width, height, "e");
    let (columns, rows) = model.wants().terminals[&TaskId(1)];
    let mut screens = Screens::default();
    screens.put(TaskId(1), Screen::new(columns, rows));
    let mut text: String = (0..lines).map(|at| format!("line {at}\r\n")).collect();
    text += "/srv # ";
    screens.get(TaskId(1)).unwrap().lock().feed(text.as_bytes());
    let text = "cannot copy it, because the file is in a directory of the image that cannot be written";
    model.say(Tone::Warning, text, Some("take the advice, and copy it to another one".to_owned()));
    model.settle();
    (model, screens)
}

#[test]
fn a_long_message_does_not_cover_the_line_of_a_terminal_that_is_typed() {
    shot("notice_in_terminal", |width, height| told_in_terminal(width, height, 1));
    for size in [(40, 12), (80, 24), (100, 60)] {
        let (mut model, screens) = told_in_terminal(size.0, size.1, 99);
        let shown = screen_with(&model, &screens);
        let last = shown.lines().last().unwrap();
        assert!(shown.contains("/srv #"), "{shown}");
        assert!(last.starts_with(" ! cannot copy it") && last.ends_with("… g! for details"), "{shown}");
        // Keys for hoist are not typed into the terminal, and its output scrolls.
        press(&mut model, "ctrl-]");
        let shown = screen_with(&model, &screens);
        let told = if size.0 < 80 { "… g! for details" } else { "another one" };
        assert!(!shown.contains("/srv #") && shown.contains(told), "{shown}");
        assert!(!shown.lines().last().unwrap().contains('…'), "{shown}");
        press(&mut model, "g !");
        let shown = screen_with(&model, &screens);
        assert!(shown.contains("━ Last message") && shown.contains("hint: take the advice"), "{shown}");
    }
    // A program that has hidden its cursor is not typed into.
    let (model, screens) = told_in_terminal(80, 24, 99);
    screens.get(TaskId(1)).unwrap().lock().feed(b"\x1b[?25l");
    assert!(screen_with(&model, &screens).contains("another one"));
}

#[test]
fn the_hint_about_marks_is_cut_in_a_narrow_window() {
    let mut model = pressed(40, 12, "space space");
    model.notice = None;
    let shown = screen(&model);
    assert!(shown.lines().last().unwrap().starts_with(" 2 marked: actions apply"), "{shown}");
}

#[test]
fn the_mode_stands_beside_the_titles() {
    let mut model = pressed(80, 24, "7");
    model.look.is_read_only = true;
    let shown = screen(&model);
    assert!(shown.lines().next().unwrap().ends_with(" READ-ONLY"), "{shown}");
    assert!(shown.lines().nth(1).unwrap().contains("6 Events [7 Trash"), "{shown}");
    model.size = (40, 12);
    let shown = screen(&model);
    let titles = shown.lines().next().unwrap();
    assert!(titles.contains("[7") && titles.contains("] ") && titles.ends_with(" READ-ONLY"), "{titles}");
}
