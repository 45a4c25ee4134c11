//! What has just changed, which the eye is drawn to for a moment.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::engine::ContainerId;

/// How long a flash lasts.
const LASTS: SignedDuration = SignedDuration::from_millis(600);

/// Containers whose state has just changed, and until when that is shown.
#[derive(Debug, Clone, Default)]
pub struct Flashes(HashMap<ContainerId, Timestamp>);

impl Flashes {
    /// The state of a container has changed at this moment.
    pub fn begin(&mut self, id: ContainerId, now: Timestamp) {
        self.0.insert(id, now + LASTS);
    }

    /// Whether it is shown.
    #[must_use]
    pub fn has(&self, id: &ContainerId) -> bool {
        self.0.contains_key(id)
    }

    /// When the next one ends.
    #[must_use]
    pub fn next_end(&self) -> Option<Timestamp> {
        self.0.values().min().copied()
    }

    /// It is this moment.
    pub fn tick(&mut self, now: Timestamp) {
        self.0.retain(|_, end| *end > now);
    }
}
