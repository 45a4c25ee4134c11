//! What keys act on: the marked rows of the list that is shown, else the one under the cursor.

use super::{Focus, Model, Section, Subject};
use crate::engine::Kind;
use crate::tui::list::journal::EventRow;
use crate::tui::list::rows::{ContainerRow, ImageRow, NetworkRow, Row, VolumeRow};
use crate::tui::list::table::Table;
use crate::tui::tasks::model::TaskRow;
use crate::tui::trash::model::TrashRow;

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

impl About for TrashRow {
    fn about(&self) -> Subject {
        Subject::Trash(self.id.clone())
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
            Section::Events => self.objects(self.journal.marked()),
            Section::Trash => marked(&self.trash),
        }
    }

    /// What a verb is for: what the pane with the keys shows or has its cursor on, else what is marked, else what is
    /// under the cursor (on a heading: its whole group).
    #[must_use]
    pub fn targets(&self) -> Vec<Subject> {
        if self.focus != Focus::List {
            return self.subject().into_iter().collect();
        }
        match self.section {
            Section::Containers => targets(&self.containers),
            Section::Images => targets(&self.images),
            Section::Volumes => targets(&self.volumes),
            Section::Networks => targets(&self.networks),
            Section::Tasks => targets(&self.tasks),
            Section::Events => self.objects(self.journal.targets()),
            Section::Trash => targets(&self.trash),
        }
    }

    /// The kind of what a verb is for.
    #[must_use]
    pub fn acted_section(&self) -> Section {
        match self.focus {
            Focus::List => self.section,
            Focus::Detail | Focus::Navigator => {
                self.subject().map_or(self.section, |subject| subject.section())
            }
        }
    }

    /// Containers among them.
    #[must_use]
    pub fn target_containers(&self) -> Vec<ContainerRow> {
        let row = |subject: Subject| match subject {
            Subject::Container(id) => self.containers.get(id.as_str()).cloned(),
            _ => None,
        };
        self.targets().into_iter().filter_map(row).collect()
    }

    /// What an event is about, where that is still there.
    #[must_use]
    pub fn object_of(&self, row: &EventRow) -> Option<Subject> {
        let image =
            |image: &&ImageRow| image.id == row.id || image.target() == row.id || image.target() == row.name;
        match row.kind {
            Kind::Container => self.containers.get(&row.id).map(About::about),
            Kind::Image => self.images.all().iter().find(image).map(About::about),
            Kind::Volume => self.volumes.get(&row.name).map(About::about),
            Kind::Network => self.networks.get(&row.id).map(About::about),
            Kind::Builder => None,
        }
    }

    fn objects(&self, rows: Vec<&EventRow>) -> Vec<Subject> {
        let mut objects = Vec::new();
        for object in rows.into_iter().filter_map(|row| self.object_of(row)) {
            if !objects.contains(&object) {
                objects.push(object);
            }
        }
        objects
    }
}
