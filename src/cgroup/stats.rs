//! The counters of a cgroup.

use serde::{Deserialize, Serialize};

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
