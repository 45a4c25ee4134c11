//! Generates the manual pages in `docs/man` from the table of commands: `hoist.1` and one page for
//! each command, named as in `hoist-run.1`, so that `man hoist run` finds it. The page of `hoist oci` is
//! written where its command line is, in `cli/manual.rs`.
//!
//! `HOIST_BLESS=1 cargo test reference` writes them. The format is described in groff_man(7).

use super::flags::{Flag, flags};
use super::table::{ELSEWHERE, GLOBALS, Global, Noun, Verb};
use super::{LACKING, NOUNS};

/// The files that `hoist` reads or keeps.
const FILES: &[(&str, &str)] = &[
    ("/etc/hoist/config.toml", "The configuration of this machine."),
    ("~/.config/hoist/config.toml", "The configuration of the user, which takes precedence."),
    ("~/.config/hoist/keymap.toml", "Changes to the keys of the terminal UI."),
    ("~/.config/hoist/themes/NAME.toml", "Themes of the terminal UI."),
    ("~/.local/state/hoist/", "State of the terminal UI: history, layouts, presets."),
    ("~/.docker/config.json", "Credentials for registries."),
    ("/etc/hoist/certs.d/HOST[:PORT]/", "Certificates for registries."),
    ("/var/lib/hoist/", "Images, containers, volumes and the trash."),
    ("/run/hoist/", "The state of running containers, and the journal of events."),
];

/// The environment variables that `hoist` reads.
const VARIABLES: &[(&str, &str)] = &[
    ("HOIST_CONFIG", "The only configuration file to read, as with --config."),
    ("HOIST_ROOT, HOIST_RUN_ROOT", "The folders of the engine, as with --root and --run-root."),
    ("HOIST_THEME", "The theme of the terminal UI."),
    ("NO_COLOR", "If set and not empty, the terminal UI shows no colors."),
    ("DOCKER_CONFIG", "The folder that contains config.json, instead of ~/.docker."),
    ("HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "Proxies for registries; also in lower case."),
    ("VISUAL, EDITOR", "The editor for files that are opened in the terminal UI."),
];

/// The exit codes of all commands.
const CODES: &[(&str, &str)] = &[
    ("0", "Success."),
    ("1", "The command failed, or has too few or too many arguments."),
    ("125", "An option or its value is invalid, or run failed before its program started."),
    ("126", "The program that run, start or exec should run cannot be executed."),
    ("127", "The program that run, start or exec should run was not found."),
    ("other", "The exit code of the program that run, exec or start -a ran."),
];

/// A page: the name of its file, and its text.
#[derive(Debug)]
struct Page {
    file: String,
    text: String,
}

/// Returns all pages.
fn pages() -> Vec<Page> {
    let verbs = NOUNS.iter().flat_map(|noun| noun.verbs.iter().map(move |verb| verb_page(noun, verb)));
    std::iter::once(overview()).chain(verbs).collect()
}

/// Escapes text for troff: dashes stay what users type, and no line is taken for a request.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => escaped += "\\e",
            '-' => escaped += "\\-",
            '\'' => escaped += "\\(aq",
            '`' => escaped += "\\(ga",
            '^' => escaped += "\\(ha",
            '~' => escaped += "\\(ti",
            '“' => escaped += "\\(lq",
            '”' => escaped += "\\(rq",
            c => escaped.push(c),
        }
    }
    // At the start of a line, a dot would begin a request.
    if escaped.starts_with('.') { format!("\\&{escaped}") } else { escaped }
}

pub(crate) fn bold(text: &str) -> String {
    format!("\\fB{}\\fR", escaped(text))
}

pub(crate) fn italic(text: &str) -> String {
    format!("\\fI{}\\fR", escaped(text))
}

/// Formats the name of a page: `hoist-run(1)`.
fn reference(command: &str) -> String {
    format!("{}(1)", bold(&page_name(command)))
}

/// Returns `hoist-image-from-host` for `image from-host`.
fn page_name(command: &str) -> String {
    format!("hoist-{}", command.replace(' ', "-"))
}

pub(crate) fn head(name: &str) -> String {
    format!(
        ".\\\" Generated from the table of commands; do not edit.\n.TH {} 1 \"\" \"hoist {}\" \"hoist manual\"\n",
        escaped(&name.to_uppercase()),
        env!("CARGO_PKG_VERSION")
    )
}

/// Formats a paragraph with a tag.
pub(crate) fn tagged(tag: &str, text: &str) -> String {
    format!(".TP\n{tag}\n{text}\n")
}

/// Formats an option: `-e, --env NAME[=VALUE]`.
pub(crate) fn option(short: Option<char>, long: &str, value: Option<&str>, about: &str) -> String {
    let short = short.map_or_else(String::new, |letter| format!("{}, ", bold(&format!("-{letter}"))));
    let value = value.map_or_else(String::new, |value| format!(" {}", italic(value)));
    tagged(&format!("{short}{}{value}", bold(&format!("--{long}"))), &format!("{}.", escaped(about)))
}

/// Formats the usage line: the name in bold, placeholders in italics.
pub(crate) fn synopsis(name: &str, arguments: &str) -> String {
    let mut text = bold(name);
    for word in arguments.split_whitespace() {
        let is_placeholder = |c: char| c.is_ascii_uppercase() || c == '_';
        text.push(' ');
        let mut rest = word;
        while !rest.is_empty() {
            let count = rest.find(|c| !is_placeholder(c)).unwrap_or(rest.len());
            let (placeholder, after) = rest.split_at(count);
            if !placeholder.is_empty() {
                text += &italic(placeholder);
            }
            let count = after.find(is_placeholder).unwrap_or(after.len());
            let (other, after) = after.split_at(count);
            text += &escaped(other);
            rest = after;
        }
    }
    format!(".SH SYNOPSIS\n{text}\n")
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(bold).collect::<Vec<_>>().join(", ")
}

/// Returns the page of a command.
fn verb_page(noun: &Noun, verb: &Verb) -> Page {
    let [first, aliases @ ..] = verb.names() else { unreachable!("a verb has a name") };
    let names: Vec<_> = verb.names().iter().map(|name| escaped(&page_name(name))).collect();
    let mut text = head(&page_name(first));
    text += &format!(".SH NAME\n{} \\- {}\n", names.join(", "), escaped(verb.about()));
    let arguments = verb.usage();
    let arguments = arguments.strip_prefix(&verb.name()).unwrap_or_default().trim_start();
    text += &synopsis(&verb.name(), arguments);
    text += &format!(".SH DESCRIPTION\n{}.\n", escaped(verb.about()));
    if !aliases.is_empty() {
        let names: Vec<_> = aliases.iter().map(|name| format!("hoist {name}")).collect();
        text += &format!(".PP\nAlso {}.\n", listed(names.iter().map(String::as_str)));
    }
    let flags = flags(first);
    text += ".SH OPTIONS\n";
    let row = |flag: &Flag| option(flag.short, &flag.long, flag.value.as_deref(), &flag.about);
    text.extend(flags.iter().map(row));
    // `-h` means something else in `run`.
    let short = flags.iter().all(|flag| flag.short != Some('h')).then_some('h');
    text += &option(short, "help", None, "Show help");
    text += ".SH EXAMPLES\n.EX\n";
    text.extend(verb.examples().iter().map(|line| format!("hoist {}\n", escaped(line))));
    text += ".EE\n";
    if verb.lacks().next().is_some() {
        text += &format!(
            ".SH COMPATIBILITY\nDocker also has these options, which hoist does not support yet: {}.\n",
            listed(verb.lacks())
        );
    }
    text += &format!(".SH SEE ALSO\n{}\n", see_also(noun, verb));
    Page { file: format!("{}.1", page_name(first)), text }
}

/// Returns references to the overview and to the other commands of the noun.
fn see_also(noun: &Noun, verb: &Verb) -> String {
    let others = noun.verbs.iter().filter(|other| other.name() != verb.name());
    let mut names: Vec<_> = others.map(|other| reference(other.names()[0])).collect();
    names.sort_unstable();
    std::iter::once(format!("{}(1)", bold("hoist"))).chain(names).collect::<Vec<_>>().join(",\n")
}

/// Returns the page `hoist.1`.
fn overview() -> Page {
    let mut text = head("hoist");
    text += ".SH NAME\nhoist \\- run containers without a daemon, from a terminal UI or the command line\n";
    text += &synopsis("hoist", "[OPTIONS] [COMMAND]");
    text += "\
.SH DESCRIPTION
Without a command,
.B hoist
opens a full\\-screen terminal UI. With a command, it does what Docker does: commands, options and exit codes are the
same. There is no daemon: every running container has a small monitor process, and hoist keeps its state on disk.
Containers need root.
.PP
In the terminal UI,
.B ?\\&
shows all keys and
.B :\\&
accepts the commands below.
.SH OPTIONS
";
    let global = |global: &Global| option(global.short, global.long, global.value, global.about);
    text.extend(GLOBALS.iter().map(global));
    text += ".SH COMMANDS\n";
    for noun in NOUNS {
        text += &format!(".SS {}\n", escaped(noun.about));
        let row = |verb: &Verb| tagged(&reference(verb.names()[0]), &format!("{}.", escaped(verb.about())));
        text.extend(noun.verbs.iter().map(row));
    }
    text += ".SS Other commands\n";
    let row = |(name, about): &(&str, &str)| tagged(&reference(name), &format!("{}.", escaped(about)));
    text.extend(ELSEWHERE.iter().map(row));
    for (title, rows) in [("FILES", FILES), ("ENVIRONMENT", VARIABLES), ("EXIT STATUS", CODES)] {
        text += &format!(".SH {title}\n");
        text.extend(rows.iter().map(|(tag, about)| tagged(&bold(tag), &escaped(about))));
    }
    text += &format!(
        ".SH COMPATIBILITY\nDocker also has these commands, which hoist does not support yet: {}.\n",
        listed(NOUNS.iter().flat_map(|noun| noun.lacks).chain(LACKING).copied())
    );
    Page { file: "hoist.1".to_owned(), text }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::command::reference::is_to_be_written;

    fn is_ours(entry: &fs::DirEntry) -> bool {
        let other = |(name, _): &(&str, &str)| entry.file_name() == format!("{}.1", page_name(name)).as_str();
        !ELSEWHERE.iter().any(other)
    }

    #[test]
    fn the_manual_pages_are_those_of_the_table() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/man"));
        let wanted: BTreeMap<_, _> = pages().into_iter().map(|page| (page.file, page.text)).collect();
        if is_to_be_written() {
            fs::create_dir_all(folder).unwrap();
            for page in fs::read_dir(folder).unwrap().map(Result::unwrap).filter(is_ours) {
                fs::remove_file(page.path()).unwrap();
            }
            for (file, text) in &wanted {
                fs::write(folder.join(file), text).unwrap();
            }
        }
        let there = fs::read_dir(folder).unwrap().map(Result::unwrap).filter(is_ours).map(|entry| {
            (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
        });
        assert!(
            there.collect::<BTreeMap<_, _>>() == wanted,
            "docs/man is not up to date: HOIST_BLESS=1 cargo test --lib command::man"
        );
    }

    #[test]
    fn text_means_itself_to_troff() {
        assert_eq!(escaped(".a 'b' `c` -d \\ ~/x"), "\\&.a \\(aqb\\(aq \\(gac\\(ga \\-d \\e \\(ti/x");
        assert_eq!(
            synopsis("hoist run", "[OPTIONS] NAME|ID [ARG...]"),
            ".SH SYNOPSIS\n\\fBhoist run\\fR [\\fIOPTIONS\\fR] \\fINAME\\fR|\\fIID\\fR [\\fIARG\\fR\\&...]\n"
        );
    }
}
