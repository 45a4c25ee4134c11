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
#[cfg(test)]
mod tests;
mod window;

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::tui::failure::Failure;
use crate::tui::list::columns::Column;
use crate::tui::list::filter::{Filter, hay};
use crate::tui::list::rows::Row;

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
    lines: Vec<Slot>,
    groups: Vec<Group>,
    folded: BTreeSet<String>,
    /// How many rows pass the filter, those of folded groups with them.
    passing: usize,
    /// A place in `lines`.
    cursor: usize,
    /// What is under the cursor, for it to stay there when rows come and go.
    under: Option<Under>,
    /// The cursor is where it is because its row went, and not because somebody put it there.
    has_lost_its_row: bool,
    /// A word of the row the cursor goes to as soon as that is there.
    wished: Option<String>,
    /// The first place in `lines` that is on the screen.
    offset: usize,
    marks: HashSet<String>,
    /// How many are marked, of those shown and in all; `None`: to be counted.
    counted: Cell<Option<(usize, usize)>>,
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
            has_lost_its_row: false,
            wished: None,
            offset: 0,
            marks: HashSet::new(),
            counted: Cell::new(None),
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
        self.counted.set(None);
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
            if let Slot::Row(at) = place {
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

    /// Whether the cursor's row went (removed, hidden, or no longer the newest) since somebody
    /// put the cursor there.
    pub fn has_lost_its_row(&self) -> bool {
        self.has_lost_its_row
    }

    /// Takes the row under the cursor for the one that is meant.
    pub fn accept_row(&mut self) {
        self.has_lost_its_row = false;
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
            Some(Slot::Group(at)) => self.groups.get(*at),
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
            self.lines = passing.into_iter().map(Slot::Row).collect();
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
            self.lines.push(Slot::Group(self.groups.len()));
            self.groups.push(Group { name: name.to_owned(), count: rows.len(), up, is_folded });
            if !is_folded {
                self.lines.extend(rows.into_iter().map(Slot::Row));
            }
        }
    }

    /// Places the rows that changed among the others, which are in order.
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
