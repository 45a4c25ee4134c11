//! The rules of our own: two tables an engine, never a rule in a table of ours for others.
//!
//! ```text
//! table inet hoist {                                   table bridge hoist {
//!   raw (prerouting, -300)                               set guests { link . mac . address }
//!     to the subnet, not by its bridge or lo → drop      raw (prerouting, -300), from our ports:
//!   forward (0)                                            IPv4 and a guest's own  → accept
//!     between guests → accept                              ARP and a guest's own   → accept
//!     to the bridge: known connection → accept             anything else           → drop
//!     to the bridge: published port → accept           }
//!     to the bridge → drop
//!   postrouting (nat, 100)
//!     from the subnet, not to its bridge → masquerade
//! }
//! ```
//!
//! The first keeps a neighbour on the wire from reaching containers by routing to their
//! addresses, the second a container from speaking in another's name (by address, hardware
//! address, ARP, or IPv6 router advertisements: no IPv6 leaves a port at all).
//!
//! A table carries a mark of what it was made from. `ensure` compares mark and number of
//! rules, so it costs four questions when all is well, and makes anew what somebody flushed.
//!
//! Guests who left stay in the set until they are many: closing a socket after a deletion
//! waits until the kernel has done it, 7 ms and more, which each end of a container would pay.

use super::error::{Error, Result, Step};
use super::nft::{
    Batch, FORWARD, Family, Is, RAW, Rule, SOURCE_NAT, Side, Table, Tables, Verdict, is_unsupported,
};
use super::state::{Guest, State};
use crate::base::Paths;

const ETH_P_IP: u16 = 0x0800;
const ETH_P_ARP: u16 = 0x0806;
const GUESTS: &str = "guests";
/// Changes with every change of the rules below.
const FORM: u8 = 1;
/// So many guests who left are taken off the list at once.
const MANY: u32 = 64;

/// What this engine's tables and links are called.
#[derive(Debug, Clone)]
pub(super) struct Names {
    table: String,
    /// How the names of its ports begin; no engine's beginning is another's.
    port_prefix: String,
    pub(super) bridge: String,
}

impl Names {
    pub(super) fn of(paths: &Paths) -> Self {
        let id = paths.engine_id();
        let port_prefix = if id.is_empty() { "hp-".to_owned() } else { format!("hp{id}") };
        Self { table: paths.engine_name(), port_prefix, bridge: format!("hoist0{id}") }
    }

    /// A name for a port: at most 15 bytes, never used before.
    pub(super) fn new_port(&self) -> std::io::Result<String> {
        let random = crate::base::id::hex(&crate::base::id::random_bytes::<6>()?);
        let mut name = format!("{}{random}", self.port_prefix);
        name.truncate(15);
        Ok(name)
    }

    /// Whether a link is one of this engine's ports.
    pub(super) fn is_port(&self, link: &str) -> bool {
        link.strip_prefix(&self.port_prefix)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_hexdigit()))
    }

    /// What our rules in other owners' tables are known by.
    pub(super) fn tag(&self) -> String {
        format!("{}: bridge {}", self.table, self.bridge)
    }

    fn inet(&self) -> Table<'_> {
        Table { family: Family::Inet, name: &self.table }
    }

    fn frames(&self) -> Table<'_> {
        Table { family: Family::Bridge, name: &self.table }
    }

    /// Whether a table is ours.
    pub(super) fn is_own(&self, table: &str) -> bool {
        self.table == table
    }
}

/// Sees to it that both tables are there with all their rules, and `newcomer` among the guests.
///
/// Returns what the kernel lacks, for the user.
pub(super) fn ensure(
    tables: &mut Tables,
    names: &Names,
    state: &mut State,
    newcomer: Option<&Guest>,
) -> Result<Vec<String>> {
    let mark = mark(state);
    let found = look(tables, names.inet(), &mark, INET_RULES)?;
    if found != Found::Whole {
        let batch = inet_table(names, state, &mark, found);
        tables.commit(batch).step(|| format!("make the table {}", names.inet()))?;
    }
    let frames = names.frames();
    let found = look(tables, frames, &mark, FRAME_RULES)?;
    let batch = match found {
        Found::Whole if newcomer.is_none() => return Ok(Vec::new()),
        Found::Whole if state.departed < MANY => {
            let mut batch = Batch::new();
            batch.add_guests(frames, GUESTS, newcomer.cloned().into_iter());
            batch
        }
        Found::Whole => {
            let mut batch = Batch::new();
            batch.delete_all_guests(frames, GUESTS);
            batch.add_guests(frames, GUESTS, state.guests());
            batch
        }
        Found::Nothing | Found::Damaged => frame_table(names, state, &mark, found),
    };
    if found != Found::Whole || state.departed >= MANY {
        state.departed = 0;
    }
    let done = tables.commit(batch);
    match done {
        Err(error) if is_unsupported(&error) => Ok(vec![format!(
            "this kernel has no nf_tables for bridges: containers on {} can speak in each other's name",
            names.bridge
        )]),
        done => done.step(|| format!("make the table {frames}")).map(|()| Vec::new()),
    }
}

/// Removes both tables.
pub(super) fn reset(tables: &mut Tables, names: &Names) -> Vec<Error> {
    let both = [names.inet(), names.frames()].into_iter().map(|table| {
        let mut batch = Batch::new();
        batch.delete_table(table);
        ignore_missing(tables.commit(batch)).step(|| format!("delete the table {table}"))
    });
    both.filter_map(Result::err).collect()
}

fn ignore_missing(done: crate::sys::Result<()>) -> crate::sys::Result<()> {
    match done {
        Err(error) if error.is(rustix::io::Errno::NOENT) || is_unsupported(&error) => Ok(()),
        done => done,
    }
}

/// What the tables are made from.
fn mark(state: &State) -> Vec<u8> {
    [&[FORM], state.bridge.as_bytes(), b" ", state.subnet.to_string().as_bytes()].concat()
}

/// What there is of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    /// Another one, or not all of it.
    Damaged,
    Whole,
}

fn look(tables: &mut Tables, table: Table<'_>, mark: &[u8], rules: usize) -> Result<Found> {
    let step = || format!("look at the table {table}");
    let found = match tables.mark_of(table) {
        Err(error) if is_unsupported(&error) => None,
        found => found.step(step)?,
    };
    let Some(found) = found else { return Ok(Found::Nothing) };
    let is_whole = found == mark && tables.rules(table).step(step)?.len() == rules;
    Ok(if is_whole { Found::Whole } else { Found::Damaged })
}

fn begin(table: Table<'_>, mark: &[u8], found: Found) -> Batch {
    let mut batch = Batch::new();
    if found != Found::Nothing {
        batch.delete_table(table);
    }
    batch.add_table(table, mark);
    batch
}

/// How many rules [`inet_table`] writes.
const INET_RULES: usize = 6;

fn inet_table(names: &Names, state: &State, mark: &[u8], found: Found) -> Batch {
    let (table, bridge, subnet) = (names.inet(), state.bridge.as_str(), state.subnet);
    let mut batch = begin(table, mark, found);
    batch.add_base_chain(table, "raw", "filter", RAW);
    batch.add_base_chain(table, "forward", "filter", FORWARD);
    batch.add_base_chain(table, "postrouting", "nat", SOURCE_NAT);
    let to_bridge = || Rule::new().link(Side::Out, Is::Equal, bridge);
    let rules = [
        (
            "raw",
            Rule::new()
                .destination_in(subnet)
                .link(Side::In, Is::Different, bridge)
                .link(Side::In, Is::Different, "lo")
                .counted()
                .verdict(&Verdict::Drop),
        ),
        ("forward", to_bridge().link(Side::In, Is::Equal, bridge).verdict(&Verdict::Accept)),
        ("forward", to_bridge().known_connection().verdict(&Verdict::Accept)),
        ("forward", to_bridge().translated_destination().verdict(&Verdict::Accept)),
        ("forward", to_bridge().counted().verdict(&Verdict::Drop)),
        (
            "postrouting",
            Rule::new().source_in(subnet).link(Side::Out, Is::Different, bridge).counted().masquerade(),
        ),
    ];
    debug_assert_eq!(rules.len(), INET_RULES);
    for (chain, rule) in rules {
        batch.add_rule(table, chain, rule);
    }
    batch
}

/// How many rules [`frame_table`] writes.
const FRAME_RULES: usize = 3;

fn frame_table(names: &Names, state: &State, mark: &[u8], found: Found) -> Batch {
    let table = names.frames();
    let mut batch = begin(table, mark, found);
    batch.add_guest_set(table, GUESTS);
    batch.add_base_chain(table, "raw", "filter", RAW);
    let from_guests = || Rule::new().link_beginning(&names.port_prefix);
    let rules = [
        from_guests().frame_protocol(ETH_P_IP).sent_by_guest(GUESTS).verdict(&Verdict::Accept),
        from_guests().frame_protocol(ETH_P_ARP).arp_by_guest(GUESTS).verdict(&Verdict::Accept),
        from_guests().counted().verdict(&Verdict::Drop),
    ];
    debug_assert_eq!(rules.len(), FRAME_RULES);
    for rule in rules {
        batch.add_rule(table, "raw", rule);
    }
    batch.add_guests(table, GUESTS, state.guests());
    batch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_a_link_and_no_engines_ports_are_anothers() {
        let default = Names::of(&Paths::new("/var/lib/hoist", "/run/hoist"));
        let other = Names::of(&Paths::new("/tmp/a", "/tmp/b"));
        assert_eq!(default.bridge, "hoist0");
        for names in [&default, &other] {
            let port = names.new_port().unwrap();
            assert_eq!(port.len(), 15, "{port}");
            assert!(names.bridge.len() <= 15 && names.is_port(&port), "{port}");
            assert!(![&default, &other].iter().any(|n| n.table != names.table && n.is_port(&port)));
        }
    }
}
