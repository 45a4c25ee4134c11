//! Ends containers: asks the monitor, and kills through the cgroup if it does not answer or the state
//! files cannot be read.

use std::collections::BTreeSet;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::launch;
use super::recover::{LockWait, Site, WhenDead, has_processes, open_cgroup};
use super::wire::Ask;
use crate::base::{ContainerId, ErrorKind, Explain, Paths};
use crate::cgroup;
use crate::container::{Process, Record, Run, store};
use crate::sys;

/// Maximum time until a container has exited after SIGKILL was sent or due.
pub const KILL_PATIENCE: Duration = Duration::from_secs(10);
/// Maximum time until its monitor notices that or accepts a connection.
pub const MONITOR_PATIENCE: Duration = Duration::from_secs(1);

/// A container could not be stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its processes survive SIGKILL.
    #[error("its processes did not exit within {} s after SIGKILL{}", KILL_PATIENCE.as_secs(), list(.stuck))]
    NotEnded {
        /// Processes that are in an uninterruptible state.
        stuck: Vec<i32>,
    },
    /// Its cgroup could not be used.
    #[error(transparent)]
    Cgroup(#[from] cgroup::Error),
    /// Its monitor could not do it.
    #[error(transparent)]
    Launch(#[from] launch::Error),
}

fn list(stuck: &[i32]) -> String {
    match stuck {
        [] => String::new(),
        [pid] => format!(": process {pid} is frozen or in uninterruptible sleep (state D)"),
        [first, rest @ ..] => format!(
            ": process {first} and {} more are frozen or in uninterruptible sleep (state D)",
            rest.len()
        ),
    }
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotEnded { .. } => ErrorKind::Internal,
            Self::Cgroup(error) => error.kind(),
            Self::Launch(error) => error.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        let text = "it will exit once its cgroup is thawed, or the disk or server that it waits for responds";
        match self {
            Self::NotEnded { stuck } => (!stuck.is_empty()).then(|| text.to_owned()),
            Self::Cgroup(error) => error.hint(),
            Self::Launch(error) => error.hint(),
        }
    }
}

/// Limits how long a caller tries to reach a container's monitor.
#[derive(Debug)]
pub struct Patience {
    until: Instant,
    /// The init of a run whose monitor does not answer, and the time limit for that.
    unheard: Option<(Process, Instant)>,
}

impl Patience {
    /// Starts the timeout.
    #[must_use]
    pub fn new(patience: Duration) -> Self {
        Self { until: Instant::now() + patience, unheard: None }
    }

    /// Whether to try again. While init is running, its monitor is not busy with cleaning up, so it
    /// should answer soon.
    pub fn lasts(&mut self, paths: &Paths, id: &ContainerId) -> bool {
        let now = Instant::now();
        let run = store::load_run(paths, id).ok().flatten();
        let init = run.and_then(|run| run.init()).filter(|init| init.is_alive());
        if self.unheard.map(|(init, _)| init) != init {
            self.unheard = init.map(|init| (init, now + MONITOR_PATIENCE));
        }
        now < self.until && self.unheard.is_none_or(|(_, until)| now < until)
    }
}

/// Asks the monitor to stop a container, and waits until it has exited, up to [`KILL_PATIENCE`]
/// after SIGKILL is due. Returns warnings.
///
/// # Errors
///
/// The outer error if its processes do not exit, the inner one if its monitor failed.
pub fn ask_for_end(
    paths: &Paths,
    record: &Record,
    run: Option<&Run>,
    wish: &Ask,
) -> Result<Result<Vec<String>, launch::Error>, Error> {
    let id = &record.id;
    let asked = match launch::begin(paths, id, None, wish.clone()) {
        Ok(asked) => asked,
        Err(error) => return Ok(Err(error)),
    };
    let grace = wish.grace(record.config.lifecycle.stop_timeout());
    let patience = grace.map(|grace| grace.saturating_add(KILL_PATIENCE));
    match asked.wait(patience) {
        Err(launch::Error::Silent) => {}
        result => return Ok(result),
    }
    let is_restart = matches!(wish, Ask::Restart { .. });
    let lives = |init: Option<Process>| init.is_some_and(Process::is_alive);
    let is_up = match is_restart {
        true => lives(run.and_then(Run::init)),
        false => lives(store::load_run(paths, id).ok().flatten().and_then(|run| run.init())),
    };
    if is_up {
        return Err(not_ended(paths, id));
    }
    // Its monitor is still cleaning up or restarting it.
    Ok(asked.wait((!is_restart).then_some(KILL_PATIENCE)))
}

/// Returns the error for a container that does not exit.
#[must_use]
pub fn not_ended(paths: &Paths, id: &ContainerId) -> Error {
    let run = store::load_run(paths, id).ok().flatten();
    let init = run.and_then(|run| run.init()).and_then(|init| i32::try_from(init.pid).ok());
    let pids = open_cgroup(paths, id).pids().unwrap_or_default();
    let mut stuck: Vec<i32> = pids.into_iter().chain(init).filter(|&pid| is_uninterruptible(pid)).collect();
    stuck.sort_unstable();
    stuck.dedup();
    Error::NotEnded { stuck }
}

/// Returns whether anything of a container is running that must end before it can be removed.
///
/// # Errors
///
/// If that cannot be determined.
pub fn is_up(paths: &Paths, id: &ContainerId) -> Result<bool, Error> {
    Ok(launch::is_monitored(paths, id)? || has_processes(paths, id)?)
}

impl Site<'_> {
    /// Kills a container whose state files do not reveal its state. If its monitor accepts
    /// requests, it is asked first: then it does not start another run, and without a cgroup only
    /// the monitor can kill the container. Returns warnings.
    ///
    /// # Errors
    ///
    /// As for [`Self::kill_by_cgroup`].
    pub fn kill_unreadable(&self, id: &ContainerId) -> Result<Vec<String>, Error> {
        let _ = launch::tell(self.paths, id, Ask::kill(libc::SIGKILL));
        self.kill_by_cgroup(id, WhenDead::ByHand)
    }

    /// Kills a container without its monitor and without readable state files. Also kills a monitor
    /// that does not notice the exit. Returns warnings.
    ///
    /// # Errors
    ///
    /// [`Error::NotEnded`].
    pub fn kill_by_cgroup(&self, id: &ContainerId, dead: WhenDead) -> Result<Vec<String>, Error> {
        let kill = || -> Result<(), Error> {
            let cgroup = open_cgroup(self.paths, id);
            cgroup.kill()?;
            if !cgroup.exists() {
                let run = store::load_run(self.paths, id).ok().flatten();
                run.and_then(|run| run.init()).into_iter().for_each(kill_process);
            }
            Ok(())
        };
        if dead == WhenDead::ByHand {
            let _ = self.keep_from_restart(id); // if this fails, the kill continues and recovery tries again
        }
        kill()?;
        let end = Instant::now() + KILL_PATIENCE;
        let mut patience = Some(Instant::now() + MONITOR_PATIENCE);
        let mut warnings = BTreeSet::new();
        loop {
            let is_monitored = launch::is_monitored(self.paths, id)?;
            // If it cannot be recovered, it is over once no processes are left.
            let is_over = if is_monitored {
                self.is_concluded(id)
            } else {
                let recovery = self.recover(id, LockWait::Wait, dead);
                let is_ending = recovery.as_ref().is_ok_and(|recovery| recovery.is_ending);
                warnings.extend(recovery.into_iter().flat_map(|recovery| recovery.warnings));
                if is_ending {
                    kill()?; // its monitor may have restarted it before it was killed
                }
                !is_ending && !launch::is_monitored(self.paths, id)?
            };
            if is_over && !has_processes(self.paths, id)? {
                return Ok(warnings.into_iter().collect());
            }
            let now = Instant::now();
            if now > end {
                return Err(not_ended(self.paths, id));
            }
            if patience.is_some_and(|at| at < now) {
                patience = None;
                let run = store::load_run(self.paths, id).ok().flatten();
                let monitor = run.map(|run| run.monitor()).filter(|monitor| monitor.is_alive());
                monitor.or_else(|| launch::listener(self.paths, id)).into_iter().for_each(kill_process);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether the monitor of a container has recorded the end of its last run.
    fn is_concluded(&self, id: &ContainerId) -> bool {
        let has_run = !matches!(store::load_run(self.paths, id), Ok(None));
        let has_ended = |record: Record| record.state.started.is_none() || record.state.finished.is_some();
        !has_run && store::load(self.paths, id).ok().flatten().is_none_or(has_ended)
    }
}

/// Kills this process, but never a later one with the same pid.
pub fn kill_process(process: Process) {
    let _ = signal_process(process, libc::SIGKILL); // it may have exited
}

/// Sends a signal to this process, but never to a later one with the same pid. Does nothing if it
/// has exited.
///
/// # Errors
///
/// `EPERM`, or the process cannot be opened.
pub fn signal_process(process: Process, number: i32) -> sys::Result<()> {
    process.open()?.map_or(Ok(()), |pidfd| sys::process::signal(pidfd.as_fd(), number))
}

/// Whether a process is in uninterruptible sleep and cannot be killed now. Processes frozen by a v1
/// freezer look the same.
fn is_uninterruptible(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state(&stat) == Some('D')
}

/// Returns the state in a line of proc_pid_stat(5).
fn state(stat: &str) -> Option<char> {
    // The name before it may contain anything, including brackets and spaces.
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_end_is_named_and_what_to_do() {
        let told = |stuck: &[i32]| Error::NotEnded { stuck: stuck.to_vec() };
        let said = [&[][..], &[7], &[7, 8, 9]].map(|stuck| told(stuck).to_string());
        insta::assert_snapshot!(said.join("\n"), @r"
        its processes did not exit within 10 s after SIGKILL
        its processes did not exit within 10 s after SIGKILL: process 7 is frozen or in uninterruptible sleep (state D)
        its processes did not exit within 10 s after SIGKILL: process 7 and 2 more are frozen or in uninterruptible sleep (state D)
        ");
        assert_eq!(told(&[]).hint(), None);
        assert!(told(&[7]).hint().is_some());
    }

    #[test]
    fn this_process_can_be_killed() {
        assert!(!is_uninterruptible(std::process::id().cast_signed()));
        assert!(!is_uninterruptible(-1), "it is gone");
    }

    #[test]
    fn the_state_of_a_process_follows_its_name() {
        for (stat, want) in
            [("1 (a) D) D 1", Some('D')), ("1 (D) S 1", Some('S')), ("1 (a)", None), ("", None)]
        {
            assert_eq!(state(stat), want, "{stat}");
        }
    }

    #[test]
    fn a_signal_reaches_its_process_and_no_later_one() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let process = Process::of(child.id()).unwrap();
        signal_process(Process { start_time: process.start_time + 1, ..process }, libc::SIGKILL).unwrap();
        assert!(process.is_alive());
        kill_process(process);
        child.wait().unwrap();
        signal_process(process, libc::SIGKILL).unwrap();
    }
}
