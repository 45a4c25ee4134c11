//! Stacking layers: what each changes of what lies below it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::OFlags;

use super::{LayerChange, LayerInfo, LayerPath, Waste, path};
use crate::engine::Reporter;
use crate::engine::files::{DEEPEST, Error, FileKind, Mark, kind};
use crate::layer::look::{is_opaque, is_whiteout};
use crate::sys::fs::{self, Stat};

/// No child, no next one.
const NONE: u32 = u32::MAX;
/// Names of one folder that are held at once.
pub(super) const MOST_NAMES: usize = 1_000_000;

/// A path, as the layers so far leave it.
#[derive(Debug)]
struct Node {
    parent: u32,
    name: Box<OsStr>,
    first_child: u32,
    next: u32,
    /// The last layer that names it.
    seen: u32,
    /// What is there; `None` for nothing.
    live: Option<FileKind>,
    size: u64,
}

/// What a layer wastes in a place: changed files of a folder together, each deletion alone.
type WasteKey = (usize, Mark, u32);

/// The layers that were added so far.
pub(super) struct Stack {
    nodes: Vec<Node>,
    by_name: HashMap<(u32, Box<OsStr>), u32>,
    waste: BTreeMap<WasteKey, (u64, u64, u32)>,
    opaque: &'static OsStr,
    /// No more paths are held.
    most: usize,
    pub(super) wasted: u64,
    pub(super) is_cut: bool,
}

/// The layer that is being added.
struct Adding<'a> {
    info: &'a mut LayerInfo,
    reporter: &'a Reporter,
    /// Files with several names, which take their bytes once.
    inodes: HashSet<(u64, u64)>,
}

impl Stack {
    pub(super) fn new(opaque: &'static OsStr, most: usize) -> Self {
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

    /// Adds the layer unpacked at `folder` on top.
    pub(super) fn add(
        &mut self,
        folder: &Path,
        info: &mut LayerInfo,
        reporter: &Reporter,
    ) -> Result<(), Error> {
        let root = fs::open_dir(folder)?;
        let hides = is_opaque(&root, self.opaque)?;
        let mut adding = Adding { info, reporter, inodes: HashSet::new() };
        self.folder(&mut adding, &root, 0, hides, 0)
    }

    /// Takes in a folder of the layer. `hides`: nothing of what lies below it is seen.
    fn folder(
        &mut self,
        adding: &mut Adding<'_>,
        dir: &OwnedFd,
        at: u32,
        hides: bool,
        depth: usize,
    ) -> Result<(), Error> {
        if depth == DEEPEST {
            self.is_cut = true;
            return Ok(());
        }
        let (mut names, has_more) = fs::entries_up_to(dir, MOST_NAMES)?;
        self.is_cut |= has_more;
        names.sort_unstable();
        for name in names {
            if adding.reporter.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let stat = fs::stat_at(dir, &name)?;
            if is_whiteout(&stat) {
                if let Some(&gone) = self.by_name.get(&(at, name.into_boxed_os_str())) {
                    self.delete(adding, gone);
                }
                continue;
            }
            self.entry(adding, dir, at, &name, &stat, (hides, depth))?;
        }
        if hides {
            let layer = adding.layer();
            for child in self.children(at) {
                if self.nodes[child as usize].seen != layer {
                    self.delete(adding, child);
                }
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        adding: &mut Adding<'_>,
        dir: &OwnedFd,
        at: u32,
        name: &OsString,
        stat: &Stat,
        (hides, depth): (bool, usize),
    ) -> Result<(), Error> {
        let kind = kind(fs::file_type(stat));
        let mut size = if kind == FileKind::File { u64::try_from(stat.st_size).unwrap_or(0) } else { 0 };
        if stat.st_nlink > 1 && kind == FileKind::File && !adding.inodes.insert((stat.st_dev, stat.st_ino)) {
            size = 0;
        }
        let Some(node) = self.intern(at, name) else {
            self.is_cut = true;
            adding.info.added += u64::from(kind != FileKind::Folder);
            return Ok(());
        };
        self.nodes[node as usize].seen = adding.layer();
        let before = self.nodes[node as usize].live;
        let mark = if before.is_some() { Mark::Changed } else { Mark::Added };
        if kind != FileKind::Folder || before != Some(FileKind::Folder) {
            if before == Some(FileKind::Folder) {
                let (bytes, files) = self.forget(node);
                self.note_waste(adding.info.number, Mark::Deleted, node, (bytes, files, node));
            } else if before.is_some() {
                let bytes = self.nodes[node as usize].size;
                self.note_waste(adding.info.number, Mark::Changed, at, (bytes, 1, node));
            }
            let inner = &mut self.nodes[node as usize];
            (inner.live, inner.size) = (Some(kind), size);
            adding.info.changes.push(LayerChange { path: node, mark, kind, size });
            if kind != FileKind::Folder {
                let count =
                    if mark == Mark::Added { &mut adding.info.added } else { &mut adding.info.changed };
                *count += 1;
            }
        }
        if kind == FileKind::Folder {
            let inner = fs::open_at(dir, name, OFlags::RDONLY | OFlags::DIRECTORY)?;
            let hides = hides || is_opaque(&inner, self.opaque)?;
            self.folder(adding, &inner, node, hides, depth + 1)?;
        }
        Ok(())
    }

    /// The place of a name in the table; `None` when that is full.
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

    /// A layer removes a path with all that is in it.
    fn delete(&mut self, adding: &mut Adding<'_>, node: u32) {
        let Some(kind) = self.nodes[node as usize].live else { return };
        let (size, files) = self.forget(node);
        self.nodes[node as usize].seen = adding.layer();
        adding.info.changes.push(LayerChange { path: node, mark: Mark::Deleted, kind, size });
        adding.info.removed += files;
        self.note_waste(adding.info.number, Mark::Deleted, node, (size, files, node));
    }

    /// Forgets what is at a path and below it: its bytes, and how many files.
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

    /// What is wasted, most bytes first.
    pub(super) fn waste(&self, most: usize) -> Vec<Waste> {
        let above = |at: u32| (self.nodes[at as usize].parent, &self.nodes[at as usize].name);
        let mut sorted: Vec<_> = self.waste.iter().collect();
        sorted.sort_by_key(|(_, (bytes, ..))| std::cmp::Reverse(*bytes));
        let lines = sorted.into_iter().take(most).map(|((by, mark, group), (bytes, files, node))| {
            let at = if *files == 1 { *node } else { *group };
            Waste { path: path(above, at), files: *files, bytes: *bytes, mark: *mark, by: *by }
        });
        lines.collect()
    }

    /// The table of paths.
    pub(super) fn into_paths(self) -> Vec<LayerPath> {
        drop(self.by_name);
        self.nodes.into_iter().map(|node| LayerPath { parent: node.parent, name: node.name }).collect()
    }
}

impl Adding<'_> {
    /// The layer's number, for what it has seen.
    fn layer(&self) -> u32 {
        u32::try_from(self.info.number).unwrap_or(u32::MAX)
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
