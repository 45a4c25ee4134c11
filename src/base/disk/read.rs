//! Reads whole files, up to a maximum size.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::{Error, Result};

/// Reads a file of at most `limit` bytes.
///
/// # Errors
///
/// [`Error::TooLarge`] beyond the limit, even if the file grows while it is read.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let (file, size) = open_with(OpenOptions::new().read(true), path)?;
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(limit)).unwrap_or(0));
    file.take(limit + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLarge { path: path.into(), size });
    }
    Ok(bytes)
}

/// Opens one of hoist's files for reading.
///
/// # Errors
///
/// If it is neither a regular file nor a folder; errors of open(2).
pub fn open(path: &Path) -> Result<File> {
    open_with(OpenOptions::new().read(true), path).map(|(file, _)| file)
}

/// Opens one of hoist's files for reading and appending, and creates it if it is missing.
///
/// # Errors
///
/// As for [`open`]; also if it is a symbolic link.
pub fn open_to_append(path: &Path) -> Result<File> {
    open_to_change(OpenOptions::new().read(true).append(true), path)
}

/// Opens one of hoist's files for writing from its start, and creates it if it is missing. It is
/// not truncated.
///
/// # Errors
///
/// As for [`open_to_append`].
pub fn open_to_overwrite(path: &Path) -> Result<File> {
    open_to_change(OpenOptions::new().write(true).truncate(false), path)
}

/// Refuses symbolic links, which may lead to files that are not hoist's.
fn open_to_change(options: &mut OpenOptions, path: &Path) -> Result<File> {
    open_as(options.create(true).mode(0o600), OFlags::NOFOLLOW, path).map(|(file, _)| file)
}

pub(super) fn open_with(options: &mut OpenOptions, path: &Path) -> Result<(File, u64)> {
    open_as(options, OFlags::empty(), path)
}

/// Opens without blocking, since a pipe in place of a file would wait for its other end. Also
/// returns the size.
fn open_as(options: &mut OpenOptions, flags: OFlags, path: &Path) -> Result<(File, u64)> {
    let file = options.custom_flags((flags | OFlags::NONBLOCK).bits().cast_signed()).open(path);
    let file = file.map_err(Error::io("open", path))?;
    let meta = file.metadata().map_err(Error::io("stat", path))?;
    if meta.is_file() || meta.is_dir() {
        return Ok((file, meta.len()));
    }
    let source = io::Error::new(io::ErrorKind::InvalidData, "it is not a regular file");
    Err(Error::io("read", path)(source))
}

/// The maximum size of files given by the user, such as environment files, labels, profiles and
/// settings.
const MAX_TEXT: u64 = 16 << 20;

/// Reads a text file or pipe named by the user. The limit also applies to `/dev/zero`.
///
/// # Errors
///
/// `EFBIG` beyond 16 MiB; if it is not UTF-8; errors of open(2) and read(2).
pub fn read_text(path: &Path) -> io::Result<String> {
    text(read_bytes(path)?)
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Reads a text like [`read_text`], from a regular file only: a pipe could block for ever.
/// `/dev/null`, which disables a file, is an empty one.
///
/// # Errors
///
/// As for [`read_text`]; also if it is not a regular file.
pub fn read_regular_text(path: &Path) -> io::Result<String> {
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    let meta = file.metadata()?;
    if meta.file_type().is_char_device() && meta.rdev() == rustix::fs::makedev(1, 3) {
        return Ok(String::new());
    }
    if !meta.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a regular file"));
    }
    text(bounded(file)?)
}

/// Reads a file like [`read_text`], with any bytes.
///
/// # Errors
///
/// `EFBIG` beyond 16 MiB; errors of open(2) and read(2).
pub fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    bounded(File::open(path)?)
}

fn bounded(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_TEXT + 1).read_to_end(&mut bytes)?;
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
    fn a_text_is_a_regular_file_where_nobody_can_end_the_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let (pipe, file) = (dir.path().join("pipe"), dir.path().join("file"));
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        fs::write(&file, "A=1").unwrap();
        assert_eq!(read_regular_text(&file).unwrap(), "A=1");
        assert_eq!(read_regular_text(Path::new("/dev/null")).unwrap(), "");
        for path in [pipe.as_path(), dir.path(), Path::new("/dev/zero")] {
            assert_eq!(read_regular_text(path).unwrap_err().to_string(), "it is not a regular file");
        }
        fs::write(&file, b"\xff").unwrap();
        assert_eq!(read_regular_text(&file).unwrap_err().kind(), io::ErrorKind::InvalidData);
        File::create(&file).unwrap().set_len(MAX_TEXT + 1).unwrap();
        assert_eq!(read_regular_text(&file).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn what_is_no_file_is_neither_waited_for_nor_written_to() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let place = |name: &str| dir.path().join(name);
        rustix::fs::mknodat(rustix::fs::CWD, place("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .unwrap();
        symlink("loop", place("loop")).unwrap();
        symlink("/dev/zero", place("device")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(place("socket")).unwrap();
        for path in ["pipe", "loop", "device", "socket"].map(place) {
            let read = read(&path, 10).map(drop);
            for result in [read, open(&path).map(drop), open_to_append(&path).map(drop)] {
                assert!(result.unwrap_err().is_of_the_file(), "{path:?}");
            }
            assert!(open_to_overwrite(&path).is_err());
        }
        fs::write(place("file"), "kept").unwrap();
        symlink("file", place("link")).unwrap();
        assert!(open_to_append(&place("link")).is_err() && open_to_overwrite(&place("link")).is_err());
        assert_eq!(fs::read_to_string(place("link")).unwrap(), "kept");
    }
}
