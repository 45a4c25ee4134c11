//! The rows of the networks list.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

use crate::tui::list::columns::Column;
use crate::tui::list::filter::Field;
use crate::tui::list::rows::{Row, natural, shown_words};

/// A network in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkRow {
    /// 64 hex digits.
    pub id: String,
    /// `bridge`
    pub name: String,
    /// `bridge`, `host`, `null`.
    pub driver: String,
    /// `172.17.0.0/16`, empty if there is none.
    pub subnet: String,
    /// When it was created or first used.
    pub created: Option<Timestamp>,
    /// The ids of the connected containers.
    pub members: Vec<String>,
}

/// The columns of a container's name and a blank, whose real width only the list of containers knows.
const A_NAME: usize = 16;

impl Row for NetworkRow {
    fn key(&self) -> &str {
        &self.id
    }

    fn words(&self, shows: &dyn Fn(Column) -> bool) -> Vec<Cow<'_, str>> {
        let values =
            [(Column::Name, &self.name), (Column::Driver, &self.driver), (Column::Subnet, &self.subnet)];
        let id = self.id.get(..12).unwrap_or(&self.id);
        let values = values.map(|(column, value)| (column, value.as_str()));
        shown_words(shows, values.into_iter().chain([(Column::Id, id)]))
    }

    fn any(&self, field: Field, test: &dyn Fn(&str) -> bool) -> bool {
        match field {
            Field::Name | Field::Network => test(&self.name),
            Field::Id => test(&self.id),
            Field::Driver => test(&self.driver),
            _ => false,
        }
    }

    fn moment(&self, column: Column) -> Option<Timestamp> {
        self.created.filter(|_| column == Column::Created)
    }

    fn width(&self, column: Column) -> usize {
        match column {
            Column::Name => self.name.width(),
            Column::Driver => self.driver.width(),
            // Or a dash.
            Column::Subnet => self.subnet.width().max(1),
            Column::Containers => (self.members.len() * A_NAME).max(1),
            _ => 0,
        }
    }

    fn compare(&self, other: &Self, column: Column) -> Ordering {
        match column {
            Column::Name => natural(&self.name, &other.name),
            Column::Driver => self.driver.cmp(&other.driver),
            Column::Subnet => natural(&self.subnet, &other.subnet),
            Column::Containers => self.members.len().cmp(&other.members.len()),
            Column::Created => self.created.cmp(&other.created),
            Column::Id => self.id.cmp(&other.id),
            _ => Ordering::Equal,
        }
    }
}
