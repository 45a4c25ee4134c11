//! The journal of changes: one JSON line per event, in Docker's event format.
//!
//! The journal is only a hint; the state files are authoritative. After the rename of its state
//! file, a writer appends one line with a single `write(2)` under a shared lock, so lines never
//! mix. To rotate, a writer takes the lock exclusively and renames the file to `events.log.1`; the
//! next append creates a new one. A reader keeps its position as (inode, offset), and reports torn
//! lines, which killed writers leave behind.

mod past;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::disk::{Error, Result, open, open_to_append};
use super::error::one_line;

pub use past::Past;

/// The size in bytes at which the journal is rotated. One older file is kept.
const ROTATE_AT: u64 = 8 << 20;
/// How many bytes a reader reads at a time.
const READ_SIZE: usize = 64 << 10;
/// The maximum length of a line, since a reader holds a whole one.
const MAX_LINE: usize = 8 << 20;

/// The kind of object of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kind {
    Container,
    Image,
    Network,
    Volume,
    Builder,
}

impl Kind {
    /// Returns the word used by the `type` filter.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Image => "image",
            Self::Network => "network",
            Self::Volume => "volume",
            Self::Builder => "builder",
        }
    }
}

/// The object of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Its id: 64 hex digits for a container or network, the digest for an image, the name for a
    /// volume.
    #[serde(rename = "ID")]
    pub id: String,
    /// Labels, `image`, `name`, `exitCode`, …, as in Docker.
    #[serde(rename = "Attributes")]
    pub attributes: BTreeMap<String, String>,
}

/// An event, as in Docker's `/events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The kind of object.
    #[serde(rename = "Type")]
    pub kind: Kind,
    /// `create`, `start`, `die`, `pull`, `exec_start: sh`, …
    #[serde(rename = "Action")]
    pub action: String,
    /// The object.
    #[serde(rename = "Actor")]
    pub actor: Actor,
    /// Always `local`, Docker's word for objects outside a swarm.
    #[serde(default = "local")]
    pub scope: String,
    /// Seconds since 1970.
    pub time: i64,
    /// Nanoseconds since 1970.
    #[serde(rename = "timeNano")]
    pub time_nano: i64,
}

fn local() -> String {
    "local".to_owned()
}

impl Event {
    /// Returns an event with the current time.
    pub fn now(
        kind: Kind,
        action: impl Into<String>,
        id: impl Into<String>,
        attributes: BTreeMap<String, String>,
    ) -> Self {
        let nanos = jiff::Timestamp::now().as_nanosecond();
        let time_nano = i64::try_from(nanos).unwrap_or(i64::MAX); // until the year 2262
        Self {
            kind,
            action: action.into(),
            actor: Actor { id: id.into(), attributes },
            scope: local(),
            time: time_nano / 1_000_000_000,
            time_nano,
        }
    }

    /// Returns the time of the event.
    #[must_use]
    pub fn timestamp(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_nanosecond(self.time_nano.into()).unwrap_or_default()
    }
}

/// The warning for an event that could not be appended. It is the same for all events of a command.
#[must_use]
pub fn unrecorded(error: &Error) -> String {
    format!("events cannot be recorded: {}", one_line(error))
}

/// Appends `event` to the journal, and rotates the journal if it is large.
///
/// # Errors
///
/// If the file cannot be opened, locked or written. The reported change remains in effect.
pub fn append(path: &Path, event: &Event) -> Result<()> {
    // Starts with a newline, so that a torn line before this one does not merge with it.
    let mut line = vec![b'\n'];
    serde_json::to_writer(&mut line, event).map_err(|source| Error::Damaged { path: path.into(), source })?;
    line.push(b'\n');
    if line.len() > MAX_LINE {
        return Err(Error::io("append to", path)(io::ErrorKind::FileTooLarge.into()));
    }
    let file = locked(path, File::lock_shared)?;
    let written = (&file).write(&line).map_err(Error::io("append to", path))?;
    if written < line.len() {
        // The disk is full. Readers skip the torn line.
        return Err(Error::io("append to", path)(io::ErrorKind::StorageFull.into()));
    }
    let size = file.metadata().map_err(Error::io("stat", path))?.len();
    drop(file);
    if size > ROTATE_AT { rotate(path) } else { Ok(()) }
}

/// Returns the path of the journal before the last rotation.
#[must_use]
pub fn previous(path: &Path) -> PathBuf {
    path.with_extension("log.1")
}

/// Opens the journal for appending and locks it, retrying if it was rotated meanwhile.
fn locked(path: &Path, lock: fn(&File) -> io::Result<()>) -> Result<File> {
    loop {
        let file = open_to_append(path)?;
        lock(&file).map_err(Error::io("lock", path))?;
        let ours = file.metadata().map_err(Error::io("stat", path))?.ino();
        if fs::metadata(path).is_ok_and(|there| there.ino() == ours) {
            return Ok(file);
        }
    }
}

fn rotate(path: &Path) -> Result<()> {
    let file = locked(path, File::lock)?;
    // Another writer may have rotated it while this one waited for the lock.
    if file.metadata().map_err(Error::io("stat", path))?.len() <= ROTATE_AT {
        return Ok(());
    }
    fs::rename(path, previous(path)).map_err(Error::io("rotate", path))
}

/// The result of reading a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The next event.
    Event(Event),
    /// An invalid line: its writer was killed, so an event is missing, or it is longer than hoist
    /// writes.
    Torn,
    /// The journal was rotated twice since the last read, so events are missing.
    Lost,
}

/// The position of a reader: in one of the journal's files, between two lines or within a line that
/// is too long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    /// Of the file; 0 if there is no journal yet.
    inode: u64,
    offset: u64,
}

/// Reads the journal, across rotations.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: Option<File>,
    at: Position,
    /// What was read from the file, and how much of it was returned already.
    buffer: Vec<u8>,
    given: usize,
    /// The buffer contains no end of line before this offset.
    searched: usize,
    /// Whether the buffer begins within an overlong line that was already reported.
    is_in_too_long: bool,
    /// How many bytes were searched for line ends.
    #[cfg(test)]
    work: usize,
}

impl Position {
    /// Whether both positions are in the same file.
    #[must_use]
    pub fn is_in_file_of(self, other: Self) -> bool {
        self.inode == other.inode
    }

    /// Whether a reader at this position has read everything before `end`, in the same file.
    #[must_use]
    pub fn has_reached(self, end: Self) -> bool {
        self.is_in_file_of(end) && self.offset >= end.offset
    }
}

impl Reader {
    /// Starts at the end, to read only later events.
    ///
    /// # Errors
    ///
    /// If the journal exists but cannot be opened.
    pub fn at_end(path: &Path) -> Result<Self> {
        let mut reader = Self::unopened(path);
        if !reader.open(path)? {
            reader.open(&previous(path))?; // rotated, and not appended to since
        }
        if let Some(file) = &reader.file {
            reader.at.offset = file.metadata().map_err(Error::io("stat", path))?.len();
        }
        Ok(reader)
    }

    /// Starts at the oldest line, before the last rotation.
    ///
    /// # Errors
    ///
    /// If the journal exists but cannot be opened.
    pub fn at_start(path: &Path) -> Result<Self> {
        let mut reader = Self::unopened(path);
        if !reader.open(&previous(path))? {
            reader.open(path)?;
        }
        Ok(reader)
    }

    /// Starts at the position of another reader; `None` if that file is gone.
    ///
    /// # Errors
    ///
    /// If the journal exists but cannot be opened.
    pub fn at(path: &Path, position: Position) -> Result<Option<Self>> {
        if position == Position::default() {
            return Self::at_start(path).map(Some);
        }
        let mut reader = Self::unopened(path);
        for file in [path.to_owned(), previous(path)] {
            if reader.open(&file)? && reader.at.inode == position.inode {
                reader.at = position;
                return Ok(Some(reader));
            }
        }
        Ok(None)
    }

    fn unopened(path: &Path) -> Self {
        Self {
            path: path.into(),
            file: None,
            at: Position::default(),
            buffer: Vec::new(),
            given: 0,
            searched: 0,
            is_in_too_long: false,
            #[cfg(test)]
            work: 0,
        }
    }

    /// Returns the position after the last line that was returned.
    #[must_use]
    pub fn position(&self) -> Position {
        self.at
    }

    /// Returns the next line, or `None` at the end. It never blocks, and buffers only part of the
    /// file.
    ///
    /// # Errors
    ///
    /// If the journal cannot be read.
    pub fn read_next(&mut self) -> Result<Option<Found>> {
        loop {
            if let Some(found) = self.line() {
                return Ok(Some(found));
            }
            if self.fill()? {
                continue;
            }
            let there = inode(&self.path);
            // Rotated. First read what was appended to the old file before the rename.
            if there == 0 || there == self.at.inode {
                return Ok(self.restart_if_truncated()?.then_some(Found::Lost));
            }
            if self.fill()? {
                continue;
            }
            let is_lost = self.file.is_some() && inode(&previous(&self.path)) != self.at.inode;
            let path = self.path.clone();
            if self.open(&path)? && is_lost {
                return Ok(Some(Found::Lost));
            }
        }
    }

    /// Starts again at the beginning if somebody truncated the file.
    fn restart_if_truncated(&mut self) -> Result<bool> {
        let Some(file) = &self.file else { return Ok(false) };
        let length = file.metadata().map_err(Error::io("stat", &self.path))?.len();
        let is_cut = length < self.at.offset;
        if is_cut {
            self.at.offset = 0;
            self.forget();
        }
        Ok(is_cut)
    }

    /// Opens one of the journal's files at its start; `false` if it does not exist.
    fn open(&mut self, path: &Path) -> Result<bool> {
        let file = match open(path) {
            Ok(file) => file,
            Err(error) if error.is_not_found() => return Ok(false),
            Err(error) => return Err(error),
        };
        let meta = file.metadata().map_err(Error::io("stat", path))?;
        if meta.is_dir() {
            let source = io::Error::new(io::ErrorKind::IsADirectory, "it is a folder, not a file");
            return Err(Error::io("read", path)(source));
        }
        self.at = Position { inode: meta.ino(), offset: 0 };
        self.file = Some(file);
        self.forget();
        Ok(true)
    }

    /// Drops the buffer when another part of the journal is read next.
    fn forget(&mut self) {
        self.buffer.clear();
        (self.given, self.searched, self.is_in_too_long) = (0, 0, false);
    }

    /// Reads more into the buffer; `false` at the end of the file.
    fn fill(&mut self) -> Result<bool> {
        let Some(file) = &self.file else { return Ok(false) };
        let given = std::mem::take(&mut self.given);
        self.buffer.drain(..given);
        self.searched = self.searched.saturating_sub(given);
        let (held, offset) = (self.buffer.len(), self.at.offset + self.buffer.len() as u64);
        self.buffer.resize(held + READ_SIZE, 0);
        let read = file.read_at(&mut self.buffer[held..], offset);
        self.buffer.truncate(held + read.as_ref().map_or(0, |read| *read));
        Ok(read.map_err(Error::io("read", &self.path))? > 0)
    }

    /// Returns the next line in the buffer.
    fn line(&mut self) -> Option<Found> {
        loop {
            let Some(end) = self.end_of_line() else { return self.skip_too_long() };
            let line = &self.buffer[self.given..end];
            let found = match serde_json::from_slice(line) {
                _ if line.is_empty() || self.is_in_too_long => None,
                Ok(event) => Some(Found::Event(event)),
                Err(_) => Some(Found::Torn),
            };
            self.is_in_too_long = false;
            self.give(end + 1);
            if found.is_some() {
                return found;
            }
        }
    }

    /// Returns the end of the next line in the buffer. No byte is searched twice.
    fn end_of_line(&mut self) -> Option<usize> {
        let from = self.searched.max(self.given);
        let end = memchr::memchr(b'\n', &self.buffer[from..]).map(|length| from + length);
        self.searched = end.unwrap_or(self.buffer.len());
        #[cfg(test)]
        {
            self.work += self.searched - from;
        }
        end
    }

    /// Drops a line that is too long, and reports it once.
    fn skip_too_long(&mut self) -> Option<Found> {
        if !self.is_in_too_long && self.buffer.len() - self.given <= MAX_LINE {
            return None;
        }
        self.give(self.buffer.len());
        (!std::mem::replace(&mut self.is_in_too_long, true)).then_some(Found::Torn)
    }

    /// Marks the buffer as returned up to `end`.
    fn give(&mut self, end: usize) {
        self.at.offset += (end - self.given) as u64;
        self.given = end;
    }
}

/// Returns the inode at `path`; 0 if there is none.
fn inode(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |there| there.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(action: &str) -> Event {
        Event::now(Kind::Container, action, "abc", BTreeMap::from([("name".into(), "web".into())]))
    }

    /// Reads to the end, and returns the action of each event, or what is missing.
    fn read(reader: &mut Reader) -> Vec<String> {
        let mut read = Vec::new();
        while let Some(found) = reader.read_next().unwrap() {
            read.push(match found {
                Found::Event(event) => event.action,
                missing => format!("{missing:?}"),
            });
        }
        read
    }

    #[test]
    fn a_reader_sees_what_comes_after_its_position() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.log");
        append(&path, &event("create")).unwrap();
        let mut reader = Reader::at_end(&path).unwrap();
        assert_eq!(reader.read_next().unwrap(), None);
        append(&path, &event("start")).unwrap();
        append(&path, &event("die")).unwrap();
        assert_eq!(read(&mut reader), ["start", "die"]);
        assert_eq!(reader.position(), Reader::at_end(&path).unwrap().position());
    }

    #[test]
    fn a_reader_may_come_before_the_journal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.log");
        let mut reader = Reader::at_end(&path).unwrap();
        let position = reader.position();
        append(&path, &event("create")).unwrap();
        assert_eq!(read(&mut reader), ["create"]);
        fs::rename(&path, previous(&path)).unwrap();
        let mut late = Reader::at_end(&path).unwrap();
        append(&path, &event("start")).unwrap();
        assert_eq!(read(&mut late), ["start"], "also between a rotation and the next event");
        assert_eq!(read(&mut Reader::at(&path, position).unwrap().unwrap()), ["create", "start"]);
    }

    #[test]
    fn a_torn_line_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.log");
        fs::write(&path, br#"{"Type":"container","Act"#).unwrap();
        append(&path, &event("start")).unwrap();
        assert_eq!(read(&mut Reader::at_start(&path).unwrap()), ["Torn", "start"]);
    }

    #[test]
    fn a_reader_follows_over_a_rotation_and_tells_when_it_missed_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.log");
        append(&path, &event("create")).unwrap();
        let [mut reader, mut late] = [(); 2].map(|()| Reader::at_end(&path).unwrap());
        append(&path, &event("start")).unwrap();
        fs::rename(&path, previous(&path)).unwrap();
        append(&path, &event("die")).unwrap();
        assert_eq!(read(&mut reader), ["start", "die"]);
        fs::rename(&path, previous(&path)).unwrap();
        append(&path, &event("destroy")).unwrap();
        assert_eq!(read(&mut reader), ["destroy"]);
        assert_eq!(read(&mut late), ["start", "Lost", "destroy"], "the one in between is gone");
    }

    #[test]
    fn a_reader_goes_on_where_another_one_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.log");
        for action in ["create", "start", "die"] {
            append(&path, &event(action)).unwrap();
        }
        let mut first = Reader::at_start(&path).unwrap();
        assert!(matches!(first.read_next().unwrap(), Some(Found::Event(event)) if event.action == "create"));
        let position = first.position();
        let on = || Reader::at(&path, position).unwrap().map(|mut reader| read(&mut reader));
        assert_eq!(on().unwrap(), ["start", "die"]);
        fs::rename(&path, previous(&path)).unwrap();
        append(&path, &event("destroy")).unwrap();
        assert_eq!(on().unwrap(), ["start", "die", "destroy"]);
        // Freed inode numbers are reused, so the file must continue to exist elsewhere.
        fs::rename(previous(&path), dir.path().join("kept")).unwrap();
        assert_eq!(on(), None);
    }

    #[test]
    fn a_line_longer_than_a_piece_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.log");
        let long = "x".repeat(3 * READ_SIZE);
        append(&path, &event(&long)).unwrap();
        append(&path, &event("start")).unwrap();
        assert_eq!(read(&mut Reader::at_start(&path).unwrap()), [long.as_str(), "start"]);
    }

    #[test]
    fn a_line_beyond_the_longest_is_skipped_with_no_byte_looked_at_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.log");
        append(&path, &event("create")).unwrap();
        let size = 5 * MAX_LINE;
        File::options().write(true).open(&path).unwrap().set_len(size as u64).unwrap();
        append(&path, &event("start")).unwrap();
        let mut reader = Reader::at_start(&previous(&path)).unwrap(); // large enough to be rotated
        assert_eq!(read(&mut reader), ["create", "Torn", "start"]);
        assert!(reader.work < size + READ_SIZE, "{} bytes were looked at", reader.work);
        assert!(reader.buffer.capacity() < 3 * MAX_LINE, "{} bytes are held", reader.buffer.capacity());

        let refused = append(&path, &event(&"x".repeat(MAX_LINE))).unwrap_err();
        assert!(!path.exists() && !refused.is_of_the_file(), "{refused}");
    }

    #[test]
    fn a_folder_in_its_place_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.log");
        fs::create_dir(&path).unwrap();
        for reader in [Reader::at_start(&path), Reader::at_end(&path)] {
            assert!(reader.unwrap_err().reason_first().contains("it is a folder, not a file"));
        }
    }

    #[test]
    fn a_journal_that_was_cut_is_read_from_its_start() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.log");
        append(&path, &event("create")).unwrap();
        let mut reader = Reader::at_end(&path).unwrap();
        fs::File::create(&path).unwrap();
        append(&path, &event("start")).unwrap();
        append(&path, &event("die")).unwrap();
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
        assert_eq!(read(&mut reader), ["Lost"]);
        append(&path, &event("destroy")).unwrap();
        assert_eq!(read(&mut reader), ["destroy"]);
    }

    #[test]
    fn a_journal_that_grows_is_rotated() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.log");
        fs::write(&path, vec![b'\n'; usize::try_from(ROTATE_AT).unwrap()]).unwrap();
        append(&path, &event("create")).unwrap();
        assert!(previous(&path).exists());
        append(&path, &event("start")).unwrap();
        assert_eq!(read(&mut Reader::at_start(&path).unwrap()), ["create", "start"]);
    }
}
