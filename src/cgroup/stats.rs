//! Resource usage counters of a cgroup.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::hierarchy::Controller;
use super::{Cgroup, MONITORS, Parent, files};

/// Resource usage of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stats {
    /// CPU time used, in nanoseconds.
    pub cpu_ns: u64,
    /// CPU time in user mode, in nanoseconds.
    pub cpu_user_ns: u64,
    /// CPU time in the kernel, in nanoseconds.
    pub cpu_system_ns: u64,
    /// Number of periods of the CPU quota.
    pub periods: u64,
    /// Number of periods in which the container was throttled.
    pub throttled_periods: u64,
    /// Time the container was throttled, in nanoseconds.
    pub throttled_ns: u64,
    /// CPU time allowed per period in microseconds, 0 for no limit.
    pub cpu_quota: u64,
    /// The period in microseconds.
    pub cpu_period: u64,
    /// Relative CPU weight: default 1024 on v1, 100 on v2.
    pub cpu_weight: u64,
    /// Memory in use in bytes, without inactive page cache, as Docker counts it.
    pub memory: u64,
    /// Memory in use in bytes as the kernel counts it, including page cache.
    pub memory_usage: u64,
    /// Anonymous memory in bytes.
    pub memory_anon: u64,
    /// Page cache in bytes.
    pub memory_cache: u64,
    /// Swap in use in bytes.
    pub swap: u64,
    /// The memory limit in bytes, 0 for no limit.
    pub memory_limit: u64,
    /// Number of processes and threads.
    pub pids: u64,
    /// The limit on processes and threads, 0 for no limit.
    pub pids_limit: u64,
    /// Bytes read from block devices.
    pub block_read: u64,
    /// Bytes written to block devices.
    pub block_written: u64,
    /// Bytes read and written for each device that was used, by `major:minor`.
    pub devices: BTreeMap<String, (u64, u64)>,
    /// Number of processes killed when out of memory.
    pub oom_kills: u64,
    /// Pressure on CPU, memory and disks; `None` if the kernel does not report it for this group.
    pub pressure: [Option<Pressure>; 3],
}

/// The resources with pressure information, in the order of [`Stats::pressure`].
pub const RESOURCES: [&str; 3] = ["cpu", "memory", "io"];

/// The share of time in which tasks waited for a resource (`man 7 cgroups`, PSI).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pressure {
    /// At least one task waited.
    pub some: Stall,
    /// All tasks waited, so no work was done.
    pub full: Stall,
}

/// The share of time lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stall {
    /// Averages over 10 s, 60 s and 300 s, in hundredths of a percent.
    pub averages: [u32; 3],
    /// Total in microseconds since the group was created.
    pub total_us: u64,
}

impl Stats {
    fn take_devices(&mut self, devices: BTreeMap<String, (u64, u64)>) {
        let sum = |of: fn(&(u64, u64)) -> u64| devices.values().map(of).fold(0, u64::saturating_add);
        (self.block_read, self.block_written) = (sum(|bytes| bytes.0), sum(|bytes| bytes.1));
        self.devices = devices;
        self.devices.retain(|_, (read, written)| *read > 0 || *written > 0);
    }
}

impl Cgroup {
    /// Returns the current counters and limits. What this machine does not count is zero.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.counters();
        if let Some(group) = &self.unified {
            read_limits_v2(group, &mut stats);
            // On a hybrid machine only the v2 tree has it.
            stats.pressure = RESOURCES.map(|name| {
                files::read(&group.join(format!("{name}.pressure"))).ok().as_deref().and_then(pressure)
            });
        }
        for (controller, dir) in &self.v1 {
            read_limits_v1(*controller, dir, &mut stats);
        }
        stats
    }

    /// Like [`Self::stats`], but without limits, OOM kills and pressure. This reads a third of
    /// the files.
    #[must_use]
    pub fn counters(&self) -> Stats {
        let mut stats = Stats::default();
        if let Some(group) = &self.unified {
            read_v2(group, &mut stats);
        }
        for (controller, dir) in &self.v1 {
            read_v1(*controller, dir, &mut stats);
        }
        if stats.pids == 0 {
            stats.pids = self.threads();
        }
        stats
    }

    /// Counts threads if no controller does.
    fn threads(&self) -> u64 {
        let count = |dir: &Path, file| files::pids_below(dir, file).map_or(0, |pids| pids.len());
        let threads = match (&self.unified, self.v1.first()) {
            (Some(group), _) => count(group, "cgroup.threads"),
            (None, Some((_, dir))) => count(dir, "tasks"),
            (None, None) => 0,
        };
        u64::try_from(threads).unwrap_or(u64::MAX)
    }
}

impl Parent {
    /// Returns the CPU time in nanoseconds and the memory in bytes that all groups below it use,
    /// without the monitors. The CPU time includes groups that are gone. `None` if there are none.
    #[must_use]
    pub fn total(&self) -> Option<(u64, u64)> {
        let above = Self { root: self.root.clone(), path: PathBuf::new() };
        let all = Cgroup::open(&above, self.path.to_str()?);
        let of = |group: &Cgroup| {
            let counters = group.counters();
            (counters.cpu_ns, counters.memory)
        };
        all.exists().then(|| {
            let (all, monitors) = (of(&all), of(&Cgroup::open(self, MONITORS)));
            (all.0.saturating_sub(monitors.0), all.1.saturating_sub(monitors.1))
        })
    }
}

fn read_v2(dir: &Path, stats: &mut Stats) {
    let text = |file: &str| files::read(&dir.join(file)).unwrap_or_default();
    let cpu = text("cpu.stat");
    let micros = |key| files::field(&cpu, key).unwrap_or(0).saturating_mul(1000);
    stats.cpu_ns = micros("usage_usec");
    stats.cpu_user_ns = micros("user_usec");
    stats.cpu_system_ns = micros("system_usec");
    stats.periods = files::field(&cpu, "nr_periods").unwrap_or(0);
    stats.throttled_periods = files::field(&cpu, "nr_throttled").unwrap_or(0);
    stats.throttled_ns = micros("throttled_usec");
    stats.memory_usage = files::number(&dir.join("memory.current")).unwrap_or(0);
    let memory = text("memory.stat");
    let part = |key| files::field(&memory, key).unwrap_or(0);
    stats.memory = stats.memory_usage.saturating_sub(part("inactive_file"));
    (stats.memory_anon, stats.memory_cache) = (part("anon"), part("file"));
    stats.pids = files::number(&dir.join("pids.current")).unwrap_or(0);
    stats.take_devices(devices_of_v2(&text("io.stat")));
}

fn read_limits_v2(dir: &Path, stats: &mut Stats) {
    let text = |file: &str| files::read(&dir.join(file)).unwrap_or_default();
    let number = |file: &str| files::number(&dir.join(file)).unwrap_or(0);
    (stats.cpu_quota, stats.cpu_period) = quota(&text("cpu.max"));
    stats.cpu_weight = number("cpu.weight");
    stats.swap = number("memory.swap.current");
    stats.memory_limit = number("memory.max");
    stats.oom_kills = files::field(&text("memory.events"), "oom_kill").unwrap_or(0);
    stats.pids_limit = number("pids.max");
}

fn read_v1(controller: Controller, dir: &Path, stats: &mut Stats) {
    let text = |file: &str| files::read(&dir.join(file)).unwrap_or_default();
    let number = |file: &str| files::number(&dir.join(file)).unwrap_or(0);
    match controller {
        Controller::Memory => {
            stats.memory_usage = number("memory.usage_in_bytes");
            let memory = text("memory.stat");
            let part = |key| files::field(&memory, key).unwrap_or(0);
            stats.memory = stats.memory_usage.saturating_sub(part("total_inactive_file"));
            (stats.memory_anon, stats.memory_cache) = (part("total_rss"), part("total_cache"));
            stats.swap = part("total_swap");
        }
        Controller::Pids => stats.pids = number("pids.current"),
        Controller::Cpuacct => {
            stats.cpu_ns = number("cpuacct.usage");
            stats.cpu_user_ns = number("cpuacct.usage_user");
            stats.cpu_system_ns = number("cpuacct.usage_sys");
        }
        Controller::Cpu => {
            let cpu = text("cpu.stat");
            stats.periods = files::field(&cpu, "nr_periods").unwrap_or(0);
            stats.throttled_periods = files::field(&cpu, "nr_throttled").unwrap_or(0);
            stats.throttled_ns = files::field(&cpu, "throttled_time").unwrap_or(0);
        }
        Controller::Blkio => {
            stats.take_devices(devices_of_v1(&text("blkio.throttle.io_service_bytes_recursive")));
        }
        Controller::Devices
        | Controller::Cpuset
        | Controller::Freezer
        | Controller::NetCls
        | Controller::NetPrio
        | Controller::PerfEvent
        | Controller::Hugetlb
        | Controller::Rdma
        | Controller::Misc
        | Controller::Systemd => {}
    }
}

fn read_limits_v1(controller: Controller, dir: &Path, stats: &mut Stats) {
    let number = |file: &str| files::number(&dir.join(file)).unwrap_or(0);
    match controller {
        Controller::Memory => {
            // Without a limit the value is the largest multiple of the page size.
            stats.memory_limit = Some(number("memory.limit_in_bytes")).filter(|n| *n < 1 << 60).unwrap_or(0);
            let control = files::read(&dir.join("memory.oom_control")).unwrap_or_default();
            stats.oom_kills = files::field(&control, "oom_kill").unwrap_or(0);
        }
        Controller::Pids => stats.pids_limit = number("pids.max"),
        Controller::Cpu => {
            // -1 means no limit, and fails to parse as a number here.
            (stats.cpu_quota, stats.cpu_period) = (number("cpu.cfs_quota_us"), number("cpu.cfs_period_us"));
            stats.cpu_weight = number("cpu.shares");
        }
        _ => {}
    }
}

/// Parses `50000 100000` or `max 100000`: the quota (0 for none) and the period.
fn quota(text: &str) -> (u64, u64) {
    let mut words = text.split_ascii_whitespace().map(|word| word.parse().unwrap_or(0));
    (words.next().unwrap_or(0), words.next().unwrap_or(0))
}

/// Parses lines like `8:0 rbytes=1 wbytes=2 rios=3 …` into bytes read and written.
fn devices_of_v2(text: &str) -> BTreeMap<String, (u64, u64)> {
    let device = |line: &str| {
        let (name, rest) = line.split_once(' ')?;
        let value = |key: &str| {
            rest.split_ascii_whitespace().find_map(|word| word.strip_prefix(key)?.parse().ok()).unwrap_or(0)
        };
        Some((name.to_owned(), (value("rbytes="), value("wbytes="))))
    };
    text.lines().filter_map(device).collect()
}

/// Parses lines like `8:0 Read 1` into bytes read and written.
fn devices_of_v1(text: &str) -> BTreeMap<String, (u64, u64)> {
    let mut devices: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let &[name, kind, number] = words.as_slice() else { continue };
        let Ok(bytes) = number.parse() else { continue };
        match kind {
            "Read" => devices.entry(name.to_owned()).or_default().0 = bytes,
            "Write" => devices.entry(name.to_owned()).or_default().1 = bytes,
            _ => {}
        }
    }
    devices
}

/// Parses two lines like `some avg10=1.53 avg60=0.87 avg300=0.20 total=134829384`. Before Linux
/// 5.13 the second is missing for CPUs.
fn pressure(text: &str) -> Option<Pressure> {
    let stall = |kind: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(kind)?.strip_prefix(' '))?;
        let value = |key: &str| line.split_ascii_whitespace().find_map(|word| word.strip_prefix(key));
        let hundredths = |key: &str| {
            let (whole, part) = value(key)?.split_once('.')?;
            Some(whole.parse::<u32>().ok()?.saturating_mul(100).saturating_add(part.parse().ok()?))
        };
        Some(Stall {
            averages: [hundredths("avg10=")?, hundredths("avg60=")?, hundredths("avg300=")?],
            total_us: value("total=")?.parse().ok()?,
        })
    };
    Some(Pressure { some: stall("some")?, full: stall("full").unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_total_of_all_containers_does_not_include_the_monitors() {
        let root = tempfile::tempdir().unwrap();
        let parent = Parent { root: root.path().to_owned(), path: "hoist-1".into() };
        fs::write(root.path().join("cgroup.controllers"), "").unwrap();
        assert_eq!(parent.total(), None);
        for (group, cpu, memory) in [("hoist-1", 900, 5000), ("hoist-1/monitors", 200, 1000)] {
            let group = root.path().join(group);
            fs::create_dir_all(&group).unwrap();
            fs::write(group.join("cpu.stat"), format!("usage_usec {cpu}\n")).unwrap();
            fs::write(group.join("memory.current"), format!("{memory}\n")).unwrap();
        }
        assert_eq!(parent.total(), Some((700_000, 4000)));
    }

    #[test]
    fn the_counters_of_v2_are_read() {
        let root = tempfile::tempdir().unwrap();
        let group = root.path().join("hoist/c1");
        fs::create_dir_all(&group).unwrap();
        let files = [
            (
                "cpu.stat",
                "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 9\nnr_throttled 3\nthrottled_usec 7\n",
            ),
            ("cpu.max", "50000 100000\n"),
            ("cpu.weight", "100\n"),
            ("cpu.pressure", "some avg10=1.53 avg60=0.87 avg300=0.20 total=134\n"),
            (
                "io.pressure",
                "some avg10=100.00 avg60=2.00 avg300=0.00 total=9\nfull avg10=0.05 avg60=0.00 avg300=0.00 total=8\n",
            ),
            ("memory.current", "10000\n"),
            ("memory.swap.current", "12\n"),
            ("memory.stat", "anon 1\nfile 4001\ninactive_file 4000\nactive_file 1\n"),
            ("memory.max", "max\n"),
            ("memory.events", "low 0\noom 2\noom_kill 1\n"),
            ("pids.current", "5\n"),
            ("pids.max", "100\n"),
            ("io.stat", "8:0 rbytes=100 wbytes=20 rios=1\n8:16 rbytes=1 wbytes=2\n"),
        ];
        fs::write(root.path().join("cgroup.controllers"), "").unwrap();
        for (file, text) in files {
            fs::write(group.join(file), text).unwrap();
        }
        let parent = Parent { root: root.path().to_owned(), path: "hoist".into() };
        let want = Stats {
            cpu_ns: 1_500_000,
            cpu_user_ns: 1_000_000,
            cpu_system_ns: 500_000,
            periods: 9,
            throttled_periods: 3,
            throttled_ns: 7000,
            cpu_quota: 50_000,
            cpu_period: 100_000,
            cpu_weight: 100,
            memory: 6000,
            memory_usage: 10_000,
            memory_anon: 1,
            memory_cache: 4001,
            swap: 12,
            memory_limit: 0,
            pids: 5,
            pids_limit: 100,
            block_read: 101,
            block_written: 22,
            devices: BTreeMap::from([("8:0".to_owned(), (100, 20)), ("8:16".to_owned(), (1, 2))]),
            oom_kills: 1,
            pressure: [
                Some(Pressure {
                    some: Stall { averages: [153, 87, 20], total_us: 134 },
                    full: Stall::default(),
                }),
                None,
                Some(Pressure {
                    some: Stall { averages: [10_000, 200, 0], total_us: 9 },
                    full: Stall { averages: [5, 0, 0], total_us: 8 },
                }),
            ],
        };
        assert_eq!(Cgroup::open(&parent, "c1").stats(), want);
    }

    #[test]
    fn the_disks_of_v1_are_summed_and_told_apart() {
        let text = "8:0 Read 100\n8:0 Write 20\n8:0 Total 120\n8:16 Read 1\n7:0 Read 0\nTotal 121\n";
        let mut stats = Stats::default();
        stats.take_devices(devices_of_v1(text));
        assert_eq!((stats.block_read, stats.block_written), (101, 20));
        let devices: Vec<_> = stats.devices.keys().map(String::as_str).collect();
        assert_eq!(devices, ["8:0", "8:16"]);
    }

    #[test]
    fn a_pressure_that_is_not_as_expected_is_none() {
        for text in ["", "some\n", "some avg10=x avg60=0.87 avg300=0.20 total=1\n", "full avg10=1.00\n"] {
            assert_eq!(pressure(text), None, "{text:?}");
        }
    }

    #[test]
    fn no_quota_is_zero() {
        for (text, both) in
            [("max 100000\n", (0, 100_000)), ("50000 100000\n", (50_000, 100_000)), ("", (0, 0))]
        {
            assert_eq!(quota(text), both, "{text:?}");
        }
    }
}
