//! The definition of a network: what was requested, and what hoist chose.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::subnet::Subnet;
use crate::base::disk::{State, Unknown, Unrecognized};
use crate::base::{NetworkId, Paths};

/// The current version of the file.
const VERSION: u32 = 2;

/// The name of the default network.
const DEFAULT: &str = "bridge";
/// The option that sets the name of the bridge.
pub(super) const BRIDGE_NAME: &str = "com.docker.network.bridge.name";
/// The option that sets the prefix of interface names in containers.
const INTERFACE_PREFIX: &str = "com.docker.network.container_iface_prefix";

/// A network's definition, in `<root>/networks/<id>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// The version of this file.
    pub(super) version: u32,
    /// Its id.
    pub id: NetworkId,
    /// Its name.
    pub name: String,
    /// When it was created, or first used.
    pub created: Option<Timestamp>,
    /// The driver.
    pub driver: Driver,
    /// The subnets that its addresses come from.
    #[serde(default)]
    pub pools: Vec<Pool>,
    /// Driver options, with Docker's names.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// The user's labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Fields written by a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A network driver, with Docker's names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// A bridge on this machine.
    Bridge,
    /// The host's own network.
    Host,
    /// Only `lo`.
    #[serde(rename = "null")]
    None,
    /// A driver of a newer hoist.
    #[serde(untagged)]
    Unknown(Unrecognized),
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bridge => f.write_str("bridge"),
            Self::Host => f.write_str("host"),
            Self::None => f.write_str("null"),
            Self::Unknown(word) => write!(f, "{word}"),
        }
    }
}

/// A subnet that a network takes addresses from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// The subnet.
    pub subnet: Subnet,
    /// The gateway's address.
    pub gateway: Ipv4Addr,
    /// hoist chose this subnet, and may choose another one if it is taken.
    #[serde(default)]
    pub is_chosen: bool,
    /// Fields written by a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Pool {
    /// Creates a pool with a subnet that hoist chose.
    pub(super) fn chosen(subnet: Subnet) -> Self {
        Self { subnet, gateway: subnet.gateway(), is_chosen: true, unknown: Unknown::new() }
    }
}

impl Network {
    fn builtin(name: &str, driver: Driver, paths: &Paths) -> Self {
        Self {
            version: VERSION,
            id: id_of(&driver, paths),
            name: name.to_owned(),
            created: None,
            driver,
            pools: Vec::new(),
            options: BTreeMap::new(),
            labels: BTreeMap::new(),
            unknown: Unknown::new(),
        }
    }

    /// Returns the default network, as it is before its first use.
    pub(super) fn default_bridge(paths: &Paths) -> Self {
        let options =
            [(BRIDGE_NAME, format!("hoist0{}", paths.engine_id())), (INTERFACE_PREFIX, "eth".to_owned())];
        let options = options.map(|(name, value)| (name.to_owned(), value)).into();
        Self { options, ..Self::builtin(DEFAULT, Driver::Bridge, paths) }
    }

    /// Returns the built-in networks that need nothing on the host.
    pub(super) fn without_links(paths: &Paths) -> [Self; 2] {
        [("host", Driver::Host), ("none", Driver::None)]
            .map(|(name, driver)| Self::builtin(name, driver, paths))
    }

    /// Returns the name of the bridge.
    pub(super) fn bridge(&self) -> String {
        let short = || format!("br-{}", self.id.short());
        self.options.get(BRIDGE_NAME).cloned().unwrap_or_else(short)
    }

    /// Whether hoist chose the name of the bridge, so a link of that name belongs to hoist.
    pub(super) fn has_own_bridge(&self, default: &NetworkId) -> bool {
        self.id == *default || !self.options.contains_key(BRIDGE_NAME)
    }

    /// Returns the name of its interface in a container that already has `number` interfaces.
    pub(super) fn interface(&self, number: usize) -> String {
        let prefix = self.options.get(INTERFACE_PREFIX).map_or("eth", String::as_str);
        format!("{prefix}{number}")
    }
}

impl State for Network {
    const NEWEST: u32 = VERSION;

    fn version(&self) -> u32 {
        self.version
    }

    fn read_old(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes).map(Former::into_network)
    }
}

/// The file of version 1, which had only the default network.
#[derive(Deserialize)]
struct Former {
    id: NetworkId,
    name: String,
    created: Timestamp,
    subnet: Option<Subnet>,
    #[serde(flatten)]
    unknown: Unknown,
}

impl Former {
    fn into_network(mut self) -> Network {
        self.unknown.remove("version");
        Network {
            version: VERSION,
            id: self.id,
            name: self.name,
            created: Some(self.created),
            driver: Driver::Bridge,
            pools: self.subnet.map(Pool::chosen).into_iter().collect(),
            options: BTreeMap::new(), // the file does not hold the default network's options
            labels: BTreeMap::new(),
            unknown: self.unknown,
        }
    }
}

/// Returns the id of a built-in network, which depends only on the state folder.
fn id_of(driver: &Driver, paths: &Paths) -> NetworkId {
    use sha2::Digest as _;
    let number = match driver {
        Driver::None | Driver::Unknown(_) => 0,
        Driver::Host => 1,
        Driver::Bridge => 2,
    };
    let mut hash = sha2::Sha256::new();
    hash.update([b'n', number]);
    hash.update(paths.root().as_os_str().as_encoded_bytes());
    let hex = crate::base::id::hex(&hash.finalize());
    #[expect(clippy::expect_used, reason = "a SHA-256 digest is 64 hex digits")]
    hex.parse().expect("a digest is an id")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths() -> Paths {
        Paths::new("/var/lib/hoist", "/run/hoist")
    }

    #[test]
    fn the_default_network_has_its_names_by_its_options() {
        let default = Network::default_bridge(&paths());
        assert_eq!((default.bridge().as_str(), default.interface(0).as_str()), ("hoist0", "eth0"));
        let other = Network::default_bridge(&Paths::new("/tmp/a", "/tmp/b"));
        assert!(other.bridge().len() <= 15 && other.bridge() != default.bridge(), "{}", other.bridge());
        let mut made = default.clone();
        made.options.clear();
        assert_eq!(made.bridge(), format!("br-{}", made.id.short()));
        made.options.insert(INTERFACE_PREFIX.to_owned(), "lan".to_owned());
        assert_eq!(made.interface(1), "lan1");
    }

    #[test]
    fn ids_are_the_same_for_the_same_folder_and_differ_otherwise() {
        let here = Paths::new("/a", "/b");
        let id = |driver, paths: &Paths| id_of(&driver, paths);
        assert_eq!(id(Driver::Bridge, &here), id(Driver::Bridge, &Paths::new("/a", "/other")));
        assert_ne!(id(Driver::Bridge, &here), id(Driver::Host, &here));
        assert_ne!(id(Driver::Bridge, &here), id(Driver::Bridge, &Paths::new("/c", "/b")));
    }

    #[test]
    fn the_former_file_is_read_and_what_a_newer_hoist_wrote_is_kept() {
        let id = "a".repeat(64);
        let former = format!(
            r#"{{"version":1,"id":"{id}","name":"bridge","created":"2026-01-01T00:00:00Z","subnet":"172.30.7.0/24","later":1}}"#
        );
        let network = Network::read_old(former.as_bytes()).unwrap();
        assert_eq!(network.driver, Driver::Bridge);
        assert_eq!(network.pools, [Pool::chosen("172.30.7.0/24".parse().unwrap())]);
        assert_eq!(network.unknown["later"], 1);
        let newer = serde_json::json!({
            "version": 2, "id": id, "name": "mine", "created": null,
            "driver": { "overlay": { "key": 1 } },
            "pools": [{ "subnet": "10.9.0.0/16", "gateway": "10.9.0.1", "is_chosen": false, "range": "10.9.1.0/24" }],
            "options": {}, "labels": {}, "scope": "swarm",
        });
        let network: Network = serde_json::from_value(newer.clone()).unwrap();
        assert!(matches!(network.driver, Driver::Unknown(_)));
        assert_eq!(serde_json::to_value(&network).unwrap(), newer);
    }
}
