//! Decides what happens after a container exits, without touching the system.

use std::time::Duration;

use super::settle::Next;
use crate::container::Record;

/// A user's request to a monitor whose container is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Stop it, with a "stop" event at the end.
    Stop,
    /// Stop it for the machine's shutdown. Its policy may start it at the next boot.
    Shutdown,
    /// Stop it and start it again.
    Restart,
}

impl Order {
    /// Whether it must not be started again.
    pub(super) fn ends(self) -> bool {
        match self {
            Self::Stop | Self::Shutdown => true,
            Self::Restart => false,
        }
    }
}

/// Returns what to do after an exit with this code.
pub(super) fn next(record: &Record, order: Option<Order>, code: u8) -> Next {
    match order {
        Some(Order::Restart) => Next::Restart,
        None if record.wants_restart(code) => Next::Restart,
        _ if record.config.lifecycle.auto_remove => Next::Remove,
        _ => Next::Stay,
    }
}

/// The delays of restarts by policy. Each is twice the previous one, until a run lasts long enough
/// or a user starts the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BackOff(Duration);

impl BackOff {
    const FIRST: Duration = Duration::from_millis(100);
    const MAX: Duration = Duration::from_secs(60);
    /// A run of this length resets the delay.
    const STABLE: Duration = Duration::from_secs(10);

    pub(super) fn new() -> Self {
        Self(Self::FIRST)
    }

    /// Returns the delay of this restart.
    pub(super) fn take(&mut self) -> Duration {
        let wait = self.0;
        self.0 = (wait * 2).min(Self::MAX);
        wait
    }

    /// Notes the duration of a finished run.
    pub(super) fn note_run(&mut self, lasted: Duration) {
        if lasted >= Self::STABLE {
            *self = Self::new();
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::container::{Options, RestartPolicy};

    /// Returns the record of a container that has not run yet.
    pub(in crate::monitor) fn record(restart: RestartPolicy, auto_remove: bool) -> Record {
        let id = "a".repeat(64);
        let mut record: Record = serde_json::from_value(serde_json::json!({
            "version": crate::container::record::VERSION, "id": id, "name": "web",
            "created": "2026-01-01T00:00:00Z", "image": "busybox", "image_id": format!("sha256:{id}"),
            "layers": [], "options": Options::default(), "config": {},
        }))
        .unwrap();
        (record.config.lifecycle.restart, record.config.lifecycle.auto_remove) = (restart, auto_remove);
        record
    }

    #[test]
    fn an_order_goes_before_the_policy_and_the_policy_before_removal() {
        use Order::{Restart, Shutdown, Stop};
        use RestartPolicy::{Always, No, OnFailure};
        for (order, policy, auto_remove, code, want) in [
            (None, No, false, 0, Next::Stay),
            (None, No, true, 0, Next::Remove),
            (None, Always, false, 0, Next::Restart),
            (None, OnFailure(0), false, 0, Next::Stay),
            (None, OnFailure(0), false, 1, Next::Restart),
            (Some(Stop), Always, false, 143, Next::Stay),
            (Some(Shutdown), Always, false, 143, Next::Stay),
            (Some(Stop), No, true, 143, Next::Remove),
            (Some(Restart), No, false, 143, Next::Restart),
            (Some(Restart), No, true, 143, Next::Restart),
        ] {
            let case = (order, &policy, auto_remove, code);
            assert_eq!(next(&record(policy.clone(), auto_remove), order, code), want, "{case:?}");
        }
        let mut by_hand = record(Always, false);
        by_hand.state.stopped_by_hand = true;
        assert_eq!(next(&by_hand, None, 137), Next::Stay, "`kill` has no order, and yet a person ended it");
    }

    #[test]
    fn waits_double_up_to_a_minute_and_begin_again_after_a_long_run() {
        let mut back_off = BackOff::new();
        let waits: Vec<_> = (0..12).map(|_| back_off.take().as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]);
        back_off.note_run(Duration::from_millis(9_999));
        assert_eq!(back_off.take(), Duration::from_secs(60));
        back_off.note_run(Duration::from_secs(10));
        assert_eq!(back_off.take(), Duration::from_millis(100));
    }
}
