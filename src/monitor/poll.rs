//! The loop of every monitor: one poll(2) over named sources and timers.
//!
//! ```text
//!            ┌────────────────────────────────────────┐
//!            ▼                                        │
//!  session and stage add their sources ── poll ──▶ each handles its own events,
//!  and timers                                       the stage also the clients' verbs
//! ```
//! The current activity of a monitor is a [`Stage`]: a running container or command, the wait
//! before a restart, or the delivery of pending output to clients. A new source (health checks,
//! name resolution, a proxy) needs a name here, a line in its stage's [`Stage::wait_for`], and an
//! arm in its [`Stage::take`].

use std::os::fd::BorrowedFd;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use super::error::Error;
use super::session::{Asker, Session};
use super::wire::Ask;
use crate::container::log::Stream;
use crate::sys;

/// A descriptor that can become ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The container's init or the command has exited.
    Payload,
    /// The kernel has killed a process of the container that was out of memory.
    OutOfMemory,
    /// Another program has changed the firewall.
    Rules,
    /// The state of the container's freezer has changed.
    Freezer,
    /// A connection can be accepted.
    Listener,
    /// The payload has written output.
    Output(Stream),
    /// Standard input has room.
    Input,
    /// A connection without a request so far, by position.
    Newcomer(usize),
    /// A client, by position.
    Client(usize),
}

/// A deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timer {
    /// The timeout of a stop.
    Kill,
    /// The end of the delay before a restart.
    BackOff,
    /// The next check of a pending pause.
    Freezer,
    /// The next check of the network's rules.
    Rules,
    /// The next sample of the resource use.
    Usage,
    /// When connections are accepted again.
    Accept,
    /// The timeout of a connection without a request.
    Silence,
}

/// The reason why a wait returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// A descriptor is ready.
    Ready(Source, PollFlags),
    /// A deadline has passed.
    Due(Timer),
}

/// The sources and timers to wait for.
#[derive(Debug, Default)]
pub(super) struct Waits<'a> {
    fds: Vec<PollFd<'a>>,
    sources: Vec<Source>,
    timers: Vec<(Timer, Instant)>,
}

impl<'a> Waits<'a> {
    /// Waits for a descriptor. Even without flags, a hang-up is reported.
    pub(super) fn source(&mut self, source: Source, fd: BorrowedFd<'a>, flags: PollFlags) {
        self.fds.push(PollFd::from_borrowed_fd(fd, flags));
        self.sources.push(source);
    }

    /// Waits for a deadline, if there is one.
    pub(super) fn timer(&mut self, timer: Timer, at: Option<Instant>) {
        self.timers.extend(at.map(|at| (timer, at)));
    }

    /// Waits until something happens. Returns ready descriptors in the order in which they were
    /// added, then timers. After a signal the list may be empty.
    pub(super) fn wait(mut self) -> Result<Vec<Event>, Error> {
        let first = self.timers.iter().map(|(_, at)| *at).min();
        let left = first.map(|at| at.saturating_duration_since(Instant::now()));
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        match rustix::event::poll(&mut self.fds, timeout.as_ref()) {
            Err(Errno::INTR) => return Ok(Vec::new()),
            result => sys::check(result, || format!("poll({} descriptors)", self.fds.len()))?,
        };
        let ready =
            self.sources.iter().zip(&self.fds).map(|(source, fd)| Event::Ready(*source, fd.revents()));
        let ready = ready.filter(|event| !matches!(event, Event::Ready(_, flags) if flags.is_empty()));
        let now = Instant::now();
        let due = self.timers.iter().filter(|(_, at)| *at <= now).map(|(timer, _)| Event::Due(*timer));
        Ok(ready.chain(due).collect())
    }
}

/// An activity of a monitor that has an end.
pub(super) trait Stage {
    /// The result of the activity.
    type End;

    /// Returns the session whose streams and clients are served meanwhile.
    fn session(&self) -> &Session;

    /// Returns the session for changes.
    fn session_mut(&mut self) -> &mut Session;

    /// Adds what it waits for, besides the session.
    fn wait_for<'a>(&'a self, waits: &mut Waits<'a>);

    /// Handles an event it waited for. What the session has read is already delivered.
    fn take(&mut self, event: Event) -> Result<(), Error>;

    /// Serves a client's verb.
    fn serve(&mut self, asker: Asker, ask: Ask);

    /// Checks what has changed, and returns the result if the activity has ended. Verbs received at
    /// the same time are not served: their clients notice the closed connection and try again.
    fn end(&mut self) -> Result<Option<Self::End>, Error>;
}

/// Serves all events until a stage has ended.
pub(super) fn serve<S: Stage>(stage: &mut S) -> Result<S::End, Error> {
    loop {
        if let Some(end) = stage.end()? {
            return Ok(end);
        }
        let asks = turn(stage)?;
        if let Some(end) = stage.end()? {
            return Ok(end);
        }
        asks.into_iter().for_each(|(asker, ask)| stage.serve(asker, ask));
    }
}

/// Waits once and handles all events; returns the clients' verbs.
pub(super) fn turn<S: Stage>(stage: &mut S) -> Result<Vec<(Asker, Ask)>, Error> {
    let mut waits = Waits::default();
    stage.session().wait_for(&mut waits);
    stage.wait_for(&mut waits);
    let (of_session, others): (Vec<_>, Vec<_>) = waits.wait()?.into_iter().partition(Session::owns);
    let session = stage.session_mut();
    of_session.into_iter().for_each(|event| session.take(event));
    let asks = session.end_turn();
    others.into_iter().try_for_each(|event| stage.take(event))?;
    Ok(asks)
}

/// Stops listening, and delivers pending output to the remaining clients.
pub(super) fn deliver_rest(session: &mut Session) -> Result<(), Error> {
    session.stop_listening();
    serve(&mut Leaving(session))
}

/// The end of a monitor, while clients still receive output.
struct Leaving<'a>(&'a mut Session);

impl Stage for Leaving<'_> {
    type End = ();

    fn session(&self) -> &Session {
        self.0
    }

    fn session_mut(&mut self) -> &mut Session {
        self.0
    }

    fn wait_for<'a>(&'a self, _: &mut Waits<'a>) {}

    fn take(&mut self, _: Event) -> Result<(), Error> {
        Ok(())
    }

    fn serve(&mut self, _: Asker, _: Ask) {}

    fn end(&mut self) -> Result<Option<()>, Error> {
        Ok((!self.0.has_clients()).then_some(()))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::os::fd::AsFd as _;
    use std::time::Duration;

    use super::*;

    /// Handles a session's events without waiting. Returns their number, and the clients' verbs.
    pub(in crate::monitor) fn turn_now(session: &mut Session) -> (usize, Vec<Ask>) {
        let mut waits = Waits::default();
        session.wait_for(&mut waits);
        waits.timer(Timer::BackOff, Some(Instant::now()));
        let mut events = waits.wait().unwrap();
        events.retain(Session::owns);
        events.iter().for_each(|event| session.take(*event));
        let asks = session.end_turn();
        (events.len(), asks.into_iter().map(|(_, ask)| ask).collect())
    }

    #[test]
    fn what_happened_is_told_by_name_sources_before_timers() {
        let (read, write) = rustix::pipe::pipe().unwrap();
        let (other, _kept) = rustix::pipe::pipe().unwrap();
        rustix::io::write(&write, b"x").unwrap();
        let now = Instant::now();
        let mut waits = Waits::default();
        waits.timer(Timer::Kill, Some(now));
        waits.timer(Timer::Rules, Some(now + Duration::from_secs(600)));
        waits.timer(Timer::BackOff, None);
        waits.source(Source::Rules, other.as_fd(), PollFlags::IN);
        waits.source(Source::Payload, read.as_fd(), PollFlags::IN);
        let want = [Event::Ready(Source::Payload, PollFlags::IN), Event::Due(Timer::Kill)];
        assert_eq!(waits.wait().unwrap(), want);
    }
}
