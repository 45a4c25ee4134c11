//! A container from its start to its end, including restarts: what `hoist monitor run` does, and
//! `hoist monitor adopt` from the middle on.
//!
//! ```text
//!          ┌────────────────────── back-off, or `restart` ───────────────────┐
//!          ▼                                                                 │
//!  start ──┬── "started" ──▶ watch: streams, verbs, deadlines ──▶ settle ────┤
//!          └── "failed"                                                      └──▶ end: remove with --rm
//! ```

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::event::PollFlags;

use super::error::Error;
use super::guard::Guard;
use super::life::{BackOff, Order, next};
use super::poll::{self, Event, Source, Stage, Timer, Waits};
use super::session::{Asker, Session, note, report_error};
use super::settle::{self, End, Next};
use super::start::{StartOptions, Up, start};
use super::usage::Usage;
use super::wire::Ask;
use super::{journal, verbs};
use crate::base::Paths;
use crate::base::disk::Lock;
use crate::base::error::one_line;
use crate::cgroup::{Freezing, OomEvents};
use crate::container::record::UNKNOWN;
use crate::container::{Conflict, Process, Record, Status, Verb, store};
use crate::sys;
use crate::sys::probe::Probe;

/// The polling interval of a v1 freezer, which sends no notifications.
const FREEZER_TICK: Duration = Duration::from_millis(10);
/// A container's monitor.
#[derive(Debug)]
pub(super) struct Monitor {
    pub(super) paths: Paths,
    pub(super) record: Record,
    pub(super) probe: Probe,
    pub(super) session: Session,
    /// Held while this process is the only one that may write the record and the run.
    pub(super) lock: Option<Lock>,
    /// Clients that wait until the container has exited or is running again.
    pub(super) waiters: Vec<Waiter>,
    pub(super) order: Option<Order>,
    /// When to send SIGKILL.
    pub(super) kill_at: Option<Instant>,
    /// A pause in progress.
    pub(super) pausing: Option<Pausing>,
    back_off: BackOff,
    /// Whether the kernel has reported that this run is out of memory.
    is_out_of_memory: bool,
}

/// A client that waits until its request is done.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) asker: Asker,
    /// Warnings, one sentence each.
    pub(super) warnings: Vec<String>,
    /// Whether it waits until the container is running again.
    pub(super) wants_restart: bool,
}

/// A pause that waits until every process of the container is frozen.
#[derive(Debug)]
pub(super) struct Pausing {
    pub(super) freezing: Freezing,
    /// The clients that wait for it.
    pub(super) askers: Vec<Asker>,
    /// When it fails.
    pub(super) until: Instant,
}

impl Pausing {
    /// Returns when to check again if there are no notifications.
    fn look_at(&self) -> Instant {
        match self.freezing.events() {
            Some(_) => self.until,
            None => self.until.min(Instant::now() + FREEZER_TICK),
        }
    }
}

impl Monitor {
    pub(super) fn new(paths: Paths, record: Record, probe: Probe, session: Session, lock: Lock) -> Self {
        Self {
            paths,
            record,
            probe,
            session,
            lock: Some(lock),
            waiters: Vec::new(),
            order: None,
            kill_at: None,
            pausing: None,
            back_off: BackOff::new(),
            is_out_of_memory: false,
        }
    }

    /// Starts the container for a user, which resets the count of failures.
    pub(super) fn start_by_hand(&mut self) -> Result<Up, Error> {
        self.record.state.restart_count = 0;
        self.start(Status::Running)
    }

    /// Starts the container. Others see `status` until its program is executed.
    fn start(&mut self, status: Status) -> Result<Up, Error> {
        let options = StartOptions { size: self.session.first_size(), status };
        let mut up = start(&self.paths, &mut self.record, &self.probe, options)?;
        self.session.begin(std::mem::take(&mut up.streams));
        // After a start by policy nobody else gets these warnings.
        up.warnings.iter().for_each(|warning| note(warning));
        Ok(up)
    }

    /// Cleans up after a failed first start: removes the run's folder, and with `--rm` the
    /// container.
    pub(super) fn give_up(self) {
        let forgotten = if self.record.config.lifecycle.auto_remove {
            settle::remove(&self.paths, &self.record).and_then(|(discarded, untold)| {
                untold.iter().for_each(|warning| note(warning));
                Ok(store::delete(&discarded)?)
            })
        } else {
            store::forget_run(&self.paths, &self.record.id).map_err(Error::from)
        };
        if let Err(error) = forgotten {
            report_error(&error); // return the first error
        }
    }

    /// Watches a container that is up until its end, including restarts by its policy.
    pub(super) fn run(mut self, mut up: Up) -> Result<(), Error> {
        loop {
            let began = Instant::now();
            let end = self.watch(&mut up)?;
            self.session.drain();
            self.note_log_fault(&mut up);
            let next = next(&self.record, self.order, end.code);
            if self.order == Some(Order::Restart) {
                self.record.state.restart_count = 0;
                self.record.state.stopped_by_hand = false;
            }
            let errors = settle::settle(&self.paths, &mut self.record, Some(&up.run), end, next);
            errors.iter().for_each(|error| report_error(error));
            if next != Next::Restart {
                return self.end(next, Some(end.code));
            }
            self.session.finish_clients(end.code);
            self.back_off.note_run(began.elapsed());
            match self.again() {
                Some(next_up) => up = next_up,
                None => return self.end(Next::Stay, None),
            }
        }
    }

    /// Restarts and watches a container whose monitor was killed between two runs.
    pub(super) fn resume(mut self) -> Result<(), Error> {
        match self.again() {
            Some(up) => self.run(up),
            None => self.end(Next::Stay, None),
        }
    }

    /// Writes an event to the journal. Returns a warning for the client if that fails, which does
    /// not undo the action.
    #[must_use = "who asked is to be warned"]
    pub(super) fn tell(&self, action: &str, more: &[(&str, &str)]) -> Option<String> {
        let warning = journal::tell_or_warn(&self.paths, &self.record, action, more);
        warning.iter().for_each(|warning| note(warning));
        warning
    }

    /// Adds warnings for all waiting clients.
    pub(super) fn warn_waiters(&mut self, warnings: impl IntoIterator<Item = String>) {
        for warning in warnings {
            self.waiters.iter_mut().for_each(|waiter| waiter.warnings.push(warning.clone()));
        }
    }

    /// Tells all waiting clients that it is done.
    fn answer_waiters(&mut self) {
        self.waiters.drain(..).for_each(|waiter| waiter.asker.answer_done(&waiter.warnings));
    }

    /// Returns the next run; `None` if a user stopped the container meanwhile, or if the start
    /// fails and neither the policy nor a user's restart permits another attempt.
    fn again(&mut self) -> Option<Up> {
        loop {
            let is_wanted = self.wait_for_restart();
            let is_by_hand = self.order.is_some();
            let started = match is_wanted {
                Ok(false) => return None,
                Ok(true) => self.start_again(),
                Err(error) => {
                    self.refuse_waiters(&error);
                    return None;
                }
            };
            match started {
                Ok(up) => return Some(up),
                Err(error) => self.refuse_waiters(&error),
            }
            // The attempt may have recorded a run.
            let waiting = settle::waiting_run(Process::own());
            if let Err(error) = store::replace_run(&self.paths, &self.record.id, &waiting) {
                report_error(&error); // on a full disk the next start fails too, but perhaps not the one after it
            }
            if is_by_hand || !self.record.wants_restart(self.record.state.exit_code) {
                return None;
            }
        }
    }

    fn refuse_waiters(&mut self, error: &Error) {
        report_error(error);
        self.waiters.drain(..).for_each(|waiter| waiter.asker.refuse(error));
    }

    /// Waits for the back-off, unless a user is waiting or sends a request meanwhile. Returns
    /// whether to start the container, which is not the case if a user stopped it. Since the last
    /// run was settled, the state files say that the container is restarting, so if this monitor is
    /// killed, another one continues. Before that, only the policy says so: without one, a requested
    /// restart is lost with this monitor, and the command that requested it starts the container
    /// itself.
    fn wait_for_restart(&mut self) -> Result<bool, Error> {
        if self.order.is_none() {
            self.record.state.restart_count += 1;
            let until = Instant::now() + self.back_off.take();
            poll::serve(&mut Waiting { monitor: self, until: Some(until) })?;
        }
        Ok(!self.order.is_some_and(Order::ends))
    }

    fn start_again(&mut self) -> Result<Up, Error> {
        let by_hand = self.order.take().is_some();
        if by_hand {
            self.record.state.restart_count = 0;
            self.record.state.stopped_by_hand = false;
            self.back_off = BackOff::new();
            let warning = self.tell("stop", &[]);
            self.warn_waiters(warning);
        }
        let up = self.start(Status::Restarting)?;
        self.warn_waiters(up.warnings.iter().cloned());
        if by_hand {
            let warning = self.tell("restart", &[]);
            self.warn_waiters(warning);
        }
        self.answer_waiters();
        Ok(up)
    }

    /// Serves streams, verbs and deadlines until the container's init exits.
    fn watch(&mut self, up: &mut Up) -> Result<End, Error> {
        // The memory of the specification and the filter compiler is not needed until the next
        // start.
        sys::process::trim_heap();
        let guard = Guard::of(&self.paths, &up.run);
        let usage = up.run.init().map(|init| Usage::of(&self.paths, &self.record.id, init.pid));
        poll::serve(&mut Watching { monitor: self, up, guard, usage, has_ended: false })
    }

    fn ended(&mut self, up: &mut Up) -> Result<End, Error> {
        self.kill_at = None;
        let exit = match sys::process::try_wait(up.pidfd.as_fd()) {
            Ok(Some(exit)) => Some(exit),
            // Adopted: another process reaps it.
            Ok(None) | Err(_) => exit_of_adopted(up)?,
        };
        let code = exit.map_or(UNKNOWN, |exit| u8::try_from(exit.code() & 0xff).unwrap_or(UNKNOWN));
        // The kernel sends the event before it has killed and counted.
        if self.is_out_of_memory {
            self.note_oom(up);
        }
        let oom_killed = std::mem::take(&mut self.is_out_of_memory) && self.record.state.oom_killed;
        Ok(End { code, oom_killed, time: Timestamp::now() })
    }

    fn hear_out_of_memory(&mut self, up: &Up) {
        // Read it to get further events; the counters have the details.
        let _ = match &up.oom {
            Some(OomEvents::Readable(fd)) => rustix::io::read(fd, &mut [0; 8]),
            Some(OomEvents::Priority(fd)) => rustix::io::pread(fd, &mut [0; 512], 0),
            None => Ok(0),
        };
        self.is_out_of_memory = true;
        self.note_oom(up);
    }

    /// Records why the log is incomplete, for its readers.
    fn note_log_fault(&mut self, up: &mut Up) {
        let Some(fault) = self.session.take_log_fault().filter(|_| up.run.log_fault.is_empty()) else {
            return;
        };
        up.run.log_fault = fault;
        if let Err(error) = store::save_run(&self.paths, &self.record.id, &up.run) {
            report_error(&error); // written again when it exits
        }
    }

    fn note_oom(&mut self, up: &Up) {
        if up.cgroup.stats().oom_kills > 0 && !self.record.state.oom_killed {
            self.record.state.oom_killed = true;
            if let Err(error) = journal::tell(&self.paths, &self.record, "oom", &[]) {
                report_error(&error);
            }
        }
    }

    /// After the last run: answers waiting clients, removes the container with `--rm`, and delivers
    /// pending output.
    fn end(mut self, next: Next, code: Option<u8>) -> Result<(), Error> {
        let is_removed = next == Next::Remove || self.record.config.lifecycle.auto_remove;
        // A restart that failed has kept the run. This comes before the event, because its readers then
        // look at the container, which must no longer be restarting.
        if !is_removed && code.is_none() {
            settle::conclude(&self.paths, &self.record).iter().for_each(|error| report_error(error));
        }
        if self.order.is_some_and(Order::ends) {
            let warning = self.tell("stop", &[]);
            self.warn_waiters(warning);
        } else if code.is_none() {
            // The end of its last run was reported before the restart that has failed.
            let code = self.record.state.exit_code.to_string();
            let warning = self.tell("die", &[("exitCode", &code)]);
            self.warn_waiters(warning);
        }
        let removed = is_removed.then(|| settle::remove(&self.paths, &self.record)).transpose();
        let warning = match &removed {
            Ok(removed) => removed.as_ref().and_then(|(_, untold)| untold.clone()),
            // It has exited nevertheless; the next call removes it.
            Err(error) => Some(format!("it cannot be removed: {}", one_line(error))),
        };
        warning.iter().for_each(|warning| note(warning));
        self.warn_waiters(warning);
        // Clients must see the final state when they get the answer.
        self.lock = None;
        let stopped = Conflict { verb: Verb::Start, status: Status::Exited };
        for waiter in self.waiters.extract_if(.., |waiter| waiter.wants_restart) {
            waiter.asker.refuse(&stopped); // a user stopped it meanwhile
        }
        self.answer_waiters();
        self.session.finish_clients(code.unwrap_or(self.record.state.exit_code));
        poll::deliver_rest(&mut self.session)?;
        if let Ok(Some((discarded, _))) = removed {
            store::delete(&discarded)?;
        }
        Ok(())
    }
}

/// A container that is up.
struct Watching<'a> {
    monitor: &'a mut Monitor,
    up: &'a mut Up,
    guard: Option<Guard>,
    usage: Option<Usage>,
    /// Whether its init has exited.
    has_ended: bool,
}

impl Stage for Watching<'_> {
    type End = End;

    fn session(&self) -> &Session {
        &self.monitor.session
    }

    fn session_mut(&mut self) -> &mut Session {
        &mut self.monitor.session
    }

    fn wait_for<'a>(&'a self, waits: &mut Waits<'a>) {
        match &self.up.oom {
            Some(OomEvents::Readable(fd)) => waits.source(Source::OutOfMemory, fd.as_fd(), PollFlags::IN),
            Some(OomEvents::Priority(fd)) => waits.source(Source::OutOfMemory, fd.as_fd(), PollFlags::PRI),
            None => {}
        }
        if let Some(guard) = &self.guard {
            waits.source(Source::Rules, guard.fd(), PollFlags::IN);
            waits.timer(Timer::Rules, guard.due());
        }
        if let Some(pausing) = &self.monitor.pausing {
            if let Some(fd) = pausing.freezing.events() {
                waits.source(Source::Freezer, fd, PollFlags::PRI);
            }
            waits.timer(Timer::Freezer, Some(pausing.look_at()));
        }
        waits.timer(Timer::Usage, self.usage.as_ref().map(Usage::due));
        waits.timer(Timer::Kill, self.monitor.kill_at);
        waits.source(Source::Payload, self.up.pidfd.as_fd(), PollFlags::IN);
    }

    fn take(&mut self, event: Event) -> Result<(), Error> {
        let Self { monitor, up, guard, usage, has_ended } = self;
        match event {
            Event::Ready(Source::OutOfMemory, _) => monitor.hear_out_of_memory(up),
            Event::Ready(Source::Rules, _) => guard.iter_mut().for_each(Guard::hear),
            Event::Due(Timer::Rules) => guard.iter_mut().for_each(Guard::act),
            Event::Ready(Source::Payload, _) => *has_ended = true,
            // After the exit it can be neither paused nor killed.
            _ if *has_ended => {}
            Event::Ready(Source::Freezer, _) | Event::Due(Timer::Freezer) => {
                verbs::go_on_pausing(monitor, up)
            }
            Event::Due(Timer::Usage) => usage.iter_mut().for_each(|usage| usage.act(&up.cgroup)),
            Event::Due(Timer::Kill) => {
                monitor.kill_at = None;
                verbs::kill_now(monitor, up);
            }
            Event::Ready(_, _) | Event::Due(_) => {}
        }
        Ok(())
    }

    fn serve(&mut self, asker: Asker, ask: Ask) {
        verbs::serve(self.monitor, self.up, asker, ask);
    }

    fn end(&mut self) -> Result<Option<End>, Error> {
        self.monitor.note_log_fault(self.up);
        if !self.has_ended {
            return Ok(None);
        }
        self.monitor.pausing = None;
        self.monitor.ended(self.up).map(Some)
    }
}

/// A container that waits for its restart.
struct Waiting<'a> {
    monitor: &'a mut Monitor,
    /// When to start it; `None` once that time has come.
    until: Option<Instant>,
}

impl Stage for Waiting<'_> {
    type End = ();

    fn session(&self) -> &Session {
        &self.monitor.session
    }

    fn session_mut(&mut self) -> &mut Session {
        &mut self.monitor.session
    }

    fn wait_for<'a>(&'a self, waits: &mut Waits<'a>) {
        waits.timer(Timer::BackOff, self.until);
    }

    fn take(&mut self, event: Event) -> Result<(), Error> {
        if event == Event::Due(Timer::BackOff) {
            self.until = None;
        }
        Ok(())
    }

    fn serve(&mut self, asker: Asker, ask: Ask) {
        verbs::serve_waiting(self.monitor, asker, ask);
    }

    fn end(&mut self) -> Result<Option<()>, Error> {
        let is_over = self.until.is_none() || self.monitor.order.is_some();
        Ok(is_over.then_some(()))
    }
}

/// Maximum time until the parent of a process reaps it.
const REAPED_WITHIN: Duration = Duration::from_millis(500);

/// Returns the exit code of a container whose init is not our child.
fn exit_of_adopted(up: &Up) -> Result<Option<sys::process::Exit>, Error> {
    let zombie = || up.run.init().and_then(crate::container::Process::status_of_zombie);
    if let Some(status) = zombie() {
        return Ok(Some(sys::process::Exit::of_status(status)));
    }
    sys::pidfd::wait_until_reaped(up.pidfd.as_fd(), REAPED_WITHIN)?;
    Ok(sys::pidfd::exit_of_other(up.pidfd.as_fd())?)
}

#[cfg(test)]
mod tests;
