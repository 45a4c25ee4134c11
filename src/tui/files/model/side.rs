//! One side of the browser: a folder, its listing, a cursor, marks and a filter.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::engine::files::{Entry, FileKind, Listing, Place, shown};
use crate::tui::failure::Failure;
use crate::tui::files::model::EntryFacts as _;
use crate::tui::model::scroll::into_view;

/// One side.
#[derive(Debug)]
pub struct Side {
    /// Whose files.
    pub place: Place,
    /// The folder that is shown, or asked for.
    pub folder: PathBuf,
    /// The number of the last question.
    pub serial: u64,
    /// What it holds, folders first; of the folder before until the answer is there.
    pub listing: Option<Listing>,
    /// Why it could not be read.
    pub failure: Option<Failure>,
    /// Places in the listing that pass the filter.
    pub rows: Vec<usize>,
    /// The row under the cursor; 0 is the way up, except in the root.
    pub cursor: usize,
    /// The first row on the screen.
    pub top: usize,
    /// Rows on the screen.
    pub height: usize,
    /// Names that keys act on.
    pub marks: BTreeSet<OsString>,
    /// Words that must be in a name; with ! before it, one that must not.
    pub filter: String,
    /// The name the cursor goes to when the answer is there.
    pub(super) wish: Option<OsString>,
    /// The last folder that could be read, to go back to.
    pub(super) last: Option<PathBuf>,
    /// The sizes of its files, for the other side to compare.
    pub(super) sizes: BTreeMap<OsString, u64>,
}

impl Default for Side {
    fn default() -> Self {
        Self {
            place: Place::Host,
            folder: PathBuf::from("/"),
            serial: 0,
            listing: None,
            failure: None,
            rows: Vec::new(),
            cursor: 0,
            top: 0,
            height: 1,
            marks: BTreeSet::new(),
            filter: String::new(),
            wish: None,
            last: None,
            sizes: BTreeMap::new(),
        }
    }
}

impl Side {
    /// Whether nothing in its folder can be changed, as far as known.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.listing.as_ref().is_some_and(|listing| listing.is_read_only)
    }

    /// Whether the first row is the way up.
    #[must_use]
    pub fn has_parent(&self) -> bool {
        self.folder.parent().is_some()
    }

    /// How many rows there are, the way up with them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len() + usize::from(self.has_parent())
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the cursor stands on the way up.
    #[must_use]
    pub fn is_on_parent(&self) -> bool {
        self.has_parent() && self.cursor == 0
    }

    /// The entry of a row; `None` for the way up.
    #[must_use]
    pub fn entry(&self, row: usize) -> Option<&Entry> {
        let row = row.checked_sub(usize::from(self.has_parent()))?;
        self.listing.as_ref()?.entries.get(*self.rows.get(row)?)
    }

    /// The entry under the cursor.
    #[must_use]
    pub fn current(&self) -> Option<&Entry> {
        self.entry(self.cursor)
    }

    /// The names that keys act on: the marked ones, or that under the cursor. Those that
    /// were deleted are not among them.
    #[must_use]
    pub fn targets(&self) -> Vec<OsString> {
        if !self.marks.is_empty() {
            return self.marks.iter().cloned().collect();
        }
        let current = self.current().filter(|entry| !entry.is_deleted());
        current.map(|entry| entry.name.clone()).into_iter().collect()
    }

    /// Moves the cursor this many rows.
    pub fn step(&mut self, by: isize) {
        let last = self.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(by).min(last);
        self.scroll_in();
    }

    /// Puts the cursor on a row.
    pub fn select(&mut self, row: usize) {
        self.cursor = row.min(self.len().saturating_sub(1));
        self.scroll_in();
    }

    /// Marks the entry under the cursor, or takes its mark away, and goes on.
    pub fn mark(&mut self) {
        let current = self.current().filter(|entry| !entry.is_deleted());
        if let Some(name) = current.map(|entry| entry.name.clone())
            && !self.marks.remove(&name)
        {
            self.marks.insert(name);
        }
        self.step(1);
    }

    /// Marks everything that is shown, or nothing.
    pub fn mark_all(&mut self) {
        if !self.marks.is_empty() {
            self.marks.clear();
            return;
        }
        let rows = (0..self.len()).filter_map(|row| self.entry(row));
        self.marks = rows.filter(|entry| !entry.is_deleted()).map(|entry| entry.name.clone()).collect();
    }

    /// Filters by these words.
    pub fn filter_by(&mut self, filter: &str) {
        let under = self.current().map(|entry| entry.name.clone());
        filter.clone_into(&mut self.filter);
        self.sift();
        self.find(under.as_deref());
    }

    pub(super) fn take(&mut self, mut listing: Listing) {
        let is_same = self.listing.as_ref().is_some_and(|old| old.folder == listing.folder);
        let under = self.wish.take().or_else(|| self.current().filter(|_| is_same).map(|it| it.name.clone()));
        listing
            .entries
            .sort_by(|one, other| (!one.is_folder(), &one.name).cmp(&(!other.is_folder(), &other.name)));
        let files =
            listing.entries.iter().filter(|entry| entry.kind == FileKind::File && !entry.is_deleted());
        self.sizes = files.map(|entry| (entry.name.clone(), entry.size)).collect();
        self.folder.clone_from(&listing.folder);
        self.last = Some(listing.folder.clone());
        let is_there = |name: &OsString| listing.entries.iter().any(|entry| entry.name == *name);
        self.marks.retain(|name| is_same && is_there(name));
        self.failure = None;
        self.listing = Some(listing);
        if !is_same {
            (self.cursor, self.top) = (0, 0);
        }
        self.sift();
        self.find(under.as_deref());
    }

    pub(super) fn sift(&mut self) {
        let words: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        let fits = |entry: &Entry| {
            let name = shown(&entry.name).to_lowercase();
            words.iter().all(|word| match word.strip_prefix('!') {
                Some(word) => word.is_empty() || !name.contains(word),
                None => name.contains(word.as_str()),
            })
        };
        let entries = self.listing.as_ref().map_or(&[][..], |listing| &listing.entries);
        self.rows = (0..entries.len()).filter(|at| words.is_empty() || fits(&entries[*at])).collect();
    }

    /// Puts the cursor on a name, where it is; else near where it was.
    pub(super) fn find(&mut self, name: Option<&OsStr>) {
        let at = name.and_then(|name| {
            (0..self.len()).find(|row| self.entry(*row).is_some_and(|entry| entry.name == name))
        });
        self.select(at.unwrap_or(self.cursor));
    }

    pub(super) fn scroll_in(&mut self) {
        self.top = into_view(self.top, self.cursor, self.height, self.len());
    }
}
