//! Reads the events from before hoist was started.

use crate::engine::{Engine, EventFilter, Result};
use crate::tui::events::model::{EventRow, KEPT};
use crate::tui::reader::ListReader;
use crate::tui::reading::Listed;

/// Sends the past events.
pub(crate) async fn read(reader: ListReader) {
    let read = rows(&reader.engine).await;
    reader.answer(read.map(|rows| (Listed::Events(rows), Vec::new()))).await;
}

async fn rows(engine: &Engine) -> Result<Vec<EventRow>> {
    let events = engine.past_events(EventFilter::default()).await?;
    Ok(events.iter().rev().take(KEPT).map(EventRow::new).collect())
}
