//! The file browser: the files of a container or an image, next to those of this machine.
//!
//! ```text
//!  inside: api:/srv        host: ~/work/acme       preview
//!  each side: a folder, its listing, a cursor, marks and a filter
//! ```
//! The pane determines what is read ([`FilesPane::wants`]): a folder for each side, and the file
//! under the cursor if there is room to show it. An answer has the serial of its request; an answer
//! that is no longer needed is dropped.

mod side;
#[cfg(test)]
pub(crate) mod tests;
mod text;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::engine::files::{Contents, CopyRequest, Entry, FileKind, Listing, Place, Stamp, Weight, shown};
use crate::tui::action::Action;
use crate::tui::failure::Failure;
use crate::tui::section::Subject;

pub use side::Side;
pub use text::{is_binary, lines};

/// The number of bytes that are read for the preview.
pub const PREVIEW: usize = 64 << 10;

/// From this width on, the preview is shown.
pub const WIDE: u16 = 112;

/// From this width on, both sides are shown.
pub const DOUBLE: u16 = 58;

/// The file browser of a pane.
#[derive(Debug, Default)]
pub struct FilesPane {
    of: Option<(Subject, u64)>,
    /// The last serial that was used for a request.
    pub serial: u64,
    /// The side of the container or image, then that of this machine.
    pub sides: [Side; 2],
    /// The index of the focused side: 0 or 1.
    pub active: usize,
    /// The preview of the file under the cursor.
    pub preview: Preview,
    has_preview: bool,
    /// A text that covers the browser.
    pub reader: Option<Reader>,
}

/// The preview of a file.
#[derive(Debug, Default)]
pub struct Preview {
    /// The file.
    pub of: Option<(Place, PathBuf)>,
    /// The serial of the request.
    pub serial: u64,
    /// The sanitized lines; `None` until they have been read.
    pub lines: Option<Vec<String>>,
    /// Why the file could not be read.
    pub failure: Option<Failure>,
}

/// A text that covers the browser: a whole file, or the differences between two files.
#[derive(Debug, Default)]
pub struct Reader {
    /// The title.
    pub title: String,
    /// The sanitized lines.
    pub lines: Vec<String>,
    /// The file, unless the text shows differences.
    pub of: Option<(Place, PathBuf)>,
    /// The line at the top.
    pub top: usize,
    /// The number of columns that are scrolled off to the left.
    pub left: usize,
}

impl Reader {
    /// Scrolls by this many lines.
    pub fn scroll(&mut self, by: i64) {
        let by = isize::try_from(by).unwrap_or(0);
        self.top = self.top.saturating_add_signed(by).min(self.lines.len().saturating_sub(1));
    }
}

/// A read request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesAsk {
    /// Read a folder.
    Folder(Place, PathBuf),
    /// Read the beginning of a file.
    File(Place, PathBuf),
}

/// The answer to a [`FilesAsk`].
#[derive(Debug)]
pub enum FilesAnswer {
    /// The contents of a folder.
    Folder(Listing),
    /// The beginning of a file, as lines.
    File(Vec<String>),
}

/// An operation on a file or in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesWish {
    /// Create a folder in this folder.
    MakeFolder(Place, PathBuf, OsString),
    /// Rename a file in this folder.
    Rename(Place, PathBuf, OsString, OsString),
    /// Show the whole file.
    View(Place, PathBuf),
    /// Show the differences between two files.
    Compare([(Place, PathBuf); 2]),
    /// Copy after a confirmation, which shows the size and existing files.
    Copy(CopyRequest),
    /// Read a file to edit it.
    Edit(Place, PathBuf),
    /// Edit these contents of a file, and write them back if they change.
    Editor(Place, PathBuf, Vec<u8>, Stamp),
}

impl FilesWish {
    /// Returns the change that it makes by itself: `renaming x`.
    #[must_use]
    pub fn change(&self) -> Option<String> {
        match self {
            Self::MakeFolder(_, _, name) => Some(format!("creating {}", shown(name))),
            Self::Rename(_, _, old, _) => Some(format!("renaming {}", shown(old))),
            Self::View(..) | Self::Compare(_) | Self::Copy(_) | Self::Edit(..) | Self::Editor(..) => None,
        }
    }
}

/// The result of a [`FilesWish`].
#[derive(Debug)]
pub enum FilesDone {
    /// The operation succeeded, with this message.
    Said(String),
    /// A text to show, with its title.
    Page(String, Vec<String>),
    /// A file to edit.
    Opened(Contents),
    /// The sizes of what is to be copied, and the names that exist in the target folder.
    Weighed(Vec<Weight>, Vec<OsString>),
}

impl FilesPane {
    /// Shows the files of `subject` at a version; this machine's side starts in `host`. If only the
    /// version changed, the current folder is read again.
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

    /// Returns a browser whose serials continue after `serial`.
    #[must_use]
    pub fn new(serial: u64) -> Self {
        Self { serial, ..Self::default() }
    }

    /// Reads both sides again.
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

    /// Whether an action is possible with what the two sides show: images and read-only file systems
    /// cannot be changed.
    #[must_use]
    pub fn can(&self, action: Action) -> bool {
        let is_fixed = |side: &Side| side.place.is_image() || side.is_read_only();
        match action {
            Action::EditFile | Action::MakeFolder | Action::RenameFile | Action::DeleteFile => {
                !is_fixed(self.side())
            }
            Action::CopyFiles => !is_fixed(self.other()),
            _ => true,
        }
    }

    /// Returns the focused side.
    #[must_use]
    pub fn side(&self) -> &Side {
        &self.sides[self.active]
    }

    /// Like [`Self::side`], but mutable.
    pub fn side_mut(&mut self) -> &mut Side {
        &mut self.sides[self.active]
    }

    /// Returns the side without focus.
    #[must_use]
    pub fn other(&self) -> &Side {
        &self.sides[1 - self.active]
    }

    /// Returns what the driver must read, with the serial of each request.
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

    /// Stores an answer; returns whether it belongs to a request of this pane.
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

    /// Adapts to this many columns and rows inside the border.
    pub fn fit(&mut self, width: u16, height: u16) {
        self.has_preview = width >= WIDE;
        for side in &mut self.sides {
            // The heading takes one row.
            side.height = usize::from(height.saturating_sub(1)).max(1);
            side.scroll_in();
        }
        if let Some(reader) = &mut self.reader {
            let last = reader.lines.len().saturating_sub(usize::from(height.saturating_sub(1)));
            reader.top = reader.top.min(last);
        }
        self.look();
    }

    /// Whether the preview is shown.
    #[must_use]
    pub fn has_preview(&self) -> bool {
        self.has_preview
    }

    /// Requests the preview of the file under the cursor, if that has changed.
    fn look(&mut self) {
        let side = self.side();
        let file = side.current().filter(|entry| entry.kind == FileKind::File && !entry.is_deleted());
        let of = file.map(|entry| (side.place.clone(), side.folder.join(&entry.name)));
        if self.preview.of != of {
            self.serial += 1;
            self.preview = Preview { of, serial: self.serial, lines: None, failure: None };
        }
    }

    /// Enters the folder under the cursor, or the parent. Returns the file if the cursor is on a
    /// file.
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

    /// Goes to the parent folder, with the cursor on the previous folder. Returns whether there is
    /// one.
    pub fn leave(&mut self) -> bool {
        let side = self.side();
        let Some(above) = side.folder.parent() else { return false };
        let (above, from) = (above.to_owned(), side.folder.file_name().map(OsStr::to_owned));
        self.go(above, from);
        true
    }

    /// Shows another folder on the focused side.
    pub fn go(&mut self, folder: PathBuf, wish: Option<OsString>) {
        let active = self.active;
        let side = &mut self.sides[active];
        side.folder = folder;
        side.wish = wish;
        side.filter.clear();
        side.failure = None;
        self.ask(active);
    }

    /// Moves the cursor of the focused side to `name` once `folder` has been read again.
    pub fn expect(&mut self, folder: &Path, name: OsString) {
        let side = self.side_mut();
        if side.folder == folder {
            side.wish = Some(name);
        }
    }

    /// Returns from a folder that cannot be read to the last one that could.
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

    /// Whether a file definitely differs from the other side's file of the same name.
    #[must_use]
    pub fn differs(&self, at: usize, entry: &Entry) -> bool {
        if entry.kind != FileKind::File || entry.is_deleted() {
            return false;
        }
        let other = self.sides[1 - at].sizes.get(&entry.name);
        other.is_some_and(|size| *size != entry.size)
    }
}

/// Properties of an entry.
pub trait EntryFacts {
    /// Whether the container has deleted the file, which exists only in its image.
    fn is_deleted(&self) -> bool;
    /// Whether it can be entered.
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
