//! `system reset`: removes everything of this engine, and nothing of others.

use std::fs;
use std::path::Path;

use super::error::{Doing, Result};
use super::{Engine, blocking};
use crate::base::disk;
use crate::cgroup::{Cgroup, Parent};
use crate::network;
use crate::sys::tree;

impl Engine {
    /// Stops and removes all containers, what the networks left on the host, the cgroups, and the
    /// state folders. Continues after a failure. The folders are kept while a process of a
    /// container is running.
    ///
    /// # Errors
    ///
    /// The first failure. Everything that could be removed is removed.
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
            // Without the folders nothing would find these processes again.
            alive.into_iter().for_each(note);
            return first;
        }
        self.forget_shutdown();
        // Before its folder is removed, since a helper may be emptying it.
        note(self.take_trash_away());
        for error in network::reset(&network::NetworkPaths::new(paths)) {
            note(Err(error).doing(doing));
        }
        // The groups of containers are gone by now; their parent belongs to no container.
        let all = Cgroup::open(&Parent::new(""), &paths.engine_name());
        let removed = all.remove().or_else(|_| {
            // Monitors whose clients do not read: no container needs them.
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

/// Removes a folder. If it is a mount point, or its parent is not ours, only empties it.
fn empty(folder: &Path) -> disk::Result<()> {
    match tree::clear(folder) {
        Err(error) if error.is_not_found() => return Ok(()),
        cleared => cleared?,
    }
    if let Err(error) = fs::remove_dir(folder) {
        tracing::debug!(%error, "cannot remove the empty folder");
    }
    Ok(())
}
