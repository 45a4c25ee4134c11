//! The counters of a cgroup.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::hierarchy::Controller;
use super::{Cgroup, files};

/// What a container uses and has used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stats {
    /// Processor time used, in nanoseconds.
    pub cpu_ns: u64,
    /// … of it in user mode.
    pub cpu_user_ns: u64,
    /// … of it in the kernel.
    pub cpu_system_ns: u64,
    /// How many periods the quota cut short.
    pub throttled_periods: u64,
    /// Nanoseconds that processes waited for the next period then.
    pub throttled_ns: u64,
    /// Bytes of memory in use, page cache that can be dropped at once left out, as Docker
    /// counts.
    pub memory: u64,
    /// Bytes of memory in use as the kernel counts, page cache included.
    pub memory_usage: u64,
    /// The limit in bytes, 0 when there is none.
    pub memory_limit: u64,
    /// Processes and threads.
    pub pids: u64,
    /// The limit of them, 0 when there is none.
    pub pids_limit: u64,
    /// Bytes read from block devices.
    pub block_read: u64,
    /// Bytes written to block devices.
    pub block_written: u64,
    /// How many processes the kernel killed for memory.
    pub oom_kills: u64,
}

impl Cgroup {
    /// The counters now. What this machine does not count is zero.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        if let Some(payload) = self.payload() {
            read_v2(&payload, &mut stats);
        }
        for (controller, dir) in &self.v1 {
            read_v1(*controller, dir, &mut stats);
        }
        if stats.pids == 0 {
            stats.pids = self.threads();
        }
        stats
    }

    /// Where no controller counts them.
    fn threads(&self) -> u64 {
        let count = |dir: &Path, file| files::pids_below(dir, file).len();
        let threads = match (self.payload(), self.v1.first()) {
            (Some(payload), _) => count(&payload, "cgroup.threads"),
            (None, Some((_, dir))) => count(dir, "tasks"),
            (None, None) => 0,
        };
        u64::try_from(threads).unwrap_or(u64::MAX)
    }
}

fn read_v2(dir: &Path, stats: &mut Stats) {
    let text = |file: &str| files::read(&dir.join(file)).unwrap_or_default();
    let cpu = text("cpu.stat");
    let micros = |key| files::field(&cpu, key).unwrap_or(0).saturating_mul(1000);
    stats.cpu_ns = micros("usage_usec");
    stats.cpu_user_ns = micros("user_usec");
    stats.cpu_system_ns = micros("system_usec");
    stats.throttled_periods = files::field(&cpu, "nr_throttled").unwrap_or(0);
    stats.throttled_ns = micros("throttled_usec");
    stats.memory_usage = files::number(&dir.join("memory.current")).unwrap_or(0);
    let reclaimable = files::field(&text("memory.stat"), "inactive_file").unwrap_or(0);
    stats.memory = stats.memory_usage.saturating_sub(reclaimable);
    stats.memory_limit = files::number(&dir.join("memory.max")).unwrap_or(0);
    stats.oom_kills = files::field(&text("memory.events"), "oom_kill").unwrap_or(0);
    stats.pids = files::number(&dir.join("pids.current")).unwrap_or(0);
    stats.pids_limit = files::number(&dir.join("pids.max")).unwrap_or(0);
    (stats.block_read, stats.block_written) = sum_io_stat(&text("io.stat"));
}

fn read_v1(controller: Controller, dir: &Path, stats: &mut Stats) {
    let text = |file: &str| files::read(&dir.join(file)).unwrap_or_default();
    let number = |file: &str| files::number(&dir.join(file)).unwrap_or(0);
    match controller {
        Controller::Memory => {
            stats.memory_usage = number("memory.usage_in_bytes");
            let reclaimable = files::field(&text("memory.stat"), "total_inactive_file").unwrap_or(0);
            stats.memory = stats.memory_usage.saturating_sub(reclaimable);
            // No limit reads as the largest multiple of a page.
            stats.memory_limit = Some(number("memory.limit_in_bytes")).filter(|n| *n < 1 << 60).unwrap_or(0);
            stats.oom_kills = files::field(&text("memory.oom_control"), "oom_kill").unwrap_or(0);
        }
        Controller::Pids => {
            stats.pids = number("pids.current");
            stats.pids_limit = number("pids.max");
        }
        Controller::Cpuacct => {
            stats.cpu_ns = number("cpuacct.usage");
            stats.cpu_user_ns = number("cpuacct.usage_user");
            stats.cpu_system_ns = number("cpuacct.usage_sys");
        }
        Controller::Cpu => {
            let cpu = text("cpu.stat");
            stats.throttled_periods = files::field(&cpu, "nr_throttled").unwrap_or(0);
            stats.throttled_ns = files::field(&cpu, "throttled_time").unwrap_or(0);
        }
        Controller::Blkio => {
            (stats.block_read, stats.block_written) =
                sum_blkio(&text("blkio.throttle.io_service_bytes_recursive"));
        }
        Controller::Devices | Controller::Cpuset | Controller::Freezer | Controller::Systemd => {}
    }
}

/// Lines like `8:0 rbytes=1 wbytes=2 rios=3 …`: bytes read and written, over all disks.
fn sum_io_stat(text: &str) -> (u64, u64) {
    let sum = |key: &str| {
        text.split_ascii_whitespace().filter_map(|word| word.strip_prefix(key)?.parse::<u64>().ok()).sum()
    };
    (sum("rbytes="), sum("wbytes="))
}

/// Lines like `8:0 Read 1`: bytes read and written, over all disks.
fn sum_blkio(text: &str) -> (u64, u64) {
    let sum = |key: &str| {
        let words = |line: &str| -> Option<u64> {
            let mut words = line.split_ascii_whitespace().skip(1);
            (words.next()? == key).then(|| words.next()?.parse().ok()).flatten()
        };
        text.lines().filter_map(words).sum()
    };
    (sum("Read"), sum("Write"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cgroup::Parent;
    use std::fs;

    #[test]
    fn the_counters_of_v2_are_read() {
        let root = tempfile::tempdir().unwrap();
        let payload = root.path().join("hoist/c1/payload");
        fs::create_dir_all(&payload).unwrap();
        let files = [
            (
                "cpu.stat",
                "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_throttled 3\nthrottled_usec 7\n",
            ),
            ("memory.current", "10000\n"),
            ("memory.stat", "anon 1\ninactive_file 4000\nactive_file 1\n"),
            ("memory.max", "max\n"),
            ("memory.events", "low 0\noom 2\noom_kill 1\n"),
            ("pids.current", "5\n"),
            ("pids.max", "100\n"),
            ("io.stat", "8:0 rbytes=100 wbytes=20 rios=1\n8:16 rbytes=1 wbytes=2\n"),
        ];
        fs::write(root.path().join("cgroup.controllers"), "").unwrap();
        for (file, text) in files {
            fs::write(payload.join(file), text).unwrap();
        }
        let parent = Parent { root: root.path().to_owned(), path: "hoist".into() };
        let want = Stats {
            cpu_ns: 1_500_000,
            cpu_user_ns: 1_000_000,
            cpu_system_ns: 500_000,
            throttled_periods: 3,
            throttled_ns: 7000,
            memory: 6000,
            memory_usage: 10_000,
            memory_limit: 0,
            pids: 5,
            pids_limit: 100,
            block_read: 101,
            block_written: 22,
            oom_kills: 1,
        };
        assert_eq!(Cgroup::open(&parent, "c1").stats(), want);
    }

    #[test]
    fn the_disks_of_v1_are_summed() {
        let text = "8:0 Read 100\n8:0 Write 20\n8:0 Total 120\n8:16 Read 1\nTotal 121\n";
        assert_eq!(sum_blkio(text), (101, 20));
    }
}
