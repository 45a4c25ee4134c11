//! How long who ends a container waits, for its monitor and for its processes.

use std::time::{Duration, Instant};

use super::super::error::{Doing, Error, Result};
use super::super::{Engine, Process};
use super::verbs::Target;
use crate::base::{ContainerId, ErrorKind, Explain, Paths};
use crate::container::store;
use crate::monitor::launch;
use crate::monitor::recover::cgroup;
use crate::monitor::wire::Ask;

/// How long a container may take to end once it was killed, or SIGKILL was due.
pub(super) const KILL_PATIENCE: Duration = Duration::from_secs(10);
/// How long its monitor may take to see that, or to listen to somebody.
pub(super) const MONITOR_PATIENCE: Duration = Duration::from_secs(1);

/// It should be gone, and is not.
#[derive(Debug, thiserror::Error)]
#[error("its processes did not end within {} s after SIGKILL{}", KILL_PATIENCE.as_secs(), list(.stuck))]
pub(super) struct NotEnded {
    /// Those that SIGKILL does not reach for now.
    stuck: Vec<i32>,
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

impl NotEnded {
    /// Whether this is what an error is about.
    pub(super) fn is_why(error: &Error) -> bool {
        std::error::Error::source(error).is_some_and(|why| why.is::<Self>())
    }
}

impl Explain for NotEnded {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Internal
    }

    fn hint(&self) -> Option<String> {
        let text = "it ends as soon as its cgroup is thawed, or the disk or server that it waits for answers";
        (!self.stuck.is_empty()).then(|| text.to_owned())
    }
}

/// How long who ends a container looks again and again for a monitor that listens.
#[derive(Debug)]
pub(super) struct Patience {
    until: Instant,
    /// A run that is up though nobody listens, and until when that is borne.
    unheard: Option<(Process, Instant)>,
}

impl Patience {
    pub(super) fn new(patience: Duration) -> Self {
        Self { until: Instant::now() + patience, unheard: None }
    }

    /// Whether to look again. While its first process lives, no monitor is busy with its end.
    pub(super) fn lasts(&mut self, paths: &Paths, id: &ContainerId) -> bool {
        let now = Instant::now();
        let run = store::load_run(paths, id).ok().flatten();
        let init = run.and_then(|run| run.init()).filter(|init| init.is_alive());
        if self.unheard.map(|(init, _)| init) != init {
            self.unheard = init.map(|init| (init, now + MONITOR_PATIENCE));
        }
        now < self.until && self.unheard.is_none_or(|(_, until)| now < until)
    }
}

impl Engine {
    /// Asks its monitor to end a container, and waits until it has ended. Once SIGKILL was due, it
    /// has [`KILL_PATIENCE`] for that.
    ///
    /// # Errors
    ///
    /// The outer one when its processes do not end, the inner one when its monitor did not do it.
    pub(super) fn ask_for_end(
        &self,
        found: &Target,
        wish: &Ask,
        doing: impl Fn() -> String,
    ) -> Result<std::result::Result<Vec<String>, launch::Error>> {
        let id = &found.record.id;
        let asked = match launch::begin(self.paths(), id, None, wish.clone()) {
            Ok(asked) => asked,
            Err(error) => return Ok(Err(error)),
        };
        let grace = wish.grace(found.record.config.lifecycle.stop_timeout());
        let patience = grace.map(|grace| grace.saturating_add(KILL_PATIENCE));
        match asked.wait(patience) {
            Err(launch::Error::Silent) => {}
            result => return Ok(result),
        }
        let is_restart = matches!(wish, Ask::Restart { .. });
        let run = store::load_run(self.paths(), id).ok().flatten();
        let lives = |init: Option<Process>| init.is_some_and(Process::is_alive);
        let is_up = match is_restart {
            true => lives(found.run.as_ref().and_then(|run| run.init())),
            false => lives(run.and_then(|run| run.init())),
        };
        if is_up {
            return Err(self.not_ended(id)).doing(doing);
        }
        // Its monitor has still to clean up, or to start it again.
        Ok(asked.wait((!is_restart).then_some(KILL_PATIENCE)))
    }

    /// Why a container does not end.
    pub(super) fn not_ended(&self, id: &ContainerId) -> NotEnded {
        let run = store::load_run(self.paths(), id).ok().flatten();
        let init = run.and_then(|run| run.init()).and_then(|init| i32::try_from(init.pid).ok());
        let pids = cgroup(self.paths(), id).pids().unwrap_or_default();
        let mut stuck: Vec<i32> =
            pids.into_iter().chain(init).filter(|&pid| is_uninterruptible(pid)).collect();
        stuck.sort_unstable();
        stuck.dedup();
        NotEnded { stuck }
    }
}

/// Whether a process cannot be killed for now. One that a v1 freezer holds is shown so as well.
fn is_uninterruptible(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name before may hold anything, brackets and spaces too.
    stat.rsplit_once(')').is_some_and(|(_, fields)| fields.trim_start().starts_with('D'))
}
