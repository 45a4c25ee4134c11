//! Tests of adding, removing, filtering, sorting, grouping and marking rows.

use std::borrow::Cow;
use std::cell::Cell;

use crate::tui::list::table::*;

impl Row for &'static str {
    fn key(&self) -> &str {
        self
    }

    fn words(&self, _: &dyn Fn(Column) -> bool) -> Vec<Cow<'_, str>> {
        vec![Cow::Borrowed(*self)]
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
    static KEYS: Cell<usize> = const { Cell::new(0) };
}

struct Counted(String);

impl Row for Counted {
    fn key(&self) -> &str {
        KEYS.with(|keys| keys.set(keys.get() + 1));
        &self.0
    }

    fn words(&self, _: &dyn Fn(Column) -> bool) -> Vec<Cow<'_, str>> {
        ASKED.with(|asked| asked.set(asked.get() + 1));
        vec![Cow::from(&self.0)]
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
    // A changed row: its words are read once, then it is compared with some others.
    assert!(cost(&mut table, &|table| table.put(Counted("web-05000".to_owned()))) < 20);
    assert!(cost(&mut table, &|table| table.put(Counted("web-new".to_owned()))) < 20);
    // Another letter in a filter uses the joined words: it only sorts.
    let sorted = cost(&mut table, &|table| "web-01".clone_into(&mut table.filter));
    assert!(sorted < 10_000 * 15, "{sorted}");
    table.set_order(None);
    table.show();
    assert_eq!(cost(&mut table, &|table| "web-00".clone_into(&mut table.filter)), 0);
}

#[test]
fn marks_are_counted_once_for_each_change_and_not_in_each_frame() {
    let mut table = Table::default();
    table.set((0..10_000).map(|n| Counted(format!("web-{n:05}"))).collect());
    table.show();
    table.mark_all();
    table.show();
    let frame = |table: &mut Table<Counted>| {
        KEYS.with(|keys| keys.set(0));
        table.show();
        table.scroll_into(40);
        assert_eq!((table.mark_count(), table.lines(40).count()), ((10_000, 10_000), 40));
        KEYS.with(Cell::get)
    };
    assert!(frame(&mut table) > 10_000);
    table.step(3);
    assert!(frame(&mut table) < 100, "only what is drawn is looked at");
    // A range extends to the cursor.
    table.unmark();
    table.range_mark();
    table.step(4);
    assert_eq!(table.mark_count(), (5, 5));
    table.step(-2);
    assert_eq!(table.mark_count(), (3, 3));
}

#[test]
fn the_height_follows_folds_and_not_the_filter() {
    let mut table = table(&["x/a", "x/b", "y/c", "d"]);
    assert_eq!(table.height(), 4);
    "b".clone_into(&mut table.filter);
    table.show();
    assert_eq!((table.shown(), table.height()), (1, 4));
    table.filter.clear();
    table.set_grouped(true);
    table.show();
    assert_eq!(table.height(), 7);
    assert!(table.fold(true));
    table.show();
    assert_eq!(table.height(), 5);
}
