//! Tests of README and docs/: links lead somewhere, and man accepts the manual pages.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Returns the files in `folder` with this extension.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|own| own == ending)).collect()
}

/// Returns the text outside of code, whose brackets are no links.
fn prose(text: &str) -> String {
    let parts = text.split("\n```").step_by(2).map(|part| part.to_owned() + "\n");
    let spans = parts.collect::<String>();
    spans.split('`').step_by(2).collect()
}

/// Returns the targets of `[text](target)`.
fn links(text: &str) -> Vec<String> {
    prose(text).split("](").skip(1).map(|rest| rest.split(')').next().unwrap().to_owned()).collect()
}

/// Returns the anchors that GitHub gives to the headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let outside: String = text.split("\n```").step_by(2).collect::<Vec<_>>().join("\n");
    let headings = outside.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| -> String {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let root = Path::new(ROOT);
    let mut dead = Vec::new();
    for file in [files(root, "md"), files(&root.join("docs"), "md")].concat() {
        let text = fs::read_to_string(&file).unwrap();
        for link in links(&text).into_iter().filter(|link| !link.contains("://")) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { file.clone() } else { file.parent().unwrap().join(path) };
            let is_there = target.exists()
                && (anchor.is_empty() || anchors(&fs::read_to_string(&target).unwrap()).contains(anchor));
            if !is_there {
                dead.push(format!("{}: {link}", file.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
}

#[test]
fn a_heading_has_the_anchor_that_github_gives_it() {
    let text = "# What works, and what does not yet\n\n```sh\n# no heading\n```\n## The `run` form\n";
    let wanted = ["the-run-form", "what-works-and-what-does-not-yet"].map(str::to_owned);
    assert_eq!(anchors(text), BTreeSet::from(wanted));
    assert_eq!(links("[a](b.md#c) `[d](e)`\n```\n[f](g)\n```\n[h](i)"), ["b.md#c", "i"]);
}

#[test]
fn groff_accepts_the_manual_pages() {
    let pages = files(&Path::new(ROOT).join("docs/man"), "1");
    assert!(pages.iter().any(|page| page.ends_with("hoist.1")), "{pages:?}");
    for page in pages {
        let groff = Command::new("groff").args(["-man", "-Tutf8", "-ww", "-z"]).arg(&page).output();
        let output = groff.expect("groff is in the Debian package groff-base");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{}: {said}", page.display());
    }
}
