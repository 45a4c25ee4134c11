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
use std::time::{Duration, Instant};

use tokio::io::Interest;

use super::super::attach::watched;
use super::super::error::{Doing, Error, Result};
use super::super::{Damaged, Engine, Listing, Process, Record, Run, Status};
use super::Stored;
use crate::base::disk::Lock;
use crate::base::error::one_line;
use crate::base::{ContainerId, ErrorKind, Explain, Paths};
use crate::cgroup::{self, Cgroup};
use crate::container::store;
use crate::monitor::launch::{self, Role, launch};
use crate::monitor::settle::{self, End, Next};
use crate::network;
use crate::sys::process;

/// How long who ends a container waits for a start that is under way.
const START_PATIENCE: Duration = Duration::from_secs(2);

/// Whether to wait for who changes the container at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Busy {
    Wait,
    /// But for no start that does not come to its end.
    WaitAWhile,
    LeaveIt,
}

/// What becomes of a container whose run is found dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dead {
    /// Its restart policy decides.
    Policy,
    /// A person ends it: it stays ended, after a boot too, as its policy has it.
    ByHand,
    /// The machine shuts down: it stays ended until the next boot.
    Shutdown,
}

/// What a recovery found.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    /// A monitor that was launched, to be reaped by this process.
    pub(super) monitor: Option<OwnedFd>,
    /// What could not be cleaned up, a sentence each.
    pub(super) warnings: Vec<String>,
    /// Its first process lives, and it was left to who ends it.
    pub(super) is_ending: bool,
}

impl From<launch::Launched> for Recovery {
    fn from(launched: launch::Launched) -> Self {
        Self { monitor: Some(launched.pidfd), ..Self::default() }
    }
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
                let is_lost = RunLost::is_why(&trouble)
                    || run.is_none() && self.has_processes(&record.id).doing(doing)?;
                let record = store::load(paths, &record.id).ok().flatten().unwrap_or(record);
                if is_lost {
                    return Err(trouble);
                }
                let warnings = vec![one_line(&trouble)];
                return Ok(Some((Stored { warnings, ..as_left(record, run) }, Some(trouble))));
            }
        };
        let Some(record) = store::load(paths, &record.id).doing(doing)? else { return Ok(None) };
        let run = store::load_run(paths, &record.id).doing(doing)?;
        // The process that changes it at this moment may not have got to the end of that yet.
        let is_left = run.as_ref().is_some_and(|run| !run.monitor.is_alive());
        let seen = if is_left { as_left(record, run) } else { stored(record, run) };
        Ok(Some((Stored { warnings, ..seen }, None)))
    }

    /// The cgroup of a container, as far as it is there.
    pub(super) fn cgroup(&self, id: &ContainerId) -> Cgroup {
        let run = store::load_run(self.paths(), id).ok().flatten();
        settle::cgroup_of(self.paths(), id, run.as_ref())
    }

    /// Whether something of a container runs, as far as its cgroup tells.
    pub(super) fn has_processes(&self, id: &ContainerId) -> std::result::Result<bool, cgroup::Error> {
        Ok(!self.cgroup(id).pids()?.is_empty())
    }

    /// Whether a container without a `run.json` is up all the same, when a monitor has it: that
    /// one ends its processes and writes its record before it forgets the run.
    fn is_up_unwritten(&self, record: &Record) -> std::result::Result<bool, cgroup::Error> {
        let cgroup = self.cgroup(&record.id);
        Ok(if cgroup.exists() { !cgroup.pids()?.is_empty() } else { ended_unseen(record) })
    }

    /// The lock of a container that is to be recovered; `None` when somebody has it who is not
    /// waited for, and when the container is gone.
    fn lock_to_recover(&self, id: &ContainerId, busy: Busy) -> Result<Option<Lock>> {
        let lock = match busy {
            Busy::Wait => store::lock(self.paths(), id).map(Some),
            Busy::WaitAWhile => self.lock_unless_stuck(id),
            Busy::LeaveIt => store::try_lock(self.paths(), id),
        };
        match lock {
            Err(store::Error::NotFound(_)) => Ok(None),
            lock => lock.doing(|| format!("clean up after `{}`", id.short())),
        }
    }

    /// Waits for the lock of a container; `None` when a monitor holds it whose start does not
    /// come to its end.
    pub(super) fn lock_unless_stuck(
        &self,
        id: &ContainerId,
    ) -> std::result::Result<Option<Lock>, store::Error> {
        let end = Instant::now() + START_PATIENCE;
        let monitor = store::monitor_lock(self.paths(), id);
        loop {
            match store::try_lock(self.paths(), id)? {
                None if Instant::now() > end && Lock::is_held(&monitor)? => return Ok(None),
                None => std::thread::sleep(Duration::from_millis(5)),
                lock => return Ok(lock),
            }
        }
    }

    /// Sees to a run whose monitor may be dead.
    pub(super) fn recover(&self, id: &ContainerId, busy: Busy, dead: Dead) -> Result<Recovery> {
        let paths = self.paths();
        let doing = || format!("clean up after `{}`", id.short());
        let Some(lock) = self.lock_to_recover(id, busy)? else { return Ok(Recovery::default()) };
        let Some(mut record) = store::load(paths, id).doing(doing)? else { return Ok(Recovery::default()) };
        let run = store::load_run(paths, id);
        // With the lock, and without a monitor, the state is this process's to change.
        if launch::is_monitored(paths, id).doing(doing)? {
            if matches!(run, Ok(None)) && self.is_up_unwritten(&record).doing(doing)? {
                return Err(RunLost::of(paths, id)).doing(doing);
            }
            return Ok(Recovery::default());
        }
        let run = match run {
            // It tells nothing of what has ended anyway.
            Err(store::Error::DamagedRun { .. }) if !self.has_processes(id).doing(doing)? => None,
            run => run.doing(doing)?,
        };
        let unwritten = if dead == Dead::ByHand { self.keep_ended(&mut record).err() } else { None };
        let errors = match run {
            Some(run) if run.ended.is_some() => {
                settle::record_late(paths, &mut record, &run).doing(doing)?;
                Vec::new()
            }
            Some(run) if run.init().is_some_and(Process::is_alive) => match dead {
                Dead::Policy => return self.adopt(&record, &run, lock, busy),
                // Another monitor would do as the policy says once it has ended.
                Dead::ByHand | Dead::Shutdown => {
                    return Ok(Recovery { is_ending: true, ..Recovery::default() });
                }
            },
            Some(run) if dead == Dead::Policy && record.is_to_be_restarted(&run, unseen_code(&run)) => {
                return self.carry_on(&mut record, run, lock, busy);
            }
            Some(run) if run.init.is_some() && ended_unseen(&record) => {
                self.settle_unseen(&mut record, Some(&run))?
            }
            None if !is_start_cut_off(paths, &record) && self.has_processes(id).doing(doing)? => {
                return Err(RunLost::of(paths, id)).doing(doing);
            }
            None if ended_unseen(&record) => self.settle_unseen(&mut record, None)?,
            // Its end is recorded, or it never ran.
            run => {
                let errors = settle::clear(paths, id, run.as_ref());
                if run.is_some() && record.config.lifecycle.auto_remove {
                    self.remove_ended(&record)?;
                } else {
                    store::forget_run(paths, id).doing(doing)?;
                }
                errors
            }
        };
        drop(lock);
        let unwritten = unwritten.map(|error| one_line(&error));
        let warnings = warnings_of(&record.name, &errors).into_iter().chain(unwritten).collect();
        Ok(Recovery { warnings, ..Recovery::default() })
    }

    /// Before a container without a monitor is ended by a person: who finds it dead at this
    /// moment does not start it again. Who changes it is not waited for.
    pub(super) fn keep_from_restart(&self, id: &ContainerId) -> Result<()> {
        let doing = || format!("clean up after `{}`", id.short());
        let Some(_lock) = self.lock_to_recover(id, Busy::LeaveIt)? else { return Ok(()) };
        if !launch::is_monitored(self.paths(), id).doing(doing)?
            && let Some(mut record) = store::load(self.paths(), id).doing(doing)?
        {
            self.keep_ended(&mut record)?;
        }
        Ok(())
    }

    /// Writes that a person ended it.
    fn keep_ended(&self, record: &mut Record) -> Result<()> {
        match std::mem::replace(&mut record.state.stopped_by_hand, true) {
            true => Ok(()),
            false => {
                let doing = || format!("keep `{}` from the start that its restart policy wants", record.name);
                store::save(self.paths(), record).doing(doing)
            }
        }
    }

    /// Starts another monitor for a container whose own was killed. One that cannot take over
    /// is not tried again before the next call: it would fail the same way.
    fn adopt(&self, record: &Record, run: &Run, lock: Lock, busy: Busy) -> Result<Recovery> {
        let (paths, id) = (self.paths(), &record.id);
        match launch(self.program(), paths, id, Role::Adopt(lock), &[]) {
            Ok(launched) => Ok(launched.into()),
            // It ended in between: there is nothing to take over, but to settle.
            Err(launch::Error::Failed(_)) if !run.init().is_some_and(Process::is_alive) => {
                self.recover(id, busy, Dead::Policy)
            }
            Err(error) => Err(error).doing(|| format!("take over `{}`", record.name)),
        }
    }

    /// Starts another monitor for a container that is to be started again, after settling what
    /// the killed one had not. Where none comes up, or it lacks what the machine may have later,
    /// the restart stays due for the next call.
    fn carry_on(&self, record: &mut Record, run: Run, lock: Lock, busy: Busy) -> Result<Recovery> {
        let (paths, id) = (self.paths(), record.id.clone());
        let name = record.name.clone();
        let doing = || format!("restart `{name}`");
        let errors = if record.state.finished.is_none() {
            let end = unseen_end(record, Some(&run));
            settle::settle(paths, record, Some(&run), end, Next::Restart)
        } else {
            settle::clear(paths, &id, Some(&run))
        };
        let mut waiting = run;
        if waiting.init.is_some() {
            waiting = settle::waiting_run(waiting.monitor());
            store::save_run(paths, &id, &waiting).doing(doing)?;
        }
        match launch(self.program(), paths, &id, Role::Adopt(lock), &[]) {
            Ok(launched) => Ok(Recovery { warnings: warnings_of(&record.name, &errors), ..launched.into() }),
            Err(error) => {
                if matches!(&error, launch::Error::Failed(failure) if !failure.is_for_now()) {
                    self.give_up(&id, &waiting, busy)?;
                }
                Err(error).doing(doing)
            }
        }
    }

    /// Ends a container for good whose restart its own monitor has given up. The lock went with
    /// that one: somebody else may have been faster.
    fn give_up(&self, id: &ContainerId, waiting: &Run, busy: Busy) -> Result<()> {
        let paths = self.paths();
        let doing = || format!("clean up after `{}`", id.short());
        let Some(_lock) = self.lock_to_recover(id, busy)? else { return Ok(()) };
        let Some(record) = store::load(paths, id).doing(doing)? else { return Ok(()) };
        let run = store::load_run(paths, id).doing(doing)?;
        if run.as_ref() != Some(waiting) || launch::is_monitored(paths, id).doing(doing)? {
            return Ok(());
        }
        if record.config.lifecycle.auto_remove {
            return self.remove_ended(&record);
        }
        // What it cannot write is written at the next look.
        let _ = settle::conclude(paths, &record);
        Ok(())
    }

    /// Nobody saw the end of this run; without one, it was of another boot.
    fn settle_unseen(&self, record: &mut Record, run: Option<&Run>) -> Result<Vec<crate::monitor::Error>> {
        let paths = self.paths();
        let is_removed = record.config.lifecycle.auto_remove;
        let next = if is_removed { Next::Remove } else { Next::Stay };
        let end = unseen_end(record, run);
        let errors = settle::settle(paths, record, run, end, next);
        if is_removed {
            self.remove_ended(record)?;
        }
        Ok(errors)
    }

    /// Removes a container that was to be removed at its end.
    fn remove_ended(&self, record: &Record) -> Result<()> {
        let doing = || format!("remove `{}`", record.name);
        let discarded = settle::remove(self.paths(), record).doing(doing)?;
        store::delete(&discarded).doing(doing)
    }

    /// Removes what is left of the run of a container that is gone. Processes
    /// are left alone: a removal ends them first, so these mean that the data folder was
    /// lost, or is not mounted.
    fn clear_orphan(&self, id: &ContainerId) -> Result<Vec<String>> {
        let paths = self.paths();
        let doing = || format!("clean up after `{}`", id.short());
        if paths.container(id).exists() {
            return Ok(Vec::new());
        }
        if self.has_processes(id).doing(doing)? {
            return Err(RecordLost).doing(doing);
        }
        // Its folder is gone first; its monitor may still be at it.
        if launch::is_monitored(paths, id).doing(doing)? {
            return Ok(Vec::new());
        }
        let run = store::load_run(paths, id).ok().flatten();
        let errors = settle::clear(paths, id, run.as_ref());
        store::forget_run(paths, id).doing(doing)?;
        Ok(warnings_of(&id.short(), &errors))
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
            match self.clear_orphan(&id) {
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

/// Whether the record tells of a start and of no end. Where there is no run either, the
/// machine went down meanwhile.
fn ended_unseen(record: &Record) -> bool {
    record.state.started.is_some() && record.state.finished.is_none()
}

/// Why nobody saw the end of a run.
pub(super) const UNSEEN: [&str; 3] =
    ["its monitor was killed", "the machine was restarted", "its run folder was lost"];

/// Whether a container without a `run.json` and without a monitor is one whose monitor was killed
/// in a start, before it wrote of that: whatever processes of it there are end with it.
fn is_start_cut_off(paths: &Paths, record: &Record) -> bool {
    !ended_unseen(record) && store::monitor_lock(paths, &record.id).exists()
}

/// The end of a run that nobody saw, with why in the record. After a reboot it is the time of
/// the boot: it ended before, and nothing tells how long before.
fn unseen_end(record: &mut Record, run: Option<&Run>) -> End {
    let started = record.state.started;
    let boot = store::boot_time().filter(|boot| started.is_some_and(|started| started < *boot));
    let [killed, restarted, lost] = UNSEEN;
    let why = match (run, boot) {
        (Some(_), _) => killed,
        (None, Some(_)) => restarted,
        (None, None) => lost,
    };
    why.clone_into(&mut record.state.error);
    let mut end = End::unseen();
    if let (None, Some(boot)) = (run, boot) {
        end.time = boot;
    }
    end.code = run.map_or(settle::UNKNOWN, unseen_code);
    end
}

/// The exit code of a run that nobody saw ending, as far as the kernel still has it.
fn unseen_code(run: &Run) -> u8 {
    let status = run.init().and_then(Process::status_of_zombie);
    let exit = status.map(crate::sys::process::Exit::of_status);
    exit.and_then(|exit| u8::try_from(exit.code() & 0xff).ok()).unwrap_or(settle::UNKNOWN)
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
                    match self.look(record, Busy::LeaveIt) {
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
    let why = std::error::Error::source(error);
    let of_a_file = |why: &&(dyn std::error::Error + 'static)| {
        let error = why.downcast_ref::<store::Error>();
        matches!(error, Some(store::Error::Damaged { .. } | store::Error::DamagedRun { .. }))
    };
    why.is_some_and(|why| why.is::<RunLost>() || why.is::<RecordLost>() || of_a_file(&why))
}

/// Its processes are there, and what would tell of them is not.
#[derive(Debug, thiserror::Error)]
#[error("its processes run, but its {what} is missing")]
pub(super) struct RunLost {
    what: &'static str,
    id: ContainerId,
}

impl RunLost {
    fn of(paths: &Paths, id: &ContainerId) -> Self {
        let what = if store::monitor_lock(paths, id).exists() { "run.json" } else { "run folder" };
        Self { what, id: id.clone() }
    }

    /// Whether this is what an error is about.
    pub(super) fn is_why(error: &Error) -> bool {
        std::error::Error::source(error).is_some_and(|why| why.is::<Self>())
    }
}

impl Explain for RunLost {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Corrupt
    }

    fn hint(&self) -> Option<String> {
        Some(store::how_to_end(&self.id))
    }
}

/// Its processes are there, and its folder is not.
#[derive(Debug, thiserror::Error)]
#[error("its processes run, but its folder in the data folder is missing")]
struct RecordLost;

impl Explain for RecordLost {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Corrupt
    }

    fn hint(&self) -> Option<String> {
        Some("mount the data folder where it was; or `hoist system reset` ends everything".to_owned())
    }
}

fn stored(mut record: Record, run: Option<Run>) -> Stored {
    if let Some(ended) = run.as_ref().and_then(|run| run.ended.as_ref()) {
        record.state.clone_from(ended);
    }
    let status = store::status(&record, run.as_ref());
    let run = run.filter(|_| status.is_up() || status == Status::Restarting);
    Stored { record, run, status, warnings: Vec::new() }
}

/// A clean-up goes on after failures; who looks cannot help it, but should know.
fn warnings_of(name: &dyn std::fmt::Display, errors: &[crate::monitor::Error]) -> Vec<String> {
    let why = errors.iter().map(|error| one_line(error));
    why.map(|why| format!("cannot clean up after `{name}` completely: {why}")).collect()
}
