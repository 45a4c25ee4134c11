//! What keys act on: the marked rows of the list that is shown, else the one under the cursor.

use super::rows::{ContainerRow, ImageRow, NetworkRow, Row, VolumeRow};
use super::table::Table;
use super::task::TaskRow;
use super::{Focus, Model, Section, Subject};

/// What a row is about.
trait About: Row {
    fn about(&self) -> Subject;
}

impl About for ContainerRow {
    fn about(&self) -> Subject {
        Subject::Container(self.id.clone())
    }
}

impl About for ImageRow {
    fn about(&self) -> Subject {
        Subject::Image(self.target().to_owned())
    }
}

impl About for VolumeRow {
    fn about(&self) -> Subject {
        Subject::Volume(self.name.clone())
    }
}

impl About for NetworkRow {
    fn about(&self) -> Subject {
        Subject::Network(self.id.clone())
    }
}

impl About for TaskRow {
    fn about(&self) -> Subject {
        Subject::Task(self.id)
    }
}

fn marked<R: About>(table: &Table<R>) -> Vec<Subject> {
    table.marked().into_iter().map(About::about).collect()
}

fn targets<R: About>(table: &Table<R>) -> Vec<Subject> {
    table.targets().into_iter().map(About::about).collect()
}

impl Model {
    /// What is marked in the list that is shown, in its order; empty when nothing is.
    #[must_use]
    pub fn marked(&self) -> Vec<Subject> {
        match self.section {
            Section::Containers => marked(&self.containers),
            Section::Images => marked(&self.images),
            Section::Volumes => marked(&self.volumes),
            Section::Networks => marked(&self.networks),
            Section::Tasks => marked(&self.tasks),
        }
    }

    /// What a verb is for: what is marked, else what is under the cursor (on a heading: its
    /// whole group).
    #[must_use]
    pub fn targets(&self) -> Vec<Subject> {
        if let Some(pinned) = self.pinned() {
            return vec![pinned.clone()];
        }
        match self.section {
            Section::Containers => targets(&self.containers),
            Section::Images => targets(&self.images),
            Section::Volumes => targets(&self.volumes),
            Section::Networks => targets(&self.networks),
            Section::Tasks => targets(&self.tasks),
        }
    }

    /// The kind of what a verb is for.
    #[must_use]
    pub fn acted_section(&self) -> Section {
        self.pinned().map_or(self.section, Subject::section)
    }

    /// What the pane with the keys is pinned to: verbs are for that, wherever the list is.
    fn pinned(&self) -> Option<&Subject> {
        self.pane().pinned.as_ref().filter(|_| self.focus == Focus::Detail)
    }

    /// Containers that a verb is for, where containers are shown.
    #[must_use]
    pub fn target_containers(&self) -> Vec<ContainerRow> {
        if self.pinned().is_some() {
            return self.container().cloned().into_iter().collect();
        }
        match self.section {
            Section::Containers => self.containers.targets().into_iter().cloned().collect(),
            _ => Vec::new(),
        }
    }
}
