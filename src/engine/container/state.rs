//! The current state of containers: read without locks, and recovered if a run is found dead.
//!
//! [`crate::monitor::recover`] describes the recovery.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};

use tokio::io::Interest;

use super::super::attach::watched;
use super::super::error::{Doing, Error, Result};
use super::super::{Damaged, Engine, Listing, Record};
use super::Stored;
use crate::base::ContainerId;
use crate::base::error::one_line;
use crate::container::store;
use crate::monitor::recover::{Current, Inspection, LockWait, RecoverError, Site};
use crate::network;
use crate::sys::process;

impl Engine {
    /// Returns the program to run as a monitor.
    pub(in crate::engine) fn program(&self) -> &std::path::Path {
        &self.inner.settings.program
    }

    /// Waits in the background for a monitor that this process launched, to avoid leaving a zombie
    /// until this process exits.
    pub(in crate::engine) fn reap(&self, monitor: Option<OwnedFd>) {
        let Some(monitor) = monitor else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Ok(monitor) = watched(monitor, Interest::READABLE)
                && monitor.readable().await.is_ok()
            {
                let _ = process::try_wait(monitor.get_ref().as_fd()); // it may not be our child
            }
        });
    }
}

impl Engine {
    /// Returns the container that `target` refers to.
    pub(in crate::engine) fn find(&self, target: &str) -> std::result::Result<Record, store::Error> {
        store::find(self.paths(), target)
    }

    /// Returns how to refer to `target` in messages: as it was written, or by the container's name
    /// if it is a full id, which front ends use and users do not.
    pub(in crate::engine) fn called(&self, target: &str) -> String {
        let record = target.parse().ok().and_then(|id| store::load(self.paths(), &id).ok().flatten());
        record.map_or_else(|| target.to_owned(), |record| record.name.to_string())
    }

    /// Returns the current state of a container, after recovering it if needed. If it cannot be
    /// recovered, returns its last state with a warning.
    pub(super) fn current(&self, record: Record, wait: LockWait) -> Result<Option<Stored>> {
        Ok(self.look(record, wait)?.map(|(container, _)| container))
    }

    /// Like [`Self::current`], but returns why it could not be recovered.
    ///
    /// # Errors
    ///
    /// If it cannot be determined whether it is running.
    pub(super) fn look(&self, record: Record, wait: LockWait) -> Result<Option<(Stored, Option<Error>)>> {
        let mut of_gone = Vec::new();
        let seen = self.look_or_warn(record, wait, &mut of_gone);
        of_gone.iter().for_each(|warning| tracing::warn!("{warning}")); // nobody else reports it
        seen
    }

    /// Like [`Self::look`]. If the recovery removes the container, its warnings are added to
    /// `of_gone`.
    fn look_or_warn(
        &self,
        record: Record,
        wait: LockWait,
        of_gone: &mut Vec<String>,
    ) -> Result<Option<(Stored, Option<Error>)>> {
        let Inspection { seen, warnings, trouble } = self.site().look(record, wait, |it| self.reap(it))?;
        let Some(Current { record, run, status }) = seen else {
            of_gone.extend(warnings);
            return Ok(None);
        };
        Ok(Some((Stored { record, run, status, warnings }, trouble.map(Error::from))))
    }

    /// Returns the launcher that recovers containers.
    pub(super) fn site(&self) -> Site<'_> {
        Site { paths: self.paths(), program: self.program() }
    }

    /// Returns all containers, newest first. Deletes incomplete ones.
    pub(super) fn all(&self) -> Result<Listing<Stored>> {
        let paths = self.paths();
        let doing = || "list the containers";
        let ids = store::ids(paths).doing(doing)?;
        let (mut listing, has_half_made) = self.read_all(&ids);
        let ids: BTreeSet<_> = ids.into_iter().collect();
        for id in store::run_ids(paths).doing(doing)? {
            if listing.whole.iter().any(|it: &Stored| it.record.id == id) {
                continue;
            }
            match self.site().clear_orphan(&id).map_err(Error::from) {
                Ok(warnings) => listing.warnings.extend(warnings),
                Err(error) if is_damage(&error) => {
                    listing.damaged.push(Damaged::new(id.as_str(), None, error.why()));
                }
                Err(error) => listing.warnings.push(one_line(&error)),
            }
        }
        let networks = network::NetworkPaths::new(paths);
        if let Err(error) = network::sweep(&networks, |id| ids.contains(id)) {
            tracing::debug!(%error, "cannot release the addresses of removed containers"); // retried later
        }
        if (has_half_made || store::has_other_names(paths, ids.len()) || store::has_discarded(paths))
            && let Err(error) = store::sweep(paths)
        {
            tracing::debug!(%error, "cannot remove incomplete containers"); // they are harmless
        }
        listing.whole.sort_by_key(|it: &Stored| std::cmp::Reverse(it.record.created));
        Ok(listing)
    }
}

/// With more threads than this, waiting for each other outweighs the gain.
const READERS: usize = 4;
/// Below this many containers, starting a thread costs more than it saves.
const WORTH_A_THREAD: usize = 64;

impl Engine {
    /// Reads these containers, on several threads if there are many. Also returns whether any of
    /// them is incomplete or has lost its name.
    fn read_all(&self, ids: &[ContainerId]) -> (Listing<Stored>, bool) {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(READERS);
        if threads == 1 || ids.len() < WORTH_A_THREAD {
            return self.read(ids);
        }
        let runtime = tokio::runtime::Handle::try_current().ok();
        let share = ids.len().div_ceil(threads);
        std::thread::scope(|scope| {
            let readers = ids.chunks(share).map(|ids| {
                let runtime = runtime.clone();
                let reader = std::thread::Builder::new().spawn_scoped(scope, move || {
                    // Recovering a container may launch a monitor that has to be reaped.
                    let _entered = runtime.as_ref().map(tokio::runtime::Handle::enter);
                    self.read(ids)
                });
                (reader, ids)
            });
            let readers: Vec<_> = readers.collect();
            let (mut all, mut any_is_half_made) = (empty(), false);
            for (reader, ids) in readers {
                let (read, has_half_made) = match reader {
                    Ok(reader) => reader.join().unwrap_or_else(|e| std::panic::resume_unwind(e)),
                    Err(_) => self.read(ids), // no more threads available
                };
                all.whole.extend(read.whole);
                all.damaged.extend(read.damaged);
                all.warnings.extend(read.warnings);
                any_is_half_made |= has_half_made;
            }
            (all, any_is_half_made)
        })
    }

    fn read(&self, ids: &[ContainerId]) -> (Listing<Stored>, bool) {
        let paths = self.paths();
        let (mut found, mut has_half_made) = (empty(), false);
        for id in ids {
            match store::load(paths, id) {
                Ok(Some(record)) if store::is_half_made(paths, &record) => has_half_made = true,
                Ok(Some(record)) => {
                    has_half_made |= !store::is_confirmed(paths, &record);
                    let name = record.name.to_string();
                    match self.look_or_warn(record, LockWait::LeaveIt, &mut found.warnings) {
                        Ok(seen) => {
                            let container = seen.map(|(container, _)| container);
                            found.warnings.extend(container.iter().flat_map(|it| it.warnings.clone()));
                            found.whole.extend(container);
                        }
                        Err(error) if is_damage(&error) => {
                            found.damaged.push(Damaged::new(id.as_str(), Some(name), error.why()));
                        }
                        Err(error) => found.warnings.push(one_line(&error)),
                    }
                }
                Ok(None) => has_half_made = true,
                Err(store::Error::Damaged { .. }) if store::is_litter(paths, id) => has_half_made = true,
                Err(error @ store::Error::Damaged { .. }) => {
                    let name = store::name_of(paths, id).map(|name| name.to_string());
                    found.damaged.push(Damaged::new(id.as_str(), name, &error));
                }
                Err(error) => {
                    let name = store::name_of(paths, id).map(|name| name.to_string());
                    let doing = || format!("read the state of `{}`", name.as_deref().unwrap_or(id.short()));
                    found
                        .warnings
                        .extend(Err::<(), _>(error).doing(doing).err().map(|error| one_line(&error)));
                }
            }
        }
        (found, has_half_made)
    }
}

fn empty() -> Listing<Stored> {
    Listing { whole: Vec::new(), damaged: Vec::new(), warnings: Vec::new() }
}

/// Whether an error is permanent until someone repairs the file. Other errors, such as a lack of
/// descriptors or a failing disk, say nothing about the container.
fn is_damage(error: &Error) -> bool {
    let why = error.why();
    let of_a_file = || {
        let error = why.downcast_ref::<store::Error>();
        matches!(error, Some(store::Error::Damaged { .. } | store::Error::DamagedRun { .. }))
    };
    why.downcast_ref::<RecoverError>().is_some_and(RecoverError::is_damage) || of_a_file()
}

/// Whether the error is about a container with running processes but without a run file.
pub(super) fn is_run_lost(error: &Error) -> bool {
    matches!(error.why().downcast_ref(), Some(RecoverError::RunLost { .. }))
}
