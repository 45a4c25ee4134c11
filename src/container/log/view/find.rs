//! Search: finds the next line that passes the filter and is a match or an error, and counts those
//! before it.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;

use super::super::{Book, Count, Level, Seen, Tally};
use super::walk::Way;
use super::{LogPlace, LogSpot, Query};
use crate::base::disk::Result;

/// What to search for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A line that matches the search.
    Match,
    /// An error or a warning.
    Grave,
}

impl Wanted {
    fn count(self, count: &Count) -> u32 {
        match self {
            Self::Match => count.hits,
            Self::Grave => count.errors + count.warnings,
        }
    }
}

impl Query {
    /// Returns whether a line is wanted.
    pub(super) fn is(&self, wanted: Wanted, seen: &Seen<'_>) -> bool {
        self.sieve.takes(seen)
            && match wanted {
                Wanted::Match => self.search.as_ref().is_some_and(|search| search.is_in(seen.text)),
                Wanted::Grave => seen.level >= Some(Level::Warn),
            }
    }
}

/// A line that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) source: usize,
    pub(super) place: u64,
    pub(super) time: Timestamp,
}

/// The logs to search, and how.
pub(super) struct Finder<'a> {
    pub(super) books: &'a [Book],
    pub(super) query: &'a Query,
    pub(super) wanted: Wanted,
    pub(super) floor: &'a [u64],
    /// Counts for this query; empty if they belong to another one.
    pub(super) tallies: &'a [Tally],
    pub(super) stop: &'a AtomicBool,
}

impl Finder<'_> {
    /// Returns the nearest wanted line from `from` on; across several logs, by time.
    pub(super) fn nearest(&self, from: &LogPlace, way: Way) -> Result<Option<Found>> {
        let mut best: Option<Found> = None;
        for source in 0..self.books.len() {
            let found = match way {
                Way::Down => self.down(source, from.0[source].place)?,
                Way::Up => self.up(source, from.0[source].place)?,
            };
            let is_nearer = |found: &Found| {
                best.is_none_or(|best| match way {
                    Way::Down => found.time < best.time,
                    Way::Up => found.time >= best.time,
                })
            };
            best = found.filter(is_nearer).or(best);
        }
        Ok(best)
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn is_empty(&self, source: usize, block: &crate::container::log::Block) -> bool {
        let count = self.tallies.get(source).and_then(|tally| tally.block(block));
        count.is_some_and(|count| self.wanted.count(&count) == 0)
    }

    fn down(&self, source: usize, from: u64) -> Result<Option<Found>> {
        let book = &self.books[source];
        let mut at = from.max(book.first()).max(self.floor[source]);
        while at < book.end() && !self.is_stopped() {
            let block = book.block(at)?;
            if block.end <= at {
                break;
            }
            if !self.is_empty(source, &block) {
                let mut found = None;
                book.visit(at, block.end, |seen| {
                    if self.query.is(self.wanted, seen) {
                        found = Some(Found { source, place: seen.place, time: seen.time });
                        return ControlFlow::Break(());
                    }
                    ControlFlow::Continue(())
                })?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            at = block.end;
        }
        Ok(None)
    }

    fn up(&self, source: usize, before: u64) -> Result<Option<Found>> {
        let book = &self.books[source];
        let floor = book.first().max(self.floor[source]);
        let mut at = before.min(book.end());
        while at > floor && !self.is_stopped() {
            let block = book.block(book.back(at, 1)?)?;
            let start = block.start.max(floor);
            if !self.is_empty(source, &block) {
                let mut found = None;
                book.visit(start, at, |seen| {
                    if self.query.is(self.wanted, seen) {
                        found = Some(Found { source, place: seen.place, time: seen.time });
                    }
                    ControlFlow::Continue(())
                })?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            at = start.min(at - 1);
        }
        Ok(None)
    }

    /// Returns the number of matches up to and including the line that ends at `after`, or `None`
    /// while that is still being counted.
    pub(super) fn rank(&self, after: &LogPlace) -> Result<Option<u64>> {
        let mut rank = 0;
        for (source, spot) in after.0.iter().enumerate() {
            let book = &self.books[source];
            let Some(tally) = self.tallies.get(source) else { return Ok(None) };
            let block = book.block(spot.place.clamp(book.first(), book.end()))?;
            let Some(before) = tally.before(&block) else { return Ok(None) };
            rank += before.hits;
            book.visit(block.start.max(self.floor[source]), spot.place, |seen| {
                rank += u64::from(self.query.is(self.wanted, seen));
                ControlFlow::Continue(())
            })?;
        }
        Ok(Some(rank))
    }
}

/// Returns the place of a line across several logs: the others are placed at its time.
pub(super) fn place_of(books: &[Book], found: Found) -> Result<LogPlace> {
    let spots = books.iter().enumerate().map(|(source, book)| {
        let place = if source == found.source { found.place } else { book.since(found.time)? };
        Ok(LogSpot { place, line: None })
    });
    Ok(LogPlace(spots.collect::<Result<_>>()?))
}
