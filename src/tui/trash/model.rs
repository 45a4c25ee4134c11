//! The rows of the trash list.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use unicode_width::UnicodeWidthStr;

use crate::engine::TrashEntry;
use crate::tui::list::columns::Column;
use crate::tui::list::filter::Field;
use crate::tui::list::rows::{Row, shown_words};

/// An object in the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrashRow {
    /// Its id in the trash.
    pub id: String,
    /// `container`, `image`, `volume`.
    pub kind: &'static str,
    /// Its former name.
    pub name: String,
    /// All names that were removed with it.
    pub names: Vec<String>,
    /// The id of the object.
    pub object: String,
    /// When it was removed.
    pub removed: Timestamp,
    /// When it is deleted.
    pub until: Timestamp,
    /// Its size in bytes, if known.
    pub size: Option<u64>,
}

impl TrashRow {
    /// Returns the row for `entry`.
    #[must_use]
    pub fn new(entry: &TrashEntry) -> Self {
        Self {
            id: entry.id.clone(),
            kind: entry.kind.as_str(),
            name: entry.name.clone(),
            names: entry.names.clone(),
            object: entry.object.clone(),
            removed: entry.removed,
            until: entry.until,
            size: entry.size,
        }
    }

    /// Returns how long it is kept; zero if it may be deleted at any time.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> SignedDuration {
        self.until.duration_since(now).max(SignedDuration::ZERO)
    }

    /// Returns the first twelve digits of the object's id.
    #[must_use]
    pub fn short(&self) -> &str {
        let hex = self.object.split_once(':').map_or(self.object.as_str(), |(_, hex)| hex);
        hex.get(..12).unwrap_or(hex)
    }
}

impl Row for TrashRow {
    fn key(&self) -> &str {
        &self.id
    }

    fn words(&self, shows: &dyn Fn(Column) -> bool) -> Vec<Cow<'_, str>> {
        let names = self.names.iter().chain([&self.name]).map(|name| (Column::Name, name.as_str()));
        shown_words(shows, names.chain([(Column::Kind, self.kind)]))
    }

    fn any(&self, field: Field, test: &dyn Fn(&str) -> bool) -> bool {
        match field {
            Field::Name => self.names.iter().chain([&self.name]).any(|name| test(name)),
            Field::Id => test(&self.object),
            _ => false,
        }
    }

    fn precedes(&self, other: &Self) -> bool {
        self.removed > other.removed
    }

    fn moment(&self, column: Column) -> Option<Timestamp> {
        (column == Column::Removed).then_some(self.removed)
    }

    fn width(&self, column: Column) -> usize {
        match column {
            // With the number of other names.
            Column::Name => self.name.width() + if self.names.len() > 1 { 4 } else { 0 },
            _ => 0,
        }
    }

    fn compare(&self, other: &Self, column: Column) -> Ordering {
        match column {
            Column::Name => self.name.cmp(&other.name),
            Column::Kind => self.kind.cmp(other.kind),
            Column::Removed => self.removed.cmp(&other.removed),
            Column::Left => self.until.cmp(&other.until),
            Column::Size => self.size.cmp(&other.size),
            _ => Ordering::Equal,
        }
    }
}

/// How the engine keeps removed objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeping {
    /// How long it keeps them; `None` if it does not.
    pub time: Option<Duration>,
    /// Whether the disk is nearly full, so that the oldest objects are deleted early.
    pub is_short: bool,
}

impl Keeping {
    /// Formats the time as in the configuration: `24h`, `7d`, `30m`.
    #[must_use]
    pub fn words(time: Duration) -> String {
        let seconds = time.as_secs();
        for (unit, word) in [(86_400, "d"), (3600, "h"), (60, "m")] {
            if seconds >= unit && seconds.is_multiple_of(unit) && (word != "d" || seconds > unit) {
                return format!("{}{word}", seconds / unit);
            }
        }
        format!("{seconds}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_they_are_configured() {
        for (seconds, words) in
            [(86_400, "24h"), (7 * 86_400, "7d"), (1800, "30m"), (90, "90s"), (5400, "90m"), (0, "0s")]
        {
            assert_eq!(Keeping::words(Duration::from_secs(seconds)), words);
        }
    }
}
