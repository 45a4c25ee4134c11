//! Tests of the browser's requests and of how it handles the answers.

use crate::engine::files::{Mark, shown};
use crate::tui::files::model::*;

/// Returns an entry for tests.
pub(crate) fn entry(name: &str, kind: FileKind, size: u64) -> Entry {
    Entry {
        name: name.into(),
        kind,
        size,
        mode: if kind == FileKind::Folder { 0o755 } else { 0o644 },
        owner: "app".to_owned(),
        group: "app".to_owned(),
        changed: None,
        target: None,
        leads_to_folder: false,
        mount: None,
        mark: None,
    }
}

pub(crate) fn listing(folder: &str, entries: Vec<Entry>) -> Listing {
    Listing { folder: folder.into(), entries, has_more: false, is_read_only: false }
}

fn pane() -> FilesPane {
    let mut pane = FilesPane::default();
    let id: crate::engine::ContainerId = "a".repeat(64).parse().unwrap();
    pane.show(Some((Subject::Container(id), 0)), Path::new("/work"));
    pane.fit(150, 12);
    let entries = vec![
        entry("b", FileKind::File, 5),
        entry("a", FileKind::File, 7),
        entry("dir", FileKind::Folder, 0),
        Entry { mark: Some(Mark::Deleted), ..entry("gone", FileKind::File, 3) },
    ];
    let (inside, host) = (pane.sides[0].serial, pane.sides[1].serial);
    assert!(pane.take(inside, Ok(FilesAnswer::Folder(listing("/srv", entries)))));
    let host_entries = vec![entry("a", FileKind::File, 8), entry("b", FileKind::File, 5)];
    assert!(pane.take(host, Ok(FilesAnswer::Folder(listing("/work", host_entries)))));
    pane
}

fn names(side: &Side) -> Vec<String> {
    (0..side.len()).map(|row| side.entry(row).map_or("..".into(), |it| shown(&it.name))).collect()
}

#[test]
fn folders_come_first_and_an_answer_to_an_old_question_is_dropped() {
    let mut pane = pane();
    assert_eq!(names(&pane.sides[0]), ["..", "dir", "a", "b", "gone"]);
    let old = pane.sides[0].serial;
    pane.refresh();
    assert!(!pane.take(old, Ok(FilesAnswer::Folder(listing("/other", vec![])))));
    assert_eq!(pane.sides[0].folder, Path::new("/srv"));
}

#[test]
fn files_of_one_name_and_two_sizes_differ() {
    let pane = pane();
    let differ: Vec<_> = (0..5)
        .filter_map(|row| pane.sides[0].entry(row))
        .filter(|entry| pane.differs(0, entry))
        .map(|entry| shown(&entry.name))
        .collect();
    assert_eq!(differ, ["a"]);
}

#[test]
fn a_folder_is_entered_and_left_with_the_cursor_where_it_came_from() {
    let mut pane = pane();
    pane.side_mut().step(1);
    assert_eq!(pane.enter(), None);
    assert_eq!(pane.side().folder, Path::new("/srv/dir"));
    let serial = pane.side().serial;
    pane.take(serial, Ok(FilesAnswer::Folder(listing("/srv/dir", vec![]))));
    assert!(pane.side().is_on_parent());
    pane.leave();
    let serial = pane.side().serial;
    let back = vec![entry("a", FileKind::File, 1), entry("dir", FileKind::Folder, 0)];
    pane.take(serial, Ok(FilesAnswer::Folder(listing("/srv", back))));
    assert_eq!(pane.side().current().map(|entry| shown(&entry.name)), Some("dir".into()));
    pane.side_mut().step(1);
    let file = pane.enter().unwrap();
    assert_eq!(file.1, Path::new("/srv/a"));
}

#[test]
fn marks_never_hold_what_is_not_there() {
    let mut pane = pane();
    let side = pane.side_mut();
    side.mark_all();
    assert_eq!(side.targets(), ["a", "b", "dir"]);
    side.mark_all();
    side.select(4);
    assert_eq!(side.targets(), [""; 0], "a deleted file is nothing to act on");
    side.select(2);
    side.mark();
    assert_eq!((side.targets(), side.cursor), (vec!["a".into()], 3));
    let serial = side.serial;
    pane.take(serial, Ok(FilesAnswer::Folder(listing("/srv", vec![entry("b", FileKind::File, 5)]))));
    assert_eq!(pane.side().targets(), ["b"], "the mark went with its file");
}

#[test]
fn a_filter_leaves_the_cursor_on_its_file() {
    let mut pane = pane();
    pane.side_mut().select(3);
    pane.side_mut().filter_by("b");
    assert_eq!((names(pane.side()), pane.side().cursor), (vec!["..".to_owned(), "b".into()], 1));
    pane.side_mut().filter_by("!b");
    assert_eq!(names(pane.side()), ["..", "dir", "a", "gone"]);
}

#[test]
fn the_preview_follows_the_cursor_where_there_is_room() {
    let mut pane = pane();
    assert_eq!(pane.wants().len(), 2);
    pane.side_mut().select(2);
    pane.fit(150, 12);
    let wanted = FilesAsk::File(pane.sides[0].place.clone(), "/srv/a".into());
    assert_eq!(pane.wants()[2], (pane.preview.serial, wanted));
    let serial = pane.preview.serial;
    pane.take(serial, Ok(FilesAnswer::File(vec!["text".to_owned()])));
    assert_eq!(pane.preview.lines.as_deref(), Some(&["text".to_owned()][..]));
    pane.fit(80, 12);
    assert_eq!(pane.wants().len(), 2);
}

#[test]
fn lines_are_harmless_and_what_is_no_text_is_numbers() {
    assert_eq!(lines(b"a\tb\n\x1b[31mred\n", false), ["a       b", "␛[31mred"]);
    assert_eq!(
        lines(
            b"one
tw", true
        ),
        ["one", "…"]
    );
    let dump = lines(b"\x7fELF\0\x01", false);
    assert_eq!(dump, [format!("00000000  {:<47}  |.ELF..|", "7f 45 4c 46 00 01")]);
    assert_eq!(lines(b"", false), [""; 0]);
}
