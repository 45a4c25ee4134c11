//! Parsers of values that several groups share.

use std::path::Path;

use super::Result;
use crate::base::units::parse_size;
use crate::command::World;
use crate::command::usage::Usage;

/// Parses each of several values.
pub(in crate::command) fn each<T>(words: &[String], read: impl Fn(&str) -> Result<T>) -> Result<Vec<T>> {
    words.iter().map(|word| read(word)).collect()
}

/// Returns a value that must not be empty.
pub(in crate::command) fn filled(option: &str, word: &str) -> Result<String> {
    match word {
        "" => Err(Usage::argument(format!("invalid argument `` for {option}: it is empty"))),
        word => Ok(word.to_owned()),
    }
}

/// Splits `key=value`.
pub(super) fn pair<'a>(option: &str, word: &'a str) -> Result<(&'a str, &'a str)> {
    let bad = || Usage::argument(format!("invalid argument `{word}` for {option}: expected key=value"));
    word.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(bad)
}

/// Parses a size with binary units (powers of 1024).
pub(super) fn size(option: &str, word: &str) -> Result<u64> {
    parse_size(word).map_err(|error| Usage::argument(format!("invalid argument for {option}: {error}")))
}

/// Parses lines of the form `NAME=value` or `NAME`. Empty lines and comments are skipped; quotes
/// have no special meaning.
pub(super) fn pairs_of_file(path: &Path, world: &World) -> Result<Vec<(String, Option<String>)>> {
    let file = path.display();
    let text = (world.read)(&world.absolute(path))
        .map_err(|error| Usage::argument(format!("cannot read {file}: {error}")))?;
    let mut pairs = Vec::new();
    for line in text.trim_start_matches('\u{feff}').lines() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (line.trim_end(), None),
        };
        if name.is_empty() {
            return Err(Usage::argument(format!("invalid file {file}: no variable name on line `{line}`")));
        }
        if name.contains(char::is_whitespace) {
            return Err(Usage::argument(format!(
                "invalid file {file}: variable `{name}` contains whitespaces"
            )));
        }
        pairs.push((name.to_owned(), value));
    }
    Ok(pairs)
}
