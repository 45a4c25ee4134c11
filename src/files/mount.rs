//! A mount in a root, and why it may not be there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::Error;
use crate::sys;

/// A mount of a container's configuration.
pub(crate) struct Mount {
    /// Where it is in the root.
    pub(crate) target: PathBuf,
    /// How it is shown: `tmpfs`, `→ /srv/data`.
    pub(crate) shown: String,
    pub(crate) is_tmpfs: bool,
    pub(crate) source: PathBuf,
    pub(crate) missing: Option<Missing>,
}

/// Why a mount is not there.
pub(crate) enum Missing {
    /// Its place is made when the container starts for the first time.
    Place,
    Source(Arc<sys::Error>),
}

impl Mount {
    /// Why `path`, with all links resolved, cannot be looked at; `None` when it can.
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
