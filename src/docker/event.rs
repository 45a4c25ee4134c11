//! `events`: a line for people, and filters.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::filter::Filters;
use super::time::rfc3339_fixed;
use crate::engine::{Event, Kind};
use crate::oci::Reference;

/// When it happened.
#[must_use]
pub fn time(event: &Event) -> Timestamp {
    Timestamp::from_nanosecond(event.time_nano.into()).unwrap_or_default()
}

/// `2026-11-22T12:00:00.000000000Z container start 0123… (image=debian, name=web)`
#[must_use]
pub fn line(event: &Event, zone: &TimeZone) -> String {
    let when = rfc3339_fixed(time(event), zone);
    let what = format!("{when} {} {} {}", event.kind.as_str(), event.action, event.actor.id);
    if event.actor.attributes.is_empty() {
        return what;
    }
    let attributes: Vec<_> =
        event.actor.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{what} ({})", attributes.join(", "))
}

/// Whether an event is asked for.
#[must_use]
pub fn fits(event: &Event, filters: &Filters) -> bool {
    let action = event.action.split(':').next().unwrap_or_default();
    let attribute = |name: &str| event.actor.attributes.get(name).map_or("", String::as_str);
    let object = |kind: Kind, key: &str| {
        filters.any(key, |wanted| {
            event.kind == kind && (event.actor.id.starts_with(wanted.as_str()) || attribute("name") == wanted)
        })
    };
    filters.any("event", |wanted| wanted == action || *wanted == event.action)
        && filters.any("type", |wanted| wanted == event.kind.as_str())
        && filters.any("scope", |wanted| *wanted == event.scope)
        && object(Kind::Container, "container")
        && object(Kind::Network, "network")
        && object(Kind::Volume, "volume")
        && filters.any("image", |wanted| {
            let named = if event.kind == Kind::Image { attribute("name") } else { attribute("image") };
            let same = match (wanted.parse::<Reference>(), named.parse::<Reference>()) {
                (Ok(wanted), Ok(named)) => wanted == named,
                _ => false,
            };
            same || named == wanted
                || (event.kind == Kind::Image && event.actor.id.starts_with(wanted.as_str()))
        })
        && filters.labels_fit(&event.actor.attributes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::filter::EVENT_KEYS;

    fn event() -> Event {
        serde_json::from_value(serde_json::json!({
            "Type": "container", "Action": "exec_create: sh -c true", "time": 1_800_000_000,
            "timeNano": 1_800_000_000_000_000_001_i64,
            "Actor": {"ID": "0123abcd", "Attributes": {"image": "debian", "name": "web", "tier": "front"}},
        }))
        .unwrap()
    }

    #[test]
    fn a_line_is_dockers() {
        insta::assert_snapshot!(line(&event(), &TimeZone::UTC), @"2027-01-15T08:00:00.000000001Z container exec_create: sh -c true 0123abcd (image=debian, name=web, tier=front)");
    }

    #[test]
    fn filters_of_events_choose_as_dockers() {
        for (word, fit) in [
            ("event=exec_create", true),
            ("event=start", false),
            ("type=container", true),
            ("type=image", false),
            ("container=web", true),
            ("container=0123", true),
            ("container=db", false),
            ("image=debian:latest", true),
            ("image=alpine", false),
            ("label=tier=front", true),
            ("label=tier=back", false),
            ("network=web", false),
            ("scope=local", true),
        ] {
            let filters = Filters::parse(&[word.to_owned()], EVENT_KEYS).unwrap();
            assert_eq!(fits(&event(), &filters), fit, "{word}");
        }
    }
}
