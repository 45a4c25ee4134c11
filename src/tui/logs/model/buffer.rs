//! The loaded lines of a log: a contiguous range of the lines that pass the filter, covering the
//! window and a few pages around it. It grows at one end, and is cut at the other.
//!
//! A line's number (`seq`) is relative to an arbitrary start, so that it stays the same while lines
//! are added or dropped before it.

use std::collections::VecDeque;

use crate::engine::{LogLine, LogPage, LogPlace, LogSpot};

/// The approximate limits in lines and bytes.
const LINES: usize = 4000;
const BYTES: usize = 4 << 20;

/// A contiguous range of lines.
#[derive(Debug, Default)]
pub struct Buffer {
    lines: VecDeque<LogLine>,
    /// The number of the first line.
    first: i64,
    /// The place before the first line.
    start: LogPlace,
    /// The place after the last.
    end: LogPlace,
    /// Whether there are no lines before it.
    pub is_first: bool,
    bytes: usize,
}

impl Buffer {
    /// Returns the number of the first line.
    #[must_use]
    pub fn first(&self) -> i64 {
        self.first
    }

    /// Returns the number after that of the last line.
    #[must_use]
    pub fn end(&self) -> i64 {
        self.first + i64::try_from(self.lines.len()).unwrap_or(i64::MAX)
    }

    /// Whether it has no lines.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether nothing has been loaded yet, not even an empty page.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.start.0.is_empty()
    }

    /// Returns a line.
    #[must_use]
    pub fn get(&self, seq: i64) -> Option<&LogLine> {
        self.lines.get(usize::try_from(seq.checked_sub(self.first)?).ok()?)
    }

    /// Returns the number of the line of `source` at offset `place`.
    #[must_use]
    pub fn find(&self, source: usize, place: u64) -> Option<i64> {
        let at = self.lines.iter().position(|line| line.source == source && line.place == place)?;
        Some(self.first + i64::try_from(at).ok()?)
    }

    /// Returns the place before the first line.
    #[must_use]
    pub fn start_place(&self) -> &LogPlace {
        &self.start
    }

    /// Returns the place after the last line.
    #[must_use]
    pub fn end_place(&self) -> &LogPlace {
        &self.end
    }

    /// Returns the place before a line.
    #[must_use]
    pub fn place(&self, seq: i64) -> LogPlace {
        let mut place = self.start.clone();
        let before = usize::try_from(seq - self.first).unwrap_or(0);
        for line in self.lines.iter().take(before) {
            put(&mut place, line.source, line.after());
        }
        place
    }

    /// Whether every line has its number within its log.
    #[must_use]
    pub fn is_numbered(&self) -> bool {
        self.lines.iter().all(|line| line.number.is_some())
    }

    /// Replaces the lines by a page. Returns the number of the line for which the page was
    /// requested.
    pub fn replace(&mut self, page: LogPage) -> i64 {
        // Numbers are never reused, so that outdated ones match no line.
        self.first = self.end() + 1;
        let at = self.first + i64::try_from(page.at).unwrap_or(0);
        self.bytes = page.lines.iter().map(|line| line.bytes.len()).sum();
        (self.start, self.end, self.is_first) = (page.start, page.end, page.is_first);
        self.lines = page.lines.into();
        at
    }

    /// Inserts a page before the first line, and drops surplus lines after `keep`. Returns whether
    /// any were dropped.
    pub fn prepend(&mut self, page: LogPage, keep: i64) -> bool {
        self.first -= i64::try_from(page.lines.len()).unwrap_or(0);
        (self.start, self.is_first) = (page.start, page.is_first);
        for line in page.lines.into_iter().rev() {
            self.bytes += line.bytes.len();
            self.lines.push_front(line);
        }
        let end = self.end();
        while self.is_too_much() && self.end() - 1 > keep {
            let Some(line) = self.lines.pop_back() else { break };
            self.bytes -= line.bytes.len();
            put(&mut self.end, line.source, line.before());
        }
        self.end() < end
    }

    /// Appends a page after the last line, and drops surplus lines before `keep`.
    pub fn append(&mut self, page: LogPage, keep: i64) {
        self.end = page.end;
        for line in page.lines {
            self.bytes += line.bytes.len();
            self.lines.push_back(line);
        }
        while self.is_too_much() && self.first < keep {
            let Some(line) = self.lines.pop_front() else { break };
            self.bytes -= line.bytes.len();
            self.first += 1;
            self.is_first = false;
            put(&mut self.start, line.source, line.after());
        }
    }

    fn is_too_much(&self) -> bool {
        self.lines.len() > LINES || self.bytes > BYTES
    }
}

fn put(place: &mut LogPlace, source: usize, spot: LogSpot) {
    if let Some(old) = place.0.get_mut(source) {
        *old = spot;
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::engine::Stream;

    fn line(n: u64) -> LogLine {
        LogLine {
            source: 0,
            place: n * 10,
            end: n * 10 + 10,
            number: Some(n),
            time: Timestamp::UNIX_EPOCH,
            stream: Stream::Stdout,
            weight: None,
            is_context: false,
            bytes: format!("{n}").into_bytes().into(),
        }
    }

    fn page(lines: std::ops::Range<u64>, at: usize) -> LogPage {
        let spot = |n: u64| LogPlace(vec![LogSpot { place: n * 10, line: Some(n) }]);
        LogPage {
            start: spot(lines.start),
            end: spot(lines.end),
            is_first: lines.start == 0,
            is_last: false,
            at,
            lines: lines.map(line).collect(),
        }
    }

    #[test]
    fn it_grows_at_both_ends_and_a_number_stays_a_line() {
        let mut buffer = Buffer::default();
        let at = buffer.replace(page(5000..5100, 50));
        assert_eq!(buffer.get(at).unwrap().number, Some(5050));
        buffer.prepend(page(4000..5000, 1000), at);
        buffer.append(page(5100..6000, 0), at);
        assert_eq!(buffer.get(at).unwrap().number, Some(5050));
        assert_eq!(buffer.place(at).0[0].place, 50_500);
        assert_eq!(buffer.find(0, 40_000), Some(buffer.first()));
    }

    #[test]
    fn what_is_too_much_goes_at_the_other_end_and_the_place_there_follows() {
        let mut buffer = Buffer::default();
        let at = buffer.replace(page(3000..6500, 0));
        buffer.prepend(page(2000..3000, 1000), at);
        assert_eq!((buffer.end() - buffer.first(), buffer.end_place().0[0].line), (4000, Some(6000)));
        buffer.append(page(6000..7000, 0), at + 900);
        assert_eq!((buffer.end() - buffer.first(), buffer.start_place().0[0].line), (4000, Some(3000)));
        buffer.append(page(7000..7001, 0), at);
        assert_eq!(buffer.start_place().0[0].line, Some(3000));
        assert!(!buffer.is_first);
    }
}
