//! State that is derived from other fields of the model.

use super::{Focus, Model, inner};
use crate::tui::list::table::Changed;
use crate::tui::navigator::model::{Branch, Sources, Spot};
use crate::tui::section::Section;
use crate::tui::tab::Tab;

impl Model {
    /// Updates all derived state. Must be called after every change.
    pub fn settle(&mut self) {
        let changed = self.containers.changed();
        self.alerts.settle(&self.containers, &changed, self.now);
        self.containers.hide_idle(!self.shows_all);
        for section in Section::ALL {
            let columns = self.saved.columns.of(section);
            let list = self.list_of_mut(section);
            list.set_columns(&columns);
            list.show();
        }
        self.settle_held();
        self.settle_long_message();
        if let Some(top) = self.layers.last_mut() {
            top.dialog_mut().fit(self.size);
        }
        let rows = self.layout().list_rows();
        for section in Section::ALL {
            self.list_of_mut(section).scroll_into(rows);
        }
        let layout = self.layout();
        if layout.detail.is_none() && !layout.is_too_small {
            self.focus = Focus::List;
        }
        if self.focus == Focus::Detail && self.subject().is_none() {
            (self.focus, self.is_zoomed) = (Focus::List, false);
        }
        if self.focus == Focus::Navigator && self.layout().navigator.is_none() {
            self.focus = Focus::List;
        }
        self.settle_navigator(changed);
        self.settle_panes();
        // A terminal loses the keys with the focus, when its program exits, and in read-only mode.
        let shown = self.shown_tab(self.pane());
        self.typing = self.typing.filter(|id| {
            let has_focus = self.focus == Focus::Detail && shown == Tab::Session(*id);
            has_focus && !self.session_is_over(*id) && !self.keeps_keys_from(*id)
        });
    }

    /// Returns the position of the list's cursor in the navigator.
    fn listed_spot(&self) -> Option<Spot> {
        match self.section {
            Section::Containers => match self.containers.heading() {
                Some(group) if group.name.is_empty() => Some(Spot::Branch(Branch::Standalone)),
                Some(group) => Some(Spot::Project(group.name.clone())),
                None => self.containers.selected().map(|row| Spot::Container(row.id.clone())),
            },
            Section::Tasks => self.tasks.selected().map(|task| Spot::Task(task.id)),
            Section::Events => None,
            section => Some(Spot::Section(section)),
        }
    }

    /// Updates the visible part of the navigator.
    fn settle_navigator(&mut self, changed: Changed) {
        let Some(area) = self.layout().navigator else {
            self.navigator.hide(&changed);
            return;
        };
        let listed = if self.focus == Focus::Navigator { None } else { self.listed_spot() };
        let Self { navigator, containers, tasks, alerts, .. } = self;
        let sources = Sources { containers, changed, tasks, alerts };
        navigator.show(sources, usize::from(inner(area).height), listed);
    }
}
