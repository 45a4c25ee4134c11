//! Options of removals: where an object goes, and what happens to whatever prevents its removal.

use super::{Force, Parents, Removed, TrashEntry, Warnings};

/// Where a removed object goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fate {
    /// It is deleted permanently.
    #[default]
    Gone,
    /// It goes to the trash, from which [`Trash::restore`](super::Trash::restore) restores it. Its
    /// names are free immediately. Without a trash, or if it could not be restored, it is deleted
    /// permanently.
    Trash,
}

/// What to do with a container that is up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Running {
    /// Do not remove it.
    #[default]
    Refuse,
    /// Stop it first, with its own timeout.
    Stop,
    /// Kill it first.
    Kill,
}

/// How a container is removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removal {
    /// Where it goes.
    pub fate: Fate,
    /// What to do if it is up.
    pub running: Running,
}

impl Removal {
    /// Permanent removal: `rm`, and with [`Running::Kill`] `rm -f`.
    #[must_use]
    pub fn for_good(running: Running) -> Self {
        Self { running, ..Self::default() }
    }

    /// Moves it to the trash.
    #[must_use]
    pub fn to_trash(running: Running) -> Self {
        Self { fate: Fate::Trash, running }
    }
}

/// How an image or one of its names is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageRemoval {
    /// Where it goes.
    pub fate: Fate,
    /// Whether to remove an image that containers or several names use.
    pub force: Force,
    /// Whether to remove parents that nothing else needs.
    pub parents: Parents,
}

impl ImageRemoval {
    /// Permanent removal, like `rmi`.
    #[must_use]
    pub fn for_good(force: Force, parents: Parents) -> Self {
        Self { fate: Fate::Gone, force, parents }
    }

    /// Moves it to the trash.
    #[must_use]
    pub fn to_trash(force: Force, parents: Parents) -> Self {
        Self { fate: Fate::Trash, force, parents }
    }
}

/// The result of a removal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gone {
    /// For an image: what was removed, in Docker's order.
    pub removed: Vec<Removed>,
    /// Its entry in the trash; `None` if it was deleted permanently.
    pub entry: Option<TrashEntry>,
    /// Warnings for the caller.
    pub warnings: Warnings,
}
