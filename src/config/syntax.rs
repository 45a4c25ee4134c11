//! Errors in TOML, with the line that contains them.

use std::fmt;
use std::ops::Range;

use super::Spot;
use crate::base::text::brief;

/// How much of a line is shown: the error and the characters around it.
const WIDTH: usize = 200;

/// An error in a TOML document. Its text shows the line and the position:
///
/// ```text
/// TOML parse error at line 2, column 5
///   |
/// 2 | key == 1
///   |     ^
/// extra `=`, expected nothing
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    message: String,
    place: Option<Place>,
}

/// Where the error is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    spot: Spot,
    /// The line, or a part of it.
    excerpt: String,
    /// The characters of the excerpt to mark.
    marked: Range<usize>,
}

impl SyntaxError {
    /// Describes an error of the parser, at these bytes of `text`.
    pub(super) fn new(text: &str, message: &str, span: Option<Range<usize>>) -> Self {
        let place = span.map(|span| Place::of(text, &span));
        Self { message: message.to_owned(), place }
    }

    /// Returns the position, if known.
    #[must_use]
    pub fn spot(&self) -> Option<Spot> {
        self.place.as_ref().map(|place| place.spot)
    }

    /// Returns what is wrong, in one line.
    #[must_use]
    pub fn message(&self) -> String {
        brief(&self.message.replace('\n', ", ")).into_owned()
    }
}

impl Place {
    fn of(text: &str, span: &Range<usize>) -> Self {
        let spot = Spot::of(text, span.start);
        let line = text.split('\n').nth(spot.line - 1).unwrap_or_default();
        let length = line.chars().count();
        let start = spot.column - 1;
        let marked = text.get(span.clone()).map_or(1, |marked| marked.chars().count());
        // At the end of a line, the position behind it is marked.
        let marked = marked.min(length.saturating_sub(start)).clamp(1, WIDTH / 2);
        let from = if length <= WIDTH { 0 } else { start.saturating_sub((WIDTH - marked) / 2) };
        let shown: String = line.chars().skip(from).take(WIDTH).collect();
        let (before, after) = (from > 0, length > from + WIDTH);
        let sign = |is_cut| if is_cut { "…" } else { "" };
        let start = start - from + usize::from(before);
        Self {
            spot,
            excerpt: format!("{}{shown}{}", sign(before), sign(after)),
            marked: start..start + marked,
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { spot, excerpt, marked }) = &self.place {
            let number = spot.line.to_string();
            let margin = " ".repeat(number.len() + 1);
            let (indent, marks) = (" ".repeat(marked.start), "^".repeat(marked.len()));
            writeln!(f, "TOML parse error at {spot}")?;
            writeln!(f, "{margin}|\n{number} | {excerpt}\n{margin}| {indent}{marks}")?;
        }
        f.write_str(&brief(&self.message))
    }
}

impl std::error::Error for SyntaxError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the error in a text, and the parser's own description of it.
    fn error(text: &str) -> (String, String) {
        let error = super::super::parse(text).unwrap_err();
        (SyntaxError::new(text, error.message(), error.span()).to_string(), error.to_string())
    }

    #[test]
    fn the_error_is_shown_in_its_line() {
        for text in ["a = 1\nroot == 1", "root = \"caf", "[ui]\ntheme = 5", "[ui]\nnope = 5\n", "\n\n  ="] {
            let (ours, theirs) = error(text);
            assert_eq!(ours.trim_end(), theirs.trim_end(), "{text}");
        }
    }

    #[test]
    fn of_a_long_line_the_part_around_the_error_is_shown() {
        let long = "é".repeat(100_000);
        for (text, column, shown) in [
            (format!("root = \"{long}\" nope"), 100_011, "\" nope"),
            (format!("root = nope # {long}"), 8, "root = nope # éé"),
            (format!("root = [\"{long}\", nope, \"{long}\"]"), 100_013, "é\", nope, \"é"),
            (format!("root = {{ {} = 1, x }}", "a".repeat(100_000)), 100_018, "aa = 1, x }"),
            (format!("{} = 1", "a".repeat(100_000)), 1, "unknown field `aaa"),
            (format!("[ui]\ntheme = [\"{long}\"]"), 9, "theme = [\"é"),
            (format!("[ui]\nicons = \"{long}\""), 9, "icons = \"éé"),
        ] {
            let (ours, _) = error(&text);
            let head: String = text.chars().take(20).collect();
            assert!(ours.contains(shown), "{head}: {ours}");
            assert!(ours.chars().count() < 1200, "{head}: {} characters", ours.chars().count());
            assert!(ours.lines().next().unwrap().ends_with(&format!("column {column}")), "{head}: {ours}");
            let lines: Vec<&str> = ours.lines().collect();
            assert!(lines[2].chars().count() <= WIDTH + 6, "{head}: {ours}");
            assert!(lines[3].chars().count() <= lines[2].chars().count() + 1, "{head}: {ours}");
        }
    }
}
