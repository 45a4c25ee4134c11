//! Measures the cost of the screen: time, allocations and bytes written per frame, at 200x60 with
//! 10,000 containers, and in the viewers. It prints results without checking them, since machines
//! differ.
//!
//! ```text
//! cargo bench --bench screen
//! ```

#![expect(clippy::print_stdout, reason = "its output is what it is for")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up is to stop")]

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use hoist::config::Environment;
use hoist::engine::{ContainerId, Sample, Status};
use hoist::internals::command::World;
use hoist::internals::tui::containers::model::ContainerRow;
use hoist::internals::tui::event::{Event, Listed};
use hoist::internals::tui::keymap::Keymap;
use hoist::internals::tui::model::Model;
use hoist::internals::tui::terminal::Screens;
use hoist::internals::tui::theme::{Depth, Theme};
use hoist::internals::tui::update::update;
use hoist::internals::tui::view;
use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

/// The size of the terminal in columns and rows.
const SIZE: (u16, u16) = (200, 60);

/// The number of containers in the list.
const COUNT: usize = 10_000;

/// The number of measurements per step.
const TIMES: usize = 200;

fn now() -> Timestamp {
    Timestamp::from_second(1_795_356_000).unwrap()
}

fn row(number: usize) -> ContainerRow {
    let status = if number.is_multiple_of(3) { Status::Exited } else { Status::Running };
    ContainerRow {
        id: format!("{number:064x}").parse::<ContainerId>().unwrap(),
        name: format!("service-{number}"),
        image: format!("registry.example/team/app-{}:2.4.1", number % 37),
        damaged: None,
        status,
        exit_code: u8::try_from(number % 3).unwrap_or(0),
        oom_killed: false,
        error: String::new(),
        ended_by_hand: false,
        has_terminal: false,
        restarts: 0,
        created: now() - SignedDuration::from_hours(5),
        started: Some(now() - SignedDuration::from_mins(192)),
        finished: None,
        command: "sh -c 'exec app'".to_owned(),
        again: ["run", "-d", "app"].map(str::to_owned).to_vec(),
        busy: None,
        left: None,
        auto_remove: false,
        stop_timeout: 10,
        labels: Vec::new(),
        image_id: String::new(),
        project: format!("project-{}", number % 100),
        network: "bridge".to_owned(),
        address: String::new(),
        ports: Vec::new(),
        used: None,
    }
}

fn model(count: usize) -> Model {
    let environment = Environment::default();
    let world = World { environment, folder: "/".into(), read: |_| Ok(String::new()) };
    let keymap = Arc::new(Keymap::read(None).unwrap());
    let theme = Theme::shipped("midnight", Depth::True).unwrap();
    let mut model = Model::new(keymap, theme, Depth::True, world, now());
    update(&mut model, Event::Resize(SIZE.0, SIZE.1));
    update(&mut model, Event::List(Ok(Listed::Containers((0..count).map(row).collect()))));
    model
}

/// A terminal that writes into memory.
struct Page {
    terminal: Terminal<CrosstermBackend<Counter>>,
    written: Arc<AtomicUsize>,
}

/// Counts the bytes written, like a terminal that accepts everything at once.
struct Counter(Arc<AtomicUsize>);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.fetch_add(bytes.len(), Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Page {
    fn new() -> Self {
        let options = ratatui::TerminalOptions {
            viewport: ratatui::Viewport::Fixed(ratatui::layout::Rect::new(0, 0, SIZE.0, SIZE.1)),
        };
        let written = Arc::default();
        let backend = CrosstermBackend::new(Counter(Arc::clone(&written)));
        let terminal = Terminal::with_options(backend, options).unwrap();
        Self { terminal, written }
    }

    /// Draws a frame, and returns the bytes written.
    fn draw(&mut self, model: &Model, screens: &Screens) -> usize {
        self.terminal.draw(|frame| view::draw(frame, model, screens)).unwrap();
        self.written.swap(0, Ordering::Relaxed)
    }
}

fn key(code: KeyCode) -> Event {
    Event::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

/// Runs `step` repeatedly, and prints the cost of a frame for update and drawing.
fn measure(name: &str, model: &mut Model, mut step: impl FnMut(&mut Model, usize)) {
    let (mut page, screens) = (Page::new(), Screens::default());
    page.draw(model, &screens);
    let (mut updates, mut draws) = (Vec::new(), Vec::new());
    let (mut written, mut count, mut bytes) = (0, 0, 0);
    for time in 0..TIMES {
        let begin = Instant::now();
        step(model, time);
        updates.push(begin.elapsed());
        let begin = Instant::now();
        let allocated = allocation_counter::measure(|| written += page.draw(model, &screens));
        draws.push(begin.elapsed());
        count += allocated.count_total;
        bytes += allocated.bytes_total;
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1e6
    };
    let (update, draw) = (median(&mut updates), median(&mut draws));
    let times = u64::try_from(TIMES).unwrap_or(1);
    println!(
        "{name:<44} {update:>8.0} µs {draw:>8.0} µs {:>8} {:>8} KiB {:>8} B",
        count / times,
        bytes / times / 1024,
        written / TIMES,
    );
}

fn main() {
    println!(
        "{:<44} {:>11} {:>11} {:>8} {:>12} {:>10}",
        "a frame at 200x60", "update", "draw", "allocs", "allocated", "written"
    );
    let mut few = model(20);
    measure("20 containers, nothing changes", &mut few, |_, _| {});
    let mut many = model(COUNT);
    measure("10,000 containers, nothing changes", &mut many, |_, _| {});
    measure("10,000 containers, a row down", &mut many, |model, _| {
        update(model, key(KeyCode::Char('j')));
    });
    measure("10,000 containers, a page down", &mut many, |model, _| {
        update(model, key(KeyCode::PageDown));
    });
    measure("10,000 containers, one changes", &mut many, |model, time| {
        let mut changed = row(time * 7);
        changed.status = Status::Paused;
        update(model, Event::Container(changed.id.clone(), Some(Box::new(changed))));
    });
    measure("10,000 containers, a sample of one", &mut many, |model, time| {
        let sample = Sample {
            time: now() + SignedDuration::from_secs(i64::try_from(time).unwrap_or(0)),
            cpu_nanos: u64::try_from(time).unwrap_or(0) * 300_000_000,
            memory: 64 << 20,
            ..Sample::default()
        };
        update(model, Event::Sample(row(1).id, Box::new(sample)));
    });
    update(&mut many, key(KeyCode::BackTab));
    measure("10,000 containers, a line of the navigator", &mut many, |model, _| {
        update(model, key(KeyCode::Char('j')));
    });
    measure("10,000 containers, one is named otherwise", &mut many, |model, time| {
        let mut changed = row(time * 7);
        changed.name.push('x');
        update(model, Event::Container(changed.id.clone(), Some(Box::new(changed))));
    });
    update(&mut many, key(KeyCode::Esc));
    update(&mut many, key(KeyCode::Char('/')));
    measure("10,000 containers, a letter of a filter", &mut many, |model, time| {
        let letter = if time % 8 == 7 { KeyCode::Backspace } else { KeyCode::Char('1') };
        update(model, key(letter));
    });
}
