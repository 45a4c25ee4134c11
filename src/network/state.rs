//! Persistent state of networks: their definitions, and until the next boot their subnets and
//! leases.
//!
//! ```text
//! <root>/networks/<id>.json         Network: outlives a reboot
//! <run>/networks/lock               held while one network is changed
//! <run>/networks/<id>/state.json    State
//! ```

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::definition::{Network, Pool};
use super::error::{Error, Result};
use super::plan::NetworkPaths;
use super::subnet::Subnet;
use crate::base::disk::{self, Lock, Rank, Unknown, state};
use crate::base::{ContainerId, Mac, NetworkId};
use crate::sys::tree;

/// The current version of the state.
const VERSION: u32 = 1;

/// A network's state until the next boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) version: u32,
    pub(super) bridge: String,
    pub(super) subnet: Subnet,
    pub(super) mtu: u32,
    #[serde(default)]
    pub(super) leases: BTreeMap<Ipv4Addr, Lease>,
    /// Number of guests that are gone but still in the rules.
    #[serde(default)]
    pub(super) departed: u32,
    /// hoist enabled IP forwarding, so `reset` disables it.
    #[serde(default)]
    pub(super) turned_forwarding_on: bool,
    /// firewalld was asked to trust the bridge, so `reset` undoes that.
    #[serde(default)]
    pub(super) is_in_trusted_zone: bool,
    /// The generation of the ruleset that a repair found complete.
    #[serde(default)]
    pub(super) checked: Option<u32>,
    /// The rules contain its subnet and its bridge.
    #[serde(default)]
    pub(super) is_in_rules: bool,
    /// Fields written by a newer hoist.
    #[serde(flatten)]
    pub(super) unknown: Unknown,
}

state!(State, VERSION);

/// The lease of an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lease {
    pub(super) container: ContainerId,
    /// The host's end of its veth pair, which exists as long as its namespace.
    pub(super) port: String,
    /// Its hardware address, if not derived from the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mac: Option<Mac>,
    /// Fields written by a newer hoist.
    #[serde(flatten)]
    pub(super) unknown: Unknown,
}

/// A connected container, as the rules identify it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Guest {
    pub(super) port: String,
    pub(super) mac: Mac,
    pub(super) address: Ipv4Addr,
}

impl State {
    pub(super) fn new(bridge: String, subnet: Subnet, mtu: u32) -> Self {
        Self {
            version: VERSION,
            bridge,
            subnet,
            mtu,
            leases: BTreeMap::new(),
            departed: 0,
            turned_forwarding_on: false,
            is_in_trusted_zone: false,
            checked: None,
            is_in_rules: false,
            unknown: Unknown::new(),
        }
    }

    /// Leases an address: the requested one, or the lowest that is free. Releases an earlier lease
    /// of the same container. `None` if no address is free, or not the requested one.
    pub(super) fn lease(&mut self, asked: Option<Ipv4Addr>, lease: Lease) -> Option<Ipv4Addr> {
        self.keep(|other| other.container != lease.container);
        let is_free = |address: &Ipv4Addr| !self.leases.contains_key(address);
        let address = match asked {
            Some(address) => Some(address).filter(is_free)?,
            None => self.subnet.addresses().find(is_free)?,
        };
        self.leases.insert(address, lease);
        Some(address)
    }

    /// Releases an address if the same run still holds it. Returns whether it did.
    pub(super) fn release(&mut self, address: Ipv4Addr, port: &str) -> bool {
        let is_ours = self.leases.get(&address).is_some_and(|lease| lease.port == port);
        if is_ours {
            self.leases.remove(&address);
            self.departed = self.departed.saturating_add(1);
        }
        is_ours
    }

    /// Releases all leases except those for which `is_kept` returns true.
    pub(super) fn keep(&mut self, is_kept: impl Fn(&Lease) -> bool) {
        let before = self.leases.len();
        self.leases.retain(|_, lease| is_kept(lease));
        let gone = u32::try_from(before - self.leases.len()).unwrap_or(u32::MAX);
        self.departed = self.departed.saturating_add(gone);
    }

    /// Returns the guests that the rules must contain.
    pub(super) fn guests(&self) -> impl Iterator<Item = Guest> {
        self.leases.iter().map(|(&address, lease)| Guest {
            port: lease.port.clone(),
            mac: lease.mac.unwrap_or_else(|| Mac::of(address)),
            address,
        })
    }
}

/// Returns an engine's bridge networks, starting with the default one, and the errors of files that
/// cannot be read.
pub(super) fn networks(paths: &NetworkPaths) -> Result<(Vec<Network>, Vec<Error>)> {
    let default = Network::default_bridge(&paths.engine);
    let mut all = Vec::new();
    let mut unread = Vec::new();
    for id in
        std::iter::once(default.id.clone()).chain(ids(paths)?.into_iter().filter(|id| *id != default.id))
    {
        match Files::new(paths, id).network() {
            // The default network's options depend on the engine, everything else on its file.
            Ok(Some(known)) if known.id == default.id => {
                all.push(Network { options: default.options.clone(), ..known });
            }
            Ok(known) => all.extend(known),
            Err(error) => unread.push(error),
        }
        if all.is_empty() {
            all.push(default.clone()); // it exists even without its file
        }
    }
    Ok((all, unread))
}

/// Returns the ids of networks with a file.
fn ids(paths: &NetworkPaths) -> Result<Vec<NetworkId>> {
    let folder = paths.engine.networks();
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(disk::Error::io("read", &folder))?,
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut ids: Vec<NetworkId> = names.filter_map(|name| name.strip_suffix(".json")?.parse().ok()).collect();
    ids.sort();
    Ok(ids)
}

/// The files of one network.
#[derive(Debug)]
pub(super) struct Files<'a> {
    paths: &'a NetworkPaths,
    id: NetworkId,
}

impl<'a> Files<'a> {
    pub(super) fn new(paths: &'a NetworkPaths, id: NetworkId) -> Self {
        Self { paths, id }
    }

    pub(super) fn id(&self) -> &NetworkId {
        &self.id
    }

    /// Returns the id of the default network.
    pub(super) fn default_id(&self) -> NetworkId {
        Network::default_bridge(&self.paths.engine).id
    }

    /// Locks this engine's networks against changes by other processes.
    pub(super) fn lock(&self) -> Result<Lock> {
        disk::private_dir(&self.paths.engine.network_runs())?;
        Ok(Lock::exclusive(&self.paths.engine.network_runs().join("lock"), Rank::Network)?)
    }

    /// Like [`Self::lock`], but does not wait.
    pub(super) fn try_lock(&self) -> Result<Option<Lock>> {
        disk::private_dir(&self.paths.engine.network_runs())?;
        Ok(Lock::try_exclusive(&self.paths.engine.network_runs().join("lock"), Rank::Network)?)
    }

    /// Locks the choice of subnets against other engines on this machine. If there is no place for
    /// a common lock (in a namespace, or without privilege), the engine's own lock has to suffice.
    pub(super) fn lock_machine(&self) -> Result<Option<Lock>> {
        match Lock::exclusive(&self.paths.machine_lock, Rank::Network) {
            Ok(lock) => Ok(Some(lock)),
            Err(disk::Error::Io { source, .. })
                if matches!(
                    source.kind(),
                    std::io::ErrorKind::NotFound
                        | std::io::ErrorKind::PermissionDenied
                        | std::io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn state(&self) -> Result<Option<State>> {
        found(disk::read_state(&self.state_path()))
    }

    pub(super) fn save(&self, state: &State) -> Result<()> {
        disk::private_dir(&self.paths.engine.network_runs().join(self.id.as_str()))?;
        Ok(disk::write_state(&self.state_path(), state)?)
    }

    /// Reads the network's definition.
    pub(super) fn network(&self) -> Result<Option<Network>> {
        found(disk::read_state(&self.network_path()))
    }

    /// Stores the subnet chosen for `network`, to be used after the next boot too.
    pub(super) fn keep_subnet(&self, network: &Network, subnet: Subnet) -> Result<()> {
        let known = match self.network() {
            Err(Error::State(disk::Error::Damaged { .. })) => None,
            // Only a newer hoist should change it.
            Err(Error::State(error)) if error.is_of_another_version() => return Ok(()),
            known => known?,
        };
        let mut known = known.unwrap_or_else(|| Network {
            created: Some(Timestamp::now()),
            // The file does not hold the options of a built-in network.
            options: BTreeMap::new(),
            ..network.clone()
        });
        let chosen = Pool::chosen(subnet);
        match known.pools.first_mut() {
            Some(pool) if pool.subnet == subnet || !pool.is_chosen => return Ok(()),
            Some(pool) => *pool = chosen,
            None => known.pools.push(chosen),
        }
        disk::private_dir(&self.paths.engine.networks())?;
        Ok(disk::write_state_synced(&self.network_path(), &known)?)
    }

    /// Removes the state, as a reboot would.
    pub(super) fn forget(&self) -> Result<()> {
        let dir = self.paths.engine.network_runs().join(self.id.as_str());
        tree::remove(&dir).map_err(Error::State)
    }

    fn state_path(&self) -> PathBuf {
        self.paths.engine.network_runs().join(self.id.as_str()).join("state.json")
    }

    fn network_path(&self) -> PathBuf {
        self.paths.engine.networks().join(format!("{}.json", self.id))
    }
}

fn found<T>(read: disk::Result<T>) -> Result<Option<T>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State::new("hoist0".to_owned(), "172.30.0.0/29".parse().unwrap(), 1500)
    }

    fn lease(container: &ContainerId, port: &str) -> Lease {
        Lease { container: container.clone(), port: port.to_owned(), mac: None, unknown: Unknown::new() }
    }

    #[test]
    fn the_lowest_free_address_is_leased_until_none_is_left() {
        let mut state = state();
        let mut ids = Vec::new();
        for last in 2..=6 {
            let id = ContainerId::random().unwrap();
            assert_eq!(state.lease(None, lease(&id, "p")), Some(Ipv4Addr::new(172, 30, 0, last)));
            ids.push(id);
        }
        assert_eq!(state.lease(None, lease(&ContainerId::random().unwrap(), "p")), None);
        assert!(state.release(Ipv4Addr::new(172, 30, 0, 4), "p"));
        assert!(!state.release(Ipv4Addr::new(172, 30, 0, 4), "p"));
        assert!(!state.release(Ipv4Addr::new(172, 30, 0, 5), "another run's"));
        assert_eq!(state.lease(None, lease(&ids[4], "q")), Some(Ipv4Addr::new(172, 30, 0, 4)));
        assert_eq!(state.leases.len(), 4, "the lease that the last one had is void");
    }

    #[test]
    fn a_state_file_keeps_fields_of_a_newer_hoist() {
        let old = r#"{"version":1,"bridge":"hoist0","subnet":"172.30.0.0/24","mtu":1500,"later":{"a":1}}"#;
        let state: State = serde_json::from_str(old).unwrap();
        assert_eq!(serde_json::to_value(&state).unwrap()["later"]["a"], 1);
    }
}
