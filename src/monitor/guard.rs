//! Restores the network's rules after another program has removed them.
//!
//! All monitors are notified. The first one to lock the network repairs the rules for all, and the
//! others find them in place.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use super::session::report_error;
use crate::base::Paths;
use crate::container::Run;
use crate::network::{self, Changes, Look, Repair};
use crate::sys::process;

/// The delay after the first change, since reloading a firewall causes several.
const SETTLED_AFTER: Duration = Duration::from_millis(300);
/// firewalld writes its rules before it accepts requests to trust a link.
const ATTEMPTS: u32 = 5;

/// The guard of one container's network.
#[derive(Debug)]
pub(super) struct Guard {
    changes: Changes,
    networks: network::NetworkPaths,
    /// When to check the rules.
    due: Option<Instant>,
    /// The number of failed attempts.
    attempts: u32,
}

impl Guard {
    /// Returns the guard for a container that is connected to a bridge.
    pub(super) fn of(paths: &Paths, run: &Run) -> Option<Self> {
        run.endpoints.as_ref()?.first()?;
        let networks = network::NetworkPaths::new(paths);
        match Changes::listen(&networks) {
            Ok(changes) => Some(Self { changes, networks, due: None, attempts: 0 }),
            Err(error) => {
                report_error(&error); // the next start repairs the rules
                None
            }
        }
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.changes.fd()
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Reads the notifications of the kernel.
    pub(super) fn hear(&mut self) {
        if self.changes.take() && self.due.is_none() {
            self.attempts = 0;
            self.due = Some(Instant::now() + SETTLED_AFTER);
        }
    }

    /// Checks and repairs the rules if that is due.
    pub(super) fn act(&mut self) {
        if self.due.is_none_or(|due| due > Instant::now()) {
            return;
        }
        let look = if self.attempts == 0 { Look::IfChanged } else { Look::Again };
        let repaired = network::repair(&self.networks, look);
        process::trim_heap(); // other firewalls may have many rules
        self.due = match repaired {
            Ok(Repair::Busy) => Some(Instant::now() + SETTLED_AFTER),
            Ok(Repair::Done(warnings)) if warnings.is_empty() => None,
            failed => {
                self.attempts += 1;
                if self.attempts == ATTEMPTS {
                    report(failed);
                }
                wait_after(self.attempts).map(|wait| Instant::now() + wait)
            }
        };
    }
}

/// Returns the delay after this many failed attempts; `None` to stop trying.
fn wait_after(attempts: u32) -> Option<Duration> {
    (attempts < ATTEMPTS).then(|| SETTLED_AFTER * (1 << attempts))
}

fn report(failed: network::Result<Repair>) {
    match failed {
        Ok(Repair::Done(warnings)) => {
            for warning in warnings {
                report_error(&std::io::Error::other(warning));
            }
        }
        Ok(Repair::Busy) => {}
        Err(error) => report_error(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Endpoint;
    use crate::container::Process;
    use crate::monitor::settle::waiting_run;

    #[test]
    fn looks_without_success_are_ever_rarer_and_end() {
        let waits: Vec<_> = (1..).map_while(wait_after).map(|wait| wait.as_millis()).collect();
        assert_eq!(waits, [600, 1200, 2400, 4800]);
    }

    #[test]
    fn what_is_connected_to_nothing_has_no_guard() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        for endpoints in [None, Some(Vec::<Endpoint>::new())] {
            let run = Run { endpoints, ..waiting_run(Process::own()) };
            assert!(Guard::of(&paths, &run).is_none());
        }
    }
}
