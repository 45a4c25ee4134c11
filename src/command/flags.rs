//! The options of a verb as data, and arguments sorted into options, for forms and completion.
//!
//! ```text
//! run -it -e A=1 --rm=false debian ls -l
//!     └┬┘ └──┬─┘ └───┬────┘ └────┬─────┘
//!     two   env    rm           rest
//! ```
//! Values are not validated here; [`super::parse`] does that.

use clap::{Arg, ArgAction, Command};

use super::table::{self, Found};

/// An option of a verb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The long name without dashes, such as `publish`.
    pub long: String,
    /// The short name, such as `p`.
    pub short: Option<char>,
    /// A one-line description.
    pub about: String,
    /// The placeholder of its value; `None` for a switch.
    pub value: Option<String>,
    /// Whether it can be given several times.
    pub is_list: bool,
}

/// An option as given on a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The long name without dashes.
    pub long: String,
    /// The value; for a switch, `true` or what was written.
    pub value: String,
}

/// Arguments sorted into options and the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sorted {
    /// The options, in the order given.
    pub given: Vec<Given>,
    /// Arguments that are not options of the verb.
    pub rest: Vec<String>,
    /// The last option, if its value is missing.
    pub waiting: Option<String>,
    /// Unknown options.
    pub unknown: Vec<String>,
}

/// Returns the options of a verb in the order of its help; empty if there is no such verb.
#[must_use]
pub fn flags(verb: &str) -> Vec<Flag> {
    let words: Vec<String> = verb.split(' ').map(str::to_owned).collect();
    match table::find(&words) {
        Found::Verb(verb, []) => verb.command().get_arguments().filter_map(flag).collect(),
        _ => Vec::new(),
    }
}

fn flag(arg: &Arg) -> Option<Flag> {
    let long = arg.get_long().filter(|long| *long != "help")?.to_owned();
    let is_list = matches!(arg.get_action(), ArgAction::Append);
    Some(Flag { long, short: arg.get_short(), about: about(arg), value: value(arg), is_list })
}

/// Returns the placeholder of an option's value; `None` for a switch.
pub(crate) fn value(arg: &Arg) -> Option<String> {
    let long = arg.get_long().unwrap_or_default();
    takes_value(arg).then(|| {
        let names = arg.get_value_names().and_then(<[_]>::first).map(ToString::to_string);
        names.unwrap_or_else(|| long.to_uppercase())
    })
}

/// Returns the description of an option, with its default.
pub(crate) fn about(arg: &Arg) -> String {
    let about = arg.get_help().map(ToString::to_string).unwrap_or_default();
    match arg.get_default_values() {
        [default] if !arg.is_hide_default_value_set() => {
            format!("{about} (default {})", default.to_string_lossy())
        }
        _ => about,
    }
}

/// Sorts the arguments after a verb; `None` if there is no such verb.
#[must_use]
pub fn sorted(words: &[String]) -> Option<Sorted> {
    match table::find(words) {
        Found::Verb(verb, rest) => Some(sort(&verb.command(), rest)),
        _ => None,
    }
}

pub(super) fn sort(command: &Command, words: &[String]) -> Sorted {
    // For `run`, everything after the image belongs to the container's command.
    let ends_at_first = command.get_positionals().any(Arg::is_trailing_var_arg_set);
    let mut sorted = Sorted::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let is_over = ends_at_first && !sorted.rest.is_empty();
        match word.as_str() {
            "--" if !is_over => {
                sorted.rest.extend(words.cloned());
                break;
            }
            word if is_over || word == "-" || !word.starts_with('-') => sorted.rest.push(word.to_owned()),
            word => {
                if let Some(long) = option(command, word, &mut sorted) {
                    match words.next() {
                        Some(value) => sorted.given.push(Given { long, value: value.clone() }),
                        None => sorted.waiting = Some(long),
                    }
                }
            }
        }
    }
    sorted
}

/// Parses an argument with one or more options. Returns the option whose value is the next
/// argument.
fn option(command: &Command, word: &str, sorted: &mut Sorted) -> Option<String> {
    if let Some(long) = word.strip_prefix("--") {
        let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
        let Some(arg) = command.get_arguments().find(|arg| is_called(arg, name)) else {
            sorted.unknown.push(word.to_owned());
            return None;
        };
        return give(arg, value, sorted);
    }
    for (at, letter) in word[1..].char_indices() {
        let Some(arg) = command.get_arguments().find(|arg| arg.get_short() == Some(letter)) else {
            sorted.unknown.push(word.to_owned());
            return None;
        };
        let rest = &word[1 + at + letter.len_utf8()..];
        if takes_value(arg) || rest.starts_with('=') {
            let value = rest.strip_prefix('=').unwrap_or(rest);
            return give(arg, (!rest.is_empty()).then_some(value), sorted);
        }
        give(arg, None, sorted);
    }
    None
}

fn give(arg: &Arg, value: Option<&str>, sorted: &mut Sorted) -> Option<String> {
    let long = arg.get_long().unwrap_or_default().to_owned();
    match value {
        Some(value) => sorted.given.push(Given { long, value: value.to_owned() }),
        None if takes_value(arg) => return Some(long),
        None => sorted.given.push(Given { long, value: "true".to_owned() }),
    }
    None
}

pub(super) fn is_called(arg: &Arg, name: &str) -> bool {
    arg.get_long() == Some(name) || arg.get_all_aliases().is_some_and(|names| names.contains(&name))
}

/// Returns whether the option takes the next argument as its value.
pub(super) fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::split;

    fn shown(line: &str) -> String {
        let sorted = sorted(&split(line).unwrap()).unwrap();
        let given: Vec<_> = sorted.given.iter().map(|it| format!("{}={}", it.long, it.value)).collect();
        let waiting = sorted.waiting.map_or_else(String::new, |long| format!(" {long}…"));
        format!("{} | {}{waiting}{}", given.join(" "), sorted.rest.join(" "), sorted.unknown.join("?"))
    }

    #[test]
    fn words_are_sorted_into_options_and_the_rest() {
        for (line, want) in [
            (
                "run -it -e A=1 --rm=false debian ls -l",
                "interactive=true tty=true env=A=1 rm=false | debian ls -l",
            ),
            ("run -eA=1 -u=0 --net host x", "env=A=1 user=0 network=host | x"),
            ("run --sig-proxy=false --sig-proxy x", "sig-proxy=false sig-proxy=true | x"),
            ("run -- -x", " | -x"),
            ("run --name", " |  name…"),
            ("run -ite", "interactive=true tty=true |  env…"),
            ("run --nope x", " | x--nope"),
            ("container rm a -f b", "force=true | a b"),
            ("import - name", " | - name"),
        ] {
            assert_eq!(shown(line), want, "{line}");
        }
        assert_eq!(sorted(&split("fly me").unwrap()), None);
    }

    #[test]
    fn options_are_listed_with_what_they_take() {
        let flags = flags("run");
        let find = |long: &str| flags.iter().find(|flag| flag.long == long).unwrap();
        assert_eq!(find("env").short, Some('e'));
        assert!(find("env").is_list && !find("user").is_list);
        assert_eq!(find("tty").value, None);
        assert_eq!(find("sig-proxy").value, None);
        assert_eq!(find("user").value.as_deref(), Some("USER[:GROUP]"));
        assert!(!flags.iter().any(|flag| flag.long == "help"));
        assert!(super::flags("fly").is_empty() && super::flags("container").is_empty());
    }
}
