//! Converts the symbols that hoist draws to those that the terminal can show. This is the only
//! table of symbols.
//!
//! Views draw in Unicode. The last step of each frame is:
//!
//! ```text
//! views ─▶ frame ─▶ fit(icons): ● → *   ┏━ → #=   ▂▅█ → .=#   ⡠⠊ → by the dots
//! ```
//! So no view can forget it, and with [`Icons::Ascii`] nothing that hoist draws needs more than
//! ASCII; a test checks all screens. What a program in a terminal pane drew is left alone
//! ([`keep`]), and so is every character that is not in a table, because names and logs may be in
//! any script. A symbol and its replacement are each one column wide.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;

use crate::base::text::is_harmful;
use crate::config::Icons;

/// A symbol, its replacement in ASCII, and its icon in the Nerd Fonts if there is a suitable one.
const TABLE: &[(char, char, Option<char>)] = &[
    // States of containers and tasks. `$` and `&` are a shell's signs for a terminal and for what
    // runs without one; `#` is only the border with the keys, and a full bar.
    ('●', '*', Some('\u{f111}')),
    ('○', 'o', Some('\u{f10c}')),
    ('◐', '%', Some('\u{f042}')),
    ('◌', '.', None),
    ('■', '_', Some('\u{f04d}')),
    ('□', '&', None),
    ('▣', '$', Some('\u{f120}')),
    ('‖', '"', Some('\u{f04c}')),
    ('↻', '@', Some('\u{f021}')),
    ('✓', '+', Some('\u{f00c}')),
    ('✗', 'x', Some('\u{f00d}')),
    ('⚠', '!', Some('\u{f071}')),
    // A pinned pane.
    ('⊙', '@', Some('\u{f08d}')),
    // Borders: light ones are thin, heavy ones (with focus) are thick.
    ('─', '-', None),
    ('│', '|', None),
    ('┄', '-', None),
    ('┆', '|', None),
    ('╌', '-', None),
    ('╎', '|', None),
    ('╭', '+', None),
    ('╮', '+', None),
    ('╰', '+', None),
    ('╯', '+', None),
    ('┌', '+', None),
    ('┐', '+', None),
    ('└', '`', None),
    ('┘', '+', None),
    ('├', '|', None),
    ('┤', '+', None),
    ('┬', '+', None),
    ('┴', '+', None),
    ('┼', '+', None),
    ('━', '=', None),
    ('┃', '#', None),
    ('┏', '#', None),
    ('┓', '#', None),
    ('┗', '#', None),
    ('┛', '#', None),
    ('┣', '#', None),
    ('┫', '#', None),
    ('┳', '#', None),
    ('┻', '#', None),
    ('╋', '#', None),
    ('═', '=', None),
    ('║', '|', None),
    ('╔', '+', None),
    ('╗', '+', None),
    ('╚', '+', None),
    ('╝', '+', None),
    // Bars and sparklines, from empty to full.
    ('▁', '_', None),
    ('▂', '.', None),
    ('▃', ':', None),
    ('▄', '-', None),
    ('▅', '=', None),
    ('▆', '+', None),
    ('▇', '*', None),
    ('█', '#', None),
    ('▏', '.', None),
    ('▎', '.', None),
    ('▍', ':', None),
    // Also the bar at the cursor.
    ('▌', '>', None),
    ('▋', '=', None),
    ('▊', '+', None),
    ('▉', '*', None),
    ('▐', '|', None),
    ('▕', '|', None),
    ('▔', '"', None),
    ('▀', '"', None),
    ('░', '.', None),
    ('▒', ':', None),
    ('▓', '%', None),
    ('┊', ':', None),
    ('┇', '|', None),
    // Arrows and keys.
    ('←', '<', None),
    ('→', '>', None),
    ('↑', '^', None),
    ('↓', 'v', None),
    ('↔', '=', None),
    ('↕', '|', None),
    ('⇄', '=', None),
    ('⇅', '|', None),
    ('↵', '~', None),
    ('⏎', '~', None),
    ('↩', '~', None),
    ('⤷', '>', None),
    ('↳', '>', None),
    ('↪', '>', None),
    ('↷', '>', None),
    ('↶', '<', None),
    ('▲', '^', None),
    ('▼', 'v', None),
    ('▴', '^', None),
    ('▾', 'v', None),
    ('▸', '>', None),
    ('▹', '>', None),
    ('▶', '>', None),
    ('◀', '<', None),
    ('◂', '<', None),
    ('◆', '*', None),
    ('◇', 'o', None),
    ('★', '*', None),
    ('☆', 'o', None),
    // Symbols in texts.
    ('·', '.', None),
    ('•', '*', None),
    ('…', '~', None),
    ('›', '>', None),
    ('‹', '<', None),
    ('»', '>', None),
    ('«', '<', None),
    ('–', '-', None),
    ('—', '-', None),
    ('‘', '\'', None),
    ('’', '\'', None),
    ('“', '"', None),
    ('”', '"', None),
    ('×', 'x', None),
    ('±', '~', None),
    ('≈', '~', None),
    ('≠', '!', None),
    ('≤', '<', None),
    ('≥', '>', None),
    ('½', '/', None),
    ('Δ', 'd', None),
    ('µ', 'u', None),
    ('°', 'o', None),
    ('∞', '8', None),
    ('∑', 'S', None),
    ('†', '+', None),
    ('␡', '?', None),
    ('\u{fffd}', '?', None),
];

/// The frames of the spinner.
const WHEEL: &str = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";

/// Whether spinners may turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Motion {
    On,
    Off,
}

/// Whether anything must be converted.
pub(crate) fn is_needed(icons: Icons, motion: Motion) -> bool {
    icons != Icons::Unicode || motion == Motion::Off
}

/// Saves the current contents of an area, for [`fit`] to leave alone.
pub(crate) fn keep(buffer: &Buffer, area: Rect) -> (Rect, Vec<Cell>) {
    let area = area.intersection(buffer.area);
    (area, area.positions().map(|at| buffer[at].clone()).collect())
}

/// Converts the symbols of a frame for the terminal, except in cells that have not changed since
/// [`keep`].
pub(crate) fn fit(buffer: &mut Buffer, icons: Icons, motion: Motion, kept: &[(Rect, Vec<Cell>)]) {
    if !is_needed(icons, motion) {
        return;
    }
    let area = buffer.area;
    let mut is_braille_before = false;
    for at in area.positions() {
        let symbol = buffer[at].symbol();
        if symbol.is_ascii() {
            is_braille_before = false;
            continue;
        }
        let mut chars = symbol.chars();
        let (Some(sign), None) = (chars.next(), chars.next()) else { continue };
        let next = (at.x + 1 < area.right()).then(|| buffer[(at.x + 1, at.y)].symbol());
        let is_alone =
            !is_braille_before && !next.and_then(|next| next.chars().next()).is_some_and(is_braille);
        is_braille_before = is_braille(sign);
        let Some(stand_in) = stand_in(sign, icons, motion, is_alone) else { continue };
        let is_kept = kept.iter().any(|(area, cells)| {
            let offset = |at: ratatui::layout::Position| {
                usize::from(at.y - area.y) * usize::from(area.width) + usize::from(at.x - area.x)
            };
            area.contains(at) && cells.get(offset(at)) == Some(&buffer[at])
        });
        if !is_kept {
            buffer[at].set_char(stand_in);
        }
    }
}

/// Replaces characters that would control a terminal, or have no shape, by dots. Foreign text is
/// sanitized where it is read; this is for anything that slipped through, and for the programs in
/// terminal panes.
pub(crate) fn disarm(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() && cell.symbol().chars().any(is_harmful) {
            cell.set_char('·');
        }
    }
}

/// Returns the replacement for a symbol; `None` to keep it.
fn stand_in(sign: char, icons: Icons, motion: Motion, is_alone: bool) -> Option<char> {
    let row = TABLE.iter().find(|(of, ..)| *of == sign);
    if is_alone && motion == Motion::Off && WHEEL.contains(sign) {
        return Some(if icons == Icons::Ascii { '*' } else { '⠿' });
    }
    match icons {
        Icons::Unicode => None,
        Icons::Nerd => row.and_then(|(.., nerd)| *nerd),
        Icons::Ascii => match sign {
            _ if is_alone && WHEEL.contains(sign) => {
                let turn = WHEEL.chars().position(|turn| turn == sign).unwrap_or(0);
                Some(['|', '/', '-', '\\'][turn % 4])
            }
            _ if is_braille(sign) => Some(dots(u32::from(sign) - 0x2800)),
            // Pictures of control bytes.
            '\u{2400}'..='\u{2421}' => Some('?'),
            _ => row.map(|(_, ascii, _)| *ascii),
        },
    }
}

fn is_braille(sign: char) -> bool {
    ('\u{2800}'..'\u{2900}').contains(&sign)
}

/// Returns the replacement for a braille character, depending on the rows that have dots.
fn dots(bits: u32) -> char {
    let row = |dots: u32| bits & dots != 0;
    match (row(0x09), row(0x12), row(0x24), row(0xc0)) {
        (false, false, false, false) => ' ',
        (true, _, false, false) => '\'',
        (false, true, false | true, false) | (false, false, true, false) => '-',
        (false, false, _, true) => '.',
        _ => '|',
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use unicode_width::UnicodeWidthChar;

    use super::*;

    #[test]
    fn every_sign_has_one_stand_in_of_its_own_width() {
        let signs: BTreeSet<_> = TABLE.iter().map(|(sign, ..)| sign).collect();
        assert_eq!(signs.len(), TABLE.len(), "a sign is there twice");
        for (sign, ascii, nerd) in TABLE {
            assert!(!sign.is_ascii() && ascii.is_ascii_graphic(), "{sign}");
            assert_eq!(sign.width(), Some(1), "{sign}");
            assert!(nerd.is_none_or(|nerd| nerd.width() == Some(1)), "{sign}");
        }
    }

    #[test]
    fn in_ascii_no_state_looks_like_another_one_or_like_a_border() {
        let ascii =
            |sign: char| TABLE.iter().find(|(of, ..)| *of == sign).map(|(_, ascii, _)| *ascii).unwrap();
        let states: Vec<char> = "●○◐◌■□▣‖↻✓✗⚠".chars().map(ascii).collect();
        let distinct: BTreeSet<_> = states.iter().collect();
        assert_eq!(distinct.len(), states.len(), "{states:?}");
        // The corners of thin borders are `+`, which cannot be taken for a task that is done.
        let edges: BTreeSet<_> = "─│━┃┏┓┗┛═║█".chars().map(ascii).collect();
        assert!(states.iter().all(|sign| !edges.contains(sign)), "{states:?} {edges:?}");
        // The border tells whether a terminal has the keys, has released them, or is not in use.
        let corners: BTreeSet<_> =
            ["┏┃━", "╔║═", "╭│─"].map(|of| of.chars().map(ascii).collect::<String>()).into();
        assert_eq!(corners.len(), 3, "{corners:?}");
    }

    fn fitted(line: &str, icons: Icons) -> String {
        let mut buffer = Buffer::with_lines([line]);
        fit(&mut buffer, icons, Motion::On, &[]);
        buffer.content.iter().map(Cell::symbol).collect()
    }

    #[test]
    fn signs_are_fitted_and_scripts_are_left_alone() {
        for (line, ascii) in [
            ("┏━ web ━┓", "#= web =#"),
            ("▁▃█ ✓ exit… 日本 é", "_:# + exit~ 日 本  é"),
            ("⠋ pull ⠙", "| pull /"),
            ("⡠⠒⠊⠉⣀", ".-''."),
        ] {
            assert_eq!(fitted(line, Icons::Ascii), ascii);
            let plain = fitted(line, Icons::Unicode);
            assert_eq!(plain.replace("  ", " ").trim(), line.replace("日本", "日 本").trim(), "{plain}");
        }
        assert_eq!(fitted("● ━ ✓", Icons::Nerd), "\u{f111} ━ \u{f00c}");
    }

    #[test]
    fn no_cell_holds_what_a_terminal_would_obey() {
        for name in crate::base::text::HOSTILE {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 40, 1));
            buffer.set_line(0, 0, &ratatui::text::Line::from(*name), 40);
            disarm(&mut buffer);
            let shown: String = buffer.content.iter().map(Cell::symbol).collect();
            assert!(!shown.chars().any(is_harmful), "{name:?}: {shown:?}");
        }
        let mut buffer = Buffer::with_lines(["web"]);
        buffer[(1, 0)].set_symbol("e\u{202e}");
        disarm(&mut buffer);
        assert_eq!(buffer.content.iter().map(Cell::symbol).collect::<String>(), "w·b");
    }

    #[test]
    fn without_motion_the_wheel_stands_still() {
        for (icons, still) in [(Icons::Unicode, "⠿ pull ⡠⠒"), (Icons::Ascii, "* pull .-")] {
            for wheel in ["⠋ pull ⡠⠒", "⠧ pull ⡠⠒"] {
                let mut buffer = Buffer::with_lines([wheel]);
                fit(&mut buffer, icons, Motion::Off, &[]);
                assert_eq!(buffer.content.iter().map(Cell::symbol).collect::<String>(), still);
            }
        }
    }

    #[test]
    fn what_a_program_drew_stays_until_something_lies_over_it() {
        let mut buffer = Buffer::with_lines(["─●─●"]);
        let kept = [keep(&buffer, Rect::new(1, 0, 3, 1))];
        buffer[(3, 0)].set_char('━');
        fit(&mut buffer, Icons::Ascii, Motion::On, &kept);
        assert_eq!(buffer.content.iter().map(Cell::symbol).collect::<String>(), "-●─=");
    }
}
