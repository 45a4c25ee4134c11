//! Reads tar archives as streams: old v7, ustar, star, GNU and PAX, including sparse files.
//! [`Writer`] writes them.
//!
//! Where tar dialects disagree about what an archive contains, files can be hidden from one of two
//! readers. The rules here are those of Go's archive/tar, which wrote and reads nearly all existing
//! layers. What is still ambiguous is refused:
//!
//! - a PAX size overrides the header's (CVE-2025-62518, CVE-2026-33055);
//! - only regular files have data, whatever size other kinds claim;
//! - the same PAX key with two different values is refused;
//! - global PAX headers are ignored, and refused if they would change names or sizes;
//! - names, link targets and PAX blocks are limited in size before they are read.
//!
//! <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html>,
//! <https://www.gnu.org/software/tar/manual/html_node/Standard.html>

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read as _};

mod writer;

pub use writer::Writer;

use super::error::{Error, Result};
use crate::sys::fs::Timespec;

/// The maximum length of a path on Linux.
pub const MAX_PATH: usize = 4096;
/// The maximum size of a block of PAX records: enough for a few large attributes.
const MAX_PAX: u64 = 1 << 20;
/// The maximum number of pieces of a sparse file.
const MAX_EXTENTS: usize = 1 << 20;
/// The size of an archive's blocks in bytes.
pub const BLOCK: usize = 512;

/// Where an archive is read from.
pub trait Source: BufRead {
    /// Skips up to `len` bytes and returns how many were skipped.
    ///
    /// # Errors
    ///
    /// If the input cannot be read.
    fn pass(&mut self, len: u64) -> io::Result<u64>
    where
        Self: Sized,
    {
        io::copy(&mut self.take(len), &mut io::sink())
    }
}

impl Source for &[u8] {}

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file: the only kind with data.
    File,
    /// Another name of an earlier file.
    HardLink,
    /// A symbolic link.
    Symlink,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
    /// A folder.
    Directory,
    /// A named pipe.
    Fifo,
}

/// An entry of an archive. Its data must be read from the [`Reader`] before the next entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The kind of file to create.
    pub kind: Kind,
    /// The path as written: it may be absolute or lead anywhere.
    pub path: Vec<u8>,
    /// For links: the target, as written.
    pub link: Vec<u8>,
    /// Permission bits, 0…0o7777.
    pub mode: u32,
    /// The owner's user id.
    pub uid: u32,
    /// The owner's group id.
    pub gid: u32,
    /// The modification time.
    pub mtime: Timespec,
    /// The size of the file in bytes.
    pub size: u64,
    /// For sparse files: where the data goes, as (offset, length), ascending.
    pub extents: Option<Vec<(u64, u64)>>,
    /// For devices: the major and minor numbers.
    pub device: (u32, u32),
    /// Extended attributes.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Reads the entries of an archive.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    /// Unread bytes of the current entry's data.
    left: u64,
    /// Padding bytes after the entry's data, up to a full block.
    padding: u64,
    position: u64,
}

/// Checks that an archive can begin with `block`, its first 512 bytes.
///
/// # Errors
///
/// What is wrong with the first header.
pub fn check_start(block: &[u8]) -> Result<()> {
    Reader::new(block).header().map(drop)
}

/// The records of a PAX header by key, with repeated keys (sparse maps of version 0.0) apart.
#[derive(Debug, Default)]
struct Pax {
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    map: Vec<u64>,
}

type Header = [u8; BLOCK];

impl<R: Source> Reader<R> {
    /// Reads from `input`, which must start with an archive.
    pub fn new(input: R) -> Self {
        Self { input, left: 0, padding: 0, position: 0 }
    }

    /// Returns the number of bytes of the archive read so far.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Returns the input, positioned after what was read.
    pub fn into_inner(self) -> R {
        self.input
    }

    /// Returns the next entry, or `None` at the end. Unread data of the previous one is skipped.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`], and errors of reading the input.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        let (mut pax, mut long_path, mut long_link) = (None::<Pax>, None::<Vec<u8>>, None::<Vec<u8>>);
        loop {
            self.skip(self.left.saturating_add(self.padding))?;
            (self.left, self.padding) = (0, 0);
            let Some(header) = self.header()? else {
                return match (&pax, &long_path, &long_link) {
                    (None, None, None) => Ok(None),
                    _ => Err(bad("it ends between an entry's name and its header")),
                };
            };
            let size = number(&header[124..136])?;
            match header[156] {
                b'x' => {
                    let bytes = self.extension(size, MAX_PAX)?;
                    put_once(&mut pax, Pax::parse(&bytes)?)?;
                }
                b'L' => put_once(&mut long_path, text(&self.extension(size, MAX_PATH as u64 + 1)?))?,
                b'K' => put_once(&mut long_link, text(&self.extension(size, MAX_PATH as u64 + 1)?))?,
                b'g' => Pax::parse(&self.extension(size, MAX_PAX)?)?.refuse_if_global()?,
                // A volume label is not a file.
                b'V' => self.set_data(size)?,
                _ => {
                    let names = (long_path, long_link);
                    return self.entry(&header, size, &pax.unwrap_or_default(), names).map(Some);
                }
            }
        }
    }

    /// Returns unread data of the current entry, at most one buffer of it; empty at the end.
    ///
    /// # Errors
    ///
    /// Errors of reading the input; also if the archive ends within the entry.
    pub fn data(&mut self) -> Result<&[u8]> {
        if self.left == 0 {
            return Ok(&[]);
        }
        let limit = usize::try_from(self.left).unwrap_or(usize::MAX);
        let buffer = self.input.fill_buf().map_err(Error::read("the archive"))?;
        if buffer.is_empty() {
            return Err(bad("it ends in the middle of an entry"));
        }
        Ok(&buffer[..buffer.len().min(limit)])
    }

    /// Marks `len` bytes of what [`Reader::data`] returned as read.
    pub fn consume(&mut self, len: usize) {
        self.input.consume(len);
        self.left -= len as u64;
        self.position += len as u64;
    }

    fn set_data(&mut self, size: u64) -> Result<()> {
        self.left = size;
        self.padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
        size.checked_add(self.padding).map(drop).ok_or_else(|| bad("an entry's size is too large"))
    }

    fn entry(
        &mut self,
        header: &Header,
        size: u64,
        pax: &Pax,
        (long_path, long_link): (Option<Vec<u8>>, Option<Vec<u8>>),
    ) -> Result<Entry> {
        let path = pax.text(b"path")?.or(long_path).unwrap_or_else(|| ustar_path(header));
        let kind = kind(header[156], &path)?;
        let link = pax.text(b"linkpath")?.or(long_link).unwrap_or_else(|| text(&header[157..257]));
        let mtime = match pax.value(b"mtime") {
            Some(value) => pax_time(value)?,
            None => Timespec { tv_sec: signed(&header[136..148])?, tv_nsec: 0 },
        };
        let is_device = matches!(kind, Kind::CharDevice | Kind::BlockDevice);
        let device = match is_device {
            true => (narrow(number(&header[329..337])?)?, narrow(number(&header[337..345])?)?),
            false => (0, 0),
        };
        let mut entry = Entry {
            kind,
            path,
            link,
            mode: u32::try_from(number(&header[100..108])? & 0o7777).unwrap_or(0),
            uid: owner(pax.number(b"uid")?.map_or_else(|| number(&header[108..116]), Ok)?)?,
            gid: owner(pax.number(b"gid")?.map_or_else(|| number(&header[116..124]), Ok)?)?,
            mtime,
            size: 0,
            extents: None,
            device,
            xattrs: pax.xattrs(),
        };
        if kind == Kind::File {
            self.set_data(pax.number(b"size")?.unwrap_or(size))?;
            entry.size = self.left;
            self.sparse(header, pax, &mut entry)?;
        }
        for name in [&entry.path, &entry.link] {
            if name.len() > MAX_PATH {
                return Err(bad("a path is longer than 4096 bytes"));
            }
            if name.contains(&0) {
                return Err(bad("a path contains a zero byte"));
            }
        }
        Ok(entry)
    }

    /// Reads the map of a sparse file, in any of the four formats.
    fn sparse(&mut self, header: &Header, pax: &Pax, entry: &mut Entry) -> Result<()> {
        let real = pax.number(b"GNU.sparse.realsize")?.or(pax.number(b"GNU.sparse.size")?);
        let numbers = if header[156] == b'S' {
            entry.size = number(&header[483..495])?;
            self.old_gnu_map(header)?
        } else if pax.value(b"GNU.sparse.major").is_some_and(|major| major != b"0") {
            if pax.value(b"GNU.sparse.major") != Some(b"1") || pax.value(b"GNU.sparse.minor") != Some(b"0") {
                return Err(bad("a sparse file has an unknown format"));
            }
            self.map_in_data()?
        } else if let Some(map) = pax.value(b"GNU.sparse.map") {
            map.split(|&byte| byte == b',').map(decimal).collect::<Result<Vec<_>>>()?
        } else if !pax.map.is_empty() {
            pax.map.clone()
        } else {
            return Ok(());
        };
        if header[156] != b'S' {
            entry.size = real.ok_or_else(|| bad("a sparse file has no size"))?;
            if let Some(name) = pax.text(b"GNU.sparse.name")? {
                entry.path = name;
            }
        }
        let extents: Vec<_> = numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        let (mut end, mut stored) = (0_u64, 0_u64);
        for &(offset, len) in &extents {
            let fits = offset >= end && offset.checked_add(len).is_some_and(|end| end <= entry.size);
            if !fits {
                return Err(bad("a sparse file's pieces overlap or exceed it"));
            }
            (end, stored) = (offset + len, stored + len);
        }
        if numbers.len() % 2 != 0 || stored != self.left {
            return Err(bad("a sparse file's pieces do not match its data"));
        }
        entry.extents = Some(extents);
        Ok(())
    }

    fn old_gnu_map(&mut self, header: &Header) -> Result<Vec<u64>> {
        let mut numbers = Vec::new();
        let mut add = |bytes: &[u8]| -> Result<()> {
            for pair in bytes.chunks_exact(24).filter(|pair| pair[0] != 0) {
                numbers.push(number(&pair[..12])?);
                numbers.push(number(&pair[12..])?);
            }
            if numbers.len() / 2 > MAX_EXTENTS {
                Err(bad("a sparse file has too many pieces"))
            } else {
                Ok(())
            }
        };
        add(&header[386..482])?;
        let mut more = header[482] != 0;
        while more {
            let mut block = [0; BLOCK];
            self.exact(&mut block)?;
            add(&block[..504])?;
            more = block[504] != 0;
        }
        Ok(numbers)
    }

    /// Reads a map of format 1.0: decimal lines at the start of the data, padded to a block.
    fn map_in_data(&mut self) -> Result<Vec<u64>> {
        let start = self.left;
        let line = |reader: &mut Self| -> Result<u64> {
            let mut digits = Vec::new();
            loop {
                let byte = *reader.data()?.first().ok_or_else(|| bad("a sparse file has no map"))?;
                reader.consume(1);
                match byte {
                    b'\n' => return decimal(&digits),
                    _ if digits.len() < 20 => digits.push(byte),
                    _ => return Err(bad("a sparse file's map is not a list of numbers")),
                }
            }
        };
        let count = usize::try_from(line(self)?).unwrap_or(usize::MAX);
        if count > MAX_EXTENTS {
            return Err(bad("a sparse file has too many pieces"));
        }
        let numbers = (0..count * 2).map(|_| line(self)).collect::<Result<Vec<_>>>()?;
        let fill = (BLOCK as u64 - (start - self.left) % BLOCK as u64) % BLOCK as u64;
        if fill > self.left {
            return Err(bad("a sparse file's map exceeds its data"));
        }
        self.left -= fill;
        self.skip(fill)?;
        Ok(numbers)
    }

    /// Reads the next header. The archive ends with two blocks of zeros, or with the input.
    fn header(&mut self) -> Result<Option<Header>> {
        let Some(header) = self.block()? else { return Ok(None) };
        if header.iter().any(|&byte| byte != 0) {
            let stored = number(&header[148..156])?;
            let sum = |as_signed: bool| -> i64 {
                let value =
                    |&byte: &u8| if as_signed { i64::from(byte.cast_signed()) } else { i64::from(byte) };
                let rest = header[..148].iter().chain(&header[156..]).map(value).sum::<i64>();
                rest + 8 * i64::from(b' ')
            };
            let stored = i64::try_from(stored).unwrap_or(-1);
            if stored != sum(false) && stored != sum(true) {
                return Err(bad("a header's checksum is wrong"));
            }
            return Ok(Some(header));
        }
        match self.block()? {
            Some(second) if second.iter().any(|&byte| byte != 0) => {
                Err(bad("there is a block of zeros between two entries"))
            }
            _ => Ok(None),
        }
    }

    fn block(&mut self) -> Result<Option<Header>> {
        let at_end = self.input.fill_buf().map_err(Error::read("the archive"))?.is_empty();
        if at_end {
            return Ok(None);
        }
        let mut block = [0; BLOCK];
        self.exact(&mut block)?;
        Ok(Some(block))
    }

    /// Reads the data of a header that describes the next one.
    fn extension(&mut self, size: u64, limit: u64) -> Result<Vec<u8>> {
        if size > limit {
            return Err(bad("an entry's name or attributes are too long"));
        }
        self.set_data(size)?;
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        self.left = 0;
        self.exact(&mut bytes)?;
        Ok(bytes)
    }

    fn exact(&mut self, buffer: &mut [u8]) -> Result<()> {
        self.position += buffer.len() as u64;
        self.input.read_exact(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => bad("it ends in the middle of an entry"),
            _ => Error::read("the archive")(error),
        })
    }

    fn skip(&mut self, len: u64) -> Result<()> {
        let skipped = self.input.pass(len);
        self.position = self.position.saturating_add(len);
        match skipped.map_err(Error::read("the archive"))? {
            skipped if skipped == len => Ok(()),
            _ => Err(bad("it ends in the middle of an entry")),
        }
    }
}

impl Pax {
    /// Parses records of the form `<length> <key>=<value>\n`.
    fn parse(mut bytes: &[u8]) -> Result<Self> {
        let mut pax = Self::default();
        while !bytes.is_empty() && bytes[0] != 0 {
            let wrong = || bad("a PAX record is malformed");
            let space = bytes.iter().take(20).position(|&byte| byte == b' ').ok_or_else(wrong)?;
            let len = usize::try_from(decimal(&bytes[..space])?).map_err(|_| wrong())?;
            let record = bytes.get(space + 1..len).ok_or_else(wrong)?;
            let [record @ .., b'\n'] = record else { return Err(wrong()) };
            let equals = record.iter().position(|&byte| byte == b'=').ok_or_else(wrong)?;
            pax.put(&record[..equals], &record[equals + 1..])?;
            bytes = &bytes[len..];
        }
        Ok(pax)
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        if key == b"GNU.sparse.offset" || key == b"GNU.sparse.numbytes" {
            let expected = if self.map.len().is_multiple_of(2) {
                b"GNU.sparse.offset".as_slice()
            } else {
                b"GNU.sparse.numbytes"
            };
            if key != expected || self.map.len() / 2 > MAX_EXTENTS {
                return Err(bad("a sparse file's map is out of order"));
            }
            self.map.push(decimal(value)?);
            return Ok(());
        }
        let before = self.values.insert(key.to_owned(), value.to_owned());
        match before.is_some_and(|before| before != value) {
            true => Err(bad("a PAX header has two values for the same key")),
            false => Ok(()),
        }
    }

    /// Returns the value of a key. An empty value counts as absent.
    fn value(&self, key: &[u8]) -> Option<&[u8]> {
        self.values.get(key).map(Vec::as_slice).filter(|value| !value.is_empty())
    }

    fn text(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match self.value(key) {
            Some(value) if value.contains(&0) => Err(bad("a path contains a zero byte")),
            value => Ok(value.map(<[u8]>::to_vec)),
        }
    }

    fn number(&self, key: &[u8]) -> Result<Option<u64>> {
        self.value(key).map(decimal).transpose()
    }

    fn xattrs(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let name = |key: &[u8]| key.strip_prefix(b"SCHILY.xattr.".as_slice()).map(<[u8]>::to_vec);
        self.values.iter().filter_map(|(key, value)| Some((name(key)?, value.clone()))).collect()
    }

    fn refuse_if_global(&self) -> Result<()> {
        let moves: [&[u8]; 3] = [b"path", b"linkpath", b"size"];
        let sparse = self.values.keys().any(|key| key.starts_with(b"GNU.sparse.")) || !self.map.is_empty();
        match sparse || moves.iter().any(|key| self.values.contains_key(*key)) {
            true => Err(bad("a global PAX header sets the name or size of all entries")),
            false => Ok(()),
        }
    }
}

fn bad(why: &str) -> Error {
    Error::Malformed(why.to_owned())
}

fn put_once<T>(slot: &mut Option<T>, value: T) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(bad("two headers describe the same entry")),
    }
}

fn kind(flag: u8, path: &[u8]) -> Result<Kind> {
    Ok(match flag {
        0 if path.ends_with(b"/") => Kind::Directory,
        0 | b'0' | b'7' | b'S' => Kind::File,
        b'1' => Kind::HardLink,
        b'2' => Kind::Symlink,
        b'3' => Kind::CharDevice,
        b'4' => Kind::BlockDevice,
        b'5' => Kind::Directory,
        b'6' => Kind::Fifo,
        other => return Err(bad(&format!("an entry has the unknown type {:?}", char::from(other)))),
    })
}

/// Returns the name field, prefixed by the prefix field in dialects that have one.
fn ustar_path(header: &Header) -> Vec<u8> {
    let name = text(&header[..100]);
    let prefix = match (&header[257..265], &header[508..512]) {
        (b"ustar\x0000", b"tar\0") => text(&header[345..476]), // star: times follow
        (b"ustar\x0000", _) => text(&header[345..500]),
        _ => Vec::new(),
    };
    if prefix.is_empty() { name } else { [prefix.as_slice(), b"/", &name].concat() }
}

/// Returns the bytes up to the first NUL.
fn text(field: &[u8]) -> Vec<u8> {
    field.split(|&byte| byte == 0).next().unwrap_or_default().to_vec()
}

/// Parses octal digits, or a big-endian number marked by the highest bit.
fn number(field: &[u8]) -> Result<u64> {
    u64::try_from(signed(field)?).map_err(|_| bad("a number is negative"))
}

fn signed(field: &[u8]) -> Result<i64> {
    let wrong = || bad("a number in a header is invalid");
    match field.first() {
        Some(&first) if first & 0x80 != 0 => {
            // The second-highest bit is the sign; bytes beyond eight must repeat it.
            let negative = first & 0x40 != 0;
            let mut value: i128 = if negative { -1 } else { 0 };
            for (at, &byte) in field.iter().enumerate() {
                let byte = if at == 0 && !negative { byte & 0x7f } else { byte };
                value = (value << 8) | i128::from(byte);
                if i64::try_from(value).is_err() {
                    return Err(wrong());
                }
            }
            i64::try_from(value).map_err(|_| wrong())
        }
        _ => {
            let digits = text(field);
            let digits = digits.trim_ascii();
            if digits.iter().any(|byte| !(b'0'..=b'7').contains(byte)) {
                return Err(wrong());
            }
            digits.iter().try_fold(0_i64, |value, &byte| {
                value
                    .checked_mul(8)
                    .and_then(|value| value.checked_add(i64::from(byte - b'0')))
                    .ok_or_else(wrong)
            })
        }
    }
}

fn decimal(digits: &[u8]) -> Result<u64> {
    let text = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'));
    text.and_then(|text| text.parse().ok()).ok_or_else(|| bad("a number is invalid"))
}

/// Parses seconds with an optional fraction, `1700000000.25`; negative before 1970.
fn pax_time(value: &[u8]) -> Result<Timespec> {
    let wrong = || bad("a time is invalid");
    let text = std::str::from_utf8(value).map_err(|_| wrong())?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().map_err(|_| wrong())?;
    let mut nanos = 0_i64;
    for digit in fraction.bytes().chain(std::iter::repeat(b'0')).take(9) {
        if !digit.is_ascii_digit() {
            return Err(wrong());
        }
        nanos = nanos * 10 + i64::from(digit - b'0');
    }
    Ok(match whole.starts_with('-') && nanos > 0 {
        true => {
            Timespec { tv_sec: seconds.checked_sub(1).ok_or_else(wrong)?, tv_nsec: 1_000_000_000 - nanos }
        }
        false => Timespec { tv_sec: seconds, tv_nsec: nanos },
    })
}

fn narrow(value: u64) -> Result<u32> {
    u32::try_from(value).map_err(|_| bad("a device number is too large"))
}

/// Checks a user or group id. The largest one means "unchanged" to chown(2), so it is refused.
fn owner(value: u64) -> Result<u32> {
    u32::try_from(value).ok().filter(|&id| id != u32::MAX).ok_or_else(|| bad("an owner's id is too large"))
}
