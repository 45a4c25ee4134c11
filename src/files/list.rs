//! Lists folders, and reads the beginning of files.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::OFlags;

use super::error::{Error, Result};
use super::root::{Folder, Root};
use super::{Contents, Entry, FileKind, Listing, MOST_ENTRIES, Mark, Stamp};
use crate::layer::marks::Changes;
use crate::sys::fs::{self, FileType, Stat, Statx, StatxAttributes};

/// Maximum size of a passwd or group file, in bytes.
const MAX_PASSWD: u64 = 1 << 20;

/// File systems that are not on a disk, by their statfs(2) type.
pub(crate) const PSEUDO: &[(u64, &str)] = &[
    (0x9fa0, "proc"),
    (0x6265_6572, "sysfs"),
    (0x6367_7270, "cgroup"),
    (0x0027_e0eb, "cgroup"),
    (0x1cd1, "devpts"),
    (0x1980_0202, "mqueue"),
    (0x6462_6720, "debugfs"),
    (0x7472_6163, "tracefs"),
    (0x7363_6673, "securityfs"),
    (0xcafe_4a11, "bpf"),
    (0x6e73_6673, "nsfs"),
];

const TMPFS: u64 = 0x0102_1994;

/// Lists the folder `path`.
pub(crate) fn list(root: &Root, path: &Path) -> Result<Listing> {
    let folder = root.folder(path)?;
    let (names, mut has_more) = fs::entries_up_to(&folder.dir, MOST_ENTRIES)?;
    let mut changes = changes(root, &folder)?;
    let owners = Owners::read(root);
    let mut entries: Vec<Entry> =
        names.into_iter().filter_map(|name| entry(root, &folder, &owners, &mut changes, name)).collect();
    for (name, (mark, before)) in changes {
        if mark == Mark::Deleted && entries.len() < MOST_ENTRIES {
            entries.extend(before.map(|stat| deleted(name, &stat, &owners)));
        } else {
            has_more |= mark == Mark::Deleted;
        }
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    let is_read_only = root.read_only(&folder.dir, &folder.path)?.is_some();
    Ok(Listing { folder: folder.path, entries, has_more, is_read_only })
}

/// Returns the changes in a folder. They are unknown on other mounts.
fn changes(root: &Root, folder: &Folder) -> Result<Changes> {
    let Some(marks) = &root.marks else { return Ok(Changes::new()) };
    if !root.is_on_own_mount(&folder.dir)? {
        return Ok(Changes::new());
    }
    Ok(marks.of(&folder.path)?)
}

/// Returns one entry; `None` if it was removed meanwhile.
fn entry(
    root: &Root,
    folder: &Folder,
    owners: &Owners,
    changes: &mut Changes,
    name: OsString,
) -> Option<Entry> {
    let stat = fs::statx_at(&folder.dir, &name).ok()?;
    let kind = FileKind::from(FileType::from_raw_mode(stat.stx_mode.into()));
    let is_mount = stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT);
    let target = match kind {
        FileKind::Link => fs::readlink_at(&folder.dir, &name).ok().map(PathBuf::into_os_string),
        _ => None,
    };
    let mount = mount(root, folder, &name, is_mount);
    // The engine creates mount points, so they are not changes by the container.
    let mark = changes.remove(&name).map(|(mark, _)| mark).filter(|_| mount.is_none());
    let leads_to_folder = kind == FileKind::Link && leads_to_folder(root, &folder.path.join(&name));
    Some(Entry {
        kind,
        size: if kind == FileKind::File { stat.stx_size } else { 0 },
        mode: u32::from(stat.stx_mode) & 0o7777,
        owner: owners.user(stat.stx_uid),
        group: owners.group(stat.stx_gid),
        changed: time(&stat),
        target,
        leads_to_folder,
        mount,
        mark,
        name,
    })
}

fn deleted(name: OsString, stat: &Stat, owners: &Owners) -> Entry {
    let kind = FileKind::from(fs::file_type(stat));
    Entry {
        name,
        kind,
        size: if kind == FileKind::File { u64::try_from(stat.st_size).unwrap_or(0) } else { 0 },
        mode: stat.st_mode & 0o7777,
        owner: owners.user(stat.st_uid),
        group: owners.group(stat.st_gid),
        changed: Timestamp::from_second(stat.st_mtime).ok(),
        target: None,
        leads_to_folder: false,
        mount: None,
        mark: Some(Mark::Deleted),
    }
}

fn time(stat: &Statx) -> Option<Timestamp> {
    let nanos = i32::try_from(stat.stx_mtime.tv_nsec).unwrap_or(0);
    Timestamp::new(stat.stx_mtime.tv_sec, nanos).ok()
}

fn leads_to_folder(root: &Root, path: &Path) -> bool {
    let place = root.place(path);
    let stat = place.and_then(|place| Ok(fs::stat(place)?));
    stat.is_ok_and(|stat| fs::file_type(&stat) == FileType::Directory)
}

/// Describes the mount on an entry: as configured, or by its type.
fn mount(root: &Root, folder: &Folder, name: &OsStr, is_mount: bool) -> Option<String> {
    let path = folder.path.join(name);
    // The last one covers the others.
    let configured = root.mounts.iter().rfind(|it| it.target == path).map(|it| it.shown.clone());
    if configured.is_some() || !is_mount {
        return configured;
    }
    let magic = fs::open_at(&folder.dir, name, OFlags::PATH).and_then(fs::file_system).ok()?;
    let known = PSEUDO.iter().find(|(number, _)| *number == magic).map(|(_, name)| *name);
    Some(known.unwrap_or(if magic == TMPFS { "tmpfs" } else { "mount" }).to_owned())
}

/// Reads the beginning of a file.
pub(crate) fn read(root: &Root, path: &Path, most: usize) -> Result<Contents> {
    let (file, stamp) = open_plain(&root.place(path)?)?;
    let mut bytes = Vec::new();
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    let read = File::from(file).take(most.saturating_add(1)).read_to_end(&mut bytes);
    crate::sys::check(read, || "read()".to_owned())?;
    let is_cut = bytes.len() as u64 > most;
    bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(Contents { bytes, is_cut, stamp })
}

/// Opens a file for reading if it is a regular one. Others may block or have side effects.
pub(crate) fn open_plain(place: &OwnedFd) -> Result<(OwnedFd, Stamp)> {
    let stat = fs::stat(place)?;
    let kind = FileKind::from(fs::file_type(&stat));
    if kind != FileKind::File {
        return Err(Error::NotPlain(kind));
    }
    let file = fs::reopen(place, OFlags::RDONLY | OFlags::NONBLOCK)?;
    Ok((file, Stamp::of(&stat)))
}

impl Stamp {
    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            changed: (stat.st_mtime, i64::try_from(stat.st_mtime_nsec).unwrap_or(0)),
        }
    }
}

/// The names of a root's own users and groups.
struct Owners {
    users: HashMap<u32, String>,
    groups: HashMap<u32, String>,
}

impl Owners {
    fn read(root: &Root) -> Self {
        Self { users: names(root.tree(), "/etc/passwd"), groups: names(root.tree(), "/etc/group") }
    }

    fn user(&self, id: u32) -> String {
        self.users.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    fn group(&self, id: u32) -> String {
        self.groups.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }
}

/// Returns the names by id. The file is not trusted: it must be a regular file inside its root, and
/// is read only up to a maximum size.
pub(crate) fn names(root: &OwnedFd, path: &str) -> HashMap<u32, String> {
    let read = || -> Result<String> {
        let (file, _) = open_plain(&fs::open_in_root(root, Path::new(path), OFlags::PATH)?)?;
        let mut text = Vec::new();
        let read = File::from(file).take(MAX_PASSWD).read_to_end(&mut text);
        crate::sys::check(read, || format!("read({path})"))?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    let text = read().unwrap_or_default(); // otherwise numbers are shown
    let entry = |line: &str| {
        let mut fields = line.split(':');
        let name: String = super::shown(fields.next()?).chars().take(32).collect();
        Some((fields.nth(1)?.parse().ok()?, name))
    };
    // The first line for an id takes precedence.
    text.lines().rev().filter_map(entry).collect()
}
