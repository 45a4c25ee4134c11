//! The thread behind a view: it follows growing and rotated files, counts lines, and applies the
//! filter and the search. It sleeps while there is nothing to do.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

use super::super::{Book, Count, Level, Tally};
use super::find::Wanted;
use super::{LogState, Query, View};
use crate::base::disk::Result;
use crate::base::error::one_line;
use crate::sys::inotify::Inotify;

/// How many bytes are counted before the thread checks for new requests: lines and matches.
const LINES: u64 = 64 << 20;
const MATCHES: u64 = 4 << 20;

/// How often progress is published.
const TELL: Duration = Duration::from_millis(60);

/// Minimum interval between refreshes of a log that is written continuously.
const BREATH: Duration = Duration::from_millis(15);

/// A view that is closed within this time, as when the cursor moves over a list, counts nothing.
const GLANCE: Duration = Duration::from_millis(120);

/// How often files are checked if inotify is unavailable.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Works until the view is closed.
pub(super) fn work(shared: &View, folders: &[PathBuf]) {
    // The log folder does not exist before the first start.
    let mut unmade: Vec<&PathBuf> = Vec::new();
    let mut watch = || {
        let inotify = Inotify::new()?;
        for folder in folders {
            if !inotify.watch_where_made(folder)? {
                unmade.push(folder);
            }
        }
        Ok::<_, crate::sys::Error>(inotify)
    };
    let inotify =
        watch().inspect_err(|error| tracing::debug!(%error, "cannot watch for changes: polling")).ok();
    shared.tell();
    glance(shared);
    let mut told = Instant::now();
    let mut woken = Instant::now();
    while !shared.is_closed.load(Ordering::Relaxed) {
        if let Some(inotify) = &inotify {
            let _ = inotify.clear(); // the files show what changed
            unmade.retain(|folder| inotify.watch_where_made(folder).is_ok_and(|is_made| !is_made));
        }
        match round(shared) {
            Ok(is_idle) => {
                if is_idle || told.elapsed() >= TELL {
                    shared.tell();
                    told = Instant::now();
                }
                if is_idle {
                    wait(shared, inotify.as_ref());
                    if woken.elapsed() < 2 * BREATH {
                        std::thread::sleep(BREATH);
                    }
                    woken = Instant::now();
                }
            }
            Err(error) => {
                shared.fail(one_line(&error));
                return;
            }
        }
    }
}

/// Waits until the view has been open for [`GLANCE`].
fn glance(shared: &View) {
    let until = Instant::now() + GLANCE;
    while !shared.is_closed.load(Ordering::Relaxed) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        let timeout = Timespec::try_from(left).ok();
        let _ = rustix::event::poll(&mut [PollFd::new(&shared.bell, PollFlags::IN)], timeout.as_ref());
        let _ = rustix::io::read(&shared.bell, &mut [0; 8]); // requests are checked afterwards
    }
}

/// Picks up changes and counts a part of what is uncounted. Returns whether nothing is left.
fn round(shared: &View) -> Result<bool> {
    let mut is_idle = true;
    let mut books = shared.books();
    let mut has_grown = false;
    for book in &mut books {
        has_grown |= book.refresh()?;
    }
    if has_grown {
        shared.set_books(books.clone());
    }
    for (source, book) in books.iter().enumerate() {
        let done = shared.counts.lock().map_or(book.end(), |counts| counts.lines[source].done);
        if done < book.end() {
            let (blocks, done) = count_lines(book, done)?;
            if let Ok(mut counts) = shared.counts.lock() {
                put(&mut counts.lines[source], &blocks, done);
            }
            is_idle = false;
        }
    }
    let Some((serial, query)) = shared.query() else { return Ok(is_idle) };
    for (source, book) in books.iter().enumerate() {
        let done = shared.counts.lock().map_or(book.end(), |counts| counts.matches[source].done);
        if done < book.end() {
            let (blocks, done) = count_matches(book, &query, done)?;
            if let Ok(mut counts) = shared.counts.lock()
                && counts.serial == serial
            {
                put(&mut counts.matches[source], &blocks, done);
            }
            is_idle = false;
        }
    }
    // The next round checks whether the query is still the same.
    Ok(is_idle && shared.query().is_none_or(|(now, _)| now == serial))
}

type Blocks = Vec<(u64, usize, Count)>;

fn put(tally: &mut Tally, blocks: &Blocks, done: u64) {
    for (base, number, count) in blocks {
        tally.add(*base, *number, *count);
    }
    tally.done = done;
}

fn count_lines(book: &Book, done: u64) -> Result<(Blocks, u64)> {
    let mut at = done.max(book.first());
    let mut blocks = Vec::new();
    let until = at + LINES;
    while at < book.end() && at < until {
        let block = book.block(at)?;
        let lines = u32::try_from(book.count(at, block.end)?).unwrap_or(u32::MAX);
        blocks.push((block.base, block.number, Count { lines, ..Count::default() }));
        at = block.end.max(at + 1);
    }
    Ok((blocks, at))
}

fn count_matches(book: &Book, query: &Query, done: u64) -> Result<(Blocks, u64)> {
    let mut at = done.max(book.first());
    let mut blocks = Vec::new();
    let until = at + MATCHES;
    while at < book.end() && at < until {
        let block = book.block(at)?;
        let mut count = Count::default();
        book.visit(at, block.end, |seen| {
            if query.sieve.takes(seen) {
                count.lines += 1;
                count.errors += u32::from(seen.level == Some(Level::Error));
                count.warnings += u32::from(seen.level == Some(Level::Warn));
                count.hits += u32::from(query.search.is_some() && query.is(Wanted::Match, seen));
            }
            ControlFlow::Continue(())
        })?;
        blocks.push((block.base, block.number, count));
        at = block.end.max(at + 1);
    }
    Ok((blocks, at))
}

/// Sleeps until something is written or requested.
fn wait(shared: &View, inotify: Option<&Inotify>) {
    let mut polled = vec![PollFd::new(&shared.bell, PollFlags::IN)];
    polled.extend(inotify.map(|inotify| PollFd::new(inotify, PollFlags::IN)));
    let timeout = if inotify.is_some() { None } else { Timespec::try_from(LOOK_AGAIN).ok() };
    let _ = rustix::event::poll(&mut polled, timeout.as_ref()); // after a signal, check again
    let _ = rustix::io::read(&shared.bell, &mut [0; 8]); // does not block
}

impl View {
    /// Publishes the progress.
    pub(super) fn tell(&self) {
        let (books, Ok(counts)) = (self.books(), self.counts.lock()) else { return };
        let mut state = LogState {
            first: books.iter().map(Book::first).collect(),
            end: books.iter().map(Book::end).collect(),
            serial: counts.serial,
            is_counted: true,
            is_searched: true,
            ..LogState::default()
        };
        for (source, book) in books.iter().enumerate() {
            let (lines, matches) = (&counts.lines[source], &counts.matches[source]);
            state.lines += lines.total().lines;
            state.is_counted &= lines.done >= book.end();
            let sum = matches.total();
            state.shown += sum.lines;
            state.hits += sum.hits;
            state.errors += sum.errors;
            state.warnings += sum.warnings;
            state.searched += matches.done.min(book.end()).saturating_sub(book.first());
            state.bytes += book.end() - book.first();
            state.is_searched &= matches.done >= book.end();
        }
        drop(counts);
        self.publish(|old| *old = state);
    }

    fn publish(&self, change: impl FnOnce(&mut LogState)) {
        let Ok(mut state) = self.state.lock() else { return };
        let old = state.clone();
        change(&mut state);
        if *state != old {
            (self.news)(state.clone());
        }
    }

    fn fail(&self, why: String) {
        self.publish(|state| state.failure = Some(why));
    }
}
