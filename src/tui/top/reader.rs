//! Reads the processes of a container periodically.

use std::time::Duration;

use crate::engine::ContainerId;
use crate::tui::failure::Failure;
use crate::tui::reader::Reader;
use crate::tui::reading::Answer;
use crate::tui::top::model::TopRead;

/// The interval between readings.
const EVERY: Duration = Duration::from_secs(2);

/// Reads the processes until that fails.
pub(crate) async fn read(reader: Reader, id: ContainerId) {
    let mut clock = tokio::time::interval(EVERY);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        let result = reader.engine.containers().top(id.as_str()).await.map_err(Failure::from);
        let has_failed = result.is_err();
        reader.answer(Answer::Top(TopRead { of: id.clone(), result })).await;
        if has_failed {
            return;
        }
    }
}
