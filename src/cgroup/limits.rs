//! Resource limits of a container.

use super::hierarchy::Controller;
use crate::oci::runtime::{LinuxDeviceType, LinuxResources, LinuxThrottleDevice};

/// Resource limits of a container; `None` leaves a limit as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Memory in bytes; -1 removes the limit.
    pub memory: Option<i64>,
    /// Memory and swap together, in bytes; -1 removes the limit.
    pub memory_and_swap: Option<i64>,
    /// Memory in bytes to leave to the container when memory is short (soft limit).
    pub memory_reservation: Option<i64>,
    /// How readily the kernel swaps, from 0 to 100 (v1 only).
    pub swappiness: Option<u64>,
    /// Whether processes wait instead of being killed when memory is exhausted (v1 only).
    pub is_oom_killer_off: bool,
    /// Relative CPU weight: 2 to 262144, default 1024.
    pub cpu_shares: Option<u64>,
    /// CPU time per period in microseconds; -1 removes the limit.
    pub cpu_quota: Option<i64>,
    /// The period in microseconds.
    pub cpu_period: Option<u64>,
    /// The CPUs that may be used: `0-2,7`.
    pub cpuset_cpus: Option<String>,
    /// The memory nodes that may be used.
    pub cpuset_mems: Option<String>,
    /// Number of processes and threads; 0 or less removes the limit.
    pub pids: Option<i64>,
    /// Relative disk weight: 10 to 1000.
    pub io_weight: Option<u16>,
    /// Limits of single block devices.
    pub(super) throttles: Vec<Throttle>,
    /// Which devices may be opened and created. The last matching rule decides.
    pub devices: Vec<DeviceRule>,
}

/// A limit of what a container may read from or write to a block device in a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Throttle {
    /// What is counted.
    of: Counted,
    /// The major and minor number of the device.
    device: (i64, i64),
    /// Bytes or operations per second; 0 removes the limit.
    rate: u64,
}

/// What a [`Throttle`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    BytesRead,
    BytesWritten,
    Reads,
    Writes,
}

impl Throttle {
    /// The file of v1.
    fn v1_file(&self) -> &'static str {
        match self.of {
            Counted::BytesRead => "blkio.throttle.read_bps_device",
            Counted::BytesWritten => "blkio.throttle.write_bps_device",
            Counted::Reads => "blkio.throttle.read_iops_device",
            Counted::Writes => "blkio.throttle.write_iops_device",
        }
    }

    /// The key in the v2 file `io.max`.
    fn v2_key(&self) -> &'static str {
        match self.of {
            Counted::BytesRead => "rbps",
            Counted::BytesWritten => "wbps",
            Counted::Reads => "riops",
            Counted::Writes => "wiops",
        }
    }
}

/// A device rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRule {
    /// Whether it allows or denies.
    pub allow: bool,
    /// `a`, `b` or `c`.
    pub kind: char,
    /// `None` for all major numbers.
    pub major: Option<u32>,
    /// `None` for all minor numbers.
    pub minor: Option<u32>,
    /// Any of `r`, `w`, `m`.
    pub access: String,
}

impl Limits {
    /// Reads the resources of a runtime specification. Callers write 0 for what they leave unset.
    #[must_use]
    pub fn from_spec(resources: &LinuxResources) -> Self {
        let memory = resources.memory().as_ref();
        let cpu = resources.cpu().as_ref();
        let limit = memory.and_then(|m| set(m.limit()));
        Self {
            memory: limit,
            // Without a limit of memory there is none of memory and swap.
            memory_and_swap: memory.and_then(|m| set(m.swap())).or(limit.filter(|limit| *limit == -1)),
            memory_reservation: memory.and_then(|m| set(m.reservation())),
            swappiness: memory.and_then(|m| m.swappiness()),
            is_oom_killer_off: memory.and_then(|m| m.disable_oom_killer()) == Some(true),
            cpu_shares: cpu.and_then(|c| set(c.shares())),
            cpu_quota: cpu.and_then(|c| set(c.quota())),
            cpu_period: cpu.and_then(|c| set(c.period())),
            cpuset_cpus: cpu.and_then(|c| c.cpus().clone()).filter(|cpus| !cpus.is_empty()),
            cpuset_mems: cpu.and_then(|c| c.mems().clone()).filter(|mems| !mems.is_empty()),
            pids: resources.pids().as_ref().and_then(|pids| set(Some(pids.limit()))),
            io_weight: resources.block_io().as_ref().and_then(|io| set(io.weight())),
            throttles: throttles(resources),
            devices: device_rules(resources),
        }
    }
}

/// Returns a number unless it is 0.
fn set<N: Default + PartialEq>(number: Option<N>) -> Option<N> {
    number.filter(|number| *number != N::default())
}

fn throttles(resources: &LinuxResources) -> Vec<Throttle> {
    let Some(io) = resources.block_io() else { return Vec::new() };
    let lists = [
        (Counted::BytesRead, io.throttle_read_bps_device()),
        (Counted::BytesWritten, io.throttle_write_bps_device()),
        (Counted::Reads, io.throttle_read_iops_device()),
        (Counted::Writes, io.throttle_write_iops_device()),
    ];
    let throttle = |of, device: &LinuxThrottleDevice| Throttle {
        of,
        device: (device.major(), device.minor()),
        rate: device.rate(),
    };
    lists
        .into_iter()
        .flat_map(|(of, list)| list.iter().flatten().map(move |device| throttle(of, device)))
        .collect()
}

/// Returns the rules of a specification, followed by what every container is allowed: to create
/// nodes, and to use the default devices.
fn device_rules(resources: &LinuxResources) -> Vec<DeviceRule> {
    let mut rules: Vec<DeviceRule> =
        resources.devices().iter().flatten().map(DeviceRule::from_spec).collect();
    if !rules.is_empty() {
        let allow = |kind, major, minor, access: &str| DeviceRule {
            allow: true,
            kind,
            major,
            minor,
            access: access.to_owned(),
        };
        rules.extend(['c', 'b'].map(|kind| allow(kind, None, None, "m")));
        rules.extend(DEFAULT_DEVICES.iter().map(|&(major, minor)| allow('c', Some(major), minor, "rwm")));
    }
    rules
}

/// null, zero, full, random, urandom, tty, ptmx, and all pseudo-terminals. 5:1 must not be here: it
/// is the host's console, while a container's `/dev/console` is its own terminal.
const DEFAULT_DEVICES: &[(u32, Option<u32>)] = &[
    (1, Some(3)),
    (1, Some(5)),
    (1, Some(7)),
    (1, Some(8)),
    (1, Some(9)),
    (5, Some(0)),
    (5, Some(2)),
    (136, None),
];

impl DeviceRule {
    fn from_spec(rule: &crate::oci::runtime::LinuxDeviceCgroup) -> Self {
        let number = |value: Option<i64>| value.and_then(|n| u32::try_from(n).ok());
        Self {
            allow: rule.allow(),
            kind: match rule.typ() {
                Some(LinuxDeviceType::B) => 'b',
                Some(LinuxDeviceType::C | LinuxDeviceType::U) => 'c',
                _ => 'a',
            },
            major: number(rule.major()),
            minor: number(rule.minor()),
            access: rule.access().clone().unwrap_or_else(|| "rwm".to_owned()),
        }
    }
}

/// A value to write: the resource, the file, and the value.
pub(super) type Setting = (&'static str, &'static str, String);

impl Limits {
    /// Returns the v1 files to write, with their controllers, in this order.
    pub(super) fn v1(&self) -> Vec<(Controller, Setting)> {
        use Controller::{Blkio, Cpu, Cpuset, Memory, Pids};
        let mut settings = Vec::new();
        let mut set = |controller, limit, file, value: Option<String>| {
            settings.extend(value.map(|value| (controller, (limit, file, value))));
        };
        // The limit including swap can never be lower than the one without.
        set(Memory, "memory", "memory.limit_in_bytes", text(self.memory));
        set(Memory, "swap", "memory.memsw.limit_in_bytes", text(self.memory_and_swap));
        set(Memory, "memory", "memory.soft_limit_in_bytes", text(self.memory_reservation));
        set(Memory, "swap", "memory.swappiness", text(self.swappiness));
        set(Memory, "memory", "memory.oom_control", self.is_oom_killer_off.then(|| "1".to_owned()));
        set(Cpu, "CPU time", "cpu.shares", text(self.cpu_shares));
        set(Cpu, "CPU time", "cpu.cfs_period_us", text(self.cpu_period));
        set(Cpu, "CPU time", "cpu.cfs_quota_us", text(self.cpu_quota));
        set(Cpuset, "processors", "cpuset.cpus", self.cpuset_cpus.clone());
        set(Cpuset, "processors", "cpuset.mems", self.cpuset_mems.clone());
        set(Pids, "processes", "pids.max", self.pids.map(pids_max));
        set(Blkio, "disks", "blkio.bfq.weight", text(self.io_weight));
        for throttle in &self.throttles {
            let ((major, minor), rate) = (throttle.device, throttle.rate);
            set(Blkio, "disks", throttle.v1_file(), Some(format!("{major}:{minor} {rate}")));
        }
        settings
    }

    /// Returns the v2 files to write, in this order. A file's prefix is its controller.
    pub(super) fn v2(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        let mut set = |limit, file, value: Option<String>| {
            settings.extend(value.map(|value| (limit, file, value)));
        };
        set("memory", "memory.max", self.memory.map(or_max));
        set(
            "swap",
            "memory.swap.max",
            self.memory_and_swap.map(|both| match self.memory {
                Some(memory) if both >= 0 && memory >= 0 => or_max((both - memory).max(0)),
                _ => or_max(both),
            }),
        );
        set("memory", "memory.low", self.memory_reservation.map(or_max));
        set("CPU time", "cpu.weight", self.cpu_shares.map(|shares| cpu_weight(shares).to_string()));
        if self.cpu_quota.is_some() || self.cpu_period.is_some() {
            let quota = or_max(self.cpu_quota.unwrap_or(-1));
            set("CPU time", "cpu.max", Some(format!("{quota} {}", self.cpu_period.unwrap_or(100_000))));
        }
        set("processors", "cpuset.cpus", self.cpuset_cpus.clone());
        set("processors", "cpuset.mems", self.cpuset_mems.clone());
        set("processes", "pids.max", self.pids.map(pids_max));
        set("disks", "io.weight", self.io_weight.map(|weight| format!("default {}", io_weight(weight))));
        for throttle in &self.throttles {
            let (major, minor) = throttle.device;
            let rate = if throttle.rate == 0 { "max".to_owned() } else { throttle.rate.to_string() };
            set("disks", "io.max", Some(format!("{major}:{minor} {}={rate}", throttle.v2_key())));
        }
        settings
    }
}

fn text(number: Option<impl ToString>) -> Option<String> {
    number.map(|number| number.to_string())
}

fn or_max(number: i64) -> String {
    if number < 0 { "max".to_owned() } else { number.to_string() }
}

fn pids_max(limit: i64) -> String {
    if limit <= 0 { "max".to_owned() } else { limit.to_string() }
}

/// Maps 2…262144 to 1…10000, as all runtimes do.
fn cpu_weight(shares: u64) -> u64 {
    1 + (shares.clamp(2, 262_144) - 2) * 9999 / 262_142
}

/// Maps 10…1000 to 1…10000.
fn io_weight(weight: u16) -> u64 {
    1 + (u64::from(weight.clamp(10, 1000)) - 10) * 9999 / 990
}

impl DeviceRule {
    /// Whether the rule is about all access to all devices.
    #[must_use]
    pub fn is_for_all(&self) -> bool {
        self.kind == 'a' && self.major.is_none() && self.minor.is_none()
    }
}

impl std::fmt::Display for DeviceRule {
    /// Formats the rule as v1's `devices.allow` and `devices.deny` expect.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = |n: Option<u32>| n.map_or_else(|| "*".to_owned(), |n| n.to_string());
        if self.is_for_all() {
            return f.write_str("a");
        }
        write!(f, "{} {}:{} {}", self.kind, number(self.major), number(self.minor), self.access)
    }
}

/// Whether these rules restrict anything.
pub(super) fn restrict(rules: &[DeviceRule]) -> bool {
    // Devices are allowed unless a rule denies them, and a rule for all devices overrides those
    // before it.
    let after_last_all = rules.iter().rposition(DeviceRule::is_for_all).map_or(rules, |last| &rules[last..]);
    after_last_all.iter().any(|rule| !rule.allow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_become_the_files_of_both_versions() {
        let limits = Limits {
            memory: Some(64 << 20),
            memory_and_swap: Some(96 << 20),
            cpu_shares: Some(1024),
            cpu_quota: Some(50_000),
            cpuset_cpus: Some("0-1".to_owned()),
            pids: Some(0),
            io_weight: Some(1000),
            ..Limits::default()
        };
        let v1: Vec<String> =
            limits.v1().into_iter().map(|(_, (_, file, value))| format!("{file}={value}")).collect();
        assert_eq!(
            v1,
            [
                "memory.limit_in_bytes=67108864",
                "memory.memsw.limit_in_bytes=100663296",
                "cpu.shares=1024",
                "cpu.cfs_quota_us=50000",
                "cpuset.cpus=0-1",
                "pids.max=max",
                "blkio.bfq.weight=1000"
            ]
        );
        let v2: Vec<String> =
            limits.v2().into_iter().map(|(_, file, value)| format!("{file}={value}")).collect();
        assert_eq!(
            v2,
            [
                "memory.max=67108864",
                "memory.swap.max=33554432",
                "cpu.weight=39",
                "cpu.max=50000 100000",
                "cpuset.cpus=0-1",
                "pids.max=max",
                "io.weight=default 10000"
            ]
        );
        assert_eq!(Limits::default().v2(), []);
    }

    #[test]
    fn a_zero_in_the_specification_is_unset() {
        let of = |text: &str| Limits::from_spec(&serde_json::from_str(text).unwrap());
        let zeros = r#"{"memory":{"limit":0,"swap":0,"reservation":0},"pids":{"limit":0},
            "cpu":{"shares":0,"quota":0,"period":0,"cpus":"","mems":""},"blockIO":{"weight":0}}"#;
        assert_eq!(of(zeros), Limits::default());
        let unlimited = of(r#"{"memory":{"limit":-1}}"#);
        assert_eq!((unlimited.memory, unlimited.memory_and_swap), (Some(-1), Some(-1)));
    }

    #[test]
    fn devices_are_limited_one_by_one() {
        let text = r#"{"blockIO":{"throttleReadBpsDevice":[{"major":8,"minor":1,"rate":1024}],
            "throttleWriteIOPSDevice":[{"major":8,"minor":0,"rate":0}]}}"#;
        let limits = Limits::from_spec(&serde_json::from_str(text).unwrap());
        let v1: Vec<_> = limits.v1().into_iter().map(|(_, (_, file, value))| (file, value)).collect();
        let wanted = [
            ("blkio.throttle.read_bps_device", "8:1 1024".to_owned()),
            ("blkio.throttle.write_iops_device", "8:0 0".to_owned()),
        ];
        assert_eq!(v1, wanted);
        let v2: Vec<_> = limits.v2().into_iter().map(|(_, file, value)| (file, value)).collect();
        assert_eq!(v2, [("io.max", "8:1 rbps=1024".to_owned()), ("io.max", "8:0 wiops=max".to_owned())]);
    }

    #[test]
    fn rules_restrict_when_the_last_word_on_something_is_no() {
        let rule =
            |allow, kind, major| DeviceRule { allow, kind, major, minor: None, access: "rwm".to_owned() };
        assert!(!restrict(&[]));
        assert!(!restrict(&[rule(true, 'a', None)]));
        assert!(!restrict(&[rule(false, 'a', None), rule(true, 'a', None)]));
        assert!(restrict(&[rule(false, 'a', None), rule(true, 'c', Some(1))]));
        assert!(restrict(&[rule(true, 'a', None), rule(false, 'c', Some(10))]));
        assert_eq!(rule(true, 'c', Some(1)).to_string(), "c 1:* rwm");
        assert_eq!(rule(false, 'a', None).to_string(), "a");
    }
}
