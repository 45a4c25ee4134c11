//! The source of an archive: a file, or a stream that is read once.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::{Error, Result};
use super::store::Store;
use crate::base::disk;
use crate::base::progress::Reporter;
use crate::layer::compression::{Compression, unpacked};
use crate::layer::stream::guard;
use crate::layer::tar::{BLOCK, check_start};

/// The source of an archive.
pub enum Input {
    /// A file.
    File(PathBuf),
    /// A stream, usually standard input.
    Stream(Box<dyn Read + Send>),
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

impl Input {
    /// Returns its name for messages.
    pub(crate) fn called(&self) -> String {
        match self {
            Self::File(path) => format!("`{}`", path.display()),
            Self::Stream(_) => "standard input".to_owned(),
        }
    }

    /// Returns a reader, and the size in bytes if known.
    pub(super) fn open(self) -> Result<(Box<dyn Read + Send>, Option<u64>)> {
        match self {
            Self::Stream(reader) => Ok((reader, None)),
            Self::File(path) => {
                let file = File::open(&path).map_err(disk::Error::io("open", &path))?;
                let meta = file.metadata().map_err(disk::Error::io("stat", &path))?;
                Ok((Box::new(file), meta.is_file().then_some(meta.len())))
            }
        }
    }

    /// Returns an uncompressed file that allows random access: the input itself if possible,
    /// otherwise a copy in the store. The copy has no name, so it cannot be left behind.
    pub(super) fn spool(self, store: &Store, reporter: &Reporter) -> Result<File> {
        let reader: Box<dyn Read + Send> = match self {
            Self::File(path) => {
                // Opened only once: a pipe cannot be opened a second time.
                let file = File::open(&path).map_err(disk::Error::io("open", &path))?;
                let meta = file.metadata().map_err(disk::Error::io("stat", &path))?;
                if meta.is_file() {
                    let mut start = [0; 6];
                    let len = file.read_at(&mut start, 0).map_err(disk::Error::io("read", &path))?;
                    if Compression::of(&start[..len]) == Compression::None {
                        return Ok(file);
                    }
                }
                Box::new(file)
            }
            Self::Stream(reader) => reader,
        };
        let ingest = store.paths().ingest();
        disk::private_dir(&ingest)?;
        let spool = crate::sys::fs::unnamed(&ingest)?;
        let packed = AtomicU64::new(0);
        let mut unpacked = unpacked(Counted { inner: reader, count: &packed, reporter })?;
        // Check the start before storing the rest, which may be endless.
        let mut start = Vec::new();
        let read = Read::by_ref(&mut unpacked).take(BLOCK as u64).read_to_end(&mut start);
        read.map_err(Error::read("the archive"))?;
        check_start(&start)?;
        let mut unpacked = start.as_slice().chain(unpacked);
        let mut buffer = vec![0; 256 << 10];
        let mut total = 0;
        loop {
            let len = match unpacked.read(&mut buffer) {
                Ok(0) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read.map_err(Error::read("the archive"))?,
            };
            // All-zero chunks stay holes.
            if buffer[..len].iter().any(|&byte| byte != 0) {
                spool.write_all_at(&buffer[..len], total).map_err(disk::Error::io("write", &ingest))?;
            }
            total += len as u64;
            guard(&store.limits().of_layer(), "the archive", total, packed.load(Ordering::Relaxed))?;
        }
        spool.set_len(total).map_err(disk::Error::io("write", &ingest))?;
        Ok(spool)
    }
}

/// Counts bytes, and fails if the user cancels.
struct Counted<'a> {
    inner: Box<dyn Read + Send>,
    count: &'a AtomicU64,
    reporter: &'a Reporter,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.reporter.is_cancelled() {
            return Err(Error::Interrupted.into_io());
        }
        let len = self.inner.read(buffer)?;
        self.count.fetch_add(len as u64, Ordering::Relaxed);
        Ok(len)
    }
}
