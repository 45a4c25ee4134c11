//! The state and settings of a log pane, and what it requests from the driver.

use jiff::Timestamp;

use crate::engine::{
    ContainerId, FindAsk, Level, LogFilter, LogFrom, LogPage, LogPlace, LogQuery, LogRule, LogState,
    LogWanted, Matcher, PageAsk, Pattern, Stream,
};
use crate::tui::failure::Failure;
use crate::tui::logs::model::text::JsonForm;
use crate::tui::logs::model::{Buffer, LogAsk, LogNews, LogWant, Times};

/// The number of lines in a page.
const PAGE: usize = 500;

/// A following pane that is more bytes behind than this jumps to the end.
const BEHIND: u64 = 1 << 20;

/// The number of lines that `st` shows.
pub const TAIL: usize = 1000;

/// A container whose log is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogShown {
    /// Its id.
    pub id: ContainerId,
    /// Its name.
    pub name: String,
}

/// The last match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The log that contains it.
    pub source: usize,
    /// The offset of the line.
    pub place: u64,
    /// The place before it.
    pub before: LogPlace,
    /// The place after it.
    pub after: LogPlace,
    /// What was searched for.
    pub wanted: LogWanted,
    /// Its number among all matches, if known.
    pub rank: Option<u64>,
}

/// Where to put the requested page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// Before the buffer.
    Before,
    /// After the buffer.
    After,
    /// Instead of the buffer; the requested place becomes the top of the window.
    Top,
    /// Instead of the buffer; the requested place comes so many rows below the top of the window.
    Row(usize),
    /// Instead of the buffer; lines before its first one are hidden.
    Floor,
}

/// A line that stays where it is while other lines are shown or hidden.
#[derive(Debug, Clone)]
pub(super) struct Anchor {
    pub(super) from: LogFrom,
    /// Its row in the window.
    pub(super) row: usize,
    /// The top of the window after that, while nothing has been scrolled.
    pub(super) top: (i64, usize),
}

/// The part of the log that a search goes through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Sought {
    /// In one direction only.
    #[default]
    OneWay,
    /// In one direction, and if nothing is there, in the other one.
    Turning,
    /// In both directions.
    Everywhere,
}

/// A log in a pane.
#[derive(Debug, Default)]
pub struct LogPane {
    /// The containers whose logs are shown.
    pub of: Vec<LogShown>,
    /// Containers whose logs are merged with that of the pane's container.
    pub merged: Vec<ContainerId>,
    /// The serial number of this log. News with another one are outdated.
    pub serial: u64,
    /// The loaded lines.
    pub buffer: Buffer,
    /// How far the log is counted.
    pub state: LogState,
    /// The first visible line while paused, and the first visible row of it.
    pub top: (i64, usize),
    /// Whether the window stays at `top` instead of following the newest lines.
    pub is_paused: bool,
    /// The columns scrolled to the right.
    pub left: usize,
    /// Whether long lines wrap.
    pub wraps: bool,
    /// The format of times.
    pub times: Times,
    /// Whether times include the date, since not all are from today.
    pub is_dated: bool,
    /// The format of JSON lines.
    pub json: JsonForm,
    /// Shows only lines of this stream.
    pub stream: Option<Stream>,
    /// Shows only lines of at least this level.
    pub level: Option<Level>,
    /// The filter rules as typed; lines have to match all of them.
    pub filter: String,
    /// The number of context lines around each match of the filter.
    pub context: usize,
    /// The search text as typed.
    pub search: String,
    /// The compiled search text.
    pub matcher: Option<Matcher>,
    /// The last match.
    pub hit: Option<Hit>,
    /// The times at which the user added marks.
    pub marks: Vec<Timestamp>,
    /// The first and the last selected line; the second one moves.
    pub selected: Option<(i64, i64)>,
    /// Columns and rows of the window.
    pub size: (usize, usize),
    /// Why the log could not be read.
    pub failure: Option<Failure>,
    /// Lines before this place are hidden.
    pub(super) floor: Option<LogPlace>,
    /// The same as a time, if there is one: places are valid only while the log is open.
    pub(super) since: Option<Timestamp>,
    /// Whether the driver has the log open.
    is_open: bool,
    /// The number of lines when it was paused.
    seen: Option<u64>,
    /// The number of lines that the filter showed when it was paused, until the filter changes.
    seen_filtered: Option<u64>,
    pub(super) query: u64,
    next_ask: u64,
    pub(super) ask: Option<(u64, LogAsk, Put)>,
    /// A page elsewhere, to be requested next.
    pub(super) jump: Option<(LogFrom, Put)>,
    /// A search to be requested next.
    pub(super) find: Option<(FindAsk, bool)>,
    /// Which part of the log the last search has gone through.
    pub(super) sought: Sought,
    /// The ends of the logs when a page was reported to be the last.
    last_at: Option<Vec<u64>>,
    /// Whether lines were requested again to get their numbers.
    is_numbered: bool,
    /// The line that the last reading of the same place has kept.
    pub(super) anchor: Option<Anchor>,
}

impl LogPane {
    /// Creates a pane whose serial numbers continue from `serial`.
    #[must_use]
    pub fn new(serial: u64) -> Self {
        Self { serial, ..Self::default() }
    }

    /// Shows the logs of these containers, the first of which is the pane's own. Discards the state
    /// of the previous ones.
    pub fn show(&mut self, of: Vec<LogShown>) {
        let ids = |of: &[LogShown]| of.iter().map(|shown| shown.id.clone()).collect::<Vec<_>>();
        let (had, has) = (ids(&self.of), ids(&of));
        self.of = of;
        if had == has {
            return;
        }
        if had.first() != has.first() {
            self.merged.clear();
            self.of.truncate(1);
            self.marks.clear();
            (self.filter, self.search) = (String::new(), String::new());
            (self.matcher, self.level, self.stream) = (None, None, None);
            (self.context, self.left, self.since) = (0, 0, None);
        }
        self.restart();
    }

    /// Reads the log again from the end, or from the time before which lines are hidden.
    fn restart(&mut self) {
        self.serial += 1;
        self.query += 1;
        self.buffer = Buffer::default();
        self.state = LogState::default();
        (self.ask, self.find, self.last_at, self.is_numbered) = (None, None, None, false);
        (self.floor, self.hit, self.selected, self.failure) = (None, None, None, None);
        self.anchor = None;
        self.is_paused = false;
        self.forget_seen();
        self.jump = self.since.map(|since| (LogFrom::Time(since), Put::Floor));
    }

    /// Sets whether the driver has the log open; called after each change. A log opened again shows
    /// the same lines as before, which are found by their time.
    pub fn open(&mut self, is_open: bool) {
        if is_open && !self.is_open {
            let top = self.buffer.get(self.top.0).filter(|_| self.is_paused).map(|line| line.time);
            self.restart();
            if let (Some(time), None) = (top, self.since) {
                self.is_paused = true;
                self.jump = Some((LogFrom::Time(time), Put::Top));
            }
        }
        self.is_open = is_open;
        if is_open {
            self.request_missing();
        }
    }

    /// Returns the time before which lines are hidden.
    #[must_use]
    pub fn since_moment(&self) -> Option<Timestamp> {
        self.since
    }

    /// Returns what the driver has to do.
    #[must_use]
    pub fn want(&self) -> LogWant {
        LogWant {
            serial: self.serial,
            containers: self.of.iter().map(|shown| shown.id.clone()).collect(),
            query: (self.query, self.query()),
            ask: self.ask.as_ref().map(|(number, ask, _)| (*number, ask.clone())),
            ranked: self.unranked().map(|hit| hit.after.clone()),
        }
    }

    /// Returns the current match, if its number is unknown.
    fn unranked(&self) -> Option<&Hit> {
        let hit = self.hit.as_ref()?;
        (hit.rank.is_none() && hit.wanted == LogWanted::Match && self.matcher.is_some()).then_some(hit)
    }

    /// Returns which lines are shown.
    #[must_use]
    pub fn query(&self) -> LogQuery {
        let filter = LogFilter {
            stream: self.stream,
            level: self.level,
            rules: LogRule::list(&self.filter),
            context: self.context,
        };
        let search = (!self.search.is_empty()).then(|| Pattern::new(&self.search));
        LogQuery { filter, search, floor: self.floor.clone() }
    }

    /// Whether some lines are filtered out.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        !self.query().filter.is_empty()
    }

    /// Whether the counts belong to the current query.
    #[must_use]
    pub fn has_counts(&self) -> bool {
        self.state.serial == self.query
    }

    /// Whether a search is in progress.
    #[must_use]
    pub fn is_finding(&self) -> bool {
        self.find.is_some() || matches!(self.ask, Some((_, LogAsk::Find(..), _)))
    }

    // ── news ──────────────────────────────────────────────────────────────────────────────

    /// Handles news of the log. Returns a message for the user, if any.
    pub fn take(&mut self, news: LogNews) -> Option<String> {
        match news {
            LogNews::State(state) => self.take_state(*state),
            LogNews::Page(number, result) => {
                let (_, _, put) = self.ask.take_if(|(asked, ..)| *asked == number)?;
                match result {
                    Ok(page) => self.take_page(page, put),
                    Err(failure) => self.failure = Some(failure),
                }
            }
            LogNews::Found(number, result) => {
                let (_, ask, _) = self.ask.take_if(|(asked, ..)| *asked == number)?;
                match result {
                    Ok(Some((hit, page))) => {
                        let wanted = match &ask {
                            LogAsk::Find(ask, _) => ask.wanted,
                            LogAsk::Page(_) => LogWanted::Match,
                        };
                        let mut after = hit.at.clone();
                        if let Some(line) = page.lines.get(page.at)
                            && let Some(spot) = after.0.get_mut(line.source)
                        {
                            *spot = line.after();
                        }
                        let (source, place, before) = (hit.source, hit.place, hit.at);
                        self.hit = Some(Hit { source, place, before, after, wanted, rank: None });
                        self.go_to_hit(page);
                    }
                    Ok(None) => return self.not_found(&ask),
                    Err(failure) => self.failure = Some(failure),
                }
            }
            LogNews::Rank(after, rank) => {
                if let Some(hit) = self.hit.as_mut().filter(|hit| hit.after == after) {
                    hit.rank = Some(rank);
                }
            }
            LogNews::Failed(failure) => self.failure = Some(failure),
        }
        None
    }

    /// Goes on in the other direction if it has to; otherwise returns that nothing was found.
    fn not_found(&mut self, ask: &LogAsk) -> Option<String> {
        let LogAsk::Find(FindAsk { wanted, up, .. }, _) = ask else { return None };
        if self.sought == Sought::Turning {
            self.seek(!up, *wanted);
            self.sought = Sought::Everywhere;
            return None;
        }
        let state = &self.state;
        let is_known = self.has_counts() && state.is_searched && self.hit.is_none();
        let count = match wanted {
            LogWanted::Match => state.hits,
            LogWanted::Grave => state.errors + state.warnings,
        };
        let which = match up {
            _ if self.sought == Sought::Everywhere || (is_known && count == 0) => "",
            true => "earlier ",
            false => "later ",
        };
        Some(match wanted {
            LogWanted::Match => format!("no {which}match for `{}`", self.search),
            LogWanted::Grave => format!("no {which}errors or warnings"),
        })
    }

    fn take_state(&mut self, state: LogState) {
        if let Some(why) = &state.failure {
            let what = "cannot continue reading the log".to_owned();
            self.failure = Some(Failure { what, why: vec![why.clone()], hint: None });
        }
        self.state = state;
        if self.is_paused && self.seen.is_none() {
            self.seen = self.all_lines();
        }
    }

    /// Requests lines again that were read before the log was counted, to get their numbers.
    fn renumber(&mut self) {
        if self.state.is_counted && !self.is_numbered && !self.buffer.is_blank() && self.ask.is_none() {
            self.is_numbered = true;
            if self.of.len() == 1 && !self.buffer.is_numbered() && self.selected.is_none() {
                self.reload();
            }
        }
    }

    fn take_page(&mut self, page: LogPage, put: Put) {
        self.failure = None;
        let is_last = page.is_last;
        let ends = self.state.end.clone();
        match put {
            Put::Before => {
                let keep = if self.is_paused { self.top.0 + self.rows() * 3 } else { i64::MAX };
                if self
                    .buffer
                    .prepend(page, keep.max(self.selected_range().map_or(i64::MIN, |(_, last)| last)))
                {
                    self.last_at = None; // there are newer lines
                }
                self.adjust();
                return;
            }
            Put::After => {
                let keep = if self.is_paused { self.top.0 } else { self.buffer.end() - self.rows() };
                let keep = keep.min(self.selected_range().map_or(i64::MAX, |(first, _)| first));
                self.buffer.append(page, keep - self.rows() * 3);
            }
            Put::Top | Put::Row(_) | Put::Floor => {
                if put == Put::Floor {
                    self.floor = Some(page.start.clone());
                    self.query += 1;
                }
                let at = self.buffer.replace(page);
                self.top = (at, 0);
                self.selected = None;
                if put == Put::Floor {
                    self.buffer.is_first = true;
                }
                if let Put::Row(row) = put {
                    self.settle(row);
                }
            }
        }
        self.last_at = is_last.then_some(ends);
        self.adjust();
    }

    fn go_to_hit(&mut self, page: LogPage) {
        let Some(hit) = &self.hit else { return };
        let (source, place) = (hit.source, hit.place);
        self.anchor = None;
        self.pause();
        let seq = match self.buffer.find(source, place) {
            Some(seq) => seq,
            None => {
                self.last_at = None;
                self.top = (self.buffer.replace(page), 0);
                self.selected = None;
                self.top.0
            }
        };
        self.reveal(seq);
    }

    // ── requests ──────────────────────────────────────────────────────────────────────────

    /// Requests what is missing. Called after every change; does nothing while a request is
    /// pending.
    pub fn request_missing(&mut self) {
        if self.of.is_empty() || self.failure.is_some() {
            return;
        }
        self.renumber();
        if let Some((from, put)) = self.jump.take() {
            self.ask = None; // the request is outdated
            let rows = self.size.1.max(1);
            let (up, down) = match (&from, put) {
                (LogFrom::Last, Put::Floor) => (TAIL, 0),
                (LogFrom::Last, _) => (PAGE, 0),
                (_, Put::Floor) => (0, PAGE),
                _ => (rows * 2, PAGE),
            };
            self.ask(LogAsk::Page(PageAsk { from, up, down }), put);
        }
        if let Some((ask, _)) = self.find.take() {
            let around = self.size.1.max(1) * 3;
            self.ask(LogAsk::Find(ask, around), Put::Top);
        }
        if self.ask.is_some() {
            return;
        }
        if self.buffer.is_blank() {
            return self.ask(LogAsk::Page(PageAsk { from: LogFrom::Last, up: PAGE, down: 0 }), Put::Top);
        }
        let margin = self.rows() * 2 + 20;
        let top = if self.is_paused { self.top.0 } else { self.buffer.end() - self.rows() };
        if self.has_more() && (!self.is_paused || self.buffer.end() - top < self.rows() + margin) {
            let behind: u64 = self.behind();
            let from = LogFrom::Place(self.buffer.end_place().clone());
            if !self.is_paused && behind > BEHIND {
                return self.ask(LogAsk::Page(PageAsk { from: LogFrom::Last, up: PAGE, down: 0 }), Put::Top);
            }
            return self.ask(LogAsk::Page(PageAsk { from, up: 0, down: PAGE }), Put::After);
        }
        if !self.buffer.is_first && top - self.buffer.first() < margin {
            let from = LogFrom::Place(self.buffer.start_place().clone());
            self.ask(LogAsk::Page(PageAsk { from, up: PAGE, down: 0 }), Put::Before);
        }
    }

    fn ask(&mut self, ask: LogAsk, put: Put) {
        self.next_ask += 1;
        self.ask = Some((self.next_ask, ask, put));
    }

    /// Whether there are lines after the buffer, as far as is known.
    #[must_use]
    pub fn has_more(&self) -> bool {
        match &self.last_at {
            Some(ends) => *ends != self.state.end,
            None => true,
        }
    }

    fn behind(&self) -> u64 {
        let spots = self.buffer.end_place().0.iter();
        self.state.end.iter().zip(spots).map(|(end, spot)| end.saturating_sub(spot.place)).sum()
    }

    /// Reads the visible lines again from the same place.
    pub(super) fn reload(&mut self) {
        self.jump = Some(match self.is_paused {
            true => {
                let anchor = self.anchor();
                let jump = (anchor.from.clone(), Put::Row(anchor.row));
                self.anchor = Some(anchor);
                jump
            }
            false => (LogFrom::Last, Put::Top),
        });
    }

    pub(super) fn requery(&mut self) {
        self.query += 1;
        if let Some(hit) = &mut self.hit {
            hit.rank = None;
        }
        self.seen_filtered = None;
    }

    pub(super) fn refilter(&mut self) {
        self.requery();
        if !self.buffer.is_blank() {
            self.reload();
        }
    }

    /// Shows the newest lines, and follows the log.
    pub fn follow(&mut self) {
        (self.is_paused, self.hit, self.selected) = (false, None, None);
        self.forget_seen();
        if self.has_more() && self.behind() > BEHIND && !self.buffer.is_blank() {
            self.jump = Some((LogFrom::Last, Put::Top));
        }
    }

    /// Goes to the first line.
    pub fn first(&mut self) {
        self.pause();
        if self.buffer.is_first || !self.is_open {
            self.top = (self.buffer.first(), 0);
        } else {
            self.jump = Some((LogFrom::First, Put::Top));
        }
    }

    /// Returns the number of lines added since it was paused: those that the filter shows, unless it
    /// has changed meanwhile.
    #[must_use]
    pub fn unseen(&self) -> u64 {
        let added = |now: Option<u64>, seen: Option<u64>| Some(now?.saturating_sub(seen?));
        let filtered = added(self.filtered_lines(), self.seen_filtered);
        let added = filtered.or_else(|| added(self.all_lines(), self.seen));
        added.filter(|_| self.is_paused).unwrap_or_default()
    }

    fn all_lines(&self) -> Option<u64> {
        self.state.is_counted.then_some(self.state.lines)
    }

    /// Returns the number of lines shown, if it is known and not that of all lines.
    fn filtered_lines(&self) -> Option<u64> {
        let is_known = self.has_counts() && self.state.is_searched;
        ((self.is_filtered() || self.floor.is_some()) && is_known).then_some(self.state.shown)
    }

    /// Stores the current numbers of lines.
    pub(super) fn note_seen(&mut self) {
        (self.seen, self.seen_filtered) = (self.all_lines(), self.filtered_lines());
    }

    fn forget_seen(&mut self) {
        (self.seen, self.seen_filtered) = (None, None);
    }
}
