//! A mount in a root, and why it may be missing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::Error;
use crate::sys;

/// A mount of a container's configuration.
pub(crate) struct Mount {
    /// Its path in the root.
    pub(crate) target: PathBuf,
    /// How it is displayed: `tmpfs`, `→ /srv/data`.
    pub(crate) shown: String,
    pub(crate) is_tmpfs: bool,
    pub(crate) source: PathBuf,
    pub(crate) missing: Option<Missing>,
}

/// Why a mount is missing.
pub(crate) enum Missing {
    /// Its mount point is created when the container starts for the first time.
    Place,
    Source(Arc<sys::Error>),
}

impl Mount {
    /// Returns why `path`, with symbolic links resolved, is not accessible; `None` if it is.
    pub(crate) fn refusal(&self, path: &Path) -> Option<Error> {
        match self.missing.as_ref()? {
            Missing::Place if path.starts_with(&self.target) => Some(Error::NoPlace(self.target.clone())),
            Missing::Source(why) if path.starts_with(&self.target) => {
                Some(Error::NoSource { source_path: self.source.clone(), why: why.clone() })
            }
            _ => None,
        }
    }
}
