//! Checks that `docs/configuration.md` and `docs/custom-commands.md` say what the parser accepts.

use std::collections::BTreeSet;
use std::fs;

use super::*;

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

/// Returns the names in back-ticks.
fn quoted(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Returns what the parser would accept instead, according to its error.
fn expected(text: &str) -> BTreeSet<String> {
    let error = parse(text).unwrap_err().message().to_owned();
    let (_, expected) = error.split_once("expected ").unwrap_or_else(|| panic!("{error}"));
    quoted(expected)
}

/// Returns the rows of a document's tables whose first cell begins with a name in back-ticks.
fn rows(text: &str) -> Vec<(String, String)> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    rows.map(|(key, rest)| (key.to_owned(), rest.to_owned())).collect()
}

/// Returns the part of a document below this heading.
fn below(text: &str, heading: &str) -> String {
    let (_, rest) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split("\n## ").next().unwrap().to_owned()
}

#[test]
fn the_keys_in_the_documentation_are_those_that_are_read() {
    let mut wanted = BTreeSet::new();
    for key in expected("zzz = 1") {
        match key.as_str() {
            "command" => drop(wanted.insert("[[command]]".to_owned())),
            "images" | "trash" | "ui" => {
                let keys = expected(&format!("[{key}]\nzzz = 1"));
                wanted.extend(keys.iter().map(|name| format!("[{key}] {name}")));
            }
            _ => drop(wanted.insert(key)),
        }
    }
    let there: BTreeSet<_> =
        rows(&below(&document("configuration.md"), "Keys")).into_iter().map(|(key, _)| key).collect();
    assert_eq!(there, wanted);

    let there: BTreeSet<_> = rows(&document("custom-commands.md"))
        .into_iter()
        .map(|(key, _)| key)
        .filter(|key| !key.starts_with('{'))
        .collect();
    assert_eq!(there, expected("[[command]]\nzzz = 1"));
}

#[test]
fn the_values_in_the_documentation_are_those_that_are_accepted() {
    let keys = rows(&document("configuration.md"));
    let commands = rows(&document("custom-commands.md"));
    for (rows, key, wrong) in [
        (&keys, "[ui] icons", "[ui]\nicons = 'zzz'"),
        (&keys, "[ui] keymap", "[ui]\nkeymap = 'zzz'"),
        (&keys, "[ui] navigator", "[ui]\nnavigator = 'zzz'"),
        (&commands, "where", "[[command]]\nwhere = 'zzz'"),
    ] {
        let (_, text) = rows.iter().find(|(name, _)| name == key).unwrap();
        let there: BTreeSet<_> =
            quoted(text).iter().map(|value| value.trim_matches('"').to_owned()).collect();
        assert_eq!(there, expected(wrong), "{key}");
    }
}

#[test]
fn the_defaults_in_the_documentation_are_those_of_the_code() {
    let text = document("configuration.md");
    let default = |key: &str| {
        let (_, rest) = rows(&text).into_iter().find(|(name, _)| name == key).unwrap();
        rest.split('`').nth(1).unwrap().trim_matches('"').to_owned()
    };
    assert_eq!((default("root"), default("run-root")), (DEFAULT_ROOT.to_owned(), DEFAULT_RUN.to_owned()));
    assert!(text.contains(SYSTEM_FILE));
    let ui = Ui::default();
    assert_eq!(default("[ui] mouse"), ui.mouse.to_string());
    assert_eq!(default("[ui] motion"), ui.motion.to_string());
    assert_eq!(default("[ui] read-only"), ui.read_only.to_string());
}
