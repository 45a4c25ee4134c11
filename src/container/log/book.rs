//! The whole log of a container as one sequence of bytes over all its files. Any position can be
//! read in both directions without reading what comes before it.
//!
//! ```text
//!  log.json.1 (100 bytes)   log.json (40 bytes)
//!  0 ─────────────────────▶ 100 ─────────────▶ 140        places
//! ```
//! A place is the position at which a record begins. Rotation does not change it: each file keeps
//! the number of its first byte, a new file continues where the last one ended, and a deleted file
//! leaves a gap at the front. A [`Book`] is a snapshot. Cloning it is cheap, so many readers can
//! use one while another is refreshed.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::json::{Clock, peek};
use super::level::{Level, goes_on};
use super::{MAX_RECORD, Stream, older};
use crate::base::disk::{self, Error, Result};
use crate::base::output;

/// How many bytes are read at once.
const CHUNK: usize = 256 << 10;

/// Maximum length of a line in the file: every byte escaped, plus the fields around it.
const LONGEST: usize = MAX_RECORD * 6 + 256;

/// Maximum number of files that are kept.
const MAX_FILES: u32 = 1000;

/// A snapshot of a log.
#[derive(Debug, Clone)]
pub struct Book {
    folder: PathBuf,
    files: Vec<Part>,
    /// The place at which the next file will begin.
    next_base: u64,
}

/// One file of the log.
#[derive(Debug, Clone)]
struct Part {
    file: Arc<File>,
    inode: u64,
    /// The place of its first byte.
    base: u64,
    /// Length in bytes up to the last complete record.
    size: u64,
}

impl Part {
    fn end(&self) -> u64 {
        self.base + self.size
    }
}

/// A record, as passed to a visitor.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The place at which it begins.
    pub place: u64,
    /// The place at which the next record begins.
    pub end: u64,
    /// When it was written. A damaged record has the time of the record before it.
    pub time: Timestamp,
    /// Where it came from.
    pub stream: Stream,
    /// The text without its line ending. For a damaged record, the raw bytes in the file.
    pub text: &'a [u8],
    /// The level that the line itself states.
    pub level: Option<Level>,
    /// The effective level: a continuation line inherits that of the line before it.
    pub weight: Option<Level>,
}

impl Book {
    /// Opens the log in `folder`.
    ///
    /// # Errors
    ///
    /// A file exists but cannot be read.
    pub fn open(folder: &Path) -> Result<Self> {
        let mut book = Self { folder: folder.to_owned(), files: Vec::new(), next_base: 0 };
        book.refresh()?;
        Ok(book)
    }

    /// Picks up what has been written, rotated and deleted since. Returns whether anything changed.
    ///
    /// # Errors
    ///
    /// A file cannot be read.
    pub fn refresh(&mut self) -> Result<bool> {
        let before = (self.first(), self.end());
        let inodes = self.inodes();
        let known: Vec<u64> = self.files.iter().map(|part| part.inode).collect();
        // Between the two renames of a rotation there is no current file; the next call finds it.
        if inodes.is_empty() {
            return Ok(false);
        }
        let is_rotated = inodes.last() != known.last();
        if let Some(part) = self.files.last_mut() {
            // A rotated file is complete; the current one may end in the middle of a record.
            let bytes = part.file.metadata().map_err(Error::io("stat", &self.folder))?.len();
            let grown = if is_rotated { Ok(bytes) } else { whole(&part.file, part.size, bytes) };
            part.size = part.size.max(grown.map_err(Error::io("read", &self.folder))?);
            self.next_base = part.end();
        }
        if inodes != known {
            self.files.retain(|part| inodes.contains(&part.inode));
            for n in (0..u32::try_from(inodes.len()).unwrap_or(MAX_FILES)).rev() {
                self.adopt(n)?;
            }
        }
        Ok(before != (self.first(), self.end()))
    }

    fn inodes(&self) -> Vec<u64> {
        let list = || -> Vec<u64> {
            let paths = (0..MAX_FILES).map(|n| std::fs::metadata(older(&self.folder, n)));
            let mut found: Vec<u64> = paths.map_while(io::Result::ok).map(|meta| meta.ino()).collect();
            found.reverse();
            found.dedup();
            found
        };
        // A rotation during the listing can show a file twice or not at all, so list until two
        // listings agree.
        let mut found = list();
        for _ in 0..8 {
            let again = list();
            if again == found {
                break;
            }
            found = again;
        }
        found
    }

    fn adopt(&mut self, n: u32) -> Result<()> {
        let path = older(&self.folder, n);
        let file = match disk::open(&path) {
            Ok(file) => file,
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) => return Err(error),
        };
        let meta = file.metadata().map_err(Error::io("stat", &path))?;
        if self.files.iter().any(|part| part.inode == meta.ino()) {
            return Ok(());
        }
        let base = self.next_base;
        let size =
            if n == 0 { whole(&file, 0, meta.len()).map_err(Error::io("read", &path))? } else { meta.len() };
        self.files.push(Part { file: Arc::new(file), inode: meta.ino(), base, size });
        self.next_base = base + size;
        Ok(())
    }

    /// Returns the first place that still exists.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.files.first().map_or(self.next_base, |part| part.base)
    }

    /// Returns the place after the last record.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.files.last().map_or(self.next_base, Part::end)
    }

    /// Returns the place of the first byte of each file.
    pub fn bases(&self) -> impl Iterator<Item = u64> + '_ {
        self.files.iter().map(|part| part.base)
    }

    /// Returns the file that contains `place`, or the next one after it.
    fn part(&self, place: u64) -> Option<&Part> {
        self.files.iter().find(|part| place < part.end())
    }

    /// Returns the first place at or after `place` at which a record begins. `place` may be any
    /// position.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn begin(&self, place: u64) -> Result<u64> {
        let Some(part) = self.part(place) else { return Ok(self.end()) };
        let Some(offset) = place.checked_sub(part.base).filter(|offset| *offset > 0) else {
            return Ok(part.base);
        };
        let mut from = offset - 1;
        let mut buffer = vec![0; 4096];
        while from < part.size {
            let read =
                read_at(&part.file, &mut buffer, from, part.size).map_err(Error::io("read", &self.folder))?;
            if read == 0 {
                break;
            }
            if let Some(at) = memchr::memchr(b'\n', &buffer[..read]) {
                return Ok((part.base + from + at as u64 + 1).min(part.end()));
            }
            from += read as u64;
        }
        Ok(part.end())
    }

    /// Returns a place about `most` bytes before `place`, at least one record earlier unless
    /// `place` is the first.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn back(&self, place: u64, most: u64) -> Result<u64> {
        let Some(part) = self.files.iter().rev().find(|part| part.base < place) else {
            return Ok(self.first());
        };
        let place = place.min(part.end());
        let mut most = most.max(1);
        loop {
            let guess = place.saturating_sub(most).max(part.base);
            let begin = self.begin(guess)?;
            if begin < place || guess == part.base {
                return Ok(begin.min(place));
            }
            most *= 2;
        }
    }

    /// Calls `look` for each record that begins in `from..until`, until it breaks. A record must
    /// begin at `from`. Returns the place after the last record visited.
    ///
    /// # Errors
    ///
    /// A file cannot be read.
    pub fn visit(
        &self,
        from: u64,
        until: u64,
        mut look: impl FnMut(&Seen<'_>) -> ControlFlow<()>,
    ) -> Result<u64> {
        let until = until.min(self.end());
        let mut passing =
            Passing { carry: None, time: Timestamp::UNIX_EPOCH, clock: Clock::default(), text: Vec::new() };
        if from > self.first() && from < until {
            (passing.carry, passing.time) = self.carried(from)?;
        }
        let mut at = from;
        let mut buffer = Vec::new();
        while at < until {
            let Some(part) = self.part(at) else { break };
            at = at.max(part.base);
            if at >= until {
                break;
            }
            buffer.resize(CHUNK.min(usize::try_from(until - at).unwrap_or(CHUNK) + LONGEST), 0);
            let offset = at - part.base;
            let read = read_at(&part.file, &mut buffer, offset, part.size)
                .map_err(Error::io("read", &self.folder))?;
            if read == 0 {
                at = part.end(); // truncated by another process
                continue;
            }
            let is_end = offset + read as u64 >= part.size;
            let (next, flow) = passing.chunk(&buffer[..read], at, until, is_end, &mut look);
            at = next;
            if flow.is_break() {
                break;
            }
        }
        Ok(at)
    }

    /// Returns the level and time that a record at `place` inherits.
    fn carried(&self, place: u64) -> Result<(Option<Level>, Timestamp)> {
        let start = self.back(place, 8 << 10)?;
        let mut carried = (None, Timestamp::UNIX_EPOCH);
        let Some(part) = self.part(start) else { return Ok(carried) };
        let mut buffer = vec![0; usize::try_from(place - start).unwrap_or(0).min(LONGEST)];
        let read = read_at(&part.file, &mut buffer, start - part.base, part.size)
            .map_err(Error::io("read", &self.folder))?;
        let mut passing = Passing { carry: None, time: carried.1, clock: Clock::default(), text: Vec::new() };
        let _ = passing.chunk(&buffer[..read], start, place, true, &mut |seen| {
            carried = (seen.weight, seen.time);
            ControlFlow::Continue(())
        });
        Ok(carried)
    }

    /// Counts the records that begin in `from..until`. A record must begin at both places.
    ///
    /// # Errors
    ///
    /// A file cannot be read.
    pub fn count(&self, from: u64, until: u64) -> Result<u64> {
        let mut at = from;
        let mut count = 0;
        let mut buffer = vec![0; CHUNK];
        while at < until.min(self.end()) {
            let Some(part) = self.part(at) else { break };
            at = at.max(part.base);
            let most = usize::try_from(until.saturating_sub(at)).unwrap_or(CHUNK).min(CHUNK);
            let read = read_at(&part.file, &mut buffer[..most], at - part.base, part.size)
                .map_err(Error::io("read", &self.folder))?;
            if read == 0 {
                at = part.end();
                continue;
            }
            count += memchr::memchr_iter(b'\n', &buffer[..read]).count() as u64;
            at += read as u64;
            // A line cut off by a kill ends with its file.
            count += u64::from(at == part.end() && buffer[read - 1] != b'\n');
        }
        Ok(count)
    }

    /// Returns the place of the first record written at or after `time`.
    ///
    /// # Errors
    ///
    /// A file cannot be read.
    pub fn since(&self, time: Timestamp) -> Result<u64> {
        let (mut low, mut high) = (self.first(), self.end());
        // The search ends once the range is smaller than a chunk, which is then read.
        while high - low > CHUNK as u64 {
            let middle = self.begin(low + (high - low) / 2)?;
            if middle >= high {
                break;
            }
            match self.time_at(middle)? {
                Some(there) if there < time => low = middle,
                _ => high = middle,
            }
        }
        let mut found = None;
        self.visit(low, self.end(), |seen| {
            if seen.time >= time {
                found = Some(seen.place);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        Ok(found.unwrap_or(self.end()))
    }

    /// Returns the time of the first complete record at or after `place`.
    fn time_at(&self, place: u64) -> Result<Option<Timestamp>> {
        let mut time = None;
        self.visit(place, place + 1, |seen| {
            time = Some(seen.time);
            ControlFlow::Break(())
        })?;
        Ok(time)
    }
}

/// State carried from one record to the next.
struct Passing {
    carry: Option<Level>,
    time: Timestamp,
    clock: Clock,
    text: Vec<u8>,
}

impl Passing {
    /// Visits the records of a chunk that begins at `at`. Returns the place to continue from.
    fn chunk(
        &mut self,
        bytes: &[u8],
        at: u64,
        until: u64,
        is_end: bool,
        look: &mut impl FnMut(&Seen<'_>) -> ControlFlow<()>,
    ) -> (u64, ControlFlow<()>) {
        let mut from = 0;
        while from < bytes.len() && at + (from as u64) < until {
            let line = &bytes[from..];
            let (length, next) = match memchr::memchr(b'\n', line) {
                Some(length) => (length, length + 1),
                // Too long for a record, or cut off at the end of its file: passed on as it is.
                None if is_end || (from == 0 && line.len() >= LONGEST) => (line.len(), line.len()),
                None => break,
            };
            let (place, end) = (at + from as u64, at + (from + next) as u64);
            from += next;
            if self.one(&line[..length], place, end, look).is_break() {
                return (end, ControlFlow::Break(()));
            }
        }
        (at + from as u64, ControlFlow::Continue(()))
    }

    fn one(
        &mut self,
        line: &[u8],
        place: u64,
        end: u64,
        look: &mut impl FnMut(&Seen<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (text, stream) = match peek(&mut self.clock, line, &mut self.text) {
            Some(record) => {
                self.time = record.time;
                (record.text, record.stream)
            }
            None => (line, Stream::Stdout),
        };
        let left = shown(text);
        let level = Level::find(&left).map(|(level, _)| level);
        if level.is_some() || !goes_on(&left) {
            self.carry = level;
        }
        look(&Seen { place, end, time: self.time, stream, text, level, weight: self.carry })
    }
}

/// Returns what is shown of a record, without expanding tabs: words that nobody sees, because they
/// were overwritten or belong to a sequence, state no level.
fn shown(text: &[u8]) -> Cow<'_, [u8]> {
    let (mut plain, mut from) = (Vec::new(), 0);
    for at in memchr::memchr3_iter(b'\r', 0x08, 0x1b, text) {
        // Colours are frequent, and need no terminal to be left out.
        let Some(length) = colour(&text[at..]) else { return output::shown_text(text) };
        plain.extend_from_slice(&text[from..at]);
        from = at + length;
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    plain.extend_from_slice(&text[from..]);
    Cow::Owned(plain)
}

/// Returns the length of the sequence that `text` begins with, if it only chooses a colour or style.
fn colour(text: &[u8]) -> Option<usize> {
    let inside = text.strip_prefix(b"\x1b[")?;
    let end = inside.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':'))?;
    (inside[end] == b'm').then_some(b"\x1b[".len() + end + 1)
}

/// Reads until the buffer is full or `size` is reached.
fn read_at(file: &File, buffer: &mut [u8], offset: u64, size: u64) -> io::Result<usize> {
    let most = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX).min(buffer.len());
    let mut read = 0;
    while read < most {
        match file.read_at(&mut buffer[read..most], offset + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// Returns the end of the last complete record of a file of `bytes` bytes, at least `known`.
fn whole(file: &File, known: u64, bytes: u64) -> io::Result<u64> {
    let mut end = bytes;
    let mut buffer = vec![0; 4096];
    while end > known {
        let start = end.saturating_sub(buffer.len() as u64).max(known);
        let most = usize::try_from(end - start).unwrap_or(buffer.len());
        let read = read_at(file, &mut buffer[..most], start, end)?;
        if let Some(at) = memchr::memrchr(b'\n', &buffer[..read]) {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::LogOptions;
    use crate::container::log::Writer;

    fn second(n: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + n).unwrap()
    }

    /// Creates a log with this many lines, `0\n` and so on, one second apart.
    fn log(lines: i64, max_size: u64, max_files: u32) -> (tempfile::TempDir, Writer) {
        let dir = tempfile::tempdir().unwrap();
        let options =
            LogOptions { max_size: Some(max_size), max_files: Some(max_files), ..LogOptions::default() };
        let mut writer = Writer::open(dir.path(), &options).unwrap();
        (0..lines).for_each(|n| add(&mut writer, n));
        (dir, writer)
    }

    fn add(writer: &mut Writer, n: i64) {
        writer.write(Stream::Stdout, format!("{n}\n").as_bytes(), second(n)).unwrap();
        writer.flush().unwrap();
    }

    fn lines(book: &Book, from: u64, until: u64) -> Vec<i64> {
        let mut found = Vec::new();
        book.visit(from, until, |seen| {
            found.push(str::from_utf8(seen.text).unwrap().parse().unwrap());
            ControlFlow::Continue(())
        })
        .unwrap();
        found
    }

    #[test]
    fn all_of_it_over_any_number_of_files_forwards_and_backwards() {
        for max_size in [1, 200, 1 << 20] {
            let (dir, _) = log(50, max_size, 100);
            let book = Book::open(dir.path()).unwrap();
            assert_eq!(lines(&book, book.first(), book.end()), (0..50).collect::<Vec<_>>());
            assert_eq!(book.count(book.first(), book.end()).unwrap(), 50);
            let (mut place, mut back) = (book.end(), Vec::new());
            while place > book.first() {
                let start = book.back(place, 150).unwrap();
                assert!(start < place);
                back.splice(0..0, lines(&book, start, place));
                place = start;
            }
            assert_eq!(back, (0..50).collect::<Vec<_>>(), "{max_size}");
        }
    }

    #[test]
    fn a_place_stays_a_place_over_rotations_and_deleted_files_leave_a_hole() {
        let (dir, mut writer) = log(10, 200, 3);
        let mut book = Book::open(dir.path()).unwrap();
        let nine = book.back(book.end(), 1).unwrap();
        assert_eq!(lines(&book, nine, book.end()), [9]);
        for n in 10..14 {
            add(&mut writer, n);
            assert!(book.refresh().unwrap());
            let shown = lines(&book, nine.max(book.first()), book.end());
            assert_eq!(*shown.last().unwrap(), n);
            assert!(shown.is_sorted() && shown[0] >= 9);
        }
        assert!(!book.refresh().unwrap());
        let before = book.end();
        for n in 14..60 {
            add(&mut writer, n);
        }
        assert!(book.refresh().unwrap());
        assert!(book.first() >= before, "what was never seen and is gone has no place");
        let kept = lines(&book, book.first(), book.end());
        assert_eq!(kept.last(), Some(&59));
        assert!(kept.len() < 10);
    }

    #[test]
    fn a_time_is_found() {
        for max_size in [60_000, 1 << 20] {
            let (dir, _) = log(9000, max_size, 100);
            let book = Book::open(dir.path()).unwrap();
            let first = lines(&book, book.first(), book.first() + 1)[0];
            for wanted in [0, 4321, 8999] {
                let place = book.since(second(wanted)).unwrap();
                assert_eq!(lines(&book, place, place + 1), [wanted.max(first)], "{max_size}");
            }
            assert_eq!(book.since(second(9000)).unwrap(), book.end());
        }
    }

    #[test]
    fn half_a_record_waits_for_its_end_and_a_torn_one_is_shown_as_it_is() {
        let (dir, mut writer) = log(3, 1 << 20, 2);
        let path = dir.path().join("log.json");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 10]).unwrap();
        let mut book = Book::open(dir.path()).unwrap();
        assert_eq!(lines(&book, 0, book.end()), [0, 1]);
        add(&mut writer, 3); // on the same line as the truncated one
        add(&mut writer, 4);
        book.refresh().unwrap();
        let mut shown = Vec::new();
        book.visit(0, book.end(), |seen| {
            shown.push(seen.text.len());
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!((shown.len(), shown[3]), (4, 1));
        assert!(shown[2] > 50);
    }

    #[test]
    fn a_stack_trace_weighs_as_the_line_it_belongs_to_wherever_reading_begins() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(dir.path(), &LogOptions::default()).unwrap();
        writer.write(Stream::Stderr, b"ERROR no\n  at a\n  at b\nplain\n", second(0)).unwrap();
        writer.flush().unwrap();
        let book = Book::open(dir.path()).unwrap();
        let mut seen_all = Vec::new();
        book.visit(0, book.end(), |seen| {
            seen_all.push((seen.place, seen.weight));
            ControlFlow::Continue(())
        })
        .unwrap();
        let error = Some(Level::Error);
        assert_eq!(seen_all.iter().map(|seen| seen.1).collect::<Vec<_>>(), [error, error, error, None]);
        for (place, weight) in seen_all {
            book.visit(place, place + 1, |seen| {
                assert_eq!(seen.weight, weight);
                ControlFlow::Continue(())
            })
            .unwrap();
        }
    }

    #[test]
    fn the_level_is_that_of_what_is_shown() {
        let (dir, mut writer) = log(0, 1 << 20, 1);
        let cases = [
            ("ERROR: trying again\rINFO: done\u{1b}[K", Some(Level::Info)),
            ("\u{1b}[31mERROR\u{1b}[0m it failed", Some(Level::Error)),
            ("\u{1b}[38;5;1;48:2::1:2:3mWARN\u{1b}[m slow", Some(Level::Warn)),
            ("ERROR\u{1b}[1GINFO \u{1b}[0m it works", Some(Level::Info)),
            ("\u{1b}]0;error: x\u{7}ok", None),
            ("\u{1b}]0;ERROR\u{1b}\\DEBUG x", Some(Level::Debug)),
            ("\u{1b}[1mERROR\u{1b}[2K", None),
            ("\u{1b}[31mE0614 12:00:00.000000 1 main.go:3] no\u{1b}[0m", Some(Level::Error)),
            ("\u{1b}[36mlevel\u{1b}[0m=warning msg=\"an ERROR\"", Some(Level::Warn)),
        ];
        for (text, _) in cases {
            writer.write(Stream::Stdout, format!("{text}\n").as_bytes(), second(1)).unwrap();
        }
        writer.flush().unwrap();
        let book = Book::open(dir.path()).unwrap();
        let mut levels = Vec::new();
        book.visit(0, book.end(), |seen| {
            levels.push(seen.level);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(levels, cases.map(|(_, level)| level));
        // The colour of a line shows the same level as the filter finds.
        for (text, level) in cases {
            let shown = output::shown_text(text.as_bytes());
            assert_eq!(Level::find(&shown).map(|(level, _)| level), level, "{text:?}");
        }
    }

    #[test]
    fn a_log_that_is_not_there_is_empty_and_then_not() {
        let dir = tempfile::tempdir().unwrap();
        let mut book = Book::open(dir.path()).unwrap();
        assert_eq!((book.first(), book.end()), (0, 0));
        let mut writer = Writer::open(dir.path(), &LogOptions::default()).unwrap();
        add(&mut writer, 1);
        assert!(book.refresh().unwrap());
        assert_eq!(lines(&book, 0, book.end()), [1]);
    }
}
