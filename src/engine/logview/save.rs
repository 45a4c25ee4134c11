//! Saving: the lines that a query lets pass, as a text file.

use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;

use super::super::error::{Doing, Result};
use super::super::{Engine, Phase, Progress, Reporter, blocking};
use super::page::Source;
use super::{LogLine, LogPlace, LogQuery, LogSpot, Stop};
use crate::base::disk::Draft;
use crate::base::{ContainerId, ErrorKind, Explain, disk};
use crate::container::log::Book;

/// What is saved, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveLog {
    /// Of these containers, by time.
    pub containers: Vec<ContainerId>,
    /// Which lines.
    pub query: LogQuery,
    /// Only what was written then or later.
    pub since: Option<Timestamp>,
    /// To this file.
    pub path: PathBuf,
    /// A file that is there is written anew.
    pub overwrites: bool,
    /// How a line is written.
    pub form: LogForm,
}

/// How a line is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogForm {
    /// With the moment it was written at, in UTC.
    pub times: bool,
    /// With these names before it, one for each container; none for no name.
    pub names: Vec<String>,
}

/// Nobody waits any more.
#[derive(Debug, thiserror::Error)]
#[error("it was cancelled")]
struct Cancelled;

impl Explain for Cancelled {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Interrupted
    }
}

impl Engine {
    /// Writes lines of logs to a file, and gives how many. Of a save that was cancelled, or
    /// failed, nothing is left, and a file that was to be overwritten stays.
    ///
    /// # Errors
    ///
    /// When the file is there and is not to be overwritten, or a log cannot be read.
    pub(in crate::engine) async fn save_log(&self, save: SaveLog, reporter: Reporter) -> Result<u64> {
        let stop = std::sync::Arc::new(AtomicBool::new(false));
        let _guard = Stop(stop.clone());
        let engine = self.clone();
        blocking(move || engine.save_log_now(&save, &reporter, &stop)).await
    }

    fn save_log_now(&self, save: &SaveLog, reporter: &Reporter, stop: &AtomicBool) -> Result<u64> {
        let doing = || format!("save the log to {}", save.path.display());
        let folders = self.log_folders(&save.containers)?;
        let books = folders.iter().map(|folder| Book::open(folder)).collect::<disk::Result<Vec<_>>>();
        let books = books.doing(doing)?;
        let query = save.query.compile().doing(doing)?;
        let mut floor = super::Shared::floor(&query, &books);
        if let Some(since) = save.since {
            let places = books.iter().map(|book| book.since(since)).collect::<disk::Result<Vec<_>>>();
            floor = places.doing(doing)?;
        }
        let draft = draft(save).doing(doing)?;
        let mut out = BufWriter::with_capacity(256 << 10, draft.file());
        let source =
            Source { books: &books, sieve: &query.sieve, context: query.context, floor, tallies: &[] };
        let bytes: u64 = books.iter().map(|book| book.end() - book.first()).sum();
        let mut at =
            LogPlace(source.floor.iter().map(|place| LogSpot { place: *place, line: None }).collect());
        let mut lines = 0;
        loop {
            if stop.load(Ordering::Relaxed) || reporter.is_cancelled() {
                return Err(Cancelled).doing(doing);
            }
            let page = source.page(&at, 0, 4096).doing(doing)?;
            for line in &page.lines {
                write_line(&mut out, line, &save.form)
                    .map_err(disk::Error::io("write", &save.path))
                    .doing(doing)?;
            }
            lines += page.lines.len() as u64;
            at = page.end;
            let left: u64 =
                books.iter().zip(&at.0).map(|(book, spot)| book.end() - spot.place.min(book.end())).sum();
            reporter.report(Progress::Part {
                id: "log".to_owned(),
                phase: Phase::Extracting,
                current: bytes.saturating_sub(left),
                total: Some(bytes),
            });
            if page.is_last {
                break;
            }
        }
        let written = out.flush().and_then(|()| draft.file().sync_all());
        written.map_err(disk::Error::io("write", &save.path)).doing(doing)?;
        drop(out);
        if save.overwrites { draft.replace() } else { draft.place() }.doing(doing)?;
        Ok(lines)
    }
}

/// Where it is written until it is whole; with the owner and the mode of a file that it is to
/// replace.
fn draft(save: &SaveLog) -> disk::Result<Draft> {
    let failed = || disk::Error::io("create", &save.path);
    if !save.overwrites && save.path.symlink_metadata().is_ok() {
        return Err(failed()(io::ErrorKind::AlreadyExists.into()));
    }
    let Ok(path) = save.path.canonicalize() else { return Draft::new(&save.path) };
    let old = path.metadata().map_err(failed())?;
    if !old.is_file() {
        return Err(failed()(io::Error::other("it is no plain file")));
    }
    let draft = Draft::new(&path)?;
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
