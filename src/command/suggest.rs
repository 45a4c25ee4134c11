//! Suggestions for the end of a line that is being typed.
//!
//! The grammar knows verbs, options and fixed values. It does not know the names of containers,
//! images or files; for these it only returns the kind of name that is expected.

use clap::Arg;

use super::NOUNS;
use super::field::{NameKind, Values};
use super::fields::field;
use super::flags::{flags, sort};
use super::options::SIGNALS;
use super::table::{self, Found, Noun, Verb};

/// What can follow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suggestions {
    /// The part of the word before each suggestion, such as `--network=`.
    pub prefix: String,
    /// Words of the grammar with their descriptions.
    pub words: Vec<(String, String)>,
    /// The kind of name that is expected.
    pub names: Option<NameKind>,
}

/// The values of options that `run` does not have.
const OTHERS: &[(&str, Values)] =
    &[("signal", Values::Few(SIGNALS)), ("input", Values::Names(NameKind::File))];

/// Returns what is known of an option's values.
fn values(long: &str) -> Values {
    let other = OTHERS.iter().find(|(name, _)| *name == long).map(|(_, values)| *values);
    field(long).map(|field| field.values).or(other).unwrap_or(Values::Any)
}

/// Returns the possible values of an option, if they are listed.
#[must_use]
pub fn choices(long: &str) -> &'static [&'static str] {
    match values(long) {
        Values::Few(values) => values,
        Values::Any | Values::Names(_) => &[],
    }
}

/// Returns what can follow `before` if the next word begins with `begun`. Suggestions that do not
/// match `begun` are omitted, except names, which only the caller knows.
#[must_use]
pub fn suggest(before: &[String], begun: &str) -> Suggestions {
    let found = if before.is_empty() { None } else { Some(table::find(before)) };
    match found {
        Some(Found::Verb(verb, words)) => behind(verb, words, begun),
        Some(Found::Noun(noun)) => fitting(within(noun), begun),
        Some(Found::Unknown(_)) => Suggestions::default(),
        None => fitting(first(), begun),
    }
}

/// Returns the words that a line can begin with.
fn first() -> Vec<(String, String)> {
    let tops = table::each_verb().flat_map(|verb| verb.names().iter().map(|name| (*name, verb.about())));
    let tops = tops.filter(|(name, _)| !name.contains(' '));
    let nouns = NOUNS.iter().map(|noun| (noun.name, noun.about));
    let all = tops.chain(nouns).chain([("help", "Show help")]);
    all.map(|(name, about)| (name.to_owned(), about.to_owned())).collect()
}

/// Returns the words that can follow a noun.
fn within(noun: &Noun) -> Vec<(String, String)> {
    noun.within().map(|(name, verb)| (name.to_owned(), verb.about().to_owned())).collect()
}

fn fitting(words: Vec<(String, String)>, begun: &str) -> Suggestions {
    let words = words.into_iter().filter(|(word, _)| word.starts_with(begun)).collect();
    Suggestions { words, ..Suggestions::default() }
}

fn behind(verb: &Verb, words: &[String], begun: &str) -> Suggestions {
    let command = verb.command();
    let sorted = sort(&command, words);
    if let Some(long) = sorted.waiting {
        return value(&command, &long, String::new(), begun);
    }
    let is_over = words.iter().any(|word| word == "--")
        || command.get_positionals().any(Arg::is_trailing_var_arg_set) && !sorted.rest.is_empty();
    if let Some((name, part)) = begun.split_once('=').filter(|_| begun.starts_with("--") && !is_over) {
        return value(&command, &name[2..], format!("{name}="), part);
    }
    if begun.starts_with('-') && !is_over {
        let shown = flags(verb.names()[0]).into_iter().map(|flag| (format!("--{}", flag.long), flag.about));
        return fitting(shown.collect(), begun);
    }
    positional(&command, sorted.rest.len(), begun)
}

/// Returns the values that an option takes.
fn value(command: &clap::Command, long: &str, prefix: String, begun: &str) -> Suggestions {
    let arg = command.get_arguments().find(|arg| arg.get_long() == Some(long));
    let mut words: Vec<_> = choices(long).iter().map(|word| ((*word).to_owned(), String::new())).collect();
    if let Some(arg) = arg.filter(|_| words.is_empty()) {
        words = possible(arg);
    }
    let names = match values(long) {
        Values::Names(kind) => Some(kind),
        Values::Any | Values::Few(_) => None,
    };
    Suggestions { prefix, names, ..fitting(words, begun) }
}

/// Returns the values that clap accepts for an argument, if they are listed.
fn possible(arg: &Arg) -> Vec<(String, String)> {
    let is_fixed = arg.get_action().takes_values();
    let values = if is_fixed { arg.get_possible_values() } else { Vec::new() };
    values.iter().map(|value| (value.get_name().to_owned(), String::new())).collect()
}

/// Returns what can be in the place of a positional argument.
fn positional(command: &clap::Command, place: usize, begun: &str) -> Suggestions {
    let all: Vec<&Arg> = command.get_positionals().collect();
    let many = |arg: &&Arg| matches!(arg.get_action(), clap::ArgAction::Append);
    let last = all.last().copied().filter(many).filter(|arg| !arg.is_trailing_var_arg_set());
    let Some(arg) = all.get(place).copied().or(last) else { return Suggestions::default() };
    let name = arg.get_value_names().and_then(<[_]>::first).map(ToString::to_string).unwrap_or_default();
    let names = match name.as_str() {
        "NAME|ID" => Some(NameKind::Object),
        name if name.contains("CONTAINER") => Some(NameKind::Container),
        name if name.contains("NETWORK") => Some(NameKind::Network),
        name if name.contains("VOLUME") => Some(NameKind::Volume),
        name if name.contains("FILE") => Some(NameKind::File),
        name if name.contains("IMAGE") || name.contains(":TAG") => Some(NameKind::Image),
        _ => None,
    };
    Suggestions { names, ..fitting(possible(arg), begun) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::split;

    /// Completes a line in which `|` marks the start of the last word.
    fn shown(line: &str) -> String {
        let (before, begun) = line.rsplit_once('|').unwrap();
        let found = suggest(&split(before).unwrap(), begun);
        let words: Vec<_> = found.words.iter().map(|(word, _)| word.as_str()).collect();
        let names = found.names.map_or_else(String::new, |names| format!(" {names:?}"));
        format!("{}{}{names}", found.prefix, words.join(" "))
    }

    #[test]
    fn each_place_of_a_line_has_its_words() {
        for (line, want) in [
            ("|rena", "rename"),
            ("|net", "network"),
            ("network |", "inspect ls"),
            ("container |ren", "rename"),
            ("run |--cap", "--cap-add --cap-drop"),
            ("run --restart |un", "unless-stopped"),
            ("run --restart=no |", " Image"),
            ("run |--restart=al", "--restart=always"),
            ("run |--network=", "--network= Network"),
            ("run -it --network |", " Network"),
            ("run -it debian |", ""),
            ("run -it debian |--", ""),
            ("exec -it |", " Container"),
            ("rm -f a |b", " Container"),
            ("rename a |", ""),
            ("tag |", " Image"),
            ("pull |", " Image"),
            ("inspect |", " Object"),
            ("container inspect |", " Container"),
            ("volume |", "inspect ls"),
            ("volume inspect |", " Volume"),
            ("inspect --type |", "container image network volume"),
            ("load -i |", " File"),
            ("import |", " File"),
            ("import x |", " Image"),
            ("completion |", "bash fish zsh"),
            ("kill -s |SIGU", "SIGUSR1 SIGUSR2"),
            ("fly |", ""),
        ] {
            assert_eq!(shown(line), want, "{line}");
        }
    }
}
