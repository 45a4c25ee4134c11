//! Unpacks what begins with a known mark: gzip of any number of members, zstd of any
//! number of frames, or nothing at all. Only in this process: never by a program.

use std::io::{self, BufReader, Read};

use super::error::{Error, Result};

/// How bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, RFC 1952.
    Gzip,
    /// zstd, RFC 8878.
    Zstd,
}

impl Compression {
    /// How bytes that begin with `start` (six of them are enough) are packed.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for what is packed in a way that hoist does not read.
    pub fn of(start: &[u8]) -> Result<Self> {
        match start {
            [0x1f, 0x8b, ..] => Ok(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Ok(Self::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0] => Err(refused("xz")),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41] => Err(refused("bzip2")),
            _ => Ok(Self::None),
        }
    }
}

fn refused(name: &str) -> Error {
    Error::Refused(format!("it is packed with {name}, and only gzip and zstd are supported"))
}

/// A reader of what `packed` holds unpacked.
///
/// # Errors
///
/// When the first bytes cannot be read, or are of a form that is not supported.
pub fn unpacked<'a>(packed: impl Read + Send + 'a) -> Result<Box<dyn Read + Send + 'a>> {
    let mut start = [0; 6];
    let mut len = 0;
    let mut packed = packed;
    while len < start.len() {
        match packed.read(&mut start[len..]) {
            Ok(0) => break,
            Ok(more) => len += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::read("the archive")(error)),
        }
    }
    let compression = Compression::of(&start[..len])?;
    let whole = io::Cursor::new(start).take(len as u64).chain(packed);
    Ok(match compression {
        Compression::None => Box::new(whole),
        Compression::Gzip => {
            Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(128 << 10, whole)))
        }
        Compression::Zstd => {
            let buffered = BufReader::with_capacity(128 << 10, whole);
            let decoder = zstd::stream::read::Decoder::with_buffer(buffered);
            Box::new(decoder.map_err(Error::read("the archive"))?)
        }
    })
}
