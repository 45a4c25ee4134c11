//! Subscribers of one journal: many, slow, late, and outliving their engine and runtime.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener;

use super::follow::QUEUE;
use super::*;
use crate::base::Paths;
use crate::base::journal::{Kind, append, previous};
use crate::engine::Settings;

/// Creates an engine and the folder it uses.
fn engine() -> (tempfile::TempDir, Engine) {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
    let engine = Engine::open(Settings::new(paths)).unwrap();
    (dir, engine)
}

fn write(engine: &Engine, action: &str) {
    let attributes = BTreeMap::from([("name".to_owned(), "web".to_owned())]);
    let event = Event::now(Kind::Container, action, "abc", attributes);
    append(&engine.paths().journal(), &event).unwrap();
}

/// Reads the next actions, at most `count`.
async fn read(events: &mut Events, count: usize) -> Vec<String> {
    let mut actions = Vec::new();
    while actions.len() < count {
        match events.recv().await {
            Some(News::Event(event)) => actions.push(event.action),
            Some(News::Gap) => actions.push("gap".to_owned()),
            None => break,
        }
    }
    actions
}

/// Counts the inotify instances of this process that watch the run folder of an engine.
fn instances(engine: &Engine) -> usize {
    let inode = format!(" ino:{:x} ", fs::metadata(engine.paths().run()).unwrap().ino());
    let watches_it = |entry: &fs::DirEntry| {
        fs::read_to_string(entry.path())
            .is_ok_and(|info| info.contains("inotify wd:") && info.contains(&inode))
    };
    fs::read_dir("/proc/self/fdinfo").unwrap().flatten().filter(watches_it).count()
}

/// Waits until the tasks of the engine have ended.
async fn until_none_is_left(engine: &Engine) {
    while instances(engine) > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn any_number_of_subscribers_share_one_follower_and_it_ends_with_the_last() {
    let (_dir, engine) = engine();
    assert_eq!(instances(&engine), 0);
    let mut all = Vec::new();
    for _ in 0..200 {
        all.push(engine.events(EventRequest::default()).await.unwrap());
    }
    let clone = engine.clone();
    all.push(clone.events(EventRequest::default()).await.unwrap());
    assert_eq!(instances(&engine), 1);
    write(&engine, "start");
    for events in &mut all {
        assert_eq!(read(events, 1).await, ["start"]);
    }
    all.truncate(1);
    write(&engine, "die");
    assert_eq!(read(&mut all[0], 1).await, ["die"]);
    assert_eq!(instances(&engine), 1);
    drop(all);
    until_none_is_left(&engine).await;
    let mut again = engine.events(EventRequest::default()).await.unwrap();
    write(&engine, "destroy");
    assert_eq!(read(&mut again, 1).await, ["destroy"], "and begins with the next one");
}

#[tokio::test]
async fn who_subscribes_hears_of_nothing_before_even_if_nobody_read_it_yet() {
    let (_dir, engine) = engine();
    let mut early = engine.events(EventRequest::default()).await.unwrap();
    write(&engine, "start");
    let mut late = engine.events(EventRequest::default()).await.unwrap(); // before the follower can run
    write(&engine, "die");
    assert_eq!(read(&mut early, 2).await, ["start", "die"]);
    assert_eq!(read(&mut late, 1).await, ["die"]);
}

#[tokio::test]
async fn the_past_is_followed_by_what_comes_until_the_end() {
    let (_dir, engine) = engine();
    write(&engine, "create");
    fs::rename(engine.paths().journal(), previous(&engine.paths().journal())).unwrap();
    write(&engine, "start");
    let request = EventRequest { since: Some(Timestamp::UNIX_EPOCH), ..EventRequest::default() };
    let mut events = engine.events(request).await.unwrap();
    write(&engine, "die");
    assert_eq!(read(&mut events, 3).await, ["create", "start", "die"]);

    let soon = Timestamp::now() + jiff::SignedDuration::from_millis(200);
    let request = EventRequest { until: Some(soon), ..EventRequest::default() };
    let mut events = engine.events(request).await.unwrap();
    write(&engine, "destroy");
    assert_eq!(read(&mut events, 9).await, ["destroy"]);
}

#[tokio::test]
async fn a_time_that_is_past_asks_for_the_past_alone() {
    let (_dir, engine) = engine();
    write(&engine, "create");
    let between = Timestamp::now();
    write(&engine, "start");
    let filter =
        EventFilter { actions: vec!["start".to_owned(), "create".to_owned()], ..EventFilter::default() };
    write(&engine, "die");
    for (since, until, want) in [
        (None, Timestamp::now(), &["create", "start"][..]),
        (None, between, &["create"]),
        (Some(between), Timestamp::now(), &["start"]),
    ] {
        let request = EventRequest { since, until: Some(until), filter: filter.clone() };
        assert_eq!(read(&mut engine.events(request).await.unwrap(), 9).await, want);
    }
    assert_eq!(engine.past_events(filter).await.unwrap().len(), 2);
    assert_eq!(instances(&engine), 0, "nothing is followed for that");
}

#[tokio::test]
async fn who_is_slow_reads_the_journal_itself_and_is_told_where_that_is_gone() {
    let (_dir, engine) = engine();
    let mut events = engine.events(EventRequest::default()).await.unwrap();
    let mut quick = engine.events(EventRequest::default()).await.unwrap();
    let (mut written, mut heard) = (Vec::new(), Vec::new());
    for number in 0..QUEUE + 200 {
        let action = format!("{number}");
        write(&engine, &action);
        written.push(action);
        heard.extend(read(&mut quick, 1).await);
    }
    assert_eq!(heard, written);
    assert_eq!(read(&mut events, written.len()).await, written);

    for number in 0..QUEUE + 200 {
        write(&engine, &format!("{number}"));
        heard = read(&mut quick, 1).await;
    }
    for _ in 0..2 {
        fs::rename(engine.paths().journal(), previous(&engine.paths().journal())).unwrap();
        write(&engine, "late");
        heard = read(&mut quick, 1).await;
    }
    assert_eq!(heard, ["late"]);
    assert_eq!(read(&mut events, 1).await, ["gap"], "which stands for all that was missed");
    write(&engine, "last");
    assert_eq!(read(&mut events, 1).await, ["last"]);
}

#[tokio::test]
async fn what_was_missed_and_cannot_be_read_is_a_gap_and_the_rest_follows() {
    let (_dir, engine) = engine();
    let mut events = engine.events(EventRequest::default()).await.unwrap();
    let mut quick = engine.events(EventRequest::default()).await.unwrap();
    for number in 0..QUEUE + 200 {
        write(&engine, &format!("{number}"));
        read(&mut quick, 1).await;
    }
    let journal = engine.paths().journal();
    let aside = journal.with_extension("aside");
    fs::rename(&journal, &aside).unwrap();
    // Opening a socket fails.
    let in_the_way = UnixListener::bind(&journal).unwrap();
    assert_eq!(read(&mut events, 2).await, ["gap", "200"], "the newest are kept");
    drop(in_the_way);
    fs::rename(&aside, &journal).unwrap();
    assert_eq!(read(&mut events, QUEUE - 1).await.last().unwrap(), &format!("{}", QUEUE + 199));
}

#[tokio::test]
async fn a_long_past_does_not_hold_up_others() {
    let (_dir, engine) = engine();
    for number in 0..300 {
        write(&engine, &format!("{number}"));
    }
    let request = EventRequest { until: Some(Timestamp::now()), ..EventRequest::default() };
    let mut events = engine.events(request).await.unwrap();
    let other = tokio::spawn(async {});
    assert_eq!(read(&mut events, 300).await.len(), 300);
    assert!(other.is_finished());
}

#[tokio::test]
async fn the_end_of_the_engine_ends_the_events() {
    let (_dir, engine) = engine();
    let mut events = engine.events(EventRequest::default()).await.unwrap();
    write(&engine, "start");
    assert_eq!(read(&mut events, 1).await, ["start"]);
    drop(engine);
    assert_eq!(events.recv().await, None);
}

#[tokio::test]
async fn a_folder_in_the_place_of_the_journal_is_told_at_once() {
    let (_dir, engine) = engine();
    fs::create_dir(engine.paths().journal()).unwrap();
    let now = Some(Timestamp::now());
    for (since, until) in [(None, None), (now, None), (None, now)] {
        let request = EventRequest { since, until, ..EventRequest::default() };
        let error = engine.events(request).await.unwrap_err();
        assert!(error.causes().concat().contains("it is a folder, not a file"), "{error:?}");
    }
    assert!(engine.past_events(EventFilter::default()).await.is_err());
}

#[test]
fn a_follower_that_ended_with_its_runtime_is_replaced() {
    let (_dir, engine) = engine();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (first, second) = (runtime(), runtime());
    let mut old = first.block_on(async {
        let events = engine.events(EventRequest::default()).await.unwrap();
        tokio::task::yield_now().await; // the follower has started
        events
    });
    drop(first);
    second.block_on(async {
        assert_eq!(old.recv().await, None);
        let mut events = engine.events(EventRequest::default()).await.unwrap();
        write(&engine, "start");
        assert_eq!(read(&mut events, 1).await, ["start"]);
    });
}
