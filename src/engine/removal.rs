//! Removing: what becomes of a thing, and of what stands in the way of that.

use super::{Force, Parents, Removed, TrashEntry, Warnings};

/// Where what is removed goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fate {
    /// It is gone for good.
    #[default]
    Gone,
    /// Into the trash, from where [`Trash::restore`](super::Trash::restore) takes it; its names are
    /// free at once. Without a trash, and where it could not be restored, it is gone for good.
    Trash,
}

/// What becomes of a container that is up and is to be removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Running {
    /// It is not removed.
    #[default]
    Refuse,
    /// It is stopped, and has its time for that.
    Stop,
    /// It is killed.
    Kill,
}

/// How a container is removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removal {
    /// Where it goes.
    pub fate: Fate,
    /// What becomes of one that is up.
    pub running: Running,
}

impl Removal {
    /// For good: `rm`, and with [`Running::Kill`] `rm -f`.
    #[must_use]
    pub fn for_good(running: Running) -> Self {
        Self { running, ..Self::default() }
    }

    /// Into the trash.
    #[must_use]
    pub fn to_trash(running: Running) -> Self {
        Self { fate: Fate::Trash, running }
    }
}

/// How an image, or a name of it, is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageRemoval {
    /// Where it goes.
    pub fate: Fate,
    /// Whether one that containers or several names use goes as well.
    pub force: Force,
    /// Whether parents that nothing else needs go with it.
    pub parents: Parents,
}

impl ImageRemoval {
    /// For good, as `rmi` does.
    #[must_use]
    pub fn for_good(force: Force, parents: Parents) -> Self {
        Self { fate: Fate::Gone, force, parents }
    }

    /// Into the trash.
    #[must_use]
    pub fn to_trash(force: Force, parents: Parents) -> Self {
        Self { fate: Fate::Trash, force, parents }
    }
}

/// What a removal did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gone {
    /// Of an image: what went, in Docker's order.
    pub removed: Vec<Removed>,
    /// Where it is in the trash; `None` when it is gone for good.
    pub entry: Option<TrashEntry>,
    /// What went otherwise than one would expect.
    pub warnings: Warnings,
}
