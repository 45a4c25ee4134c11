//! The log of a container in Docker's json-file format: one JSON object per line.
//!
//! ```text
//! <container>/log/log.json      written by the monitor:
//!   {"log":"hello\n","stream":"stdout","time":"2026-11-22T06:30:00.123456789Z"}
//! <container>/log/log.json.1    the previous file, log.json.2 the one before that, …
//! ```
//! A record is a line, or a 16 KiB piece of a longer one; only the last piece of a line ends in a
//! newline. Invalid UTF-8 becomes U+FFFD, as in Docker. A file that has reached its maximum size is
//! renamed, never truncated: a reader that has it open reads it to the end and finds the next one
//! by inode.

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

/// Maximum number of files that are kept of a log.
pub const MAX_FILES: u32 = 1000;
/// Maximum size of a record's text in bytes: as much as can be shown of a line.
pub const MAX_RECORD: usize = crate::base::output::LONGEST;

/// The stream that output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output, or a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// Returns the stream's name in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// One record of a log: a line, or a piece of a long one (then without a newline).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// When it was written.
    pub time: Timestamp,
    /// The stream it was written to.
    pub stream: Stream,
    /// The text, including the newline.
    pub bytes: Vec<u8>,
}

/// Returns the log folder of the container whose folder is `container`.
#[must_use]
pub fn folder(container: &Path) -> PathBuf {
    container.join("log")
}

/// Returns the file that is being written.
#[must_use]
pub fn current(folder: &Path) -> PathBuf {
    folder.join("log.json")
}

/// Returns the `n`th previous file; 0 is the current one.
fn older(folder: &Path, n: u32) -> PathBuf {
    if n == 0 { current(folder) } else { folder.join(format!("log.json.{n}")) }
}
