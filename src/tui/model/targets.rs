//! What actions apply to: the marked rows of the current list, otherwise the row under the cursor.

use super::{Focus, Model};
use crate::tui::containers::model::ContainerRow;
use crate::tui::events::model::EventRow;
use crate::tui::list::rows::Row;
use crate::tui::list::table::Table;
use crate::tui::section::{Section, Subject};

/// The subject of a row.
pub trait About: Row {
    /// Whether several rows can have the same subject.
    const REPEATS: bool = false;

    /// Returns the subject, if it still exists.
    fn about(&self, model: &Model) -> Option<Subject>;

    /// Returns the name of the subject.
    fn title(&self) -> String;
}

/// Returns the subjects of rows.
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
    /// Returns the marked subjects of the current list, in its order.
    #[must_use]
    pub fn marked(&self) -> Vec<Subject> {
        self.list().marked(self)
    }

    /// Returns the subjects that a verb applies to: the one in the focused pane (or under its
    /// cursor), otherwise the marked rows, otherwise the row under the cursor, or the whole group
    /// if the cursor is on a heading.
    #[must_use]
    pub fn targets(&self) -> Vec<Subject> {
        if self.focus != Focus::List {
            return self.subject().into_iter().collect();
        }
        self.list().targets(self)
    }

    /// Returns the list that contains the subjects of a verb.
    #[must_use]
    pub fn acted_section(&self) -> Section {
        match self.focus {
            Focus::List => self.section,
            Focus::Detail | Focus::Navigator => {
                self.subject().map_or(self.section, |subject| subject.section())
            }
        }
    }

    /// Returns the containers among the targets.
    #[must_use]
    pub fn target_containers(&self) -> Vec<ContainerRow> {
        let row = |subject: Subject| match subject {
            Subject::Container(id) => self.containers.get(id.as_str()).cloned(),
            _ => None,
        };
        self.targets().into_iter().filter_map(row).collect()
    }

    /// Returns the rows of a list that a verb applies to: see [`Self::targets`].
    pub(crate) fn target_rows<'a, R: About>(&self, table: &'a Table<R>) -> Vec<&'a R> {
        if self.focus == Focus::List {
            return table.targets();
        }
        let Some(subject) = self.subject() else { return Vec::new() };
        let is_subject = |row: &&R| row.about(self).as_ref() == Some(&subject);
        table.all().iter().find(is_subject).into_iter().collect()
    }

    /// Returns the subject of an event, if it still exists.
    #[must_use]
    pub fn object_of(&self, row: &EventRow) -> Option<Subject> {
        Section::ALL.into_iter().find_map(|section| (section.screen().of_event)(self, row))
    }
}
