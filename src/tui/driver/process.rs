//! The user's programs on this machine, which do not outlive hoist.
//!
//! Each is the leader of a process group of its own, so that the programs that it starts end with
//! it: a shell waits for them, and would not pass a signal on. A program that has the user's terminal
//! for a while is its foreground job, as of a shell: the terminal's keys for signals reach the
//! program alone, and if it is suspended, hoist is too.

use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;
use rustix::termios::{tcgetpgrp, tcsetpgrp};
use tokio::sync::Notify;

use crate::sys::signal;

/// The groups whose leaders have not been waited for, so that their ids are still theirs.
static GROUPS: Mutex<Vec<Group>> = Mutex::new(Vec::new());

fn groups() -> MutexGuard<'static, Vec<Group>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells all programs to end, because hoist exits.
pub(super) fn hang_up_all() {
    groups().iter().for_each(|group| send(group.leader, group.last));
}

/// Calls [`hang_up_all`] when it is dropped.
pub(super) struct HangUpAll;

impl Drop for HangUpAll {
    fn drop(&mut self) {
        hang_up_all();
    }
}

/// Sends a signal to a group. If it is to end the program, that is continued, so that it takes the
/// signal even if it has stopped.
fn send(leader: Pid, signal: Signal) {
    let group = Pid::from_raw(-leader.as_raw());
    let _ = kill(group, signal); // it may have exited
    if let Signal::SIGHUP | Signal::SIGTERM = signal {
        let _ = kill(group, Signal::SIGCONT);
    }
}

/// The process group of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group {
    leader: Pid,
    /// The signal that tells the program to end when hoist exits.
    last: Signal,
}

impl Group {
    /// Starts a command as the leader of a new group.
    pub(super) fn start(command: &mut Command, last: Signal) -> io::Result<Self> {
        let child = command.process_group(0).spawn()?;
        Ok(Self::of(i32::try_from(child.id()).map(Pid::from_raw).map_err(io::Error::other)?, last))
    }

    /// Takes over the group of a child, which leads it and has not been waited for.
    pub(super) fn of(leader: Pid, last: Signal) -> Self {
        let group = Self { leader, last };
        groups().push(group);
        group
    }

    /// Sends it a signal, unless its leader has exited.
    pub(super) fn signal(self, signal: Signal) {
        let groups = groups();
        if groups.contains(&self) {
            send(self.leader, signal);
        }
    }

    /// Waits until its leader exits. It blocks.
    pub(super) fn wait(self) -> io::Result<ExitStatus> {
        let exited = self.until(WaitPidFlag::WEXITED);
        // Under the lock, because the id is free afterwards.
        let mut groups = groups();
        groups.retain(|group| *group != self);
        exited?;
        let code = match waitpid(self.leader, None)? {
            WaitStatus::Signaled(_, signal, has_core) => signal as i32 | if has_core { 0x80 } else { 0 },
            WaitStatus::Exited(_, code) => code << 8,
            _ => return Err(io::ErrorKind::Other.into()),
        };
        Ok(ExitStatus::from_raw(code))
    }

    /// Waits for an event of the leader, which stays to be waited for.
    fn until(self, events: WaitPidFlag) -> io::Result<WaitStatus> {
        loop {
            match waitid(Id::Pid(self.leader), events | WaitPidFlag::WNOWAIT) {
                Err(Errno::EINTR) => {}
                status => return Ok(status?),
            }
        }
    }
}

/// Sends SIGHUP to a program when it is dropped, unless that has exited.
#[derive(Debug)]
pub(super) struct HangUp(pub(super) Group);

impl Drop for HangUp {
    fn drop(&mut self) {
        self.0.signal(Signal::SIGHUP);
    }
}

/// A program that has the user's terminal.
#[derive(Clone, Default)]
pub(super) struct Process(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// The program is no longer [`State::Suspended`].
    resumed: Condvar,
    /// The program has become [`State::Suspended`].
    suspended: Notify,
}

#[derive(Clone, Copy, Default)]
enum State {
    #[default]
    Waiting,
    Running(Group),
    /// It has stopped. It continues when hoist, which is suspended too, is resumed.
    Suspended(Group),
    HungUp,
}

impl Process {
    /// Runs a command, and waits until it exits.
    ///
    /// # Errors
    ///
    /// If it cannot be started, also because [`Self::hang_up`] was called before.
    pub(super) fn run(&self, command: &mut Command) -> io::Result<ExitStatus> {
        let group = {
            let mut state = self.state();
            if matches!(*state, State::HungUp) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let group = Group::start(command, Signal::SIGHUP)?;
            *state = State::Running(group);
            group
        };
        if foreground().is_some_and(|job| Some(job) == own_group()) {
            self.lend(group);
        }
        group.wait()
    }

    /// Makes a program the foreground job until it exits or is hung up.
    fn lend(&self, group: Group) {
        loop {
            set_foreground(group.leader);
            // It was stopped if it used the terminal before it had it.
            group.signal(Signal::SIGCONT);
            let status = group.until(WaitPidFlag::WEXITED | WaitPidFlag::WSTOPPED);
            let is_in_front = is_in_front();
            reclaim_terminal();
            let continues = match status {
                // It used the terminal after the shell had given that to hoist again.
                Ok(WaitStatus::Stopped(_, Signal::SIGTTIN | Signal::SIGTTOU)) if is_in_front => true,
                Ok(WaitStatus::Stopped(..)) => self.wait_for_hoist(group),
                _ => false,
            };
            if !continues {
                return;
            }
        }
    }

    /// Waits until hoist has been suspended and resumed; `false` if the program is hung up.
    fn wait_for_hoist(&self, group: Group) -> bool {
        let mut state = self.state();
        if let State::Running(_) = *state {
            *state = State::Suspended(group);
            self.0.suspended.notify_one();
        }
        let is_suspended = |state: &mut State| matches!(state, State::Suspended(_));
        let waited = self.0.resumed.wait_while(state, is_suspended);
        matches!(*waited.unwrap_or_else(PoisonError::into_inner), State::Running(_))
    }

    /// Waits until the program has stopped. It stays so until [`Self::resume`] is called.
    pub(super) async fn suspended(&self) {
        self.0.suspended.notified().await;
    }

    /// Stops the program as the terminal's key does, which suspends hoist too.
    pub(super) fn stop(&self) {
        if let State::Running(group) = *self.state() {
            group.signal(Signal::SIGTSTP);
        }
    }

    /// Gives the terminal to the program if hoist has it, because the shell has resumed hoist.
    pub(super) fn reclaim(&self) {
        if let State::Running(group) = *self.state() {
            set_foreground(group.leader);
        }
    }

    /// Gives the terminal to the program, and continues it.
    pub(super) fn resume(&self) {
        let mut state = self.state();
        if let State::Suspended(group) = *state {
            *state = State::Running(group);
            self.0.resumed.notify_all();
        }
    }

    /// Tells it that its terminal is gone.
    pub(super) fn hang_up(&self) {
        let before = std::mem::replace(&mut *self.state(), State::HungUp);
        self.0.resumed.notify_all();
        if let State::Running(group) | State::Suspended(group) = before {
            group.signal(Signal::SIGHUP);
        }
    }

    /// Whether [`Self::hang_up`] was called.
    pub(super) fn is_hung_up(&self) -> bool {
        matches!(*self.state(), State::HungUp)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Suspends hoist and what else is in its job, as the terminal's key does, and returns when they
/// have been resumed; at once if there is no shell that could do that. For the main thread: a signal
/// to a process stops this thread before the call returns, and others some time after it.
pub(super) fn suspend_job() {
    // It reaches at least this process.
    let _ = signal::at_default(libc::SIGTSTP, || kill(Pid::from_raw(0), Signal::SIGTSTP));
}

/// Stops ignoring what hoist was told to ignore, as by `nohup`. The user's programs would ignore it
/// too: they would not end with hoist, nor stop as a job. Call this before signals are handled.
pub(super) fn stop_ignoring_signals() {
    let _ = signal::stop_ignoring(); // without it, programs only inherit more
}

/// Makes hoist the foreground job again, after a program that had the terminal.
pub(super) fn reclaim_terminal() {
    if let Some(own) = own_group() {
        set_foreground(own);
    }
}

/// Returns the process group of hoist.
fn own_group() -> Option<Pid> {
    rustix::process::getpgid(None).ok().map(|group| Pid::from_raw(group.as_raw_nonzero().get()))
}

/// Returns the foreground job of the terminal; `None` if standard input is not a terminal.
fn foreground() -> Option<Pid> {
    tcgetpgrp(io::stdin()).ok().map(|group| Pid::from_raw(group.as_raw_nonzero().get()))
}

/// Whether hoist is the foreground job of the terminal, or standard input is not a terminal.
pub(super) fn is_in_front() -> bool {
    foreground().is_none_or(|job| Some(job) == own_group())
}

/// Sets the foreground job of the terminal, unless it is a job of somebody else: the shell takes
/// the terminal when hoist is suspended. A job that a program of the user has started is somebody
/// else's too.
fn set_foreground(group: Pid) {
    let is_ours = |job| Some(job) == own_group() || groups().iter().any(|group| group.leader == job);
    let is_gone = |job: Pid| kill(Pid::from_raw(-job.as_raw()), None) == Err(Errno::ESRCH);
    if !foreground().is_some_and(|job| is_ours(job) || is_gone(job)) {
        return;
    }
    if let Some(group) = rustix::process::Pid::from_raw(group.as_raw()) {
        let _ = without_job_stops(|| tcsetpgrp(io::stdin(), group)); // the terminal may be gone
    }
}

/// Runs `work` with SIGTTIN and SIGTTOU blocked: in the background it may set the foreground job,
/// and its reads fail instead of stopping hoist.
pub(super) fn without_job_stops<T>(work: impl FnOnce() -> T) -> T {
    let before = SigSet::thread_get_mask();
    let blocked: SigSet = [Signal::SIGTTIN, Signal::SIGTTOU].into_iter().collect();
    let _ = blocked.thread_block(); // it fails only for a bad address
    let result = work();
    let _ = before.and_then(|before| before.thread_set_mask());
    result
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::process::Stdio;

    use super::*;

    /// Runs a script that says `ready`, ends it by `hang_up`, and returns once all its programs have
    /// exited.
    fn ended(script: &str, hang_up: impl FnOnce(&Process)) -> ExitStatus {
        let (mut output, theirs) = io::pipe().unwrap();
        stop_ignoring_signals(); // the tests may run under `nohup`
        let process = Process::default();
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null()).stdout(theirs);
        let running = process.clone();
        let run = std::thread::spawn(move || running.run(&mut command));
        let mut ready = [0; 6];
        output.read_exact(&mut ready).unwrap();
        hang_up(&process);
        let status = run.join().unwrap().unwrap();
        // The end of the output: nobody has it open.
        assert_eq!(output.read_to_end(&mut Vec::new()).unwrap(), 0);
        status
    }

    #[test]
    fn the_programs_of_a_program_are_hung_up_with_it() {
        for script in [
            "echo ready; exec sleep 1000",
            "echo ready; sleep 1000; true",
            "(sleep 1000 &); echo ready; sleep 1000; true",
            "sh -c 'echo ready; sleep 1000; true'; true",
            // It is stopped, and has to be continued first.
            "echo ready; kill -STOP $$; sleep 1000; true",
        ] {
            let status = ended(script, Process::hang_up);
            assert_eq!(status.signal(), Some(1), "{script}");
        }
    }

    #[tokio::test]
    async fn a_suspended_program_continues_with_hoist_unless_it_is_hung_up() {
        stop_ignoring_signals();
        for (end, continues) in [(Process::resume as fn(&Process), true), (Process::hang_up, false)] {
            let process = Process::default();
            let group = Group::start(Command::new("sleep").arg("1000"), Signal::SIGHUP).unwrap();
            *process.state() = State::Running(group);
            let waiting = process.clone();
            let waiting = tokio::task::spawn_blocking(move || waiting.wait_for_hoist(group));
            process.suspended().await;
            end(&process);
            assert_eq!(waiting.await.unwrap(), continues);
            process.hang_up();
            assert_eq!(group.wait().unwrap().signal(), Some(1));
        }
    }

    #[test]
    fn a_group_that_cannot_be_waited_for_is_forgotten() {
        let mut child = Command::new("true").process_group(0).spawn().unwrap();
        let group = Group::of(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGHUP);
        child.wait().unwrap();
        assert_eq!(group.wait().unwrap_err().raw_os_error(), Some(libc::ECHILD));
        assert!(!groups().contains(&group));
    }

    #[test]
    fn a_program_that_has_exited_is_not_signaled() {
        let process = Process::default();
        let status = process.run(Command::new("sh").args(["-c", "exit 7"]).stdin(Stdio::null())).unwrap();
        assert_eq!(status.code(), Some(7));
        let State::Running(group) = *process.state() else { panic!("it has run") };
        assert!(!groups().contains(&group));
        process.hang_up();
        // Nothing is started once hoist is about to exit.
        let error = process.run(&mut Command::new("true")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
    }
}
