//! The settings of charts: range, scale, and other containers to compare.

use jiff::Timestamp;

use crate::engine::{ContainerId, Sample};
use crate::tui::stats::history::Range;
use crate::tui::stats::series::Point;

/// The maximum number of further containers in a chart.
pub const BESIDE: usize = 8;

/// The maximum zoom, in doublings, in both directions.
const SCALES: i8 = 6;

/// The charts of a pane.
#[derive(Debug, Clone, Default)]
pub struct StatsPane {
    of: Option<ContainerId>,
    /// The time range.
    pub range: Range,
    /// The zoom in doublings, relative to the automatic scale.
    pub scale: i8,
    /// Whether there is a line for each interface and disk, instead of their sum.
    pub is_split: bool,
    /// The frozen state, if the charts are frozen.
    pub frozen: Option<Box<Frozen>>,
    /// Further containers in the same charts.
    pub beside: Vec<ContainerId>,
}

/// The state at the time the charts were frozen.
#[derive(Debug, Clone)]
pub struct Frozen {
    /// The time.
    pub at: Timestamp,
    /// The resource use at that time.
    pub point: Option<Point>,
    /// The last sample at that time.
    pub last: Option<Sample>,
}

impl StatsPane {
    /// Shows `container`. For another one, unfreezes the charts and clears the comparison.
    pub fn show(&mut self, container: Option<&ContainerId>) {
        if self.of.as_ref() != container {
            self.of = container.cloned();
            self.frozen = None;
            self.beside.clear();
        }
    }

    /// Freezes the charts in the given state, or unfreezes them.
    pub fn freeze(&mut self, seen: Frozen) {
        self.frozen = match self.frozen {
            Some(_) => None,
            None => Some(Box::new(seen)),
        };
    }

    /// Returns the time at the right end.
    #[must_use]
    pub fn end(&self, now: Timestamp) -> Timestamp {
        self.frozen.as_ref().map_or(now, |frozen| frozen.at)
    }

    /// Zooms in (above 0) or out. Returns false at the end of the scale.
    pub fn zoom(&mut self, by: i8) -> bool {
        let old = self.scale;
        self.scale = old.saturating_add(by).clamp(-SCALES, SCALES);
        self.scale != old
    }

    /// Adds containers to compare, or removes all if they are already there. Returns how many there
    /// are.
    pub fn compare(&mut self, others: impl IntoIterator<Item = ContainerId>) -> usize {
        let of = self.of.clone();
        let mut others: Vec<_> = others.into_iter().filter(|id| Some(id) != of.as_ref()).collect();
        others.truncate(BESIDE - 1);
        self.beside = if self.beside == others { Vec::new() } else { others };
        self.beside.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> ContainerId {
        digit.to_string().repeat(64).parse().unwrap()
    }

    #[test]
    fn who_is_compared_never_stands_beside_itself_and_goes_by_the_same_key() {
        let mut pane = StatsPane::default();
        pane.show(Some(&id('a')));
        assert_eq!(pane.compare([id('a'), id('b')]), 1);
        assert_eq!(pane.beside, [id('b')]);
        assert_eq!(pane.compare([id('b')]), 0);
        pane.compare([id('c')]);
        pane.show(Some(&id('d')));
        assert!(pane.beside.is_empty());
    }

    #[test]
    fn a_frozen_pane_ends_at_its_moment_until_it_goes_on() {
        let (then, later) = (Timestamp::from_second(5).unwrap(), Timestamp::from_second(9).unwrap());
        let seen = |at| Frozen { at, point: None, last: None };
        let mut pane = StatsPane::default();
        pane.freeze(seen(then));
        assert_eq!(pane.end(later), then);
        pane.freeze(seen(later));
        assert_eq!(pane.end(later), later);
    }

    #[test]
    fn the_scale_has_ends() {
        let mut pane = StatsPane::default();
        while pane.zoom(1) {}
        assert_eq!(pane.scale, SCALES);
        while pane.zoom(-1) {}
        assert_eq!(pane.scale, -SCALES);
    }
}
