//! The lists and the objects in them, by name: what both are able to do says
//! [`sections`](super::sections).

use crate::engine::ContainerId;

/// Which list is shown.
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

/// What a pane, or a verb, is about.
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
    /// All of them, in the order of the tab line.
    pub const ALL: [Self; 7] = [
        Self::Containers,
        Self::Images,
        Self::Volumes,
        Self::Networks,
        Self::Tasks,
        Self::Events,
        Self::Trash,
    ];

    /// As the tab line names it.
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
    /// The list that it is found in.
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
