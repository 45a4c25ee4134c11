//! What panes show of an object beside its row: everything known of it, and why it ended.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::command::split;
use crate::docker;
use crate::engine::{
    ContainerId, ContainerView, Engine, Event, ImageView, Kind, LogRequest, Result, TrashDetail,
};
use crate::oci::Reference;
use crate::tui::event::Event as Told;
use crate::tui::inspect::model::Document;
use crate::tui::list::rows::ContainerRow;
use crate::tui::model::Failure;
use crate::tui::model::Subject;
use crate::tui::top::process;
use crate::tui::why::model::Facts;

/// So many lines of a log are looked through for errors.
const LINES: u64 = 400;
/// More of a line is not shown.
const LINE: usize = 2000;
/// So many events of a container are kept.
const EVENTS: usize = 64;

/// Everything known of an object, as `inspect` gives it.
pub(super) async fn inspect(engine: &Engine, subject: &Subject) -> Result<Document> {
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
pub(super) async fn json(engine: &Engine, subjects: &[Subject]) -> Result<String> {
    let mut values = Vec::new();
    for subject in subjects {
        values.push(inspect(engine, subject).await?.value);
    }
    let value = if values.len() == 1 { values.remove(0) } else { Value::Array(values) };
    Ok(serde_json::to_string_pretty(&value).unwrap_or_default())
}

/// Everything known of a process, as a page.
pub(super) async fn process(engine: &Engine, id: &ContainerId, pid: u32) -> Told {
    let title = format!("Process {pid}");
    let detail = engine.containers().process(id.as_str(), pid).await;
    let lines = detail.map(|detail| process::page(&detail, Timestamp::now()));
    Told::Page(title, lines.map_err(Failure::from))
}

/// Where the ports of a container can be reached, as a page.
pub(super) async fn ports(engine: &Engine, id: &ContainerId) -> Told {
    let container = engine.containers().get(id.as_str()).await;
    let title = container
        .as_ref()
        .map_or_else(|_| "Ports".to_owned(), |container| format!("Ports of {}", container.name));
    let lines = container.map(|container| {
        let value = docker::inspect::container(&container);
        ports_of(&container, &value)
    });
    Told::Page(title, lines.map_err(Failure::from))
}

/// The ports that the image and the user named, with the address they answer at.
fn ports_of(container: &ContainerView, value: &Value) -> Vec<String> {
    let config = &container.config;
    let address = value.pointer("/NetworkSettings/IPAddress").and_then(Value::as_str).unwrap_or_default();
    let network = String::from(config.networking.network.clone());
    let mut lines = vec![format!("network  {network}")];
    lines.push(match (address, container.status.is_up()) {
        ("", true) => "address  none of its own".to_owned(),
        ("", false) => "address  none: it is not up".to_owned(),
        (address, _) => format!("address  {address}"),
    });
    lines.push(String::new());
    if config.networking.exposed_ports.is_empty() {
        lines.push("It names no port. What it listens on can be reached all the same.".to_owned());
    }
    for port in &config.networking.exposed_ports {
        let number = port.split('/').next().unwrap_or_default();
        lines.push(match address {
            "" => port.clone(),
            address => format!("{port:<10} {address}:{number} from this machine"),
        });
    }
    lines
}

/// What is known of a container that ended or is ill.
pub(super) async fn why(engine: &Engine, id: &ContainerId) -> Result<Facts> {
    let container = engine.containers().get(id.as_str()).await?;
    let (name, image) = (container.name.to_string(), container.image.clone());
    let now = engine.images().inspect(&image).await.ok();
    let moved = now.is_some_and(|detail| detail.image.id != container.image_id);
    let log = last_lines(engine, id).await;
    let (reader, id) = (engine.clone(), id.clone());
    let events = tokio::task::spawn_blocking(move || past(&reader, &id, &name)).await.unwrap_or_default();
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
fn past(engine: &Engine, id: &ContainerId, name: &str) -> Vec<Event> {
    let mut events = engine.past_events().unwrap_or_default();
    events.retain(|event| {
        let is_namesake = event.actor.attributes.get("name").is_some_and(|other| other == name);
        event.kind == Kind::Container && (event.actor.id == id.as_str() || is_namesake)
    });
    let surplus = events.len().saturating_sub(EVENTS);
    events.drain(..surplus);
    events
}
