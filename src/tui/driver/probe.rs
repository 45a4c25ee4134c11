//! Queries the terminal: its background, how wide it draws hoist's symbols, and whether it supports
//! the kitty keyboard protocol.
//!
//! ```text
//! terminal acquired ─ queries written ─ first frame drawn ─ … ─ keys are read
//!                        └── answers read, at most 50 ms ──────────┘
//! ```
//! Nothing waits for the answers. The first frame is drawn meanwhile, and keys pressed in that
//! moment are returned with them. Every terminal answers the last query (DA1), so this usually ends
//! within a millisecond. An answer that is later than that, for instance on a slow connection,
//! arrives among the keys; [`Late`] removes it.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::tui::model::look::Ground;

/// Draws a symbol of ambiguous width in the corner, then asks for the cursor position, the
/// background colour, the active flags of the kitty protocol, and the type of the terminal.
pub(super) const QUESTIONS: &str = "\x1b[H●\x1b[6n\r\x1b[K\x1b]11;?\x1b\\\x1b[?u\x1b[c";

/// The maximum time to wait for the answers.
const PATIENCE: Duration = Duration::from_millis(50);

/// The terminal's answers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answers {
    pub(super) ground: Option<Ground>,
    /// The symbol is not one column wide: two in some fonts, three without UTF-8.
    pub(super) lacks_unicode: bool,
    /// The terminal supports the kitty keyboard protocol.
    pub(super) has_kitty: bool,
    /// The last query was answered.
    pub(super) is_through: bool,
    /// Input that arrived meanwhile.
    pub(super) events: Vec<Event>,
}

/// Reads the answers. Blocks for at most [`PATIENCE`].
pub(super) fn read() -> Answers {
    let stdin = std::io::stdin();
    let until = Instant::now() + PATIENCE;
    let mut bytes = Vec::new();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        let mut polled = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
        if !poll(&mut polled, timeout).is_ok_and(|ready| ready > 0) {
            return parse(&bytes);
        }
        let mut buffer = [0; 1024];
        match nix::unistd::read(stdin.as_fd(), &mut buffer) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&buffer[..count]),
            _ => return parse(&bytes),
        }
        let answers = parse(&bytes);
        if answers.is_through || bytes.len() > 1 << 16 {
            return answers;
        }
    }
}

/// Separates answers from keys.
fn parse(bytes: &[u8]) -> Answers {
    let mut answers = Answers::default();
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (0x1b, [b'[', tail @ ..]) => sequence(tail, &mut answers),
            (0x1b, [b']', tail @ ..]) => {
                let (text, tail) = string(tail);
                answers.ground = ground(&text).or(answers.ground);
                tail
            }
            (0x1b, [b'O', letter, tail @ ..]) => {
                answers.events.extend(arrow(*letter).map(|code| key(code, KeyModifiers::NONE)));
                tail
            }
            (0x1b, []) => {
                answers.events.push(key(KeyCode::Esc, KeyModifiers::NONE));
                after
            }
            (0x1b, _) => typed(after, KeyModifiers::ALT, &mut answers),
            _ => typed(rest, KeyModifiers::NONE, &mut answers),
        };
    }
    answers
}

fn key(code: KeyCode, held: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, held))
}

fn arrow(letter: u8) -> Option<KeyCode> {
    Some(match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'Z' => KeyCode::BackTab,
        b'P' => KeyCode::F(1),
        b'Q' => KeyCode::F(2),
        b'S' => KeyCode::F(4),
        _ => return None,
    })
}

/// Parses what follows `ESC [`.
fn sequence<'a>(bytes: &'a [u8], answers: &mut Answers) -> &'a [u8] {
    let Some(end) = bytes.iter().position(|byte| (0x40..0x7f).contains(byte)) else { return &[] };
    let (parameters, rest) = (&bytes[..end], &bytes[end + 1..]);
    let text = String::from_utf8_lossy(parameters);
    match (bytes[end], text.as_ref()) {
        (b'R', text) => {
            answers.lacks_unicode = text.rsplit(';').next().is_some_and(|column| column != "2");
        }
        (b'c', text) if text.starts_with('?') => answers.is_through = true,
        (b'u', text) if text.starts_with('?') => answers.has_kitty = true,
        (b'~', "200") => {
            let close = b"\x1b[201~";
            let end = rest.windows(close.len()).position(|window| window == close).unwrap_or(rest.len());
            answers.events.push(Event::Paste(String::from_utf8_lossy(&rest[..end]).into_owned()));
            return rest.get(end + close.len()..).unwrap_or_default();
        }
        (b'~', text) => {
            let code = match text {
                "1" | "7" => Some(KeyCode::Home),
                "2" => Some(KeyCode::Insert),
                "3" => Some(KeyCode::Delete),
                "4" | "8" => Some(KeyCode::End),
                "5" => Some(KeyCode::PageUp),
                "6" => Some(KeyCode::PageDown),
                _ => None,
            };
            answers.events.extend(code.map(|code| key(code, KeyModifiers::NONE)));
        }
        (letter, "") => answers.events.extend(arrow(letter).map(|code| key(code, KeyModifiers::NONE))),
        _ => {}
    }
    rest
}

/// Returns the string after `ESC ]`, and the rest.
fn string(bytes: &[u8]) -> (String, &[u8]) {
    let end = bytes.iter().position(|byte| matches!(byte, 0x07 | 0x1b)).unwrap_or(bytes.len());
    let rest = &bytes[end..];
    let rest = rest.strip_prefix(b"\x1b\\").or(rest.strip_prefix(b"\x07")).unwrap_or(rest);
    (String::from_utf8_lossy(&bytes[..end]).into_owned(), rest)
}

/// Parses a typed character.
fn typed<'a>(bytes: &'a [u8], held: KeyModifiers, answers: &mut Answers) -> &'a [u8] {
    let ctrl = held | KeyModifiers::CONTROL;
    let [first, rest @ ..] = bytes else { return bytes };
    let (event, rest) = match first {
        b'\r' => (key(KeyCode::Enter, held), rest),
        b'\t' => (key(KeyCode::Tab, held), rest),
        0x7f => (key(KeyCode::Backspace, held), rest),
        0 => (key(KeyCode::Char(' '), ctrl), rest),
        1..=0x1a => (key(KeyCode::Char(char::from(first + 0x60)), ctrl), rest),
        0x1b => (key(KeyCode::Esc, held), rest),
        0x1c..=0x1f => (key(KeyCode::Char(char::from(first + 0x18)), ctrl), rest),
        _ => {
            let length = match first {
                0xc0..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xff => 4,
                _ => 1,
            };
            let (one, rest) = bytes.split_at(length.min(bytes.len()));
            let Some(c) = String::from_utf8_lossy(one).chars().next() else { return rest };
            let held = if c.is_uppercase() { held | KeyModifiers::SHIFT } else { held };
            (key(KeyCode::Char(c), held), rest)
        }
    };
    answers.events.push(event);
    rest
}

/// Parses a background colour as terminals report it: `11;rgb:1e1e/1e1e/2e2e`.
fn ground(text: &str) -> Option<Ground> {
    let color = text.strip_prefix("11;")?;
    let color = color.strip_prefix("rgba:").or_else(|| color.strip_prefix("rgb:"))?;
    let mut parts = color.split('/').map(|digits| {
        let most = (1_u32 << (4 * u32::try_from(digits.len().clamp(1, 4)).ok()?)) - 1;
        u16::try_from(u32::from_str_radix(digits, 16).ok()?.min(most) * 0xffff / most).ok()
    });
    let mut part = || parts.next().flatten();
    Some(Ground::of(part()?, part()?, part()?))
}

/// Filters a late answer from the typed keys: crossterm reports it as `Alt-]`, the characters, and
/// `Alt-\` or `Ctrl-g`.
#[derive(Debug, Default)]
pub(super) struct Late {
    held: Vec<KeyEvent>,
}

impl Late {
    /// Handles a key; returns the keys that the user pressed, and the answer if it is complete.
    pub(super) fn take(&mut self, event: KeyEvent) -> (Vec<KeyEvent>, Option<Ground>) {
        let is =
            |code: char, held: KeyModifiers| event.code == KeyCode::Char(code) && event.modifiers == held;
        let begins = is(']', KeyModifiers::ALT);
        if self.held.is_empty() && !begins {
            return (vec![event], None);
        }
        let is_end = is('\\', KeyModifiers::ALT) || is('g', KeyModifiers::CONTROL);
        if is_end {
            let characters = self.held.drain(..).filter_map(|key| key.code.as_char());
            return (Vec::new(), ground(characters.skip(1).collect::<String>().as_str()));
        }
        self.held.push(event);
        let is_text =
            matches!(event.code, KeyCode::Char(c) if c.is_ascii_hexdigit() || ";rgba:/".contains(c));
        if (is_text && self.held.len() < 40) || (begins && self.held.len() == 1) {
            return (Vec::new(), None);
        }
        (std::mem::take(&mut self.held), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_keys_are_taken_apart() {
        let bytes = b"j\x1b[1;3R\x1b]11;rgb:fdfd/f6f6/e3e3\x1b\\\x1b[?0uG\x1b[A\x1b[?62;22c\x03\x1bo\xc3\xa9";
        let answers = parse(bytes);
        let events = [
            (KeyCode::Char('j'), KeyModifiers::NONE),
            (KeyCode::Char('G'), KeyModifiers::SHIFT),
            (KeyCode::Up, KeyModifiers::NONE),
            (KeyCode::Char('c'), KeyModifiers::CONTROL),
            (KeyCode::Char('o'), KeyModifiers::ALT),
            (KeyCode::Char('é'), KeyModifiers::NONE),
        ];
        assert_eq!(
            answers,
            Answers {
                ground: Some(Ground::Light),
                lacks_unicode: true,
                has_kitty: true,
                is_through: true,
                events: events.map(|(code, held)| key(code, held)).to_vec(),
            }
        );
        let answers = parse(b"\x1b[1;2R\x1b]11;rgb:00/00/00\x07\x1b[200~a\nb\x1b[201~\x1b[?6c\x1b");
        assert_eq!((answers.ground, answers.lacks_unicode), (Some(Ground::Dark), false));
        assert_eq!(answers.events, [Event::Paste("a\nb".to_owned()), key(KeyCode::Esc, KeyModifiers::NONE)]);
        assert!(!answers.has_kitty && answers.is_through);
        assert!(parse(b"\x1b[1;4R").lacks_unicode);
    }

    #[test]
    fn a_late_answer_is_no_typing() {
        let mut late = Late::default();
        let char = |c: char, held| KeyEvent::new(KeyCode::Char(c), held);
        let answer = [char('j', KeyModifiers::NONE), char(']', KeyModifiers::ALT)].into_iter();
        let answer = answer.chain("11;rgb:ffff/FFFF/ffff".chars().map(|c| char(c, KeyModifiers::NONE)));
        let keys: Vec<KeyEvent> = answer.flat_map(|event| late.take(event).0).collect();
        assert_eq!(keys, [char('j', KeyModifiers::NONE)]);
        assert_eq!(late.take(char('\\', KeyModifiers::ALT)), (vec![], Some(Ground::Light)));
        let first = late.take(char(']', KeyModifiers::ALT)).0;
        let second = late.take(char('x', KeyModifiers::NONE)).0;
        assert_eq!((first.len(), second.len()), (0, 2), "what is no answer was typed");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes: Vec<u8>) {
            parse(&bytes);
        }
    }
}
