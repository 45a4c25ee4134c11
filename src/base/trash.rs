//! The trash: one folder per entry, with a record of what it was.
//!
//! ```text
//! <root>/trash/<kind>-<12 hex>/trash.json      what it was, since when, until when
//!              container-…/record.json upper/ work/ log/ lock    the container's whole folder
//!              image-…/image.json                                names and records (image::aside)
//!       .image-…/     on the move (image::aside)
//!       .gone-…/      purged, and being deleted
//! ```
//! An entry is made by renaming its folder with everything in it, so an object is never in both
//! places or in neither. A volume is a folder too, and could be handled like a container. A folder
//! without `trash.json` is litter.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::disk::{self, Error as DiskError, Lock, Rank, state};
use super::journal::Kind;
use super::{Paths, id};

/// The current version of the file.
const VERSION: u32 = 1;

/// How long an entry is kept even if the disk is nearly full.
const AT_LEAST: SignedDuration = SignedDuration::from_mins(10);

/// The prefix of folders that are being deleted.
const GONE: &str = ".gone-";

/// How long an entry with an unreadable record is kept.
const KEEP_DAMAGED: Duration = Duration::from_secs(24 * 3600);

/// An entry of the trash: the contents of `trash.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrashEntry {
    /// The version of this file.
    pub version: u32,
    /// The name of its folder.
    pub id: String,
    /// The kind of object.
    pub kind: Kind,
    /// The id of the object.
    pub object: String,
    /// The name of the object.
    pub name: String,
    /// All its names: the tags of an image, the single name of a container.
    pub names: Vec<String>,
    /// When it was moved to the trash.
    pub removed: Timestamp,
    /// When it expires.
    pub until: Timestamp,
    /// Its size in bytes, if known.
    #[serde(default)]
    pub size: Option<u64>,
    /// Fields written by a newer hoist, kept when this one rewrites the file.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, serde_json::Value>,
}

state!(TrashEntry, VERSION);

impl TrashEntry {
    /// Creates an entry that was removed at this moment and is kept for `keep`.
    ///
    /// # Errors
    ///
    /// If the kernel provides no random bytes.
    pub(crate) fn new(
        kind: Kind,
        object: &str,
        names: Vec<String>,
        name: String,
        keep: Duration,
    ) -> disk::Result<Self> {
        let random = id::random_bytes::<6>().map_err(DiskError::io("generate a name in", "the trash"))?;
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

/// Returns the folder of an entry.
pub(crate) fn folder(paths: &Paths, id: &str) -> PathBuf {
    paths.trash().join(id)
}

/// Whether this is a valid name of an entry's folder, which cannot lead elsewhere.
pub(crate) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Writes an entry's record into `folder`, and syncs it.
///
/// # Errors
///
/// If the disk is full or the folder is gone.
pub(crate) fn write(folder: &std::path::Path, entry: &TrashEntry) -> disk::Result<()> {
    disk::write_state_synced(&folder.join("trash.json"), entry)
}

/// Reads the record of an entry.
///
/// # Errors
///
/// If it does not exist or is damaged.
pub(crate) fn read(paths: &Paths, id: &str) -> disk::Result<TrashEntry> {
    disk::read_state(&folder(paths, id).join("trash.json"))
}

/// The contents of the trash.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// Oldest first.
    pub(crate) entries: Vec<TrashEntry>,
    /// Folders without a record, and those whose record is damaged and old.
    pub(crate) litter: Vec<PathBuf>,
    /// Folders that are being deleted.
    pub(crate) gone: Vec<PathBuf>,
}

/// Lists the trash.
///
/// # Errors
///
/// If the trash folder cannot be read.
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
                // Purged or restored meanwhile.
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

/// Returns the names of all folders in the trash that may be restored, whatever they contain.
///
/// # Errors
///
/// If the trash folder cannot be read.
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

/// Renames an entry, or litter, so that it is no longer listed. The caller deletes the returned
/// folder.
///
/// # Errors
///
/// [`DiskError::is_not_found`] if it is gone already.
pub(crate) fn hide(paths: &Paths, folder: &std::path::Path) -> disk::Result<PathBuf> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let gone = paths.trash().join(format!("{GONE}{name}"));
    fs::rename(folder, &gone).map_err(DiskError::io("purge", folder))?;
    Ok(gone)
}

/// Moves an entry out of sight, as [`hide`] does, unless somebody is restoring it. Returns `None` if
/// it is no longer there.
///
/// # Errors
///
/// It cannot be moved.
pub(crate) fn purge(paths: &Paths, entry: &TrashEntry) -> disk::Result<Option<PathBuf>> {
    let folder = folder(paths, &entry.id);
    // A container's lock is in its folder.
    let _lock = match entry.kind {
        Kind::Container => match Lock::exclusive(&folder.join("lock"), Rank::Container) {
            Err(error) if error.is_not_found() => return Ok(None),
            result => Some(result?),
        },
        _ => None,
    };
    match hide(paths, &folder) {
        Err(error) if error.is_not_found() => Ok(None),
        result => result.map(Some),
    }
}

/// Returns the entry to be purged next: an expired one, or the oldest if the disk is nearly full.
/// Ask again after each purge, as that frees space. What was just removed is kept for a while even
/// then: its removal can be undone, although purging may not free enough space anyway.
pub(crate) fn next_due(entries: &[TrashEntry], now: Timestamp, space: Option<Space>) -> Option<&TrashEntry> {
    let expired = entries.iter().find(|entry| entry.until <= now);
    if expired.is_some() || !space.is_some_and(Space::is_short) {
        return expired;
    }
    entries.iter().find(|entry| now.duration_since(entry.removed) >= AT_LEAST)
}

/// Space on a file system, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What can still be written.
    pub free: u64,
    /// Free and used space together.
    pub total: u64,
}

impl Space {
    /// Whether less than a tenth is free; entries of the trash are then purged.
    #[must_use]
    pub fn is_short(self) -> bool {
        self.free < self.total / 10
    }

    /// Returns the space on the file system that contains `folder`; `None` if it is unknown.
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
        let entries = [entry("a", 10, 2500), entry("b", 20, 2100), entry("c", 30, 2600)];
        let roomy = Some(Space { free: 10, total: 100 });
        let full = Some(Space { free: 9, total: 100 });
        let due = |now, space| {
            let now = Timestamp::from_second(now).unwrap();
            next_due(&entries, now, space).map(|entry| entry.id.as_str())
        };
        assert_eq!(due(2099, roomy), None);
        assert_eq!(due(2100, roomy), Some("b"));
        assert_eq!(due(2099, full), Some("a"));
        assert_eq!(due(2100, full), Some("b"), "what has expired goes first");
        assert_eq!(due(2099, None), None, "a disk that cannot be asked is not full");
        assert_eq!(next_due(&[], Timestamp::MAX, full), None);
    }

    #[test]
    fn a_full_disk_leaves_time_to_undo_a_removal() {
        let full = Some(Space { free: 0, total: 100 });
        let entries = [entry("a", 1000, 90_000), entry("b", 1100, 1200)];
        let due = |now| {
            let now = Timestamp::from_second(now).unwrap();
            next_due(&entries, now, full).map(|entry| entry.id.as_str())
        };
        assert_eq!(due(900), None, "the clock was set back");
        assert_eq!(due(1199), None);
        assert_eq!(due(1200), Some("b"), "its time is over, however short");
        assert_eq!(next_due(&entries[..1], Timestamp::from_second(1599).unwrap(), full), None);
        assert_eq!(next_due(&entries[..1], Timestamp::from_second(1600).unwrap(), full), Some(&entries[0]));
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
    fn an_entry_is_purged_once() {
        let dir = tempfile::tempdir().unwrap();
        let paths = paths(&dir);
        let container = entry("container-a", 10, 100);
        let image = TrashEntry { kind: Kind::Image, ..entry("image-a", 10, 100) };
        put(&paths, &container);
        put(&paths, &image);
        for entry in [container, image] {
            let gone = paths.trash().join(format!("{GONE}{}", entry.id));
            assert_eq!(purge(&paths, &entry).unwrap(), Some(gone));
            assert_eq!(purge(&paths, &entry).unwrap(), None);
        }
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
