//! What a pane shows.

use std::path::PathBuf;

use jiff::Timestamp;
use ratatui::layout::Rect;

use crate::engine::ContainerId;
use crate::tui::logs::model::LogShown;
use crate::tui::section::Subject;

/// The subject of a pane, and what is known about it.
#[derive(Debug)]
pub(crate) struct PaneContext {
    pub(crate) subject: Option<Subject>,
    /// Changes when the data about the subject must be read again.
    pub(crate) version: u64,
    /// The logs on display.
    pub(crate) logs: Vec<LogShown>,
    /// The area of the pane on the screen, inside its border.
    pub(crate) area: Option<Rect>,
    /// The folder that hoist was started in.
    pub(crate) folder: PathBuf,
    pub(crate) now: Timestamp,
}

impl PaneContext {
    /// Returns the container, if the subject is one.
    pub(crate) fn container(&self) -> Option<&ContainerId> {
        match &self.subject {
            Some(Subject::Container(id)) => Some(id),
            _ => None,
        }
    }

    /// Returns the subject with its version.
    pub(crate) fn versioned(&self) -> Option<(Subject, u64)> {
        self.subject.clone().map(|subject| (subject, self.version))
    }

    /// Returns the number of rows; 1 if the pane is not on the screen.
    pub(crate) fn rows(&self) -> usize {
        usize::from(self.area.map_or(1, |area| area.height))
    }
}
