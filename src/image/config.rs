//! What the configuration of an image says: the platform it is for, and how two differ.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::oci::Platform;

/// Maximum number of changes returned.
const MOST: usize = 1000;

/// Readable names of configuration fields. Other fields keep their own name.
const NAMES: &[(&str, &str)] = &[
    ("User", "user"),
    ("Entrypoint", "entrypoint"),
    ("Cmd", "command"),
    ("WorkingDir", "workdir"),
    ("Env", "env"),
    ("ExposedPorts", "expose"),
    ("Volumes", "volume"),
    ("Labels", "label"),
    ("StopSignal", "stop signal"),
    ("Healthcheck", "health"),
];

/// A field of the configuration that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigChange {
    /// The field's name, such as `env PATH`, `command` or `label version`.
    pub name: String,
    /// The value in the first image; `None` if it is not set.
    pub before: Option<String>,
    /// The value in the second image.
    pub after: Option<String>,
}

/// Returns the platform that a configuration document names, or `None` if it names none.
pub(crate) fn platform(document: &[u8]) -> Option<Platform> {
    #[derive(Deserialize)]
    struct Built {
        #[serde(default)]
        os: String,
        #[serde(default)]
        architecture: String,
        variant: Option<String>,
    }
    let built = serde_json::from_slice::<Built>(document).ok()?;
    let variant = built.variant.filter(|variant| !variant.is_empty());
    let is_named = !built.os.is_empty() && !built.architecture.is_empty();
    is_named.then_some(Platform { os: built.os, arch: built.architecture, variant })
}

/// Returns the differences between two configuration documents, in the order of the fields.
pub(crate) fn changes(before: &Value, after: &Value) -> Vec<ConfigChange> {
    let (before, after) = (parts(before), parts(after));
    let mut names: Vec<_> =
        before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))).collect();
    names.sort();
    let changes = names.into_iter().filter(|name| before.get(*name) != after.get(*name)).map(|name| {
        let (before, after) = (before.get(name).cloned(), after.get(name).cloned());
        ConfigChange { name: name.1.clone(), before, after }
    });
    changes.take(MOST).collect()
}

/// Returns every field with its value, keyed by its position in `NAMES` and its name.
fn parts(document: &Value) -> BTreeMap<(usize, String), String> {
    let mut parts = BTreeMap::new();
    for (rank, key) in ["architecture", "os", "variant"].into_iter().enumerate() {
        if let Some(value) = document.get(key).and_then(Value::as_str).filter(|value| !value.is_empty()) {
            parts.insert((rank, key.to_owned()), value.to_owned());
        }
    }
    let config = document.get("config").and_then(Value::as_object);
    for (key, value) in config.into_iter().flatten() {
        let known = NAMES.iter().position(|(name, _)| name == key);
        let rank = 3 + known.unwrap_or(NAMES.len());
        let name = known.map_or(key.as_str(), |at| NAMES[at].1);
        let mut add = |inner: &str, value: String| {
            let name = if inner.is_empty() { name.to_owned() } else { format!("{name} {inner}") };
            parts.insert((rank, name), value);
        };
        match (key.as_str(), value) {
            ("Env", Value::Array(lines)) => {
                for line in lines.iter().filter_map(Value::as_str) {
                    let (name, value) = line.split_once('=').unwrap_or((line, ""));
                    add(name, value.to_owned());
                }
            }
            ("ExposedPorts" | "Volumes", Value::Object(set)) => {
                set.keys().for_each(|key| add(key, String::new()));
            }
            ("Labels", Value::Object(labels)) => {
                labels.iter().for_each(|(key, value)| add(key, words(value)));
            }
            // An empty value counts as missing.
            (_, value) => {
                let words = words(value);
                if !matches!(words.as_str(), "" | "null" | "false" | "{}") {
                    add("", words);
                }
            }
        }
    }
    parts
}

/// Formats a value for display; a list as it would be typed.
fn words(value: &Value) -> String {
    let word = |word: &Value| match word {
        Value::String(text) if !text.is_empty() && !text.contains([' ', '"']) => text.clone(),
        other => other.to_string(),
    };
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(word).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_part_that_differs_is_told_once_under_a_name_for_people() {
        let before = json!({"architecture": "amd64", "os": "linux", "config": {
            "User": "", "Cmd": ["node", "a b"], "Env": ["PATH=/bin", "OLD=1"], "Volumes": null,
            "ExposedPorts": {"80/tcp": {}}, "Labels": {"version": "1", "same": "x"}, "Tty": false,
        }});
        let after = json!({"architecture": "arm64", "os": "linux", "config": {
            "User": "app", "Cmd": ["node", "a b"], "Env": ["PATH=/bin:/sbin", "NEW=a=b"],
            "ExposedPorts": {"443/tcp": {}}, "Labels": {"version": "2", "same": "x"}, "Entrypoint": ["sh", "-c"],
        }});
        let line = |it: ConfigChange| format!("{}: {:?} {:?}", it.name, it.before, it.after);
        let lines: Vec<_> = changes(&before, &after).into_iter().map(line).collect();
        assert_eq!(
            lines,
            [
                r#"architecture: Some("amd64") Some("arm64")"#,
                r#"user: None Some("app")"#,
                r#"entrypoint: None Some("sh -c")"#,
                r#"env NEW: None Some("a=b")"#,
                r#"env OLD: Some("1") None"#,
                r#"env PATH: Some("/bin") Some("/bin:/sbin")"#,
                r#"expose 443/tcp: None Some("")"#,
                r#"expose 80/tcp: Some("") None"#,
                r#"label version: Some("1") Some("2")"#,
            ]
        );
        assert_eq!(changes(&after, &after), []);
    }

    #[test]
    fn a_document_of_another_form_is_no_reason_to_fail() {
        for odd in [json!(null), json!({"config": 7}), json!({"config": {"Env": "x", "Cmd": {"a": 1}}})] {
            changes(&odd, &json!({}));
        }
        let many: Vec<String> = (0..5000).map(|at| format!("V{at}=1")).collect();
        assert_eq!(changes(&json!({"config": {"Env": many}}), &json!({})).len(), MOST);
    }

    #[test]
    fn a_platform_is_one_of_a_system_and_an_architecture() {
        let read = |document: &str| platform(document.as_bytes()).map(|it| it.to_string());
        for (document, want) in [
            (r#"{"os": "linux", "architecture": "arm64", "variant": "v8"}"#, Some("linux/arm64/v8")),
            (r#"{"os": "linux", "architecture": "amd64", "variant": ""}"#, Some("linux/amd64")),
            (r#"{"os": "linux"}"#, None),
            (r#"{"architecture": "amd64"}"#, None),
            ("[", None),
        ] {
            assert_eq!(read(document).as_deref(), want, "{document}");
        }
    }
}
