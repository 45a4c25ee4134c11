//! `system reset`: everything of this engine goes, and nothing of another.

use std::fs;
use std::path::Path;

use super::error::{Doing, Result};
use super::{Engine, blocking};
use crate::base::disk;
use crate::cgroup::{Cgroup, Parent};
use crate::sys::tree;
use crate::{cgroup, network};

impl Engine {
    /// Stops and removes every container, what the networks left on the host, the cgroups,
    /// and the state folders. Goes on after a failure; the first one is told.
    ///
    /// # Errors
    ///
    /// The first failure. What could be removed is.
    pub async fn reset(&self) -> Result<()> {
        let engine = self.clone();
        blocking(move || engine.reset_now()).await
    }

    fn reset_now(&self) -> Result<()> {
        let paths = self.paths();
        let doing = || "reset the engine";
        let mut first = Ok(());
        let mut note = |result: Result<()>| {
            if let Err(error) = result
                && first.is_ok()
            {
                first = Err(error);
            }
        };
        match self.container_ids() {
            Ok(ids) => {
                for id in ids {
                    note(self.remove_whatever_it_is(&id));
                }
            }
            Err(error) => note(Err(error)),
        }
        self.forget_shutdown();
        // Before its folder goes: a helper may be at it.
        note(self.take_trash_away());
        for error in network::reset(&network::Place::new(paths)) {
            note(Err(error).doing(doing));
        }
        // Runs without a container folder are empty by now; their parent is not theirs.
        let all = Cgroup::open(&Parent::new(""), &paths.engine_name());
        note(all.remove().map_err(|error: cgroup::Error| error).doing(doing));
        for folder in [paths.run(), paths.root()] {
            note(empty(folder).doing(doing));
        }
        first
    }
}

/// Removes a folder; one that is a mount point, or whose parent is not ours, is emptied.
fn empty(folder: &Path) -> disk::Result<()> {
    match tree::clear(folder) {
        Err(error) if error.is_not_found() => return Ok(()),
        cleared => cleared?,
    }
    if let Err(error) = fs::remove_dir(folder) {
        tracing::debug!(%error, "the empty folder stays");
    }
    Ok(())
}
