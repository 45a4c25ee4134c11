//! A view on the logs of some containers: any page of them at once, whatever their size.
//!
//! ```text
//!  page(around a place) ─▶ lines            read where they lie, forwards and backwards
//!  find(next match)     ─▶ its place        likewise; stops when nobody waits any more
//!  look_for(query)      ─▶ state: counted so far, matches, errors, warnings
//!                            one thread behind the view counts blocks of 256 KiB
//! ```
//! Nothing of a log is kept but a few numbers for each block (the tally), so a view of any log
//! is small. Places are numbers, lines are plain data: a front end holds what it shows and asks
//! for the rest.

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

/// Places in a log, and the number of lines before them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogSpot {
    /// Bytes of the log before it; a record begins there.
    pub place: u64,
    /// Lines before it, where that is known.
    pub line: Option<u64>,
}

/// A place in the logs of a view: a spot in each of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPlace(pub Vec<LogSpot>);

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Which of the view's logs it is of.
    pub source: usize,
    /// Where it begins.
    pub place: u64,
    /// Where the next one does.
    pub end: u64,
    /// How many lines are before it, where that is known.
    pub number: Option<u64>,
    /// When it was written.
    pub time: Timestamp,
    /// Where it came from.
    pub stream: Stream,
    /// How grave it is: as the line it goes on with.
    pub weight: Option<Level>,
    /// It does not pass the filter, but is near one that does.
    pub is_context: bool,
    /// What was written, without the line's end.
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

    /// The spot before it.
    #[must_use]
    pub fn before(&self) -> LogSpot {
        LogSpot { place: self.place, line: self.number }
    }

    /// The spot after it.
    #[must_use]
    pub fn after(&self) -> LogSpot {
        LogSpot { place: self.end, line: self.number.map(|number| number + 1) }
    }
}

/// Which lines, and what is looked for in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// Which lines.
    pub filter: Filter,
    /// What is looked for in them.
    pub search: Option<Pattern>,
    /// Nothing before this.
    pub floor: Option<LogPlace>,
}

/// Where a page is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogFrom {
    /// At the first line.
    First,
    /// After the last.
    Last,
    /// At a place.
    Place(LogPlace),
    /// At the first line of that moment, or after it.
    Time(Timestamp),
}

/// What a page is asked for with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageAsk {
    /// Around where.
    pub from: LogFrom,
    /// Lines before that.
    pub up: usize,
    /// Lines after it.
    pub down: usize,
}

/// Lines around a place. There may be fewer than asked for without an end being reached:
/// after some megabytes without a line a page is handed out as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPage {
    /// The lines.
    pub lines: Vec<LogLine>,
    /// How many of them are before the place asked for.
    pub at: usize,
    /// The place before the first line.
    pub start: LogPlace,
    /// The place after the last line.
    pub end: LogPlace,
    /// Nothing is before it.
    pub is_first: bool,
    /// Nothing is after it.
    pub is_last: bool,
}

/// What is looked for, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindAsk {
    /// From here on.
    pub from: LogFrom,
    /// Towards the beginning.
    pub up: bool,
    /// What.
    pub wanted: Wanted,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogHit {
    /// The log it is in.
    pub source: usize,
    /// Where it begins.
    pub place: u64,
    /// The same among all logs of the view.
    pub at: LogPlace,
}

/// How far a view is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogState {
    /// The first place of each log.
    pub first: Vec<u64>,
    /// The place after the last line of each.
    pub end: Vec<u64>,
    /// Lines counted so far.
    pub lines: u64,
    /// These are all.
    pub is_counted: bool,
    /// The number of the query that the rest is about.
    pub serial: u64,
    /// Lines that pass the filter, so far.
    pub shown: u64,
    /// Of these, those with a match.
    pub hits: u64,
    /// And errors.
    pub errors: u64,
    /// And warnings.
    pub warnings: u64,
    /// How many bytes were searched.
    pub searched: u64,
    /// Out of this many.
    pub bytes: u64,
    /// These are all.
    pub is_searched: bool,
    /// The logs cannot be read any more.
    pub failure: Option<String>,
}

/// A query that is ready.
#[derive(Debug)]
struct Query {
    sieve: Sieve,
    search: Option<Matcher>,
    context: usize,
    floor: Option<LogPlace>,
}

/// A view on the logs of some containers.
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
    /// The query that the matches are of.
    serial: u64,
    matches: Vec<Tally>,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("folders", &self.folders).finish_non_exhaustive()
    }
}

impl View {
    /// On the logs in these folders. `news` is told how far it is, by [`View::work`].
    ///
    /// # Errors
    ///
    /// When a log cannot be read.
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

    /// Counts, on this thread, until the view is closed.
    pub fn work(&self) {
        worker::work(self, &self.folders);
    }

    /// Ends [`View::work`].
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        self.ring();
    }

    /// Shows what `query` says from here on, and counts what there is of it. `serial` comes
    /// back with the counts.
    ///
    /// # Errors
    ///
    /// When a pattern cannot be used; then all stays as it was.
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
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes()); // full: it rings already
    }

    /// Counts for the query that is looked for now.
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
    /// The query, or one for everything.
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

    /// The lines around a place, of those that the query lets pass.
    ///
    /// # Errors
    ///
    /// When a log cannot be read.
    pub fn page(&self, ask: &PageAsk) -> disk::Result<LogPage> {
        let (books, query) = (self.books(), self.ready());
        let floor = Self::floor(&query, &books);
        let from = self.resolve(&ask.from, &books, &floor)?;
        // The counts are of this query, or of one that came since: then they are not used.
        let tallies = self.matches();
        let is_same = self.query().is_some_and(|(_, now)| Arc::ptr_eq(&now, &query));
        let tallies = if is_same { tallies.as_slice() } else { &[] };
        let source = Source { books: &books, sieve: &query.sieve, context: query.context, floor, tallies };
        source.page(&from, ask.up, ask.down)
    }

    /// The next line that is looked for; `None` also once `stop` is set.
    ///
    /// # Errors
    ///
    /// When a log cannot be read.
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

    /// How many matches there are up to a line that ends at `after`, that one included; `None`
    /// while that is counted.
    ///
    /// # Errors
    ///
    /// When a log cannot be read.
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

    /// A place, with the numbers of its lines where they are known.
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

    /// Numbers the spots that have none, as far as lines are counted.
    fn number(&self, books: &[Book], place: &mut LogPlace) -> disk::Result<()> {
        /// How many bytes that are not counted yet are counted on the way.
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
