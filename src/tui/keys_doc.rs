//! Generates `docs/keys.md` from the keymap and the table of actions, and checks what other
//! documents say about keys.
//!
//! `HOIST_BLESS=1 cargo test keys_doc` writes it.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::keymap::{KeyContext, Keymap, PRESETS};
use crate::config::{Config, Environment, Flags};
use crate::tui::custom::model::Template;
use crate::tui::help::model::collect;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/keys.md");

const HEAD: &str = "\
# Keys

This file is generated from `assets/keymap.toml` and the table of actions (`src/tui/action.rs`) by a test; do not edit
it. In hoist, `?` shows the keys of the focused context, including your own changes.

Your keymap is `~/.config/hoist/keymap.toml`, in the format of [assets/keymap.toml](../assets/keymap.toml): a table is a
[context](#contexts) (a screen, a tab, a dialog), a line is `keys = action`, and `none` removes a key. It is reloaded when it is saved.
`:export keys` shows the complete keymap in this format. On a page, `,` followed by a key of the object's list acts on the
object that the page shows: `,s` stops a container, `,t` tags an image. `[ui] keymap` in `config.toml` can be `default`, `k9s` or `lazydocker`.
";

/// Writes which tables a keymap may have, and where their keys work.
fn contexts(text: &mut String) -> std::fmt::Result {
    write!(
        text,
        "\n## Contexts\n\nThese are the tables that a keymap may have, and the places of commands:\n\n"
    )?;
    writeln!(
        text,
        "| table | where its keys work | the keys of these tables also work there |\n| --- | --- | --- |"
    )?;
    for place in KeyContext::ALL {
        let above: Vec<_> = place.chain().skip(1).map(|above| format!("`{}`", above.name())).collect();
        writeln!(text, "| `{}` | {} | {} |", place.name(), place.about(), above.join(", "))?;
    }
    Ok(())
}

/// Formats keys for a Markdown table.
fn code(keys: &[String]) -> String {
    let shown = keys.iter().map(|keys| match keys.contains('`') {
        true => format!("`` {keys} ``"),
        false => format!("`{}`", keys.replace('|', "\\|")),
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn places(text: &mut String, keymap: &Keymap) -> std::fmt::Result {
    for place in KeyContext::ALL {
        let own = keymap.of(*place).iter().filter(|binding| binding.place == *place);
        let entries = collect(keymap, own, true);
        if entries.is_empty() {
            continue;
        }
        let about = place.about();
        write!(text, "\n## {}\n\n{}{}.", place.name(), about[..1].to_uppercase(), &about[1..])?;
        if let Some(above) = place.above() {
            write!(text, " The keys of [{0}](#{0}) also apply.", above.name())?;
        }
        text.push_str("\n\n");
        writeln!(text, "| keys | action | |\n| --- | --- | --- |")?;
        for entry in entries {
            let help = entry.help.replace('|', "\\|");
            writeln!(text, "| {} | `{}` | {help} |", code(&entry.keys), entry.action.name())?;
        }
    }
    Ok(())
}

/// Writes how each preset differs from the shipped keymap.
fn presets(text: &mut String, ours: &Keymap) -> std::fmt::Result {
    for (preset, name, _) in PRESETS {
        let Ok(keymap) = Keymap::load(*preset, None, &[]) else { continue };
        write!(text, "\n## Preset {name}\n\nDifferences from the keys above:\n\n")?;
        writeln!(text, "| context | keys | action | |\n| --- | --- | --- | --- |")?;
        for place in KeyContext::ALL {
            let here = |keymap: &Keymap| -> Vec<_> {
                keymap
                    .of(*place)
                    .iter()
                    .filter(|it| it.place == *place && !keymap.imports(it))
                    .cloned()
                    .collect()
            };
            let before = here(ours);
            let is_new = |binding: &super::keymap::Binding| {
                !before.iter().any(|old| old.keys == binding.keys && old.action == binding.action)
            };
            let new: Vec<_> = here(&keymap).into_iter().filter(is_new).collect();
            for entry in collect(&keymap, new.iter(), true) {
                let (keys, help) = (code(&entry.keys), entry.help.replace('|', "\\|"));
                writeln!(text, "| {} | {keys} | `{}` | {help} |", place.name(), entry.action.name())?;
            }
        }
    }
    Ok(())
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a switch of the test itself")]
fn the_keys_in_the_documentation_are_those_of_the_keymap() {
    let keymap = Keymap::read(None).unwrap();
    let mut text = HEAD.to_owned();
    contexts(&mut text).unwrap();
    places(&mut text, &keymap).unwrap();
    presets(&mut text, &keymap).unwrap();
    let is_wished = |name| std::env::var_os(name).is_some_and(|value| value == "1" || value == "always");
    if is_wished("HOIST_BLESS") || is_wished("INSTA_UPDATE") {
        std::fs::create_dir_all(std::path::Path::new(PATH).parent().unwrap()).unwrap();
        std::fs::write(PATH, &text).unwrap();
    }
    let there = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(there == text, "docs/keys.md is not up to date: HOIST_BLESS=1 cargo test keys_doc");
}

/// Returns the blocks of TOML in a document.
fn examples(text: &str) -> Vec<&str> {
    text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_examples_of_commands_and_keys_in_the_documentation_are_valid() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let load = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let flags = Flags { file: Some(path.clone()), ..Flags::default() };
        Config::load(&flags, &Environment::default()).unwrap()
    };
    let [commands] = examples(include_str!("../../docs/custom-commands.md"))[..] else { panic!() };
    let config = load(commands);
    assert_eq!(config.ui.commands.len(), 4);
    for command in &config.ui.commands {
        assert!(Template::of(command).is_ok(), "{command:?}");
    }
    Keymap::load(config.ui.keymap, None, &config.ui.commands).unwrap();
    let [settings, keys] = examples(include_str!("../../docs/configuration.md"))[..] else { panic!() };
    load(settings);
    Keymap::read(Some(keys)).unwrap();
}

/// Returns the text in back-ticks outside of tables and blocks of code.
fn code_spans(text: &str) -> Vec<&str> {
    let prose = text.split("\n```").step_by(2).flat_map(str::lines).filter(|line| !line.starts_with('|'));
    prose.flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

/// Whether a word looks like a key: `j`, `gg`, `Ctrl-w`, `F2`.
fn is_key(word: &str) -> bool {
    let is_named = ["Enter", "Esc", "Space", "Tab", "S-Tab", "S-PgUp", "S-PgDn"].contains(&word);
    is_named || word.starts_with("Ctrl-") || word.len() <= 2 && !word.starts_with('~')
}

#[test]
fn the_keys_that_the_guides_name_are_bound() {
    let keymap = Keymap::read(None).unwrap();
    let bindings = KeyContext::ALL.iter().flat_map(|place| keymap.of(*place));
    let bound: HashSet<String> =
        collect(&keymap, bindings, true).into_iter().flat_map(|entry| entry.keys.clone()).collect();
    let is_bound = |keys: &str| bound.contains(&keys.replace("Enter", "↵"));
    let (mut count, mut wrong) = (0, Vec::new());
    for text in [
        include_str!("../../README.md"),
        include_str!("../../docs/ui.md"),
        include_str!("../../docs/trash.md"),
    ] {
        for span in code_spans(text).into_iter().filter(|span| span.split(' ').all(is_key)) {
            let words: Vec<&str> = span.split(' ').collect();
            // `Ctrl-w h j`: two bindings. `Ctrl-] [`: a key that leaves a terminal, then another.
            let rest = &words[1..];
            let each = |prefix: &str| {
                !rest.is_empty() && rest.iter().all(|word| is_bound(&format!("{prefix}{word}")))
            };
            // `o`, with a letter behind it.
            let is_prefix = bound.iter().filter(|keys| keys.starts_with(span)).count() > 5;
            let is_right = is_bound(span)
                || is_prefix
                || is_bound(&words.concat())
                || is_bound(span.trim_start_matches(','))
                || each(&format!("{} ", words[0]))
                || is_bound(words[0]) && each("");
            if !is_right {
                wrong.push(span);
            }
            count += 1;
        }
    }
    assert!(wrong.is_empty() && count > 60, "{count} keys, not bound: {wrong:?}");
}
