//! Models for tests: a fixed moment, a few containers and images.

use std::sync::Arc;

use crossterm::event::{KeyEvent, KeyModifiers};
use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::event::{Effect, Event, Listed};
use super::key::{Key, parse_strokes};
use super::keymap::Keymap;
use super::model::Model;
use super::model::rows::{ContainerRow, ImageRow, NetworkRow};
use super::terminal::Screens;
use super::theme::{Depth, Theme};
use super::update::update;
use crate::command::World;
use crate::config::Environment;
use crate::engine::{LogRecord, Sample, Status, Stream};

/// 2026-11-22 14:00:00 UTC
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_795_356_000).unwrap()
}

/// A model of this size that has read an empty store.
pub(crate) fn empty(width: u16, height: u16) -> Model {
    let keymap = Arc::new(Keymap::read(None).unwrap());
    let theme = Theme::shipped("midnight", Depth::True).unwrap();
    let world =
        World { environment: Environment::default(), folder: "/".into(), read: |_| Ok(String::new()) };
    let mut model = Model::new(keymap, theme, Depth::True, world, now());
    for list in [
        Listed::Containers(vec![]),
        Listed::Images(vec![]),
        Listed::Volumes(vec![]),
        Listed::Networks(vec![]),
    ] {
        update(&mut model, Event::List(Ok(list)));
    }
    update(&mut model, Event::Resize(width, height));
    model
}

/// A container of a status.
pub(crate) fn container(name: &str, status: Status) -> ContainerRow {
    let hex: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
    let is_up = status.is_up();
    ContainerRow {
        id: format!("{hex:a<64}").parse().unwrap(),
        name: name.to_owned(),
        image: "acme/app:2.4.1".to_owned(),
        status,
        exit_code: 0,
        oom_killed: false,
        error: String::new(),
        restarts: 0,
        created: now() - SignedDuration::from_hours(5),
        started: Some(now() - SignedDuration::from_mins(192)),
        finished: (!is_up).then(|| now() - SignedDuration::from_mins(18)),
        command: "sh -c 'exec app'".to_owned(),
        again: ["run", "-d", "-e", "MODE=a b", "acme/app:2.4.1"].map(str::to_owned).to_vec(),
        busy: None,
        labels: Vec::new(),
        project: String::new(),
        network: "bridge".to_owned(),
        address: String::new(),
        ports: Vec::new(),
        used: None,
    }
}

/// A model with something of everything.
pub(crate) fn full(width: u16, height: u16) -> Model {
    let mut model = empty(width, height);
    let mut seed = container("seed", Status::Exited);
    (seed.exit_code, seed.oom_killed) = (137, true);
    let mut mailer = container("mailer", Status::Restarting);
    mailer.restarts = 4;
    let rows = vec![
        container("api", Status::Running),
        container("web", Status::Running),
        mailer,
        container("batch", Status::Paused),
        container("migrate", Status::Exited),
        seed,
        container("canary", Status::Created),
    ];
    update(&mut model, Event::List(Ok(Listed::Containers(rows))));
    let image = |name: &str, size: u64| ImageRow {
        id: format!("sha256:{}", "3f".repeat(32)),
        name: name.to_owned(),
        created: Some(now() - SignedDuration::from_hours(52)),
        size,
        platform: "amd64".to_owned(),
        unique: format!("3f {name}"),
        users: Vec::new(),
    };
    let images = vec![image("acme/app:2.4.1", 312 << 20), image("debian:13", 117 << 20), image("", 5 << 20)];
    update(&mut model, Event::List(Ok(Listed::Images(images))));
    let bridge = NetworkRow {
        id: "0f".repeat(32),
        name: "bridge".to_owned(),
        driver: "bridge".to_owned(),
        subnet: "172.17.0.0/16".to_owned(),
        created: None,
        members: Vec::new(),
    };
    update(&mut model, Event::List(Ok(Listed::Networks(vec![bridge]))));
    log(&mut model);
    samples(&mut model);
    model
}

/// A log's beginning.
pub(crate) fn log(model: &mut Model) {
    let records = [
        "INFO  listening on :8080",
        "\x1b[33mWARN\x1b[0m  queue depth 1188 above soft limit 1000",
        "GET /v1/orders 200 12ms",
    ]
    .iter()
    .enumerate()
    .map(|(at, line)| LogRecord {
        time: now() - SignedDuration::from_secs(10 - i64::try_from(at).unwrap()),
        stream: if at == 1 { Stream::Stderr } else { Stream::Stdout },
        bytes: format!("{line}\n").into_bytes(),
    })
    .collect();
    let serial = model.pane().log.serial;
    update(model, Event::Log(serial, records));
}

fn samples(model: &mut Model) {
    for name in ["api", "web"] {
        let id = container(name, Status::Running).id;
        let (mut cpu_nanos, mut received) = (0, 0);
        for second in 0..90_u64 {
            let wave = (second % 20).abs_diff(10);
            cpu_nanos += 100_000_000 + 60_000_000 * wave;
            received += 4096 * wave;
            let sample = Sample {
                time: now() - SignedDuration::from_secs(90)
                    + SignedDuration::from_secs(i64::try_from(second).unwrap()),
                cpu_nanos,
                memory: (60 << 20) + second * (1 << 20),
                cache: 28 << 20,
                memory_limit: 512 << 20,
                pids: 4,
                networks: vec![("eth0".to_owned(), received, second * 1024)],
                block: (0, second * 100_000),
                ..Sample::default()
            };
            update(model, Event::Sample(id.clone(), Box::new(sample)));
        }
    }
}

/// Types strokes, separated by spaces as in the keymap.
pub(crate) fn press(model: &mut Model, strokes: &str) -> Vec<Effect> {
    parse_strokes(strokes).unwrap().into_iter().flat_map(|key| stroke(model, key)).collect()
}

/// Types a text.
pub(crate) fn write(model: &mut Model, text: &str) -> Vec<Effect> {
    text.chars()
        .flat_map(|c| {
            stroke(model, Key { code: crossterm::event::KeyCode::Char(c), held: KeyModifiers::NONE })
        })
        .collect()
}

fn stroke(model: &mut Model, key: Key) -> Vec<Effect> {
    update(model, Event::Key(KeyEvent::new(key.code, key.held)))
}

/// The screen as text.
pub(crate) fn screen(model: &Model) -> String {
    screen_with(model, &Screens::default())
}

/// The same, with terminals.
pub(crate) fn screen_with(model: &Model, screens: &Screens) -> String {
    let (width, height) = model.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    // Every screen that any test looks at can also be shown without Unicode.
    let mut signs = String::new();
    terminal.draw(|frame| signs = super::view::draw_ascii(frame, model, screens)).unwrap();
    assert_eq!(signs, "", "these signs have no row in view/glyphs.rs");
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| super::view::draw(frame, model, screens)).unwrap();
    let buffer = terminal.backend().buffer();
    let rows = (0..height).map(|y| {
        let row: String = (0..width).map(|x| buffer[(x, y)].symbol()).collect();
        row.trim_end().to_owned()
    });
    rows.collect::<Vec<_>>().join("\n")
}
