//! The verbs that change a container, on a blocking thread: check, lock, and leave the rest
//! to the container's monitor, or to a new one.
//!
//! No lock is held while a monitor is waited for, but the start's own, which the monitor
//! has by then.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use super::super::attach::Begun;
use super::super::error::{Doing, Error, Result};
use super::super::{Engine, Gone, Name, Record, Run, Running, Status, Verb};
use super::end::{KILL_PATIENCE, MONITOR_PATIENCE, NotEnded, Patience};
use super::state::is_run_lost;
use super::{Stored, Warnings};
use crate::base::disk::{Lock, Rank};
use crate::base::journal::Kind;
use crate::base::{ContainerId, ErrorKind, Explain};
use crate::container::options::lifecycle;
use crate::container::{Conflict, Process, store};
use crate::monitor::journal;
use crate::monitor::launch::{self, Role, ask, launch};
use crate::monitor::recover::{Busy, Dead, cgroup, has_processes, lock_unless_stuck};
use crate::monitor::settle::{self, cgroup_parent};
use crate::monitor::wire::Ask;
use crate::sys::{self, signal};

/// When to look again at a container whose monitor was gone before it answered: it ended at this
/// moment and may be started again, or its monitor was killed.
pub(in crate::engine) const ASK_AGAIN: Duration = Duration::from_millis(1);

/// A container that a verb is for, with its state.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) record: Record,
    pub(super) run: Option<Run>,
    pub(super) status: Status,
}

/// The name is the container's own already.
#[derive(Debug, thiserror::Error)]
#[error("renaming a container with the same name as its current name")]
struct SameName;

impl Explain for SameName {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

impl Engine {
    /// The container that `target` means, with its state; dead runs are settled before.
    pub(super) fn target(&self, target: &str, doing: impl Fn() -> String) -> Result<Target> {
        match self.target_as_left(target, Busy::Wait, doing)? {
            (target, None) => Ok(target),
            (_, Some(trouble)) => Err(trouble),
        }
    }

    /// The same, and why its run could not be recovered: what ends a container goes on all the same.
    fn target_as_left(
        &self,
        target: &str,
        busy: Busy,
        doing: impl Fn() -> String,
    ) -> Result<(Target, Option<Error>)> {
        loop {
            let record = self.find(target).doing(&doing)?;
            if let Some((Stored { record, run, status, .. }, trouble)) = self.look(record, busy)? {
                return Ok((Target { record, run, status }, trouble));
            }
        }
    }

    /// Starts it; that it runs already is fine.
    pub(in crate::engine) fn start_now(&self, target: &str, clients: &[OwnedFd]) -> Result<Begun> {
        let called = self.called(target); // with --rm a start that fails leaves no name
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

    /// A monitor whose run is over needs a moment to end.
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

    /// As a stop, but its restart policy still holds, and a timeout without end is bounded. Of a
    /// container that is damaged, or cannot be read just now, the monitor knows what its files said.
    pub(in crate::engine) fn stop_for_shutdown(&self, id: &ContainerId) -> Result<Warnings> {
        let doing = || format!("stop `{}`", self.called(id.as_str()));
        let wish = Ask::Stop { signal: None, timeout: None, at_shutdown: true };
        match self.is_unreadable(id, doing) {
            Ok(false) => return self.end(id.as_str(), doing, &wish),
            Err(error) if !self.is_up_in_any_form(id) => return Err(error),
            Ok(true) | Err(_) => {}
        }
        match ask(self.paths(), id, None, wish) {
            Err(launch::Error::Silent | launch::Error::Gone | launch::Error::Unreachable(_)) => {
                self.kill_by_cgroup(id, Dead::Shutdown, doing)
            }
            result => result.map(Warnings).doing(doing),
        }
    }

    /// Whether it has a monitor or processes, whatever its files say.
    pub(in crate::engine) fn is_up_in_any_form(&self, id: &ContainerId) -> bool {
        self.is_up(id, String::new).unwrap_or(true)
    }

    /// Asks for an end, until it has come; a container that is not up has it already.
    fn end(&self, target: &str, doing: impl Fn() -> String, wish: &Ask) -> Result<Warnings> {
        // What must end in any case does not need the monitor for it.
        let must_end =
            matches!(wish, Ask::Kill { signal: libc::SIGKILL, .. } | Ask::Stop { at_shutdown: true, .. });
        let dead = match wish {
            Ask::Stop { at_shutdown: true, .. } => Dead::Shutdown,
            _ => Dead::ByHand,
        };
        let id = store::find_id(self.paths(), target).doing(&doing)?;
        let mut patience = Patience::new(if must_end { MONITOR_PATIENCE } else { KILL_PATIENCE });
        loop {
            let (found, trouble) = self.target_as_left(id.as_str(), Busy::Wait, &doing)?;
            let has_ended = !found.status.is_up() && found.status != Status::Restarting;
            match trouble {
                None if has_ended => return Ok(Warnings::default()),
                // Nothing starts it again, settled or not.
                Some(_) if has_ended && !found.record.wants_restart(settle::UNKNOWN) => {
                    return Ok(Warnings::default());
                }
                Some(_) if must_end => {
                    return self.kill_by_cgroup(&found.record.id, dead, &doing);
                }
                Some(trouble) => return Err(trouble),
                None => {}
            }
            match self.ask_for_end(&found, wish, &doing)? {
                Ok(warnings) => return Ok(Warnings(warnings)),
                Err(launch::Error::Gone) if patience.lasts(self.paths(), &id) => {
                    std::thread::sleep(ASK_AGAIN);
                }
                Err(launch::Error::Silent | launch::Error::Gone | launch::Error::Unreachable(_))
                    if must_end =>
                {
                    return self.kill_by_cgroup(&id, dead, &doing);
                }
                Err(error) => return Err(error).doing(&doing),
            }
        }
    }

    /// Ends a container whose state files do not tell how it is. Its monitor is told first, if
    /// it listens: it starts no other run then, and without a cgroup nothing else can end it.
    fn kill_unreadable(&self, id: &ContainerId, doing: impl Fn() -> String) -> Result<Warnings> {
        let _ = launch::tell(self.paths(), id, Ask::kill(libc::SIGKILL));
        self.kill_by_cgroup(id, Dead::ByHand, doing)
    }

    /// What works without the monitor, and without a state file that can be read. A monitor
    /// that does not see the end is ended too.
    fn kill_by_cgroup(&self, id: &ContainerId, dead: Dead, doing: impl Fn() -> String) -> Result<Warnings> {
        let kill = || -> Result<()> {
            let cgroup = cgroup(self.paths(), id);
            cgroup.kill().doing(&doing)?;
            if !cgroup.exists() {
                let run = store::load_run(self.paths(), id).ok().flatten();
                run.and_then(|run| run.init()).into_iter().for_each(kill_process);
            }
            Ok(())
        };
        if dead == Dead::ByHand {
            let _ = self.launcher().keep_from_restart(id); // it is ended in any case, and then this is tried again
        }
        kill()?;
        let end = Instant::now() + KILL_PATIENCE;
        let mut patience = Some(Instant::now() + MONITOR_PATIENCE);
        let mut warnings = BTreeSet::new();
        loop {
            let is_monitored = launch::is_monitored(self.paths(), id).doing(&doing)?;
            // What cannot be recovered tells nothing; without processes it has ended.
            let is_over = if is_monitored {
                self.is_concluded(id)
            } else {
                let recovery = self.recover(id, Busy::Wait, dead);
                let is_ending = recovery.as_ref().is_ok_and(|recovery| recovery.is_ending);
                warnings.extend(recovery.into_iter().flat_map(|recovery| recovery.warnings));
                if is_ending {
                    kill()?; // its monitor may have started it again before it was killed
                }
                !is_ending && !launch::is_monitored(self.paths(), id).doing(&doing)?
            };
            if is_over && !has_processes(self.paths(), id).doing(&doing)? {
                return Ok(Warnings(warnings.into_iter().collect()));
            }
            let now = Instant::now();
            if now > end {
                return Err(self.not_ended(id)).doing(&doing);
            }
            if patience.is_some_and(|at| at < now) {
                patience = None;
                let run = store::load_run(self.paths(), id).ok().flatten();
                let monitor = run.map(|run| run.monitor()).filter(|monitor| monitor.is_alive());
                monitor.or_else(|| launch::listener(self.paths(), id)).into_iter().for_each(kill_process);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether the monitor of a container has written down that its last run is over.
    fn is_concluded(&self, id: &ContainerId) -> bool {
        let has_run = !matches!(store::load_run(self.paths(), id), Ok(None));
        let has_ended = |record: Record| record.state.started.is_none() || record.state.finished.is_some();
        !has_run && store::load(self.paths(), id).ok().flatten().is_none_or(has_ended)
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

    pub(super) fn kill_now(&self, target: &str, word: &str) -> Result<Warnings> {
        let doing = || format!("kill `{}`", self.called(target));
        let number = number(word).doing(doing)?;
        let id = store::find_id(self.paths(), target).doing(doing)?;
        let mut patience = Patience::new(KILL_PATIENCE);
        let busy = if number == libc::SIGKILL { Busy::WaitAWhile } else { Busy::Wait };
        loop {
            let (found, trouble) = match self.target_as_left(id.as_str(), busy, doing) {
                // It cannot be told how it is, but it can be ended.
                Err(error) if number == libc::SIGKILL && error.kind() != ErrorKind::NotFound => {
                    let is_up = is_run_lost(&error) || self.is_up(&id, doing)?;
                    return if is_up { self.kill_unreadable(&id, doing) } else { Err(error) };
                }
                found => found?,
            };
            found.status.after(Verb::Kill).doing(doing)?;
            if trouble.is_some() {
                return self.kill_orphan(&found, number, doing);
            }
            match self.ask_for_end(&found, &Ask::kill(number), doing)? {
                Err(launch::Error::Silent | launch::Error::Unreachable(_)) if number == libc::SIGKILL => {
                    return self.kill_by_cgroup(&id, Dead::ByHand, doing);
                }
                // It ended at this moment, or its monitor cannot be reached.
                Err(launch::Error::Gone) if number == libc::SIGKILL => {
                    return match self.end(id.as_str(), doing, &Ask::kill(number)) {
                        Err(_) if store::load(self.paths(), &id).doing(doing)?.is_none() => {
                            Ok(Warnings::default())
                        }
                        result => result,
                    };
                }
                Err(launch::Error::Gone) if patience.lasts(self.paths(), &id) => {
                    std::thread::sleep(ASK_AGAIN);
                }
                result => return result.map(Warnings).doing(doing),
            }
        }
    }

    /// A signal to a container without a monitor; any ends the wait for a restart.
    fn kill_orphan(&self, found: &Target, number: i32, doing: impl Fn() -> String) -> Result<Warnings> {
        match found.run.as_ref().and_then(|run| run.init()) {
            Some(init) if number != libc::SIGKILL => {
                signal_process(init, number).doing(doing).map(Warnings::from)
            }
            _ => self.kill_by_cgroup(&found.record.id, Dead::ByHand, doing),
        }
    }

    /// Pauses it, or lets it go on.
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
            Ok(Some(record)) => match self.look(record, Busy::WaitAWhile) {
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

    /// Whether a container must be removed as one that cannot be read. One of which only the run
    /// is damaged or lost is ended, as `running` permits: its record tells all about it then.
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
        drop(self.kill_unreadable(id, &doing)?); // it goes: what is kept of it is no matter
        self.is_unreadable(id, doing)
    }

    /// Whether something of a container is there that must end before it can be removed.
    fn is_up(&self, id: &ContainerId, doing: impl Fn() -> String) -> Result<bool> {
        Ok(launch::is_monitored(self.paths(), id).doing(&doing)?
            || has_processes(self.paths(), id).doing(doing)?)
    }

    /// Removes it for good. Nothing tells how it wants to be stopped: it is killed.
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
            drop(self.kill_unreadable(id, &doing)?); // it goes: what is kept of it is no matter
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
        // It is removed; what is left of it outside of its folders is for a person to see.
        errors.into_iter().next().map_or(Ok(()), Err).doing(doing)?;
        Ok(Gone { warnings: Warnings(untold.into_iter().collect()), ..Gone::default() })
    }

    /// Locks a container that is to be removed, when nothing of it runs; `None` when
    /// it went by itself meanwhile.
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
                // With --rm it went by itself while it was ended.
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
                // Nothing of it lives. What of it cannot be cleared was told by the tries to settle it.
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
                Ok(_) => {} // what went without its event is gone
                Err(_) if store::load(self.paths(), id).doing(&doing)?.is_none() => return Ok(None),
                Err(error) if NotEnded::is_why(&error) => return Err(error),
                // What a restart that was under way failed on is no answer to this: once more.
                Err(error) if asked > 1 && self.is_up(id, &doing)? => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// Ends a start that does not come to its end, where that is wanted at once.
    fn end_stuck_start(&self, id: &ContainerId, running: Running, doing: impl Fn() -> String) -> Result<()> {
        match running {
            Running::Refuse => Err(Conflict { verb: Verb::Remove, status: Status::Running }).doing(doing),
            Running::Stop => Err(launch::Error::Silent).doing(doing),
            Running::Kill => {
                // Without a run there may be nothing yet but its monitor.
                if let Ok(None) = store::load_run(self.paths(), id) {
                    launch::listener(self.paths(), id).into_iter().for_each(kill_process);
                }
                self.kill_by_cgroup(id, Dead::ByHand, doing).map(drop)
            }
        }
    }

    /// Every container of which something is left: a folder, half-made ones too, a run, or a
    /// cgroup.
    ///
    /// # Errors
    ///
    /// The cgroups cannot be listed: something may run of which nothing else tells. When it is a
    /// folder that cannot be read, the others' ids are there.
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

    /// Removes a container in any state, or what is left of one.
    pub(in crate::engine) fn remove_whatever_it_is(&self, id: &ContainerId) -> Result<()> {
        let doing = || format!("remove `{}`", id.short());
        match store::load(self.paths(), id) {
            Ok(Some(_)) => match self.remove_now(id.as_str(), Running::Kill) {
                // With --rm it went by itself at this moment.
                Err(error) if error.kind() == ErrorKind::NotFound && !self.paths().container(id).exists() => {
                    Ok(())
                }
                result => result.map(drop),
            },
            Ok(None) | Err(_) => self.remove_unreadable(id, Running::Kill, doing).map(drop),
        }
    }

    /// Fails while something of a container lives.
    pub(in crate::engine) fn refuse_while_up(&self, id: &ContainerId) -> Result<()> {
        let doing = || format!("remove `{}`", id.short());
        if self.is_up(id, doing)? { Err(self.not_ended(id)).doing(doing) } else { Ok(()) }
    }

    pub(super) fn rename_now(&self, target: &str, name: Name) -> Result<Warnings> {
        let doing = || format!("rename `{}`", self.called(target));
        let id = self.target(target, doing)?.record.id;
        // Held over the question to the monitor, which does not take it: whoever finds the
        // new link without a record that confirms it sees that it is being made.
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

    /// Renames a container without a monitor, whose lock the caller has. What its monitor wrote last
    /// is kept. Gives what is to be warned of.
    fn rename_unmonitored(
        &self,
        id: &ContainerId,
        name: Name,
    ) -> std::result::Result<Vec<String>, store::Error> {
        let record = store::load(self.paths(), id)?;
        let mut record = record.ok_or_else(|| store::Error::NotFound(id.as_str().to_owned()))?;
        if record.name == name {
            return Ok(Vec::new()); // the monitor's last act
        }
        let old = format!("/{}", record.name);
        store::rename(self.paths(), &mut record, name)?;
        let untold = journal::tell_or_warn(self.paths(), &record, "rename", &[("oldName", old.as_str())]);
        Ok(untold.into_iter().collect())
    }
}

/// Kills this process, and no later one with its pid.
fn kill_process(process: Process) {
    let _ = signal_process(process, libc::SIGKILL); // gone already: fine
}

/// Sends a signal to this process, and to no later one with its pid; none when it is gone.
fn signal_process(process: Process, number: i32) -> sys::Result<()> {
    let pidfd = i32::try_from(process.pid).ok().and_then(|pid| sys::process::open(pid).ok());
    match pidfd.filter(|_| process.is_alive()) {
        Some(pidfd) => sys::process::signal(pidfd.as_fd(), number),
        None => Ok(()),
    }
}

/// A signal as people write it.
pub(super) fn number(word: &str) -> std::result::Result<i32, lifecycle::Error> {
    signal::parse(word).ok_or_else(|| lifecycle::Error::Signal(word.to_owned()))
}
