//! A key in the notation of the keymap: `q`, `S`, `ctrl-d`, `shift-tab`, `space`, `f1`.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A single stroke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// The key.
    pub code: KeyCode,
    /// The modifiers; Shift only where the character does not imply it.
    pub held: KeyModifiers,
}

/// A word that does not name a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a key: expected a character, or a name such as enter, esc, tab, space, up, f1 or ctrl-x"
)]
pub struct BadKey(String);

const NAMES: &[(&str, KeyCode)] = &[
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
];

/// Keys that the help and the action bar show as symbols.
const SIGNS: &[(KeyCode, &str)] = &[
    (KeyCode::Enter, "↵"),
    (KeyCode::Up, "↑"),
    (KeyCode::Down, "↓"),
    (KeyCode::Left, "←"),
    (KeyCode::Right, "→"),
    (KeyCode::Esc, "Esc"),
    (KeyCode::Tab, "Tab"),
    (KeyCode::Home, "Home"),
    (KeyCode::End, "End"),
    (KeyCode::PageUp, "PgUp"),
    (KeyCode::PageDown, "PgDn"),
    (KeyCode::Char(' '), "Space"),
];

impl Key {
    /// Returns the key of a terminal event, normalized as in the keymap: Shift is part of the
    /// character, and Shift-Tab has a single form.
    #[must_use]
    pub fn from_event(event: KeyEvent) -> Self {
        let mut held = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let mut code = event.code;
        match code {
            KeyCode::BackTab => {
                code = KeyCode::Tab;
                held |= KeyModifiers::SHIFT;
            }
            KeyCode::Char(c) => {
                held -= KeyModifiers::SHIFT;
                // Terminals without the kitty protocol send Ctrl-] as Ctrl-5.
                if held == KeyModifiers::CONTROL && c == '5' {
                    code = KeyCode::Char(']');
                } else if held.contains(KeyModifiers::CONTROL) {
                    code = KeyCode::Char(c.to_ascii_lowercase());
                }
            }
            _ => {}
        }
        Self { code, held }
    }

    /// Returns the key as the help shows it: `Ctrl-d`, `↵`, `Space`.
    #[must_use]
    pub fn shown(self) -> String {
        let mut text = String::new();
        for (held, word) in
            [(KeyModifiers::CONTROL, "Ctrl-"), (KeyModifiers::ALT, "Alt-"), (KeyModifiers::SHIFT, "S-")]
        {
            if self.held.contains(held) {
                text += word;
            }
        }
        match (SIGNS.iter().find(|(code, _)| *code == self.code), self.code) {
            (Some((_, sign)), _) => text += sign,
            (None, KeyCode::Char(c)) => text.push(c),
            (None, KeyCode::F(n)) => text += &format!("F{n}"),
            (None, code) => text += &format!("{code:?}"),
        }
        text
    }
}

impl FromStr for Key {
    type Err = BadKey;

    fn from_str(word: &str) -> Result<Self, BadKey> {
        let bad = || BadKey(word.to_owned());
        let mut held = KeyModifiers::NONE;
        let mut rest = word;
        loop {
            let (modifier, after) = match rest {
                _ if rest.len() < 3 => break,
                _ if rest.starts_with("ctrl-") => (KeyModifiers::CONTROL, &rest[5..]),
                _ if rest.starts_with("alt-") => (KeyModifiers::ALT, &rest[4..]),
                _ if rest.starts_with("shift-") => (KeyModifiers::SHIFT, &rest[6..]),
                _ => break,
            };
            held |= modifier;
            rest = after;
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) => KeyCode::Char(c),
            (Some('f'), Some('1'..='9')) => KeyCode::F(rest[1..].parse().map_err(|_| bad())?),
            _ => NAMES.iter().find(|(name, _)| *name == rest).map(|(_, code)| *code).ok_or_else(bad)?,
        };
        Ok(Self { code, held })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, word) in
            [(KeyModifiers::CONTROL, "ctrl-"), (KeyModifiers::ALT, "alt-"), (KeyModifiers::SHIFT, "shift-")]
        {
            if self.held.contains(held) {
                f.write_str(word)?;
            }
        }
        match (NAMES.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(c)) => write!(f, "{c}"),
            (None, KeyCode::F(n)) => write!(f, "f{n}"),
            (None, code) => write!(f, "{code:?}"),
        }
    }
}

/// Replaces symbols outside ASCII by words: `Enter` for `↵`.
#[must_use]
pub fn in_words(shown: &str) -> String {
    let words = [('↵', "Enter"), ('↑', "Up"), ('↓', "Down"), ('←', "Left"), ('→', "Right")];
    words.iter().fold(shown.to_owned(), |text, (sign, word)| text.replace(*sign, word))
}

/// Parses strokes separated by spaces: `d d`.
///
/// # Errors
///
/// Returns the first word that does not name a key.
pub fn parse_strokes(text: &str) -> Result<Vec<Key>, BadKey> {
    let keys: Vec<Key> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    if keys.is_empty() { Err(BadKey(text.to_owned())) } else { Ok(keys) }
}

/// Returns the strokes as the help shows them: `dd`, `gc`, `Ctrl-p Ctrl-q`.
#[must_use]
pub fn show_strokes(keys: &[Key]) -> String {
    let plain = keys.iter().all(|key| key.held.is_empty() && matches!(key.code, KeyCode::Char(_)));
    let shown: Vec<_> = keys.iter().map(|key| key.shown()).collect();
    shown.join(if plain { "" } else { " " })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_prints_as_it_is_read() {
        for word in ["q", "S", "ctrl-d", "shift-tab", "space", "f12", "?", "-", "ctrl-]", "pgdn", "alt-o"] {
            assert_eq!(word.parse::<Key>().unwrap().to_string(), word);
        }
        for bad in ["", "entr", "ctrl-", "dd", "f99x"] {
            assert!(bad.parse::<Key>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_the_terminal_sends_is_spelled_one_way() {
        for (code, held, word) in [
            (KeyCode::Char('S'), KeyModifiers::SHIFT, "S"),
            (KeyCode::BackTab, KeyModifiers::SHIFT, "shift-tab"),
            (KeyCode::BackTab, KeyModifiers::NONE, "shift-tab"),
            (KeyCode::Char('5'), KeyModifiers::CONTROL, "ctrl-]"),
            (KeyCode::Char('C'), KeyModifiers::CONTROL, "ctrl-c"),
            (KeyCode::Enter, KeyModifiers::NONE, "enter"),
        ] {
            assert_eq!(Key::from_event(KeyEvent::new(code, held)).to_string(), word);
        }
    }

    #[test]
    fn strokes_are_shown_as_they_are_typed() {
        for (text, shown) in [
            ("d d", "dd"),
            ("ctrl-p ctrl-q", "Ctrl-p Ctrl-q"),
            ("enter", "↵"),
            (", space", ",Space"),
            ("shift-tab", "S-Tab"),
        ] {
            assert_eq!(show_strokes(&parse_strokes(text).unwrap()), shown);
        }
    }
}
