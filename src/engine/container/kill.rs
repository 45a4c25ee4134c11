//! Ends containers: through the monitor, or directly if the monitor does not answer.

use super::super::error::{Doing, Result};
use super::super::{Engine, Status, Verb};
use super::Warnings;
use super::state::is_run_lost;
use super::verbs::{ASK_AGAIN, Target, number};
use crate::base::{ContainerId, ErrorKind};
use crate::container::record::UNKNOWN;
use crate::container::store;
use crate::monitor::end::{self, KILL_PATIENCE, MONITOR_PATIENCE, Patience};
use crate::monitor::launch::{self, ask};
use crate::monitor::recover::{LockWait, WhenDead};
use crate::monitor::wire::Ask;

impl Engine {
    /// Stops a container, but keeps its restart policy in force and limits an infinite timeout. For
    /// a container that is damaged or currently unreadable, the monitor still knows what the files
    /// said.
    pub(in crate::engine) fn stop_for_shutdown(&self, id: &ContainerId) -> Result<Warnings> {
        let doing = || format!("stop `{}`", self.called(id.as_str()));
        let wish = Ask::Stop { signal: None, timeout: None, at_shutdown: true };
        match self.is_unreadable(id, doing) {
            Ok(false) => return self.end(id.as_str(), doing, &wish),
            Err(error) if !self.is_up_in_any_form(id) => return Err(error),
            Ok(true) | Err(_) => {}
        }
        match ask(self.paths(), id, None, wish) {
            Err(launch::Error::Silent | launch::Error::Gone | launch::Error::Unreachable(_)) => {
                self.kill_by_cgroup(id, WhenDead::Shutdown, doing)
            }
            result => result.map(Warnings).doing(doing),
        }
    }

    /// Whether it has a monitor or processes, whatever its files say.
    pub(in crate::engine) fn is_up_in_any_form(&self, id: &ContainerId) -> bool {
        end::is_up(self.paths(), id).unwrap_or(true)
    }

    /// Repeats the request until the container has exited. If it is not up, no request is sent.
    pub(super) fn end(&self, target: &str, doing: impl Fn() -> String, wish: &Ask) -> Result<Warnings> {
        // A container that must end in any case can be killed without the monitor.
        let must_end =
            matches!(wish, Ask::Kill { signal: libc::SIGKILL, .. } | Ask::Stop { at_shutdown: true, .. });
        let dead = match wish {
            Ask::Stop { at_shutdown: true, .. } => WhenDead::Shutdown,
            _ => WhenDead::ByHand,
        };
        let id = store::find_id(self.paths(), target).doing(&doing)?;
        let mut patience = Patience::new(if must_end { MONITOR_PATIENCE } else { KILL_PATIENCE });
        loop {
            let (found, trouble) = self.target_as_left(id.as_str(), LockWait::Wait, &doing)?;
            let has_ended = !found.status.is_up() && found.status != Status::Restarting;
            match trouble {
                None if has_ended => return Ok(Warnings::default()),
                // Nothing will restart it, settled or not.
                Some(_) if has_ended && !found.record.wants_restart(UNKNOWN) => {
                    return Ok(Warnings::default());
                }
                Some(_) if must_end => {
                    return self.kill_by_cgroup(&found.record.id, dead, &doing);
                }
                Some(trouble) => return Err(trouble),
                None => {}
            }
            match self.ask_for_end(&found, wish, &doing)? {
                Ok(warnings) => return Ok(Warnings(warnings)),
                Err(launch::Error::Gone) if patience.lasts(self.paths(), &id) => {
                    std::thread::sleep(ASK_AGAIN);
                }
                Err(launch::Error::Silent | launch::Error::Gone | launch::Error::Unreachable(_))
                    if must_end =>
                {
                    return self.kill_by_cgroup(&id, dead, &doing);
                }
                Err(error) => return Err(error).doing(&doing),
            }
        }
    }

    pub(super) fn kill_now(&self, target: &str, word: &str) -> Result<Warnings> {
        let doing = || format!("kill `{}`", self.called(target));
        let number = number(word).doing(doing)?;
        let id = store::find_id(self.paths(), target).doing(doing)?;
        let mut patience = Patience::new(KILL_PATIENCE);
        let wait = if number == libc::SIGKILL { LockWait::WaitAWhile } else { LockWait::Wait };
        loop {
            let (found, trouble) = match self.target_as_left(id.as_str(), wait, doing) {
                // Its state is unknown, but it can still be killed.
                Err(error) if number == libc::SIGKILL && error.kind() != ErrorKind::NotFound => {
                    let is_up = is_run_lost(&error) || self.is_up(&id, doing)?;
                    return if is_up { self.kill_unreadable(&id, doing) } else { Err(error) };
                }
                found => found?,
            };
            found.status.after(Verb::Kill).doing(doing)?;
            if trouble.is_some() {
                return self.kill_orphan(&found, number, doing);
            }
            match self.ask_for_end(&found, &Ask::kill(number), doing)? {
                Err(launch::Error::Silent | launch::Error::Unreachable(_)) if number == libc::SIGKILL => {
                    return self.kill_by_cgroup(&id, WhenDead::ByHand, doing);
                }
                // It has just exited, or its monitor cannot be reached.
                Err(launch::Error::Gone) if number == libc::SIGKILL => {
                    return match self.end(id.as_str(), doing, &Ask::kill(number)) {
                        Err(_) if store::load(self.paths(), &id).doing(doing)?.is_none() => {
                            Ok(Warnings::default())
                        }
                        result => result,
                    };
                }
                Err(launch::Error::Gone) if patience.lasts(self.paths(), &id) => {
                    std::thread::sleep(ASK_AGAIN);
                }
                result => return result.map(Warnings).doing(doing),
            }
        }
    }

    /// Sends a signal to a container without a monitor. Any signal ends the wait for a restart.
    fn kill_orphan(&self, found: &Target, number: i32, doing: impl Fn() -> String) -> Result<Warnings> {
        match found.run.as_ref().and_then(|run| run.init()) {
            Some(init) if number != libc::SIGKILL => {
                end::signal_process(init, number).doing(doing).map(Warnings::from)
            }
            _ => self.kill_by_cgroup(&found.record.id, WhenDead::ByHand, doing),
        }
    }

    /// Whether anything of a container is running that must end before it can be removed.
    pub(super) fn is_up(&self, id: &ContainerId, doing: impl Fn() -> String) -> Result<bool> {
        end::is_up(self.paths(), id).doing(doing)
    }

    /// Asks the monitor to end a container, and waits until it has exited.
    ///
    /// # Errors
    ///
    /// The outer error if its processes do not exit, the inner one if its monitor failed.
    pub(super) fn ask_for_end(
        &self,
        found: &Target,
        wish: &Ask,
        doing: impl Fn() -> String,
    ) -> Result<std::result::Result<Vec<String>, launch::Error>> {
        end::ask_for_end(self.paths(), &found.record, found.run.as_ref(), wish).doing(doing)
    }

    /// Kills a container without its monitor and without readable state files.
    pub(super) fn kill_by_cgroup(
        &self,
        id: &ContainerId,
        dead: WhenDead,
        doing: impl Fn() -> String,
    ) -> Result<Warnings> {
        self.site().kill_by_cgroup(id, dead).doing(doing).map(Warnings)
    }

    /// Kills a container whose state files do not reveal its state.
    pub(super) fn kill_unreadable(&self, id: &ContainerId, doing: impl Fn() -> String) -> Result<Warnings> {
        self.site().kill_unreadable(id).doing(doing).map(Warnings)
    }
}
