//! The rows of the volumes list.

use std::cmp::Ordering;

use crate::tui::list::columns::Column;
use crate::tui::list::filter::Field;
use crate::tui::list::rows::{Row, natural};

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

    fn words(&self) -> Vec<&str> {
        vec![&self.name, &self.driver]
    }

    fn any(&self, field: Field, test: &dyn Fn(&str) -> bool) -> bool {
        match field {
            Field::Name => test(&self.name),
            Field::Driver => test(&self.driver),
            _ => false,
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
