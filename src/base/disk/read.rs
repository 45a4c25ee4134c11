//! Files that are read whole, up to a limit.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use super::{Error, Result};

/// Reads a file of at most `limit` bytes.
///
/// # Errors
///
/// [`Error::TooLarge`] beyond the limit, also when the file grows while it is read.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let (file, size) = open_with(OpenOptions::new().read(true), path)?;
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(limit)).unwrap_or(0));
    file.take(limit + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLarge { path: path.into(), size });
    }
    Ok(bytes)
}

/// Opens a file of ours for reading.
///
/// # Errors
///
/// When it is no regular file, nor a folder; what open(2) says.
pub fn open(path: &Path) -> Result<File> {
    open_with(OpenOptions::new().read(true), path).map(|(file, _)| file)
}

/// Opens a file of ours to append to, and makes it where it is missing.
///
/// # Errors
///
/// As [`open`].
pub fn open_to_append(path: &Path) -> Result<File> {
    open_with(OpenOptions::new().append(true).create(true).mode(0o600), path).map(|(file, _)| file)
}

/// A pipe in the place of a file would wait for its other end. Gives the size too.
fn open_with(options: &mut OpenOptions, path: &Path) -> Result<(File, u64)> {
    let file = options.custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path);
    let file = file.map_err(Error::io("open", path))?;
    let meta = file.metadata().map_err(Error::io("stat", path))?;
    if meta.is_file() || meta.is_dir() {
        return Ok((file, meta.len()));
    }
    let source = io::Error::new(io::ErrorKind::InvalidData, "it is not a regular file");
    Err(Error::io("read", path)(source))
}

/// The largest file of text that a user hands over: variables, labels, a profile, settings.
const MAX_TEXT: u64 = 16 << 20;

/// Reads a text that a user names: a file, or a pipe. `/dev/zero` has an end here too.
///
/// # Errors
///
/// `EFBIG` beyond 16 MiB; when it is not UTF-8; what open(2) and read(2) say.
pub fn read_text(path: &Path) -> io::Result<String> {
    let bytes = read_bytes(path)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// As [`read_text`], of any bytes.
///
/// # Errors
///
/// `EFBIG` beyond 16 MiB; what open(2) and read(2) say.
pub fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_TEXT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_TEXT { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_beyond_the_limit_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("big");
        fs::write(&path, [0; 11]).unwrap();
        assert!(matches!(read(&path, 10), Err(Error::TooLarge { size: 11, .. })));
        assert_eq!(read(&path, 11).unwrap().len(), 11);
    }

    #[test]
    fn a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        for result in [read(&path, 10).map(drop), open(&path).map(drop), open_to_append(&path).map(drop)] {
            assert!(result.is_err());
        }
    }
}
