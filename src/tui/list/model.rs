//! The current list, independent of the type of its rows.

use std::time::Duration;

use jiff::Timestamp;

use crate::tui::failure::Failure;
use crate::tui::list::columns;
use crate::tui::list::columns::{Column, GAP, gutter};
use crate::tui::list::jumps::Spot;
use crate::tui::list::table::{Loaded, Order, Table};
use crate::tui::model::Model;
use crate::tui::model::targets::{About, about};
use crate::tui::section::Subject;
use crate::tui::words::{Beyond, next_age};

/// The operations that all tables support.
pub trait List {
    /// Moves the cursor by this many lines.
    fn step(&mut self, by: isize);
    /// Moves the cursor to a position.
    fn select(&mut self, place: usize);
    /// Moves the cursor to the row with this key, if it is shown.
    fn select_key(&mut self, key: &str) -> bool;
    /// Returns the key of the row under the cursor.
    fn key(&self) -> Option<String>;
    /// Returns the number of rows, including hidden ones.
    fn count(&self) -> usize;
    /// Returns the subject of the row under the cursor.
    fn subject(&self, model: &Model) -> Option<Subject>;
    /// Returns the subjects of the marked rows, in their order.
    fn marked(&self, model: &Model) -> Vec<Subject>;
    /// Returns what verbs apply to: see [`Table::targets`].
    fn targets(&self, model: &Model) -> Vec<Subject>;
    /// Records that the list could not be read.
    fn fail(&mut self, failure: Failure);
    /// Returns the position of a line of the window.
    fn place_at(&self, line: usize) -> Option<usize>;
    /// Returns the text of the filter, mutable.
    fn filter(&mut self) -> &mut String;
    /// See [`Table::mark`].
    fn mark(&mut self);
    /// See [`Table::range_mark`].
    fn range_mark(&mut self);
    /// Whether a range is being marked.
    fn draws_range(&self) -> bool;
    /// See [`Table::mark_all`].
    fn mark_all(&mut self);
    /// See [`Table::unmark`].
    fn unmark(&mut self) -> bool;
    /// See [`Table::mark_count`].
    fn mark_count(&self) -> (usize, usize);
    /// See [`Table::order_by`].
    fn order_by(&mut self, column: Column);
    /// See [`Table::set_order`].
    fn set_order(&mut self, order: Option<Order>);
    /// Returns the order.
    fn order(&self) -> Option<Order>;
    /// See [`Table::set_columns`].
    fn set_columns(&mut self, columns: &[Column]);
    /// Whether rows are grouped.
    fn is_grouped(&self) -> bool;
    /// See [`Table::fold`].
    fn fold(&mut self, folds: bool) -> bool;
    /// Whether the group is folded whose heading is under the cursor; `None` if there is no
    /// heading.
    fn heading_is_folded(&self) -> Option<bool>;
    /// See [`Table::show`].
    fn show(&mut self);
    /// See [`Table::has_lost_its_row`].
    fn has_lost_its_row(&self) -> bool;
    /// See [`Table::accept_row`].
    fn accept_row(&mut self);
    /// See [`Table::scroll_into`].
    fn scroll_into(&mut self, rows: usize);
    /// Returns the time until an age in these columns of a window of `rows` lines changes.
    fn next_age(&self, rows: usize, columns: &[(Column, usize)], now: Timestamp) -> Option<Duration>;
    /// Returns the key of the row with this subject.
    fn key_of(&self, model: &Model, subject: &Subject) -> Option<String>;
    /// See [`Table::longest`].
    fn longest(&self, column: Column) -> usize;
    /// See [`Table::height`].
    fn height(&self) -> usize;
    /// Returns the key and name of each row, including hidden ones.
    fn titles(&self) -> Vec<(String, String)>;
}

impl<R: About> List for Table<R> {
    fn step(&mut self, by: isize) {
        Self::step(self, by);
    }

    fn select(&mut self, place: usize) {
        Self::select(self, place);
    }

    fn select_key(&mut self, key: &str) -> bool {
        Self::select_key(self, key)
    }

    fn key(&self) -> Option<String> {
        self.selected().map(|row| row.key().to_owned())
    }

    fn count(&self) -> usize {
        self.all().len()
    }

    fn subject(&self, model: &Model) -> Option<Subject> {
        self.selected().and_then(|row| row.about(model))
    }

    fn marked(&self, model: &Model) -> Vec<Subject> {
        about(model, Self::marked(self))
    }

    fn targets(&self, model: &Model) -> Vec<Subject> {
        about(model, Self::targets(self))
    }

    fn fail(&mut self, failure: Failure) {
        self.state = Loaded::Failed(failure);
    }

    fn place_at(&self, line: usize) -> Option<usize> {
        Self::place_at(self, line)
    }

    fn filter(&mut self) -> &mut String {
        &mut self.filter
    }

    fn mark(&mut self) {
        Self::mark(self);
    }

    fn range_mark(&mut self) {
        Self::range_mark(self);
    }

    fn draws_range(&self) -> bool {
        Self::draws_range(self)
    }

    fn mark_all(&mut self) {
        Self::mark_all(self);
    }

    fn unmark(&mut self) -> bool {
        Self::unmark(self)
    }

    fn mark_count(&self) -> (usize, usize) {
        Self::mark_count(self)
    }

    fn order_by(&mut self, column: Column) {
        Self::order_by(self, column);
    }

    fn set_order(&mut self, order: Option<Order>) {
        Self::set_order(self, order);
    }

    fn order(&self) -> Option<Order> {
        Self::order(self)
    }

    fn set_columns(&mut self, columns: &[Column]) {
        Self::set_columns(self, columns);
    }

    fn is_grouped(&self) -> bool {
        Self::is_grouped(self)
    }

    fn fold(&mut self, folds: bool) -> bool {
        Self::fold(self, folds)
    }

    fn heading_is_folded(&self) -> Option<bool> {
        self.heading().map(|group| group.is_folded)
    }

    fn show(&mut self) {
        Self::show(self);
    }

    fn has_lost_its_row(&self) -> bool {
        Self::has_lost_its_row(self)
    }

    fn accept_row(&mut self) {
        Self::accept_row(self);
    }

    fn scroll_into(&mut self, rows: usize) {
        Self::scroll_into(self, rows);
    }

    fn next_age(&self, rows: usize, columns: &[(Column, usize)], now: Timestamp) -> Option<Duration> {
        let moments = self
            .window(rows)
            .flat_map(|(_, row)| columns.iter().filter_map(|(column, _)| row.moment(*column)));
        moments.map(|then| next_age(now.duration_since(then))).min()
    }

    fn key_of(&self, model: &Model, subject: &Subject) -> Option<String> {
        let row = self.all().iter().find(|row| row.about(model).as_ref() == Some(subject));
        row.map(|row| row.key().to_owned())
    }

    fn longest(&self, column: Column) -> usize {
        Self::longest(self, column)
    }

    fn height(&self) -> usize {
        Self::height(self)
    }

    fn titles(&self) -> Vec<(String, String)> {
        self.all().iter().map(|row| (row.key().to_owned(), row.title())).collect()
    }
}

impl Model {
    /// Returns the current list.
    #[must_use]
    pub fn list(&self) -> &dyn List {
        self.list_of(self.section)
    }

    /// Like [`Self::list`], but mutable.
    pub fn list_mut(&mut self) -> &mut dyn List {
        self.list_of_mut(self.section)
    }

    /// Returns the width before the columns of the list.
    #[must_use]
    pub fn gutter(&self) -> usize {
        gutter(self.section, self.list().is_grouped())
    }

    /// Returns the columns that fit into the list, with their widths.
    #[must_use]
    pub fn fitted_columns(&self) -> Vec<(Column, usize)> {
        let width = self.layout().list.map_or(0, |list| usize::from(list.width.saturating_sub(2)));
        // One blank before the right border.
        let room = width.saturating_sub(self.gutter() + 1);
        let columns = self.saved.columns.of(self.section);
        let list = self.list();
        columns::fit(&columns, room, self.scrolled_columns, |column| list.longest(column))
    }

    /// Returns on which sides columns of the list are hidden that scrolling shows.
    #[must_use]
    pub fn hidden_columns(&self) -> Beyond {
        let columns = self.saved.columns.of(self.section);
        let (scrolled, most) = (self.scrolled_columns, columns.len().saturating_sub(2));
        let shown = self.fitted_columns();
        let is_hidden = |column| !shown.iter().any(|(other, _)| *other == column);
        // Without a row, there are no headings either.
        let has_rows = self.list().key().is_some();
        let others = columns.into_iter().skip(1 + scrolled).any(is_hidden);
        Beyond { before: scrolled > 0, after: has_rows && scrolled < most && others }
    }

    /// Returns the time until an age in the visible list, or in the line above a zoomed pane,
    /// changes.
    #[must_use]
    pub fn next_age(&self) -> Option<Duration> {
        let layout = self.layout();
        let listed = layout
            .list
            .and_then(|_| self.list().next_age(layout.list_rows(), &self.fitted_columns(), self.now));
        let zoomed = self.container().filter(|_| self.is_zoomed);
        let zoomed = zoomed.map(|row| next_age(self.now.duration_since(row.since())));
        listed.into_iter().chain(zoomed).min()
    }

    /// Returns the position of the cursor.
    #[must_use]
    pub fn spot(&self) -> Spot {
        Spot { section: self.section, key: self.list().key() }
    }

    /// Returns the list column at column `x` of the terminal.
    #[must_use]
    pub fn column_at(&self, x: u16) -> Option<Column> {
        let list = self.layout().list?;
        let mut at = usize::from(list.x) + 1 + self.gutter();
        self.fitted_columns().into_iter().find_map(|(column, width)| {
            let here = at..at + width + GAP;
            at = here.end;
            here.contains(&usize::from(x)).then_some(column)
        })
    }
}
