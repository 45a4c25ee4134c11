//! What must be open for the current screen. It is derived from the model, so that nothing
//! invisible is read.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ratatui::layout::Rect;

use super::Model;
use super::panes::inner;
use crate::engine::ContainerId;
use crate::tui::containers::model::ContainerRow;
use crate::tui::list::columns::USE;
use crate::tui::reading::{Reading, Want};
use crate::tui::section::{Section, Subject, TaskId};
use crate::tui::tab::Tab;

/// From this height on, events are shown below the charts beside the list.
pub const SIDE_WITH_EVENTS: u16 = 44;

/// What the driver must have open for the current screen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wants {
    /// What is read for tabs.
    pub readings: BTreeMap<Reading, Want>,
    /// The containers to sample, and how often.
    pub stats: BTreeMap<ContainerId, Duration>,
    /// The containers in charts, whose past usage is read once.
    pub charted: BTreeSet<ContainerId>,
    /// How often to read the usage of all containers together.
    pub total: Option<Duration>,
    /// The visible terminals with their width and height.
    pub terminals: BTreeMap<TaskId, (u16, u16)>,
}

impl Model {
    /// Returns what the driver must have open.
    #[must_use]
    pub fn wants(&self) -> Wants {
        let charted = self.running_in_charts();
        let stats = self.sampled(&charted);
        let total = self.total_every(stats.is_empty());
        let mut wants = Wants { stats, charted, total, ..Wants::default() };
        for (id, area) in self.panes() {
            let Some(pane) = self.windows.get(id) else { continue };
            let Some(subject) = self.subject_of(pane) else { continue };
            let tab = self.shown_tab(pane);
            // A subject that is gone keeps what was read before.
            if !self.is_gone(&subject) {
                let read = tab.viewer().wants(self, pane, &subject).into_iter();
                wants.readings.extend(read.map(|(serial, want)| (Reading { pane: id, tab, serial }, want)));
            }
            if let Tab::Session(task) = tab {
                let (columns, rows) = (inner(area).width.max(2), inner(area).height.max(1));
                // A terminal in two panes has the size of the smaller one.
                let size = wants.terminals.entry(task).or_insert((columns, rows));
                *size = (size.0.min(columns), size.1.min(rows));
            }
        }
        wants
    }

    /// Whether events are visible, either in the list or beside it.
    #[must_use]
    pub fn shows_journal(&self) -> bool {
        let beside = |side: Rect| side.height >= SIDE_WITH_EVENTS || self.has_charts_in_a_tab();
        self.section == Section::Events || self.layout().side.is_some_and(beside)
    }

    /// Whether a tab shows the charts, so that they are not needed beside the list.
    #[must_use]
    pub fn has_charts_in_a_tab(&self) -> bool {
        let shown = |id| self.windows.get(id).is_some_and(|pane| self.shown_tab(pane) == Tab::Stats);
        self.panes().into_iter().any(|(id, _)| shown(id))
    }

    /// Whether a container is running.
    #[must_use]
    pub fn is_up(&self, id: &ContainerId) -> bool {
        self.containers.get(id.as_str()).is_some_and(|row| row.status.is_up())
    }

    /// Returns the containers whose usage is visible: those in the list's window every 2 s, those
    /// in charts every second.
    fn sampled(&self, charted: &BTreeSet<ContainerId>) -> BTreeMap<ContainerId, Duration> {
        let layout = self.layout();
        let mut sampled = BTreeMap::new();
        let shows_use = || self.fitted_columns().iter().any(|(column, _)| USE.contains(column));
        if self.section == Section::Containers && layout.list.is_some() && shows_use() {
            let rows = self.containers.window(layout.list_rows());
            let up = rows.filter(|(_, row)| row.status.is_up());
            sampled.extend(up.map(|(_, row)| (row.id.clone(), Duration::from_secs(2))));
            if self.containers.order().is_some_and(|order| USE.contains(&order.column)) {
                self.sample_all(&mut sampled);
            }
        }
        sampled.extend(charted.iter().map(|id| (id.clone(), Duration::from_secs(1))));
        sampled
    }

    /// Returns the running containers whose charts are visible.
    fn running_in_charts(&self) -> BTreeSet<ContainerId> {
        let panes = self.panes();
        let charted = panes.iter().filter_map(|(id, _)| self.windows.get(*id));
        let mut subjects = Vec::new();
        for pane in charted.filter(|pane| self.shown_tab(pane) == Tab::Stats) {
            subjects.extend(self.subject_of(pane));
            // Containers in a comparison are sampled at the same rate.
            subjects.extend(pane.stats.beside.iter().cloned().map(Subject::Container));
        }
        subjects.extend(self.layout().side.and_then(|_| self.charted()));
        let running = |subject| match subject {
            Subject::Container(id) if self.is_up(&id) => Some(id),
            _ => None,
        };
        subjects.into_iter().filter_map(running).collect()
    }

    /// Returns how often the first line needs the usage of all containers: seldom if no running
    /// container is visible.
    fn total_every(&self, is_calm: bool) -> Option<Duration> {
        let is_shown = self.layout().header.is_some() && !self.is_zoomed;
        let every = Duration::from_secs(if is_calm { 10 } else { 2 });
        let any_up = || self.containers.all().iter().any(|row| row.status.is_up());
        (is_shown && any_up()).then_some(every)
    }

    /// Samples all running containers, as sorting by usage requires. The interval grows with their
    /// number, so that the cost stays the same.
    fn sample_all(&self, sampled: &mut BTreeMap<ContainerId, Duration>) {
        let up: Vec<&ContainerRow> = self.containers.all().iter().filter(|row| row.status.is_up()).collect();
        let every = Duration::from_secs(2)
            .max(Duration::from_millis(20) * u32::try_from(up.len()).unwrap_or(u32::MAX));
        for row in up {
            sampled.entry(row.id.clone()).or_insert(every);
        }
    }
}
