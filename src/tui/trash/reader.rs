//! Reads the trash: immediately, and then with the sizes, which take longer to determine.

use crate::engine::{Engine, ImageView, Result, Space, TrashDetail, TrashEntry};
use serde_json::{Value, json};

use crate::docker;
use crate::oci::Reference;
use crate::tui::inspect::model::Document;
use crate::tui::reader::ListReader;
use crate::tui::reading::Listed;
use crate::tui::section::Subject;
use crate::tui::trash::model::{Keeping, TrashRow};

/// Sends the content of the trash.
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

/// Returns the rows of the trash, and how the engine keeps them.
fn trash(engine: &Engine, entries: &[TrashEntry]) -> Listed {
    let is_short = engine.trash().space().is_some_and(Space::is_short);
    let keeping = Keeping { time: engine.keeps(), is_short };
    Listed::Trash((entries.iter().map(TrashRow::new).collect(), keeping))
}

/// Returns everything known about an object in the trash, as `inspect` prints it.
pub(crate) async fn document(engine: &Engine, subject: &Subject) -> Result<Document> {
    let Subject::Trash(id) = subject else { return Ok(Document::default()) };
    let value = match engine.trash().inspect(id).await? {
        TrashDetail::Container(container) => docker::inspect::container(&container),
        TrashDetail::Image(images) => images.iter().map(image).collect(),
    };
    Ok(Document { value, command: None })
}

/// Returns the details of an image that the list knows.
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
