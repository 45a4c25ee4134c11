//! Our own nftables rules, in two tables per engine. What differs between networks is in sets, so
//! another network or container adds elements but no rules.
//!
//! ```text
//! table inet hoist-net {
//!   set bridges    { hoist0 }                    set inside { hoist0 . hoist0 }
//!   set subnets    { 172.30.0.0/24 }             set homes  { 172.30.0.0/24 . hoist0 }
//!   set translated { 172.30.0.0/24 }
//!   raw (prerouting, -300)
//!     to a subnet, not by its bridge or lo → drop
//!   forward (0)
//!     between guests of a network → accept
//!     to a bridge: known connection → accept
//!     to a bridge: published port → accept
//!     to a bridge → drop
//!   postrouting (nat, 100)
//!     from a subnet, not to its bridge → masquerade
//! }
//! table bridge hoist-net {
//!   set guests { port . mac . address }
//!   raw (prerouting, -300), from our ports:
//!     IPv4 and a guest's own → accept
//!     ARP and a guest's own  → accept
//!     anything else          → drop
//! }
//! ```
//!
//! The first table keeps neighbours on the local network from reaching containers by routing to
//! their addresses, and separates networks from each other. The second keeps containers from
//! impersonating each other by address, hardware address, ARP or IPv6 router advertisements; no
//! IPv6 leaves a port at all.
//!
//! Each rule is named by its comment. `ensure` checks whether all rules exist in the right order,
//! which takes four requests if they do. Otherwise it rewrites them, and keeps what others have
//! added.
//!
//! Guests that left stay in the set until there are many of them. Closing a socket after a deletion
//! waits for the kernel, 7 ms and more, which the end of every container would have to pay.

use super::error::{Error, Result, Step};
use super::link::Links;
use super::nft::{
    Batch, Element, Existing, FORWARD, Family, Field, Hook, Is, Kind, Part, RAW, Rule, SOURCE_NAT, Set, Side,
    Table, Tables, Verdict, is_unsupported,
};
use super::state::{Guest, State};
use crate::base::Paths;

const ETH_P_IP: u16 = 0x0800;
const ETH_P_ARP: u16 = 0x0806;
/// Must change whenever the chains, sets or rules below do.
const MARK: &[u8] = b"2";
/// How many guests that left are removed together.
const MAX_DEPARTED: u32 = 64;

/// The names of this engine's tables and ports.
#[derive(Debug, Clone)]
pub(super) struct Names {
    engine: String,
    table: String,
    /// The prefix of its port names. No engine's prefix is the prefix of another's.
    port_prefix: String,
    /// The prefix of ports made by an older hoist. The older tables apply to them, these do not.
    former_prefix: String,
}

impl Names {
    pub(super) fn of(paths: &Paths) -> Self {
        let (id, engine) = (paths.engine_id(), paths.engine_name());
        let prefix = |kind| if id.is_empty() { format!("{kind}-") } else { format!("{kind}{id}") };
        Self {
            table: format!("{engine}-net"),
            port_prefix: prefix("hv"),
            former_prefix: prefix("hp"),
            engine,
        }
    }

    /// Returns a new, random name for a port, of at most 15 bytes.
    pub(super) fn new_port(&self) -> std::io::Result<String> {
        let random = crate::base::id::hex(&crate::base::id::random_bytes::<6>()?);
        let mut name = format!("{}{random}", self.port_prefix);
        name.truncate(15);
        Ok(name)
    }

    /// Whether a link is one of this engine's ports.
    pub(super) fn is_port(&self, link: &str) -> bool {
        is_prefixed(link, &self.port_prefix) || self.is_former_port(link)
    }

    /// Whether a link is one of this engine's ports, made by an older hoist.
    pub(super) fn is_former_port(&self, link: &str) -> bool {
        is_prefixed(link, &self.former_prefix)
    }

    /// Returns the comment that identifies our rules for a bridge in tables of others.
    pub(super) fn tag(&self, bridge: &str) -> String {
        format!("{}{bridge}", self.tags())
    }

    /// Returns the prefix of these comments.
    pub(super) fn tags(&self) -> String {
        format!("{}: bridge ", self.engine)
    }

    /// Whether a table is ours.
    pub(super) fn is_own(&self, table: &str) -> bool {
        self.table == table || self.engine == table
    }

    fn inet(&self) -> Table<'_> {
        Table { family: Family::Inet, name: &self.table }
    }

    fn frames(&self) -> Table<'_> {
        Table { family: Family::Bridge, name: &self.table }
    }

    /// Returns the tables of older monitors, which know only one network. While such a monitor
    /// runs, it restores its own tables.
    fn former(&self) -> [Table<'_>; 2] {
        [Family::Inet, Family::Bridge].map(|family| Table { family, name: &self.engine })
    }
}

fn is_prefixed(link: &str, prefix: &str) -> bool {
    link.strip_prefix(prefix)
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Which of an engine's networks the caller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    All,
    /// The state of some cannot be read. Their elements in the sets must stay.
    Some,
}

/// Which elements to add to the sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    /// Those missing according to the states.
    Missing,
    /// All, as somebody may have removed some.
    Again,
}

/// Ensures that both tables exist with all their rules, the networks of `states` and `newcomer`.
///
/// Returns warnings for the user about what the kernel does not support.
pub(super) fn ensure(
    tables: &mut Tables,
    names: &Names,
    states: &mut [State],
    newcomer: Option<&Guest>,
    (known, fill): (Known, Fill),
) -> Result<Vec<String>> {
    let plan = Plan { table: names.inet(), sets: INET_SETS, chains: INET_CHAINS, rules: inet_rules() };
    let mut batch = Batch::new();
    let found = plan.look(tables)?;
    plan.complete(&mut batch, &found);
    let is_missing = found != Found::Whole || states.iter().any(|state| !state.is_in_rules);
    if is_missing || fill == Fill::Again {
        for set in INET_SETS {
            // Former subnets must not stay. A deletion notifies all monitors.
            if is_missing && known == Known::All {
                batch.delete_all_elements(plan.table, *set);
            }
            batch.add_elements(plan.table, *set, states.iter().map(|state| segment(*set, state)));
        }
        tables.commit(batch).step(|| format!("create the table {}", plan.table))?;
        states.iter_mut().for_each(|state| state.is_in_rules = true);
    }
    ensure_frames(tables, names, states, newcomer, (known, fill))
}

/// Like [`ensure`], for the bridge table.
fn ensure_frames(
    tables: &mut Tables,
    names: &Names,
    states: &mut [State],
    newcomer: Option<&Guest>,
    (known, fill): (Known, Fill),
) -> Result<Vec<String>> {
    let plan = Plan {
        table: names.frames(),
        sets: &[GUESTS],
        chains: FRAME_CHAINS,
        rules: frame_rules(&names.port_prefix),
    };
    let mut batch = Batch::new();
    let found = plan.look(tables)?;
    plan.complete(&mut batch, &found);
    let is_crowded = known == Known::All && states.iter().any(|state| state.departed >= MAX_DEPARTED);
    if found != Found::Whole || is_crowded || fill == Fill::Again {
        if is_crowded {
            batch.delete_all_elements(plan.table, GUESTS);
            states.iter_mut().for_each(|state| state.departed = 0);
        }
        let all = states.iter().flat_map(State::guests).map(|guest| element(&guest));
        batch.add_elements(plan.table, GUESTS, all);
    } else if let Some(newcomer) = newcomer {
        batch.add_elements(plan.table, GUESTS, std::iter::once(element(newcomer)));
    } else {
        return Ok(Vec::new());
    }
    match tables.commit(batch) {
        Err(error) if is_unsupported(&error) => {
            let bridges: Vec<_> = states.iter().map(|state| state.bridge.as_str()).collect();
            Ok(vec![format!(
                "this kernel has no nf_tables for bridges: containers on {} can impersonate each other",
                bridges.join(", ")
            )])
        }
        done => done.step(|| format!("create the table {}", plan.table)).map(|()| Vec::new()),
    }
}

/// Deletes the tables of an older hoist if none of its ports are left. Until then its monitors need
/// the tables, and would restore them.
pub(super) fn delete_former(tables: &mut Tables, links: &mut Links, names: &Names) -> Result<()> {
    let step = |table| move || format!("read the table {table}");
    let mut found = Vec::new();
    for table in names.former() {
        match tables.mark_of(table) {
            Err(error) if is_unsupported(&error) => {}
            mark => found.extend(mark.step(step(table))?.map(|_| table)),
        }
    }
    if found.is_empty() || links.names()?.iter().any(|link| names.is_former_port(link)) {
        return Ok(());
    }
    for table in found {
        let mut batch = Batch::new();
        batch.delete_table(table);
        ignore_missing(tables.commit(batch)).step(|| format!("remove the table {table}"))?;
    }
    Ok(())
}

/// Removes all tables of this engine.
pub(super) fn reset(tables: &mut Tables, names: &Names) -> Vec<Error> {
    let all = [names.inet(), names.frames()].into_iter().chain(names.former()).map(|table| {
        let mut batch = Batch::new();
        batch.delete_table(table);
        ignore_missing(tables.commit(batch)).step(|| format!("remove the table {table}"))
    });
    all.filter_map(Result::err).collect()
}

fn ignore_missing(done: crate::sys::Result<()>) -> crate::sys::Result<()> {
    match done {
        Err(error) if error.is(rustix::io::Errno::NOENT) || is_unsupported(&error) => Ok(()),
        done => done,
    }
}

/// A rule of ours: its chain, its name in the comment, and its expressions.
type Named = (&'static str, &'static str, Rule);

/// A chain of ours: its name, its type, and its hook.
type BaseChain = (&'static str, &'static str, Hook);

/// The intended contents of a table of ours.
struct Plan<'a> {
    table: Table<'a>,
    sets: &'static [Set],
    chains: &'static [BaseChain],
    rules: Vec<Named>,
}

/// What exists of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Nothing,
    /// A table of another version.
    Other,
    /// Incomplete: those of our rules that exist, by chain and handle.
    Part(Vec<(String, u64)>),
    Whole,
}

impl Plan<'_> {
    fn look(&self, tables: &mut Tables) -> Result<Found> {
        let step = || format!("read the table {}", self.table);
        let mark = match tables.mark_of(self.table) {
            Err(error) if is_unsupported(&error) => None,
            mark => mark.step(step)?,
        };
        match mark {
            None => Ok(Found::Nothing),
            Some(mark) if mark != MARK => Ok(Found::Other),
            Some(_) => Ok(self.compare(&tables.rules(self.table).step(step)?)),
        }
    }

    fn compare(&self, there: &[Existing]) -> Found {
        let wanted = |in_chain: &str| {
            let rules = self.rules.iter().filter(move |(chain, _, _)| *chain == in_chain);
            rules.map(|(_, name, _)| Some(*name)).collect::<Vec<_>>()
        };
        let is_ours = |rule: &&Existing| {
            rule.comment.is_some() && wanted(&rule.chain).contains(&rule.comment.as_deref())
        };
        let ours: Vec<&Existing> = there.iter().filter(is_ours).collect();
        let is_whole = |chain: &str| {
            let names = ours.iter().filter(|rule| rule.chain == chain).map(|rule| rule.comment.as_deref());
            names.eq(wanted(chain))
        };
        if self.chains.iter().all(|(chain, _, _)| is_whole(chain)) {
            return Found::Whole;
        }
        Found::Part(ours.into_iter().map(|rule| (rule.chain.clone(), rule.handle)).collect())
    }

    /// Adds what is missing. Existing sets and chains stay as they are.
    fn complete(&self, batch: &mut Batch, found: &Found) {
        match found {
            Found::Whole => return,
            Found::Nothing => batch.add_table(self.table, MARK),
            Found::Other => {
                batch.delete_table(self.table);
                batch.add_table(self.table, MARK);
            }
            Found::Part(ours) => {
                ours.iter().for_each(|(chain, handle)| batch.delete_rule(self.table, chain, *handle));
            }
        }
        self.sets.iter().for_each(|set| batch.add_set(self.table, *set));
        self.chains.iter().for_each(|(name, kind, hook)| batch.add_base_chain(self.table, name, kind, *hook));
        for (chain, name, rule) in &self.rules {
            batch.add_rule(self.table, chain, rule.clone(), name);
        }
    }
}

/// The bridges.
const BRIDGES: Set = Set { name: "bridges", kinds: &[Kind::Link], has_ranges: false };
/// The incoming and outgoing link of packets between guests, where these are accepted.
const INSIDE: Set = Set { name: "inside", kinds: &[Kind::Link, Kind::Link], has_ranges: false };
/// The subnets.
const SUBNETS: Set = Set { name: "subnets", kinds: &[Kind::Address], has_ranges: true };
/// The subnets whose addresses are translated for the outside.
const TRANSLATED: Set = Set { name: "translated", kinds: &[Kind::Address], has_ranges: true };
/// The subnets, each with its bridge.
const HOMES: Set = Set { name: "homes", kinds: &[Kind::Address, Kind::Link], has_ranges: true };
const INET_SETS: &[Set] = &[BRIDGES, INSIDE, SUBNETS, TRANSLATED, HOMES];
const INET_CHAINS: &[BaseChain] =
    &[("raw", "filter", RAW), ("forward", "filter", FORWARD), ("postrouting", "nat", SOURCE_NAT)];

/// Returns a network's element in a set.
fn segment(set: Set, state: &State) -> Element {
    set.kinds.iter().fold(Element::default(), |element, kind| match kind {
        Kind::Link => element.link(&state.bridge),
        Kind::Address | Kind::Mac => element.subnet(state.subnet),
    })
}

fn inet_rules() -> Vec<Named> {
    let (by, to) = (Part::Link(Side::In), Part::Link(Side::Out));
    let (source, destination) = (Part::Packet(Field::IpSource), Part::Packet(Field::IpDestination));
    let to_subnet = Rule::new().ipv4().among(SUBNETS.name, Is::Equal, &[destination]);
    let from_subnet = Rule::new().ipv4().among(TRANSLATED.name, Is::Equal, &[source]);
    let to_bridge = || Rule::new().among(BRIDGES.name, Is::Equal, &[to]);
    vec![
        (
            "raw",
            "not by its bridge",
            to_subnet
                .link(Side::In, Is::Different, "lo")
                .among(HOMES.name, Is::Different, &[destination, by])
                .counted()
                .verdict(&Verdict::Drop),
        ),
        ("forward", "inside", Rule::new().among(INSIDE.name, Is::Equal, &[by, to]).verdict(&Verdict::Accept)),
        ("forward", "answers", to_bridge().known_connection().verdict(&Verdict::Accept)),
        ("forward", "published", to_bridge().translated_destination().verdict(&Verdict::Accept)),
        ("forward", "others", to_bridge().counted().verdict(&Verdict::Drop)),
        (
            "postrouting",
            "to the world",
            from_subnet.among(HOMES.name, Is::Different, &[source, to]).counted().masquerade(),
        ),
    ]
}

const GUESTS: Set = Set { name: "guests", kinds: &[Kind::Link, Kind::Mac, Kind::Address], has_ranges: false };
const FRAME_CHAINS: &[BaseChain] = &[("raw", "filter", RAW)];

fn element(guest: &Guest) -> Element {
    Element::default().link(&guest.port).mac(guest.mac).address(guest.address)
}

fn frame_rules(port_prefix: &str) -> Vec<Named> {
    let by = Part::Link(Side::In);
    let sent = |link, address| [by, Part::Packet(link), Part::Packet(address)];
    let from_guests = || Rule::new().link_beginning(port_prefix);
    let of = |rule: Rule, link, address| rule.among(GUESTS.name, Is::Equal, &sent(link, address));
    let ip = of(from_guests().frame_protocol(ETH_P_IP), Field::LinkSource, Field::IpSource);
    // Both the frame and the ARP packet must name the guest.
    let arp = of(from_guests().frame_protocol(ETH_P_ARP), Field::LinkSource, Field::ArpSenderIp);
    let arp = of(arp, Field::ArpSenderLink, Field::ArpSenderIp);
    vec![
        ("raw", "its own IPv4", ip.verdict(&Verdict::Accept)),
        ("raw", "its own ARP", arp.verdict(&Verdict::Accept)),
        ("raw", "others", from_guests().counted().verdict(&Verdict::Drop)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_a_link_and_no_engines_ports_are_anothers() {
        let default = Names::of(&Paths::new("/var/lib/hoist", "/run/hoist"));
        let other = Names::of(&Paths::new("/tmp/a", "/tmp/b"));
        for names in [&default, &other] {
            let port = names.new_port().unwrap();
            assert_eq!(port.len(), 15, "{port}");
            assert!(names.is_port(&port), "{port}");
            assert!(![&default, &other].iter().any(|n| n.table != names.table && n.is_port(&port)));
        }
    }

    #[test]
    fn a_table_is_whole_when_our_rules_are_there_in_their_order_whatever_stands_beside() {
        let table = Table { family: Family::Inet, name: "t" };
        let plan = Plan { table, sets: INET_SETS, chains: INET_CHAINS, rules: inet_rules() };
        let rule = |chain: &str, handle, comment: Option<&str>| Existing {
            chain: chain.to_owned(),
            handle,
            terms: Vec::new(),
            comment: comment.map(str::to_owned),
        };
        let mut there: Vec<_> =
            plan.rules.iter().map(|(chain, name, _)| rule(chain, 1, Some(*name))).collect();
        assert_eq!(plan.compare(&there), Found::Whole);
        there.insert(2, rule("forward", 7, Some("somebody's")));
        there.insert(0, rule("raw", 8, None));
        assert_eq!(plan.compare(&there), Found::Whole);
        there.remove(1);
        let Found::Part(ours) = plan.compare(&there) else { panic!("a rule is missing") };
        assert_eq!(ours.len(), plan.rules.len() - 1, "somebody's rules are not ours to delete");
        let mut other_way: Vec<_> =
            plan.rules.iter().map(|(chain, name, _)| rule(chain, 1, Some(*name))).collect();
        other_way.rotate_left(1);
        assert_eq!(plan.compare(&other_way), Found::Whole, "the order of chains does not count");
        other_way.swap(0, 1);
        assert!(matches!(plan.compare(&other_way), Found::Part(_)), "that of rules does");
    }
}
