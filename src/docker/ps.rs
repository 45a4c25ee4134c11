//! `ps`: containers as rows.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::format::{Column, Row};
use super::time;
use crate::base::units::{column, human_duration};
use crate::engine::{ContainerView, Damaged, MountKind, NetworkMode, Status};
use crate::oci::Reference;

/// The columns of `ps`.
pub const COLUMNS: &[Column] = &[
    Column { field: "ID", title: "CONTAINER ID" },
    Column { field: "Image", title: "IMAGE" },
    Column { field: "Command", title: "COMMAND" },
    Column { field: "RunningFor", title: "CREATED" },
    Column { field: "Status", title: "STATUS" },
    Column { field: "Ports", title: "PORTS" },
    Column { field: "Names", title: "NAMES" },
];

/// The additional column of `ps --size`.
pub const SIZE: Column = Column { field: "Size", title: "SIZE" };

/// Every field that a template can name.
pub const TITLES: &[Column] = &[
    Column { field: "ID", title: "CONTAINER ID" },
    Column { field: "Image", title: "IMAGE" },
    Column { field: "Command", title: "COMMAND" },
    Column { field: "CreatedAt", title: "CREATED AT" },
    Column { field: "RunningFor", title: "CREATED" },
    Column { field: "Status", title: "STATUS" },
    Column { field: "State", title: "STATE" },
    Column { field: "Ports", title: "PORTS" },
    Column { field: "Names", title: "NAMES" },
    Column { field: "Labels", title: "LABELS" },
    Column { field: "Mounts", title: "MOUNTS" },
    Column { field: "LocalVolumes", title: "LOCAL VOLUMES" },
    Column { field: "Networks", title: "NETWORKS" },
    Column { field: "Platform", title: "PLATFORM" },
    SIZE,
];

/// Number of digits of a truncated id.
const SHORT_ID: usize = 12;
/// Maximum width of a truncated command.
const COMMAND_WIDTH: usize = 20;
/// Maximum width of a truncated mount.
const MOUNT_WIDTH: usize = 15;
/// Maximum width of a truncated reason.
const REASON_WIDTH: usize = 40;

/// Returns a row of `ps`.
#[must_use]
pub fn row(container: &ContainerView, truncate: bool, now: Timestamp, zone: &TimeZone) -> Row {
    let command = command(container);
    let command = if truncate { ellipsis(&command, COMMAND_WIDTH) } else { command };
    let labels: Vec<_> =
        container.config.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mounts = container.config.mounts.list.iter().filter_map(|mount| match &mount.kind {
        MountKind::Bind(bind) => Some(bind.source.display().to_string()),
        MountKind::Tmpfs(_) | MountKind::Unknown(_) => None,
    });
    let mounts = mounts.map(|source| if truncate { ellipsis(&source, MOUNT_WIDTH) } else { source });
    let id = if truncate { container.id.short() } else { container.id.as_str() };
    let mut row = Row::new([
        ("ID", id.into()),
        ("Image", image(container, truncate).into()),
        // Quoted as a Go string literal; JSON's differ only in rare characters.
        ("Command", serde_json::Value::from(command).to_string().into()),
        ("CreatedAt", time::created_at(container.created, zone).into()),
        ("RunningFor", time::ago(container.created, now).into()),
        ("Status", status(container, now).into()),
        ("State", container.status.as_str().into()),
        ("Ports", ports(container).into()),
        ("Names", container.name.as_str().into()),
        ("Labels", labels.join(",").into()),
        ("Mounts", mounts.collect::<Vec<_>>().join(",").into()),
        ("LocalVolumes", container.config.mounts.volumes.len().to_string().into()),
        ("Networks", String::from(container.config.networking.network.clone()).into()),
        ("Platform", container.config.platform.as_ref().map(ToString::to_string).unwrap_or_default().into()),
        ("Size", size(container).into()),
    ]);
    row.labels.clone_from(&container.config.labels);
    row
}

/// Returns a row of `ps` for a container whose state is unreadable, with the reason.
#[must_use]
pub fn damaged_row(damaged: &Damaged, truncate: bool) -> Row {
    Row::new(TITLES.iter().map(|column| {
        let value = match column.field {
            "ID" => damaged_id(damaged, truncate),
            "Names" => damaged.name.clone().unwrap_or_default(),
            "Status" => damage(&damaged.why, truncate),
            "State" => Status::Dead.as_str().to_owned(),
            _ => String::new(),
        };
        (column.field, value.into())
    }))
}

/// Returns `Damaged (EOF while parsing a value…)`. `--no-trunc` and `inspect` show the full reason.
#[must_use]
pub(super) fn damage(why: &str, truncate: bool) -> String {
    let why = crate::base::text::cell(why);
    let why = if truncate { ellipsis(&why, REASON_WIDTH) } else { why.into_owned() };
    format!("Damaged ({why})")
}

/// Returns its id in the format of other containers.
#[must_use]
pub fn damaged_id(damaged: &Damaged, truncate: bool) -> String {
    let digits = if truncate { SHORT_ID } else { damaged.id.len() };
    damaged.id.chars().take(digits).collect()
}

/// Returns `Up 3 minutes (Paused)`, `Exited (137) 2 hours ago`, `Created` and so on.
#[must_use]
pub fn status(container: &ContainerView, now: Timestamp) -> String {
    let state = &container.state;
    let up =
        || human_duration(state.started.map_or_else(Default::default, |started| time::since(started, now)));
    let ended =
        || state.finished.map_or_else(|| "Less than a second ago".to_owned(), |end| time::ago(end, now));
    match container.status {
        Status::Created => "Created".to_owned(),
        Status::Running => format!("Up {}", up()),
        Status::Paused => format!("Up {} (Paused)", up()),
        Status::Restarting => format!("Restarting ({}) {}", state.exit_code, ended()),
        Status::Removing => "Removal In Progress".to_owned(),
        Status::Exited => format!("Exited ({}) {}", state.exit_code, ended()),
        Status::Dead => "Dead".to_owned(),
        Status::Unknown(word) => word.as_str().to_owned(),
    }
}

/// Returns the command line; arguments that contain spaces are quoted.
#[must_use]
pub fn command(container: &ContainerView) -> String {
    let words =
        container.config.process.entrypoint().iter().chain(&container.config.process.command).enumerate();
    let quoted =
        words.map(|(at, word)| if at > 0 && word.contains(' ') { format!("'{word}'") } else { word.clone() });
    quoted.collect::<Vec<_>>().join(" ")
}

/// Truncates text to `width` characters; the last one is then `…`.
#[must_use]
pub fn ellipsis(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Returns the image as it was named. If truncated, ids are short and digests omitted.
fn image(container: &ContainerView, truncate: bool) -> String {
    if !truncate {
        return container.image.clone();
    }
    let hex = container.image.strip_prefix("sha256:").unwrap_or(&container.image);
    if container.image_id.to_string().contains(hex) && hex.len() >= 12 {
        return hex[..12].to_owned();
    }
    match container.image.parse::<Reference>() {
        Ok(reference) if reference.digest().is_some() => match reference.tag() {
            Some(tag) => format!("{}:{tag}", reference.familiar_name()),
            None => reference.familiar_name(),
        },
        _ => container.image.clone(),
    }
}

/// Returns the exposed ports of a running container.
fn ports(container: &ContainerView) -> String {
    match (&container.config.networking.network, container.status.is_up()) {
        (NetworkMode::Bridge | NetworkMode::Named(_), true) => {
            container.config.networking.exposed_ports.join(", ")
        }
        _ => String::new(),
    }
}

/// Returns a size such as `1.2kB (virtual 72.8MB)`.
fn size(container: &ContainerView) -> String {
    match container.size {
        Some(size) if size.total > 0 => format!("{} (virtual {})", column(size.writable), column(size.total)),
        Some(size) => column(size.writable),
        None => "0B".to_owned(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::docker::format::Format;
    use crate::engine::{Bind, DiskUse, MountRequest};

    /// Creates a running container of `debian`, created at 9:00.
    pub(crate) fn container() -> ContainerView {
        named("web")
    }

    /// Creates the same container with another name.
    pub(crate) fn named(name: &str) -> ContainerView {
        let json = serde_json::json!({
            "version": 2, "id": "0123456789ab".repeat(6)[..64], "name": name,
            "created": "2026-11-22T09:00:00Z", "image": "debian:latest",
            "image_id": format!("sha256:{}", "ab".repeat(32)), "layers": [],
            "options": {}, "config": {
                "process": {
                    "entrypoint": ["/bin/sh"], "command": ["-c", "while true; do sleep 1; done"],
                },
                "networking": {"hostname": "0123456789ab", "exposed_ports": ["80/tcp"]},
            },
            "state": {"started": "2026-11-22T11:00:00Z"},
        });
        let mut container = ContainerView::running(json);
        let bind = Bind {
            source: "/srv/a-rather-long-path".into(),
            create_source: true,
            recursive: true,
            ..Bind::default()
        };
        container.config.mounts.list = vec![MountRequest::new("/data", MountKind::Bind(bind))];
        container
    }

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_table_is_dockers() {
        let mut exited = named("db");
        exited.status = Status::Exited;
        exited.state.exit_code = 137;
        exited.state.finished = Some("2026-11-22T11:58:00Z".parse().unwrap());
        let rows = [container(), exited].map(|c| row(&c, true, now(), &TimeZone::UTC));
        insta::assert_snapshot!(Format::Table.show(COLUMNS, TITLES, &rows).unwrap(), @r#"
        CONTAINER ID   IMAGE           COMMAND                  CREATED       STATUS                       PORTS     NAMES
        0123456789ab   debian:latest   "/bin/sh -c 'while t…"   3 hours ago   Up About an hour             80/tcp    web
        0123456789ab   debian:latest   "/bin/sh -c 'while t…"   3 hours ago   Exited (137) 2 minutes ago             db
        "#);
    }

    #[test]
    fn what_cannot_be_read_is_a_row_with_its_reason() {
        let damaged = Damaged {
            id: "0123456789ab".repeat(6)[..64].to_owned(),
            name: Some("db".to_owned()),
            why: "EOF while parsing a value, in /var/lib/hoist/containers/0/record.json".to_owned(),
        };
        let rows = [true, false].map(|truncate| damaged_row(&damaged, truncate));
        insta::assert_snapshot!(Format::Table.show(COLUMNS, TITLES, &rows).unwrap(), @"
        CONTAINER ID                                                       IMAGE     COMMAND   CREATED   STATUS                                                                            PORTS     NAMES
        0123456789ab                                                                                     Damaged (EOF while parsing a value, in /var/lib/…)                                          db
        0123456789ab0123456789ab0123456789ab0123456789ab0123456789ab0123                                 Damaged (EOF while parsing a value, in /var/lib/hoist/containers/0/record.json)             db
        ");
    }

    #[test]
    fn the_json_is_dockers() {
        let mut measured = container();
        measured.size = Some(DiskUse { writable: 1_234, total: 72_800_000, log: 0 });
        let row = row(&measured, false, now(), &TimeZone::UTC);
        insta::assert_snapshot!(Format::Json.show(COLUMNS, TITLES, &[row]).unwrap(), @r#"{"Command":"\"/bin/sh -c 'while true; do sleep 1; done'\"","CreatedAt":"2026-11-22 09:00:00 +0000 UTC","ID":"0123456789ab0123456789ab0123456789ab0123456789ab0123456789ab0123","Image":"debian:latest","Labels":"","LocalVolumes":"0","Mounts":"/srv/a-rather-long-path","Names":"web","Networks":"bridge","Platform":"","Ports":"80/tcp","RunningFor":"3 hours ago","Size":"1.23kB (virtual 72.8MB)","State":"running","Status":"Up About an hour"}"#);
    }

    #[test]
    fn every_status_has_dockers_words() {
        let mut container = container();
        container.state.finished = Some("2026-11-22T11:59:30Z".parse().unwrap());
        let words: Vec<_> = Status::ALL
            .map(|status| {
                container.status = status;
                super::status(&container, now())
            })
            .into();
        insta::assert_snapshot!(words.join("\n"), @"
        Created
        Up About an hour
        Up About an hour (Paused)
        Restarting (0) 30 seconds ago
        Removal In Progress
        Exited (0) 30 seconds ago
        Dead
        ");
    }
}
