//! What every row of a list has.

use std::cmp::Ordering;

use crate::tui::list::columns::Column;
use crate::tui::list::filter::Field;

/// What every row has.
pub trait Row {
    /// What it is known by, for the cursor to stay on it.
    fn key(&self) -> &str;

    /// Where a filter looks.
    fn words(&self) -> Vec<&str>;

    /// Whether `test` holds for one of the values that `field` has here.
    fn any(&self, field: Field, test: &dyn Fn(&str) -> bool) -> bool {
        let _ = (field, test);
        false
    }

    /// How it stands to another one by what a column shows.
    fn compare(&self, other: &Self, column: Column) -> Ordering {
        let _ = (other, column);
        Ordering::Equal
    }

    /// What it belongs to; empty when to nothing.
    fn group(&self) -> &str {
        ""
    }

    /// Whether it is left out of the list of what is up.
    fn is_idle(&self) -> bool {
        false
    }
}

/// As people sort: capitals do not count, and `web-2` stands before `web-10`.
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

/// The number that a text begins with, without its zeros, and the rest.
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
