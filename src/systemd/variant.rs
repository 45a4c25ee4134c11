//! Reads values in the text format of GVariant, as far as properties of units have them:
//! <https://docs.gtk.org/glib/gvariant-text-format.html>.

use crate::base::dbus::Value;

/// Reads `'text'`, `true`, `7`, `uint64 7` or `['a', 'b']`. A number without a type is `int32`.
pub(super) fn parse(text: &str) -> Option<Value> {
    let text = text.trim();
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return strings(inner).map(Value::Strings);
    }
    if text.starts_with(['\'', '"']) {
        let (string, rest) = string(text)?;
        return rest.trim().is_empty().then_some(Value::String(string));
    }
    match text.split_once(' ') {
        None => match text {
            "true" => Some(Value::Boolean(true)),
            "false" => Some(Value::Boolean(false)),
            number => number.parse().ok().map(Value::Int32),
        },
        Some((kind, number)) => {
            let number = number.trim();
            match kind {
                "boolean" => number.parse().ok().map(Value::Boolean),
                "int32" => number.parse().ok().map(Value::Int32),
                "uint32" => number.parse().ok().map(Value::Uint32),
                "int64" => number.parse().ok().map(Value::Int64),
                "uint64" => number.parse().ok().map(Value::Uint64),
                _ => None,
            }
        }
    }
}

/// Returns a number that is not negative.
pub(super) fn number(value: &Value) -> Option<u64> {
    match *value {
        Value::Int32(number) => number.try_into().ok(),
        Value::Int64(number) => number.try_into().ok(),
        Value::Uint32(number) => Some(number.into()),
        Value::Uint64(number) => Some(number),
        _ => None,
    }
}

/// Reads strings with commas between them.
fn strings(mut text: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    loop {
        let (next, rest) = string(text.trim_start())?;
        found.push(next);
        match rest.trim_start() {
            "" => return Some(found),
            rest => text = rest.strip_prefix(',')?,
        }
    }
}

/// Reads a string in single or double quotes; returns it and what follows.
fn string(text: &str) -> Option<(String, &str)> {
    let mut chars = text.char_indices();
    let (_, quote) = chars.next().filter(|(_, first)| matches!(first, '\'' | '"'))?;
    let mut read = String::new();
    loop {
        match chars.next()? {
            (at, next) if next == quote => return Some((read, &text[at + 1..])),
            (_, '\\') => match chars.next()?.1 {
                'n' => read.push('\n'),
                't' => read.push('\t'),
                // Numbers of characters are not understood.
                'u' | 'U' => return None,
                other => read.push(other),
            },
            (_, other) => read.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_type_that_they_are_written_in() {
        for (text, value) in [
            ("'a b'", Value::from("a b")),
            (r#" "it's \"so\"\n" "#, Value::from("it's \"so\"\n")),
            ("true", Value::Boolean(true)),
            ("-7", Value::Int32(-7)),
            ("uint64 18446744073709551615", Value::Uint64(u64::MAX)),
            ("int64 -1", Value::Int64(-1)),
            ("uint32 5", Value::Uint32(5)),
            ("['a.service', \"b,c\"]", Value::Strings(vec!["a.service".into(), "b,c".into()])),
        ] {
            assert_eq!(parse(text), Some(value), "{text}");
        }
        for text in
            ["", "word", "'open", "'a' b", "['a' 'b']", "['a',]", "[]", "byte 7", "uint32 -1", "4294967296"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
