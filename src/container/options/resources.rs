//! The resource limits of a container.

use serde::{Deserialize, Serialize};

use crate::base::disk::Unknown;

/// Default size of /dev/shm in bytes.
const SHM_SIZE: u64 = 64 << 20;
/// Minimum memory limit in bytes.
const MIN_MEMORY: u64 = 6 << 20;

/// Resource limits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourceOptions {
    /// `--ulimit`
    pub ulimits: Vec<Ulimit>,
    /// `--shm-size` in bytes.
    pub shm_size: Option<u64>,
    /// `--memory` in bytes; `None` is no limit.
    pub memory: Option<u64>,
    /// `--memory-swap`: bytes of memory and swap together, -1 for unlimited swap. Once resolved, it
    /// defaults to twice the memory.
    pub memory_swap: Option<i64>,
    /// Fields written by a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A resource limit: setrlimit(2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ulimit {
    /// `nofile`, `nproc`, `core`, …
    pub name: String,
    /// -1 is unlimited.
    pub soft: i64,
    /// -1 is unlimited.
    pub hard: i64,
    /// Fields written by a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Invalid resource limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An invalid ulimit.
    #[error("invalid ulimit `{name}`: {why}")]
    Ulimit {
        /// The name as written.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Less memory than the minimum.
    #[error("Minimum memory limit allowed is 6MB")]
    Memory,
    /// A swap limit without a memory limit.
    #[error("You should always set the Memory limit when using Memoryswap limit, see usage")]
    SwapAlone,
    /// A limit for memory and swap below the memory limit.
    #[error("Minimum memoryswap limit should be larger than memory limit, see usage")]
    SwapBelowMemory,
}

/// The limits of setrlimit(2), by Docker's names.
pub const ULIMITS: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

impl ResourceOptions {
    /// Returns the size of /dev/shm in bytes.
    #[must_use]
    pub fn shm_size(&self) -> u64 {
        self.shm_size.filter(|&size| size > 0).unwrap_or(SHM_SIZE)
    }

    pub(super) fn resolve(&self) -> Result<Self, Error> {
        self.ulimits.iter().try_for_each(Ulimit::check)?;
        let (memory, memory_swap) = self.resolved_memory()?;
        Ok(Self { shm_size: Some(self.shm_size()), memory, memory_swap, ..self.clone() })
    }

    /// Returns the limits of memory, and of memory and swap. 0 counts as unset.
    fn resolved_memory(&self) -> Result<(Option<u64>, Option<i64>), Error> {
        let bytes = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let both = self.memory_swap.filter(|&bytes| bytes != 0);
        match (self.memory.filter(|&bytes| bytes > 0), both) {
            (Some(memory), _) if memory < MIN_MEMORY => Err(Error::Memory),
            (Some(memory), Some(both)) if both > 0 && both < bytes(memory) => Err(Error::SwapBelowMemory),
            (Some(memory), None) => Ok((Some(memory), Some(bytes(memory).saturating_mul(2)))),
            (None, Some(both)) if both > 0 => Err(Error::SwapAlone),
            (memory, both) => Ok((memory, both)),
        }
    }
}

impl Ulimit {
    fn check(&self) -> Result<(), Error> {
        let bad = |why| Err(Error::Ulimit { name: self.name.clone(), why });
        if !ULIMITS.contains(&self.name.as_str()) {
            return bad("unknown limit");
        }
        match (self.soft, self.hard) {
            (soft, hard) if soft < -1 || hard < -1 => bad("a limit must be -1 or greater"),
            (_, -1) => Ok(()),
            (soft, hard) if soft == -1 || soft > hard => {
                bad("the soft limit must be less than or equal to the hard limit")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::options::tests::resolved;

    #[test]
    fn limits_that_cannot_be_are_refused_in_dockers_words() {
        for (name, soft, hard, message) in [
            ("nofiles", 1, 1, "invalid ulimit `nofiles`: unknown limit"),
            (
                "nofile",
                2,
                1,
                "invalid ulimit `nofile`: the soft limit must be less than or equal to the hard limit",
            ),
        ] {
            let limit = Ulimit { name: name.to_owned(), soft, hard, ..Ulimit::default() };
            let error = resolved(|options| options.resources.ulimits = vec![limit]).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn memory_and_swap_go_by_dockers_rules() {
        const M: i64 = 1 << 20;
        for (memory, swap, want) in [
            (None, None, Ok((None, None))),
            (Some(0), Some(0), Ok((None, None))),
            (Some(8), None, Ok((Some(8), Some(16 * M)))),
            (Some(8), Some(8 * M), Ok((Some(8), Some(8 * M)))),
            (Some(8), Some(-1), Ok((Some(8), Some(-1)))),
            (None, Some(-1), Ok((None, Some(-1)))),
            (Some(5), None, Err(Error::Memory)),
            (Some(8), Some(7 * M), Err(Error::SwapBelowMemory)),
            (None, Some(8 * M), Err(Error::SwapAlone)),
        ] {
            let memory = memory.map(|count: u64| count << 20);
            let asked = ResourceOptions { memory, memory_swap: swap, ..ResourceOptions::default() };
            let found = asked.resolve().map(|it| (it.memory.map(|bytes| bytes >> 20), it.memory_swap));
            assert_eq!(found, want, "{memory:?} {swap:?}");
        }
    }

    #[test]
    fn what_is_not_said_is_dockers_default() {
        assert_eq!(resolved(|_| {}).unwrap().resources.shm_size, Some(64 << 20));
        let found = resolved(|options| options.resources.shm_size = Some(0)).unwrap();
        assert_eq!(found.resources.shm_size, Some(64 << 20));
    }
}
