//! One side of the browser: a folder with its listing, a cursor, marks and a filter.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::engine::files::{Entry, FileKind, Listing, Place, shown};
use crate::tui::failure::Failure;
use crate::tui::files::model::EntryFacts as _;
use crate::tui::model::scroll::into_view;

/// One side of the browser.
#[derive(Debug)]
pub struct Side {
    /// The file system that is shown.
    pub place: Place,
    /// The current folder, which may not have been read yet.
    pub folder: PathBuf,
    /// The serial of the last request.
    pub serial: u64,
    /// The contents, folders first; those of the previous folder until the answer arrives.
    pub listing: Option<Listing>,
    /// Why the folder could not be read.
    pub failure: Option<Failure>,
    /// The indexes of the entries that pass the filter.
    pub rows: Vec<usize>,
    /// The row of the cursor; row 0 is the parent folder, except in the root.
    pub cursor: usize,
    /// The first visible row.
    pub top: usize,
    /// The number of visible rows.
    pub height: usize,
    /// The marked names.
    pub marks: BTreeSet<OsString>,
    /// The words of the filter: each must be in a name, or must not be if it starts with `!`.
    pub filter: String,
    /// The name to which the cursor moves when the answer arrives.
    pub(super) wish: Option<OsString>,
    /// The last folder that could be read, to return to.
    pub(super) last: Option<PathBuf>,
    /// The sizes of its files, for comparison with the other side.
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
    /// Whether the folder is known to be read-only.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.listing.as_ref().is_some_and(|listing| listing.is_read_only)
    }

    /// Whether the first row is the parent folder.
    #[must_use]
    pub fn has_parent(&self) -> bool {
        self.folder.parent().is_some()
    }

    /// Returns the number of rows, including the parent folder.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len() + usize::from(self.has_parent())
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the cursor is on the parent folder.
    #[must_use]
    pub fn is_on_parent(&self) -> bool {
        self.has_parent() && self.cursor == 0
    }

    /// Returns the entry of a row; `None` for the parent folder.
    #[must_use]
    pub fn entry(&self, row: usize) -> Option<&Entry> {
        let row = row.checked_sub(usize::from(self.has_parent()))?;
        self.listing.as_ref()?.entries.get(*self.rows.get(row)?)
    }

    /// Returns the entry under the cursor.
    #[must_use]
    pub fn current(&self) -> Option<&Entry> {
        self.entry(self.cursor)
    }

    /// Returns the names that actions apply to: the marked ones, otherwise the one under the
    /// cursor. Deleted entries are left out.
    #[must_use]
    pub fn targets(&self) -> Vec<OsString> {
        if !self.marks.is_empty() {
            return self.marks.iter().cloned().collect();
        }
        let current = self.current().filter(|entry| !entry.is_deleted());
        current.map(|entry| entry.name.clone()).into_iter().collect()
    }

    /// Moves the cursor by this many rows.
    pub fn step(&mut self, by: isize) {
        let last = self.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(by).min(last);
        self.scroll_in();
    }

    /// Moves the cursor to a row.
    pub fn select(&mut self, row: usize) {
        self.cursor = row.min(self.len().saturating_sub(1));
        self.scroll_in();
    }

    /// Marks or unmarks the entry under the cursor, and moves to the next one.
    pub fn mark(&mut self) {
        let current = self.current().filter(|entry| !entry.is_deleted());
        if let Some(name) = current.map(|entry| entry.name.clone())
            && !self.marks.remove(&name)
        {
            self.marks.insert(name);
        }
        self.step(1);
    }

    /// Marks all shown entries, or removes all marks if there are any.
    pub fn mark_all(&mut self) {
        if !self.marks.is_empty() {
            self.marks.clear();
            return;
        }
        let rows = (0..self.len()).filter_map(|row| self.entry(row));
        self.marks = rows.filter(|entry| !entry.is_deleted()).map(|entry| entry.name.clone()).collect();
    }

    /// Sets the filter.
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

    /// Moves the cursor to a name or, if it is missing, near the previous position.
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
