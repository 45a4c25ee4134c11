//! What changed, whoever changed it.

use tokio::sync::mpsc;

use super::error::Result;
use super::{Engine, Event};

/// One piece of news for a front end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Something changed.
    Event(Event),
    /// Events may be missing: read all states anew.
    Gap,
}

#[expect(clippy::missing_errors_doc, reason = "contract; the monitor part fills it")]
impl Engine {
    /// Everything that changes from now on. By inotify: nothing wakes up while nothing changes.
    pub fn events(&self) -> Result<mpsc::Receiver<News>> {
        unimplemented!()
    }

    /// The journal's events from its beginning, as far as it reaches back.
    pub fn past_events(&self) -> Result<Vec<Event>> {
        unimplemented!()
    }
}
