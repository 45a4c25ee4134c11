//! `events`: readable lines, JSON and filters.

use jiff::tz::TimeZone;
use serde_json::Value as Json;

use super::filter::Filters;
use super::time::rfc3339_fixed;
use crate::base::text;
use crate::engine::{Event, EventFilter, Kind};

/// Returns a message of Docker's API. Those of containers and images repeat three fields for
/// clients older than API 1.22.
#[must_use]
pub fn json(event: &Event) -> Json {
    let message = serde_json::to_value(event).unwrap_or_default();
    let is_old = matches!(event.kind, Kind::Container | Kind::Image);
    let Json::Object(fields) = message else { return message };
    let mut all = serde_json::Map::new();
    if is_old {
        all.insert("status".to_owned(), event.action.as_str().into());
        all.insert("id".to_owned(), event.actor.id.as_str().into());
        let image = event.actor.attributes.get("image").filter(|_| event.kind == Kind::Container);
        all.extend(image.map(|image| ("from".to_owned(), image.as_str().into())));
    }
    all.extend(fields);
    Json::Object(all)
}

/// Returns a line such as `2026-11-22T12:00:00.000000000Z container start 0123… (image=debian,
/// name=web)`.
#[must_use]
pub fn line(event: &Event, zone: &TimeZone) -> String {
    let when = rfc3339_fixed(event.timestamp(), zone);
    let what = format!("{when} {} {} {}", event.kind.as_str(), event.action, event.actor.id);
    if event.actor.attributes.is_empty() {
        return text::cell(&what).into_owned();
    }
    let attributes: Vec<_> =
        event.actor.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
    text::cell(&format!("{what} ({})", attributes.join(", "))).into_owned()
}

/// Converts `--filter` to an event filter.
#[must_use]
pub fn filter(filters: &Filters) -> EventFilter {
    let values = |key: &str| filters.values(key).to_vec();
    EventFilter {
        actions: values("event"),
        kinds: values("type"),
        scopes: values("scope"),
        containers: values("container"),
        images: values("image"),
        networks: values("network"),
        volumes: values("volume"),
        labels: values("label"),
    }
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
    fn a_message_has_dockers_fields_and_templates_print_them() {
        let message = json(&event());
        assert_eq!(
            super::super::schema::unknown(&message, super::super::schema::EVENT),
            Vec::<String>::new()
        );
        let template = "{{.Status}}|{{.ID}}|{{.From}}|{{.Time}}|{{.Actor.Attributes.no}}|{{index .Actor.Attributes \"no\"}}|{{.Scope}}";
        let shown =
            super::super::Template::parse(template).unwrap().inspect(&message, super::super::schema::EVENT);
        assert_eq!(shown.unwrap(), "exec_create: sh -c true|0123abcd|debian|1800000000|<no value>||local");
    }

    #[test]
    fn an_event_is_one_line_whatever_it_tells_of() {
        for name in text::HOSTILE {
            let mut event = event();
            event.action = format!("exec_create: {name}");
            event.actor.attributes.insert("name".to_owned(), (*name).to_owned());
            assert!(!line(&event, &TimeZone::UTC).chars().any(text::is_harmful), "{name:?}");
        }
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
            assert_eq!(filter(&filters).takes(&event()), fit, "{word}");
        }
    }
}
