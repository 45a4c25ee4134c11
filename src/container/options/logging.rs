//! Where the output of a container goes.

use serde::{Deserialize, Serialize};

use super::NotUnderstood;
use crate::base::disk::Unknown;

const DRIVER: &str = "json-file";
const DRIVERS: [&str; 2] = [DRIVER, "none"];
/// Docker sets no limit by default, which fills disks.
const MAX_SIZE: u64 = 10_000_000;
const MAX_FILES: u32 = 3;

/// Logging options.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogOptions {
    /// `--log-driver`: `json-file` or `none`.
    pub driver: Option<String>,
    /// `--log-opt max-size=`: bytes after which a file is rotated.
    pub max_size: Option<u64>,
    /// `--log-opt max-file=`: the number of files to keep.
    pub max_files: Option<u32>,
    /// Fields written by a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// An unknown log driver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no log driver named `{0}`")]
pub struct NoDriver(pub String);

impl LogOptions {
    /// Returns the log driver: `json-file` or `none`.
    #[must_use]
    pub fn driver(&self) -> &str {
        self.driver.as_deref().unwrap_or(DRIVER)
    }

    /// Returns whether there is a log to read.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.driver() != "none"
    }

    /// Returns the size in bytes after which a file is rotated.
    #[must_use]
    pub fn max_size(&self) -> u64 {
        self.max_size.unwrap_or(MAX_SIZE)
    }

    /// Returns the number of files to keep.
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
