//! The resources of this machine: memory, CPUs and disk space for the store.

use std::fs;

use super::{Engine, Space};
use crate::container::sample::memory_of_host;
use crate::sys::apparmor;

pub use crate::sys::apparmor::Support as AppArmor;

/// The resources of this machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Machine {
    /// Memory in bytes; 0 if unknown.
    pub memory: u64,
    /// The number of CPUs that this process may use.
    pub cpus: usize,
    /// Space on the file system of the store; `None` if unknown.
    pub space: Option<Space>,
}

impl Engine {
    /// Whether an AppArmor profile confines containers on this machine.
    #[must_use]
    pub fn apparmor(&self) -> AppArmor {
        apparmor::support()
    }

    /// Reads the resources of this machine. It may block while the kernel answers.
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
