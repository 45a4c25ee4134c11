//! Reads how a program is executed: its ELF headers, or its `#!` line.
//!
//! The file may come from an untrusted image. All sizes are bounded, and a header that points
//! outside the file is an error.
//!
//! <https://gabi.xinuos.com/elf/index.html>, elf(5), execve(2)

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

const PT_LOAD: u64 = 1;
const PT_DYNAMIC: u64 = 2;
const PT_INTERP: u64 = 3;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;

/// What to do about a carriage return at the end of an interpreter's name.
pub const CONVERT_LINE_ENDS: &str =
    "its first line has a Windows line ending: convert it, for example with `dos2unix`";

/// How much the kernel reads to identify a file (`BINPRM_BUF_SIZE`).
const START: usize = 256;
/// Limits for damaged files; real programs stay far below.
const MAX_HEADERS: u64 = 512;
const MAX_DYNAMIC: u64 = 1 << 20;
const MAX_NEEDED: usize = 1024;
/// The longest string that is read (`PATH_MAX`).
const MAX_STRING: usize = 4096;

/// A program's file.
#[derive(Debug)]
pub enum Program {
    /// An ELF file, executed by the kernel, perhaps with a dynamic linker.
    Elf(Elf),
    /// A script, executed by the interpreter in its first line.
    Script(Script),
    /// Anything else.
    Other,
}

impl Program {
    /// Reads the headers of `path`. Anything but a regular file is [`Program::Other`].
    ///
    /// # Errors
    ///
    /// If the file cannot be read. `InvalidData` if it is an ELF file with damaged headers.
    pub fn read(path: &Path) -> io::Result<Self> {
        // Opening a FIFO must not block, and a terminal must not become ours.
        let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
        if !file.metadata()?.is_file() {
            return Ok(Self::Other);
        }
        let mut start = [0; START];
        let length = read_at_most(&file, &mut start, 0)?;
        let start = &start[..length];
        if start.starts_with(b"\x7fELF") {
            return Elf::read(file, start).map(Self::Elf);
        }
        Ok(Script::parse(start).map_or(Self::Other, Self::Script))
    }
}

/// A `#!` line, parsed as the kernel does.
#[derive(Debug, PartialEq, Eq)]
pub struct Script {
    /// The interpreter. A carriage return at the end of the line is part of its name.
    pub interpreter: PathBuf,
    /// The rest of the line, which is a single argument.
    pub argument: OsString,
}

impl Script {
    /// Parses the line as `load_script` in Linux's `fs/binfmt_script.c` does.
    fn parse(start: &[u8]) -> Option<Self> {
        // A shorter file is followed by zeros.
        let mut buffer = [0; START];
        buffer[..start.len()].copy_from_slice(start);
        let line = buffer.strip_prefix(b"#!")?;
        let is_newline_first = |end: &usize| line[*end] == b'\n';
        let end = match line.iter().position(|byte| b"\n\0".contains(byte)).filter(is_newline_first) {
            Some(end) => end,
            None => {
                // A name that may be truncated is refused; the last byte becomes the string's end.
                after_blanks(line).iter().position(ends_name)?;
                line.len() - 1
            }
        };
        let end = line[..end].iter().rposition(|byte| !is_blank(byte))? + 1;
        let line = after_blanks(&line[..end]);
        let (name, rest) = line.split_at(line.iter().position(ends_name).unwrap_or(line.len()));
        let argument = after_blanks(rest).split(|&byte| byte == 0).next()?;
        let argument = OsStr::from_bytes(argument).to_owned();
        (!name.is_empty()).then(|| Self { interpreter: OsStr::from_bytes(name).into(), argument })
    }
}

fn is_blank(byte: &u8) -> bool {
    b" \t".contains(byte)
}

/// Whether an interpreter's name ends before this byte.
fn ends_name(byte: &u8) -> bool {
    is_blank(byte) || *byte == 0
}

fn after_blanks(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.iter().position(|byte| !is_blank(byte)).unwrap_or(bytes.len())..]
}

/// Word size, byte order and machine. Programs and their libraries have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElfKind {
    is_64: bool,
    is_little: bool,
    machine: u64,
}

/// An ELF file with its program headers.
#[derive(Debug)]
pub struct Elf {
    file: File,
    kind: ElfKind,
    segments: Vec<Segment>,
}

/// What the dynamic linker has to load.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Names or paths of the libraries.
    pub libraries: Vec<PathBuf>,
    /// Folders that are searched before the system's.
    pub search: Vec<PathBuf>,
}

/// A program header.
#[derive(Debug)]
struct Segment {
    kind: u64,
    offset: u64,
    address: u64,
    length: u64,
}

impl Elf {
    fn read(file: File, start: &[u8]) -> io::Result<Self> {
        let is_64 = match start.get(4) {
            Some(1) => false,
            Some(2) => true,
            _ => return Err(damaged("its header has an unknown class")),
        };
        let is_little = match start.get(5) {
            Some(1) => true,
            Some(2) => false,
            // The kernel ignores this field.
            _ => cfg!(target_endian = "little"),
        };
        let (header, entry) = if is_64 { (64, 56) } else { (52, 32) };
        let start = start.get(..header).ok_or_else(|| damaged("its header is truncated"))?;
        let mut kind = ElfKind { is_64, is_little, machine: 0 };
        kind.machine = kind.field(start, (18, 2), (18, 2));
        let table = kind.field(start, (28, 4), (32, 8));
        let size = kind.field(start, (42, 2), (54, 2));
        let count = kind.field(start, (44, 2), (56, 2));
        if count > MAX_HEADERS {
            return Err(damaged("it has too many program headers"));
        }
        // Object files have no program headers and may give a size of 0.
        if count > 0 && size != entry {
            return Err(damaged("its program headers have an unexpected size"));
        }
        let bytes = bytes_at(&file, table, count * entry)?;
        let width = usize::try_from(entry).unwrap_or(usize::MAX);
        let segment = |header: &[u8]| Segment {
            kind: kind.field(header, (0, 4), (0, 4)),
            offset: kind.field(header, (4, 4), (8, 8)),
            address: kind.field(header, (8, 4), (16, 8)),
            length: kind.field(header, (16, 4), (32, 8)),
        };
        Ok(Self { segments: bytes.chunks_exact(width).map(segment).collect(), file, kind })
    }

    /// Returns its word size, byte order and machine.
    #[must_use]
    pub fn kind(&self) -> ElfKind {
        self.kind
    }

    /// Returns the path of the dynamic linker, if it has one.
    ///
    /// # Errors
    ///
    /// If the path is empty, too long, or outside the file.
    pub fn interpreter(&self) -> io::Result<Option<PathBuf>> {
        let Some(segment) = self.segment(PT_INTERP) else { return Ok(None) };
        if segment.length > MAX_STRING as u64 {
            return Err(damaged("the path of its interpreter is too long"));
        }
        let name = until_zero(bytes_at(&self.file, segment.offset, segment.length)?)?;
        match name.as_os_str().is_empty() {
            true => Err(damaged("the path of its interpreter is empty")),
            false => Ok(Some(name)),
        }
    }

    /// Returns the libraries it needs.
    ///
    /// # Errors
    ///
    /// If the dynamic section or a string is outside the file, or there are too many.
    pub fn needs(&self) -> io::Result<Needs> {
        let Some(dynamic) = self.segment(PT_DYNAMIC) else { return Ok(Needs::default()) };
        if dynamic.length > MAX_DYNAMIC {
            return Err(damaged("its dynamic section is too long"));
        }
        let width = if self.kind.is_64 { 8 } else { 4 };
        let entries: Vec<_> = bytes_at(&self.file, dynamic.offset, dynamic.length)?
            .chunks_exact(width * 2)
            .map(|pair| (self.kind.number(&pair[..width]), self.kind.number(&pair[width..])))
            .take_while(|&(tag, _)| tag != 0)
            .collect();
        let value = |wanted: u64| entries.iter().find(|&&(tag, _)| tag == wanted).map(|&(_, value)| value);
        let Some(strings) = value(DT_STRTAB) else { return Ok(Needs::default()) };
        let strings = self.offset_of(strings)?;
        let string = |at: u64| self.string(strings, at);
        let libraries = entries.iter().filter(|&&(tag, _)| tag == DT_NEEDED);
        if libraries.clone().count() > MAX_NEEDED {
            return Err(damaged("it needs too many libraries"));
        }
        let libraries = libraries.map(|&(_, at)| string(at)).collect::<io::Result<_>>()?;
        // RUNPATH makes the linker ignore RPATH.
        let search = value(DT_RUNPATH).or_else(|| value(DT_RPATH)).map(string).transpose()?;
        let search = search.unwrap_or_default().into_os_string().into_vec();
        let folders = search.split(|&byte| byte == b':').filter(|folder| !folder.is_empty());
        Ok(Needs { libraries, search: folders.map(|folder| OsStr::from_bytes(folder).into()).collect() })
    }

    fn segment(&self, kind: u64) -> Option<&Segment> {
        self.segments.iter().find(|segment| segment.kind == kind)
    }

    /// Converts an address to an offset in the file.
    fn offset_of(&self, address: u64) -> io::Result<u64> {
        let inside = |segment: &Segment| {
            let at = address.checked_sub(segment.address).filter(|&at| at < segment.length)?;
            segment.offset.checked_add(at)
        };
        let loaded = self.segments.iter().filter(|segment| segment.kind == PT_LOAD);
        loaded.filter_map(inside).next().ok_or_else(|| damaged("its string table is outside the file"))
    }

    fn string(&self, strings: u64, at: u64) -> io::Result<PathBuf> {
        let at = strings.checked_add(at).ok_or_else(|| damaged("a string is outside the file"))?;
        let mut bytes = [0; MAX_STRING];
        let length = read_at_most(&self.file, &mut bytes, at)?;
        until_zero(bytes[..length].to_vec())
    }
}

impl ElfKind {
    /// Reads a field, given as offset and width for 32-bit and for 64-bit files.
    fn field(self, header: &[u8], of_32: (usize, usize), of_64: (usize, usize)) -> u64 {
        let (at, width) = if self.is_64 { of_64 } else { of_32 };
        self.number(&header[at..at + width])
    }

    fn number(self, bytes: &[u8]) -> u64 {
        let add = |value: u64, &byte: &u8| (value << 8) | u64::from(byte);
        if self.is_little { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) }
    }
}

/// Reads exactly `length` bytes. The caller limits `length`.
fn bytes_at(file: &File, offset: u64, length: u64) -> io::Result<Vec<u8>> {
    let end = offset.checked_add(length).filter(|&end| i64::try_from(end).is_ok());
    end.ok_or_else(|| damaged("a header points outside the file"))?;
    let mut bytes = vec![0; usize::try_from(length).map_err(|_| damaged("it is too large"))?];
    match file.read_exact_at(&mut bytes, offset) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(damaged("a header points past the end of the file"))
        }
        read => read.map(|()| bytes),
    }
}

/// Reads up to the end of the buffer or the file.
fn read_at_most(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        let at = offset.checked_add(length as u64).filter(|&at| i64::try_from(at).is_ok());
        let Some(at) = at else { return Err(damaged("a header points outside the file")) };
        match file.read_at(&mut buffer[length..], at) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

fn until_zero(mut bytes: Vec<u8>) -> io::Result<PathBuf> {
    let end =
        bytes.iter().position(|&byte| byte == 0).ok_or_else(|| damaged("a string is not terminated"))?;
    bytes.truncate(end);
    bytes.shrink_to_fit();
    Ok(OsString::from_vec(bytes).into())
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the ELF file is damaged: {why}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Word size and byte order of a test file.
    #[derive(Clone, Copy)]
    struct Form {
        is_64: bool,
        is_little: bool,
    }

    impl Form {
        fn put(self, bytes: &mut [u8], at: usize, width: usize, value: u64) {
            let mut number = value.to_le_bytes()[..width].to_vec();
            if !self.is_little {
                number.reverse();
            }
            bytes[at..at + width].copy_from_slice(&number);
        }

        /// Writes a field, given as offset and width for 32-bit and for 64-bit files.
        fn field(self, bytes: &mut [u8], of_32: (usize, usize), of_64: (usize, usize), value: u64) {
            let (at, width) = if self.is_64 { of_64 } else { of_32 };
            self.put(bytes, at, width, value);
        }

        fn header(self) -> usize {
            if self.is_64 { 64 } else { 52 }
        }

        fn entry(self) -> usize {
            if self.is_64 { 56 } else { 32 }
        }

        fn program_header(self, kind: u64, offset: u64, address: u64, length: u64) -> Vec<u8> {
            let mut header = vec![0; self.entry()];
            self.field(&mut header, (0, 4), (0, 4), kind);
            self.field(&mut header, (4, 4), (8, 8), offset);
            self.field(&mut header, (8, 4), (16, 8), address);
            self.field(&mut header, (16, 4), (32, 8), length);
            header
        }

        /// A file with these program headers (kind, offset, address, length), and `rest` at 512.
        fn file(self, headers: &[(u64, u64, u64, u64)], rest: &[u8]) -> Vec<u8> {
            let mut bytes = vec![0; self.header()];
            let class = if self.is_64 { 2 } else { 1 };
            bytes[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, if self.is_little { 1 } else { 2 }]);
            self.put(&mut bytes, 18, 2, 62);
            self.field(&mut bytes, (28, 4), (32, 8), self.header() as u64);
            self.field(&mut bytes, (42, 2), (54, 2), self.entry() as u64);
            self.field(&mut bytes, (44, 2), (56, 2), headers.len() as u64);
            for &(kind, offset, address, length) in headers {
                bytes.extend(self.program_header(kind, offset, address, length));
            }
            bytes.resize(512, 0);
            bytes.extend_from_slice(rest);
            bytes
        }

        fn dynamic(self, entries: &[(u64, u64)]) -> Vec<u8> {
            let width = if self.is_64 { 8 } else { 4 };
            let mut bytes = vec![0; entries.len() * 2 * width];
            for (index, &(tag, value)) in entries.iter().enumerate() {
                self.put(&mut bytes, index * 2 * width, width, tag);
                self.put(&mut bytes, index * 2 * width + width, width, value);
            }
            bytes
        }
    }

    const FORM: Form = Form { is_64: true, is_little: true };
    const STRINGS: &[u8] = b"\0libc.so.6\0/opt/lib::$ORIGIN\0/lib/ld.so\0";

    fn read(bytes: &[u8]) -> io::Result<Program> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, bytes).unwrap();
        Program::read(&path)
    }

    fn elf(bytes: &[u8]) -> Elf {
        match read(bytes).unwrap() {
            Program::Elf(elf) => elf,
            other => panic!("{other:?}"),
        }
    }

    /// A program with a linker and a library. Its strings are at 512, and at address 4096.
    fn program(form: Form) -> Vec<u8> {
        let dynamic = form.dynamic(&[(DT_NEEDED, 1), (DT_RPATH, 999), (DT_STRTAB, 4096), (DT_RUNPATH, 11)]);
        let headers = [
            (PT_INTERP, 512 + 29, 0, 11),
            (PT_LOAD, 512, 4096, 100),
            (PT_DYNAMIC, 512 + STRINGS.len() as u64, 0, dynamic.len() as u64),
        ];
        form.file(&headers, &[STRINGS, &dynamic].concat())
    }

    #[test]
    fn headers_of_every_form_say_the_same() {
        for (is_64, is_little) in [(true, true), (true, false), (false, true), (false, false)] {
            let elf = elf(&program(Form { is_64, is_little }));
            assert_eq!(elf.kind(), ElfKind { is_64, is_little, machine: 62 });
            assert_eq!(elf.interpreter().unwrap(), Some("/lib/ld.so".into()));
            let needs = Needs {
                libraries: vec!["libc.so.6".into()],
                search: vec!["/opt/lib".into(), "$ORIGIN".into()],
            };
            assert_eq!(elf.needs().unwrap(), needs);
        }
    }

    #[test]
    fn a_file_that_is_cut_off_anywhere_is_an_error_or_says_less() {
        let whole = program(FORM);
        for length in 0..whole.len() {
            match read(&whole[..length]) {
                Ok(Program::Elf(elf)) => {
                    assert!(length >= 64 + 3 * 56, "{length}");
                    assert!(elf.needs().is_err(), "the dynamic section is at the end: {length}");
                    assert_eq!(elf.interpreter().is_ok(), length >= 512 + 29 + 11, "{length}");
                }
                Ok(Program::Other) => assert!(length < 4, "{length}"),
                Ok(Program::Script(script)) => panic!("{script:?}"),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{length}: {error}"),
            }
        }
    }

    #[test]
    fn headers_that_lie_are_errors() {
        let with = |at: usize, width: usize, value: u64| {
            let mut bytes = program(FORM);
            FORM.put(&mut bytes, at, width, value);
            read(&bytes).map(drop).unwrap_err().to_string()
        };
        for (at, width, value, want) in [
            (4, 1, 0, "its header has an unknown class"),
            (4, 1, 3, "its header has an unknown class"),
            (32, 8, 100_000, "a header points past the end of the file"),
            (32, 8, i64::MAX as u64, "a header points outside the file"),
            (32, 8, u64::MAX, "a header points outside the file"),
            (54, 2, 55, "its program headers have an unexpected size"),
            (54, 2, 0, "its program headers have an unexpected size"),
            (54, 2, 0xffff, "its program headers have an unexpected size"),
            (56, 2, 0xffff, "it has too many program headers"),
            (56, 2, 100, "a header points past the end of the file"),
        ] {
            assert_eq!(with(at, width, value), format!("the ELF file is damaged: {want}"));
        }
    }

    #[test]
    fn an_interpreter_is_a_name_that_is_in_the_file() {
        let named = |offset, length, text: &str| {
            let interpreter =
                elf(&FORM.file(&[(PT_INTERP, offset, 0, length)], text.as_bytes())).interpreter();
            interpreter.map_err(|error| error.to_string())
        };
        assert_eq!(
            named(512, 6, "/ld.so\0").unwrap_err(),
            "the ELF file is damaged: a string is not terminated"
        );
        assert_eq!(named(512, 7, "/ld.so\0").unwrap(), Some("/ld.so".into()));
        assert_eq!(named(512, 9, "/ld.so\0xx").unwrap(), Some("/ld.so".into()));
        for (offset, length, text) in [
            (512, 1, "\0"),
            (512, 0, "/ld.so\0"),
            (512, 8, "/ld.so\0"),
            (512, u64::MAX, "/ld.so\0"),
            (u64::MAX, 7, "/ld.so\0"),
            (u64::MAX - 7, 7, "/ld.so\0"),
            (512, 4097, &"x".repeat(5000)),
        ] {
            assert!(named(offset, length, text).is_err(), "{offset} {length}");
        }
        assert_eq!(elf(&FORM.file(&[], b"")).interpreter().unwrap(), None);
    }

    #[test]
    fn libraries_are_names_that_are_in_the_file() {
        let needs = |loaded: (u64, u64, u64), entries: &[(u64, u64)]| {
            let dynamic = FORM.dynamic(entries);
            let (offset, address, length) = loaded;
            let at = 512 + STRINGS.len() as u64;
            let headers = [(PT_LOAD, offset, address, length), (PT_DYNAMIC, at, 0, dynamic.len() as u64)];
            elf(&FORM.file(&headers, &[STRINGS, &dynamic].concat())).needs()
        };
        let loaded = (512, 4096, 100);
        let named = (DT_STRTAB, 4096);
        assert_eq!(needs(loaded, &[named]).unwrap(), Needs::default());
        assert_eq!(needs(loaded, &[(DT_NEEDED, 1)]).unwrap(), Needs::default(), "no strings");
        assert_eq!(
            needs(loaded, &[named, (0, 0), (DT_NEEDED, 1)]).unwrap(),
            Needs::default(),
            "behind the end"
        );
        let rpath = needs(loaded, &[named, (DT_RPATH, 11)]).unwrap();
        assert_eq!(rpath.search, [Path::new("/opt/lib"), Path::new("$ORIGIN")]);
        let many = [vec![named], vec![(DT_NEEDED, 1); MAX_NEEDED + 1]].concat();
        for (loaded, entries) in [
            (loaded, &[named, (DT_NEEDED, 1 << 20)][..]),
            (loaded, &[named, (DT_NEEDED, u64::MAX)]),
            (loaded, &[(DT_STRTAB, 4095), (DT_NEEDED, 1)]),
            (loaded, &[(DT_STRTAB, 4196), (DT_NEEDED, 1)]),
            ((u64::MAX - 1, 4096, 100), &[named, (DT_NEEDED, 1)]),
            ((512, u64::MAX, 100), &[named, (DT_NEEDED, 1)]),
            (loaded, &many),
        ] {
            let error = needs(loaded, entries).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
        }
        let endless = FORM.file(&[(PT_DYNAMIC, 512, 0, MAX_DYNAMIC + 16)], &vec![1; 2 << 20]);
        assert!(elf(&endless).needs().is_err());
    }

    #[test]
    fn a_first_line_is_read_as_the_kernel_reads_it() {
        let long = format!("#!/{}\n", "x".repeat(300));
        let long_argument = format!("#!/bin/sh {}\n", "x".repeat(300));
        // The kernel's string ends at the last byte that it reads.
        let cut = "x".repeat(START - 1 - "#!/bin/sh ".len());
        let padded = |line: &str, end: &str| format!("{line}{}", end.repeat(START - line.len()));
        let (blanks, zeros) = (padded("#!/bin/sh", " "), padded("#!/bin/sh", "\0"));
        let longest = format!("/{}", "x".repeat(START - 1 - "#!/".len()));
        let (ended, endless) = (format!("#!{longest} "), format!("#!{longest}x"));
        for (line, want) in [
            ("#!/bin/sh\n", Some(("/bin/sh", ""))),
            ("#!/bin/sh", Some(("/bin/sh", ""))),
            ("#! \t/usr/bin/env  -S sh  -e \nexit\n", Some(("/usr/bin/env", "-S sh  -e"))),
            ("#!/bin/sh\r\n", Some(("/bin/sh\r", ""))),
            ("#!/usr/bin/env sh\r\n", Some(("/usr/bin/env", "sh\r"))),
            ("#!\r/bin/sh \x0cx\x0b \t\n", Some(("\r/bin/sh", "\x0cx\x0b"))),
            ("#!/bin/sh\0x\n", Some(("/bin/sh", ""))),
            ("#!/bin/sh -e\0 -x\n", Some(("/bin/sh", "-e"))),
            ("#!/bin/sh -e ", Some(("/bin/sh", "-e "))),
            (&zeros, Some(("/bin/sh", ""))),
            (&blanks, Some(("/bin/sh", ""))),
            (&ended, Some((&longest, ""))),
            (&endless, None),
            ("#!sh\n", Some(("sh", ""))),
            (&long, None),
            (&long_argument, Some(("/bin/sh", &cut))),
            ("#!\n/bin/sh\n", None),
            ("#!  \n", None),
            ("#!", None),
            ("#! \0/bin/sh\n", None),
            ("# !/bin/sh\n", None),
            ("", None),
        ] {
            let found = match read(line.as_bytes()).unwrap() {
                Program::Script(script) => Some(script),
                Program::Other => None,
                Program::Elf(elf) => panic!("{elf:?}"),
            };
            let want = want.map(|(interpreter, argument)| Script {
                interpreter: interpreter.into(),
                argument: argument.into(),
            });
            assert_eq!(found, want, "{line:?}");
        }
    }

    #[test]
    fn what_is_no_regular_file_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        for path in [dir.path(), &pipe, Path::new("/dev/null")] {
            assert!(matches!(Program::read(path).unwrap(), Program::Other), "{path:?}");
        }
        assert!(Program::read(&dir.path().join("none")).is_err());
    }

    #[test]
    fn this_program_says_what_it_needs() {
        let read = |path: &Path| match Program::read(path).unwrap() {
            Program::Elf(elf) => elf,
            other => panic!("{other:?}"),
        };
        let own = read(Path::new("/proc/self/exe"));
        assert_eq!(own.kind().is_64, cfg!(target_pointer_width = "64"));
        let shell = read(Path::new("/bin/sh"));
        assert_eq!(shell.kind(), own.kind());
        if let Some(interpreter) = shell.interpreter().unwrap() {
            assert!(interpreter.is_absolute(), "{interpreter:?}");
            assert!(!shell.needs().unwrap().libraries.is_empty());
        }
    }
}
