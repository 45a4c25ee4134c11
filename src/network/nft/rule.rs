//! A rule of nf_tables: its expressions, which the kernel runs one after the other.

use super::sets::Part;
use super::{Is, REGISTER, REGISTER_WORDS, Side, Verdict, Writer, link_name};

/// A rule: what must hold of a packet, and what then happens to it.
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

    /// The parts of the packet, one after the other, are a key of a set, or none.
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

    /// The packet's link has, or has not, this name.
    pub(in crate::network) fn link(self, side: Side, is: Is, name: &str) -> Self {
        self.meta(side.key(), REGISTER).compare(is, &link_name(name))
    }

    /// The name of the link it came by begins so.
    pub(in crate::network) fn link_beginning(self, prefix: &str) -> Self {
        self.meta(Side::In.key(), REGISTER).compare(Is::Equal, prefix.as_bytes())
    }

    /// The frame's protocol, an `ETH_P_…` number.
    pub(in crate::network) fn frame_protocol(self, number: u16) -> Self {
        self.meta(1, REGISTER).compare(Is::Equal, &number.to_be_bytes())
    }

    /// It is an IPv4 packet.
    pub(in crate::network) fn ipv4(self) -> Self {
        self.meta(15, REGISTER).compare(Is::Equal, &[2])
    }

    /// Its connection was seen before, or belongs to one that was.
    pub(in crate::network) fn known_connection(self) -> Self {
        const ESTABLISHED_RELATED: u32 = 2 | 4;
        self.connection(0, ESTABLISHED_RELATED)
    }

    /// Its destination was translated: it is for a published port.
    pub(in crate::network) fn translated_destination(self) -> Self {
        const DESTINATION_NAT: u32 = 1 << 5;
        self.connection(2, DESTINATION_NAT)
    }

    fn connection(self, key: u32, bits: u32) -> Self {
        let loaded = self.expression("ct", Writer::default().number(1, REGISTER).number(2, key));
        loaded.mask(bits.to_ne_bytes()).compare(Is::Different, &[0; 4])
    }

    /// Counts what gets here.
    pub(in crate::network) fn counted(self) -> Self {
        let zero = 0_u64.to_be_bytes();
        self.expression("counter", Writer::default().bytes(1, &zero).bytes(2, &zero))
    }

    /// Then this happens to it.
    pub(in crate::network) fn verdict(self, verdict: &Verdict) -> Self {
        let code = Writer::default().number(1, verdict.code().cast_unsigned());
        let code = match verdict {
            Verdict::Jump(chain) | Verdict::Goto(chain) => code.text(2, chain),
            _ => code,
        };
        let data = Writer::default().number(1, 0).nest(2, Writer::default().nest(2, code));
        self.expression("immediate", data)
    }

    /// Its source becomes the address of the link it leaves by.
    pub(in crate::network) fn masquerade(self) -> Self {
        self.expression("masq", Writer::default())
    }
}
