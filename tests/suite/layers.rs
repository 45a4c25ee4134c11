//! The changes of each layer of an image, in archives built by the tests.

use crate::case::Case;
use hoist::engine::files::{FileKind, Mark};
use hoist::engine::layers::{Difference, FileChange, ImageDiff, LayerReport, Sum};
use hoist::engine::{ErrorKind, Result};
use hoist::internals::base::progress::Reporter;
use hoist::internals::image::Input;
use hoist::internals::oci::Digest;

/// A layer: paths with file sizes. A path that ends in `/` is a folder.
type Files<'a> = &'a [(&'a str, usize)];

fn layer(files: Files<'_>) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, size) in files {
        let mut header = tar::Header::new_gnu();
        let is_folder = path.ends_with('/');
        header.set_entry_type(if is_folder { tar::EntryType::Directory } else { tar::EntryType::Regular });
        header.set_mode(if is_folder { 0o755 } else { 0o644 });
        header.set_size(*size as u64);
        tar.append_data(&mut header, path, vec![b'x'; *size].as_slice()).unwrap();
    }
    tar.into_inner().unwrap()
}

/// Loads an image with these layers and this history, from an archive like that of `docker save`.
fn load(case: &Case, layers: &[Vec<u8>], history: &str) {
    load_as(case, "made:1", layers, r#"{"User":"app","Cmd":["run","it"]}"#, history);
}

fn load_as(case: &Case, name: &str, layers: &[Vec<u8>], config: &str, history: &str) {
    let digests: Vec<_> = layers.iter().map(|tar| Digest::of(tar).to_string()).collect();
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{config},"history":{history},
            "rootfs":{{"type":"layers","diff_ids":{digests:?}}}}}"#
    );
    let names: Vec<_> = (0..layers.len()).map(|at| format!("layer{at}")).collect();
    let manifest = format!(r#"[{{"Config":"config","RepoTags":["{name}"],"Layers":{names:?}}}]"#);
    let mut archive = tar::Builder::new(Vec::new());
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, name, bytes).unwrap();
    };
    add("manifest.json", manifest.as_bytes());
    add("config", config.as_bytes());
    names.iter().zip(layers).for_each(|(name, bytes)| add(name, bytes));
    let bytes = archive.into_inner().unwrap();
    let input = Input::Stream(Box::new(std::io::Cursor::new(bytes)));
    case.wait_for(case.engine.images().load(input, Reporter::silent())).unwrap();
}

fn report(case: &Case) -> Result<LayerReport> {
    case.wait_for(case.engine.images().layers("made:1", Reporter::silent()))
}

/// Returns the changes of a layer, one per line: `+ /srv/a 10`.
fn changes(report: &LayerReport, at: usize) -> Vec<String> {
    let line = |change: &hoist::engine::layers::LayerChange| {
        let mark = match change.mark {
            Mark::Added => '+',
            Mark::Changed => '~',
            Mark::Deleted => '-',
        };
        let end = if change.kind == FileKind::Folder { "/" } else { "" };
        format!("{mark} {}{end} {}", report.path(change.path).display(), change.size)
    };
    let mut lines: Vec<_> = report.layers[at].changes.iter().map(line).collect();
    lines.sort();
    lines
}

#[test]
fn each_layer_says_what_it_adds_changes_and_removes_and_what_is_wasted() {
    let case = Case::empty();
    let layers = [
        layer(&[
            ("srv/", 0),
            ("srv/app", 1000),
            ("srv/kept", 10),
            ("tmp/", 0),
            ("tmp/a", 300),
            ("tmp/b", 30),
        ]),
        layer(&[("srv/", 0), ("srv/app", 1200), ("srv/.wh.kept", 0), ("new", 5)]),
        layer(&[(".wh.tmp", 0), ("srv/", 0), ("srv/app", 1), ("srv/.wh.nothing", 0)]),
        layer(&[("srv/", 0), ("srv/.wh..wh..opq", 0), ("srv/other", 7)]),
    ];
    let history = r##"[{"created":"2026-01-02T03:04:05Z","created_by":"/bin/sh -c #(nop) ADD file:1 in /"},
        {"created_by":"RUN /bin/sh -c make # buildkit"},{"created_by":"USER app","empty_layer":true},
        {"created_by":"RUN /bin/sh -c rm -r /tmp # buildkit"}]"##;
    load(&case, &layers, history);
    let report = report(&case).unwrap();
    let commands: Vec<_> =
        report.layers.iter().map(|line| (line.number, line.command.as_str(), line.size)).collect();
    assert_eq!(
        commands,
        [
            (1, "ADD file:1 in /", 1340),
            (2, "RUN make", 1205),
            (0, "USER app", 0),
            (3, "RUN rm -r /tmp", 1),
            (4, "", 7),
        ]
    );
    assert_eq!(
        changes(&report, 0),
        ["+ /srv/ 0", "+ /srv/app 1000", "+ /srv/kept 10", "+ /tmp/ 0", "+ /tmp/a 300", "+ /tmp/b 30"]
    );
    assert_eq!(changes(&report, 1), ["+ /new 5", "- /srv/kept 10", "~ /srv/app 1200"]);
    assert_eq!(changes(&report, 3), ["- /tmp/ 330", "~ /srv/app 1"]);
    assert_eq!(changes(&report, 4), ["+ /srv/other 7", "- /srv/app 1"]);
    let counts: Vec<_> = report.layers.iter().map(|line| (line.added, line.changed, line.removed)).collect();
    assert_eq!(counts, [(4, 0, 0), (1, 1, 1), (0, 0, 0), (0, 1, 2), (1, 0, 1)]);
    let waste: Vec<_> = report
        .waste
        .iter()
        .map(|it| (it.path.to_str().unwrap(), it.bytes, it.files, it.mark, it.by))
        .collect();
    assert_eq!(
        waste,
        [
            ("/srv/app", 1200, 1, Mark::Changed, 3),
            ("/srv/app", 1000, 1, Mark::Changed, 2),
            ("/tmp", 330, 2, Mark::Deleted, 3),
            ("/srv/kept", 10, 1, Mark::Deleted, 2),
            ("/srv/app", 1, 1, Mark::Deleted, 4),
        ]
    );
    assert_eq!((report.wasted, report.total), (2541, 2553));
    assert_eq!(report.efficiency(), 4);
    assert_eq!(report.config, [("user", "app".to_owned()), ("command", "run it".to_owned())]);
    assert!(!report.is_cut && report.used_by.is_empty());
}

#[test]
fn a_report_that_nobody_waits_for_stops() {
    let case = Case::empty();
    load(&case, &[layer(&[("a", 1)])], "[]");
    let reporter = Reporter::silent();
    reporter.cancel();
    let error = case.wait_for(case.engine.images().layers("made:1", reporter)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    let error = case.wait_for(case.engine.images().layers("none", Reporter::silent())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

fn compared(case: &Case, before: &str, after: &str) -> ImageDiff {
    case.wait_for(case.engine.images().compare(before, after, Reporter::silent())).unwrap()
}

/// Returns the differences, one per line: `~ /srv/a 10 12 [Content]`.
fn differences(diff: &ImageDiff) -> Vec<String> {
    let line = |change: &FileChange| {
        let mark = match change.mark {
            Mark::Added => '+',
            Mark::Changed => '~',
            Mark::Deleted => '-',
        };
        let path = diff.path(change.path);
        format!("{mark} {} {} {} {:?}", path.display(), change.before, change.after, change.what)
    };
    diff.files.changes.iter().map(line).collect()
}

#[test]
fn images_are_the_same_whatever_layers_their_files_come_in() {
    let case = Case::empty();
    let one = layer(&[("srv/", 0), ("srv/app", 10), ("srv/gone", 4)]);
    let two = layer(&[("etc/", 0), ("etc/conf", 20), ("srv/", 0), ("srv/.wh.gone", 0)]);
    let whole = layer(&[("etc/", 0), ("etc/conf", 20), ("srv/", 0), ("srv/app", 10)]);
    load_as(&case, "parts:1", &[one, two], "{}", "[]");
    load_as(&case, "whole:1", &[whole], "{}", "[]");
    let diff = compared(&case, "parts:1", "whole:1");
    assert_eq!(differences(&diff), Vec::<String>::new());
    assert!(diff.has_same_files() && diff.config.is_empty());
    assert_eq!((diff.common, diff.images[0].layers, diff.images[1].layers), (0, 2, 1));
}

#[test]
fn two_images_differ_in_files_that_layers_add_change_hide_and_bring_back() {
    let case = Case::empty();
    let base = layer(&[
        ("bin/", 0),
        ("bin/sh", 500),
        ("srv/", 0),
        ("srv/app", 10),
        ("srv/old", 4),
        ("tmp/", 0),
        ("tmp/x", 1),
    ]);
    let before = layer(&[("srv/", 0), ("srv/app", 11), ("tmp/", 0), ("tmp/y", 2)]);
    let after = layer(&[
        ("srv/", 0),
        ("srv/.wh.old", 0),
        ("srv/app", 12),
        ("tmp/", 0),
        ("tmp/.wh..wh..opq", 0),
        ("tmp/z", 3),
    ]);
    let again = layer(&[("srv/", 0), ("srv/new", 7)]);
    let config = r#"{"User":"app","Env":["A=1","B=2"],"Labels":{"v":"1"}}"#;
    load_as(&case, "before:1", &[base.clone(), before], r#"{"Env":["A=1","B=3"],"Labels":{"v":"1"}}"#, "[]");
    load_as(&case, "after:1", &[base, after, again], config, "[]");
    let diff = compared(&case, "before:1", "after:1");
    assert_eq!(
        differences(&diff),
        [
            "~ /srv/app 11 12 [Content]",
            "+ /srv/new 0 7 []",
            "- /srv/old 4 0 []",
            "- /tmp/x 1 0 []",
            "- /tmp/y 2 0 []",
            "+ /tmp/z 0 3 []",
        ]
    );
    let sum = |files, bytes| Sum { files, bytes };
    assert_eq!(
        (diff.files.added, diff.files.changed, diff.files.changed_before),
        (sum(2, 10), sum(1, 12), 11)
    );
    assert_eq!((diff.files.removed, diff.common, diff.files.is_cut), (sum(3, 7), 1, false));
    let config: Vec<_> =
        diff.config.iter().map(|it| (it.name.as_str(), it.before.as_deref(), it.after.as_deref())).collect();
    assert_eq!(config, [("user", None, Some("app")), ("env B", Some("3"), Some("2"))]);
    assert_eq!(diff.files.changes[0].what, [Difference::Content]);
    assert_eq!(differences(&compared(&case, "after:1", "before:1")), differences(&diff.swapped()));
    let error =
        case.wait_for(case.engine.images().compare("before:1", "none", Reporter::silent())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let reporter = Reporter::silent();
    reporter.cancel();
    let error = case.wait_for(case.engine.images().compare("before:1", "after:1", reporter)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
}
