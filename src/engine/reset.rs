//! `system reset`: everything of this engine goes, and nothing of another.

use std::fs;
use std::path::Path;

use super::error::{Doing, Result};
use super::{Engine, blocking};
use crate::base::disk;
use crate::cgroup::{Cgroup, Parent};
use crate::network;
use crate::sys::tree;

impl Engine {
    /// Stops and removes every container, what the networks left on the host, the cgroups,
    /// and the state folders. Goes on after a failure; the first one is told. While a process
    /// of a container lives, the folders stay.
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
        let (ids, read) = self.all_ids()?;
        note(read);
        for id in &ids {
            note(self.remove_whatever_it_is(id));
        }
        let alive: Vec<_> = ids.iter().map(|id| self.refuse_while_up(id)).filter(Result::is_err).collect();
        if !alive.is_empty() {
            // Without the folders nothing would find them again.
            alive.into_iter().for_each(note);
            return first;
        }
        self.forget_shutdown();
        // Before its folder goes: a helper may be at it.
        note(self.take_trash_away());
        for error in network::reset(&network::NetworkPaths::new(paths)) {
            note(Err(error).doing(doing));
        }
        // Those of containers are gone by now; their parent is not theirs.
        let all = Cgroup::open(&Parent::new(""), &paths.engine_name());
        let removed = all.remove().or_else(|_| {
            // Monitors whose clients do not read: there is no container that needs them.
            all.kill()?;
            all.remove()
        });
        if let Err(error) = removed.doing(doing) {
            note(Err(error));
            return first;
        }
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
