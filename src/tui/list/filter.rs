//! A filter of a list: words, all of which a row must match.
//!
//! ```text
//!  web                 one of the row's shown words contains it, ignoring case
//!  "a b"               the same, with a space
//!  !web                no word contains it
//!  ~wb                 a word contains its letters in this order
//!  re:^web-[0-9]+$     a word matches the regular expression
//!  image:redis         only the image is searched; also status: label: name: id:
//!                      network: project: and others; may be combined with !, ~ and re:
//! ```
//! A row's words are joined in lower case once, when the row is added: [`hay`]. Filtering then
//! allocates no text.

use regex::bytes::{Regex, RegexBuilder};

use crate::tui::list::rows::Row;

/// The separator between a row's words in its [`hay`].
const BETWEEN: char = '\n';

/// A part of a row that a filter can refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Field {
    Status,
    Label,
    Image,
    Name,
    Id,
    Network,
    Project,
    Kind,
    Action,
    Driver,
}

impl Field {
    /// The names in the filter syntax.
    const NAMES: [(&'static str, Self); 11] = [
        ("status", Self::Status),
        ("state", Self::Status),
        ("label", Self::Label),
        ("image", Self::Image),
        ("name", Self::Name),
        ("id", Self::Id),
        ("network", Self::Network),
        ("project", Self::Project),
        ("kind", Self::Kind),
        ("action", Self::Action),
        ("driver", Self::Driver),
    ];
}

/// A parsed filter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Debug, Clone)]
struct Term {
    wanted: bool,
    field: Option<Field>,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    /// In lower case.
    Contains(String),
    /// In lower case.
    Fuzzy(String),
    Regex(Regex),
}

/// An invalid filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid regular expression `{pattern}`: {why}")]
pub struct BadFilter {
    pattern: String,
    why: String,
}

impl Filter {
    /// Parses a filter.
    ///
    /// # Errors
    ///
    /// Fails if the text after invalid regular expression `re:`.
    pub fn parse(text: &str) -> Result<Self, BadFilter> {
        let mut terms = Vec::new();
        for word in words(text) {
            let (wanted, rest) = word.strip_prefix('!').map_or((true, word.as_str()), |rest| (false, rest));
            let (field, rest) = field(rest);
            let test = match (rest.strip_prefix("re:"), rest.strip_prefix('~')) {
                (Some(""), _) | (_, Some("")) => continue,
                (Some(pattern), _) => Test::Regex(regex(pattern)?),
                (None, Some(letters)) => Test::Fuzzy(letters.to_lowercase()),
                (None, None) if rest.is_empty() => continue,
                (None, None) => Test::Contains(rest.to_lowercase()),
            };
            terms.push(Term { wanted, field, test });
        }
        Ok(Self { terms })
    }

    /// Whether it matches every row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it matches a row, whose words are joined in `hay`.
    #[must_use]
    pub fn passes(&self, hay: &str, row: &impl Row) -> bool {
        self.terms.iter().all(|term| term.fits(hay, row) == term.wanted)
    }
}

impl Term {
    fn fits(&self, hay: &str, row: &impl Row) -> bool {
        match (self.field, &self.test) {
            (None, Test::Contains(word)) => hay.contains(word.as_str()),
            (None, Test::Fuzzy(letters)) => hay.split(BETWEEN).any(|word| in_order(word, letters)),
            (None, Test::Regex(regex)) => regex.is_match(hay.as_bytes()),
            (Some(field), test) => row.any(field, &|value| test.fits(value)),
        }
    }
}

impl Test {
    /// Whether it matches a value in its original case.
    fn fits(&self, value: &str) -> bool {
        match self {
            Self::Contains(word) => contains(value, word),
            Self::Fuzzy(letters) => in_order(value, letters),
            Self::Regex(regex) => regex.is_match(value.as_bytes()),
        }
    }
}

/// Joins a row's words for filtering.
#[must_use]
pub fn hay<W: AsRef<str>>(words: &[W]) -> String {
    let mut hay = String::with_capacity(words.iter().map(|word| word.as_ref().len() + 1).sum());
    for (at, word) in words.iter().map(AsRef::as_ref).enumerate() {
        if at > 0 {
            hay.push(BETWEEN);
        }
        let begin = hay.len();
        if word.is_ascii() && !word.contains(BETWEEN) {
            hay.push_str(word);
            hay[begin..].make_ascii_lowercase();
        } else {
            hay.extend(word.chars().flat_map(char::to_lowercase).map(|c| if c == BETWEEN { ' ' } else { c }));
        }
    }
    hay
}

/// Splits at spaces, except inside quotes. An unclosed quote extends to the end of the text.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => words.push(String::new()),
            c => words.last_mut().into_iter().for_each(|word| word.push(c)),
        }
    }
    words
}

/// Splits off the field before a colon. `debian:13` has no field: it is a word.
fn field(word: &str) -> (Option<Field>, &str) {
    let Some((before, after)) = word.split_once(':') else { return (None, word) };
    match Field::NAMES.iter().find(|(name, _)| *name == before) {
        Some((_, field)) => (Some(*field), after),
        None => (None, word),
    }
}

/// Compiles a pattern. Case is ignored, and `^` and `$` match at the ends of a word of the row. No
/// pattern can take long, because `regex` guarantees time linear in the text.
fn regex(pattern: &str) -> Result<Regex, BadFilter> {
    let mut builder = RegexBuilder::new(pattern);
    builder.unicode(false).case_insensitive(true).multi_line(true).size_limit(1 << 20);
    builder.build().map_err(|error| {
        // The library's message spans several lines; the last one is the reason.
        let text = error.to_string();
        let why = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        BadFilter { pattern: pattern.to_owned(), why }
    })
}

/// Whether `text` contains `word` (lower case).
fn contains(text: &str, word: &str) -> bool {
    if text.is_ascii() {
        let (text, word) = (text.as_bytes(), word.as_bytes());
        return word.is_empty() || text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    }
    text.to_lowercase().contains(word)
}

/// Whether `text` contains all of `letters` (lower case) in this order.
fn in_order(text: &str, letters: &str) -> bool {
    let mut text = text.chars().flat_map(char::to_lowercase);
    letters.chars().all(|letter| text.any(|c| c == letter))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::tui::list::columns::Column;

    struct Container;

    const WORDS: [&str; 4] = ["Web-1", "0a1b2c", "acme/web:2.4", "nginx -g daemon off"];

    impl Row for Container {
        fn key(&self) -> &str {
            WORDS[0]
        }

        fn words(&self, _: &dyn Fn(Column) -> bool) -> Vec<Cow<'_, str>> {
            WORDS.map(Cow::from).to_vec()
        }

        fn any(&self, field: Field, test: &dyn Fn(&str) -> bool) -> bool {
            let values: &[&str] = match field {
                Field::Status => &["running", "up"],
                Field::Label => &["tier=Front", "com.docker.compose.project=shop"],
                Field::Image => &["acme/web:2.4"],
                Field::Name => &["Web-1"],
                Field::Id => &["0a1b2c"],
                Field::Project => &["shop"],
                _ => &[],
            };
            values.iter().any(|value| test(value))
        }
    }

    #[test]
    fn every_form_of_a_filter_does_what_the_help_says() {
        let hay = hay(&WORDS);
        for (filter, passes) in [
            ("", true),
            ("web", true),
            ("WEB", true),
            ("web 2.4", true),
            ("web redis", false),
            ("!redis", true),
            ("!web", false),
            ("!", true),
            ("acme/web:2.4", true),
            ("\"daemon off\"", true),
            ("\"daemon  off\"", false),
            ("\"daemon o", true),
            ("~wb1", true),
            ("~1bw", false),
            ("!~wb1", false),
            ("~", true),
            // Letters from two different words do not match.
            ("~webacme", false),
            ("re:^web-[0-9]+$", true),
            ("re:^acme", true),
            ("re:^cme", false),
            ("!re:^acme", false),
            ("re:", true),
            ("status:running", true),
            ("status:up", true),
            ("state:RUN", true),
            ("status:exited", false),
            ("!status:exited", true),
            ("label:tier=front", true),
            ("label:tier", true),
            ("label:back", false),
            ("name:web", true),
            ("name:acme", false),
            ("image:acme", true),
            ("image:re:2\\.[0-9]$", true),
            ("image:~aw", true),
            ("id:0a1", true),
            ("network:bridge", false),
            ("!network:bridge", true),
            ("project:shop status:up", true),
            ("project:", true),
            ("nonsense:web", false),
        ] {
            assert_eq!(Filter::parse(filter).unwrap().passes(&hay, &Container), passes, "{filter}");
        }
    }

    #[test]
    fn a_bad_expression_is_named() {
        for (filter, message) in [
            ("re:(", "invalid regular expression `(`: unclosed group"),
            (
                "image:re:[z-a]",
                "invalid regular expression `[z-a]`: invalid character class range, the start must be <= the end",
            ),
            (
                "re:(a{9999}){9999}",
                "invalid regular expression `(a{9999}){9999}`: Compiled regex exceeds size limit of 1048576 bytes.",
            ),
        ] {
            assert_eq!(Filter::parse(filter).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn letters_of_every_alphabet_are_found_without_their_capitals() {
        for (word, filter) in [("Größe", "GRÖSSE"), ("ЖУК", "жук"), ("Größe", "größe"), ("日本", "日")]
        {
            let hay = hay(&[word]);
            let is_found = Filter::parse(filter).unwrap().passes(&hay, &Container);
            assert_eq!(is_found, filter != "GRÖSSE", "{filter}");
        }
    }
}
