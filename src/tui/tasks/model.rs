//! Work in the background, and terminals: what goes on when nobody looks.

use std::cmp::Ordering;
use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::command::Request;
use crate::engine::{ContainerId, Phase, Progress};
use crate::tui::effect::Job;
use crate::tui::failure::Failure;
use crate::tui::list::columns::Column;
use crate::tui::list::filter::Field;
use crate::tui::list::rows::{Row, natural};
use crate::tui::section::TaskId;

/// One task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRow {
    /// Its number.
    pub id: TaskId,
    /// The same as its key in the list.
    pub key: String,
    /// `pull debian:13`, `web: sh`.
    pub title: String,
    /// When it began.
    pub since: Timestamp,
    /// When it ended.
    pub until: Option<Timestamp>,
    /// How it is.
    pub state: TaskState,
    /// What it is.
    pub what: What,
    /// The work, to do it again.
    pub job: Option<Job>,
    /// What a program printed for it.
    pub said: Said,
    /// How fast it is.
    pub pace: Pace,
}

/// How a task is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskState {
    /// Going on.
    Live,
    /// Asked to stop.
    Stopping,
    /// Ended as it should, with a word about it.
    Done(String),
    /// Ended because it was asked to.
    Cancelled,
    /// Ended otherwise.
    Failed(Failure),
}

/// What a task is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A terminal of a container.
    Session(ContainerId),
    /// Work of the engine.
    Work(Work),
}

/// What is known of work that goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// Layers, in the order they were first told of.
    pub parts: Vec<Part>,
    /// The last lines for people.
    pub notes: VecDeque<String>,
}

/// A layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Twelve hex digits.
    pub id: String,
    /// What it is at.
    pub phase: Phase,
    /// Bytes of this phase that are done.
    pub current: u64,
    /// Out of this many.
    pub total: Option<u64>,
    /// Bytes to fetch, where that was told.
    pub size: Option<u64>,
}

/// Lines that a program printed: the last ones, as many as there is room for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    lines: VecDeque<String>,
    /// What came behind the last line's end.
    rest: Vec<u8>,
    bytes: usize,
    /// Lines that made room for others.
    pub dropped: usize,
}

/// How many lines of one program are kept.
const LINES: usize = 10_000;
/// How many bytes of one program are kept.
const BYTES: usize = 2 << 20;
/// A longer line is broken.
const LINE: usize = 16 << 10;

impl Said {
    /// Takes in what was printed.
    pub fn take(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            for piece in part.chunks(LINE) {
                self.rest.extend_from_slice(piece);
                if piece.ends_with(b"\n") || self.rest.len() >= LINE {
                    self.end_line();
                }
            }
        }
    }

    /// Ends a line that was left open.
    pub fn end(&mut self) {
        if !self.rest.is_empty() {
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        let bytes = std::mem::take(&mut self.rest);
        let line = String::from_utf8_lossy(&bytes);
        let line = line.trim_end_matches(['\n', '\r']).to_owned();
        self.bytes += line.len();
        self.lines.push_back(line);
        while self.lines.len() > LINES || self.bytes > BYTES {
            let Some(line) = self.lines.pop_front() else { break };
            self.bytes -= line.len();
            self.dropped += 1;
        }
    }

    /// The lines, without one that is still open.
    #[must_use]
    pub fn lines(&self) -> &VecDeque<String> {
        &self.lines
    }
}

/// How many bytes were there at which moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pace {
    points: VecDeque<(Timestamp, u64)>,
}

/// Moments that are kept.
const POINTS: usize = 32;
/// Time between two of them.
const STEP: SignedDuration = SignedDuration::from_millis(250);

impl Pace {
    /// How many bytes there are at this moment.
    pub fn take(&mut self, now: Timestamp, bytes: u64) {
        if self.points.back().is_some_and(|(then, _)| now.duration_since(*then) < STEP) {
            return;
        }
        self.points.push_back((now, bytes));
        if self.points.len() > POINTS {
            self.points.pop_front();
        }
    }

    /// Bytes a second between each two moments.
    #[must_use]
    pub fn rates(&self) -> Vec<f64> {
        let pairs = self.points.iter().zip(self.points.iter().skip(1));
        pairs.map(|(a, b)| rate(a, b)).collect()
    }

    /// Bytes a second over the last moments.
    #[must_use]
    pub fn now(&self) -> Option<f64> {
        let last = self.points.back()?;
        let first = self.points.iter().rev().nth(8).or(self.points.front())?;
        Some(rate(first, last)).filter(|rate| *rate > 0.0)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(a: &(Timestamp, u64), b: &(Timestamp, u64)) -> f64 {
    let secs = b.0.duration_since(a.0).as_secs_f64();
    if secs > 0.0 { b.1.saturating_sub(a.1) as f64 / secs } else { 0.0 }
}

impl TaskRow {
    /// A task that begins at this moment.
    #[must_use]
    pub fn new(id: TaskId, title: String, since: Timestamp, what: What) -> Self {
        Self {
            id,
            key: id.key(),
            title,
            since,
            until: None,
            state: TaskState::Live,
            what,
            job: None,
            said: Said::default(),
            pace: Pace::default(),
        }
    }

    /// What it said so far, and how it ended.
    #[must_use]
    pub fn output_lines(&self) -> Vec<&str> {
        let notes: Option<&VecDeque<String>> = match &self.what {
            What::Work(work) => Some(&work.notes),
            What::Session(_) => None,
        };
        let mut words: Vec<&str> = notes.into_iter().flatten().map(String::as_str).collect();
        words.extend(self.said.lines.iter().map(String::as_str));
        // What hoist's own program printed stands for itself.
        let is_printed = matches!(self.job, Some(Job::Print(..)));
        match &self.state {
            TaskState::Done(text) if !is_printed => words.push(text),
            TaskState::Cancelled if !is_printed => words.push("cancelled"),
            TaskState::Failed(failure) => {
                words.push(&failure.what);
                words.extend(failure.why.iter().map(String::as_str));
                words.extend(failure.hint.as_deref());
            }
            _ => {}
        }
        words
    }

    /// The container, if it is a terminal.
    #[must_use]
    pub fn session(&self) -> Option<&ContainerId> {
        match &self.what {
            What::Session(container) => Some(container),
            What::Work(_) => None,
        }
    }

    /// How it is, in a word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.state {
            TaskState::Live => "live",
            TaskState::Stopping => "stopping",
            TaskState::Done(_) => "done",
            TaskState::Cancelled => "cancelled",
            TaskState::Failed(_) => "failed",
        }
    }

    /// Whether an image comes of it.
    #[must_use]
    pub fn makes_image(&self) -> bool {
        match &self.job {
            Some(Job::Request(request)) => {
                matches!(&**request, Request::Image(request) if request.makes_image())
            }
            Some(Job::FromHost(_)) => true,
            Some(Job::Print(..) | Job::SaveLog(_) | Job::Write(..) | Job::Copy(_) | Job::Delete(..))
            | None => false,
        }
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, TaskState::Done(_) | TaskState::Cancelled | TaskState::Failed(_))
    }
}

impl Row for TaskRow {
    fn key(&self) -> &str {
        &self.key
    }

    fn words(&self) -> Vec<&str> {
        vec![&self.title, self.word()]
    }

    fn any(&self, field: Field, test: &dyn Fn(&str) -> bool) -> bool {
        match field {
            Field::Name => test(&self.title),
            Field::Status => test(self.word()),
            _ => false,
        }
    }

    fn compare(&self, other: &Self, column: Column) -> Ordering {
        // What goes on has no end; who began first takes longest.
        let spent = |row: &Self| row.until.map(|until| until.duration_since(row.since));
        match column {
            Column::Task => natural(&self.title, &other.title),
            Column::State => self.word().cmp(other.word()),
            Column::Spent => match (spent(self), spent(other)) {
                (Some(one), Some(two)) => one.cmp(&two),
                (None, None) => other.since.cmp(&self.since),
                (one, two) => one.is_none().cmp(&two.is_none()),
            },
            _ => Ordering::Equal,
        }
    }
}

impl Work {
    fn note(&mut self, line: String) {
        self.notes.push_back(line);
        if self.notes.len() > 200 {
            self.notes.pop_front();
        }
    }

    /// Takes in one piece of news.
    pub fn take(&mut self, news: Progress) {
        match news {
            Progress::Note(line) => self.note(line),
            Progress::Warning(what) => self.note(format!("WARNING: {what}")),
            Progress::Part { id, phase, current, total } => {
                let fetches = matches!(phase, Phase::Waiting | Phase::Downloading | Phase::Exists);
                let size = total.filter(|_| fetches);
                let part = Part { id, phase, current, total, size };
                match self.parts.iter_mut().find(|old| old.id == part.id) {
                    Some(old) => *old = Part { size: part.size.or(old.size), ..part },
                    None => self.parts.push(part),
                }
            }
        }
    }

    /// Bytes that were fetched, and bytes to fetch as far as they are known.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        let parts = self.parts.iter().filter(|part| part.phase != Phase::Exists);
        parts.fold((0, 0), |(done, all), part| {
            let size = part.size.unwrap_or(0);
            let current = match part.phase {
                Phase::Waiting | Phase::Retrying => 0,
                Phase::Downloading => part.current,
                _ => size,
            };
            (done + current, all + size.max(current))
        })
    }

    /// How much is done, of 1000. Downloading counts as half of a layer, unpacking as the other.
    #[must_use]
    pub fn done(&self) -> Option<u64> {
        let parts = u64::try_from(self.parts.len()).ok().filter(|count| *count > 0)?;
        Some(self.parts.iter().map(Part::done).sum::<u64>() / parts)
    }
}

impl Part {
    /// How much of the layer is done, of 1000.
    #[must_use]
    pub fn done(&self) -> u64 {
        let share = match self.total {
            Some(total) if total > 0 => self.current.min(total).saturating_mul(500) / total,
            _ => 0,
        };
        match self.phase {
            Phase::Waiting | Phase::Retrying => 0,
            Phase::Downloading => share,
            Phase::Verifying => 500,
            Phase::Extracting => 500 + share,
            Phase::Exists | Phase::Done => 1000,
        }
    }
}

/// A task whose progress is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgressPage {
    /// Which.
    pub id: TaskId,
    /// The image it makes is run then.
    pub runs: bool,
}

/// A task whose words are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputPage {
    /// Which.
    pub id: TaskId,
    /// The line at the top; `None` follows the end.
    pub top: Option<usize>,
    /// Columns scrolled away.
    pub left: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_comes_in_pieces_and_only_the_end_is_kept() {
        let mut said = Said::default();
        for piece in [&b"one\ntw"[..], b"o\r\n", b"\xff", b"three"] {
            said.take(piece);
        }
        assert_eq!(said.lines(), &["one", "two"]);
        said.end();
        assert_eq!(said.lines().len(), 3);
        (0..LINES).for_each(|at| said.take(format!("{at}\n").as_bytes()));
        assert_eq!((said.lines().len(), said.dropped), (LINES, 3));
        said.take(&vec![b'x'; 3 * LINE]);
        assert!(said.lines().iter().all(|line| line.len() <= 2 * LINE));
        (0..4).for_each(|_| said.take(&vec![b'y'; BYTES / 2]));
        assert!(said.bytes <= BYTES);
    }

    #[test]
    fn a_pace_is_what_came_between_moments() {
        let moment = |millis: i64| Timestamp::from_millisecond(millis).unwrap();
        let mut pace = Pace::default();
        for (millis, bytes) in [(0, 0), (100, 5), (500, 500), (1000, 1500)] {
            pace.take(moment(millis), bytes);
        }
        assert_eq!(pace.rates(), [1000.0, 2000.0]);
        assert_eq!(pace.now(), Some(1500.0));
        assert_eq!(Pace::default().now(), None);
    }

    #[test]
    fn bytes_are_those_that_are_fetched() {
        let mut work = Work::default();
        let part =
            |id: &str, phase, current, total| Progress::Part { id: id.to_owned(), phase, current, total };
        for news in [
            part("a", Phase::Exists, 0, Some(100)),
            part("b", Phase::Downloading, 30, Some(40)),
            part("c", Phase::Downloading, 10, Some(10)),
            part("c", Phase::Extracting, 1, Some(999)),
        ] {
            work.take(news);
        }
        assert_eq!(work.bytes(), (40, 50));
    }
}
