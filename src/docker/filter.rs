//! `--filter key=value` of the lists: parsed against the keys that a list knows, then applied to
//! its rows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use regex::Regex;

use crate::base::{ErrorKind, Explain};
use crate::engine::{ContainerView, Damaged, MountKind, Status};
use crate::oci::Reference;

/// An invalid filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The filter has no `=`.
    #[error("bad format of filter `{0}` (expected name=value)")]
    Format(String),
    /// The list does not have this key.
    #[error("invalid filter `{key}`")]
    Key {
        /// The key as written.
        key: String,
        /// The known keys.
        known: &'static [&'static str],
    },
    /// The value is invalid for its key.
    #[error("invalid filter `{key}={value}`: {why}")]
    Value {
        /// The key.
        key: &'static str,
        /// The value as written.
        value: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Key { known, .. } => Some(format!("supported filters: {}", known.join(", "))),
            Self::Format(_) | Self::Value { .. } => None,
        }
    }
}

/// Filter keys of `ps`.
pub const CONTAINER_KEYS: &[&str] = &[
    "ancestor", "before", "exited", "health", "id", "is-task", "label", "name", "network", "since", "status",
    "volume",
];
/// Filter keys of `images`.
pub const IMAGE_KEYS: &[&str] = &["before", "dangling", "label", "reference", "since"];
/// Filter keys of `events`.
pub const EVENT_KEYS: &[&str] =
    &["container", "event", "image", "label", "network", "scope", "type", "volume"];
/// Filter keys of `network ls`.
pub const NETWORK_KEYS: &[&str] = &["dangling", "driver", "id", "label", "name", "scope", "type"];
/// Filter keys of `volume ls`.
pub const VOLUME_KEYS: &[&str] = &["dangling", "driver", "label", "name"];

/// Filters by key. A key can occur more than once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters(BTreeMap<String, Vec<String>>);

impl Filters {
    /// Parses the arguments of `--filter`.
    ///
    /// # Errors
    ///
    /// An argument without `=`, or a key that is not in `known`.
    pub fn parse(words: &[String], known: &'static [&'static str]) -> Result<Self, Error> {
        let mut filters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for word in words {
            let (key, value) = word.split_once('=').ok_or_else(|| Error::Format(word.clone()))?;
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim().to_owned());
            if !known.contains(&key.as_str()) {
                return Err(Error::Key { key, known });
            }
            filters.entry(key).or_default().push(value);
        }
        Ok(Self(filters))
    }

    /// Returns the values of a key, as written.
    #[must_use]
    pub fn values(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    /// Returns whether the key is not given, or one of its values passes.
    pub fn any(&self, key: &str, passes: impl FnMut(&String) -> bool) -> bool {
        self.values(key).is_empty() || self.values(key).iter().any(passes)
    }

    /// Returns whether every `label=` filter matches a label, including its value if given.
    #[must_use]
    pub fn labels_fit(&self, labels: &BTreeMap<String, String>) -> bool {
        self.values("label").iter().all(|wanted| match wanted.split_once('=') {
            Some((name, value)) => labels.get(name).is_some_and(|there| there == value),
            None => labels.contains_key(wanted),
        })
    }

    /// Returns the value of a boolean key.
    ///
    /// # Errors
    ///
    /// The value is neither true nor false.
    pub fn truth(&self, key: &'static str) -> Result<Option<bool>, Error> {
        let Some(value) = self.values(key).last() else { return Ok(None) };
        match value.to_ascii_lowercase().as_str() {
            "true" | "1" | "t" => Ok(Some(true)),
            "false" | "0" | "f" => Ok(Some(false)),
            _ => Err(Error::Value { key, value: value.clone(), why: "expected true or false".to_owned() }),
        }
    }

    /// Returns the regular expressions of a key. They match anywhere in the text unless anchored.
    ///
    /// # Errors
    ///
    /// An expression is invalid.
    pub fn expressions(&self, key: &'static str) -> Result<Vec<Regex>, Error> {
        let read = |value: &String| {
            Regex::new(value).map_err(|error| Error::Value {
                key,
                value: value.clone(),
                why: error.to_string().lines().last().unwrap_or_default().to_owned(),
            })
        };
        self.values(key).iter().map(read).collect()
    }
}

/// The parsed filters of `ps`.
#[derive(Debug)]
pub struct ContainerFilter {
    filters: Filters,
    names: Vec<Regex>,
    statuses: Vec<Status>,
    exited: Vec<u8>,
    never: bool,
    before: Option<Timestamp>,
    since: Option<Timestamp>,
    is_all: bool,
}

impl ContainerFilter {
    /// Parses the filters of `ps`. `containers` are all containers, for `before` and `since`.
    ///
    /// # Errors
    ///
    /// A value is invalid for its key, or names a container that does not exist.
    pub fn new(filters: Filters, containers: &[ContainerView]) -> Result<Self, Error> {
        let bad =
            |key, value: &str, why: &str| Error::Value { key, value: value.to_owned(), why: why.to_owned() };
        let status = |value: &String| {
            let found = Status::ALL.into_iter().find(|status| status.as_str() == value);
            found.ok_or_else(|| {
                bad(
                    "status",
                    value,
                    "expected created, running, paused, restarting, removing, exited or dead",
                )
            })
        };
        let code = |value: &String| {
            value.parse().map_err(|_| bad("exited", value, "expected an exit code from 0 to 255"))
        };
        let moment = |key: &'static str| match filters.values(key).last() {
            None => Ok(None),
            Some(target) => match containers.iter().find(|c| is_target(c, target)) {
                Some(container) => Ok(Some(container.created)),
                None => Err(bad(key, target, &format!("No such container: {target}"))),
            },
        };
        let healths = ["none", "starting", "healthy", "unhealthy"];
        if let Some(value) = filters.values("health").iter().find(|value| !healths.contains(&value.as_str()))
        {
            return Err(bad("health", value, "expected none, starting, healthy or unhealthy"));
        }
        Ok(Self {
            names: filters.expressions("name")?,
            statuses: filters.values("status").iter().map(status).collect::<Result<_, _>>()?,
            exited: filters.values("exited").iter().map(code).collect::<Result<_, _>>()?,
            // No container is a swarm task, and none has a health check.
            never: filters.truth("is-task")? == Some(true) || !filters.any("health", |value| value == "none"),
            before: moment("before")?,
            since: moment("since")?,
            is_all: !filters.values("status").is_empty(),
            filters,
        })
    }

    /// Returns whether stopped containers are shown even without `--all`.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.is_all
    }

    /// Returns whether to show a container whose state is unreadable. Only its id and name are
    /// known, and it counts as dead.
    #[must_use]
    pub fn fits_damaged(&self, damaged: &Damaged) -> bool {
        let is_known = |key: &String| ["id", "name", "status"].contains(&key.as_str());
        self.filters.0.keys().all(is_known)
            && self.fits_name(damaged.name.as_deref().unwrap_or_default())
            && (self.statuses.is_empty() || self.statuses.contains(&Status::Dead))
            && self.filters.any("id", |prefix| damaged.id.starts_with(prefix.as_str()))
    }

    fn fits_name(&self, name: &str) -> bool {
        self.names.is_empty()
            || self.names.iter().any(|r| r.is_match(name) || r.is_match(&format!("/{name}")))
    }

    /// Returns whether to show a container.
    #[must_use]
    pub fn fits(&self, container: &ContainerView) -> bool {
        let filters = &self.filters;
        !self.never
            && self.fits_name(container.name.as_str())
            && (self.statuses.is_empty() || self.statuses.contains(&container.status))
            && (self.exited.is_empty()
                || (container.status == Status::Exited && self.exited.contains(&container.state.exit_code)))
            && self.before.is_none_or(|time| container.created < time)
            && self.since.is_none_or(|time| container.created > time)
            && filters.any("id", |prefix| container.id.as_str().starts_with(prefix.as_str()))
            && filters.labels_fit(&container.config.labels)
            && filters.any("ancestor", |image| is_image(container, image))
            && filters.any("network", |network| {
                *network == String::from(container.config.networking.network.clone())
            })
            && filters.any("volume", |volume| {
                container.config.mounts.list.iter().any(|mount| {
                    let source = match &mount.kind {
                        MountKind::Bind(bind) => bind.source.to_str(),
                        MountKind::Tmpfs(_) | MountKind::Unknown(_) => None,
                    };
                    mount.target.to_str() == Some(volume) || source == Some(volume)
                })
            })
    }
}

fn is_target(container: &ContainerView, target: &str) -> bool {
    container.name.as_str() == target.trim_start_matches('/') || container.id.as_str().starts_with(target)
}

fn is_image(container: &ContainerView, wanted: &str) -> bool {
    let id = container.image_id.to_string();
    let hex = id.split_once(':').map_or(id.as_str(), |(_, hex)| hex);
    let by_name = match (wanted.parse::<Reference>(), container.image.parse::<Reference>()) {
        (Ok(wanted), Ok(image)) => wanted == image,
        _ => wanted == container.image,
    };
    by_name || id.starts_with(wanted) || (wanted.len() >= 4 && hex.starts_with(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::ps::tests::named;

    fn names(words: &[&str]) -> Result<Vec<String>, String> {
        let mut containers = vec![named("web"), named("web-db"), named("cache")];
        containers[1].created = "2026-11-22T10:00:00Z".parse().unwrap();
        containers[2].status = Status::Exited;
        containers[2].state.exit_code = 3;
        containers[2].config.labels = [("tier".to_owned(), "back".to_owned())].into();
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let filter = Filters::parse(&words, CONTAINER_KEYS)
            .and_then(|filters| ContainerFilter::new(filters, &containers))
            .map_err(|error| error.to_string())?;
        Ok(containers.iter().filter(|c| filter.fits(c)).map(|c| c.name.to_string()).collect())
    }

    #[test]
    fn filters_of_ps_choose_as_dockers() {
        for (words, want) in [
            (&["name=web"][..], &["web", "web-db"][..]),
            (&["name=^web$"], &["web"]),
            (&["name=^/web$"], &["web"]),
            (&["name=web-db", "name=cache"], &["web-db", "cache"]),
            (&["status=exited"], &["cache"]),
            (&["exited=3"], &["cache"]),
            (&["exited=0"], &[]),
            (&["label=tier"], &["cache"]),
            (&["label=tier=back", "label=none"], &[]),
            (&["before=web-db"], &["web", "cache"]),
            (&["since=cache"], &["web-db"]),
            (&["ancestor=debian"], &["web", "web-db", "cache"]),
            (&["ancestor=debian:12"], &[]),
            (&["volume=/data"], &["web", "web-db", "cache"]),
            (&["network=bridge", "is-task=false", "health=none"], &["web", "web-db", "cache"]),
            (&["health=healthy"], &[]),
        ] {
            assert_eq!(names(words).unwrap(), want, "{words:?}");
        }
    }

    #[test]
    fn a_damaged_container_fits_by_what_is_known_of_it() {
        let damaged = Damaged { id: "ab".repeat(32), name: Some("web".to_owned()), why: String::new() };
        for (words, want) in [
            (&[][..], true),
            (&["name=we", "id=aba"], true),
            (&["name=db"], false),
            (&["id=ba"], false),
            (&["status=dead"], true),
            (&["status=exited"], false),
            (&["name=web", "label=tier"], false),
            (&["network=bridge"], false),
        ] {
            let words: Vec<_> = words.iter().map(|word: &&str| (*word).to_owned()).collect();
            let filters = Filters::parse(&words, CONTAINER_KEYS).unwrap();
            let filter = ContainerFilter::new(filters, &[]).unwrap();
            assert_eq!(filter.fits_damaged(&damaged), want, "{words:?}");
        }
    }

    #[test]
    fn a_filter_that_cannot_be_used_is_refused() {
        let refusals: Vec<_> = [
            "name",
            "color=red",
            "status=up",
            "exited=x",
            "before=nope",
            "name=(",
            "is-task=maybe",
            "health=good",
        ]
        .map(|word| names(&[word]).unwrap_err())
        .into();
        insta::assert_snapshot!(refusals.join("\n"), @"
        bad format of filter `name` (expected name=value)
        invalid filter `color`
        invalid filter `status=up`: expected created, running, paused, restarting, removing, exited or dead
        invalid filter `exited=x`: expected an exit code from 0 to 255
        invalid filter `before=nope`: No such container: nope
        invalid filter `name=(`: error: unclosed group
        invalid filter `is-task=maybe`: expected true or false
        invalid filter `health=good`: expected none, starting, healthy or unhealthy
        ");
    }
}
