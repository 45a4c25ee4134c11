//! Reads everything known of an object.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::command::split;
use crate::docker;
use crate::engine::{ContainerView, Engine, ImageView, Result, TrashDetail};
use crate::oci::Reference;
use crate::tui::inspect::model::Document;
use crate::tui::list::rows::ContainerRow;
use crate::tui::model::{Failure, Subject};
use crate::tui::reader::Reader;
use crate::tui::viewers::Answer;

/// Reads it for a tab.
pub(crate) async fn read(reader: Reader, subject: Subject) {
    let document = inspect(&reader.engine, &subject).await;
    reader.answer(Answer::Inspect(document.map(Box::new).map_err(Failure::from))).await;
}

/// Everything known of an object, as `inspect` gives it.
async fn inspect(engine: &Engine, subject: &Subject) -> Result<Document> {
    let (value, command) = match subject {
        Subject::Container(id) => {
            let container = engine.containers().get(id.as_str()).await?;
            let command = ContainerRow::new(&container).again;
            (docker::inspect::container(&container), Some(command))
        }
        Subject::Image(target) => {
            let detail = engine.images().inspect(target).await?;
            let command = split(&format!("run -it {target}")).ok();
            (docker::images::inspect(&detail), command)
        }
        Subject::Network(target) => {
            let network = engine.networks().inspect(target).await?;
            let pair = |it: ContainerView| (it.id.to_string(), it.name.to_string());
            let names: BTreeMap<_, _> = match network.members.is_empty() {
                true => BTreeMap::new(),
                false => engine.containers().list().await?.into_iter().map(pair).collect(),
            };
            (docker::network::inspect(&network, &names), None)
        }
        Subject::Trash(id) => {
            let value = match engine.trash().inspect(id).await? {
                TrashDetail::Container(container) => docker::inspect::container(&container),
                TrashDetail::Image(images) => images.iter().map(image).collect(),
            };
            (value, None)
        }
        Subject::Volume(_) | Subject::Task(_) => (Value::Null, None),
    };
    Ok(Document { value, command })
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

/// Everything known of some objects as JSON: one as it is, several as a list.
pub(crate) async fn json(engine: &Engine, subjects: &[Subject]) -> Result<String> {
    let mut values = Vec::new();
    for subject in subjects {
        values.push(inspect(engine, subject).await?.value);
    }
    let value = if values.len() == 1 { values.remove(0) } else { Value::Array(values) };
    Ok(serde_json::to_string_pretty(&value).unwrap_or_default())
}
