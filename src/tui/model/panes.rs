//! The subjects, tabs and areas of the panes, and the state derived from them.

use std::collections::BTreeSet;

use ratatui::layout::Rect;

use super::context::PaneContext;
use super::window::Pane;
use super::{Focus, Model};
use crate::tui::containers::model::ContainerRow;
use crate::tui::logs::model::LogShown;
use crate::tui::section::{Subject, TaskId};
use crate::tui::tab::{PaneId, Tab};

impl Model {
    /// Returns the current pane, which has the focus or had it last.
    #[must_use]
    pub fn pane(&self) -> &Pane {
        self.windows.current()
    }

    /// Like [`Self::pane`], but mutable.
    pub fn pane_mut(&mut self) -> &mut Pane {
        self.windows.current_mut()
    }

    /// Returns the visible panes with their areas, including borders.
    #[must_use]
    pub fn panes(&self) -> Vec<(PaneId, Rect)> {
        match self.layout().detail {
            Some(area) if self.is_zoomed && self.is_alone => vec![(self.pane().id, area)],
            Some(area) => self.windows.areas(area),
            None => Vec::new(),
        }
    }

    /// Returns the area inside the current pane's border; `None` if the pane is not visible.
    #[must_use]
    pub fn pane_inner(&self) -> Option<Rect> {
        let id = self.pane().id;
        self.panes().into_iter().find(|(pane, _)| *pane == id).map(|(_, area)| inner(area))
    }

    /// Returns the tab that a pane shows: the chosen one if the subject has it.
    #[must_use]
    pub fn shown_tab(&self, pane: &Pane) -> Tab {
        let tabs = self.tabs(pane);
        let has = tabs.contains(&pane.tab);
        if has { pane.tab } else { tabs.first().copied().unwrap_or(Tab::Inspect) }
    }

    /// Returns the subject of a pane.
    #[must_use]
    pub fn subject_of(&self, pane: &Pane) -> Option<Subject> {
        pane.pinned.clone().or_else(|| self.held.subject.clone()).or_else(|| self.listed())
    }

    /// Returns the subject of verbs: that of the current pane if it has the focus, otherwise the
    /// one under the list's cursor.
    #[must_use]
    pub fn subject(&self) -> Option<Subject> {
        match self.focus {
            Focus::List => self.listed(),
            Focus::Detail => self.subject_of(self.pane()),
            Focus::Navigator => self.navigator.container().cloned().map(Subject::Container),
        }
    }

    /// Returns the subject of the charts beside the list.
    #[must_use]
    pub fn charted(&self) -> Option<Subject> {
        match self.focus {
            Focus::Navigator => self.listed(),
            Focus::List | Focus::Detail => self.subject(),
        }
    }

    /// Returns the subject under the list's cursor.
    #[must_use]
    pub fn listed(&self) -> Option<Subject> {
        self.list().subject(self)
    }

    /// Returns the container that verbs apply to.
    #[must_use]
    pub fn container(&self) -> Option<&ContainerRow> {
        match self.subject()? {
            Subject::Container(id) => self.containers.get(id.as_str()),
            _ => None,
        }
    }

    /// Returns the container that a pane shows, or its last known state.
    #[must_use]
    pub fn container_of(&self, pane: &Pane) -> Option<&ContainerRow> {
        match self.subject_of(pane)? {
            Subject::Container(id) => self.known(&id),
            _ => None,
        }
    }

    /// Returns the tabs of a pane: those that its subject has, then terminals of the container,
    /// oldest first.
    #[must_use]
    pub fn tabs(&self, pane: &Pane) -> Vec<Tab> {
        let Some(subject) = self.subject_of(pane) else { return vec![Tab::Inspect] };
        let own = Tab::ALL.iter().copied().filter(|tab| tab.viewer().is_of(self, pane, &subject));
        let sessions = self.tasks.all().iter().rev().filter(|task| match (&subject, task.session()) {
            (Subject::Container(id), Some(session)) => {
                session.container() == Some(id) && session.has_terminal()
            }
            (Subject::Task(id), Some(_)) => task.id == *id,
            _ => false,
        });
        own.chain(sessions.map(|task| Tab::Session(task.id))).collect()
    }

    /// Whether a task is a terminal.
    #[must_use]
    pub fn is_session(&self, id: TaskId) -> bool {
        self.task(id).is_some_and(|task| task.session().is_some())
    }

    /// Updates the state of each pane to match its subject and area.
    pub(crate) fn settle_panes(&mut self) {
        self.settle_held_containers();
        let areas = self.panes();
        let folder = self.world.folder.clone();
        let now = self.now;
        let about = |pane: &Pane| {
            let subject = self.subject_of(pane);
            PaneContext {
                version: subject.as_ref().map_or(0, |subject| self.version(subject)),
                subject,
                logs: self.container_of(pane).map_or_else(Vec::new, |row| self.logs_of(pane, row)),
                area: areas.iter().find(|(shown, _)| *shown == pane.id).map(|(_, area)| inner(*area)),
                folder: folder.clone(),
                now,
            }
        };
        let known: Vec<_> = self.windows.all().map(|pane| (pane.id, about(pane))).collect();
        let gone = |tab: Tab| matches!(tab, Tab::Session(id) if self.task(id).is_none());
        let ended: Vec<PaneId> =
            self.windows.all().filter(|pane| gone(pane.tab)).map(|pane| pane.id).collect();
        for (id, about) in known {
            let Some(pane) = self.windows.get_mut(id) else { continue };
            if ended.contains(&id) {
                pane.tab = Tab::Logs;
                pane.pinned.take_if(|subject| matches!(subject, Subject::Task(_)));
            }
            for tab in Tab::ALL {
                tab.viewer().settle(pane, &about);
            }
        }
        // A tab is read from the start whenever it is opened again.
        let open: BTreeSet<(PaneId, Tab)> =
            self.wants().readings.into_keys().map(|reading| (reading.pane, reading.tab)).collect();
        for pane in self.windows.all_mut() {
            for tab in Tab::ALL {
                let is_open = open.contains(&(pane.id, *tab));
                tab.viewer().open(pane, is_open);
            }
        }
    }

    /// Returns the logs of a pane that shows this container: its own first, then the merged ones.
    fn logs_of(&self, pane: &Pane, own: &ContainerRow) -> Vec<LogShown> {
        let merged = pane.log.merged.iter().filter(|id| **id != own.id);
        let merged = merged.filter_map(|id| self.containers.get(id.as_str()));
        let rows = std::iter::once(own).chain(merged);
        rows.map(|row| LogShown { id: row.id.clone(), name: row.name.clone() }).collect()
    }

    /// Returns a value that changes whenever the object does.
    fn version(&self, subject: &Subject) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        if let Subject::Container(id) = subject
            && let Some(row) = self.known(id)
        {
            (row.status, row.started, row.finished, &row.name).hash(&mut hasher);
        }
        hasher.finish()
    }
}

/// Returns the area inside a border.
#[must_use]
pub fn inner(area: Rect) -> Rect {
    Rect {
        x: area.x + 1,
        y: area.y + 1,
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(2),
    }
}
