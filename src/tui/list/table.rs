//! Rows with a cursor, a filter, an order, marks and groups. The view receives only a window of
//! them.
//!
//! ```text
//!  rows ──filter, order, groups──▶ lines ──window──▶ screen
//!  set put take get_mut             show
//! ```
//! [`Table::show`] is called after every event and does only what is needed: nothing if nothing
//! changed, one search and one insertion for a changed row, everything if the filter or the order
//! changed. The words of a row are joined once, when the row is added, so that no key press builds
//! a text for each row.

mod marks;
#[cfg(test)]
mod tests;
mod window;

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::tui::failure::Failure;
use crate::tui::list::columns::Column;
use crate::tui::list::filter::{Filter, hay};
use crate::tui::list::rows::Row;

/// The maximum number of changed rows that are placed one by one.
const SINGLY: usize = 64;

/// Rows, including which of them are shown and where the cursor is.
#[derive(Debug)]
pub struct Table<R> {
    rows: Vec<R>,
    /// The joined words of each row, for filtering; empty if not yet joined.
    hays: Vec<String>,
    /// The index of each key's row.
    index: HashMap<String, usize>,
    lines: Vec<Slot>,
    groups: Vec<Group>,
    folded: BTreeSet<String>,
    /// The number of rows that pass the filter, including those in folded groups.
    passing: usize,
    /// An index into `lines`.
    cursor: usize,
    /// What is under the cursor, so that the cursor stays on it when rows come and go.
    under: Option<Under>,
    /// Whether the cursor moved because its row disappeared, rather than by a key.
    has_lost_its_row: bool,
    /// A word of a row; the cursor moves there as soon as the row exists.
    wished: Option<String>,
    /// The index of the first visible line in `lines`.
    offset: usize,
    marks: HashSet<String>,
    /// The number of marked rows, shown and in total; `None` if not yet counted.
    counted: Cell<Option<(usize, usize)>>,
    /// The width of the longest text of each column that was asked for since the rows changed.
    longest: RefCell<BTreeMap<Column, usize>>,
    /// The start of a range of marks, which extends to the cursor.
    anchor: Option<String>,
    order: Option<Order>,
    is_grouped: bool,
    /// The shown columns; empty for all.
    shown_columns: Vec<Column>,
    hides_idle: bool,
    follows: bool,
    /// The text of the filter; while it is invalid, the previous filter remains in force.
    pub filter: String,
    read: String,
    wanted: Filter,
    /// What [`Self::show`] has to do.
    left: Left,
    changed: Changed,
    /// Whether the rows have been loaded.
    pub state: Loaded,
}

/// The rows that were added, removed or changed since the last query, apart from their resource
/// usage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// The rows with these keys.
    Rows(Vec<String>),
    /// Possibly any row.
    Everything,
}

/// Whether the rows have been loaded.
#[derive(Debug, Default)]
pub enum Loaded {
    /// Not yet.
    #[default]
    No,
    /// The rows are available.
    Yes,
    /// The rows could not be read.
    Failed(Failure),
}

/// The order of rows. Equal rows keep the order in which they were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// The column.
    pub column: Column,
    /// Whether the largest value comes first.
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

/// A group of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name; empty for rows without a group.
    pub name: String,
    /// The number of rows that pass the filter.
    pub count: usize,
    /// How many of those are running.
    pub up: usize,
    /// Whether only its heading is shown.
    pub is_folded: bool,
}

/// Indicators that are drawn beside a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signs {
    /// Whether the cursor is here.
    pub is_under: bool,
    /// Whether the row is marked.
    pub is_marked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
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
    /// Place these rows.
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
            has_lost_its_row: false,
            wished: None,
            offset: 0,
            marks: HashSet::new(),
            counted: Cell::new(None),
            longest: RefCell::default(),
            anchor: None,
            order: None,
            is_grouped: false,
            shown_columns: Vec::new(),
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

/// Adding, changing and removing rows.
impl<R: Row> Table<R> {
    /// Replaces all rows.
    pub fn set(&mut self, rows: Vec<R>) {
        self.rows = rows;
        self.hays = vec![String::new(); self.rows.len()];
        self.index = self.rows.iter().enumerate().map(|(at, row)| (row.key().to_owned(), at)).collect();
        self.marks.retain(|key| self.index.contains_key(key));
        self.counted.set(None);
        self.longest.get_mut().clear();
        self.state = Loaded::Yes;
        self.left = Left::Everything;
        self.changed = Changed::Everything;
    }

    /// Replaces the row with the same key, or inserts `row` where it belongs.
    pub fn put(&mut self, row: R) {
        if let Some(old) = self.get_mut(row.key()) {
            *old = row;
            return;
        }
        self.note(row.key());
        let new = self.rows.partition_point(|other| other.precedes(&row));
        let shift = |at: &mut usize| *at += usize::from(*at >= new);
        self.index.values_mut().for_each(shift);
        self.index.insert(row.key().to_owned(), new);
        self.rows.insert(new, row);
        self.hays.insert(new, String::new());
        for place in &mut self.lines {
            if let Slot::Row(at) = place {
                shift(at);
            }
        }
        if let Left::Rows(rows) = &mut self.left {
            rows.iter_mut().for_each(shift);
        }
        self.touch(new);
    }

    /// Removes the row with `key`.
    pub fn take(&mut self, key: &str) {
        let Some(gone) = self.index.remove(key) else { return };
        self.note(key);
        self.rows.remove(gone);
        self.hays.remove(gone);
        self.marks.remove(key);
        self.counted.set(None);
        let shift = |at: &mut usize| *at -= usize::from(*at > gone);
        self.index.values_mut().for_each(shift);
        let before = self.lines.len();
        self.lines.retain(|place| *place != Slot::Row(gone));
        self.passing -= before - self.lines.len();
        for place in &mut self.lines {
            if let Slot::Row(at) = place {
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

    /// Returns the row with `key`, even if it is hidden.
    pub fn get(&self, key: &str) -> Option<&R> {
        self.index.get(key).map(|at| &self.rows[*at])
    }

    /// Like [`Self::get`], but mutable. The key must not change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut R> {
        let at = *self.index.get(key)?;
        self.hays[at].clear();
        self.note(key);
        self.touch(at);
        Some(&mut self.rows[at])
    }

    /// Like [`Self::get_mut`], for changes that do not affect filters; `columns` are the columns
    /// that change.
    pub fn get_still(&mut self, key: &str, columns: &[Column]) -> Option<&mut R> {
        let at = *self.index.get(key)?;
        if self.order.is_some_and(|order| columns.contains(&order.column)) {
            self.touch(at);
        }
        Some(&mut self.rows[at])
    }

    /// Returns all rows, including hidden ones.
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
        self.longest.get_mut().clear();
        self.left = Left::Everything;
    }

    /// Returns what changed since the last call.
    pub fn changed(&mut self) -> Changed {
        std::mem::replace(&mut self.changed, Changed::Rows(Vec::new()))
    }

    fn note(&mut self, key: &str) {
        self.longest.get_mut().clear();
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

/// Filter, order and groups.
impl<R: Row> Table<R> {
    /// Updates what is shown. The cursor stays on its row or, if the row is gone, at its position.
    pub fn show(&mut self) {
        if self.filter != self.read {
            self.filter.clone_into(&mut self.read);
            if let Ok(wanted) = Filter::parse(&self.filter) {
                self.wanted = wanted;
                self.left = Left::Everything;
            }
        }
        let left = std::mem::replace(&mut self.left, Left::Rows(Vec::new()));
        if left != Left::Rows(Vec::new()) || self.anchor.is_some() {
            self.counted.set(None);
        }
        match left {
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
            let now = self.what_is_at(self.cursor);
            self.has_lost_its_row |= self.under.is_some() && self.under != now;
            self.under = now;
        }
    }

    /// Whether the cursor's row disappeared (it was removed or hidden, or is no longer the newest)
    /// since the cursor was last moved.
    pub fn has_lost_its_row(&self) -> bool {
        self.has_lost_its_row
    }

    /// Accepts the row under the cursor as the selected one.
    pub fn accept_row(&mut self) {
        self.has_lost_its_row = false;
    }

    /// Whether the cursor stays on the newest row.
    fn is_at_newest(&self) -> bool {
        self.follows && self.cursor == 0 && self.order.is_none() && self.anchor.is_none()
    }

    /// Returns a table whose rows are created here and never have to be read.
    #[must_use]
    pub fn of_ours() -> Self {
        Self { state: Loaded::Yes, ..Self::default() }
    }

    /// Makes a cursor on the first row stay on the first row when rows are added, for lists whose
    /// newest row is the most interesting.
    #[must_use]
    pub fn following(self) -> Self {
        Self { follows: true, ..self }
    }

    /// Whether idle rows are hidden.
    #[must_use]
    pub fn hides_idle(&self) -> bool {
        self.hides_idle
    }

    /// Hides or shows idle rows.
    pub fn hide_idle(&mut self, hides: bool) {
        if self.hides_idle != hides {
            self.hides_idle = hides;
            self.left = Left::Everything;
        }
    }

    /// Sorts by a column, or reverses the order if it is the same column.
    pub fn order_by(&mut self, column: Column) {
        let is_descending = match self.order {
            Some(order) if order.column == column => !order.is_descending,
            _ => column.is_largest_first(),
        };
        self.set_order(Some(Order { column, is_descending }));
    }

    /// Sets or removes the order.
    pub fn set_order(&mut self, order: Option<Order>) {
        self.order = order;
        self.left = Left::Everything;
    }

    /// Returns the order.
    pub fn order(&self) -> Option<Order> {
        self.order
    }

    /// Sets whether rows are grouped under headings.
    pub fn set_grouped(&mut self, is_grouped: bool) {
        self.is_grouped = is_grouped;
        self.hays.iter_mut().for_each(String::clear);
        self.left = Left::Everything;
    }

    /// Sets which columns are shown, and so searched by filters.
    pub fn set_columns(&mut self, columns: &[Column]) {
        if self.shown_columns != columns {
            columns.clone_into(&mut self.shown_columns);
            self.hays.iter_mut().for_each(String::clear);
            self.left = Left::Everything;
        }
    }

    /// Whether rows are grouped.
    pub fn is_grouped(&self) -> bool {
        self.is_grouped
    }

    /// Folds or unfolds the group under the cursor; returns whether there was one to change.
    pub fn fold(&mut self, folds: bool) -> bool {
        let Some(name) = self.group_under().map(|group| group.name.clone()) else { return false };
        let has_changed = if folds { self.folded.insert(name.clone()) } else { self.folded.remove(&name) };
        if has_changed {
            self.under = Some(Under::Group(name));
            self.left = Left::Everything;
        }
        has_changed
    }

    /// Returns the heading under the cursor.
    pub fn heading(&self) -> Option<&Group> {
        match self.lines.get(self.cursor) {
            Some(Slot::Group(at)) => self.groups.get(*at),
            _ => None,
        }
    }

    /// Returns the width of the longest text in a column, including hidden rows, so that it does
    /// not change while a filter is typed.
    pub fn longest(&self, column: Column) -> usize {
        let widest = || self.rows.iter().map(|row| row.width(column)).max().unwrap_or_default();
        *self.longest.borrow_mut().entry(column).or_insert_with(widest)
    }

    /// Returns the number of lines of the list, including headings. A filter does not change it, so
    /// that nothing moves while it is typed.
    pub fn height(&self) -> usize {
        if self.wanted.is_empty() {
            return self.lines.len();
        }
        let shown = self.rows.iter().filter(|row| !(self.hides_idle && row.is_idle()));
        shown.count() + self.groups.len()
    }

    /// Returns the number of rows that pass the filter.
    pub fn shown(&self) -> usize {
        self.passing
    }

    fn group_under(&self) -> Option<&Group> {
        let lines = self.lines.get(..=self.cursor)?;
        lines.iter().rev().find_map(|place| match place {
            Slot::Group(at) => self.groups.get(*at),
            Slot::Row(_) => None,
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
            let (shown, is_grouped) = (&self.shown_columns, self.is_grouped);
            let shows = |column: Column| {
                shown.is_empty() || shown.contains(&column) || (is_grouped && column == Column::Project)
            };
            self.hays[at] = hay(&row.words(&shows));
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
            self.lines = passing.into_iter().map(Slot::Row).collect();
            return;
        }
        // Rows without a group come last.
        let mut groups: BTreeMap<(bool, &str), Vec<usize>> = BTreeMap::new();
        for at in passing {
            let name = self.rows[at].group();
            groups.entry((name.is_empty(), name)).or_default().push(at);
        }
        self.lines.clear();
        for ((_, name), rows) in groups {
            let is_folded = self.folded.contains(name);
            let up = rows.iter().filter(|at| !self.rows[**at].is_idle()).count();
            self.lines.push(Slot::Group(self.groups.len()));
            self.groups.push(Group { name: name.to_owned(), count: rows.len(), up, is_folded });
            if !is_folded {
                self.lines.extend(rows.into_iter().map(Slot::Row));
            }
        }
    }

    /// Places the changed rows among the others, which are sorted.
    fn place_again(&mut self, mut rows: Vec<usize>) {
        rows.sort_unstable();
        rows.dedup();
        self.lines.retain(|place| !matches!(place, Slot::Row(at) if rows.binary_search(at).is_ok()));
        for at in rows {
            if !self.passes(at) {
                continue;
            }
            let before = |place: &Slot| match place {
                Slot::Row(other) => self.compare(*other, at) == Ordering::Less,
                Slot::Group(_) => true,
            };
            let place = self.lines.partition_point(before);
            self.lines.insert(place, Slot::Row(at));
        }
        self.passing = self.lines.len();
    }
}
