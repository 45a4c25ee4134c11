//! The panes and the tabs in them, by name: what a tab is able to do says
//! [`viewers`](super::viewers).

use super::section::TaskId;

/// What a pane shows of its subject.
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
    /// All but terminals, in the order of the tab line.
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

/// The number of a pane, never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PaneId(pub u32);

impl PaneId {
    /// The first of the numbers that what is read for it bears.
    #[must_use]
    pub fn serial(self) -> u64 {
        u64::from(self.0) << 32
    }

    /// The pane that a serial was given by.
    #[must_use]
    pub fn of_serial(serial: u64) -> Self {
        Self(u32::try_from(serial >> 32).unwrap_or(u32::MAX))
    }
}
