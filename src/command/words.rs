//! Splits a line into words and joins words to a line, with shell quoting.

use super::usage::Usage;

/// Splits a line like a POSIX shell: spaces, single and double quotes, backslashes. Nothing is
/// expanded.
///
/// # Errors
///
/// A quote is not closed.
pub fn split(line: &str) -> Result<Vec<String>, Usage> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => {
                let quoted = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => quoted.push(c),
                        None => return Err(Usage::argument("unclosed quote '")),
                    }
                }
            }
            '"' => {
                let quoted = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => match chars.next() {
                            Some(c @ ('"' | '\\' | '$' | '`')) => quoted.push(c),
                            Some(c) => quoted.extend(['\\', c]),
                            None => return Err(Usage::argument("unclosed quote \"")),
                        },
                        Some(c) => quoted.push(c),
                        None => return Err(Usage::argument("unclosed quote \"")),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Joins words to a line that [`split`] and shells split into the same words.
#[must_use]
pub fn join(words: &[String]) -> String {
    words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_split_as_in_a_shell() {
        for (line, want) in [
            ("run -it debian sh", &["run", "-it", "debian", "sh"][..]),
            ("  a   b\t", &["a", "b"]),
            ("sh -c 'echo \"a b\"'", &["sh", "-c", "echo \"a b\""]),
            (r#"a"b c"d "" '' \ e"#, &["ab cd", "", "", " e"]),
            (r#""\"\$\n""#, &["\"$\\n"]),
            ("", &[]),
        ] {
            assert_eq!(split(line).unwrap(), want, "{line}");
        }
        assert!(split("a 'b").is_err() && split("a \"b").is_err());
    }

    proptest! {
        #[test]
        fn words_that_are_joined_split_into_the_same(words in proptest::collection::vec(".*", 0..5)) {
            prop_assert_eq!(split(&join(&words)).unwrap(), words);
        }
    }
}
