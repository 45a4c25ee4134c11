//! The verbs that change a container. They run on a blocking thread: check, lock, and leave the
//! rest to the container's monitor, or to a new one.
//!
//! No lock is held while waiting for a monitor, except for the lock of a start, which the monitor
//! has taken over by then.

use std::os::fd::OwnedFd;
use std::time::Duration;

use super::super::attach::Begun;
use super::super::error::{Doing, Error, Result};
use super::super::{Engine, Name, Record, Run, Status, Verb};
use super::{Stored, Warnings};
use crate::base::disk::{Lock, Rank};
use crate::base::{ContainerId, ErrorKind, Explain};
use crate::container::options::lifecycle;
use crate::container::store;
use crate::monitor::end::{KILL_PATIENCE, Patience};
use crate::monitor::journal;
use crate::monitor::launch::{self, Role, ask, launch};
use crate::monitor::recover::LockWait;
use crate::monitor::wire::Ask;
use crate::sys::signal;

/// The delay before looking again at a container whose monitor was gone before it answered: the
/// container has just exited and may be restarted, or its monitor was killed.
pub(in crate::engine) const ASK_AGAIN: Duration = Duration::from_millis(1);

/// The container that a verb applies to, with its state.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) record: Record,
    pub(super) run: Option<Run>,
    pub(super) status: Status,
}

/// The container already has this name.
#[derive(Debug, thiserror::Error)]
#[error("renaming a container with the same name as its current name")]
struct SameName;

impl Explain for SameName {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

impl Engine {
    /// Returns the container that `target` refers to, with its state. Settles a dead run first.
    pub(super) fn target(&self, target: &str, doing: impl Fn() -> String) -> Result<Target> {
        match self.target_as_left(target, LockWait::Wait, doing)? {
            (target, None) => Ok(target),
            (_, Some(trouble)) => Err(trouble),
        }
    }

    /// Returns the same, and why its run could not be recovered, which does not prevent ending it.
    pub(super) fn target_as_left(
        &self,
        target: &str,
        wait: LockWait,
        doing: impl Fn() -> String,
    ) -> Result<(Target, Option<Error>)> {
        loop {
            let record = self.find(target).doing(&doing)?;
            if let Some((Stored { record, run, status, .. }, trouble)) = self.look(record, wait)? {
                return Ok((Target { record, run, status }, trouble));
            }
        }
    }

    /// Starts it. It is not an error if it is already running.
    pub(in crate::engine) fn start_now(&self, target: &str, clients: &[OwnedFd]) -> Result<Begun> {
        let called = self.called(target); // with --rm a failed start leaves no name
        let doing = || format!("start `{called}`");
        let found = self.target(target, doing)?;
        let id = &found.record.id;
        let lock = store::lock(self.paths(), id).doing(doing)?;
        self.wait_for_ending_monitor(id, doing)?;
        let record = store::load(self.paths(), id).doing(doing)?;
        let record = record.ok_or_else(|| store::Error::NotFound(target.to_owned())).doing(doing)?;
        let run = store::load_run(self.paths(), id).doing(doing)?;
        match store::status(&record, run.as_ref()) {
            Status::Running if clients.is_empty() => Ok(Begun::default()),
            status => {
                status.after(Verb::Start).doing(doing)?;
                let launched = launch(self.program(), self.paths(), id, Role::Run(lock), clients);
                let mut begun = Begun::from(launched.doing(doing)?);
                begun.warnings.0.extend(self.ask_for_shutdown());
                Ok(begun)
            }
        }
    }

    /// Waits for a monitor whose run is over to exit.
    pub(in crate::engine) fn wait_for_ending_monitor(
        &self,
        id: &ContainerId,
        doing: impl Fn() -> String,
    ) -> Result<()> {
        let run = store::load_run(self.paths(), id).doing(&doing)?;
        let path = store::monitor_lock(self.paths(), id);
        if run.is_none() && path.is_file() {
            match Lock::exclusive(&path, Rank::Container) {
                Err(error) if !error.is_not_found() => return Err(error).doing(&doing),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn stop_now(
        &self,
        target: &str,
        signal: Option<&str>,
        timeout: Option<i64>,
    ) -> Result<Warnings> {
        let doing = || format!("stop `{}`", self.called(target));
        let signal = signal.map(number).transpose().doing(doing)?;
        self.end(target, doing, &Ask::Stop { signal, timeout, at_shutdown: false })
    }

    pub(super) fn restart_now(
        &self,
        target: &str,
        signal: Option<&str>,
        timeout: Option<i64>,
    ) -> Result<Begun> {
        let doing = || format!("restart `{}`", self.called(target));
        let signal = signal.map(number).transpose().doing(doing)?;
        let id = store::find_id(self.paths(), target).doing(doing)?;
        let mut patience = Patience::new(KILL_PATIENCE);
        loop {
            let found = self.target(id.as_str(), doing)?;
            if !found.status.is_up() && found.status != Status::Restarting {
                return self.start_now(found.record.id.as_str(), &[]);
            }
            match self.ask_for_end(&found, &Ask::Restart { signal, timeout }, doing)? {
                Ok(warnings) => return Ok(Begun { monitor: None, warnings: Warnings(warnings) }),
                Err(launch::Error::Gone) if patience.lasts(self.paths(), &id) => {
                    std::thread::sleep(ASK_AGAIN);
                }
                Err(error) => return Err(error).doing(doing),
            }
        }
    }

    /// Pauses or resumes it.
    pub(super) fn freeze_now(&self, target: &str, verb: Verb, wish: Ask) -> Result<Warnings> {
        let doing = || match verb {
            Verb::Pause => format!("pause `{}`", self.called(target)),
            _ => format!("unpause `{}`", self.called(target)),
        };
        let id = store::find_id(self.paths(), target).doing(doing)?;
        let mut patience = Patience::new(KILL_PATIENCE);
        loop {
            let found = self.target(id.as_str(), doing)?;
            found.status.after(verb).doing(doing)?;
            match ask(self.paths(), &id, None, wish.clone()) {
                Err(launch::Error::Gone) if patience.lasts(self.paths(), &id) => {
                    std::thread::sleep(ASK_AGAIN);
                }
                result => return result.map(Warnings).doing(doing),
            }
        }
    }

    pub(super) fn rename_now(&self, target: &str, name: Name) -> Result<Warnings> {
        let doing = || format!("rename `{}`", self.called(target));
        let id = self.target(target, doing)?.record.id;
        // Held while asking the monitor, which does not take it. A process that finds the new link
        // without a record that confirms it sees that the rename is in progress.
        let lock = store::lock(self.paths(), &id).doing(doing)?;
        let record = store::load(self.paths(), &id).doing(doing)?;
        let record = record.ok_or_else(|| store::Error::NotFound(target.to_owned())).doing(doing)?;
        if record.name == name {
            return Err(SameName).doing(doing);
        }
        let mut patience = Patience::new(KILL_PATIENCE);
        let warnings = loop {
            match ask(self.paths(), &id, None, Ask::Rename { name: name.as_str().to_owned() }) {
                Err(launch::Error::Gone) if !launch::is_monitored(self.paths(), &id).doing(doing)? => {
                    break self.rename_unmonitored(&id, name).doing(doing)?;
                }
                Err(launch::Error::Gone) if patience.lasts(self.paths(), &id) => {
                    std::thread::sleep(ASK_AGAIN);
                }
                result => break result.doing(doing)?,
            }
        };
        drop(lock);
        Ok(Warnings(warnings))
    }

    /// Renames a container without a monitor. The caller holds its lock. Keeps what its monitor
    /// wrote last, and returns warnings.
    fn rename_unmonitored(
        &self,
        id: &ContainerId,
        name: Name,
    ) -> std::result::Result<Vec<String>, store::Error> {
        let record = store::load(self.paths(), id)?;
        let mut record = record.ok_or_else(|| store::Error::NotFound(id.as_str().to_owned()))?;
        if record.name == name {
            return Ok(Vec::new()); // the monitor wrote the name before it exited
        }
        let old = format!("/{}", record.name);
        store::rename(self.paths(), &mut record, name)?;
        let untold = journal::tell_or_warn(self.paths(), &record, "rename", &[("oldName", old.as_str())]);
        Ok(untold.into_iter().collect())
    }
}

/// Parses a signal name or number.
pub(super) fn number(word: &str) -> std::result::Result<i32, lifecycle::Error> {
    signal::parse(word).ok_or_else(|| lifecycle::Error::Signal(word.to_owned()))
}
