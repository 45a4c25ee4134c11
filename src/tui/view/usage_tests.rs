//! Snapshots of Stats, Top, Inspect and Why.

use jiff::SignedDuration;
use serde_json::json;

use crate::engine::{Pressure, ProcessRow, RestartPolicy, Sample, Stall, Status, Top};
use crate::tui::effect::Effect;
use crate::tui::event::Event;
use crate::tui::failure::Failure;
use crate::tui::fixture::{container, full, now, over_shot, press, pressed, screen, shot, wide_shot, write};
use crate::tui::inspect::model::{Document, Form};
use crate::tui::model::Model;
use crate::tui::model::layer::Layer;
use crate::tui::reading::{Answer, Listed};
use crate::tui::tab::Tab;
use crate::tui::top::model::TopRead;
use crate::tui::update::update;
use crate::tui::why::model::Facts;

fn failure() -> Failure {
    Failure { what: "cannot read it".to_owned(), why: vec!["it is gone".to_owned()], hint: None }
}

/// Makes a container busy: throttled, close to its limit, and waiting.
fn busy(model: &mut Model) {
    let id = model.container().unwrap().id.clone();
    let stall = |ten| Stall { averages: [ten, ten / 2, ten / 3], total_us: 1 };
    for second in 0..50_u64 {
        let wave = (second % 20).abs_diff(10);
        let sample = Sample {
            time: now() - SignedDuration::from_secs(50 - i64::try_from(second).unwrap()),
            cpu_nanos: 1_000_000_000_000 + second * 480_000_000 + wave * 40_000_000,
            cpu_quota: Some(0.5),
            cpu_weight: 1024,
            periods: (second * 10, second * 3),
            throttled_nanos: second * 31_000_000,
            memory: (400 << 20) + second * (2 << 20),
            anon: 470 << 20,
            file: (10 << 20) + second * (1 << 19),
            memory_limit: 512 << 20,
            is_limited: true,
            oom_kills: 2,
            pids: 4,
            pids_limit: Some(512),
            networks: vec![
                ("eth0".to_owned(), second * second * 900, second * 2048),
                ("eth1".to_owned(), second * 100, 0),
            ],
            devices: vec![("vda".to_owned(), second * 100_000, wave * 5_000)],
            block: (second * 100_000, 50_000 + wave * 5_000),
            files: Some((88, 1024)),
            pressure: [
                Some(Pressure { some: stall(6810), full: stall(0) }),
                Some(Pressure { some: stall(2300), full: stall(1140) }),
                Some(Pressure { some: stall(190), full: stall(30) }),
            ],
            ..Sample::default()
        };
        update(model, Event::Sample(id.clone(), Box::new(sample)));
    }
}

#[test]
fn the_charts_of_a_busy_container() {
    wide_shot("stats_busy", |width, height| {
        let mut model = pressed(width, height, "S");
        busy(&mut model);
        model
    });
    wide_shot("stats_zoomed", |width, height| {
        let mut model = pressed(width, height, "S z");
        busy(&mut model);
        model
    });
    wide_shot("stats_parts_5m", |width, height| {
        let mut model = pressed(width, height, "S");
        busy(&mut model);
        press(&mut model, "l F + +");
        model
    });
}

#[test]
fn the_selected_row_stays_visible_when_usage_changes_the_order() {
    let mut model = full(120, 24);
    let rows: Vec<_> = (0..60).map(|at| container(&format!("c{at:02}"), Status::Running)).collect();
    update(&mut model, Event::List(Ok(Listed::Containers(rows.clone()))));
    press(&mut model, "o c");
    assert_eq!(model.wants().stats.len(), 60);
    let selected = |model: &Model| model.container().unwrap().name.clone();
    let was = selected(&model);
    for second in 1..9_u64 {
        for (at, row) in (0_u64..).zip(&rows) {
            let time = now() + SignedDuration::from_secs(i64::try_from(second).unwrap());
            let cpu_nanos = (at * 7_919 * second) % 61 * 1_000_000 + second * 1_000_000_000;
            let sample = Sample { time, cpu_nanos, ..Sample::default() };
            update(&mut model, Event::Sample(row.id.clone(), Box::new(sample)));
            let list = model.layout().list.unwrap();
            let shown = screen(&model);
            let seen =
                shown.lines().skip(list.y.into()).take(list.height.into()).any(|line| line.contains(&was));
            assert!(seen, "{second} {at}: {shown}");
        }
    }
    assert_eq!(selected(&model), was);
}

#[test]
fn the_charts_of_marked_containers_are_one() {
    let mut model = pressed(120, 40, "space space g g S");
    assert!(model.pane().stats.beside.is_empty());
    press(&mut model, "c");
    assert_eq!(model.pane().stats.beside.len(), 1);
    // Even if the list does not show them.
    press(&mut model, "z");
    assert_eq!(model.wants().stats.len(), 2);
    press(&mut model, "z");
    wide_shot("stats_compared", |width, height| pressed(width, height, "space space g g S c"));
    press(&mut model, "c");
    assert!(model.pane().stats.beside.is_empty());
    let mut model = pressed(80, 24, "S c");
    assert!(model.notice.take().unwrap().hint.unwrap().contains("Space"));
}

#[test]
fn frozen_charts_stand_still_while_samples_go_on() {
    let mut model = pressed(120, 40, "S");
    busy(&mut model);
    press(&mut model, "f");
    let before = screen(&model);
    let id = model.container().unwrap().id.clone();
    for second in 1..20 {
        let time = now() + SignedDuration::from_secs(second);
        update(&mut model, Event::Tick(time));
        let sample = Sample { time, cpu_nanos: 2_000_000_000_000, ..Sample::default() };
        update(&mut model, Event::Sample(id.clone(), Box::new(sample)));
    }
    model.notice = None;
    let after = screen(&model);
    let charts = |text: &str| text.lines().skip(17).take(18).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(charts(&before), charts(&after));
    press(&mut model, "f");
    assert_ne!(charts(&screen(&model)), charts(&before));
}

#[test]
fn what_the_charts_show_is_saved_where_nothing_is() {
    let mut model = pressed(80, 24, "S W");
    assert!(screen(&model).contains("api-1m.csv"), "{}", screen(&model));
    let effects = press(&mut model, "enter");
    let Some(Effect::Work(_, crate::tui::effect::Job::Write(path, text))) = effects.last() else {
        panic!("{effects:?}")
    };
    assert_eq!(path.to_str(), Some("/api-1m.csv"));
    assert!(text.lines().count() > 30 && text.contains(",api,"), "{text}");
}

fn processes(model: &mut Model) {
    let id = model.container().unwrap().id.clone();
    let process = |pid: u32, parent: u32, cpu_secs: f64, memory: u64, command: &str| ProcessRow {
        pid: 48_000 + pid,
        inner_pid: pid,
        start_time: 5,
        parent: 48_000 + parent,
        user: if pid == 88 { "root" } else { "app" }.to_owned(),
        threads: 5,
        cpu_secs,
        memory: memory << 20,
        command: command.to_owned(),
        state: 'S',
        ..ProcessRow::default()
    };
    for second in [0, 2] {
        update(model, Event::Tick(now() + SignedDuration::from_secs(second)));
        let busy = 2352.0 + f64::from(i32::try_from(second).unwrap()) * 0.978;
        let processes = vec![
            process(1, 0, 1.0, 12, "tini -- node index.js"),
            process(7, 1, busy, 470, "node index.js \u{1b}[31mred"),
            process(31, 7, 3.0, 9, "node heartbeat.js"),
            process(88, 7, 0.0, 4, "sh -c sleep 30"),
        ];
        update(
            model,
            Event::Answer(
                model.pane().id.serial(),
                Answer::Top(TopRead { of: id.clone(), result: Ok(Top { processes }) }),
            ),
        );
    }
}

#[test]
fn the_processes() {
    wide_shot("processes", |width, height| {
        let mut model = pressed(width, height, "t");
        processes(&mut model);
        press(&mut model, "j");
        model
    });
    shot("processes_flat", |width, height| {
        let mut model = pressed(width, height, "t");
        processes(&mut model);
        press(&mut model, "F o m o m");
        model
    });
    shot("processes_filtered", |width, height| {
        let mut model = pressed(width, height, "t");
        processes(&mut model);
        press(&mut model, "/");
        write(&mut model, "node !heart");
        model
    });
}

#[test]
fn a_signal_goes_to_the_process_under_the_cursor() {
    let mut model = pressed(80, 24, "t");
    processes(&mut model);
    press(&mut model, "j j K");
    over_shot("processes_signal", |width, height| {
        let mut model = pressed(width, height, "t");
        processes(&mut model);
        press(&mut model, "j j K");
        model
    });
    let effects = press(&mut model, "j enter");
    let [Effect::Signal(_, process, signal)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((process.pid, process.start_time, signal.as_str()), (48_031, 5, "SIGKILL"));
    let done = Event::Done(effects[0].clone(), Ok(()));
    update(&mut model, done);
    assert_eq!(model.notice.as_ref().unwrap().text, "sent SIGKILL to process 48031");
    for keys in ["i", "enter"] {
        let effects = press(&mut model, keys);
        assert!(matches!(effects.as_slice(), [Effect::ReadProcess(_, 48_031)]), "{effects:?}");
    }
    update(&mut model, Event::Page("Process 48031".to_owned(), Ok(vec!["command  x".to_owned()])));
    assert!(matches!(model.layers.last(), Some(Layer::Page(_))));
    press(&mut model, "esc");
    // Esc goes back step by step, first out of the filter.
    press(&mut model, "/");
    write(&mut model, "tini");
    press(&mut model, "enter esc");
    assert_eq!((model.pane().top.filter.as_str(), model.pane().tab), ("", Tab::Top));
}

fn document(model: &mut Model) {
    let serial = model.pane().inspect.serial;
    let value = json!({
        "Id": "ab12",
        "Created": "2026-11-22T13:21:04Z",
        "State": {
            "Status": "running", "StartedAt": "2026-11-22T13:21:04Z", "FinishedAt": "0001-01-01T00:00:00Z",
            "Health": {"Status": "unhealthy", "Log": [{"ExitCode": 0}, {"ExitCode": 1, "Output": "curl: \u{1b}[31m(28)"}]},
        },
        "HostConfig": {"Memory": 0, "Binds": null},
        "Mounts": [{"Type": "bind", "Source": "/srv/a-rather-long-path/with/many/folders/in/it/one/more/and/yet/another"}],
        "Config": {"Env": ["A=b", "PATH=/bin"], "Image": "debian", "Labels": {}},
    });
    let command = ["run", "-d", "-e", "A=b c", "debian"].map(str::to_owned).to_vec();
    let document = Document { value, command: Some(command) };
    update(model, Event::Answer(serial, Answer::Inspect(Ok(Box::new(document)))));
}

#[test]
fn a_document_as_a_tree_and_as_text() {
    shot("inspect_tree", |width, height| {
        let mut model = pressed(width, height, "i");
        document(&mut model);
        press(&mut model, "+ g g j j j");
        model
    });
    for (strokes, name) in [("F", "yaml"), ("F F", "json"), ("F F F", "command")] {
        shot(&format!("inspect_{name}"), |width, height| {
            let mut model = pressed(width, height, "i");
            document(&mut model);
            press(&mut model, strokes);
            model
        });
    }
    shot("inspect_failed", |width, height| {
        let mut model = pressed(width, height, "i");
        let serial = model.pane().inspect.serial;
        update(&mut model, Event::Answer(serial, Answer::Inspect(Err(failure()))));
        model
    });
}

#[test]
fn a_search_in_a_document_unfolds_the_match_and_its_value_is_copied() {
    let found = |width, height| {
        let mut model = pressed(width, height, "i");
        document(&mut model);
        press(&mut model, "- /");
        write(&mut model, "curl");
        press(&mut model, "enter");
        model
    };
    shot("inspect_found", found);
    let mut model = found(80, 24);
    let effects = press(&mut model, "y p");
    assert_eq!(effects, [Effect::Copy(".State.Health.Log[1].Output".to_owned())]);
    let effects = press(&mut model, "y y");
    assert_eq!(effects, [Effect::Copy("curl: \u{1b}[31m(28)".to_owned())]);
    let effects = press(&mut model, "e");
    let [Effect::Edit(name, text)] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(name == "api.json" && text.contains("\\u001b[31m"), "{text}");
    press(&mut model, "h h");
    assert_eq!(model.pane().inspect.path().unwrap(), ".State.Health.Log");
    press(&mut model, "F");
    assert_eq!(model.pane().inspect.form, Form::Yaml);
}

fn ill(model: &mut Model, change: impl Fn(&mut Facts)) {
    let serial = model.pane().why.serial;
    let mut facts = Facts {
        id: model.container().unwrap().id.as_str().to_owned(),
        name: "seed".to_owned(),
        image: "acme/seed:1".to_owned(),
        status: Status::Exited,
        exit_code: 137,
        oom_killed: true,
        error: String::new(),
        restarts: 0,
        policy: RestartPolicy::No,
        by_hand: false,
        started: Some(now() - SignedDuration::from_secs(30)),
        finished: Some(now() - SignedDuration::from_secs(18)),
        command: "sh -c 'seed --all'".to_owned(),
        memory_limit: Some(64 << 20),
        moved: true,
        log: ["reading 1 of 9", "\u{1b}[31mERROR\u{1b}[0m out of memory: 65 MB", "bye"]
            .map(str::to_owned)
            .to_vec(),
        events: Vec::new(),
    };
    change(&mut facts);
    update(model, Event::Answer(serial, Answer::Why(Ok(Box::new(facts)))));
}

#[test]
fn why_a_container_ended() {
    shot("why_oom", |width, height| {
        let mut model = pressed(width, height, "/");
        write(&mut model, "seed");
        press(&mut model, "enter enter");
        assert_eq!(model.shown_tab(model.pane()), Tab::Why);
        assert_eq!(model.wants().read(Tab::Why).len(), 1);
        ill(&mut model, |_| {});
        model
    });
    shot("why_no_start", |width, height| {
        let mut model = pressed(width, height, "/");
        write(&mut model, "seed");
        press(&mut model, "enter enter");
        ill(&mut model, |facts| {
            (facts.exit_code, facts.oom_killed, facts.memory_limit) = (127, false, None);
            facts.error = "exec `seed`: No such file or directory".to_owned();
            facts.log.clear();
        });
        model
    });
}

#[test]
fn who_is_well_has_nothing_to_explain() {
    let mut model = pressed(80, 24, "enter");
    assert_eq!(model.shown_tab(model.pane()), Tab::Logs);
    assert!(!model.tabs(model.pane()).contains(&Tab::Why));
    let mut row = container("api", Status::Exited);
    row.exit_code = 3;
    let id = row.id.clone();
    update(&mut model, Event::Container(id.clone(), Some(Box::new(row))));
    assert!(model.tabs(model.pane()).contains(&Tab::Why));
    press(&mut model, "6");
    assert_eq!(model.shown_tab(model.pane()), Tab::Why);
    update(&mut model, Event::List(Ok(Listed::Containers(vec![container("api", Status::Running)]))));
    assert_eq!(model.shown_tab(model.pane()), Tab::Logs);
}
