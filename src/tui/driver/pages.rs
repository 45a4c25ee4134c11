//! Pages about an object that are read on request.

use jiff::Timestamp;
use serde_json::Value;

use crate::docker;
use crate::engine::{ContainerId, Engine};
use crate::tui::event::Event;
use crate::tui::failure::Failure;
use crate::tui::top::process;

/// Returns a page with everything known about a process.
pub(super) async fn process(engine: &Engine, id: &ContainerId, pid: u32) -> Event {
    let title = format!("Process {pid}");
    let detail = engine.containers().process(id.as_str(), pid).await;
    let lines = detail.map(|detail| process::page(&detail, Timestamp::now()));
    Event::Page(title, lines.map_err(Failure::from))
}

/// Returns a page with the addresses at which a container's ports can be reached.
pub(super) async fn ports(engine: &Engine, id: &ContainerId) -> Event {
    let container = engine.containers().get(id.as_str()).await;
    let title = container
        .as_ref()
        .map_or_else(|_| "Ports".to_owned(), |container| format!("Ports of {}", container.name));
    let lines = container.map(|container| {
        let value = docker::inspect::container(&container);
        let address = value.pointer("/NetworkSettings/IPAddress").and_then(Value::as_str);
        let networking = &container.config.networking;
        let network = String::from(networking.network.clone());
        let is_up = container.status.is_up();
        ports_of(&network, address.unwrap_or_default(), is_up, &networking.exposed_ports)
    });
    Event::Page(title, lines.map_err(Failure::from))
}

/// Lists the ports that the image and the user declared, with their addresses.
fn ports_of(network: &str, address: &str, is_up: bool, exposed: &[String]) -> Vec<String> {
    let mut lines = vec![format!("network  {network}")];
    lines.push(match (address, is_up) {
        ("", true) => "address  none of its own".to_owned(),
        ("", false) => "address  none: it is not running".to_owned(),
        (address, _) => format!("address  {address}"),
    });
    lines.push(String::new());
    if exposed.is_empty() {
        lines.push("It exposes no ports, but every port it listens on can be reached.".to_owned());
    }
    for port in exposed {
        let number = port.split('/').next().unwrap_or_default();
        lines.push(match address {
            "" => port.clone(),
            address => format!("{port:<10} {address}:{number} from this machine"),
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_told_with_the_address_that_reaches_them() {
        let cases: [(&str, &str, bool, &[&str], &str); 4] = [
            (
                "bridge",
                "172.17.0.2",
                true,
                &["80/tcp", "53/udp"],
                "network  bridge|address  172.17.0.2||80/tcp     172.17.0.2:80 from this machine|\
                 53/udp     172.17.0.2:53 from this machine",
            ),
            ("bridge", "", false, &["80/tcp"], "network  bridge|address  none: it is not running||80/tcp"),
            ("host", "", true, &["80/tcp"], "network  host|address  none of its own||80/tcp"),
            (
                "bridge",
                "172.17.0.2",
                true,
                &[],
                "network  bridge|address  172.17.0.2||\
                 It exposes no ports, but every port it listens on can be reached.",
            ),
        ];
        for (network, address, is_up, exposed, lines) in cases {
            let exposed: Vec<String> = exposed.iter().map(|port| (*port).to_owned()).collect();
            assert_eq!(ports_of(network, address, is_up, &exposed).join("|"), lines);
        }
    }
}
