//! The old iptables: checks whether its `FORWARD` chain drops packets of containers.
//!
//! Its rules can only be replaced as a whole table, in a race with their owner. So hoist only reads
//! them, and tells the user what to do.

use std::fs;

use super::firewall::both;
use crate::sys::xtables::{Table, table};

/// The names of existing tables. Reading one that does not exist would create it.
const TABLES: &str = "/proc/thread-self/net/ip_tables_names";
const FILTER: &str = "filter";
const FORWARD: usize = 2;
/// Offsets in `struct ipt_entry`.
const IN_LINK: usize = 16;
const OUT_LINK: usize = 32;
const TARGET_OFFSET: usize = 88;
const NEXT_OFFSET: usize = 90;
/// The offset of the verdict in `struct xt_standard_target`.
const VERDICT: usize = 32;
/// Verdicts are stored as `-verdict - 1`.
const DROP: i32 = -1;
const ACCEPT: i32 = -2;

/// Returns a warning if the old iptables drops packets of `bridge`.
pub(super) fn warning(bridge: &str) -> Option<String> {
    let names = fs::read_to_string(TABLES).ok()?;
    if !names.lines().any(|name| name == FILTER) {
        return None;
    }
    let table = table(FILTER).ok()?;
    let drops = verdict_at(&table.entries, table.policies[FORWARD] as usize) == Some(DROP);
    (drops && !accepts(&table, bridge)).then(|| {
        format!(
            "the policy of chain FORWARD of iptables-legacy drops packets from containers on {bridge} to other \
             machines; to allow them: {}",
            both(&format!("iptables-legacy -I {}", chain_for_users(&table)), bridge)
        )
    })
}

/// Returns the chain in which Docker expects rules of users.
fn chain_for_users(table: &Table) -> &'static str {
    let name = b"DOCKER-USER\0";
    if table.entries.windows(name.len()).any(|part| part == name) { "DOCKER-USER" } else { "FORWARD" }
}

/// Whether rules accept packets from the bridge and to it.
fn accepts(table: &Table, bridge: &str) -> bool {
    let accepted = |link: usize| {
        entries(&table.entries).any(|at| {
            let name = table.entries.get(at + link..at + link + 16).unwrap_or_default();
            let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
            name == bridge.as_bytes() && verdict_at(&table.entries, at) == Some(ACCEPT)
        })
    };
    accepted(IN_LINK) && accepted(OUT_LINK)
}

/// Returns the offsets of all entries.
fn entries(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let after = |&at: &usize| {
        let length = usize::from(half(bytes, at + NEXT_OFFSET)?);
        (length > 0).then_some(at + length)
    };
    std::iter::successors(Some(0), after).take_while(|at| *at < bytes.len())
}

fn verdict_at(bytes: &[u8], entry: usize) -> Option<i32> {
    let target = entry + usize::from(half(bytes, entry + TARGET_OFFSET)?);
    // A standard target has an empty name.
    if *bytes.get(target + 2)? != 0 {
        return None;
    }
    let at = target + VERDICT;
    Some(i32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_cut_off_anywhere_is_read_without_harm() {
        let mut entries_of_one = vec![0; 152];
        entries_of_one[TARGET_OFFSET] = 112;
        entries_of_one[NEXT_OFFSET] = 152;
        entries_of_one[112 + VERDICT..112 + VERDICT + 4].copy_from_slice(&DROP.to_ne_bytes());
        assert_eq!(verdict_at(&entries_of_one, 0), Some(DROP));
        assert_eq!(entries(&entries_of_one).count(), 1);
        for end in 0..entries_of_one.len() {
            let cut_off = Table { policies: [0; 5], entries: entries_of_one[..end].to_vec() };
            assert!(!accepts(&cut_off, "hoist0"));
        }
        assert_eq!(entries(&[0; 200]).count(), 1, "an entry without length does not stand still");
    }
}
