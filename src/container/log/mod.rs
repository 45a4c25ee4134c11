//! The log of a container, in Docker's json-file form: one JSON line a record.
//!
//! ```text
//! <container>/log/log.json      written by the monitor:
//!   {"log":"hello\n","stream":"stdout","time":"2026-11-22T06:30:00.123456789Z"}
//! <container>/log/log.json.1    the one before, log.json.2 the one before that, …
//! ```
//! A record is a line, or 16 KiB of one that is longer; only the last piece of a line ends
//! in a newline. Bytes that are no UTF-8 become U+FFFD, as Docker does it. A file that has
//! reached its size is renamed, never cut: a reader that has it open reads it to its end and
//! finds the next one by inode.

mod book;
mod filter;
mod json;
mod level;
mod read;
mod tally;
pub mod view;
mod write;

use std::path::{Path, PathBuf};

use jiff::Timestamp;

pub use book::{Book, Seen};
pub use filter::{BadPattern, Filter, Matcher, Pattern, Rule, Sieve};
pub use level::Level;
pub use read::{Reader, Wanted};
pub use tally::{Block, Count, Tally};
pub use write::Writer;

/// More files of a log than this are never kept.
pub const MAX_FILES: u32 = 1000;
/// A piece of a line, at most.
pub const MAX_RECORD: usize = 16 << 10;

/// Where output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output, or a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// The word in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// One record of a log: a line, or a piece of one too long (then without its newline).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// When it was written.
    pub time: Timestamp,
    /// Which stream.
    pub stream: Stream,
    /// The bytes, newline included.
    pub bytes: Vec<u8>,
}

/// The folder of the logs of the container whose folder is `container`.
#[must_use]
pub fn folder(container: &Path) -> PathBuf {
    container.join("log")
}

/// The file that is written now.
#[must_use]
pub fn current(folder: &Path) -> PathBuf {
    folder.join("log.json")
}

/// The `n`th file before it; 0 is the current one.
fn older(folder: &Path, n: u32) -> PathBuf {
    if n == 0 { current(folder) } else { folder.join(format!("log.json.{n}")) }
}
