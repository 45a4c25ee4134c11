//! Reads the trash: at once, and again with the sizes that take time to find out.

use crate::engine::{Engine, ImageView, Result, Space, TrashDetail, TrashEntry};
use serde_json::{Value, json};

use crate::docker;
use crate::oci::Reference;
use crate::tui::inspect::model::Document;
use crate::tui::reader::ListReader;
use crate::tui::reading::Listed;
use crate::tui::section::Subject;
use crate::tui::trash::model::{Keeping, TrashRow};

/// Reads it.
pub(crate) async fn read(reader: ListReader) {
    let engine = &reader.engine;
    let list = engine.trash().list().await;
    if list.as_ref().is_ok_and(|entries| entries.iter().any(|entry| entry.size.is_none())) {
        reader.answer(list.map(|entries| (trash(engine, &entries), Vec::new()))).await;
        let measured = engine.trash().measure().await;
        return reader.answer(measured.map(|entries| (trash(engine, &entries), Vec::new()))).await;
    }
    reader.answer(list.map(|entries| (trash(engine, &entries), Vec::new()))).await;
}

/// The rows of the trash, and how it keeps them.
fn trash(engine: &Engine, entries: &[TrashEntry]) -> Listed {
    let is_short = engine.trash().space().is_some_and(Space::is_short);
    let keeping = Keeping { time: engine.keeps(), is_short };
    Listed::Trash((entries.iter().map(TrashRow::new).collect(), keeping))
}

/// Everything known of what is in the trash, as `inspect` gives it.
pub(crate) async fn document(engine: &Engine, subject: &Subject) -> Result<Document> {
    let Subject::Trash(id) = subject else { return Ok(Document::default()) };
    let value = match engine.trash().inspect(id).await? {
        TrashDetail::Container(container) => docker::inspect::container(&container),
        TrashDetail::Image(images) => images.iter().map(image).collect(),
    };
    Ok(Document { value, command: None })
}

/// What a list knows of an image.
fn image(image: &ImageView) -> Value {
    let texts =
        |references: &[Reference]| -> Vec<String> { references.iter().map(ToString::to_string).collect() };
    json!({
        "Id": image.id.to_string(),
        "RepoTags": texts(&image.tags),
        "RepoDigests": texts(&image.digests),
        "Created": image.created.map(|time| time.to_string()),
        "Size": image.size,
        "Platform": image.platform.to_string(),
        "Layers": image.layers.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
