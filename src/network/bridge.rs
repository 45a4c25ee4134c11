//! Bridge networks. A network's bridge and rules are created when a container needs them, and
//! recreated if somebody removed them.

use std::fs;
use std::os::fd::BorrowedFd;

use super::definition::Network;
use super::error::{Error, Result, Step};
use super::firewall;
use super::link::{Inside, Link, Links, without_ipv6};
use super::names::{HostFiles, resolver_warning};
use super::nft::Tables;
use super::plan::{NetworkPaths, Plan, endpoint};
use super::rules::{self, Fill, Known, Names};
use super::state::{Files, Guest, Lease, State, networks};
use super::subnet;
use crate::base::error::one_line;
use crate::base::{ContainerId, Endpoint};
use crate::sys;

const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";

/// Makes connection `number` of `plan`: bridge, lease, veth and rules, in the order of their
/// dependencies. On failure it undoes what belongs to this connection.
pub(super) fn connect(
    plan: &Plan,
    number: usize,
    netns: BorrowedFd<'_>,
    inside: &mut Inside,
    paths: &NetworkPaths,
) -> Result<(Endpoint, Vec<String>)> {
    let connection = &plan.connections[number];
    let network = &connection.network;
    let names = Names::of(&paths.engine);
    let files = Files::new(paths, network.id.clone());
    let mut links = Links::open()?;
    let _lock = files.lock()?;
    let (mut state, bridge) = ensure_bridge(&mut links, &names, network, &files)?;
    let mut warnings = ensure_forwarding(&mut state);
    warnings.extend(resolver_warning(plan, &HostFiles::read()));
    let port =
        names.new_port().map_err(|error| sys::Error::new("getrandom()", error)).step(|| "name a link")?;
    let decide = |state: &mut State| endpoint(&plan.container, connection, state, number, port.clone());
    let endpoint = match decide(&mut state) {
        // Leases may belong to runs that ended without cleaning up, and whose namespaces are gone.
        Err(Error::Full { .. } | Error::AddressTaken { .. }) => {
            let there = links.names()?;
            state.keep(|lease| there.contains(&lease.port));
            decide(&mut state)?
        }
        decided => decided?,
    };
    files.save(&state)?;
    let saved = state.clone();
    let gateway = (number == 0).then_some(endpoint.gateway);
    let done = links
        .add_port(&endpoint, bridge, state.mtu, netns)
        .and_then(|()| without_ipv6(&endpoint.port))
        .and_then(|()| inside.raise(&endpoint, gateway))
        .and_then(|()| guard(&mut links, &names, paths, network, &mut state, &endpoint))
        .and_then(|found| if state == saved { Ok(found) } else { files.save(&state).map(|()| found) });
    match done {
        Ok(found) => {
            warnings.extend(found);
            Ok((endpoint, warnings))
        }
        Err(error) => {
            let _ = links.delete(&endpoint.port); // the first error is the one to report
            state.release(endpoint.address, &endpoint.port);
            let _ = files.save(&state);
            Err(error)
        }
    }
}

/// When to check the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Only if they may have changed since they were last found complete.
    IfChanged,
    /// Always.
    Again,
}

/// The result of a repair.
#[derive(Debug)]
pub enum Repair {
    /// Another process is changing the network, and may be repairing it.
    Busy,
    /// The rules are complete as far as hoist can ensure it. The warnings are for the user.
    Done(Vec<String>),
}

/// Restores rules that others removed.
pub(super) fn repair(paths: &NetworkPaths, look: Look) -> Result<Repair> {
    let names = Names::of(&paths.engine);
    let Some(_lock) = Files::new(paths, Network::default_bridge(&paths.engine).id).try_lock()? else {
        return Ok(Repair::Busy);
    };
    let (networks, mut unread) = networks(paths)?;
    let (mut files, mut states) = (Vec::new(), Vec::new());
    for network in networks {
        let of_network = Files::new(paths, network.id);
        match of_network.state() {
            Ok(None) => {}
            Ok(Some(state)) => {
                files.push(of_network);
                states.push(state);
            }
            Err(error) => unread.push(error),
        }
    }
    let mut tables = Tables::open().step(|| "open a netlink socket for nftables")?;
    let generation = |tables: &mut Tables| tables.generation().step(|| "read the firewall rules");
    let current = generation(&mut tables)?;
    let is_checked = |state: &State| state.checked.is_some() && state.checked == current;
    if states.is_empty() || look == Look::IfChanged && states.iter().all(is_checked) {
        return Ok(Repair::Done(Vec::new()));
    }
    let mut warnings: Vec<String> = unread.iter().map(|error| one_line(error)).collect();
    warnings.extend(states.iter_mut().flat_map(ensure_forwarding));
    let known = if unread.is_empty() { Known::All } else { Known::Some };
    warnings.extend(rules::ensure(&mut tables, &names, &mut states, None, (known, Fill::Again))?);
    let mut links = Links::open()?;
    for state in &mut states {
        warnings.extend(firewall::clear_the_way(&mut tables, &mut links, &names, paths, state)?);
    }
    // A change since then may be another's or ours. Ours is announced too, and checked once more.
    let checked = current.filter(|_| generation(&mut tables).is_ok_and(|now| now == current));
    for (files, state) in files.iter().zip(&mut states) {
        state.checked = checked;
        files.save(state)?;
    }
    Ok(Repair::Done(warnings))
}

/// Releases what a connection used. Collects errors and continues.
pub(super) fn disconnect(endpoint: &Endpoint, paths: &NetworkPaths) -> Vec<Error> {
    let files = Files::new(paths, endpoint.network.clone());
    let release = || {
        let _lock = files.lock()?;
        let Some(mut state) = files.state()? else { return Ok(()) };
        if state.release(endpoint.address, &endpoint.port) { files.save(&state) } else { Ok(()) }
    };
    // The veth pair is not deleted: it disappears with the container's namespace, and deleting it
    // would mean waiting for the kernel. The guest's element in the rules stays too (see there),
    // since its port name is never used again.
    release().err().into_iter().collect()
}

/// Releases what a container used, if only its leases are left.
pub(super) fn forget(container: &ContainerId, paths: &NetworkPaths) -> Result<()> {
    void(paths, |lease| &lease.container == container, || Ok(Vec::new()))
}

/// Releases what containers used that no longer exist. A port exists as long as processes use it.
pub(super) fn sweep(paths: &NetworkPaths, is_there: impl Fn(&ContainerId) -> bool) -> Result<()> {
    void(paths, |lease| !is_there(&lease.container), || Links::open()?.names())
}

/// Releases leases that are lost, except those of ports in use.
fn void(
    paths: &NetworkPaths,
    is_lost: impl Fn(&Lease) -> bool,
    in_use: impl Fn() -> Result<Vec<String>>,
) -> Result<()> {
    networks(paths)?.0.into_iter().try_for_each(|network| {
        let files = Files::new(paths, network.id);
        let read = || match files.state() {
            Err(error) if error.is_of_a_file() => Ok(None), // it names no containers
            state => state,
        };
        // Looks without the lock first, since usually there is nothing to release.
        if !read()?.is_some_and(|state| state.leases.values().any(&is_lost)) {
            return Ok(());
        }
        let _lock = files.lock()?;
        let Some(mut state) = read()? else { return Ok(()) };
        let (in_use, before) = (in_use()?, state.leases.len());
        state.keep(|lease| !is_lost(lease) || in_use.contains(&lease.port));
        if state.leases.len() == before { Ok(()) } else { files.save(&state) }
    })
}

/// Removes everything that this engine's bridge networks created on the host.
pub(super) fn reset(paths: &NetworkPaths) -> Vec<Error> {
    let names = Names::of(&paths.engine);
    let default = Files::new(paths, Network::default_bridge(&paths.engine).id);
    let _lock = match default.lock() {
        Ok(lock) => lock,
        Err(error) => return vec![error],
    };
    let mut errors = Vec::new();
    let all = match networks(paths) {
        Ok((all, unread)) => {
            // Damaged files are removed as well.
            errors.extend(unread.into_iter().filter(|error| !error.is_of_a_file()));
            all
        }
        Err(error) => return vec![error],
    };
    let files: Vec<_> = all.iter().map(|network| Files::new(paths, network.id.clone())).collect();
    let mut states = Vec::new();
    for files in &files {
        match files.state() {
            Ok(state) => states.extend(state),
            Err(error) => errors.extend(Some(error).filter(|error| !error.is_of_a_file())),
        }
    }
    match Tables::open().step(|| "open a netlink socket for nftables") {
        Ok(mut tables) => {
            errors.extend(firewall::withdraw(&mut tables, &names, paths, &states).err());
            errors.extend(rules::reset(&mut tables, &names));
        }
        Err(error) => errors.push(error),
    }
    match Links::open() {
        Ok(mut links) => {
            let own = all.iter().filter(|network| network.has_own_bridge(default.id()));
            let bridges = own.map(Network::bridge).chain(states.iter().map(|state| state.bridge.clone()));
            errors.extend(delete_links(&mut links, &names, &bridges.collect::<Vec<_>>()));
            // Other bridges may depend on it by now.
            let is_alone = links.bridges().is_ok_and(|others| others.is_empty());
            if is_alone && states.iter().any(|state| state.turned_forwarding_on) {
                let _ = fs::write(FORWARDING, "0"); // on failure it stays on
            }
        }
        Err(error) => errors.push(error),
    }
    errors.extend(files.iter().filter_map(|files| files.forget().err()));
    errors
}

fn delete_links(links: &mut Links, names: &Names, bridges: &[String]) -> Vec<Error> {
    let all = match links.names() {
        Ok(all) => all,
        Err(error) => return vec![error],
    };
    let ours = all.iter().filter(|link| names.is_port(link) || bridges.contains(link));
    ours.filter_map(|link| links.delete(link).err()).collect()
}

/// Returns the network's state and the index of its bridge, bringing the bridge up if necessary.
fn ensure_bridge(
    links: &mut Links,
    names: &Names,
    network: &Network,
    files: &Files<'_>,
) -> Result<(State, u32)> {
    let state = match files.state() {
        Err(Error::State(source)) if source.is_of_another_version() => return Err(source.into()),
        Err(Error::State(source)) if source.is_of_the_file() => {
            // The state holds the leases. If nobody has one, it can be rebuilt.
            if links.names()?.iter().any(|link| names.is_port(link)) {
                return Err(Error::Damaged { network: network.name.clone(), source });
            }
            files.forget()?;
            None
        }
        state => state?,
    };
    let bridge = state.as_ref().map_or_else(|| network.bridge(), |state| state.bridge.clone());
    match (state, links.find(&bridge)?) {
        (Some(state), Some(Link { index, is_up: true })) => Ok((state, index)),
        (Some(state), Some(Link { index, is_up: false })) => {
            links.raise_bridge(&bridge, index, state.subnet)?;
            Ok((state, index))
        }
        (state, found) => make_bridge(links, network, files, state, found),
    }
}

/// Creates the bridge. Unless a subnet was requested, it chooses one that does not overlap those in
/// use on the machine. Running containers keep their addresses if the subnet is still free, and
/// their ports are attached to the new bridge.
fn make_bridge(
    links: &mut Links,
    network: &Network,
    files: &Files<'_>,
    before: Option<State>,
    found: Option<Link>,
) -> Result<(State, u32)> {
    let _machine = files.lock_machine()?;
    let bridge = before.as_ref().map_or_else(|| network.bridge(), |state| state.bridge.clone());
    if found.is_some() {
        if before.is_none() && !network.has_own_bridge(&files.default_id()) {
            return Err(Error::LinkInUse { network: network.name.clone(), link: bridge });
        }
        // A bridge of ours without a state, so its subnet is unknown.
        links.delete(&bridge)?;
    }
    let asked = network.pools.first();
    if let Some(pool) = asked.filter(|pool| pool.gateway != pool.subnet.gateway()) {
        return Err(Error::Gateway { network: network.name.clone(), gateway: pool.gateway });
    }
    let taken = links.taken(None)?;
    let subnet = match asked.filter(|pool| !pool.is_chosen) {
        Some(pool) => match taken.iter().find(|one| one.overlaps(pool.subnet)) {
            None => Ok(pool.subnet),
            Some(route) => Err(Error::SubnetInUse {
                network: network.name.clone(),
                subnet: pool.subnet.to_string(),
                route: route.to_string(),
            }),
        },
        None => {
            let last = before.as_ref().map(|state| state.subnet).or(asked.map(|pool| pool.subnet));
            subnet::choose(last, &taken)
                .map_err(|route| Error::NoSubnet { network: network.name.clone(), route: route.to_string() })
        }
    }?;
    let mut state = State::new(bridge, subnet, links.uplink_mtu()?);
    let index = links.add_bridge(&state.bridge, subnet, state.mtu)?;
    without_ipv6(&state.bridge)?;
    links.raise_bridge(&state.bridge, index, subnet)?;
    if let Some(before) = before {
        state.turned_forwarding_on = before.turned_forwarding_on;
        if before.subnet == subnet {
            let there = links.names()?;
            state.leases = before.leases;
            state.keep(|lease| there.contains(&lease.port));
            links.adopt_ports(index, state.leases.values().map(|lease| lease.port.as_str()))?;
        }
    }
    files.save(&state)?;
    files.keep_subnet(network, subnet)?;
    Ok((state, index))
}

/// Enables IP forwarding, with a warning, since it makes the machine a router.
fn ensure_forwarding(state: &mut State) -> Vec<String> {
    match fs::read_to_string(FORWARDING) {
        Ok(text) if text.trim() == "0" => {}
        _ => return Vec::new(),
    }
    match fs::write(FORWARDING, "1") {
        Ok(()) => {
            state.turned_forwarding_on = true;
            vec![format!(
                "enabled net.ipv4.ip_forward, so that containers on {} can reach other machines; \
                 `hoist system reset` disables it again",
                state.bridge
            )]
        }
        Err(error) => vec![format!(
            "net.ipv4.ip_forward is disabled and cannot be enabled ({error}): containers on {} \
             can reach only this machine",
            state.bridge
        )],
    }
}

/// Ensures our own rules, and deals with rules of others that drop the container's packets.
fn guard(
    links: &mut Links,
    names: &Names,
    paths: &NetworkPaths,
    network: &Network,
    state: &mut State,
    endpoint: &Endpoint,
) -> Result<Vec<String>> {
    let mut tables = Tables::open().step(|| "open a netlink socket for nftables")?;
    let (networks, unread) = networks(paths)?;
    let mut known = if unread.is_empty() { Known::All } else { Known::Some };
    let (mut others, mut all) = (Vec::new(), vec![state.clone()]);
    for other in networks.into_iter().filter(|other| other.id != network.id) {
        let files = Files::new(paths, other.id);
        match files.state() {
            Ok(None) => {}
            Ok(Some(state)) => {
                others.push((files, state.clone()));
                all.push(state);
            }
            Err(_) => known = Known::Some, // reported where that network is used
        }
    }
    let guest = guest(endpoint);
    let mut warnings = rules::ensure(&mut tables, names, &mut all, Some(&guest), (known, Fill::Missing))?;
    rules::delete_former(&mut tables, links, names)?;
    *state = all.remove(0);
    for ((files, before), after) in others.iter().zip(&all) {
        if before != after {
            files.save(after)?;
        }
    }
    warnings.extend(firewall::clear_the_way(&mut tables, links, names, paths, state)?);
    Ok(warnings)
}

fn guest(endpoint: &Endpoint) -> Guest {
    Guest { port: endpoint.port.clone(), mac: endpoint.mac, address: endpoint.address }
}
