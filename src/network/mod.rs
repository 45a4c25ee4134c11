//! Networks: what a container is connected to, and how it gets there and away again.
//!
//! ```text
//!  container's namespace          host                                        world
//!   eth0 172.30.0.2 ──veth── port ─┐
//!   eth0 172.30.0.3 ──veth── port ─┴─ hoist0 172.30.0.1 ── forward ── masquerade ── uplink
//! ```
//!
//! [`plan`] is pure; [`apply`] does what the plan says and returns endpoints, plain data
//! that goes into the run's state, so that [`remove`] can undo it in another process after
//! a crash. Everything is netlink, from one thread, without an external program.
//!
//! A port (the host's end of the veth) dies with the container's namespace, so removal
//! only gives back the lease and the rules; it never waits for the kernel. What belongs to
//! the network and not to one container (bridge, tables) stays until [`reset`], and is put
//! back by the next [`apply`] when somebody else removed it. Rules are also put back at once:
//! monitors hear of [`Changes`] and [`repair`] them.

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

/// The network that containers have unless they ask for another.
///
/// # Errors
///
/// When the folder of networks cannot be read.
pub fn default_network(paths: &NetworkPaths) -> Result<Network> {
    let first = state::networks(paths)?.0.into_iter().next();
    Ok(first.unwrap_or_else(|| Network::default_bridge(&paths.engine)))
}

/// Connects a container whose network namespace is `netns`, while its init sets up the rest.
///
/// What is missing of the networks themselves (bridges, rules) is made. [`Applied::warnings`]
/// are for the user.
///
/// # Errors
///
/// When a netlink request fails, or a network has no place for it; then nothing of this container
/// is left.
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

/// Puts back what others took away of the rules that this engine's networks need: all of it,
/// for every container.
///
/// # Errors
///
/// When a netlink request fails.
pub fn repair(paths: &NetworkPaths, look: Look) -> Result<Repair> {
    bridge::repair(paths, look)
}

/// Takes back what [`apply`] did. Goes on after a failure and returns all of them; doing it
/// twice, or by another process after a crash, is no failure.
#[must_use]
pub fn remove(endpoints: &[Endpoint], paths: &NetworkPaths) -> Vec<Error> {
    endpoints.iter().flat_map(|endpoint| bridge::disconnect(endpoint, paths)).collect()
}

/// The same where what [`apply`] returned is lost. The container has no process left.
#[must_use]
pub fn forget(container: &ContainerId, paths: &NetworkPaths) -> Vec<Error> {
    bridge::forget(container, paths).err().into_iter().collect()
}

/// Takes back what containers had that are gone, the run's folder too. One whose network
/// namespace is still there keeps it.
///
/// # Errors
///
/// When the network's files cannot be read or written, or the links not be listed.
pub fn sweep(paths: &NetworkPaths, is_there: impl Fn(&ContainerId) -> bool) -> Result<()> {
    bridge::sweep(paths, is_there)
}

/// Removes everything that this engine's networks left on the host: bridges, tables, rules
/// in other owners' tables, leases. Goes on after a failure and returns all of them.
#[must_use]
pub fn reset(paths: &NetworkPaths) -> Vec<Error> {
    bridge::reset(paths)
}
