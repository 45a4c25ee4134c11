//! Downloads and unpacks one layer of a pull at the same time.
//!
//! ```text
//! registry ──▶ ingest/….part ─ ─ as far as it is written ─ ─▶ inflate ─▶ diffID, files
//!   own thread: download, digest                caller's thread, and another one
//! ```
//! They share a file instead of a queue: a slow disk never slows down the registry, and a later
//! pull continues with the first missing byte. The unpacker sees the end of the file only if the
//! digest is correct, so no other data can become a layer.

use std::io::Read;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::base::progress::{Phase, Progress, Reporter};
use crate::base::{ErrorKind, Explain};
use crate::image::tail::{Flow, Tail};
use crate::image::{self, Begun, Ingest, Lease, Store};
use crate::layer::LayerSource;
use crate::oci::Digest;
use crate::registry::{self, Blob, Repository};
use crate::sys;

/// The interval of progress reports.
const TELL: Duration = Duration::from_millis(50);
/// The interval at which a layer that another process downloads is checked.
const LOOK: Duration = Duration::from_millis(50);

/// A layer to fetch, and what is needed for that.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) store: &'a Store,
    pub(super) lease: &'a Lease,
    pub(super) repository: &'a Repository,
    pub(super) runtime: &'a Handle,
    /// `host[:port]`, for messages.
    pub(super) registry: &'a str,
    pub(super) blob: &'a Blob,
    pub(super) diff_id: &'a Digest,
    pub(super) reporter: &'a Reporter,
}

/// A layer could not be fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Registry(#[from] registry::Error),
    #[error(transparent)]
    Image(#[from] image::Error),
}

impl Explain for Failure {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Registry(error) => error.kind(),
            Self::Image(error) => error.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Registry(error) => error.hint(),
            Self::Image(error) => error.hint(),
        }
    }
}

impl Failure {
    /// Whether the registry sent wrong bytes.
    fn is_damage(&self) -> bool {
        use registry::Error::{WrongDigest, WrongSize};
        matches!(self, Self::Registry(WrongDigest { .. } | WrongSize { .. }))
    }

    fn is_cancelled(&self) -> bool {
        self.kind() == ErrorKind::Interrupted
    }
}

impl Job<'_> {
    pub(super) fn tell(&self, phase: Phase, current: u64) {
        tell(self.reporter, self.blob, phase, current);
    }
}

fn tell(reporter: &Reporter, blob: &Blob, phase: Phase, current: u64) {
    let id = blob.digest.short().to_owned();
    reporter.report(Progress::Part { id, phase, current, total: Some(blob.size) });
}

/// If the unpacker fails on invalid data, the download still continues up to this many bytes.
const REST: u64 = 16 << 20;

/// Fetches a layer into the store. Damaged bytes are discarded and requested once more.
pub(super) fn fetch(job: &Job<'_>) -> Result<(), Failure> {
    match attempt(job) {
        Err(failure) if failure.is_damage() => {
            job.tell(Phase::Retrying, 0);
            job.repository.distrust();
            attempt(job)
        }
        end => end,
    }
}

fn attempt(job: &Job<'_>) -> Result<(), Failure> {
    loop {
        if job.reporter.is_cancelled() {
            return Err(registry::Error::Cancelled.into());
        }
        if job.store.protect_layer(job.lease, job.diff_id)? {
            job.tell(Phase::Exists, job.blob.size);
            return Ok(());
        }
        match job.store.try_begin(job.lease, &job.blob.digest, Some(job.blob.size))? {
            Begun::Here => {
                let reader = job.store.open_blob(&job.blob.digest)?;
                unpack(job, Box::new(reader), job.reporter)?;
                job.tell(Phase::Done, job.blob.size);
                return Ok(());
            }
            // Another pull is fetching it. The layer it unpacks can be used here too.
            Begun::Busy => wait_for_other(job),
            // It may have become a layer since the check above.
            Begun::Ingest(ingest) if job.store.has_layer(job.diff_id) => ingest.discard()?,
            Begun::Ingest(ingest) => return stream(job, *ingest),
        }
    }
}

/// Waits for the other pull. There is no event for its end, but its lock is released.
fn wait_for_other(job: &Job<'_>) {
    job.tell(Phase::Waiting, 0);
    std::thread::sleep(LOOK);
}

fn unpack<'a>(
    job: &'a Job<'_>,
    reader: Box<dyn Read + Send + 'a>,
    reporter: &Reporter,
) -> image::Result<image::Layer> {
    let source = LayerSource {
        reader,
        diff_id: Some(job.diff_id),
        size: Some(job.blob.size),
        name: job.blob.digest.short(),
    };
    job.store.unpack(job.lease, source, reporter)
}

/// Downloads what is missing and unpacks the layer.
fn stream(job: &Job<'_>, mut ingest: Ingest) -> Result<(), Failure> {
    let flow = Flow::new(ingest.offset());
    let tail = Tail::new(ingest.reader()?, flow.clone());
    // A layer that is still being downloaded is not shown as extracting.
    let (shown, whole) = (flow.clone(), job.reporter.clone());
    let extracting = job.reporter.part(move |news| {
        if shown.is_whole() {
            whole.report(news);
        }
    });
    let whole = job.reporter.clone();
    let downloading = job.reporter.part(move |news| whole.report(news));

    let (downloaded, unpacked) = std::thread::scope(|scope| {
        let download = std::thread::Builder::new().spawn_scoped(scope, || {
            let end = download(job, &mut ingest, &flow, &downloading);
            flow.end(end.is_ok());
            end
        });
        let download = match sys::check(download, || "start a thread".to_owned()) {
            Ok(download) => download,
            Err(error) => return (Ok(()), Err(error.into())),
        };
        let unpacked = unpack(job, Box::new(tail), &extracting);
        // Invalid data may have been damaged in transit. The digest shows that at the end of the
        // download, if that is near. Otherwise the rest is not needed.
        let is_near = job.blob.size - flow.here().min(job.blob.size) <= REST;
        if !(is_near && matches!(&unpacked, Err(error) if error.kind() == ErrorKind::Corrupt)) {
            downloading.cancel();
        }
        match download.join() {
            Ok(downloaded) => (downloaded, unpacked),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    match (downloaded, unpacked) {
        (Ok(()), Ok(_)) => ingest.discard()?,
        // The layer was added by another process meanwhile.
        (Err(failure), Ok(_)) if failure.is_cancelled() && !job.reporter.is_cancelled() => {
            ingest.discard()?
        }
        // Cancelled because the unpacker failed.
        (Err(failure), Err(error)) if failure.is_cancelled() && !job.reporter.is_cancelled() => {
            if error.kind() == ErrorKind::Corrupt {
                ingest.discard()?;
            }
            return Err(error.into());
        }
        (Err(failure), _) => {
            if failure.is_damage() {
                ingest.discard()?;
            }
            return Err(failure);
        }
        (Ok(()), Err(error)) => {
            // The bytes are right but not a valid layer, so another attempt is useless.
            if error.kind() == ErrorKind::Corrupt {
                ingest.discard()?;
            }
            return Err(error.into());
        }
    }
    job.tell(Phase::Done, job.blob.size);
    Ok(())
}

fn download(job: &Job<'_>, ingest: &mut Ingest, flow: &Flow, reporter: &Reporter) -> Result<(), Failure> {
    let mut done = ingest.offset();
    let mut told = Instant::now();
    tell(reporter, job.blob, Phase::Downloading, done);
    let mut sink = |bytes: &[u8]| {
        ingest.append(bytes).map_err(image::Error::into_io)?;
        flow.advance(ingest.offset());
        if told.elapsed() >= TELL {
            told = Instant::now();
            tell(reporter, job.blob, Phase::Downloading, ingest.offset());
        }
        Ok(())
    };
    let end = job.runtime.block_on(job.repository.blob(job.blob, &mut done, reporter, &mut sink));
    match end {
        Ok(()) => {}
        // The store's own error, returned through the sink.
        Err(registry::Error::Keep { source }) => {
            return Err(image::Error::read("the download")(source).into());
        }
        Err(error) => return Err(error.into()),
    }
    match ingest.check() {
        Err(image::Error::Digest { wanted, found, .. }) => {
            let host = job.registry.to_owned();
            return Err(registry::Error::WrongDigest { host, want: wanted, got: found }.into());
        }
        checked => checked?,
    }
    tell(reporter, job.blob, Phase::Downloading, job.blob.size);
    Ok(())
}
