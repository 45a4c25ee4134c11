//! The panes beside the list: a tree of splits whose leaves are panes.
//!
//! ```text
//!  Split(Columns) ─┬─ 1 worker: shell         ┏ 1 ━━━━━━━┓╭ 2 ──────╮
//!                  └─ Split(Rows) ─┬─ 2 logs  ┃          ┃╰─────────╯
//!                                  └─ 3 stats ┃          ┃╭ 3 ──────╮
//!                                             ┗━━━━━━━━━━┛╰─────────╯
//! ```
//! A pane shows the subject under the list's cursor until it is pinned. A split pins the existing
//! pane, so that it does not change when the cursor moves.

use std::collections::BTreeMap;

use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};

use crate::tui::compare::model::ComparePane;
use crate::tui::files::model::FilesPane;
use crate::tui::inspect::model::InspectPane;
use crate::tui::layers::model::LayersPane;
use crate::tui::logs::model::LogPane;
use crate::tui::section::Subject;
use crate::tui::stats::model::StatsPane;
use crate::tui::tab::{PaneId, Tab};
use crate::tui::top::model::TopPane;
use crate::tui::why::model::WhyPane;

/// The smallest pane that is drawn, including the border.
const SMALLEST: (u16, u16) = (16, 4);

/// The maximum number of panes.
const MOST: usize = 12;

/// A pane: what it shows, and the state of each of its tabs.
#[derive(Debug)]
pub struct Pane {
    /// Its number.
    pub id: PaneId,
    /// Its subject; `None` for the subject under the list's cursor.
    pub pinned: Option<Subject>,
    /// The last known name of a pinned subject.
    pub called: String,
    /// The chosen tab, if the subject has it.
    pub tab: Tab,
    /// The state of the logs.
    pub log: LogPane,
    /// The state of the charts.
    pub stats: StatsPane,
    /// The state of the process list.
    pub top: TopPane,
    /// The state of the document.
    pub inspect: InspectPane,
    /// The state of the tab that explains why the container ended or is unhealthy.
    pub why: WhyPane,
    /// The state of the file browser.
    pub files: FilesPane,
    /// The state of the image's layers.
    pub layers: LayersPane,
    /// The state of the comparison of two images.
    pub compare: ComparePane,
}

impl Pane {
    /// Whether the user has pinned it. The page of a terminal always belongs to its task.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        matches!(&self.pinned, Some(subject) if !matches!(subject, Subject::Task(_)))
    }

    /// Returns a pane that follows the list. Its serials are unique, because their upper half is
    /// the pane.
    fn new(id: PaneId) -> Self {
        let serial = id.serial();
        Self {
            id,
            pinned: None,
            called: String::new(),
            tab: Tab::Logs,
            log: LogPane::new(serial),
            stats: StatsPane::default(),
            top: TopPane::default(),
            inspect: InspectPane::new(serial),
            why: WhyPane::new(serial),
            files: FilesPane::new(serial),
            layers: LayersPane::new(serial),
            compare: ComparePane::new(serial),
        }
    }
}

/// The direction of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Axis {
    /// Side by side.
    Columns,
    /// One above the other.
    Rows,
}

/// A direction for moving between panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Toward {
    Left,
    Right,
    Up,
    Down,
}

/// A tree of splits with leaves of any kind: panes, or what panes show in a saved layout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Node<T> {
    /// A leaf.
    Pane(T),
    /// A split in two.
    Split {
        /// The direction of the split.
        axis: Axis,
        /// The share of the first part, in thousandths.
        share: u16,
        /// The left or upper part.
        first: Box<Node<T>>,
        /// The right or lower part.
        second: Box<Node<T>>,
    },
}

impl<T: Copy + PartialEq> Node<T> {
    fn leaves(&self, to: &mut Vec<T>) {
        match self {
            Self::Pane(leaf) => to.push(*leaf),
            Self::Split { first, second, .. } => {
                first.leaves(to);
                second.leaves(to);
            }
        }
    }

    /// Returns the node of a leaf, mutable.
    fn leaf(&mut self, wanted: T) -> Option<&mut Self> {
        match self {
            Self::Pane(leaf) => (*leaf == wanted).then_some(self),
            Self::Split { first, second, .. } => first.leaf(wanted).or_else(|| second.leaf(wanted)),
        }
    }

    fn has(&self, wanted: T) -> bool {
        match self {
            Self::Pane(leaf) => *leaf == wanted,
            Self::Split { first, second, .. } => first.has(wanted) || second.has(wanted),
        }
    }

    /// Removes a leaf; its sibling takes over the space.
    fn without(self, gone: T) -> Self {
        match self {
            Self::Pane(_) => self,
            Self::Split { first, second, .. } if *first == Self::Pane(gone) => *second,
            Self::Split { first, second, .. } if *second == Self::Pane(gone) => *first,
            Self::Split { axis, share, first, second } => Self::Split {
                axis,
                share,
                first: Box::new(first.without(gone)),
                second: Box::new(second.without(gone)),
            },
        }
    }

    /// Moves the border of the innermost split along `axis` that contains a leaf, by thousandths.
    fn resize(&mut self, wanted: T, axis: Axis, by: i16) -> bool {
        let Self::Split { axis: own, share, first, second } = self else { return false };
        let in_first = first.has(wanted);
        let inner = if in_first { first } else { second };
        if inner.resize(wanted, axis, by) {
            return true;
        }
        if *own != axis {
            return false;
        }
        let by = if in_first { by } else { -by };
        *share = share.saturating_add_signed(by).clamp(100, 900);
        true
    }

    fn equalize(&mut self) {
        if let Self::Split { axis, share, first, second } = self {
            let weigh = |node: &Self| node.weight(*axis);
            let (one, two) = (weigh(first), weigh(second));
            *share = one * 1000 / (one + two);
            first.equalize();
            second.equalize();
        }
    }

    /// Returns the number of panes side by side along an axis.
    fn weight(&self, along: Axis) -> u16 {
        match self {
            Self::Pane(_) => 1,
            Self::Split { axis, first, second, .. } if *axis == along => {
                first.weight(along) + second.weight(along)
            }
            Self::Split { first, second, .. } => first.weight(along).max(second.weight(along)),
        }
    }

    fn areas(&self, area: Rect, to: &mut Vec<(T, Rect)>) {
        match self {
            Self::Pane(leaf) => to.push((*leaf, area)),
            Self::Split { axis, share, first, second } => {
                let (one, two) = part(area, *axis, *share);
                first.areas(one, to);
                second.areas(two, to);
            }
        }
    }
}

impl<T> Node<T> {
    /// Returns the same tree with other leaves; `None` if `leaf` returns `None` for one of them.
    pub fn map<U>(&self, leaf: &mut impl FnMut(&T) -> Option<U>) -> Option<Node<U>> {
        Some(match self {
            Self::Pane(one) => Node::Pane(leaf(one)?),
            Self::Split { axis, share, first, second } => match (first.map(leaf), second.map(leaf)) {
                (Some(first), Some(second)) => {
                    let (first, second) = (Box::new(first), Box::new(second));
                    Node::Split { axis: *axis, share: *share, first, second }
                }
                (one, two) => one.or(two)?,
            },
        })
    }
}

fn part(area: Rect, axis: Axis, share: u16) -> (Rect, Rect) {
    let cut = |whole: u16| u16::try_from(u32::from(whole) * u32::from(share) / 1000).unwrap_or(whole);
    match axis {
        Axis::Columns => {
            let width = cut(area.width);
            let rest = Rect { x: area.x + width, width: area.width - width, ..area };
            (Rect { width, ..area }, rest)
        }
        Axis::Rows => {
            let height = cut(area.height);
            let rest = Rect { y: area.y + height, height: area.height - height, ..area };
            (Rect { height, ..area }, rest)
        }
    }
}

/// All panes, including which of them is the current one.
#[derive(Debug)]
pub struct Windows {
    root: Node<PaneId>,
    panes: BTreeMap<PaneId, Pane>,
    current: PaneId,
    next: u32,
}

impl Default for Windows {
    fn default() -> Self {
        let id = PaneId(1);
        Self { root: Node::Pane(id), panes: BTreeMap::from([(id, Pane::new(id))]), current: id, next: 2 }
    }
}

impl Windows {
    /// Returns the current pane, which has the focus or had it last.
    #[must_use]
    pub fn current(&self) -> &Pane {
        #[expect(clippy::expect_used, reason = "every method keeps it so")]
        self.panes.get(&self.current).expect("the current pane is one of the panes")
    }

    /// Like [`Self::current`], but mutable.
    pub fn current_mut(&mut self) -> &mut Pane {
        #[expect(clippy::expect_used, reason = "every method keeps it so")]
        self.panes.get_mut(&self.current).expect("the current pane is one of the panes")
    }

    /// Returns a pane by its number.
    #[must_use]
    pub fn get(&self, id: PaneId) -> Option<&Pane> {
        self.panes.get(&id)
    }

    /// Like [`Self::get`], but mutable.
    pub fn get_mut(&mut self, id: PaneId) -> Option<&mut Pane> {
        self.panes.get_mut(&id)
    }

    /// Returns all panes, in the order of their creation.
    pub fn all(&self) -> impl Iterator<Item = &Pane> {
        self.panes.values()
    }

    /// Like [`Self::all`], but mutable.
    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut Pane> {
        self.panes.values_mut()
    }

    /// Returns the number of panes.
    #[must_use]
    pub fn count(&self) -> usize {
        self.panes.len()
    }

    /// Makes a pane the current one.
    pub fn select(&mut self, id: PaneId) {
        if self.panes.contains_key(&id) {
            self.current = id;
        }
    }

    /// Returns the pane that follows the list's cursor, if any.
    #[must_use]
    pub fn following(&self) -> Option<PaneId> {
        let follows = |pane: &&Pane| pane.pinned.is_none();
        Some(self.current()).filter(follows).or_else(|| self.all().find(follows)).map(|pane| pane.id)
    }

    /// Splits the current pane; the new pane becomes the current one. Returns `None` if there are
    /// too many panes, or the halves would be too small in `area`.
    pub fn split(&mut self, axis: Axis, area: Rect) -> Option<PaneId> {
        let id = PaneId(self.next);
        let mut root = self.root.clone();
        let leaf = root.leaf(self.current)?;
        *leaf = Node::Split {
            axis,
            share: 500,
            first: Box::new(Node::Pane(self.current)),
            second: Box::new(Node::Pane(id)),
        };
        let mut areas = Vec::new();
        root.areas(area, &mut areas);
        if self.panes.len() >= MOST || !areas.iter().all(|(_, area)| is_enough(*area)) {
            return None;
        }
        self.next += 1;
        self.root = root;
        let tab = self.current().tab;
        self.panes.insert(id, Pane { tab, ..Pane::new(id) });
        self.current = id;
        Some(id)
    }

    /// Closes the current pane unless it is the only one. Returns whether it was closed.
    pub fn close(&mut self) -> bool {
        if self.panes.len() == 1 {
            self.current_mut().pinned = None;
            return false;
        }
        let gone = self.current;
        let mut order = Vec::new();
        self.root.leaves(&mut order);
        let at = order.iter().position(|id| *id == gone).unwrap_or(0);
        let next = if at == 0 { 1 } else { at - 1 };
        self.current = order.get(next).copied().unwrap_or(gone);
        self.root = self.root.clone().without(gone);
        self.panes.remove(&gone);
        true
    }

    /// Closes all panes except the current one.
    pub fn only(&mut self) {
        let current = self.current;
        self.root = Node::Pane(current);
        self.panes.retain(|id, _| *id == current);
    }

    /// Returns the next or previous pane in reading order; `None` past the ends.
    #[must_use]
    pub fn beside(&self, by: isize) -> Option<PaneId> {
        let mut order = Vec::new();
        self.root.leaves(&mut order);
        let at = order.iter().position(|id| *id == self.current)?;
        order.get(at.checked_add_signed(by)?).copied()
    }

    /// Returns the first or last pane in reading order.
    #[must_use]
    pub fn end(&self, last: bool) -> PaneId {
        let mut order = Vec::new();
        self.root.leaves(&mut order);
        if last { order.last() } else { order.first() }.copied().unwrap_or(self.current)
    }

    /// Returns the pane next to the current one in a direction.
    #[must_use]
    pub fn toward(&self, toward: Toward, area: Rect) -> Option<PaneId> {
        let areas = self.areas(area);
        let (_, here) = *areas.iter().find(|(id, _)| *id == self.current)?;
        // If there are several, choose the one that starts nearest to the start of this one.
        areas
            .iter()
            .filter(|(id, other)| *id != self.current && lies(here, *other, toward))
            .min_by_key(|(_, other)| other.x.abs_diff(here.x) + other.y.abs_diff(here.y))
            .map(|(id, _)| *id)
    }

    /// Swaps the current pane with the next one in reading order, wrapping around.
    pub fn exchange(&mut self) {
        let Some(other) = self.beside(1).or_else(|| (self.count() > 1).then(|| self.end(false))) else {
            return;
        };
        let current = self.current;
        let swap = |id: &PaneId| {
            Some(if *id == current {
                other
            } else if *id == other {
                current
            } else {
                *id
            })
        };
        if let Some(root) = self.root.map(&mut { swap }) {
            self.root = root;
        }
    }

    /// Grows or shrinks the current pane along an axis, in thousandths.
    pub fn resize(&mut self, axis: Axis, by: i16) {
        self.root.resize(self.current, axis, by);
    }

    /// Makes all panes in a row or column the same size.
    pub fn equalize(&mut self) {
        self.root.equalize();
    }

    /// Returns the area of each pane in `area`; only the current pane if another would be too
    /// small.
    #[must_use]
    pub fn areas(&self, area: Rect) -> Vec<(PaneId, Rect)> {
        let mut areas = Vec::new();
        self.root.areas(area, &mut areas);
        if areas.len() > 1 && !areas.iter().all(|(_, area)| is_enough(*area)) {
            areas = vec![(self.current, area)];
        }
        areas
    }

    /// Returns the tree with what each pane shows.
    pub fn save<U>(&self, mut what: impl FnMut(&Pane) -> Option<U>) -> Option<Node<U>> {
        self.root.map(&mut |id| what(self.panes.get(id)?))
    }

    /// Replaces the panes by those of a saved tree; `fill` sets up the pane of each leaf.
    pub fn restore<U>(&mut self, saved: &Node<U>, mut fill: impl FnMut(&U, &mut Pane)) {
        let mut panes = BTreeMap::new();
        let mut next = self.next;
        let root = saved.map(&mut |leaf| {
            if panes.len() >= MOST {
                return None;
            }
            let id = PaneId(next);
            next += 1;
            let mut pane = Pane::new(id);
            fill(leaf, &mut pane);
            panes.insert(id, pane);
            Some(id)
        });
        if let (Some(root), Some(first)) = (root, panes.keys().next().copied()) {
            (self.root, self.panes, self.current, self.next) = (root, panes, first, next);
        }
    }
}

fn is_enough(area: Rect) -> bool {
    area.width >= SMALLEST.0 && area.height >= SMALLEST.1
}

/// Whether `other` touches `here` on the side `toward`.
fn lies(here: Rect, other: Rect, toward: Toward) -> bool {
    let beside = other.y < here.bottom() && here.y < other.bottom();
    let above = other.x < here.right() && here.x < other.right();
    match toward {
        Toward::Left => other.right() == here.x && beside,
        Toward::Right => other.x == here.right() && beside,
        Toward::Up => other.bottom() == here.y && above,
        Toward::Down => other.y == here.bottom() && above,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Rect = Rect { x: 0, y: 0, width: 120, height: 40 };

    fn three() -> Windows {
        let mut windows = Windows::default();
        windows.split(Axis::Columns, AREA).unwrap();
        windows.split(Axis::Rows, AREA).unwrap();
        windows
    }

    #[test]
    fn splits_cover_the_area_and_know_their_neighbours() {
        let mut windows = three();
        let areas = windows.areas(AREA);
        let covered: u32 = areas.iter().map(|(_, area)| area.area()).sum();
        assert_eq!((areas.len(), covered), (3, 120 * 40));
        let (one, two, three) = (PaneId(1), PaneId(2), PaneId(3));
        assert_eq!(windows.current().id, three);
        for (from, toward, to) in [
            (three, Toward::Up, Some(two)),
            (three, Toward::Left, Some(one)),
            (three, Toward::Down, None),
            (one, Toward::Right, Some(two)),
            (two, Toward::Down, Some(three)),
            (one, Toward::Left, None),
        ] {
            windows.select(from);
            assert_eq!(windows.toward(toward, AREA), to, "{from:?} {toward:?}");
        }
        assert_eq!((windows.beside(-1), windows.end(true)), (None, three));
    }

    #[test]
    fn a_closed_pane_leaves_its_room_and_the_last_one_stays() {
        let mut windows = three();
        assert!(windows.close());
        assert_eq!(windows.current().id, PaneId(2));
        assert!(windows.close());
        assert_eq!(windows.areas(AREA), [(PaneId(1), AREA)]);
        assert!(!windows.close());
        assert_eq!(windows.count(), 1);
    }

    #[test]
    fn borders_move_and_are_made_equal_again() {
        let mut windows = Windows::default();
        windows.split(Axis::Columns, AREA);
        windows.split(Axis::Columns, AREA);
        windows.equalize();
        let widths = |windows: &Windows| -> Vec<u16> {
            windows.areas(AREA).iter().map(|(_, area)| area.width).collect()
        };
        assert_eq!(widths(&windows), [39, 40, 41]);
        windows.resize(Axis::Columns, 100);
        assert_eq!(widths(&windows), [39, 32, 49]);
        windows.resize(Axis::Rows, 100);
        assert_eq!(widths(&windows), [39, 32, 49]);
        windows.exchange();
        assert_eq!(windows.areas(AREA)[0].0, PaneId(3));
    }

    #[test]
    fn what_would_be_too_small_is_not_split_and_shows_alone() {
        let small = Rect { width: 30, height: 7, ..AREA };
        let mut windows = Windows::default();
        assert_eq!(windows.split(Axis::Columns, small), None);
        assert_eq!(windows.count(), 1);
        let mut windows = three();
        assert_eq!(windows.areas(small), [(PaneId(3), small)]);
        windows.only();
        assert_eq!(windows.count(), 1);
    }

    #[test]
    fn a_layout_is_saved_and_comes_back_without_what_is_gone() {
        let windows = three();
        let saved = windows.save(|pane| Some(pane.id.0)).unwrap();
        let text = serde_json::to_string(&saved).unwrap();
        let saved: Node<u32> = serde_json::from_str(&text).unwrap();
        let mut again = Windows::default();
        again.restore(&saved, |_, pane| pane.tab = Tab::Top);
        assert_eq!(again.areas(AREA).len(), 3);
        assert!(again.all().all(|pane| pane.tab == Tab::Top));
        let less = windows.save(|pane| (pane.id.0 != 2).then_some(pane.id.0)).unwrap();
        let mut again = Windows::default();
        again.restore(&less, |_, _| {});
        assert_eq!(again.areas(AREA).len(), 2);
    }
}
