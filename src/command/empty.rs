//! Options with an empty value, such as `--name "$NAME"` in a script where the variable is unset.
//!
//! If Docker treats the empty value as missing, the option is removed here, for every verb, before
//! the arguments are parsed. An empty value that has a meaning (`--entrypoint ""` clears the
//! image's) or is an error (`-e ""`) stays.

use clap::{Arg, ArgAction, Command};

use super::fields::field;
use super::flags::{is_called, takes_value};

/// Options that `run` does not have and whose empty value counts as missing. For the options of
/// `run`, this is a property of their fields.
const OTHERS: &[&str] = &["filter", "format", "input", "message", "signal", "since", "tail", "until"];

/// Returns whether an empty value of this option counts as missing, for every verb.
fn is_optional(long: &str) -> bool {
    field(long).is_some_and(|field| field.empty_is_none) || OTHERS.contains(&long)
}

/// An option with its value, or a single other argument.
struct Piece {
    words: Vec<String>,
    /// The option, if an empty value of it counts as missing.
    option: Option<Given>,
}

struct Given {
    long: String,
    is_empty: bool,
    is_list: bool,
    /// The switches before it in the same argument: `-it` of `-itu ""`.
    switches: Option<String>,
}

/// Removes options with an empty value. As in Docker, an empty value of an option that is not a
/// list also cancels earlier values.
pub(super) fn without(command: &Command, words: &[String]) -> Vec<String> {
    let pieces = pieces(command, words);
    let is_out = |at: usize, given: &Given| {
        let last =
            || pieces[at..].iter().rev().find_map(|it| it.option.as_ref().filter(|it| it.long == given.long));
        given.is_empty || !given.is_list && last().is_some_and(|last| last.is_empty)
    };
    let kept = pieces.iter().enumerate().flat_map(|(at, piece)| match &piece.option {
        Some(given) if is_out(at, given) => given.switches.clone().into_iter().collect(),
        _ => piece.words.clone(),
    });
    kept.collect()
}

fn pieces(command: &Command, words: &[String]) -> Vec<Piece> {
    // For `run`, everything after the image belongs to the container's command.
    let ends_at_first = command.get_positionals().any(Arg::is_trailing_var_arg_set);
    let mut pieces = Vec::new();
    let mut words = words.iter();
    let mut is_over = false;
    while let Some(word) = words.next() {
        let mut piece = Piece { words: vec![word.clone()], option: None };
        let is_option = word.len() > 1 && word.starts_with('-');
        is_over |= word == "--" || !is_option && ends_at_first;
        if let Some((arg, switches, value)) =
            is_option.then(|| valued(command, word)).flatten().filter(|_| !is_over)
        {
            let value = value.map_or_else(
                || {
                    let next = words.next()?;
                    piece.words.push(next.clone());
                    Some(next.as_str())
                },
                Some,
            );
            let long = arg.get_long().unwrap_or_default();
            let is_list = matches!(arg.get_action(), ArgAction::Append);
            piece.option = value.filter(|_| is_optional(long)).map(|value| Given {
                long: long.to_owned(),
                is_empty: value.is_empty(),
                is_list,
                switches,
            });
        }
        pieces.push(piece);
    }
    pieces
}

/// Returns the option in an argument if it takes a value, the switches before it, and the value if
/// it is in the same argument.
fn valued<'a>(command: &'a Command, word: &'a str) -> Option<(&'a Arg, Option<String>, Option<&'a str>)> {
    if let Some(long) = word.strip_prefix("--") {
        let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
        let arg = command.get_arguments().find(|arg| is_called(arg, name))?;
        return takes_value(arg).then_some((arg, None, value));
    }
    for (at, letter) in word.char_indices().skip(1) {
        let arg = command.get_arguments().find(|arg| arg.get_short() == Some(letter))?;
        if takes_value(arg) {
            let rest = &word[at + letter.len_utf8()..];
            let value = (!rest.is_empty()).then(|| rest.strip_prefix('=').unwrap_or(rest));
            return Some((arg, (at > 1).then(|| word[..at].to_owned()), value));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::table::{Verb, each_verb};
    use crate::command::{World, parse, split};

    /// Options with a meaningful empty value. All others reject it.
    const MEANS_SOMETHING: &[&str] = &["entrypoint"];

    fn verb(name: &str) -> &'static Verb {
        each_verb().find(|verb| verb.names()[0] == name).unwrap()
    }

    #[test]
    fn every_option_of_every_verb_has_its_rule_for_an_empty_value() {
        let read = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
        let environment = std::iter::empty::<(&str, &str)>().collect();
        let world = World { environment, folder: "/".into(), read };
        let told = |line: &str| {
            let request = parse(&split(line).unwrap()).map(|parsed| parsed.request);
            request.and_then(|request| request.resolve(&world)).map_err(|usage| usage.to_string())
        };
        for verb in each_verb() {
            let path = verb.names()[0];
            let rest = verb.examples()[0].strip_prefix(path).unwrap();
            let plain = told(&format!("{path}{rest}"));
            for flag in super::super::flags::flags(path).iter().filter(|flag| flag.value.is_some()) {
                let line = format!("{path} --{}={rest}", flag.long);
                let long = flag.long.as_str();
                let (is_none, is_taken) = (is_optional(long), MEANS_SOMETHING.contains(&long));
                assert!(!(is_none && is_taken), "--{long} has two rules");
                match told(&line) {
                    request if is_none => assert_eq!(request, plain, "{line}"),
                    Ok(_) if !is_taken && path != "image from-host" => panic!("{line}: accepted"),
                    request if is_taken => {
                        assert!(request.is_ok() && request != plain, "{line}: {request:?}")
                    }
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn only_the_option_itself_is_taken_out() {
        let command = verb("run").command();
        for (line, want) in [
            ("--name= -h '' debian", "debian"),
            ("-itu '' debian", "-it debian"),
            ("-u= -w= debian", "debian"),
            ("--name a --name= debian", "debian"),
            ("--name= --name a debian", "--name a debian"),
            ("-e X= -l x= --entrypoint '' debian", "-e X= -l x= --entrypoint '' debian"),
            ("debian --name= ''", "debian --name= ''"),
            ("-- --name=", "-- --name="),
            ("--name -h debian", "--name -h debian"),
            ("--unknown= debian", "--unknown= debian"),
        ] {
            assert_eq!(without(&command, &split(line).unwrap()), split(want).unwrap(), "{line}");
        }
        let ps = verb("ps").command();
        let words = |line: &str| split(line).unwrap();
        assert_eq!(
            without(&ps, &words("-f '' -f a=b --filter=")),
            words("-f a=b"),
            "of a list the others stay"
        );
    }
}
