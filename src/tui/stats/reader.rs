//! Samples the resource use of a container, for its charts and its row in the list.

use std::time::Duration;

use crate::engine::{ContainerId, Engine};
use crate::tui::event::Event;
use crate::tui::reader::EventSender;

/// Sends what the engine has recorded of a container's resource use, and again when the seconds
/// before the first sample have been recorded as well.
pub(crate) async fn past(engine: Engine, tell: EventSender, id: ContainerId) {
    for wait_secs in [0, 11] {
        tokio::time::sleep(Duration::from_secs(wait_secs)).await;
        // Without it, the charts begin with the first sample.
        let Ok(past) = engine.containers().past_usage(id.as_str()).await else { return };
        if !past.is_empty() {
            tell.send(Event::PastUsage(id.clone(), past)).await;
        }
    }
}

/// Sends the resource use of all containers together.
pub(crate) async fn total(engine: Engine, tell: EventSender, every: Duration) {
    let mut totals = engine.containers().total_stats(every);
    while let Some(total) = totals.recv().await {
        tell.send(Event::Total(total)).await;
    }
}

/// Sends samples until the container exits.
pub(crate) async fn sample(engine: Engine, tell: EventSender, id: ContainerId, every: Duration) {
    // A container that has just exited has no samples. Its row shows the state.
    let Ok(mut samples) = engine.containers().stats(id.as_str(), every).await else { return };
    while let Some(sample) = samples.recv().await {
        tell.send(Event::Sample(id.clone(), Box::new(sample))).await;
    }
}
