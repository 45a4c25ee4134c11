//! The resource use of all containers together, for the first line.

use std::collections::VecDeque;

use crate::engine::TotalUsage;

/// The number of values kept.
const RECENT: usize = 20;

/// The newest values, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Total {
    last: Option<TotalUsage>,
    /// CPU use in percent of one CPU, and memory in bytes.
    recent: VecDeque<(f64, f64)>,
}

impl Total {
    /// Adds what was read.
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    pub fn push(&mut self, now: TotalUsage) {
        let Some(before) = self.last.replace(now) else { return };
        let seconds = now.time.duration_since(before.time).as_secs_f64();
        let Some(used) = now.cpu_nanos.checked_sub(before.cpu_nanos).filter(|_| seconds > 0.0) else {
            return;
        };
        self.recent.push_back((used as f64 / 1e7 / seconds, now.memory as f64));
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
    }

    /// Returns the newest `count` values of CPU use and of memory, oldest first.
    #[must_use]
    pub fn latest(&self, count: usize) -> (Vec<f64>, Vec<f64>) {
        self.recent.iter().skip(self.recent.len().saturating_sub(count)).copied().unzip()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

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
}
