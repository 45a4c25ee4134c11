//! How a pane shows what containers use: how much of the past, on which scale, beside whom.

use jiff::Timestamp;

use crate::engine::{ContainerId, Sample};
use crate::tui::stats::history::Range;
use crate::tui::stats::series::Point;

/// Most containers in one chart.
pub const BESIDE: usize = 8;

/// How many doublings the scale goes up and down.
const SCALES: i8 = 6;

/// Charts on the screen.
#[derive(Debug, Clone, Default)]
pub struct StatsPane {
    of: Option<ContainerId>,
    /// How much of the past.
    pub range: Range,
    /// By how many doublings it is drawn larger than fits by itself.
    pub scale: i8,
    /// A line an interface and a disk, instead of their sum.
    pub is_split: bool,
    /// It stands still.
    pub frozen: Option<Box<Frozen>>,
    /// Further containers in the same charts.
    pub beside: Vec<ContainerId>,
}

/// The moment at which charts stand still.
#[derive(Debug, Clone)]
pub struct Frozen {
    /// The moment.
    pub at: Timestamp,
    /// What was used then.
    pub point: Option<Point>,
    /// What had been used until then.
    pub last: Option<Sample>,
}

impl StatsPane {
    /// Shows `container`; the stillness of another one, and who stood beside it, go.
    pub fn show(&mut self, container: Option<&ContainerId>) {
        if self.of.as_ref() != container {
            self.of = container.cloned();
            self.frozen = None;
            self.beside.clear();
        }
    }

    /// Stands still as it was seen, or goes on.
    pub fn freeze(&mut self, seen: Frozen) {
        self.frozen = match self.frozen {
            Some(_) => None,
            None => Some(Box::new(seen)),
        };
    }

    /// The moment at the right end.
    #[must_use]
    pub fn end(&self, now: Timestamp) -> Timestamp {
        self.frozen.as_ref().map_or(now, |frozen| frozen.at)
    }

    /// Draws larger (above 0) or smaller.
    pub fn zoom(&mut self, by: i8) {
        self.scale = self.scale.saturating_add(by).clamp(-SCALES, SCALES);
    }

    /// Puts these beside its container, or takes all away when they are there already. Gives
    /// how many stand there.
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
        (0..100).for_each(|_| pane.zoom(1));
        assert_eq!(pane.scale, SCALES);
        (0..100).for_each(|_| pane.zoom(-1));
        assert_eq!(pane.scale, -SCALES);
    }
}
