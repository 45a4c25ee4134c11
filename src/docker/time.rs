//! Formats and parses times like Docker.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::base::units::human_duration;
use crate::base::{ErrorKind, Explain};

/// A string that is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid time `{0}`: expected RFC 3339, seconds since 1970, or a duration before now such as `10m` or `1h30m`"
)]
pub struct BadTime(String);

impl Explain for BadTime {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// The zero time in Docker's JSON.
pub const ZERO: &str = "0001-01-01T00:00:00Z";

/// Formats a time like Go's `RFC3339Nano`: in UTC, without trailing zeros.
#[must_use]
pub fn rfc3339(time: Timestamp) -> String {
    time.to_string()
}

/// Formats a time as RFC 3339 with nine fractional digits, as in `logs -t` and `events`.
#[must_use]
pub fn rfc3339_fixed(time: Timestamp, zone: &TimeZone) -> String {
    shown(time, zone, "%Y-%m-%dT%H:%M:%S.%9f%:z")
}

/// Formats a time as RFC 3339 in whole seconds, as in `history`.
#[must_use]
pub fn rfc3339_seconds(time: Timestamp, zone: &TimeZone) -> String {
    shown(time, zone, "%Y-%m-%dT%H:%M:%S%:z")
}

fn shown(time: Timestamp, zone: &TimeZone, format: &str) -> String {
    let shown = time.to_zoned(zone.clone()).strftime(format).to_string();
    match shown.strip_suffix("+00:00") {
        Some(bare) => format!("{bare}Z"),
        None => shown,
    }
}

/// Formats a time for the column CreatedAt: `2026-11-22 06:31:00 +0000 UTC`.
#[must_use]
pub fn created_at(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %z %Z").to_string()
}

/// Returns the time from `earlier` to `now`; zero if the clock went backwards.
#[must_use]
pub fn since(earlier: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(earlier)).unwrap_or_default()
}

/// Formats the time since `earlier`: `3 hours ago`.
#[must_use]
pub fn ago(earlier: Timestamp, now: Timestamp) -> String {
    format!("{} ago", human_duration(since(earlier, now)))
}

/// Parses the argument of `--since` and `--until`: a date, a time, seconds since 1970, or a Go
/// duration before `now`.
///
/// # Errors
///
/// It is none of these.
pub fn parse(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, BadTime> {
    let bad = || BadTime(text.to_owned());
    if let Some(duration) = parse_duration(text) {
        return now.checked_sub(duration).map_err(|_| bad());
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    {
        return unix(text).ok_or_else(bad);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let local = match text.len() {
        // Complete `2026-11-22T06` and `2026-11-22T06:31`, which the parser does not accept.
        13 => format!("{text}:00:00"),
        16 => format!("{text}:00"),
        _ => text.trim_end_matches('Z').to_owned(),
    };
    let zone = if text.ends_with('Z') { TimeZone::UTC } else { zone.clone() };
    let civil = local
        .parse::<jiff::civil::DateTime>()
        .or_else(|_| local.parse::<jiff::civil::Date>().map(jiff::civil::DateTime::from));
    let zoned = civil.and_then(|civil| civil.to_zoned(zone)).map_err(|_| bad())?;
    Ok(zoned.timestamp())
}

/// Parses `1700000000.000000001`.
fn unix(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{fraction:0<9}");
    Timestamp::new(seconds.parse().ok()?, digits.get(..9)?.parse().ok()?).ok()
}

/// Parses Go durations: `1h30m`, `1.5s`, `100ms`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let factor = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * factor;
        rest = tail;
    }
    if text.is_empty() { None } else { Duration::try_from_secs_f64(total).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_every_form_docker_takes() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        for (text, want) in [
            ("10m", "2026-11-22T11:50:00Z"),
            ("1h30m", "2026-11-22T10:30:00Z"),
            ("1.5s", "2026-11-22T11:59:58.5Z"),
            ("1700000000", "2023-11-14T22:13:20Z"),
            ("1700000000.5", "2023-11-14T22:13:20.5Z"),
            ("2026-01-02T13:23:37Z", "2026-01-02T13:23:37Z"),
            ("2026-01-02T13:23:37.123456789+01:00", "2026-01-02T12:23:37.123456789Z"),
            ("2026-01-02T13:23:37", "2026-01-02T13:23:37Z"),
            ("2026-01-02T13:23", "2026-01-02T13:23:00Z"),
            ("2026-01-02T13", "2026-01-02T13:00:00Z"),
            ("2026-01-02", "2026-01-02T00:00:00Z"),
        ] {
            assert_eq!(parse(text, now, &TimeZone::UTC).map(rfc3339), Ok(want.to_owned()), "{text}");
        }
        for bad in ["", "yesterday", "10", "10x", "-5m", "2026-13-01"] {
            let parsed = parse(bad, now, &TimeZone::UTC);
            assert!(parsed.is_err() || bad == "10", "{bad}: {parsed:?}");
        }
    }

    #[test]
    fn moments_are_written_as_gos() {
        let time: Timestamp = "2026-11-22T12:00:00.5Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        assert_eq!(rfc3339(time), "2026-11-22T12:00:00.5Z");
        assert_eq!(rfc3339_fixed(time, &zone), "2026-11-22T13:00:00.500000000+01:00");
        assert_eq!(rfc3339_fixed(time, &TimeZone::UTC), "2026-11-22T12:00:00.500000000Z");
        assert_eq!(created_at(time, &TimeZone::UTC), "2026-11-22 12:00:00 +0000 UTC");
    }
}
