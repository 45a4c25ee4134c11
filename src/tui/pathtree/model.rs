//! A tree of paths: the changes of a layer, or the differences between two images.
//!
//! It is built from a flat map of facts. Only rows of unfolded folders are created, and at most a
//! limited number per folder.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use crate::engine::files::{FileKind, Mark, shown};
use crate::engine::layers::LayerPath;
use crate::tui::model::scroll::into_view;

/// The maximum number of visible rows of a folder.
const MOST_ROWS: usize = 2000;

/// A tree of paths with a cursor.
#[derive(Debug, Default)]
pub struct PathTree {
    /// The rows, without folded ones.
    pub rows: Vec<TreeRow>,
    /// The row under the cursor.
    pub cursor: usize,
    /// The first visible row.
    pub top: usize,
    /// The kinds of changes that are hidden.
    pub hidden: Vec<Mark>,
    /// Words that names have to contain.
    pub filter: String,
    /// Whether it shows whole paths, the largest first, instead of folders.
    pub is_flat: bool,
    height: usize,
    open: HashSet<u32>,
    facts: HashMap<u32, Fact>,
    children: HashMap<u32, Vec<u32>>,
    /// The paths with facts of their own, the largest first.
    flat: Vec<u32>,
}

/// A row of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeRow {
    /// Its index in the table of paths; `None` for a row that stands for omitted ones.
    pub path: Option<u32>,
    /// How many folders it is in.
    pub depth: usize,
    /// The change to the path itself.
    pub mark: Option<Mark>,
    /// Its type.
    pub kind: FileKind,
    /// Its size in bytes, with the content of a folder.
    pub size: u64,
    /// Its size in bytes in the image it is compared with.
    pub before: u64,
    /// The number of files in it that are added, changed and removed.
    pub counts: [u32; 3],
    /// Whether the folder is unfolded; `None` if it is empty.
    pub is_open: Option<bool>,
    /// The number of omitted rows.
    pub more: usize,
}

/// What is known about a path, including the content of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    /// The change to it.
    pub mark: Option<Mark>,
    /// Its type.
    pub kind: FileKind,
    /// Its size in bytes.
    pub size: u64,
    /// Its size in bytes in the image it is compared with.
    pub before: u64,
    /// The bytes by which it is sorted among its siblings.
    weight: u64,
    counts: [u32; 3],
}

impl Fact {
    /// Creates the fact of a path that is compared with nothing.
    #[must_use]
    pub fn of(mark: Option<Mark>, kind: FileKind, size: u64) -> Self {
        Self { mark, kind, size, before: 0, weight: size, counts: [0; 3] }
    }

    /// Creates the fact of a file with these sizes before and after.
    #[must_use]
    pub fn compared(mark: Mark, kind: FileKind, before: u64, size: u64) -> Self {
        let mut counts = [0; 3];
        counts[place(mark)] = u32::from(kind != FileKind::Folder);
        Self { mark: Some(mark), kind, size, before, weight: size.max(before), counts }
    }

    fn add(&mut self, other: &Self) {
        self.size += other.size;
        self.before += other.before;
        self.weight += other.weight;
        self.counts.iter_mut().zip(other.counts).for_each(|(sum, count)| *sum += count);
    }
}

fn place(mark: Mark) -> usize {
    match mark {
        Mark::Added => 0,
        Mark::Changed => 1,
        Mark::Deleted => 2,
    }
}

impl PathTree {
    /// Returns an empty tree of the same form and height, in which nothing is hidden.
    #[must_use]
    pub fn emptied(&self) -> Self {
        let (height, is_flat) = (self.height, self.is_flat);
        Self { height, is_flat, ..Self::default() }
    }

    /// Rebuilds the tree from facts about paths, by index in a table of paths.
    pub fn plant(&mut self, paths: &[LayerPath], mut own: HashMap<u32, Fact>) {
        let words: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        own.retain(|path, fact| {
            let is_hidden = fact.mark.is_some_and(|mark| self.hidden.contains(&mark));
            let name = || shown(&paths[*path as usize].name).to_lowercase();
            !is_hidden && (words.is_empty() || words.iter().all(|word| name().contains(word.as_str())))
        });
        self.flat =
            own.iter().filter(|(_, fact)| fact.kind != FileKind::Folder).map(|(path, _)| *path).collect();
        self.flat.sort_by_key(|path| (Reverse(own[path].weight), *path));
        self.grow(paths, own);
        if self.filter.is_empty() {
            self.open = self.first_open();
        } else {
            self.open = self.children.keys().copied().collect();
        }
        self.lay_out();
    }

    /// Adds the parent folders, and sums up their sizes.
    fn grow(&mut self, paths: &[LayerPath], own: HashMap<u32, Fact>) {
        let mut facts: HashMap<u32, Fact> = HashMap::with_capacity(own.len());
        for (path, fact) in own {
            let known = facts.entry(path).or_insert(Fact::of(None, fact.kind, 0));
            (known.mark, known.kind) = (fact.mark, fact.kind);
            known.add(&fact);
            let mut at = path;
            while at != 0 {
                at = paths[at as usize].parent;
                facts.entry(at).or_insert(Fact::of(None, FileKind::Folder, 0)).add(&fact);
            }
        }
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        for path in facts.keys().filter(|path| **path != 0) {
            children.entry(paths[*path as usize].parent).or_default().push(*path);
        }
        for inner in children.values_mut() {
            inner
                .sort_by_cached_key(|path| (Reverse(facts[path].weight), paths[*path as usize].name.clone()));
        }
        (self.facts, self.children) = (facts, children);
    }

    /// Returns the initially unfolded folders: the root, and the chain of only children below it.
    fn first_open(&self) -> HashSet<u32> {
        let mut open = HashSet::from([0]);
        let mut left = vec![0];
        while let Some(path) = left.pop() {
            let children = self.children.get(&path).map_or(&[][..], Vec::as_slice);
            if let [only] = children {
                open.insert(*only);
                left.push(*only);
            }
        }
        open
    }

    fn lay_out(&mut self) {
        self.rows.clear();
        if self.is_flat {
            let rows = self
                .flat
                .iter()
                .take(MOST_ROWS)
                .filter_map(|path| Some(self.row(*path, self.facts.get(path)?, 0)));
            let rows: Vec<_> = rows.map(|row| TreeRow { is_open: None, ..row }).collect();
            self.rows = rows;
            self.rows.extend(left_out(self.flat.len(), 0));
        } else if let Some(fact) = self.facts.get(&0) {
            self.rows.push(self.row(0, fact, 0));
            self.below(0, 1);
        }
        self.scroll_in();
    }

    fn below(&mut self, folder: u32, depth: usize) {
        let children = self.children.get(&folder).cloned().unwrap_or_default();
        let more = left_out(children.len(), depth);
        for child in children.into_iter().take(MOST_ROWS) {
            let Some(fact) = self.facts.get(&child) else { continue };
            self.rows.push(self.row(child, fact, depth));
            if self.open.contains(&child) {
                self.below(child, depth + 1);
            }
        }
        self.rows.extend(more);
    }

    fn row(&self, path: u32, fact: &Fact, depth: usize) -> TreeRow {
        let is_open = self.children.contains_key(&path).then(|| self.open.contains(&path));
        let Fact { mark, kind, size, before, counts, .. } = *fact;
        TreeRow { path: Some(path), depth, mark, kind, size, before, counts, is_open, more: 0 }
    }

    /// Returns the row under the cursor.
    #[must_use]
    pub fn current(&self) -> Option<&TreeRow> {
        self.rows.get(self.cursor)
    }

    /// Moves the cursor by this many rows.
    pub fn step(&mut self, by: isize) {
        self.cursor = self.cursor.saturating_add_signed(by);
        self.scroll_in();
    }

    /// Moves the cursor to the first row.
    pub fn go_to_top(&mut self) {
        (self.cursor, self.top) = (0, 0);
    }

    /// Returns the number of visible rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Fits the tree into this many rows.
    pub fn fit(&mut self, height: usize) {
        self.height = height;
        self.scroll_in();
    }

    fn scroll_in(&mut self) {
        self.cursor = self.cursor.min(self.rows.len().saturating_sub(1));
        self.top = into_view(self.top, self.cursor, self.height, self.rows.len());
    }

    /// Unfolds the folder under the cursor. Returns whether it was folded.
    pub fn unfold(&mut self) -> bool {
        let row = self.current().filter(|row| row.is_open == Some(false)).and_then(|row| row.path);
        let Some(path) = row else { return false };
        self.open.insert(path);
        self.lay_out();
        true
    }

    /// Unfolds the folder under the cursor; goes to its first entry if it is unfolded. Returns whether
    /// it is a folder with entries.
    pub fn unfold_or_enter(&mut self) -> bool {
        if self.unfold() {
            return true;
        }
        let depth = |at: usize| self.rows.get(at).map(|row| row.depth);
        let is_open = self.current().is_some_and(|row| row.is_open == Some(true));
        let enters = is_open && depth(self.cursor + 1) > depth(self.cursor);
        if enters {
            self.step(1);
        }
        enters
    }

    /// Folds the folder under the cursor. Returns whether it was unfolded.
    pub fn fold_here(&mut self) -> bool {
        let row = self.current().filter(|row| row.is_open == Some(true) && row.depth > 0);
        row.is_some() && self.fold()
    }

    /// Folds the folder under the cursor, or goes to its parent. Returns whether there is one.
    pub fn fold(&mut self) -> bool {
        let Some(row) = self.current().copied() else { return false };
        if let (Some(true), Some(path)) = (row.is_open, row.path)
            && row.depth > 0
        {
            self.open.remove(&path);
            self.lay_out();
            return true;
        }
        let above = self.rows[..self.cursor].iter().rposition(|other| other.depth < row.depth);
        above.into_iter().for_each(|above| self.cursor = above);
        self.scroll_in();
        above.is_some()
    }

    /// Shows or hides changes of a kind. The tree has to be rebuilt afterwards.
    pub fn toggle(&mut self, mark: Mark) {
        match self.hidden.iter().position(|hidden| *hidden == mark) {
            Some(at) => drop(self.hidden.remove(at)),
            None => self.hidden.push(mark),
        }
    }

    /// Switches between the tree and whole paths.
    pub fn turn(&mut self) {
        self.is_flat = !self.is_flat;
        self.go_to_top();
        self.lay_out();
    }
}

/// Returns the row that stands for omitted rows.
fn left_out(count: usize, depth: usize) -> Option<TreeRow> {
    let more = count.saturating_sub(MOST_ROWS);
    let row = TreeRow {
        path: None,
        depth,
        mark: None,
        kind: FileKind::File,
        size: 0,
        before: 0,
        counts: [0; 3],
        is_open: None,
        more,
    };
    (more > 0).then_some(row)
}
