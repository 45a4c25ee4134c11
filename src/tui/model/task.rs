//! Work in the background, and terminals: what goes on when nobody looks.

use std::cmp::Ordering;
use std::collections::VecDeque;

use jiff::Timestamp;

use super::Failure;
use super::columns::Column;
use super::filter::Field;
use super::rows::{Row, natural};
use crate::engine::{ContainerId, Phase, Progress};

/// The number of a task, never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub u64);

impl TaskId {
    /// Its key in the list.
    #[must_use]
    pub fn key(self) -> String {
        format!("{}", self.0)
    }
}

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
    /// Of so many.
    pub total: Option<u64>,
}

impl TaskRow {
    /// A task that begins at this moment.
    #[must_use]
    pub fn new(id: TaskId, title: String, since: Timestamp, what: What) -> Self {
        Self { id, key: id.key(), title, since, until: None, state: TaskState::Live, what }
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
            TaskState::Failed(_) => "failed",
        }
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, TaskState::Done(_) | TaskState::Failed(_))
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
    /// Takes in one piece of news.
    pub fn take(&mut self, news: Progress) {
        match news {
            Progress::Note(line) => {
                self.notes.push_back(line);
                if self.notes.len() > 200 {
                    self.notes.pop_front();
                }
            }
            Progress::Part { id, phase, current, total } => {
                let part = Part { id, phase, current, total };
                match self.parts.iter_mut().find(|old| old.id == part.id) {
                    Some(old) => *old = part,
                    None => self.parts.push(part),
                }
            }
        }
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
