//! Checks that README and docs/ show commands that exist, and call missing only what is missing.

use std::fs;
use std::path::PathBuf;

use super::*;

fn documents() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let paths = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let read = |path: PathBuf| (path.clone(), fs::read_to_string(path).unwrap());
    paths.chain([root.join("README.md")]).map(read).collect()
}

#[test]
fn each_command_in_the_documentation_is_one() {
    let mut count = 0;
    for (path, text) in documents() {
        // Every second part is within a fence.
        for block in text.split("\n```").skip(1).step_by(2).filter(|block| block.starts_with("sh\n")) {
            for line in block.lines() {
                let line = line.split(" #").next().unwrap().trim();
                let line = line.strip_prefix("sudo ").unwrap_or(line);
                let Some(words) =
                    line.strip_prefix("hoist").filter(|rest| rest.is_empty() || rest.starts_with(' '))
                else {
                    continue;
                };
                let words = split(words).unwrap();
                assert!(parse(&words).is_ok(), "{}: {line}: {:?}", path.display(), parse(&words));
                count += 1;
            }
        }
    }
    assert!(count > 40, "{count}");
}

#[test]
fn what_readme_calls_missing_is_missing() {
    let (_, text) = documents().pop().unwrap();
    let mut count = 0;
    for row in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        if cells.get(2) != Some(&"○") {
            continue;
        }
        for name in cells[1].split('`').skip(1).step_by(2) {
            let line = if name.starts_with('-') { format!("run {name} 1 debian") } else { name.to_owned() };
            let usage = parse(&split(&line).unwrap()).expect_err(name);
            assert!(usage.message().ends_with("is not supported yet"), "{usage}");
            count += 1;
        }
    }
    assert!(count > 10, "{count}");
}
