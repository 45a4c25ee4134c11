//! Plans a container's network without touching the system.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use super::definition::Network;
use super::error::{Error, Result};
use super::names::{Dns, ExtraHost};
use super::state::{Lease, State};
use super::subnet::Subnet;
use crate::base::disk::Unknown;
use crate::base::{ContainerId, Endpoint, Mac, Paths};

/// The network namespace of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Namespace {
    /// The host's.
    Host,
    /// A new one, with only `lo` and its connections.
    Own,
}

/// A requested connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The network.
    pub network: Network,
    /// The address (`--ip`); by default a free one.
    pub address: Option<Ipv4Addr>,
    /// The hardware address (`--mac-address`); by default derived from the address.
    pub mac: Option<Mac>,
    /// The name of its link in the container; by default the network's choice.
    pub interface: Option<String>,
}

impl Connection {
    /// Returns a connection to `network` with default settings.
    #[must_use]
    pub fn to(network: Network) -> Self {
        Self { network, address: None, mac: None, interface: None }
    }
}

/// A request for a container's network.
#[derive(Debug, Clone)]
pub struct Request {
    /// The container.
    pub container: ContainerId,
    /// The network namespace.
    pub namespace: Namespace,
    /// Its connections; the default route uses the first.
    pub connections: Vec<Connection>,
    /// The container's host name.
    pub hostname: String,
    /// Empty unless requested.
    pub domainname: String,
    /// `--add-host`: `name:address`, `name=address`, `name:host-gateway`.
    pub extra_hosts: Vec<String>,
    /// `--dns`.
    pub dns: Vec<String>,
    /// `--dns-search`.
    pub dns_search: Vec<String>,
    /// `--dns-option`.
    pub dns_options: Vec<String>,
}

/// A container's network, as planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The container.
    pub container: ContainerId,
    /// The network namespace.
    pub namespace: Namespace,
    /// Its connections; the default route uses the first.
    pub connections: Vec<Connection>,
    /// The container's host name.
    pub hostname: String,
    /// Its domain name; empty for none.
    pub domainname: String,
    /// Additional lines in /etc/hosts.
    pub extra_hosts: Vec<ExtraHost>,
    /// The requested resolver configuration; the rest comes from the host.
    pub dns: Dns,
}

impl Plan {
    /// Whether the container gets a network namespace of its own.
    #[must_use]
    pub fn has_namespace(&self) -> bool {
        self.namespace == Namespace::Own
    }

    /// Whether it is connected to any network.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        !self.connections.is_empty()
    }
}

/// Plans a container's network.
///
/// # Errors
///
/// [`Error::BadNameServer`] and [`Error::BadHost`], with Docker's wording.
pub fn plan(request: Request) -> Result<Plan> {
    let servers = request.dns.iter().map(|word| name_server(word)).collect::<Result<_>>()?;
    let extra_hosts = request.extra_hosts.iter().map(|word| word.parse()).collect::<Result<_>>()?;
    Ok(Plan {
        container: request.container,
        namespace: request.namespace,
        connections: request.connections,
        hostname: request.hostname,
        domainname: request.domainname,
        extra_hosts,
        dns: Dns { servers, search: request.dns_search, options: request.dns_options },
    })
}

/// Returns a container's endpoint in a network, and leases its address in `state`. `number` is how
/// many links the container already has, and `port` the name of the host's end of the new one.
///
/// # Errors
///
/// [`Error::Full`]; [`Error::NoSuchAddress`] and [`Error::AddressTaken`] for a requested address.
pub(super) fn endpoint(
    container: &ContainerId,
    connection: &Connection,
    state: &mut State,
    number: usize,
    port: String,
) -> Result<Endpoint> {
    let network = &connection.network;
    let lease = Lease {
        container: container.clone(),
        port: port.clone(),
        mac: connection.mac,
        unknown: Unknown::new(),
    };
    let subnet = state.subnet;
    if let Some(address) = connection.address
        && !(Subnet::of(address, subnet.length()) == subnet && is_for_containers(address, subnet))
    {
        let (network, subnet) = (network.name.clone(), subnet.to_string());
        return Err(Error::NoSuchAddress { network, address, subnet });
    }
    let address = state.lease(connection.address, lease).ok_or_else(|| match connection.address {
        Some(address) => Error::AddressTaken { network: network.name.clone(), address },
        None => Error::Full { network: network.name.clone(), subnet: subnet.to_string() },
    })?;
    Ok(Endpoint {
        network: network.id.clone(),
        network_name: network.name.clone(),
        container: container.clone(),
        bridge: state.bridge.clone(),
        port,
        interface: connection.interface.clone().unwrap_or_else(|| network.interface(number)),
        address,
        prefix: subnet.length(),
        gateway: subnet.gateway(),
        mac: connection.mac.unwrap_or_else(|| Mac::of(address)),
        unknown: Unknown::new(),
    })
}

/// Whether this is not the subnet's first, gateway or broadcast address.
fn is_for_containers(address: Ipv4Addr, subnet: Subnet) -> bool {
    ![subnet.first(), subnet.gateway(), subnet.broadcast()].contains(&address)
}

fn name_server(word: &str) -> Result<IpAddr> {
    word.parse().map_err(|_| Error::BadNameServer(word.to_owned()))
}

/// The files that networks use: an engine's state folders, and the lock under which all engines on
/// the machine choose subnets.
#[derive(Debug, Clone)]
pub struct NetworkPaths {
    pub(super) engine: Paths,
    pub(super) machine_lock: PathBuf,
    pub(super) system_bus: PathBuf,
}

/// The same file for all engines on the machine.
const MACHINE_LOCK: &str = "/run/hoist-machine.lock";
const SYSTEM_BUS: &str = "/run/dbus/system_bus_socket";

impl NetworkPaths {
    /// Returns an engine's files, and those shared by all engines on the machine.
    #[must_use]
    pub fn new(paths: &Paths) -> Self {
        Self { engine: paths.clone(), machine_lock: MACHINE_LOCK.into(), system_bus: SYSTEM_BUS.into() }
    }

    /// Uses another machine-wide lock, for tests in their own namespaces.
    #[must_use]
    pub fn with_machine_lock(self, path: &Path) -> Self {
        Self { machine_lock: path.into(), ..self }
    }

    /// Uses another system bus, on which a firewalld may listen.
    #[must_use]
    pub fn with_system_bus(self, path: &Path) -> Self {
        Self { system_bus: path.into(), ..self }
    }
}

/// The result of applying a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// The connections. The run's state keeps them, to show and to undo them.
    pub endpoints: Vec<Endpoint>,
    /// Warnings for the user: what was done but will not work as requested, and how to fix it.
    pub warnings: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_network_is_decided_from_its_state_and_what_was_asked() {
        let network = Network::default_bridge(&Paths::new("/a", "/b"));
        let mut state = State::new("br0".to_owned(), "10.1.0.0/29".parse().unwrap(), 1500);
        let mut connect = |number, ask: &dyn Fn(&mut Connection)| {
            let mut connection = Connection::to(network.clone());
            ask(&mut connection);
            let container = ContainerId::random().unwrap();
            endpoint(&container, &connection, &mut state, number, "port".to_owned())
        };
        let first = connect(0, &|_| {}).unwrap();
        assert_eq!(first.address, Ipv4Addr::new(10, 1, 0, 2));
        assert_eq!((first.interface.as_str(), first.bridge.as_str(), first.prefix), ("eth0", "br0", 29));
        assert_eq!((first.gateway, first.mac), (Ipv4Addr::new(10, 1, 0, 1), Mac::of(first.address)));
        let mac = Mac([2, 0, 0, 0, 0, 9]);
        let second = connect(1, &|asked| {
            asked.address = Some(Ipv4Addr::new(10, 1, 0, 4));
            asked.mac = Some(mac);
        })
        .unwrap();
        assert_eq!((second.address, second.mac), (Ipv4Addr::new(10, 1, 0, 4), mac));
        assert_eq!(second.interface, "eth1");
        let third = connect(0, &|asked| asked.interface = Some("lan".to_owned())).unwrap();
        assert_eq!((third.address, third.interface.as_str()), (Ipv4Addr::new(10, 1, 0, 3), "lan"));
        for (last, want) in [
            (0, "the address 10.1.0.0 is not available to containers on `bridge`: its subnet is 10.1.0.0/29"),
            (1, "the address 10.1.0.1 is not available to containers on `bridge`: its subnet is 10.1.0.0/29"),
            (4, "the address 10.1.0.4 of `bridge` is in use"),
            (7, "the address 10.1.0.7 is not available to containers on `bridge`: its subnet is 10.1.0.0/29"),
            (9, "the address 10.1.0.9 is not available to containers on `bridge`: its subnet is 10.1.0.0/29"),
        ] {
            let asked = Some(Ipv4Addr::new(10, 1, 0, last));
            let refused = connect(0, &|connection| connection.address = asked);
            assert_eq!(refused.unwrap_err().to_string(), want);
        }
        assert!(connect(0, &|_| {}).is_ok() && connect(0, &|_| {}).is_ok());
        assert_eq!(
            connect(0, &|_| {}).unwrap_err().to_string(),
            "`bridge` has no free address in 10.1.0.0/29"
        );
        let guest = state.guests().find(|guest| guest.address == second.address).unwrap();
        assert_eq!(guest.mac, mac, "the rules know the address that was asked for");
    }
}
