//! What networks there are, as plain data.

use std::net::Ipv4Addr;

use jiff::Timestamp;

use super::bridge;
use super::error::Error;
use super::plan::{Mode, Place};
use super::state::{Files, id_of};
use super::subnet::Subnet;
use crate::base::{ContainerId, Mac, NetworkId};

/// A network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Its id.
    pub id: NetworkId,
    /// Its name.
    pub name: String,
    /// What it is made of.
    pub mode: Mode,
    /// When it was first used, where that is known.
    pub created: Option<Timestamp>,
    /// What it has on the host, once it was used.
    pub bridge: Option<Bridge>,
    /// Who is connected.
    pub members: Vec<Member>,
}

impl Network {
    /// Docker's word for what it is made of.
    #[must_use]
    pub fn driver(&self) -> &'static str {
        match self.mode {
            Mode::Bridge => "bridge",
            Mode::Host => "host",
            Mode::None => "null",
        }
    }
}

/// A network's side on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    /// The link; `None` until a container of this boot needed it.
    pub link: Option<String>,
    /// Where its addresses come from.
    pub subnet: Subnet,
    /// The link's address.
    pub gateway: Ipv4Addr,
    /// The largest packet in bytes; `None` as long as there is no link.
    pub mtu: Option<u32>,
}

/// A container in a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Which.
    pub container: ContainerId,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its hardware address.
    pub mac: Mac,
    /// The host's end of its connection.
    pub port: String,
}

/// Every network, by name, and why what is left out of one cannot be read.
#[must_use]
pub fn list(place: &Place) -> (Vec<Network>, Vec<Error>) {
    let plain = |name: &str, mode| Network {
        id: id_of(mode, &place.paths),
        name: name.to_owned(),
        mode,
        created: None,
        bridge: None,
        members: Vec::new(),
    };
    let (bridge, unread) = bridge_network(place);
    (vec![bridge, plain("host", Mode::Host), plain("none", Mode::None)], unread)
}

fn bridge_network(place: &Place) -> (Network, Vec<Error>) {
    let files = Files::new(place, id_of(Mode::Bridge, &place.paths));
    let mut unread = Vec::new();
    let mut note = |error| {
        unread.push(match error {
            Error::State(source) => Error::Damaged { network: bridge::NAME.to_owned(), source },
            error => error,
        });
    };
    let definition = files.definition().map_err(&mut note).ok().flatten();
    let state = files.state().map_err(&mut note).ok().flatten();
    let subnet = state.as_ref().map(|s| s.subnet).or(definition.as_ref().and_then(|d| d.subnet));
    let bridge = subnet.map(|subnet| Bridge {
        link: state.as_ref().map(|state| state.bridge.clone()),
        subnet,
        gateway: subnet.gateway(),
        mtu: state.as_ref().map(|state| state.mtu),
    });
    let leases = state.into_iter().flat_map(|state| state.leases);
    let members = leases.map(|(address, lease)| Member {
        container: lease.container,
        address,
        mac: Mac::of(address),
        port: lease.port,
    });
    let network = Network {
        id: files.id().clone(),
        name: bridge::NAME.to_owned(),
        mode: Mode::Bridge,
        created: definition.map(|definition| definition.created),
        bridge,
        members: members.collect(),
    };
    (network, unread)
}
