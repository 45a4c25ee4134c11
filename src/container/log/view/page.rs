//! Pages: the lines around a place that pass a filter, with their context.

use std::collections::VecDeque;

use super::super::{Book, Sieve, Tally};
use super::walk::{Skip, Step, Walk, Way};
use super::{LogLine, LogPage, LogPlace};
use crate::base::disk::Result;

/// Approximate maximum size of a page in bytes.
const MOST: usize = 1 << 20;

/// How many bytes are searched for a page before it is returned as it is.
const BUDGET: u64 = 24 << 20;

/// What pages are made from.
pub(super) struct Source<'a> {
    pub(super) books: &'a [Book],
    pub(super) sieve: &'a Sieve,
    /// Lines of context before and after each line that passes.
    pub(super) context: usize,
    /// The first place of each log to show.
    pub(super) floor: Vec<u64>,
    /// Counts of lines that pass.
    pub(super) tallies: &'a [Tally],
}

/// One half of a page.
struct Side {
    /// In the order of the walk.
    lines: Vec<LogLine>,
    place: LogPlace,
    is_end: bool,
}

impl Source<'_> {
    /// Returns the page around `from`.
    pub(super) fn page(&self, from: &LogPlace, up: usize, down: usize) -> Result<LogPage> {
        let above = self.side(Way::Up, from, up)?;
        let below = self.side(Way::Down, from, down)?;
        let mut lines = above.lines;
        lines.reverse();
        let at = lines.len();
        lines.extend(below.lines);
        Ok(LogPage {
            lines,
            at,
            start: above.place,
            end: below.place,
            is_first: above.is_end,
            is_last: below.is_end,
        })
    }

    fn walk(&self, way: Way, from: &LogPlace, budget: u64) -> Walk<'_> {
        let bounds = match way {
            Way::Up => self.floor.clone(),
            Way::Down => self.books.iter().map(Book::end).collect(),
        };
        // Context needs every line: it may lie in a block without a match.
        let skip = match self.context {
            0 if !self.sieve.is_open() => Skip { sieve: Some(self.sieve), tallies: self.tallies },
            _ => Skip::default(),
        };
        Walk::new(self.books, way, from.clone(), bounds, skip, budget)
    }

    fn side(&self, way: Way, from: &LogPlace, want: usize) -> Result<Side> {
        if want == 0 {
            let is_end =
                from.0.iter().zip(self.books).zip(&self.floor).all(|((spot, book), floor)| match way {
                    Way::Up => spot.place <= (*floor).max(book.first()),
                    Way::Down => spot.place >= book.end(),
                });
            return Ok(Side { lines: Vec::new(), place: from.clone(), is_end });
        }
        let mut walk = self.walk(way, from, BUDGET);
        let mut lines: Vec<LogLine> = Vec::new();
        let mut bytes = 0;
        let mut context = Context::new(self, way, from)?;
        loop {
            if lines.len() >= want || bytes >= MOST {
                let place = context.rewind(walk.place(), way);
                return Ok(Side { lines, place, is_end: false });
            }
            match walk.next()? {
                Step::Line(line) => {
                    for line in context.take(line, self.sieve) {
                        bytes += line.bytes.len();
                        lines.push(line);
                    }
                }
                step => {
                    let place = context.rewind(walk.place(), way);
                    return Ok(Side { lines, place, is_end: matches!(step, Step::End) });
                }
            }
        }
    }
}

/// Decides which lines are context of a line that passes.
struct Context {
    size: usize,
    /// How many lines of context after the last match are still to be shown.
    left: usize,
    /// The last lines, which become context if a match follows.
    held: VecDeque<LogLine>,
}

impl Context {
    fn new(source: &Source<'_>, way: Way, from: &LogPlace) -> Result<Self> {
        let mut context = Self { size: source.context, left: 0, held: VecDeque::new() };
        if context.size == 0 {
            return Ok(context);
        }
        // The first lines may be context of a match just before the start.
        let back = if way == Way::Up { Way::Down } else { Way::Up };
        let mut walk = source.walk(back, from, BUDGET);
        for distance in 0..context.size {
            let Step::Line(line) = walk.next()? else { break };
            if source.sieve.passes(line.stream, line.weight, &line.bytes) {
                context.left = context.size - distance;
                break;
            }
        }
        Ok(context)
    }

    fn take(&mut self, mut line: LogLine, sieve: &Sieve) -> Vec<LogLine> {
        if self.size == 0 || sieve.is_open() {
            return vec![line];
        }
        if sieve.passes(line.stream, line.weight, &line.bytes) {
            self.left = self.size;
            let mut lines: Vec<LogLine> = self.held.drain(..).collect();
            lines.push(line);
            return lines;
        }
        line.is_context = true;
        if self.left > 0 {
            self.left -= 1;
            return vec![line];
        }
        self.held.push_back(line);
        if self.held.len() > self.size {
            self.held.pop_front();
        }
        Vec::new()
    }

    /// Returns the place before the held lines, for which it is not yet known whether they are
    /// context.
    fn rewind(&self, mut place: LogPlace, way: Way) -> LogPlace {
        for line in self.held.iter().rev() {
            place.0[line.source] = if way == Way::Down { line.before() } else { line.after() };
        }
        place
    }
}
