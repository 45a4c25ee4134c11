//! What a newer hoist wrote and this one does not understand is shown and kept. It is refused only
//! where it must be understood. Needs root, or to be root in a user namespace (`unshare -Urmn`).

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::case::Case;

/// What the binary says, on both streams.
fn said(case: &Case, words: &[&str]) -> String {
    let output = case.hoist(words);
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// Changes a state file as a newer hoist would have written it.
fn change(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

#[test]
fn a_container_with_a_status_of_a_newer_hoist_is_shown_stopped_and_removed() {
    let case = Case::new();
    for words in [&["stop", "-t0"][..], &["rm", "-f"]] {
        let id = case.start(&["sleep", "1000"], |_| {});
        let run = case.engine.paths().container_run(&id.parse().unwrap()).join("run.json");
        change(&run, |run| run["status"] = json!("parked"));
        assert_eq!(said(&case, &["ps", "--format", "{{.State}} {{.Status}}"]), "parked parked\n");
        assert_eq!(said(&case, &["inspect", "-f", "{{.State.Status}}", &id]), "parked\n");
        for verb in ["start", "pause", "rm"] {
            let error = said(&case, &[verb, &id]);
            assert!(error.contains("it is parked") && error.contains("a newer hoist wrote that"), "{error}");
        }
        assert_eq!(said(&case, &[words, &[&id]].concat()), format!("{id}\n"));
        let now = said(&case, &["ps", "-a", "--format", "{{.State}}"]);
        assert_eq!(now, if words[0] == "rm" { "" } else { "exited\n" });
        said(&case, &["rm", &id]);
    }
}
