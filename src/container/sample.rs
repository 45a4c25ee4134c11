//! Resource usage of a running container.

use std::fs;

use jiff::Timestamp;

use crate::cgroup::{Cgroup, Pressure};

/// A container's resource usage at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// When it was taken.
    pub time: Timestamp,
    /// CPU time since the start, in nanoseconds.
    pub cpu_nanos: u64,
    /// CPU time of the whole host since boot, in nanoseconds.
    pub system_nanos: u64,
    /// CPUs it may use.
    pub cpus: u32,
    /// Its quota in CPUs, if it has one.
    pub cpu_quota: Option<f64>,
    /// Its CPU weight; 0 if the kernel does not report it.
    pub cpu_weight: u64,
    /// Nanoseconds it was throttled because of its quota.
    pub throttled_nanos: u64,
    /// Quota periods, and how many of them were throttled.
    pub periods: (u64, u64),
    /// Memory in bytes without page cache that can be reclaimed immediately, as Docker shows it.
    pub memory: u64,
    /// Page cache that can be reclaimed immediately, in bytes.
    pub cache: u64,
    /// Anonymous memory, and page cache, in bytes.
    pub anon: u64,
    #[allow(missing_docs, reason = "as above")]
    pub file: u64,
    /// Swap in bytes.
    pub swap: u64,
    /// Memory limit in bytes; the host's memory if unlimited.
    pub memory_limit: u64,
    /// Whether the limit is its own rather than the host's memory.
    pub is_limited: bool,
    /// How often the kernel killed a process in it because it was out of memory.
    pub oom_kills: u64,
    /// Processes and threads.
    pub pids: u64,
    /// Maximum number of them, if limited.
    pub pids_limit: Option<u64>,
    /// Bytes read from and written to block devices.
    pub block: (u64, u64),
    /// The same per device, by name such as `sda`.
    pub devices: Vec<(String, u64, u64)>,
    /// Name, bytes received and bytes sent of each interface except `lo`.
    pub networks: Vec<(String, u64, u64)>,
    /// Packets with errors and dropped packets over those interfaces.
    pub lost: Lost,
    /// Pressure stall information for CPU, memory and I/O, if the kernel provides it.
    pub pressure: [Option<Pressure>; 3],
    /// Open files of its first process, and their maximum.
    pub files: Option<(u64, u64)>,
}

/// Lost packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lost {
    /// With errors: received and sent.
    pub errors: (u64, u64),
    /// Dropped: received and sent.
    pub drops: (u64, u64),
}

impl Sample {
    /// Returns the CPU usage since `before` in percent of one CPU: 200 is two CPUs.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a percentage")]
    pub fn cpu_percent(&self, before: &Self) -> f64 {
        let wall = self.time.duration_since(before.time).as_secs_f64();
        let used = self.cpu_nanos.saturating_sub(before.cpu_nanos) as f64 / 1e9;
        if wall > 0.0 { used / wall * 100.0 } else { 0.0 }
    }
}

/// Returns the current usage of a container, by its cgroup and first process.
#[must_use]
pub fn sample(cgroup: &Cgroup, init: u32) -> Sample {
    let stats = cgroup.stats();
    let read = |path: String| fs::read_to_string(path).unwrap_or_default();
    let dev = read(format!("/proc/{init}/net/dev"));
    let (system_nanos, cpus) = processors(&read("/proc/stat".to_owned()));
    let of_host =
        |limit: u64| if limit == 0 { memory_of_host(&read("/proc/meminfo".to_owned())) } else { limit };
    Sample {
        time: Timestamp::now(),
        cpu_nanos: stats.cpu_ns,
        system_nanos,
        cpus,
        cpu_quota: quota(stats.cpu_quota, stats.cpu_period),
        cpu_weight: stats.cpu_weight,
        throttled_nanos: stats.throttled_ns,
        periods: (stats.periods, stats.throttled_periods),
        memory: stats.memory,
        cache: stats.memory_usage.saturating_sub(stats.memory),
        anon: stats.memory_anon,
        file: stats.memory_cache,
        swap: stats.swap,
        memory_limit: of_host(stats.memory_limit),
        is_limited: stats.memory_limit > 0,
        oom_kills: stats.oom_kills,
        pids: stats.pids,
        pids_limit: Some(stats.pids_limit).filter(|&limit| limit > 0),
        block: (stats.block_read, stats.block_written),
        devices: stats.devices.iter().map(|(number, bytes)| (disk(number), bytes.0, bytes.1)).collect(),
        networks: interfaces(&dev),
        lost: lost(&dev),
        pressure: stats.pressure,
        files: open_files(init),
    }
}

/// Returns the CPU time of all processors in nanoseconds, and their number.
fn processors(stat: &str) -> (u64, u32) {
    const TICK: u64 = 10_000_000; // USER_HZ is 100 on every Linux that hoist runs on
    let ticks = stat.lines().next().map_or(0, |line| {
        // The later fields are guest time, which the first two include.
        line.split_ascii_whitespace().skip(1).take(8).filter_map(|n| n.parse::<u64>().ok()).sum()
    });
    let count = stat.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu ")).count();
    (ticks * TICK, u32::try_from(count).unwrap_or(u32::MAX).max(1))
}

pub(crate) fn memory_of_host(meminfo: &str) -> u64 {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes = total.and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

/// Returns a quota in CPUs.
#[expect(clippy::cast_precision_loss, reason = "microseconds of a period")]
fn quota(quota: u64, period: u64) -> Option<f64> {
    (quota > 0 && period > 0).then(|| quota as f64 / period as f64)
}

/// Returns the kernel's name of the block device `8:0`, or the number itself.
fn disk(number: &str) -> String {
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    let link = fs::read_link(format!("/sys/dev/block/{number}")).ok().filter(|_| is_number);
    let name = link.as_deref().and_then(|link| link.file_name()?.to_str());
    name.unwrap_or(number).to_owned()
}

/// Returns the number of open files of a process, and their maximum.
fn open_files(pid: u32) -> Option<(u64, u64)> {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count();
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    Some((u64::try_from(open).ok()?, file_limit(&limits)?))
}

/// Returns the soft limit of open files.
fn file_limit(limits: &str) -> Option<u64> {
    let rest = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

/// Returns the lost packets over all interfaces except `lo`.
fn lost(dev: &str) -> Lost {
    let mut lost = Lost::default();
    for line in dev.lines().skip(2) {
        let Some((_, counters)) = line.split_once(':').filter(|(name, _)| name.trim() != "lo") else {
            continue;
        };
        let counters: Vec<u64> = counters.split_ascii_whitespace().filter_map(|n| n.parse().ok()).collect();
        let counter = |at: usize| counters.get(at).copied().unwrap_or(0);
        lost.errors = (lost.errors.0 + counter(2), lost.errors.1 + counter(10));
        lost.drops = (lost.drops.0 + counter(3), lost.drops.1 + counter(11));
    }
    lost
}

/// Returns name, bytes received and bytes sent of each interface except `lo`.
fn interfaces(dev: &str) -> Vec<(String, u64, u64)> {
    let interface = |line: &str| {
        let (name, counters) = line.split_once(':')?;
        let counters: Vec<u64> = counters.split_ascii_whitespace().filter_map(|n| n.parse().ok()).collect();
        Some((name.trim().to_owned(), *counters.first()?, *counters.get(8)?))
    };
    dev.lines().skip(2).filter_map(interface).filter(|(name, ..)| name != "lo").collect()
}

/// Returns the bytes received and sent by the network namespace of a process, except over `lo`.
pub(super) fn traffic(pid: u32) -> (u64, u64) {
    let dev = fs::read_to_string(format!("/proc/{pid}/net/dev")).unwrap_or_default();
    let sum = |(received, sent): (u64, u64), (_, r, s): (String, u64, u64)| {
        (received.saturating_add(r), sent.saturating_add(s))
    };
    interfaces(&dev).into_iter().fold((0, 0), sum)
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
                   eth0: 100 2 5 6 0 0 0 0 200 3 7 8 0 0 0 0\n";
        assert_eq!(interfaces(dev), [("eth0".to_owned(), 100, 200)]);
        assert_eq!(lost(dev), Lost { errors: (5, 7), drops: (6, 8) });
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 524288               files\n";
        assert_eq!(file_limit(limits), Some(1024));
        assert_eq!((quota(50_000, 100_000), quota(0, 100_000)), (Some(0.5), None));
        assert_eq!(disk("no/../number"), "no/../number");
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
