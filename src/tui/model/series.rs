//! What a container used over time, as charts want it: rates from counters.

use std::collections::VecDeque;

use crate::engine::Sample;

/// So many points are kept: ten minutes at one a second.
const KEEP: usize = 600;

/// One moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Point {
    /// Percent of one CPU.
    pub cpu: f64,
    /// Bytes.
    pub memory: f64,
    /// Processes and threads.
    pub pids: f64,
    /// Bytes a second received and sent, all interfaces.
    pub net: (f64, f64),
    /// Bytes a second read and written.
    pub block: (f64, f64),
}

/// A container's samples.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// The last sample.
    pub last: Option<Sample>,
    /// The points between the samples, oldest first.
    pub points: VecDeque<Point>,
}

impl Series {
    /// Adds a sample. One of a new run (counters smaller than before) begins anew.
    pub fn push(&mut self, sample: Sample) {
        if let Some(before) = &self.last {
            if sample.cpu_nanos >= before.cpu_nanos && sample.time > before.time {
                let point = between(before, &sample);
                self.points.push_back(point);
                if self.points.len() > KEEP {
                    self.points.pop_front();
                }
            } else if sample.cpu_nanos < before.cpu_nanos {
                self.points.clear();
            }
        }
        self.last = Some(sample);
    }

    /// The newest point.
    #[must_use]
    pub fn now(&self) -> Option<&Point> {
        self.points.back()
    }

    /// The newest `count` values of one kind, oldest first.
    pub fn latest(&self, count: usize, value: impl Fn(&Point) -> f64) -> Vec<f64> {
        let skip = self.points.len().saturating_sub(count);
        self.points.iter().skip(skip).map(value).collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "for charts")]
fn between(before: &Sample, now: &Sample) -> Point {
    let seconds = now.time.duration_since(before.time).as_secs_f64();
    let rate = |was: u64, is: u64| is.saturating_sub(was) as f64 / seconds;
    let sums = |sample: &Sample| sample.networks.iter().fold((0, 0), |(rx, tx), (_, r, t)| (rx + r, tx + t));
    let ((rx, tx), (rx_now, tx_now)) = (sums(before), sums(now));
    Point {
        cpu: now.cpu_percent(before),
        memory: now.memory as f64,
        pids: now.pids as f64,
        net: (rate(rx, rx_now), rate(tx, tx_now)),
        block: (rate(before.block.0, now.block.0), rate(before.block.1, now.block.1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn sample(second: i64, cpu_nanos: u64, rx: u64) -> Sample {
        Sample {
            time: Timestamp::from_second(second).unwrap(),
            cpu_nanos,
            networks: vec![("eth0".to_owned(), rx, 0)],
            ..Sample::default()
        }
    }

    #[test]
    fn counters_become_rates_and_a_new_run_begins_anew() {
        let mut series = Series::default();
        series.push(sample(10, 0, 0));
        assert_eq!(series.now(), None);
        series.push(sample(12, 1_000_000_000, 4096));
        let now = series.now().unwrap();
        assert!((now.cpu - 50.0).abs() < 0.01 && (now.net.0 - 2048.0).abs() < 0.01, "{now:?}");
        series.push(sample(13, 5, 0));
        assert_eq!(series.now(), None);
    }
}
