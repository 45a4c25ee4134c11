//! `wait`: the exit code of an end that has come, or is to come.
//!
//! The place in the journal is noted before the record is read, so no end is missed; the
//! code comes from "die", because with `--rm` the record is gone by then. The monitor's
//! process is watched too: when it was killed, nobody writes "die", and this settles it.

use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::sync::mpsc;

use super::super::attach::watched;
use super::super::error::{Doing, NotFound, Result};
use super::super::{Engine, Event, News, Status, blocking};
use super::state::Busy;
use super::{Container, WaitFor};
use crate::sys;

impl Engine {
    pub(super) async fn wait(&self, target: &str, condition: WaitFor) -> Result<u8> {
        let mut events = self.events()?;
        let mut now = self.containers().get(target).await?;
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
                    "destroy" => return Ok(last.unwrap_or(now.record.state.exit_code)),
                    "start" => {}
                    _ => continue,
                },
                Next::Look => {}
                Next::Over => {
                    return Err(NotFound { noun: "container", name: target.to_owned() })
                        .doing(|| format!("wait for `{}`", self.called(target)));
                }
            }
            let engine = self.clone();
            let wanted = id.clone();
            let seen = blocking(move || {
                let record = crate::container::store::load(engine.paths(), &wanted);
                let record = record.doing(|| format!("wait for `{}`", engine.called(wanted.as_str())))?;
                record.map_or(Ok(None), |record| engine.view(record, Busy::LeaveIt))
            });
            match seen.await? {
                Some(container) => now = container,
                // Removed: the journal's "destroy" may be lost, the folder is the truth.
                None => return Ok(last.unwrap_or(now.record.state.exit_code)),
            }
        }
    }
}

enum Next {
    Event(Event),
    /// Something may have happened.
    Look,
    Over,
}

async fn next(events: &mut mpsc::Receiver<News>, now: &Container) -> Next {
    let monitor = now.run.as_ref().and_then(|run| i32::try_from(run.monitor.pid).ok());
    let monitor = monitor.and_then(|pid| sys::process::open(pid).ok());
    tokio::select! {
        biased;
        news = events.recv() => match news {
            Some(News::Event(event)) => Next::Event(event),
            Some(News::Gap) => Next::Look,
            None => Next::Over,
        },
        () = ended(monitor) => Next::Look,
    }
}

/// Returns when the process has; never without one.
async fn ended(process: Option<OwnedFd>) {
    let watched = process.and_then(|fd| watched(fd, Interest::READABLE).ok());
    match watched {
        Some(watched) => drop(watched.readable().await),
        None => std::future::pending().await,
    }
}

fn exit_code(event: &Event) -> u8 {
    event.actor.attributes.get("exitCode").and_then(|code| code.parse().ok()).unwrap_or(255)
}
