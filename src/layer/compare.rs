//! Compares two images by the files that their containers would see, whatever layers these come
//! from.
//!
//! Both are walked at the same time, a folder at a time, merging layers as overlayfs does; nothing
//! is mounted. What both take from the very same layers is equal, so whole trees of a common base
//! are never read:
//!
//! ```text
//!            before            after
//! /usr       [base]            [base]           the same layers: skipped
//! /srv       [base, app 1]     [base, app 2]    read
//! /srv/x     app 1             app 2            kind, mode, owner, attributes, size; then bytes
//! ```
//! Two files are equal if their kind, mode, owner, attributes and bytes are. The bytes are read and
//! compared, since no digest of single files is stored. Times are ignored: each build sets its own.

use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::error::{Error, Result};
use super::look::{Cursor, There, is_opaque, is_whiteout};
use super::{FileKind, LayerPath, Mark};
use crate::base::progress::Reporter;
use crate::sys::fs::{self, FileType, Stat};
use crate::sys::{self, xattr};

/// A count of files, without folders, and their size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Number of files.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
}

/// A difference at one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// The index of the path in the table.
    pub path: u32,
    /// Added, changed or deleted.
    pub mark: Mark,
    /// The kind of file; for a deleted one, the kind it had.
    pub kind: FileKind,
    /// Size before, in bytes.
    pub before: u64,
    /// Size after, in bytes.
    pub after: u64,
    /// For a changed file, what differs.
    pub what: Vec<Difference>,
}

/// One respect in which two files differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Difference {
    Kind(FileKind, FileKind),
    Mode(u32, u32),
    Owner((u32, u32), (u32, u32)),
    Content,
    Target,
    Device,
    Attributes,
}

/// How many bytes of each file are compared at a time.
const BLOCK: usize = 128 << 10;
/// How many names of one folder are held in memory.
const MAX_NAMES: usize = 1_000_000;
/// Folders nested deeper than this are not read.
const MAX_DEPTH: usize = 200;
/// Progress is reported after this many files, or bytes read.
const REPORT_EVERY: (u64, u64) = (4096, 64 << 20);

/// The layers that contribute to a path, topmost first, as indexes into [`Walk::layers`].
type Seen = Vec<usize>;

/// What an image has at one path.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    name: OsString,
    facts: Facts,
    seen: Seen,
}

/// What is known about a file without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Facts {
    kind: FileKind,
    mode: u32,
    owner: (u32, u32),
    size: u64,
    device: u64,
    /// For a file with several names: its inode.
    inode: Option<u64>,
}

impl Facts {
    fn of(stat: &Stat) -> Self {
        let kind = FileKind::from(fs::file_type(stat));
        let is_file = kind == FileKind::File;
        Self {
            kind,
            mode: stat.st_mode & 0o7777,
            owner: (stat.st_uid, stat.st_gid),
            size: if is_file { u64::try_from(stat.st_size).unwrap_or(0) } else { 0 },
            device: if kind == FileKind::Device { stat.st_rdev } else { 0 },
            inode: (is_file && stat.st_nlink > 1).then_some(stat.st_ino),
        }
    }

    /// Returns the differences that can be told without reading the files.
    fn differences(&self, after: &Self) -> Vec<Difference> {
        if self.kind != after.kind {
            return vec![Difference::Kind(self.kind, after.kind)];
        }
        let mut found = Vec::new();
        if self.size != after.size {
            found.push(Difference::Content);
        }
        // The mode of a symbolic link has no effect.
        if self.mode != after.mode && self.kind != FileKind::Link {
            found.push(Difference::Mode(self.mode, after.mode));
        }
        if self.owner != after.owner {
            found.push(Difference::Owner(self.owner, after.owner));
        }
        if self.device != after.device {
            found.push(Difference::Device);
        }
        found
    }
}

/// Pairs the entries of a folder by name. Both lists are sorted.
fn paired(before: Vec<Entry>, after: Vec<Entry>) -> Vec<(Option<Entry>, Option<Entry>)> {
    let (mut before, mut after) = (before.into_iter().peekable(), after.into_iter().peekable());
    let mut pairs = Vec::new();
    loop {
        let order = match (before.peek(), after.peek()) {
            (Some(one), Some(two)) => one.name.cmp(&two.name),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => return pairs,
        };
        pairs.push(match order {
            std::cmp::Ordering::Less => (before.next(), None),
            std::cmp::Ordering::Equal => (before.next(), after.next()),
            std::cmp::Ordering::Greater => (None, after.next()),
        });
    }
}

/// The state of a comparison: both trees, and the differences so far.
pub(crate) struct Walk<'a> {
    /// Each layer of either image, once, with its last position.
    layers: Vec<Cursor>,
    roots: [Seen; 2],
    opaque: &'static OsStr,
    reporter: &'a Reporter,
    most: usize,
    /// The folders from the root to the current one, each with its index in the table once it has
    /// one.
    trail: Vec<(OsString, Option<u32>)>,
    /// Files with several names, whose bytes count once.
    inodes: HashSet<(usize, u64)>,
    blocks: [Vec<u8>; 2],
    looked: u64,
    read: u64,
    reported: (u64, u64),
    found: FileDiff,
}

/// How the files of two images differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileDiff {
    /// The paths of the changes and of the folders that contain them; the first is the root.
    pub paths: Vec<LayerPath>,
    /// The files that differ, a folder before what is in it.
    pub changes: Vec<FileChange>,
    /// The files that only the second image has.
    pub added: Sum,
    /// The files that both have and that differ, with their size in the second.
    pub changed: Sum,
    /// Their size in the first, in bytes.
    pub changed_before: u64,
    /// The files that only the first image has.
    pub removed: Sum,
    /// Whether there are more changes than are kept. The sums include the others.
    pub is_cut: bool,
}

impl FileDiff {
    /// Returns the same result with the two images exchanged.
    pub(crate) fn swapped(mut self) -> Self {
        std::mem::swap(&mut self.added, &mut self.removed);
        std::mem::swap(&mut self.changed.bytes, &mut self.changed_before);
        for change in &mut self.changes {
            std::mem::swap(&mut change.before, &mut change.after);
            change.mark = match change.mark {
                Mark::Added => Mark::Deleted,
                Mark::Deleted => Mark::Added,
                Mark::Changed => Mark::Changed,
            };
            for difference in &mut change.what {
                *difference = match *difference {
                    Difference::Kind(one, two) => {
                        change.kind = one;
                        Difference::Kind(two, one)
                    }
                    Difference::Mode(one, two) => Difference::Mode(two, one),
                    Difference::Owner(one, two) => Difference::Owner(two, one),
                    same => same,
                };
            }
        }
        self
    }
}

impl<'a> Walk<'a> {
    /// Prepares to compare two images, given as the folders of their layers, topmost first.
    pub(crate) fn new(
        folders: [&[PathBuf]; 2],
        opaque: &'static OsStr,
        most: usize,
        reporter: &'a Reporter,
    ) -> Result<Self> {
        let mut layers = Vec::new();
        let mut known: BTreeMap<&Path, usize> = BTreeMap::new();
        let mut roots = [Seen::new(), Seen::new()];
        for (side, folders) in folders.into_iter().enumerate() {
            for folder in folders {
                let at = match known.get(folder.as_path()) {
                    Some(at) => *at,
                    None => {
                        layers.push(Cursor::new(fs::open_place(folder)?, opaque)?);
                        known.insert(folder, layers.len() - 1);
                        layers.len() - 1
                    }
                };
                roots[side].push(at);
                if matches!(layers[at].look(Path::new(""))?, There::Here { hides: true, .. }) {
                    break;
                }
            }
        }
        let root = LayerPath { parent: 0, name: OsStr::new("").into() };
        Ok(Self {
            layers,
            roots,
            opaque,
            reporter,
            most,
            trail: Vec::new(),
            inodes: HashSet::new(),
            blocks: [vec![0; BLOCK], vec![0; BLOCK]],
            looked: 0,
            read: 0,
            reported: (0, 0),
            found: FileDiff { paths: vec![root], ..FileDiff::default() },
        })
    }

    pub(crate) fn run(mut self) -> Result<FileDiff> {
        let roots = std::mem::take(&mut self.roots);
        if roots[0] != roots[1] {
            self.folder(&roots[0], &roots[1])?;
        }
        Ok(self.found)
    }

    /// Compares the contents of a folder. For an image without that folder, the list of layers is
    /// empty.
    fn folder(&mut self, before: &[usize], after: &[usize]) -> Result<()> {
        if self.trail.len() == MAX_DEPTH {
            self.found.is_cut = true;
            return Ok(());
        }
        let path: PathBuf = self.trail.iter().map(|(name, _)| name).collect();
        let (before, after) = (self.entries(&path, before)?, self.entries(&path, after)?);
        for (before, after) in paired(before, after) {
            self.look()?;
            self.pair(&path, before.as_ref(), after.as_ref())?;
        }
        Ok(())
    }

    fn pair(&mut self, folder: &Path, before: Option<&Entry>, after: Option<&Entry>) -> Result<()> {
        let Some(one) = after.or(before) else { return Ok(()) };
        if let (Some(before), Some(after)) = (before, after)
            && before.seen == after.seen
        {
            return Ok(()); // both come from the same layers
        }
        let mark = match (before, after) {
            (Some(before), Some(after)) => {
                let what = self.differences(&folder.join(&one.name), before, after)?;
                (!what.is_empty()).then_some((Mark::Changed, what))
            }
            (None, _) => Some((Mark::Added, Vec::new())),
            (_, None) => Some((Mark::Deleted, Vec::new())),
        };
        self.trail.push((one.name.clone(), None));
        if let Some((mark, what)) = mark {
            self.note(mark, what, before, after);
        }
        let inside = |entry: Option<&Entry>| {
            let folder = entry.filter(|entry| entry.facts.kind == FileKind::Folder);
            folder.map_or_else(Seen::new, |entry| entry.seen.clone())
        };
        let (before, after) = (inside(before), inside(after));
        if !(before.is_empty() && after.is_empty()) {
            self.folder(&before, &after)?;
        }
        self.trail.pop();
        Ok(())
    }

    /// Returns how two entries differ; the contents of folders are compared separately.
    fn differences(&mut self, path: &Path, before: &Entry, after: &Entry) -> Result<Vec<Difference>> {
        // The topmost layer provides the file, or the folder's mode.
        if before.seen.first() == after.seen.first() {
            return Ok(Vec::new());
        }
        let mut found = before.facts.differences(&after.facts);
        if before.facts.kind != after.facts.kind {
            return Ok(found);
        }
        let places = [self.place(path, before)?, self.place(path, after)?];
        if before.facts.kind == FileKind::Link {
            let [one, two] = &places;
            let empty = OsStr::new("");
            if fs::readlink_at(one, empty)? != fs::readlink_at(two, empty)? {
                found.push(Difference::Target);
            }
            return Ok(found);
        }
        if Self::attributes(&places[0])? != Self::attributes(&places[1])? {
            found.push(Difference::Attributes);
        }
        let is_file = before.facts.kind == FileKind::File;
        if is_file && before.facts.size == after.facts.size && before.facts.size > 0 {
            let files = [self.open(path, before)?, self.open(path, after)?];
            if !self.has_same_bytes(files)? {
                found.insert(0, Difference::Content);
            }
        }
        Ok(found)
    }

    /// Opens the visible entry with `O_PATH`.
    fn place(&mut self, path: &Path, entry: &Entry) -> Result<OwnedFd> {
        self.look_in(entry.seen[0], path)
    }

    fn open(&mut self, path: &Path, entry: &Entry) -> Result<File> {
        Ok(File::from(fs::reopen(self.place(path, entry)?, OFlags::RDONLY | OFlags::NONBLOCK)?))
    }

    /// Opens a path that this layer is known to have.
    fn look_in(&mut self, layer: usize, path: &Path) -> Result<OwnedFd> {
        match self.layers[layer].look(path)? {
            There::Here { place, .. } => Ok(place),
            There::Nothing { .. } => Err(sys::Error::new(format!("openat({path:?})"), Errno::STALE).into()),
        }
    }

    /// Returns the attributes of a file, except overlayfs' own, those in `trusted.`, and SELinux
    /// labels, which this machine sets.
    fn attributes(place: &OwnedFd) -> Result<BTreeMap<OsString, Option<Vec<u8>>>> {
        let mut attributes = BTreeMap::new();
        for name in xattr::list_place(place)? {
            let bytes = name.as_encoded_bytes();
            let ours: [&[u8]; 3] = [b"trusted.", b"user.overlay.", b"security.selinux"];
            if !ours.iter().any(|prefix| bytes.starts_with(prefix)) {
                attributes.insert(name.clone(), xattr::get_place(place, &name)?);
            }
        }
        Ok(attributes)
    }

    fn has_same_bytes(&mut self, files: [File; 2]) -> Result<bool> {
        let [mut one, mut two] = files;
        let [mut mine, mut other] = std::mem::take(&mut self.blocks);
        let same = loop {
            let count = filled(&mut one, &mut mine)?;
            if count != filled(&mut two, &mut other)? || mine[..count] != other[..count] {
                break false;
            }
            if count == 0 {
                break true;
            }
            self.read += count as u64 * 2;
            self.report()?;
        };
        self.blocks = [mine, other];
        Ok(same)
    }

    /// Returns the merged contents of a folder that these layers have, sorted by name.
    fn entries(&mut self, path: &Path, seen: &[usize]) -> Result<Vec<Entry>> {
        /// What the layers read so far say about a name.
        struct Slot {
            entry: Option<Entry>,
            is_settled: bool,
        }
        let mut slots: BTreeMap<OsString, Slot> = BTreeMap::new();
        for layer in seen {
            let dir = fs::reopen(self.look_in(*layer, path)?, OFlags::RDONLY | OFlags::DIRECTORY)?;
            let (names, has_more) = fs::entries_up_to(&dir, MAX_NAMES)?;
            self.found.is_cut |= has_more;
            for name in names {
                self.report()?;
                let known = slots.get(&name);
                if known.is_some_and(|slot| slot.is_settled) {
                    continue;
                }
                if known.is_none() && slots.len() >= MAX_NAMES {
                    self.found.is_cut = true;
                    continue;
                }
                let stat = fs::stat_at(&dir, &name)?;
                let slot = slots.entry(name.clone()).or_insert(Slot { entry: None, is_settled: false });
                let is_folder = fs::file_type(&stat) == FileType::Directory;
                slot.is_settled = !is_folder;
                match &mut slot.entry {
                    _ if is_whiteout(&stat) => {}
                    Some(_) if !is_folder => {} // hidden by the folder above it
                    Some(entry) => entry.seen.push(*layer),
                    entry => {
                        *entry =
                            Some(Entry { name: name.clone(), facts: Facts::of(&stat), seen: vec![*layer] })
                    }
                }
                if is_folder {
                    let inner = fs::open_at(&dir, &name, OFlags::PATH | OFlags::DIRECTORY)?;
                    slot.is_settled = is_opaque(&inner, self.opaque)?;
                }
            }
        }
        Ok(slots.into_values().filter_map(|slot| slot.entry).collect())
    }

    /// Records a difference at the end of the trail.
    fn note(&mut self, mark: Mark, what: Vec<Difference>, before: Option<&Entry>, after: Option<&Entry>) {
        let size = |walk: &mut Self, entry: Option<&Entry>| {
            let Some(entry) = entry else { return 0 };
            let inode = entry.facts.inode.map(|inode| (entry.seen[0], inode));
            let is_more = walk.inodes.len() < MAX_NAMES;
            let is_known = inode.is_some_and(|inode| is_more && !walk.inodes.insert(inode));
            if is_known { 0 } else { entry.facts.size }
        };
        let (before_size, after_size) = (size(self, before), size(self, after));
        let Some(kind) = after.or(before).map(|entry| entry.facts.kind) else { return };
        let was_file = before.is_some_and(|entry| entry.facts.kind != FileKind::Folder);
        if kind != FileKind::Folder || mark == Mark::Changed && was_file {
            let (sum, bytes) = match mark {
                Mark::Added => (&mut self.found.added, after_size),
                Mark::Changed => (&mut self.found.changed, after_size),
                Mark::Deleted => (&mut self.found.removed, before_size),
            };
            sum.files += 1;
            sum.bytes += bytes;
            if mark == Mark::Changed {
                self.found.changed_before += before_size;
            }
        }
        match self.path() {
            Some(path) => {
                let (before, after) = (before_size, after_size);
                self.found.changes.push(FileChange { path, mark, kind, before, after, what });
            }
            None => self.found.is_cut = true,
        }
    }

    /// Returns the index in the table of the current path, adding it if needed; `None` if the table
    /// is full.
    fn path(&mut self) -> Option<u32> {
        let mut parent = 0;
        for (name, at) in &mut self.trail {
            if at.is_none() {
                if self.found.paths.len() >= self.most {
                    return None;
                }
                *at = u32::try_from(self.found.paths.len()).ok();
                self.found.paths.push(LayerPath { parent, name: name.clone().into_boxed_os_str() });
            }
            parent = (*at)?;
        }
        Some(parent)
    }

    fn look(&mut self) -> Result<()> {
        self.looked += 1;
        self.report()
    }

    /// Reports progress now and then. Fails if the work was cancelled.
    fn report(&mut self) -> Result<()> {
        if self.reporter.is_cancelled() {
            return Err(Error::Interrupted);
        }
        let (looked, read) = (self.looked - self.reported.0, self.read - self.reported.1);
        if looked >= REPORT_EVERY.0 || read >= REPORT_EVERY.1 {
            self.reported = (self.looked, self.read);
            let read = crate::base::units::column(self.read);
            self.reporter.note(format!("{} files, {read} read", self.looked));
        }
        Ok(())
    }
}

/// Reads until the block is full or the file ends.
fn filled(file: &mut File, block: &mut [u8]) -> Result<usize> {
    let mut count = 0;
    while count < block.len() {
        match file.read(&mut block[count..]) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::Sys(crate::sys::Error::new("read", error))),
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    const OPAQUE: &str = "user.overlay.opaque";

    /// Unpacked layers, each described by `path=text` (a file), `path/` (a folder), `path>to` (a
    /// link) and `path!` (a whiteout).
    struct Layers(tempfile::TempDir);

    impl Layers {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn add(&self, name: &str, files: &[&str]) -> PathBuf {
            let layer = self.0.path().join(name);
            std::fs::create_dir(&layer).unwrap();
            for file in files {
                let parents = |path: &str| {
                    let path = layer.join(path);
                    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                    path
                };
                if let Some((path, text)) = file.split_once('=') {
                    std::fs::write(parents(path), text).unwrap();
                } else if let Some((path, to)) = file.split_once('>') {
                    symlink(to, parents(path)).unwrap();
                } else if let Some(path) = file.strip_suffix('!') {
                    let path = parents(path);
                    let dir = fs::open_dir(path.parent().unwrap()).unwrap();
                    let none = fs::device(0, 0);
                    fs::mknod_at(&dir, path.file_name().unwrap(), FileType::CharacterDevice, 0, none)
                        .unwrap();
                } else {
                    std::fs::create_dir_all(layer.join(file)).unwrap();
                }
            }
            layer
        }
    }

    fn diff(before: &[&PathBuf], after: &[&PathBuf]) -> FileDiff {
        found(before, after, 1000).unwrap()
    }

    fn found(before: &[&PathBuf], after: &[&PathBuf], most: usize) -> Result<FileDiff> {
        let owned = |side: &[&PathBuf]| side.iter().map(|path| (*path).clone()).collect::<Vec<_>>();
        let reporter = Reporter::silent();
        Walk::new([&owned(before), &owned(after)], OsStr::new(OPAQUE), most, &reporter)?.run()
    }

    /// `~ /srv/app 3 5 Content`
    fn lines(found: &FileDiff) -> Vec<String> {
        let line = |change: &FileChange| {
            let sign = match change.mark {
                Mark::Added => '+',
                Mark::Changed => '~',
                Mark::Deleted => '-',
            };
            let path = crate::layer::stack::path_in(&found.paths, change.path);
            let what: Vec<_> = change.what.iter().map(|what| format!(" {what:?}")).collect();
            format!("{sign} {} {} {}{}", path.display(), change.before, change.after, what.concat())
        };
        found.changes.iter().map(line).collect()
    }

    #[test]
    fn the_same_files_in_other_layers_are_the_same() {
        let layers = Layers::new();
        let one = layers.add("one", &["etc/a=1", "srv/x=text", "srv/link>x"]);
        let two = layers.add("two", &["srv/y=more", "gone=1"]);
        let three = layers.add("three", &["gone!"]);
        let all = layers.add("all", &["etc/a=1", "srv/x=text", "srv/link>x", "srv/y=more"]);
        let apart = diff(&[&three, &two, &one], &[&all]);
        assert_eq!(lines(&apart), Vec::<String>::new());
        assert_eq!(lines(&diff(&[&three, &two, &one], &[&three, &one, &two])), Vec::<String>::new());
        assert_eq!((apart.added, apart.changed, apart.removed), Default::default());
    }

    #[test]
    fn each_difference_is_told_with_what_differs() {
        let layers = Layers::new();
        let base =
            layers.add("base", &["bin/sh=shell", "srv/same=1", "srv/text=old", "srv/tool=x", "srv/link>a"]);
        let top = layers.add(
            "top",
            &[
                "srv/same=1",
                "srv/text=new",
                "srv/tool=x",
                "srv/link>b",
                "srv/more=12345",
                "bin!",
                "opt/a/b=1",
            ],
        );
        std::fs::set_permissions(top.join("srv/tool"), std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::set_permissions(base.join("srv/tool"), std::fs::Permissions::from_mode(0o644)).unwrap();
        let found = diff(&[&base], &[&top, &base]);
        assert_eq!(
            lines(&found),
            [
                "- /bin 0 0",
                "- /bin/sh 5 0",
                "+ /opt 0 0",
                "+ /opt/a 0 0",
                "+ /opt/a/b 0 1",
                "~ /srv/link 0 0 Target",
                "+ /srv/more 0 5",
                "~ /srv/text 3 3 Content",
                "~ /srv/tool 1 1 Mode(420, 493)",
            ]
        );
        let sum = |files, bytes| Sum { files, bytes };
        assert_eq!((found.added, found.changed, found.removed), (sum(2, 6), sum(3, 4), sum(1, 5)));
    }

    #[test]
    fn a_file_in_the_place_of_a_folder_takes_what_was_in_it_along() {
        let layers = Layers::new();
        let base = layers.add("base", &["a/b/c=123", "a/d=1"]);
        let top = layers.add("top", &["a=file"]);
        let found = diff(&[&base], &[&top, &base]);
        let lines_of = lines(&found);
        assert_eq!(lines_of, ["~ /a 0 4 Kind(Folder, File)", "- /a/b 0 0", "- /a/b/c 3 0", "- /a/d 1 0"]);
        let back = lines(&diff(&[&top, &base], &[&base]));
        assert_eq!(back, ["~ /a 4 0 Kind(File, Folder)", "+ /a/b 0 0", "+ /a/b/c 0 3", "+ /a/d 0 1"]);
    }

    #[test]
    fn what_both_have_of_the_same_layers_is_not_read() {
        let layers = Layers::new();
        let base = layers.add("base", &["usr/lib/a=1", "usr/lib/b=2", "usr/lib/c=3", "etc/x=1"]);
        let (one, two) = (layers.add("one", &["etc/y=1"]), layers.add("two", &["etc/y=2"]));
        let sides = [vec![one, base.clone()], vec![two, base]];
        let reporter = Reporter::silent();
        let mut walk = Walk::new([&sides[0], &sides[1]], OsStr::new(OPAQUE), 99, &reporter).unwrap();
        let roots = walk.roots.clone();
        walk.folder(&roots[0], &roots[1]).unwrap();
        assert_eq!(lines(&walk.found), ["~ /etc/y 1 1 Content"]);
        assert_eq!(walk.looked, 4, "etc, usr, etc/x and etc/y");
    }

    #[test]
    fn more_than_is_held_is_counted_and_said_so_and_nobody_waiting_ends_it() {
        let layers = Layers::new();
        let base = layers.add("base", &["x=1"]);
        let top = layers.add("top", &["a=1", "b=1", "c=1", "d=1"]);
        let cut = found(&[&base], &[&top, &base], 3).unwrap();
        assert_eq!((cut.is_cut, cut.added.files, cut.changes.len(), cut.paths.len()), (true, 4, 2, 3));
        let (sides, reporter) = ([vec![base.clone()], vec![top, base]], Reporter::silent());
        reporter.cancel();
        let walk = Walk::new([&sides[0], &sides[1]], OsStr::new(OPAQUE), 9, &reporter).unwrap();
        assert!(matches!(walk.run(), Err(Error::Interrupted)));
    }

    #[test]
    fn what_one_image_has_more_the_other_has_less() {
        let layers = Layers::new();
        let (one, two) = (layers.add("one", &["a=1", "b=22", "c/d=1"]), layers.add("two", &["b=333", "c=1"]));
        let (there, back) = (diff(&[&one], &[&two]), diff(&[&two], &[&one]));
        assert_eq!(there.clone().swapped(), back);
        assert_eq!(back.swapped(), there);
    }
}
