//! Formats states, times and amounts. A state always has a symbol, a word and a colour.

use std::time::Duration;

use jiff::SignedDuration;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::base::text;
use crate::base::units::column;

/// Whether a container that exited with `exit_code` was itself killed because it ran out of memory.
/// Any other code means that another of its processes was killed.
#[must_use]
pub fn died_of_memory(exit_code: u8, oom_killed: bool) -> bool {
    oom_killed && exit_code == 128 + 9
}

/// Formats an exit code: `exit 137 OOM`, `exit 143 TERM`, `exit 127 not found`.
#[must_use]
pub fn exit(code: u8, oom_killed: bool) -> String {
    let why = match code {
        _ if died_of_memory(code, oom_killed) => " OOM",
        126 => " no exec",
        127 => " not found",
        129 => " HUP",
        130 => " INT",
        131 => " QUIT",
        134 => " ABRT",
        137 => " KILL",
        139 => " SEGV",
        143 => " TERM",
        _ => "",
    };
    format!("exit {code}{why}")
}

/// Formats a duration in its two largest units: `6s`, `41m`, `3h12m`, `2d4h`, `3w2d`, `1y8w`.
#[must_use]
pub fn span(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match () {
        () if seconds < 60 => format!("{seconds}s"),
        () if minutes < 60 => format!("{minutes}m"),
        () if hours < 24 => format!("{hours}h{:02}m", minutes % 60),
        () if days < 14 => format!("{days}d{}h", hours % 24),
        () if days < 365 => format!("{}w{}d", days / 7, days % 7),
        () => format!("{}y{}w", days / 365, days % 365 / 7),
    }
}

/// Returns the time until the text of an age changes, for a timer. Seconds change once a second for
/// all ages together. A longer age may be a few seconds late, so that many of them need few timers.
#[must_use]
pub fn next_age(age: SignedDuration) -> Duration {
    const PATIENCE: Duration = Duration::from_secs(10);
    let age = Duration::try_from(age).unwrap_or_default();
    let unit = match age.as_secs() {
        0..60 => return Duration::from_secs(1),
        60..86_400 => 60,
        // Two weeks: from then on it is told in weeks and days.
        86_400..1_209_600 => 3600,
        _ => 86_400,
    };
    let into = Duration::new(age.as_secs() % unit, age.subsec_nanos());
    (Duration::from_secs(unit) - into).max(PATIENCE)
}

/// Formats memory or a rate: `0`, `340K`, `1.2M`, `12G`, in powers of 1024, with at most three
/// digits.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "for people")]
pub fn bytes(amount: f64) -> String {
    let mut amount = amount.max(0.0);
    let mut unit = 0;
    let units = ["", "K", "M", "G", "T", "P"];
    while amount >= 1000.0 && unit + 1 < units.len() {
        amount /= 1024.0;
        unit += 1;
    }
    if unit > 0 && amount < 9.95 {
        format!("{amount:.1}{}", units[unit])
    } else {
        format!("{}{}", amount.round() as u64, units[unit])
    }
}

/// Like [`bytes`], for an integer.
#[must_use]
pub fn amount(amount: u64) -> String {
    bytes(amount as f64)
}

/// Formats a size on disk or of a transfer: `7.22MB`, in powers of 1000 as in `images` and `ps -s`,
/// in at most six columns.
#[must_use]
pub fn size(amount: u64) -> String {
    column(amount)
}

/// Wraps `text` into lines of at most `width` columns, between words if possible. All lines except
/// the first are indented by `indent` blanks.
#[must_use]
pub fn wrap(text: &str, width: usize, indent: usize) -> Vec<String> {
    let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0);
    let room = width.max(indent + 1);
    for word in text.split_inclusive(' ') {
        let wide = word.trim_end().width();
        let begins = line.trim().is_empty();
        if !begins && used + wide > room {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            used = indent;
        }
        for c in word.chars() {
            let columns = c.width().unwrap_or(0);
            if used + columns > room && c != ' ' {
                lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
                used = indent;
            }
            line.push(c);
            used += columns;
        }
    }
    lines.push(line);
    lines.iter_mut().for_each(|line| line.truncate(line.trim_end().len()));
    lines
}

/// How a text is aligned in its cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Align {
    Left,
    Right,
}

/// On which sides more follows than what is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Beyond {
    /// Above it, or on the left.
    pub before: bool,
    /// Below it, or on the right.
    pub after: bool,
}

impl Beyond {
    /// Returns what is beyond `shown` of `all` lines, of which `top` are above.
    #[must_use]
    pub fn window(top: usize, shown: usize, all: usize) -> Self {
        Self { before: top > 0, after: all > top + shown }
    }

    /// Says that lines go on above, below, or on both sides; empty if they do not.
    #[must_use]
    pub fn lines(self) -> &'static str {
        match (self.before, self.after) {
            (false, false) => "",
            (false, true) => "↓ more",
            (true, false) => "↑ more",
            (true, true) => "↑↓ more",
        }
    }

    /// Says that columns go on to the left, to the right, or on both sides; empty if they do not.
    #[must_use]
    pub fn columns(self) -> &'static str {
        match (self.before, self.after) {
            (false, false) => "",
            (false, true) => "more columns →",
            (true, false) => "← more columns",
            (true, true) => "← more columns →",
        }
    }
}

/// Fits `text` into exactly `width` columns, truncating with `…` if necessary. It is made harmless,
/// because an image name may come from anywhere.
#[must_use]
pub fn cell(text: &str, width: usize, align: Align) -> String {
    let mut text = text::line(text).into_owned();
    if text.width() > width {
        let mut kept = String::new();
        let mut columns = 0;
        for c in text.chars() {
            columns += c.width().unwrap_or(0);
            if columns > width.saturating_sub(1) {
                break;
            }
            kept.push(c);
        }
        if width > 0 {
            kept.push('…');
        }
        text = kept;
    }
    let gap = " ".repeat(width.saturating_sub(text.width()));
    match align {
        Align::Left => text + &gap,
        Align::Right => gap + &text,
    }
}

/// Shortens the name of an image to `width` columns from the left, so that its last component and
/// its tag remain: `…/orders:2.14`. Of a digest, the first twelve digits are shown.
#[must_use]
pub fn image_name(name: &str, width: usize) -> String {
    const DIGITS: usize = 12;
    let name = match name.split_once("@sha256:") {
        Some((name, digest)) if digest.len() > DIGITS && name.width() + digest.len() + 8 > width => {
            format!("{name}@{}", digest.get(..DIGITS).unwrap_or(digest))
        }
        _ => name.to_owned(),
    };
    if name.width() <= width {
        return name;
    }
    let mut room = width.saturating_sub(1);
    let fits = |c: &char| {
        let columns = c.width().unwrap_or(0);
        let fits = columns <= room;
        room = room.saturating_sub(columns);
        fits
    };
    let end: Vec<char> = name.chars().rev().take_while(fits).collect();
    std::iter::once('…').chain(end.into_iter().rev()).take(width).collect()
}

/// Returns the number of characters before the end of a text that fits into `room` columns.
#[must_use]
pub fn surplus(text: &str, room: usize) -> usize {
    let mut taken = 0;
    let fits = |c: &char| {
        taken += c.width().unwrap_or(0);
        taken <= room
    };
    text.chars().count() - text.chars().rev().take_while(fits).count()
}

/// Draws a bar chart, one character per value: `▁▃█`, the highest for `top`. Less than a hundredth of
/// it is blank, so that only what does something catches the eye.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0…7")]
pub fn spark(values: &[f64], top: f64) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let bar = |value: &f64| {
        let share = if top > 0.0 { (value / top).clamp(0.0, 1.0) } else { 0.0 };
        if share < 0.01 {
            return ' ';
        }
        BARS[((share * 7.0).round() as usize).min(7)]
    };
    values.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timer_of_an_age_ends_when_its_text_changes_or_a_little_later() {
        for (age_ms, left_ms) in [
            (-5_000, 1000),
            (0, 1000),
            (59_999, 1000),
            (60_000, 60_000),
            (75_500, 44_500),
            (119_000, 10_000),
            (86_399_000, 10_000),
            (86_400_000, 3_600_000),
            (8_640_000_000, 86_400_000),
        ] {
            let left = next_age(SignedDuration::from_millis(age_ms));
            assert_eq!(left, Duration::from_millis(left_ms), "{age_ms}");
        }
    }

    #[test]
    fn text_is_broken_between_words_and_long_ones_anywhere() {
        for (text, width, indent, lines) in [
            ("a word or two", 20, 0, vec!["a word or two"]),
            ("a word or two", 7, 0, vec!["a word", "or two"]),
            ("   because it is", 12, 5, vec!["   because", "     it is"]),
            ("at /var/lib/hoist/x", 8, 2, vec!["at", "  /var/l", "  ib/hoi", "  st/x"]),
            ("日本語", 4, 0, vec!["日本", "語"]),
            ("", 4, 0, vec![""]),
            ("x  aligned  text", 30, 0, vec!["x  aligned  text"]),
            ("ab", 0, 0, vec!["a", "b"]),
        ] {
            assert_eq!(wrap(text, width, indent), lines, "{text}");
        }
    }

    #[test]
    fn amounts_take_at_most_four_columns() {
        for (amount, text) in [
            (0.0, "0"),
            (999.0, "999"),
            (1000.0, "1.0K"),
            (1536.0, "1.5K"),
            (10_240.0, "10K"),
            (88.0 * 1024.0 * 1024.0, "88M"),
            (1.1 * 1024.0 * 1024.0 * 1024.0, "1.1G"),
        ] {
            assert_eq!(bytes(amount), text);
        }
    }

    #[test]
    fn times_are_short() {
        for (seconds, text) in [(6, "6s"), (2460, "41m"), (11_520, "3h12m"), (187_200, "2d4h"), (-5, "0s")]
            .into_iter()
            .chain([(1_382_400, "2w2d"), (52_704_000, "1y35w")])
        {
            assert_eq!(span(SignedDuration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn the_name_of_an_image_keeps_its_end() {
        let digest = format!("registry.local/orders@sha256:{}", "0123456789ab".repeat(6));
        for (name, width, shown) in [
            ("orders:2.14", 11, "orders:2.14"),
            ("registry.local/shop/orders:2.14", 12, "…orders:2.14"),
            ("registry.local/shop/orders:2.14", 1, "…"),
            ("registry.local/shop/orders:2.14", 0, ""),
            (&digest, 40, "registry.local/orders@0123456789ab"),
            (&digest, 20, "…orders@0123456789ab"),
            ("日本語", 4, "…語"),
        ] {
            assert_eq!(image_name(name, width), shown, "{name}");
        }
    }

    #[test]
    fn a_cell_has_its_width_whatever_is_in_it() {
        for (text, width, align, shown) in [
            ("web", 5, Align::Left, "web  "),
            ("web", 5, Align::Right, "  web"),
            ("worker", 4, Align::Left, "wor…"),
            ("日本語", 4, Align::Left, "日… "),
            ("a\u{1b}b", 4, Align::Left, "a␛b "),
            ("x", 0, Align::Left, ""),
        ] {
            assert_eq!(cell(text, width, align), shown, "{text}");
        }
    }
}
