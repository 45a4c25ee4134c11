//! Rows with a cursor and a filter; the view is given a window of them, never all.

use super::Failure;
use super::rows::Row;

/// Rows, which of them are shown, and where the cursor stands.
#[derive(Debug)]
pub struct Table<R> {
    rows: Vec<R>,
    /// Places in `rows` that pass the filter.
    shown: Vec<usize>,
    /// A place in `shown`.
    cursor: usize,
    /// The key of the row under the cursor, for it to stay there when rows come and go.
    under: Option<String>,
    /// A word of the row the cursor goes to as soon as that is there.
    wished: Option<String>,
    /// The first place in `shown` that is on the screen.
    offset: usize,
    /// What the user wants to see.
    pub filter: String,
    /// Whether the rows are there.
    pub state: Loaded,
}

/// Whether the rows are there.
#[derive(Debug, Default)]
pub enum Loaded {
    /// Not yet.
    #[default]
    No,
    /// They are.
    Yes,
    /// They could not be read.
    Failed(Failure),
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            shown: Vec::new(),
            cursor: 0,
            under: None,
            wished: None,
            offset: 0,
            filter: String::new(),
            state: Loaded::No,
        }
    }
}

impl<R: Row> Table<R> {
    /// Takes new rows.
    pub fn set(&mut self, rows: Vec<R>) {
        self.rows = rows;
        self.state = Loaded::Yes;
    }

    /// Puts `row` in the place of the one with its key, or first.
    pub fn put(&mut self, row: R) {
        match self.rows.iter_mut().find(|old| old.key() == row.key()) {
            Some(old) => *old = row,
            None => self.rows.insert(0, row),
        }
    }

    /// Takes the row with `key` out.
    pub fn take(&mut self, key: &str) {
        self.rows.retain(|row| row.key() != key);
    }

    /// Decides anew which rows are shown: those with every word of the filter in them and
    /// that `keep` lets pass. The cursor stays on its row, else at its place.
    pub fn show(&mut self, keep: impl Fn(&R) -> bool) {
        let words: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        let passes = |row: &R| keep(row) && words.iter().all(|word| fits(row, word));
        self.shown = (0..self.rows.len()).filter(|at| passes(&self.rows[*at])).collect();
        if let Some(place) = self.wished.as_ref().and_then(|word| self.place_with(word)) {
            self.wished = None;
            self.select(place);
            return;
        }
        let stays = self.under.as_ref().and_then(|key| self.place_of(key));
        self.select(stays.unwrap_or(self.cursor));
    }

    /// Moves the cursor so many rows, and no further than there are rows.
    pub fn step(&mut self, by: isize) {
        self.select(self.cursor.saturating_add_signed(by));
    }

    /// Puts the cursor at a place, or on the last row.
    pub fn select(&mut self, place: usize) {
        self.cursor = place.min(self.shown.len().saturating_sub(1));
        self.under = self.selected().map(|row| row.key().to_owned());
    }

    /// Puts the cursor on the row with `key`, if it is shown.
    pub fn select_key(&mut self, key: &str) -> bool {
        let place = self.place_of(key);
        place.into_iter().for_each(|place| self.select(place));
        place.is_some()
    }

    /// As [`Table::expect`], for a row that is known by one of its words (an image's name).
    pub fn wish(&mut self, word: &str) {
        self.wished = Some(word.to_owned());
    }

    /// Remembers `key`, so that the cursor goes there as soon as that row is there.
    pub fn expect(&mut self, key: &str) {
        if !self.select_key(key) {
            self.under = Some(key.to_owned());
        }
    }

    /// Moves the window of `height` rows so that the cursor is in it.
    pub fn scroll_into(&mut self, height: usize) {
        let last = self.shown.len().saturating_sub(height);
        let first = (self.cursor + 1).saturating_sub(height);
        self.offset = self.offset.clamp(first, self.cursor.max(first)).min(last.max(first));
    }

    /// The row under the cursor.
    pub fn selected(&self) -> Option<&R> {
        self.shown.get(self.cursor).map(|at| &self.rows[*at])
    }

    /// The row with `key`, shown or not.
    pub fn get(&self, key: &str) -> Option<&R> {
        self.rows.iter().find(|row| row.key() == key)
    }

    /// The same, to change what is not its key.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut R> {
        self.rows.iter_mut().find(|row| row.key() == key)
    }

    /// Up to `height` rows of the window, each with whether the cursor is on it.
    pub fn window(&self, height: usize) -> impl Iterator<Item = (bool, &R)> {
        let places = self.shown.iter().enumerate().skip(self.offset).take(height);
        places.map(|(place, at)| (place == self.cursor, &self.rows[*at]))
    }

    /// The place of the row at line `line` of the window.
    pub fn place_at(&self, line: usize) -> Option<usize> {
        Some(self.offset + line).filter(|place| *place < self.shown.len())
    }

    /// Every row, shown or not.
    pub fn all(&self) -> &[R] {
        &self.rows
    }

    /// How many rows are shown.
    pub fn shown(&self) -> usize {
        self.shown.len()
    }

    fn place_with(&self, word: &str) -> Option<usize> {
        self.shown.iter().position(|at| self.rows[*at].words().contains(&word))
    }

    fn place_of(&self, key: &str) -> Option<usize> {
        self.shown.iter().position(|at| self.rows[*at].key() == key)
    }
}

/// Whether `word` (lower case; `!` before it: whether it is not) is in one of the row's words.
fn fits<R: Row>(row: &R, word: &str) -> bool {
    let (wanted, word) = word.strip_prefix('!').map_or((true, word), |word| (false, word));
    word.is_empty() || row.words().iter().any(|text| text.to_lowercase().contains(word)) == wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Row for &'static str {
        fn key(&self) -> &str {
            self
        }

        fn words(&self) -> Vec<&str> {
            vec![self]
        }
    }

    fn table(rows: &[&'static str]) -> Table<&'static str> {
        let mut table = Table::default();
        table.set(rows.to_vec());
        table.show(|_| true);
        table
    }

    #[test]
    fn the_cursor_stays_on_its_row_when_rows_come_and_go() {
        let mut table = table(&["a", "b", "c"]);
        table.select(1);
        table.put("new");
        table.show(|_| true);
        assert_eq!(table.selected(), Some(&"b"));
        table.take("b");
        table.show(|_| true);
        assert_eq!(table.selected(), Some(&"c"));
        table.set(vec![]);
        table.show(|_| true);
        assert_eq!(table.selected(), None);
    }

    #[test]
    fn a_filter_wants_every_word_and_may_exclude() {
        let mut table = table(&["web 1", "web 2", "db 1"]);
        for (filter, rows) in [("web", 2), ("1 web", 1), ("!web", 1), ("WEB", 2), ("!", 3), ("x", 0)] {
            filter.clone_into(&mut table.filter);
            table.show(|_| true);
            assert_eq!(table.shown(), rows, "{filter}");
        }
    }

    #[test]
    fn the_window_follows_the_cursor_and_shows_no_void() {
        let mut table = table(&["0", "1", "2", "3", "4", "5"]);
        for (cursor, height, first) in [(0, 3, "0"), (4, 3, "2"), (2, 3, "2"), (5, 3, "3"), (5, 9, "0")] {
            table.select(cursor);
            table.scroll_into(height);
            assert_eq!(table.window(height).next().unwrap().1, &first);
            assert!(table.window(height).any(|(is_under, _)| is_under));
        }
    }
}
