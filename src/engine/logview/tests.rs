//! Views of real files: pages, filters, searches, merged logs, growth.

use std::path::Path;
use std::time::Duration;

use super::*;
use jiff::Timestamp;

use crate::container::LogOptions;
use crate::container::log::{Filter, Pattern, Rule, Stream, Writer};

fn second(n: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + n).unwrap()
}

fn writer(folder: &Path) -> Writer {
    let options = LogOptions { max_size: Some(300_000), max_files: Some(100), ..LogOptions::default() };
    Writer::open(folder, &options).unwrap()
}

/// Writes lines with these numbers, one per second; every hundredth is an error.
fn write(writer: &mut Writer, numbers: impl Iterator<Item = i64>) {
    for n in numbers {
        let word = if n % 100 == 0 { "ERROR" } else { "INFO" };
        let stream = if n % 2 == 0 { Stream::Stdout } else { Stream::Stderr };
        writer.write(stream, format!("{n} {word} of the job\n").as_bytes(), second(n)).unwrap();
        writer.flush().unwrap();
    }
}

fn open(folders: &[&Path]) -> LogView {
    LogView::open(folders.iter().map(|&folder| folder.to_owned()).collect(), "`web`".to_owned()).unwrap()
}

fn numbers(page: &LogPage) -> Vec<i64> {
    let text = |line: &LogLine| String::from_utf8(line.bytes.to_vec()).unwrap();
    page.lines.iter().map(|line| text(line).split(' ').next().unwrap().parse().unwrap()).collect()
}

/// Applies `rules`, and waits until everything is counted.
async fn look_for(view: &LogView, serial: u64, rules: &str, context: usize, search: &str) -> LogState {
    let filter = Filter { rules: Rule::list(rules), context, ..Filter::default() };
    let search = (!search.is_empty()).then(|| Pattern::new(search));
    view.look_for(serial, &LogQuery { filter, search, floor: None }).unwrap();
    let mut state = view.state();
    let is_done = |state: &LogState| state.serial == serial && state.is_searched && state.is_counted;
    tokio::time::timeout(Duration::from_secs(20), state.wait_for(is_done)).await.unwrap().unwrap().clone()
}

async fn page(view: &LogView, from: LogFrom, up: usize, down: usize) -> LogPage {
    view.page(PageAsk { from, up, down }).await.unwrap()
}

#[tokio::test]
async fn pages_lead_from_any_place_to_both_ends_and_number_their_lines() {
    let dir = tempfile::tempdir().unwrap();
    write(&mut writer(dir.path()), 0..8000);
    let view = open(&[dir.path()]);
    let first = page(&view, LogFrom::First, 10, 10).await;
    assert_eq!(numbers(&first), (0..10).collect::<Vec<_>>());
    assert!(first.is_first && !first.is_last && first.lines[9].number == Some(9));
    let state = look_for(&view, 1, "", 0, "").await;
    assert_eq!((state.lines, state.shown, state.errors), (8000, 8000, 80));
    let last = page(&view, LogFrom::Last, 10, 10).await;
    assert_eq!(numbers(&last), (7990..8000).collect::<Vec<_>>());
    assert!(last.is_last && last.lines[0].number == Some(7990));
    // Go up to the beginning, page by page.
    let (mut top, mut shown) = (last, Vec::new());
    while !top.is_first {
        shown.splice(0..0, numbers(&top));
        top = page(&view, LogFrom::Place(top.start), 700, 0).await;
        assert_eq!(
            top.lines.first().and_then(|line| line.number),
            numbers(&top).first().map(|n| n.unsigned_abs())
        );
    }
    shown.splice(0..0, numbers(&top));
    assert_eq!(shown, (0..8000).collect::<Vec<_>>());
    let there = page(&view, LogFrom::Time(second(4000)), 2, 2).await;
    assert_eq!((numbers(&there), there.at), (vec![3998, 3999, 4000, 4001], 2));
}

#[tokio::test]
async fn a_filter_shows_lines_around_matches_whichever_way_one_comes() {
    let dir = tempfile::tempdir().unwrap();
    write(&mut writer(dir.path()), 0..3000);
    let view = open(&[dir.path()]);
    let state = look_for(&view, 1, "ERROR", 2, "").await;
    assert_eq!(state.shown, 30);
    let down = page(&view, LogFrom::First, 0, 8).await;
    assert_eq!(numbers(&down)[..8], [0, 1, 2, 98, 99, 100, 101, 102]);
    assert_eq!(down.lines.iter().filter(|line| !line.is_context).count(), 2);
    let further = page(&view, LogFrom::Place(down.end), 0, 5).await;
    assert_eq!(numbers(&further), [198, 199, 200, 201, 202]);
    let up = page(&view, LogFrom::Place(further.start), 4, 0).await;
    assert_eq!(numbers(&up)[numbers(&up).len() - 4..], [99, 100, 101, 102]);
    let last = page(&view, LogFrom::Last, 5, 0).await;
    assert_eq!(numbers(&last), [2898, 2899, 2900, 2901, 2902]);
    // Without context, blocks without matches are not read, and the numbers are still right.
    look_for(&view, 2, r"re:^(12|2999)\b", 0, "").await;
    let all = page(&view, LogFrom::Last, 5, 0).await;
    assert_eq!((numbers(&all), all.is_first), (vec![12, 2999], true));
    assert_eq!(all.lines[0].number, Some(12));
    look_for(&view, 3, "!INFO & !re:00 ", 0, "").await;
    let all = page(&view, LogFrom::First, 0, 5).await;
    assert_eq!((numbers(&all), all.is_last), (vec![0], true));
}

#[tokio::test]
async fn logs_are_merged_by_time_and_places_lead_both_ways() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(&mut writer(one.path()), (0..5000).filter(|n| n % 3 == 0));
    write(&mut writer(two.path()), (0..5000).filter(|n| n % 3 != 0));
    let view = open(&[one.path(), two.path()]);
    let mut down = page(&view, LogFrom::First, 0, 900).await;
    let mut shown = numbers(&down);
    while !down.is_last {
        down = page(&view, LogFrom::Place(down.end), 0, 900).await;
        shown.extend(numbers(&down));
    }
    assert_eq!(shown, (0..5000).collect::<Vec<_>>());
    let up = page(&view, LogFrom::Place(down.end), 700, 0).await;
    assert_eq!(numbers(&up), (4300..5000).collect::<Vec<_>>());
    look_for(&view, 1, "", 0, "ERROR").await;
    let ask = FindAsk { from: LogFrom::Place(up.start), up: true, wanted: Wanted::Match };
    let hit = view.find(ask).await.unwrap().unwrap();
    let around = page(&view, LogFrom::Place(hit.at), 1, 2).await;
    assert_eq!(numbers(&around), [4199, 4200, 4201]);
}

#[tokio::test]
async fn matches_are_found_both_ways_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    write(&mut writer(dir.path()), 0..9000);
    let view = open(&[dir.path()]);
    let state = look_for(&view, 7, "", 0, "re:^(77|4321|8888) ").await;
    assert_eq!((state.hits, state.serial), (3, 7));
    let (mut from, mut found) = (LogFrom::Last, Vec::new());
    while let Some(hit) = view.find(FindAsk { from, up: true, wanted: Wanted::Match }).await.unwrap() {
        let line = page(&view, LogFrom::Place(hit.at.clone()), 0, 1).await;
        found.push((numbers(&line)[0], view.rank(line.end).await.unwrap(), line.lines[0].number));
        from = LogFrom::Place(hit.at);
    }
    assert_eq!(found, [(8888, Some(3), Some(8888)), (4321, Some(2), Some(4321)), (77, Some(1), Some(77))]);
    let ask = FindAsk { from: LogFrom::Time(second(4322)), up: false, wanted: Wanted::Grave };
    let hit = view.find(ask).await.unwrap().unwrap();
    assert_eq!(numbers(&page(&view, LogFrom::Place(hit.at), 0, 1).await), [4400]);
}

#[tokio::test]
async fn what_is_written_is_told_and_what_is_before_the_floor_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    write(&mut writer, 0..10);
    let view = open(&[dir.path()]);
    look_for(&view, 1, "", 0, "").await;
    let end = page(&view, LogFrom::Last, 0, 0).await.end;
    view.look_for(2, &LogQuery { floor: Some(end.clone()), ..LogQuery::default() }).unwrap();
    write(&mut writer, 10..6000); // causes a rotation
    let mut state = view.state();
    let all = |state: &LogState| state.serial == 2 && state.shown == 5990;
    tokio::time::timeout(Duration::from_secs(20), state.wait_for(all)).await.unwrap().unwrap();
    let new = page(&view, LogFrom::Place(end), 5, 3).await;
    assert_eq!((numbers(&new), new.is_first), (vec![10, 11, 12], true));
    assert_eq!(numbers(&page(&view, LogFrom::First, 0, 1).await), [10]);
}

#[test]
fn a_pattern_that_cannot_be_used_is_refused() {
    let filter = Filter { rules: Rule::list("re:a("), ..Filter::default() };
    let error = filter.compile().unwrap_err();
    assert_eq!(error.to_string(), "invalid regular expression `a(`: unclosed group");
}

#[tokio::test]
async fn a_log_that_is_not_begun_is_not_begun_by_looking_at_it() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("log");
    let view = open(&[&folder]);
    assert!(page(&view, LogFrom::First, 10, 10).await.lines.is_empty());
    look_for(&view, 1, "", 0, "").await;
    assert!(!folder.exists());
    write(&mut writer(&folder), 0..3);
    let mut state = view.state();
    tokio::time::timeout(Duration::from_secs(20), state.wait_for(|state| state.lines == 3))
        .await
        .unwrap()
        .unwrap();
}
