//! The verbs that a monitor takes over its socket.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::error::{Error, Refused};
use super::run::{Monitor, Order, Waiter};
use super::session::{Asker, report_error};
use super::start::Up;
use super::wire::{Answer, Ask};
use crate::base::Name;
use crate::container::{Status, Verb, store};
use crate::sys::{self, signal};

/// What a container gets at a shutdown that would be waited for without end, in seconds.
const MAX_SHUTDOWN_TIMEOUT: i64 = 90;

/// Serves a verb for a container that is up.
pub(super) fn serve(monitor: &mut Monitor, up: &mut Up, asker: Asker, ask: Ask) {
    let result = match &ask {
        Ask::Stop { signal, timeout, at_shutdown: false } => end(monitor, up, Order::Stop, *signal, *timeout),
        Ask::Stop { signal, timeout, at_shutdown: true } => {
            end(monitor, up, Order::Shutdown, *signal, *timeout)
        }
        Ask::Restart { signal, timeout } => end(monitor, up, Order::Restart, *signal, *timeout),
        Ask::Kill { signal, by_hand } => kill(monitor, up, *signal, *by_hand),
        Ask::Pause => pause(monitor, up),
        Ask::Unpause => unpause(monitor, up),
        Ask::Rename { name } => rename(monitor, name),
        Ask::Resize { rows, columns } => resize(monitor, *rows, *columns),
        Ask::Ping | Ask::Attach(_) => Ok(When::Now(Vec::new())),
    };
    match result {
        Ok(When::Now(warnings)) => asker.answer_done(&warnings),
        Ok(When::AtTheEnd(warnings)) => wait(monitor, asker, &ask, warnings),
        Err(Fault::Refused(conflict)) => asker.refuse(&conflict),
        Err(Fault::Failed(error)) => asker.refuse(&error),
    }
}

/// Keeps who asked until it is done.
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
            Err(Fault::Refused(conflict)) => asker.refuse(&conflict),
            Err(Fault::Failed(error)) => asker.refuse(&error),
        },
        Ask::Pause => refuse(asker, Verb::Pause),
        Ask::Unpause => refuse(asker, Verb::Unpause),
        Ask::Ping => asker.answer(&Answer::Done),
        Ask::Resize { .. } | Ask::Attach(_) => asker.refuse(&Refused::Session),
    }
}

/// When a verb is answered, and what it warns of until then.
enum When {
    Now(Vec<String>),
    AtTheEnd(Vec<String>),
}

/// It is done and told, or not told.
fn told(warning: Option<String>) -> When {
    When::Now(warning.into_iter().collect())
}

/// Why it is not done.
enum Fault {
    Refused(crate::container::Conflict),
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

type Outcome = Result<When, Fault>;

/// The signal, and SIGKILL when it was not enough.
fn end(
    monitor: &mut Monitor,
    up: &mut Up,
    order: Order,
    signal: Option<i32>,
    timeout: Option<i64>,
) -> Outcome {
    let config = &monitor.record.config;
    let number = signal.or_else(|| signal::parse(&config.stop_signal)).unwrap_or(libc::SIGTERM);
    let timeout = match timeout.unwrap_or(config.stop_timeout) {
        secs if secs < 0 && order == Order::Shutdown => MAX_SHUTDOWN_TIMEOUT,
        secs => secs,
    };
    monitor.order = Some(order);
    if order == Order::Stop {
        by_hand(monitor);
    }
    let warnings = send(monitor, up, number)?;
    // Negative waits for ever.
    let due =
        u64::try_from(timeout).ok().and_then(|secs| Instant::now().checked_add(Duration::from_secs(secs)));
    monitor.kill_at = match (monitor.kill_at, due) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    Ok(When::AtTheEnd(warnings))
}

fn kill(monitor: &mut Monitor, up: &mut Up, number: i32, is_by_hand: bool) -> Outcome {
    if is_by_hand {
        by_hand(monitor);
    }
    // Who kills it does not want the next run that somebody else is waiting for.
    if number == libc::SIGKILL && monitor.order == Some(Order::Restart) {
        monitor.order = Some(Order::Stop);
    }
    let warnings = send(monitor, up, number)?;
    Ok(if number == libc::SIGKILL { When::AtTheEnd(warnings) } else { When::Now(warnings) })
}

/// Sends a signal to the container's first process, which must be able to hear it. Gives what is
/// to be warned of.
fn send(monitor: &mut Monitor, up: &mut Up, number: i32) -> Result<Vec<String>, Fault> {
    match sys::process::signal(up.pidfd.as_fd(), number) {
        Err(error) if error.is(rustix::io::Errno::SRCH) => {} // it is ending already
        result => result?,
    }
    let ends = number == libc::SIGKILL || monitor.order.is_some();
    let went_on = if up.run.status == Status::Paused && ends { go_on(monitor, up)? } else { None };
    let untold = monitor.tell("kill", &[("signal", &number.to_string())]);
    Ok(went_on.into_iter().chain(untold).collect())
}

/// The deadline of a stop has come.
pub(super) fn kill_now(monitor: &mut Monitor, up: &mut Up) {
    match send(monitor, up, libc::SIGKILL) {
        Ok(warnings) => monitor.warn_waiters(warnings),
        Err(Fault::Failed(error)) => report_error(&error),
        Err(Fault::Refused(conflict)) => report_error(&conflict),
    }
}

/// A person ended it: no policy starts it again, not after a reboot either.
fn by_hand(monitor: &mut Monitor) {
    monitor.record.state.stopped_by_hand = true;
    if let Err(error) = store::save(&monitor.paths, &monitor.record) {
        report_error(&error);
    }
}

fn pause(monitor: &mut Monitor, up: &mut Up) -> Outcome {
    let next = up.run.status.after(Verb::Pause).map_err(Fault::Refused)?;
    up.cgroup.freeze()?;
    up.run.status = next;
    store::save_run(&monitor.paths, &monitor.record.id, &up.run)?;
    Ok(told(monitor.tell("pause", &[])))
}

fn unpause(monitor: &mut Monitor, up: &mut Up) -> Outcome {
    up.run.status.after(Verb::Unpause).map_err(Fault::Refused)?;
    Ok(told(go_on(monitor, up)?))
}

fn go_on(monitor: &mut Monitor, up: &mut Up) -> Result<Option<String>, Fault> {
    up.cgroup.thaw()?;
    up.run.status = Status::Running;
    store::save_run(&monitor.paths, &monitor.record.id, &up.run)?;
    Ok(monitor.tell("unpause", &[]))
}

fn rename(monitor: &mut Monitor, name: &str) -> Outcome {
    let name: Name = name.parse().map_err(|_| {
        store::Error::NotFound(name.to_owned()) // who asks parsed it: this cannot be
    })?;
    let old = monitor.record.name.clone();
    store::rename(&monitor.paths, &mut monitor.record, name)?;
    Ok(told(monitor.tell("rename", &[("oldName", &format!("/{old}"))])))
}

fn resize(monitor: &mut Monitor, rows: u16, columns: u16) -> Outcome {
    monitor.session.resize(rows, columns);
    let (height, width) = (rows.to_string(), columns.to_string());
    Ok(told(monitor.tell("resize", &[("height", &height), ("width", &width)])))
}
