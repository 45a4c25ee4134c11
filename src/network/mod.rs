//! Networks: connects containers to them, and disconnects them.
//!
//! ```text
//!  container's namespace          host                                        world
//!   eth0 172.30.0.2 ──veth── port ─┐
//!   eth0 172.30.0.3 ──veth── port ─┴─ hoist0 172.30.0.1 ── forward ── masquerade ── uplink
//! ```
//!
//! [`plan`] is pure; [`apply`] carries a plan out and returns endpoints. These are plain data in
//! the run's state, so [`remove`] can undo them from another process after a crash. Everything uses
//! netlink from a single thread, without external programs.
//!
//! A port (the host's end of a veth pair) disappears with the container's namespace. So removal
//! only releases the lease, and never waits for the kernel. What belongs to the network rather than
//! a container (bridge, tables) stays until [`reset`]. If somebody else removes it, the next
//! [`apply`] restores it. Monitors restore rules immediately: they listen to [`Changes`] and call
//! [`repair`].

mod bridge;
mod definition;
mod error;
mod firewall;
mod firewalld;
mod link;
mod list;
pub mod names;
mod nft;
mod plan;
mod rules;
mod state;
mod subnet;
mod watch;
mod xtables;

pub use bridge::{Look, Repair};
pub use definition::{Driver, Network};
pub use error::{Error, Result};
pub use list::{Bridge, Member, NetworkView, list};
pub use names::HostFiles;
pub use plan::{Applied, Connection, Namespace, NetworkPaths, Plan, Request, plan};
pub use subnet::Subnet;
pub use watch::Changes;

use std::os::fd::BorrowedFd;

use crate::base::{ContainerId, Endpoint};

/// Returns the default network.
///
/// # Errors
///
/// If the folder of networks cannot be read.
pub fn default_network(paths: &NetworkPaths) -> Result<Network> {
    let first = state::networks(paths)?.0.into_iter().next();
    Ok(first.unwrap_or_else(|| Network::default_bridge(&paths.engine)))
}

/// Connects a container with the network namespace `netns`, while its init does other setup.
///
/// Missing bridges and rules of the networks are created. [`Applied::warnings`] are for the user.
///
/// # Errors
///
/// If a netlink request fails, or a network has no free address. Everything done for this container
/// is then undone.
pub fn apply(plan: &Plan, netns: Option<BorrowedFd<'_>>, paths: &NetworkPaths) -> Result<Applied> {
    let netns = match (plan.namespace, netns) {
        (Namespace::Host, _) => return Ok(Applied::default()),
        (Namespace::Own, Some(netns)) => netns,
        (Namespace::Own, None) => return Err(Error::NoNamespace),
    };
    let mut inside = link::Inside::enter(netns)?;
    if !plan.is_connected() {
        inside.raise_loopback()?;
    }
    let mut applied = Applied::default();
    for number in 0..plan.connections.len() {
        match connect(plan, number, netns, &mut inside, paths) {
            Ok((endpoint, warnings)) => {
                applied.endpoints.push(endpoint);
                for warning in warnings {
                    if !applied.warnings.contains(&warning) {
                        applied.warnings.push(warning);
                    }
                }
            }
            Err(error) => {
                drop(remove(&applied.endpoints, paths)); // the first error is the one to report
                return Err(error);
            }
        }
    }
    Ok(applied)
}

fn connect(
    plan: &Plan,
    number: usize,
    netns: BorrowedFd<'_>,
    inside: &mut link::Inside,
    paths: &NetworkPaths,
) -> Result<(Endpoint, Vec<String>)> {
    let network = &plan.connections[number].network;
    match &network.driver {
        Driver::Bridge => bridge::connect(plan, number, netns, inside, paths),
        driver @ (Driver::Host | Driver::None | Driver::Unknown(_)) => {
            Err(Error::UnknownDriver { network: network.name.clone(), driver: driver.to_string() })
        }
    }
}

/// Restores the rules that this engine's networks need, for all their containers, if others removed
/// them.
///
/// # Errors
///
/// If a netlink request fails.
pub fn repair(paths: &NetworkPaths, look: Look) -> Result<Repair> {
    bridge::repair(paths, look)
}

/// Undoes [`apply`]. Continues after errors and returns them all. It may be repeated, also by
/// another process after a crash.
#[must_use]
pub fn remove(endpoints: &[Endpoint], paths: &NetworkPaths) -> Vec<Error> {
    endpoints.iter().flat_map(|endpoint| bridge::disconnect(endpoint, paths)).collect()
}

/// Undoes [`apply`] if its result was lost. The container must have no processes left.
#[must_use]
pub fn forget(container: &ContainerId, paths: &NetworkPaths) -> Vec<Error> {
    bridge::forget(container, paths).err().into_iter().collect()
}

/// Releases the leases of containers that no longer exist. A lease whose network namespace still
/// exists is kept.
///
/// # Errors
///
/// If the networks' files cannot be read or written, or the links cannot be listed.
pub fn sweep(paths: &NetworkPaths, is_there: impl Fn(&ContainerId) -> bool) -> Result<()> {
    bridge::sweep(paths, is_there)
}

/// Removes everything that this engine's networks created on the host: bridges, tables, leases, and
/// rules in tables of others. Continues after errors and returns them all.
#[must_use]
pub fn reset(paths: &NetworkPaths) -> Vec<Error> {
    bridge::reset(paths)
}
