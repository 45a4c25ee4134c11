//! Rows with a cursor, a filter, an order, marks and groups; the view is given a window of
//! them, never all.
//!
//! ```text
//!  rows ──filter, order, groups──▶ lines ──window──▶ screen
//!  set put take get_mut             show
//! ```
//! [`Table::show`] is called after every event and does only what is left to do: nothing when
//! nothing changed; one search and one insertion for a row that changed; everything when the
//! filter or the order did. Words of rows are joined once, when a row comes, so that no key
//! makes text for each row.

mod marks;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::Failure;
use super::columns::Column;
use super::filter::{Filter, hay};
use super::rows::Row;
use super::scroll::into_view;

/// More rows than this that changed at once are not worth being placed one by one.
const SINGLY: usize = 64;

/// Rows, which of them are shown, and where the cursor stands.
#[derive(Debug)]
pub struct Table<R> {
    rows: Vec<R>,
    /// The words of each row as a filter wants them; empty: to be made.
    hays: Vec<String>,
    /// Where the row with a key is.
    index: HashMap<String, usize>,
    lines: Vec<Place>,
    groups: Vec<Group>,
    folded: BTreeSet<String>,
    /// How many rows pass the filter, those of folded groups with them.
    passing: usize,
    /// A place in `lines`.
    cursor: usize,
    /// What is under the cursor, for it to stay there when rows come and go.
    under: Option<Under>,
    /// A word of the row the cursor goes to as soon as that is there.
    wished: Option<String>,
    /// The first place in `lines` that is on the screen.
    offset: usize,
    marks: HashSet<String>,
    /// The place where a range of marks begins; it goes to the cursor.
    anchor: Option<String>,
    order: Option<Order>,
    is_grouped: bool,
    hides_idle: bool,
    follows: bool,
    /// What the user wants to see; one that cannot be read leaves the one before in force.
    pub filter: String,
    read: String,
    wanted: Filter,
    /// What is left to do.
    left: Left,
    changed: Changed,
    /// Whether the rows are there.
    pub state: Loaded,
}

/// Which rows came, went or changed since somebody asked; not what they use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// Those with these keys.
    Rows(Vec<String>),
    /// Any of them.
    Everything,
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

/// By what rows are sorted. Those that are equal stay in the order they came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// The column.
    pub column: Column,
    /// The largest first.
    pub is_descending: bool,
}

/// A line of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a, R> {
    /// The heading of a group.
    Heading(&'a Group),
    /// A row.
    Row(&'a R),
}

/// Rows that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name; empty for rows that belong to none.
    pub name: String,
    /// How many of its rows are shown, or would be.
    pub count: usize,
    /// How many of those are up.
    pub up: usize,
    /// Only its heading is shown.
    pub is_folded: bool,
}

/// What is drawn of a line beside its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signs {
    /// The cursor is here.
    pub is_under: bool,
    /// Keys act on it.
    pub is_marked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Row(usize),
    Group(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Under {
    Row(String),
    Group(String),
}

/// What [`Table::show`] has to do.
#[derive(Debug, PartialEq, Eq)]
enum Left {
    /// Look at these rows.
    Rows(Vec<usize>),
    Everything,
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            hays: Vec::new(),
            index: HashMap::new(),
            lines: Vec::new(),
            groups: Vec::new(),
            folded: BTreeSet::new(),
            passing: 0,
            cursor: 0,
            under: None,
            wished: None,
            offset: 0,
            marks: HashSet::new(),
            anchor: None,
            order: None,
            is_grouped: false,
            hides_idle: false,
            follows: false,
            filter: String::new(),
            read: String::new(),
            wanted: Filter::default(),
            left: Left::Everything,
            changed: Changed::Everything,
            state: Loaded::No,
        }
    }
}

/// The rows themselves.
impl<R: Row> Table<R> {
    /// Takes new rows.
    pub fn set(&mut self, rows: Vec<R>) {
        self.rows = rows;
        self.hays = vec![String::new(); self.rows.len()];
        self.index = self.rows.iter().enumerate().map(|(at, row)| (row.key().to_owned(), at)).collect();
        self.marks.retain(|key| self.index.contains_key(key));
        self.state = Loaded::Yes;
        self.left = Left::Everything;
        self.changed = Changed::Everything;
    }

    /// Puts `row` in the place of the one with its key, or first.
    pub fn put(&mut self, row: R) {
        if let Some(old) = self.get_mut(row.key()) {
            *old = row;
            return;
        }
        self.note(row.key());
        self.index.values_mut().for_each(|at| *at += 1);
        self.index.insert(row.key().to_owned(), 0);
        self.rows.insert(0, row);
        self.hays.insert(0, String::new());
        for place in &mut self.lines {
            if let Place::Row(at) = place {
                *at += 1;
            }
        }
        if let Left::Rows(rows) = &mut self.left {
            rows.iter_mut().for_each(|at| *at += 1);
        }
        self.touch(0);
    }

    /// Takes the row with `key` out.
    pub fn take(&mut self, key: &str) {
        let Some(gone) = self.index.remove(key) else { return };
        self.note(key);
        self.rows.remove(gone);
        self.hays.remove(gone);
        self.marks.remove(key);
        let shift = |at: &mut usize| *at -= usize::from(*at > gone);
        self.index.values_mut().for_each(shift);
        let before = self.lines.len();
        self.lines.retain(|place| *place != Place::Row(gone));
        self.passing -= before - self.lines.len();
        for place in &mut self.lines {
            if let Place::Row(at) = place {
                shift(at);
            }
        }
        if let Left::Rows(rows) = &mut self.left {
            rows.retain(|at| *at != gone);
            rows.iter_mut().for_each(shift);
        }
        if self.is_grouped {
            self.left = Left::Everything;
        }
    }

    /// The row with `key`, shown or not.
    pub fn get(&self, key: &str) -> Option<&R> {
        self.index.get(key).map(|at| &self.rows[*at])
    }

    /// The same, to change what is not its key.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut R> {
        let at = *self.index.get(key)?;
        self.hays[at].clear();
        self.note(key);
        self.touch(at);
        Some(&mut self.rows[at])
    }

    /// The same, to change what no filter looks at; `column` is what changes.
    pub fn get_still(&mut self, key: &str, columns: &[Column]) -> Option<&mut R> {
        let at = *self.index.get(key)?;
        if self.order.is_some_and(|order| columns.contains(&order.column)) {
            self.touch(at);
        }
        Some(&mut self.rows[at])
    }

    /// Every row, shown or not.
    pub fn all(&self) -> &[R] {
        &self.rows
    }

    /// Keeps only the first `count` rows.
    pub fn truncate(&mut self, count: usize) {
        for row in self.rows.drain(count.min(self.rows.len())..) {
            self.index.remove(row.key());
            self.marks.remove(row.key());
        }
        self.hays.truncate(count);
        self.left = Left::Everything;
    }

    /// What changed since this was asked for the last time.
    pub fn changed(&mut self) -> Changed {
        std::mem::replace(&mut self.changed, Changed::Rows(Vec::new()))
    }

    fn note(&mut self, key: &str) {
        match &mut self.changed {
            Changed::Rows(rows) if rows.len() < SINGLY => rows.push(key.to_owned()),
            changed => *changed = Changed::Everything,
        }
    }

    fn touch(&mut self, at: usize) {
        match &mut self.left {
            Left::Rows(rows) if rows.len() < SINGLY => rows.push(at),
            _ => self.left = Left::Everything,
        }
    }
}

/// What is shown, and in which order.
impl<R: Row> Table<R> {
    /// Brings what is shown up to date. The cursor stays on its row, else at its place.
    pub fn show(&mut self) {
        if self.filter != self.read {
            self.filter.clone_into(&mut self.read);
            if let Ok(wanted) = Filter::parse(&self.filter) {
                self.wanted = wanted;
                self.left = Left::Everything;
            }
        }
        match std::mem::replace(&mut self.left, Left::Rows(Vec::new())) {
            Left::Rows(rows) if rows.is_empty() => {}
            Left::Rows(rows) if !self.is_grouped => self.place_again(rows),
            _ => self.place_all(),
        }
        if let Some(place) = self.wished.as_ref().and_then(|word| self.place_with(word)) {
            self.wished = None;
            self.select(place);
            return;
        }
        let stays =
            self.under.as_ref().filter(|_| !self.is_at_newest()).and_then(|under| self.place_of(under));
        self.cursor = stays.unwrap_or(self.cursor).min(self.lines.len().saturating_sub(1));
        if stays.is_none() {
            self.under = self.what_is_at(self.cursor);
        }
    }

    /// Whether the cursor goes with the newest row.
    fn is_at_newest(&self) -> bool {
        self.follows && self.cursor == 0 && self.order.is_none() && self.anchor.is_none()
    }

    /// One whose rows are made here: it never has to be read.
    #[must_use]
    pub fn of_ours() -> Self {
        Self { state: Loaded::Yes, ..Self::default() }
    }

    /// A cursor on the first row stays first, whatever comes; for rows of which one wants to
    /// see the newest.
    #[must_use]
    pub fn following(self) -> Self {
        Self { follows: true, ..self }
    }

    /// Hides rows that are idle, or shows them too.
    pub fn hide_idle(&mut self, hides: bool) {
        if self.hides_idle != hides {
            self.hides_idle = hides;
            self.left = Left::Everything;
        }
    }

    /// Sorts by a column; by the same again: the other way round.
    pub fn order_by(&mut self, column: Column) {
        let is_descending = match self.order {
            Some(order) if order.column == column => !order.is_descending,
            _ => column.is_largest_first(),
        };
        self.set_order(Some(Order { column, is_descending }));
    }

    /// Sorts so, or not at all.
    pub fn set_order(&mut self, order: Option<Order>) {
        self.order = order;
        self.left = Left::Everything;
    }

    /// By what it is sorted.
    pub fn order(&self) -> Option<Order> {
        self.order
    }

    /// Gathers rows of a group under a heading, or not.
    pub fn set_grouped(&mut self, is_grouped: bool) {
        self.is_grouped = is_grouped;
        self.left = Left::Everything;
    }

    /// Whether rows stand in groups.
    pub fn is_grouped(&self) -> bool {
        self.is_grouped
    }

    /// Folds the group the cursor is in, or unfolds it; gives whether there was something to do.
    pub fn fold(&mut self, folds: bool) -> bool {
        let Some(name) = self.group_under().map(|group| group.name.clone()) else { return false };
        let has_changed = if folds { self.folded.insert(name.clone()) } else { self.folded.remove(&name) };
        if has_changed {
            self.under = Some(Under::Group(name));
            self.left = Left::Everything;
        }
        has_changed
    }

    /// The heading under the cursor.
    pub fn heading(&self) -> Option<&Group> {
        match self.lines.get(self.cursor) {
            Some(Place::Group(at)) => self.groups.get(*at),
            _ => None,
        }
    }

    /// How many rows pass the filter.
    pub fn shown(&self) -> usize {
        self.passing
    }

    fn group_under(&self) -> Option<&Group> {
        let lines = self.lines.get(..=self.cursor)?;
        lines.iter().rev().find_map(|place| match place {
            Place::Group(at) => self.groups.get(*at),
            Place::Row(_) => None,
        })
    }

    fn passes(&mut self, at: usize) -> bool {
        let row = &self.rows[at];
        if self.hides_idle && row.is_idle() {
            return false;
        }
        if self.wanted.is_empty() {
            return true;
        }
        if self.hays[at].is_empty() {
            self.hays[at] = hay(&row.words());
        }
        self.wanted.passes(&self.hays[at], &self.rows[at])
    }

    fn compare(&self, one: usize, other: usize) -> Ordering {
        let Some(order) = self.order else { return one.cmp(&other) };
        let by = self.rows[one].compare(&self.rows[other], order.column);
        let by = if order.is_descending { by.reverse() } else { by };
        by.then(one.cmp(&other))
    }

    fn place_all(&mut self) {
        let mut passing: Vec<usize> = (0..self.rows.len()).filter(|at| self.passes(*at)).collect();
        if self.order.is_some() {
            passing.sort_unstable_by(|one, other| self.compare(*one, *other));
        }
        self.passing = passing.len();
        self.groups.clear();
        if !self.is_grouped {
            self.lines = passing.into_iter().map(Place::Row).collect();
            return;
        }
        // Rows that belong to no group stand last.
        let mut groups: BTreeMap<(bool, &str), Vec<usize>> = BTreeMap::new();
        for at in passing {
            let name = self.rows[at].group();
            groups.entry((name.is_empty(), name)).or_default().push(at);
        }
        self.lines.clear();
        for ((_, name), rows) in groups {
            let is_folded = self.folded.contains(name);
            let up = rows.iter().filter(|at| !self.rows[**at].is_idle()).count();
            self.lines.push(Place::Group(self.groups.len()));
            self.groups.push(Group { name: name.to_owned(), count: rows.len(), up, is_folded });
            if !is_folded {
                self.lines.extend(rows.into_iter().map(Place::Row));
            }
        }
    }

    /// Places the rows that changed among the others, which are in order.
    fn place_again(&mut self, mut rows: Vec<usize>) {
        rows.sort_unstable();
        rows.dedup();
        self.lines.retain(|place| !matches!(place, Place::Row(at) if rows.binary_search(at).is_ok()));
        for at in rows {
            if !self.passes(at) {
                continue;
            }
            let before = |place: &Place| match place {
                Place::Row(other) => self.compare(*other, at) == Ordering::Less,
                Place::Group(_) => true,
            };
            let place = self.lines.partition_point(before);
            self.lines.insert(place, Place::Row(at));
        }
        self.passing = self.lines.len();
    }
}

/// The cursor and the window.
impl<R: Row> Table<R> {
    /// Moves the cursor so many lines, and no further than there are lines.
    pub fn step(&mut self, by: isize) {
        self.select(self.cursor.saturating_add_signed(by));
    }

    /// Puts the cursor at a place, or on the last line.
    pub fn select(&mut self, place: usize) {
        self.cursor = place.min(self.lines.len().saturating_sub(1));
        self.under = self.what_is_at(self.cursor);
    }

    /// Puts the cursor on the row with `key`, if it is shown. A folded group is unfolded.
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

    /// As [`Table::expect`], for a row that is known by one of its words (an image's name).
    pub fn wish(&mut self, word: &str) {
        self.wished = Some(word.to_owned());
    }

    /// Puts the cursor on the row with `key`, which is shown from the next [`Table::show`] on.
    pub fn expect(&mut self, key: &str) {
        if !self.select_key(key) {
            self.under = Some(Under::Row(key.to_owned()));
        }
    }

    /// Moves the window of `height` lines so that the cursor is in it.
    pub fn scroll_into(&mut self, height: usize) {
        self.offset = into_view(self.offset, self.cursor, height, self.lines.len());
    }

    /// The row under the cursor.
    pub fn selected(&self) -> Option<&R> {
        match self.lines.get(self.cursor)? {
            Place::Row(at) => self.rows.get(*at),
            Place::Group(_) => None,
        }
    }

    /// The place of the cursor, from 0.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// The rows among up to `height` lines of the window, each with whether the cursor is on it.
    pub fn window(&self, height: usize) -> impl Iterator<Item = (bool, &R)> {
        self.lines(height).filter_map(|(signs, line)| match line {
            Line::Row(row) => Some((signs.is_under, row)),
            Line::Heading(_) => None,
        })
    }

    /// Up to `height` lines of the window.
    pub fn lines(&self, height: usize) -> impl Iterator<Item = (Signs, Line<'_, R>)> {
        let range = self.range();
        let places = self.lines.iter().enumerate().skip(self.offset).take(height);
        places.map(move |(place, what)| {
            let is_under = place == self.cursor;
            match what {
                Place::Row(at) => {
                    let row = &self.rows[*at];
                    let is_marked = self.marks.contains(row.key())
                        || range.is_some_and(|(first, last)| (first..=last).contains(&place));
                    (Signs { is_under, is_marked }, Line::Row(row))
                }
                Place::Group(at) => {
                    let group = &self.groups[*at];
                    let is_marked = group.is_folded && !self.marks.is_empty() && self.has_marks(&group.name);
                    (Signs { is_under, is_marked }, Line::Heading(group))
                }
            }
        })
    }

    /// The place of what is at line `line` of the window.
    pub fn place_at(&self, line: usize) -> Option<usize> {
        Some(self.offset + line).filter(|place| *place < self.lines.len())
    }

    fn what_is_at(&self, place: usize) -> Option<Under> {
        Some(match self.lines.get(place)? {
            Place::Row(at) => Under::Row(self.rows.get(*at)?.key().to_owned()),
            Place::Group(at) => Under::Group(self.groups.get(*at)?.name.clone()),
        })
    }

    fn place_with(&self, word: &str) -> Option<usize> {
        self.lines
            .iter()
            .position(|place| matches!(place, Place::Row(at) if self.rows[*at].words().contains(&word)))
    }

    fn place_of(&self, under: &Under) -> Option<usize> {
        let wanted = match under {
            Under::Row(key) => Place::Row(*self.index.get(key)?),
            Under::Group(name) => Place::Group(self.groups.iter().position(|group| group.name == *name)?),
        };
        self.lines.iter().position(|place| *place == wanted)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    impl Row for &'static str {
        fn key(&self) -> &str {
            self
        }

        fn words(&self) -> Vec<&str> {
            vec![self]
        }

        fn compare(&self, other: &Self, _: Column) -> Ordering {
            self.cmp(other)
        }

        fn group(&self) -> &str {
            self.split_once('/').map_or("", |(group, _)| group)
        }
    }

    fn table(rows: &[&'static str]) -> Table<&'static str> {
        let mut table = Table::default();
        table.set(rows.to_vec());
        table.show();
        table
    }

    fn shown(table: &Table<&'static str>) -> String {
        let line = |(signs, line): (Signs, Line<'_, &'static str>)| {
            let sign = match (signs.is_under, signs.is_marked) {
                (true, true) => ">+",
                (true, false) => ">",
                (false, true) => "+",
                (false, false) => "",
            };
            match line {
                Line::Row(row) => format!("{sign}{row}"),
                Line::Heading(group) => format!("{sign}[{} {}/{}]", group.name, group.up, group.count),
            }
        };
        table.lines(99).map(line).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_cursor_stays_on_its_row_when_rows_come_and_go() {
        let mut table = table(&["a", "b", "c"]);
        table.select(1);
        table.put("new");
        table.show();
        assert_eq!(shown(&table), "new a >b c");
        table.take("b");
        table.show();
        assert_eq!(shown(&table), "new a >c");
        table.set(vec![]);
        table.show();
        assert_eq!(table.selected(), None);
    }

    #[test]
    fn a_filter_wants_every_word_and_may_exclude() {
        let mut table = table(&["web 1", "web 2", "db 1"]);
        for (filter, rows) in [("web", 2), ("1 web", 1), ("!web", 1), ("WEB", 2), ("!", 3), ("x", 0)] {
            filter.clone_into(&mut table.filter);
            table.show();
            assert_eq!(table.shown(), rows, "{filter}");
        }
    }

    #[test]
    fn a_filter_that_cannot_be_read_leaves_the_one_before() {
        let mut table = table(&["web", "db"]);
        for (filter, rows) in [("web", 1), ("re:(", 1), ("re:(d", 1), ("re:(d)b", 1), ("", 2)] {
            filter.clone_into(&mut table.filter);
            table.show();
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

    #[test]
    fn the_same_column_again_reverses_and_the_cursor_stays_on_its_row() {
        let mut table = table(&["b", "c", "a"]);
        for (shows, column) in [("a >b c", Column::Name), ("c >b a", Column::Name), ("c >b a", Column::Cpu)] {
            table.order_by(column);
            table.show();
            assert_eq!(shown(&table), shows);
        }
        table.set_order(None);
        table.show();
        assert_eq!(shown(&table), ">b c a");
    }

    #[test]
    fn a_row_that_changes_goes_to_its_place_without_the_others_being_sorted() {
        let mut table = table(&["d", "b", "f"]);
        table.order_by(Column::Name);
        table.show();
        table.put("c");
        table.put("z");
        table.take("f");
        table.show();
        assert_eq!(shown(&table), "b c >d z");
        "!c".clone_into(&mut table.filter);
        table.put("cc");
        table.show();
        assert_eq!(shown(&table), "b >d z");
        table.put("a");
        table.put("c2");
        table.show();
        assert_eq!((shown(&table).as_str(), table.shown()), ("a b >d z", 4));
    }

    #[test]
    fn groups_have_headings_and_fold() {
        let mut table = table(&["shop/web", "alone", "shop/db", "blog/app"]);
        table.set_grouped(true);
        table.show();
        assert_eq!(shown(&table), "[blog 1/1] blog/app [shop 2/2] >shop/web shop/db [ 1/1] alone");
        assert!(table.fold(true));
        table.show();
        assert_eq!(shown(&table), "[blog 1/1] blog/app >[shop 2/2] [ 1/1] alone");
        assert_eq!((table.selected(), table.shown()), (None, 4));
        assert_eq!(table.targets(), [&"shop/web", &"shop/db"]);
        table.mark();
        assert_eq!(shown(&table), "[blog 1/1] blog/app >+[shop 2/2] [ 1/1] alone");
        table.select(0);
        assert_eq!(table.targets(), [&"shop/web", &"shop/db"]);
        table.unmark();
        table.select(2);
        table.put("shop/new");
        table.show();
        assert_eq!(table.heading().unwrap().count, 3);
        assert!(table.select_key("shop/db"));
        assert_eq!(table.selected(), Some(&"shop/db"));
        assert!(!table.fold(false));
        table.set_grouped(false);
        table.show();
        assert_eq!(table.selected(), Some(&"shop/db"));
    }

    #[test]
    fn marks_are_set_by_row_by_range_and_all_at_once() {
        let mut table = table(&["a", "b", "c", "d"]);
        table.mark();
        table.step(2);
        table.range_mark();
        table.step(1);
        assert_eq!(shown(&table), "+a b +c >+d");
        table.step(-2);
        assert_eq!(shown(&table), "+a >+b +c d");
        table.range_mark();
        table.step(2);
        assert_eq!(shown(&table), "+a +b +c >d");
        assert_eq!(table.targets(), [&"a", &"b", &"c"]);
        "!b".clone_into(&mut table.filter);
        table.show();
        assert_eq!(table.mark_count(), (2, 3));
        table.take("a");
        table.show();
        assert_eq!(table.mark_count(), (1, 2));
        assert!(table.unmark());
        assert!(!table.unmark());
        assert_eq!(table.targets(), [table.selected().unwrap()]);
        table.mark_all();
        assert_eq!(table.mark_count(), (2, 2));
        table.mark_all();
        assert_eq!(table.mark_count(), (0, 0));
    }

    thread_local! {
        static ASKED: Cell<usize> = const { Cell::new(0) };
    }

    struct Counted(String);

    impl Row for Counted {
        fn key(&self) -> &str {
            &self.0
        }

        fn words(&self) -> Vec<&str> {
            ASKED.with(|asked| asked.set(asked.get() + 1));
            vec![&self.0]
        }

        fn compare(&self, other: &Self, _: Column) -> Ordering {
            ASKED.with(|asked| asked.set(asked.get() + 1));
            self.0.cmp(&other.0)
        }
    }

    #[test]
    fn no_event_costs_more_than_what_it_changed() {
        let mut table = Table::default();
        table.set((0..10_000).map(|n| Counted(format!("web-{n:05}"))).collect());
        "web".clone_into(&mut table.filter);
        table.order_by(Column::Name);
        table.show();
        let cost = |table: &mut Table<Counted>, what: &dyn Fn(&mut Table<Counted>)| {
            ASKED.with(|asked| asked.set(0));
            what(table);
            table.show();
            table.scroll_into(40);
            assert_eq!(table.lines(40).count(), 40);
            ASKED.with(Cell::get)
        };
        assert_eq!(cost(&mut table, &|table| table.step(1)), 0);
        assert_eq!(cost(&mut table, &|table| table.select(usize::MAX)), 0);
        assert_eq!(cost(&mut table, &|table| table.mark_all()), 0);
        assert_eq!(cost(&mut table, &|table| table.take("web-00007")), 0);
        // A row that changed: its words once, and a search among the others.
        assert!(cost(&mut table, &|table| table.put(Counted("web-05000".to_owned()))) < 20);
        assert!(cost(&mut table, &|table| table.put(Counted("web-new".to_owned()))) < 20);
        // A further letter of a filter reads what was joined before: it only sorts.
        let sorted = cost(&mut table, &|table| "web-01".clone_into(&mut table.filter));
        assert!(sorted < 10_000 * 15, "{sorted}");
        table.set_order(None);
        table.show();
        assert_eq!(cost(&mut table, &|table| "web-00".clone_into(&mut table.filter)), 0);
    }
}
