//! The journal: what changed, one JSON line an event, in Docker's own event form.
//!
//! It is a hint; the state files are the truth. A writer appends after its rename, with
//! one `write(2)` of one line under a shared lock, so that lines never mix. Rotation takes
//! the lock exclusively, renames the file to `events.log.1` and starts a new one. A reader
//! keeps its place as (inode, offset); a torn line, as a killed writer leaves it, is skipped.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::disk::{Error, Result, open, open_to_append};

/// At this size the journal starts again; the part before is kept once.
const ROTATE_AT: u64 = 8 << 20;

/// What kind of object an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Container,
    Image,
    Network,
    Volume,
    Builder,
}

impl Kind {
    /// The word of the `type` filter.
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

/// The object an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Its id: of a container or network 64 hex digits, of an image its digest, of a volume its name.
    #[serde(rename = "ID")]
    pub id: String,
    /// Labels, `image`, `name`, `exitCode`, …: as Docker fills it.
    #[serde(rename = "Attributes")]
    pub attributes: BTreeMap<String, String>,
}

/// One change, as Docker's `/events` gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What kind of object.
    #[serde(rename = "Type")]
    pub kind: Kind,
    /// `create`, `start`, `die`, `pull`, `exec_start: sh`, …
    #[serde(rename = "Action")]
    pub action: String,
    /// Which object.
    #[serde(rename = "Actor")]
    pub actor: Actor,
    /// Always `local`: Docker's word for "not of a swarm".
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
    /// An event of this moment.
    pub fn now(
        kind: Kind,
        action: impl Into<String>,
        id: impl Into<String>,
        attributes: BTreeMap<String, String>,
    ) -> Self {
        let nanos = jiff::Timestamp::now().as_nanosecond();
        let time_nano = i64::try_from(nanos).unwrap_or(i64::MAX); // in the year 2262
        Self {
            kind,
            action: action.into(),
            actor: Actor { id: id.into(), attributes },
            scope: local(),
            time: time_nano / 1_000_000_000,
            time_nano,
        }
    }
}

/// Appends `event`, and rotates the journal when it is large.
///
/// # Errors
///
/// When the file cannot be opened, locked or written. The change it tells of stands.
pub fn append(path: &Path, event: &Event) -> Result<()> {
    // A torn line before this one has no end of its own: it must not take this one with it.
    let mut line = vec![b'\n'];
    serde_json::to_writer(&mut line, event).map_err(|source| Error::Damaged { path: path.into(), source })?;
    line.push(b'\n');
    let file = locked(path, File::lock_shared)?;
    let written = (&file).write(&line).map_err(Error::io("append to", path))?;
    if written < line.len() {
        // A full disk: the torn line is skipped by readers.
        return Err(Error::io("append to", path)(io::ErrorKind::StorageFull.into()));
    }
    let size = file.metadata().map_err(Error::io("stat", path))?.len();
    drop(file);
    if size > ROTATE_AT { rotate(path) } else { Ok(()) }
}

/// The part of the journal before the last rotation.
#[must_use]
pub fn previous(path: &Path) -> PathBuf {
    path.with_extension("log.1")
}

/// Opens the journal for appending and locks it, again when it was rotated meanwhile.
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
    // Another writer may have rotated while this one waited for the lock.
    if file.metadata().map_err(Error::io("stat", path))?.len() <= ROTATE_AT {
        return Ok(());
    }
    fs::rename(path, previous(path)).map_err(Error::io("rotate", path))
}

/// What [`Reader::read`] found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// The events since the last read, in order.
    pub events: Vec<Event>,
    /// Events may be missing: compare all states.
    pub has_gap: bool,
}

/// A place in the journal.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: Option<File>,
    inode: u64,
    offset: u64,
    /// A line whose end is not written yet.
    partial: Vec<u8>,
}

impl Reader {
    /// Starts at the end: only what comes later is read.
    ///
    /// # Errors
    ///
    /// When the journal exists but cannot be opened.
    pub fn at_end(path: &Path) -> Result<Self> {
        let mut reader = Self::at_start(path)?;
        if let Some(file) = &reader.file {
            reader.offset = file.metadata().map_err(Error::io("stat", path))?.len();
        }
        Ok(reader)
    }

    /// Starts at the journal's first line.
    ///
    /// # Errors
    ///
    /// When the journal exists but cannot be opened.
    pub fn at_start(path: &Path) -> Result<Self> {
        let mut reader = Self { path: path.into(), file: None, inode: 0, offset: 0, partial: Vec::new() };
        reader.reopen()?;
        Ok(reader)
    }

    /// Reads what was appended since the last call; never waits.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub fn read(&mut self) -> Result<News> {
        let mut news = News::default();
        self.drain(&mut news)?;
        let there = fs::metadata(&self.path).map(|there| there.ino()).unwrap_or(0);
        if there != 0 && there != self.inode {
            // Rotated. What was appended to the old file before the rename is read first;
            // if it was rotated twice in between, lines are lost.
            self.drain(&mut news)?;
            let was_open = self.file.is_some();
            self.partial.clear();
            let before = fs::metadata(previous(&self.path)).map(|it| it.ino()).unwrap_or(0);
            news.has_gap |= was_open && before != self.inode;
            self.reopen()?;
            self.drain(&mut news)?;
        }
        Ok(news)
    }

    fn reopen(&mut self) -> Result<()> {
        match open(&self.path) {
            Ok(file) => {
                self.inode = file.metadata().map_err(Error::io("stat", &self.path))?.ino();
                self.offset = 0;
                self.file = Some(file);
                Ok(())
            }
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn drain(&mut self, news: &mut News) -> Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(self.offset))
            .and_then(|_| file.read_to_end(&mut bytes))
            .map_err(Error::io("read", &self.path))?;
        self.offset += bytes.len() as u64;
        self.partial.extend_from_slice(&bytes);
        let Some(end) = self.partial.iter().rposition(|&byte| byte == b'\n') else { return Ok(()) };
        let rest = self.partial.split_off(end + 1);
        for line in self.partial.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice(line) {
                Ok(event) => news.events.push(event),
                Err(_) => news.has_gap = true,
            }
        }
        self.partial = rest;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(action: &str) -> Event {
        Event::now(Kind::Container, action, "abc", BTreeMap::from([("name".into(), "web".into())]))
    }

    fn actions(news: &News) -> Vec<&str> {
        news.events.iter().map(|event| event.action.as_str()).collect()
    }

    #[test]
    fn a_reader_sees_what_comes_after_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.log");
        append(&path, &event("create")).unwrap();
        let mut reader = Reader::at_end(&path).unwrap();
        assert_eq!(reader.read().unwrap(), News::default());
        append(&path, &event("start")).unwrap();
        append(&path, &event("die")).unwrap();
        let news = reader.read().unwrap();
        assert_eq!(actions(&news), ["start", "die"]);
        assert!(!news.has_gap);
    }

    #[test]
    fn a_reader_may_come_before_the_journal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.log");
        let mut reader = Reader::at_end(&path).unwrap();
        append(&path, &event("create")).unwrap();
        let news = reader.read().unwrap();
        assert_eq!((actions(&news), news.has_gap), (vec!["create"], false));
    }

    #[test]
    fn a_torn_line_is_skipped_and_told_as_a_gap() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.log");
        fs::write(&path, br#"{"Type":"container","Act"#).unwrap();
        append(&path, &event("start")).unwrap();
        let news = Reader::at_start(&path).unwrap().read().unwrap();
        assert_eq!((actions(&news), news.has_gap), (vec!["start"], true));
    }

    #[test]
    fn a_reader_follows_over_a_rotation() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.log");
        append(&path, &event("create")).unwrap();
        let mut reader = Reader::at_end(&path).unwrap();
        append(&path, &event("start")).unwrap();
        fs::rename(&path, previous(&path)).unwrap();
        append(&path, &event("die")).unwrap();
        let news = reader.read().unwrap();
        assert_eq!((actions(&news), news.has_gap), (vec!["start", "die"], false));
    }

    #[test]
    fn a_journal_that_grows_is_rotated() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.log");
        fs::write(&path, vec![b'\n'; usize::try_from(ROTATE_AT).unwrap()]).unwrap();
        append(&path, &event("create")).unwrap();
        assert!(previous(&path).exists());
        append(&path, &event("start")).unwrap();
        let news = Reader::at_start(&path).unwrap().read().unwrap();
        assert_eq!(actions(&news), ["start"]);
    }
}
