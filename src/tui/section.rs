//! Names of lists and of the objects in them. [`sections`](super::sections) defines what they can
//! do.

use crate::engine::ContainerId;

/// A list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Section {
    Containers,
    Images,
    Volumes,
    Networks,
    Tasks,
    Events,
    Trash,
}

/// An object that a pane shows or a verb applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the lists")]
pub enum Subject {
    Container(ContainerId),
    Image(String),
    Volume(String),
    Network(String),
    Task(TaskId),
    Trash(String),
}

impl Section {
    /// All lists, in the order of the tab line.
    pub const ALL: [Self; 7] = [
        Self::Containers,
        Self::Images,
        Self::Volumes,
        Self::Networks,
        Self::Tasks,
        Self::Events,
        Self::Trash,
    ];

    /// Returns the title in the tab line.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Containers => "Containers",
            Self::Images => "Images",
            Self::Volumes => "Volumes",
            Self::Networks => "Networks",
            Self::Tasks => "Tasks",
            Self::Events => "Events",
            Self::Trash => "Trash",
        }
    }
}

impl Subject {
    /// Returns the list that contains the object.
    #[must_use]
    pub fn section(&self) -> Section {
        match self {
            Self::Container(_) => Section::Containers,
            Self::Image(_) => Section::Images,
            Self::Volume(_) => Section::Volumes,
            Self::Network(_) => Section::Networks,
            Self::Task(_) => Section::Tasks,
            Self::Trash(_) => Section::Trash,
        }
    }
}

/// The number of a task, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub u64);

impl TaskId {
    /// Returns the task's key in the list.
    #[must_use]
    pub fn key(self) -> String {
        format!("{}", self.0)
    }
}
