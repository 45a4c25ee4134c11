//! What a container may use.

use serde::{Deserialize, Serialize};

use crate::base::disk::Unknown;

/// Bytes of /dev/shm.
const SHM_SIZE: u64 = 64 << 20;

/// The limits of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourceOptions {
    /// `--ulimit`
    pub ulimits: Vec<Ulimit>,
    /// `--shm-size` in bytes.
    pub shm_size: Option<u64>,
    /// Fields of a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// One resource limit: setrlimit(2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ulimit {
    /// `nofile`, `nproc`, `core`, …
    pub name: String,
    /// -1 is no limit.
    pub soft: i64,
    /// -1 is no limit.
    pub hard: i64,
    /// Fields of a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A limit that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A resource limit that is none.
    #[error("invalid ulimit `{name}`: {why}")]
    Ulimit {
        /// As written.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
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
    /// Bytes of /dev/shm.
    #[must_use]
    pub fn shm_size(&self) -> u64 {
        self.shm_size.filter(|&size| size > 0).unwrap_or(SHM_SIZE)
    }

    pub(super) fn resolve(&self) -> Result<Self, Error> {
        self.ulimits.iter().try_for_each(Ulimit::check)?;
        Ok(Self { shm_size: Some(self.shm_size()), ..self.clone() })
    }
}

impl Ulimit {
    fn check(&self) -> Result<(), Error> {
        let bad = |why| Err(Error::Ulimit { name: self.name.clone(), why });
        if !ULIMITS.contains(&self.name.as_str()) {
            return bad("there is no such limit");
        }
        match (self.soft, self.hard) {
            (soft, hard) if soft < -1 || hard < -1 => bad("a limit is -1 or more"),
            (_, -1) => Ok(()),
            (soft, hard) if soft == -1 || soft > hard => bad("the soft limit is above the hard limit"),
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
            ("nofiles", 1, 1, "invalid ulimit `nofiles`: there is no such limit"),
            ("nofile", 2, 1, "invalid ulimit `nofile`: the soft limit is above the hard limit"),
        ] {
            let limit = Ulimit { name: name.to_owned(), soft, hard, ..Ulimit::default() };
            let error = resolved(|options| options.resources.ulimits = vec![limit]).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn what_is_not_said_is_dockers_default() {
        assert_eq!(resolved(|_| {}).unwrap().resources.shm_size, Some(64 << 20));
        let found = resolved(|options| options.resources.shm_size = Some(0)).unwrap();
        assert_eq!(found.resources.shm_size, Some(64 << 20));
    }
}
