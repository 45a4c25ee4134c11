//! Encodes keys like xterm: [ctlseqs](https://invisible-island.net/xterm/ctlseqs/ctlseqs.html).

use alacritty_terminal::term::TermMode;
use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEventKind};

use crate::tui::key::Key;

/// Returns the bytes that a program receives for `key`.
#[must_use]
pub fn key(key: Key, mode: TermMode) -> Vec<u8> {
    let Key { code, held } = key;
    // 1 + Shift 1 + Alt 2 + Ctrl 4
    let modifier = 1
        + u8::from(held.contains(KeyModifiers::SHIFT))
        + 2 * u8::from(held.contains(KeyModifiers::ALT))
        + 4 * u8::from(held.contains(KeyModifiers::CONTROL));
    match code {
        KeyCode::Char(c) => character(c, held),
        KeyCode::Enter => alt(held, b"\r"),
        KeyCode::Backspace if held.contains(KeyModifiers::CONTROL) => alt(held, b"\x08"),
        KeyCode::Backspace => alt(held, b"\x7f"),
        KeyCode::Esc => alt(held, b"\x1b"),
        KeyCode::Tab if held.contains(KeyModifiers::SHIFT) => b"\x1b[Z".to_vec(),
        KeyCode::Tab => alt(held, b"\t"),
        KeyCode::Up => cursor('A', modifier, mode),
        KeyCode::Down => cursor('B', modifier, mode),
        KeyCode::Right => cursor('C', modifier, mode),
        KeyCode::Left => cursor('D', modifier, mode),
        KeyCode::Home => cursor('H', modifier, mode),
        KeyCode::End => cursor('F', modifier, mode),
        KeyCode::Insert => tilde(2, modifier),
        KeyCode::Delete => tilde(3, modifier),
        KeyCode::PageUp => tilde(5, modifier),
        KeyCode::PageDown => tilde(6, modifier),
        KeyCode::F(n @ 1..=4) => {
            let letter = char::from(b'P' + n - 1);
            if modifier == 1 { format!("\x1bO{letter}") } else { format!("\x1b[1;{modifier}{letter}") }
                .into_bytes()
        }
        KeyCode::F(n @ 5..=12) => {
            const CODES: [u8; 8] = [15, 17, 18, 19, 20, 21, 23, 24];
            tilde(CODES[usize::from(n - 5)], modifier)
        }
        _ => Vec::new(),
    }
}

/// Encodes pasted text: bracketed if the program requested that, otherwise as if typed.
#[must_use]
pub fn paste(text: &str, mode: TermMode) -> Vec<u8> {
    if mode.contains(TermMode::BRACKETED_PASTE) {
        // An end marker in the text would make the program treat the rest as typed.
        let text = text.replace('\x1b', "");
        format!("\x1b[200~{text}\x1b[201~").into_bytes()
    } else {
        text.replace("\r\n", "\r").replace('\n', "\r").into_bytes()
    }
}

/// Encodes a mouse event for a program that requested it; empty if the program did not.
///
/// `at` is the cell in its window. Without the SGR format (1006), cells beyond 223 cannot be
/// encoded, and the event is dropped.
#[must_use]
pub fn mouse(kind: MouseEventKind, held: KeyModifiers, at: (u16, u16), mode: TermMode) -> Vec<u8> {
    let button = |button: MouseButton| match button {
        MouseButton::Left => 0,
        MouseButton::Middle => 1,
        MouseButton::Right => 2,
    };
    let (code, is_wanted) = match kind {
        MouseEventKind::Down(which) | MouseEventKind::Up(which) => (button(which), true),
        MouseEventKind::Drag(which) => {
            (32 + button(which), mode.intersects(TermMode::MOUSE_DRAG | TermMode::MOUSE_MOTION))
        }
        MouseEventKind::Moved => (35, mode.contains(TermMode::MOUSE_MOTION)),
        MouseEventKind::ScrollUp => (64, true),
        MouseEventKind::ScrollDown => (65, true),
        MouseEventKind::ScrollLeft => (66, true),
        MouseEventKind::ScrollRight => (67, true),
    };
    if !is_wanted || !mode.intersects(TermMode::MOUSE_MODE) {
        return Vec::new();
    }
    let code = code
        + 4 * u8::from(held.contains(KeyModifiers::SHIFT))
        + 8 * u8::from(held.contains(KeyModifiers::ALT))
        + 16 * u8::from(held.contains(KeyModifiers::CONTROL));
    let is_up = matches!(kind, MouseEventKind::Up(_));
    let (column, row) = (at.0.saturating_add(1), at.1.saturating_add(1));
    if mode.contains(TermMode::SGR_MOUSE) {
        let end = if is_up { 'm' } else { 'M' };
        return format!("\x1b[<{code};{column};{row}{end}").into_bytes();
    }
    let code = if is_up { code | 3 } else { code };
    let narrow = |value: u16| u8::try_from(value + 32).ok();
    match (narrow(column.min(1000)), narrow(row.min(1000))) {
        (Some(column), Some(row)) => vec![0x1b, b'[', b'M', 32 + code, column, row],
        _ => Vec::new(),
    }
}

fn character(c: char, held: KeyModifiers) -> Vec<u8> {
    let mut bytes = [0; 4];
    let control = match c.to_ascii_lowercase() {
        c @ 'a'..='z' => Some(c as u8 - b'a' + 1),
        ' ' | '2' | '@' => Some(0),
        '3' | '[' => Some(0x1b),
        '4' | '\\' => Some(0x1c),
        '5' | ']' => Some(0x1d),
        '6' | '^' => Some(0x1e),
        '7' | '_' | '/' => Some(0x1f),
        '8' | '?' => Some(0x7f),
        _ => None,
    };
    match control.filter(|_| held.contains(KeyModifiers::CONTROL)) {
        Some(byte) => alt(held, &[byte]),
        None => alt(held, c.encode_utf8(&mut bytes).as_bytes()),
    }
}

fn alt(held: KeyModifiers, bytes: &[u8]) -> Vec<u8> {
    let escape = held.contains(KeyModifiers::ALT).then_some(0x1b);
    escape.into_iter().chain(bytes.iter().copied()).collect()
}

fn cursor(letter: char, modifier: u8, mode: TermMode) -> Vec<u8> {
    match (modifier, mode.contains(TermMode::APP_CURSOR)) {
        (1, true) => format!("\x1bO{letter}"),
        (1, false) => format!("\x1b[{letter}"),
        _ => format!("\x1b[1;{modifier}{letter}"),
    }
    .into_bytes()
}

fn tilde(code: u8, modifier: u8) -> Vec<u8> {
    match modifier {
        1 => format!("\x1b[{code}~"),
        _ => format!("\x1b[{code};{modifier}~"),
    }
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sent_as_xterm_does() {
        for (word, bytes) in [
            ("a", "a"),
            ("é", "é"),
            ("alt-a", "\x1ba"),
            ("ctrl-c", "\x03"),
            ("ctrl-]", "\x1d"),
            ("enter", "\r"),
            ("backspace", "\x7f"),
            ("tab", "\t"),
            ("shift-tab", "\x1b[Z"),
            ("up", "\x1b[A"),
            ("ctrl-left", "\x1b[1;5D"),
            ("pgup", "\x1b[5~"),
            ("f1", "\x1bOP"),
            ("f12", "\x1b[24~"),
            ("shift-f5", "\x1b[15;2~"),
        ] {
            let encoded = key(word.parse().unwrap(), TermMode::empty());
            assert_eq!(String::from_utf8_lossy(&encoded), bytes, "{word}");
        }
        assert_eq!(key("up".parse().unwrap(), TermMode::APP_CURSOR), b"\x1bOA");
    }

    #[test]
    fn the_mouse_is_told_only_to_who_asked_for_it() {
        let down = MouseEventKind::Down(MouseButton::Left);
        let up = MouseEventKind::Up(MouseButton::Left);
        let none = KeyModifiers::NONE;
        let sgr = TermMode::MOUSE_REPORT_CLICK | TermMode::SGR_MOUSE;
        assert_eq!(mouse(down, none, (0, 4), TermMode::empty()), b"");
        assert_eq!(mouse(down, none, (0, 4), sgr), b"\x1b[<0;1;5M");
        assert_eq!(mouse(up, KeyModifiers::CONTROL, (9, 9), sgr), b"\x1b[<16;10;10m");
        assert_eq!(mouse(MouseEventKind::ScrollDown, none, (0, 0), sgr), b"\x1b[<65;1;1M");
        assert_eq!(mouse(MouseEventKind::Moved, none, (0, 0), sgr), b"");
        let old = TermMode::MOUSE_REPORT_CLICK;
        assert_eq!(mouse(down, none, (1, 2), old), b"\x1b[M \"#");
        assert_eq!(mouse(up, none, (1, 2), old), b"\x1b[M#\"#");
        assert_eq!(mouse(down, none, (400, 2), old), b"");
    }

    #[test]
    fn pasted_text_cannot_end_its_own_bracket() {
        assert_eq!(paste("a\nb", TermMode::empty()), b"a\rb");
        let marked = paste("x\x1b[201~rm\n", TermMode::BRACKETED_PASTE);
        assert_eq!(marked, b"\x1b[200~x[201~rm\n\x1b[201~");
    }
}
