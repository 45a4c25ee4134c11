//! Checks the architecture: which modules may use which, where `unsafe` and threads are allowed,
//! and how long files may be. ARCHITECTURE.md describes these rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module and the modules that it may name, besides itself.
const LAYERS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("config", &["base"]),
    ("oci", &["base"]),
    ("sys", &["base"]),
    ("systemd", &["base"]),
    ("cgroup", &["base", "oci", "sys"]),
    ("runtime", &["base", "oci", "sys", "cgroup"]),
    ("container", &["base", "oci", "sys", "cgroup"]),
    ("layer", &["base", "oci", "sys"]),
    ("image", &["base", "oci", "sys", "layer"]),
    ("snapshot", &["base", "oci", "sys", "layer"]),
    ("files", &["base", "sys", "layer"]),
    ("network", &["base", "sys"]),
    ("registry", &["base", "oci"]),
    ("monitor", &["base", "oci", "sys", "cgroup", "runtime", "container", "snapshot", "network"]),
    (
        "engine",
        &[
            "base",
            "config",
            "oci",
            "sys",
            "systemd",
            "cgroup",
            "runtime",
            "container",
            "layer",
            "files",
            "image",
            "snapshot",
            "network",
            "registry",
            "monitor",
        ],
    ),
    ("docker", &["base", "oci", "engine"]),
    ("command", &["base", "config", "oci", "engine", "docker"]),
    ("cli", &["base", "config", "oci", "engine", "docker", "command"]),
    ("tui", &["base", "config", "oci", "engine", "docker", "command"]),
];

/// Modules that may name more than their layer allows, with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    // `hoist oci` is the command line of the embedded runtime, without an engine.
    ("cli/oci", "runtime"),
    ("cli/oci", "cgroup"),
    ("cli/oci", "sys"),
    ("cli/oci", "systemd"),
    // The signals of hoist itself and of the user's programs are no matter of the engine.
    ("tui/driver/process", "sys"),
];

/// The features of the TUI, which are its folders, and the features that each may name. Every
/// feature may name itself and what is in no feature's folder.
const FEATURES: &[(&str, &[&str])] = &[
    ("alerts", &["containers"]),
    ("compare", &["files", "images", "layers", "pathtree"]),
    ("confirm", &[]),
    ("containers", &["events", "form", "images", "inspect", "removal", "signals", "tasks"]),
    ("custom", &["containers"]),
    ("events", &[]),
    ("files", &["compare", "form", "tasks"]),
    ("form", &["containers", "images", "networks", "tasks"]),
    ("help", &["custom"]),
    ("images", &["events", "form", "inspect", "removal", "tasks"]),
    ("inspect", &["logs", "navigator", "tasks"]),
    ("layers", &["files", "pathtree"]),
    ("line", &["containers", "form", "images", "palette", "removal", "tasks", "themes"]),
    ("list", &["containers", "tasks", "trash"]),
    ("logs", &["containers", "tasks"]),
    ("menu", &[]),
    ("navigator", &["alerts", "containers", "logs", "tasks"]),
    ("networks", &["events", "inspect"]),
    ("page", &[]),
    ("palette", &["containers", "custom", "form"]),
    ("pathtree", &[]),
    ("removal", &["containers", "images", "trash"]),
    ("signals", &[]),
    ("stats", &["tasks"]),
    ("tasks", &["files", "form", "signals"]),
    ("terminal", &["tasks"]),
    ("themes", &[]),
    ("top", &["signals", "tasks"]),
    ("trash", &["containers", "form", "inspect"]),
    ("undo", &["containers", "trash"]),
    ("verbs", &[]),
    ("volumes", &["events"]),
    ("why", &["containers"]),
];

/// Features that every other one may name: parts that all lists share, input lines, questions and
/// pages of text.
const SHARED: &[&str] = &["confirm", "line", "list", "menu", "page"];

/// Words that only some modules may use.
const WORDS: &[(&str, &[&str])] = &[
    ("unsafe", &["sys"]),
    ("tokio", &["registry", "engine", "cli", "tui"]),
    ("geteuid", &[]),
    ("ratatui", &["tui"]),
    ("crossterm", &["tui"]),
    ("reqwest", &["registry"]),
];

/// Names that front ends must not use, since other engines would not have them: the types of its
/// files, and the paths of its folders.
const OF_THIS_ENGINE: &[(&str, &[&str])] = &[
    ("docker", &["Record", "container::Run", "Paths"]),
    ("command", &["Record", "container::Run", "Paths"]),
    ("cli", &["Record", "container::Run", "Paths"]),
    ("tui", &["Record", "container::Run", "Paths"]),
];

/// Modules that must stay single-threaded because they clone processes.
const SINGLE: &[&str] = &["sys", "cgroup", "runtime", "monitor"];

/// The maximum lines of code in a file, without tests and comments.
const MAX_LINES: usize = 600;

struct Source {
    module: String,
    path: PathBuf,
    /// The code before the tests, with blanks instead of comments and the content of strings.
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let inside = path.strip_prefix(&root).unwrap().to_owned();
                let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
                let module = first.trim_end_matches(".rs").to_owned();
                let is_test = inside.file_stem().unwrap() == "tests";
                let text = fs::read_to_string(&path).unwrap();
                let code = if is_test { String::new() } else { strip(&text) };
                found.push(Source { module, path: inside, code });
            }
        }
    }
    assert!(found.len() > 10, "the sources were not found");
    found
}

/// Removes the tests, and blanks comments and strings, so that words in them do not count.
fn strip(text: &str) -> String {
    let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
    let mut out = String::with_capacity(code.len());
    for line in code.lines() {
        let mut in_string = false;
        let mut escaped = false;
        let bytes: Vec<char> = line.chars().collect();
        let mut at = 0;
        while at < bytes.len() {
            let c = bytes[at];
            if !in_string && c == '/' && bytes.get(at + 1) == Some(&'/') {
                break;
            }
            // A quote as a character literal does not start a string.
            let literal = c == '"' && at > 0 && bytes[at - 1] == '\'';
            if c == '"' && !escaped && !literal {
                in_string = !in_string;
                out.push('"');
            } else {
                out.push(if in_string { ' ' } else { c });
            }
            escaped = in_string && c == '\\' && !escaped;
            at += 1;
        }
        out.push('\n');
    }
    out
}

/// Returns the first segment of every `crate::…` path, including groups (`crate::{a, b::c}`).
fn named(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut start = true;
            let mut name = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => start = true,
                    c if start && depth == 1 && (c.is_alphanumeric() || c == '_') => name.push(c),
                    c if c.is_whitespace() => {}
                    _ => start = false,
                }
                if (!start || depth == 0 || c == ',') && !name.is_empty() {
                    names.push(std::mem::take(&mut name));
                }
                if depth == 0 {
                    break;
                }
            }
        } else {
            names.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    names
}

/// Returns the segments of every path into the TUI, such as `["top", "view", "draw"]`. That
/// includes `top::view::draw` if `top` is a feature, and `super::draw` in `module`.
fn named_in_tui(code: &str, module: &[&str]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, start) in code.match_indices("crate::tui::") {
        paths(&code[at + start.len()..], &[], &mut found);
    }
    for (at, start) in code.match_indices("super::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let (mut rest, mut above) = (&code[at + start.len()..], 1);
        while let Some(more) = rest.strip_prefix(start) {
            (rest, above) = (more, above + 1);
        }
        // Paths above the TUI are not in it.
        if let Some(depth) = module.len().checked_sub(above) {
            let base: Vec<String> = module[..depth].iter().map(|part| (*part).to_owned()).collect();
            paths(rest, &base, &mut found);
        }
    }
    for (feature, _) in FEATURES {
        let start = format!("{feature}::");
        for (at, _) in code.match_indices(&start) {
            let before = code[..at].chars().next_back();
            if !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                paths(&code[at..], &[], &mut found);
            }
        }
    }
    found
}

/// Collects the paths of a `use` tree or an expression, and returns the rest.
fn paths<'a>(mut rest: &'a str, before: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let mut path = before.to_vec();
    loop {
        rest = rest.trim_start();
        if let Some(group) = rest.strip_prefix('{') {
            rest = group.trim_start();
            while !rest.starts_with('}') && !rest.is_empty() {
                rest = paths(rest, &path, found).trim_start();
                rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
            }
            return rest.strip_prefix('}').unwrap_or(rest);
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        if end == 0 {
            // `*`, or not a path.
            found.push(path);
            return rest.get(1..).unwrap_or_default();
        }
        path.push(rest[..end].to_owned());
        rest = &rest[end..];
        match rest.strip_prefix("::") {
            Some(more) => rest = more,
            None => {
                found.push(path);
                return rest;
            }
        }
    }
}

fn says(code: &str, word: &str) -> bool {
    let edge = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.match_indices(word)
        .any(|(at, _)| edge(code[..at].chars().next_back()) && edge(code[at + word.len()..].chars().next()))
}

#[test]
fn a_module_names_only_what_stands_below_it() {
    let mut faults = String::new();
    let modules: BTreeSet<String> = sources().into_iter().map(|source| source.module).collect();
    for name in LAYERS.iter().flat_map(|(layer, below)| below.iter().chain([layer])) {
        assert!(modules.contains(*name), "no module is called `{name}`");
    }
    for Source { module, path, code } in sources() {
        if ["lib", "main", "internals"].contains(&module.as_str()) {
            continue;
        }
        let Some((_, below)) = LAYERS.iter().find(|(name, _)| *name == module) else {
            faults += &format!("src/{} stands in no layer\n", path.display());
            continue;
        };
        for name in named(&code) {
            let stem = path.with_extension("").display().to_string();
            let excepted = EXCEPTIONS.iter().any(|(file, other)| stem.starts_with(file) && *other == name);
            let is_layer = LAYERS.iter().any(|(layer, _)| *layer == name);
            if is_layer && name != module && !below.contains(&name.as_str()) && !excepted {
                faults += &format!(
                    "src/{} names `{name}`, which does not stand below `{module}`\n",
                    path.display()
                );
            }
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

/// `hoist oci` is the embedded runtime alone, without an engine, even through the rest of `cli`.
#[test]
fn the_command_line_of_the_runtime_uses_no_engine() {
    let mut faults = String::new();
    let mut count = 0;
    for Source { path, code, .. } in sources() {
        let stem = path.with_extension("");
        if !stem.starts_with("cli/oci") {
            continue;
        }
        count += 1;
        // How many times `super` stays within `cli/oci`.
        let depth = stem.components().count() - 2;
        let leaves = code.contains(&"super::".repeat(depth + 1));
        let others = ["cli", "command", "config", "docker", "engine"];
        let names = named(&code).into_iter().filter(|name| others.contains(&name.as_str()));
        for name in names.chain(leaves.then(|| "super".to_owned())) {
            faults += &format!("src/{} names `{name}`\n", path.display());
        }
    }
    assert!(count > 3, "the command line of the runtime was not found");
    assert!(faults.is_empty(), "{faults}");
}

/// Returns the part of a feature or of the core that a path leads to.
fn part_of<'a>(path: &[&'a str]) -> &'a str {
    let parts = ["update", "view", "reader", "driver"];
    path.iter().find(|part| parts.contains(part)).copied().unwrap_or("model")
}

/// In the TUI, a model names neither updates nor views, a view no updates, and an update no views.
/// None of them names readers, nor the reverse. A feature names few others.
#[test]
fn the_parts_of_a_feature_and_features_keep_apart() {
    let mut faults = String::new();
    for Source { module, path, code } in sources() {
        if module != "tui" || path.ends_with("tui/mod.rs") {
            continue;
        }
        let stem = path.with_extension("");
        let me: Vec<&str> =
            stem.iter().skip(1).filter_map(|part| part.to_str()).filter(|part| *part != "mod").collect();
        let feature = FEATURES.iter().find(|(name, _)| me.first() == Some(name));
        let part = part_of(&me);
        let is_test = me[0] == "fixture" || me.last().is_some_and(|name| name.ends_with("_tests"));
        // The tables of tabs and lists, and the code that joins a tab's parts for its row.
        let is_table = ["viewer", "viewers", "list_screen", "sections"].contains(&me[0])
            || me.len() == 1 && feature.is_some();
        if part == "driver" || is_test {
            continue;
        }
        for name in named_in_tui(&code, &me) {
            let name: Vec<&str> = name.iter().map(String::as_str).collect();
            let named = part_of(&name);
            let is_of_feature = FEATURES.iter().any(|(feature, _)| name.first() == Some(feature));
            let is_apart = named == "model" || named == part || is_table;
            if !is_apart {
                faults += &format!("src/{}, a {part}, names `{}`\n", path.display(), name.join("::"));
            }
            if let Some((own, others)) = feature
                && is_of_feature
                && name[0] != *own
                && !others.contains(&name[0])
                && !SHARED.contains(&name[0])
            {
                faults += &format!("src/{} names `{}`: {own} may not\n", path.display(), name.join("::"));
            }
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

/// The largest number of files of the TUI that may name each other in a loop: the model with its parts,
/// and the line that is typed, which the model holds and whose purpose changes the model.
const LARGEST_LOOP: usize = 8;

#[test]
fn few_files_of_the_tui_name_each_other_in_a_loop() {
    let modules: BTreeMap<Vec<String>, String> = sources()
        .into_iter()
        .filter(|source| source.module == "tui")
        .map(|source| (module_of(&source.path), source.code))
        .filter(|(module, _)| !is_for_tests(module))
        .collect();
    let files: Vec<&Vec<String>> = modules.keys().collect();
    let place = |path: &[String]| {
        let of = (1..=path.len()).rev().find(|at| modules.contains_key(&path[..*at]))?;
        let at = files.iter().position(|file| ***file == path[..of])?;
        // A folder's own file is named by what it holds, not on the way to another one in it.
        let is_folder =
            of == path.len() && files.iter().any(|file| file.len() > of && file.starts_with(path));
        (!is_folder).then_some(at)
    };
    let names = |(module, code): (&Vec<String>, &String)| -> Vec<usize> {
        let me: Vec<&str> = module.iter().map(String::as_str).collect();
        let mut found = named_in_tui(code, &me);
        // A file names what is in its folder without a path.
        for inner in files.iter().filter(|file| file.len() > module.len() && file.starts_with(module)) {
            let start = format!("{}::", inner[module.len()]);
            let is_start = |at: usize| {
                let before = code[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
            };
            for (at, _) in code.match_indices(&start).filter(|(at, _)| is_start(*at)) {
                paths(&code[at..], module, &mut found);
            }
        }
        found.iter().filter_map(|path| place(path)).collect()
    };
    let named: Vec<Vec<usize>> = modules.iter().map(names).collect();
    let reached: Vec<BTreeSet<usize>> = (0..files.len()).map(|file| reached_from(&named, file)).collect();
    let loop_of = |file: usize| -> Vec<String> {
        let others = reached[file].iter().filter(|other| **other != file && reached[**other].contains(&file));
        others.map(|other| files[*other].join("/")).chain([files[file].join("/")]).collect()
    };
    let largest = (0..files.len()).map(loop_of).max_by_key(Vec::len).unwrap();
    assert!(largest.len() <= LARGEST_LOOP, "{} files in a loop: {largest:?}", largest.len());
}

/// The segments of the module that a file of the TUI is.
fn module_of(path: &Path) -> Vec<String> {
    let stem = path.with_extension("");
    let parts = stem.iter().skip(1).filter_map(|part| part.to_str()).filter(|part| *part != "mod");
    parts.map(str::to_owned).collect()
}

fn is_for_tests(module: &[String]) -> bool {
    let is_of_tests = |name: &String| name == "fixture" || name == "silence" || name.ends_with("tests");
    module.iter().any(is_of_tests)
}

fn reached_from(named: &[Vec<usize>], file: usize) -> BTreeSet<usize> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![file]);
    while let Some(at) = next.pop() {
        next.extend(named[at].iter().copied().filter(|other| reached.insert(*other)));
    }
    reached
}

#[test]
fn some_words_are_said_in_few_places() {
    let mut faults = String::new();
    for Source { module, path, code } in sources() {
        for (word, allowed) in WORDS {
            if module != "main" && !allowed.contains(&module.as_str()) && says(&code, word) {
                faults += &format!("src/{} says `{word}`, which only {allowed:?} may\n", path.display());
            }
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn front_ends_do_not_name_what_is_this_engines_alone() {
    let mut faults = String::new();
    for Source { module, path, code } in sources() {
        let of_it = OF_THIS_ENGINE.iter().filter(|(front, _)| *front == module);
        for word in of_it.flat_map(|(_, words)| *words).filter(|word| says(&code, word)) {
            faults += &format!("src/{} says `{word}`\n", path.display());
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn what_clones_starts_no_thread() {
    let mut faults = String::new();
    for Source { module, path, code } in sources() {
        if SINGLE.contains(&module.as_str())
            && (code.contains("thread::spawn") || code.contains("thread::scope"))
        {
            faults += &format!("src/{} starts a thread\n", path.display());
        }
        if module == "engine" && code.contains("sys::clone") {
            faults += &format!("src/{} names sys::clone: the engine never forks\n", path.display());
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

/// The compiler requires documentation only for items that the crate exports.
#[test]
fn what_a_module_offers_is_described() {
    let items =
        ["fn", "const fn", "unsafe fn", "async fn", "struct", "enum", "trait", "const", "static", "type"];
    let offers = |line: &str| {
        let rest = line.trim_start().strip_prefix("pub ");
        rest.is_some_and(|rest| items.iter().any(|item| rest.starts_with(&format!("{item} "))))
    };
    let mut missing = Vec::new();
    for source in sources() {
        let text =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(&source.path)).unwrap();
        let lines: Vec<_> = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap().lines().collect();
        let is_test = source.code.is_empty();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| !is_test && offers(line)) {
            let above = lines[..at].iter().rev().map(|line| line.trim());
            // Attributes come between an item and its documentation, and may span several lines.
            let words = above.take_while(|line| !line.is_empty() && *line != "}").find(|line| {
                line.starts_with("///") || line.contains("missing_docs") || *line == "$(#[$doc])*"
            });
            if words.is_none() {
                missing.push(format!("{}:{}: {}", source.path.display(), at + 1, line.trim()));
            }
        }
    }
    assert!(missing.is_empty(), "without a word on what it is:\n{}", missing.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut faults = String::new();
    for Source { path, code, .. } in sources() {
        let text = fs::read_to_string(root.join(&path)).unwrap();
        if !text.starts_with("//!") {
            faults += &format!("src/{} has no module doc\n", path.display());
        }
        let lines = code.lines().filter(|line| !line.trim().is_empty()).count();
        if lines > MAX_LINES {
            faults += &format!("src/{} has {lines} lines of code, more than {MAX_LINES}\n", path.display());
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn the_reader_of_paths_sees_groups_and_not_comments() {
    assert_eq!(
        named("use crate::{base::{a, b}, sys, oci::x};\ncrate::engine::y"),
        ["base", "sys", "oci", "engine"]
    );
    let code = "use crate::tui::top::{self, view::{draw, note as a}};\nwhy::update::act(m); x::why::y\n\
        use super::{a, b}; pub(super) super::super::c::d(); super::super::super::e";
    let paths = named_in_tui(code, &["form", "update"]);
    let paths: Vec<String> = paths.iter().map(|path| path.join("::")).collect();
    assert_eq!(paths[..3], ["top::self", "top::view::draw", "top::view::note"]);
    assert!(paths.contains(&"why::update::act".to_owned()) && !paths.contains(&"why::y".to_owned()));
    assert!(["form::a", "c::d"].iter().all(|path| paths.contains(&(*path).to_owned())), "{paths:?}");
    assert!(!paths.contains(&"e".to_owned()), "it is above the TUI");
    assert_eq!(
        [&["top", "view"][..], &["view", "bars"], &["top", "series"]].map(part_of),
        ["view", "view", "model"]
    );
    assert_eq!(strip("a // crate::x\nb \"unsafe\" c"), "a \nb \"      \" c\n");
    assert!(says("call(unsafe {", "unsafe") && !says("unsafely", "unsafe"));
}
