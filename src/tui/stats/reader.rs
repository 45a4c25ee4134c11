//! Samples what a container uses: for its charts, and for its row of the list.

use std::time::Duration;

use crate::engine::{ContainerId, Engine};
use crate::tui::event::Event;
use crate::tui::reader::EventSender;

/// Sends a sample each time, until the container ends.
pub(crate) async fn sample(engine: Engine, tell: EventSender, id: ContainerId, every: Duration) {
    // A container that just ended has none; its row says so.
    let Ok(mut samples) = engine.containers().stats(id.as_str(), every).await else { return };
    while let Some(sample) = samples.recv().await {
        tell.send(Event::Sample(id.clone(), Box::new(sample))).await;
    }
}
