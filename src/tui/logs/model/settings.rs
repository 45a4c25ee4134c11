//! Settings of a log pane: filter, search, start time and marks.

use jiff::{SignedDuration, Timestamp};

use crate::engine::{
    BadPattern, FindAsk, Level, LogFilter, LogFrom, LogPlace, LogRule, LogSpot, LogWanted, Pattern, Stream,
};
use crate::tui::logs::model::pane::{Put, Sought};
use crate::tui::logs::model::{LogPane, Since};

impl LogPane {
    /// Shows only lines that match these rules.
    ///
    /// # Errors
    ///
    /// If one of them is not a valid regular expression. Nothing changes then.
    pub fn set_filter(&mut self, rules: &str) -> Result<(), BadPattern> {
        LogFilter { rules: LogRule::list(rules), ..LogFilter::default() }.compile()?;
        if self.filter != rules {
            rules.clone_into(&mut self.filter);
            self.context = 0;
            self.refilter();
        }
        Ok(())
    }

    /// Changes the number of context lines around each match of the filter.
    pub fn more_context(&mut self, by: isize) {
        let context = self.context.saturating_add_signed(by).min(50);
        if self.is_filtered() && context != self.context {
            self.context = context;
            self.refilter();
        }
    }

    /// Switches to the next stream, or to both.
    pub fn next_stream(&mut self) {
        self.stream = match self.stream {
            None => Some(Stream::Stdout),
            Some(Stream::Stdout) => Some(Stream::Stderr),
            Some(Stream::Stderr) => None,
        };
        self.refilter();
    }

    /// Raises the minimum level; after errors it shows all lines again.
    pub fn next_level(&mut self) {
        self.level = match self.level {
            None => Some(Level::Debug),
            Some(Level::Trace | Level::Debug) => Some(Level::Info),
            Some(Level::Info) => Some(Level::Warn),
            Some(Level::Warn) => Some(Level::Error),
            Some(Level::Error) => None,
        };
        self.refilter();
    }

    /// Searches for `text`: backwards if the log follows, otherwise forwards from the top of the
    /// window, and if there is nothing, before it.
    ///
    /// # Errors
    ///
    /// If it is not a valid regular expression. Nothing changes then.
    pub fn search_for(&mut self, text: &str) -> Result<(), BadPattern> {
        let matcher = match text {
            "" | "re:" => None,
            text => Some(Pattern::new(text).compile()?),
        };
        self.hit = None;
        self.search = if matcher.is_some() { text.to_owned() } else { String::new() };
        self.matcher = matcher;
        self.requery();
        if self.matcher.is_some() {
            self.seek(!self.is_paused, LogWanted::Match);
            self.sought = Sought::Turning;
        }
        Ok(())
    }

    /// Hides lines that were written before.
    pub fn since(&mut self, since: Since) {
        (self.floor, self.since) = (None, None);
        let from = match since {
            Since::All => return self.refilter(),
            Since::Tail => LogFrom::Last,
            Since::Time(time) => {
                self.since = Some(time);
                LogFrom::Time(time)
            }
        };
        self.requery();
        self.jump = Some((from, Put::Floor));
    }

    /// Hides all present lines, and shows new ones.
    pub fn clear(&mut self, now: Timestamp) {
        if self.buffer.is_blank() || self.state.end.is_empty() {
            return;
        }
        let spots = self.state.end.iter().zip(&self.buffer.end_place().0);
        let spots = spots.map(|(end, spot)| match spot.place >= *end {
            true => *spot,
            false => LogSpot { place: *end, line: None },
        });
        self.floor = Some(LogPlace(spots.collect()));
        self.since = Some(now);
        self.hit = None;
        self.marks.clear();
        self.follow();
        self.refilter();
    }

    /// Whether earlier lines are hidden.
    #[must_use]
    pub fn has_floor(&self) -> bool {
        self.floor.is_some()
    }

    /// Adds a mark after the newest line.
    pub fn mark(&mut self, now: Timestamp) {
        self.marks.push(now);
        let surplus = self.marks.len().saturating_sub(100);
        self.marks.drain(..surplus);
    }

    /// Goes to the next line of this kind.
    pub fn seek(&mut self, up: bool, wanted: LogWanted) {
        if self.buffer.is_blank() || (wanted == LogWanted::Match && self.matcher.is_none()) {
            return;
        }
        let from = match (&self.hit, up) {
            (Some(hit), true) => LogFrom::Place(hit.before.clone()),
            (Some(hit), false) => LogFrom::Place(hit.after.clone()),
            (None, _) if !self.is_paused => LogFrom::Last,
            (None, true) => LogFrom::Place(self.buffer.place(self.bottom() + 1)),
            (None, false) => LogFrom::Place(self.buffer.place(self.top.0)),
        };
        self.sought = Sought::OneWay;
        self.ask = None;
        self.find = Some((FindAsk { from, up, wanted }, up));
    }

    /// Parses a time as typed: `10m`, `14:02`, `2026-11-22 14:02`.
    ///
    /// # Errors
    ///
    /// If it has none of these formats.
    pub fn moment(typed: &str, now: Timestamp) -> Result<Timestamp, String> {
        let zone = jiff::tz::TimeZone::system();
        let today = now.to_zoned(zone.clone());
        let wrong =
            || format!("`{typed}` is not a valid time: use 90s, 10m, 2h, 3d, 14:02 or 2026-11-22 14:02");
        let (number, unit) = typed.split_at(typed.len() - typed.chars().last().map_or(0, char::len_utf8));
        if let Ok(count) = number.parse::<u32>() {
            let secs = match unit {
                "s" => 1,
                "m" => 60,
                "h" => 3600,
                "d" => 86_400,
                _ => return Err(wrong()),
            };
            return now.checked_sub(SignedDuration::from_secs(i64::from(count) * secs)).map_err(|_| wrong());
        }
        if let Ok(time) = typed.parse::<Timestamp>() {
            return Ok(time);
        }
        let civil = typed
            .parse::<jiff::civil::DateTime>()
            .or_else(|_| typed.parse::<jiff::civil::Time>().map(|time| today.date().to_datetime(time)));
        let zoned = civil.ok().and_then(|civil| civil.to_zoned(zone).ok());
        zoned.map(|zoned| zoned.timestamp()).ok_or_else(wrong)
    }
}
