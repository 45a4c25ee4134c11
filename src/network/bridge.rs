//! The bridge network: made when a container needs it, put back when somebody removed it.

use std::fs;
use std::os::fd::BorrowedFd;

use super::error::{Error, Result, Step};
use super::firewall;
use super::link::{Inside, Link, Links, without_ipv6};
use super::names::{HostFiles, resolver_warning};
use super::nft::Tables;
use super::plan::{Applied, Mode, Place, Plan};
use super::rules::{self, Names};
use super::state::{Files, Guest, Lease, State, id_of};
use super::subnet;
use crate::base::disk::Unknown;
use crate::base::{ContainerId, Endpoint, Mac};
use crate::sys;

pub(super) const NAME: &str = "bridge";
/// The container's end.
const INTERFACE: &str = "eth0";
const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";

/// Connects a container: bridge, lease, veth, rules, in the order in which each needs the
/// one before. A failure takes back what is this container's.
pub(super) fn connect(plan: &Plan, netns: BorrowedFd<'_>, place: &Place) -> Result<Applied> {
    let names = Names::of(&place.paths);
    let files = Files::new(place, id_of(Mode::Bridge, &place.paths));
    let mut inside = Inside::enter(netns)?;
    let mut links = Links::open()?;
    let _lock = files.lock()?;
    let (mut state, bridge) = ensure_bridge(&mut links, &names, &files)?;
    let mut warnings = ensure_forwarding(&mut state);
    warnings.extend(resolver_warning(plan, &HostFiles::read()));
    let port =
        names.new_port().map_err(|error| sys::Error::new("getrandom()", error)).step(|| "name a link")?;
    let address = lease(&mut state, plan, &port, &mut links)?;
    files.save(&state)?;
    let saved = state.clone();
    let endpoint = Endpoint {
        network: files.id().clone(),
        network_name: NAME.to_owned(),
        container: plan.container.clone(),
        bridge: state.bridge.clone(),
        port,
        interface: INTERFACE.to_owned(),
        address,
        prefix: state.subnet.length(),
        gateway: state.subnet.gateway(),
        mac: Mac::of(address),
        unknown: Unknown::new(),
    };
    let done = links
        .add_port(&endpoint, bridge, state.mtu, netns)
        .and_then(|()| without_ipv6(&endpoint.port))
        .and_then(|()| inside.raise(&endpoint))
        .and_then(|()| guard(&mut links, &names, place, &mut state, &endpoint))
        .and_then(|found| if state == saved { Ok(found) } else { files.save(&state).map(|()| found) });
    match done {
        Ok(found) => {
            warnings.extend(found);
            Ok(Applied::connected(plan.mode, endpoint, warnings))
        }
        Err(error) => {
            let _ = links.delete(&endpoint.port); // the first error is the one to report
            state.release(address, &endpoint.port);
            let _ = files.save(&state);
            Err(error)
        }
    }
}

/// When to look at the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Unless nobody changed them since they were last found whole.
    IfChanged,
    /// In any case.
    Again,
}

/// What became of a repair.
#[derive(Debug)]
pub enum Repair {
    /// Another process is changing the network, and may be repairing it.
    Busy,
    /// All is there that hoist can put there; what is left is for the user.
    Done(Vec<String>),
}

/// Puts back what others took away of the rules.
pub(super) fn repair(place: &Place, look: Look) -> Result<Repair> {
    let names = Names::of(&place.paths);
    let files = Files::new(place, id_of(Mode::Bridge, &place.paths));
    let Some(_lock) = files.try_lock()? else { return Ok(Repair::Busy) };
    let Some(mut state) = files.state()? else { return Ok(Repair::Done(Vec::new())) };
    let mut tables = Tables::open().step(|| "talk to the kernel about rules")?;
    let generation = |tables: &mut Tables| tables.generation().step(|| "look at the rules");
    if look == Look::IfChanged && state.repaired == Some(generation(&mut tables)?) {
        return Ok(Repair::Done(Vec::new()));
    }
    let mut warnings = ensure_forwarding(&mut state);
    warnings.extend(rules::ensure(&mut tables, &names, &mut state, None)?);
    warnings.extend(firewall::clear_the_way(&mut tables, &mut Links::open()?, &names, place, &mut state)?);
    state.repaired = Some(generation(&mut tables)?);
    files.save(&state)?;
    Ok(Repair::Done(warnings))
}

/// Gives back what one container had. Collects failures and goes on.
pub(super) fn disconnect(endpoint: &Endpoint, place: &Place) -> Vec<Error> {
    let files = Files::new(place, endpoint.network.clone());
    let release = || {
        let _lock = files.lock()?;
        let Some(mut state) = files.state()? else { return Ok(()) };
        if state.release(endpoint.address, &endpoint.port) { files.save(&state) } else { Ok(()) }
    };
    // The veth is not deleted: it dies with the container's namespace, and asking for its
    // death means waiting for it. Neither is the guest in the rules (see there): nobody
    // comes under that name again.
    release().err().into_iter().collect()
}

/// Gives back what a container had of which only the lease tells.
pub(super) fn forget(container: &ContainerId, place: &Place) -> Result<()> {
    void(place, |lease| &lease.container == container, || Ok(Vec::new()))
}

/// Gives back what containers had that are not there. A port is as long as processes have it.
pub(super) fn sweep(place: &Place, is_there: impl Fn(&ContainerId) -> bool) -> Result<()> {
    void(place, |lease| !is_there(&lease.container), || Links::open()?.names())
}

/// Gives back the leases that are lost, but for those of ports that are in use.
fn void(
    place: &Place,
    is_lost: impl Fn(&Lease) -> bool,
    in_use: impl FnOnce() -> Result<Vec<String>>,
) -> Result<()> {
    let files = Files::new(place, id_of(Mode::Bridge, &place.paths));
    let read = || match files.state() {
        Err(error) if error.is_of_a_file() => Ok(None), // it tells of nobody
        state => state,
    };
    // Without the lock first: as a rule there is none, and nobody is to wait for that.
    if !read()?.is_some_and(|state| state.leases.values().any(&is_lost)) {
        return Ok(());
    }
    let _lock = files.lock()?;
    let Some(mut state) = read()? else { return Ok(()) };
    let (in_use, before) = (in_use()?, state.leases.len());
    state.keep(|lease| !is_lost(lease) || in_use.contains(&lease.port));
    if state.leases.len() == before { Ok(()) } else { files.save(&state) }
}

/// Removes all that this engine's bridge network left on the host.
pub(super) fn reset(place: &Place) -> Vec<Error> {
    let names = Names::of(&place.paths);
    let files = Files::new(place, id_of(Mode::Bridge, &place.paths));
    let mut errors = Vec::new();
    let _lock = match files.lock() {
        Ok(lock) => lock,
        Err(error) => return vec![error],
    };
    let state = files.state().unwrap_or_else(|error| {
        // What is wrong with the file goes with it.
        errors.extend(Some(error).filter(|error| !error.is_of_a_file()));
        None
    });
    match Tables::open().step(|| "talk to the kernel about rules") {
        Ok(mut tables) => {
            errors.extend(firewall::withdraw(&mut tables, &names, place, state.as_ref()).err());
            errors.extend(rules::reset(&mut tables, &names));
        }
        Err(error) => errors.push(error),
    }
    match Links::open() {
        Ok(mut links) => {
            errors.extend(delete_links(&mut links, &names));
            // Another bridge may need it by now.
            let is_alone = links.bridges().is_ok_and(|others| others.is_empty());
            if is_alone && state.is_some_and(|state| state.turned_forwarding_on) {
                let _ = fs::write(FORWARDING, "0"); // a failure leaves it as it is
            }
        }
        Err(error) => errors.push(error),
    }
    errors.extend(files.forget().err());
    errors
}

fn delete_links(links: &mut Links, names: &Names) -> Vec<Error> {
    let all = match links.names() {
        Ok(all) => all,
        Err(error) => return vec![error],
    };
    let ours = all.iter().filter(|link| names.is_port(link) || **link == names.bridge);
    ours.filter_map(|link| links.delete(link).err()).collect()
}

/// The state of the network with its bridge up, and the bridge's index.
fn ensure_bridge(links: &mut Links, names: &Names, files: &Files<'_>) -> Result<(State, u32)> {
    let state = match files.state() {
        Err(Error::State(source)) if source.is_of_another_version() => return Err(source.into()),
        Err(Error::State(source)) if source.is_of_the_file() => {
            // It tells who has which address. Without anybody it is written again.
            if links.names()?.iter().any(|link| names.is_port(link)) {
                return Err(Error::Damaged { network: NAME.to_owned(), source });
            }
            files.forget()?;
            None
        }
        state => state?,
    };
    match (state, links.find(&names.bridge)?) {
        (Some(state), Some(Link { index, is_up: true })) => Ok((state, index)),
        (Some(state), Some(Link { index, is_up: false })) => {
            links.raise_bridge(&names.bridge, index, state.subnet)?;
            Ok((state, index))
        }
        (state, found) => make_bridge(links, names, files, state, found),
    }
}

/// Chooses the subnet against what the machine uses, and makes the bridge. Containers that
/// are still alive keep their addresses, if the subnet is still free, and their ports come
/// back to the bridge.
fn make_bridge(
    links: &mut Links,
    names: &Names,
    files: &Files<'_>,
    before: Option<State>,
    found: Option<Link>,
) -> Result<(State, u32)> {
    let _machine = files.lock_machine()?;
    if found.is_some() {
        // A bridge of ours that no state tells of: its subnet is unknown.
        links.delete(&names.bridge)?;
    }
    // It only remembers: without it another subnet is chosen.
    let last = files.definition().ok().flatten().and_then(|definition| definition.subnet);
    let preferred = before.as_ref().map(|state| state.subnet).or(last);
    let subnet = subnet::choose(preferred, &links.taken(None)?)
        .map_err(|route| Error::NoSubnet { network: NAME.to_owned(), route: route.to_string() })?;
    let mut state = State::new(names.bridge.clone(), subnet, links.uplink_mtu()?);
    let index = links.add_bridge(&names.bridge, subnet, state.mtu)?;
    without_ipv6(&names.bridge)?;
    links.raise_bridge(&names.bridge, index, subnet)?;
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
    files.define(NAME, subnet)?;
    Ok((state, index))
}

fn lease(state: &mut State, plan: &Plan, port: &str, links: &mut Links) -> Result<std::net::Ipv4Addr> {
    if let Some(address) = state.lease(&plan.container, port) {
        return Ok(address);
    }
    // Runs that nobody settled hold addresses although their namespaces are gone.
    let there = links.names()?;
    state.keep(|lease| there.contains(&lease.port));
    state
        .lease(&plan.container, port)
        .ok_or_else(|| Error::Full { network: NAME.to_owned(), subnet: state.subnet.to_string() })
}

/// Turns forwarding on, and says so once: a machine that forwards is a router.
fn ensure_forwarding(state: &mut State) -> Vec<String> {
    match fs::read_to_string(FORWARDING) {
        Ok(text) if text.trim() == "0" => {}
        _ => return Vec::new(),
    }
    match fs::write(FORWARDING, "1") {
        Ok(()) => {
            state.turned_forwarding_on = true;
            vec![format!(
                "turned net.ipv4.ip_forward on, so that containers on {} reach other machines; \
                 `hoist system reset` turns it off again",
                state.bridge
            )]
        }
        Err(error) => vec![format!(
            "net.ipv4.ip_forward is off and cannot be turned on ({error}): containers on {} \
             reach this machine only",
            state.bridge
        )],
    }
}

/// Our rules, and those of others that are in the way.
fn guard(
    links: &mut Links,
    names: &Names,
    place: &Place,
    state: &mut State,
    endpoint: &Endpoint,
) -> Result<Vec<String>> {
    let mut tables = Tables::open().step(|| "talk to the kernel about rules")?;
    let mut warnings = rules::ensure(&mut tables, names, state, Some(&guest(endpoint)))?;
    warnings.extend(firewall::clear_the_way(&mut tables, links, names, place, state)?);
    Ok(warnings)
}

fn guest(endpoint: &Endpoint) -> Guest {
    Guest { port: endpoint.port.clone(), mac: endpoint.mac, address: endpoint.address }
}
