//! Firewalls of others: checks whether they drop packets of containers, and what can be done.
//!
//! The verdict `accept` in our table does not override a drop in another one: a packet passes only
//! if every base chain at the hook accepts it. So packets are accepted where the chain's owner
//! provides for it: in Docker's `DOCKER-USER`, or firewalld's zone `trusted`. Otherwise a warning
//! names the rule that drops them, and the command that fixes it.
//!
//! This exposes nothing: our own table decides what may come *in* to the bridge. Rules in
//! `DOCKER-USER` are added after the user's own.

use super::error::{Result, Step};
use super::firewalld;
use super::link::Links;
use super::nft::{Batch, Chain, Existing, FORWARD, Family, Is, Rule, Side, Table, Tables, Term, Verdict};
use super::plan::NetworkPaths;
use super::rules::Names;
use super::state::State;
use super::xtables;

const DOCKER_USER: &str = "DOCKER-USER";
/// A limit that no chain of jumps without a cycle reaches.
const MAX_DEPTH: u8 = 16;

/// Accepts the bridge's packets where the owner of a firewall provides for it. Returns warnings
/// about the others, with what the user has to do.
pub(super) fn clear_the_way(
    tables: &mut Tables,
    links: &mut Links,
    names: &Names,
    paths: &NetworkPaths,
    state: &mut State,
) -> Result<Vec<String>> {
    let step = || "read this machine's firewall rules";
    let chains = tables.chains().step(step)?;
    let mut warnings: Vec<String> = xtables::warning(&state.bridge).into_iter().collect();
    let mut uplink = None;
    for base in chains.iter().filter(|chain| is_foreign_forward(chain, names)) {
        let uplink = match &uplink {
            Some(uplink) => uplink,
            None => uplink.insert(links.uplink()?),
        };
        let table = Table { family: base.family, name: &base.table };
        let look = |tables: &mut Tables| -> Result<Option<Culprit>> {
            let rules = tables.rules(table).step(step)?;
            let walk = Walk { rules: &rules, bridge: &state.bridge, uplink: uplink.as_deref() };
            Ok(walk.culprit(base))
        };
        let Some(culprit) = look(tables)? else { continue };
        let was_helped = match owner(base, &chains) {
            Owner::Docker => accept_in_docker_user(tables, table, names, &state.bridge)?,
            Owner::Firewalld => {
                let asked = firewalld::trust(&paths.system_bus, &state.bridge).is_ok();
                state.is_in_trusted_zone |= asked;
                asked
            }
            Owner::Ufw | Owner::Somebody => false,
        };
        let culprit = if was_helped { look(tables)? } else { Some(culprit) };
        warnings.extend(culprit.map(|culprit| warning(&culprit, base, &chains, &state.bridge)));
    }
    Ok(warnings)
}

/// Undoes the changes of [`clear_the_way`].
pub(super) fn withdraw(
    tables: &mut Tables,
    names: &Names,
    paths: &NetworkPaths,
    states: &[State],
) -> Result<()> {
    for state in states.iter().filter(|state| state.is_in_trusted_zone) {
        // Without an answer there is no firewalld, and so no zone.
        let _ = firewalld::distrust(&paths.system_bus, &state.bridge);
    }
    let tags = names.tags();
    for chain in tables.chains().step(|| "list the chains")?.iter().filter(|chain| chain.name == DOCKER_USER)
    {
        let table = Table { family: chain.family, name: &chain.table };
        let mut batch = Batch::new();
        for rule in tables.rules(table).step(|| format!("list {table}"))? {
            if rule.chain == chain.name && rule.comment.as_deref().is_some_and(|it| it.starts_with(&tags)) {
                batch.delete_rule(table, &chain.name, rule.handle);
            }
        }
        tables.commit(batch).step(|| format!("remove hoist's rules from {DOCKER_USER}"))?;
    }
    Ok(())
}

fn is_foreign_forward(chain: &Chain, names: &Names) -> bool {
    let is_forward = chain.hook.is_some_and(|hook| hook.number == FORWARD.number);
    is_forward && matches!(chain.family, Family::Inet | Family::Ipv4) && !names.is_own(&chain.table)
}

/// The owner of a chain, which decides how the user can change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Docker,
    Firewalld,
    Ufw,
    Somebody,
}

fn owner(base: &Chain, chains: &[Chain]) -> Owner {
    let mut beside = chains.iter().filter(|chain| chain.family == base.family && chain.table == base.table);
    if base.table == "firewalld" {
        Owner::Firewalld
    } else if beside.clone().any(|chain| chain.name == DOCKER_USER) {
        Owner::Docker
    } else if beside.any(|chain| chain.name.starts_with("ufw-")) {
        Owner::Ufw
    } else {
        Owner::Somebody
    }
}

/// Accepts the bridge in `DOCKER-USER`, before a final `return`. Returns `false` if our rules are
/// there already, and so do not help.
fn accept_in_docker_user(tables: &mut Tables, table: Table<'_>, names: &Names, bridge: &str) -> Result<bool> {
    let step = || format!("accept {bridge} in {DOCKER_USER}");
    let mut rules = tables.rules(table).step(step)?;
    rules.retain(|rule| rule.chain == DOCKER_USER);
    let tag = names.tag(bridge);
    if rules.iter().any(|rule| rule.comment.as_deref() == Some(&tag)) {
        return Ok(false);
    }
    let returns = |rule: &&Existing| {
        rule.terms.iter().all(|term| matches!(term, Term::Neutral | Term::Verdict(Verdict::Return)))
    };
    let before = rules.last().filter(returns).map(|rule| rule.handle);
    let mut batch = Batch::new();
    for side in [Side::In, Side::Out] {
        // Only expressions that iptables(8) itself writes. With any others it would refuse to
        // handle the table.
        let rule = Rule::new().link(side, Is::Equal, bridge).counted().verdict(&Verdict::Accept);
        batch.add_tagged_rule(table, DOCKER_USER, before, rule, &tag);
    }
    tables.commit(batch).step(step)?;
    Ok(true)
}

/// The chain or rule that drops a container's packets.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Culprit {
    chain: String,
    /// The rule's handle; `None` for the chain's policy.
    rule: Option<u64>,
}

fn warning(culprit: &Culprit, base: &Chain, chains: &[Chain], bridge: &str) -> String {
    let (family, table) = (base.family.word(), &base.table);
    let what = match culprit.rule {
        Some(handle) => format!("rule {handle} of chain {} of table {family} {table}", culprit.chain),
        None => format!("the policy of chain {} of table {family} {table}", culprit.chain),
    };
    let fix = match owner(base, chains) {
        Owner::Firewalld => {
            format!("firewall-cmd --zone=trusted --add-interface={bridge}")
        }
        Owner::Ufw => format!("ufw route allow in on {bridge} && ufw route allow out on {bridge}"),
        Owner::Docker => both("iptables -I DOCKER-USER", bridge),
        Owner::Somebody if table == "filter" && base.name == "FORWARD" => both("iptables -I FORWARD", bridge),
        Owner::Somebody => format!(
            "nft 'insert rule {family} {table} {chain} iifname {bridge} accept; \
             insert rule {family} {table} {chain} oifname {bridge} accept'",
            chain = base.name
        ),
    };
    format!("{what} drops packets from containers on {bridge} to other machines; to allow them: {fix}")
}

/// Returns iptables commands for both directions.
pub(super) fn both(command: &str, bridge: &str) -> String {
    format!("{command} -i {bridge} -j ACCEPT && {command} -o {bridge} -j ACCEPT")
}

/// A simulated packet of a container, on its way through one table.
#[derive(Debug, Clone, Copy)]
struct Walk<'a> {
    rules: &'a [Existing],
    bridge: &'a str,
    uplink: Option<&'a str>,
}

/// The direction of the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The first packet of an outgoing connection.
    Out,
    /// A reply to it.
    Back,
}

/// What a chain does with the packet.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    Accepted,
    Dropped(Culprit),
    Undecided,
}

/// Whether a rule matches the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    No,
    /// It depends on properties of the real packet.
    Maybe,
    Yes,
}

impl Walk<'_> {
    /// Returns what certainly drops the packet or its reply. A rule that only may match is ignored,
    /// unless it names the bridge.
    fn culprit(&self, base: &Chain) -> Option<Culprit> {
        [Way::Out, Way::Back].into_iter().find_map(|way| match self.chain(&base.name, way, 0) {
            Fate::Dropped(culprit) => Some(culprit),
            Fate::Undecided if base.drops_by_default => {
                Some(Culprit { chain: base.name.clone(), rule: None })
            }
            Fate::Accepted | Fate::Undecided => None,
        })
    }

    fn chain(&self, name: &str, way: Way, depth: u8) -> Fate {
        if depth > MAX_DEPTH {
            return Fate::Undecided;
        }
        for rule in self.rules.iter().filter(|rule| rule.chain == name) {
            let matched = self.matches(rule, way);
            let is_meant = match matched {
                Match::No => continue,
                Match::Yes => true,
                Match::Maybe => false,
            };
            let fate = match rule.terms.last() {
                Some(Term::Reject | Term::Verdict(Verdict::Drop)) => {
                    Fate::Dropped(Culprit { chain: name.to_owned(), rule: Some(rule.handle) })
                }
                Some(Term::Verdict(Verdict::Accept)) => Fate::Accepted,
                Some(Term::Verdict(Verdict::Return)) if is_meant => return Fate::Undecided,
                Some(Term::Verdict(Verdict::Jump(to))) => self.chain(to, way, depth + 1),
                Some(Term::Verdict(Verdict::Goto(to))) => match self.chain(to, way, depth + 1) {
                    Fate::Undecided if is_meant => return Fate::Undecided,
                    fate => fate,
                },
                _ => Fate::Undecided,
            };
            match fate {
                Fate::Undecided => {}
                Fate::Accepted if !is_meant && !self.names_the_bridge(rule) => {}
                Fate::Dropped(_) if !is_meant => {}
                fate => return fate,
            }
        }
        Fate::Undecided
    }

    fn matches(&self, rule: &Existing, way: Way) -> Match {
        let (from, to) = match way {
            Way::Out => (Some(self.bridge), self.uplink),
            Way::Back => (self.uplink, Some(self.bridge)),
        };
        let term = |term: &Term| match term {
            Term::Link(side, is, name) => {
                let own = if *side == Side::In { from } else { to };
                // If there is no uplink, it may be any link except the bridge.
                let is_same = match own {
                    Some(own) => Some(same_link(name, own)),
                    None => same_link(name, self.bridge).then_some(false),
                };
                match is_same {
                    None => Match::Maybe,
                    Some(same) if same == (*is == Is::Equal) => Match::Yes,
                    Some(_) => Match::No,
                }
            }
            // Firewalls match the connection state to accept replies, or to drop invalid packets.
            Term::Connection => match (way, rule.terms.last()) {
                (Way::Back, Some(Term::Verdict(Verdict::Accept | Verdict::Jump(_)))) => Match::Yes,
                _ => Match::No,
            },
            Term::OtherFamily => Match::No,
            Term::Unknown(_) => Match::Maybe,
            Term::Neutral | Term::Verdict(_) | Term::Reject => Match::Yes,
        };
        rule.terms.iter().map(term).min().unwrap_or(Match::Yes)
    }

    fn names_the_bridge(&self, rule: &Existing) -> bool {
        rule.terms
            .iter()
            .any(|term| matches!(term, Term::Link(_, Is::Equal, name) if same_link(name, self.bridge)))
    }
}

/// Whether a rule's link name, which may end in `*`, matches `link`.
fn same_link(pattern: &str, link: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => link.starts_with(beginning),
        None => pattern == link,
    }
}

#[cfg(test)]
mod tests {
    use super::super::nft::Hook;
    use super::*;

    fn base(drops_by_default: bool) -> Chain {
        Chain {
            family: Family::Ipv4,
            table: "filter".to_owned(),
            name: "FORWARD".to_owned(),
            hook: Some(FORWARD),
            drops_by_default,
        }
    }

    fn rule(chain: &str, handle: u64, terms: &[Term]) -> Existing {
        Existing { chain: chain.to_owned(), handle, terms: terms.to_vec(), comment: None }
    }

    fn link(side: Side, name: &str) -> Term {
        Term::Link(side, Is::Equal, name.to_owned())
    }

    const ACCEPT: Term = Term::Verdict(Verdict::Accept);

    fn culprit(rules: &[Existing], drops_by_default: bool) -> Option<Option<u64>> {
        let walk = Walk { rules, bridge: "hoist0", uplink: Some("eth0") };
        walk.culprit(&base(drops_by_default)).map(|culprit| culprit.rule)
    }

    #[test]
    fn a_drop_counts_only_when_it_is_sure() {
        type Case = (&'static str, Vec<Existing>, bool, Option<Option<u64>>);
        let forward = |handle, terms: &[Term]| rule("FORWARD", handle, terms);
        let unknown = || Term::Unknown("payload".to_owned());
        let jump = |to: &str| Term::Verdict(Verdict::Jump(to.to_owned()));
        let drop = || Term::Verdict(Verdict::Drop);
        let answers = || forward(1, &[Term::Connection, ACCEPT]);
        let out = || forward(2, &[link(Side::In, "hoist0"), ACCEPT]);
        let cases: Vec<Case> = vec![
            ("empty, accepting", vec![], false, None),
            ("empty, dropping", vec![], true, Some(None)),
            (
                "another bridge's accept",
                vec![answers(), forward(2, &[link(Side::In, "docker0"), ACCEPT])],
                true,
                Some(None),
            ),
            ("ours out, answers back", vec![answers(), out()], true, None),
            ("ours out, no answers", vec![out()], true, Some(None)),
            (
                "all that begins so",
                vec![answers(), forward(2, &[link(Side::In, "hoist*"), ACCEPT])],
                true,
                None,
            ),
            (
                "out by the uplink",
                vec![answers(), forward(2, &[link(Side::Out, "eth0"), ACCEPT])],
                true,
                None,
            ),
            (
                "some of ours",
                vec![answers(), forward(2, &[link(Side::In, "hoist0"), unknown(), ACCEPT])],
                true,
                None,
            ),
            ("some of all", vec![answers(), forward(2, &[unknown(), ACCEPT])], true, Some(None)),
            ("a drop of something", vec![forward(3, &[unknown(), drop()])], false, None),
            ("a drop of IPv6", vec![forward(3, &[Term::OtherFamily, drop()])], false, None),
            ("a drop of all", vec![answers(), forward(3, &[Term::Neutral, drop()])], false, Some(Some(3))),
            ("a refusal at the end", vec![answers(), forward(4, &[Term::Reject])], false, Some(Some(4))),
            ("what is out of order", vec![forward(3, &[Term::Connection, drop()])], false, None),
            (
                "decided in another chain",
                vec![forward(1, &[jump("user")]), rule("user", 7, &[link(Side::In, "hoist0"), drop()])],
                false,
                Some(Some(7)),
            ),
            (
                "returned from another chain",
                vec![
                    forward(1, &[jump("user")]),
                    rule("user", 7, &[Term::Verdict(Verdict::Return)]),
                    rule("user", 8, &[drop()]),
                ],
                false,
                None,
            ),
            ("a circle", vec![forward(1, &[jump("FORWARD")])], false, None),
        ];
        for (what, rules, drops_by_default, want) in cases {
            assert_eq!(culprit(&rules, drops_by_default), want, "{what}");
        }
    }

    #[test]
    fn a_warning_names_the_rule_and_the_command_that_fixes_it() {
        let plain = base(true);
        let by_policy = Culprit { chain: "FORWARD".to_owned(), rule: None };
        assert_eq!(
            warning(&by_policy, &plain, &[], "hoist0"),
            "the policy of chain FORWARD of table ip filter drops packets from containers on hoist0 to \
             other machines; to allow them: iptables -I FORWARD -i hoist0 -j ACCEPT && \
             iptables -I FORWARD -o hoist0 -j ACCEPT"
        );
        let own = Chain {
            family: Family::Inet,
            table: "fw".to_owned(),
            name: "fwd".to_owned(),
            hook: Some(Hook { number: 2, priority: 0 }),
            drops_by_default: false,
        };
        let by_rule = Culprit { chain: "strict".to_owned(), rule: Some(9) };
        assert_eq!(
            warning(&by_rule, &own, &[], "hoist0"),
            "rule 9 of chain strict of table inet fw drops packets from containers on hoist0 to other \
             machines; to allow them: nft 'insert rule inet fw fwd iifname hoist0 accept; insert rule inet fw fwd oifname \
             hoist0 accept'"
        );
        let ufw = Chain { name: "ufw-user-forward".to_owned(), hook: None, ..plain.clone() };
        assert!(
            warning(&by_policy, &plain, &[ufw], "hoist0")
                .ends_with("to allow them: ufw route allow in on hoist0 && ufw route allow out on hoist0")
        );
    }
}
