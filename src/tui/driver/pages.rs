//! Pages about one object that are read when they are asked for.

use jiff::Timestamp;
use serde_json::Value;

use crate::docker;
use crate::engine::{ContainerId, ContainerView, Engine};
use crate::tui::event::Event;
use crate::tui::model::Failure;
use crate::tui::top::process;

/// Everything known of a process, as a page.
pub(super) async fn process(engine: &Engine, id: &ContainerId, pid: u32) -> Event {
    let title = format!("Process {pid}");
    let detail = engine.containers().process(id.as_str(), pid).await;
    let lines = detail.map(|detail| process::page(&detail, Timestamp::now()));
    Event::Page(title, lines.map_err(Failure::from))
}

/// Where the ports of a container can be reached, as a page.
pub(super) async fn ports(engine: &Engine, id: &ContainerId) -> Event {
    let container = engine.containers().get(id.as_str()).await;
    let title = container
        .as_ref()
        .map_or_else(|_| "Ports".to_owned(), |container| format!("Ports of {}", container.name));
    let lines = container.map(|container| {
        let value = docker::inspect::container(&container);
        ports_of(&container, &value)
    });
    Event::Page(title, lines.map_err(Failure::from))
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
