//! Where the output of a container goes.

use serde::{Deserialize, Serialize};

use super::NotUnderstood;
use crate::base::disk::Unknown;

const DRIVER: &str = "json-file";
const DRIVERS: [&str; 2] = [DRIVER, "none"];
/// Docker keeps everything, and that fills disks.
const MAX_SIZE: u64 = 10_000_000;
const MAX_FILES: u32 = 3;

/// The log of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogOptions {
    /// `--log-driver`: `json-file` or `none`.
    pub driver: Option<String>,
    /// `--log-opt max-size=`: a file of this many bytes is rotated.
    pub max_size: Option<u64>,
    /// `--log-opt max-file=`: the number of files that are kept.
    pub max_files: Option<u32>,
    /// Fields of a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A log driver that is not built in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no logger named `{0}`")]
pub struct NoDriver(pub String);

impl LogOptions {
    /// `json-file` or `none`.
    #[must_use]
    pub fn driver(&self) -> &str {
        self.driver.as_deref().unwrap_or(DRIVER)
    }

    /// Whether there is a log to read.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.driver() != "none"
    }

    /// A file of this many bytes is rotated.
    #[must_use]
    pub fn max_size(&self) -> u64 {
        self.max_size.unwrap_or(MAX_SIZE)
    }

    /// The number of files that are kept.
    #[must_use]
    pub fn max_files(&self) -> u32 {
        self.max_files.unwrap_or(MAX_FILES)
    }

    pub(super) fn resolve(&self) -> Result<Self, NoDriver> {
        if !DRIVERS.contains(&self.driver()) {
            return Err(NoDriver(self.driver().to_owned()));
        }
        Ok(Self {
            driver: Some(self.driver().to_owned()),
            max_size: Some(self.max_size()),
            max_files: Some(self.max_files()),
            ..self.clone()
        })
    }

    pub(super) fn check_understood(&self) -> Result<(), NotUnderstood> {
        match self.driver() {
            known if DRIVERS.contains(&known) => Ok(()),
            other => Err(NotUnderstood::new("log driver", other)),
        }
    }
}
