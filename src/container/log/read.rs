//! Reads a log across rotations: all of it, or the last `n` records, up to what is written so far.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::json::{Clock, decode};
use super::{LogRecord, MAX_FILES, Stream, older};
use crate::base::disk::{self, Error, Result};

/// How many bytes are read at once.
const BLOCK: usize = 64 << 10;
/// Maximum length of a line. The writer never writes a longer one, so it is skipped instead of
/// buffered.
const MAX_LINE: usize = 1 << 20;

/// Which records to read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Those of standard output.
    pub stdout: bool,
    /// Those of standard error.
    pub stderr: bool,
    /// Only this many of the last existing records.
    pub tail: Option<u64>,
    /// Only records written at or after this time.
    pub since: Option<Timestamp>,
    /// Only records written up to this time.
    pub until: Option<Timestamp>,
}

/// A reader with its position in a log.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
    wanted: Wanted,
    /// The file being read; `None` before the first one is written.
    file: Option<Open>,
    clock: Clock,
    /// Bytes read but not yet returned: `buffer[from..]`.
    buffer: Vec<u8>,
    from: usize,
    /// The current line is too long, and its beginning was dropped.
    is_skipping: bool,
    is_over: bool,
}

#[derive(Debug)]
struct Open {
    file: File,
    inode: u64,
}

impl Open {
    fn path(path: &Path) -> Result<Option<Self>> {
        match disk::open(path) {
            Ok(file) => {
                let inode = file.metadata().map_err(Error::io("stat", path))?.ino();
                Ok(Some(Self { file, inode }))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Reader {
    /// Opens the log in `folder` at the first wanted record. A missing log is empty.
    ///
    /// # Errors
    ///
    /// A file exists but cannot be read.
    pub fn open(folder: &Path, wanted: Wanted) -> Result<Self> {
        let mut reader = Self {
            folder: folder.into(),
            wanted,
            file: None,
            clock: Clock::default(),
            buffer: Vec::new(),
            from: 0,
            is_skipping: false,
            is_over: false,
        };
        match wanted.tail {
            Some(lines) => reader.seek_tail(lines)?,
            None => reader.file = reader.oldest()?,
        }
        Ok(reader)
    }

    /// Returns the next records, a block at a time; empty at the end of what is written. Can be
    /// called again once there is more.
    ///
    /// # Errors
    ///
    /// A file cannot be read.
    pub fn read(&mut self) -> Result<Vec<LogRecord>> {
        loop {
            let records = self.take();
            if !records.is_empty() || self.is_over {
                return Ok(records);
            }
            if !self.fill()? {
                return Ok(records);
            }
        }
    }

    /// Returns whether `until` has passed, so that nothing further can be wanted.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Takes the complete lines out of the buffer.
    fn take(&mut self) -> Vec<LogRecord> {
        let mut records = Vec::new();
        while let Some(length) = self.buffer[self.from..].iter().position(|&byte| byte == b'\n') {
            let line = &self.buffer[self.from..self.from + length];
            self.from += length + 1;
            if std::mem::take(&mut self.is_skipping) {
                continue;
            }
            // A line cut off by a crash or a full disk is skipped.
            let Some(record) = decode(&mut self.clock, line) else { continue };
            if self.wanted.until.is_some_and(|until| record.time > until) {
                self.is_over = true;
                break;
            }
            let is_stream = match record.stream {
                Stream::Stdout => self.wanted.stdout,
                Stream::Stderr => self.wanted.stderr,
            };
            if is_stream && self.wanted.since.is_none_or(|since| record.time >= since) {
                records.push(record);
            }
        }
        self.buffer.drain(..self.from);
        self.from = 0;
        if !self.is_over && self.buffer.len() > MAX_LINE {
            self.buffer.clear();
            self.is_skipping = true;
        }
        records
    }

    /// Reads another block from this file or the next newer one; `false` at the end.
    fn fill(&mut self) -> Result<bool> {
        if self.file.is_none() {
            self.file = self.oldest()?;
        }
        if self.append_block()? {
            return Ok(true);
        }
        let Some(open) = &self.file else { return Ok(false) };
        let Some(next) = self.after(open.inode)? else { return Ok(false) };
        // What was written between the read and the rotation is in the file that is open.
        if self.append_block()? {
            return Ok(true);
        }
        self.buffer.clear(); // a partial line: its writer was killed
        self.is_skipping = false;
        self.from = 0;
        self.file = Some(next);
        self.append_block()
    }

    fn append_block(&mut self) -> Result<bool> {
        let Some(open) = &mut self.file else { return Ok(false) };
        let start = self.buffer.len();
        self.buffer.resize(start + BLOCK, 0);
        let read = open.file.read(&mut self.buffer[start..]).map_err(Error::io("read", &self.folder));
        self.buffer.truncate(start + *read.as_ref().unwrap_or(&0));
        Ok(read? > 0)
    }

    fn oldest(&self) -> Result<Option<Open>> {
        for n in (0..self.files()).rev() {
            if let Some(open) = Open::path(&older(&self.folder, n))? {
                return Ok(Some(open));
            }
        }
        Ok(None)
    }

    /// Opens the file after the one with this inode. If that one is gone, rotation has overtaken
    /// the reader, which continues with the oldest file.
    fn after(&self, inode: u64) -> Result<Option<Open>> {
        for n in 0..self.files() {
            if inode_of(&older(&self.folder, n)) == Some(inode) {
                return if n == 0 { Ok(None) } else { Open::path(&older(&self.folder, n - 1)) };
            }
        }
        // Between the two renames of a rotation there is no current file.
        if inode_of(&older(&self.folder, 0)).is_none() { Ok(None) } else { self.oldest() }
    }

    /// Returns the number of files, up to the first gap.
    fn files(&self) -> u32 {
        let exists = |n: &u32| *n == 0 || older(&self.folder, *n).exists();
        u32::try_from((0..MAX_FILES).take_while(exists).count()).unwrap_or(MAX_FILES)
    }

    /// Opens the log `lines` lines before its end, searching backwards.
    fn seek_tail(&mut self, lines: u64) -> Result<()> {
        let mut missing = lines;
        for n in 0..self.files() {
            let Some(mut open) = Open::path(&older(&self.folder, n))? else { continue };
            let (found, offset) =
                last_lines(&open.file, missing).map_err(Error::io("read", older(&self.folder, n)))?;
            missing -= found;
            open.file.seek(SeekFrom::Start(offset)).map_err(Error::io("seek in", &self.folder))?;
            self.file = Some(open);
            if missing == 0 {
                break;
            }
        }
        Ok(())
    }
}

fn inode_of(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|there| there.ino())
}

/// Returns how many of the last `wanted` lines the file has, and the offset of the first.
fn last_lines(file: &File, wanted: u64) -> io::Result<(u64, u64)> {
    let size = file.metadata()?.len();
    let mut block = vec![0; BLOCK];
    let mut end = size;
    let mut found = 0;
    // The newline at the end of the last line does not begin another one.
    let mut is_last = true;
    if wanted == 0 {
        return Ok((0, size));
    }
    while end > 0 {
        let length = end.min(BLOCK as u64);
        let start = end - length;
        let bytes = &mut block[..usize::try_from(length).unwrap_or(BLOCK)];
        file.read_exact_at(bytes, start)?;
        for (at, _) in bytes.iter().enumerate().rev().filter(|&(_, &byte)| byte == b'\n') {
            if std::mem::take(&mut is_last) {
                continue;
            }
            found += 1;
            if found == wanted {
                return Ok((found, start + at as u64 + 1));
            }
        }
        end = start;
    }
    Ok((found + u64::from(size > 0), 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::LogOptions;
    use crate::container::log::Writer;

    const BOTH: Wanted = Wanted { stdout: true, stderr: true, tail: None, since: None, until: None };

    fn second(n: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + n).unwrap()
    }

    /// Creates a log with 20 lines, `0\n` to `19\n`, one second apart, over several files.
    fn log(max_size: u64) -> (tempfile::TempDir, Writer) {
        let dir = tempfile::tempdir().unwrap();
        let options = LogOptions { max_size: Some(max_size), max_files: Some(100), ..LogOptions::default() };
        let mut writer = Writer::open(dir.path(), &options).unwrap();
        (0..20).for_each(|n| add(&mut writer, n));
        (dir, writer)
    }

    fn add(writer: &mut Writer, n: i64) {
        let stream = if n % 2 == 0 { Stream::Stdout } else { Stream::Stderr };
        writer.write(stream, format!("{n}\n").as_bytes(), second(n)).unwrap();
        writer.flush().unwrap();
    }

    fn rest(reader: &mut Reader) -> Vec<i64> {
        let mut found = Vec::new();
        loop {
            let records = reader.read().unwrap();
            if records.is_empty() {
                return found;
            }
            found.extend(
                records.iter().map(|r| str::from_utf8(&r.bytes).unwrap().trim().parse::<i64>().unwrap()),
            );
        }
    }

    #[test]
    fn all_of_it_over_any_number_of_files() {
        for max_size in [1, 200, 1 << 20] {
            let (dir, _) = log(max_size);
            let mut reader = Reader::open(dir.path(), BOTH).unwrap();
            assert_eq!(rest(&mut reader), (0..20).collect::<Vec<_>>(), "{max_size}");
        }
    }

    #[test]
    fn the_tail_is_counted_over_files() {
        for max_size in [1, 200, 1 << 20] {
            let (dir, _) = log(max_size);
            for tail in [0, 1, 2, 7, 20, 21, 1000] {
                let mut reader = Reader::open(dir.path(), Wanted { tail: Some(tail), ..BOTH }).unwrap();
                let want: Vec<i64> = (20 - i64::try_from(tail.min(20)).unwrap()..20).collect();
                assert_eq!(rest(&mut reader), want, "{max_size} {tail}");
            }
        }
    }

    #[test]
    fn streams_and_times_choose() {
        let (dir, _) = log(300);
        let wanted = Wanted { stderr: false, since: Some(second(4)), until: Some(second(9)), ..BOTH };
        let mut reader = Reader::open(dir.path(), wanted).unwrap();
        assert_eq!(rest(&mut reader), [4, 6, 8]);
        assert!(reader.is_over());
    }

    #[test]
    fn a_reader_follows_over_rotations() {
        for max_size in [1, 250, 1 << 20] {
            let (dir, mut writer) = log(max_size);
            let mut reader = Reader::open(dir.path(), Wanted { tail: Some(1), ..BOTH }).unwrap();
            assert_eq!(rest(&mut reader), [19]);
            for n in 20..40 {
                add(&mut writer, n);
                if n % 3 == 0 {
                    assert_eq!(*rest(&mut reader).last().unwrap(), n, "{max_size}");
                }
            }
            assert_eq!(rest(&mut reader), Vec::<i64>::new());
        }
    }

    #[test]
    fn a_log_that_is_not_there_yet_is_empty_and_then_not() {
        let dir = tempfile::tempdir().unwrap();
        let mut reader = Reader::open(dir.path(), Wanted { tail: Some(5), ..BOTH }).unwrap();
        assert_eq!(rest(&mut reader), Vec::<i64>::new());
        let mut writer = Writer::open(dir.path(), &LogOptions::default()).unwrap();
        add(&mut writer, 1);
        assert_eq!(rest(&mut reader), [1]);
    }

    #[test]
    fn a_torn_line_is_skipped() {
        let (dir, mut writer) = log(1 << 20);
        let path = dir.path().join("log.json");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, &text[..text.len() - 10]).unwrap();
        add(&mut writer, 20); // on the same line as the truncated one
        add(&mut writer, 21);
        let mut reader = Reader::open(dir.path(), BOTH).unwrap();
        let mut want: Vec<i64> = (0..19).collect();
        want.push(21);
        assert_eq!(rest(&mut reader), want);
    }

    #[test]
    fn a_line_without_an_end_is_passed_over_and_not_held() {
        let dir = tempfile::tempdir().unwrap();
        let options = LogOptions { max_size: Some(64 << 20), max_files: Some(2), ..LogOptions::default() };
        let mut writer = Writer::open(dir.path(), &options).unwrap();
        writer.write(Stream::Stdout, b"before\n", second(0)).unwrap();
        writer.flush().unwrap();
        // A power cut may leave a long run of zeros.
        let file = fs::OpenOptions::new().append(true).open(older(dir.path(), 0)).unwrap();
        let size = file.metadata().unwrap().len();
        file.set_len(size + (10 << 20)).unwrap();
        writer.write(Stream::Stdout, b"torn\n", second(1)).unwrap();
        writer.write(Stream::Stdout, b"after\n", second(2)).unwrap();
        writer.flush().unwrap();
        let mut reader = Reader::open(dir.path(), BOTH).unwrap();
        let mut texts = Vec::new();
        loop {
            let records = reader.read().unwrap();
            assert!(reader.buffer.capacity() <= 4 * MAX_LINE, "{}", reader.buffer.capacity());
            if records.is_empty() {
                break;
            }
            texts.extend(records.into_iter().map(|record| record.bytes));
        }
        assert_eq!(texts, [b"before\n".to_vec(), b"after\n".to_vec()]);
    }
}
