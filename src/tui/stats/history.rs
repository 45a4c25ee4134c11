//! A compact history of values over six hours: 15 minutes in seconds, an hour in steps of ten
//! seconds, and six hours in minutes.
//!
//! ```text
//!  push ─┬─▶ 1 s  × 900   ranges 1m 5m 15m
//!        ├─▶ 10 s × 360   range 1h            a slot is the mean of what fell into it
//!        └─▶ 60 s × 360   range 6h
//! ```
//! Slots are kept by time, not by count: nothing is measured while no charts are shown, and a chart
//! displays that as a gap.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

/// The length of a slot in seconds, and the number of slots.
const TIERS: [(u32, usize); 3] = [(1, 900), (10, 360), (60, 360)];

/// The time range of a chart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Range {
    #[default]
    Minute,
    FiveMinutes,
    QuarterHour,
    Hour,
    SixHours,
}

impl Range {
    /// All ranges, the shortest first.
    pub const ALL: [Self; 5] =
        [Self::Minute, Self::FiveMinutes, Self::QuarterHour, Self::Hour, Self::SixHours];

    /// Returns the label of the range.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::FiveMinutes => "5m",
            Self::QuarterHour => "15m",
            Self::Hour => "1h",
            Self::SixHours => "6h",
        }
    }

    /// Returns its length in seconds.
    #[must_use]
    pub fn seconds(self) -> u32 {
        match self {
            Self::Minute => 60,
            Self::FiveMinutes => 300,
            Self::QuarterHour => 900,
            Self::Hour => 3600,
            Self::SixHours => 21_600,
        }
    }

    /// Returns the range this many steps further, limited to the longest and the shortest.
    #[must_use]
    pub fn step(self, by: isize) -> Self {
        let at = Self::ALL.iter().position(|range| *range == self).unwrap_or(0);
        Self::ALL[at.saturating_add_signed(by).min(Self::ALL.len() - 1)]
    }

    /// Returns the shortest range that contains `measured`, but none longer than this one.
    #[must_use]
    pub fn no_longer_than(self, measured: SignedDuration) -> Self {
        let contains = |range: &Self| i64::from(range.seconds()) >= measured.as_secs();
        Self::ALL.into_iter().find(|range| *range == self || contains(range)).unwrap_or(self)
    }

    fn tier(self) -> usize {
        match self {
            Self::Minute | Self::FiveMinutes | Self::QuarterHour => 0,
            Self::Hour => 1,
            Self::SixHours => 2,
        }
    }
}

/// The mean of the values in a slot of time.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Slot<const N: usize> {
    /// Its number since 1970: the time in seconds divided by the length of a slot.
    at: u32,
    /// The number of values in the mean.
    count: u16,
    values: [f32; N],
}

/// `N` values over time.
#[derive(Debug, Clone)]
pub struct History<const N: usize> {
    tiers: [VecDeque<Slot<N>>; 3],
}

impl<const N: usize> Default for History<N> {
    fn default() -> Self {
        Self { tiers: std::array::from_fn(|_| VecDeque::new()) }
    }
}

impl<const N: usize> History<N> {
    /// Adds values measured at `time`. Ignores values older than the newest ones.
    pub fn push(&mut self, time: Timestamp, values: [f32; N]) {
        let Ok(second) = u32::try_from(time.as_second()) else { return };
        for (slots, (step, keep)) in self.tiers.iter_mut().zip(TIERS) {
            let at = second / step;
            match slots.back_mut() {
                Some(last) if last.at > at => continue,
                Some(last) if last.at == at => last.add(values),
                _ => slots.push_back(Slot { at, count: 1, values }),
            }
            let oldest = at.saturating_sub(u32::try_from(keep).unwrap_or(u32::MAX));
            while slots.front().is_some_and(|slot| slot.at <= oldest) {
                slots.pop_front();
            }
        }
    }

    /// Adds averages over past intervals, each with its end and its length in seconds, the oldest
    /// first. What is already here stays.
    pub fn fill(&mut self, past: &[(Timestamp, u32, [f32; N])]) {
        let second = |time: &Timestamp| u32::try_from(time.as_second()).unwrap_or(0);
        let Some(end) = past.last().map(|(end, ..)| second(end)) else { return };
        for (slots, (step, keep)) in self.tiers.iter_mut().zip(TIERS) {
            let newest = slots.back().map_or(end / step, |slot| slot.at.max(end / step));
            let oldest = newest.saturating_sub(u32::try_from(keep).unwrap_or(u32::MAX)) + 1;
            let mut all = BTreeMap::<u32, Slot<N>>::new();
            for (end, length, values) in past {
                let last = second(end);
                let first = last.saturating_sub(length.saturating_sub(1));
                for at in (first / step).max(oldest)..=last / step {
                    let new = Slot { at, count: 1, values: *values };
                    all.entry(at).and_modify(|slot| slot.add(*values)).or_insert(new);
                }
            }
            all.extend(slots.drain(..).map(|slot| (slot.at, slot)));
            slots.extend(all.into_values().filter(|slot| slot.at >= oldest));
        }
    }

    /// Returns the value with index `which` in `dots` equal parts of the range that ends at `end`,
    /// the oldest first. Parts without measurements are NaN.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "for charts")]
    pub fn sampled(&self, end: Timestamp, range: Range, dots: usize, which: usize) -> Vec<f64> {
        let (slots, step) = (&self.tiers[range.tier()], f64::from(TIERS[range.tier()].0));
        // A frozen chart shows nothing newer than its end.
        let newest = u32::try_from(end.as_second()).unwrap_or(0) / TIERS[range.tier()].0;
        let count = slots.partition_point(|slot| slot.at <= newest);
        let slot = |at: usize| slots.get(at).filter(|_| at < count);
        let (end, length) = (end.as_second() as f64 + 1.0, f64::from(range.seconds()));
        // A longer interval between values is a gap without measurements. Monitors measure every ten
        // seconds, so the interval between their last value and hoist's first can be that long.
        let gap = (step * 2.5).max(12.0);
        let patience = (step * 2.5).max(6.0);
        let value = |slot: &Slot<N>| slot.values.get(which).copied().map_or(f64::NAN, f64::from);
        let middle = |slot: &Slot<N>| (f64::from(slot.at) + 0.5) * step;
        let mut out = Vec::with_capacity(dots);
        let mut next = 0;
        for dot in 0..dots {
            let from = end - length + length * dot as f64 / dots as f64;
            let to = from + length / dots as f64;
            while slot(next).is_some_and(|slot| middle(slot) < from) {
                next += 1;
            }
            let within = slots.iter().take(count).skip(next).take_while(|slot| middle(slot) < to);
            let (sum, count) = within.fold((0.0, 0_u32), |(sum, count), slot| (sum + value(slot), count + 1));
            if count > 0 {
                out.push(sum / f64::from(count));
                continue;
            }
            let (before, after) = (next.checked_sub(1).and_then(slot), slot(next));
            out.push(match (before, after) {
                (Some(before), Some(after)) if middle(after) - middle(before) <= gap => {
                    let share = ((from + to) / 2.0 - middle(before)) / (middle(after) - middle(before));
                    value(before) + (value(after) - value(before)) * share.clamp(0.0, 1.0)
                }
                (Some(before), None) if to - middle(before) <= patience => value(before),
                _ => f64::NAN,
            });
        }
        out
    }

    /// Returns the values in the range up to `end`, with their times, the oldest first.
    pub fn rows(&self, end: Timestamp, range: Range) -> impl Iterator<Item = (Timestamp, [f32; N])> {
        let step = i64::from(TIERS[range.tier()].0);
        let end = end.as_second();
        let first = end - i64::from(range.seconds());
        self.tiers[range.tier()].iter().filter_map(move |slot| {
            let second = i64::from(slot.at) * step;
            let time = Timestamp::from_second(second).ok()?;
            (second > first && second <= end).then_some((time, slot.values))
        })
    }

    /// Returns when its oldest value was measured.
    #[must_use]
    pub fn begin(&self) -> Option<Timestamp> {
        let mut begin: Option<u32> = None;
        for (slots, (step, _)) in self.tiers.iter().zip(TIERS) {
            let oldest = slots.front()?.at;
            // A coarser slot that contains the oldest finer one tells nothing more.
            if begin.is_none_or(|begin| oldest < begin / step) {
                begin = Some(oldest * step);
            }
        }
        Timestamp::from_second(begin?.into()).ok()
    }
}

impl<const N: usize> Slot<N> {
    fn add(&mut self, values: [f32; N]) {
        self.count = self.count.saturating_add(1);
        for (mean, value) in self.values.iter_mut().zip(values) {
            *mean += (value - *mean) / f32::from(self.count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_356_000 + second).unwrap()
    }

    #[test]
    fn six_hours_take_a_bounded_room() {
        let mut history = History::<8>::default();
        for second in 0..30_000 {
            history.push(at(second), [1.0; 8]);
        }
        let lens: Vec<usize> = history.tiers.iter().map(VecDeque::len).collect();
        assert_eq!(lens, [900, 360, 360]);
    }

    #[test]
    fn a_slot_is_the_mean_of_what_fell_into_it() {
        let mut history = History::<1>::default();
        for (second, value) in [(0, 1.0), (4, 2.0), (9, 6.0), (10, 5.0)] {
            history.push(at(second), [value]);
        }
        let rows: Vec<_> = history.rows(at(20), Range::Hour).collect();
        assert_eq!(rows, [(at(0), [3.0]), (at(10), [5.0])]);
    }

    #[test]
    fn dots_between_values_are_drawn_and_dots_where_nobody_measured_are_not() {
        let mut history = History::<1>::default();
        for (second, value) in [(0, 0.0), (2, 20.0), (4, 40.0), (14, 50.0), (30, 7.0)] {
            history.push(at(second), [value]);
        }
        let dots = history.sampled(at(59), Range::Minute, 60, 0);
        let seen = |at: usize| dots[at];
        assert_eq!((seen(0), seen(1), seen(2), seen(4)), (0.0, 10.0, 20.0, 40.0));
        assert_eq!((seen(9), seen(14)), (45.0, 50.0));
        assert!((16..30).all(|at| seen(at).is_nan()), "{dots:?}");
        assert_eq!(seen(30), 7.0);
        // The newest value is extended, because the next one is still to come.
        assert_eq!(seen(34), 7.0);
        assert!(seen(40).is_nan());
        // Many values in one dot are averaged.
        assert_eq!(history.sampled(at(59), Range::Minute, 12, 0)[0], 20.0);
    }

    #[test]
    fn the_past_is_added_around_what_was_measured() {
        let mut history = History::<1>::default();
        history.push(at(300), [9.0]);
        history.push(at(420), [8.0]);
        history.fill(&[(at(0), 300, [1.0]), (at(60), 60, [2.0]), (at(310), 10, [3.0]), (at(320), 10, [4.0])]);
        let minute: Vec<_> =
            history.rows(at(359), Range::Minute).map(|(time, [value])| (time, value)).collect();
        assert_eq!(minute.len(), 21);
        assert_eq!((minute[0], minute[1], minute[20]), ((at(300), 9.0), (at(301), 3.0), (at(320), 4.0)));
        let hours: Vec<_> = history.rows(at(420), Range::SixHours).map(|(_, [value])| value).collect();
        assert_eq!(hours, [1.0, 1.0, 1.0, 1.0, 1.0, 1.5, 2.0, 9.0, 8.0]);
        assert!(history.tiers[0].iter().zip(history.tiers[0].iter().skip(1)).all(|(a, b)| a.at < b.at));
        for _ in 0..3 {
            history.fill(&[(at(30_000), 21_600, [1.0])]);
        }
        let lens: Vec<usize> = history.tiers.iter().map(VecDeque::len).collect();
        assert_eq!(lens, [900, 360, 360]);
        history.fill(&[]);
        history.fill(&[(Timestamp::UNIX_EPOCH, 0, [1.0]), (at(30_000), u32::MAX, [1.0])]);
    }

    #[test]
    fn a_range_with_little_in_it_gives_way_to_a_shorter_one() {
        let mut history = History::<1>::default();
        assert_eq!(history.begin(), None);
        for (second, begin) in [(77, 77), (800, 77), (1500, 70), (5000, 60)] {
            history.push(at(second), [1.0]);
            assert_eq!(history.begin(), Some(at(begin)), "{second}");
        }
        for (range, secs, want) in [
            (Range::SixHours, 23, Range::Minute),
            (Range::SixHours, 61, Range::FiveMinutes),
            (Range::SixHours, 4000, Range::SixHours),
            (Range::SixHours, 400_000, Range::SixHours),
            (Range::Minute, 4000, Range::Minute),
            (Range::Hour, 900, Range::QuarterHour),
        ] {
            assert_eq!(range.no_longer_than(SignedDuration::from_secs(secs)), want, "{secs}");
        }
    }

    #[test]
    fn nothing_is_asked_too_much() {
        let mut history = History::<1>::default();
        assert_eq!(history.sampled(at(0), Range::SixHours, 0, 0), Vec::<f64>::new());
        assert!(history.sampled(at(0), Range::SixHours, 3, 0).iter().all(|value| value.is_nan()));
        history.push(at(5), [1.0]);
        history.push(at(4), [9.0]); // the clock was set back
        assert_eq!(history.rows(at(9), Range::Minute).count(), 1);
        assert!(history.sampled(at(5), Range::Minute, 3, 7).iter().all(|value| value.is_nan()));
    }
}
