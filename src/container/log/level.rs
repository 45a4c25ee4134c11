//! Detects the level of a log line.
//!
//! Tried in this order: `<3>` of syslog, `E0614 12:00:00` of glog and klog, the level field of a
//! JSON object, `level=error` of logfmt, and the first word such as `ERROR`, `[warn]` or `error:`
//! near the beginning. A line with none of these has no level. A line that continues the one before
//! it (a stack trace) inherits its level.

use std::ops::Range;

/// How many bytes of a line are examined.
const NEAR: usize = 256;

/// The level of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    /// And everything more severe.
    Error,
}

impl Level {
    /// All levels, least severe first.
    pub const ALL: [Self; 5] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// Returns the name, at most five letters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// Returns the level of a line as it is shown, without control sequences, and the position of the
    /// word that states it.
    #[must_use]
    pub fn find(line: &[u8]) -> Option<(Self, Range<usize>)> {
        let near = &line[..line.len().min(NEAR)];
        syslog(near).or_else(|| klog(near)).or_else(|| field(near)).or_else(|| word(near))
    }

    /// Returns the level that a word names, regardless of case.
    fn named(word: &[u8]) -> Option<Self> {
        if !(3..=11).contains(&word.len()) {
            return None;
        }
        let mut lower = [0; 11];
        let lower = &mut lower[..word.len()];
        lower.copy_from_slice(word);
        lower.make_ascii_lowercase();
        Some(match &*lower {
            b"trace" | b"trc" | b"verbose" | b"finest" => Self::Trace,
            b"debug" | b"dbg" | b"fine" => Self::Debug,
            b"info" | b"inf" | b"information" | b"notice" => Self::Info,
            b"warn" | b"warning" | b"wrn" => Self::Warn,
            b"error" | b"err" | b"fatal" | b"ftl" | b"critical" | b"crit" | b"panic" | b"emerg"
            | b"emergency" | b"alert" | b"severe" => Self::Error,
            _ => return None,
        })
    }

    /// Maps the numbers of pino and bunyan (10 to 60), and of syslog and GELF (0 to 7).
    fn numbered(number: u32) -> Option<Self> {
        Some(match number {
            0..=3 | 50.. => Self::Error,
            4 | 40..50 => Self::Warn,
            5 | 6 | 30..40 => Self::Info,
            7 | 20..30 => Self::Debug,
            10..20 => Self::Trace,
            _ => return None,
        })
    }
}

/// Returns whether a line continues the one before it, as in a stack trace.
#[must_use]
pub(super) fn goes_on(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t' | b'}' | b')')) || line.starts_with(b"Caused by:")
}

/// Matches `<3>kernel: …`.
fn syslog(line: &[u8]) -> Option<(Level, Range<usize>)> {
    let close = line.iter().take(5).position(|&byte| byte == b'>')?;
    let number = line.strip_prefix(b"<")?.get(..close - 1)?;
    let value: u32 = std::str::from_utf8(number).ok()?.parse().ok()?;
    Level::numbered(value % 8).map(|level| (level, 0..close + 1))
}

/// Matches `E0614 12:00:00.000000`.
fn klog(line: &[u8]) -> Option<(Level, Range<usize>)> {
    let (letter, rest) = line.split_first()?;
    let level = match letter {
        b'E' | b'F' => Level::Error,
        b'W' => Level::Warn,
        b'I' => Level::Info,
        b'D' => Level::Debug,
        _ => return None,
    };
    let is_date = rest.get(..4)?.iter().all(u8::is_ascii_digit);
    (is_date && matches!(rest.get(4), Some(b' '))).then_some((level, 0..5))
}

/// Matches `"level":"error"`, `"level":50` and `level=error`.
fn field(line: &[u8]) -> Option<(Level, Range<usize>)> {
    let is_json = line.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let mut from = 0;
    while let Some(at) = memchr::memchr2(b':', b'=', &line[from..]).map(|at| from + at) {
        from = at + 1;
        let is_pair = if line[at] == b':' { is_json } else { true };
        if is_pair && is_level_key(&line[..at]) {
            let gap = line[from..].iter().take_while(|byte| matches!(byte, b' ' | b'"')).count();
            let start = from + gap;
            let length = line[start..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            let value = &line[start..start + length];
            let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
            let level = number.map_or_else(|| Level::named(value), Level::numbered);
            if let Some(level) = level {
                return Some((level, start..start + length));
            }
        }
    }
    None
}

/// Returns whether the text before `=` or `:` ends in the name of a level field.
fn is_level_key(before: &[u8]) -> bool {
    let before = before.trim_ascii_end();
    let before = before.strip_suffix(b"\"").unwrap_or(before);
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'@');
    let length = before.iter().rev().take_while(|byte| is_part(byte)).count();
    let key = &before[before.len() - length..];
    [&b"level"[..], b"lvl", b"severity", b"log.level", b"loglevel", b"levelname", b"log_level", b"@l"]
        .iter()
        .any(|known| key.eq_ignore_ascii_case(known))
}

/// Finds the first word that names a level: in capitals anywhere near the beginning, otherwise only
/// if delimited as in `[warn]` or `error:`.
fn word(line: &[u8]) -> Option<(Level, Range<usize>)> {
    let mut at = 0;
    while at < line.len() {
        let length = line[at..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        if length == 0 {
            at += 1;
            continue;
        }
        let text = &line[at..at + length];
        let before = at.checked_sub(1).map(|at| line[at]);
        let after = line.get(at + length).copied();
        let is_apart =
            |byte: Option<u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric() && byte != b'_');
        let is_capital = text.iter().all(u8::is_ascii_uppercase);
        let is_set_off = matches!((before, after), (Some(b'['), Some(b']')) | (Some(b'<'), Some(b'>')))
            || (after == Some(b':') && at < 40 && before.is_none_or(|byte| matches!(byte, b' ' | b'\t')));
        let is_word = (is_capital || is_set_off) && is_apart(before) && is_apart(after);
        if let Some(level) = Level::named(text).filter(|_| is_word) {
            return Some((level, at..at + length));
        }
        at += length;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_found_in_the_forms_programs_write() {
        use Level::{Debug, Error, Info, Trace, Warn};
        for (line, level, word) in [
            ("INFO  listening on :8080", Some(Info), "INFO"),
            ("2026-11-22T14:02:13Z ERROR job 7731 failed", Some(Error), "ERROR"),
            ("2026/11/22 14:02:13 [warn] 7#7: conflicting name", Some(Warn), "warn"),
            ("error: cannot open file", Some(Error), "error"),
            ("main.rs:3: warning: unused variable", Some(Warn), "warning"),
            (r#"{"level":"error","msg":"no"}"#, Some(Error), "error"),
            (r#"{"time":1,"level":30,"msg":"ERROR in a message"}"#, Some(Info), "30"),
            (r#"{ "severity" : "WARNING" }"#, Some(Warn), "WARNING"),
            ("time=1 level=debug msg=\"an ERROR\"", Some(Debug), "debug"),
            ("ts=1 lvl=\"trace\"", Some(Trace), "trace"),
            ("E0614 12:00:00.000000 1 main.go:3] no", Some(Error), "E0614"),
            ("<4>usb 1-1: reset", Some(Warn), "<4>"),
            ("<30>Nov 22 app: started", Some(Info), "<30>"),
            ("INFO retry after ERROR", Some(Info), "INFO"),
            ("[FATAL] out of memory", Some(Error), "FATAL"),
            ("DEBUG_MODE=1 INFORMATION", Some(Info), "INFORMATION"),
            ("an error in a sentence", None, ""),
            ("TERROR MIRRORS INFOS", None, ""),
            ("GET /error HTTP/1.1 200", None, ""),
            ("", None, ""),
            ("<", None, ""),
            ("<>", None, ""),
        ] {
            let found = Level::find(line.as_bytes());
            assert_eq!(found.as_ref().map(|(level, _)| *level), level, "{line}");
            assert_eq!(found.map_or("", |(_, at)| &line[at]), word, "{line}");
        }
    }

    #[test]
    fn a_stack_trace_goes_on() {
        for (line, goes) in
            [("    at Worker.run", true), ("\tat java", true), ("}", true), ("job", false), ("", false)]
        {
            assert_eq!(goes_on(line.as_bytes()), goes, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_line_makes_it_panic(line: Vec<u8>) {
            if let Some((_, at)) = Level::find(&line) {
                assert!(at.end <= line.len());
            }
        }
    }
}
