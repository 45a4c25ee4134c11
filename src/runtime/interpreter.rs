//! The interpreter that a program's file names: the dynamic linker in its ELF headers, or what
//! its `#!` line begins with.
//!
//! The file is the image's: little of it is read, and it may be anything.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

const PT_INTERP: u64 = 3;
/// More than any program has; a bound for damaged files.
const MAX_HEADERS: u64 = 128;
/// Longer ones are not told.
const MAX_PATH: usize = 1024;
/// The kernel follows scripts that are interpreters of scripts no further.
const MAX_DEPTH: usize = 5;

/// The interpreter of `program`, or of one of its interpreters, that is not there; `None` where
/// that cannot be told. Of what is no plain text in its name one sees what it is: `/bin/sh\r`.
pub(super) fn missing(program: &Path) -> Option<String> {
    let mut program = program.to_owned();
    for _ in 0..MAX_DEPTH {
        let interpreter = of(&program)?;
        if !interpreter.exists() {
            return Some(interpreter.to_string_lossy().escape_debug().to_string());
        }
        program = interpreter;
    }
    None
}

fn of(program: &Path) -> Option<PathBuf> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(program).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut start = [0; 256];
    let length = file.read_at(&mut start, 0).ok()?;
    let start = &start[..length];
    match start.strip_prefix(b"#!") {
        Some(line) => {
            let line = line.split(|&byte| byte == b'\n').next()?;
            // What the kernel parts words at; a carriage return is part of the name.
            line.split(|byte| b" \t\0".contains(byte)).find(|word| !word.is_empty()).map(path_of)
        }
        None => linker(&file, start),
    }
}

/// What `PT_INTERP` says; elf(5).
fn linker(file: &File, start: &[u8]) -> Option<PathBuf> {
    let is_64 = match start.strip_prefix(b"\x7fELF")?.first()? {
        1 => false,
        2 => true,
        _ => return None,
    };
    let field = |bytes: &[u8], of_32: (usize, usize), of_64: (usize, usize)| {
        let (at, length) = if is_64 { of_64 } else { of_32 };
        bytes.get(at..at + length).map(number)
    };
    let table = field(start, (28, 4), (32, 8))?;
    let size = field(start, (42, 2), (54, 2))?;
    let count = field(start, (44, 2), (56, 2))?;
    let mut header = [0; 56];
    for index in 0..count.min(MAX_HEADERS) {
        let length = file.read_at(&mut header, table.checked_add(index * size)?).ok()?;
        let header = &header[..length];
        if field(header, (0, 4), (0, 4))? == PT_INTERP {
            let mut path = [0; MAX_PATH];
            let length = file.read_at(&mut path, field(header, (4, 4), (8, 8))?).ok()?;
            let end = path[..length].iter().position(|&byte| byte == 0)?;
            return (end > 0).then(|| path_of(&path[..end]));
        }
    }
    None
}

/// In this machine's byte order: the kernel executes no other.
fn number(bytes: &[u8]) -> u64 {
    let add = |value: u64, &byte: &u8| (value << 8) | u64::from(byte);
    if cfg!(target_endian = "little") { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) }
}

fn path_of(bytes: &[u8]) -> PathBuf {
    OsStr::from_bytes(bytes).into()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A program of 64 bits that names this interpreter, at this place of the file.
    fn elf(interpreter: &str, at: u64) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56];
        bytes[..5].copy_from_slice(b"\x7fELF\x02");
        bytes[32..40].copy_from_slice(&64_u64.to_ne_bytes());
        bytes[54..56].copy_from_slice(&56_u16.to_ne_bytes());
        bytes[56..58].copy_from_slice(&1_u16.to_ne_bytes());
        bytes[64..68].copy_from_slice(&3_u32.to_ne_bytes());
        bytes[72..80].copy_from_slice(&at.to_ne_bytes());
        bytes.extend(interpreter.bytes().chain([0]));
        bytes
    }

    #[test]
    fn the_missing_interpreter_is_named_and_damaged_files_name_none() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("program");
        let script = dir.path().join("script");
        fs::write(&script, "#!/nosuch/sh\n").unwrap();
        let through = format!("#! {}\n", script.display());
        let itself = format!("#!{}\n", file.display());
        let long = elf(&"x".repeat(5000), 120);
        for (bytes, want) in [
            (&elf("/nosuch/ld.so", 120)[..], Some("/nosuch/ld.so")),
            (b"#!/nosuch/env  sh\n", Some("/nosuch/env")),
            (b"#!  /nosuch/sh", Some("/nosuch/sh")),
            (b"#!/bin/sh\r\nexit\r\n", Some("/bin/sh\\r")),
            (through.as_bytes(), Some("/nosuch/sh")),
            (itself.as_bytes(), None),
            (&elf("/nosuch/ld.so", 4000), None),
            (&elf("/nosuch/ld.so", u64::MAX), None),
            (&elf("/nosuch/ld.so", 120)[..70], None),
            (&elf("", 120), None),
            (&long, None),
            (b"\x7fELF", None),
            (b"#!\n", None),
            (b"", None),
        ] {
            fs::write(&file, bytes).unwrap();
            assert_eq!(missing(&file).as_deref(), want, "{bytes:?}");
        }
        assert_eq!(missing(dir.path()), None);
        assert_eq!(missing(&dir.path().join("none")), None);
    }
}
