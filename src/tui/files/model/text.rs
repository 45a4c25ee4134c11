//! Converts the bytes of a file to lines for a terminal.

use crate::engine::files::shown;

/// Returns the beginning of a file as sanitized lines, or as a hex dump if the file is binary.
#[must_use]
pub fn lines(bytes: &[u8], is_cut: bool) -> Vec<String> {
    if is_binary(bytes) {
        return dump(bytes);
    }
    let mut lines: Vec<String> = bytes.split(|byte| *byte == b'\n').map(line).collect();
    if lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    if is_cut {
        lines.pop(); // it may be incomplete
        lines.push("…".to_owned());
    }
    lines
}

/// The maximum length of a line that is shown.
const LONGEST: usize = 4096;

fn line(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]);
    let mut out = String::new();
    for part in text.split_inclusive('\t') {
        out.push_str(&shown(part.trim_end_matches('\t')));
        if part.ends_with('\t') {
            let gap = 8 - out.chars().count() % 8;
            out.extend(std::iter::repeat_n(' ', gap));
        }
    }
    out
}

/// Whether a file is binary: it contains a zero byte, which editors check for as well.
#[must_use]
pub fn is_binary(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(8192)].contains(&0)
}

/// The number of bytes of a binary file that are shown.
const DUMPED: usize = 16 << 10;

/// Returns a hex dump: `00000010  7f 45 4c 46 …  |.ELF…|`
fn dump(bytes: &[u8]) -> Vec<String> {
    let rows = bytes[..bytes.len().min(DUMPED)].chunks(16).enumerate();
    let row = |(at, row): (usize, &[u8])| {
        let numbers: Vec<_> = row.iter().map(|byte| format!("{byte:02x}")).collect();
        let letter = |byte: &u8| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' };
        let letters: String = row.iter().map(letter).collect();
        format!("{:08x}  {:<47}  |{letters}|", at * 16, numbers.join(" "))
    };
    rows.map(row).collect()
}
