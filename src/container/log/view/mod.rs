//! A view of the logs of one or more containers: returns any page at once, whatever their size.
//!
//! ```text
//!  page(around a place) ─▶ lines            read from the files, forwards and backwards
//!  find(next match)     ─▶ its place        likewise; stops when it is cancelled
//!  look_for(query)      ─▶ state: counted so far, matches, errors, warnings
//!                            one thread behind the view counts blocks of 256 KiB
//! ```
//! A view keeps only a few numbers per block (the tally), so it stays small for any log. Places are
//! numbers and lines are plain data: a front end holds what it shows and asks for the rest.

mod find;
mod page;
mod save;
mod walk;
mod worker;

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use rustix::event::{EventfdFlags, eventfd};

use super::{BadPattern, Book, Filter, Level, Matcher, Pattern, Seen, Sieve, Stream, Tally};
use crate::base::disk;
pub use find::Wanted;
use find::{Finder, place_of};
use page::Source;
pub use save::{LogForm, SaveLog, save};
use walk::Way;

/// A place in a log, and the number of lines before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogSpot {
    /// Bytes of the log before it; a record begins there.
    pub place: u64,
    /// Lines before it, if known.
    pub line: Option<u64>,
}

/// A place in all logs of a view: one spot per log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPlace(pub Vec<LogSpot>);

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Index of its log in the view.
    pub source: usize,
    /// The place at which it begins.
    pub place: u64,
    /// The place at which the next one begins.
    pub end: u64,
    /// The number of lines before it, if known.
    pub number: Option<u64>,
    /// When it was written.
    pub time: Timestamp,
    /// The stream it came from.
    pub stream: Stream,
    /// The effective level: a continuation line inherits that of the line before it.
    pub weight: Option<Level>,
    /// It does not pass the filter, but is context of a line that does.
    pub is_context: bool,
    /// The text without its line ending.
    pub bytes: Box<[u8]>,
}

impl LogLine {
    fn new(source: usize, seen: &Seen<'_>) -> Self {
        Self {
            source,
            place: seen.place,
            end: seen.end,
            number: None,
            time: seen.time,
            stream: seen.stream,
            weight: seen.weight,
            is_context: false,
            bytes: seen.text.into(),
        }
    }

    /// Returns the spot before the line.
    #[must_use]
    pub fn before(&self) -> LogSpot {
        LogSpot { place: self.place, line: self.number }
    }

    /// Returns the spot after the line.
    #[must_use]
    pub fn after(&self) -> LogSpot {
        LogSpot { place: self.end, line: self.number.map(|number| number + 1) }
    }
}

/// Which lines to show, and what to search for in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// Which lines to show.
    pub filter: Filter,
    /// The pattern to search for.
    pub search: Option<Pattern>,
    /// Ignores everything before this place.
    pub floor: Option<LogPlace>,
}

/// The position of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogFrom {
    /// At the first line.
    First,
    /// After the last line.
    Last,
    /// At a place.
    Place(LogPlace),
    /// At the first line written at or after this time.
    Time(Timestamp),
}

/// A request for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageAsk {
    /// The position.
    pub from: LogFrom,
    /// How many lines before it.
    pub up: usize,
    /// How many lines after it.
    pub down: usize,
}

/// Lines around a place. There may be fewer than requested even if no end was reached: after some
/// megabytes without a matching line, the page is returned as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPage {
    /// The lines.
    pub lines: Vec<LogLine>,
    /// How many of them are before the requested place.
    pub at: usize,
    /// The place before the first line.
    pub start: LogPlace,
    /// The place after the last line.
    pub end: LogPlace,
    /// There is nothing before it.
    pub is_first: bool,
    /// There is nothing after it.
    pub is_last: bool,
}

/// A request to search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindAsk {
    /// Where to start.
    pub from: LogFrom,
    /// Searches towards the beginning.
    pub up: bool,
    /// What to search for.
    pub wanted: Wanted,
}

/// A search result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogHit {
    /// Index of the log it is in.
    pub source: usize,
    /// The place at which the line begins.
    pub place: u64,
    /// The same as a place in all logs of the view.
    pub at: LogPlace,
}

/// The progress of a view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogState {
    /// The first place of each log.
    pub first: Vec<u64>,
    /// The place after the last line of each log.
    pub end: Vec<u64>,
    /// Lines counted so far.
    pub lines: u64,
    /// All lines are counted.
    pub is_counted: bool,
    /// The serial number of the query that the following fields belong to.
    pub serial: u64,
    /// Lines that pass the filter, so far.
    pub shown: u64,
    /// Of these, lines with a match.
    pub hits: u64,
    /// Of these, errors.
    pub errors: u64,
    /// Of these, warnings.
    pub warnings: u64,
    /// Bytes searched so far.
    pub searched: u64,
    /// Bytes to search in all.
    pub bytes: u64,
    /// Everything is searched.
    pub is_searched: bool,
    /// Why the logs can no longer be read.
    pub failure: Option<String>,
}

/// A compiled query.
#[derive(Debug)]
struct Query {
    sieve: Sieve,
    search: Option<Matcher>,
    context: usize,
    floor: Option<LogPlace>,
}

/// A view of the logs of one or more containers.
pub struct View {
    folders: Vec<PathBuf>,
    books: Mutex<Vec<Book>>,
    query: Mutex<Option<(u64, Arc<Query>)>>,
    counts: Mutex<Counts>,
    state: Mutex<LogState>,
    news: Box<dyn Fn(LogState) + Send + Sync>,
    /// Wakes the thread behind the view.
    bell: std::os::fd::OwnedFd,
    is_closed: AtomicBool,
}

#[derive(Debug, Default)]
struct Counts {
    lines: Vec<Tally>,
    /// Serial number of the query that `matches` belongs to.
    serial: u64,
    matches: Vec<Tally>,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("folders", &self.folders).finish_non_exhaustive()
    }
}

impl View {
    /// Opens a view of the logs in these folders. [`View::work`] calls `news` with its progress.
    ///
    /// # Errors
    ///
    /// A log cannot be read.
    pub fn open(
        folders: Vec<PathBuf>,
        news: impl Fn(LogState) + Send + Sync + 'static,
    ) -> disk::Result<Self> {
        let books = folders.iter().map(|folder| Book::open(folder)).collect::<disk::Result<Vec<_>>>()?;
        let tallies = || books.iter().map(|book| Tally::from(book.first())).collect::<Vec<_>>();
        let counts = Counts { lines: tallies(), serial: 0, matches: tallies() };
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(|errno| {
            disk::Error::io("watch", folders.first().cloned().unwrap_or_default())(errno.into())
        })?;
        Ok(Self {
            folders,
            books: Mutex::new(books),
            query: Mutex::default(),
            counts: Mutex::new(counts),
            state: Mutex::default(),
            news: Box::new(news),
            bell,
            is_closed: AtomicBool::new(false),
        })
    }

    /// Counts on this thread until the view is closed.
    pub fn work(&self) {
        worker::work(self, &self.folders);
    }

    /// Makes [`View::work`] return.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        self.ring();
    }

    /// Applies `query` from here on and starts counting its matches. `serial` is returned with the
    /// counts.
    ///
    /// # Errors
    ///
    /// A pattern is invalid; then nothing changes.
    pub fn look_for(&self, serial: u64, query: &LogQuery) -> Result<(), BadPattern> {
        let ready = query.compile()?;
        let books = self.books();
        let tallies = books.iter().enumerate().map(|(source, book)| {
            let floor = ready.floor.as_ref().and_then(|floor| floor.0.get(source));
            Tally::from(floor.map_or(book.first(), |spot| spot.place))
        });
        let tallies: Vec<Tally> = tallies.collect();
        if let (Ok(mut counts), Ok(mut query)) = (self.counts.lock(), self.query.lock()) {
            *query = Some((serial, Arc::new(ready)));
            (counts.serial, counts.matches) = (serial, tallies);
        }
        self.ring();
        Ok(())
    }

    fn books(&self) -> Vec<Book> {
        self.books.lock().map(|books| books.clone()).unwrap_or_default()
    }

    fn set_books(&self, new: Vec<Book>) {
        if let Ok(mut books) = self.books.lock() {
            *books = new;
        }
    }

    fn query(&self) -> Option<(u64, Arc<Query>)> {
        self.query.lock().ok()?.clone()
    }

    fn ring(&self) {
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes()); // full: a wake-up is pending already
    }

    /// Returns the counts of the current query.
    fn matches(&self) -> Vec<Tally> {
        self.counts.lock().map(|counts| counts.matches.clone()).unwrap_or_default()
    }
}

impl LogQuery {
    fn compile(&self) -> Result<Query, BadPattern> {
        Ok(Query {
            sieve: self.filter.compile()?,
            search: self.search.as_ref().map(Pattern::compile).transpose()?,
            context: self.filter.context,
            floor: self.floor.clone(),
        })
    }
}

impl View {
    /// Returns the current query, or one that matches everything.
    fn ready(&self) -> Arc<Query> {
        self.query().map_or_else(
            || Arc::new(Query { sieve: Sieve::default(), search: None, context: 0, floor: None }),
            |(_, query)| query,
        )
    }

    fn floor(query: &Query, books: &[Book]) -> Vec<u64> {
        let floor = |source: usize| query.floor.as_ref().and_then(|floor| floor.0.get(source));
        books
            .iter()
            .enumerate()
            .map(|(at, book)| floor(at).map_or(0, |spot| spot.place).max(book.first()))
            .collect()
    }

    /// Returns the lines around a place that pass the query's filter.
    ///
    /// # Errors
    ///
    /// A log cannot be read.
    pub fn page(&self, ask: &PageAsk) -> disk::Result<LogPage> {
        let (books, query) = (self.books(), self.ready());
        let floor = Self::floor(&query, &books);
        let from = self.resolve(&ask.from, &books, &floor)?;
        // If the query has been replaced since, the counts may belong to the new one and are not
        // used.
        let tallies = self.matches();
        let is_same = self.query().is_some_and(|(_, now)| Arc::ptr_eq(&now, &query));
        let tallies = if is_same { tallies.as_slice() } else { &[] };
        let source = Source { books: &books, sieve: &query.sieve, context: query.context, floor, tallies };
        source.page(&from, ask.up, ask.down)
    }

    /// Returns the next wanted line; `None` if there is none or once `stop` is set.
    ///
    /// # Errors
    ///
    /// A log cannot be read.
    pub fn find(&self, ask: &FindAsk, stop: &AtomicBool) -> disk::Result<Option<LogHit>> {
        let (books, query, tallies) = (self.books(), self.ready(), self.matches());
        let is_same = self.query().is_some_and(|(_, now)| Arc::ptr_eq(&now, &query));
        let floor = Self::floor(&query, &books);
        let from = self.resolve(&ask.from, &books, &floor)?;
        let finder = Finder {
            books: &books,
            query: &query,
            wanted: ask.wanted,
            floor: &floor,
            tallies: if is_same { &tallies } else { &[] },
            stop,
        };
        let way = if ask.up { Way::Up } else { Way::Down };
        let Some(found) = finder.nearest(&from, way)? else { return Ok(None) };
        let mut at = place_of(&books, found)?;
        self.number(&books, &mut at)?;
        Ok(Some(LogHit { source: found.source, place: found.place, at }))
    }

    /// Returns the number of matches up to and including the line that ends at `after`, or `None`
    /// while that is still being counted.
    ///
    /// # Errors
    ///
    /// A log cannot be read.
    pub fn rank(&self, after: &LogPlace) -> disk::Result<Option<u64>> {
        let (books, query, tallies) = (self.books(), self.ready(), self.matches());
        let floor = Self::floor(&query, &books);
        let stop = AtomicBool::new(false);
        let finder = Finder {
            books: &books,
            query: &query,
            wanted: Wanted::Match,
            floor: &floor,
            tallies: &tallies,
            stop: &stop,
        };
        finder.rank(after)
    }

    /// Resolves a position to a place, with line numbers where they are known.
    fn resolve(&self, from: &LogFrom, books: &[Book], floor: &[u64]) -> disk::Result<LogPlace> {
        let all = |place: &dyn Fn(usize, &Book) -> disk::Result<u64>| {
            let spots = books.iter().enumerate().map(|(at, book)| {
                let place = place(at, book)?.max(floor[at]).min(book.end());
                Ok(LogSpot { place, line: None })
            });
            Ok(LogPlace(spots.collect::<disk::Result<_>>()?))
        };
        let mut place = match from {
            LogFrom::First => all(&|at, _| Ok(floor[at]))?,
            LogFrom::Last => all(&|_, book| Ok(book.end()))?,
            LogFrom::Time(time) => all(&|_, book| book.since(*time))?,
            LogFrom::Place(place) => {
                let mut place = place.clone();
                place.0.resize(books.len(), LogSpot::default());
                for (spot, book) in place.0.iter_mut().zip(books) {
                    if spot.place < book.first() || spot.place > book.end() {
                        *spot = LogSpot { place: spot.place.clamp(book.first(), book.end()), line: None };
                    }
                }
                place
            }
        };
        self.number(books, &mut place)?;
        Ok(place)
    }

    /// Fills in missing line numbers, as far as lines are counted.
    fn number(&self, books: &[Book], place: &mut LogPlace) -> disk::Result<()> {
        /// How many uncounted bytes may be counted on the spot.
        const NEAR: u64 = 4 << 20;
        for (at, (spot, book)) in place.0.iter_mut().zip(books).enumerate() {
            if spot.line.is_some() {
                continue;
            }
            let block = book.block(spot.place)?;
            let known = self.counts.lock().ok().and_then(|counts| {
                let tally = counts.lines.get(at)?;
                let (done, total) = (tally.done, tally.total().lines);
                match tally.before(&block) {
                    Some(sum) => Some((sum.lines, block.start)),
                    None => (block.start - done <= NEAR).then_some((total, done)),
                }
            });
            if let Some((before, from)) = known {
                spot.line = Some(before + book.count(from, spot.place)?);
            }
        }
        Ok(())
    }
}
