//! `--detach-keys`: the key sequence that detaches from a container.

use super::usage::Usage;

/// Ctrl-p Ctrl-q.
pub const DEFAULT_DETACH: &[u8] = &[0x10, 0x11];

/// Finds a key sequence in typed input, even if it arrives in pieces.
///
/// Bytes that may begin the sequence are held back until the next key decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    sequence: Vec<u8>,
    seen: usize,
}

impl Keys {
    /// Creates a detector of `sequence`; an empty one is never found.
    #[must_use]
    pub fn new(sequence: Vec<u8>) -> Self {
        Self { sequence, seen: 0 }
    }

    /// Takes typed bytes. Returns those to pass on to the container, and whether the sequence is
    /// complete.
    pub fn take(&mut self, typed: &[u8]) -> (Vec<u8>, bool) {
        let mut out = Vec::with_capacity(typed.len());
        for byte in typed {
            if self.sequence.get(self.seen) == Some(byte) {
                self.seen += 1;
                if self.seen == self.sequence.len() {
                    return (out, true);
                }
                continue;
            }
            out.extend_from_slice(&self.sequence[..self.seen]);
            self.seen = usize::from(self.sequence.first() == Some(byte));
            if self.seen == 0 {
                out.push(*byte);
            } else if self.seen == self.sequence.len() {
                return (out, true);
            }
        }
        (out, false)
    }
}

/// Parses `ctrl-p,ctrl-q` or `a,b`.
///
/// # Errors
///
/// A key is neither a character nor `ctrl-` and a character.
pub(super) fn parse(text: &str) -> Result<Vec<u8>, Usage> {
    let bad = |key: &str| Usage::argument(format!("invalid detach keys `{text}`: unknown key `{key}`"));
    let key = |word: &str| match (word.as_bytes(), word.strip_prefix("ctrl-").map(str::as_bytes)) {
        ([byte], _) => Ok(*byte),
        (_, Some([letter @ b'a'..=b'z'])) => Ok(letter - b'a' + 1),
        (_, Some([b'@'])) => Ok(0),
        (_, Some([sign @ b'['..=b'_'])) => Ok(sign - b'[' + 27),
        _ => Err(bad(word).hint("use comma-separated keys: a character, or `ctrl-` and a character")),
    };
    text.split(',').map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detach_keys_read_as_dockers() {
        assert_eq!(parse("ctrl-p,ctrl-q").unwrap(), DEFAULT_DETACH);
        assert_eq!(parse("a,ctrl-@,ctrl-[,ctrl-_").unwrap(), [b'a', 0, 27, 31]);
        assert_eq!(
            parse("ctrl-p,F1").unwrap_err().message(),
            "invalid detach keys `ctrl-p,F1`: unknown key `F1`"
        );
    }

    #[test]
    fn a_sequence_is_found_in_pieces_and_its_start_is_not_lost() {
        let mut keys = Keys::new(DEFAULT_DETACH.to_vec());
        assert_eq!(keys.take(b"ab\x10"), (b"ab".to_vec(), false));
        assert_eq!(keys.take(b"c"), (b"\x10c".to_vec(), false));
        assert_eq!(keys.take(b"\x10\x10\x11z"), (b"\x10".to_vec(), true));
        assert_eq!(Keys::new(Vec::new()).take(b"\x10\x11"), (b"\x10\x11".to_vec(), false));
    }
}
