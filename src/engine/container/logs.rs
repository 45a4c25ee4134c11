//! `logs`: existing records, and new ones as they are written.

use std::time::Duration;

use tokio::sync::mpsc;

use super::super::error::{Doing, Result};
use super::super::watch::Watched;
use super::super::{Engine, LogRecord, Status, blocking};
use super::{ContainerView, DiskUse, LogRequest, Stored};
use crate::base::{ContainerId, ErrorKind, Explain, disk};
use crate::container::log::{self, Reader, Wanted};
use crate::container::store;
use crate::layer;
use crate::monitor::recover::LockWait;

/// Maximum number of records queued for a slow receiver.
const QUEUE: usize = 1024;
/// A follower polls at this interval: a monitor that was killed writes nothing that would wake it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Nothing was written.
#[derive(Debug, thiserror::Error)]
#[error("configured logging driver does not support reading")]
struct NoLog;

impl Explain for NoLog {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unsupported
    }
}

impl Engine {
    pub(in crate::engine) fn get(&self, target: &str) -> Result<Stored> {
        loop {
            let record = self.find(target).doing(|| format!("find `{}`", self.called(target)))?;
            if let Some(container) = self.current(record, LockWait::LeaveIt)? {
                return Ok(container);
            }
        }
    }

    pub(super) fn measure(&self, mut container: ContainerView) -> Result<ContainerView> {
        let doing = || format!("measure `{}`", container.name);
        let folder = self.paths().container(&container.id);
        let upper = folder.join("upper");
        let writable = if upper.exists() { layer::usage(&upper).doing(doing)?.bytes } else { 0 };
        // If the image was removed while the container refers to it, only the container's own part
        // is known.
        let image = self.image_detail(&container.image_id.to_string());
        let total = writable + image.map_or(0, |detail| detail.image.size);
        let mut log = 0;
        if let Ok(entries) = std::fs::read_dir(log::folder(&folder)) {
            log = entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|meta| meta.len()).sum();
        }
        container.size = Some(DiskUse { writable, total, log });
        Ok(container)
    }

    pub(super) fn logs(
        &self,
        target: &str,
        request: &LogRequest,
    ) -> Result<mpsc::Receiver<Result<LogRecord>>> {
        let doing = || format!("read the log of `{}`", self.called(target));
        let record = self.find(target).doing(doing)?;
        if !record.config.logging.is_kept() {
            return Err(NoLog).doing(doing);
        }
        let id = record.id;
        let folder = log::folder(&self.paths().container(&id));
        let wanted = Wanted {
            stdout: request.stdout,
            stderr: request.stderr,
            tail: request.tail,
            since: request.since,
            until: request.until,
        };
        // Start watching before the first read, so that later records are noticed.
        let watched = request.follow.then(|| {
            // Its exit is noticed when run.json is removed.
            self.inner.watcher.watch(vec![folder.clone(), self.paths().container_run(&id)])
        });
        let reader = Reader::open(&folder, wanted).doing(doing)?;
        let (to, records) = mpsc::channel(QUEUE);
        let log = Log { engine: self.clone(), id, target: target.to_owned() };
        tokio::spawn(async move {
            if let Err(error) = log.pump(reader, watched, &to).await {
                let _ = to.send(Err(error)).await; // nobody may be listening
            }
        });
        Ok(records)
    }
}

/// The log of a container that is being sent.
#[derive(Clone)]
struct Log {
    engine: Engine,
    id: ContainerId,
    target: String,
}

impl Log {
    /// Sends records until there are no more or nobody receives them. Following a log blocks no
    /// thread while nothing is written.
    async fn pump(
        self,
        mut reader: Reader,
        mut watched: Option<Watched>,
        to: &mpsc::Sender<Result<LogRecord>>,
    ) -> Result<()> {
        loop {
            let (log, sender, is_followed) = (self.clone(), to.clone(), watched.is_some());
            let goes_on;
            (reader, goes_on) = blocking(move || {
                let doing = || format!("read the log of `{}`", log.engine.called(&log.target));
                // Check before the last read, so that everything written before the end is read.
                let goes_on = is_followed && log.goes_on();
                let is_heard = send(&mut reader, &sender).doing(doing)?;
                let goes_on = goes_on && is_heard && !reader.is_over();
                Ok((reader, goes_on))
            })
            .await?;
            match &mut watched {
                Some(watched) if goes_on => tokio::select! {
                    _ = watched.changed() => {}
                    () = tokio::time::sleep(LOOK_AGAIN) => {}
                    () = to.closed() => return Ok(()),
                },
                _ => return Ok(()),
            }
        }
    }

    fn goes_on(&self) -> bool {
        let record = store::load(self.engine.paths(), &self.id).ok().flatten();
        let view = record.and_then(|record| self.engine.current(record, LockWait::LeaveIt).ok().flatten());
        view.is_some_and(|view| view.status.is_up() || view.status == Status::Restarting)
    }
}

/// Sends the available records; returns `false` if nobody receives them.
fn send(reader: &mut Reader, to: &mpsc::Sender<Result<LogRecord>>) -> disk::Result<bool> {
    loop {
        let records = reader.read()?;
        if records.is_empty() {
            return Ok(true);
        }
        for record in records {
            if to.blocking_send(Ok(record)).is_err() {
                return Ok(false);
            }
        }
    }
}
