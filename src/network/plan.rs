//! What a container's network will be, decided without touching the system.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::names::{Dns, ExtraHost};
use crate::base::{ContainerId, NetworkId, Paths};

/// The newest form of [`Applied`].
const VERSION: u32 = 1;

/// Which network a container has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A namespace of its own with nothing but `lo`.
    None,
    /// The host's namespace.
    Host,
    /// The default bridge.
    Bridge,
}

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// For whom.
    pub container: ContainerId,
    /// Which network.
    pub mode: Mode,
    /// The container's host name.
    pub hostname: String,
    /// Empty unless asked for.
    pub domainname: String,
    /// `--add-host`: `name:address`, `name=address`, `name:host-gateway`.
    pub extra_hosts: Vec<String>,
    /// `--dns`
    pub dns: Vec<String>,
    /// `--dns-search`
    pub dns_search: Vec<String>,
    /// `--dns-option`
    pub dns_options: Vec<String>,
}

/// What will be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// For whom.
    pub container: ContainerId,
    /// Which network.
    pub mode: Mode,
    /// What the container calls itself, with its domain where it has one.
    pub hostname: String,
    /// The domain of that name; empty for none.
    pub domainname: String,
    /// Further lines of /etc/hosts.
    pub extra_hosts: Vec<ExtraHost>,
    /// What was asked of the resolver; the rest comes from the host.
    pub dns: Dns,
}

impl Plan {
    /// Whether the container gets a network namespace of its own.
    #[must_use]
    pub fn has_namespace(&self) -> bool {
        self.mode != Mode::Host
    }
}

/// Decides what a request means.
///
/// # Errors
///
/// [`Error::BadNameServer`] and [`Error::BadHost`], in Docker's words.
pub fn plan(request: Request) -> Result<Plan> {
    let servers = request.dns.iter().map(|word| name_server(word)).collect::<Result<_>>()?;
    let extra_hosts = request.extra_hosts.iter().map(|word| word.parse()).collect::<Result<_>>()?;
    Ok(Plan {
        container: request.container,
        mode: request.mode,
        hostname: request.hostname,
        domainname: request.domainname,
        extra_hosts,
        dns: Dns { servers, search: request.dns_search, options: request.dns_options },
    })
}

fn name_server(word: &str) -> Result<IpAddr> {
    word.parse().map_err(|_| Error::BadNameServer(word.to_owned()))
}

/// Where an engine's networks live: its state folders, and the lock under which all engines
/// of the machine choose subnets.
#[derive(Debug, Clone)]
pub struct Place {
    pub(super) paths: Paths,
    pub(super) machine_lock: PathBuf,
    pub(super) system_bus: PathBuf,
}

/// Every engine of the machine names the same file.
const MACHINE_LOCK: &str = "/run/hoist-machine.lock";
const SYSTEM_BUS: &str = "/run/dbus/system_bus_socket";

impl Place {
    /// This engine's place on this machine.
    #[must_use]
    pub fn new(paths: &Paths) -> Self {
        Self { paths: paths.clone(), machine_lock: MACHINE_LOCK.into(), system_bus: SYSTEM_BUS.into() }
    }

    /// The same with another machine-wide lock: for tests in namespaces of their own.
    #[must_use]
    pub fn with_machine_lock(self, path: &Path) -> Self {
        Self { machine_lock: path.into(), ..self }
    }

    /// The same with another system bus, on which a firewalld may listen.
    #[must_use]
    pub fn with_system_bus(self, path: &Path) -> Self {
        Self { system_bus: path.into(), ..self }
    }
}

/// What was done: kept in the run's state, to show it and to undo it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The form of this record.
    pub version: u32,
    /// Which network.
    pub mode: Mode,
    /// The connection, where there is one.
    pub endpoint: Option<Endpoint>,
    /// For the user: what is done but will not work as asked, and the way out.
    #[serde(default)]
    pub warnings: Vec<String>,
}

impl Applied {
    /// Nothing was connected, nothing is to be undone.
    #[must_use]
    pub fn unconnected(mode: Mode) -> Self {
        Self { version: VERSION, mode, endpoint: None, warnings: Vec::new() }
    }

    pub(super) fn connected(mode: Mode, endpoint: Endpoint, warnings: Vec<String>) -> Self {
        Self { version: VERSION, mode, endpoint: Some(endpoint), warnings }
    }
}

/// One container's place in one network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The network.
    pub network: NetworkId,
    /// Its name.
    pub network_name: String,
    /// The container.
    pub container: ContainerId,
    /// The network's bridge on the host.
    pub bridge: String,
    /// The host's end of the veth, a port of that bridge.
    pub port: String,
    /// The container's end.
    pub interface: String,
    /// The container's address.
    pub address: Ipv4Addr,
    /// The subnet's prefix length.
    pub prefix: u8,
    /// The bridge's address.
    pub gateway: Ipv4Addr,
    /// The container's hardware address.
    pub mac: Mac,
}

/// A hardware address.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// The locally administered address that belongs to `address`: whoever gets an address
    /// again gets the same one, so nobody's neighbour table is stale.
    #[must_use]
    pub fn of(address: Ipv4Addr) -> Self {
        let [a, b, c, d] = address.octets();
        Self([0x02, 0x42, a, b, c, d])
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> Self {
        mac.to_string()
    }
}

/// Not six hex bytes with colons between.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a hardware address")]
pub struct BadMac(String);

impl TryFrom<String> for Mac {
    type Error = BadMac;

    fn try_from(text: String) -> std::result::Result<Self, BadMac> {
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let part = parts.next().filter(|part| part.len() == 2).unwrap_or_default();
            *byte = u8::from_str_radix(part, 16).map_err(|_| BadMac(text.clone()))?;
        }
        if parts.next().is_some() { Err(BadMac(text)) } else { Ok(Self(bytes)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hardware_address_is_written_as_it_is_read() {
        let mac = Mac::of(Ipv4Addr::new(172, 30, 0, 10));
        assert_eq!(mac.to_string(), "02:42:ac:1e:00:0a");
        assert_eq!(Mac::try_from(mac.to_string()), Ok(mac));
        for bad in ["", "02:42", "02:42:ac:1e:00:0a:0b", "2:42:ac:1e:00:0a", "zz:42:ac:1e:00:0a"] {
            assert!(Mac::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
