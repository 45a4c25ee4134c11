//! The creator's side: clones, maps ids, lets init continue, and reads its result.

use std::os::fd::{AsFd, OwnedFd};

use super::channel::{self, Channel, Message, Word};
use super::entry::{self, Awaited};
use super::error::Cause;
use super::hook::{Calls, Point};
use super::listener::Agent;
use super::prepare::{self, Prepared, Security};
use super::progress::{Progress, Reached};
use super::state::Start;
use super::{Error, Gate, Init, Plan, Result, error, init, payload};
use crate::oci::runtime::Process;
use crate::sys::clone::{self, Child, Side};
use crate::sys::ns::{self, Namespace, Namespaces};
use crate::sys::process::Exit;
use crate::sys::shared::Shared;
use crate::sys::{self, check, process};

/// A container whose init is setting itself up.
#[derive(Debug)]
pub struct Created {
    child: Child,
    channel: Channel,
    heard: Heard,
    /// A network namespace that is joined instead of created.
    network: Option<OwnedFd>,
    /// The process that will be created in an existing pid namespace and then replaces `child`.
    awaited: Option<Awaited>,
    watch: Watch,
    hooks: Option<Calls>,
    agent: Option<Agent>,
}

/// What the creator needs to explain a failure that init could not report.
#[derive(Debug)]
pub(super) struct Watch {
    progress: Progress,
    program: String,
    init: Init,
    has_filter: bool,
}

impl Watch {
    pub(super) fn new(process: &Process, security: &Security, init: Init, progress: Progress) -> Self {
        let program = payload::program(process).to_owned();
        Self { progress, program, init, has_filter: security.filter.is_some() }
    }

    /// Whether the program was executed, once init has closed its channel.
    fn has_executed(&self, pid: i32) -> bool {
        match self.init {
            Init::Payload => process::has_executed(pid) != Some(false),
            // Its child executes the program, and records an errno if that fails.
            Init::Reaper => self.progress.reached().is_some_and(|Reached { step, errno, .. }| {
                payload::step(step) == payload::EXECUTE && errno == 0
            }),
        }
    }

    /// Returns the error for a process of ours that exited without a message.
    fn explain(&self, exit: &str) -> Error {
        let died = || Error::Died { status: exit.to_owned() };
        let Some(Reached { step, errno, has_file }) = self.progress.reached() else { return died() };
        let step = payload::step(step);
        if !self.has_filter || !payload::is_filtered(step) {
            return died();
        }
        let filtered = |source| Error::Filtered { step: step.to_owned(), source };
        if errno == 0 {
            return filtered(Cause::Ended(format!("with {exit}")));
        }
        let cause = std::io::Error::from_raw_os_error(errno);
        if step == payload::EXECUTE {
            let source = sys::Error::new(format!("execve({})", self.program), cause);
            return payload::not_executed(&self.program, has_file, source, || None);
        }
        if error::is_shortage(errno) {
            // Among these steps, only the one that forks can run out of resources.
            return Error::Step { step: step.to_owned(), source: sys::Error::new("fork()", cause) };
        }
        filtered(Cause::Errno(cause))
    }
}

/// Fails if the process that waited for its start by FIFO has not executed its program although its
/// report has ended.
///
/// # Errors
///
/// [`Error::Filtered`], [`Error::Died`].
pub fn confirm_executed(pid: i32, spec: &crate::oci::runtime::Spec) -> Result<()> {
    if process::has_executed(pid) != Some(false) {
        return Ok(());
    }
    let has_filter = spec.linux().as_ref().is_some_and(|linux| linux.seccomp().is_some());
    Err(ended_before_execution(has_filter))
}

/// Returns the error for a process that shares no memory with its creator.
fn ended_before_execution(has_filter: bool) -> Error {
    let when = "before executing the program";
    if !has_filter {
        return Error::Died { status: format!("it ended {when}") };
    }
    Error::Filtered { step: payload::EXECUTE.to_owned(), source: Cause::Ended(when.to_owned()) }
}

/// The messages of init so far.
#[derive(Debug, Default)]
struct Heard {
    console: Option<OwnedFd>,
    warnings: Vec<String>,
    is_separate: bool,
    is_ready: bool,
    is_executing: bool,
}

/// A container, or a process in one, that has executed its program.
#[derive(Debug)]
pub struct Running {
    /// The process id in the caller's pid namespace.
    pub pid: i32,
    /// The pidfd, to poll, signal and wait for the process.
    pub pidfd: OwnedFd,
    /// The master of its terminal, if it has one.
    pub console: Option<OwnedFd>,
    /// Warnings about unavailable features, one sentence each.
    pub warnings: Vec<String>,
}

/// Creates the container's init, which sets itself up until [`Created::go_on`].
///
/// The caller must be single-threaded.
///
/// # Errors
///
/// Errors found before the clone: an invalid spec, missing sources, insufficient privileges.
/// [`Created::go_on`] returns the errors of init.
pub fn create(mut plan: Plan<'_>) -> Result<Created> {
    let gate = std::mem::replace(&mut plan.gate, Gate::Maker);
    let mut prepared = prepare::prepare(plan)?;
    let maps = prepared.namespaces.new_maps();
    let oom_score_adj = prepared.process.oom_score_adj();
    let network = joined(&prepared, Namespace::Net)?;
    let born_into = prepared.entrance.born_into.take();
    let namespaces = prepared.namespaces.new.without(Namespace::Cgroup);
    let (channel, inits) = channel::pair()?;
    let progress = Progress::new()?;
    let (hooks, agent) = (prepared.hooks.clone(), prepared.agent.take());
    let watch = Watch::new(prepared.process, &prepared.security, prepared.init, progress.clone());
    let enters = prepared.namespaces.by_path.iter().any(|(kind, _)| *kind == Namespace::Pid);
    let (new, start, awaited, born) = if enters {
        // Init creates them after joining what only the current user namespace may join.
        let (entry, awaited) = entry::open(gate)?;
        (Namespaces::NONE, Start::Entry(entry), Some(awaited), None)
    } else if prepared.namespaces.need_another() {
        (Namespaces::NONE, Start::Gate(gate), None, Some(Shared::new()?))
    } else {
        (namespaces, Start::Gate(gate), None, None)
    };
    let cgroup = born_into.as_ref().map(AsFd::as_fd);
    let child = match clone::clone3(new, cgroup)? {
        Side::Child => {
            drop((channel, awaited)); // so that init notices if the creator dies
            init::run(prepared, start, inits, progress, born)
        }
        Side::Parent(child) => child,
    };
    drop((inits, start)); // these ends must be closed when the payload starts
    let mut created =
        Created { child, channel, heard: Heard::default(), network, awaited, watch, hooks, agent };
    let placed = born.map_or(Ok(()), |born| created.until_placed(&born));
    let placed = placed.and_then(|()| created.configure(maps, oom_score_adj));
    match placed.and_then(|()| created.until_born()) {
        Ok(()) => Ok(created),
        Err(error) => Err(created.abandon().unwrap_or(error)),
    }
}

/// Opens the namespace of this type that is joined by path, if the spec has one.
fn joined(prepared: &Prepared<'_>, wanted: Namespace) -> Result<Option<OwnedFd>> {
    let joined = prepared.namespaces.by_path.iter().find(|(kind, _)| *kind == wanted);
    Ok(joined.map(|(_, fd)| process::above_standard_streams(fd)).transpose()?)
}

impl Created {
    /// Returns the process id in the caller's pid namespace.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.child.pid
    }

    /// Returns the container's network namespace. It can be called directly after [`create`].
    ///
    /// # Errors
    ///
    /// If the process has exited.
    pub fn network_namespace(&self) -> Result<OwnedFd> {
        match &self.network {
            Some(network) => Ok(process::above_standard_streams(network)?),
            None => Ok(ns::open(self.child.pid, Namespace::Net)?),
        }
    }

    /// Lets init execute the payload once its network is set up; returns when it has.
    ///
    /// # Errors
    ///
    /// The step of init that failed, with its system call. The process has been reaped.
    pub fn go_on(mut self) -> Result<Running> {
        match self.finish() {
            Ok(()) => Ok(self.running()),
            Err(error) => {
                self.abandon();
                Err(error)
            }
        }
    }

    /// Waits until init is set up and waits for its start by FIFO, and leaves it there.
    ///
    /// # Errors
    ///
    /// The step of init that failed, with its system call. The process has been reaped.
    pub fn leave_waiting(mut self) -> Result<Running> {
        match self.wait_until_waiting() {
            Ok(()) => Ok(self.running()),
            Err(error) => {
                self.abandon();
                Err(error)
            }
        }
    }

    /// Kills and reaps init, to cancel the start. If init had already failed, returns its error,
    /// which is the cause of the caller's failure.
    pub fn abandon(mut self) -> Option<Error> {
        // It may have exited already, but must be reaped in any case.
        let _ = process::signal(self.child.pidfd.as_fd(), libc::SIGKILL);
        let _ = process::wait(self.child.pidfd.as_fd());
        // Another process may hold the end of the process created inside.
        if self.awaited.is_some() {
            return None;
        }
        loop {
            match self.hear() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(error),
            }
        }
    }

    fn running(self) -> Running {
        let Self { child, heard, .. } = self;
        Running { pid: child.pid, pidfd: child.pidfd, console: heard.console, warnings: heard.warnings }
    }

    /// Waits for the init that an intermediate process has created in its namespaces.
    fn until_placed(&mut self, born: &Shared) -> Result<()> {
        let exit = process::wait(self.child.pidfd.as_fd())?;
        match born.get() {
            pid if pid > 0 => {
                self.child = Child { pid, pidfd: process::open(pid)? };
                Ok(())
            }
            0 => {
                while self.hear()? {}
                Err(Error::Died { status: exit.to_string() })
            }
            errno => {
                let source = std::io::Error::from_raw_os_error(-errno);
                let source = sys::Error::new("clone(CLONE_PARENT)", source);
                Err(Error::Step { step: init::PLACE.to_owned(), source })
            }
        }
    }

    fn configure(&mut self, maps: Option<[String; 2]>, oom_score_adj: Option<i32>) -> Result<()> {
        let pid = self.child.pid;
        if let Some(adjustment) = oom_score_adj {
            self.adjust_oom_score(adjustment)?;
        }
        // If init creates its namespaces itself, it reports when they exist.
        while self.awaited.is_some() && !self.heard.is_separate {
            if !self.hear()? {
                return Err(self.died());
            }
        }
        if let Some([users, groups]) = maps {
            write(&format!("/proc/{pid}/uid_map"), &users)?;
            write(&format!("/proc/{pid}/gid_map"), &groups)?;
            self.channel.say(Word::Mapped)?;
        }
        Ok(())
    }

    /// Sets the OOM score adjustment. Lowering it requires a capability that root may lack; then it
    /// remains unchanged with a warning.
    fn adjust_oom_score(&mut self, wanted: i32) -> Result<()> {
        let file = format!("/proc/{}/oom_score_adj", self.child.pid);
        match write(&file, &wanted.to_string()) {
            Err(Error::Prepare(error)) if error.is(rustix::io::Errno::ACCESS) => {
                let text =
                    format!("oom_score_adj remains above {wanted}: lowering it requires CAP_SYS_RESOURCE");
                self.heard.warnings.push(text);
                Ok(())
            }
            result => result,
        }
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        while !self.heard.is_ready {
            if !self.hear()? {
                return Err(self.died());
            }
        }
        Ok(())
    }

    /// Waits until init is ready and holds nothing that the program must not have.
    fn wait_until_waiting(&mut self) -> Result<()> {
        if self.awaited.is_some() {
            return Ok(()); // it has been in this state since its creation
        }
        while self.hear()? {}
        let reached =
            self.watch.progress.reached().map(|reached| (payload::step(reached.step), reached.errno));
        if self.heard.is_ready && reached == Some((payload::GATE, 0)) { Ok(()) } else { Err(self.died()) }
    }

    fn finish(&mut self) -> Result<()> {
        if let Some(awaited) = &self.awaited {
            awaited.tell_start().and_then(|()| awaited.hear(&self.child))?;
            return self.confirm_born();
        }
        self.wait_until_ready()?;
        if self.channel.say(Word::GoOn).is_err() {
            return Err(self.died());
        }
        self.hear_the_end()
    }

    fn hear_the_end(&mut self) -> Result<()> {
        while self.hear()? {}
        if self.heard.is_executing && self.watch.has_executed(self.child.pid) {
            return Ok(());
        }
        Err(self.died())
    }

    /// Reads a message; returns `false` if init's end is closed.
    fn hear(&mut self) -> Result<bool> {
        match self.channel.receive()? {
            None => return Ok(false),
            Some((Message::Terminal, console)) => self.heard.console = console,
            Some((Message::Warning(text), _)) => self.heard.warnings.push(text),
            Some((Message::Ready, _)) => self.heard.is_ready = true,
            Some((Message::Executing, _)) => self.heard.is_executing = true,
            Some((Message::Failed(failure), _)) => return Err(failure.into()),
            Some((Message::Separate, _)) => self.heard.is_separate = true,
            Some((Message::Hooks, _)) => self.run_hooks()?,
            Some((Message::Listener(number), _)) => self.hand_over_listener(number)?,
        }
        Ok(true)
    }

    fn run_hooks(&self) -> Result<()> {
        if let Some(hooks) = &self.hooks {
            hooks.run(Point::Prestart, Some(self.child.pid))?;
            hooks.run(Point::CreateRuntime, Some(self.child.pid))?;
        }
        Ok(self.channel.say(Word::Hooked)?)
    }

    fn hand_over_listener(&mut self, number: i32) -> Result<()> {
        if let Some(agent) = self.agent.take() {
            agent.hand_over(&self.child, number)?;
        }
        Ok(self.channel.say(Word::Listening)?)
    }

    fn died(&self) -> Error {
        let status = match process::wait(self.child.pidfd.as_fd()) {
            Ok(exit) => exit.to_string(),
            Err(error) => error.to_string(),
        };
        self.watch.explain(&status)
    }

    /// Returns a process that joins a container and does not wait for messages.
    pub(super) fn entering(
        between: Child,
        channel: Channel,
        awaited: Awaited,
        watch: Watch,
        agent: Option<Agent>,
    ) -> Self {
        let (heard, awaited) = (Heard::default(), Some(awaited));
        Self { child: between, channel, heard, network: None, awaited, watch, hooks: None, agent }
    }

    /// Waits for the process created inside, which replaces the child.
    fn until_born(&mut self) -> Result<()> {
        if self.awaited.is_none() {
            return Ok(());
        }
        while self.hear()? {}
        let Some(awaited) = &self.awaited else { return Ok(()) };
        self.heard.is_ready = true;
        let exit = process::wait(self.child.pidfd.as_fd())?;
        self.child = match awaited.born(exit) {
            Err(Error::Died { status }) => return Err(self.watch.explain(&status)),
            Err(error @ Error::Step { .. }) if self.watch.has_filter => return Err(error.under_filter()),
            born => born?,
        };
        Ok(())
    }

    /// Checks that the process created inside did not exit without a message.
    fn confirm_born(&self) -> Result<()> {
        if self.watch.init == Init::Reaper || process::has_executed(self.child.pid) != Some(false) {
            return Ok(());
        }
        // No filter kills like that: the container has exited, or another process killed it.
        match process::try_wait(self.child.pidfd.as_fd()) {
            Ok(Some(exit @ Exit::Signal(signal))) if signal != libc::SIGSYS => {
                Err(Error::Died { status: exit.to_string() })
            }
            _ => Err(ended_before_execution(self.watch.has_filter)),
        }
    }

    fn until_entered(&mut self) -> Result<()> {
        self.until_born()?;
        self.awaited.as_ref().map_or(Ok(()), |awaited| awaited.hear(&self.child))?;
        self.confirm_born()
    }

    /// Waits until a process that joins a container has executed its program.
    pub(super) fn until_executed(mut self) -> Result<Running> {
        match self.until_entered() {
            Ok(()) => Ok(self.running()),
            Err(error) => {
                self.abandon();
                Err(error)
            }
        }
    }
}

fn write(path: &str, text: &str) -> Result<()> {
    Ok(check(std::fs::write(path, text), || format!("write({path}, {text:?})"))?)
}
