//! Filters of events, as in `docker events --filter` and its API.

use std::collections::BTreeMap;

use crate::base::journal::{Event, Kind};
use crate::oci::Reference;

/// One value of each field and all labels must match; an empty field matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// `start`, `exec_create`, or in full `exec_create: sh`.
    pub actions: Vec<String>,
    /// `container`, `image`, …
    pub kinds: Vec<String>,
    /// `local`.
    pub scopes: Vec<String>,
    /// Containers, by name or prefix of an id.
    pub containers: Vec<String>,
    /// Images and their containers, by reference; images also by prefix of an id.
    pub images: Vec<String>,
    /// Networks, like `containers`.
    pub networks: Vec<String>,
    /// Volumes, like `containers`.
    pub volumes: Vec<String>,
    /// `name` or `name=value`.
    pub labels: Vec<String>,
}

impl EventFilter {
    /// Whether an event matches.
    #[must_use]
    pub fn takes(&self, event: &Event) -> bool {
        let action = event.action.split(':').next().unwrap_or_default();
        any(&self.actions, |wanted| wanted == action || wanted == event.action)
            && any(&self.kinds, |wanted| wanted == event.kind.as_str())
            && any(&self.scopes, |wanted| wanted == event.scope)
            && any(&self.containers, |wanted| is_object(event, Kind::Container, wanted))
            && any(&self.networks, |wanted| is_object(event, Kind::Network, wanted))
            && any(&self.volumes, |wanted| is_object(event, Kind::Volume, wanted))
            && any(&self.images, |wanted| is_image(event, wanted))
            && has_labels(&event.actor.attributes, &self.labels)
    }
}

fn any(values: &[String], fits: impl Fn(&str) -> bool) -> bool {
    values.is_empty() || values.iter().any(|value| fits(value))
}

fn attribute<'a>(event: &'a Event, name: &str) -> &'a str {
    event.actor.attributes.get(name).map_or("", String::as_str)
}

fn is_object(event: &Event, kind: Kind, wanted: &str) -> bool {
    event.kind == kind && (event.actor.id.starts_with(wanted) || attribute(event, "name") == wanted)
}

fn is_image(event: &Event, wanted: &str) -> bool {
    let named = attribute(event, if event.kind == Kind::Image { "name" } else { "image" });
    let is_same = match (wanted.parse::<Reference>(), named.parse::<Reference>()) {
        (Ok(wanted), Ok(named)) => wanted == named,
        _ => false,
    };
    is_same || named == wanted || (event.kind == Kind::Image && event.actor.id.starts_with(wanted))
}

fn has_labels(labels: &BTreeMap<String, String>, wanted: &[String]) -> bool {
    wanted.iter().all(|wanted| match wanted.split_once('=') {
        Some((name, value)) => labels.get(name).is_some_and(|there| there == value),
        None => labels.contains_key(wanted),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_takes_what_one_value_of_each_field_and_all_labels_fit() {
        let attributes = [("image", "debian"), ("name", "web"), ("tier", "front")];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let event = Event::now(Kind::Container, "exec_create: sh -c true", "0123abcd", attributes);
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        type Field = fn(&mut EventFilter) -> &mut Vec<String>;
        let [actions, kinds, containers, images, networks, labels]: [Field; 6] = [
            |filter| &mut filter.actions,
            |filter| &mut filter.kinds,
            |filter| &mut filter.containers,
            |filter| &mut filter.images,
            |filter| &mut filter.networks,
            |filter| &mut filter.labels,
        ];
        for (asked, is_taken) in [
            (&[][..], true),
            (&[(actions, &["start", "exec_create"][..])], true),
            (&[(actions, &["exec_create: sh -c true"])], true),
            (&[(actions, &["start"])], false),
            (&[(kinds, &["image", "container"])], true),
            (&[(kinds, &["daemon"])], false),
            (&[(containers, &["db", "0123"])], true),
            (&[(containers, &["we"])], false),
            (&[(networks, &["web"])], false),
            (&[(images, &["debian:latest"])], true),
            (&[(images, &["0123"])], false),
            (&[(labels, &["tier=front", "name"])], true),
            (&[(labels, &["tier=front", "none"])], false),
            (&[(containers, &["web"]), (kinds, &["image"])], false),
        ] {
            let mut filter = EventFilter::default();
            asked.iter().for_each(|(field, values)| *field(&mut filter) = words(values));
            assert_eq!(filter.takes(&event), is_taken, "{filter:?}");
        }
    }
}
