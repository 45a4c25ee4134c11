//! What the detail pane holds: a log, a text, a list of processes.

use std::collections::HashMap;

use jiff::Timestamp;

use super::log::{LogStore, contains};
use super::{Failure, Subject};
use crate::engine::{ContainerId, LogRecord, ProcessRow, Stream, Top};

/// A log on the screen.
#[derive(Debug, Default)]
pub struct LogPane {
    of: Option<(ContainerId, Option<Timestamp>)>,
    /// Records told with another number belong to what was shown before.
    pub serial: u64,
    /// The lines.
    pub store: LogStore,
    /// The number of the line at the top while it does not follow.
    pub top: u64,
    /// Not the newest lines are shown, but those at `top`.
    pub is_paused: bool,
    /// The number after the last line when it was paused.
    pub seen: u64,
    /// Columns to the left of the window.
    pub left: usize,
    /// Long lines go on in the next row.
    pub wraps: bool,
    /// How times are shown.
    pub times: Times,
    /// Only lines of this stream.
    pub stream: Option<Stream>,
    /// What is searched for.
    pub search: String,
    /// The line of the last match.
    pub hit: Option<u64>,
    /// Rows of the window.
    pub height: u64,
    /// The driver has it open.
    pub is_open: bool,
    /// Everything there is has come.
    pub is_over: bool,
    /// Why it could not be read.
    pub failure: Option<Failure>,
}

/// How a log's times are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Times {
    #[default]
    Off,
    Clock,
    Ago,
}

impl LogPane {
    /// A pane whose serials begin with this one.
    #[must_use]
    pub fn new(serial: u64) -> Self {
        Self { serial, ..Self::default() }
    }

    /// Shows the log of `container` as started then; what was shown of another one goes.
    pub fn show(&mut self, container: Option<(ContainerId, Option<Timestamp>)>) {
        if self.of == container {
            return;
        }
        let other = self.of.as_ref().map(|(id, _)| id) != container.as_ref().map(|(id, _)| id);
        self.of = container;
        self.serial += 1;
        self.store = LogStore::default();
        self.is_over = false;
        self.failure = None;
        self.follow();
        if other {
            self.search.clear();
            self.left = 0;
        }
    }

    /// Takes records in.
    pub fn take(&mut self, records: &[LogRecord]) {
        let wanted = |record: &&LogRecord| self.stream.is_none_or(|stream| record.stream == stream);
        for record in records.iter().filter(wanted) {
            self.store.push(record);
        }
    }

    /// Empties the view and begins anew with the log's end.
    pub fn restart(&mut self) {
        self.serial += 1;
        self.store = LogStore::default();
        self.is_over = false;
        self.follow();
    }

    /// Empties the view; what comes is shown.
    pub fn clear(&mut self) {
        self.store = LogStore::default();
        self.follow();
    }

    /// Shows the newest lines, and goes on doing so.
    pub fn follow(&mut self) {
        self.is_paused = false;
        self.hit = None;
    }

    /// Stays where it is.
    pub fn pause(&mut self) {
        if !self.is_paused {
            self.is_paused = true;
            self.seen = self.store.end();
            self.top = self.bottom_top();
        }
    }

    /// Moves so many lines; upwards it stops following.
    pub fn scroll(&mut self, by: i64) {
        if by < 0 || self.is_paused {
            self.pause();
            self.top = self.top.saturating_add_signed(by);
        }
    }

    /// Goes to the next match, upwards or downwards. Gives whether there is one.
    pub fn next_match(&mut self, up: bool) -> bool {
        let from = match (self.hit, up) {
            (Some(0), true) => return false,
            (Some(hit), true) => hit - 1,
            (Some(hit), false) => hit + 1,
            (None, true) => self.store.end(),
            (None, false) if self.is_paused => self.top,
            (None, false) => self.store.first(),
        };
        let needle = self.search.clone();
        let hit = self.store.find(from, up, |line| contains(line.bytes, &needle));
        if let Some(hit) = hit {
            self.pause();
            self.hit = Some(hit);
            if hit < self.top || hit >= self.top + self.height {
                self.top = hit.saturating_sub(self.height / 2);
            }
        }
        hit.is_some()
    }

    /// How many lines came since it was paused.
    #[must_use]
    pub fn unseen(&self) -> u64 {
        if self.is_paused { self.store.end().saturating_sub(self.seen) } else { 0 }
    }

    /// The top line when the newest are shown.
    fn bottom_top(&self) -> u64 {
        self.store.end().saturating_sub(self.height).max(self.store.first())
    }

    /// Keeps the window within the lines.
    pub fn clamp(&mut self, height: usize) {
        self.height = height as u64;
        let last = self.bottom_top();
        self.top = self.top.clamp(self.store.first().min(last), last);
    }
}

/// A text on the screen.
#[derive(Debug, Default)]
pub struct TextPane {
    of: Option<(Subject, u64)>,
    /// A text told with another number belongs to what was shown before.
    pub serial: u64,
    /// Its lines; `None` until it is there.
    pub lines: Option<Vec<String>>,
    /// The line at the top.
    pub top: usize,
    /// Columns to the left of the window.
    pub left: usize,
    /// What is searched for.
    pub search: String,
    /// The line of the last match.
    pub hit: Option<usize>,
    /// Rows of the window.
    pub height: usize,
    /// Why it could not be read.
    pub failure: Option<Failure>,
}

impl TextPane {
    /// A pane whose serials begin with this one.
    #[must_use]
    pub fn new(serial: u64) -> Self {
        Self { serial, ..Self::default() }
    }

    /// Shows `subject` at a version; the text of the same subject stays until the new one is there.
    pub fn show(&mut self, subject: Option<(Subject, u64)>) {
        if self.of == subject {
            return;
        }
        if self.of.as_ref().map(|(of, _)| of) != subject.as_ref().map(|(of, _)| of) {
            *self = Self { serial: self.serial, height: self.height, ..Self::default() };
        }
        self.of = subject;
        self.serial += 1;
    }

    /// Moves so many lines.
    pub fn scroll(&mut self, by: i64) {
        self.top = self.top.saturating_add_signed(isize::try_from(by).unwrap_or(isize::MAX));
    }

    /// Goes to the next match, upwards or downwards. Gives whether there is one.
    pub fn next_match(&mut self, up: bool) -> bool {
        let lines = self.lines.as_deref().unwrap_or_default();
        let fits = |at: &usize| lines.get(*at).is_some_and(|line| contains(line.as_bytes(), &self.search));
        let hit = match (self.hit, up) {
            (Some(hit), true) => (0..hit).rev().find(fits),
            (Some(hit), false) => (hit + 1..lines.len()).find(fits),
            (None, true) => (0..lines.len()).rev().find(fits),
            (None, false) => (self.top..lines.len()).chain(0..self.top).find(fits),
        };
        if let Some(hit) = hit {
            self.hit = Some(hit);
            if hit < self.top || hit >= self.top + self.height {
                self.top = hit.saturating_sub(self.height / 2);
            }
        }
        hit.is_some()
    }

    /// Keeps the window within the lines.
    pub fn clamp(&mut self, height: usize) {
        self.height = height;
        let lines = self.lines.as_ref().map_or(0, Vec::len);
        self.top = self.top.min(lines.saturating_sub(height));
    }
}

/// A container's processes on the screen.
#[derive(Debug, Default)]
pub struct TopPane {
    /// Whose they are.
    pub of: Option<ContainerId>,
    /// The processes, parents first, each with its percent of one CPU.
    pub rows: Vec<(ProcessRow, Option<f64>)>,
    read: Option<Timestamp>,
    /// The line at the top.
    pub top: usize,
    /// Columns to the left of the window.
    pub left: usize,
    /// Why they could not be read.
    pub failure: Option<Failure>,
}

impl TopPane {
    /// Takes the processes as they are at `now`.
    pub fn take(&mut self, of: ContainerId, top: Top, now: Timestamp) {
        let same = self.of.as_ref() == Some(&of);
        let before: HashMap<u32, f64> =
            self.rows.iter().filter(|_| same).map(|(row, _)| (row.pid, row.cpu_secs)).collect();
        let seconds = self.read.map(|read| now.duration_since(read).as_secs_f64());
        let percent = |row: &ProcessRow| {
            let was = before.get(&row.pid)?;
            let seconds = seconds.filter(|seconds| *seconds > 0.1)?;
            Some((row.cpu_secs - was).max(0.0) / seconds * 100.0)
        };
        self.rows =
            top.processes.into_iter().map(|row| (percent(&row), row)).map(|(p, row)| (row, p)).collect();
        (self.of, self.read, self.failure) = (Some(of), Some(now), None);
    }

    /// Moves so many lines.
    pub fn scroll(&mut self, by: i64) {
        self.top = self.top.saturating_add_signed(isize::try_from(by).unwrap_or(isize::MAX));
    }

    /// Keeps the window within the lines; one is the heading.
    pub fn clamp(&mut self, height: usize) {
        self.top = self.top.min(self.rows.len().saturating_sub(height.saturating_sub(1)));
    }
}
