//! Containers as they are: read without locks, and recovered where a run is found dead.
//!
//! ```text
//! monitor alive                          as run.json says
//! monitor dead, first process alive      adopted by a new monitor
//! both dead                              settled: recorded, cleaned up; where its policy wants
//!                                        it, a new monitor starts it again
//! ended, but not recorded (a full disk)  recorded
//! no run.json, but processes of a run    damaged: left alone until somebody ends it
//! that has no end in the record
//! a folder in <run> without a run.json   a start that was killed: cleaned up
//! ```

use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};

use tokio::io::Interest;

use super::super::attach::watched;
use super::super::error::{Doing, Error, Result};
use super::super::{Damaged, Engine, Listing, Process, Record, Run, Status};
use super::Stored;
use crate::base::ContainerId;
use crate::base::error::one_line;
use crate::container::store;
use crate::monitor::recover::{
    Busy, Dead, Launcher, Recovery, Why, ended_unseen, has_processes, unseen_code, unseen_end,
};
use crate::monitor::settle;
use crate::network;
use crate::sys::process;

impl Engine {
    /// The program that becomes the monitor.
    pub(in crate::engine) fn program(&self) -> &std::path::Path {
        &self.inner.settings.program
    }

    /// Waits, beside everything else, for the end of a monitor that this process has
    /// launched: it would stay as a zombie until this process ends.
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
    /// The container that `target` means.
    pub(in crate::engine) fn find(&self, target: &str) -> std::result::Result<Record, store::Error> {
        store::find(self.paths(), target)
    }

    /// What to call the container that `target` means, in words for its user: as it was
    /// written, but by its name where that is a whole id, which front ends use and nobody reads.
    pub(in crate::engine) fn called(&self, target: &str) -> String {
        let record = target.parse().ok().and_then(|id| store::load(self.paths(), &id).ok().flatten());
        record.map_or_else(|| target.to_owned(), |record| record.name.to_string())
    }

    /// A container as it is, recovered first where that is needed. What cannot be is
    /// shown as it was left, with a warning.
    pub(super) fn current(&self, record: Record, busy: Busy) -> Result<Option<Stored>> {
        Ok(self.look(record, busy)?.map(|(container, _)| container))
    }

    /// The same, with why it could not be recovered.
    ///
    /// # Errors
    ///
    /// When it cannot be told whether it runs.
    pub(super) fn look(&self, record: Record, busy: Busy) -> Result<Option<(Stored, Option<Error>)>> {
        let mut of_gone = Vec::new();
        let seen = self.look_or_warn(record, busy, &mut of_gone);
        of_gone.iter().for_each(|warning| tracing::warn!("{warning}")); // it has nowhere else to go
        seen
    }

    /// The same. Where the recovery removed it, what to warn of goes to `of_gone`.
    fn look_or_warn(
        &self,
        record: Record,
        busy: Busy,
        of_gone: &mut Vec<String>,
    ) -> Result<Option<(Stored, Option<Error>)>> {
        let paths = self.paths();
        let doing = || format!("read the state of `{}`", record.name);
        let has_folder = paths.container_run(&record.id).exists();
        let run = if has_folder { store::load_run(paths, &record.id) } else { Ok(None) };
        let is_broken = match &run {
            Ok(Some(run)) => !run.monitor.is_alive(),
            Ok(None) => has_folder || ended_unseen(&record),
            Err(_) => true,
        };
        if !is_broken {
            let run = run.doing(doing)?;
            return Ok(Some((stored(record, run), None)));
        }
        let warnings = match self.recover(&record.id, busy, Dead::Policy) {
            Ok(recovery) => {
                self.reap(recovery.monitor);
                recovery.warnings
            }
            Err(trouble) => {
                // The recovery may have got halfway.
                let run = store::load_run(paths, &record.id).or(run).doing(doing)?;
                let is_lost = is_run_lost(&trouble)
                    || run.is_none() && has_processes(paths, &record.id).doing(doing)?;
                let record = store::load(paths, &record.id).ok().flatten().unwrap_or(record);
                if is_lost {
                    return Err(trouble);
                }
                let warnings = vec![one_line(&trouble)];
                return Ok(Some((Stored { warnings, ..as_left(record, run) }, Some(trouble))));
            }
        };
        let Some(record) = store::load(paths, &record.id).doing(doing)? else {
            of_gone.extend(warnings);
            return Ok(None);
        };
        let run = store::load_run(paths, &record.id).doing(doing)?;
        // The process that changes it at this moment may not have got to the end of that yet.
        let is_left = run.as_ref().is_some_and(|run| !run.monitor.is_alive());
        let seen = if is_left { as_left(record, run) } else { stored(record, run) };
        Ok(Some((Stored { warnings, ..seen }, None)))
    }

    /// Who recovers containers.
    pub(super) fn launcher(&self) -> Launcher<'_> {
        Launcher { paths: self.paths(), program: self.program() }
    }

    /// Sees to a run whose monitor may be dead.
    pub(super) fn recover(&self, id: &ContainerId, busy: Busy, dead: Dead) -> Result<Recovery> {
        Ok(self.launcher().recover(id, busy, dead)?)
    }

    /// All containers, newest first; what is half-made is swept away.
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
            match self.launcher().clear_orphan(&id).map_err(Error::from) {
                Ok(warnings) => listing.warnings.extend(warnings),
                Err(error) if is_damage(&error) => {
                    listing.damaged.push(Damaged::new(id.as_str(), None, error.why()));
                }
                Err(error) => listing.warnings.push(one_line(&error)),
            }
        }
        let networks = network::NetworkPaths::new(paths);
        if let Err(error) = network::sweep(&networks, |id| ids.contains(id)) {
            tracing::debug!(%error, "addresses of containers that are gone stay taken"); // until the next list
        }
        if (has_half_made || store::has_other_names(paths, ids.len()) || store::has_discarded(paths))
            && let Err(error) = store::sweep(paths)
        {
            tracing::debug!(%error, "half-made containers are not swept away"); // they hinder nothing
        }
        listing.whole.sort_by_key(|it: &Stored| std::cmp::Reverse(it.record.created));
        Ok(listing)
    }
}

/// A container that could not be recovered, as it was left; one whose restart is due waits for it.
fn as_left(mut record: Record, run: Option<Run>) -> Stored {
    match run {
        Some(run) if run.ended.is_some() || run.init().is_some_and(Process::is_alive) => {
            stored(record, Some(run))
        }
        run => {
            let is_due = |run: &Run| record.is_to_be_restarted(run, unseen_code(run));
            let waiting =
                run.as_ref().filter(|run| is_due(run)).map(|run| settle::waiting_run(run.monitor()));
            if ended_unseen(&record) {
                let end = unseen_end(&mut record, run.as_ref());
                settle::note(&mut record, end);
            }
            stored(record, waiting)
        }
    }
}

/// More threads than this wait for each other more than they read.
const READERS: usize = 4;
/// Below this many containers, starting a thread costs more than it saves.
const WORTH_A_THREAD: usize = 64;

impl Engine {
    /// Reads these containers, on several threads where there are many; and whether any of
    /// them is half-made, or has lost its name.
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
                    // A recovered one may need its monitor reaped.
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
                    Err(_) => self.read(ids), // no more threads are to be had
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
                    match self.look_or_warn(record, Busy::LeaveIt, &mut found.warnings) {
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

/// Whether an error tells of something that stays so until somebody changes it. All else, a lack
/// of descriptors, a disk that fails, says nothing of the container.
fn is_damage(error: &Error) -> bool {
    let why = error.why();
    let of_a_file = || {
        let error = why.downcast_ref::<store::Error>();
        matches!(error, Some(store::Error::Damaged { .. } | store::Error::DamagedRun { .. }))
    };
    why.downcast_ref::<Why>().is_some_and(Why::is_damage) || of_a_file()
}

/// Whether it is about a container whose processes run, and of which nothing else tells.
pub(super) fn is_run_lost(error: &Error) -> bool {
    matches!(error.why().downcast_ref(), Some(Why::RunLost { .. }))
}

fn stored(mut record: Record, run: Option<Run>) -> Stored {
    if let Some(ended) = run.as_ref().and_then(|run| run.ended.as_ref()) {
        record.state.clone_from(ended);
    }
    let status = store::status(&record, run.as_ref());
    let run = run.filter(|_| status.is_up() || status == Status::Restarting);
    Stored { record, run, status, warnings: Vec::new() }
}
