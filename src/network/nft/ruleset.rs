//! The existing ruleset, ours and others', as far as hoist understands it.

use super::{Attributes, Family, Hook, Is, Reply, Side, Verdict, attributes_of, be32, be64, text};

/// An existing chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::network) struct Chain {
    pub(in crate::network) family: Family,
    pub(in crate::network) table: String,
    pub(in crate::network) name: String,
    /// The hook; `None` if only other chains jump to it.
    pub(in crate::network) hook: Option<Hook>,
    /// Whether its policy is drop.
    pub(in crate::network) drops_by_default: bool,
}

impl Chain {
    pub(super) fn read(reply: &Reply) -> Option<Self> {
        let attributes = attributes_of(reply);
        let hook = attributes.get(4).map(Attributes).and_then(|place| {
            let priority = place.get(2).and_then(be32)?.cast_signed();
            Some(Hook { number: place.get(1).and_then(be32)?, priority })
        });
        Some(Self {
            family: Family::from_number(*reply.payload.first()?),
            table: text(attributes.get(1)?),
            name: text(attributes.get(3)?),
            hook,
            drops_by_default: attributes.get(5).and_then(be32) == Some(0),
        })
    }
}

/// An existing rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::network) struct Existing {
    pub(in crate::network) chain: String,
    pub(in crate::network) handle: u64,
    pub(in crate::network) terms: Vec<Term>,
    pub(in crate::network) comment: Option<String>,
}

impl Existing {
    pub(super) fn read(reply: &Reply) -> Option<Self> {
        let attributes = attributes_of(reply);
        Some(Self {
            chain: text(attributes.get(2)?),
            handle: attributes.get(3).and_then(be64)?,
            terms: attributes.get(4).map(terms).unwrap_or_default(),
            comment: attributes.get(7).and_then(read_comment),
        })
    }
}

/// One term of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::network) enum Term {
    /// Compares the name of a link. A name that ends in `*` is a prefix.
    Link(Side, Is, String),
    /// Tests the state of the packet's connection.
    Connection,
    /// Tests for a family other than IPv4.
    OtherFamily,
    /// Has no effect on the packet: counts or logs.
    Neutral,
    /// Ends with a verdict.
    Verdict(Verdict),
    /// Drops the packet and notifies the sender.
    Reject,
    /// An expression that hoist does not understand, by name.
    Unknown(String),
}

/// What the register holds for the next expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loaded {
    Nothing,
    Link(Side),
    Connection,
    Family,
}

fn terms(list: &[u8]) -> Vec<Term> {
    let mut out = Vec::new();
    let mut loaded = Loaded::Nothing;
    for (_, expression) in Attributes(list) {
        let name = Attributes(expression).get(1).map(text).unwrap_or_default();
        let data = Attributes(Attributes(expression).get(2).unwrap_or_default());
        let before = std::mem::replace(&mut loaded, Loaded::Nothing);
        match (name.as_str(), before) {
            ("meta", _) => match data.get(2).and_then(be32) {
                Some(6) => loaded = Loaded::Link(Side::In),
                Some(7) => loaded = Loaded::Link(Side::Out),
                Some(15) => loaded = Loaded::Family,
                _ => out.push(Term::Unknown(name)),
            },
            ("cmp", Loaded::Link(side)) => out.push(comparison(side, data)),
            ("cmp", Loaded::Family) => {
                if compared(data) != [2] {
                    out.push(Term::OtherFamily);
                }
            }
            ("ct", _) => {
                out.push(Term::Connection);
                loaded = Loaded::Connection;
            }
            // The states it tests for, as bits or as a set.
            ("bitwise" | "cmp" | "lookup", Loaded::Connection) => loaded = Loaded::Connection,
            ("match", _) => out.push(extension(data)),
            ("counter" | "log", _) => out.push(Term::Neutral),
            ("reject", _) => out.push(Term::Reject),
            ("target", _) => out.push(target(data)),
            ("immediate", _) => {
                let verdict = data.get(2).and_then(|value| Attributes(value).get(2)).map(Attributes);
                out.push(verdict.map_or(Term::Neutral, |verdict| Term::Verdict(Verdict::read(verdict))));
            }
            _ => out.push(Term::Unknown(name)),
        }
    }
    out
}

fn compared(comparison: Attributes<'_>) -> &[u8] {
    comparison.get(3).and_then(|data| Attributes(data).get(1)).unwrap_or_default()
}

fn comparison(side: Side, data: Attributes<'_>) -> Term {
    let is = match data.get(2).and_then(be32) {
        Some(0) => Is::Equal,
        Some(1) => Is::Different,
        _ => return Term::Unknown("cmp".to_owned()),
    };
    let value = compared(data);
    let name = text(value);
    // A value without a terminating zero is a prefix.
    let is_whole = value.len() >= 16 || value.ends_with(b"\0");
    Term::Link(side, is, if is_whole { name } else { name + "*" })
}

/// Interprets a match of iptables.
fn extension(data: Attributes<'_>) -> Term {
    match data.get(1).map(text).unwrap_or_default() {
        name if name == "conntrack" || name == "state" => Term::Connection,
        name if name == "comment" => Term::Neutral,
        name => Term::Unknown(name),
    }
}

/// Interprets a target of iptables.
fn target(data: Attributes<'_>) -> Term {
    match data.get(1).map(text).unwrap_or_default() {
        name if name == "REJECT" => Term::Reject,
        name if name == "LOG" || name == "NFLOG" => Term::Neutral,
        name => Term::Unknown(name),
    }
}

/// Encodes a comment as nft(8) and iptables do: type 0, length, text.
pub(super) fn comment(text: &str) -> Vec<u8> {
    let text: Vec<u8> = text.bytes().take(127).collect();
    let length = u8::try_from(text.len() + 1).unwrap_or(u8::MAX);
    [&[0, length], &*text, b"\0"].concat()
}

fn read_comment(data: &[u8]) -> Option<String> {
    let mut rest = data;
    while let [kind, length, tail @ ..] = rest {
        let value = tail.get(..usize::from(*length))?;
        if *kind == 0 {
            return Some(text(value));
        }
        rest = tail.get(usize::from(*length)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_read_as_it_is_written() {
        assert_eq!(read_comment(&comment("hoist: bridge hoist0")).as_deref(), Some("hoist: bridge hoist0"));
        assert_eq!(read_comment(&[1, 2, 9, 9, 0, 3, b'a', b'b', 0]).as_deref(), Some("ab"));
        for cut_off in [&[][..], &[0], &[0, 5, b'a'], &[1, 200, 0]] {
            assert_eq!(read_comment(cut_off), None);
        }
    }
}
