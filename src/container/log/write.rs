//! Writes a log: splits output into records and rotates files.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::json::{Clock, encode};
use super::{MAX_FILES, MAX_RECORD, Stream, current, older};
use crate::base::disk::{Error, Result, open_to_append, private_dir};
use crate::container::LogOptions;

/// Approximate number of JSON bytes written at once.
const BATCH: usize = 64 << 10;

/// Writes a container's log. Output is buffered until [`Writer::flush`].
#[derive(Debug)]
pub struct Writer {
    folder: PathBuf,
    max_size: u64,
    max_files: u32,
    file: File,
    size: u64,
    out: Vec<u8>,
    clock: Clock,
    /// The incomplete last lines of standard output and standard error.
    partial: [Vec<u8>; 2],
}

impl Writer {
    /// Opens the log in `folder` for appending, and creates it if necessary.
    ///
    /// # Errors
    ///
    /// The folder or the file cannot be created.
    pub fn open(folder: &Path, options: &LogOptions) -> Result<Self> {
        private_dir(folder)?;
        let file = open_to_append(&current(folder))?;
        let size = file.metadata().map_err(Error::io("stat", current(folder)))?.len();
        Ok(Self {
            folder: folder.into(),
            max_size: options.max_size().max(1),
            max_files: options.max_files().clamp(1, MAX_FILES),
            file,
            size,
            out: Vec::new(),
            clock: Clock::default(),
            partial: [Vec::new(), Vec::new()],
        })
    }

    /// Adds what was written to a stream at `time`.
    ///
    /// # Errors
    ///
    /// A full batch cannot be written, as in [`Writer::flush`].
    pub fn write(&mut self, stream: Stream, mut bytes: &[u8], time: Timestamp) -> Result<()> {
        let at = index(stream);
        while !bytes.is_empty() {
            let room = MAX_RECORD - self.partial[at].len();
            let window = &bytes[..bytes.len().min(room)];
            let end = match window.iter().position(|&byte| byte == b'\n') {
                Some(newline) => newline + 1,
                None if window.len() == room => {
                    // At least one byte must be written, even if it is not valid text.
                    let kept = unfinished(window);
                    if kept == room && self.partial[at].is_empty() { room } else { room - kept }
                }
                None => {
                    self.partial[at].extend_from_slice(window);
                    return Ok(());
                }
            };
            // A character may span the partial line and the new bytes.
            let line = if self.partial[at].is_empty() {
                &bytes[..end]
            } else {
                self.partial[at].extend_from_slice(&bytes[..end]);
                &self.partial[at]
            };
            encode(&mut self.clock, stream, time, line, &mut self.out);
            self.partial[at].clear();
            bytes = &bytes[end..];
            if self.out.len() >= BATCH {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Ends incomplete lines: nothing more will be written.
    ///
    /// # Errors
    ///
    /// As [`Writer::flush`].
    pub fn finish(&mut self, time: Timestamp) -> Result<()> {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let partial = std::mem::take(&mut self.partial[index(stream)]);
            if !partial.is_empty() {
                encode(&mut self.clock, stream, time, &partial, &mut self.out);
            }
        }
        self.flush()
    }

    /// Writes the buffered records, and starts a new file if this one is full.
    ///
    /// # Errors
    ///
    /// `ENOSPC` and the like. Records that could not be written are dropped, so that a full disk
    /// does not stop the container.
    pub fn flush(&mut self) -> Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(&self.out).map_err(Error::io("write", current(&self.folder)));
        self.size += self.out.len() as u64;
        self.out.clear();
        if self.out.capacity() > 2 * BATCH {
            self.out.shrink_to(BATCH);
        }
        written?;
        if self.size >= self.max_size { self.rotate() } else { Ok(()) }
    }

    fn rotate(&mut self) -> Result<()> {
        let newest = current(&self.folder);
        if self.max_files == 1 {
            fs::remove_file(&newest).map_err(Error::io("remove", &newest))?;
        }
        // The second oldest overwrites the oldest.
        for n in (1..self.max_files).rev() {
            let (from, to) = (older(&self.folder, n - 1), older(&self.folder, n));
            match fs::rename(&from, &to) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io("rotate", from)(error));
                }
                _ => {}
            }
        }
        self.file = open_to_append(&newest)?;
        self.size = 0;
        Ok(())
    }
}

fn index(stream: Stream) -> usize {
    match stream {
        Stream::Stdout => 0,
        Stream::Stderr => 1,
    }
}

/// Returns the number of bytes at the end that begin but do not complete a UTF-8 character.
fn unfinished(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let byte = bytes[bytes.len() - back];
        let length = match byte {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf7 => 4,
            0x80..=0xbf => continue,
            _ => return 0,
        };
        return if back < length { back } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(max_size: u64, max_files: u32) -> LogOptions {
        LogOptions { max_size: Some(max_size), max_files: Some(max_files), ..LogOptions::default() }
    }

    fn now() -> Timestamp {
        "2026-11-22T06:30:00Z".parse().unwrap()
    }

    fn logs(folder: &Path, n: u32) -> Vec<String> {
        let text = fs::read_to_string(older(folder, n)).unwrap_or_default();
        let log = |line: &str| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["log"].as_str().unwrap().to_owned()
        };
        text.lines().map(log).collect()
    }

    #[test]
    fn lines_are_put_together_from_pieces_and_streams_do_not_mix() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(dir.path(), &options(1 << 20, 2)).unwrap();
        for (stream, text) in [
            (Stream::Stdout, "one\ntw"),
            (Stream::Stderr, "err"),
            (Stream::Stdout, "o\n\nend"),
            (Stream::Stderr, "or\n"),
        ] {
            writer.write(stream, text.as_bytes(), now()).unwrap();
        }
        writer.finish(now()).unwrap();
        assert_eq!(logs(dir.path(), 0), ["one\n", "two\n", "\n", "error\n", "end"]);
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(dir.path(), &options(1 << 20, 2)).unwrap();
        let text = format!("x{}\n", "é".repeat(MAX_RECORD));
        for piece in text.as_bytes().chunks(999) {
            writer.write(Stream::Stdout, piece, now()).unwrap();
        }
        writer.flush().unwrap();
        let logs = logs(dir.path(), 0);
        assert_eq!(logs.concat(), text);
        let lengths: Vec<usize> = logs.iter().map(String::len).collect();
        assert_eq!(lengths, [MAX_RECORD - 1, MAX_RECORD, 3]);
    }

    #[test]
    fn bytes_that_are_no_text_are_cut_too() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(dir.path(), &options(1 << 20, 2)).unwrap();
        writer.write(Stream::Stdout, &[0xe0; 3 * MAX_RECORD], now()).unwrap();
        writer.finish(now()).unwrap();
        let chars: usize = logs(dir.path(), 0).iter().map(|log| log.chars().count()).sum();
        assert_eq!(chars, 3 * MAX_RECORD);
    }

    #[test]
    fn full_files_are_rotated_and_the_oldest_goes() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(dir.path(), &options(150, 3)).unwrap();
        for n in 0..7 {
            writer.write(Stream::Stdout, format!("line {n}\n").as_bytes(), now()).unwrap();
            writer.flush().unwrap();
        }
        assert_eq!(logs(dir.path(), 2), ["line 2\n", "line 3\n"]);
        assert_eq!(logs(dir.path(), 1), ["line 4\n", "line 5\n"]);
        assert_eq!(logs(dir.path(), 0), ["line 6\n"]);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
        drop(writer);
        let mut again = Writer::open(dir.path(), &options(150, 3)).unwrap();
        again.write(Stream::Stdout, b"line 7\n", now()).unwrap();
        again.flush().unwrap();
        assert_eq!(logs(dir.path(), 1), ["line 6\n", "line 7\n"]);
    }
}
