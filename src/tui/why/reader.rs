//! Reads the facts about a container that exited or failed.

use crate::engine::{ContainerId, Engine, Event, EventFilter, LogRequest, Result};
use crate::tui::failure::Failure;
use crate::tui::reader::Reader;
use crate::tui::reading::Answer;
use crate::tui::why::model::Facts;

/// The number of log lines searched for errors.
const LINES: u64 = 400;
/// The maximum length of a line.
const LINE: usize = 2000;
/// The number of events kept.
const EVENTS: usize = 64;

/// Sends the facts for a tab.
pub(crate) async fn read(reader: Reader, id: ContainerId) {
    let facts = facts(&reader.engine, &id).await;
    reader.answer(Answer::Why(facts.map(Box::new).map_err(Failure::from))).await;
}

async fn facts(engine: &Engine, id: &ContainerId) -> Result<Facts> {
    let container = engine.containers().get(id.as_str()).await?;
    let (name, image) = (container.name.to_string(), container.image.clone());
    let now = engine.images().inspect(&image).await.ok();
    let moved = now.is_some_and(|detail| detail.image.id != container.image_id);
    let log = last_lines(engine, id).await;
    let events = past(engine, id, &name).await;
    Ok(Facts::new(&container, moved, log, events))
}

/// Returns the end of the log, or nothing if it cannot be read: the logs tab reports that.
async fn last_lines(engine: &Engine, id: &ContainerId) -> Vec<String> {
    let request = LogRequest { stdout: true, stderr: true, tail: Some(LINES), ..LogRequest::default() };
    let Ok(mut records) = engine.containers().logs(id.as_str(), request).await else { return Vec::new() };
    let mut lines = Vec::new();
    while let Some(Ok(record)) = records.recv().await {
        let bytes = &record.bytes[..record.bytes.len().min(LINE)];
        lines.push(String::from_utf8_lossy(bytes).trim_end().to_owned());
    }
    lines
}

/// Returns past events of a container, and of those that had its name before.
async fn past(engine: &Engine, id: &ContainerId, name: &str) -> Vec<Event> {
    let filter = EventFilter { containers: vec![id.to_string(), name.to_owned()], ..EventFilter::default() };
    let mut events = engine.past_events(filter).await.unwrap_or_default();
    events.retain(|event| {
        // The name may be a prefix of another container's id.
        let is_namesake = event.actor.attributes.get("name").is_some_and(|other| other == name);
        event.actor.id == id.as_str() || is_namesake
    });
    let surplus = events.len().saturating_sub(EVENTS);
    events.drain(..surplus);
    events
}
