//! An image's history, bottom first, as Dockerfile instructions.

use serde_json::Value;

use crate::layer::LayerInfo;
use crate::oci::Digest;

/// Returns the history entries of a configuration document, each with its layer. Layers without an
/// entry come last.
pub(crate) fn lines(document: &Value, layers: &[Digest]) -> Vec<LayerInfo> {
    let mut layers = layers.iter().cloned();
    let history = document.get("history").and_then(Value::as_array);
    let lines = history.into_iter().flatten().map(|line| {
        let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default();
        let is_empty = line.get("empty_layer").and_then(Value::as_bool).unwrap_or(false);
        LayerInfo {
            diff_id: if is_empty { None } else { layers.next() },
            command: instruction(text("created_by")),
            created: text("created").parse().ok(),
            comment: text("comment").to_owned(),
            ..LayerInfo::default()
        }
    });
    let mut lines: Vec<_> = lines.collect();
    lines.extend(layers.map(|diff_id| LayerInfo { diff_id: Some(diff_id), ..LayerInfo::default() }));
    lines
}

/// Returns the instruction of a history entry, without what builders add to it.
fn instruction(created_by: &str) -> String {
    let line = created_by.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.strip_suffix("# buildkit").unwrap_or(&line).trim();
    if let Some((_, rest)) = line.split_once("#(nop) ") {
        return rest.trim().to_owned();
    }
    let is_instruction = line
        .split(' ')
        .next()
        .is_some_and(|word| word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_uppercase()));
    match line.strip_prefix("RUN ").unwrap_or(line).strip_prefix("/bin/sh -c ") {
        Some(command) => format!("RUN {command}"),
        None if is_instruction || line.is_empty() => line.to_owned(),
        None if line.starts_with('|') => {
            // Build arguments precede the command: `|2 A=b C=d /bin/sh -c make`.
            let command = line.split_once("/bin/sh -c ").map_or(line, |(_, command)| command);
            format!("RUN {command}")
        }
        None => line.to_owned(),
    }
}

/// Returns the container defaults in a configuration document, for display.
pub(crate) fn facts(document: &Value) -> Vec<(&'static str, String)> {
    let config = document.get("config");
    let words = |key: &str| match config.and_then(|config| config.get(key)) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(words)) => {
            let words = words.iter().filter_map(Value::as_str);
            words.collect::<Vec<_>>().join(" ")
        }
        Some(Value::Object(map)) => map.keys().cloned().collect::<Vec<_>>().join(" "),
        _ => String::new(),
    };
    let facts = [
        ("user", "User"),
        ("entrypoint", "Entrypoint"),
        ("command", "Cmd"),
        ("workdir", "WorkingDir"),
        ("expose", "ExposedPorts"),
        ("volumes", "Volumes"),
    ];
    let facts = facts.into_iter().map(|(name, key)| (name, words(key)));
    facts.filter(|(_, words)| !words.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_history_is_the_instruction_that_was_written() {
        for (line, wanted) in [
            ("/bin/sh -c #(nop)  CMD [\"sh\"]", "CMD [\"sh\"]"),
            ("/bin/sh -c apt-get update   && apt-get install x", "RUN apt-get update && apt-get install x"),
            ("RUN /bin/sh -c make # buildkit", "RUN make"),
            ("COPY . . # buildkit", "COPY . ."),
            ("|1 V=3 /bin/sh -c make V", "RUN make V"),
            ("bash", "bash"),
            ("", ""),
        ] {
            assert_eq!(instruction(line), wanted, "{line}");
        }
    }
}
