//! Reads what is known of a container that ended, or is ill.

use crate::engine::{ContainerId, Engine, Event, EventFilter, LogRequest, Result};
use crate::tui::failure::Failure;
use crate::tui::reader::Reader;
use crate::tui::reading::Answer;
use crate::tui::why::model::Facts;

/// How many lines of a log are looked through for errors.
const LINES: u64 = 400;
/// More of a line is not shown.
const LINE: usize = 2000;
/// How many events of a container are kept.
const EVENTS: usize = 64;

/// Reads it for a tab.
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

/// The end of its log; a log that cannot be read says so in its own tab.
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

/// What the journal still has of a container, and of those that had its name before.
async fn past(engine: &Engine, id: &ContainerId, name: &str) -> Vec<Event> {
    let filter = EventFilter { containers: vec![id.to_string(), name.to_owned()], ..EventFilter::default() };
    let mut events = engine.past_events(filter).await.unwrap_or_default();
    events.retain(|event| {
        // Its name may be the beginning of another one's id.
        let is_namesake = event.actor.attributes.get("name").is_some_and(|other| other == name);
        event.actor.id == id.as_str() || is_namesake
    });
    let surplus = events.len().saturating_sub(EVENTS);
    events.drain(..surplus);
    events
}
