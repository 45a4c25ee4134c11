//! A log as the pane holds it: a bounded arena of bytes with an index of lines.
//!
//! Lines are numbered from the first that ever came, so that a place stays a place when
//! old lines are dropped. Nothing is parsed here: the view does that for drawn lines.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::engine::{LogRecord, Stream};

/// So many bytes are kept; the log itself stays on disk.
const KEEP: usize = 16 << 20;

/// A longer line goes on in the next one.
const LINE: usize = 64 << 10;

/// Lines of a log.
#[derive(Debug)]
pub struct LogStore {
    bytes: Vec<u8>,
    /// The place of `bytes[0]` among all bytes that ever came.
    base: usize,
    lines: VecDeque<Line>,
    /// The number of `lines[0]`.
    first: u64,
    keep: usize,
}

#[derive(Debug, Clone, Copy)]
struct Line {
    start: usize,
    len: usize,
    time: Timestamp,
    stream: Stream,
    /// Its end has come.
    whole: bool,
}

/// One line, as it came, without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineRef<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// When its first byte was written.
    pub time: Timestamp,
    /// Where it came from.
    pub stream: Stream,
}

impl Default for LogStore {
    fn default() -> Self {
        Self::bounded(KEEP)
    }
}

impl LogStore {
    /// Keeps about `keep` bytes.
    #[must_use]
    pub fn bounded(keep: usize) -> Self {
        Self { bytes: Vec::new(), base: 0, lines: VecDeque::new(), first: 0, keep }
    }

    /// Adds a record: the rest of an unfinished line of its stream, or a new line. A record
    /// may hold several lines (a terminal's output has no other bounds).
    pub fn push(&mut self, record: &LogRecord) {
        for piece in record.bytes.split_inclusive(|byte| *byte == b'\n') {
            for part in piece.chunks(LINE) {
                self.add(part, record);
            }
        }
        self.forget();
    }

    fn add(&mut self, part: &[u8], record: &LogRecord) {
        let end = self.base + self.bytes.len();
        let whole = part.ends_with(b"\n");
        let joins = |line: &&mut Line| {
            !line.whole && line.stream == record.stream && line.start + line.len == end && line.len < LINE
        };
        match self.lines.back_mut().filter(joins) {
            Some(line) => {
                line.len += part.len();
                line.whole = whole;
            }
            None => self.lines.push_back(Line {
                start: end,
                len: part.len(),
                time: record.time,
                stream: record.stream,
                whole,
            }),
        }
        self.bytes.extend_from_slice(part);
    }

    /// Drops the older half when there is too much, so that each byte is moved but once or twice.
    fn forget(&mut self) {
        if self.bytes.len() <= self.keep {
            return;
        }
        let target = self.base + self.bytes.len() - self.keep / 2;
        while self.lines.front().is_some_and(|line| line.start + line.len <= target) {
            self.lines.pop_front();
            self.first += 1;
        }
        let start = self.lines.front().map_or(self.base + self.bytes.len(), |line| line.start);
        self.bytes.drain(..start - self.base);
        self.base = start;
    }

    /// The number of the first line there is.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The number after that of the last line.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first + self.lines.len() as u64
    }

    /// Line number `number`, if it is still there.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<LineRef<'_>> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let line = self.lines.get(at)?;
        let mut bytes = &self.bytes[line.start - self.base..][..line.len];
        while let [rest @ .., b'\n' | b'\r'] = bytes {
            bytes = rest;
        }
        Some(LineRef { bytes, time: line.time, stream: line.stream })
    }

    /// The next line from `from` on, upwards or downwards, that `wanted` takes.
    pub fn find(&self, from: u64, up: bool, wanted: impl Fn(&LineRef<'_>) -> bool) -> Option<u64> {
        let hit = |number: &u64| self.get(*number).is_some_and(|line| wanted(&line));
        if up {
            (self.first..=from.min(self.end())).rev().find(hit)
        } else {
            (from.max(self.first)..self.end()).find(hit)
        }
    }
}

/// Whether `needle` is in `text`; capitals count only when `needle` has some.
#[must_use]
pub fn contains(text: &[u8], needle: &str) -> bool {
    let needle_bytes = needle.as_bytes();
    if needle_bytes.is_empty() {
        return true;
    }
    let exact = needle.bytes().any(|byte| byte.is_ascii_uppercase());
    text.windows(needle_bytes.len())
        .any(|window| if exact { window == needle_bytes } else { window.eq_ignore_ascii_case(needle_bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(stream: Stream, text: &str) -> LogRecord {
        LogRecord { time: Timestamp::UNIX_EPOCH, stream, bytes: text.into() }
    }

    fn lines(store: &LogStore) -> Vec<String> {
        (store.first()..store.end())
            .map(|number| String::from_utf8_lossy(store.get(number).unwrap().bytes).into_owned())
            .collect()
    }

    #[test]
    fn pieces_of_a_line_are_joined_and_several_lines_parted() {
        let mut store = LogStore::default();
        for (stream, text) in [
            (Stream::Stdout, "one "),
            (Stream::Stdout, "line\r\n"),
            (Stream::Stdout, "a\nb\n"),
            (Stream::Stdout, "half"),
            (Stream::Stderr, "error\n"),
            (Stream::Stdout, "\n"),
        ] {
            store.push(&record(stream, text));
        }
        assert_eq!(lines(&store), ["one line", "a", "b", "half", "error", ""]);
    }

    #[test]
    fn old_lines_go_and_numbers_stay() {
        let mut store = LogStore::bounded(1000);
        for number in 0..1000 {
            store.push(&record(Stream::Stdout, &format!("line {number:04}\n")));
        }
        assert_eq!(store.end(), 1000);
        assert!(store.first() > 800, "{}", store.first());
        assert_eq!(store.get(999).unwrap().bytes, b"line 0999");
        assert_eq!(store.get(store.first() - 1), None);
        assert!(store.bytes.len() <= 1000);
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let mut store = LogStore::default();
        for _ in 0..10 {
            store.push(&record(Stream::Stdout, &"x".repeat(40_000)));
        }
        assert!((5..=10).contains(&store.end()), "{}", store.end());
        assert!((0..store.end()).all(|number| store.get(number).unwrap().bytes.len() < 2 * LINE));
    }

    #[test]
    fn a_search_goes_both_ways_and_minds_capitals_only_when_asked() {
        let mut store = LogStore::default();
        store.push(&record(Stream::Stdout, "alpha\nBeta\nalpha\n"));
        let find = |from, up, needle| store.find(from, up, |line| contains(line.bytes, needle));
        assert_eq!(find(0, false, "beta"), Some(1));
        assert_eq!(find(0, false, "BETA"), None);
        assert_eq!(find(1, false, "alpha"), Some(2));
        assert_eq!(find(1, true, "alpha"), Some(0));
        assert_eq!(find(9, true, "alpha"), Some(2));
    }
}
