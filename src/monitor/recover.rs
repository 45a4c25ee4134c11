//! Recovers a container without a monitor: its run is adopted, restarted or settled.
//!
//! ```text
//! monitor alive                          as run.json says
//! monitor dead, init alive               adopted by a new monitor
//! both dead                              settled: recorded and cleaned up; restarted by a new
//!                                        monitor if its policy says so
//! exited, but not recorded (full disk)   recorded
//! no run.json, but processes of a run    damaged: left alone until a user ends it
//! without an exit in the record
//! a folder in <run> without a run.json   a start that was killed: cleaned up
//! ```
//! Engines call this for the containers they find; [`step`] decides.

mod error;
mod look;
mod step;

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use super::launch::{self, Role, launch};
use super::settle::{self, End, Next};
use crate::base::disk::Lock;
use crate::base::error::one_line;
use crate::base::{ContainerId, Paths};
use crate::cgroup::{self, Cgroup};
use crate::container::record::UNKNOWN;
use crate::container::{Process, Record, Run, store};
use error::{During as _, Result};
use step::{Left, Step, Unseen, ended_unseen};

pub use error::{Error, RecoverError, Task};
pub use look::{Current, Inspection};
pub use step::{UNSEEN, WhenDead};

/// Maximum time that a caller who ends a container waits for a start in progress.
const START_PATIENCE: Duration = Duration::from_secs(2);

/// Whether to wait for a process that is changing the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockWait {
    /// Wait as long as necessary.
    Wait,
    /// Wait, but not for a start that does not finish.
    WaitAWhile,
    /// Do not wait: the other process does what is needed.
    LeaveIt,
}

/// The result of a recovery.
#[derive(Debug, Default)]
pub struct Recovery {
    /// A launched monitor, which this process must reap.
    pub monitor: Option<OwnedFd>,
    /// What could not be cleaned up, one sentence each.
    pub warnings: Vec<String>,
    /// Init is running and left to the caller, who ends it.
    pub is_ending: bool,
}

impl From<launch::Launched> for Recovery {
    fn from(launched: launch::Launched) -> Self {
        Self { monitor: Some(launched.pidfd), ..Self::default() }
    }
}

/// The state folders of containers, and the program of their monitors.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// The folders.
    pub paths: &'a Paths,
    /// The program.
    pub program: &'a Path,
}

impl Site<'_> {
    /// Locks a container for recovery. Returns `None` if another process holds the lock and `wait`
    /// does not permit waiting, or if the container has been removed.
    fn lock_to_recover(&self, id: &ContainerId, wait: LockWait) -> Result<Option<Lock>> {
        let lock = match wait {
            LockWait::Wait => store::lock(self.paths, id).map(Some),
            LockWait::WaitAWhile => lock_unless_stuck(self.paths, id),
            LockWait::LeaveIt => store::try_lock(self.paths, id),
        };
        match lock {
            Err(store::Error::NotFound(_)) => Ok(None),
            lock => lock.during(|| Task::CleanUp(id.clone())),
        }
    }

    /// Recovers a container if its monitor is dead.
    ///
    /// # Errors
    ///
    /// The task that failed, and why.
    pub fn recover(&self, id: &ContainerId, wait: LockWait, dead: WhenDead) -> Result<Recovery> {
        let paths = self.paths;
        let doing = || Task::CleanUp(id.clone());
        let Some(lock) = self.lock_to_recover(id, wait)? else { return Ok(Recovery::default()) };
        let Some(mut record) = store::load(paths, id).during(doing)? else { return Ok(Recovery::default()) };
        let run = store::load_run(paths, id);
        // With the lock, and without a monitor, this process may change the state.
        if launch::is_monitored(paths, id).during(doing)? {
            if matches!(run, Ok(None)) && is_up_unwritten(paths, &record).during(doing)? {
                return Err(RecoverError::run_lost(paths, id)).during(doing);
            }
            return Ok(Recovery::default());
        }
        let run = match run {
            // The damaged run would not help, because all processes have exited.
            Err(store::Error::DamagedRun { .. }) if !has_processes(paths, id).during(doing)? => None,
            run => run.during(doing)?,
        };
        let unwritten = if dead == WhenDead::ByHand { self.keep_ended(&mut record).err() } else { None };
        let left = Left {
            dead,
            // If there is a run, it is more informative.
            has_processes: run.is_none() && has_processes(paths, id).during(doing)?,
            is_start_cut_off: is_start_cut_off(paths, &record),
            is_alive: run.as_ref().and_then(Run::init).is_some_and(Process::is_alive),
            code: run.as_ref().map_or(UNKNOWN, unseen_code),
        };
        let mut untold = None;
        let errors = match left.step(&record, run) {
            Step::Record(run) => {
                settle::record_late(paths, &mut record, &run).during(doing)?;
                Vec::new()
            }
            Step::Adopt(run) => return self.adopt(&record, &run, lock, wait),
            Step::Restart(run) => return self.carry_on(&mut record, run, lock, wait),
            Step::LeaveToItsEnd => return Ok(Recovery { is_ending: true, ..Recovery::default() }),
            Step::Settle(run) => {
                let errors;
                (errors, untold) = self.settle_unseen(&mut record, run.as_ref())?;
                errors
            }
            Step::Refuse => return Err(RecoverError::run_lost(paths, id)).during(doing),
            Step::Remove(run) => {
                let errors = settle::clear(paths, id, Some(&run));
                untold = self.remove_ended(&record)?;
                errors
            }
            Step::Clear(run) => {
                let errors = settle::clear(paths, id, run.as_ref());
                store::forget_run(paths, id).during(doing)?;
                errors
            }
        };
        drop(lock);
        let unwritten = unwritten.map(|error| one_line(&error));
        let warnings =
            warnings_of(&record.name, &errors).into_iter().chain(unwritten).chain(untold).collect();
        Ok(Recovery { warnings, ..Recovery::default() })
    }

    /// Marks a container without a monitor as stopped by the user, before it is ended, so that a
    /// process that finds it dead does not restart it. Does not wait if another process is changing
    /// the container.
    ///
    /// # Errors
    ///
    /// If the mark cannot be written.
    pub fn keep_from_restart(&self, id: &ContainerId) -> Result<()> {
        let doing = || Task::CleanUp(id.clone());
        let Some(_lock) = self.lock_to_recover(id, LockWait::LeaveIt)? else { return Ok(()) };
        if !launch::is_monitored(self.paths, id).during(doing)?
            && let Some(mut record) = store::load(self.paths, id).during(doing)?
        {
            self.keep_ended(&mut record)?;
        }
        Ok(())
    }

    /// Records that a user stopped it.
    fn keep_ended(&self, record: &mut Record) -> Result<()> {
        match std::mem::replace(&mut record.state.stopped_by_hand, true) {
            true => Ok(()),
            false => {
                let doing = || Task::KeepEnded(record.name.clone());
                store::save(self.paths, record).during(doing)
            }
        }
    }

    /// Launches a new monitor for a container whose monitor was killed. If it cannot take over, the
    /// next attempt is left to the next call, because it would fail in the same way.
    fn adopt(&self, record: &Record, run: &Run, lock: Lock, wait: LockWait) -> Result<Recovery> {
        let (paths, id) = (self.paths, &record.id);
        match launch(self.program, paths, id, Role::Adopt(lock), &[]) {
            Ok(launched) => Ok(launched.into()),
            // It exited in between, so it must be settled instead of adopted.
            Err(launch::Error::Failed(_)) if !run.init().is_some_and(Process::is_alive) => {
                self.recover(id, wait, WhenDead::Policy)
            }
            Err(error) => Err(error).during(|| Task::Adopt(record.name.clone())),
        }
    }

    /// Launches a new monitor for a container that must be restarted, after settling what the
    /// killed monitor had not. If that fails because of a temporary lack of resources, the restart
    /// remains due for the next call.
    fn carry_on(&self, record: &mut Record, run: Run, lock: Lock, wait: LockWait) -> Result<Recovery> {
        let (paths, id) = (self.paths, record.id.clone());
        let name = record.name.clone();
        let doing = || Task::Restart(name.clone());
        let errors = if record.state.finished.is_none() {
            let end = unseen_end(record, Some(&run));
            settle::settle(paths, record, Some(&run), end, Next::Restart)
        } else {
            settle::clear(paths, &id, Some(&run))
        };
        let mut waiting = run;
        if waiting.init.is_some() {
            waiting = settle::waiting_run(waiting.monitor());
            store::save_run(paths, &id, &waiting).during(doing)?;
        }
        match launch(self.program, paths, &id, Role::Adopt(lock), &[]) {
            Ok(launched) => Ok(Recovery { warnings: warnings_of(&record.name, &errors), ..launched.into() }),
            Err(error) => {
                if matches!(&error, launch::Error::Failed(failure) if !failure.is_for_now()) {
                    self.give_up(&id, &waiting, wait)?;
                }
                Err(error).during(doing)
            }
        }
    }

    /// Records the end of a container whose monitor has given up its restart. The lock was released
    /// with that monitor, so another process may have been faster.
    fn give_up(&self, id: &ContainerId, waiting: &Run, wait: LockWait) -> Result<()> {
        let paths = self.paths;
        let doing = || Task::CleanUp(id.clone());
        let Some(_lock) = self.lock_to_recover(id, wait)? else { return Ok(()) };
        let Some(record) = store::load(paths, id).during(doing)? else { return Ok(()) };
        let run = store::load_run(paths, id).during(doing)?;
        if run.as_ref() != Some(waiting) || launch::is_monitored(paths, id).during(doing)? {
            return Ok(());
        }
        if record.config.lifecycle.auto_remove {
            let untold = self.remove_ended(&record)?;
            untold.iter().for_each(|warning| tracing::warn!("{warning}")); // the error is returned
            return Ok(());
        }
        // If it cannot be written, the next call does so.
        let _ = settle::conclude(paths, &record);
        Ok(())
    }

    /// Settles a run whose exit code is unknown. Without a run, it belongs to a previous boot. Also
    /// returns a warning.
    fn settle_unseen(
        &self,
        record: &mut Record,
        run: Option<&Run>,
    ) -> Result<(Vec<super::Error>, Option<String>)> {
        let paths = self.paths;
        let is_removed = record.config.lifecycle.auto_remove;
        let next = if is_removed { Next::Remove } else { Next::Stay };
        let end = unseen_end(record, run);
        let errors = settle::settle(paths, record, run, end, next);
        let untold = if is_removed { self.remove_ended(record)? } else { None };
        Ok((errors, untold))
    }

    /// Removes a container with `--rm` after its exit; returns a warning.
    fn remove_ended(&self, record: &Record) -> Result<Option<String>> {
        let doing = || Task::Remove(record.name.clone());
        let (discarded, untold) = settle::remove(self.paths, record).during(doing)?;
        store::delete(&discarded).during(doing)?;
        Ok(untold)
    }

    /// Removes what is left of the run of a container that no longer exists. Processes are not
    /// killed: a removal ends them first, so processes mean that the data folder was lost, or is
    /// not mounted.
    ///
    /// # Errors
    ///
    /// [`RecoverError::RecordLost`].
    pub fn clear_orphan(&self, id: &ContainerId) -> Result<Vec<String>> {
        let paths = self.paths;
        let doing = || Task::CleanUp(id.clone());
        if paths.container(id).exists() {
            return Ok(Vec::new());
        }
        if has_processes(paths, id).during(doing)? {
            return Err(RecoverError::RecordLost).during(doing);
        }
        // Its folder is removed first, and its monitor may still be cleaning up.
        if launch::is_monitored(paths, id).during(doing)? {
            return Ok(Vec::new());
        }
        let run = store::load_run(paths, id).ok().flatten();
        let errors = settle::clear(paths, id, run.as_ref());
        store::forget_run(paths, id).during(doing)?;
        Ok(warnings_of(&id.short(), &errors))
    }
}

/// Returns the cgroup of a container, whether or not it exists.
#[must_use]
pub fn open_cgroup(paths: &Paths, id: &ContainerId) -> Cgroup {
    let run = store::load_run(paths, id).ok().flatten();
    settle::cgroup_of(paths, id, run.as_ref())
}

/// Whether the cgroup of a container has processes.
///
/// # Errors
///
/// If that cannot be read.
pub fn has_processes(paths: &Paths, id: &ContainerId) -> std::result::Result<bool, cgroup::Error> {
    Ok(!open_cgroup(paths, id).pids()?.is_empty())
}

/// Waits for the lock of a container. Returns `None` if a monitor holds it whose start does not
/// finish.
///
/// # Errors
///
/// As for [`store::try_lock`].
pub fn lock_unless_stuck(paths: &Paths, id: &ContainerId) -> std::result::Result<Option<Lock>, store::Error> {
    let end = Instant::now() + START_PATIENCE;
    let monitor = store::monitor_lock(paths, id);
    loop {
        match store::try_lock(paths, id)? {
            None if Instant::now() > end && Lock::is_held(&monitor)? => return Ok(None),
            None => std::thread::sleep(Duration::from_millis(5)),
            lock => return Ok(lock),
        }
    }
}

/// Whether a container with a monitor but without a `run.json` is up. Its monitor ends its
/// processes and writes its record before it removes the run.
fn is_up_unwritten(paths: &Paths, record: &Record) -> std::result::Result<bool, cgroup::Error> {
    let cgroup = open_cgroup(paths, &record.id);
    Ok(if cgroup.exists() { !cgroup.pids()?.is_empty() } else { ended_unseen(record) })
}

/// Whether a container without a `run.json` and without a monitor is one whose monitor was killed
/// during a start, before it wrote the file. Its remaining processes exit with the monitor.
fn is_start_cut_off(paths: &Paths, record: &Record) -> bool {
    !ended_unseen(record) && store::monitor_lock(paths, &record.id).exists()
}

/// Returns the end of a run whose exit code is unknown. Adds the reason to the record.
fn unseen_end(record: &mut Record, run: Option<&Run>) -> End {
    let Unseen { why, time } = Unseen::of(run.is_some(), record.state.started, store::boot_time());
    why.clone_into(&mut record.state.error);
    let end = End { code: run.map_or(UNKNOWN, unseen_code), ..End::unseen() };
    End { time: time.unwrap_or(end.time), ..end }
}

/// Returns the exit code of a run whose exit was not seen, if the kernel still has it.
fn unseen_code(run: &Run) -> u8 {
    let status = run.init().and_then(Process::status_of_zombie);
    let exit = status.map(crate::sys::process::Exit::of_status);
    exit.and_then(|exit| u8::try_from(exit.code() & 0xff).ok()).unwrap_or(UNKNOWN)
}

/// Turns errors of cleaning up into warnings: the caller cannot fix them, but should know.
fn warnings_of(name: &dyn std::fmt::Display, errors: &[super::Error]) -> Vec<String> {
    let why = errors.iter().map(|error| one_line(error));
    why.map(|why| format!("cannot clean up after `{name}` completely: {why}")).collect()
}
