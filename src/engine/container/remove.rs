//! Removes containers, including unreadable ones, and leaves no processes behind.

use std::collections::BTreeSet;

use super::super::error::{Doing, Error, Result};
use super::super::{Engine, Gone, Record, Running, Status, Verb};
use super::Warnings;
use super::state::is_run_lost;
use crate::base::disk::Lock;
use crate::base::journal::Kind;
use crate::base::{ContainerId, ErrorKind};
use crate::container::{Conflict, store};
use crate::monitor::end;
use crate::monitor::launch;
use crate::monitor::recover::{LockWait, WhenDead, lock_unless_stuck};
use crate::monitor::settle::{self, cgroup_parent};
use crate::monitor::wire::Ask;

impl Engine {
    pub(in crate::engine) fn remove_now(&self, target: &str, running: Running) -> Result<Gone> {
        let doing = || format!("remove `{}`", self.called(target));
        let id = store::find_id(self.paths(), target).doing(doing)?;
        if self.is_unreadable_to_remove(&id, running, doing)? {
            return self.remove_unreadable(&id, running, doing);
        }
        let Some((lock, record)) = self.end_for_removal(&id, running, doing)? else {
            return Ok(Gone::default());
        };
        let (discarded, untold) = settle::remove(self.paths(), &record).doing(doing)?;
        drop(lock);
        store::delete(&discarded).doing(doing)?;
        Ok(Gone { warnings: Warnings(untold.into_iter().collect()), ..Gone::default() })
    }

    /// Whether the record or the run of a container cannot be read.
    pub(in crate::engine) fn is_unreadable(
        &self,
        id: &ContainerId,
        doing: impl Fn() -> String,
    ) -> Result<bool> {
        match store::load(self.paths(), id) {
            Ok(None) => Ok(false),
            Ok(Some(record)) => match self.look(record, LockWait::WaitAWhile) {
                Ok(_) => Ok(false),
                Err(error) => match store::load_run(self.paths(), id) {
                    Err(store::Error::DamagedRun { .. }) => Ok(true),
                    _ if is_run_lost(&error) => Ok(true),
                    _ => Err(error),
                },
            },
            Err(store::Error::Damaged { .. }) => Ok(true),
            Err(error) => Err(error).doing(doing),
        }
    }

    /// Whether a container must be removed as unreadable. If only its run is damaged or lost, it is
    /// ended first, as `running` permits; then its record is sufficient.
    pub(in crate::engine) fn is_unreadable_to_remove(
        &self,
        id: &ContainerId,
        running: Running,
        doing: impl Fn() -> String,
    ) -> Result<bool> {
        let is_unreadable = self.is_unreadable(id, &doing)?;
        if !is_unreadable || !matches!(store::load(self.paths(), id), Ok(Some(_))) {
            return Ok(is_unreadable);
        }
        if running == Running::Refuse {
            return Err(Conflict { verb: Verb::Remove, status: Status::Running }).doing(doing);
        }
        drop(self.kill_unreadable(id, &doing)?); // its warnings no longer matter
        self.is_unreadable(id, doing)
    }

    /// Removes it permanently. Its stop signal is unknown, so it is killed.
    pub(in crate::engine) fn remove_unreadable(
        &self,
        id: &ContainerId,
        running: Running,
        doing: impl Fn() -> String,
    ) -> Result<Gone> {
        let paths = self.paths();
        if self.is_up(id, &doing)? {
            if running == Running::Refuse {
                return Err(Conflict { verb: Verb::Remove, status: Status::Running }).doing(doing);
            }
            drop(self.kill_unreadable(id, &doing)?); // its warnings no longer matter
        }
        store::make_lockable(paths, id).doing(&doing)?;
        let lock = match store::lock(paths, id) {
            Err(store::Error::NotFound(_)) => None,
            lock => Some(lock.doing(&doing)?),
        };
        let run = store::load_run(paths, id).ok().flatten();
        let errors = settle::clear(paths, id, run.as_ref());
        let discarded = store::remove_unreadable(paths, id).doing(&doing)?;
        drop(lock);
        let untold = self.tell_of(Kind::Container, "destroy", id.as_str(), &[]);
        store::delete(&discarded).doing(&doing)?;
        // It is removed. What remains outside its folders must be reported to the user.
        errors.into_iter().next().map_or(Ok(()), Err).doing(doing)?;
        Ok(Gone { warnings: Warnings(untold.into_iter().collect()), ..Gone::default() })
    }

    /// Locks a container that is to be removed, once nothing of it runs. Returns `None` if it was
    /// removed meanwhile.
    pub(in crate::engine) fn end_for_removal(
        &self,
        id: &ContainerId,
        running: Running,
        doing: impl Fn() -> String,
    ) -> Result<Option<(Lock, Record)>> {
        store::make_lockable(self.paths(), id).doing(&doing)?;
        let mut asked = 0;
        loop {
            let lock = match lock_unless_stuck(self.paths(), id) {
                Ok(Some(lock)) => lock,
                Ok(None) => {
                    self.end_stuck_start(id, running, &doing)?;
                    continue;
                }
                // With --rm it was removed when it exited.
                Err(store::Error::NotFound(_)) if running != Running::Refuse => return Ok(None),
                Err(error) => return Err(error).doing(&doing),
            };
            self.wait_for_ending_monitor(id, &doing)?;
            let Some(record) = store::load(self.paths(), id).doing(&doing)? else { return Ok(None) };
            let run = store::load_run(self.paths(), id).doing(&doing)?;
            let status = store::status(&record, run.as_ref());
            if status.after(Verb::Remove).is_ok() {
                return Ok(Some((lock, record)));
            }
            if asked > 1 && !self.is_up(id, &doing)? {
                // No process is left. Errors of cleaning up were reported by the attempts to settle
                // it.
                let _ = settle::clear(self.paths(), id, run.as_ref());
                return Ok(Some((lock, record)));
            }
            drop(lock);
            let wish = match running {
                Running::Refuse => return Err(Conflict { verb: Verb::Remove, status }).doing(&doing),
                Running::Stop => Ask::Stop { signal: None, timeout: None, at_shutdown: false },
                Running::Kill => Ask::kill(libc::SIGKILL),
            };
            asked += 1;
            match self.end(id.as_str(), &doing, &wish) {
                Ok(_) => {} // if it was removed without an event, it is gone nevertheless
                Err(_) if store::load(self.paths(), id).doing(&doing)?.is_none() => return Ok(None),
                Err(error) if is_not_ended(&error) => return Err(error),
                // The error may be that of a restart in progress, so try once more.
                Err(error) if asked > 1 && self.is_up(id, &doing)? => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// Kills a start that does not finish, if immediate removal was requested.
    fn end_stuck_start(&self, id: &ContainerId, running: Running, doing: impl Fn() -> String) -> Result<()> {
        match running {
            Running::Refuse => Err(Conflict { verb: Verb::Remove, status: Status::Running }).doing(doing),
            Running::Stop => Err(launch::Error::Silent).doing(doing),
            Running::Kill => {
                // Without a run there may be nothing but its monitor.
                if let Ok(None) = store::load_run(self.paths(), id) {
                    launch::listener(self.paths(), id).into_iter().for_each(end::kill_process);
                }
                self.kill_by_cgroup(id, WhenDead::ByHand, doing).map(drop)
            }
        }
    }

    /// Returns every container of which anything is left: a folder, even an incomplete one, a run,
    /// or a cgroup.
    ///
    /// # Errors
    ///
    /// If the cgroups cannot be listed, since there may be processes that nothing else refers to.
    /// The inner error means that a folder could not be read; the ids of the others are returned.
    pub(in crate::engine) fn all_ids(&self) -> Result<(BTreeSet<ContainerId>, Result<()>)> {
        let groups = cgroup_parent(self.paths()).groups().doing(|| "list the containers")?;
        let mut ids: BTreeSet<_> = groups.iter().filter_map(|name| name.parse().ok()).collect();
        let mut read = Ok(());
        for found in [store::ids(self.paths()), store::run_ids(self.paths())] {
            match found {
                Ok(found) => ids.extend(found),
                Err(error) => read = read.and(Err(error)),
            }
        }
        Ok((ids, read.doing(|| "list the containers")))
    }

    /// Removes a container in any state, or its remains.
    pub(in crate::engine) fn remove_whatever_it_is(&self, id: &ContainerId) -> Result<()> {
        let doing = || format!("remove `{}`", id.short());
        match store::load(self.paths(), id) {
            Ok(Some(_)) => match self.remove_now(id.as_str(), Running::Kill) {
                // With --rm it was removed just now.
                Err(error) if error.kind() == ErrorKind::NotFound && !self.paths().container(id).exists() => {
                    Ok(())
                }
                result => result.map(drop),
            },
            Ok(None) | Err(_) => self.remove_unreadable(id, Running::Kill, doing).map(drop),
        }
    }

    /// Fails while any process of a container is running.
    pub(in crate::engine) fn refuse_while_up(&self, id: &ContainerId) -> Result<()> {
        let doing = || format!("remove `{}`", id.short());
        if self.is_up(id, doing)? { Err(end::not_ended(self.paths(), id)).doing(doing) } else { Ok(()) }
    }
}

/// Whether the error means that processes do not exit after SIGKILL.
fn is_not_ended(error: &Error) -> bool {
    matches!(error.why().downcast_ref(), Some(end::Error::NotEnded { .. }))
}
