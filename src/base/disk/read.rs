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
    // A pipe in the place of a file would wait for its writer.
    let file = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path);
    let file = file.map_err(Error::io("open", path))?;
    let meta = file.metadata().map_err(Error::io("stat", path))?;
    if !meta.is_file() && !meta.is_dir() {
        let source = io::Error::new(io::ErrorKind::InvalidData, "it is not a regular file");
        return Err(Error::io("read", path)(source));
    }
    let size = meta.len();
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(limit)).unwrap_or(0));
    file.take(limit + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLarge { path: path.into(), size });
    }
    Ok(bytes)
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
}
