//! Records the container's resource use, for charts that are opened later.

use std::time::{Duration, Instant};

use super::session::report_error;
use crate::base::{ContainerId, Paths};
use crate::cgroup::Cgroup;
use crate::container::history::{Counters, Recorder, STEP};
use crate::sys::process::since_boot;

/// The recorder of a running container, and its timer.
#[derive(Debug)]
pub(super) struct Usage {
    recorder: Recorder,
    init: u32,
    /// When to take the next sample.
    due: Instant,
    has_failed: bool,
}

impl Usage {
    /// Records the usage of a container by its cgroup and its first process.
    pub(super) fn of(paths: &Paths, id: &ContainerId, init: u32) -> Self {
        Self { recorder: Recorder::new(paths, id), init, due: next(), has_failed: false }
    }

    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// Takes a sample.
    pub(super) fn act(&mut self, cgroup: &Cgroup) {
        let recorded = self.recorder.record(Counters::read(cgroup, self.init));
        // A fault is reported once, until it has gone.
        if let (Err(error), false) = (&recorded, self.has_failed) {
            report_error(error);
        }
        self.has_failed = recorded.is_err();
        self.due = next();
    }
}

/// Returns when the next sample is due. All monitors take theirs at the same time, so that the
/// machine wakes up once.
fn next() -> Instant {
    // In this order it is never too early.
    let left = until_next(since_boot());
    Instant::now() + left
}

fn until_next(since_boot: Duration) -> Duration {
    let into = since_boot.as_nanos() % STEP.as_nanos();
    STEP - Duration::from_nanos(u64::try_from(into).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_due_at_multiples_of_ten_seconds_since_boot() {
        for (now, left) in [(0, 10_000), (1, 9_999), (9_999, 1), (10_000, 10_000), (123_456_789, 3_211)] {
            assert_eq!(until_next(Duration::from_millis(now)), Duration::from_millis(left), "{now}");
        }
    }
}
