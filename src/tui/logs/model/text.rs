//! Renders a log line as rows: expands JSON, cuts or wraps long lines, and highlights the level and
//! the search matches.
//!
//! These functions are pure, and called only for lines that are drawn or scrolled over.

use std::ops::Range;

use ratatui::style::Style;
use serde_json::Value;

use crate::engine::{Level, Matcher};
use crate::tui::pieces::{self, Piece, Role, cut};

/// The maximum number of rows of expanded text.
const MOST_ROWS: usize = 400;

/// A JSON value is shown on one line up to this many characters.
const MOST_VALUE: usize = 400;

/// The format of JSON lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum JsonForm {
    /// As written.
    #[default]
    Raw,
    /// Level and message first, then `key=value`.
    Line,
    /// On several lines.
    Pretty,
}

impl JsonForm {
    /// Returns the next format in a cycle.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Raw => Self::Line,
            Self::Line => Self::Pretty,
            Self::Pretty => Self::Raw,
        }
    }
}

/// Returns the rows of a line, before it is fitted into a window.
#[must_use]
pub fn body(bytes: &[u8], json: JsonForm) -> Vec<Vec<Piece>> {
    let object = match json {
        JsonForm::Raw => None,
        JsonForm::Line | JsonForm::Pretty => object(bytes),
    };
    match (json, object) {
        (JsonForm::Line, Some(object)) => vec![folded(&object)],
        (JsonForm::Pretty, Some(object)) => unfolded(&object),
        _ => vec![raw(bytes)],
    }
}

/// Returns the text of a line as it is shown, without the program's colours.
#[must_use]
pub fn plain(bytes: &[u8], json: JsonForm) -> String {
    let rows = body(bytes, json).into_iter();
    let rows = rows.map(|row| row.into_iter().map(|piece| piece.text).collect::<String>());
    rows.collect::<Vec<_>>().join("\n")
}

fn raw(bytes: &[u8]) -> Vec<Piece> {
    let pieces = pieces::of_output(bytes, Style::default());
    let text: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
    match Level::find(text.as_bytes()) {
        Some((level, at)) => set_off(pieces, std::slice::from_ref(&at), Role::Level(level)),
        None => pieces,
    }
}

/// Highlights the matches of `matcher` in a row.
#[must_use]
pub fn matched(row: Vec<Piece>, matcher: &Matcher) -> Vec<Piece> {
    let text: String = row.iter().map(|piece| piece.text.as_str()).collect();
    let places: Vec<Range<usize>> = matcher.places(text.as_bytes()).collect();
    if places.is_empty() { row } else { set_off(row, &places, Role::Match) }
}

/// Gives the byte ranges `places` of a row another role.
fn set_off(row: Vec<Piece>, places: &[Range<usize>], role: Role) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    let mut from = 0;
    for piece in row {
        let end = from + piece.text.len();
        let mut at = from;
        for place in places.iter().filter(|place| place.start < end && place.end > from) {
            let (start, stop) = (place.start.max(at), place.end.min(end));
            for (range, role) in [(at..start, piece.role), (start..stop, role)] {
                // A match of bytes may end inside a character.
                if let Some(text) = piece.text.get(range.start - from..range.end.max(range.start) - from)
                    && !text.is_empty()
                {
                    out.push(Piece { role, style: piece.style, text: text.to_owned() });
                    at = range.end;
                }
            }
        }
        if let Some(text) = piece.text.get(at - from..).filter(|text| !text.is_empty()) {
            out.push(Piece { text: text.to_owned(), ..piece });
        }
        from = end;
    }
    out
}

fn object(bytes: &[u8]) -> Option<serde_json::Map<String, Value>> {
    let text = bytes.trim_ascii();
    if !text.starts_with(b"{") || !text.ends_with(b"}") {
        return None;
    }
    serde_json::from_slice(text).ok()
}

const LEVELS: [&str; 6] = ["level", "lvl", "severity", "loglevel", "log.level", "@l"];
const MESSAGES: [&str; 5] = ["msg", "message", "event", "log", "@m"];
const TIMES: [&str; 6] = ["time", "ts", "timestamp", "@timestamp", "@t", "datetime"];

/// Formats JSON on one line: `ERROR it failed  job=7731 tenant=acme`.
fn folded(object: &serde_json::Map<String, Value>) -> Vec<Piece> {
    let first =
        |names: &[&str]| object.keys().find(|key| names.contains(&key.to_lowercase().as_str())).cloned();
    let (level_key, message_key) = (first(&LEVELS), first(&MESSAGES));
    let level = level_key.as_ref().and_then(|key| {
        let text = serde_json::json!({ "level": object[key.as_str()] }).to_string();
        Level::find(text.as_bytes()).map(|(level, _)| level)
    });
    let mut pieces = Vec::new();
    if let Some(level) = level {
        pieces.push(Piece::new(Role::Level(level), format!("{:<5}", level.as_str().to_uppercase())));
        pieces.push(Piece::new(Role::Text, " "));
    }
    if let Some(key) = &message_key {
        pieces.push(Piece::new(Role::Text, value(&object[key.as_str()])));
    }
    let rest = object.iter().filter(|(key, _)| {
        let is_time = TIMES.contains(&key.to_lowercase().as_str());
        let is_level = level.is_some() && Some(*key) == level_key.as_ref();
        !is_time && !is_level && Some(*key) != message_key.as_ref()
    });
    for (key, what) in rest {
        let gap = if pieces.is_empty() { "" } else { "  " };
        pieces.push(Piece::new(Role::Key, format!("{gap}{key}")));
        pieces.push(Piece::new(Role::Dim, "="));
        pieces.push(Piece::new(Role::Text, value(what)));
    }
    pieces
}

fn value(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(MOST_VALUE) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// Formats JSON on several lines with highlighted keys.
fn unfolded(object: &serde_json::Map<String, Value>) -> Vec<Vec<Piece>> {
    let text = serde_json::to_string_pretty(object).unwrap_or_default();
    let mut rows: Vec<Vec<Piece>> = Vec::new();
    for line in text.lines().take(MOST_ROWS) {
        let indent = line.len() - line.trim_start().len();
        let key = line[indent..].starts_with('"').then(|| line.find("\": ")).flatten();
        rows.push(match key {
            Some(end) => {
                let (name, rest) = line.split_at(end + 1);
                let is_level = LEVELS.contains(&name.trim().trim_matches('"').to_lowercase().as_str());
                let level =
                    if is_level { Level::find(format!("{{{}", line.trim()).as_bytes()) } else { None };
                let role = level.map_or(Role::Text, |(level, _)| Role::Level(level));
                vec![
                    Piece::new(Role::Key, name),
                    Piece::new(Role::Dim, ": "),
                    Piece::new(role, rest.strip_prefix(": ").unwrap_or(rest)),
                ]
            }
            None => vec![Piece::new(Role::Dim, line)],
        });
    }
    rows
}

/// Returns the number of rows of a line, wrapped or cut.
#[must_use]
pub fn height(bytes: &[u8], json: JsonForm, wraps: bool, width: usize) -> usize {
    if !wraps && json != JsonForm::Pretty {
        return 1;
    }
    let rows = body(bytes, json).into_iter();
    rows.map(|row| if wraps { cut(row, 0, width, usize::MAX).len() } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Pattern;

    fn text(row: &[Piece]) -> String {
        row.iter().map(|piece| piece.text.as_str()).collect()
    }

    fn roles(row: &[Piece]) -> Vec<(Role, &str)> {
        row.iter().map(|piece| (piece.role, piece.text.as_str())).collect()
    }

    #[test]
    fn the_level_and_what_is_searched_for_are_set_off_and_the_text_stays() {
        let row = body(b"\x1b[33mWARN\x1b[0m queue depth", JsonForm::Raw).remove(0);
        assert_eq!(roles(&row), [(Role::Level(Level::Warn), "WARN"), (Role::Text, " queue depth")]);
        let matcher = Pattern::new("n q").compile().unwrap();
        let row = matched(row, &matcher);
        assert_eq!(
            roles(&row),
            [
                (Role::Level(Level::Warn), "WAR"),
                (Role::Match, "N"),
                (Role::Match, " q"),
                (Role::Text, "ueue depth")
            ]
        );
        let every = matched(row, &Pattern::new("re:e").compile().unwrap());
        assert_eq!(text(&every), "WARN queue depth");
    }

    #[test]
    fn json_is_folded_into_a_line_or_unfolded() {
        let line = br#"{"ts":1,"level":50,"msg":"it\nfailed","job":{"id":7},"tenant":"acme"}"#;
        let folded = body(line, JsonForm::Line);
        assert_eq!(text(&folded[0]), "ERROR it␊failed  job={\"id\":7}  tenant=acme");
        let rows: Vec<String> = body(line, JsonForm::Pretty).iter().map(|row| text(row)).collect();
        assert_eq!(rows[..4], ["{", "  \"ts\": 1,", "  \"level\": 50,", "  \"msg\": \"it\\nfailed\","]);
        assert_eq!(height(line, JsonForm::Pretty, false, 80), rows.len());
        for not_json in [&b"{ not json }"[..], b"plain", b"[1]"] {
            assert_eq!(body(not_json, JsonForm::Pretty).len(), 1);
        }
    }

    #[test]
    fn the_height_is_that_of_what_is_drawn() {
        for (bytes, width) in
            [(&b""[..], 5), (b"abcdefghij", 5), (b"abcdefghijk", 5), ("日本語".as_bytes(), 5)]
        {
            let drawn: usize =
                body(bytes, JsonForm::Raw).into_iter().map(|row| cut(row, 0, width, usize::MAX).len()).sum();
            assert_eq!(height(bytes, JsonForm::Raw, true, width), drawn);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_line_breaks_it(line: Vec<u8>, width in 1_usize..30, pattern in "[a-c ]{1,3}") {
            let matcher = Pattern::new(&pattern).compile().unwrap();
            for json in [JsonForm::Raw, JsonForm::Line, JsonForm::Pretty] {
                for row in body(&line, json) {
                    let before = text(&row);
                    let row = matched(row, &matcher);
                    assert_eq!(text(&row), before);
                    let cut: String = cut(row, 0, width, usize::MAX).iter().map(|row| text(row)).collect();
                    assert_eq!(cut, before);
                }
            }
        }
    }
}
