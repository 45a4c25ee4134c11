//! `images` and `image inspect`: images as rows and as Docker's JSON.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use super::filter::{Error, Filters};
use super::format::{Column, Row};
use super::time::{self, ZERO, rfc3339};
use crate::base::text;
use crate::base::units::column;
use crate::engine::{Damaged, HistoryEntry, ImageDetail, ImageView};
use crate::oci::{ImageId, Reference};

/// The columns of `images`.
pub const COLUMNS: &[Column] = &[
    Column { field: "Repository", title: "REPOSITORY" },
    Column { field: "Tag", title: "TAG" },
    Column { field: "ID", title: "IMAGE ID" },
    Column { field: "CreatedSince", title: "CREATED" },
    Column { field: "Size", title: "SIZE" },
];

/// The columns of `images --digests`.
pub const COLUMNS_WITH_DIGESTS: &[Column] = &[
    Column { field: "Repository", title: "REPOSITORY" },
    Column { field: "Tag", title: "TAG" },
    Column { field: "Digest", title: "DIGEST" },
    Column { field: "ID", title: "IMAGE ID" },
    Column { field: "CreatedSince", title: "CREATED" },
    Column { field: "Size", title: "SIZE" },
];

/// Every field that a template can name.
pub const TITLES: &[Column] = &[
    Column { field: "ID", title: "IMAGE ID" },
    Column { field: "Repository", title: "REPOSITORY" },
    Column { field: "Tag", title: "TAG" },
    Column { field: "Digest", title: "DIGEST" },
    Column { field: "CreatedSince", title: "CREATED" },
    Column { field: "CreatedAt", title: "CREATED AT" },
    Column { field: "Size", title: "SIZE" },
    Column { field: "Containers", title: "CONTAINERS" },
    Column { field: "VirtualSize", title: "VIRTUAL SIZE" },
    Column { field: "SharedSize", title: "SHARED SIZE" },
    Column { field: "UniqueSize", title: "UNIQUE SIZE" },
];

/// The columns of `history`, then further fields for templates.
pub const HISTORY_COLUMNS: &[Column] = &[
    Column { field: "ID", title: "IMAGE" },
    Column { field: "CreatedSince", title: "CREATED" },
    Column { field: "CreatedBy", title: "CREATED BY" },
    Column { field: "Size", title: "SIZE" },
    Column { field: "Comment", title: "COMMENT" },
    Column { field: "CreatedAt", title: "CREATED AT" },
    Column { field: "Tags", title: "TAGS" },
];

/// How many of [`HISTORY_COLUMNS`] the table shows.
pub const HISTORY_SHOWN: usize = 5;

/// Maximum width of a truncated history command.
const CREATED_BY_WIDTH: usize = 45;

/// Returns a row of `history`. With `human`, sizes and times are in readable units.
#[must_use]
pub fn history_row(entry: &HistoryEntry, look: &Look<'_>, human: bool) -> Row {
    let id = entry.id.as_ref().map_or_else(
        || "<missing>".to_owned(),
        |id| if look.truncate { id.short().to_owned() } else { id.to_string() },
    );
    let by = text::cell(&entry.created_by).into_owned();
    let by = if look.truncate { super::ps::ellipsis(&by, CREATED_BY_WIDTH) } else { by };
    let at = entry.created.map(|time| time::rfc3339_seconds(time, look.zone)).unwrap_or_default();
    let since = match entry.created {
        Some(created) if human => time::ago(created, look.now),
        Some(_) => at.clone(),
        None => "N/A".to_owned(),
    };
    let tags: Vec<_> = entry.tags.iter().map(ToString::to_string).collect();
    Row::new([
        ("ID", id.into()),
        ("CreatedSince", since.into()),
        ("CreatedAt", at.into()),
        ("CreatedBy", by.into()),
        ("Size", if human { column(entry.size) } else { entry.size.to_string() }.into()),
        ("Comment", text::cell(&entry.comment).into()),
        ("Tags", tags.join(",").into()),
    ])
}

/// How rows are formatted.
#[derive(Debug)]
pub struct Look<'a> {
    /// Truncates ids to twelve digits.
    pub truncate: bool,
    /// Adds a row for each digest.
    pub digests: bool,
    /// The current time.
    pub now: Timestamp,
    /// The time zone of dates.
    pub zone: &'a TimeZone,
}

const NONE: &str = "<none>";

/// Returns the rows of an image in `images`, one per tag.
#[must_use]
pub fn rows(image: &ImageView, look: &Look<'_>) -> Vec<Row> {
    let mut names: BTreeMap<String, (Vec<&str>, Vec<String>)> = BTreeMap::new();
    for tag in &image.tags {
        names.entry(tag.familiar_name()).or_default().0.push(tag.tag().unwrap_or(NONE));
    }
    for digest in &image.digests {
        let hex = digest.digest().map(ToString::to_string).unwrap_or_default();
        names.entry(digest.familiar_name()).or_default().1.push(hex);
    }
    if names.is_empty() {
        return vec![row(image, NONE, NONE, NONE, look)];
    }
    let mut rows = Vec::new();
    for (name, (tags, digests)) in &names {
        let tags = if tags.is_empty() { &[NONE][..] } else { tags };
        let digests = match (look.digests, digests.is_empty()) {
            (true, false) => digests.iter().map(String::as_str).collect(),
            _ => vec![NONE],
        };
        rows.extend(
            tags.iter().flat_map(|tag| digests.iter().map(|digest| row(image, name, tag, digest, look))),
        );
    }
    rows
}

/// Returns a row of `images` for an unreadable image or name. The reason is in the size column.
#[must_use]
pub fn damaged_row(damaged: &Damaged, look: &Look<'_>) -> Row {
    let name: Option<Reference> = damaged.name.as_deref().and_then(|name| name.parse().ok());
    Row::new(TITLES.iter().map(|column| {
        let value = match (column.field, &name) {
            ("ID", _) if damaged.id.is_empty() => NONE.to_owned(),
            ("ID", _) => damaged_id(damaged, look.truncate),
            ("Repository", Some(name)) => name.familiar_name(),
            ("Repository", None) => damaged.name.clone().unwrap_or_else(|| NONE.to_owned()),
            ("Tag", Some(name)) => name.tag().unwrap_or(NONE).to_owned(),
            ("Tag" | "Digest", _) => NONE.to_owned(),
            ("Size", _) => super::ps::damage(&damaged.why, look.truncate),
            _ => "N/A".to_owned(),
        };
        (column.field, value.into())
    }))
}

/// Returns its id in the format of other images.
#[must_use]
pub fn damaged_id(damaged: &Damaged, truncate: bool) -> String {
    match damaged.id.strip_prefix("sha256:") {
        Some(hex) if truncate => hex.chars().take(12).collect(),
        _ => damaged.id.clone(),
    }
}

fn row(image: &ImageView, name: &str, tag: &str, digest: &str, look: &Look<'_>) -> Row {
    let id = if look.truncate { image.id.short().to_owned() } else { image.id.to_string() };
    let unknown = || "N/A".to_owned();
    let mut row = Row::new([
        ("ID", id.into()),
        ("Repository", name.into()),
        ("Tag", tag.into()),
        ("Digest", digest.into()),
        ("CreatedSince", image.created.map_or_else(unknown, |t| time::ago(t, look.now)).into()),
        ("CreatedAt", image.created.map_or_else(unknown, |t| time::created_at(t, look.zone)).into()),
        ("Size", column(image.size).into()),
        ("VirtualSize", column(image.size).into()),
        ("SharedSize", unknown().into()),
        ("UniqueSize", unknown().into()),
        ("Containers", unknown().into()),
    ]);
    row.labels.clone_from(&image.labels);
    row
}

/// Returns the images that pass the filters, newest first, with only the names that match. Untagged
/// parents of other images are included only with `all`.
///
/// # Errors
///
/// A value is invalid for its filter.
pub fn chosen(mut images: Vec<ImageView>, filters: &Filters, all: bool) -> Result<Vec<ImageView>, Error> {
    let moment = |key: &'static str| match filters.values(key).last() {
        None => Ok(None),
        Some(target) => match images.iter().find(|image| is_target(image, target)) {
            Some(image) => Ok(image.created),
            None => Err(Error::Value { key, value: target.clone(), why: format!("No such image: {target}") }),
        },
    };
    let (before, since) = (moment("before")?, moment("since")?);
    let dangling = filters.truth("dangling")?;
    let parents: Vec<ImageId> = images.iter().filter_map(|image| image.parent.clone()).collect();
    let patterns = filters.values("reference");
    for image in &mut images {
        if !patterns.is_empty() {
            image.tags.retain(|name| patterns.iter().any(|pattern| is_named(name, pattern)));
            image.digests.retain(|name| patterns.iter().any(|pattern| is_named(name, pattern)));
        }
    }
    images.retain(|image| {
        (patterns.is_empty() || !image.tags.is_empty() || !image.digests.is_empty())
            && dangling.is_none_or(|wanted| image.is_dangling() == wanted)
            && (all || !(image.is_dangling() && parents.contains(&image.id)))
            && before.is_none_or(|time| image.created.is_some_and(|created| created < time))
            && since.is_none_or(|time| image.created.is_some_and(|created| created > time))
            && filters.labels_fit(&image.labels)
    });
    images.sort_by_key(|image| std::cmp::Reverse(image.created));
    Ok(images)
}

fn is_target(image: &ImageView, target: &str) -> bool {
    let named = target
        .parse::<Reference>()
        .is_ok_and(|name| image.tags.contains(&name) || image.digests.contains(&name));
    named || image.id.hex().starts_with(target.strip_prefix("sha256:").unwrap_or(target))
}

/// Returns whether a pattern matches a full name, or the name without its tag.
fn is_named(name: &Reference, pattern: &str) -> bool {
    let familiar = name.familiar_name();
    [name.to_string(), familiar.clone(), name.full_name()].iter().any(|text| matches(pattern, text))
        || name.tag().is_some_and(|tag| matches(pattern, &format!("{familiar}:{tag}")))
}

/// Matches like Go's `path.Match`: `*` and `?` do not match a slash; `[a-z]` and `[^a]` are
/// classes.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    glob(&pattern, &text)
}

fn glob(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => {
            let reach = text.iter().position(|c| *c == '/').unwrap_or(text.len());
            (0..=reach).any(|skip| glob(rest, &text[skip..]))
        }
        (Some(('?', rest)), Some((c, after))) => *c != '/' && glob(rest, after),
        (Some(('[', rest)), Some((c, after))) => match rest.iter().position(|c| *c == ']') {
            Some(end) => is_in_class(&rest[..end], *c) && glob(&rest[end + 1..], after),
            None => false,
        },
        (Some(('\\', rest)), Some((c, after))) => {
            rest.split_first().is_some_and(|(plain, rest)| plain == c && glob(rest, after))
        }
        (Some((plain, rest)), Some((c, after))) => plain == c && glob(rest, after),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

fn is_in_class(class: &[char], c: char) -> bool {
    let (negated, mut class) = match class.split_first() {
        Some(('^', rest)) => (true, rest),
        _ => (false, class),
    };
    let mut found = false;
    while let Some((first, rest)) = class.split_first() {
        class = match rest {
            ['-', last, tail @ ..] => {
                found |= (*first..=*last).contains(&c);
                tail
            }
            _ => {
                found |= *first == c;
                rest
            }
        };
    }
    found != negated
}

/// Returns an image in the format of `image inspect`.
#[must_use]
pub fn inspect(detail: &ImageDetail) -> Json {
    let (image, document) = (&detail.image, &detail.document);
    let text = |key: &str| document.get(key).and_then(Json::as_str).unwrap_or_default();
    let names = |names: &[Reference]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let folder = |index: usize| detail.folders.get(index).map(|folder| folder.display().to_string());
    let lower: Vec<_> = (1..detail.folders.len()).filter_map(folder).collect();
    let mut shown = json!({
        "Id": image.id,
        "RepoTags": names(&image.tags),
        "RepoDigests": names(&image.digests),
        "Parent": image.parent.as_ref().map(ToString::to_string).unwrap_or_default(),
        "Comment": last_comment(document),
        "Created": image.created.map_or_else(|| ZERO.to_owned(), rfc3339),
        "DockerVersion": text("docker_version"),
        "Author": text("author"),
        "Config": config(document.get("config")),
        "Architecture": image.platform.arch,
    });
    let rest = json!({
        "Os": image.platform.os,
        "Size": image.size,
        "GraphDriver": {
            "Data": {"LowerDir": lower.join(":"), "UpperDir": folder(0).unwrap_or_default()},
            "Name": "overlay2",
        },
        "RootFS": {"Type": "layers", "Layers": image.layers},
        "Metadata": {"LastTagTime": image.tagged.map_or_else(|| ZERO.to_owned(), rfc3339)},
    });
    if let (Json::Object(fields), Json::Object(rest)) = (&mut shown, rest) {
        if let Some(variant) = &image.platform.variant {
            fields.insert("Variant".to_owned(), variant.as_str().into());
        }
        fields.extend(rest);
    }
    shown
}

fn last_comment(document: &Json) -> &str {
    let last = document.get("history").and_then(Json::as_array).and_then(|lines| lines.last());
    let own = document.get("comment").and_then(Json::as_str).unwrap_or_default();
    last.and_then(|line| line.get("comment")).and_then(Json::as_str).unwrap_or(own)
}

/// Returns the image's configuration, with Docker's zero values for missing fields.
fn config(document: Option<&Json>) -> Json {
    let mut shown = json!({
        "Hostname": "", "Domainname": "", "User": "",
        "AttachStdin": false, "AttachStdout": false, "AttachStderr": false,
        "Tty": false, "OpenStdin": false, "StdinOnce": false,
        "Env": null, "Cmd": null, "Image": "", "Volumes": null, "WorkingDir": "",
        "Entrypoint": null, "OnBuild": null, "Labels": null,
    });
    if let (Json::Object(fields), Some(Json::Object(said))) = (&mut shown, document) {
        fields.extend(said.clone());
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::filter::IMAGE_KEYS;
    use crate::docker::format::Format;

    fn image(digit: &str, tags: &[&str]) -> ImageView {
        ImageView {
            id: format!("sha256:{}", digit.repeat(64)).parse().unwrap(),
            tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
            digests: Vec::new(),
            created: Some("2026-11-20T12:00:00Z".parse().unwrap()),
            added: "2026-11-22T12:00:00Z".parse().unwrap(),
            tagged: None,
            size: 72_800_000,
            labels: BTreeMap::from([("tier".to_owned(), "front".to_owned())]),
            platform: "linux/arm64/v8".parse().unwrap(),
            parent: None,
            layers: vec![format!("sha256:{}", "e".repeat(64)).parse().unwrap()],
        }
    }

    fn some() -> Vec<ImageView> {
        let mut debian = image("a", &["debian:latest", "debian:12", "localhost:5000/deb:x"]);
        debian.digests = vec![format!("debian@sha256:{}", "d".repeat(64)).parse().unwrap()];
        let mut old = image("b", &[]);
        old.created = Some("2020-01-01T00:00:00Z".parse().unwrap());
        let mut new = image("c", &["acme/web:2"]);
        new.created = Some("2026-11-22T11:00:00Z".parse().unwrap());
        vec![debian, old, new]
    }

    fn table(digests: bool) -> String {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let look = Look { truncate: true, digests, now, zone: &TimeZone::UTC };
        let rows: Vec<_> = some().iter().flat_map(|image| rows(image, &look)).collect();
        let columns = if digests { COLUMNS_WITH_DIGESTS } else { COLUMNS };
        Format::Table.show(columns, TITLES, &rows).unwrap()
    }

    #[test]
    fn the_tables_are_dockers() {
        insta::assert_snapshot!(table(false), @"
        REPOSITORY           TAG       IMAGE ID       CREATED             SIZE
        debian               latest    aaaaaaaaaaaa   2 days ago          72.8MB
        debian               12        aaaaaaaaaaaa   2 days ago          72.8MB
        localhost:5000/deb   x         aaaaaaaaaaaa   2 days ago          72.8MB
        <none>               <none>    bbbbbbbbbbbb   6 years ago         72.8MB
        acme/web             2         cccccccccccc   About an hour ago   72.8MB
        ");
        insta::assert_snapshot!(table(true), @"
        REPOSITORY           TAG       DIGEST                                                                    IMAGE ID       CREATED             SIZE
        debian               latest    sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd   aaaaaaaaaaaa   2 days ago          72.8MB
        debian               12        sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd   aaaaaaaaaaaa   2 days ago          72.8MB
        localhost:5000/deb   x         <none>                                                                    aaaaaaaaaaaa   2 days ago          72.8MB
        <none>               <none>    <none>                                                                    bbbbbbbbbbbb   6 years ago         72.8MB
        acme/web             2         <none>                                                                    cccccccccccc   About an hour ago   72.8MB
        ");
    }

    #[test]
    fn the_table_of_history_is_dockers() {
        let entry = HistoryEntry {
            id: Some(some()[0].id.clone()),
            created: some()[0].created,
            created_by: "/bin/sh -c #(nop) ADD file:0123456789abcdef in / and\tmore".to_owned(),
            size: 72_800_000,
            comment: "made".to_owned(),
            tags: Vec::new(),
        };
        let older = HistoryEntry { id: None, created: None, size: 0, ..entry.clone() };
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let look = Look { truncate: true, digests: false, now, zone: &TimeZone::UTC };
        let rows = [history_row(&entry, &look, true), history_row(&older, &look, false)];
        let table = Format::Table.show(&HISTORY_COLUMNS[..HISTORY_SHOWN], HISTORY_COLUMNS, &rows).unwrap();
        insta::assert_snapshot!(table, @"
        IMAGE          CREATED      CREATED BY                                      SIZE      COMMENT
        aaaaaaaaaaaa   2 days ago   /bin/sh -c #(nop) ADD file:0123456789abcdef …   72.8MB    made
        <missing>      N/A          /bin/sh -c #(nop) ADD file:0123456789abcdef …   0         made
        ");
        let exact = HistoryEntry { created: "2026-11-20T23:30:00.5Z".parse().ok(), ..entry };
        let east = TimeZone::fixed(jiff::tz::offset(1));
        for (zone, at) in [(&TimeZone::UTC, "2026-11-20T23:30:00Z"), (&east, "2026-11-21T00:30:00+01:00")] {
            let row = history_row(&exact, &Look { zone, ..look }, false);
            assert_eq!((&row.fields["CreatedAt"], &row.fields["CreatedSince"]), (&json!(at), &json!(at)));
        }
    }

    #[test]
    fn filters_of_images_choose_as_dockers() {
        for (words, want) in [
            (&[][..], "c a b"),
            (&["dangling=true"], "b"),
            (&["dangling=false"], "c a"),
            (&["label=tier=front"], "c a b"),
            (&["label=tier=back"], ""),
            (&["reference=debian"], "a"),
            (&["reference=deb*:1?"], "a"),
            (&["reference=acme/*"], "c"),
            (&["reference=*"], "a"),
            (&["reference=*/*:[0-3]"], "c"),
            (&["reference=debian:latest"], "a"),
            (&["before=acme/web:2"], "a b"),
            (&["since=bbbb"], "c a"),
        ] {
            let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
            let filters = Filters::parse(&words, IMAGE_KEYS).unwrap();
            let left = chosen(some(), &filters, false).unwrap();
            let shown: Vec<_> = left.iter().map(|image| &image.id.hex()[..1]).collect();
            assert_eq!(shown.join(" "), want, "{words:?}");
        }
        let filters = Filters::parse(&["reference=debian:12".to_owned()], IMAGE_KEYS).unwrap();
        assert_eq!(chosen(some(), &filters, false).unwrap()[0].tags.len(), 1);
    }

    #[test]
    fn inspect_has_dockers_fields() {
        let detail = ImageDetail {
            image: some().remove(0),
            document: json!({"author": "me", "config": {"Cmd": ["sh"]}, "history": [{"comment": "made"}]}),
            folders: vec!["/l/2".into(), "/l/1".into(), "/l/0".into()],
        };
        insta::assert_snapshot!(inspect(&detail).to_string(), @r#"{"Id":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","RepoTags":["debian:latest","debian:12","localhost:5000/deb:x"],"RepoDigests":["debian@sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"],"Parent":"","Comment":"made","Created":"2026-11-20T12:00:00Z","DockerVersion":"","Author":"me","Config":{"Hostname":"","Domainname":"","User":"","AttachStdin":false,"AttachStdout":false,"AttachStderr":false,"Tty":false,"OpenStdin":false,"StdinOnce":false,"Env":null,"Cmd":["sh"],"Image":"","Volumes":null,"WorkingDir":"","Entrypoint":null,"OnBuild":null,"Labels":null},"Architecture":"arm64","Variant":"v8","Os":"linux","Size":72800000,"GraphDriver":{"Data":{"LowerDir":"/l/1:/l/0","UpperDir":"/l/2"},"Name":"overlay2"},"RootFS":{"Type":"layers","Layers":["sha256:eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"]},"Metadata":{"LastTagTime":"0001-01-01T00:00:00Z"}}"#);
    }
}
