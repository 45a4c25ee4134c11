//! What each layer of an image changes in the layers below it, and how many bytes that wastes.
//!
//! The unpacked layers are read from the bottom up, merged as overlayfs does. All layers share one
//! table of paths; each layer is a list of changes:
//!
//! ```text
//! paths    0 /   1 /srv   2 /srv/app   3 /tmp   4 /tmp/x …       parents come first
//! layer 1  + 1  + 2 (148M)
//! layer 2  ~ 2 (12M)  + 4           148M of layer 1 are wasted
//! layer 3  − 4
//! ```

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::changes::{Changes, changes};
use super::error::Error;
use super::{FileKind, Mark};
use crate::base::progress::Reporter;
use crate::oci::Digest;
use crate::sys::fs::{self, Stat};
use crate::sys::tree::Step;

/// A path in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerPath {
    /// The index of its folder in the table; the root refers to itself.
    pub parent: u32,
    /// The last component; empty for the root.
    pub name: Box<OsStr>,
}

/// A line of an image's history, with the layer it created.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LayerInfo {
    /// The layer; `None` if the line created none.
    pub diff_id: Option<Digest>,
    /// The layer's number, from 1; 0 if the line created none.
    pub number: usize,
    /// The instruction, as far as it can be derived from the command.
    pub command: String,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// The author's comment.
    pub comment: String,
    /// Size of its files in bytes.
    pub size: u64,
    /// Its changes in walk order: a folder before its contents.
    pub changes: Vec<LayerChange>,
    /// Number of files added.
    pub added: u64,
    /// Number of files changed.
    pub changed: u64,
    /// Number of files removed.
    pub removed: u64,
}

/// A change that a layer makes to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerChange {
    /// The index of the path in the table.
    pub path: u32,
    /// Added, changed or deleted; deleting a folder deletes everything in it.
    pub mark: Mark,
    /// The kind of file; for a deleted one, the kind it had.
    pub kind: FileKind,
    /// Size in bytes; for a deleted folder, of everything in it.
    pub size: u64,
}

/// Bytes of lower layers that are no longer visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waste {
    /// The file, or the folder that contains several.
    pub path: PathBuf,
    /// Number of files.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Whether they were changed or deleted.
    pub mark: Mark,
    /// By which layer, counted from 1.
    pub by: usize,
}

/// Returns the full path of an entry in the table.
pub(crate) fn path_in(paths: &[LayerPath], at: u32) -> PathBuf {
    path(|at| (paths[at as usize].parent, &paths[at as usize].name), at)
}

/// Returns the path at `at`, where `above` returns the index of a path's folder and its last name.
fn path<'a>(above: impl Fn(u32) -> (u32, &'a Box<OsStr>), at: u32) -> PathBuf {
    let (mut names, mut at) = (Vec::new(), at);
    while at != 0 {
        let (parent, name) = above(at);
        names.push(name);
        at = parent;
    }
    let mut whole = PathBuf::from("/");
    names.iter().rev().for_each(|name| whole.push(name.as_ref()));
    whole
}

/// No child or no next sibling.
const NONE: u32 = u32::MAX;

/// A path as the layers so far leave it.
#[derive(Debug)]
struct Node {
    parent: u32,
    name: Box<OsStr>,
    first_child: u32,
    next: u32,
    /// The last layer that has or deletes it.
    seen: u32,
    /// What is there; `None` if nothing is.
    live: Option<FileKind>,
    size: u64,
}

/// A group of wasted files: layer, change, and place. Changed files are grouped by folder, each
/// deletion counts by itself.
type WasteKey = (usize, Mark, u32);

/// The layers added so far.
pub(crate) struct Stack {
    nodes: Vec<Node>,
    by_name: HashMap<(u32, Box<OsStr>), u32>,
    waste: BTreeMap<WasteKey, (u64, u64, u32)>,
    opaque: &'static OsStr,
    /// The maximum number of paths.
    most: usize,
    pub(crate) wasted: u64,
    pub(crate) is_cut: bool,
}

/// The state of adding one layer.
struct Adding<'a> {
    stack: &'a mut Stack,
    info: &'a mut LayerInfo,
    reporter: &'a Reporter,
    /// Files with several names, whose bytes count once.
    inodes: HashSet<(u64, u64)>,
    /// The folders down to the current one, and whether they hide the layers below.
    above: Vec<(u32, bool)>,
    /// The folder that is entered next.
    next: u32,
}

impl Stack {
    pub(crate) fn new(opaque: &'static OsStr, most: usize) -> Self {
        let root = Node {
            parent: 0,
            name: OsStr::new("").into(),
            first_child: NONE,
            next: NONE,
            seen: 0,
            live: Some(FileKind::Folder),
            size: 0,
        };
        Self {
            nodes: vec![root],
            by_name: HashMap::new(),
            waste: BTreeMap::new(),
            opaque,
            most,
            wasted: 0,
            is_cut: false,
        }
    }

    /// Adds the layer unpacked at `folder` on top of the others.
    pub(crate) fn add(
        &mut self,
        folder: &Path,
        info: &mut LayerInfo,
        reporter: &Reporter,
    ) -> Result<(), Error> {
        let root = fs::open_dir(folder)?;
        let opaque = self.opaque;
        let (inodes, above) = (HashSet::new(), Vec::new());
        changes(&root, opaque, &mut Adding { stack: self, info, reporter, inodes, above, next: 0 })
    }

    /// Returns the index of a name in the table, adding it if needed; `None` if the table is full.
    fn intern(&mut self, parent: u32, name: &OsStr) -> Option<u32> {
        let key = (parent, Box::<OsStr>::from(name));
        if let Some(&known) = self.by_name.get(&key) {
            return Some(known);
        }
        let at = u32::try_from(self.nodes.len()).ok().filter(|_| self.nodes.len() < self.most)?;
        let next = std::mem::replace(&mut self.nodes[parent as usize].first_child, at);
        let name = key.1.clone();
        self.nodes.push(Node { parent, name, first_child: NONE, next, seen: 0, live: None, size: 0 });
        self.by_name.insert(key, at);
        Some(at)
    }

    fn children(&self, of: u32) -> Vec<u32> {
        let mut children = Vec::new();
        let mut child = self.nodes[of as usize].first_child;
        while child != NONE {
            children.push(child);
            child = self.nodes[child as usize].next;
        }
        children
    }

    /// Forgets what is at a path and below it, and returns its size in bytes and number of files.
    fn forget(&mut self, node: u32) -> (u64, u64) {
        let (mut bytes, mut files) = (0, 0);
        let mut left = vec![node];
        while let Some(at) = left.pop() {
            let inner = &mut self.nodes[at as usize];
            let Some(kind) = inner.live.take() else { continue };
            bytes += std::mem::take(&mut inner.size);
            files += u64::from(kind != FileKind::Folder);
            left.extend(self.children(at));
        }
        (bytes, files)
    }

    fn note_waste(&mut self, by: usize, mark: Mark, group: u32, (bytes, files, node): (u64, u64, u32)) {
        self.wasted += bytes;
        if bytes > 0 {
            let sum = self.waste.entry((by, mark, group)).or_insert((0, 0, node));
            sum.0 += bytes;
            sum.1 += files;
        }
    }

    /// Returns what is wasted, largest first.
    pub(crate) fn waste(&self, most: usize) -> Vec<Waste> {
        let above = |at: u32| (self.nodes[at as usize].parent, &self.nodes[at as usize].name);
        let mut sorted: Vec<_> = self.waste.iter().collect();
        sorted.sort_by_key(|(_, (bytes, ..))| std::cmp::Reverse(*bytes));
        let lines = sorted.into_iter().take(most).map(|((by, mark, group), (bytes, files, node))| {
            let at = if *files == 1 { *node } else { *group };
            Waste { path: path(above, at), files: *files, bytes: *bytes, mark: *mark, by: *by }
        });
        lines.collect()
    }

    /// Returns the table of paths.
    pub(crate) fn into_paths(self) -> Vec<LayerPath> {
        drop(self.by_name);
        self.nodes.into_iter().map(|node| LayerPath { parent: node.parent, name: node.name }).collect()
    }
}

impl Adding<'_> {
    /// Returns the number of the layer being added.
    fn layer(&self) -> u32 {
        u32::try_from(self.info.number).unwrap_or(u32::MAX)
    }

    /// Returns the index of the current folder.
    fn at(&self) -> u32 {
        self.above.last().map_or(0, |(at, _)| *at)
    }

    /// Records that the layer removes a path and everything in it.
    fn delete(&mut self, node: u32) {
        let layer = self.layer();
        let Some(kind) = self.stack.nodes[node as usize].live else { return };
        let (size, files) = self.stack.forget(node);
        self.stack.nodes[node as usize].seen = layer;
        self.info.changes.push(LayerChange { path: node, mark: Mark::Deleted, kind, size });
        self.info.removed += files;
        self.stack.note_waste(self.info.number, Mark::Deleted, node, (size, files, node));
    }

    /// Records what the layer has at a path in the table.
    fn put(&mut self, node: u32, kind: FileKind, size: u64) {
        let (number, at) = (self.info.number, self.at());
        let before = self.stack.nodes[node as usize].live;
        let mark = if before.is_some() { Mark::Changed } else { Mark::Added };
        if kind == FileKind::Folder && before == Some(FileKind::Folder) {
            return;
        }
        if before == Some(FileKind::Folder) {
            let (bytes, files) = self.stack.forget(node);
            self.stack.note_waste(number, Mark::Deleted, node, (bytes, files, node));
        } else if before.is_some() {
            let bytes = self.stack.nodes[node as usize].size;
            self.stack.note_waste(number, Mark::Changed, at, (bytes, 1, node));
        }
        let inner = &mut self.stack.nodes[node as usize];
        (inner.live, inner.size) = (Some(kind), size);
        self.info.changes.push(LayerChange { path: node, mark, kind, size });
        if kind != FileKind::Folder {
            let count = if mark == Mark::Added { &mut self.info.added } else { &mut self.info.changed };
            *count += 1;
        }
    }
}

impl Changes for Adding<'_> {
    type Error = Error;

    fn gone(&mut self, name: &OsStr) -> Result<(), Error> {
        if let Some(&gone) = self.stack.by_name.get(&(self.at(), name.into())) {
            self.delete(gone);
        }
        Ok(())
    }

    fn here(&mut self, _: BorrowedFd<'_>, name: &OsStr, stat: &Stat) -> Result<Step, Error> {
        if self.reporter.is_cancelled() {
            return Err(Error::Interrupted);
        }
        let kind = FileKind::from(fs::file_type(stat));
        let mut size = if kind == FileKind::File { u64::try_from(stat.st_size).unwrap_or(0) } else { 0 };
        if stat.st_nlink > 1 && kind == FileKind::File && !self.inodes.insert((stat.st_dev, stat.st_ino)) {
            size = 0;
        }
        let Some(node) = self.stack.intern(self.at(), name) else {
            self.stack.is_cut = true;
            self.info.added += u64::from(kind != FileKind::Folder);
            return Ok(Step::Pass);
        };
        self.stack.nodes[node as usize].seen = self.layer();
        self.put(node, kind, size);
        self.next = node;
        Ok(if kind == FileKind::Folder { Step::Enter } else { Step::Pass })
    }

    fn enter(&mut self, _: &OsStr, hides: bool) -> Result<(), Error> {
        let is_hidden = self.above.last().is_some_and(|(_, hides)| *hides);
        self.above.push((self.next, hides || is_hidden));
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Error> {
        let Some((at, true)) = self.above.pop() else { return Ok(()) };
        let layer = self.layer();
        for child in self.stack.children(at) {
            if self.stack.nodes[child as usize].seen != layer {
                self.delete(child);
            }
        }
        Ok(())
    }

    fn more(&mut self) -> Result<(), Error> {
        self.stack.is_cut = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_paths_than_are_held_are_counted_and_said_so() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..10 {
            std::fs::write(folder.path().join(number.to_string()), "x").unwrap();
        }
        let mut stack = Stack::new(OsStr::new("trusted.overlay.opaque"), 6);
        let mut info = LayerInfo { number: 1, ..LayerInfo::default() };
        stack.add(folder.path(), &mut info, &Reporter::silent()).unwrap();
        assert_eq!((stack.is_cut, info.added, info.changes.len()), (true, 10, 5));
        assert_eq!(stack.into_paths().len(), 6);
    }
}
