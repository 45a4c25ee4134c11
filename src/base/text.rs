//! Makes text from outside safe to show in a terminal.
//!
//! File names, labels, command lines, registry responses and kernel messages can contain any
//! character. Terminals obey some of them (control characters); others change the writing direction
//! or are invisible, and could forge what a line says. All output for users goes through this
//! module, so there is a single table of such characters:
//!
//! ```text
//! an error, a name, a prompt             line    ESC → ␛, a newline → ␊, U+202E → ·
//! a cell of a table                      cell    the same, but tabs and newlines are spaces
//! a page                                 lines   the same, but tabs and newlines stay
//! JSON                                   json    U+202E → \u202e: the same document
//! ```
//! A container's own output is passed through unchanged, and so is the output of `--format` unless
//! it goes to a terminal.

use std::borrow::Cow;

/// Whether a terminal would obey `c`, or show nothing for it. The latter includes the signs that
/// Unicode puts before digits or letters (`Prepended_Concatenation_Mark`): terminals do not agree
/// about their width.
#[must_use]
pub fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}'
            | '\u{34f}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Returns what is shown for `c`: the character itself if it is harmless, the symbol of a control
/// character, otherwise a dot.
#[must_use]
pub fn shown(c: char) -> char {
    match c {
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('·'),
        '\u{7f}' => '␡',
        c if is_harmful(c) => '·',
        c => c,
    }
}

/// Makes a text of one line harmless.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    map(text, shown)
}

/// Makes a table cell harmless: tabs and newlines, which would separate cells, become spaces.
#[must_use]
pub fn cell(text: &str) -> Cow<'_, str> {
    map(text, |c| if matches!(c, '\t' | '\n') { ' ' } else { shown(c) })
}

/// Makes a text of several lines harmless.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    map(text, |c| if matches!(c, '\t' | '\n') { c } else { shown(c) })
}

/// The maximum length of a line of a message, in characters.
const MAX_LINE: usize = 600;

/// Shortens the lines of a message that contain more than a reader wants to see of a long name or
/// value. The beginning and the end of the line stay.
#[must_use]
pub fn brief(message: &str) -> Cow<'_, str> {
    // No line has more characters than bytes.
    if message.split('\n').all(|line| line.len() <= MAX_LINE) {
        return Cow::Borrowed(message);
    }
    let shortened = message.split('\n').map(|line| {
        let length = line.chars().count();
        if length <= MAX_LINE {
            return line.to_owned();
        }
        let half = MAX_LINE / 2;
        let first: String = line.chars().take(half).collect();
        let last: String = line.chars().skip(length - half).collect();
        format!("{first}…{last}")
    });
    Cow::Owned(shortened.collect::<Vec<_>>().join("\n"))
}

fn map(text: &str, stand_in: impl Fn(char) -> char) -> Cow<'_, str> {
    match text.chars().any(is_harmful) {
        true => text.chars().map(stand_in).collect(),
        false => Cow::Borrowed(text),
    }
}

/// Makes a JSON document harmless without changing its meaning: harmful characters occur only in
/// its strings, where they can be escaped.
#[must_use]
pub fn json(document: &str) -> Cow<'_, str> {
    let is_escaped = |c: char| is_harmful(c) && !matches!(c, '\t' | '\n' | '\r');
    if !document.chars().any(is_escaped) {
        return Cow::Borrowed(document);
    }
    let mut out = String::with_capacity(document.len() + 16);
    for c in document.chars() {
        match is_escaped(c) {
            true => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out += &format!("\\u{unit:04x}")),
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Names that a hostile image, archive or registry could choose, to test all output with.
#[cfg(test)]
pub(crate) const HOSTILE: &[&str] = &[
    "a\u{1b}]0;title\u{7}b",
    "a\u{1b}[2J\u{1b}[Hb",
    "a\u{9b}31mb",
    "a\u{9d}52;c;eA==\u{9c}b",
    "a\u{7f}\u{8}\u{8}b",
    "a\rerror: forged",
    "a\nerror: forged",
    "a\tb",
    "a\u{202e}gpj.exe",
    "a\u{2066}b\u{2069}",
    "a\u{200b}b\u{feff}",
    "a\u{e0041}b",
    "a\u{2028}b",
    "a\u{600}\u{6dd}1\u{70f}\u{890}\u{8e2}\u{110bd}\u{110cd}b",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn of_a_long_line_its_beginning_and_its_end_are_shown() {
        let name = "é".repeat(1000);
        let message = format!("unknown field `{name}`, expected `root`\nsee the manual");
        let shown = brief(&message);
        assert!(shown.starts_with("unknown field `é"), "{shown}");
        assert!(shown.ends_with("é`, expected `root`\nsee the manual"), "{shown}");
        assert_eq!(shown.lines().next().unwrap().chars().count(), MAX_LINE + 1);
        assert_eq!(brief("nothing to shorten\n"), "nothing to shorten\n");
    }

    #[test]
    fn harmful_characters_are_shown_and_others_stay() {
        for (text, one) in [
            ("caf\u{e9} 日本 👍", "caf\u{e9} 日本 👍"),
            ("a\u{1b}[31mb", "a␛[31mb"),
            ("a\u{9b}2Jb", "a·2Jb"),
            ("a\nb\tc", "a␊b␉c"),
            ("\u{202e}evil\u{2069}", "·evil·"),
            ("ad\u{200b}min", "ad·min"),
            ("del\u{7f}", "del␡"),
            ("tag\u{e0041}", "tag·"),
            ("a\u{600}\u{605}\u{6dd}\u{70f}", "a····"),
            ("a\u{890}\u{891}\u{8e2}\u{110bd}\u{110cd}", "a·····"),
        ] {
            assert_eq!(line(text), one, "{text:?}");
        }
        assert_eq!(cell("a\nb\tc\u{1b}"), "a b c␛");
        assert_eq!(lines("a\nb\tc\u{1b}"), "a\nb\tc␛");
    }

    #[test]
    fn json_says_the_same_without_harm() {
        for name in HOSTILE.iter().copied().chain(["x\u{e0001}\u{80}"]) {
            let document = serde_json::to_string_pretty(&serde_json::json!({name: [name]})).unwrap();
            let harmless = json(&document);
            assert!(!harmless.chars().any(|c| is_harmful(c) && c != '\n'), "{harmless:?}");
            let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(read(&harmless), read(&document));
        }
    }

    proptest! {
        #[test]
        fn nothing_harmful_is_left(text in "\\PC*|.*|(?s).*") {
            prop_assert!(!line(&text).chars().any(is_harmful));
            prop_assert!(!cell(&text).chars().any(is_harmful));
            prop_assert!(!lines(&text).chars().any(|c| is_harmful(c) && !matches!(c, '\t' | '\n')));
        }
    }
}
