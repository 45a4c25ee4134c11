//! Background tasks and terminals, which continue while they are hidden.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use unicode_width::UnicodeWidthStr;

use crate::command::Request;
use crate::engine::{ContainerId, ExecView, Phase, Progress};
use crate::tui::effect::{Job, Line, Program, Target};
use crate::tui::failure::Failure;
use crate::tui::list::columns::Column;
use crate::tui::list::filter::Field;
use crate::tui::list::rows::{Row, natural};
use crate::tui::section::TaskId;

/// A task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRow {
    /// Its number.
    pub id: TaskId,
    /// The number as its key in the list.
    pub key: String,
    /// `pull debian:13`, `web: sh`.
    pub title: String,
    /// When it started.
    pub since: Timestamp,
    /// When it ended.
    pub until: Option<Timestamp>,
    /// Its state.
    pub state: TaskState,
    /// What it does.
    pub what: What,
    /// The job, for a retry.
    pub job: Option<Job>,
    /// The output of a program.
    pub said: Said,
    /// The transfer rate.
    pub pace: Pace,
}

/// The state of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskState {
    /// Running.
    Live,
    /// Cancellation was requested.
    Stopping,
    /// Finished successfully, with a message.
    Done(String),
    /// Cancelled.
    Cancelled,
    /// Failed.
    Failed(Failure),
}

/// What a task does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A terminal.
    Session(Box<Session>),
    /// A job of the engine.
    Work(Work),
}

/// A terminal, or a command in a container that has none here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What it runs, and where.
    pub target: Target,
    /// The container that a program of this machine is about.
    about: Option<ContainerId>,
    /// The command in the container, once it is known.
    pub exec: Option<ExecView>,
    /// Whether hoist shows its terminal. Without it, the command runs on unseen.
    pub is_attached: bool,
    /// Whether the user knows that Ctrl-c may end the container's main program.
    pub is_warned: bool,
    /// Its number among sessions of the same name, which it keeps. The first one does not show it.
    pub number: usize,
}

impl Session {
    /// Returns the terminal of a program in a container.
    #[must_use]
    pub fn inside(container: ContainerId, program: Program) -> Self {
        let is_warned = program != Program::Attach;
        let target = Target::In(container, program);
        Self { target, about: None, exec: None, is_attached: true, is_warned, number: 1 }
    }

    /// Returns the terminal of a program of this machine, which may be about a container.
    #[must_use]
    pub fn on_host(line: Line, about: Option<ContainerId>) -> Self {
        Self { target: Target::Host(line), about, exec: None, is_attached: true, is_warned: true, number: 1 }
    }

    /// Returns a command that was found running in a container.
    #[must_use]
    pub fn found(exec: ExecView) -> Self {
        let target = Target::In(exec.container.clone(), Program::Running(exec.id.clone()));
        Self { target, about: None, exec: Some(exec), is_attached: false, is_warned: true, number: 1 }
    }

    /// Returns the container that has it as a tab.
    #[must_use]
    pub fn container(&self) -> Option<&ContainerId> {
        match &self.target {
            Target::In(container, _) => Some(container),
            Target::Host(_) => self.about.as_ref(),
        }
    }

    /// Whether it shows the container's main program.
    #[must_use]
    pub fn is_main(&self) -> bool {
        matches!(self.target, Target::In(_, Program::Attach | Program::Start))
    }

    /// Whether it is a program of this machine, which ends with its terminal.
    #[must_use]
    pub fn is_on_host(&self) -> bool {
        matches!(self.target, Target::Host(_))
    }

    /// Whether hoist started its program, and so can start it again.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        !matches!(self.target, Target::In(_, Program::Running(_)))
    }

    /// Whether its program may change something when it gets keys.
    #[must_use]
    pub fn may_change(&self) -> bool {
        match &self.target {
            Target::Host(line) => !line.is_read_only,
            Target::In(..) => true,
        }
    }

    /// Whether hoist has started it and does not know its id yet.
    #[must_use]
    pub fn is_opening(&self) -> bool {
        self.exec.is_none() && !self.is_main() && !self.is_on_host()
    }

    /// Whether it has a terminal that can be shown.
    #[must_use]
    pub fn has_terminal(&self) -> bool {
        self.is_attached || self.exec.as_ref().is_some_and(|exec| exec.tty)
    }
}

/// The progress of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// The layers, in the order of their first report.
    pub parts: Vec<Part>,
    /// The last messages.
    pub notes: VecDeque<String>,
    /// The number of messages that were dropped.
    pub dropped: usize,
}

/// A layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The id, 12 hex digits.
    pub id: String,
    /// The current phase.
    pub phase: Phase,
    /// The number of bytes processed in this phase.
    pub current: u64,
    /// The number of bytes in this phase.
    pub total: Option<u64>,
    /// The number of bytes to download, if known.
    pub size: Option<u64>,
}

/// The last lines of a program's output, within limits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    lines: VecDeque<String>,
    /// An unfinished last line.
    rest: Vec<u8>,
    bytes: usize,
    /// The number of lines that were dropped.
    pub dropped: usize,
}

/// The maximum number of messages of a job that are kept.
const NOTES: usize = 200;
/// The maximum number of lines that are kept of a program's output.
const LINES: usize = 10_000;
/// The maximum number of bytes that are kept of a program's output.
const BYTES: usize = 2 << 20;
/// The maximum length of a line in bytes: as much as can be shown of one. Longer lines are broken.
const LINE: usize = crate::base::output::LONGEST;

impl Said {
    /// Adds output.
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

    /// Ends an unfinished line.
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

    /// Returns the finished lines.
    #[must_use]
    pub fn lines(&self) -> &VecDeque<String> {
        &self.lines
    }
}

/// The number of transferred bytes over time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pace {
    points: VecDeque<(Timestamp, u64)>,
}

/// The maximum number of points.
const POINTS: usize = 32;
/// The minimum time between two points.
const STEP: SignedDuration = SignedDuration::from_millis(250);

impl Pace {
    /// Records the number of bytes at a time.
    pub fn take(&mut self, now: Timestamp, bytes: u64) {
        if self.points.back().is_some_and(|(then, _)| now.duration_since(*then) < STEP) {
            return;
        }
        self.points.push_back((now, bytes));
        if self.points.len() > POINTS {
            self.points.pop_front();
        }
    }

    /// Returns the rate between each two points, in bytes per second.
    #[must_use]
    pub fn rates(&self) -> Vec<f64> {
        let pairs = self.points.iter().zip(self.points.iter().skip(1));
        pairs.map(|(a, b)| rate(a, b)).collect()
    }

    /// Returns the recent rate, in bytes per second.
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
    /// Returns a task that starts at `since`.
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

    /// Returns its output so far, and how it ended.
    #[must_use]
    pub fn output_lines(&self) -> Vec<&str> {
        let notes: Option<&VecDeque<String>> = match &self.what {
            What::Work(work) => Some(&work.notes),
            What::Session(_) => None,
        };
        let mut words: Vec<&str> = notes.into_iter().flatten().map(String::as_str).collect();
        words.extend(self.said.lines.iter().map(String::as_str));
        // The output of hoist's own program needs no summary.
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

    /// Returns the number of lines before [`Self::output_lines`] that were dropped.
    #[must_use]
    pub fn dropped_lines(&self) -> usize {
        let notes = match &self.what {
            What::Work(work) => work.dropped,
            What::Session(_) => 0,
        };
        notes + self.said.dropped
    }

    /// Returns the terminal, if the task is one.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        match &self.what {
            What::Session(session) => Some(session),
            What::Work(_) => None,
        }
    }

    /// Like [`Self::session`], but mutable.
    pub fn session_mut(&mut self) -> Option<&mut Session> {
        match &mut self.what {
            What::Session(session) => Some(session),
            What::Work(_) => None,
        }
    }

    /// Whether hoist shows the terminal of its running program.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.is_over() && self.session().is_some_and(|session| session.is_attached)
    }

    /// Whether it was started elsewhere, or left behind, and runs on unseen.
    #[must_use]
    pub fn is_unseen(&self) -> bool {
        self.session().is_some_and(|session| !session.is_attached)
    }

    /// Returns the state as the list shows it.
    #[must_use]
    pub fn state_text(&self) -> Cow<'_, str> {
        match (&self.state, &self.what) {
            (TaskState::Live, What::Session(session)) if !session.is_attached => "running".into(),
            (TaskState::Live, What::Session(_)) => "open".into(),
            (TaskState::Live, What::Work(work)) => match work.done() {
                Some(done) => format!("{}%", done / 10).into(),
                None => "working".into(),
            },
            (TaskState::Stopping, _) => "cancelling…".into(),
            (TaskState::Done(text), What::Session(_)) => text.into(),
            (TaskState::Done(_), What::Work(_)) => "done".into(),
            (TaskState::Cancelled, _) => "cancelled".into(),
            (TaskState::Failed(_), _) => "failed".into(),
        }
    }

    /// Whether it can be started again: it has ended, and hoist started it.
    #[must_use]
    pub fn can_be_retried(&self) -> bool {
        self.is_over() && !self.has_written() && self.session().map_or(self.job.is_some(), Session::is_ours)
    }

    /// Whether it has written a file that it would not overwrite.
    #[must_use]
    pub fn has_written(&self) -> bool {
        matches!((&self.job, &self.state), (Some(Job::Write(..)), TaskState::Done(_)))
    }

    /// Whether the task creates an image.
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

    /// Whether the task has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, TaskState::Done(_) | TaskState::Cancelled | TaskState::Failed(_))
    }
}

impl Row for TaskRow {
    fn key(&self) -> &str {
        &self.key
    }

    fn words(&self, shows: &dyn Fn(Column) -> bool) -> Vec<Cow<'_, str>> {
        let values = [(Column::Task, self.title.as_str().into()), (Column::State, self.state_text())];
        values.into_iter().filter(|(column, _)| shows(*column)).map(|(_, value)| value).collect()
    }

    fn any(&self, field: Field, test: &dyn Fn(&str) -> bool) -> bool {
        match field {
            Field::Name => test(&self.title),
            Field::Status => test(&self.state_text()),
            _ => false,
        }
    }

    fn moment(&self, column: Column) -> Option<Timestamp> {
        (column == Column::Spent && self.until.is_none()).then_some(self.since)
    }

    fn width(&self, column: Column) -> usize {
        match column {
            Column::Task => self.title.width(),
            Column::State => self.state_text().width(),
            _ => 0,
        }
    }

    fn compare(&self, other: &Self, column: Column) -> Ordering {
        // Running tasks have no end; the earliest has run the longest.
        let spent = |row: &Self| row.until.map(|until| until.duration_since(row.since));
        match column {
            Column::Task => natural(&self.title, &other.title),
            Column::State => natural(&self.state_text(), &other.state_text()),
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
        if self.notes.len() > NOTES {
            self.notes.pop_front();
            self.dropped += 1;
        }
    }

    /// Applies a progress report.
    pub fn take(&mut self, news: Progress) {
        match news {
            Progress::Note(line) => self.note(line),
            Progress::Warning(what) => self.note(format!("WARNING: {what}")),
            Progress::Part { id, phase, current, total } => {
                let is_whole =
                    matches!(phase, Phase::Waiting | Phase::Downloading | Phase::Exists | Phase::Writing);
                let size = total.filter(|_| is_whole);
                let part = Part { id, phase, current, total, size };
                match self.parts.iter_mut().find(|old| old.id == part.id) {
                    Some(old) => *old = Part { size: part.size.or(old.size), ..part },
                    None => self.parts.push(part),
                }
            }
        }
    }

    /// Returns the number of downloaded bytes, and the number of bytes to download as far as it is
    /// known.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        let parts = self.parts.iter().filter(|part| part.phase != Phase::Exists);
        parts.fold((0, 0), |(done, all), part| {
            let size = part.size.unwrap_or(0);
            let current = match part.phase {
                Phase::Waiting | Phase::Retrying => 0,
                Phase::Downloading | Phase::Writing => part.current,
                _ => size,
            };
            (done + current, all + size.max(current))
        })
    }

    /// Returns the progress in thousandths. Downloading and unpacking each count as half of a
    /// layer.
    #[must_use]
    pub fn done(&self) -> Option<u64> {
        let parts = u64::try_from(self.parts.len()).ok().filter(|count| *count > 0)?;
        Some(self.parts.iter().map(Part::done).sum::<u64>() / parts)
    }
}

impl Part {
    /// Returns the progress of the layer in thousandths.
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
            Phase::Writing => 2 * share,
            Phase::Exists | Phase::Done => 1000,
        }
    }
}

/// The page that shows a task's progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgressPage {
    /// The task.
    pub id: TaskId,
    /// Whether the image will be run afterwards.
    pub runs: bool,
}

/// The page that shows a task's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputPage {
    /// The task.
    pub id: TaskId,
    /// The row at the top; `None` follows the end.
    pub top: Option<RowPlace>,
    /// The number of columns that are scrolled off to the left, of lines that are not wrapped.
    pub left: usize,
    /// Whether long lines wrap.
    pub wraps: bool,
}

/// The place of a row of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowPlace {
    /// The number of lines before it, with those that were dropped.
    pub line: usize,
    /// The number of rows of its line above it.
    pub skip: usize,
}

impl RowPlace {
    /// Returns the place of the first row of a line.
    #[must_use]
    pub fn line(line: usize) -> Self {
        Self { line, skip: 0 }
    }
}

impl OutputPage {
    /// Returns a page that follows the output of a task.
    #[must_use]
    pub fn new(id: TaskId) -> Self {
        Self { id, top: None, left: 0, wraps: true }
    }
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
    fn a_file_that_is_written_is_no_layer() {
        let mut work = Work::default();
        let (id, phase) = ("log".to_owned(), Phase::Writing);
        work.take(Progress::Part { id, phase, current: 30, total: Some(40) });
        assert_eq!((work.done(), work.bytes()), (Some(750), (30, 40)));
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
