//! The user's programs on this machine, which do not outlive hoist.
//!
//! Each is the leader of a process group of its own, so that the programs that it starts end with
//! it: a shell waits for them, and would not pass a signal on. A program that has the user's terminal
//! for a while is its foreground job, as of a shell: the terminal's keys for signals reach the
//! program alone, and if it is suspended, hoist is too.

use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, kill, raise};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;
use rustix::termios::{tcgetpgrp, tcsetpgrp};

/// The groups whose leaders have not been waited for, so that their ids are still theirs.
static GROUPS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

fn groups() -> MutexGuard<'static, Vec<Pid>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends SIGHUP to all programs, because hoist exits.
pub(super) fn hang_up_all() {
    groups().iter().for_each(|leader| send(*leader, Signal::SIGHUP));
}

/// Calls [`hang_up_all`] when it is dropped.
pub(super) struct HangUpAll;

impl Drop for HangUpAll {
    fn drop(&mut self) {
        hang_up_all();
    }
}

/// Sends a signal to a group, and continues it, so that a stopped program takes the signal.
fn send(leader: Pid, signal: Signal) {
    let group = Pid::from_raw(-leader.as_raw());
    let _ = kill(group, signal); // it may have exited
    if signal == Signal::SIGHUP {
        let _ = kill(group, Signal::SIGCONT);
    }
}

/// The process group of a program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group(Pid);

impl Group {
    /// Takes over the group of a child, which leads it and has not been waited for.
    pub(super) fn of(leader: Pid) -> Self {
        groups().push(leader);
        Self(leader)
    }

    /// Sends it a signal, unless its leader has exited.
    pub(super) fn signal(self, signal: Signal) {
        if let Some(leader) = groups().iter().find(|leader| **leader == self.0) {
            send(*leader, signal);
        }
    }

    /// Waits until its leader exits. It blocks.
    pub(super) fn wait(self) -> io::Result<WaitStatus> {
        let exited = self.until(WaitPidFlag::WEXITED);
        // Under the lock, because the id is free afterwards.
        let mut groups = groups();
        groups.retain(|leader| *leader != self.0);
        exited?;
        Ok(waitpid(self.0, None)?)
    }

    /// Waits for an event of the leader, which stays to be waited for.
    fn until(self, events: WaitPidFlag) -> io::Result<WaitStatus> {
        loop {
            match waitid(Id::Pid(self.0), events | WaitPidFlag::WNOWAIT) {
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
pub(super) struct Process(Arc<Mutex<State>>);

#[derive(Clone, Copy, Default)]
enum State {
    #[default]
    Waiting,
    Running(Group),
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
            let child = command.process_group(0).spawn()?;
            let group = Group::of(i32::try_from(child.id()).map(Pid::from_raw).map_err(io::Error::other)?);
            *state = State::Running(group);
            group
        };
        let terminal = Terminal::of_hoist();
        // If this fails, so does waiting, which forgets the group.
        let _ = terminal.map_or(Ok(()), |terminal| terminal.lend(group));
        let code = match group.wait()? {
            WaitStatus::Signaled(_, signal, has_core) => signal as i32 | if has_core { 0x80 } else { 0 },
            WaitStatus::Exited(_, code) => code << 8,
            _ => return Err(io::ErrorKind::Other.into()),
        };
        Ok(ExitStatus::from_raw(code))
    }

    /// Tells it that its terminal is gone.
    pub(super) fn hang_up(&self) {
        if let State::Running(group) = std::mem::replace(&mut *self.state(), State::HungUp) {
            group.signal(Signal::SIGHUP);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes hoist the foreground job again, after a program that did not exit in time.
pub(super) fn reclaim_terminal() {
    if let Ok(own) = rustix::process::getpgid(None) {
        Terminal { own }.take();
    }
}

/// The terminal, whose foreground job is hoist.
struct Terminal {
    /// The process group of hoist.
    own: rustix::process::Pid,
}

impl Terminal {
    /// Returns the terminal; `None` if standard input is none, or hoist is a background job.
    fn of_hoist() -> Option<Self> {
        let own = rustix::process::getpgid(None).ok()?;
        let foreground = tcgetpgrp(io::stdin()).ok()?;
        (foreground == own).then_some(Self { own })
    }

    /// Makes a program the foreground job until it exits. While it is suspended, hoist is too.
    fn lend(&self, group: Group) -> io::Result<()> {
        loop {
            self.give(group);
            let status = group.until(WaitPidFlag::WEXITED | WaitPidFlag::WSTOPPED);
            self.take();
            match status {
                Ok(WaitStatus::Stopped(..)) => {
                    // The stop is reported until the program is continued, which happens next.
                    // Without a shell that could resume it, this does nothing.
                    raise(Signal::SIGTSTP)?;
                }
                status => return status.map(drop),
            }
        }
    }

    fn give(&self, group: Group) {
        if let Some(group) = rustix::process::Pid::from_raw(group.0.as_raw()) {
            set_foreground(group);
        }
        // It was stopped if it used the terminal before it had it.
        group.signal(Signal::SIGCONT);
    }

    fn take(&self) {
        set_foreground(self.own);
    }
}

/// Sets the foreground job of the terminal. A background process that does so would be stopped by
/// SIGTTOU, unless that is blocked.
fn set_foreground(group: rustix::process::Pid) {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGTTOU);
    let before = SigSet::thread_get_mask();
    if mask.thread_block().is_ok() {
        let _ = tcsetpgrp(io::stdin(), group); // the terminal may be gone
        if let Ok(before) = before {
            let _ = before.thread_set_mask();
        }
    }
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

    #[test]
    fn a_group_that_cannot_be_waited_for_is_forgotten() {
        let mut child = Command::new("true").process_group(0).spawn().unwrap();
        let group = Group::of(Pid::from_raw(i32::try_from(child.id()).unwrap()));
        child.wait().unwrap();
        assert_eq!(group.wait().unwrap_err().raw_os_error(), Some(libc::ECHILD));
        assert!(!groups().contains(&group.0));
    }

    #[test]
    fn a_program_that_has_exited_is_not_signaled() {
        let process = Process::default();
        let status = process.run(Command::new("sh").args(["-c", "exit 7"]).stdin(Stdio::null())).unwrap();
        assert_eq!(status.code(), Some(7));
        let State::Running(group) = *process.state() else { panic!("it has run") };
        assert!(!groups().contains(&group.0));
        process.hang_up();
        // Nothing is started once hoist is about to exit.
        let error = process.run(&mut Command::new("true")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
    }
}
