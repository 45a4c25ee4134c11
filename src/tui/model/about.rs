//! What a pane is about.

use std::path::PathBuf;

use jiff::Timestamp;
use ratatui::layout::Rect;

use crate::engine::ContainerId;
use crate::tui::logs::model::LogShown;
use crate::tui::section::Subject;

/// What a pane is about, and what is known of that.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) subject: Option<Subject>,
    /// Changes when what is known of the subject must be read again.
    pub(crate) version: u64,
    /// The logs that are shown.
    pub(crate) logs: Vec<LogShown>,
    /// Where the pane is on the screen, within its border.
    pub(crate) area: Option<Rect>,
    /// Where hoist was started.
    pub(crate) folder: PathBuf,
    pub(crate) now: Timestamp,
}

impl About {
    /// The container, where the pane is about one.
    pub(crate) fn container(&self) -> Option<&ContainerId> {
        match &self.subject {
            Some(Subject::Container(id)) => Some(id),
            _ => None,
        }
    }

    /// The subject with its version.
    pub(crate) fn versioned(&self) -> Option<(Subject, u64)> {
        self.subject.clone().map(|subject| (subject, self.version))
    }

    /// Rows there are; one where the pane is not on the screen.
    pub(crate) fn rows(&self) -> usize {
        usize::from(self.area.map_or(1, |area| area.height))
    }
}
