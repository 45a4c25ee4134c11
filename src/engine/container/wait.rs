//! `wait`: returns how a container exited or will exit.
//!
//! The position in the journal is taken before the record is read, so no exit is missed. The exit
//! code is taken from "die", because with `--rm` the record may already be removed. The monitor's
//! process is watched too: if it is killed, nobody writes "die", and this process settles the run.

use std::time::Duration;

use tokio::io::Interest;

use super::super::attach::watched;
use super::super::error::{Doing, Result};
use super::super::{Engine, Event, EventFilter, EventRequest, Events, Kind, News, Status, blocking};
use super::{Exit, Stored, WaitFor};
use crate::base::ContainerId;
use crate::container::record::UNKNOWN;
use crate::container::{ExitState, Process};
use crate::monitor::recover::LockWait;

/// The delay before a container without its monitor is looked at again.
const SETTLING: Duration = Duration::from_millis(20);
/// The polling interval if the journal cannot be read.
const BY_THE_CLOCK: Duration = Duration::from_millis(100);

impl Engine {
    pub(super) async fn wait(&self, target: &str, condition: WaitFor) -> Result<Exit> {
        // Without events the container is polled.
        let mut events = self.events(EventRequest::default()).await.ok();
        let (engine, wanted) = (self.clone(), target.to_owned());
        let mut now = blocking(move || engine.get(&wanted)).await?;
        let id = now.record.id.clone();
        let (mut last, mut oom_killed) = (None, false);
        loop {
            let is_up = now.status.is_up() || now.status == Status::Restarting;
            if condition == WaitFor::NotRunning && !is_up {
                return Ok(exit(&now.record.state));
            }
            match next(&mut events, &now).await {
                Next::Event(event) if event.actor.id != id.as_str() => continue,
                Next::Event(event) => match event.action.as_str() {
                    "oom" => {
                        oom_killed = true;
                        continue;
                    }
                    "die" => {
                        let exit = self.exit_of(&id, exit_code(&event), oom_killed).await?;
                        // A restart policy may start it again; until then Docker counts it as
                        // running.
                        if condition != WaitFor::Removed {
                            return Ok(exit);
                        }
                        last = Some(exit);
                    }
                    "destroy" => return Ok(last.unwrap_or_else(|| exit_so_far(&now))),
                    "start" => oom_killed = false,
                    _ => continue,
                },
                Next::Look => {}
            }
            let engine = self.clone();
            let wanted = id.clone();
            let seen = blocking(move || {
                let record = crate::container::store::load(engine.paths(), &wanted);
                let record = record.doing(|| format!("wait for `{}`", engine.called(wanted.as_str())))?;
                record.map_or(Ok(None), |record| engine.current(record, LockWait::LeaveIt))
            });
            match seen.await? {
                Some(container) => {
                    now = container;
                    let has_ended = !now.status.is_up() && now.status != Status::Restarting;
                    // It was up, and its "die" could not be written.
                    if is_up && has_ended && condition == WaitFor::NextExit {
                        return Ok(exit(&now.record.state));
                    }
                }
                // It is removed. The folder is authoritative, since "destroy" may be lost. The
                // journal's event of its exit may still be pending.
                None => match last {
                    None if now.status.is_up() => return Ok(self.exit_in_the_journal(&now).await),
                    last => return Ok(last.unwrap_or_else(|| exit_so_far(&now))),
                },
            }
        }
    }

    /// Returns how the last known run of a removed container exited.
    async fn exit_in_the_journal(&self, last: &Stored) -> Exit {
        let filter = EventFilter {
            kinds: vec![Kind::Container.as_str().to_owned()],
            containers: vec![last.record.id.to_string()],
            ..EventFilter::default()
        };
        let began = last.run.as_ref().and_then(|run| run.started);
        // If the journal cannot be read, the exit code is unknown.
        let mut events = self.past_events(filter).await.unwrap_or_default();
        events.retain(|event| began.is_none_or(|began| event.timestamp() >= began));
        let code = events.iter().rev().find(|event| event.action == "die").map_or(UNKNOWN, exit_code);
        let oom_killed = events.iter().any(|event| event.action == "oom");
        Exit { code, oom_killed, ..Exit::default() }
    }

    /// Returns an exit reported by the journal, with details from the record if it still exists.
    async fn exit_of(&self, id: &ContainerId, code: u8, oom_killed: bool) -> Result<Exit> {
        let (engine, id) = (self.clone(), id.clone());
        blocking(move || {
            let record = crate::container::store::load(engine.paths(), &id).ok().flatten();
            // A different code belongs to a later run.
            let state = record.map(|record| record.state).filter(|state| state.exit_code == code);
            let told = state.as_ref().map(exit).unwrap_or_default();
            Ok(Exit { code, oom_killed: oom_killed || told.oom_killed, ..told })
        })
        .await
    }
}

enum Next {
    Event(Event),
    /// Something may have happened.
    Look,
}

async fn next(events: &mut Option<Events>, now: &Stored) -> Next {
    let news = async {
        match events {
            Some(events) => events.recv().await,
            None => None,
        }
    };
    tokio::select! {
        biased;
        news = news => match news {
            Some(News::Event(event)) => Next::Event(event),
            Some(News::Gap) => Next::Look,
            None => {
                tokio::time::sleep(BY_THE_CLOCK).await;
                Next::Look
            }
        },
        () = ended(now.run.as_ref().map(|run| run.monitor())) => Next::Look,
    }
}

/// Waits until the process has exited, or forever without a process.
async fn ended(process: Option<Process>) {
    let Some(process) = process else { return std::future::pending().await };
    match process.open().ok().flatten().and_then(|fd| watched(fd, Interest::READABLE).ok()) {
        Some(watched) => drop(watched.readable().await),
        // Another process may be settling it, so that nothing has changed yet.
        None => tokio::time::sleep(SETTLING).await,
    }
}

fn exit_code(event: &Event) -> u8 {
    event.actor.attributes.get("exitCode").and_then(|code| code.parse().ok()).unwrap_or(UNKNOWN)
}

fn exit(state: &ExitState) -> Exit {
    Exit { code: state.exit_code, error: state.error.clone(), oom_killed: state.oom_killed }
}

/// Returns the exit of a removed container according to its last known state. If it was up then,
/// its exit code is unknown.
fn exit_so_far(last: &Stored) -> Exit {
    if last.status.is_up() { Exit { code: UNKNOWN, ..Exit::default() } } else { exit(&last.record.state) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_is_gone_before_it_is_watched_has_ended() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let gone = Process { pid: child.id(), start_time: 1 };
        child.wait().unwrap();
        let ours = Process { pid: std::process::id(), start_time: 1 }; // a reused pid
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for process in [gone, ours] {
            let ended = async { tokio::time::timeout(Duration::from_secs(60), ended(Some(process))).await };
            runtime.block_on(ended).unwrap();
        }
    }
}
