//! Network commands.

use std::collections::BTreeMap;

use tokio::sync::OnceCell;

use super::failure::Result;
use super::inspect;
use super::output::{Object, line, print, warn};
use crate::command::network::{Inspect, Ls, Request};
use crate::docker::filter::{self, Filters};
use crate::docker::{Format, network as network_rows, schema};
use crate::engine::{self, ContainerView, Engine, Listing, NetworkView, Warnings};

pub(super) async fn perform(engine: &Engine, request: Request) -> Result<u8> {
    match request {
        Request::Inspect(it) => self::inspect(engine, it).await,
        Request::Ls(it) => list(engine, it).await,
    }
}

async fn list(engine: &Engine, networks: Ls) -> Result<u8> {
    let filters = Filters::parse(&networks.filter, filter::NETWORK_KEYS)?;
    let format = Format::parse(networks.format.as_deref().unwrap_or_default())?;
    let mut rows = Vec::new();
    for network in networks_of(engine).await? {
        if !network_rows::fits(&network, &filters)? {
            continue;
        }
        if networks.quiet {
            line(network.id.short())?;
        } else {
            rows.push(network_rows::row(&network));
        }
    }
    if !networks.quiet {
        print(&format.show(network_rows::COLUMNS, network_rows::TITLES, &rows)?)?;
    }
    Ok(0)
}

async fn inspect(engine: &Engine, asked: Inspect) -> Result<u8> {
    let networks = ReadNetworks::new();
    let get = async |name: &str| network(engine, name, &networks).await;
    inspect::each(&asked.names, asked.format.as_deref(), get).await
}

/// The networks, read once for all arguments, so that warnings are printed once.
pub(super) type ReadNetworks = OnceCell<Vec<NetworkView>>;

/// Returns every network, and prints warnings.
async fn networks_of(engine: &Engine) -> engine::Result<Vec<NetworkView>> {
    let Listing { whole, damaged: _, warnings } = engine.networks().listing().await?;
    warn(&Warnings(warnings));
    Ok(whole)
}

pub(super) async fn network(engine: &Engine, name: &str, networks: &ReadNetworks) -> engine::Result<Object> {
    let all = networks.get_or_try_init(|| networks_of(engine)).await?;
    let network = engine::find_network(all.clone(), name)?;
    let names: BTreeMap<_, _> = if network.members.is_empty() {
        BTreeMap::new()
    } else {
        let pair = |c: ContainerView| (c.id.to_string(), c.name.to_string());
        engine.containers().list().await?.into_iter().map(pair).collect()
    };
    Ok((network_rows::inspect(&network, &names), schema::NETWORK))
}
