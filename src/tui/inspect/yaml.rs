//! Formats a document as YAML 1.2.
//!
//! The output contains only what JSON can express, in the simplest form with the same meaning:
//! strings without quotes if no parser can take them for something else, otherwise in JSON's double
//! quotes, which are valid in YAML.

use serde_json::Value;

/// Returns the document as lines of YAML.
#[must_use]
pub fn lines(value: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    match value {
        Value::Object(fields) if !fields.is_empty() => block(&mut lines, value, 0),
        Value::Array(entries) if !entries.is_empty() => block(&mut lines, value, 0),
        other => lines.push(scalar(other)),
    }
    lines
}

/// Writes the fields or items of a non-empty value.
fn block(lines: &mut Vec<String>, value: &Value, indent: usize) {
    let gap = " ".repeat(indent);
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let key = text(key);
                if is_block(value) {
                    lines.push(format!("{gap}{key}:"));
                    block(lines, value, indent + 2);
                } else {
                    lines.push(format!("{gap}{key}: {}", scalar(value)));
                }
            }
        }
        Value::Array(entries) => {
            for value in entries {
                if is_block(value) {
                    // The first line of an item follows its dash.
                    let first = lines.len();
                    block(lines, value, indent + 2);
                    if let Some(line) = lines.get_mut(first) {
                        line.replace_range(indent..indent + 1, "-");
                    }
                } else {
                    lines.push(format!("{gap}- {}", scalar(value)));
                }
            }
        }
        other => lines.push(format!("{gap}{}", scalar(other))),
    }
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(entries) => !entries.is_empty(),
        _ => false,
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(word) => text(word),
        other => other.to_string(),
    }
}

/// Returns a string, quoted if it could be parsed as something else.
fn text(word: &str) -> String {
    if is_plain(word) { word.to_owned() } else { quoted(word) }
}

fn is_plain(word: &str) -> bool {
    let starts = |c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '_' | '.');
    let holds = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '.' | '-' | '+' | '=' | '@' | ' ' | ':')
    };
    let is_word = word.starts_with(starts) && word.chars().all(holds);
    let is_clear = !word.contains(": ") && !word.ends_with([':', ' ']) && !word.contains("  ");
    let lower = word.to_ascii_lowercase();
    // Words that YAML 1.1 or 1.2 parse as a boolean, null or a number.
    let is_meant = ["true", "false", "yes", "no", "on", "off", "y", "n", "null", ".inf", ".nan"]
        .contains(&lower.as_str());
    let is_number = lower.starts_with('.') && lower[1..].starts_with(|c: char| c.is_ascii_digit());
    is_word && is_clear && !is_meant && !is_number
}

/// Returns a string in double quotes, with control characters escaped.
pub(crate) fn quoted(word: &str) -> String {
    crate::base::text::json(&Value::from(word).to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_is_written_as_people_write_it() {
        let value = json!({
            "Name": "/web",
            "State": {"Running": true, "Pid": 4711, "Error": ""},
            "Mounts": [{"Type": "bind", "RW": false}, {"Type": "tmpfs"}],
            "Cmd": ["sh", "-c", "echo hi"],
            "Deep": [[1, 2], []],
            "Labels": {}, "Ports": null,
        });
        insta::assert_snapshot!(lines(&value).join("\n"), @r#"
        Name: /web
        State:
          Running: true
          Pid: 4711
          Error: ""
        Mounts:
          - Type: bind
            RW: false
          - Type: tmpfs
        Cmd:
          - sh
          - "-c"
          - echo hi
        Deep:
          - - 1
            - 2
          - []
        Labels: {}
        Ports: null
        "#);
    }

    #[test]
    fn a_text_that_could_be_something_else_is_quoted() {
        for (word, written) in [
            ("plain", "plain"),
            ("a:b", "a:b"),
            ("NAME=a value", "NAME=a value"),
            ("a: b", "\"a: b\""),
            ("a:", "\"a:\""),
            ("a #b", "\"a #b\""),
            ("yes", "\"yes\""),
            ("NULL", "\"NULL\""),
            ("12", "\"12\""),
            ("1e3", "\"1e3\""),
            (".5", "\".5\""),
            ("2026-11-22", "\"2026-11-22\""),
            ("-x", "\"-x\""),
            ("", "\"\""),
            (" a", "\" a\""),
            ("a\nb", "\"a\\nb\""),
            ("a\u{1b}[31m", "\"a\\u001b[31m\""),
            ("a\u{9b}31m", "\"a\\u009b31m\""),
            ("a\u{202e}b", "\"a\\u202eb\""),
            ("ü", "\"ü\""),
        ] {
            assert_eq!(text(word), written);
        }
    }
}
