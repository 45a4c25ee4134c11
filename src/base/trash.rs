//! What lies in the trash: a folder each, with a record that says what it was.
//!
//! ```text
//! <root>/trash/<kind>-<12 hex>/trash.json      what it was, since when, until when
//!              container-…/record.json upper/ work/ log/ lock    the container's whole folder
//!              image-…/image.json                                names and records (image::aside)
//!       .image-…/     on the move (image::aside)
//!       .gone-…/      purged, and being deleted
//! ```
//! An entry is made by the rename of its folder, with everything in it: there is no moment at
//! which an object is both here and there, or neither. A volume is a folder as well, and would
//! come and go as a container does. A folder without `trash.json` is litter.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::disk::{self, Error as DiskError, state};
use super::journal::Kind;
use super::{Paths, id};

/// Current version of the file.
const VERSION: u32 = 1;

/// How the names of folders begin that are being deleted.
const GONE: &str = ".gone-";

/// How long an entry is kept whose record cannot be read.
const KEEP_DAMAGED: Duration = Duration::from_secs(24 * 3600);

/// One thing in the trash: `trash.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrashEntry {
    /// The form of this file.
    pub version: u32,
    /// The name of its folder.
    pub id: String,
    /// What it was.
    pub kind: Kind,
    /// The id of the object.
    pub object: String,
    /// What it was called.
    pub name: String,
    /// Every name that went with it: of an image all its tags, of a container its one.
    pub names: Vec<String>,
    /// When it came here.
    pub removed: Timestamp,
    /// When it goes for good.
    pub until: Timestamp,
    /// Bytes it takes, as far as they are known.
    #[serde(default)]
    pub size: Option<u64>,
    /// Fields of a newer hoist, kept when this one rewrites the file.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, serde_json::Value>,
}

state!(TrashEntry, VERSION);

impl TrashEntry {
    /// A new one, of this moment, for so long.
    ///
    /// # Errors
    ///
    /// When the kernel gives no random number.
    pub(crate) fn new(
        kind: Kind,
        object: &str,
        names: Vec<String>,
        name: String,
        keep: Duration,
    ) -> disk::Result<Self> {
        let random = id::random_bytes::<6>().map_err(DiskError::io("name something in", "the trash"))?;
        let removed = Timestamp::now();
        Ok(Self {
            version: VERSION,
            id: format!("{}-{}", kind.as_str(), id::hex(&random)),
            kind,
            object: object.to_owned(),
            name,
            names,
            removed,
            until: removed.saturating_add(keep).unwrap_or(Timestamp::MAX),
            size: None,
            unknown: BTreeMap::new(),
        })
    }
}

/// Where an entry lies.
pub(crate) fn folder(paths: &Paths, id: &str) -> PathBuf {
    paths.trash().join(id)
}

/// Whether this may be the name of an entry's folder: nothing that leads elsewhere.
pub(crate) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Writes an entry's record into `folder`, whole after a power cut as well.
///
/// # Errors
///
/// When the disk is full, or the folder gone.
pub(crate) fn write(folder: &std::path::Path, entry: &TrashEntry) -> disk::Result<()> {
    disk::write_state_synced(&folder.join("trash.json"), entry)
}

/// One entry.
///
/// # Errors
///
/// When it is not there or damaged.
pub(crate) fn read(paths: &Paths, id: &str) -> disk::Result<TrashEntry> {
    disk::read_state(&folder(paths, id).join("trash.json"))
}

/// What is in the trash's folder.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// Oldest first.
    pub(crate) entries: Vec<TrashEntry>,
    /// Folders that are nobody's, and those of entries whose record is damaged and old.
    pub(crate) litter: Vec<PathBuf>,
    /// Folders that are being deleted.
    pub(crate) gone: Vec<PathBuf>,
}

/// Looks at all of it.
///
/// # Errors
///
/// When the folder cannot be read.
pub(crate) fn contents(paths: &Paths) -> disk::Result<Contents> {
    let mut contents = Contents::default();
    let listing = match fs::read_dir(paths.trash()) {
        Ok(listing) => listing,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(contents),
        Err(error) => return Err(DiskError::io("list", paths.trash())(error)),
    };
    for found in listing.flatten() {
        let name = found.file_name();
        let Some(name) = name.to_str() else { continue };
        if name.starts_with(GONE) {
            contents.gone.push(found.path());
        } else if !name.starts_with('.') {
            match read(paths, name) {
                Ok(entry) if entry.id == name => contents.entries.push(entry),
                // Gone or restored meanwhile.
                Err(error) if error.is_not_found() && !found.path().exists() => {}
                Err(error) if error.is_of_another_version() => {}
                Err(error) if !error.is_not_found() && !is_old(&found.path()) => {}
                _ => contents.litter.push(found.path()),
            }
        }
    }
    contents.entries.sort_by(|a, b| a.removed.cmp(&b.removed).then_with(|| a.id.cmp(&b.id)));
    Ok(contents)
}

/// The folders of everything in the trash that may come back, by name, whatever is in them.
///
/// # Errors
///
/// When the trash cannot be read.
pub(crate) fn folders(paths: &Paths) -> disk::Result<Vec<String>> {
    let listing = match fs::read_dir(paths.trash()) {
        Ok(listing) => listing,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(DiskError::io("list", paths.trash())(error)),
    };
    let names = listing.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names.filter(|name| !name.starts_with(GONE)).collect())
}

fn is_old(folder: &std::path::Path) -> bool {
    let changed = fs::symlink_metadata(folder).and_then(|meta| meta.modified());
    changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age > KEEP_DAMAGED))
}

/// Takes an entry, or litter, out of sight for good: what is returned is to be deleted.
///
/// # Errors
///
/// [`DiskError::is_not_found`] when it went meanwhile.
pub(crate) fn hide(paths: &Paths, folder: &std::path::Path) -> disk::Result<PathBuf> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let gone = paths.trash().join(format!("{GONE}{name}"));
    fs::rename(folder, &gone).map_err(DiskError::io("purge", folder))?;
    Ok(gone)
}

/// The entries that are to go at this moment: what has expired; and while the disk is nearly
/// full the oldest one. Asked again after each, for then there is more room.
pub(crate) fn next_due(entries: &[TrashEntry], now: Timestamp, space: Option<Space>) -> Option<&TrashEntry> {
    let expired = entries.iter().find(|entry| entry.until <= now);
    expired.or_else(|| entries.first().filter(|_| space.is_some_and(Space::is_short)))
}

/// Room on a file system, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What can still be written.
    pub free: u64,
    /// That, and what is used.
    pub total: u64,
}

impl Space {
    /// Below a tenth the trash gives way.
    #[must_use]
    pub fn is_short(self) -> bool {
        self.free < self.total / 10
    }

    /// Of the file system that holds `folder`; `None` when that cannot be told.
    #[must_use]
    pub fn of(folder: &std::path::Path) -> Option<Self> {
        let stat = rustix::fs::statvfs(folder).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
        let free = bytes(stat.f_bavail);
        Some(Self { free, total: free.saturating_add(bytes(stat.f_blocks.saturating_sub(stat.f_bfree))) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, removed: i64, until: i64) -> TrashEntry {
        let names = vec!["web".to_owned()];
        let mut entry =
            TrashEntry::new(Kind::Container, "ab", names, "web".to_owned(), Duration::ZERO).unwrap();
        id.clone_into(&mut entry.id);
        entry.removed = Timestamp::from_second(removed).unwrap();
        entry.until = Timestamp::from_second(until).unwrap();
        entry
    }

    fn paths(dir: &tempfile::TempDir) -> Paths {
        Paths::new(dir.path().join("root"), dir.path().join("run"))
    }

    fn put(paths: &Paths, entry: &TrashEntry) {
        disk::private_dir(&folder(paths, &entry.id)).unwrap();
        write(&folder(paths, &entry.id), entry).unwrap();
    }

    #[test]
    fn what_has_expired_goes_and_on_a_full_disk_the_oldest_too() {
        let entries = [entry("a", 10, 500), entry("b", 20, 100), entry("c", 30, 600)];
        let roomy = Some(Space { free: 10, total: 100 });
        let full = Some(Space { free: 9, total: 100 });
        let due = |now, space| {
            let now = Timestamp::from_second(now).unwrap();
            next_due(&entries, now, space).map(|entry| entry.id.as_str())
        };
        assert_eq!(due(99, roomy), None);
        assert_eq!(due(100, roomy), Some("b"));
        assert_eq!(due(99, full), Some("a"));
        assert_eq!(due(100, full), Some("b"), "what has expired goes first");
        assert_eq!(due(99, None), None, "a disk that cannot be asked is not full");
        assert_eq!(next_due(&[], Timestamp::MAX, full), None);
    }

    #[test]
    fn the_trash_is_read_oldest_first_and_litter_is_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let paths = paths(&dir);
        assert!(contents(&paths).unwrap().entries.is_empty());
        put(&paths, &entry("container-b", 20, 100));
        put(&paths, &entry("container-a", 10, 100));
        for name in ["container-lost", ".gone-x", ".image-moving"] {
            disk::private_dir(&paths.trash().join(name)).unwrap();
        }
        let damaged = paths.trash().join("container-damaged");
        disk::private_dir(&damaged).unwrap();
        fs::write(damaged.join("trash.json"), "{").unwrap();
        let found = contents(&paths).unwrap();
        let ids: Vec<_> = found.entries.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!(ids, ["container-a", "container-b"]);
        assert_eq!(found.litter, [paths.trash().join("container-lost")]);
        assert_eq!(found.gone, [paths.trash().join(".gone-x")]);
        let gone = hide(&paths, &folder(&paths, "container-a")).unwrap();
        assert_eq!(gone, paths.trash().join(".gone-container-a"));
        assert!(hide(&paths, &folder(&paths, "container-a")).unwrap_err().is_not_found());
        assert_eq!(contents(&paths).unwrap().entries.len(), 1);
    }

    #[test]
    fn the_oldest_form_is_read_and_what_is_unknown_is_kept() {
        let old = r#"{"version":1,"id":"container-a","kind":"container","object":"ab","name":"web","names":["web"],"removed":"2026-11-22T07:00:00Z","until":"2026-11-23T07:00:00Z","newer":[1]}"#;
        let entry: TrashEntry = serde_json::from_str(old).unwrap();
        assert_eq!((entry.size, entry.name.as_str()), (None, "web"));
        assert!(serde_json::to_string(&entry).unwrap().contains(r#""newer":[1]"#));
    }

    #[test]
    fn an_id_leads_nowhere_else() {
        for (id, is_one) in
            [("container-0a", true), ("", false), ("..", false), ("a/b", false), (".gone-a", false)]
        {
            assert_eq!(is_id(id), is_one, "{id}");
        }
    }

    #[test]
    fn the_file_system_of_a_folder_has_room() {
        let space = Space::of(std::path::Path::new("/")).unwrap();
        assert!(space.total > 0 && space.free <= space.total);
        assert_eq!(Space::of(std::path::Path::new("/no/such/folder")), None);
    }
}
