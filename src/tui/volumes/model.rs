//! The rows of the volumes list.

use std::borrow::Cow;
use std::cmp::Ordering;

use unicode_width::UnicodeWidthStr;

use crate::tui::list::columns::Column;
use crate::tui::list::filter::Field;
use crate::tui::list::rows::{Row, natural, shown_words};

/// A volume in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeRow {
    /// Its name.
    pub name: String,
    /// `local`
    pub driver: String,
    /// The folder with its files.
    pub place: String,
}

impl Row for VolumeRow {
    fn key(&self) -> &str {
        &self.name
    }

    fn words(&self, shows: &dyn Fn(Column) -> bool) -> Vec<Cow<'_, str>> {
        let values =
            [(Column::Name, &self.name), (Column::Driver, &self.driver), (Column::Folder, &self.place)];
        shown_words(shows, values.map(|(column, value)| (column, value.as_str())))
    }

    fn any(&self, field: Field, test: &dyn Fn(&str) -> bool) -> bool {
        match field {
            Field::Name => test(&self.name),
            Field::Driver => test(&self.driver),
            _ => false,
        }
    }

    fn width(&self, column: Column) -> usize {
        match column {
            Column::Name => self.name.width(),
            Column::Driver => self.driver.width(),
            Column::Folder => self.place.width(),
            _ => 0,
        }
    }

    fn compare(&self, other: &Self, column: Column) -> Ordering {
        match column {
            Column::Name => natural(&self.name, &other.name),
            Column::Driver => self.driver.cmp(&other.driver),
            Column::Folder => natural(&self.place, &other.place),
            _ => Ordering::Equal,
        }
    }
}
