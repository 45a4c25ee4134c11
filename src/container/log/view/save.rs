//! Saves the lines that pass a query to a text file.

use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;

use super::page::Source;
use super::{BadPattern, Book, LogLine, LogPlace, LogQuery, LogSpot};
use crate::base::disk::Draft;
use crate::base::progress::{Phase, Progress, Reporter};
use crate::base::{ContainerId, ErrorKind, Explain, disk};

/// What to save, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveLog {
    /// The containers, whose lines are merged by time.
    pub containers: Vec<ContainerId>,
    /// Which lines.
    pub query: LogQuery,
    /// Only lines written at or after this time.
    pub since: Option<Timestamp>,
    /// The file to write.
    pub path: PathBuf,
    /// Replaces an existing file.
    pub overwrites: bool,
    /// How each line is written.
    pub form: LogForm,
}

/// How each line is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogForm {
    /// Prefixes the time in UTC.
    pub times: bool,
    /// Prefixes these names, one per container; empty for none.
    pub names: Vec<String>,
}

/// Why lines could not be saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// A log cannot be read, or the file cannot be written.
    #[error(transparent)]
    Disk(#[from] disk::Error),
    /// A pattern is invalid.
    #[error(transparent)]
    Pattern(#[from] BadPattern),
    /// The caller cancelled it.
    #[error("it was cancelled")]
    Cancelled,
}

impl Explain for SaveError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Disk(error) => error.kind(),
            Self::Pattern(error) => error.kind(),
            Self::Cancelled => ErrorKind::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Disk(error) => error.hint(),
            Self::Pattern(_) | Self::Cancelled => None,
        }
    }
}

/// Writes lines of the logs in these folders to a file, and returns their number. A save that fails
/// or is cancelled leaves nothing behind, and keeps a file that was to be replaced.
///
/// # Errors
///
/// The file exists and is not to be replaced, or a log cannot be read.
pub fn save(
    folders: &[PathBuf],
    save: &SaveLog,
    reporter: &Reporter,
    stop: &AtomicBool,
) -> Result<u64, SaveError> {
    let books = folders.iter().map(|folder| Book::open(folder)).collect::<disk::Result<Vec<_>>>()?;
    let query = save.query.compile()?;
    let mut floor = super::View::floor(&query, &books);
    if let Some(since) = save.since {
        floor = books.iter().map(|book| book.since(since)).collect::<disk::Result<Vec<_>>>()?;
    }
    let draft = draft(save)?;
    let mut out = BufWriter::with_capacity(256 << 10, draft.file());
    let source = Source { books: &books, sieve: &query.sieve, context: query.context, floor, tallies: &[] };
    let bytes: u64 = books.iter().map(|book| book.end() - book.first()).sum();
    let mut at = LogPlace(source.floor.iter().map(|place| LogSpot { place: *place, line: None }).collect());
    let mut lines = 0;
    loop {
        if stop.load(Ordering::Relaxed) || reporter.is_cancelled() {
            return Err(SaveError::Cancelled);
        }
        let page = source.page(&at, 0, 4096)?;
        for line in &page.lines {
            write_line(&mut out, line, &save.form).map_err(disk::Error::io("write", &save.path))?;
        }
        lines += page.lines.len() as u64;
        at = page.end;
        let left: u64 =
            books.iter().zip(&at.0).map(|(book, spot)| book.end() - spot.place.min(book.end())).sum();
        reporter.report(Progress::Part {
            id: "log".to_owned(),
            phase: Phase::Writing,
            current: bytes.saturating_sub(left),
            total: Some(bytes),
        });
        if page.is_last {
            break;
        }
    }
    let written = out.flush().and_then(|()| draft.file().sync_all());
    written.map_err(disk::Error::io("write", &save.path))?;
    drop(out);
    if save.overwrites { draft.replace() } else { draft.place() }?;
    Ok(lines)
}

/// Creates the draft that is written until it is complete, with owner and mode of the file it
/// replaces.
fn draft(save: &SaveLog) -> disk::Result<Draft> {
    let failed = || disk::Error::io("create", &save.path);
    if !save.overwrites && save.path.symlink_metadata().is_ok() {
        return Err(failed()(io::ErrorKind::AlreadyExists.into()));
    }
    let path = match save.path.canonicalize() {
        Ok(path) => path,
        // Its target is missing or has no name; the link itself is not to be replaced.
        Err(_) if save.path.is_symlink() => {
            return Err(failed()(io::Error::other("it is a dangling symbolic link")));
        }
        Err(_) => return Draft::unnamed(&save.path),
    };
    let old = path.metadata().map_err(failed())?;
    if !old.is_file() {
        return Err(failed()(io::Error::other("it is not a regular file")));
    }
    let draft = Draft::unnamed(&path)?;
    let taken_over = fchown(draft.file(), Some(old.uid()), Some(old.gid()))
        .and_then(|()| draft.file().set_permissions(old.permissions()));
    taken_over.map_err(failed())?;
    Ok(draft)
}

fn write_line(out: &mut impl Write, line: &LogLine, form: &LogForm) -> std::io::Result<()> {
    if form.times {
        write!(out, "{:.9} ", line.time)?;
    }
    if let Some(name) = form.names.get(line.source) {
        write!(out, "{name} | ")?;
    }
    out.write_all(&line.bytes)?;
    out.write_all(b"\n")
}
