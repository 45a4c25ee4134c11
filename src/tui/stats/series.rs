//! The resource use of a container over time, with rates calculated from counters.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::engine::{ContainerId, PastUsage, Sample};
use crate::tui::stats::history::{History, Range};

/// The number of points kept for sparklines.
const RECENT: usize = 60;

/// The maximum number of interfaces and disks per container with a history of their own.
const PARTS: usize = 16;

/// The maximum number of containers with a history. The least recently sampled ones lose theirs.
const CONTAINERS: usize = 128;

/// The resource use at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Point {
    /// CPU use in percent of one CPU.
    pub cpu: f64,
    /// The share of the quota's periods that were throttled, in percent.
    pub throttled: f64,
    /// Memory in bytes.
    pub memory: f64,
    /// Page cache in bytes.
    pub cache: f64,
    /// Processes and threads.
    pub pids: f64,
    /// Bytes per second received and sent, over all interfaces.
    pub net: (f64, f64),
    /// Bytes per second read and written.
    pub block: (f64, f64),
}

/// The values that have a history, in the order of its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in `Point`")]
pub enum Value {
    Cpu,
    Throttled,
    Memory,
    Cache,
    Received,
    Sent,
    Read,
    Written,
}

impl Value {
    const COUNT: usize = 8;
}

/// The kind of a part: interface or disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Part {
    Interface,
    Disk,
}

/// The samples of a container.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// The last sample.
    pub last: Option<Sample>,
    /// The newest points, oldest first.
    recent: VecDeque<Point>,
    history: History<{ Value::COUNT }>,
    /// Bytes per second in and out of each interface and disk.
    parts: BTreeMap<(Part, String), History<2>>,
}

impl Series {
    /// Adds a sample. If its counters are smaller than before, it belongs to a new run and starts
    /// over.
    pub fn push(&mut self, sample: Sample) {
        if let Some(before) = &self.last {
            if sample.cpu_nanos >= before.cpu_nanos && sample.time > before.time {
                let point = between(before, &sample);
                self.history.push(sample.time, values(&point));
                for (part, name, rates) in parts(before, &sample) {
                    let key = (part, name.to_owned());
                    if self.parts.len() < PARTS || self.parts.contains_key(&key) {
                        self.parts.entry(key).or_default().push(sample.time, rates);
                    }
                }
                self.recent.push_back(point);
                if self.recent.len() > RECENT {
                    self.recent.pop_front();
                }
            } else if sample.cpu_nanos < before.cpu_nanos {
                self.recent.clear();
            }
        }
        self.last = Some(sample);
    }

    /// Adds what the engine has recorded before.
    pub fn fill(&mut self, past: &[PastUsage]) {
        let slot = |past: &PastUsage| {
            let now = &past.averages;
            let values = [
                now.cpu,
                now.throttled,
                now.memory,
                now.cache,
                now.net.0,
                now.net.1,
                now.block.0,
                now.block.1,
            ];
            (past.end, u32::try_from(past.length.as_secs()).unwrap_or(u32::MAX), values)
        };
        self.history.fill(&past.iter().map(slot).collect::<Vec<_>>());
    }

    /// Returns the newest point.
    #[must_use]
    pub fn now(&self) -> Option<&Point> {
        self.recent.back()
    }

    /// Returns the newest `count` values of a kind, oldest first.
    pub fn latest(&self, count: usize, value: impl Fn(&Point) -> f64) -> Vec<f64> {
        let skip = self.recent.len().saturating_sub(count);
        self.recent.iter().skip(skip).map(value).collect()
    }

    /// Returns a value in `dots` equal parts of the range that ends at `end`.
    #[must_use]
    pub fn over(&self, end: jiff::Timestamp, range: Range, dots: usize, value: Value) -> Vec<f64> {
        self.history.sampled(end, range, dots, value as usize)
    }

    /// Returns the names of the interfaces or disks seen so far.
    pub fn parts(&self, kind: Part) -> impl Iterator<Item = &str> {
        self.parts.keys().filter(move |(part, _)| *part == kind).map(|(_, name)| name.as_str())
    }

    /// Returns bytes per second, in and out added up, of an interface or disk.
    #[must_use]
    pub fn over_part(
        &self,
        end: jiff::Timestamp,
        range: Range,
        dots: usize,
        kind: Part,
        name: &str,
    ) -> Vec<f64> {
        let Some(history) = self.parts.get(&(kind, name.to_owned())) else { return vec![f64::NAN; dots] };
        let of = |which| history.sampled(end, range, dots, which);
        of(0).into_iter().zip(of(1)).map(|(taken, given)| taken + given).collect()
    }

    /// Returns when it was first measured, as far as that is known.
    #[must_use]
    pub fn begin(&self) -> Option<jiff::Timestamp> {
        self.history.begin()
    }

    /// Returns the history of a range as lines of CSV, without the header.
    #[must_use]
    pub fn csv(&self, container: &str, end: jiff::Timestamp, range: Range) -> String {
        let row = |(time, values): (jiff::Timestamp, [f32; Value::COUNT])| {
            let [cpu, throttled, memory, cache, received, sent, read, written] = values;
            format!(
                "{time},{container},{cpu:.2},{throttled:.2},{memory:.0},{cache:.0},{received:.0},{sent:.0},{read:.0},{written:.0}\n"
            )
        };
        self.history.rows(end, range).map(row).collect()
    }
}

/// The header of [`Series::csv`].
pub const CSV: &str = "time,container,cpu_percent,throttled_percent,memory_bytes,cache_bytes,received_bytes_per_s,sent_bytes_per_s,read_bytes_per_s,written_bytes_per_s\n";

/// Drops the least recently sampled containers, if there are too many.
pub fn trim(all: &mut HashMap<ContainerId, Series>) {
    while all.len() > CONTAINERS {
        let oldest = all.iter().min_by_key(|(_, series)| series.last.as_ref().map(|sample| sample.time));
        let Some(id) = oldest.map(|(id, _)| id.clone()) else { return };
        all.remove(&id);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "six digits are enough for a chart")]
fn values(point: &Point) -> [f32; Value::COUNT] {
    [
        point.cpu,
        point.throttled,
        point.memory,
        point.cache,
        point.net.0,
        point.net.1,
        point.block.0,
        point.block.1,
    ]
    .map(|value| value as f32)
}

#[expect(clippy::cast_precision_loss, reason = "for charts")]
fn between(before: &Sample, now: &Sample) -> Point {
    let seconds = now.time.duration_since(before.time).as_secs_f64();
    let rate = |was: u64, is: u64| is.saturating_sub(was) as f64 / seconds;
    let sums = |sample: &Sample| sample.networks.iter().fold((0, 0), |(rx, tx), (_, r, t)| (rx + r, tx + t));
    let ((rx, tx), (rx_now, tx_now)) = (sums(before), sums(now));
    let periods = now.periods.0.saturating_sub(before.periods.0);
    let cut = now.periods.1.saturating_sub(before.periods.1);
    Point {
        cpu: now.cpu_percent(before),
        throttled: if periods > 0 { (cut as f64 / periods as f64 * 100.0).min(100.0) } else { 0.0 },
        memory: now.memory as f64,
        cache: now.file as f64,
        pids: now.pids as f64,
        net: (rate(rx, rx_now), rate(tx, tx_now)),
        block: (rate(before.block.0, now.block.0), rate(before.block.1, now.block.1)),
    }
}

/// Returns bytes per second, in and out, of each interface and disk that both samples contain.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "for charts")]
fn parts<'a>(
    before: &'a Sample,
    now: &'a Sample,
) -> impl Iterator<Item = (Part, &'a str, [f32; 2])> + use<'a> {
    let seconds = now.time.duration_since(before.time).as_secs_f64();
    let rate = move |was: u64, is: u64| (is.saturating_sub(was) as f64 / seconds) as f32;
    let kinds =
        [(Part::Interface, &before.networks, &now.networks), (Part::Disk, &before.devices, &now.devices)];
    kinds.into_iter().flat_map(move |(part, before, now)| {
        now.iter().filter_map(move |(name, taken, given)| {
            let (_, was_taken, was_given) = before.iter().find(|(other, ..)| other == name)?;
            Some((part, name.as_str(), [rate(*was_taken, *taken), rate(*was_given, *given)]))
        })
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::engine::Averages;

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

    #[test]
    fn throttling_is_the_share_of_periods_that_were_cut_short() {
        let mut series = Series::default();
        series.push(Sample { periods: (100, 10), ..sample(1, 0, 0) });
        series.push(Sample { periods: (110, 14), ..sample(2, 0, 0) });
        assert_eq!(series.now().unwrap().throttled, 40.0);
        series.push(Sample { periods: (110, 14), ..sample(3, 0, 0) });
        assert_eq!(series.now().unwrap().throttled, 0.0);
    }

    #[test]
    fn each_interface_has_its_own_history_and_no_more_than_there_is_room_for() {
        let mut series = Series::default();
        let all = |bytes| (0..40).map(|at| (format!("veth{at:02}"), bytes, bytes)).collect::<Vec<_>>();
        series.push(Sample { networks: all(0), ..sample(1, 0, 0) });
        series.push(Sample { networks: all(1000), ..sample(2, 0, 0) });
        assert_eq!(series.parts(Part::Interface).count(), PARTS);
        let end = Timestamp::from_second(2).unwrap();
        let dots = series.over_part(end, Range::Minute, 60, Part::Interface, "veth00");
        assert_eq!(dots.last(), Some(&2000.0));
        assert!(series.over_part(end, Range::Minute, 2, Part::Disk, "sda").iter().all(|dot| dot.is_nan()));
    }

    #[test]
    fn what_was_recorded_before_is_in_the_charts() {
        let mut series = Series::default();
        let averages = Averages { cpu: 50.0, block: (0.0, 7.0), ..Averages::default() };
        let end = Timestamp::from_second(1000).unwrap();
        series.fill(&[PastUsage { end, length: Duration::from_secs(10), averages }]);
        assert_eq!(series.over(end, Range::Minute, 60, Value::Cpu)[50..], [50.0; 10]);
        assert_eq!(series.over(end, Range::Minute, 60, Value::Written)[59], 7.0);
        assert_eq!(series.now(), None);
    }

    #[test]
    fn the_history_is_saved_as_rows() {
        let mut series = Series::default();
        for second in 1..=3 {
            series.push(Sample { memory: 7, file: 3, ..sample(second, 0, 0) });
        }
        let text = series.csv("web", Timestamp::from_second(3).unwrap(), Range::Minute);
        assert_eq!(
            text,
            "1970-01-01T00:00:02Z,web,0.00,0.00,7,3,0,0,0,0\n1970-01-01T00:00:03Z,web,0.00,0.00,7,3,0,0,0,0\n"
        );
        assert!(text.lines().all(|line| line.split(',').count() == CSV.split(',').count()));
    }

    #[test]
    fn the_number_of_histories_is_bounded() {
        let mut all = HashMap::new();
        for at in 0..200_i64 {
            let mut series = Series::default();
            series.push(sample(at, 0, 0));
            all.insert(format!("{at:064x}").parse::<ContainerId>().unwrap(), series);
        }
        trim(&mut all);
        assert_eq!(all.len(), CONTAINERS);
        assert!(all.values().all(|series| series.last.as_ref().unwrap().time.as_second() >= 72));
    }
}
