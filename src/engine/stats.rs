//! What a running container uses, and which processes it has.

use jiff::Timestamp;

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
