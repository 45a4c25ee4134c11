//! The resource use of all containers together, for the first line.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::engine::TotalUsage;

/// The number of values kept.
const RECENT: usize = 20;

/// The newest values, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Total {
    last: Option<TotalUsage>,
    /// The time between the last two.
    step: SignedDuration,
    /// CPU use in percent of one CPU, and memory in bytes.
    recent: VecDeque<(f64, f64)>,
}

impl Total {
    /// Adds what was read.
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    pub fn push(&mut self, now: TotalUsage) {
        let Some(before) = self.last.replace(now) else { return };
        self.step = now.time.duration_since(before.time);
        let seconds = now.time.duration_since(before.time).as_secs_f64();
        let Some(used) = now.cpu_nanos.checked_sub(before.cpu_nanos).filter(|_| seconds > 0.0) else {
            return;
        };
        self.recent.push_back((used as f64 / 1e7 / seconds, now.memory as f64));
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
    }

    /// Returns when the newest values stop being current: some were expected several times by then.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        Some(self.last?.time + current_for(self.step))
    }

    /// Returns the newest `count` values of CPU use and of memory, oldest first.
    #[must_use]
    pub fn latest(&self, count: usize) -> (Vec<f64>, Vec<f64>) {
        self.recent.iter().skip(self.recent.len().saturating_sub(count)).copied().unzip()
    }
}

/// Returns how long values that are read in steps are current.
#[must_use]
pub fn current_for(step: SignedDuration) -> SignedDuration {
    step.clamp(SignedDuration::from_secs(2), SignedDuration::from_secs(20)) * 3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::event::Event;
    use crate::tui::fixture::{drawn, full, now};
    use crate::tui::model::Model;
    use crate::tui::terminal::screen::Screens;
    use crate::tui::update::update;

    /// Returns whether the first line and the row of `api` show the use of CPU dimmed.
    fn dimmed(model: &Model) -> [bool; 2] {
        let drawn = drawn(model, &Screens::default());
        let line = |y: u16| -> Vec<&str> { (0..drawn.area.width).map(|x| drawn[(x, y)].symbol()).collect() };
        let row = (0..drawn.area.height).find(|y| line(*y).concat().contains("● api")).unwrap();
        [0, row].map(|y| {
            let x = line(y).iter().position(|symbol| *symbol == "%").unwrap();
            Some(drawn[(u16::try_from(x).unwrap() - 1, y)].fg) == model.theme.dim.fg
        })
    }

    #[test]
    fn usage_without_news_is_not_shown_as_current() {
        let mut model = full(160, 40);
        assert_eq!(dimmed(&model), [false, false]);
        assert!(model.next_tick().unwrap() <= std::time::Duration::from_secs(6));
        update(&mut model, Event::Tick(now() + SignedDuration::from_secs(30)));
        assert_eq!(dimmed(&model), [true, true]);
    }

    #[test]
    fn the_use_of_cpu_is_a_rate_and_starts_over_with_the_counter() {
        let mut total = Total::default();
        for (second, cpu_secs, memory) in [(0, 5, 10), (2, 6, 20), (2, 7, 30), (4, 1, 40), (5, 3, 50)] {
            total.push(TotalUsage {
                time: Timestamp::from_second(second).unwrap(),
                cpu_nanos: cpu_secs * 1_000_000_000,
                memory,
            });
        }
        assert_eq!(total.latest(9), (vec![50.0, 200.0], vec![20.0, 50.0]));
        assert_eq!(total.latest(1), (vec![200.0], vec![50.0]));
    }

    #[test]
    fn values_are_current_for_three_steps_but_not_after_a_long_break() {
        let mut total = Total::default();
        assert_eq!(total.expires(), None);
        for (second, expires) in [(0, 6), (2, 8), (12, 42), (312, 372)] {
            let time = Timestamp::from_second(second).unwrap();
            total.push(TotalUsage { time, cpu_nanos: 0, memory: 0 });
            assert_eq!(total.expires().map(Timestamp::as_second), Some(expires), "{second}");
        }
    }
}
