//! Sets of nf_tables: their key types and elements.

use std::net::Ipv4Addr;

use super::{Batch, CREATE, DELETE_ELEMENT, NEW_ELEMENT, NEW_SET, Side, Table, Writer, link_name};
use crate::base::Mac;
use crate::network::subnet::Subnet;

/// A field at a fixed offset in a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::network) enum Field {
    LinkSource,
    IpSource,
    IpDestination,
    ArpSenderLink,
    ArpSenderIp,
}

impl Field {
    /// Returns the base, offset and length.
    pub(super) fn place(self) -> (u32, u32, u32) {
        match self {
            Self::LinkSource => (0, 6, 6),
            Self::IpSource => (1, 12, 4),
            Self::IpDestination => (1, 16, 4),
            Self::ArpSenderLink => (1, 8, 6),
            Self::ArpSenderIp => (1, 14, 4),
        }
    }
}

/// A part of a key to be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::network) enum Part {
    /// The name of one of the packet's links.
    Link(Side),
    /// A field of the packet.
    Packet(Field),
}

impl Part {
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Link(_) => Kind::Link,
            Self::Packet(Field::LinkSource | Field::ArpSenderLink) => Kind::Mac,
            Self::Packet(Field::IpSource | Field::IpDestination | Field::ArpSenderIp) => Kind::Address,
        }
    }
}

/// The type of one part of a set's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::network) enum Kind {
    Link,
    Mac,
    Address,
}

impl Kind {
    /// Returns the type number used by nft(8).
    fn number(self) -> u32 {
        match self {
            Self::Link => 41,
            Self::Mac => 9,
            Self::Address => 7,
        }
    }

    fn length(self) -> u32 {
        match self {
            Self::Link => 16,
            Self::Mac => 6,
            Self::Address => 4,
        }
    }

    /// Returns how many registers of four bytes it takes.
    pub(super) fn words(self) -> u32 {
        self.length().div_ceil(4)
    }
}

/// A set: its name, the types of its keys, and whether they are ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::network) struct Set {
    pub(in crate::network) name: &'static str,
    pub(in crate::network) kinds: &'static [Kind],
    pub(in crate::network) has_ranges: bool,
}

/// A key of a set, or a range of keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::network) struct Element {
    key: Vec<u8>,
    last: Option<Vec<u8>>,
}

impl Element {
    pub(in crate::network) fn link(mut self, name: &str) -> Self {
        self.push(&link_name(name));
        self
    }

    pub(in crate::network) fn mac(mut self, mac: Mac) -> Self {
        self.push(&mac.0);
        self
    }

    pub(in crate::network) fn address(mut self, address: Ipv4Addr) -> Self {
        self.push(&address.octets());
        self
    }

    /// Adds the range of all addresses in a subnet.
    pub(in crate::network) fn subnet(mut self, subnet: Subnet) -> Self {
        let mut last = self.last.take().unwrap_or_else(|| self.key.clone());
        self.push(&subnet.first().octets());
        last.extend(subnet.broadcast().octets());
        Self { last: Some(last), ..self }
    }

    /// Adds a part, padded to a multiple of four bytes as in registers.
    fn push(&mut self, bytes: &[u8]) {
        for key in std::iter::once(&mut self.key).chain(&mut self.last) {
            key.extend(bytes);
            key.resize(key.len().next_multiple_of(4), 0);
        }
    }
}

/// Returns the next number of the same width.
fn following(last: &[u8]) -> Vec<u8> {
    let mut next = last.to_vec();
    for byte in next.iter_mut().rev() {
        let (sum, overflows) = byte.overflowing_add(1);
        *byte = sum;
        if !overflows {
            break;
        }
    }
    next
}

impl Batch {
    /// Adds a set. If it exists, it keeps its elements.
    pub(in crate::network) fn add_set(&mut self, table: Table<'_>, set: Set) {
        const RANGES: u32 = 0x4;
        const CONCATENATED: u32 = 0x80;
        let kind = set.kinds.iter().fold(0, |kind, part| kind << 6 | part.number());
        let length = set.kinds.iter().map(|part| part.words() * 4).sum();
        let flags = match (set.has_ranges, set.kinds) {
            (false, _) => 0,
            (true, [_]) => RANGES,
            (true, _) => RANGES | CONCATENATED,
        };
        let mut attributes = Writer::default().text(1, table.name).text(2, set.name).number(3, flags);
        attributes = attributes.number(4, kind).number(5, length);
        if flags & CONCATENATED != 0 {
            let field = |part: &Kind| Writer::default().number(1, part.length());
            let fields = set.kinds.iter().fold(Writer::default(), |list, part| list.nest(1, field(part)));
            attributes = attributes.nest(9, Writer::default().nest(2, fields));
        }
        self.sets += 1;
        let mut attributes = attributes.number(10, self.sets);
        if set.kinds == [Kind::Link] {
            attributes = attributes.bytes(13, &key_byte_order());
        }
        self.add(NEW_SET, CREATE, table.family, attributes, format!("add set {table} {}", set.name));
    }

    /// Adds elements to a set, keeping existing ones.
    pub(in crate::network) fn add_elements(
        &mut self,
        table: Table<'_>,
        set: Set,
        elements: impl Iterator<Item = Element>,
    ) {
        // An attribute holds up to 64 KiB, hence a thousand elements per message.
        let elements: Vec<Element> = elements.collect();
        for some in elements.chunks(1000) {
            let list = some.iter().fold(Writer::default(), |list, element| written(list, set, element));
            let attributes = Writer::default().text(1, table.name).text(2, set.name).nest(3, list);
            let what = format!("add element {table} {}", set.name);
            self.add(NEW_ELEMENT, CREATE, table.family, attributes, what);
        }
    }

    pub(in crate::network) fn delete_all_elements(&mut self, table: Table<'_>, set: Set) {
        let all = Writer::default().text(1, table.name).text(2, set.name);
        self.add(DELETE_ELEMENT, 0, table.family, all, format!("flush set {table} {}", set.name));
    }
}

/// Returns the user data that tells nft(8) that the key is in host byte order: type, length, value.
/// Without it, nft(8) shows link names reversed.
fn key_byte_order() -> Vec<u8> {
    const HOST_ENDIAN: u32 = 1;
    [&[0, 4], &HOST_ENDIAN.to_ne_bytes()[..]].concat()
}

/// Appends an element to a list.
fn written(list: Writer, set: Set, element: &Element) -> Writer {
    const END: u32 = 1;
    let key = || Writer::default().value(1, &element.key);
    match (&element.last, set.kinds) {
        (None, _) => list.nest(1, key()),
        // A range of a single part is written as its start and the key after its end.
        (Some(last), [_]) => {
            list.nest(1, key()).nest(1, Writer::default().value(1, &following(last)).number(3, END))
        }
        (Some(last), _) => list.nest(1, key().value(10, last)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_key_begins_at_a_register_and_a_subnet_is_a_range() {
        let mac = Mac([2, 0x42, 10, 0, 0, 7]);
        let key = Element::default().mac(mac).address(Ipv4Addr::new(10, 0, 0, 7));
        assert_eq!(key.key, [2, 0x42, 10, 0, 0, 7, 0, 0, 10, 0, 0, 7]);
        assert_eq!(key.last, None);
        let home = Element::default().subnet("10.0.1.0/24".parse().unwrap()).link("br0");
        assert_eq!((home.key[..8].to_vec(), home.key.len()), (vec![10, 0, 1, 0, b'b', b'r', b'0', 0], 20));
        let last = home.last.unwrap();
        assert_eq!((last[..8].to_vec(), last.len()), (vec![10, 0, 1, 255, b'b', b'r', b'0', 0], 20));
        assert_eq!(following(&[10, 0, 255, 255]), [10, 1, 0, 0]);
    }
}
