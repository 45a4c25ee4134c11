//! Highlights containers for a moment when their state changes.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::engine::ContainerId;

/// How long a flash lasts.
const LASTS: SignedDuration = SignedDuration::from_millis(600);

/// Containers whose state has just changed, with the end of their flash.
#[derive(Debug, Clone, Default)]
pub struct Flashes(HashMap<ContainerId, Timestamp>);

impl Flashes {
    /// Starts a flash for a container whose state changed at `now`.
    pub fn begin(&mut self, id: ContainerId, now: Timestamp) {
        self.0.insert(id, now + LASTS);
    }

    /// Whether a container is flashing.
    #[must_use]
    pub fn has(&self, id: &ContainerId) -> bool {
        self.0.contains_key(id)
    }

    /// Returns when the next flash ends.
    #[must_use]
    pub fn next_end(&self) -> Option<Timestamp> {
        self.0.values().min().copied()
    }

    /// Removes the flashes that have ended at `now`.
    pub fn tick(&mut self, now: Timestamp) {
        self.0.retain(|_, end| *end > now);
    }
}
