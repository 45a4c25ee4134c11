//! `wait`: the exit code of an end that has come, or is to come.
//!
//! The place in the journal is noted before the record is read, so no end is missed; the
//! code comes from "die", because with `--rm` the record is gone by then. The monitor's
//! process is watched too: when it was killed, nobody writes "die", and this settles it.

use std::time::Duration;

use tokio::io::Interest;

use super::super::attach::watched;
use super::super::error::{Doing, Result};
use super::super::{Engine, Event, EventRequest, Events, News, Status, blocking};
use super::recover::Busy;
use super::{Stored, WaitFor};
use crate::container::Process;
use crate::monitor::settle::UNKNOWN;
use crate::sys;

/// So long after it was found without its monitor a container is looked at again.
const SETTLING: Duration = Duration::from_millis(20);
/// How often it is looked at where the journal cannot be read.
const BY_THE_CLOCK: Duration = Duration::from_millis(100);

impl Engine {
    pub(super) async fn wait(&self, target: &str, condition: WaitFor) -> Result<u8> {
        let mut events = self.events(EventRequest::default()).await?;
        let (engine, wanted) = (self.clone(), target.to_owned());
        let mut now = blocking(move || engine.get(&wanted)).await?;
        let id = now.record.id.clone();
        let mut last = None;
        loop {
            let is_up = now.status.is_up() || now.status == Status::Restarting;
            if condition == WaitFor::NotRunning && !is_up {
                return Ok(last.unwrap_or(now.record.state.exit_code));
            }
            match next(&mut events, &now).await {
                Next::Event(event) if event.actor.id != id.as_str() => continue,
                Next::Event(event) => match event.action.as_str() {
                    "die" => {
                        let code = exit_code(&event);
                        last = Some(code);
                        // A policy may start it again: then it is running, as Docker sees it.
                        if condition != WaitFor::Removed {
                            return Ok(code);
                        }
                    }
                    "destroy" => return Ok(last.unwrap_or_else(|| code_so_far(&now))),
                    "start" => {}
                    _ => continue,
                },
                Next::Look => {}
            }
            let engine = self.clone();
            let wanted = id.clone();
            let seen = blocking(move || {
                let record = crate::container::store::load(engine.paths(), &wanted);
                let record = record.doing(|| format!("wait for `{}`", engine.called(wanted.as_str())))?;
                record.map_or(Ok(None), |record| engine.current(record, Busy::LeaveIt))
            });
            match seen.await? {
                Some(container) => {
                    now = container;
                    let has_ended = !now.status.is_up() && now.status != Status::Restarting;
                    // It was up, and its "die" could not be written.
                    if is_up && has_ended && condition == WaitFor::NextExit {
                        return Ok(last.unwrap_or(now.record.state.exit_code));
                    }
                }
                // Removed: the journal's "destroy" may be lost, the folder is the truth.
                None => return Ok(last.unwrap_or_else(|| code_so_far(&now))),
            }
        }
    }
}

enum Next {
    Event(Event),
    /// Something may have happened.
    Look,
}

async fn next(events: &mut Events, now: &Stored) -> Next {
    tokio::select! {
        biased;
        news = events.recv() => match news {
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

/// Returns when the process has ended, also when it had before; never without one.
async fn ended(process: Option<Process>) {
    let Some(process) = process else { return std::future::pending().await };
    let opened = i32::try_from(process.pid).ok().and_then(|pid| sys::process::open(pid).ok());
    let watched = opened.and_then(|fd| watched(fd, Interest::READABLE).ok());
    match watched {
        // Asked after it was opened: the number may be another's by now.
        Some(watched) if process.is_alive() => drop(watched.readable().await),
        // Somebody else may be settling it, and a look find it as it was.
        _ => tokio::time::sleep(SETTLING).await,
    }
}

fn exit_code(event: &Event) -> u8 {
    event.actor.attributes.get("exitCode").and_then(|code| code.parse().ok()).unwrap_or(UNKNOWN)
}

/// The exit code of a container that is gone, by the last look at it. Where it was up then,
/// nobody has seen its end.
fn code_so_far(last: &Stored) -> u8 {
    if last.status.is_up() { UNKNOWN } else { last.record.state.exit_code }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_is_gone_before_it_is_watched_has_ended() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let gone = Process { pid: child.id(), start_time: 1 };
        child.wait().unwrap();
        let ours = Process { pid: std::process::id(), start_time: 1 }; // a number given again
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for process in [gone, ours] {
            let ended = async { tokio::time::timeout(Duration::from_secs(60), ended(Some(process))).await };
            runtime.block_on(ended).unwrap();
        }
    }
}
