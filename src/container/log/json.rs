//! Encodes and decodes log records as lines of JSON. There are millions of them, so the common form
//! does without a general parser.

use jiff::Timestamp;
use serde::Deserialize;

use super::{LogRecord, Stream};

/// Formats and parses timestamps, with the last second cached.
#[derive(Debug, Default)]
pub(super) struct Clock {
    second: i64,
    /// For example `2026-11-22T06:30:00`.
    prefix: String,
}

impl Clock {
    fn push(&mut self, time: Timestamp, out: &mut Vec<u8>) {
        if self.prefix.is_empty() || self.second != time.as_second() {
            self.second = time.as_second();
            let whole = Timestamp::from_second(self.second).unwrap_or_default().to_string();
            whole.trim_end_matches('Z').clone_into(&mut self.prefix);
        }
        out.extend_from_slice(self.prefix.as_bytes());
        let mut nanos = time.subsec_nanosecond().unsigned_abs();
        let mut digits = *b".000000000";
        for digit in digits[1..].iter_mut().rev() {
            *digit = b'0' + u8::try_from(nanos % 10).unwrap_or(0);
            nanos /= 10;
        }
        out.extend_from_slice(&digits);
        out.push(b'Z');
    }

    /// Parses what [`Clock::push`] wrote; any other form goes to the general parser.
    fn parse(&mut self, text: &str) -> Option<Timestamp> {
        let nanos = text.strip_suffix('Z').and_then(|bare| bare.get(19..)).and_then(nanos_of);
        match (nanos, text.get(..19)) {
            (Some(nanos), Some(prefix)) if prefix == self.prefix => Timestamp::new(self.second, nanos).ok(),
            _ => {
                let time: Timestamp = text.parse().ok()?;
                if text.ends_with('Z') && time.as_second() >= 0 {
                    text.get(..19)?.clone_into(&mut self.prefix);
                    self.second = time.as_second();
                }
                Some(time)
            }
        }
    }
}

/// `.5` is 500,000,000; an empty string is 0.
fn nanos_of(fraction: &str) -> Option<i32> {
    let Some(digits) = fraction.strip_prefix('.') else { return fraction.is_empty().then_some(0) };
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    let value: i32 = digits.parse().ok()?;
    Some(value * 10_i32.pow(9 - u32::try_from(digits.len()).ok()?))
}

const HEAD: &[u8] = b"{\"log\":\"";
const STREAM: &[u8] = b"\",\"stream\":\"";
const TIME: &[u8] = b"\",\"time\":\"";
const TAIL: &[u8] = b"\"}";

/// Appends the record as a line.
pub(super) fn encode(clock: &mut Clock, stream: Stream, time: Timestamp, line: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(HEAD);
    escape(line, out);
    out.extend_from_slice(STREAM);
    out.extend_from_slice(stream.as_str().as_bytes());
    out.extend_from_slice(TIME);
    clock.push(time, out);
    out.extend_from_slice(TAIL);
    out.push(b'\n');
}

/// How each byte of a JSON string is escaped: 0 as itself, `u` as `\u00XX`, else `\` and this byte.
const ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = b'u';
        byte += 1;
    }
    table[b'\n' as usize] = b'n';
    table[b'\r' as usize] = b'r';
    table[b'\t' as usize] = b't';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid().as_bytes();
        let mut from = 0;
        for (at, &byte) in valid.iter().enumerate() {
            let escape = ESCAPES[usize::from(byte)];
            if escape != 0 {
                out.extend_from_slice(&valid[from..at]);
                from = at + 1;
                out.extend_from_slice(&[b'\\', escape]);
                if escape == b'u' {
                    let hex = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
                    out.extend_from_slice(&[b'0', b'0', hex(byte >> 4), hex(byte & 15)]);
                }
            }
        }
        out.extend_from_slice(&valid[from..]);
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

/// Decodes a line without its newline; `None` if it is damaged.
pub(super) fn decode(clock: &mut Clock, line: &[u8]) -> Option<LogRecord> {
    decode_own(clock, line).or_else(|| decode_any(line))
}

/// A record that borrows its text: from the line if nothing in it is escaped, otherwise from a
/// reused buffer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peeked<'a> {
    pub(super) time: Timestamp,
    pub(super) stream: Stream,
    /// Without its newline.
    pub(super) text: &'a [u8],
}

/// Like [`decode`], for callers that scan millions of records and keep a few.
pub(super) fn peek<'a>(clock: &mut Clock, line: &'a [u8], buffer: &'a mut Vec<u8>) -> Option<Peeked<'a>> {
    /// The length of `2026-11-22T06:30:00.123456789Z`.
    const MOMENT: usize = 30;
    let mut own = || {
        let text = line.strip_prefix(HEAD)?;
        let (text, end) = text
            .split_at_checked(text.len().checked_sub(STREAM.len() + 6 + TIME.len() + MOMENT + TAIL.len())?)?;
        let end = end.strip_prefix(STREAM)?;
        let (stream, end) = match end {
            [b's', b't', b'd', b'o', b'u', b't', end @ ..] => (Stream::Stdout, end),
            [b's', b't', b'd', b'e', b'r', b'r', end @ ..] => (Stream::Stderr, end),
            _ => return None,
        };
        let moment = end.strip_prefix(TIME)?.strip_suffix(TAIL)?;
        let time = clock.parse(std::str::from_utf8(moment).ok()?)?;
        Some((time, stream, text.strip_suffix(b"\\n").unwrap_or(text)))
    };
    match own() {
        Some((time, stream, text)) if memchr::memchr2(b'\\', b'"', text).is_none() => {
            Some(Peeked { time, stream, text })
        }
        _ => {
            let record = decode(clock, line)?;
            *buffer = record.bytes;
            let text = buffer.strip_suffix(b"\n").unwrap_or(buffer);
            Some(Peeked {
                time: record.time,
                stream: record.stream,
                text: text.strip_suffix(b"\r").unwrap_or(text),
            })
        }
    }
}

/// Decodes exactly the form that [`encode`] writes.
fn decode_own(clock: &mut Clock, line: &[u8]) -> Option<LogRecord> {
    let text = line.strip_prefix(HEAD)?;
    let (bytes, rest) = unescape(text)?;
    let rest = rest.strip_prefix(&STREAM[1..])?;
    let (stream, rest) = match rest {
        [b's', b't', b'd', b'o', b'u', b't', rest @ ..] => (Stream::Stdout, rest),
        [b's', b't', b'd', b'e', b'r', b'r', rest @ ..] => (Stream::Stderr, rest),
        _ => return None,
    };
    let time = rest.strip_prefix(TIME)?.strip_suffix(TAIL)?;
    let time = clock.parse(std::str::from_utf8(time).ok()?)?;
    Some(LogRecord { time, stream, bytes })
}

/// Returns the string up to its closing quote, and what follows the quote.
fn unescape(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut out = Vec::with_capacity(text.len().saturating_sub(60));
    let mut rest = text;
    loop {
        let at = memchr::memchr2(b'"', b'\\', rest)?;
        out.extend_from_slice(&rest[..at]);
        if rest[at] == b'"' {
            return Some((out, &rest[at + 1..]));
        }
        let plain = match *rest.get(at + 1)? {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'f' => 12,
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'u' => {
                let hex = std::str::from_utf8(rest.get(at + 2..at + 6)?).ok()?;
                // `encode` never writes surrogate pairs.
                let c = char::from_u32(u32::from_str_radix(hex, 16).ok()?)?;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                rest = &rest[at + 6..];
                continue;
            }
            _ => return None,
        };
        out.push(plain);
        rest = &rest[at + 2..];
    }
}

/// Decodes a line of the same format that another program wrote.
fn decode_any(line: &[u8]) -> Option<LogRecord> {
    #[derive(Deserialize)]
    struct Line {
        log: String,
        stream: String,
        time: Timestamp,
    }
    let line: Line = serde_json::from_slice(line).ok()?;
    let stream = if line.stream == "stderr" { Stream::Stderr } else { Stream::Stdout };
    Some(LogRecord { time: line.time, stream, bytes: line.log.into_bytes() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(bytes: &[u8], time: &str) -> String {
        let mut out = Vec::new();
        let time = time.parse().unwrap();
        encode(&mut Clock::default(), Stream::Stderr, time, bytes, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_record_is_written_as_dockers_json_file_driver_does() {
        assert_eq!(
            encoded(b"a \"b\" \\ \x1b[0m\t\xff\xfe \xc3\xa9\n", "2026-11-22T06:30:00.000000042Z"),
            "{\"log\":\"a \\\"b\\\" \\\\ \\u001b[0m\\t\u{fffd}\u{fffd} é\\n\",\"stream\":\"stderr\",\
             \"time\":\"2026-11-22T06:30:00.000000042Z\"}\n"
        );
    }

    #[test]
    fn every_byte_and_every_parser_agree() {
        let all: String = (0..=0x2ff_u32).filter_map(char::from_u32).collect();
        let line = encoded(all.as_bytes(), "2026-11-22T06:30:01.5Z");
        let line = line.trim_end().as_bytes();
        let own = decode_own(&mut Clock::default(), line).unwrap();
        assert_eq!(own.bytes, all.as_bytes());
        assert_eq!(Some(own), decode_any(line));
    }

    #[test]
    fn a_glance_and_a_reading_agree() {
        for text in ["plain\n", "\n", "", "a \"b\" \\n\n", "a\\\n", "tab\t\r\n", "\u{1f600}"] {
            let line = encoded(text.as_bytes(), "2026-11-22T06:30:01.5Z");
            let line = line.trim_end().as_bytes();
            let (mut clock, mut buffer) = (Clock::default(), Vec::new());
            let seen = peek(&mut clock, line, &mut buffer).unwrap();
            let read = decode(&mut Clock::default(), line).unwrap();
            assert_eq!((seen.time, seen.stream), (read.time, read.stream));
            assert_eq!(seen.text, text.trim_end_matches(['\r', '\n']).as_bytes());
        }
        assert!(peek(&mut Clock::default(), b"{\"log\":\"torn", &mut Vec::new()).is_none());
    }

    #[test]
    fn what_docker_writes_reads_too() {
        let line = br#"{"log":"a\u003cb\ud83d\ude00\n","stream":"stdout","attrs":{"x":"y"},"time":"2026-11-22T06:30:00.5Z"}"#;
        let record = decode(&mut Clock::default(), line).unwrap();
        assert_eq!(record.bytes, "a<b\u{1f600}\n".as_bytes());
        assert_eq!(record.time.subsec_nanosecond(), 500_000_000);
        assert_eq!(decode(&mut Clock::default(), b"{\"log\":\"torn"), None);
    }

    #[test]
    fn a_clock_reads_seconds_it_has_seen_and_others() {
        let mut clock = Clock::default();
        for text in [
            "2026-11-22T06:30:00.123456789Z",
            "2026-11-22T06:30:00.5Z",
            "2026-11-22T06:30:00Z",
            "2026-11-22T06:30:01.000000001Z",
            "2026-11-22T07:30:01.25+01:00",
        ] {
            assert_eq!(clock.parse(text), text.parse().ok(), "{text}");
        }
    }
}
