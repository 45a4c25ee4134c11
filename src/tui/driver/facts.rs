//! What the engine knows, in the form that rows and texts have.

use serde_json::{Value, json};

use crate::docker;
use crate::engine::{Engine, Image, Network, Result, Space, TrashDetail, TrashEntry};
use crate::oci::Reference;
use crate::tui::event::Listed;
use crate::tui::model::journal::{EventRow, KEPT};
use crate::tui::model::rows::{ContainerRow, ImageRow, NetworkRow};
use crate::tui::model::trash::{Keeping, TrashRow};
use crate::tui::model::{Section, Subject};

/// Everything known of an object, as lines of JSON.
pub(super) async fn of(engine: &Engine, subject: &Subject) -> Result<Vec<String>> {
    let value = match subject {
        Subject::Container(id) => {
            let container = engine.containers().get(id.as_str()).await?;
            docker::inspect::container(&container, engine.paths())
        }
        Subject::Image(target) => {
            let detail = engine.images().inspect(target).await?;
            let image = &detail.image;
            json!({
                "Id": image.id.to_string(),
                "RepoTags": image.tags.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "RepoDigests": image.digests.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "Created": image.created.map(|time| time.to_string()),
                "Size": image.size,
                "Platform": image.platform.to_string(),
                "Layers": image.layers.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "Config": detail.document.get("config").cloned().unwrap_or_default(),
                "History": detail.document.get("history").cloned().unwrap_or_default(),
            })
        }
        Subject::Network(target) => {
            let network = engine.networks().inspect(target).await?;
            json!({
                "Id": network.id.to_string(),
                "Name": network.name,
                "Driver": network.driver(),
                "Subnet": subnet(&network),
                "Created": network.created.map(|time| time.to_string()),
                "Members": network.members.len(),
            })
        }
        Subject::Trash(id) => match engine.trash().inspect(id).await? {
            TrashDetail::Container(container) => docker::inspect::container(&container, engine.paths()),
            TrashDetail::Image(images) => images.iter().map(image).collect(),
        },
        Subject::Volume(_) | Subject::Task(_) => Value::Null,
    };
    let text = serde_json::to_string_pretty(&value).unwrap_or_default();
    Ok(text.lines().map(str::to_owned).collect())
}

/// Everything known of some objects: one as it is, several as a list.
pub(super) async fn json(engine: &Engine, subjects: &[Subject]) -> Result<String> {
    let mut texts = Vec::new();
    for subject in subjects {
        texts.push(of(engine, subject).await?.join("\n"));
    }
    Ok(if texts.len() == 1 { texts.concat() } else { format!("[\n{}\n]", texts.join(",\n")) })
}

/// The rows of a section.
pub(super) async fn list(engine: &Engine, section: Section) -> Result<Listed> {
    Ok(match section {
        Section::Containers => {
            let containers = engine.containers().list().await?;
            Listed::Containers(containers.iter().map(ContainerRow::new).collect())
        }
        Section::Images => {
            Listed::Images(engine.images().list().await?.iter().flat_map(image_rows).collect())
        }
        Section::Networks => {
            Listed::Networks(engine.networks().list().await?.iter().map(network_row).collect())
        }
        Section::Events => {
            let events = engine.clone();
            let read = tokio::task::spawn_blocking(move || events.past_events()).await;
            let events = read.map_or_else(|_| Ok(Vec::new()), |events| events)?;
            Listed::Events(events.iter().rev().take(KEPT).map(EventRow::new).collect())
        }
        Section::Trash => trash(engine, engine.trash().list().await?),
        Section::Volumes | Section::Tasks => Listed::Volumes(Vec::new()),
    })
}

/// The rows of the trash, and how it keeps them.
pub(super) fn trash(engine: &Engine, entries: Vec<TrashEntry>) -> Listed {
    let is_short = engine.trash().space().is_some_and(Space::is_short);
    let keeping = Keeping { time: engine.keeps(), is_short };
    Listed::Trash(entries.iter().map(TrashRow::new).collect(), keeping)
}

/// What a list knows of an image.
fn image(image: &Image) -> Value {
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

/// A row for each name of an image, or one without a name.
fn image_rows(image: &Image) -> Vec<ImageRow> {
    let row = |name: String| ImageRow {
        id: image.id.to_string(),
        unique: format!("{} {name}", image.id),
        name,
        created: image.created,
        size: image.size,
        platform: image.platform.to_string().trim_start_matches("linux/").to_owned(),
        users: Vec::new(),
    };
    if image.tags.is_empty() {
        return vec![row(String::new())];
    }
    image.tags.iter().map(|tag| row(tag.to_string())).collect()
}

fn network_row(network: &Network) -> NetworkRow {
    NetworkRow {
        id: network.id.to_string(),
        name: network.name.clone(),
        driver: network.driver().to_owned(),
        subnet: subnet(network),
        created: network.created,
        members: network.members.iter().map(|member| member.container.to_string()).collect(),
    }
}

fn subnet(network: &Network) -> String {
    network.bridge.as_ref().map_or_else(String::new, |bridge| bridge.subnet.to_string())
}
