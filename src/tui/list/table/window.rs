//! The cursor, and the window of lines around it for the view.

use crate::tui::list::table::{Left, Line, Row, Signs, Slot, Table, Under};
use crate::tui::model::scroll::into_view;
use crate::tui::words::Beyond;

/// The cursor and the window.
impl<R: Row> Table<R> {
    /// Moves the cursor by this many lines, within the list.
    pub fn step(&mut self, by: isize) {
        self.select(self.cursor.saturating_add_signed(by));
    }

    /// Moves the cursor to a position, or to the last line.
    pub fn select(&mut self, place: usize) {
        if self.anchor.is_some() {
            self.counted.set(None); // the range extends to the cursor
        }
        self.cursor = place.min(self.lines.len().saturating_sub(1));
        self.under = self.what_is_at(self.cursor);
        self.accept_row();
    }

    /// Moves the cursor to the row with `key`, if it is shown. A folded group is unfolded.
    pub fn select_key(&mut self, key: &str) -> bool {
        if self.is_grouped
            && let Some(group) = self.get(key).map(|row| row.group().to_owned())
            && self.folded.remove(&group)
        {
            self.left = Left::Everything;
            self.show();
        }
        let place = self.place_of(&Under::Row(key.to_owned()));
        place.into_iter().for_each(|place| self.select(place));
        place.is_some()
    }

    /// Like [`Table::expect`], but identifies the row by one of its words, such as an image's name.
    pub fn wish(&mut self, word: &str) {
        self.wished = Some(word.to_owned());
    }

    /// Moves the cursor to the row with `key`, which the next [`Table::show`] will show.
    pub fn expect(&mut self, key: &str) {
        if !self.select_key(key) {
            self.under = Some(Under::Row(key.to_owned()));
            self.accept_row();
        }
    }

    /// Scrolls a window of `height` lines to the cursor.
    pub fn scroll_into(&mut self, height: usize) {
        self.offset = into_view(self.offset, self.cursor, height, self.lines.len());
    }

    /// Returns the row under the cursor.
    pub fn selected(&self) -> Option<&R> {
        match self.lines.get(self.cursor)? {
            Slot::Row(at) => self.rows.get(*at),
            Slot::Group(_) => None,
        }
    }

    /// Returns the position of the cursor, starting at 0.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Returns the rows among up to `height` lines of the window, each with whether the cursor is
    /// on it.
    pub fn window(&self, height: usize) -> impl Iterator<Item = (bool, &R)> {
        self.lines(height).filter_map(|(signs, line)| match line {
            Line::Row(row) => Some((signs.is_under, row)),
            Line::Heading(_) => None,
        })
    }

    /// Returns up to `height` lines of the window.
    pub fn lines(&self, height: usize) -> impl Iterator<Item = (Signs, Line<'_, R>)> {
        let range = self.range();
        let places = self.lines.iter().enumerate().skip(self.offset).take(height);
        places.map(move |(place, what)| {
            let is_under = place == self.cursor;
            match what {
                Slot::Row(at) => {
                    let row = &self.rows[*at];
                    let is_marked = self.marks.contains(row.key())
                        || range.is_some_and(|(first, last)| (first..=last).contains(&place));
                    (Signs { is_under, is_marked }, Line::Row(row))
                }
                Slot::Group(at) => {
                    let group = &self.groups[*at];
                    let is_marked = group.is_folded && !self.marks.is_empty() && self.has_marks(&group.name);
                    (Signs { is_under, is_marked }, Line::Heading(group))
                }
            }
        })
    }

    /// Returns whether there are lines above and below a window of `height` lines.
    pub fn beyond(&self, height: usize) -> Beyond {
        Beyond::window(self.offset, height, self.lines.len())
    }

    /// Returns the position of line `line` of the window.
    pub fn place_at(&self, line: usize) -> Option<usize> {
        Some(self.offset + line).filter(|place| *place < self.lines.len())
    }

    pub(super) fn what_is_at(&self, place: usize) -> Option<Under> {
        Some(match self.lines.get(place)? {
            Slot::Row(at) => Under::Row(self.rows.get(*at)?.key().to_owned()),
            Slot::Group(at) => Under::Group(self.groups.get(*at)?.name.clone()),
        })
    }

    pub(super) fn place_with(&self, word: &str) -> Option<usize> {
        self.lines
            .iter()
            .position(|place| matches!(place, Slot::Row(at) if self.rows[*at].words(&|_| true).iter().any(|it| it == word)))
    }

    pub(super) fn place_of(&self, under: &Under) -> Option<usize> {
        let wanted = match under {
            Under::Row(key) => Slot::Row(*self.index.get(key)?),
            Under::Group(name) => Slot::Group(self.groups.iter().position(|group| group.name == *name)?),
        };
        self.lines.iter().position(|place| *place == wanted)
    }
}
