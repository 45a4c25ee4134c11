//! What keys act on: the marked rows of the list that is shown, else the one under the cursor.

use super::{Focus, Model};
use crate::tui::containers::model::ContainerRow;
use crate::tui::events::model::EventRow;
use crate::tui::list::rows::Row;
use crate::tui::section::{Section, Subject};

/// What a row is about.
pub trait About: Row {
    /// Whether several rows can be about the same.
    const REPEATS: bool = false;

    /// What it is about, where that is still there.
    fn about(&self, model: &Model) -> Option<Subject>;

    /// What it is called.
    fn title(&self) -> String;
}

/// What rows are about.
pub(crate) fn about<R: About>(model: &Model, rows: Vec<&R>) -> Vec<Subject> {
    let all = rows.into_iter().filter_map(|row| row.about(model));
    if !R::REPEATS {
        return all.collect();
    }
    all.fold(Vec::new(), |mut objects, object| {
        if !objects.contains(&object) {
            objects.push(object);
        }
        objects
    })
}

impl Model {
    /// What is marked in the list that is shown, in its order; empty when nothing is.
    #[must_use]
    pub fn marked(&self) -> Vec<Subject> {
        self.list().marked(self)
    }

    /// What a verb is for: what the pane with the keys shows or has its cursor on, else what is marked, else what is
    /// under the cursor (on a heading: its whole group).
    #[must_use]
    pub fn targets(&self) -> Vec<Subject> {
        if self.focus != Focus::List {
            return self.subject().into_iter().collect();
        }
        self.list().targets(self)
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
        Section::ALL.into_iter().find_map(|section| (section.screen().of_event)(self, row))
    }
}
