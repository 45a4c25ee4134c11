//! The files browser: what is in a container or an image beside what is on this machine.
//!
//! ```text
//!  inside: api:/srv        host: ~/work/acme       preview
//!  each side: a folder, its listing, a cursor, marks and a filter
//! ```
//! What is to be read follows from the pane ([`FilesPane::wants`]): a folder a side, and the
//! file under the cursor where there is room to show it. An answer bears the number of its
//! question; one that nobody asks any more is dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::scroll::into_view;
use super::{Failure, Subject};
use crate::engine::files::{Contents, CopyRequest, Entry, FileKind, Listing, Place, Stamp, shown};

/// Bytes that are read for the preview.
pub const PREVIEW: usize = 64 << 10;

/// From this width on the preview is shown.
pub const WIDE: u16 = 112;

/// From this width on both sides are shown.
pub const DOUBLE: u16 = 58;

/// The files browser of a pane.
#[derive(Debug, Default)]
pub struct FilesPane {
    of: Option<(Subject, u64)>,
    /// Numbers of questions count on from it.
    pub serial: u64,
    /// The container's or image's side, then this machine's.
    pub sides: [Side; 2],
    /// Which of them has the keys: 0 or 1.
    pub active: usize,
    /// The file under the cursor.
    pub preview: Preview,
    has_preview: bool,
    /// A text that is read over the browser.
    pub reader: Option<Reader>,
}

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
    wish: Option<OsString>,
    /// The last folder that could be read, to go back to.
    last: Option<PathBuf>,
    /// The sizes of its files, for the other side to compare.
    sizes: BTreeMap<OsString, u64>,
}

/// The beginning of a file.
#[derive(Debug, Default)]
pub struct Preview {
    /// Of which file.
    pub of: Option<(Place, PathBuf)>,
    /// The number of the question.
    pub serial: u64,
    /// Its lines, harmless; `None` until they are there.
    pub lines: Option<Vec<String>>,
    /// Why there are none.
    pub failure: Option<Failure>,
}

/// A text that is read over the browser: a whole file, or how two differ.
#[derive(Debug, Default)]
pub struct Reader {
    /// What it is.
    pub title: String,
    /// Its lines, harmless.
    pub lines: Vec<String>,
    /// The file, where it is one.
    pub of: Option<(Place, PathBuf)>,
    /// The line at the top.
    pub top: usize,
    /// Columns to the left of the window.
    pub left: usize,
}

impl Reader {
    /// Moves so many lines.
    pub fn scroll(&mut self, by: i64) {
        let by = isize::try_from(by).unwrap_or(0);
        self.top = self.top.saturating_add_signed(by).min(self.lines.len().saturating_sub(1));
    }
}

/// What is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesAsk {
    /// A folder.
    Folder(Place, PathBuf),
    /// The beginning of a file.
    File(Place, PathBuf),
}

/// What came of it.
#[derive(Debug)]
pub enum FilesAnswer {
    /// What a folder holds.
    Folder(Listing),
    /// A file's beginning, as lines.
    File(Vec<String>),
}

/// Something to do with one file, or in one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesWish {
    /// Make a folder in this one.
    MakeFolder(Place, PathBuf, OsString),
    /// Give a file of this folder another name.
    Rename(Place, PathBuf, OsString, OsString),
    /// Show the whole file.
    View(Place, PathBuf),
    /// Show how two files differ.
    Compare([(Place, PathBuf); 2]),
    /// Copy to this machine, but ask first where there are files of these names.
    Extract(CopyRequest),
    /// Read a file to edit it.
    Edit(Place, PathBuf),
    /// Edit these contents of a file, and write them back when they were changed.
    Editor(Place, PathBuf, Vec<u8>, Stamp),
}

/// What came of it.
#[derive(Debug)]
pub enum FilesDone {
    /// This was done.
    Said(String),
    /// Text to read, with its title.
    Page(String, Vec<String>),
    /// A file to be edited.
    Opened(Contents),
    /// Names that the folder has already.
    There(Vec<OsString>),
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

impl FilesPane {
    /// Shows the files of `subject` at a version; this machine's side begins in `host`. The
    /// same subject in another state is read anew where it is.
    pub fn show(&mut self, subject: Option<(Subject, u64)>, host: &Path) {
        if self.of == subject {
            return;
        }
        let is_other = self.of.as_ref().map(|(of, _)| of) != subject.as_ref().map(|(of, _)| of);
        let place = match subject.as_ref().map(|(subject, _)| subject) {
            Some(Subject::Container(id)) => Some(Place::Container(id.as_str().to_owned())),
            Some(Subject::Image(name)) => Some(Place::Image(name.clone())),
            _ => None,
        };
        self.of = subject;
        if is_other {
            if let Some(place) = place {
                self.sides[0] = Side { place, ..Side::default() };
            }
            if self.sides[1].serial == 0 {
                self.sides[1].folder = host.to_owned();
            }
            self.active = 0;
            self.reader = None;
        }
        self.refresh();
    }

    /// A pane whose numbers count on from `serial`.
    #[must_use]
    pub fn new(serial: u64) -> Self {
        Self { serial, ..Self::default() }
    }

    /// Reads everything anew.
    pub fn refresh(&mut self) {
        for at in 0..2 {
            self.ask(at);
        }
        self.preview.of = None;
    }

    fn ask(&mut self, at: usize) {
        self.serial += 1;
        self.sides[at].serial = self.serial;
    }

    /// The side that has the keys.
    #[must_use]
    pub fn side(&self) -> &Side {
        &self.sides[self.active]
    }

    /// The same, to be changed.
    pub fn side_mut(&mut self) -> &mut Side {
        &mut self.sides[self.active]
    }

    /// The side that has not.
    #[must_use]
    pub fn other(&self) -> &Side {
        &self.sides[1 - self.active]
    }

    /// What the driver is to read, with the number of each question.
    #[must_use]
    pub fn wants(&self) -> Vec<(u64, FilesAsk)> {
        if self.of.is_none() {
            return Vec::new();
        }
        let folder = |side: &Side| (side.serial, FilesAsk::Folder(side.place.clone(), side.folder.clone()));
        let mut wants: Vec<_> = self.sides.iter().map(folder).collect();
        if let (Some((place, path)), true) = (&self.preview.of, self.has_preview) {
            wants.push((self.preview.serial, FilesAsk::File(place.clone(), path.clone())));
        }
        wants
    }

    /// Takes an answer; whether it is one of this pane's questions.
    pub fn take(&mut self, serial: u64, answer: Result<FilesAnswer, Failure>) -> bool {
        if self.preview.serial == serial && serial != 0 {
            match answer {
                Ok(FilesAnswer::File(lines)) => self.preview.lines = Some(lines),
                Ok(FilesAnswer::Folder(_)) => {}
                Err(failure) => self.preview.failure = Some(failure),
            }
            return true;
        }
        let Some(side) = self.sides.iter_mut().find(|side| side.serial == serial) else { return false };
        match answer {
            Ok(FilesAnswer::Folder(listing)) => side.take(listing),
            Ok(FilesAnswer::File(_)) => {}
            Err(failure) => side.failure = Some(failure),
        }
        true
    }

    /// Fits the pane into so many columns and rows, its own border not counted.
    pub fn fit(&mut self, width: u16, height: u16) {
        self.has_preview = width >= WIDE;
        for side in &mut self.sides {
            // The heading is one row.
            side.height = usize::from(height.saturating_sub(1)).max(1);
            side.scroll_in();
        }
        if let Some(reader) = &mut self.reader {
            let last = reader.lines.len().saturating_sub(usize::from(height.saturating_sub(1)));
            reader.top = reader.top.min(last);
        }
        self.look();
    }

    /// Whether the file under the cursor is shown.
    #[must_use]
    pub fn has_preview(&self) -> bool {
        self.has_preview
    }

    /// Asks for what is under the cursor, where that changed.
    fn look(&mut self) {
        let side = self.side();
        let file = side.current().filter(|entry| entry.kind == FileKind::File && !entry.is_deleted());
        let of = file.map(|entry| (side.place.clone(), side.folder.join(&entry.name)));
        if self.preview.of != of {
            self.serial += 1;
            self.preview = Preview { of, serial: self.serial, lines: None, failure: None };
        }
    }

    /// Goes into the folder under the cursor, or up. Gives the file where it is one.
    pub fn enter(&mut self) -> Option<(Place, PathBuf)> {
        let side = self.side();
        if side.is_on_parent() {
            self.leave();
            return None;
        }
        let entry = side.current().filter(|entry| !entry.is_deleted())?;
        let path = side.folder.join(&entry.name);
        if entry.is_folder() {
            self.go(path, None);
            return None;
        }
        Some((side.place.clone(), path))
    }

    /// Goes to the folder above; the cursor stands on the one it came from.
    pub fn leave(&mut self) {
        let side = self.side();
        let Some(above) = side.folder.parent() else { return };
        let (above, from) = (above.to_owned(), side.folder.file_name().map(OsStr::to_owned));
        self.go(above, from);
    }

    /// Shows another folder of the active side.
    pub fn go(&mut self, folder: PathBuf, wish: Option<OsString>) {
        let active = self.active;
        let side = &mut self.sides[active];
        side.folder = folder;
        side.wish = wish;
        side.filter.clear();
        side.failure = None;
        self.ask(active);
    }

    /// Puts the cursor of the active side on `name` when `folder` is read anew.
    pub fn expect(&mut self, folder: &Path, name: OsString) {
        let side = self.side_mut();
        if side.folder == folder {
            side.wish = Some(name);
        }
    }

    /// Leaves a folder that cannot be read for the last one that could.
    pub fn retreat(&mut self) -> bool {
        let side = self.side();
        match (&side.failure, &side.last) {
            (Some(_), Some(last)) => {
                let last = last.clone();
                self.go(last, None);
                true
            }
            _ => false,
        }
    }

    /// Whether a file of one side is certainly not the other side's of its name.
    #[must_use]
    pub fn differs(&self, at: usize, entry: &Entry) -> bool {
        if entry.kind != FileKind::File || entry.is_deleted() {
            return false;
        }
        let other = self.sides[1 - at].sizes.get(&entry.name);
        other.is_some_and(|size| *size != entry.size)
    }
}

/// Questions about an entry.
pub trait EntryFacts {
    /// It was deleted since the image, and is not there.
    fn is_deleted(&self) -> bool;
    /// One can go into it.
    fn is_folder(&self) -> bool;
}

impl EntryFacts for Entry {
    fn is_deleted(&self) -> bool {
        self.mark == Some(crate::engine::files::Mark::Deleted)
    }

    fn is_folder(&self) -> bool {
        self.kind == FileKind::Folder || self.leads_to_folder
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

    /// Moves the cursor so many rows.
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

    fn take(&mut self, mut listing: Listing) {
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

    fn sift(&mut self) {
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
    fn find(&mut self, name: Option<&OsStr>) {
        let at = name.and_then(|name| {
            (0..self.len()).find(|row| self.entry(*row).is_some_and(|entry| entry.name == name))
        });
        self.select(at.unwrap_or(self.cursor));
    }

    fn scroll_in(&mut self) {
        self.top = into_view(self.top, self.cursor, self.height, self.len());
    }
}

/// A file's beginning as lines that are harmless on a terminal; what is no text as numbers.
#[must_use]
pub fn lines(bytes: &[u8], is_cut: bool) -> Vec<String> {
    if is_binary(bytes) {
        return dump(bytes);
    }
    let mut lines: Vec<String> = bytes.split(|byte| *byte == b'\n').map(line).collect();
    if lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    if is_cut {
        lines.pop(); // it may be half a line
        lines.push("…".to_owned());
    }
    lines
}

/// More of a line is not shown.
const LONGEST: usize = 4096;

fn line(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]);
    let mut out = String::new();
    for part in text.split_inclusive('\t') {
        out.push_str(&shown(part.trim_end_matches('\t')));
        if part.ends_with('\t') {
            let gap = 8 - out.chars().count() % 8;
            out.extend(std::iter::repeat_n(' ', gap));
        }
    }
    out
}

/// Whether a file is no text: it has a zero, as editors look for one.
#[must_use]
pub fn is_binary(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(8192)].contains(&0)
}

/// Bytes of a binary file that are shown.
const DUMPED: usize = 16 << 10;

/// `00000010  7f 45 4c 46 …  |.ELF…|`
fn dump(bytes: &[u8]) -> Vec<String> {
    let rows = bytes[..bytes.len().min(DUMPED)].chunks(16).enumerate();
    let row = |(at, row): (usize, &[u8])| {
        let numbers: Vec<_> = row.iter().map(|byte| format!("{byte:02x}")).collect();
        let letter = |byte: &u8| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' };
        let letters: String = row.iter().map(letter).collect();
        format!("{:08x}  {:<47}  |{letters}|", at * 16, numbers.join(" "))
    };
    rows.map(row).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::engine::files::Mark;

    /// An entry for tests.
    pub(crate) fn entry(name: &str, kind: FileKind, size: u64) -> Entry {
        Entry {
            name: name.into(),
            kind,
            size,
            mode: if kind == FileKind::Folder { 0o755 } else { 0o644 },
            owner: "app".to_owned(),
            group: "app".to_owned(),
            changed: None,
            target: None,
            leads_to_folder: false,
            mount: None,
            mark: None,
        }
    }

    pub(crate) fn listing(folder: &str, entries: Vec<Entry>) -> Listing {
        Listing { folder: folder.into(), entries, has_more: false, is_read_only: false }
    }

    fn pane() -> FilesPane {
        let mut pane = FilesPane::default();
        let id: crate::engine::ContainerId = "a".repeat(64).parse().unwrap();
        pane.show(Some((Subject::Container(id), 0)), Path::new("/work"));
        pane.fit(150, 12);
        let entries = vec![
            entry("b", FileKind::File, 5),
            entry("a", FileKind::File, 7),
            entry("dir", FileKind::Folder, 0),
            Entry { mark: Some(Mark::Deleted), ..entry("gone", FileKind::File, 3) },
        ];
        let (inside, host) = (pane.sides[0].serial, pane.sides[1].serial);
        assert!(pane.take(inside, Ok(FilesAnswer::Folder(listing("/srv", entries)))));
        let host_entries = vec![entry("a", FileKind::File, 8), entry("b", FileKind::File, 5)];
        assert!(pane.take(host, Ok(FilesAnswer::Folder(listing("/work", host_entries)))));
        pane
    }

    fn names(side: &Side) -> Vec<String> {
        (0..side.len()).map(|row| side.entry(row).map_or("..".into(), |it| shown(&it.name))).collect()
    }

    #[test]
    fn folders_come_first_and_an_answer_to_an_old_question_is_dropped() {
        let mut pane = pane();
        assert_eq!(names(&pane.sides[0]), ["..", "dir", "a", "b", "gone"]);
        let old = pane.sides[0].serial;
        pane.refresh();
        assert!(!pane.take(old, Ok(FilesAnswer::Folder(listing("/other", vec![])))));
        assert_eq!(pane.sides[0].folder, Path::new("/srv"));
    }

    #[test]
    fn files_of_one_name_and_two_sizes_differ() {
        let pane = pane();
        let differ: Vec<_> = (0..5)
            .filter_map(|row| pane.sides[0].entry(row))
            .filter(|entry| pane.differs(0, entry))
            .map(|entry| shown(&entry.name))
            .collect();
        assert_eq!(differ, ["a"]);
    }

    #[test]
    fn a_folder_is_entered_and_left_with_the_cursor_where_it_came_from() {
        let mut pane = pane();
        pane.side_mut().step(1);
        assert_eq!(pane.enter(), None);
        assert_eq!(pane.side().folder, Path::new("/srv/dir"));
        let serial = pane.side().serial;
        pane.take(serial, Ok(FilesAnswer::Folder(listing("/srv/dir", vec![]))));
        assert!(pane.side().is_on_parent());
        pane.leave();
        let serial = pane.side().serial;
        let back = vec![entry("a", FileKind::File, 1), entry("dir", FileKind::Folder, 0)];
        pane.take(serial, Ok(FilesAnswer::Folder(listing("/srv", back))));
        assert_eq!(pane.side().current().map(|entry| shown(&entry.name)), Some("dir".into()));
        pane.side_mut().step(1);
        let file = pane.enter().unwrap();
        assert_eq!(file.1, Path::new("/srv/a"));
    }

    #[test]
    fn marks_never_hold_what_is_not_there() {
        let mut pane = pane();
        let side = pane.side_mut();
        side.mark_all();
        assert_eq!(side.targets(), ["a", "b", "dir"]);
        side.mark_all();
        side.select(4);
        assert_eq!(side.targets(), [""; 0], "a deleted file is nothing to act on");
        side.select(2);
        side.mark();
        assert_eq!((side.targets(), side.cursor), (vec!["a".into()], 3));
        let serial = side.serial;
        pane.take(serial, Ok(FilesAnswer::Folder(listing("/srv", vec![entry("b", FileKind::File, 5)]))));
        assert_eq!(pane.side().targets(), ["b"], "the mark went with its file");
    }

    #[test]
    fn a_filter_leaves_the_cursor_on_its_file() {
        let mut pane = pane();
        pane.side_mut().select(3);
        pane.side_mut().filter_by("b");
        assert_eq!((names(pane.side()), pane.side().cursor), (vec!["..".to_owned(), "b".into()], 1));
        pane.side_mut().filter_by("!b");
        assert_eq!(names(pane.side()), ["..", "dir", "a", "gone"]);
    }

    #[test]
    fn the_preview_follows_the_cursor_where_there_is_room() {
        let mut pane = pane();
        assert_eq!(pane.wants().len(), 2);
        pane.side_mut().select(2);
        pane.fit(150, 12);
        let wanted = FilesAsk::File(pane.sides[0].place.clone(), "/srv/a".into());
        assert_eq!(pane.wants()[2], (pane.preview.serial, wanted));
        let serial = pane.preview.serial;
        pane.take(serial, Ok(FilesAnswer::File(vec!["text".to_owned()])));
        assert_eq!(pane.preview.lines.as_deref(), Some(&["text".to_owned()][..]));
        pane.fit(80, 12);
        assert_eq!(pane.wants().len(), 2);
    }

    #[test]
    fn lines_are_harmless_and_what_is_no_text_is_numbers() {
        assert_eq!(lines(b"a\tb\n\x1b[31mred\n", false), ["a       b", "·[31mred"]);
        assert_eq!(
            lines(
                b"one
tw", true
            ),
            ["one", "…"]
        );
        let dump = lines(b"\x7fELF\0\x01", false);
        assert_eq!(dump, [format!("00000000  {:<47}  |.ELF..|", "7f 45 4c 46 00 01")]);
        assert_eq!(lines(b"", false), [""; 0]);
    }
}
