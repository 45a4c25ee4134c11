//! Finds the interpreter of a program: the dynamic linker in its ELF headers, or the program of its
//! `#!` line.

use std::path::{Path, PathBuf};

use crate::base::program::Program;

/// Longer paths are not reported.
const MAX_PATH: usize = 1024;
/// The kernel's limit for scripts whose interpreters are scripts.
const MAX_DEPTH: usize = 5;

/// Returns the interpreter of `program`, or of one of its interpreters, that does not exist; `None`
/// if that is unknown. Special characters in its name are escaped: `/bin/sh\r`.
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
    let interpreter = match Program::read(program).ok()? {
        Program::Elf(elf) => elf.interpreter().ok()??,
        Program::Script(script) => script.interpreter,
        Program::Other => return None,
    };
    (interpreter.as_os_str().len() < MAX_PATH).then_some(interpreter)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Returns a 64-bit program with this interpreter at this offset of the file.
    fn elf(interpreter: &str, at: u64) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56];
        bytes[..5].copy_from_slice(b"\x7fELF\x02");
        bytes[32..40].copy_from_slice(&64_u64.to_ne_bytes());
        bytes[54..56].copy_from_slice(&56_u16.to_ne_bytes());
        bytes[56..58].copy_from_slice(&1_u16.to_ne_bytes());
        bytes[64..68].copy_from_slice(&3_u32.to_ne_bytes());
        bytes[72..80].copy_from_slice(&at.to_ne_bytes());
        bytes[96..104].copy_from_slice(&(interpreter.len() as u64 + 1).to_ne_bytes());
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
