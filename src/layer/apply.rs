//! Unpacks a layer's tar into a folder, and writes nowhere else.
//!
//! Folders are opened only with openat2(2) and RESOLVE_IN_ROOT, so links, `..` and absolute names
//! stay inside the root. The last component is created exclusively and never followed, and metadata
//! is set through descriptors. Whiteouts are written in overlayfs' form: a character device 0:0,
//! and an attribute on an opaque folder.
//! <https://github.com/opencontainers/image-spec/blob/main/layer.md>

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::Limits;
use super::error::{Error, Result};
use super::folders::{Folders, ROOT};
use super::look::is_whiteout;
use super::tar::{Entry, Kind, MAX_PATH, Reader, Source};
use super::traits::{Implied, RawPath, Traits};
use crate::sys::fs::{self, FileType, Timespec};
use crate::sys::{tree, xattr};

/// Folder descriptors kept open. A few layers are unpacked at the same time, and a common limit on
/// open files is 1024.
const OPEN_FOLDERS: usize = 96;

/// The result of unpacking a layer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extracted {
    /// Number of entries in the tar.
    pub entries: u64,
    /// Total size of the files in bytes.
    pub size: u64,
    /// What depends on the layers below, and what could not be created.
    pub traits: Traits,
    /// Number of folders that were looked up or created individually.
    pub work: u64,
}

/// Unpacks the tar `input` into `root`, which must be empty.
///
/// # Errors
///
/// [`Error::Malformed`], [`Error::TooLarge`], and [`Error::Entry`] naming the entry that could not
/// be created. What was created before the error stays.
pub fn extract<R: Source>(
    input: R,
    root: &OwnedFd,
    limits: &Limits,
    in_user_namespace: bool,
) -> Result<(Extracted, R)> {
    let mut reader = Reader::new(input);
    let mut tree = Tree::new(root, limits, in_user_namespace);
    while let Some(entry) = reader.next_entry()? {
        tree.entries += 1;
        tree.check_count()?;
        tree.add(&entry, &mut reader).map_err(|source| Error::Entry {
            path: String::from_utf8_lossy(&entry.path).into_owned(),
            source: Box::new(source),
        })?;
    }
    Ok((tree.finish()?, reader.into_inner()))
}

/// Returns the overlayfs attribute that marks a folder as opaque: the `user.` one inside a user
/// namespace, the `trusted.` one otherwise.
pub fn opaque_attribute(in_user_namespace: bool) -> &'static OsStr {
    OsStr::new(if in_user_namespace { "user.overlay.opaque" } else { "trusted.overlay.opaque" })
}

/// Whether this attribute is unpacked from, or written to, a layer. Overlayfs' own attributes are
/// not, since a layer must not control overlayfs; nor are security labels, which belong to this
/// machine.
pub(super) fn is_kept_attribute(name: &[u8]) -> bool {
    let is_overlay = name.starts_with(b"trusted.overlay.") || name.starts_with(b"user.overlay.");
    let kinds: [&[u8]; 3] = [b"user.", b"trusted.", b"system.posix_acl_"];
    !is_overlay && (name == b"security.capability" || kinds.iter().any(|kind| name.starts_with(kind)))
}

struct Tree<'a> {
    root: &'a OwnedFd,
    limits: &'a Limits,
    in_user_namespace: bool,
    /// Open folders by their path in the archive, which may pass through the archive's own links.
    folders: HashMap<Vec<u8>, Rc<OwnedFd>>,
    known: Folders<Known>,
    /// Folders in which aufs keeps its own files, created only because hard links point into them.
    asides: BTreeSet<Vec<u8>>,
    notes: Notes,
    entries: u64,
    implied: u64,
    links: usize,
    size: u64,
    work: u64,
}

/// What is remembered about a path.
#[derive(Debug, Default)]
struct Known {
    /// For a folder: its time, which is set last because every file created in it changes it.
    time: Option<Timespec>,
    /// A folder that no entry describes.
    is_implied: bool,
    /// A hard link to a file of the layers below: its sequence number and target.
    link: Option<(usize, Vec<u8>)>,
}

/// Counts of what could not be created. Each is reported once.
#[derive(Debug, Default)]
struct Notes {
    owners: u64,
    devices: u64,
    attributes: u64,
}

/// Where an entry goes: an open folder and a name in it.
struct Location<'e> {
    folder: Rc<OwnedFd>,
    name: &'e OsStr,
}

impl<'a> Tree<'a> {
    fn new(root: &'a OwnedFd, limits: &'a Limits, in_user_namespace: bool) -> Self {
        Self {
            root,
            limits,
            in_user_namespace,
            folders: HashMap::new(),
            known: Folders::new(),
            asides: BTreeSet::new(),
            notes: Notes::default(),
            entries: 0,
            implied: 0,
            links: 0,
            size: 0,
            work: 0,
        }
    }

    fn add<R: Source>(&mut self, entry: &Entry, reader: &mut Reader<R>) -> Result<()> {
        let path = normal(&entry.path)?;
        let Some((parent, name)) = split(&path) else {
            return self.describe_root(entry);
        };
        if self.is_aside(parent)? {
            if name.starts_with(b".wh.") {
                return Ok(());
            }
        } else if let Some(hidden) = name.strip_prefix(b".wh.") {
            return self.whiteout(parent, hidden);
        }
        let location = Location { folder: self.folder(parent)?, name: OsStr::from_bytes(name) };
        if self.links > 0
            && let Some(at) = self.known.find(&path)
        {
            self.known.value_mut(at).link = None;
        }
        match entry.kind {
            Kind::File => self.file(entry, &path, &location, reader),
            Kind::HardLink => self.hard_link(entry, &path, &location),
            Kind::Symlink => self.symlink(entry, &path, &location),
            Kind::Directory => self.directory(entry, &path, &location),
            Kind::Fifo | Kind::CharDevice | Kind::BlockDevice => self.node(entry, &path, &location),
        }
    }

    /// Whether a folder is inside one of aufs' own, mainly `.wh..wh.plnk`, which holds files with
    /// several names for other entries to link to. These folders are removed at the end.
    fn is_aside(&mut self, folder: &[u8]) -> Result<bool> {
        let mut end = 0;
        for part in folder.split(|&byte| byte == b'/') {
            end += part.len();
            if part.starts_with(b".wh..wh.") && part != b".wh..wh..opq" {
                self.asides.insert(folder[..end].to_vec());
                return Ok(true);
            }
            if part.starts_with(b".wh.") {
                return Err(Error::Refused("it is inside a whiteout, which is not a folder".to_owned()));
            }
            end += 1;
        }
        Ok(false)
    }

    fn check_count(&self) -> Result<()> {
        let limit = self.limits.entries;
        match self.entries + self.implied > limit {
            true => Err(Error::TooMany { what: "entries", limit }),
            false => Ok(()),
        }
    }

    fn file<R: Source>(
        &mut self,
        entry: &Entry,
        path: &[u8],
        location: &Location<'_>,
        reader: &mut Reader<R>,
    ) -> Result<()> {
        self.size = self.size.saturating_add(entry.size);
        if self.size > self.limits.bytes {
            return Err(Error::TooLarge { what: "the layer".to_owned(), limit: self.limits.bytes });
        }
        let file =
            self.make(path, location, |location| fs::create_at(&location.folder, location.name, 0o600))?;
        let written = |source| Error::read("into the store")(source);
        let whole = [(0, entry.size)];
        let mut end = 0;
        for &(mut offset, mut len) in entry.extents.as_deref().unwrap_or(&whole) {
            while len > 0 {
                let data = reader.data()?;
                let part = data.len().min(usize::try_from(len).unwrap_or(usize::MAX));
                // Blocks of zeros are left as holes.
                if data[..part].iter().any(|&byte| byte != 0) {
                    file.write_all_at(&data[..part], offset).map_err(written)?;
                    end = offset + part as u64;
                }
                reader.consume(part);
                (offset, len) = (offset + part as u64, len - part as u64);
            }
        }
        if end < entry.size {
            file.set_len(entry.size).map_err(written)?;
        }
        self.describe(entry, &file)?;
        Ok(fs::set_mtime(&file, entry.mtime)?)
    }

    fn directory(&mut self, entry: &Entry, path: &[u8], location: &Location<'_>) -> Result<()> {
        match fs::mkdir_at(&location.folder, location.name, 0o700) {
            Err(error) if error.is(Errno::EXIST) => {
                let there = fs::stat_at(&location.folder, location.name)?;
                if fs::file_type(&there) != FileType::Directory {
                    self.clear(path, location)?;
                    fs::mkdir_at(&location.folder, location.name, 0o700)?;
                    if is_whiteout(&there) {
                        // The contents of the layers below stay hidden.
                        self.make_opaque(&location.open_folder()?)?;
                    }
                }
            }
            result => result?,
        }
        let folder = location.open_folder()?;
        self.describe(entry, &folder)?;
        let at = self.known.add_path(path);
        let known = self.known.value_mut(at);
        (known.time, known.is_implied) = (Some(entry.mtime), false);
        Ok(())
    }

    fn symlink(&mut self, entry: &Entry, path: &[u8], location: &Location<'_>) -> Result<()> {
        let target = OsStr::from_bytes(&entry.link);
        self.make(path, location, |location| fs::symlink_at(target, &location.folder, location.name))?;
        if self.needs_owner(entry) {
            let changed = fs::chown_at(&location.folder, location.name, entry.uid, entry.gid);
            self.tolerate_owner(changed)?;
        }
        if !entry.xattrs.is_empty() {
            let link = fs::open_at(&location.folder, location.name, OFlags::PATH)?;
            self.attributes(entry, |name, value| xattr::set_place(&link, name, value))?;
        }
        Ok(fs::set_mtime_at(&location.folder, location.name, entry.mtime)?)
    }

    fn hard_link(&mut self, entry: &Entry, path: &[u8], location: &Location<'_>) -> Result<()> {
        let target = normal(&entry.link)?;
        let Some((parent, name)) = split(&target) else {
            return Err(Error::Refused("it is a hard link to the layer's root".to_owned()));
        };
        let name = OsStr::from_bytes(name);
        let below = |tree: &mut Self| {
            // A file of a layer below: the fix-up layer of each chain creates the link.
            let at = tree.known.add_path(path);
            tree.known.value_mut(at).link = Some((tree.links, target.clone()));
            tree.links += 1;
            Ok(())
        };
        let folder = match self.existing_folder(parent) {
            Ok(folder) => folder,
            Err(Error::Sys(error)) if error.is(Errno::NOENT) || error.is(Errno::NOTDIR) => {
                return below(self);
            }
            Err(error) => return Err(error),
        };
        match fs::stat_at(&folder, name) {
            Ok(there) if is_whiteout(&there) || fs::file_type(&there) == FileType::Directory => {
                Err(Error::Refused("it is a hard link to something that is not a file".to_owned()))
            }
            Ok(_) if target == path => Ok(()),
            Ok(_) => self
                .make(path, location, |location| fs::link_at(&folder, name, &location.folder, location.name)),
            Err(error) if error.is(Errno::NOENT) && target != path => below(self),
            Err(error) => Err(error.into()),
        }
    }

    fn node(&mut self, entry: &Entry, path: &[u8], location: &Location<'_>) -> Result<()> {
        let kind = match entry.kind {
            Kind::CharDevice => FileType::CharacterDevice,
            Kind::BlockDevice => FileType::BlockDevice,
            _ => FileType::Fifo,
        };
        let device = fs::device(entry.device.0, entry.device.1);
        let made = self.make(path, location, |location| {
            fs::mknod_at(&location.folder, location.name, kind, 0o600, device)
        });
        match made {
            Err(Error::Sys(error)) if error.is(Errno::PERM) && self.in_user_namespace => {
                self.notes.devices += 1;
                return Ok(());
            }
            result => result?,
        }
        if self.needs_owner(entry) {
            let changed = fs::chown_at(&location.folder, location.name, entry.uid, entry.gid);
            self.tolerate_owner(changed)?;
        }
        let node = fs::open_at(&location.folder, location.name, OFlags::PATH)?;
        self.attributes(entry, |name, value| xattr::set_place(&node, name, value))?;
        fs::chmod_place(&node, entry.mode)?;
        Ok(fs::set_mtime_at(&location.folder, location.name, entry.mtime)?)
    }

    /// `.wh.<name>` hides that name in the layers below; `.wh..wh..opq` hides everything below in
    /// this folder.
    fn whiteout(&mut self, parent: &[u8], hidden: &[u8]) -> Result<()> {
        let folder = self.folder(parent)?;
        match hidden {
            b".wh..opq" => return self.make_opaque(&folder),
            b"" | b"." | b".." => return Err(Error::Refused("it is a whiteout without a name".to_owned())),
            // Files in which aufs keeps its own data.
            _ if hidden.starts_with(b".wh.") => return Ok(()),
            _ => {}
        }
        let location = Location { folder, name: OsStr::from_bytes(hidden) };
        let device = fs::device(0, 0);
        match fs::mknod_at(&location.folder, location.name, FileType::CharacterDevice, 0, device) {
            Err(error) if error.is(Errno::EXIST) => {
                // This layer's own file or folder stays; only what is below it is hidden.
                let there = fs::stat_at(&location.folder, location.name)?;
                match fs::file_type(&there) {
                    FileType::Directory => self.make_opaque(&location.open_folder()?),
                    _ => Ok(()),
                }
            }
            result => Ok(result?),
        }
    }

    fn make_opaque(&self, folder: impl AsFd) -> Result<()> {
        Ok(xattr::set(folder, opaque_attribute(self.in_user_namespace), b"y")?)
    }

    /// Describes the layer's root, `./`, which has no parent to look its name up in.
    fn describe_root(&mut self, entry: &Entry) -> Result<()> {
        if entry.kind != Kind::Directory {
            return Err(Error::Refused("the layer's root is not a folder".to_owned()));
        }
        let root = fs::open_beneath(self.root, Path::new("."), OFlags::RDONLY | OFlags::DIRECTORY)?;
        self.describe(entry, &root)?;
        self.known.value_mut(ROOT).time = Some(entry.mtime);
        Ok(())
    }

    /// Sets owner, attributes and mode, in this order: changing the owner clears set-id bits and
    /// file capabilities.
    fn describe(&mut self, entry: &Entry, file: impl AsFd) -> Result<()> {
        let file = file.as_fd();
        if self.needs_owner(entry) {
            let changed = fs::chown(file, entry.uid, entry.gid);
            self.tolerate_owner(changed)?;
        }
        self.attributes(entry, |name, value| xattr::set(file, name, value))?;
        Ok(fs::chmod(file, entry.mode)?)
    }

    /// New files belong to root, inside and outside a user namespace, so only other owners have to
    /// be set.
    fn needs_owner(&self, entry: &Entry) -> bool {
        (entry.uid, entry.gid) != (0, 0)
    }

    fn tolerate_owner(&mut self, changed: crate::sys::Result<()>) -> Result<()> {
        match changed {
            Err(error) if self.in_user_namespace && (error.is(Errno::INVAL) || error.is(Errno::PERM)) => {
                self.notes.owners += 1;
                Ok(())
            }
            result => Ok(result?),
        }
    }

    fn attributes(
        &mut self,
        entry: &Entry,
        set: impl Fn(&OsStr, &[u8]) -> crate::sys::Result<()>,
    ) -> Result<()> {
        for (name, value) in &entry.xattrs {
            if !is_kept_attribute(name) || name.contains(&0) || name.len() > 255 {
                self.notes.attributes += 1;
                continue;
            }
            match set(OsStr::from_bytes(name), value) {
                Ok(()) => {}
                Err(error)
                    if error.is(Errno::NOTSUP)
                        || error.is(Errno::PERM)
                        || (self.in_user_namespace && error.is(Errno::INVAL)) =>
                {
                    self.notes.attributes += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Creates something at `location`, replacing what an earlier entry left there.
    fn make<T>(
        &mut self,
        path: &[u8],
        location: &Location<'_>,
        make: impl Fn(&Location<'_>) -> crate::sys::Result<T>,
    ) -> Result<T> {
        match make(location) {
            Err(error) if error.is(Errno::EXIST) => {
                self.clear(path, location)?;
                Ok(make(location)?)
            }
            result => Ok(result?),
        }
    }

    /// Removes what an earlier entry left at `location`.
    fn clear(&mut self, path: &[u8], location: &Location<'_>) -> Result<()> {
        tree::remove_at(&location.folder, location.name)?;
        // Cached paths may have led through it if it was a link or a folder.
        self.folders.clear();
        self.known.forget(path);
        Ok(())
    }

    /// Opens the folder at an archive path, and creates what is missing of it.
    fn folder(&mut self, path: &[u8]) -> Result<Rc<OwnedFd>> {
        match self.existing_folder(path) {
            Err(Error::Sys(error)) if error.is(Errno::NOENT) || error.is(Errno::NOTDIR) => {}
            result => return result,
        }
        let mut folder = self.existing_folder(b"")?;
        let mut end = 0;
        for name in path.split(|&byte| byte == b'/') {
            end += name.len();
            folder = self.inner_folder(folder, &path[..end], OsStr::from_bytes(name))?;
            end += 1;
        }
        Ok(self.keep_open(path, folder))
    }

    /// Opens the folder `name` in `folder`, creating it if needed. `path` is its whole path.
    fn inner_folder(&mut self, folder: Rc<OwnedFd>, path: &[u8], name: &OsStr) -> Result<Rc<OwnedFd>> {
        self.work += 1;
        match fs::open_at(&folder, name, OFlags::RDONLY | OFlags::DIRECTORY) {
            Ok(inner) => return Ok(Rc::new(inner)),
            Err(error) if error.is(Errno::NOENT) => {}
            // Resolves a link within the root. The kernel follows at most forty.
            Err(error) if error.is(Errno::NOTDIR) || error.is(Errno::LOOP) => {
                match self.existing_folder(path) {
                    Err(Error::Sys(error)) if error.is(Errno::NOENT) || error.is(Errno::NOTDIR) => {}
                    result => return result,
                }
            }
            Err(error) => return Err(error.into()),
        }
        self.imply(path, &Location { folder, name }).map(Rc::new)
    }

    /// Creates a folder that contains an entry but has none of its own.
    fn imply(&mut self, path: &[u8], location: &Location<'_>) -> Result<OwnedFd> {
        self.implied += 1;
        self.check_count()?;
        let made = fs::mkdir_at(&location.folder, location.name, 0o755);
        let hides = match made {
            Err(error) if error.is(Errno::EXIST) => {
                let there = fs::stat_at(&location.folder, location.name)?;
                if !is_whiteout(&there) {
                    return Err(Error::Refused(format!(
                        "`{}` is not a folder in this layer",
                        String::from_utf8_lossy(path)
                    )));
                }
                self.clear(path, location)?;
                fs::mkdir_at(&location.folder, location.name, 0o755)?;
                true
            }
            result => result.map(|()| false)?,
        };
        let folder = location.open_folder()?;
        fs::chmod(&folder, 0o755)?;
        if hides {
            self.make_opaque(&folder)?;
        } else {
            let at = self.known.add_path(path);
            self.known.value_mut(at).is_implied = true;
        }
        Ok(folder)
    }

    fn existing_folder(&mut self, path: &[u8]) -> Result<Rc<OwnedFd>> {
        if let Some(folder) = self.folders.get(path) {
            return Ok(Rc::clone(folder));
        }
        let inside = if path.is_empty() { Path::new(".") } else { Path::new(OsStr::from_bytes(path)) };
        let folder = Rc::new(fs::open_in_root(self.root, inside, OFlags::RDONLY | OFlags::DIRECTORY)?);
        Ok(self.keep_open(path, folder))
    }

    fn keep_open(&mut self, path: &[u8], folder: Rc<OwnedFd>) -> Rc<OwnedFd> {
        if self.folders.len() >= OPEN_FOLDERS {
            self.folders.clear();
        }
        self.folders.insert(path.to_vec(), Rc::clone(&folder));
        folder
    }

    fn finish(mut self) -> Result<Extracted> {
        for aside in std::mem::take(&mut self.asides) {
            let (parent, name) = split(&aside).unwrap_or((b"", &aside));
            if let Ok(folder) = self.existing_folder(parent) {
                tree::remove_at(&folder, OsStr::from_bytes(name))?;
            }
            self.known.forget(&aside);
        }
        self.folders.clear();
        let known = std::mem::replace(&mut self.known, Folders::new());
        if let Some(time) = known.value(ROOT).time {
            fs::set_mtime(self.existing_folder(b"")?, time)?;
        }
        let raw = |bytes: &[u8]| RawPath(PathBuf::from(OsStr::from_bytes(bytes)));
        let (mut implied, mut links, mut places) = (Vec::new(), Vec::new(), HashMap::new());
        known.each(|at, above, path| -> Result<()> {
            let value = known.value(at);
            if let Some(time) = value.time {
                match self.existing_folder(path) {
                    Ok(folder) => fs::set_mtime(&folder, time)?,
                    Err(Error::Sys(error)) if error.is(Errno::NOENT) || error.is(Errno::NOTDIR) => {}
                    Err(error) => return Err(error),
                }
            }
            if value.is_implied {
                places.insert(at, implied.len());
                implied.push(match (places.get(&above), split(path)) {
                    (Some(&location), Some((_, name))) => Implied::Inside(location, raw(name)),
                    _ => Implied::Path(raw(path)),
                });
            }
            if let Some((number, target)) = &value.link {
                links.push((*number, raw(path), raw(target)));
            }
            Ok(())
        })?;
        links.sort_by_key(|&(number, ..)| number);
        let links = links.into_iter().map(|(_, link, target)| (link, target)).collect();
        let traits = Traits { implied, links, notes: self.notes.lines() };
        Ok(Extracted { entries: self.entries, size: self.size, traits, work: self.work })
    }
}

impl Location<'_> {
    fn open_folder(&self) -> Result<OwnedFd> {
        Ok(fs::open_at(&self.folder, self.name, OFlags::RDONLY | OFlags::DIRECTORY)?)
    }
}

impl Notes {
    fn lines(&self) -> Vec<String> {
        [
            (self.owners, "files belong to the caller, as this user namespace does not map their owners"),
            (self.devices, "device nodes are left out, as they cannot be created in a user namespace"),
            (self.attributes, "extended attributes are left out"),
        ]
        .into_iter()
        .filter(|&(count, _)| count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect()
    }
}

/// Normalizes an archive path: no leading slash, no `.`, and `..` only where it stays inside the
/// root.
pub(crate) fn normal(path: &[u8]) -> Result<Vec<u8>> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                if parts.pop().is_none() {
                    return Err(Error::Refused("its path leads out of the layer".to_owned()));
                }
            }
            // A whiteout is never created under its own name.
            part if part.strip_prefix(b".wh.").unwrap_or(part).len() > 255 => {
                return Err(Error::Refused("a component of its path is longer than 255 bytes".to_owned()));
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    if joined.len() >= MAX_PATH {
        return Err(Error::Refused("its path is longer than 4095 bytes".to_owned()));
    }
    Ok(joined)
}

/// Splits a path into its folder and its last name; `None` for the root itself.
pub(crate) fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(at) => Some((&path[..at], &path[at + 1..])),
        None => (!path.is_empty()).then_some((&[], path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(paths: impl Iterator<Item = (String, bool)>) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, is_folder) in paths {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o755);
            header.set_size(0);
            header.set_entry_type(if is_folder {
                tar::EntryType::Directory
            } else {
                tar::EntryType::Regular
            });
            builder.append_data(&mut header, path, std::io::empty()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn extracted(paths: impl Iterator<Item = (String, bool)>) -> (tempfile::TempDir, Extracted) {
        let tar = archive(paths);
        let dir = tempfile::tempdir().unwrap();
        let root = fs::open_dir(dir.path()).unwrap();
        let extracted = extract(tar.as_slice(), &root, &Limits::default(), true).unwrap().0;
        (dir, extracted)
    }

    #[test]
    fn deep_paths_cost_a_step_a_folder() {
        let (files, depth) = (4, 250);
        let paths = (0..files).map(|file| (format!("{file}/{}file", "d/".repeat(depth)), false));
        let (_dir, extracted) = extracted(paths);
        assert_eq!(extracted.work, files * (depth as u64 + 1));
        assert_eq!(extracted.traits.implied.len() as u64, extracted.work);
        let meta = serde_json::to_vec(&extracted.traits).unwrap();
        assert!(meta.len() < 4 * 251 * 16, "{} bytes", meta.len());
        let again: Traits = serde_json::from_slice(&meta).unwrap();
        assert_eq!(again, extracted.traits);
    }

    #[test]
    fn implied_folders_count_as_entries() {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        builder.append_data(&mut header, "d/".repeat(50) + "file", std::io::empty()).unwrap();
        let tar = builder.into_inner().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let limits = Limits { entries: 40, ..Limits::default() };
        let error = extract(tar.as_slice(), &fs::open_dir(dir.path()).unwrap(), &limits, true).unwrap_err();
        assert!(matches!(error, Error::Entry { .. }), "{error}");
    }

    #[test]
    fn folders_that_files_replace_are_forgotten_one_by_one() {
        let folders = (0..500).flat_map(|at| [(format!("f{at}/"), true), (format!("f{at}/x/y"), false)]);
        let files = (0..500).map(|at| (format!("f{at}"), false));
        let (dir, extracted) = extracted(folders.chain(files));
        assert_eq!((extracted.traits.implied.len(), extracted.work), (0, 1000));
        assert!(dir.path().join("f499").is_file());
    }

    #[test]
    fn files_are_not_remembered() {
        let tar = archive((0..1000).map(|at| (format!("d{}/file{at}", at % 3), false)));
        let dir = tempfile::tempdir().unwrap();
        let (root, limits) = (fs::open_dir(dir.path()).unwrap(), Limits::default());
        let (mut tree, mut reader) = (Tree::new(&root, &limits, true), Reader::new(tar.as_slice()));
        while let Some(entry) = reader.next_entry().unwrap() {
            tree.add(&entry, &mut reader).unwrap();
        }
        assert_eq!(std::fs::read_dir(dir.path().join("d2")).unwrap().count(), 333);
        assert_eq!((tree.known.len(), tree.folders.len(), tree.asides.len()), (3, 3 + 1, 0), "with the root");
    }

    #[test]
    fn implied_folders_of_an_older_file_are_read() {
        let old: Traits = serde_json::from_str(r#"{"implied":["usr","usr/bin",[255,97]]}"#).unwrap();
        let raw = |bytes: &[u8]| Implied::Path(RawPath(OsStr::from_bytes(bytes).into()));
        assert_eq!(old.implied, [raw(b"usr"), raw(b"usr/bin"), raw(b"\xffa")]);
    }
}
