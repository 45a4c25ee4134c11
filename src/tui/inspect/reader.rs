//! Reads everything known about an object.

use serde_json::Value;

use crate::engine::{Engine, Result};
use crate::tui::failure::Failure;
use crate::tui::reader::Reader;
use crate::tui::reading::Answer;
use crate::tui::section::Subject;
use crate::tui::sections;

/// Sends the document for a tab.
pub(crate) async fn read(reader: Reader, subject: Subject) {
    let document = sections::document(&reader.engine, &subject).await;
    reader.answer(Answer::Inspect(document.map(Box::new).map_err(Failure::from))).await;
}

/// Returns objects as JSON: a single one as is, several as a list.
pub(crate) async fn json(engine: &Engine, subjects: &[Subject]) -> Result<String> {
    let mut values = Vec::new();
    for subject in subjects {
        values.push(sections::document(engine, subject).await?.value);
    }
    let value = if values.len() == 1 { values.remove(0) } else { Value::Array(values) };
    Ok(serde_json::to_string_pretty(&value).unwrap_or_default())
}
