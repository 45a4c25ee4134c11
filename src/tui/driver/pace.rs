//! Decides when a frame is drawn: after a change, and at most once per [`FRAME`].

use std::time::Duration;

use tokio::time::Instant;

/// The minimum time between frames.
pub(super) const FRAME: Duration = Duration::from_millis(16);

/// The state of drawing.
#[derive(Debug)]
pub(super) struct Pace {
    is_dirty: bool,
    drawn: Option<Instant>,
}

impl Pace {
    /// Returns the state before the first frame.
    pub(super) fn new() -> Self {
        Self { is_dirty: true, drawn: None }
    }

    /// Records a change that may be visible.
    pub(super) fn mark(&mut self) {
        self.is_dirty = true;
    }

    /// Whether a frame must be drawn immediately.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.is_dirty && self.drawn.is_none_or(|drawn| now.duration_since(drawn) >= FRAME)
    }

    /// Records that a frame was drawn.
    pub(super) fn drew(&mut self, now: Instant) {
        (self.is_dirty, self.drawn) = (false, Some(now));
    }

    /// Returns when to wake up without an event: for a delayed frame, or after `tick`, when the
    /// screen changes with time.
    pub(super) fn wake(&self, now: Instant, tick: Option<Duration>) -> Option<Instant> {
        let frame = self.drawn.filter(|_| self.is_dirty).map(|drawn| drawn + FRAME);
        [frame, tick.map(|tick| now + tick)].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_follows_a_change_and_never_comes_too_early() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        // The first frame is drawn immediately, and shows that nothing has been read.
        let mut pace = Pace::new();
        assert!(pace.is_due(start));
        pace.drew(start);
        // (a change is marked, the time, whether a frame is due, when the next one is)
        let cases = [
            (false, 5, false, None),
            (true, 5, false, Some(16)),
            (false, 15, false, Some(16)),
            (false, 16, true, Some(16)),
            (false, 400, true, Some(16)),
        ];
        for (is_marked, now, is_due, wake) in cases {
            if is_marked {
                pace.mark();
            }
            assert_eq!((pace.is_due(at(now)), pace.wake(at(now), None)), (is_due, wake.map(at)), "{now} ms");
        }
        pace.drew(at(400));
        assert_eq!((pace.is_due(at(900)), pace.wake(at(900), None)), (false, None), "nothing has changed");
    }

    #[test]
    fn what_comes_first_wakes() {
        let start = Instant::now();
        let millis = Duration::from_millis;
        let mut pace = Pace::new();
        pace.drew(start);
        assert_eq!(pace.wake(start, Some(millis(100))), Some(start + millis(100)));
        pace.mark();
        assert_eq!(pace.wake(start, Some(millis(100))), Some(start + FRAME));
        assert_eq!(pace.wake(start, Some(millis(10))), Some(start + millis(10)));
    }
}
