//! Generates `docs/commands.md` from the table of commands.
//!
//! `HOIST_BLESS=1 cargo test reference` writes it.

use super::flags::{Flag, flags};
use super::table::{ELSEWHERE, GLOBALS, Global, Noun, Verb};
use super::{LACKING, NOUNS};

const HEAD: &str = "\
# Commands

This file is generated from the table of commands (`src/command/table.rs`) by a test; do not edit it. `hoist COMMAND
--help` shows the same. Commands and options of Docker that hoist does not support are rejected by name. As in
Docker, some modes of `-v` are accepted but have no effect: `cached`, `delegated` and `consistent`, and `z` and `Z` where
SELinux is off. Where SELinux is on, `create` and `run` warn that relabeling is not supported yet.
";

const GLOBAL_HEAD: &str = "
## Global options

```text
hoist [OPTIONS] [COMMAND]
```

Global options come before the command. Without a command, hoist opens the terminal UI for the engine in these
folders. The `:` line of the UI does not accept global options.

| option | |
| --- | --- |
";

/// Whether the tests are to write the generated files.
#[expect(clippy::disallowed_methods, reason = "a switch of the tests themselves")]
pub(crate) fn is_to_be_written() -> bool {
    let is_wished = |name| std::env::var_os(name).is_some_and(|value| value == "1" || value == "always");
    is_wished("HOIST_BLESS") || is_wished("INSTA_UPDATE")
}

/// Returns the reference of all commands in Markdown.
#[must_use]
pub fn reference() -> String {
    let nouns: String = NOUNS.iter().map(noun).collect();
    let globals: String = GLOBALS.iter().map(global).collect();
    let elsewhere: String = ELSEWHERE.iter().map(|it| other(*it)).collect();
    let lacking: Vec<_> = LACKING.iter().map(|name| code(name)).collect();
    format!(
        "{HEAD}{GLOBAL_HEAD}{globals}{nouns}{elsewhere}\n## Not supported yet\n\n{}\n",
        lacking.join(", ")
    )
}

fn noun(noun: &Noun) -> String {
    let verbs: String = noun.verbs.iter().map(verb).collect();
    // Omit `container cp` if `cp` is listed.
    let short = |name: &str| name.strip_prefix(noun.name).map(str::trim_start).unwrap_or_default().to_owned();
    let lacks = noun.lacks.iter().filter(|name| !noun.lacks.contains(&short(name).as_str()));
    let lacks: Vec<_> = lacks.map(|name| code(name)).collect();
    format!("\n## {}\n\n{}. Not supported yet: {}.\n{verbs}", noun.name, noun.about, lacks.join(", "))
}

fn verb(verb: &Verb) -> String {
    let mut text = format!("\n### {}\n\n{}.\n", verb.names()[0], verb.about());
    text += &format!("\n```text\n{}\n```\n", verb.usage());
    if let [_, others @ ..] = verb.names()
        && !others.is_empty()
    {
        let others: Vec<_> = others.iter().map(|name| code(&format!("hoist {name}"))).collect();
        text += &format!("\nAlso {}.\n", others.join(", "));
    }
    let flags = flags(verb.names()[0]);
    if !flags.is_empty() {
        text += "\n| option | |\n| --- | --- |\n";
        text.extend(flags.iter().map(row));
    }
    let lines: String = verb.examples().iter().map(|line| format!("hoist {line}\n")).collect();
    text += &format!("\n```sh\n{lines}```\n");
    let long = |names: &'static str| names.rsplit(", ").next().unwrap_or(names);
    let lacks: Vec<_> = verb.lacks().map(|names| code(long(names))).collect();
    if !lacks.is_empty() {
        text += &format!("\nNot supported yet: {}.\n", lacks.join(", "));
    }
    text
}

/// Describes a command with its own parser and help.
fn other((name, about): (&str, &str)) -> String {
    format!(
        "\n## {name}\n\n{about}.\n\n```text\nhoist {name} [OPTIONS] COMMAND\n```\n\n\
         Its commands and options are those of other OCI runtimes: see `hoist {name} --help`.\n"
    )
}

fn row(flag: &Flag) -> String {
    option(flag.short, &flag.long, flag.value.as_deref(), &flag.about)
}

fn global(global: &Global) -> String {
    option(global.short, global.long, global.value, global.about)
}

/// Returns a row such as `| `-e`, `--env NAME[=VALUE]` | Set environment variables |`.
fn option(short: Option<char>, long: &str, value: Option<&str>, about: &str) -> String {
    let short = short.map_or_else(String::new, |letter| format!("`-{letter}`, "));
    let value = value.map_or_else(String::new, |value| format!(" {value}"));
    let long = code(&format!("--{long}{value}"));
    format!("| {short}{long} | {} |\n", about.replace('|', "\\|"))
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::table::each_verb;
    use crate::command::{parse, split};

    const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/commands.md");

    #[test]
    fn the_commands_in_the_documentation_are_those_of_the_table() {
        let text = reference();
        if is_to_be_written() {
            std::fs::write(PATH, &text).unwrap();
        }
        let there = std::fs::read_to_string(PATH).unwrap_or_default();
        assert!(there == text, "docs/commands.md is not up to date: HOIST_BLESS=1 cargo test reference");
    }

    #[test]
    fn each_verb_has_examples_that_are_lines_of_it() {
        for verb in each_verb() {
            assert!(!verb.examples().is_empty(), "{} has no example", verb.name());
            for line in verb.examples() {
                let parsed = parse(&split(line).unwrap()).unwrap_or_else(|usage| panic!("{line}: {usage}"));
                assert_eq!(parsed.request.verb().map(Verb::name), Some(verb.name()), "{line}");
            }
        }
    }

    #[test]
    fn what_is_lacking_is_not_there() {
        for verb in each_verb() {
            let flags = flags(verb.names()[0]);
            for lacks in verb.lacks().flat_map(|names| names.split(", ")) {
                let is_there = |flag: &Flag| match lacks.strip_prefix("--") {
                    Some(long) => flag.long == long,
                    None => flag.short.is_some_and(|letter| lacks == format!("-{letter}")),
                };
                assert!(!flags.iter().any(is_there), "{} has {lacks}", verb.name());
            }
            for name in verb.names() {
                let is_lacking =
                    LACKING.iter().chain(NOUNS.iter().flat_map(|noun| noun.lacks)).any(|it| it == name);
                assert!(!is_lacking, "{name} is there");
            }
        }
    }
}
