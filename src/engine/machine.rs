//! What this machine has: memory, CPUs, and room where the store is.

use std::fs;

use super::{Engine, Space};
use crate::container::sample::memory_of_host;
use crate::sys::apparmor;

pub use crate::sys::apparmor::Support as AppArmor;

/// What this machine has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Machine {
    /// Bytes of memory; 0 where that cannot be told.
    pub memory: u64,
    /// CPUs that this process may use.
    pub cpus: usize,
    /// Of the file system that holds the store; `None` where that cannot be told.
    pub space: Option<Space>,
}

impl Engine {
    /// Whether an AppArmor profile confines containers here.
    #[must_use]
    pub fn apparmor(&self) -> AppArmor {
        apparmor::support()
    }

    /// Reads what this machine has. It blocks for as long as the kernel takes to say so.
    #[must_use]
    pub fn machine(&self) -> Machine {
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        Machine {
            memory: memory_of_host(&meminfo),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            space: self.trash().space(),
        }
    }
}
