//! The text of a verb's `--help`, at most 80 columns wide.

use clap::{Arg, Command};

use super::flags;
use super::table::Verb;

/// The width of the text.
const WIDTH: usize = 80;
/// The maximum width of the column of names. A longer name gets a line of its own.
const NAMES: usize = 32;

/// Returns the output of `hoist VERB --help`.
pub(super) fn help(verb: &Verb) -> String {
    let names: Vec<_> = verb.names().iter().map(|name| format!("hoist {name}")).collect();
    let aliases = match names.len() {
        1 => String::new(),
        _ => format!("\nAliases:\n{}", wrapped(&format!("  {}", names.join(", ")), 2)),
    };
    let examples: String = verb.examples().iter().map(|line| format!("  hoist {line}\n")).collect();
    format!(
        "Usage:  {}\n\n{}\n{aliases}\nOptions:\n{}\nExamples:\n{examples}",
        verb.usage(),
        verb.about(),
        options(&verb.command())
    )
}

/// Returns a line or more for each option, in two columns.
fn options(command: &Command) -> String {
    let options = command.get_arguments().filter(|arg| !arg.is_positional());
    let rows: Vec<_> = options.map(|arg| (names(arg), flags::about(arg))).collect();
    let fitting = rows.iter().map(|(names, _)| names.len()).filter(|length| *length <= NAMES);
    let column = fitting.max().unwrap_or(0) + 2;
    let row = |(names, about): &(String, String)| match names.len() <= NAMES {
        true => wrapped(&format!("{names:column$}{about}"), column),
        false => format!("{names}\n{}", wrapped(&format!("{:column$}{about}", ""), column)),
    };
    rows.iter().map(row).collect()
}

/// Returns an option as in `  -e, --env NAME[=VALUE]`.
fn names(arg: &Arg) -> String {
    let short = arg.get_short().map_or_else(|| "    ".to_owned(), |letter| format!("-{letter}, "));
    let long = arg.get_long().unwrap_or_default();
    let value = flags::value(arg).map_or_else(String::new, |value| format!(" {value}"));
    format!("  {short}--{long}{value}")
}

/// Wraps a line between words, and indents what follows by `indent` columns.
fn wrapped(line: &str, indent: usize) -> String {
    let (mut text, mut width) = (String::new(), 0);
    for word in line.split_inclusive(' ') {
        let length = word.trim_end().chars().count();
        if width + length > WIDTH && width > indent {
            text.truncate(text.trim_end().len());
            text += &format!("\n{:indent$}", "");
            width = indent;
        }
        text += word;
        width += word.chars().count();
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::NOUNS;
    use crate::command::table::{Noun, each_verb, overview};

    #[test]
    fn every_help_fits_into_80_columns() {
        for text in each_verb().map(help).chain(NOUNS.iter().map(Noun::help)).chain([overview()]) {
            for line in text.lines() {
                assert!(line.len() <= WIDTH, "{}: {line}", line.len());
            }
        }
    }

    #[test]
    fn long_descriptions_continue_in_their_column() {
        let verb = each_verb().find(|verb| verb.names()[0] == "logs").unwrap();
        insta::assert_snapshot!(help(verb), @r"
        Usage:  hoist logs [OPTIONS] CONTAINER

        Print the logs of a container

        Aliases:
          hoist logs, hoist container logs

        Options:
          -f, --follow      Follow log output
              --since TIME  Show output since a timestamp (2026-01-02T13:23:37Z) or
                            relative time (42m)
          -n, --tail LINES  Number of lines to show from the end (default all)
          -t, --timestamps  Show timestamps
              --until TIME  Show output before a timestamp (2026-01-02T13:23:37Z) or
                            relative time (42m)
          -h, --help        Show help

        Examples:
          hoist logs -f --since 10m web
        ");
        assert_eq!(wrapped("  a b", 2), "  a b\n");
    }
}
