//! Filters log lines by stream, level and content.
//!
//! A pattern is plain text, or a regular expression after `re:`. It is case-sensitive only if it
//! contains a capital letter. Rules are patterns joined by ` & `, all of which must hold; `!`
//! before a pattern hides the lines that match it.

use regex::bytes::{Regex, RegexBuilder};

use super::book::Seen;
use super::{Level, Stream};
use crate::base::{ErrorKind, Explain, output};

/// Maximum size of a compiled pattern in bytes.
const MAX_PROGRAM: usize = 4 << 20;

/// A pattern to look for in a line, as the user typed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

/// An invalid pattern.
#[derive(Debug, Clone, thiserror::Error)]
#[error("invalid regular expression `{text}`: {why}")]
pub struct BadPattern {
    text: String,
    why: String,
}

impl Explain for BadPattern {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

impl Pattern {
    /// Creates a pattern from what the user typed.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Returns the pattern as typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Compiles the pattern.
    ///
    /// # Errors
    ///
    /// The text after `re:` is not a regular expression, or is too large.
    pub fn compile(&self) -> Result<Matcher, BadPattern> {
        let (text, is_plain) = match self.0.strip_prefix("re:") {
            Some(text) => (text.to_owned(), false),
            None => (regex::escape(&self.0), true),
        };
        let own = if is_plain { &self.0 } else { &text };
        let regex = RegexBuilder::new(&text)
            .case_insensitive(!own.chars().any(char::is_uppercase))
            .size_limit(MAX_PROGRAM)
            .build()
            .map_err(|error| BadPattern { text: text.clone(), why: reason(&error) })?;
        Ok(Matcher(regex))
    }
}

/// Returns the last line of the parser's message: the reason without the drawing.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

/// A compiled pattern. It is looked for in what is shown of a line before JSON is formatted, not in
/// the bytes that were written.
#[derive(Debug, Clone)]
pub struct Matcher(Regex);

impl Matcher {
    /// Returns whether what is shown of `line` contains a match.
    #[must_use]
    pub fn is_in(&self, line: &[u8]) -> bool {
        self.0.is_match(&output::shown_text(line))
    }

    /// Returns the ranges of all non-empty matches in `text`, which is what is shown of a line;
    /// without overlaps.
    pub fn places<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = std::ops::Range<usize>> + 'a {
        self.0.find_iter(text).map(|found| found.range()).filter(|range| !range.is_empty())
    }
}

/// A pattern, and whether it shows or hides matching lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The pattern.
    pub pattern: Pattern,
    /// Lines that match are hidden.
    pub hides: bool,
}

impl Rule {
    /// Parses `a & !b & re:c+`.
    #[must_use]
    pub fn list(text: &str) -> Vec<Self> {
        let parts =
            text.split(" & ").map(str::trim).filter(|part| !matches!(*part, "" | "!" | "re:" | "!re:"));
        let rule = |part: &str| match part.strip_prefix('!') {
            Some(rest) => Self { pattern: Pattern::new(rest), hides: true },
            None => Self { pattern: Pattern::new(part), hides: false },
        };
        parts.map(rule).collect()
    }
}

/// Which lines to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only lines of this stream.
    pub stream: Option<Stream>,
    /// Only lines of this level or above. Lines without a level count as `info`.
    pub level: Option<Level>,
    /// Rules that must all hold.
    pub rules: Vec<Rule>,
    /// How many lines of context to show before and after each.
    pub context: usize,
}

impl Filter {
    /// Returns whether every line is shown.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stream.is_none() && self.level.is_none() && self.rules.is_empty()
    }

    /// Compiles the patterns.
    ///
    /// # Errors
    ///
    /// One of the patterns is invalid.
    pub fn compile(&self) -> Result<Sieve, BadPattern> {
        let rules = self.rules.iter().map(|rule| Ok((rule.pattern.compile()?, rule.hides)));
        Ok(Sieve { stream: self.stream, level: self.level, rules: rules.collect::<Result<_, _>>()? })
    }
}

/// A compiled filter.
#[derive(Debug, Clone, Default)]
pub struct Sieve {
    stream: Option<Stream>,
    level: Option<Level>,
    rules: Vec<(Matcher, bool)>,
}

impl Sieve {
    /// Returns whether a line of this stream and effective level passes.
    #[must_use]
    pub fn passes(&self, stream: Stream, weight: Option<Level>, line: &[u8]) -> bool {
        self.stream.is_none_or(|wanted| wanted == stream)
            && self.level.is_none_or(|least| weight.unwrap_or(Level::Info) >= least)
            && (self.rules.is_empty() || self.has_all(&output::shown_text(line)))
    }

    fn has_all(&self, text: &[u8]) -> bool {
        self.rules.iter().all(|(matcher, hides)| matcher.0.is_match(text) != *hides)
    }

    /// Like [`Sieve::passes`], for a visited record.
    #[must_use]
    pub fn takes(&self, seen: &Seen<'_>) -> bool {
        self.passes(seen.stream, seen.weight, seen.text)
    }

    /// Returns whether every line passes.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.stream.is_none() && self.level.is_none() && self.rules.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern).compile().unwrap().is_in(text.as_bytes())
    }

    #[test]
    fn capitals_count_only_when_there_are_some() {
        for (pattern, text, is_in) in [
            ("error", "an ERROR", true),
            ("Error", "an ERROR", false),
            ("a.b", "axb", false),
            ("re:a.b", "AxB", true),
            ("re:^job \\d+$", "job 12", true),
            ("straße", "STRASSE STRAßE", true),
            ("", "anything", true),
        ] {
            assert_eq!(fits(pattern, text), is_in, "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_is_looked_for_in_what_is_shown() {
        for (pattern, line, is_in) in [
            ("done 100%", "do\u{1b}[1mne\u{1b}[0m 100%", true),
            ("done 100%", "working 7%\rdone 100%", true),
            ("working", "working 7%\rdone 100%", false),
            ("re:^done$", "\u{1b}[32mdone\u{1b}[0m\r", true),
            ("[32m", "\u{1b}[32mdone", false),
            ("title", "\u{1b}]0;title\u{7}done", false),
            ("re:^a +b$", "a\tb", true),
        ] {
            assert_eq!(fits(pattern, line), is_in, "{pattern} {line:?}");
            let filter = Filter { rules: Rule::list(pattern), ..Filter::default() };
            let passes = filter.compile().unwrap().passes(Stream::Stdout, None, line.as_bytes());
            assert_eq!(passes, is_in, "{pattern} {line:?}");
        }
    }

    #[test]
    fn rules_all_hold_and_an_exclamation_mark_hides() {
        let filter = |rules: &str| {
            let filter = Filter { rules: Rule::list(rules), ..Filter::default() };
            let sieve = filter.compile().unwrap();
            let lines = ["job failed", "job done", "heap"];
            lines
                .into_iter()
                .filter(|line| sieve.passes(Stream::Stdout, None, line.as_bytes()))
                .collect::<Vec<_>>()
        };
        assert_eq!(filter("job"), ["job failed", "job done"]);
        assert_eq!(filter("!job"), ["heap"]);
        assert_eq!(filter("job & !failed"), ["job done"]);
        assert_eq!(filter("!re:d$ & "), ["job done", "heap"]);
        assert_eq!(filter("").len(), 3);
    }

    #[test]
    fn a_level_takes_what_is_as_grave_and_lines_without_one_are_news() {
        let filter = Filter { level: Some(Level::Warn), ..Filter::default() };
        let sieve = filter.compile().unwrap();
        let passes = |weight| sieve.passes(Stream::Stdout, weight, b"");
        assert!(passes(Some(Level::Error)) && passes(Some(Level::Warn)));
        assert!(!passes(Some(Level::Info)) && !passes(None));
    }

    #[test]
    fn what_is_no_expression_says_why() {
        let error = Pattern::new("re:a(b").compile().unwrap_err();
        assert_eq!(error.to_string(), "invalid regular expression `a(b`: unclosed group");
        assert!(Pattern::new("re:(a{1000}){1000}").compile().is_err());
    }
}
