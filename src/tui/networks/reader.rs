//! Reads the networks.

use std::collections::BTreeMap;

use crate::docker;
use crate::engine::{ContainerView, Engine, Listing, NetworkView, Result};
use crate::tui::inspect::model::Document;
use crate::tui::networks::model::NetworkRow;
use crate::tui::reader::ListReader;
use crate::tui::reading::Listed;
use crate::tui::section::Subject;

/// Sends the list of networks.
pub(crate) async fn read(reader: ListReader) {
    let read = rows(&reader.engine).await;
    reader.answer(read.map(|(rows, warnings)| (Listed::Networks(rows), warnings))).await;
}

async fn rows(engine: &Engine) -> Result<(Vec<NetworkRow>, Vec<String>)> {
    let Listing { whole, damaged: _, warnings } = engine.networks().listing().await?;
    Ok((whole.iter().map(network_row).collect(), warnings))
}

fn network_row(network: &NetworkView) -> NetworkRow {
    NetworkRow {
        id: network.id.to_string(),
        name: network.name.clone(),
        driver: network.driver.to_string(),
        subnet: subnet(network),
        created: network.created,
        members: network.members.iter().map(|member| member.container.to_string()).collect(),
    }
}

fn subnet(network: &NetworkView) -> String {
    network.bridge.as_ref().map_or_else(String::new, |bridge| bridge.subnet.to_string())
}

/// Returns everything known about a network, as `inspect` prints it.
pub(crate) async fn document(engine: &Engine, subject: &Subject) -> Result<Document> {
    let Subject::Network(target) = subject else { return Ok(Document::default()) };
    let network = engine.networks().inspect(target).await?;
    let pair = |it: ContainerView| (it.id.to_string(), it.name.to_string());
    let names: BTreeMap<_, _> = match network.members.is_empty() {
        true => BTreeMap::new(),
        false => engine.containers().list().await?.into_iter().map(pair).collect(),
    };
    Ok(Document { value: docker::network::inspect(&network, &names), command: None })
}
