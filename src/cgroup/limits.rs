//! What a container may use.

use crate::oci::runtime::{LinuxDeviceType, LinuxResources};

/// What a container may use; `None` is no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory; -1 takes a limit away.
    pub memory: Option<i64>,
    /// Bytes of memory and swap together; -1 takes a limit away.
    pub memory_and_swap: Option<i64>,
    /// Bytes of memory to keep when others want it.
    pub memory_reservation: Option<i64>,
    /// The weight in a contest for processors: 2 to 262144, 1024 by default.
    pub cpu_shares: Option<u64>,
    /// Microseconds of processor time a period; -1 takes a limit away.
    pub cpu_quota: Option<i64>,
    /// The period in microseconds.
    pub cpu_period: Option<u64>,
    /// The processors to use: `0-2,7`.
    pub cpuset_cpus: Option<String>,
    /// The memory nodes to use.
    pub cpuset_mems: Option<String>,
    /// How many processes and threads; 0 or less: no limit.
    pub pids: Option<i64>,
    /// The weight in a contest for disks: 10 to 1000.
    pub io_weight: Option<u16>,
    /// Which devices may be opened and made, the last match decides.
    pub devices: Vec<DeviceRule>,
}

/// A rule about devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRule {
    /// Whether it allows or denies.
    pub allow: bool,
    /// `a`, `b` or `c`.
    pub kind: char,
    /// `None`: every major number.
    pub major: Option<u32>,
    /// `None`: every minor number.
    pub minor: Option<u32>,
    /// Some of `r`, `w`, `m`.
    pub access: String,
}

impl Limits {
    /// Reads the resources of a runtime spec.
    #[must_use]
    pub fn from_spec(resources: &LinuxResources) -> Self {
        let memory = resources.memory().as_ref();
        let cpu = resources.cpu().as_ref();
        Self {
            memory: memory.and_then(|m| m.limit()),
            memory_and_swap: memory.and_then(|m| m.swap()),
            memory_reservation: memory.and_then(|m| m.reservation()),
            cpu_shares: cpu.and_then(|c| c.shares()),
            cpu_quota: cpu.and_then(|c| c.quota()),
            cpu_period: cpu.and_then(|c| c.period()),
            cpuset_cpus: cpu.and_then(|c| c.cpus().clone()).filter(|cpus| !cpus.is_empty()),
            cpuset_mems: cpu.and_then(|c| c.mems().clone()).filter(|mems| !mems.is_empty()),
            pids: resources.pids().as_ref().map(crate::oci::runtime::LinuxPids::limit),
            io_weight: resources.block_io().as_ref().and_then(|io| io.weight()),
            devices: resources.devices().iter().flatten().map(DeviceRule::from_spec).collect(),
        }
    }
}

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
