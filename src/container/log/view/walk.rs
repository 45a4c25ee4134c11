//! Merges several logs by time and walks over their lines, in either direction from any place.
//!
//! The order within each log is kept; if a clock was set back, the log whose next line is earlier
//! goes first. A place is one number per log, so a walk can be resumed where it stopped, in both
//! directions, without losing or repeating a line.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::super::{Block, Book, Sieve, Tally};
use super::{LogLine, LogPlace, LogSpot};
use crate::base::disk::Result;

/// How many bytes of a log are read at once.
const CHUNK: u64 = 64 << 10;

/// The direction of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Up,
    Down,
}

/// The result of a step.
#[derive(Debug)]
pub(super) enum Step {
    /// The next line.
    Line(LogLine),
    /// There are no more lines.
    End,
    /// The budget is used up.
    Pause,
}

/// Lines that a walk skips.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Skip<'a> {
    /// Skips lines that do not pass.
    pub(super) sieve: Option<&'a Sieve>,
    /// Skips blocks without a line that passes, one tally per log.
    pub(super) tallies: &'a [Tally],
}

/// A walk over several logs.
pub(super) struct Walk<'a> {
    books: &'a [Book],
    way: Way,
    skip: Skip<'a>,
    /// The place in each log at which to stop.
    bounds: Vec<u64>,
    /// Lines have been returned up to here.
    told: LogPlace,
    /// Lines have been read up to here.
    read: LogPlace,
    ahead: Vec<VecDeque<LogLine>>,
    /// Bytes that may still be read.
    budget: u64,
}

impl<'a> Walk<'a> {
    /// Creates a walk from `from` to the bounds.
    pub(super) fn new(
        books: &'a [Book],
        way: Way,
        from: LogPlace,
        bounds: Vec<u64>,
        skip: Skip<'a>,
        budget: u64,
    ) -> Self {
        let ahead = books.iter().map(|_| VecDeque::new()).collect();
        Self { books, way, skip, bounds, told: from.clone(), read: from, ahead, budget }
    }

    /// Returns the place after the last returned line, or before it on the way up.
    pub(super) fn place(&self) -> LogPlace {
        let spots = (0..self.books.len()).map(|at| {
            // A range that was read and holds no wanted line need not be read again.
            if self.ahead[at].is_empty() { self.read.0[at] } else { self.told.0[at] }
        });
        LogPlace(spots.collect())
    }

    /// Returns the next line.
    pub(super) fn next(&mut self) -> Result<Step> {
        for at in 0..self.books.len() {
            while self.ahead[at].is_empty() && !self.is_bound(at) {
                if self.budget == 0 {
                    return Ok(Step::Pause);
                }
                self.fetch(at)?;
            }
        }
        let heads = (0..self.books.len()).filter_map(|at| Some((self.ahead[at].front()?.time, at)));
        let next = match self.way {
            Way::Down => heads.min(),
            Way::Up => heads.max(),
        };
        let Some((line, at)) = next.and_then(|(_, at)| Some((self.ahead[at].pop_front()?, at))) else {
            return Ok(Step::End);
        };
        self.told.0[at] = match self.way {
            Way::Down => line.after(),
            Way::Up => line.before(),
        };
        Ok(Step::Line(line))
    }

    fn is_bound(&self, at: usize) -> bool {
        let place = self.read.0[at].place;
        match self.way {
            Way::Down => place >= self.bounds[at].min(self.books[at].end()),
            Way::Up => place <= self.bounds[at].max(self.books[at].first()),
        }
    }

    fn fetch(&mut self, at: usize) -> Result<()> {
        let from = self.read.0[at];
        let (start, end) = match self.way {
            Way::Down => self.stretch_down(at, from.place)?,
            Way::Up => self.stretch_up(at, from.place)?,
        };
        let Some((start, end)) = Some((start, end)).filter(|(start, end)| start < end) else {
            return Ok(()); // skipped a range without wanted lines
        };
        let (mut lines, mut count) = (Vec::new(), 0);
        self.books[at].visit(start, end, |seen| {
            if self.skip.sieve.is_none_or(|sieve| sieve.takes(seen)) {
                lines.push((count, LogLine::new(at, seen)));
            }
            count += 1;
            ControlFlow::Continue(())
        })?;
        self.budget = self.budget.saturating_sub(end - start);
        let first = match self.way {
            Way::Down => from.line,
            Way::Up => from.line.and_then(|line| line.checked_sub(count)),
        };
        let lines = lines.into_iter().map(|(before, mut line)| {
            line.number = first.map(|first| first + before);
            line
        });
        self.read.0[at] = match self.way {
            Way::Down => {
                self.ahead[at].extend(lines);
                LogSpot { place: end, line: first.map(|first| first + count) }
            }
            Way::Up => {
                lines.for_each(|line| self.ahead[at].push_front(line));
                LogSpot { place: start, line: first }
            }
        };
        Ok(())
    }

    /// Returns the range to read next; skips empty blocks.
    fn stretch_down(&mut self, at: usize, mut place: u64) -> Result<(u64, u64)> {
        let book = &self.books[at];
        let bound = self.bounds[at].min(book.end());
        if place < book.first() {
            // That part has been deleted.
            self.read.0[at] = LogSpot { place: book.first(), line: None };
            return Ok((0, 0));
        }
        let end = place + CHUNK.min(bound - place);
        if self.skip.sieve.is_none() || self.skip.tallies.get(at).is_none_or(|tally| tally.done <= place) {
            return Ok((place, book.begin(end)?.min(bound)));
        }
        let from = place;
        loop {
            let block = book.block(place)?;
            if place != block.start || !self.is_empty(at, &block) || block.end <= place || block.end > bound {
                break;
            }
            place = block.end;
        }
        if place > from {
            let line = self.jumped(at, from, place)?;
            self.read.0[at] = LogSpot { place, line };
            return Ok((place, place));
        }
        let end = book.begin(end)?.min(book.block(place)?.end).min(bound);
        Ok((place, end))
    }

    fn stretch_up(&mut self, at: usize, mut place: u64) -> Result<(u64, u64)> {
        let book = &self.books[at];
        let bound = self.bounds[at].max(book.first());
        if self.skip.sieve.is_none() || self.skip.tallies.get(at).is_none_or(|tally| tally.done < place) {
            return Ok((book.back(place, CHUNK)?.max(bound), place));
        }
        let from = place;
        let mut block;
        loop {
            block = book.block(book.back(place, 1)?)?;
            if place != block.end || !self.is_empty(at, &block) || block.start < bound {
                break;
            }
            place = block.start;
            if place <= bound {
                break;
            }
        }
        if place < from {
            let line = self.jumped(at, place, from)?;
            self.read.0[at] = LogSpot { place, line };
            return Ok((place, place));
        }
        Ok((book.back(place, CHUNK)?.max(block.start).max(bound), place))
    }

    fn is_empty(&self, at: usize, block: &Block) -> bool {
        self.skip.tallies[at].block(block).is_some_and(|count| count.lines == 0)
    }

    /// Returns the line number at the other end of the skipped range `from..until`.
    fn jumped(&self, at: usize, from: u64, until: u64) -> Result<Option<u64>> {
        let Some(line) = self.read.0[at].line else { return Ok(None) };
        let count = self.books[at].count(from, until)?;
        Ok(match self.way {
            Way::Down => Some(line + count),
            Way::Up => line.checked_sub(count),
        })
    }
}
