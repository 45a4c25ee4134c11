//! `logs`: what was written, and what is being written.

use std::path::PathBuf;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use tokio::sync::mpsc;

use super::super::error::{Doing, Result};
use super::super::{Engine, LogRecord, Status};
use super::recover::Busy;
use super::{ContainerView, DiskUse, LogRequest, Stored};
use crate::base::{ContainerId, ErrorKind, Explain, disk};
use crate::container::log::{self, Reader, Wanted};
use crate::container::store;
use crate::layer;
use crate::sys::inotify::Inotify;

/// Records on their way to a slow receiver.
const QUEUE: usize = 1024;
/// A monitor that was killed writes nothing that would wake a follower.
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
            if let Some(container) = self.current(record, Busy::LeaveIt)? {
                return Ok(container);
            }
        }
    }

    pub(super) fn measure(&self, mut container: ContainerView) -> Result<ContainerView> {
        let doing = || format!("measure `{}`", container.name);
        let folder = self.paths().container(&container.id);
        let upper = folder.join("upper");
        let writable = if upper.exists() { layer::usage(&upper).doing(doing)?.bytes } else { 0 };
        // Removed under a container that still names it: then only its own part is known.
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
        let follower = request.follow.then(|| Follower::new(self, &id, folder.clone()));
        let reader = Reader::open(&folder, wanted).doing(doing)?;
        let (to, records) = mpsc::channel(QUEUE);
        let (engine, target) = (self.clone(), target.to_owned());
        tokio::task::spawn_blocking(move || {
            if let Err(error) = pump(reader, follower, &to) {
                let doing = || format!("read the log of `{}`", engine.called(&target));
                let _ = to.blocking_send(Err(error).doing(doing)); // nobody may listen
            }
        });
        Ok(records)
    }
}

/// Sends records until there are no more, or nobody receives.
fn pump(
    mut reader: Reader,
    follower: Option<Follower>,
    to: &mpsc::Sender<Result<LogRecord>>,
) -> disk::Result<()> {
    loop {
        // Asked before the last read: what is written until an end is read after it.
        let goes_on = follower.as_ref().is_some_and(Follower::goes_on);
        loop {
            let records = reader.read()?;
            if records.is_empty() {
                break;
            }
            for record in records {
                if to.blocking_send(Ok(record)).is_err() {
                    return Ok(());
                }
            }
        }
        match &follower {
            Some(follower) if goes_on && !reader.is_over() && !to.is_closed() => follower.wait(),
            _ => return Ok(()),
        }
    }
}

/// Knows when to look again, and when no more will come.
struct Follower {
    engine: Engine,
    id: ContainerId,
    inotify: Option<Inotify>,
    folder: PathBuf,
}

impl Follower {
    fn new(engine: &Engine, id: &ContainerId, folder: PathBuf) -> Self {
        let watch = || {
            let inotify = Inotify::new()?;
            inotify.watch_where_made(&folder)?;
            // Its end is seen where run.json goes.
            let _ = inotify.watch(&engine.paths().container_run(id)); // it may be gone already
            Ok::<_, crate::sys::Error>(inotify)
        };
        let inotify = watch().inspect_err(|error| tracing::debug!(%error, "following by the clock")).ok();
        Self { engine: engine.clone(), id: id.clone(), inotify, folder }
    }

    fn goes_on(&self) -> bool {
        let record = store::load(self.engine.paths(), &self.id).ok().flatten();
        let view = record.and_then(|record| self.engine.current(record, Busy::LeaveIt).ok().flatten());
        view.is_some_and(|view| view.status.is_up() || view.status == Status::Restarting)
    }

    fn wait(&self) {
        match &self.inotify {
            Some(inotify) => {
                let mut polled = [PollFd::new(inotify, PollFlags::IN)];
                let timeout = Timespec::try_from(LOOK_AGAIN).ok();
                let _ = rustix::event::poll(&mut polled, timeout.as_ref()); // a signal: look again
                let _ = inotify.clear(); // whatever it was, the next read finds it
                let _ = inotify.watch_where_made(&self.folder); // the first start may have made it
            }
            None => std::thread::sleep(LOOK_AGAIN / 10),
        }
    }
}
