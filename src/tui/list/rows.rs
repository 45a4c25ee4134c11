//! The interface of the rows of a list.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;

use crate::tui::list::columns::Column;
use crate::tui::list::filter::Field;

/// A row of a list.
pub trait Row {
    /// Returns the key that identifies the row, so that the cursor can stay on it.
    fn key(&self) -> &str;

    /// Returns the words that a filter searches: those of the columns that `shows` accepts.
    fn words(&self, shows: &dyn Fn(Column) -> bool) -> Vec<Cow<'_, str>>;

    /// Whether `test` accepts any of the row's values of `field`.
    fn any(&self, field: Field, test: &dyn Fn(&str) -> bool) -> bool {
        let _ = (field, test);
        false
    }

    /// Compares two rows by a column.
    fn compare(&self, other: &Self, column: Column) -> Ordering {
        let _ = (other, column);
        Ordering::Equal
    }

    /// Whether it stands before another row where the list is not sorted. A new row stands before
    /// all rows that do not.
    fn precedes(&self, other: &Self) -> bool {
        let _ = other;
        false
    }

    /// Returns the time whose age is shown in a column.
    fn moment(&self, column: Column) -> Option<Timestamp> {
        let _ = column;
        None
    }

    /// Returns the width of its text in a column; 0 for columns whose width does not depend on
    /// their texts.
    fn width(&self, column: Column) -> usize {
        let _ = column;
        0
    }

    /// Returns the group that the row belongs to; empty if there is none.
    fn group(&self) -> &str {
        ""
    }

    /// Whether the row is hidden while only running objects are shown.
    fn is_idle(&self) -> bool {
        false
    }
}

/// Returns the values of those columns that are shown.
pub(crate) fn shown_words<'a>(
    shows: &dyn Fn(Column) -> bool,
    values: impl IntoIterator<Item = (Column, &'a str)>,
) -> Vec<Cow<'a, str>> {
    values.into_iter().filter(|(column, _)| shows(*column)).map(|(_, value)| Cow::from(value)).collect()
}

/// Compares in natural order: case is ignored, and `web-2` sorts before `web-10`.
#[must_use]
pub fn natural(one: &str, other: &str) -> Ordering {
    let (mut a, mut b) = (one, other);
    loop {
        match (digits(a), digits(b)) {
            (Some((n, rest_a)), Some((m, rest_b))) => match n.len().cmp(&m.len()).then(n.cmp(m)) {
                Ordering::Equal => (a, b) = (rest_a, rest_b),
                unequal => return unequal,
            },
            _ => match (a.chars().next(), b.chars().next()) {
                (None, None) => return one.cmp(other),
                (None, _) => return Ordering::Less,
                (_, None) => return Ordering::Greater,
                (Some(x), Some(y)) => match x.to_lowercase().cmp(y.to_lowercase()) {
                    Ordering::Equal => (a, b) = (&a[x.len_utf8()..], &b[y.len_utf8()..]),
                    unequal => return unequal,
                },
            },
        }
    }
}

/// Splits off a leading number, without its leading zeros.
fn digits(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| (text[..end].trim_start_matches('0'), &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_as_people_do() {
        let mut names = ["web-10", "Web-2", "api", "web-002", "", "web", "10.0.0.10", "10.0.0.9", "日本"];
        names.sort_by(|one, other| natural(one, other));
        assert_eq!(names, ["", "10.0.0.9", "10.0.0.10", "api", "web", "Web-2", "web-002", "web-10", "日本"]);
    }
}
