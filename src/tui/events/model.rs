//! The rows of the events list.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

use crate::base::text;
use crate::engine::{Event, Kind};
use crate::tui::list::columns::Column;
use crate::tui::list::filter::Field;
use crate::tui::list::rows::{Row, natural, shown_words};

/// The number of events kept; the oldest are dropped first.
pub const KEPT: usize = 5000;

/// An event in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    key: String,
    /// When it happened.
    pub time: Timestamp,
    /// Nanoseconds since 1970.
    pub nanos: i64,
    /// The kind of object.
    pub kind: Kind,
    /// `create`, `die`, `exec_start: sh`, …
    pub action: String,
    /// The object's name at that time.
    pub name: String,
    /// The object's id, or its name if it has none.
    pub id: String,
    /// `exitCode=1 image=redis:8 …`
    pub attributes: String,
}

impl EventRow {
    /// Returns the row for `event`.
    #[must_use]
    pub fn new(event: &Event) -> Self {
        let of = |name: &str| event.actor.attributes.get(name);
        let id = event.actor.id.clone();
        Self {
            key: format!("{} {} {id}", event.time_nano, event.action),
            time: Timestamp::from_nanosecond(event.time_nano.into()).unwrap_or_default(),
            nanos: event.time_nano,
            kind: event.kind,
            action: text::line(&event.action).into_owned(),
            name: short(of("name").unwrap_or(&id)).to_owned(),
            attributes: attributes(&event.actor.attributes),
            id,
        }
    }

    /// Returns the exit code of a `die` event.
    #[must_use]
    pub fn exit(&self) -> Option<&str> {
        self.attributes.split(' ').find_map(|word| word.strip_prefix("exitCode="))
    }
}

/// Returns the first digits of an id, or a whole name.
fn short(id: &str) -> &str {
    let hex = id.strip_prefix("sha256:").unwrap_or(id);
    let is_id = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id { &hex[..12] } else { id }
}

/// Returns the attributes as text, with the most interesting ones first.
fn attributes(all: &BTreeMap<String, String>) -> String {
    const FIRST: [&str; 4] = ["exitCode", "signal", "image", "container"];
    let first = FIRST.iter().filter_map(|name| all.get_key_value(*name));
    let rest = all.iter().filter(|(name, _)| !FIRST.contains(&name.as_str()) && *name != "name");
    let words = first.chain(rest).map(|(name, value)| format!("{name}={}", short(value)));
    text::line(&words.collect::<Vec<_>>().join(" ")).into_owned()
}

impl Row for EventRow {
    fn key(&self) -> &str {
        &self.key
    }

    fn words(&self, shows: &dyn Fn(Column) -> bool) -> Vec<Cow<'_, str>> {
        let values = [
            (Column::Kind, self.kind.as_str()),
            (Column::Action, &self.action),
            (Column::Name, &self.name),
            (Column::Attributes, &self.attributes),
        ];
        shown_words(shows, values)
    }

    fn any(&self, field: Field, test: &dyn Fn(&str) -> bool) -> bool {
        match field {
            Field::Kind => test(self.kind.as_str()),
            Field::Action => test(&self.action),
            Field::Name => test(&self.name),
            Field::Id => test(&self.id),
            // An event's labels and image are among its attributes.
            Field::Label | Field::Image => test(&self.attributes),
            _ => false,
        }
    }

    fn width(&self, column: Column) -> usize {
        match column {
            Column::Name => self.name.width(),
            Column::Action => self.action.width(),
            Column::Attributes => self.attributes.width(),
            _ => 0,
        }
    }

    fn compare(&self, other: &Self, column: Column) -> Ordering {
        match column {
            Column::Time => self.nanos.cmp(&other.nanos),
            Column::Kind => self.kind.as_str().cmp(other.kind.as_str()),
            Column::Action => natural(&self.action, &other.action),
            Column::Name => natural(&self.name, &other.name),
            Column::Attributes => self.attributes.cmp(&other.attributes),
            _ => Ordering::Equal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Actor;

    #[test]
    fn an_event_tells_first_what_one_looks_for() {
        let attributes = [("name", "web"), ("a", "b"), ("image", "redis:8"), ("exitCode", "137")];
        let row = EventRow::new(&Event {
            kind: Kind::Container,
            action: "die".to_owned(),
            actor: Actor {
                id: "ab".repeat(32),
                attributes: attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            },
            scope: "local".to_owned(),
            time: 1,
            time_nano: 1_000_000_007,
        });
        assert_eq!(row.attributes, "exitCode=137 image=redis:8 a=b");
        assert_eq!((row.name.as_str(), row.time.as_second()), ("web", 1));
        assert!(row.any(Field::Kind, &|kind| kind == "container"));
    }

    #[test]
    fn a_name_that_is_an_id_is_short_and_the_column_fits_the_longest_name() {
        let row = |name: String, time_nano| {
            let attributes = [("name".to_owned(), name)].into();
            let actor = Actor { id: "x".to_owned(), attributes };
            let (action, scope) = ("tag".to_owned(), "local".to_owned());
            EventRow::new(&Event { kind: Kind::Image, action, actor, scope, time: 1, time_nano })
        };
        let mut rows: Vec<_> = (0..20).map(|at| row("web".to_owned(), at)).collect();
        rows.push(row(format!("sha256:{}", "ab".repeat(32)), 30));
        assert_eq!(rows[20].name, "abababababab");
        let mut table = crate::tui::list::table::Table::default();
        table.set(rows);
        assert_eq!(table.longest(Column::Name), 12, "one name of many is not cut");
    }
}
