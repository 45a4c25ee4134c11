//! Reads a file while a download is still writing it. The end is reported only once the download has
//! checked the contents.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::Error;

/// The progress of a download, for its readers.
#[derive(Debug)]
pub struct Flow {
    /// The bytes in the file, and, at the end, whether the contents are correct.
    state: Mutex<(u64, Option<bool>)>,
    changed: Condvar,
    is_whole: AtomicBool,
}

impl Flow {
    /// Creates the progress of a file that has this many bytes.
    #[must_use]
    pub fn new(done: u64) -> Arc<Self> {
        let state = Mutex::new((done, None));
        Arc::new(Self { state, changed: Condvar::new(), is_whole: AtomicBool::new(false) })
    }

    /// Sets the number of bytes in the file.
    pub fn advance(&self, done: u64) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0 = done;
        self.changed.notify_all();
    }

    /// Returns the number of bytes in the file.
    #[must_use]
    pub fn here(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Ends the download, and says whether the contents are correct.
    pub fn end(&self, is_right: bool) {
        self.is_whole.store(is_right, Ordering::Relaxed);
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(is_right);
        self.changed.notify_all();
    }

    /// Whether the download has ended and the contents are correct.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.is_whole.load(Ordering::Relaxed)
    }

    /// Waits until there are bytes after `at`, or for the end.
    fn beyond(&self, at: u64) -> (u64, Option<bool>) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_while(state, |(done, end)| *done <= at && end.is_none());
        *waited.unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reader of a file that is being downloaded.
#[derive(Debug)]
pub struct Tail {
    file: File,
    at: u64,
    flow: Arc<Flow>,
}

impl Tail {
    /// Reads `file` from its beginning, as far as `flow` has progressed.
    #[must_use]
    pub fn new(file: File, flow: Arc<Flow>) -> Self {
        Self { file, at: 0, flow }
    }
}

impl Read for Tail {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (done, end) = self.flow.beyond(self.at);
        let there = usize::try_from(done - self.at).unwrap_or(usize::MAX).min(buffer.len());
        match (there, end) {
            (0, Some(true)) => Ok(0),
            (0, _) if buffer.is_empty() => Ok(0),
            (0, _) => Err(Error::Interrupted.into_io()), // the download reports why
            (there, _) => {
                let len = self.file.read_at(&mut buffer[..there], self.at)?;
                self.at += len as u64;
                if len == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(len) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_reader_follows_the_writer_to_the_checked_end() {
        let mut file = tempfile::tempfile().unwrap();
        let flow = Flow::new(0);
        let mut tail = Tail::new(file.try_clone().unwrap(), flow.clone());
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            tail.read_to_string(&mut text).map(|_| text)
        });
        for (part, done) in [("hello ", 6), ("world", 11)] {
            file.write_all(part.as_bytes()).unwrap();
            flow.advance(done);
        }
        flow.end(true);
        assert_eq!(reader.join().unwrap().unwrap(), "hello world");
    }

    #[test]
    fn a_failed_download_is_no_end_of_file() {
        let flow = Flow::new(0);
        let mut tail = Tail::new(tempfile::tempfile().unwrap(), flow.clone());
        flow.end(false);
        assert!(tail.read(&mut [0; 4]).is_err());
    }
}
