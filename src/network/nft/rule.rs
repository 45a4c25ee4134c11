//! An nf_tables rule: a list of expressions that the kernel evaluates in order.

use super::sets::Part;
use super::{Is, REGISTER, REGISTER_WORDS, Side, Verdict, Writer, link_name};

/// A rule: conditions on a packet, and a verdict or another action.
#[derive(Debug, Clone, Default)]
pub(in crate::network) struct Rule(pub(super) Writer);

impl Rule {
    pub(in crate::network) fn new() -> Self {
        Self::default()
    }

    fn expression(mut self, name: &str, data: Writer) -> Self {
        self.0 = self.0.nest(1, Writer::default().text(1, name).nest(2, data));
        self
    }

    fn meta(self, key: u32, register: u32) -> Self {
        self.expression("meta", Writer::default().number(1, register).number(2, key))
    }

    fn compare(self, is: Is, value: &[u8]) -> Self {
        let data = Writer::default().number(1, REGISTER).number(2, is.number()).value(3, value);
        self.expression("cmp", data)
    }

    fn payload(self, (base, offset, length): (u32, u32, u32), register: u32) -> Self {
        let data = Writer::default().number(1, register).number(2, base).number(3, offset).number(4, length);
        self.expression("payload", data)
    }

    fn mask(self, mask: [u8; 4]) -> Self {
        let data = Writer::default().number(1, REGISTER).number(2, REGISTER).number(3, 4);
        self.expression("bitwise", data.value(4, &mask).value(5, &[0; 4]))
    }

    /// Matches if the parts of the packet, concatenated, are a key of the set (or are not).
    pub(in crate::network) fn among(mut self, set: &str, is: Is, parts: &[Part]) -> Self {
        const INVERTED: u32 = 1;
        let mut register = REGISTER_WORDS;
        for part in parts {
            self = match *part {
                Part::Link(side) => self.meta(side.key(), register),
                Part::Packet(field) => self.payload(field.place(), register),
            };
            register += part.kind().words();
        }
        let lookup = Writer::default().text(1, set).number(2, REGISTER_WORDS);
        let lookup = if is == Is::Equal { lookup } else { lookup.number(5, INVERTED) };
        self.expression("lookup", lookup)
    }

    /// Matches if the packet's link has this name (or has not).
    pub(in crate::network) fn link(self, side: Side, is: Is, name: &str) -> Self {
        self.meta(side.key(), REGISTER).compare(is, &link_name(name))
    }

    /// Matches if the name of the incoming link starts with `prefix`.
    pub(in crate::network) fn link_beginning(self, prefix: &str) -> Self {
        self.meta(Side::In.key(), REGISTER).compare(Is::Equal, prefix.as_bytes())
    }

    /// Matches the frame's protocol, an `ETH_P_…` number.
    pub(in crate::network) fn frame_protocol(self, number: u16) -> Self {
        self.meta(1, REGISTER).compare(Is::Equal, &number.to_be_bytes())
    }

    /// Matches IPv4 packets.
    pub(in crate::network) fn ipv4(self) -> Self {
        self.meta(15, REGISTER).compare(Is::Equal, &[2])
    }

    /// Matches packets of established connections, and of connections related to them.
    pub(in crate::network) fn known_connection(self) -> Self {
        const ESTABLISHED_RELATED: u32 = 2 | 4;
        self.connection(0, ESTABLISHED_RELATED)
    }

    /// Matches packets whose destination was translated, which are those to published ports.
    pub(in crate::network) fn translated_destination(self) -> Self {
        const DESTINATION_NAT: u32 = 1 << 5;
        self.connection(2, DESTINATION_NAT)
    }

    fn connection(self, key: u32, bits: u32) -> Self {
        let loaded = self.expression("ct", Writer::default().number(1, REGISTER).number(2, key));
        loaded.mask(bits.to_ne_bytes()).compare(Is::Different, &[0; 4])
    }

    /// Counts the packets that match so far.
    pub(in crate::network) fn counted(self) -> Self {
        let zero = 0_u64.to_be_bytes();
        self.expression("counter", Writer::default().bytes(1, &zero).bytes(2, &zero))
    }

    /// Ends the rule with this verdict.
    pub(in crate::network) fn verdict(self, verdict: &Verdict) -> Self {
        let code = Writer::default().number(1, verdict.code().cast_unsigned());
        let code = match verdict {
            Verdict::Jump(chain) | Verdict::Goto(chain) => code.text(2, chain),
            _ => code,
        };
        let data = Writer::default().number(1, 0).nest(2, Writer::default().nest(2, code));
        self.expression("immediate", data)
    }

    /// Replaces the source address by that of the outgoing link.
    pub(in crate::network) fn masquerade(self) -> Self {
        self.expression("masq", Writer::default())
    }
}
