//! Scrolling by rows. The window is anchored at a row of a line, and only the lines scrolled over
//! are measured, so wrapping never processes the whole log.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::engine::{LogFrom, LogPlace};
use crate::tui::logs::model::pane::Anchor;
use crate::tui::logs::model::{LogPane, Times, text};
use crate::tui::pieces;

impl LogPane {
    /// Returns the rows of the window.
    pub(super) fn rows(&self) -> i64 {
        i64::try_from(self.size.1.max(1)).unwrap_or(1)
    }

    /// Returns the width of the names before merged lines.
    #[must_use]
    pub fn name_width(&self) -> usize {
        match self.of.as_slice() {
            [] | [_] => 0,
            of => of
                .iter()
                .map(|shown| unicode_width::UnicodeWidthStr::width(shown.name.as_str()))
                .max()
                .unwrap_or(0)
                .min(16),
        }
    }

    /// Returns the columns before the text of a line: gutter, time, name.
    #[must_use]
    pub fn head_width(&self) -> usize {
        let time = match self.times {
            Times::Off => 0,
            Times::Local if self.is_dated => 15,
            Times::Local => 9,
            Times::Utc if self.is_dated => 16,
            Times::Utc => 10,
            Times::Relative => 7,
            Times::Delta => 9,
        };
        let name = self.name_width();
        1 + time + if name > 0 { name + 3 } else { 0 }
    }

    /// Returns the rows of a line, including marks before it, and those after it if it is the last.
    #[must_use]
    pub fn height(&self, seq: i64) -> usize {
        let Some(line) = self.buffer.get(seq) else { return 1 };
        text::height(&line.bytes, self.json, self.wraps, self.room())
            + self.marks_before(seq).count()
            + self.marks_after(seq).count()
    }

    /// Returns the times of marks directly before this line.
    pub fn marks_before(&self, seq: i64) -> impl Iterator<Item = Timestamp> {
        let time = |seq: i64| self.buffer.get(seq).map(|line| line.time);
        let (line, before) = (time(seq), time(seq - 1));
        let marks = self.marks.iter().copied();
        marks.filter(move |mark| {
            line.is_some_and(|line| line > *mark) && before.is_some_and(|before| before <= *mark)
        })
    }

    /// Returns the times of marks after this line, if it is the last of the log.
    pub fn marks_after(&self, seq: i64) -> impl Iterator<Item = Timestamp> {
        let is_last = seq + 1 == self.buffer.end() && !self.has_more();
        let line = self.buffer.get(seq).filter(|_| is_last).map(|line| line.time);
        self.marks.iter().copied().filter(move |mark| line.is_some_and(|line| line <= *mark))
    }

    /// Stops following, without moving.
    pub fn pause(&mut self) {
        if !self.is_paused {
            self.is_paused = true;
            self.note_seen();
            self.top = self.bottom_top();
        }
    }

    /// Scrolls by this many rows. Scrolling up stops following.
    pub fn scroll(&mut self, by: i64) {
        if by < 0 {
            self.pause();
        }
        if !self.is_paused {
            return;
        }
        let mut left = usize::try_from(by.unsigned_abs()).unwrap_or(usize::MAX);
        let (mut seq, mut row) = self.top;
        while left > 0 {
            if by < 0 {
                let step = row.min(left);
                (row, left) = (row - step, left - step);
                if left == 0 || seq <= self.buffer.first() {
                    break;
                }
                seq -= 1;
                row = self.height(seq);
            } else {
                let height = self.height(seq);
                let step = (height - 1).saturating_sub(row).min(left);
                (row, left) = (row + step, left - step);
                if left == 0 || seq + 1 >= self.buffer.end() {
                    break;
                }
                (seq, row, left) = (seq + 1, 0, left - 1);
            }
        }
        self.top = (seq, row);
        self.adjust();
    }

    /// Clamps the window to the loaded lines.
    pub(super) fn adjust(&mut self) {
        let first = self.buffer.first();
        if self.top.0 < first {
            self.top = (first, 0);
        }
        let lowest = self.bottom_top();
        if self.top > lowest {
            self.top = lowest;
        }
        if let Some((from, to)) = self.selected {
            let last = (self.buffer.end() - 1).max(first);
            self.selected = Some((from.clamp(first, last), to.clamp(first, last)));
        }
    }

    /// Sets the size of the window, at this time.
    pub fn resize(&mut self, width: usize, height: usize, now: Timestamp) {
        self.size = (width, height);
        let day = |time: Timestamp| time.to_zoned(TimeZone::system()).date();
        let ends = [self.buffer.first(), self.buffer.end() - 1].map(|seq| self.buffer.get(seq));
        self.is_dated = ends.into_iter().flatten().any(|line| day(line.time) != day(now));
        if self.is_paused && !self.buffer.is_blank() {
            let most = self.height(self.top.0).saturating_sub(1);
            self.top.1 = self.top.1.min(most);
            self.adjust();
        }
    }

    /// Returns the top of a window that shows the last lines.
    #[must_use]
    pub fn bottom_top(&self) -> (i64, usize) {
        self.top_above(self.buffer.end())
    }

    /// Returns the top of a window that ends just above line `end`. Only lines in it are cut.
    fn top_above(&self, end: i64) -> (i64, usize) {
        let mut rows = self.size.1.max(1);
        let mut seq = end;
        while seq > self.buffer.first() {
            seq -= 1;
            let height = self.height(seq);
            if height >= rows {
                return (seq, height - rows);
            }
            rows -= height;
        }
        (self.buffer.first(), 0)
    }

    /// Returns the line and row at the top of the window.
    #[must_use]
    pub fn window_top(&self) -> (i64, usize) {
        if self.is_paused { self.top } else { self.bottom_top() }
    }

    /// Returns the lowest line that is at least partly visible.
    #[must_use]
    pub fn bottom(&self) -> i64 {
        if !self.is_paused {
            return (self.buffer.end() - 1).max(self.buffer.first());
        }
        let (mut seq, row) = self.top;
        let mut rows = self.height(seq).saturating_sub(row);
        while rows < self.size.1 && seq + 1 < self.buffer.end() {
            seq += 1;
            rows += self.height(seq);
        }
        seq
    }

    /// Returns how far the visible lines can be scrolled to the right until their ends are visible.
    #[must_use]
    pub fn farthest(&self) -> usize {
        if self.wraps {
            return 0;
        }
        let lines = (self.window_top().0..=self.bottom()).filter_map(|seq| self.buffer.get(seq));
        let rows = lines.flat_map(|line| text::body(&line.bytes, self.json));
        let widest = rows.map(|row| pieces::width(&row)).max().unwrap_or(0);
        widest.saturating_sub(self.room())
    }

    /// Returns the columns for the text of a line.
    fn room(&self) -> usize {
        self.size.0.saturating_sub(self.head_width()).max(2)
    }

    /// Returns the line that stays where it is when other lines are shown or hidden: the one that was
    /// kept last, if nothing was scrolled since; otherwise the end of the selection or the last match,
    /// if it is visible; otherwise the one at the top.
    pub(super) fn anchor(&self) -> Anchor {
        if let Some(anchor) = self.anchor.as_ref().filter(|anchor| anchor.top == self.top) {
            return anchor.clone();
        }
        let hit = || self.hit.as_ref().and_then(|hit| self.buffer.find(hit.source, hit.place));
        let is_visible = |seq: &i64| (self.top.0..=self.bottom()).contains(seq);
        let seq = self.selected.map(|(_, to)| to).or_else(hit).filter(is_visible).unwrap_or(self.top.0);
        let rows: usize = (self.top.0..seq).map(|seq| self.height(seq)).sum();
        // Hidden lines may precede it; a place taken from the shown lines would lie before them.
        // Across several logs, only the time tells where that is in each.
        let from = match self.buffer.get(seq) {
            Some(line) if self.of.len() > 1 => LogFrom::Time(line.time),
            Some(line) => LogFrom::Place(LogPlace(vec![line.before()])),
            None => LogFrom::Place(self.buffer.place(seq)),
        };
        Anchor { from, row: rows.saturating_sub(self.top.1), top: self.top }
    }

    /// Moves the line at the top of the window so many rows down, at most to its end.
    pub(super) fn settle(&mut self, row: usize) {
        if self.is_paused {
            // Only the window as it is in the end is clamped: near the end of the log, the line at
            // the top is at first too low for one. The window may also have become lower.
            let row = i64::try_from(row).unwrap_or(i64::MAX).min(self.rows() - 1);
            self.scroll(-row);
        }
        if let Some(anchor) = &mut self.anchor {
            anchor.top = self.top;
        }
    }

    /// Scrolls a line to the middle of the window, unless it is visible.
    pub(super) fn reveal(&mut self, seq: i64) {
        if seq < self.top.0 || seq >= self.bottom() || (seq == self.top.0 && self.top.1 > 0) {
            self.top = (seq, 0);
            self.scroll(-self.rows() / 2);
        }
        self.adjust();
    }

    /// Scrolls only as far as needed to make a line visible, or the end of one that is higher than
    /// the window.
    pub(super) fn reveal_lazily(&mut self, seq: i64) {
        if seq <= self.top.0 {
            self.top = (seq, 0);
        }
        self.top = self.top.max(self.top_above(seq + 1));
        self.adjust();
    }
}
