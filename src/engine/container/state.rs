//! Containers as they are: read without locks, and mended where a run is found dead.
//!
//! ```text
//! monitor alive                          as run.json says
//! monitor dead, first process alive      adopted by a new monitor
//! both dead                              settled: recorded, cleaned up
//! a folder in <run> without a run.json   a start that was killed: cleaned up
//! ```

use std::os::fd::{AsFd, OwnedFd};

use tokio::io::Interest;

use super::super::attach::watched;
use super::super::error::{Doing, Result};
use super::super::{Engine, Record, Run, Status};
use super::Container;
use crate::base::ContainerId;
use crate::base::disk::{Lock, Rank};
use crate::container::store;
use crate::monitor::launch::{self, Role, launch};
use crate::monitor::settle::{self, End, Next};
use crate::sys::process;

/// Whether to wait for who changes the container at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Busy {
    Wait,
    LeaveIt,
}

/// What mending found.
#[derive(Debug, Default)]
pub(super) struct Mended {
    /// A monitor that was launched, to be reaped by this process.
    pub(super) monitor: Option<OwnedFd>,
}

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

    /// A container as it is, mended first where that is needed.
    pub(super) fn view(&self, record: Record, busy: Busy) -> Result<Option<Container>> {
        let paths = self.paths();
        let doing = || format!("read the state of `{}`", record.name);
        let has_folder = paths.container_run(&record.id).exists();
        let mut run = if has_folder { store::load_run(paths, &record.id).doing(doing)? } else { None };
        let is_broken = if has_folder {
            run.as_ref().is_none_or(|run| !run.monitor.is_alive())
        } else {
            ended_unseen(&record)
        };
        if !is_broken {
            return Ok(Some(container(record, run)));
        }
        let mended = self.mend(&record.id, busy)?;
        self.reap(mended.monitor);
        let Some(record) = store::load(paths, &record.id).doing(doing)? else { return Ok(None) };
        run = store::load_run(paths, &record.id).doing(doing)?;
        Ok(Some(container(record, run)))
    }

    /// Sees to a run whose monitor may be dead.
    pub(super) fn mend(&self, id: &ContainerId, busy: Busy) -> Result<Mended> {
        let paths = self.paths();
        let doing = || format!("clean up after `{}`", id.short());
        let path = store::lock_file(paths, id);
        let lock = match busy {
            Busy::Wait => Lock::exclusive(&path, Rank::Container).map(Some),
            Busy::LeaveIt => Lock::try_exclusive(&path, Rank::Container),
        };
        let lock = match lock {
            Ok(Some(lock)) => lock,
            Ok(None) => return Ok(Mended::default()),
            Err(error) if error.is_not_found() => return Ok(Mended::default()),
            Err(error) => return Err(error).doing(doing),
        };
        // With the lock, and without a monitor, the state is this process's to change.
        if launch::is_monitored(paths, id).doing(doing)? {
            return Ok(Mended::default());
        }
        let Some(mut record) = store::load(paths, id).doing(doing)? else { return Ok(Mended::default()) };
        match store::load_run(paths, id).doing(doing)? {
            Some(run) if run.init.is_some_and(crate::container::Process::is_alive) => {
                let adopted = launch(self.program(), paths, id, Role::Adopt(lock), &[]);
                match adopted {
                    Ok(launched) => return Ok(Mended { monitor: Some(launched.pidfd) }),
                    // It ended in between: the next look settles it.
                    Err(launch::Error::Failed(_)) => return self.mend(id, busy),
                    Err(error) => return Err(error).doing(|| format!("take over `{}`", record.name)),
                }
            }
            Some(run) if run.init.is_some() => self.settle_unseen(&mut record, Some(&run))?,
            None if ended_unseen(&record) => self.settle_unseen(&mut record, None)?,
            run => {
                let network = run.and_then(|run| run.network);
                warn_of(&settle::clear(paths, id, network.as_ref()));
                store::forget_run(paths, id).doing(doing)?;
            }
        }
        drop(lock);
        Ok(Mended::default())
    }

    /// Nobody saw the end of this run; without one, it was of another boot.
    fn settle_unseen(&self, record: &mut Record, run: Option<&Run>) -> Result<()> {
        let paths = self.paths();
        let is_removed = record.config.auto_remove;
        let next = if is_removed { Next::Remove } else { Next::Stay };
        let why = if run.is_some() { "its monitor was killed" } else { "the machine was restarted" };
        why.clone_into(&mut record.state.error);
        let status = run.and_then(|run| run.init).and_then(crate::container::Process::status_of_zombie);
        let mut end = End::unseen();
        if let Some(exit) = status.map(crate::sys::pidfd::exit_of_status) {
            end.code = u8::try_from(exit.code() & 0xff).unwrap_or(settle::UNKNOWN);
        }
        warn_of(&settle::settle(paths, record, run, end, next));
        if is_removed {
            let doing = || format!("remove `{}`", record.name);
            let discarded = settle::remove(paths, record).doing(doing)?;
            store::delete(&discarded).doing(doing)?;
        }
        Ok(())
    }

    /// Removes what is left of the run of a container that is not there any more.
    fn bury(&self, id: &ContainerId) -> Result<()> {
        let paths = self.paths();
        let doing = || format!("clean up after `{}`", id.short());
        // Its folder is gone first; its monitor may still be at it.
        if paths.container(id).exists() || launch::is_monitored(paths, id).doing(doing)? {
            return Ok(());
        }
        let network = store::load_run(paths, id).doing(doing)?.and_then(|run| run.network);
        warn_of(&settle::clear(paths, id, network.as_ref()));
        store::forget_run(paths, id).doing(doing)
    }

    /// All containers, newest first; what is half-made is swept away.
    pub(super) fn all(&self) -> Result<Vec<Container>> {
        let paths = self.paths();
        let doing = || "list the containers";
        let ids = store::ids(paths).doing(doing)?;
        let (mut found, has_half_made) = self.read_all(&ids)?;
        for id in store::run_ids(paths).doing(doing)? {
            if !found.iter().any(|it: &Container| it.record.id == id) {
                self.bury(&id)?;
            }
        }
        if has_half_made || store::has_discarded(paths) {
            store::sweep(paths).doing(|| "sweep half-made containers away")?;
        }
        found.sort_by_key(|it: &Container| std::cmp::Reverse(it.record.created));
        Ok(found)
    }
}

/// Whether the record tells of a start and of no end. Where there is no run either, the
/// machine went down meanwhile.
fn ended_unseen(record: &Record) -> bool {
    record.state.started.is_some() && record.state.finished.is_none()
}

/// More threads than this wait for each other more than they read.
const READERS: usize = 4;
/// Below this many containers, starting a thread costs more than it saves.
const WORTH_A_THREAD: usize = 64;

impl Engine {
    /// Reads these containers, on several threads where there are many; and whether any of
    /// them is half-made.
    fn read_all(&self, ids: &[ContainerId]) -> Result<(Vec<Container>, bool)> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(READERS);
        if threads == 1 || ids.len() < WORTH_A_THREAD {
            return self.read(ids);
        }
        let runtime = tokio::runtime::Handle::try_current().ok();
        let share = ids.len().div_ceil(threads);
        std::thread::scope(|scope| {
            let readers = ids.chunks(share).map(|ids| {
                let runtime = runtime.clone();
                scope.spawn(move || {
                    // Who is mended may need its monitor reaped.
                    let _entered = runtime.as_ref().map(tokio::runtime::Handle::enter);
                    self.read(ids)
                })
            });
            let readers: Vec<_> = readers.collect();
            let mut all = (Vec::with_capacity(ids.len()), false);
            for reader in readers {
                let (found, has_half_made) =
                    reader.join().unwrap_or_else(|e| std::panic::resume_unwind(e))?;
                all.0.extend(found);
                all.1 |= has_half_made;
            }
            Ok(all)
        })
    }

    fn read(&self, ids: &[ContainerId]) -> Result<(Vec<Container>, bool)> {
        let paths = self.paths();
        let doing = || "list the containers";
        let mut found = Vec::with_capacity(ids.len());
        let mut has_half_made = false;
        for id in ids {
            match store::load(paths, id).doing(doing)? {
                Some(record) if record.state.started.is_none() && !store::is_confirmed(paths, &record) => {
                    has_half_made = true;
                }
                Some(record) => found.extend(self.view(record, Busy::LeaveIt)?),
                None => has_half_made = true,
            }
        }
        Ok((found, has_half_made))
    }
}

fn container(record: Record, run: Option<Run>) -> Container {
    let status = store::status(&record, run.as_ref());
    let run = run.filter(|_| status.is_up() || status == Status::Restarting);
    Container { record, run, status, size: None }
}

/// A clean-up goes on after failures; who asked cannot mend them, but should know.
pub(super) fn warn_of(errors: &[crate::monitor::Error]) {
    for error in errors {
        tracing::warn!(error = crate::base::error::chain(error).join(": "), "clean-up");
    }
}
