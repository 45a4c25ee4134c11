//! From list to list, and from the list to a tab and back.

use super::{Focus, Model};
use crate::tui::section::Section;
use crate::tui::tab::{PaneId, Tab};

impl Model {
    /// Gives a tab the keys: in the pane that follows the list when they come from there, in the
    /// whole window where that is too low.
    pub(crate) fn show_tab(&mut self, tab: Tab) {
        if self.focus != Focus::Detail {
            // Where every pane is pinned, one that is no terminal follows again.
            let is_session =
                |id: &PaneId| self.windows.get(*id).is_some_and(|pane| matches!(pane.tab, Tab::Session(_)));
            let current = self.pane().id;
            let spare = || self.windows.all().map(|pane| pane.id).find(|id| !is_session(id));
            let id = self.windows.following().or_else(spare).unwrap_or(current);
            self.windows.select(id);
            self.pane_mut().pinned = None;
            if self.is_alone {
                self.is_alone = self.pane().id == current;
            }
        }
        self.pane_mut().tab = tab;
        self.focus = Focus::Detail;
        if self.pane_inner().is_none_or(|area| area.height < 12) {
            self.is_zoomed = true;
        }
    }

    /// Gives the list the keys again.
    pub(crate) fn leave_panes(&mut self) {
        (self.focus, self.is_zoomed, self.is_alone) = (Focus::List, false, false);
    }

    /// Shows a list.
    pub(crate) fn go(&mut self, section: Section) {
        if section != self.section {
            self.jumps.leave(self.spot());
        }
        self.section = section;
        self.scrolled_columns = 0;
        self.leave_panes();
    }
}
