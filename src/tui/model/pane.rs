//! What the detail pane holds beside a log and charts: a text, a list of processes.

use std::collections::HashMap;

use jiff::Timestamp;

use super::log::contains;
use super::{Failure, Subject};
use crate::engine::{ContainerId, ProcessRow, Top};

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
