//! Reads what a program needs from its ELF headers: interpreter, libraries and search paths.
//!
//! <https://gabi.xinuos.com/elf/08-dynamic.html>, elf(5)

use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const PT_LOAD: u64 = 1;
const PT_DYNAMIC: u64 = 2;
const PT_INTERP: u64 = 3;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;
/// More than any real program has; limits the work on damaged files.
const MAX_HEADERS: u64 = 512;
const MAX_DYNAMIC: u64 = 1 << 20;

/// The parts of ELF headers that matter here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Elf {
    /// Word size, byte order and machine, which must be the same for a program and its libraries.
    pub kind: (u8, u8, u64),
    /// The dynamic linker.
    pub interpreter: Option<PathBuf>,
    /// Names or paths of libraries.
    pub needed: Vec<PathBuf>,
    /// Folders to search for libraries before the system's.
    pub search: Vec<PathBuf>,
}

struct Image<'a> {
    file: &'a File,
    is_64: bool,
    is_little: bool,
}

/// A mapped part of the file: address, offset, length.
type Segment = (u64, u64, u64);

/// Reads the headers of `path`; `None` if it is not an ELF file.
///
/// # Errors
///
/// It cannot be read, or its headers are invalid.
pub fn read(path: &Path) -> io::Result<Option<Elf>> {
    let file = File::open(path)?;
    let mut ident = [0; 64];
    let len = file.read_at(&mut ident, 0)?;
    if len < 52 || ident[..4] != *b"\x7fELF" {
        return Ok(None);
    }
    let image = Image { file: &file, is_64: ident[4] == 2, is_little: ident[5] == 1 };
    let machine = image.number(&ident[18..20]);
    let (offset, entry, count) = if image.is_64 {
        (image.number(&ident[32..40]), image.number(&ident[54..56]), image.number(&ident[56..58]))
    } else {
        (image.number(&ident[28..32]), image.number(&ident[42..44]), image.number(&ident[44..46]))
    };
    let mut elf = Elf { kind: (ident[4], ident[5], machine), ..Elf::default() };
    let (mut loaded, mut dynamic): (Vec<Segment>, Option<Segment>) = (Vec::new(), None);
    for index in 0..count.min(MAX_HEADERS) {
        let header = image.bytes(offset + index * entry, if image.is_64 { 56 } else { 32 })?;
        let kind = image.number(&header[..4]);
        let segment = if image.is_64 {
            (image.number(&header[16..24]), image.number(&header[8..16]), image.number(&header[32..40]))
        } else {
            (image.number(&header[8..12]), image.number(&header[4..8]), image.number(&header[16..20]))
        };
        match kind {
            PT_LOAD => loaded.push(segment),
            PT_DYNAMIC => dynamic = Some(segment),
            PT_INTERP => elf.interpreter = Some(image.text(segment.1)?),
            _ => {}
        }
    }
    if let Some((_, offset, len)) = dynamic {
        image.dynamic(&mut elf, &loaded, offset, len.min(MAX_DYNAMIC))?;
    }
    Ok(Some(elf))
}

impl Image<'_> {
    fn dynamic(&self, elf: &mut Elf, loaded: &[Segment], offset: u64, len: u64) -> io::Result<()> {
        let word = if self.is_64 { 8 } else { 4 };
        let bytes = self.bytes(offset, len)?;
        let entries: Vec<_> = bytes
            .chunks_exact(word * 2)
            .map(|pair| (self.number(&pair[..word]), self.number(&pair[word..])))
            .take_while(|&(tag, _)| tag != 0)
            .collect();
        let value = |wanted: u64| entries.iter().find(|&&(tag, _)| tag == wanted).map(|&(_, value)| value);
        let Some(address) = value(DT_STRTAB) else { return Ok(()) };
        let holds = |&&(start, _, len): &&Segment| address >= start && address - start < len;
        let strings = loaded.iter().find(holds).map(|&(start, offset, _)| offset + (address - start));
        let strings = strings.ok_or_else(|| bad("its strings are not in the file"))?;
        let string =
            |at: u64| self.text(strings.checked_add(at).ok_or_else(|| bad("a string is not in the file"))?);
        for &(_, at) in entries.iter().filter(|&&(tag, _)| tag == DT_NEEDED) {
            elf.needed.push(string(at)?);
        }
        // RUNPATH makes the linker ignore RPATH.
        if let Some(at) = value(DT_RUNPATH).or_else(|| value(DT_RPATH)) {
            let list = string(at)?.into_os_string().into_string().unwrap_or_default();
            elf.search = list.split(':').filter(|part| !part.is_empty()).map(PathBuf::from).collect();
        }
        Ok(())
    }

    fn number(&self, bytes: &[u8]) -> u64 {
        let add = |value: u64, &byte: &u8| (value << 8) | u64::from(byte);
        if self.is_little { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) }
    }

    fn bytes(&self, offset: u64, len: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(len).map_err(|_| bad("it is too large"))?];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }

    /// Reads a null-terminated string.
    fn text(&self, offset: u64) -> io::Result<PathBuf> {
        let mut bytes = vec![0; 4096];
        let len = self.file.read_at(&mut bytes, offset)?;
        let end =
            bytes[..len].iter().position(|&byte| byte == 0).ok_or_else(|| bad("unterminated string"))?;
        bytes.truncate(end);
        Ok(std::ffi::OsString::from_vec(bytes).into())
    }
}

fn bad(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the ELF file is damaged: {why}"))
}

/// Parses /etc/ld.so.cache into pairs of library name and path.
///
/// The format is glibc's own: a header of 48 bytes, entries of 24 bytes (flags, name, path,
/// version, processor features), then the strings.
#[must_use]
pub fn cache(bytes: &[u8]) -> Vec<(PathBuf, PathBuf)> {
    const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
    // A cache in an older format may precede it.
    let Some(start) = bytes.windows(MAGIC.len()).position(|window| window == MAGIC) else {
        return Vec::new();
    };
    let bytes = &bytes[start..];
    let word = |at: usize| {
        let bytes = bytes.get(at..at + 4)?;
        Some(u32::from_ne_bytes(bytes.try_into().ok()?) as usize)
    };
    let text = |at: usize| {
        let rest = bytes.get(at..)?;
        let end = rest.iter().position(|&byte| byte == 0)?;
        Some(PathBuf::from(std::ffi::OsString::from_vec(rest[..end].to_vec())))
    };
    let count = word(20).unwrap_or(0);
    (0..count.min(1 << 16))
        .filter_map(|index| {
            let at = 48 + index * 24;
            // Skip variants for specific processors: the image may run on another one.
            let is_plain = bytes.get(at + 16..at + 24)?.iter().all(|&byte| byte == 0);
            if is_plain { Some((text(word(at + 4)?)?, text(word(at + 8)?)?)) } else { None }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_says_what_it_needs() {
        let elf = read(Path::new("/proc/self/exe")).unwrap().unwrap();
        assert_eq!(elf.kind.0, if cfg!(target_pointer_width = "64") { 2 } else { 1 });
        let shell = read(&std::fs::canonicalize("/bin/sh").unwrap()).unwrap().unwrap();
        assert_eq!(shell.kind, elf.kind);
        if let Some(interpreter) = shell.interpreter {
            assert!(interpreter.is_absolute(), "{interpreter:?}");
            assert!(!shell.needed.is_empty());
        }
    }

    #[test]
    fn what_is_no_elf_file_is_none_and_a_damaged_one_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        assert_eq!(read(&path).unwrap(), None);
        let mut bytes = std::fs::read("/bin/sh").unwrap();
        bytes.truncate(70); // keeps the header without the program headers
        std::fs::write(&path, &bytes).unwrap();
        assert!(read(&path).is_err());
    }
}
