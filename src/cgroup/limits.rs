//! Resource limits of a container.

use super::{Error, Result};
use crate::oci::runtime::{
    LinuxDeviceType, LinuxMemory, LinuxResources, LinuxThrottleDevice, LinuxWeightDevice,
};

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
    /// CPU time in microseconds that may be saved up for a burst.
    pub(super) cpu_burst: Option<u64>,
    /// Whether it only gets CPU time that nobody else wants: 1, or 0.
    pub(super) cpu_idle: Option<i64>,
    /// Realtime CPU time per period, in microseconds (v1 only).
    pub(super) realtime_runtime: Option<i64>,
    /// The period of realtime CPU time, in microseconds (v1 only).
    pub(super) realtime_period: Option<u64>,
    /// The CPUs that may be used: `0-2,7`.
    pub cpuset_cpus: Option<String>,
    /// The memory nodes that may be used.
    pub cpuset_mems: Option<String>,
    /// Number of processes and threads; 0 or less removes the limit.
    pub pids: Option<i64>,
    /// Relative disk weight: 10 to 1000.
    pub io_weight: Option<u16>,
    /// Relative disk weight against the groups below it: 10 to 1000 (v1 only).
    pub(super) io_leaf_weight: Option<u16>,
    /// Weights on single block devices.
    pub(super) io_weights: Vec<DeviceWeight>,
    /// Limits of single block devices.
    pub(super) throttles: Vec<Throttle>,
    /// Bytes of huge pages, by the size of a page: `2MB`.
    pub(super) hugepages: Vec<(String, i64)>,
    /// Handles and objects of RDMA devices, by name.
    pub(super) rdma: Vec<(String, Option<u32>, Option<u32>)>,
    /// The class of its packets (v1 only).
    pub(super) network_class: Option<u32>,
    /// The priority of its packets, by network interface (v1 only).
    pub(super) network_priorities: Vec<(String, u32)>,
    /// Further v2 files and their contents, sorted by name.
    pub(super) unified: Vec<(String, String)>,
    /// Whether memory in use above a new limit refuses that limit, instead of being reclaimed.
    pub(super) checks_memory: bool,
    /// Whether memory is to be counted without the groups below, which kernels no longer can.
    pub(super) is_flat: bool,
    /// Which devices may be opened and created. The last matching rule decides.
    pub devices: Vec<DeviceRule>,
}

/// A limit of what a container may read from or write to a block device in a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Throttle {
    /// What is counted.
    pub(super) of: Counted,
    /// The major and minor number of the device.
    pub(super) device: (i64, i64),
    /// Bytes or operations per second; 0 removes the limit.
    pub(super) rate: u64,
}

/// A relative weight on a block device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DeviceWeight {
    /// The major and minor number of the device.
    pub(super) device: (i64, i64),
    /// 10 to 1000.
    pub(super) weight: Option<u16>,
    /// The weight against the groups below it: 10 to 1000 (v1 only).
    pub(super) leaf: Option<u16>,
}

/// What a [`Throttle`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    BytesRead,
    BytesWritten,
    Reads,
    Writes,
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
            // Callers write -1 for what they leave unset.
            swappiness: memory.and_then(|m| m.swappiness()).filter(|value| *value != u64::MAX),
            is_oom_killer_off: memory.and_then(|m| m.disable_oom_killer()) == Some(true),
            cpu_shares: cpu.and_then(|c| set(c.shares())),
            cpu_quota: cpu.and_then(|c| set(c.quota())),
            cpu_period: cpu.and_then(|c| set(c.period())),
            cpu_burst: cpu.and_then(|c| c.burst()),
            cpu_idle: cpu.and_then(|c| c.idle()),
            realtime_runtime: cpu.and_then(|c| set(c.realtime_runtime())),
            realtime_period: cpu.and_then(|c| set(c.realtime_period())),
            cpuset_cpus: cpu.and_then(|c| c.cpus().clone()).filter(|cpus| !cpus.is_empty()),
            cpuset_mems: cpu.and_then(|c| c.mems().clone()).filter(|mems| !mems.is_empty()),
            pids: resources.pids().as_ref().and_then(|pids| set(Some(pids.limit()))),
            io_weight: resources.block_io().as_ref().and_then(|io| set(io.weight())),
            io_leaf_weight: resources.block_io().as_ref().and_then(|io| set(io.leaf_weight())),
            io_weights: device_weights(resources),
            throttles: throttles(resources),
            hugepages: hugepages(resources),
            rdma: rdma(resources),
            network_class: resources.network().as_ref().and_then(|net| set(net.class_id())),
            network_priorities: network_priorities(resources),
            unified: unified(resources),
            checks_memory: memory.and_then(LinuxMemory::check_before_update) == Some(true),
            is_flat: memory.and_then(LinuxMemory::use_hierarchy) == Some(false),
            devices: device_rules(resources),
        }
    }

    /// Checks the names that become part of a path or of a line.
    pub(super) fn check(&self) -> Result<()> {
        for (size, _) in &self.hugepages {
            let digits = size.trim_start_matches(|c: char| c.is_ascii_digit());
            if digits.len() == size.len() || !["KB", "MB", "GB"].contains(&digits) {
                return Err(Error::name("hugepageLimits", size, "is not a page size such as `2MB`"));
            }
        }
        for name in self.unified.iter().map(|(file, _)| file) {
            if name.is_empty() || name.contains(['/', '\0']) || [".", ".."].contains(&name.as_str()) {
                return Err(Error::name("unified", name, "is not the name of a file"));
            }
        }
        let is_word = |name: &str| !name.is_empty() && !name.contains(|c: char| c.is_whitespace());
        if let Some((name, ..)) = self.rdma.iter().find(|(name, ..)| !is_word(name)) {
            return Err(Error::name("rdma", name, "is not the name of a device"));
        }
        match self.network_priorities.iter().find(|(name, _)| !is_word(name)) {
            Some((name, _)) => {
                Err(Error::name("network.priorities", name, "is not the name of an interface"))
            }
            None => Ok(()),
        }
    }
}

/// Returns a number unless it is 0.
fn set<N: Default + PartialEq>(number: Option<N>) -> Option<N> {
    number.filter(|number| *number != N::default())
}

fn device_weights(resources: &LinuxResources) -> Vec<DeviceWeight> {
    let devices = resources.block_io().iter().flat_map(|io| io.weight_device().iter().flatten());
    let weight = |device: &LinuxWeightDevice| DeviceWeight {
        device: (device.major(), device.minor()),
        weight: set(device.weight()),
        leaf: set(device.leaf_weight()),
    };
    devices.map(weight).collect()
}

fn hugepages(resources: &LinuxResources) -> Vec<(String, i64)> {
    let limits = resources.hugepage_limits().iter().flatten();
    limits.map(|limit| (limit.page_size().clone(), limit.limit())).collect()
}

fn rdma(resources: &LinuxResources) -> Vec<(String, Option<u32>, Option<u32>)> {
    let devices = resources.rdma().iter().flatten();
    let mut list: Vec<_> =
        devices.map(|(name, most)| (name.clone(), most.hca_handles(), most.hca_objects())).collect();
    list.sort();
    list
}

fn network_priorities(resources: &LinuxResources) -> Vec<(String, u32)> {
    let interfaces = resources.network().iter().flat_map(|net| net.priorities().iter().flatten());
    interfaces.map(|interface| (interface.name().clone(), interface.priority())).collect()
}

fn unified(resources: &LinuxResources) -> Vec<(String, String)> {
    let mut files: Vec<_> =
        resources.unified().iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect();
    files.sort();
    files
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

/// Whether the rules deny everything and then do not allow everything, so that v1 allows all that
/// they do. There a denial that is none of the rules before changes nothing.
pub(super) fn are_a_list(rules: &[DeviceRule]) -> bool {
    rules.split_first().is_some_and(|(first, others)| {
        first.is_for_all() && !first.allow && !others.iter().any(|rule| rule.allow && rule.is_for_all())
    })
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
    fn a_zero_in_the_specification_is_unset() {
        let of = |text: &str| Limits::from_spec(&serde_json::from_str(text).unwrap());
        let zeros = r#"{"memory":{"limit":0,"swap":0,"reservation":0},"pids":{"limit":0},
            "cpu":{"shares":0,"quota":0,"period":0,"realtimeRuntime":0,"realtimePeriod":0,"cpus":"","mems":""},
            "blockIO":{"weight":0,"leafWeight":0},"network":{"classID":0}}"#;
        assert_eq!(of(zeros), Limits::default());
        assert_eq!(of(r#"{"pids":{}}"#), Limits::default(), "1.3 lets it be absent");
        let unlimited = of(r#"{"memory":{"limit":-1}}"#);
        assert_eq!((unlimited.memory, unlimited.memory_and_swap), (Some(-1), Some(-1)));
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

    #[test]
    fn names_that_would_leave_the_group_are_refused() {
        let message = |text: &str| {
            let limits = Limits::from_spec(&serde_json::from_str(text).unwrap());
            limits.check().err().map(|error| error.to_string())
        };
        let table = [
            (r#"{"unified":{"memory.high":"1"}}"#, None),
            (
                r#"{"unified":{"../x":"1"}}"#,
                Some("`linux.resources.unified`: `../x` is not the name of a file"),
            ),
            (r#"{"unified":{"..":"1"}}"#, Some("`linux.resources.unified`: `..` is not the name of a file")),
            (r#"{"hugepageLimits":[{"pageSize":"2MB","limit":1}]}"#, None),
            (
                r#"{"hugepageLimits":[{"pageSize":"/2MB","limit":1}]}"#,
                Some("`linux.resources.hugepageLimits`: `/2MB` is not a page size such as `2MB`"),
            ),
            (
                r#"{"rdma":{"a b":{"hcaHandles":1}}}"#,
                Some("`linux.resources.rdma`: `a b` is not the name of a device"),
            ),
        ];
        for (text, wanted) in table {
            assert_eq!(message(text).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn rules_that_deny_all_first_are_a_list() {
        let rule =
            |allow, kind, major| DeviceRule { allow, kind, major, minor: None, access: "rwm".to_owned() };
        let (none, all) = (rule(false, 'a', None), rule(true, 'a', None));
        assert!(are_a_list(&[none.clone(), rule(true, 'c', Some(42))]));
        assert!(are_a_list(&[none.clone(), rule(true, 'c', Some(42)), rule(false, 'c', Some(10))]));
        assert!(!are_a_list(&[none, all.clone()]));
        assert!(!are_a_list(&[all, rule(false, 'c', Some(10))]));
        assert!(!are_a_list(&[]));
    }
}
