//! Unpacks a compressed layer in one pass, on two threads.
//!
//! ```text
//! reader → count → inflate ──256 KiB chunks──▶ hash (diffID) → tar → files
//!          └ a thread of its own                └ the caller's
//! ```

use std::io::{self, BufRead, Read};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::Limits;
use super::apply::{Extracted, extract};
use super::compression::unpacked;
use super::error::{Error, Result};
use crate::base::progress::{Phase, Progress, Reporter};
use crate::oci::digest::Algorithm;
use crate::oci::{Digest, Hasher};
use crate::sys::check;

const CHUNK: usize = 256 << 10;
/// Chunks in flight between the two threads, enough to absorb short stalls of either.
const AHEAD: usize = 8;

/// A layer to be unpacked.
#[expect(missing_debug_implementations, reason = "a reader has none")]
pub struct LayerSource<'a> {
    /// The bytes of the tar, plain or compressed in one of the formats of [`super::compression`].
    pub reader: Box<dyn Read + Send + 'a>,
    /// The expected digest of the tar, if known.
    pub diff_id: Option<&'a Digest>,
    /// The number of bytes in `reader`, if known; used for progress only.
    pub size: Option<u64>,
    /// The name used in progress reports: twelve hex digits.
    pub name: &'a str,
}

/// Unpacks a layer into `root`, and returns the result and the tar's digest.
///
/// # Errors
///
/// As for [`extract`]; [`Error::Interrupted`] when `reporter` is cancelled.
pub fn unpack(
    source: LayerSource<'_>,
    root: &OwnedFd,
    limits: &Limits,
    in_user_namespace: bool,
    reporter: &Reporter,
) -> Result<(Extracted, Digest)> {
    let algorithm = source.diff_id.map_or(Algorithm::Sha256, Digest::algorithm);
    let packed = AtomicU64::new(0);
    let packed = &packed;
    let (full, chunks) = sync_channel(AHEAD);
    let (used, empty) = sync_channel(AHEAD + 2);
    std::thread::scope(|scope| {
        let inflating = thread::Builder::new()
            .spawn_scoped(scope, move || inflate(source, packed, reporter, &full, &empty));
        check(inflating, || "start a thread".to_owned())?;
        let hasher = Hasher::new(algorithm);
        let input = Chunks { chunks, used, current: Vec::new(), at: 0, total: 0, hasher, limits, packed };
        let (extracted, mut input) = extract(input, root, limits, in_user_namespace)?;
        // Bytes after the end of the archive count towards both digests.
        loop {
            let len = input.fill_buf().map_err(Error::read("the layer"))?.len();
            if len == 0 {
                break;
            }
            input.consume(len);
        }
        Ok((extracted, input.hasher.finish()))
    })
}

type Chunk = Result<Vec<u8>>;

/// Reads and decompresses until the end, an error, or the receiver is gone.
fn inflate(
    source: LayerSource<'_>,
    packed: &AtomicU64,
    reporter: &Reporter,
    full: &SyncSender<Chunk>,
    empty: &Receiver<Vec<u8>>,
) {
    let counted = Counted {
        inner: source.reader,
        count: packed,
        total: source.size,
        name: source.name,
        reporter,
        told: 0,
    };
    let mut reader = match unpacked(counted) {
        Ok(reader) => reader,
        Err(error) => return drop(full.send(Err(error))),
    };
    loop {
        let mut chunk = empty.try_recv().unwrap_or_default();
        chunk.resize(CHUNK, 0);
        let mut len = 0;
        let mut end = Ok(false);
        while len < CHUNK {
            match reader.read(&mut chunk[len..]) {
                Ok(0) => {
                    end = Ok(true);
                    break;
                }
                Ok(more) => len += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    end = Err(Error::read("the layer")(error));
                    break;
                }
            }
        }
        chunk.truncate(len);
        if len > 0 && full.send(Ok(chunk)).is_err() {
            return;
        }
        match end {
            Ok(false) => {}
            Ok(true) => return,
            Err(error) => return drop(full.send(Err(error))),
        }
    }
}

/// Counts compressed bytes, reports progress, and fails when the work is cancelled.
struct Counted<'a> {
    inner: Box<dyn Read + Send + 'a>,
    count: &'a AtomicU64,
    total: Option<u64>,
    name: &'a str,
    reporter: &'a Reporter,
    told: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.reporter.is_cancelled() {
            return Err(Error::Interrupted.into_io());
        }
        let len = self.inner.read(buffer)?;
        let count = self.count.fetch_add(len as u64, Ordering::Relaxed) + len as u64;
        if count >= self.told + (1 << 20) || len == 0 {
            self.told = count;
            self.reporter.report(Progress::Part {
                id: self.name.to_owned(),
                phase: Phase::Extracting,
                current: count,
                total: self.total,
            });
        }
        Ok(len)
    }
}

/// The decompressed stream, hashed as it arrives.
struct Chunks<'a> {
    chunks: Receiver<Chunk>,
    used: SyncSender<Vec<u8>>,
    current: Vec<u8>,
    at: usize,
    total: u64,
    hasher: Hasher,
    limits: &'a Limits,
    packed: &'a AtomicU64,
}

/// Checks the unpacked size against the limits, absolute and relative to the packed size.
///
/// # Errors
///
/// [`Error::TooLarge`], [`Error::Refused`].
pub fn guard(limits: &Limits, what: &str, unpacked: u64, packed: u64) -> Result<()> {
    if unpacked > limits.bytes {
        return Err(Error::TooLarge { what: what.to_owned(), limit: limits.bytes });
    }
    let packed = packed.max(1);
    if unpacked > limits.free && unpacked / packed > limits.ratio {
        let ratio = limits.ratio;
        let why =
            format!("{what} unpacks to more than {ratio} times its size ({unpacked} bytes of {packed})");
        return Err(Error::Refused(why));
    }
    Ok(())
}

impl BufRead for Chunks<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.current.len() {
            match self.chunks.recv() {
                Ok(Ok(chunk)) => {
                    self.hasher.update(&chunk);
                    self.total += chunk.len() as u64;
                    let packed = self.packed.load(Ordering::Relaxed);
                    guard(self.limits, "the layer", self.total, packed).map_err(Error::into_io)?;
                    let old = std::mem::replace(&mut self.current, chunk);
                    let _ = self.used.try_send(old); // for reuse only
                }
                Ok(Err(error)) => return Err(error.into_io()),
                Err(_) => self.current.clear(),
            }
            self.at = 0;
        }
        Ok(&self.current[self.at..])
    }

    fn consume(&mut self, len: usize) {
        self.at += len;
    }
}

impl super::tar::Source for Chunks<'_> {}

impl Read for Chunks<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let len = available.len().min(buffer.len());
        buffer[..len].copy_from_slice(&available[..len]);
        self.consume(len);
        Ok(len)
    }
}
