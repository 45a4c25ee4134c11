//! Sizes and durations in Docker's formats.

use std::time::Duration;

/// A string that is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a size: expected a number and one of b, k, m, g, t")]
pub struct BadSize(String);

/// Formats `10.5MB`, `1.2kB`: powers of 1000, at most four significant digits.
#[must_use]
pub fn decimal(bytes: u64) -> String {
    scaled(bytes, 1000.0, &["B", "kB", "MB", "GB", "TB", "PB", "EB"], 4)
}

/// Formats `10.5MB` with three significant digits, as in the size columns of `images` and `ps -s`.
#[must_use]
pub fn column(bytes: u64) -> String {
    scaled(bytes, 1000.0, &["B", "kB", "MB", "GB", "TB", "PB", "EB"], 3)
}

/// Formats `10.5MiB`, `1.2KiB`: powers of 1024, at most four significant digits.
#[must_use]
pub fn binary(bytes: u64) -> String {
    scaled(bytes, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"], 4)
}

/// Parses `64m`, `1.5GiB`, `512`: powers of 1024, as in Docker's flags.
///
/// # Errors
///
/// If it is not a number with a unit, is negative, or is larger than `i64::MAX`.
pub fn parse_size(text: &str) -> Result<u64, BadSize> {
    let bad = || BadSize(text.to_owned());
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
    let (number, unit) = lower.split_at(digits);
    let power = match unit.trim().trim_end_matches("ib").trim_end_matches('b') {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return Err(bad()),
    };
    let number: f64 = number.parse().map_err(|_| bad())?;
    let bytes = number * 1024_f64.powi(power);
    // 2^63: the kernel's counters hold less than that.
    if !(0.0..9_223_372_036_854_775_808.0).contains(&bytes) {
        return Err(bad());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    Ok(bytes as u64)
}

/// Formats a number and what it counts: `1 line`, `2 lines`.
#[must_use]
pub fn counted(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// Formats a duration for people in one unit: `About a minute`, `3 hours`.
#[must_use]
pub fn human_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let minutes = seconds / 60;
    // Docker rounds hours to the nearest and truncates longer units.
    let hours = (seconds + 1800) / 3600;
    match () {
        () if seconds < 1 => "Less than a second".to_owned(),
        () if seconds == 1 => "1 second".to_owned(),
        () if seconds < 60 => format!("{seconds} seconds"),
        () if minutes == 1 => "About a minute".to_owned(),
        () if minutes < 60 => format!("{minutes} minutes"),
        () if hours == 1 => "About an hour".to_owned(),
        () if hours < 48 => format!("{hours} hours"),
        () if hours < 24 * 7 * 2 => format!("{} days", hours / 24),
        () if hours < 24 * 30 * 2 => format!("{} weeks", hours / 24 / 7),
        () if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        () => format!("{} years", hours / 24 / 365),
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with at most four digits")]
fn scaled(bytes: u64, base: f64, units: &[&str], digits: usize) -> String {
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= base && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    format!("{}{}", significant(value, digits), units[unit])
}

/// Formats like C's `%.{digits}g` in the range of sizes, without trailing zeros.
fn significant(value: f64, digits: usize) -> String {
    let whole = format!("{value:.0}").len();
    let text = format!("{value:.*}", digits.saturating_sub(whole));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_print_as_dockers() {
        for (bytes, four, three, two) in [
            (0, "0B", "0B", "0B"),
            (999, "999B", "999B", "999B"),
            (1_000, "1kB", "1kB", "1000B"),
            (1_024, "1.024kB", "1.02kB", "1KiB"),
            (1_500_000, "1.5MB", "1.5MB", "1.431MiB"),
            (72_800_000, "72.8MB", "72.8MB", "69.43MiB"),
            (123_456_789, "123.5MB", "123MB", "117.7MiB"),
            (10_000_000_000, "10GB", "10GB", "9.313GiB"),
        ] {
            assert_eq!(
                (decimal(bytes).as_str(), column(bytes).as_str(), binary(bytes).as_str()),
                (four, three, two)
            );
        }
    }

    #[test]
    fn sizes_read_as_dockers() {
        for (text, bytes) in [
            ("512", 512),
            ("512b", 512),
            ("1k", 1024),
            ("1kb", 1024),
            ("64m", 64 << 20),
            ("64MiB", 64 << 20),
            ("1.5g", 3 << 29),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for bad in ["", "m", "-1", "1x", "1e400g", "9999999999t", "1..2"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_print_as_dockers() {
        for (seconds, text) in [
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (150, "2 minutes"),
            (3_600, "About an hour"),
            (7_200, "2 hours"),
            (172_800, "2 days"),
            (1_209_600, "2 weeks"),
            (5_184_000, "2 months"),
            (63_072_000, "2 years"),
        ] {
            assert_eq!(human_duration(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn one_thing_is_not_several() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "line")), ["0 lines", "1 line", "2 lines"]);
    }
}
