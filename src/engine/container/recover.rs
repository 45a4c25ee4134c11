//! What becomes of a container without a monitor: its run is taken over, started again, or settled.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use super::super::error::{Doing, Error, Result};
use super::super::{Engine, Process, Record, Run};
use crate::base::disk::Lock;
use crate::base::error::one_line;
use crate::base::{ContainerId, ErrorKind, Explain, Paths};
use crate::cgroup;
use crate::container::store;
use crate::monitor::launch::{self, Role, launch};
use crate::monitor::settle::{self, End, Next};

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

/// What is there of a container without a monitor, besides its record and run.
#[derive(Debug, Clone, Copy)]
struct Left {
    dead: Dead,
    /// Its first process lives.
    is_alive: bool,
    /// The exit code of its first process, as far as the kernel still has it.
    code: u8,
    /// Something of it runs, as far as its cgroup tells.
    has_processes: bool,
    /// Its monitor was killed in a start, before it wrote of that.
    is_start_cut_off: bool,
}

/// What is to be done with it.
#[derive(Debug)]
enum Step {
    /// Its end is written down, which could not be when it came.
    Record(Run),
    /// Another monitor takes it over.
    Adopt(Run),
    /// Nothing: who ends it goes on. Another monitor would do as the policy says once it has ended.
    LeaveToItsEnd,
    /// Another monitor starts it again.
    Restart(Run),
    /// Nobody saw its end: that is recorded, and it is cleaned up.
    Settle(Option<Run>),
    /// What would tell of its processes is lost: a person ends them.
    Refuse,
    /// It has ended, and was to be removed then.
    Remove(Run),
    /// Its end is recorded, or it never ran: only what is left of the run goes.
    Clear(Option<Run>),
}

impl Left {
    fn step(self, record: &Record, run: Option<Run>) -> Step {
        let is_unseen = ended_unseen(record);
        let Some(run) = run else {
            return match (self.has_processes && !self.is_start_cut_off, is_unseen) {
                (true, _) => Step::Refuse,
                (false, true) => Step::Settle(None),
                (false, false) => Step::Clear(None),
            };
        };
        match self.dead {
            _ if run.ended.is_some() => Step::Record(run),
            Dead::Policy if self.is_alive => Step::Adopt(run),
            Dead::ByHand | Dead::Shutdown if self.is_alive => Step::LeaveToItsEnd,
            Dead::Policy if record.is_to_be_restarted(&run, self.code) => Step::Restart(run),
            _ if run.init.is_some() && is_unseen => Step::Settle(Some(run)),
            _ if record.config.lifecycle.auto_remove => Step::Remove(run),
            _ => Step::Clear(Some(run)),
        }
    }
}

impl Engine {
    /// Whether a container without a `run.json` is up all the same, when a monitor has it: that
    /// one ends its processes and writes its record before it forgets the run.
    pub(super) fn is_up_unwritten(&self, record: &Record) -> std::result::Result<bool, cgroup::Error> {
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
        let left = Left {
            dead,
            // Where there is a run, that tells more.
            has_processes: run.is_none() && self.has_processes(id).doing(doing)?,
            is_start_cut_off: is_start_cut_off(paths, &record),
            is_alive: run.as_ref().and_then(Run::init).is_some_and(Process::is_alive),
            code: run.as_ref().map_or(settle::UNKNOWN, unseen_code),
        };
        let mut untold = None;
        let errors = match left.step(&record, run) {
            Step::Record(run) => {
                settle::record_late(paths, &mut record, &run).doing(doing)?;
                Vec::new()
            }
            Step::Adopt(run) => return self.adopt(&record, &run, lock, busy),
            Step::Restart(run) => return self.carry_on(&mut record, run, lock, busy),
            Step::LeaveToItsEnd => return Ok(Recovery { is_ending: true, ..Recovery::default() }),
            Step::Settle(run) => {
                let errors;
                (errors, untold) = self.settle_unseen(&mut record, run.as_ref())?;
                errors
            }
            Step::Refuse => return Err(RunLost::of(paths, id)).doing(doing),
            Step::Remove(run) => {
                let errors = settle::clear(paths, id, Some(&run));
                untold = self.remove_ended(&record)?;
                errors
            }
            Step::Clear(run) => {
                let errors = settle::clear(paths, id, run.as_ref());
                store::forget_run(paths, id).doing(doing)?;
                errors
            }
        };
        drop(lock);
        let unwritten = unwritten.map(|error| one_line(&error));
        let warnings =
            warnings_of(&record.name, &errors).into_iter().chain(unwritten).chain(untold).collect();
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
            let untold = self.remove_ended(&record)?;
            untold.iter().for_each(|warning| tracing::warn!("{warning}")); // an error is returned
            return Ok(());
        }
        // What it cannot write is written at the next look.
        let _ = settle::conclude(paths, &record);
        Ok(())
    }

    /// Nobody saw the end of this run; without one, it was of another boot. Gives also what to
    /// warn of.
    fn settle_unseen(
        &self,
        record: &mut Record,
        run: Option<&Run>,
    ) -> Result<(Vec<crate::monitor::Error>, Option<String>)> {
        let paths = self.paths();
        let is_removed = record.config.lifecycle.auto_remove;
        let next = if is_removed { Next::Remove } else { Next::Stay };
        let end = unseen_end(record, run);
        let errors = settle::settle(paths, record, run, end, next);
        let untold = if is_removed { self.remove_ended(record)? } else { None };
        Ok((errors, untold))
    }

    /// Removes a container that was to be removed at its end; and what to warn of.
    fn remove_ended(&self, record: &Record) -> Result<Option<String>> {
        let doing = || format!("remove `{}`", record.name);
        let (discarded, untold) = settle::remove(self.paths(), record).doing(doing)?;
        store::delete(&discarded).doing(doing)?;
        Ok(untold)
    }

    /// Removes what is left of the run of a container that is gone. Processes
    /// are left alone: a removal ends them first, so these mean that the data folder was
    /// lost, or is not mounted.
    pub(super) fn clear_orphan(&self, id: &ContainerId) -> Result<Vec<String>> {
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
}

/// Whether the record tells of a start and of no end. Where there is no run either, the
/// machine went down meanwhile.
pub(super) fn ended_unseen(record: &Record) -> bool {
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
pub(super) fn unseen_end(record: &mut Record, run: Option<&Run>) -> End {
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
pub(super) fn unseen_code(run: &Run) -> u8 {
    let status = run.init().and_then(Process::status_of_zombie);
    let exit = status.map(crate::sys::process::Exit::of_status);
    exit.and_then(|exit| u8::try_from(exit.code() & 0xff).ok()).unwrap_or(settle::UNKNOWN)
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
pub(super) struct RecordLost;

impl Explain for RecordLost {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Corrupt
    }

    fn hint(&self) -> Option<String> {
        Some("mount the data folder where it was; or `hoist system reset` ends everything".to_owned())
    }
}

/// A clean-up goes on after failures; who looks cannot help it, but should know.
fn warnings_of(name: &dyn std::fmt::Display, errors: &[crate::monitor::Error]) -> Vec<String> {
    let why = errors.iter().map(|error| one_line(error));
    why.map(|why| format!("cannot clean up after `{name}` completely: {why}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::{RestartPolicy, Status};

    /// A record that was started, or was not, and whose end is written, or is not.
    fn record(policy: RestartPolicy, started: bool, finished: bool, auto_remove: bool) -> Record {
        let time = |is: bool| is.then_some("2026-11-22T11:00:00Z");
        let mut record: Record = serde_json::from_value(serde_json::json!({
            "version": 2, "id": "ab".repeat(32), "name": "web", "created": "2026-11-22T09:00:00Z",
            "image": "debian", "image_id": format!("sha256:{}", "ab".repeat(32)), "layers": [],
            "options": {}, "config": {},
            "state": {"started": time(started), "finished": time(finished), "exit_code": 1},
        }))
        .unwrap();
        record.config.lifecycle.restart = policy;
        record.config.lifecycle.auto_remove = auto_remove;
        record
    }

    fn run(status: Status, has_init: bool, starting: bool) -> Run {
        let process = Process { pid: 4_000_000, start_time: 1 };
        let mut run = settle::waiting_run(process);
        run.status = status;
        run.starting = starting;
        run.init = has_init.then_some(process.into());
        run
    }

    fn name(step: &Step) -> String {
        let shown = format!("{step:?}");
        shown.split(['(', ' ']).next().unwrap_or_default().to_owned()
    }

    #[test]
    fn what_is_left_decides_what_is_done() {
        let up = || Some(run(Status::Running, true, false));
        let starting = || Some(run(Status::Running, true, true));
        let waiting = || Some(run(Status::Restarting, false, false));
        let unwritten = || up().map(|run| Run { ended: Some(record_of(true).state), ..run });
        fn record_of(finished: bool) -> Record {
            record(RestartPolicy::No, true, finished, false)
        }
        let cases: [(&str, Option<Run>, bool, bool); 6] = [
            ("none", None, true, false),
            ("none", None, true, true),
            ("running", up(), true, false),
            ("starting", starting(), false, false),
            ("back-off", waiting(), true, true),
            ("unwritten end", unwritten(), true, false),
        ];
        let policies = [
            ("no", RestartPolicy::No, false),
            ("--rm", RestartPolicy::No, true),
            ("always", RestartPolicy::Always, false),
        ];
        let mut table = String::new();
        for (what, run, started, finished) in cases {
            for (policy, restart, auto_remove) in &policies {
                let record = record(restart.clone(), started, finished, *auto_remove);
                let has_init = run.as_ref().is_none_or(|run| run.init.is_some());
                let step = |dead, is_alive, has_processes| {
                    if is_alive && !has_init {
                        return "-".to_owned();
                    }
                    let left = Left { dead, is_alive, code: 1, has_processes, is_start_cut_off: false };
                    name(&left.step(&record, run.clone()))
                };
                let steps = [
                    step(Dead::Policy, false, false),
                    step(Dead::Policy, true, true),
                    step(Dead::ByHand, false, false),
                    step(Dead::ByHand, true, true),
                    step(Dead::Shutdown, false, false),
                    step(Dead::Shutdown, true, true),
                ];
                let end = if finished { "ended" } else { "" };
                table += &format!("{what:<14}{end:<6}{policy:<7}");
                table += &steps.iter().map(|step| format!("{step:<14}")).collect::<String>();
                table = table.trim_end().to_owned() + "\n";
            }
        }
        insta::assert_snapshot!(table, @r"
        none                no     Settle        Refuse        Settle        Refuse        Settle        Refuse
        none                --rm   Settle        Refuse        Settle        Refuse        Settle        Refuse
        none                always Settle        Refuse        Settle        Refuse        Settle        Refuse
        none          ended no     Clear         Refuse        Clear         Refuse        Clear         Refuse
        none          ended --rm   Clear         Refuse        Clear         Refuse        Clear         Refuse
        none          ended always Clear         Refuse        Clear         Refuse        Clear         Refuse
        running             no     Settle        Adopt         Settle        LeaveToItsEnd Settle        LeaveToItsEnd
        running             --rm   Settle        Adopt         Settle        LeaveToItsEnd Settle        LeaveToItsEnd
        running             always Restart       Adopt         Settle        LeaveToItsEnd Settle        LeaveToItsEnd
        starting            no     Clear         Adopt         Clear         LeaveToItsEnd Clear         LeaveToItsEnd
        starting            --rm   Remove        Adopt         Remove        LeaveToItsEnd Remove        LeaveToItsEnd
        starting            always Clear         Adopt         Clear         LeaveToItsEnd Clear         LeaveToItsEnd
        back-off      ended no     Restart       -             Clear         -             Clear         -
        back-off      ended --rm   Restart       -             Remove        -             Remove        -
        back-off      ended always Restart       -             Clear         -             Clear         -
        unwritten end       no     Record        Record        Record        Record        Record        Record
        unwritten end       --rm   Record        Record        Record        Record        Record        Record
        unwritten end       always Record        Record        Record        Record        Record        Record
        ");
    }

    #[test]
    fn processes_of_a_start_that_was_cut_off_end_with_it() {
        let record = record(RestartPolicy::No, false, false, false);
        let left = |is_start_cut_off| Left {
            dead: Dead::Policy,
            is_alive: false,
            code: 1,
            has_processes: true,
            is_start_cut_off,
        };
        assert_eq!(name(&left(true).step(&record, None)), "Clear");
        assert_eq!(name(&left(false).step(&record, None)), "Refuse");
    }
}
