//! Every screen as text: full, empty, failed; at 80×24 and 40×12.

use insta::assert_snapshot;

use crate::engine::{Phase, ProcessRow, Progress, Top};
use crate::tui::event::Event;
use crate::tui::fixture::{empty, full, log, looks, looks_of, press, screen, screen_with, write};
use crate::tui::model::inspect::Document;
use crate::tui::model::log::LogNews;
use crate::tui::model::task::{TaskId, Work};
use crate::tui::model::{Failure, Model, Section};
use crate::tui::terminal::{Screen, Screens};
use crate::tui::update::update;

const SIZES: [(u16, u16); 4] = [(40, 12), (80, 24), (120, 40), (200, 60)];

fn at_each_size(name: &str, make: impl Fn(u16, u16) -> Model) {
    for (width, height) in SIZES {
        assert_snapshot!(format!("{name}_{width}x{height}"), looks(make(width, height), &Screens::default()));
    }
}

fn failure() -> Failure {
    Failure {
        what: "cannot read the containers".to_owned(),
        why: vec!["open /var/lib/hoist/containers: Permission denied".to_owned()],
        hint: Some("run it as root: `sudo hoist …`".to_owned()),
    }
}

fn pressed(width: u16, height: u16, strokes: &str) -> Model {
    let mut model = full(width, height);
    press(&mut model, strokes);
    model
}

#[test]
fn the_lists() {
    at_each_size("containers", full);
    at_each_size("containers_empty", empty);
    at_each_size("containers_failed", |width, height| {
        let mut model = empty(width, height);
        update(&mut model, Event::List(Err((Section::Containers, failure()))));
        model
    });
    at_each_size("images", |width, height| pressed(width, height, "2"));
    assert_snapshot!("images_empty_80x24", {
        let mut model = empty(80, 24);
        press(&mut model, "2");
        screen(&model)
    });
    assert_snapshot!("networks_80x24", screen(&pressed(80, 24, "4")));
    assert_snapshot!("tasks_80x24", screen(&pressed(80, 24, "e ctrl-] 5")));
}

#[test]
fn the_detail() {
    at_each_size("logs", |width, height| {
        let mut model = full(width, height);
        press(&mut model, "l");
        if model.pane().log.buffer.is_empty() {
            log(&mut model);
        }
        model
    });
    at_each_size("stats", |width, height| pressed(width, height, "S"));
    at_each_size("top", |width, height| {
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
        update(&mut model, Event::Top(id, Ok(top)));
        model
    });
    at_each_size("inspect", |width, height| {
        let mut model = pressed(width, height, "i");
        let serial = model.pane().inspect.serial;
        let value = serde_json::json!({"Id": "ab12", "State": {"Status": "running"}});
        let document = Box::new(Document { value, command: None });
        update(&mut model, Event::Document(serial, Ok(document)));
        model
    });
}

#[test]
fn a_log_that_cannot_be_read() {
    let mut model = pressed(80, 24, "l");
    let serial = model.pane().log.serial;
    update(&mut model, Event::Log(serial, LogNews::Failed(failure())));
    assert_snapshot!("logs_failed_80x24", screen(&model));
}

#[test]
fn the_terminal() {
    for (width, height) in SIZES {
        let mut model = pressed(width, height, "e");
        let (columns, lines) = model.wants().terminals[&TaskId(1)];
        let mut screens = Screens::default();
        let terminal = Screen::new(columns, lines);
        terminal.lock().feed(b"root@api:/# ls\r\n\x1b[1;34mbin\x1b[0m  etc\r\nroot@api:/# ");
        screens.put(TaskId(1), terminal);
        assert_snapshot!(format!("terminal_{width}x{height}"), looks_of(&mut model, &screens));
        if height == 24 {
            update(&mut model, Event::Ended(TaskId(1), Ok(Some(0))));
            assert_snapshot!("terminal_ended_80x24", screen_with(&model, &screens));
        }
    }
}

#[test]
fn the_dialogs() {
    at_each_size("help", |width, height| pressed(width, height, "?"));
    at_each_size("run_form", |width, height| pressed(width, height, "2 r"));
    at_each_size("confirm", |width, height| pressed(width, height, "d D"));
    assert_snapshot!("signals_80x24", screen(&pressed(80, 24, "K")));
    assert_snapshot!("rename_80x24", screen(&pressed(80, 24, "N")));
    assert_snapshot!("command_80x24", {
        let mut model = pressed(80, 24, ":");
        write(&mut model, "pull deb");
        screen(&model)
    });
    at_each_size("progress", |width, height| {
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

#[test]
fn a_terminal_that_is_too_small_says_so_and_still_takes_commands() {
    let mut model = full(39, 11);
    assert_snapshot!(screen(&model).trim(), @"resize, or press : to type a command");
    press(&mut model, ":");
    write(&mut model, "images");
    press(&mut model, "enter");
    assert_eq!(model.section, Section::Images);
}

#[test]
fn colour_is_never_the_only_sign() {
    let mut model = full(80, 24);
    let colored = screen(&model);
    model.theme = crate::tui::theme::Theme::shipped("mono", crate::tui::theme::Depth::None).unwrap();
    assert_eq!(screen(&model), colored);
}
