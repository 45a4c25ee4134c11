//! Moving between lists, and between the list and a tab.

use ratatui::layout::Rect;

use super::origin::{Origin, Place};
use super::{Focus, Model};
use crate::tui::layout::Layout;
use crate::tui::section::{Section, Subject, TaskId};
use crate::tui::tab::{PaneId, Tab};

impl Model {
    /// Returns the origin of a terminal that is opened here. On the page of another terminal this is
    /// where that one was opened, so that the way back is not longer.
    pub(crate) fn origin_of(&mut self, terminal: TaskId) -> Origin {
        let before = self.origin.take();
        let section = self.section;
        let place = match (self.focus, self.shown_tab(self.pane())) {
            (Focus::Detail, Tab::Session(shown)) => {
                return match before.filter(|origin| origin.terminal == shown) {
                    Some(origin) => Origin { terminal, ..origin },
                    None => Origin { terminal, section, place: Place::List },
                };
            }
            (Focus::Detail, tab) => {
                let (pinned, is_zoomed) = (self.pane().pinned.clone(), self.is_zoomed);
                Place::Page { tab, pinned, is_zoomed, is_alone: self.is_alone }
            }
            (Focus::Navigator, _) => Place::Navigator,
            (Focus::List, _) => Place::List,
        };
        Origin { terminal, section, place }
    }

    /// Focuses a terminal that is opened.
    pub(crate) fn show_terminal(&mut self, id: TaskId) {
        let origin = self.origin_of(id);
        self.show_tab(Tab::Session(id));
        self.origin = Some(origin);
    }

    /// Focuses a tab. From the list, this is a tab of the pane that follows the list, which is zoomed
    /// if it is too low; in a pane that has the focus, the tab replaces the shown one.
    pub(crate) fn show_tab(&mut self, tab: Tab) {
        let was_in_list = self.focus != Focus::Detail;
        if was_in_list {
            // If all panes are pinned, unpin one that does not show a terminal.
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
        // How a tab opens depends on the window only, not on the number of rows in the list.
        let height = |layout: Layout| layout.detail.map_or(0, |area| area.height);
        let spare = height(self.layout()).saturating_sub(height(self.layout_for(usize::MAX)));
        let is_low = |area: Rect| was_in_list && area.height.saturating_sub(spare) < 12;
        if self.pane_inner().is_none_or(is_low) {
            self.is_zoomed = true;
        }
    }

    /// Returns from a terminal to where it was opened; from other pages to the list.
    pub(crate) fn leave_panes(&mut self) {
        let shown = self.shown_tab(self.pane());
        let origin = self.origin.take().filter(|origin| shown == Tab::Session(origin.terminal));
        let mut focus = Focus::List;
        if let Some(Origin { section, place, .. }) = origin {
            self.section = section;
            match place {
                Place::List => {}
                Place::Navigator => focus = Focus::Navigator,
                Place::Page { tab, pinned, is_zoomed, is_alone } => {
                    (self.pane_mut().tab, self.pane_mut().pinned) = (tab, pinned);
                    (self.focus, self.is_zoomed, self.is_alone) = (Focus::Detail, is_zoomed, is_alone);
                    return;
                }
            }
        }
        (self.focus, self.is_zoomed, self.is_alone) = (focus, false, false);
        if self.section != Section::Tasks {
            // Only the page of a terminal is pinned to a task.
            self.pane_mut().pinned.take_if(|subject| matches!(subject, Subject::Task(_)));
        }
    }

    /// Shows a list.
    pub(crate) fn go(&mut self, section: Section) {
        if section != self.section {
            self.jumps.leave(self.spot());
        }
        (self.section, self.origin) = (section, None);
        self.scrolled_columns = 0;
        self.leave_panes();
    }
}
