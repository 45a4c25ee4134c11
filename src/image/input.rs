//! Where an archive comes from: a file, or a stream that is read once.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use super::compression::unpacked;
use super::error::{Error, Result};
use super::store::Store;
use crate::base::disk;

/// An archive on its way in.
pub enum Input {
    /// A file of the caller.
    File(PathBuf),
    /// Bytes as they come: standard input, mostly.
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
    /// The bytes, and how many there are where that is known.
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

    /// A plain file of the unpacked bytes, to be read anywhere: the file itself where it is
    /// not packed, else a copy in the store that has no name and so never stays behind.
    pub(super) fn spool(self, store: &Store) -> Result<File> {
        use super::compression::Compression;
        if let Self::File(path) = &self {
            let mut file = File::open(path).map_err(disk::Error::io("open", path))?;
            let is_file = file.metadata().map_err(disk::Error::io("stat", path))?.is_file();
            let mut start = Vec::new();
            if is_file {
                let read = Read::by_ref(&mut file).take(6).read_to_end(&mut start);
                read.map_err(disk::Error::io("read", path))?;
                if Compression::of(&start)? == Compression::None {
                    return Ok(file);
                }
            }
        }
        let (reader, _) = self.open()?;
        let ingest = store.paths().ingest();
        disk::private_dir(&ingest)?;
        let mut spool = crate::sys::fs::unnamed(&ingest)?;
        let limit = store.limits().layer;
        let copied = io::copy(&mut unpacked(reader)?.take(limit + 1), &mut spool);
        if copied.map_err(Error::read("the archive"))? > limit {
            return Err(Error::TooLarge { what: "the archive".to_owned(), limit });
        }
        Ok(spool)
    }
}
