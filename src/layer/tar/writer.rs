//! Writes tar archives deterministically: ustar, with PAX records for what does not fit into a
//! header, in the form that Go's archive/tar uses.
//!
//! <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html>

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Read, Write};

use super::{BLOCK, Entry, Kind, MAX_PATH, MAX_PAX};
use crate::layer::error::{Error, Result};

/// Size of the write buffer in bytes.
const BUFFER: usize = 128 << 10;
/// The largest values of eleven and of seven octal digits.
const MAX_11: u64 = 0o777_7777_7777;
const MAX_7: u32 = 0o777_7777;
/// The name of PAX headers, as seen by readers that do not know them.
const PAX_NAME: &[u8] = b"PaxHeaders.0/entry";

/// Writes the entries of an archive.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: BufWriter<W>,
    buffer: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out: BufWriter::with_capacity(BUFFER, out), buffer: vec![0; BUFFER] }
    }

    /// Adds an entry, reading a file's contents from `data`. Files are written in full, even if
    /// `extents` marks them as sparse.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the attributes are larger than readers accept; [`Error::Changed`] if
    /// `data` ends early; also if reading or writing fails.
    pub fn add(&mut self, entry: &Entry, data: impl Read) -> Result<()> {
        let mut path = entry.path.clone();
        if entry.kind == Kind::Directory && !path.ends_with(b"/") {
            path.push(b'/');
        }
        let size = if entry.kind == Kind::File { entry.size } else { 0 };
        let records = records(entry, &path, size);
        if !records.is_empty() {
            self.pax(&records, [path.as_slice(), &entry.link])?;
        }
        self.put(&header(entry, &path, size))?;
        self.fill(&entry.path, size, data)
    }

    /// Writes the end of the archive and returns the output.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn finish(mut self) -> Result<W> {
        self.put(&[0; 2 * BLOCK])?;
        self.out.into_inner().map_err(|error| Error::Write(error.into_error()))
    }

    fn pax(&mut self, records: &BTreeMap<Vec<u8>, Vec<u8>>, paths: [&[u8]; 2]) -> Result<()> {
        let mut bytes = Vec::new();
        records.iter().for_each(|(key, value)| record(&mut bytes, key, value));
        // A path that hoist's own reader refuses anyway is for others, which have bounds of their own.
        let foreign: usize = paths.iter().map(|path| path.len()).filter(|len| *len > MAX_PATH).sum();
        if (bytes.len() - foreign) as u64 > MAX_PAX {
            return Err(Error::Refused("its attributes are too large for an archive".to_owned()));
        }
        let mut header = ::tar::Header::new_ustar();
        header.set_entry_type(::tar::EntryType::XHeader);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(bytes.len() as u64);
        put_name(&mut header, PAX_NAME);
        header.set_cksum();
        self.put(header.as_bytes())?;
        self.put(&bytes)?;
        self.pad(bytes.len() as u64)
    }

    fn fill(&mut self, path: &[u8], size: u64, mut data: impl Read) -> Result<()> {
        let mut left = size;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
            let len = match data.read(&mut self.buffer[..most]) {
                Ok(0) => return Err(Error::Changed(String::from_utf8_lossy(path).into_owned())),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read.map_err(Error::read("a file"))?,
            };
            self.out.write_all(&self.buffer[..len]).map_err(Error::Write)?;
            left -= len as u64;
        }
        self.pad(size)
    }

    /// Pads `len` bytes to a full block.
    fn pad(&mut self, len: u64) -> Result<()> {
        let over = usize::try_from(len % BLOCK as u64).unwrap_or(0);
        if over == 0 { Ok(()) } else { self.put(&[0; BLOCK][over..]) }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(Error::Write)
    }
}

/// Returns the PAX records for what does not fit into the header, sorted.
fn records(entry: &Entry, path: &[u8], size: u64) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut records = BTreeMap::new();
    let mut put = |key: &str, value: Vec<u8>| drop(records.insert(key.into(), value));
    for (key, text) in [("path", path), ("linkpath", &entry.link)] {
        if text.len() > 100 || !text.is_ascii() {
            put(key, text.to_vec());
        }
    }
    if size > MAX_11 {
        put("size", size.to_string().into());
    }
    for (key, id) in [("uid", entry.uid), ("gid", entry.gid)] {
        if id > MAX_7 {
            put(key, id.to_string().into());
        }
    }
    let time = entry.mtime;
    if time.tv_nsec != 0 || u64::try_from(time.tv_sec).is_ok_and(|sec| sec > MAX_11) || time.tv_sec < 0 {
        put("mtime", decimal_time(time.tv_sec, time.tv_nsec).into());
    }
    for (name, value) in &entry.xattrs {
        records.insert([b"SCHILY.xattr.", name.as_slice()].concat(), value.clone());
    }
    records
}

/// Formats seconds with a fraction: `-0.25` is a quarter of a second before 1970.
fn decimal_time(mut sec: i64, mut nanos: i64) -> String {
    let is_negative = sec < 0;
    if is_negative && nanos > 0 {
        (sec, nanos) = (sec + 1, 1_000_000_000 - nanos);
    }
    let sign = if is_negative { "-" } else { "" };
    let text = format!("{sign}{}.{nanos:09}", sec.unsigned_abs());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Appends `<length> <key>=<value>\n`; the length includes its own digits.
fn record(bytes: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut len = rest + 1;
    while rest + len.to_string().len() != len {
        len = rest + len.to_string().len();
    }
    bytes.extend_from_slice(len.to_string().as_bytes());
    bytes.push(b' ');
    bytes.extend_from_slice(key);
    bytes.push(b'=');
    bytes.extend_from_slice(value);
    bytes.push(b'\n');
}

fn header(entry: &Entry, path: &[u8], size: u64) -> [u8; BLOCK] {
    use ::tar::EntryType;
    let mut header = ::tar::Header::new_ustar();
    header.set_entry_type(match entry.kind {
        Kind::File => EntryType::Regular,
        Kind::HardLink => EntryType::Link,
        Kind::Symlink => EntryType::Symlink,
        Kind::CharDevice => EntryType::Char,
        Kind::BlockDevice => EntryType::Block,
        Kind::Directory => EntryType::Directory,
        Kind::Fifo => EntryType::Fifo,
    });
    header.set_mode(entry.mode & 0o7777);
    // Values that are in a record are zero here.
    let fits = |id: u32| if id > MAX_7 { 0 } else { u64::from(id) };
    header.set_uid(fits(entry.uid));
    header.set_gid(fits(entry.gid));
    header.set_size(if size > MAX_11 { 0 } else { size });
    header.set_mtime(u64::try_from(entry.mtime.tv_sec).ok().filter(|sec| *sec <= MAX_11).unwrap_or(0));
    put_name(&mut header, path);
    let link = ascii(&entry.link);
    let field = &mut header.as_old_mut().linkname;
    field[..link.len()].copy_from_slice(&link);
    if let (Kind::CharDevice | Kind::BlockDevice, Some(ustar)) = (entry.kind, header.as_ustar_mut()) {
        ustar.set_device_major(entry.device.0);
        ustar.set_device_minor(entry.device.1);
    }
    header.set_cksum();
    *header.as_bytes()
}

fn put_name(header: &mut ::tar::Header, name: &[u8]) {
    let name = ascii(name);
    header.as_old_mut().name[..name.len()].copy_from_slice(&name);
}

/// Returns as much of a name as fits into its header field.
fn ascii(name: &[u8]) -> Vec<u8> {
    name.iter().take(100).map(|byte| if byte.is_ascii() { *byte } else { b'_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Reader;
    use super::*;
    use crate::sys::fs::Timespec;

    fn entry(kind: Kind, path: &[u8]) -> Entry {
        Entry {
            kind,
            path: path.to_vec(),
            link: Vec::new(),
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime: Timespec { tv_sec: 1_700_000_000, tv_nsec: 0 },
            size: 0,
            extents: None,
            device: (0, 0),
            xattrs: Vec::new(),
        }
    }

    fn written(entries: &[Entry]) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        for entry in entries {
            writer.add(entry, io::repeat(b'x').take(entry.size)).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let long = [b"d/".repeat(70), b"file".to_vec()].concat();
        let mut entries = vec![entry(Kind::Directory, b"d/"), entry(Kind::File, &long)];
        entries.push(Entry { size: 700, mode: 0o4755, ..entry(Kind::File, "naïve".as_bytes()) });
        entries.push(Entry { link: long.clone(), ..entry(Kind::HardLink, b"again") });
        entries.push(Entry { link: vec![0xff; 99], ..entry(Kind::Symlink, b"not\xffutf-8") });
        entries.push(Entry { device: (8, 300), ..entry(Kind::BlockDevice, b"disk") });
        entries.push(entry(Kind::Fifo, &[b'n'; 100]));
        entries.push(Entry { uid: 3_000_000, gid: 2_097_151, ..entry(Kind::File, b"far") });
        for (tv_sec, tv_nsec) in [(-1, 750_000_000), (-5, 0), (7, 1), (1 << 40, 0), (0, 120_000_000)] {
            entries.push(Entry { mtime: Timespec { tv_sec, tv_nsec }, ..entry(Kind::File, b"time") });
        }
        let xattrs =
            vec![(b"security.capability".to_vec(), vec![1, 0, b'\n', 255]), (b"user.e".to_vec(), vec![])];
        entries.push(Entry { xattrs, ..entry(Kind::File, b"attributes") });
        let tar = written(&entries);
        let mut reader = Reader::new(tar.as_slice());
        for entry in &entries {
            assert_eq!(&reader.next_entry().unwrap().unwrap(), entry);
        }
        assert_eq!(reader.next_entry().unwrap(), None);
    }

    /// If this digest changes, the format has changed: raise `WRITER_VERSION`, and keep this test
    /// and the old format for existing layers.
    #[test]
    fn the_bytes_of_the_form_do_not_change() {
        let xattrs = vec![(b"user.a".to_vec(), b"value".to_vec())];
        let tar = written(&[
            Entry { mode: 0o755, ..entry(Kind::Directory, b"etc") },
            Entry { size: 3, uid: 1000, xattrs, ..entry(Kind::File, b"etc/motd") },
            Entry { link: b"motd".to_vec(), mode: 0o777, ..entry(Kind::Symlink, b"etc/link") },
            Entry { device: (1, 3), ..entry(Kind::CharDevice, b"null") },
        ]);
        let digest = crate::oci::Digest::of(&tar).to_string();
        assert_eq!(
            (digest.as_str(), tar.len(), crate::layer::WRITER_VERSION),
            ("sha256:7c43b3eb8ccccde5e0b03a9045275d4c9801cd9278bd3adab87c0591978f15c2", 4608, 1)
        );
    }

    #[test]
    fn a_length_counts_its_own_digits() {
        for len in [1, 5, 90, 95, 96, 97, 990, 9_990, 99_989] {
            let mut bytes = Vec::new();
            record(&mut bytes, b"k", &vec![b'v'; len]);
            let said: usize = bytes
                .split(|byte| *byte == b' ')
                .next()
                .map(String::from_utf8_lossy)
                .unwrap()
                .parse()
                .unwrap();
            assert_eq!(said, bytes.len());
        }
    }

    #[test]
    fn a_file_that_ends_early_is_an_error() {
        let mut writer = Writer::new(Vec::new());
        let error = writer.add(&Entry { size: 9, ..entry(Kind::File, b"log") }, &b"short"[..]).unwrap_err();
        assert_eq!(error.to_string(), "`log` shrank while it was read");
    }
}
