//! Reads the containers.

use crate::docker;
use crate::engine::{Engine, Listing, Result};
use crate::tui::containers::model::ContainerRow;
use crate::tui::inspect::model::Document;
use crate::tui::reader::ListReader;
use crate::tui::reading::Listed;
use crate::tui::section::Subject;

/// Sends the list of containers.
pub(crate) async fn read(reader: ListReader) {
    let read = rows(&reader.engine).await;
    reader.answer(read.map(|(rows, warnings)| (Listed::Containers(rows), warnings))).await;
}

async fn rows(engine: &Engine) -> Result<(Vec<ContainerRow>, Vec<String>)> {
    let Listing { whole, damaged, warnings } = engine.containers().listing().await?;
    let unreadable = damaged.iter().filter_map(ContainerRow::unreadable);
    Ok((whole.iter().map(ContainerRow::new).chain(unreadable).collect(), warnings))
}

/// Returns everything known about a container, as `inspect` prints it.
pub(crate) async fn document(engine: &Engine, subject: &Subject) -> Result<Document> {
    let Subject::Container(id) = subject else { return Ok(Document::default()) };
    let container = engine.containers().get(id.as_str()).await?;
    let command = Some(ContainerRow::new(&container).again);
    Ok(Document { value: docker::inspect::container(&container), command })
}
