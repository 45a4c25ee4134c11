//! Samples of a container's resource usage, as a stream, and its past usage.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::container::Stored;
use super::error::Result;
use super::{Engine, blocking};
pub use crate::cgroup::{Pressure, RESOURCES, Stall};
pub use crate::container::history::{Averages, PastUsage};
pub use crate::container::sample::{Lost, Sample};
pub use crate::container::top::{ProcessRow, Top};
use crate::container::{history, sample};
use crate::monitor::settle::{cgroup_of, cgroup_parent};

/// The resource usage of all containers together at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TotalUsage {
    /// When it was read.
    pub time: Timestamp,
    /// CPU time in nanoseconds, including that of containers that have exited.
    pub cpu_nanos: u64,
    /// Memory in bytes without page cache that can be reclaimed immediately.
    pub memory: u64,
}

impl Engine {
    pub(super) fn total_stats(&self, every: Duration) -> mpsc::Receiver<TotalUsage> {
        let (to, totals) = mpsc::channel(1);
        let engine = self.clone();
        tokio::spawn(async move {
            loop {
                let engine = engine.clone();
                let read = blocking(move || Ok(cgroup_parent(engine.paths()).total())).await;
                let Ok(Some((cpu_nanos, memory))) = read else { return };
                let total = TotalUsage { time: Timestamp::now(), cpu_nanos, memory };
                if to.send(total).await.is_err() {
                    return;
                }
                tokio::select! {
                    () = tokio::time::sleep(every) => {}
                    () = to.closed() => return,
                }
            }
        });
        totals
    }

    pub(super) async fn stats(&self, target: &str, every: Duration) -> Result<mpsc::Receiver<Sample>> {
        let container = self.containers().get(target).await?;
        let (to, samples) = mpsc::channel(1);
        let engine = self.clone();
        tokio::spawn(async move {
            loop {
                let (engine, id) = (engine.clone(), container.id.as_str().to_owned());
                // It has exited or was removed: close the channel.
                let Ok(Some(sample)) = blocking(move || engine.sample(&id)).await else { return };
                if to.send(sample).await.is_err() {
                    return;
                }
                tokio::select! {
                    () = tokio::time::sleep(every) => {}
                    () = to.closed() => return,
                }
            }
        });
        Ok(samples)
    }

    pub(super) fn past_usage(&self, target: &str) -> Result<Vec<PastUsage>> {
        let Stored { record, run, .. } = self.get(target)?;
        Ok(run.map(|_| history::read(self.paths(), &record.id)).unwrap_or_default())
    }

    fn sample(&self, target: &str) -> Result<Option<Sample>> {
        let Stored { record, run, status, .. } = self.get(target)?;
        let Some(init) = run.as_ref().and_then(|run| run.init()).filter(|_| status.is_up()) else {
            return Ok(None);
        };
        let cgroup = cgroup_of(self.paths(), &record.id, run.as_ref());
        Ok(Some(sample::sample(&cgroup, init.pid)))
    }
}
