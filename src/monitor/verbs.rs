//! The verbs that a monitor serves on its socket.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::error::{Error, Refused};
use super::life::Order;
use super::run::{Monitor, Pausing, Waiter};
use super::session::{Asker, report_error};
use super::start::Up;
use super::wire::{Answer, Ask};
use crate::base::Name;
use crate::base::error::one_line;
use crate::container::{Conflict, Options, Status, Verb, store};
use crate::sys::{self, signal};

/// The time limit of a pause.
const FREEZE_LIMIT: Duration = Duration::from_secs(10);

/// Serves a verb for a container that is up.
pub(super) fn serve(monitor: &mut Monitor, up: &mut Up, asker: Asker, ask: Ask) {
    let result = match &ask {
        Ask::Stop { signal, at_shutdown: false, .. } => end(monitor, up, Order::Stop, *signal, &ask),
        Ask::Stop { signal, at_shutdown: true, .. } => end(monitor, up, Order::Shutdown, *signal, &ask),
        Ask::Restart { signal, .. } => {
            save_before_restart(monitor, up).and_then(|()| end(monitor, up, Order::Restart, *signal, &ask))
        }
        Ask::Kill { signal, .. } => kill(monitor, up, *signal),
        Ask::Pause => pause(monitor, up),
        Ask::Unpause => unpause(monitor, up),
        Ask::Rename { name } => rename(monitor, name),
        Ask::Resize { rows, columns } => resize(monitor, *rows, *columns),
        Ask::Ping | Ask::Attach(_) => Ok(When::Now(Vec::new())),
    };
    match result {
        Ok(When::Now(warnings)) => asker.answer_done(&warnings),
        Ok(When::AtTheEnd(warnings)) => wait(monitor, asker, &ask, warnings),
        Ok(When::Paused) => {
            asker.answer(&Answer::Accepted);
            if let Some(pausing) = &mut monitor.pausing {
                pausing.askers.push(asker);
            }
        }
        Err(fault) => fault.tell(&asker),
    }
}

/// Adds a client that waits until the verb is done.
fn wait(monitor: &mut Monitor, asker: Asker, ask: &Ask, warnings: Vec<String>) {
    asker.answer(&Answer::Accepted);
    let wants_restart = matches!(ask, Ask::Restart { .. });
    monitor.waiters.push(Waiter { asker, warnings, wants_restart });
}

/// Serves a verb for a container that waits for its restart.
pub(super) fn serve_waiting(monitor: &mut Monitor, asker: Asker, ask: Ask) {
    let refuse = |asker: Asker, verb| match Status::Restarting.after(verb) {
        Ok(_) => asker.answer(&Answer::Done),
        Err(conflict) => asker.refuse(&conflict),
    };
    match &ask {
        Ask::Stop { at_shutdown: true, .. } => {
            monitor.order = Some(Order::Shutdown);
            wait(monitor, asker, &ask, Vec::new());
        }
        Ask::Stop { .. } | Ask::Kill { .. } => {
            monitor.order = Some(Order::Stop);
            by_hand(monitor);
            wait(monitor, asker, &ask, Vec::new());
        }
        Ask::Restart { .. } => {
            monitor.order = Some(Order::Restart);
            wait(monitor, asker, &ask, Vec::new());
        }
        Ask::Rename { name } => match rename(monitor, name) {
            Ok(When::Now(warnings) | When::AtTheEnd(warnings)) => asker.answer_done(&warnings),
            Ok(When::Paused) => asker.answer(&Answer::Done),
            Err(fault) => fault.tell(&asker),
        },
        Ask::Pause => refuse(asker, Verb::Pause),
        Ask::Unpause => refuse(asker, Verb::Unpause),
        Ask::Ping => asker.answer(&Answer::Done),
        Ask::Resize { .. } | Ask::Attach(_) => asker.refuse(&Refused::Session),
    }
}

/// When a verb is answered, and its warnings until then.
enum When {
    Now(Vec<String>),
    AtTheEnd(Vec<String>),
    /// When [`Monitor::pausing`] is done.
    Paused,
}

/// The verb is done; returns the warning if its event was not written.
fn done(warning: Option<String>) -> When {
    When::Now(warning.into_iter().collect())
}

/// A verb failed.
enum Fault {
    Refused(Conflict),
    Failed(Error),
}

impl Fault {
    fn tell(&self, asker: &Asker) {
        match self {
            Self::Refused(conflict) => asker.refuse(conflict),
            Self::Failed(error) => asker.refuse(error),
        }
    }
}

impl<E: Into<Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

type Outcome = Result<When, Fault>;

/// Writes both state files unchanged. If that fails, a restart would fail too, so a running
/// container is not stopped for it.
fn save_before_restart(monitor: &Monitor, up: &Up) -> Result<(), Fault> {
    store::save(&monitor.paths, &monitor.record)?;
    Ok(store::save_run(&monitor.paths, &monitor.record.id, &up.run)?)
}

/// Sends the signal, and schedules SIGKILL.
fn end(monitor: &mut Monitor, up: &mut Up, order: Order, signal: Option<i32>, ask: &Ask) -> Outcome {
    let config = &monitor.record.config;
    let number = signal.or_else(|| signal::parse(config.lifecycle.stop_signal())).unwrap_or(libc::SIGTERM);
    let grace = ask.grace(config.lifecycle.stop_timeout());
    let due = grace.and_then(|grace| Instant::now().checked_add(grace));
    let warnings = send_for(monitor, up, number, |monitor| {
        monitor.order = Some(order);
        monitor.kill_at = [monitor.kill_at, due].into_iter().flatten().min();
        if order == Order::Stop {
            by_hand(monitor);
        }
    })?;
    Ok(When::AtTheEnd(warnings))
}

fn kill(monitor: &mut Monitor, up: &mut Up, number: i32) -> Outcome {
    let warnings = send_for(monitor, up, number, |monitor| {
        if ends_it(&monitor.record.config, number) {
            by_hand(monitor);
        }
        // A user who kills it does not want the restart that another one is waiting for.
        if number == libc::SIGKILL && monitor.order == Some(Order::Restart) {
            monitor.order = Some(Order::Stop);
        }
    })?;
    Ok(if number == libc::SIGKILL { When::AtTheEnd(warnings) } else { When::Now(warnings) })
}

/// Whether a user who sends this signal wants to stop the container, so that no policy restarts it.
/// Other signals (SIGHUP) may just notify it.
fn ends_it(config: &Options, number: i32) -> bool {
    [libc::SIGKILL, libc::SIGTERM].contains(&number)
        || signal::parse(config.lifecycle.stop_signal()) == Some(number)
}

/// Sends a signal after `change` has noted the user's intention, which is reverted if the signal
/// cannot be sent.
fn send_for(
    monitor: &mut Monitor,
    up: &mut Up,
    number: i32,
    change: impl FnOnce(&mut Monitor),
) -> Result<Vec<String>, Fault> {
    let before = (monitor.order, monitor.kill_at, monitor.record.state.stopped_by_hand);
    change(monitor);
    let sent = send(monitor, up, number);
    if sent.is_err() {
        let was_by_hand = std::mem::replace(&mut monitor.record.state.stopped_by_hand, before.2);
        (monitor.order, monitor.kill_at) = (before.0, before.1);
        if was_by_hand != before.2 {
            save(monitor);
        }
    }
    sent
}

/// Sends a signal to the container's init. Thaws the container first if the signal is to end it.
/// Returns warnings.
fn send(monitor: &mut Monitor, up: &mut Up, number: i32) -> Result<Vec<String>, Fault> {
    match sys::process::signal(up.pidfd.as_fd(), number) {
        Err(error) if error.is(rustix::io::Errno::SRCH) => {} // it is exiting already
        result => result?,
    }
    let ends = number == libc::SIGKILL || monitor.order.is_some();
    if ends && let Some(pausing) = monitor.pausing.take() {
        up.cgroup.cancel_freeze();
        let conflict = Conflict { verb: Verb::Pause, status: Status::Exited };
        pausing.askers.iter().for_each(|asker| asker.refuse(&conflict));
    }
    let mut warnings = Vec::new();
    if up.run.status == Status::Paused && ends {
        up.cgroup.thaw()?;
        up.run.status = Status::Running;
        // The signal is sent, even if the state cannot be written.
        if let Err(error) = store::save_run(&monitor.paths, &monitor.record.id, &up.run) {
            report_error(&error);
            warnings.push(format!("it is still shown as paused: {}", one_line(&error)));
        }
        warnings.extend(monitor.tell("unpause", &[]));
    }
    warnings.extend(monitor.tell("kill", &[("signal", &number.to_string())]));
    Ok(warnings)
}

/// Kills the container after the timeout of a stop.
pub(super) fn kill_now(monitor: &mut Monitor, up: &mut Up) {
    match send(monitor, up, libc::SIGKILL) {
        Ok(warnings) => monitor.warn_waiters(warnings),
        Err(Fault::Failed(error)) => report_error(&error),
        Err(Fault::Refused(conflict)) => report_error(&conflict),
    }
}

/// Records that a user stopped it: no policy restarts it, not even after a reboot.
fn by_hand(monitor: &mut Monitor) {
    monitor.record.state.stopped_by_hand = true;
    save(monitor);
}

fn save(monitor: &Monitor) {
    if let Err(error) = store::save(&monitor.paths, &monitor.record) {
        report_error(&error);
    }
}

/// Starts a pause. Streams and other verbs are served while processes freeze, since they may hang
/// in the kernel.
fn pause(monitor: &mut Monitor, up: &mut Up) -> Outcome {
    up.run.status.after(Verb::Pause).map_err(Fault::Refused)?;
    if monitor.pausing.is_some() {
        return Ok(When::Paused);
    }
    let freezing = up.cgroup.begin_freeze()?;
    match up.cgroup.has_frozen(&freezing) {
        Ok(true) => Ok(done(paused(monitor, up)?)),
        Ok(false) => {
            let until = Instant::now() + FREEZE_LIMIT;
            monitor.pausing = Some(Pausing { freezing, askers: Vec::new(), until });
            Ok(When::Paused)
        }
        Err(error) => {
            up.cgroup.cancel_freeze();
            Err(error.into())
        }
    }
}

/// Continues a pause in progress.
pub(super) fn go_on_pausing(monitor: &mut Monitor, up: &mut Up) {
    let Some(pausing) = &monitor.pausing else { return };
    let outcome = match up.cgroup.has_frozen(&pausing.freezing) {
        Ok(true) => paused(monitor, up),
        Ok(false) if Instant::now() < pausing.until => return,
        Ok(false) => Err(up.cgroup.not_frozen(FREEZE_LIMIT).into()),
        Err(error) => Err(error.into()),
    };
    let askers = monitor.pausing.take().map(|pausing| pausing.askers).unwrap_or_default();
    match outcome {
        Ok(warning) => {
            let warnings: Vec<String> = warning.into_iter().collect();
            askers.iter().for_each(|asker| asker.answer_done(&warnings));
        }
        Err(fault) => {
            up.cgroup.cancel_freeze();
            askers.iter().for_each(|asker| fault.tell(asker));
        }
    }
}

/// All processes are frozen: records that, or thaws them if it fails.
fn paused(monitor: &mut Monitor, up: &mut Up) -> Result<Option<String>, Fault> {
    if let Err(error) = set_status(monitor, up, Status::Paused) {
        up.cgroup.cancel_freeze(); // otherwise nobody would know that it must be resumed
        return Err(error);
    }
    Ok(monitor.tell("pause", &[]))
}

fn unpause(monitor: &mut Monitor, up: &mut Up) -> Outcome {
    let next = up.run.status.after(Verb::Unpause).map_err(Fault::Refused)?;
    set_status(monitor, up, next)?;
    if let Err(error) = up.cgroup.thaw() {
        let _ = set_status(monitor, up, Status::Paused); // return the first error
        return Err(error.into());
    }
    Ok(done(monitor.tell("unpause", &[])))
}

/// Writes the status. If that fails, the status is unchanged.
fn set_status(monitor: &Monitor, up: &mut Up, status: Status) -> Result<(), Fault> {
    let before = std::mem::replace(&mut up.run.status, status);
    let saved = store::save_run(&monitor.paths, &monitor.record.id, &up.run);
    saved.inspect_err(|_| up.run.status = before).map_err(Fault::from)
}

fn rename(monitor: &mut Monitor, name: &str) -> Outcome {
    let name: Name = name.parse().map_err(|_| {
        store::Error::NotFound(name.to_owned()) // cannot happen: the client parsed it
    })?;
    let old = monitor.record.name.clone();
    store::rename(&monitor.paths, &mut monitor.record, name)?;
    Ok(done(monitor.tell("rename", &[("oldName", &format!("/{old}"))])))
}

fn resize(monitor: &mut Monitor, rows: u16, columns: u16) -> Outcome {
    monitor.session.resize(rows, columns);
    let (height, width) = (rows.to_string(), columns.to_string());
    Ok(done(monitor.tell("resize", &[("height", &height), ("width", &width)])))
}
