//! Models for tests, with a fixed time and a few containers and images, and their screens.

mod properties;
mod shot;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crossterm::event::{KeyEvent, KeyModifiers};
use jiff::{SignedDuration, Timestamp};

pub(crate) use properties::keys_line;
pub(crate) use shot::{drawn, keep_all, over_shot, shot, sized_shot, wide_shot};

use super::event::Event;
use super::key::{Key, parse_strokes};
use super::keymap::{KeyContext, Keymap};
use super::model::Model;
use super::theme::{Depth, Theme};
use super::update::update;
use crate::base::output;
use crate::command::{World, parse, split};
use crate::config::Environment;
use crate::engine::{
    ContainerId, ExecStatus, ExecView, Level, LogFrom, LogHit, LogLine, LogPage, LogPlace, LogSpot, LogState,
    LogWanted, Matcher, Sample, Status, Stream, TotalUsage,
};
use crate::tui::containers::model::ContainerRow;
use crate::tui::effect::{Effect, Job};
use crate::tui::files::model::FilesAsk;
use crate::tui::images::model::ImageRow;
use crate::tui::logs::model::{LogAsk, LogNews, LogWant};
use crate::tui::model::Wants;
use crate::tui::networks::model::NetworkRow;
use crate::tui::reading::{Answer, Listed, Want};
use crate::tui::tab::Tab;
use crate::tui::terminal::screen::Screens;
use crate::tui::trash::model::Keeping;

/// The keys that lead to each place.
pub(crate) const WAYS: &[(KeyContext, &str)] = &[
    (KeyContext::Containers, "j j"),
    (KeyContext::Images, "2 j"),
    (KeyContext::Volumes, "3"),
    (KeyContext::Networks, "4"),
    (KeyContext::Tasks, "e ctrl-] q 5"),
    (KeyContext::Events, "6"),
    (KeyContext::Trash, "7"),
    (KeyContext::Logs, "l"),
    (KeyContext::Stats, "S"),
    (KeyContext::Top, "t"),
    (KeyContext::Inspect, "i"),
    (KeyContext::Released, "e ctrl-]"),
    (KeyContext::Files, "f"),
    (KeyContext::Layers, "2 enter"),
    (KeyContext::Compare, "2 space space D"),
    (KeyContext::Menu, "K"),
    (KeyContext::Confirm, "e ctrl-] Q"),
    (KeyContext::Removal, "d d"),
    (KeyContext::Columns, "O"),
    (KeyContext::Form, "2 r"),
    (KeyContext::Prompt, "N"),
    (KeyContext::Palette, "ctrl-p"),
    (KeyContext::Help, "?"),
    (KeyContext::Themes, "T"),
];

/// 2026-11-22 14:00:00 UTC
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_795_356_000).unwrap()
}

/// Returns a command that has been running in a container for three minutes.
pub(crate) fn exec(number: u8, container: &ContainerId, line: &str, tty: bool) -> ExecView {
    ExecView {
        id: format!("{number:02x}").repeat(32).parse().unwrap(),
        container: container.clone(),
        status: ExecStatus::Running(Some(4000 + u32::from(number))),
        command: split(line).unwrap(),
        user: Some("app".to_owned()),
        workdir: None,
        tty,
        interactive: tty,
        privileged: false,
        detach: !tty,
        started: Some(now() - SignedDuration::from_mins(3)),
    }
}

/// Returns the job for a command line.
pub(crate) fn asked(line: &str) -> Job {
    let parsed = parse(&split(line).unwrap()).unwrap_or_else(|usage| panic!("{line}: {usage}"));
    Job::Request(Box::new(parsed.request))
}

/// Returns the job that shows the output of a command line.
pub(crate) fn printed(line: &str) -> Job {
    let words = split(line).unwrap();
    match asked(line) {
        Job::Request(request) => Job::Print(words, request),
        other => other,
    }
}

/// Returns a model of this size that has read an empty store.
pub(crate) fn empty(width: u16, height: u16) -> Model {
    // Reading the keymap takes longer than most tests.
    static KEYMAP: OnceLock<Arc<Keymap>> = OnceLock::new();
    let keymap = KEYMAP.get_or_init(|| Arc::new(Keymap::read(None).unwrap())).clone();
    let theme = Theme::shipped("midnight", Depth::True).unwrap();
    let world =
        World { environment: Environment::default(), folder: "/".into(), read: |_| Ok(String::new()) };
    let mut model = Model::new(keymap, theme, Depth::True, world, now());
    for list in [
        Listed::Containers(vec![]),
        Listed::Images(vec![]),
        Listed::Volumes(vec![]),
        Listed::Networks(vec![]),
        Listed::Trash((vec![], Keeping { time: Some(Duration::from_secs(24 * 3600)), is_short: false })),
    ] {
        update(&mut model, Event::List(Ok(list)));
    }
    update(&mut model, Event::Resize(width, height));
    model
}

/// Returns a container with a status.
pub(crate) fn container(name: &str, status: Status) -> ContainerRow {
    let hex: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
    let is_up = status.is_up();
    ContainerRow {
        id: format!("{hex:a<64}").parse().unwrap(),
        name: name.to_owned(),
        image: "acme/app:2.4.1".to_owned(),
        damaged: None,
        status,
        exit_code: 0,
        oom_killed: false,
        error: String::new(),
        ended_by_hand: false,
        has_terminal: false,
        restarts: 0,
        created: now() - SignedDuration::from_hours(5),
        started: Some(now() - SignedDuration::from_mins(192)),
        finished: (!is_up).then(|| now() - SignedDuration::from_mins(18)),
        command: "sh -c 'exec app'".to_owned(),
        again: ["run", "-d", "-e", "MODE=a b", "acme/app:2.4.1"].map(str::to_owned).to_vec(),
        busy: None,
        left: None,
        auto_remove: false,
        stop_timeout: 10,
        labels: Vec::new(),
        image_id: String::new(),
        project: String::new(),
        network: "bridge".to_owned(),
        address: String::new(),
        ports: Vec::new(),
        used: None,
    }
}

/// Returns the model of [`full`] after these key presses.
pub(crate) fn pressed(width: u16, height: u16, strokes: &str) -> Model {
    let mut model = full(width, height);
    press(&mut model, strokes);
    model
}

/// Returns a model with some data of every kind, whose alerts the user has seen.
pub(crate) fn full(width: u16, height: u16) -> Model {
    seen(ill(width, height))
}

/// Like [`full`] with three seconds of samples instead of ninety, since creating those takes most
/// of the time. For tests that need thousands of models.
pub(crate) fn sparse(width: u16, height: u16) -> Model {
    seen(filled(width, height, 3))
}

fn seen(mut model: Model) -> Model {
    model.alerts.see_all();
    model.settle();
    model
}

/// Like [`full`] before the user has seen the alerts.
pub(crate) fn ill(width: u16, height: u16) -> Model {
    filled(width, height, 90)
}

fn filled(width: u16, height: u16, sampled_secs: u64) -> Model {
    let mut model = empty(width, height);
    let mut seed = container("seed", Status::Exited);
    (seed.exit_code, seed.oom_killed) = (137, true);
    let mut mailer = container("mailer", Status::Restarting);
    mailer.started = mailer.finished;
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
        is_other_platform: false,
        id: format!("sha256:{}", "3f".repeat(32)),
        name: name.to_owned(),
        created: Some(now() - SignedDuration::from_hours(52)),
        size,
        platform: "amd64".to_owned(),
        unique: format!("3f {name}"),
        users: Vec::new(),
        damaged: None,
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
    samples(&mut model, sampled_secs);
    model
}

/// Returns log lines, one per second until now.
pub(crate) fn lines(texts: &[&str]) -> Vec<LogLine> {
    let ago = |at: usize| SignedDuration::from_secs(i64::try_from(texts.len() - at).unwrap() + 7);
    let line = |(at, text): (usize, &&str)| LogLine {
        source: 0,
        place: at as u64 * 10,
        end: at as u64 * 10 + 10,
        number: Some(at as u64),
        time: now() - ago(at),
        stream: if text.contains("WARN") { Stream::Stderr } else { Stream::Stdout },
        weight: Level::find(&output::shown_text(text.as_bytes())).map(|(level, _)| level),
        is_context: false,
        bytes: text.as_bytes().into(),
    };
    texts.iter().enumerate().map(line).collect()
}

/// Shows the first lines of a log.
pub(crate) fn log(model: &mut Model) {
    let texts = [
        "INFO  listening on :8080",
        "\x1b[33mWARN\x1b[0m  queue depth 1188 above soft limit 1000",
        "GET /v1/orders 200 12ms",
    ];
    serve(model, &lines(&texts));
}

impl Wants {
    /// Returns what is read for a tab, with serial numbers.
    pub(crate) fn read(&self, tab: Tab) -> Vec<(u64, Want)> {
        let its = self.readings.iter().filter(|(reading, _)| reading.tab == tab);
        its.map(|(reading, want)| (reading.serial, want.clone())).collect()
    }

    /// Returns what the logs request.
    pub(crate) fn logs(&self) -> Vec<LogWant> {
        let its = self.read(Tab::Logs).into_iter();
        its.filter_map(|(_, want)| if let Want::Logs(want) = want { Some(want) } else { None }).collect()
    }

    /// Returns what the file browsers request.
    pub(crate) fn files(&self) -> Vec<(u64, FilesAsk)> {
        let its = self.read(Tab::Files).into_iter();
        its.filter_map(|(serial, want)| if let Want::Files(ask) = want { Some((serial, ask)) } else { None })
            .collect()
    }
}

/// Answers the requests of visible logs as the engine does.
pub(crate) fn serve(model: &mut Model, all: &[LogLine]) {
    for round in 0..50 {
        let wants = model.wants().logs();
        let mut is_idle = true;
        for want in wants {
            let sieve = want.query.1.filter.compile().unwrap();
            let floor = want.query.1.floor.as_ref().map_or(0, |floor| floor.0[0].place);
            let passes =
                |line: &&LogLine| line.place >= floor && sieve.passes(line.stream, line.weight, &line.bytes);
            let shown: Vec<LogLine> = all.iter().filter(passes).cloned().collect();
            if round == 0 {
                update(model, Event::Answer(want.serial, Answer::Logs(state(&want, all, &shown))));
            }
            if let Some((number, ask)) = want.ask {
                is_idle = false;
                let search = want.query.1.search.as_ref().map(|search| search.compile().unwrap());
                update(
                    model,
                    Event::Answer(
                        want.serial,
                        Answer::Logs(answer(number, &ask, all, &shown, search.as_ref())),
                    ),
                );
            }
            if let Some(after) = want.ranked {
                let search = want.query.1.search.as_ref().unwrap().compile().unwrap();
                let is_before = |line: &&LogLine| line.end <= after.0[0].place && search.is_in(&line.bytes);
                let rank = shown.iter().filter(is_before).count() as u64;
                update(model, Event::Answer(want.serial, Answer::Logs(LogNews::Rank(after, rank))));
            }
        }
        if is_idle && round > 0 {
            return;
        }
    }
    panic!("it never has enough");
}

fn state(want: &LogWant, all: &[LogLine], shown: &[LogLine]) -> LogNews {
    let count = |level| shown.iter().filter(|line| line.weight == Some(level)).count() as u64;
    let search = want.query.1.search.as_ref().map(|search| search.compile().unwrap());
    let is_hit = |line: &&LogLine| search.as_ref().is_some_and(|search| search.is_in(&line.bytes));
    LogNews::State(Box::new(LogState {
        first: vec![0],
        end: vec![all.len() as u64 * 10],
        lines: all.len() as u64,
        is_counted: true,
        serial: want.query.0,
        shown: shown.len() as u64,
        hits: shown.iter().filter(is_hit).count() as u64,
        errors: count(Level::Error),
        warnings: count(Level::Warn),
        searched: all.len() as u64 * 10,
        bytes: all.len() as u64 * 10,
        is_searched: true,
        failure: None,
    }))
}

fn answer(
    number: u64,
    ask: &LogAsk,
    all: &[LogLine],
    shown: &[LogLine],
    search: Option<&Matcher>,
) -> LogNews {
    let place = |place: u64| LogPlace(vec![LogSpot { place, line: Some(place / 10) }]);
    let end = all.len() as u64 * 10;
    let at = |from: &LogFrom| match from {
        LogFrom::First => 0,
        LogFrom::Last => shown.len(),
        LogFrom::Place(place) => shown.partition_point(|line| line.place < place.0[0].place),
        LogFrom::Time(time) => shown.partition_point(|line| line.time < *time),
    };
    let page = |at: usize, up: usize, down: usize| {
        let (start, stop) = (at.saturating_sub(up), (at + down).min(shown.len()));
        let spot = |at: usize| place(shown.get(at).map_or(end, |line| line.place));
        LogPage {
            lines: shown[start..stop].to_vec(),
            at: at - start,
            start: spot(start),
            end: spot(stop),
            is_first: start == 0,
            is_last: stop == shown.len(),
        }
    };
    match ask {
        LogAsk::Page(ask) => LogNews::Page(number, Ok(page(at(&ask.from), ask.up, ask.down))),
        LogAsk::Find(ask, around) => {
            let from = at(&ask.from);
            let fits = |at: &usize| match ask.wanted {
                LogWanted::Match => search.is_some_and(|search| search.is_in(&shown[*at].bytes)),
                LogWanted::Grave => shown[*at].weight >= Some(Level::Warn),
            };
            let found = if ask.up { (0..from).rev().find(fits) } else { (from..shown.len()).find(fits) };
            LogNews::Found(
                number,
                Ok(found.map(|found| {
                    let line = &shown[found];
                    let hit = LogHit { source: 0, place: line.place, at: place(line.place) };
                    (hit, page(found, *around, *around))
                })),
            )
        }
    }
}

fn samples(model: &mut Model, sampled_secs: u64) {
    for name in ["api", "web"] {
        let id = container(name, Status::Running).id;
        let (mut cpu_nanos, mut received) = (0, 0);
        for second in 90 - sampled_secs..90 {
            let wave = (second % 20).abs_diff(10);
            cpu_nanos += 100_000_000 + 60_000_000 * wave;
            received += 4096 * wave;
            let time = now() - SignedDuration::from_secs(90)
                + SignedDuration::from_secs(i64::try_from(second).unwrap());
            let memory = (60 << 20) + second * (1 << 20);
            let sample = Sample {
                time,
                cpu_nanos,
                memory,
                cache: 28 << 20,
                memory_limit: 512 << 20,
                pids: 4,
                networks: vec![("eth0".to_owned(), received, second * 1024)],
                block: (0, second * 100_000),
                ..Sample::default()
            };
            update(model, Event::Sample(id.clone(), Box::new(sample)));
            if name == "web" {
                // Both use the same.
                let total = TotalUsage { time, cpu_nanos: 2 * cpu_nanos, memory: 2 * memory };
                update(model, Event::Total(total));
            }
        }
    }
}

/// Presses keys, separated by spaces as in the keymap.
pub(crate) fn press(model: &mut Model, strokes: &str) -> Vec<Effect> {
    parse_strokes(strokes).unwrap().into_iter().flat_map(|key| stroke(model, key)).collect()
}

/// Types text.
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

/// Returns the screen as text.
pub(crate) fn screen(model: &Model) -> String {
    screen_with(model, &Screens::default())
}

/// Returns the last row inside the border of the topmost dialog that is not blank.
pub(crate) fn last_row(model: &Model) -> String {
    properties::last_row(model).unwrap_or_default()
}

/// Returns the screen with terminals as text.
pub(crate) fn screen_with(model: &Model, screens: &Screens) -> String {
    let shown = shot::drawn(model, screens);
    let faults = properties::faults(model, screens, &shown);
    let text = shot::text_of(&shown, shown.area);
    assert!(faults.is_empty(), "{text}\n{}", faults.join("\n"));
    text
}
