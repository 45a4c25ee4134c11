//! The lines of several logs as one, by time, in either direction from any place.
//!
//! Each log keeps its own order; where clocks were turned back, the one with the earlier next
//! line goes first. A place is one number for each log, so a walk that ends anywhere can be
//! taken up there again, in both directions, and no line is lost or told twice.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::super::{Block, Book, Sieve, Tally};
use super::{LogLine, LogPlace, LogSpot};
use crate::base::disk::Result;

/// How many bytes of a log are read at once.
const CHUNK: u64 = 64 << 10;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Up,
    Down,
}

/// What came of a step.
#[derive(Debug)]
pub(super) enum Step {
    /// The next line.
    Line(LogLine),
    /// There is no further one.
    End,
    /// None within the budget.
    Pause,
}

/// Lines that a walk passes over without telling them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Skip<'a> {
    /// Those that do not pass.
    pub(super) sieve: Option<&'a Sieve>,
    /// Blocks in which none does, by log.
    pub(super) tallies: &'a [Tally],
}

/// A walk.
pub(super) struct Walk<'a> {
    books: &'a [Book],
    way: Way,
    skip: Skip<'a>,
    /// No further than this.
    bounds: Vec<u64>,
    /// Up to here lines have been told.
    told: LogPlace,
    /// Up to here they have been read.
    read: LogPlace,
    ahead: Vec<VecDeque<LogLine>>,
    /// Bytes that may still be read.
    budget: u64,
}

impl<'a> Walk<'a> {
    /// A walk from `from` to the bounds.
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

    /// The place after the last line told, or before it on the way up.
    pub(super) fn place(&self) -> LogPlace {
        let spots = (0..self.books.len()).map(|at| {
            // What was read and has nothing to tell need not be read again.
            if self.ahead[at].is_empty() { self.read.0[at] } else { self.told.0[at] }
        });
        LogPlace(spots.collect())
    }

    /// The next line.
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
            return Ok(()); // a stretch without anything was jumped over
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

    /// What to read next; jumps over blocks that hold nothing.
    fn stretch_down(&mut self, at: usize, mut place: u64) -> Result<(u64, u64)> {
        let book = &self.books[at];
        let bound = self.bounds[at].min(book.end());
        if place < book.first() {
            // What was there is deleted.
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

    /// The number of the line at the other end of a jump over `from..until`.
    fn jumped(&self, at: usize, from: u64, until: u64) -> Result<Option<u64>> {
        let Some(line) = self.read.0[at].line else { return Ok(None) };
        let count = self.books[at].count(from, until)?;
        Ok(match self.way {
            Way::Down => Some(line + count),
            Way::Up => line.checked_sub(count),
        })
    }
}
