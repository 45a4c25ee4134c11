//! Lists networks as plain data.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use jiff::Timestamp;

use super::definition::{Driver, Network};
use super::error::{Error, Result};
use super::plan::NetworkPaths;
use super::state::{Files, networks};
use super::subnet::Subnet;
use crate::base::{ContainerId, Mac, NetworkId};

/// A network with its current state and members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkView {
    /// Its id.
    pub id: NetworkId,
    /// Its name.
    pub name: String,
    /// The driver.
    pub driver: Driver,
    /// When it was created or first used, if known.
    pub created: Option<Timestamp>,
    /// The user's labels.
    pub labels: BTreeMap<String, String>,
    /// Its bridge on the host, after the first use.
    pub bridge: Option<Bridge>,
    /// The connected containers.
    pub members: Vec<Member>,
}

/// A network's bridge on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    /// The link; `None` until a container needs it after boot.
    pub link: Option<String>,
    /// The subnet of its addresses.
    pub subnet: Subnet,
    /// The link's address.
    pub gateway: Ipv4Addr,
    /// The MTU in bytes; `None` if there is no link.
    pub mtu: Option<u32>,
}

/// A container connected to a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The container.
    pub container: ContainerId,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its hardware address.
    pub mac: Mac,
    /// The host's end of its connection.
    pub port: String,
}

/// Returns all networks sorted by name, and errors for those whose files could not be fully read.
///
/// # Errors
///
/// If the folder of networks cannot be read.
pub fn list(paths: &NetworkPaths) -> Result<(Vec<NetworkView>, Vec<Error>)> {
    let (bridges, errors) = networks(paths)?;
    let mut unread: Vec<Error> = errors.into_iter().map(|error| damaged("a network", error)).collect();
    let mut all: Vec<NetworkView> =
        bridges.into_iter().map(|network| bridge_network(network, paths, &mut unread)).collect();
    all.extend(Network::without_links(&paths.engine).map(|network| view(network, None, Vec::new())));
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((all, unread))
}

fn damaged(network: &str, error: Error) -> Error {
    match error {
        Error::State(source) => Error::Damaged { network: network.to_owned(), source },
        error => error,
    }
}

fn view(network: Network, bridge: Option<Bridge>, members: Vec<Member>) -> NetworkView {
    let Network { id, name, driver, created, labels, .. } = network;
    NetworkView { id, name, driver, created, labels, bridge, members }
}

fn bridge_network(network: Network, paths: &NetworkPaths, unread: &mut Vec<Error>) -> NetworkView {
    let state = Files::new(paths, network.id.clone()).state();
    let state = state.map_err(|error| unread.push(damaged(&network.name, error))).ok().flatten();
    let pool = network.pools.first().map(|pool| pool.subnet);
    let subnet = state.as_ref().map(|state| state.subnet).or(pool);
    let bridge = subnet.map(|subnet| Bridge {
        link: state.as_ref().map(|state| state.bridge.clone()),
        subnet,
        gateway: subnet.gateway(),
        mtu: state.as_ref().map(|state| state.mtu),
    });
    let guests: BTreeMap<_, _> =
        state.iter().flat_map(|state| state.guests()).map(|it| (it.address, it.mac)).collect();
    let leases = state.into_iter().flat_map(|state| state.leases);
    let members = leases.map(|(address, lease)| Member {
        container: lease.container,
        address,
        mac: guests.get(&address).copied().unwrap_or_else(|| Mac::of(address)),
        port: lease.port,
    });
    let members = members.collect();
    view(network, bridge, members)
}
