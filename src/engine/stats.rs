//! What a running container uses, and which processes it has.

use std::fs;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::error::Result;
use super::{Container, Engine, blocking};
use crate::cgroup::Cgroup;
use crate::monitor::settle::cgroup_parent;

/// What a container has used up to one moment, and uses at it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// When.
    pub time: Timestamp,
    /// Nanoseconds of CPU since it started.
    pub cpu_nanos: u64,
    /// Nanoseconds of all CPUs of the host since it booted.
    pub system_nanos: u64,
    /// CPUs it may use.
    pub cpus: u32,
    /// Nanoseconds it waited because of its quota.
    pub throttled_nanos: u64,
    /// Bytes, page cache that can be dropped at once not counted (as Docker shows it).
    pub memory: u64,
    /// Bytes of page cache.
    pub cache: u64,
    /// Most bytes it may use; the host's memory when not limited.
    pub memory_limit: u64,
    /// How often the kernel killed in it for want of memory.
    pub oom_kills: u64,
    /// Processes and threads.
    pub pids: u64,
    /// Most of them, if limited.
    pub pids_limit: Option<u64>,
    /// Bytes read from and written to block devices.
    pub block: (u64, u64),
    /// Name, bytes received and sent of each interface but `lo`.
    pub networks: Vec<(String, u64, u64)>,
}

impl Sample {
    /// Percent of one CPU used since `before`: 200 is two CPUs.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a percentage")]
    pub fn cpu_percent(&self, before: &Self) -> f64 {
        let wall = self.time.duration_since(before.time).as_secs_f64();
        let used = self.cpu_nanos.saturating_sub(before.cpu_nanos) as f64 / 1e9;
        if wall > 0.0 { used / wall * 100.0 } else { 0.0 }
    }
}

/// The processes of a container.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Top {
    /// One row a process, parents first.
    pub processes: Vec<ProcessRow>,
}

/// One process.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProcessRow {
    /// Its id on the host.
    pub pid: u32,
    /// Its id in the container.
    pub inner_pid: u32,
    /// Its parent's id on the host.
    pub parent: u32,
    /// Its user id on the host.
    pub uid: u32,
    /// Its user's name inside the container, or the number.
    pub user: String,
    /// When it started.
    pub started: Timestamp,
    /// Seconds of CPU used.
    pub cpu_secs: f64,
    /// Resident bytes.
    pub memory: u64,
    /// `pts/0`, or `?`.
    pub tty: String,
    /// One letter, as in ps(1).
    pub state: char,
    /// Program and words, or the name in brackets.
    pub command: String,
}

impl Engine {
    pub(super) async fn stats(&self, target: &str, every: Duration) -> Result<mpsc::Receiver<Sample>> {
        let container = self.containers().get(target).await?;
        let (to, samples) = mpsc::channel(1);
        let engine = self.clone();
        tokio::spawn(async move {
            loop {
                let (engine, id) = (engine.clone(), container.record.id.as_str().to_owned());
                // It ended, or was removed: the channel closes.
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

    fn sample(&self, target: &str) -> Result<Option<Sample>> {
        let Container { record, run, status, .. } = self.get(target)?;
        let Some(init) = run.and_then(|run| run.init).filter(|_| status.is_up()) else { return Ok(None) };
        let stats = Cgroup::open(&cgroup_parent(self.paths()), record.id.as_str()).stats();
        let read = |path: String| fs::read_to_string(path).unwrap_or_default();
        let (system_nanos, cpus) = processors(&read("/proc/stat".to_owned()));
        let of_host =
            |limit: u64| if limit == 0 { memory_of_host(&read("/proc/meminfo".to_owned())) } else { limit };
        Ok(Some(Sample {
            time: Timestamp::now(),
            cpu_nanos: stats.cpu_ns,
            system_nanos,
            cpus,
            throttled_nanos: stats.throttled_ns,
            memory: stats.memory,
            cache: stats.memory_usage.saturating_sub(stats.memory),
            memory_limit: of_host(stats.memory_limit),
            oom_kills: stats.oom_kills,
            pids: stats.pids,
            pids_limit: Some(stats.pids_limit).filter(|&limit| limit > 0),
            block: (stats.block_read, stats.block_written),
            networks: interfaces(&read(format!("/proc/{}/net/dev", init.pid))),
        }))
    }
}

/// Nanoseconds of all processors, and how many there are.
fn processors(stat: &str) -> (u64, u32) {
    const TICK: u64 = 10_000_000; // USER_HZ is 100 on every Linux that hoist runs on
    let ticks = stat.lines().next().map_or(0, |line| {
        // What guests used is in the first two already.
        line.split_ascii_whitespace().skip(1).take(8).filter_map(|n| n.parse::<u64>().ok()).sum()
    });
    let count = stat.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu ")).count();
    (ticks * TICK, u32::try_from(count).unwrap_or(u32::MAX).max(1))
}

fn memory_of_host(meminfo: &str) -> u64 {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes = total.and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

/// Name, bytes received and sent of each interface but `lo`.
fn interfaces(dev: &str) -> Vec<(String, u64, u64)> {
    let interface = |line: &str| {
        let (name, counters) = line.split_once(':')?;
        let counters: Vec<u64> = counters.split_ascii_whitespace().filter_map(|n| n.parse().ok()).collect();
        Some((name.trim().to_owned(), *counters.first()?, *counters.get(8)?))
    };
    dev.lines().skip(2).filter_map(interface).filter(|(name, ..)| name != "lo").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables_are_read() {
        let stat = "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 1 1 1\ncpu1 0 1 2 3\nintr 5\n";
        assert_eq!(processors(stat), (360_000_000, 2));
        assert_eq!(memory_of_host("MemTotal:  2048 kB\nMemFree: 1 kB\n"), 2 << 20);
        let dev = "Inter-|   Receive  |  Transmit\n face |bytes packets|bytes\n    lo: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n  \
                   eth0: 100 2 0 0 0 0 0 0 200 3 0 0 0 0 0 0\n";
        assert_eq!(interfaces(dev), [("eth0".to_owned(), 100, 200)]);
    }

    #[test]
    fn two_processors_at_full_use_are_200_percent() {
        let before = Sample::default();
        let after = Sample {
            time: before.time + jiff::SignedDuration::from_secs(2),
            cpu_nanos: 4_000_000_000,
            ..Sample::default()
        };
        assert!((after.cpu_percent(&before) - 200.0).abs() < 0.001);
    }
}
