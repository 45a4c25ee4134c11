//! Names of panes and of the tabs in them. [`viewers`](super::viewers) defines what a tab can do.

use super::section::TaskId;

/// What a pane shows about its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "their folders say it")]
pub enum Tab {
    Logs,
    Stats,
    Top,
    Inspect,
    Layers,
    Files,
    Compare,
    Why,
    /// A terminal.
    Session(TaskId),
}

impl Tab {
    /// All tabs except terminals, in the order of the tab line.
    pub const ALL: &[Self] = &[
        Self::Logs,
        Self::Stats,
        Self::Top,
        Self::Inspect,
        Self::Layers,
        Self::Files,
        Self::Compare,
        Self::Why,
    ];
}

/// The number of a pane, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PaneId(pub u32);

impl PaneId {
    /// Returns the first of the pane's serials.
    #[must_use]
    pub fn serial(self) -> u64 {
        u64::from(self.0) << 32
    }

    /// Returns the pane that a serial belongs to.
    #[must_use]
    pub fn of_serial(serial: u64) -> Self {
        Self(u32::try_from(serial >> 32).unwrap_or(u32::MAX))
    }
}
