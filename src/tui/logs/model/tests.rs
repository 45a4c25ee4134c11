//! Tests a pane with a log of numbered lines that answers as the engine does.

use jiff::Timestamp;

use crate::engine::{Level, LogFrom, LogLine, LogQuery, LogSpot, LogWanted, Pattern, Stream};
use crate::tui::logs::model::*;

/// A log of this many lines, each ten bytes long in the file.
struct Log {
    lines: u64,
    /// The number of answers.
    asks: usize,
}

fn second(n: u64) -> Timestamp {
    Timestamp::from_second(i64::try_from(n).unwrap()).unwrap()
}

fn spot(n: u64) -> LogPlace {
    LogPlace(vec![LogSpot { place: n * 10, line: Some(n) }])
}

impl Log {
    fn text(n: u64) -> String {
        if n % 100 == 99 { format!("line {n} failed") } else { format!("line {n}") }
    }

    fn line(n: u64) -> LogLine {
        LogLine {
            source: 0,
            place: n * 10,
            end: n * 10 + 10,
            number: Some(n),
            time: second(n),
            stream: Stream::Stdout,
            weight: (n % 100 == 99).then_some(Level::Error),
            is_context: false,
            bytes: Self::text(n).into_bytes().into(),
        }
    }

    fn at(&self, from: &LogFrom) -> u64 {
        match from {
            LogFrom::First => 0,
            LogFrom::Time(time) => u64::try_from(time.as_second()).unwrap(),
            LogFrom::Last => self.lines,
            LogFrom::Place(place) => place.0[0].place / 10,
        }
    }

    fn page(&self, ask: &PageAsk, query: &LogQuery) -> LogPage {
        let at = self.at(&ask.from);
        let sieve = query.filter.compile().unwrap();
        let passes = |line: &LogLine| sieve.passes(line.stream, line.weight, &line.bytes);
        let above = (0..at).rev().map(Self::line).filter(passes).take(ask.up);
        let mut lines: Vec<LogLine> = above.collect();
        lines.reverse();
        let before = lines.len();
        lines.extend((at..self.lines).map(Self::line).filter(passes).take(ask.down));
        // As the engine does, the ends are those of the log if there are fewer lines than wanted.
        let is_whole = |there: usize, wanted: usize| there == wanted && wanted > 0;
        let start = match is_whole(before, ask.up) {
            true => lines[0].place / 10,
            false if ask.up == 0 => at,
            false => 0,
        };
        let end = match is_whole(lines.len() - before, ask.down) {
            true => lines[lines.len() - 1].end / 10,
            false if ask.down == 0 => at,
            false => self.lines,
        };
        LogPage {
            lines,
            at: before,
            start: spot(start),
            end: spot(end),
            is_first: start == 0,
            is_last: end == self.lines,
        }
    }

    fn find(&self, ask: &FindAsk, around: usize, search: &Pattern) -> Option<(LogHit, LogPage)> {
        let at = self.at(&ask.from);
        let search = search.compile().unwrap();
        let fits = |n: &u64| search.is_in(Self::text(*n).as_bytes());
        let found = if ask.up { (0..at).rev().find(fits) } else { (at..self.lines).find(fits) };
        let found = found?;
        let page = self.page(
            &PageAsk { from: LogFrom::Place(spot(found)), up: around, down: around },
            &LogQuery::default(),
        );
        Some((LogHit { source: 0, place: found * 10, at: spot(found) }, page))
    }

    fn state(&self, pane: &LogPane) -> LogState {
        LogState {
            first: vec![0],
            end: vec![self.lines * 10],
            lines: self.lines,
            is_counted: true,
            serial: pane.want().query.0,
            shown: self.lines,
            is_searched: true,
            ..LogState::default()
        }
    }

    /// Answers until the pane makes no more requests.
    fn serve(&mut self, pane: &mut LogPane) -> Vec<String> {
        let mut said = Vec::new();
        pane.take(LogNews::State(Box::new(self.state(pane))));
        pane.open(true);
        for _ in 0..100 {
            let want = pane.want();
            let Some((number, ask)) = want.ask else { return said };
            self.asks += 1;
            let news = match ask {
                LogAsk::Page(ask) => LogNews::Page(number, Ok(self.page(&ask, &want.query.1))),
                LogAsk::Find(ask, around) => {
                    LogNews::Found(number, Ok(self.find(&ask, around, want.query.1.search.as_ref().unwrap())))
                }
            };
            said.extend(pane.take(news));
            pane.request_missing();
        }
        panic!("it never has enough");
    }
}

fn pane(lines: u64) -> (LogPane, Log) {
    let mut pane = LogPane::default();
    let mut log = Log { lines, asks: 0 };
    let id: crate::engine::ContainerId = "ab".repeat(32).parse().unwrap();
    pane.show(vec![LogShown { id, name: "web".to_owned() }]);
    pane.resize(40, 10, second(0));
    pane.open(true);
    log.serve(&mut pane);
    (pane, log)
}

fn window(pane: &LogPane) -> (u64, u64) {
    let number = |seq: i64| pane.buffer.get(seq).unwrap().number.unwrap();
    (number(pane.window_top().0), number(pane.bottom()))
}

fn go(pane: &mut LogPane, log: &mut Log, change: impl FnOnce(&mut LogPane)) -> (u64, u64) {
    change(pane);
    log.serve(pane);
    window(pane)
}

#[test]
fn the_end_is_shown_first_and_both_ends_are_one_ask_away() {
    let (mut pane, mut log) = pane(2_000_000);
    assert_eq!((window(&pane), log.asks), ((1_999_990, 1_999_999), 1));
    log.asks = 0;
    assert_eq!(go(&mut pane, &mut log, LogPane::first), (0, 9));
    assert_eq!((log.asks, pane.is_paused), (1, true));
    assert_eq!(go(&mut pane, &mut log, |pane| pane.scroll(25)), (25, 34));
    assert_eq!(go(&mut pane, &mut log, LogPane::follow), (1_999_990, 1_999_999));
    assert!(!pane.is_paused);
}

#[test]
fn scrolling_pauses_and_what_comes_is_counted_and_not_jumped_to() {
    let (mut pane, mut log) = pane(1000);
    assert_eq!(go(&mut pane, &mut log, |pane| pane.scroll(-5)), (985, 994));
    log.lines += 18;
    log.serve(&mut pane);
    assert_eq!((window(&pane), pane.unseen()), ((985, 994), 18));
    pane.next_level();
    log.serve(&mut pane);
    assert_eq!(pane.unseen(), 18, "also after the filter has changed");
    pane.set_filter("").unwrap();
    log.serve(&mut pane);
    assert_eq!(pane.unseen(), 18);
    assert_eq!(go(&mut pane, &mut log, LogPane::follow), (1008, 1017));
    log.lines += 1;
    log.serve(&mut pane);
    assert_eq!((window(&pane), pane.unseen()), ((1009, 1018), 0));
}

#[test]
fn a_whole_log_is_scrolled_through_without_ever_being_held() {
    let (mut pane, mut log) = pane(30_000);
    let mut top = window(&pane).0;
    while top > 0 {
        let now = go(&mut pane, &mut log, |pane| pane.scroll(-30)).0;
        assert_eq!(now, top.saturating_sub(30));
        top = now;
        assert!(pane.buffer.end() - pane.buffer.first() <= 4500);
    }
    while top < 29_990 {
        let now = go(&mut pane, &mut log, |pane| pane.scroll(30)).0;
        assert_eq!(now, (top + 30).min(29_990));
        top = now;
        assert!(pane.buffer.end() - pane.buffer.first() <= 4500);
    }
}

#[test]
fn matches_are_gone_to_both_ways_and_the_last_one_says_so() {
    let (mut pane, mut log) = pane(1000);
    pane.search_for("failed").unwrap();
    log.serve(&mut pane);
    let hit = |pane: &LogPane| pane.hit.as_ref().map(|hit| hit.place / 10);
    assert_eq!((hit(&pane), pane.is_paused), (Some(999), true));
    go(&mut pane, &mut log, |pane| pane.seek(true, LogWanted::Match));
    assert_eq!(hit(&pane), Some(899));
    let (top, bottom) = window(&pane);
    assert!((top..=bottom).contains(&899));
    go(&mut pane, &mut log, |pane| pane.seek(false, LogWanted::Match));
    assert_eq!(hit(&pane), Some(999));
    pane.seek(false, LogWanted::Match);
    assert_eq!(log.serve(&mut pane), ["no later match for `failed`"]);
    assert_eq!(hit(&pane), Some(999));
    pane.take(LogNews::Rank(spot(1000), 10));
    assert_eq!(pane.hit.as_ref().unwrap().rank, Some(10));
    assert!(pane.search_for("re:a(").is_err());
    assert_eq!(pane.search, "failed");
}

#[test]
fn wrapped_lines_are_scrolled_by_rows_and_the_place_stays_when_the_window_changes() {
    let (mut pane, mut log) = pane(1000);
    pane.wraps = true;
    pane.resize(8, 10, second(0)); // 7 columns of text: `line 12` fits, `line 123` does not
    pane.scroll(-2);
    log.serve(&mut pane);
    let top = |pane: &LogPane| (pane.buffer.get(pane.top.0).unwrap().number.unwrap(), pane.top.1);
    // `line 999 failed` takes three rows, the others two.
    assert_eq!(top(&pane), (994, 1));
    pane.scroll(-1);
    assert_eq!(top(&pane), (994, 0));
    pane.scroll(3);
    assert_eq!(top(&pane), (995, 1));
    let line = pane.top.0;
    pane.resize(40, 10, second(0));
    assert_eq!(pane.top.0.min(line), pane.top.0);
    assert!(pane.top <= pane.bottom_top());
}

#[test]
fn lines_are_selected_and_copied() {
    let (mut pane, mut log) = pane(1000);
    pane.select();
    assert_eq!(pane.copied().unwrap(), (1, "line 999 failed".to_owned()));
    for _ in 0..2 {
        pane.select_by(-1);
    }
    log.serve(&mut pane);
    assert_eq!(pane.copied().unwrap(), (3, "line 997\nline 998\nline 999 failed".to_owned()));
    pane.select_by(-20);
    log.serve(&mut pane);
    assert_eq!((window(&pane).0, pane.copied().unwrap().0), (977, 23));
    pane.select();
    assert_eq!(pane.selected, None);
}

#[test]
fn clearing_hides_what_there_is_and_all_brings_it_back() {
    let (mut pane, mut log) = pane(1000);
    pane.clear(second(1000));
    assert_eq!(pane.query().floor, Some(spot(1000)));
    assert_eq!(pane.since_moment(), Some(second(1000)));
    pane.since(Since::All);
    log.serve(&mut pane);
    assert_eq!((pane.query().floor, pane.since_moment()), (None, None));
    pane.since(Since::Time(second(400)));
    log.serve(&mut pane);
    assert_eq!(pane.query().floor, Some(spot(400)));
    pane.since(Since::Tail);
    log.serve(&mut pane);
    assert_eq!(pane.query().floor, Some(spot(0)));
    assert!(!pane.is_paused);
}

#[test]
fn a_drawn_line_stands_where_it_was_drawn() {
    let (mut pane, mut log) = pane(100);
    pane.mark(second(99));
    assert_eq!((pane.height(pane.buffer.end() - 1), pane.marks_after(pane.buffer.end() - 1).count()), (2, 1));
    log.lines += 5;
    log.serve(&mut pane);
    let marked: Vec<i64> =
        (pane.buffer.first()..pane.buffer.end()).filter(|seq| pane.marks_before(*seq).count() > 0).collect();
    assert_eq!(pane.buffer.get(marked[0]).unwrap().number, Some(100));
    assert_eq!(marked.len(), 1);
}

#[test]
fn a_log_that_was_hidden_is_at_the_same_time_again() {
    let (mut pane, mut log) = pane(5000);
    go(&mut pane, &mut log, |pane| pane.scroll(-1000));
    let (top, serial) = (window(&pane).0, pane.serial);
    pane.open(false);
    pane.open(true);
    assert_eq!(pane.serial, serial + 1);
    log.serve(&mut pane);
    assert_eq!(window(&pane).0, top);
    let id = "cd".repeat(32).parse().unwrap();
    pane.show(vec![LogShown { id, name: "db".to_owned() }]);
    log.serve(&mut pane);
    assert_eq!((window(&pane).1, pane.is_paused), (4999, false));
}

#[test]
fn a_filter_keeps_the_place_and_answers_to_an_old_ask_do_nothing() {
    let (mut pane, mut log) = pane(5000);
    go(&mut pane, &mut log, |pane| pane.scroll(-1000));
    let top = window(&pane).0;
    pane.set_filter("line & !x").unwrap();
    pane.request_missing();
    let (number, _) = pane.want().ask.unwrap();
    assert!(pane.take(LogNews::Page(number - 1, Ok(LogPage::default()))).is_none());
    assert!(!pane.buffer.is_blank());
    log.serve(&mut pane);
    assert_eq!(window(&pane).0, top);
    assert!(pane.set_filter("re:[").is_err());
    assert_eq!(pane.filter, "line & !x");
}

#[test]
fn the_line_in_view_stays_there_while_the_level_goes_round() {
    let (mut pane, mut log) = pane(22_000);
    go(&mut pane, &mut log, |pane| pane.scroll(-45));
    for _ in 0..34 {
        go(&mut pane, &mut log, |pane| pane.scroll(-30));
    }
    let before = window(&pane);
    assert_eq!(before, (20_925, 20_934));
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(go(&mut pane, &mut log, LogPane::next_level));
    }
    // Lines without a level count as `info`.
    assert_eq!(seen, [before, before, (20_999, 21_899), (20_999, 21_899), before]);
    // From a place that was scrolled to among the errors, the way back leads to that one.
    for _ in 0..3 {
        go(&mut pane, &mut log, LogPane::next_level);
    }
    assert_eq!(go(&mut pane, &mut log, |pane| pane.scroll(1)), (21_099, 21_999));
    for _ in 0..2 {
        go(&mut pane, &mut log, LogPane::next_level);
    }
    assert_eq!(window(&pane).0, 21_099);
}

#[test]
fn a_match_in_the_middle_stays_in_its_row_while_the_level_goes_round() {
    let (mut pane, mut log) = pane(30_000);
    pane.search_for("line 10099 failed").unwrap();
    log.serve(&mut pane);
    go(&mut pane, &mut log, |pane| pane.scroll(-5));
    let row = |pane: &LogPane| {
        let hit = pane.hit.as_ref().unwrap();
        pane.buffer.find(hit.source, hit.place).unwrap() - pane.window_top().0
    };
    assert_eq!(row(&pane), 5);
    for _ in 0..5 {
        go(&mut pane, &mut log, LogPane::next_level);
        assert_eq!(row(&pane), 5);
    }
    pane.set_filter("failed").unwrap();
    log.serve(&mut pane);
    assert_eq!((row(&pane), window(&pane)), (5, (9599, 10_499)));
}

#[test]
fn a_match_in_the_last_line_stays_in_its_row_while_the_level_goes_round() {
    let (mut pane, mut log) = pane(30_000);
    pane.search_for("line 29999 failed").unwrap();
    log.serve(&mut pane);
    let row = |pane: &LogPane| {
        let hit = pane.hit.as_ref().unwrap();
        pane.buffer.find(hit.source, hit.place).unwrap() - pane.window_top().0
    };
    assert_eq!((row(&pane), pane.is_paused, window(&pane)), (9, true, (29_990, 29_999)));
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push((go(&mut pane, &mut log, LogPane::next_level), row(&pane)));
    }
    let all = ((29_990, 29_999), 9);
    let errors = ((29_099, 29_999), 9);
    assert_eq!(seen, [all, all, errors, errors, all]);
    // The row that it had is below a window that has become lower.
    pane.resize(40, 4, second(0));
    for _ in 0..5 {
        go(&mut pane, &mut log, LogPane::next_level);
        assert_eq!((row(&pane), window(&pane).1), (3, 29_999));
    }
}

#[test]
fn behind_the_last_line_of_a_level_the_nearest_one_is_shown() {
    let (mut pane, mut log) = pane(30_050);
    go(&mut pane, &mut log, |pane| pane.scroll(-5));
    let before = window(&pane);
    for _ in 0..3 {
        go(&mut pane, &mut log, LogPane::next_level);
    }
    assert_eq!(window(&pane), (29_099, 29_999));
    for _ in 0..2 {
        go(&mut pane, &mut log, LogPane::next_level);
    }
    assert_eq!(window(&pane), before);
}

#[test]
fn moments_are_read_as_people_write_them() {
    let now: Timestamp = "2026-11-22T14:00:00Z".parse().unwrap();
    for (typed, ago) in [("90s", 90), ("10m", 600), ("2h", 7200), ("3d", 259_200)] {
        assert_eq!(LogPane::moment(typed, now).unwrap(), now - jiff::SignedDuration::from_secs(ago));
    }
    assert_eq!(LogPane::moment("2026-11-22T13:00:00Z", now).unwrap().to_string(), "2026-11-22T13:00:00Z");
    assert!(LogPane::moment("14:02", now).is_ok() && LogPane::moment("2026-11-22 14:02", now).is_ok());
    for wrong in ["soon", "12x", "", "é", "99999999999d"] {
        assert!(LogPane::moment(wrong, now).is_err(), "{wrong}");
    }
}

#[test]
fn a_selection_reaches_a_far_line_without_cutting_those_between() {
    let allocated = |lines: u64| {
        let (mut pane, mut log) = pane(lines);
        pane.wraps = true;
        go(&mut pane, &mut log, |pane| pane.scroll(-10_000));
        assert_eq!(window(&pane), (0, 9));
        go(&mut pane, &mut log, LogPane::select);
        let allocated = allocation_counter::measure(|| pane.select_by(10_000)).count_total;
        assert_eq!(window(&pane), (lines - 10, lines - 1));
        allocated
    };
    let (few, many) = (allocated(50), allocated(500));
    assert!(few > 0 && many < few * 2, "{few} allocations for 50 lines, {many} for 500");
}
