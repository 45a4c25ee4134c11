//! Decompresses gzip, zstd, xz and bzip2, recognized by their magic numbers, including several
//! concatenated streams. Other data is passed through. No external programs are used.

use std::io::{self, BufReader, Read};

use super::error::{Error, Result};

/// A compression format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not compressed.
    None,
    /// gzip, RFC 1952.
    Gzip,
    /// zstd, RFC 8878.
    Zstd,
    /// xz, <https://tukaani.org/xz/xz-file-format.txt>.
    Xz,
    /// bzip2.
    Bzip2,
}

/// Memory limit for xz in KiB: twice what `xz -9` needs.
const XZ_MEMORY: u32 = 128 << 10;

impl Compression {
    /// Detects the format from the first bytes of a stream; six are enough.
    #[must_use]
    pub fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0] => Self::Xz,
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41] => Self::Bzip2,
            _ => Self::None,
        }
    }
}

/// Returns a reader of the decompressed contents of `packed`.
///
/// # Errors
///
/// If the first bytes cannot be read.
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
    let compression = Compression::of(&start[..len]);
    let whole = io::Cursor::new(start).take(len as u64).chain(packed);
    let buffered = BufReader::with_capacity(128 << 10, whole);
    Ok(match compression {
        Compression::None => Box::new(buffered),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(buffered)),
        Compression::Zstd => {
            let decoder = zstd::stream::read::Decoder::with_buffer(buffered);
            Box::new(decoder.map_err(Error::read("the archive"))?)
        }
        Compression::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(buffered, true, XZ_MEMORY)),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(buffered)),
    })
}
