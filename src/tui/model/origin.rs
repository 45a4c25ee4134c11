//! Where a terminal was opened.

use crate::tui::section::{Section, Subject, TaskId};
use crate::tui::tab::Tab;

/// Where a terminal was opened, and is returned to from it.
#[derive(Debug)]
pub struct Origin {
    pub(super) terminal: TaskId,
    pub(super) section: Section,
    pub(super) place: Place,
}

/// What had the focus.
#[derive(Debug)]
pub(super) enum Place {
    List,
    Navigator,
    Page { tab: Tab, pinned: Option<Subject>, is_zoomed: bool, is_alone: bool },
}
