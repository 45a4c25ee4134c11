//! The files browser: what is in a container or an image beside what is on this machine.
//!
//! ```text
//!  inside: api:/srv        host: ~/work/acme       preview
//!  each side: a folder, its listing, a cursor, marks and a filter
//! ```
//! What is to be read follows from the pane ([`FilesPane::wants`]): a folder a side, and the
//! file under the cursor where there is room to show it. An answer bears the number of its
//! question; one that nobody asks is dropped.

mod side;
#[cfg(test)]
pub(crate) mod tests;
mod text;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::engine::files::{Contents, CopyRequest, Entry, FileKind, Listing, Place, Stamp, Weight};
use crate::tui::failure::Failure;
use crate::tui::section::Subject;

pub use side::Side;
pub use text::{is_binary, lines};

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
    /// Moves this many lines.
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
    /// Copy, but ask first: how much it is, and which files are there already.
    Copy(CopyRequest),
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
    /// How much is to be copied, and the names that the folder has already.
    Weighed(Vec<Weight>, Vec<OsString>),
}

impl FilesPane {
    /// Shows the files of `subject` at a version; this machine's side begins in `host`. The
    /// same subject in another state is read again where it is.
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

    /// Reads everything again.
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

    /// Fits the pane into this many columns and rows, its own border not counted.
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

    /// Puts the cursor of the active side on `name` when `folder` is read again.
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
