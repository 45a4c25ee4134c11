//! Marks: the marked rows, to which actions apply instead of the row under the cursor.

use crate::tui::list::table::{Row, Slot, Table, Under};

impl<R: Row> Table<R> {
    /// Marks or unmarks the row under the cursor; on a heading, its whole group.
    pub fn mark(&mut self) {
        self.counted.set(None);
        self.end_range();
        let keys = self.keys_under();
        let all = keys.iter().all(|key| self.marks.contains(key));
        for key in keys {
            if all {
                self.marks.remove(&key);
            } else {
                self.marks.insert(key);
            }
        }
    }

    /// Starts a range of marks, which extends from here to the cursor, or ends it.
    pub fn range_mark(&mut self) {
        self.counted.set(None);
        if self.anchor.is_some() {
            self.end_range();
        } else {
            self.anchor = self.selected().map(|row| row.key().to_owned());
        }
    }

    /// Marks all shown rows, or unmarks them if all are marked.
    pub fn mark_all(&mut self) {
        self.counted.set(None);
        self.end_range();
        let all: Vec<String> = self.shown_rows().map(|row| row.key().to_owned()).collect();
        if all.iter().all(|key| self.marks.contains(key)) {
            self.marks.clear();
        } else {
            self.marks.extend(all);
        }
    }

    /// Removes all marks; returns whether there were any.
    pub fn unmark(&mut self) -> bool {
        self.counted.set(None);
        let had = self.anchor.take().is_some() || !self.marks.is_empty();
        self.marks.clear();
        had
    }

    /// Turns the current range into ordinary marks.
    pub fn end_range(&mut self) {
        self.counted.set(None);
        if let Some((first, last)) = self.range() {
            let rows = self.lines[first..=last].iter().filter_map(|place| match place {
                Slot::Row(at) => Some(self.rows[*at].key().to_owned()),
                Slot::Group(_) => None,
            });
            self.marks.extend(rows);
        }
        self.anchor = None;
    }

    /// Whether a range is being marked.
    pub fn draws_range(&self) -> bool {
        self.anchor.is_some()
    }

    /// Returns the marked rows that pass the filter, in their order, including those in folded
    /// groups. Rows hidden by the filter are left out, because nothing must happen to invisible
    /// rows.
    pub fn marked(&self) -> Vec<&R> {
        let range = self.range();
        if self.marks.is_empty() && range.is_none() {
            return Vec::new();
        }
        let mut marked = Vec::new();
        for (place, what) in self.lines.iter().enumerate() {
            match what {
                Slot::Row(at) => {
                    let row = &self.rows[*at];
                    let is_in = range.is_some_and(|(first, last)| (first..=last).contains(&place));
                    if is_in || self.marks.contains(row.key()) {
                        marked.push(row);
                    }
                }
                Slot::Group(at) => {
                    let folded = self.groups.get(*at).filter(|group| group.is_folded);
                    let rows = folded.map(|group| self.rows_of(&group.name)).unwrap_or_default();
                    marked.extend(rows.into_iter().filter(|row| self.marks.contains(row.key())));
                }
            }
        }
        marked
    }

    /// Returns the number of marked rows, shown and in total. It is counted once per change, so
    /// that drawing a frame does not visit every row.
    pub fn mark_count(&self) -> (usize, usize) {
        let counted = self.counted.get().unwrap_or_else(|| self.count_marks());
        self.counted.set(Some(counted));
        counted
    }

    fn count_marks(&self) -> (usize, usize) {
        let shown = self.marked();
        let beyond = shown.iter().filter(|row| !self.marks.contains(row.key())).count();
        (shown.len(), self.marks.len() + beyond)
    }

    /// Returns what actions apply to: the marked rows, otherwise the row under the cursor,
    /// otherwise the rows of the group whose heading is under the cursor.
    pub fn targets(&self) -> Vec<&R> {
        let marked = self.marked();
        if !marked.is_empty() {
            return marked;
        }
        match self.heading() {
            Some(group) => self.rows_of(&group.name),
            None => self.selected().into_iter().collect(),
        }
    }

    fn keys_under(&self) -> Vec<String> {
        match self.heading() {
            Some(group) => self.rows_of(&group.name).into_iter().map(|row| row.key().to_owned()).collect(),
            None => self.selected().map(|row| row.key().to_owned()).into_iter().collect(),
        }
    }

    /// Whether rows of a group are marked.
    pub(super) fn has_marks(&self, name: &str) -> bool {
        self.marks.iter().any(|key| self.get(key).is_some_and(|row| row.group() == name))
    }

    /// Returns the rows of a group that pass the filter, folded or not.
    fn rows_of(&self, name: &str) -> Vec<&R> {
        let rows = self.rows.iter().zip(&self.hays);
        let passes = |row: &R, hay: &str| {
            (self.wanted.is_empty() || self.wanted.passes(hay, row)) && !(self.hides_idle && row.is_idle())
        };
        rows.filter(|(row, hay)| row.group() == name && passes(row, hay)).map(|(row, _)| row).collect()
    }

    fn shown_rows(&self) -> impl Iterator<Item = &R> {
        self.lines.iter().filter_map(|place| match place {
            Slot::Row(at) => self.rows.get(*at),
            Slot::Group(_) => None,
        })
    }

    /// Returns the first and the last position of the current range.
    pub(super) fn range(&self) -> Option<(usize, usize)> {
        let anchor = self.place_of(&Under::Row(self.anchor.clone()?))?;
        Some((anchor.min(self.cursor), anchor.max(self.cursor)))
    }
}
