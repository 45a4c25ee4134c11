//! The quotes of a line for the shell, and the places in it where a placeholder cannot stand.

use std::fmt;

/// A place in a line for the shell where values could not be quoted, or would be run as code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Place {
    Arithmetic,
    Parameter,
    Substitution,
    Document,
    Comment,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Arithmetic => "arithmetic, in which some shells run text as code",
            Self::Parameter => "`${…}`, in which some shells run text as code",
            Self::Substitution => {
                "`$(…)` or backticks in double quotes: assign their result to a variable first, as in `x=$(…)`"
            }
            Self::Document => "a here-document: assign it to a variable before, as in `x={name}; cat <<END`",
            Self::Comment => "the text after a `#` that may begin a comment: put a space before the `#`",
        })
    }
}

/// The quotes of a line, according to the shell's rules as far as they matter here.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quotes {
    /// The quote that is open.
    pub open: Option<char>,
    /// Whether the next character follows a backslash.
    pub is_escaped: bool,
    /// The expansion that is open.
    nest: Option<Nest>,
    /// The previous character, unless it was quoted by `'` or a backslash.
    previous: Option<char>,
    /// The number of `<` before the next character.
    less: usize,
    word: Word,
    is_in_comment: bool,
    /// Whether there was a `#` of which it is unknown whether it begins a comment.
    is_unclear: bool,
    /// Whether a here-document has begun. Where it ends is not examined.
    has_document: bool,
}

/// Whether the next character continues a word. If not, `#` begins a comment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Word {
    #[default]
    No,
    Yes,
    /// After a `)`, which may end an expansion, or an escaped end of a line.
    Maybe,
}

impl Word {
    /// Returns the state after a character, which is outside all quotes if it `is_bare`.
    fn after(c: char, is_bare: bool, is_escaped: bool) -> Self {
        match c {
            ')' if is_bare => Self::Maybe,
            '\n' if is_escaped => Self::Maybe,
            c if is_bare && (c.is_ascii_whitespace() || ";&|(<>".contains(c)) => Self::No,
            _ => Self::Yes,
        }
    }
}

/// An expansion that is open in a line.
#[derive(Debug, Clone, Copy)]
struct Nest {
    place: Place,
    close: char,
    /// The number of `close` that are missing.
    depth: usize,
    /// The quote that is open inside.
    quote: Option<char>,
}

impl Quotes {
    /// Returns the place if a placeholder cannot stand there.
    #[must_use]
    pub fn refused(&self, is_typed: bool) -> Option<Place> {
        match self.nest {
            _ if self.is_unclear => Some(Place::Comment),
            // In bash, it can be arithmetic: `${x:OFFSET}`.
            Some(Nest { place: Place::Parameter, .. }) if !is_typed => None,
            Some(nest) => Some(nest.place),
            None => (self.has_document || self.less == 2).then_some(Place::Document),
        }
    }

    /// Passes a placeholder.
    pub fn pass_hole(&mut self) {
        (self.is_escaped, self.previous, self.less, self.word) = (false, None, 0, Word::Yes);
    }

    /// Passes a character of the text.
    pub fn pass(&mut self, c: char) {
        let is_escaped = std::mem::take(&mut self.is_escaped);
        let previous = std::mem::take(&mut self.previous);
        let is_bare = self.open.is_none() && !is_escaped && self.nest.is_none();
        let word = std::mem::replace(&mut self.word, Word::after(c, is_bare, is_escaped));
        if self.is_in_comment || is_bare && c == '#' && word == Word::No {
            // Quotes have no meaning in it.
            self.is_in_comment = c != '\n';
            return;
        }
        self.is_unclear |= is_bare && c == '#' && word == Word::Maybe;
        if is_bare && c == '<' {
            self.less += 1;
        } else {
            self.has_document |= std::mem::take(&mut self.less) == 2;
        }
        if let Some(nest) = &mut self.nest {
            self.is_escaped = !is_escaped && c == '\\' && nest.quote != Some('\'');
            if !is_escaped && nest.pass(c) {
                self.nest = None;
            }
            return;
        }
        if is_escaped || self.open == Some('\'') {
            if !is_escaped && c == '\'' {
                self.open = None;
            }
            return;
        }
        self.previous = Some(c);
        self.nest = Nest::begin(self.open.is_some(), previous, c);
        match (c, self.open) {
            ('\\', _) => self.is_escaped = true,
            ('\'' | '"', None) => self.open = Some(c),
            ('"', Some(_)) => self.open = None,
            _ => {}
        }
    }
}

impl Nest {
    /// Returns what these two characters begin, if placeholders are refused there.
    fn begin(is_quoted: bool, previous: Option<char>, c: char) -> Option<Self> {
        let nest = |place, close, depth| Some(Self { place, close, depth, quote: None });
        match (previous, c) {
            (Some('('), '(') if !is_quoted => nest(Place::Arithmetic, ')', 2),
            (Some('$'), '[') => nest(Place::Arithmetic, ']', 1),
            (Some('$'), '{') => nest(Place::Parameter, '}', 1),
            (Some('$'), '(') if is_quoted => nest(Place::Substitution, ')', 1),
            (_, '`') if is_quoted => nest(Place::Substitution, '`', 1),
            _ => None,
        }
    }

    /// Passes a character that is not escaped; returns whether it ends here.
    fn pass(&mut self, c: char) -> bool {
        let opens = match self.close {
            ')' => '(',
            ']' => '[',
            '}' => '{',
            other => other,
        };
        match (c, self.quote) {
            (c, Some(quote)) if c == quote => self.quote = None,
            (_, Some(_)) => {}
            ('\'' | '"', None) => self.quote = Some(c),
            (c, None) if c == self.close => self.depth -= 1,
            (c, None) if c == opens => self.depth += 1,
            _ => {}
        }
        self.depth == 0
    }
}
