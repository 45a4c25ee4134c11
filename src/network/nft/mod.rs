//! nf_tables over netlink: what nft(8) would be asked to do, as bytes.
//!
//! The numbers are those of `linux/netfilter/nf_tables.h`. All integers of this protocol are
//! big-endian, except what is compared with a register loaded in host order. A [`Batch`] is
//! done whole or not at all.

mod ruleset;

use std::fmt;

use rustix::io::Errno;

pub(super) use ruleset::{Chain, Existing, Term};

use super::state::Guest;
use super::subnet::Subnet;
use crate::sys;
use crate::sys::netlink::{APPEND, Attributes, CREATE, EXCLUSIVE, Message, Protocol, Reply, Socket};

const SUBSYSTEM: u16 = 10;
const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;
const NEW_TABLE: u16 = 0;
const GET_TABLE: u16 = 1;
const DELETE_TABLE: u16 = 2;
const NEW_CHAIN: u16 = 3;
const GET_CHAIN: u16 = 4;
const NEW_RULE: u16 = 6;
const GET_RULE: u16 = 7;
const DELETE_RULE: u16 = 8;
const NEW_SET: u16 = 9;
const NEW_ELEMENT: u16 = 12;
const DELETE_ELEMENT: u16 = 14;
const GET_GENERATION: u16 = 16;

const REGISTER: u32 = 1;
/// The same register in the numbering of 4-byte ones, for keys made of parts.
const REGISTER_WORDS: u32 = 8;

/// What a table sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::network) enum Family {
    /// IPv4 and IPv6.
    Inet,
    /// IPv4: also what `iptables` writes.
    Ipv4,
    /// Frames on a bridge.
    Bridge,
    /// One that hoist does not look at.
    Other(u8),
}

impl Family {
    fn number(self) -> u8 {
        match self {
            Self::Inet => 1,
            Self::Ipv4 => 2,
            Self::Bridge => 7,
            Self::Other(number) => number,
        }
    }

    fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Inet,
            2 => Self::Ipv4,
            7 => Self::Bridge,
            other => Self::Other(other),
        }
    }

    /// As nft(8) writes it.
    pub(in crate::network) fn word(self) -> &'static str {
        match self {
            Self::Inet => "inet",
            Self::Ipv4 => "ip",
            Self::Bridge => "bridge",
            Self::Other(_) => "other",
        }
    }
}

/// A table's family and name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::network) struct Table<'a> {
    pub(in crate::network) family: Family,
    pub(in crate::network) name: &'a str,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.family.word(), self.name)
    }
}

/// A place where the kernel asks a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::network) struct Hook {
    pub(in crate::network) number: u32,
    pub(in crate::network) priority: i32,
}

/// Before routing, before the connection is known.
pub(in crate::network) const RAW: Hook = Hook { number: 0, priority: -300 };
/// What passes through this machine.
pub(in crate::network) const FORWARD: Hook = Hook { number: 2, priority: 0 };
/// Where a source address is translated.
pub(in crate::network) const SOURCE_NAT: Hook = Hook { number: 4, priority: 100 };

/// What happens to a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::network) enum Verdict {
    Accept,
    Drop,
    Return,
    Jump(String),
    Goto(String),
    /// Goes on with the next rule, or asks user space.
    Other,
}

impl Verdict {
    fn code(&self) -> i32 {
        match self {
            Self::Drop => 0,
            Self::Accept => 1,
            Self::Other => -1,
            Self::Jump(_) => -3,
            Self::Goto(_) => -4,
            Self::Return => -5,
        }
    }

    fn read(attributes: Attributes<'_>) -> Self {
        let chain = || attributes.get(2).map(text).unwrap_or_default();
        match attributes.get(1).and_then(be32).map(u32::cast_signed) {
            Some(0) => Self::Drop,
            Some(1) => Self::Accept,
            Some(-3) => Self::Jump(chain()),
            Some(-4) => Self::Goto(chain()),
            Some(-5) => Self::Return,
            _ => Self::Other,
        }
    }
}

/// Which of a packet's links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::network) enum Side {
    /// The one it came by.
    In,
    /// The one it leaves by.
    Out,
}

impl Side {
    fn key(self) -> u32 {
        match self {
            Self::In => 6,
            Self::Out => 7,
        }
    }
}

/// Whether a comparison asks for equality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::network) enum Is {
    Equal,
    Different,
}

impl Is {
    fn number(self) -> u32 {
        match self {
            Self::Equal => 0,
            Self::Different => 1,
        }
    }
}

/// A value in a packet at a fixed place: base, offset, length.
type Place = (u32, u32, u32);
const LINK_SOURCE: Place = (0, 6, 6);
const IP_SOURCE: Place = (1, 12, 4);
const IP_DESTINATION: Place = (1, 16, 4);
const ARP_SENDER_LINK: Place = (1, 8, 6);
const ARP_SENDER_IP: Place = (1, 14, 4);

/// Attributes, one after the other.
#[derive(Debug, Clone, Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn bytes(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX); // too long: the kernel says so
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    fn text(self, kind: u16, value: &str) -> Self {
        self.bytes(kind, &[value.as_bytes(), b"\0"].concat())
    }

    fn number(self, kind: u16, value: u32) -> Self {
        self.bytes(kind, &value.to_be_bytes())
    }

    fn nest(self, kind: u16, inner: Self) -> Self {
        const NESTED: u16 = 0x8000;
        self.bytes(kind | NESTED, &inner.0)
    }

    /// A value in `NFTA_DATA_VALUE`.
    fn value(self, kind: u16, value: &[u8]) -> Self {
        self.nest(kind, Self::default().bytes(1, value))
    }
}

/// A rule: what must hold of a packet, and what then happens to it.
#[derive(Debug, Clone, Default)]
pub(in crate::network) struct Rule(Writer);

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

    fn payload(self, (base, offset, length): Place, register: u32) -> Self {
        let data = Writer::default().number(1, register).number(2, base).number(3, offset).number(4, length);
        self.expression("payload", data)
    }

    fn mask(self, mask: [u8; 4]) -> Self {
        let data = Writer::default().number(1, REGISTER).number(2, REGISTER).number(3, 4);
        self.expression("bitwise", data.value(4, &mask).value(5, &[0; 4]))
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

    /// It is an IPv4 packet whose source lies in `subnet`.
    pub(in crate::network) fn source_in(self, subnet: Subnet) -> Self {
        self.ipv4().in_subnet(IP_SOURCE, subnet)
    }

    /// It is an IPv4 packet whose destination lies in `subnet`.
    pub(in crate::network) fn destination_in(self, subnet: Subnet) -> Self {
        self.ipv4().in_subnet(IP_DESTINATION, subnet)
    }

    fn ipv4(self) -> Self {
        self.meta(15, REGISTER).compare(Is::Equal, &[2])
    }

    fn in_subnet(self, place: Place, subnet: Subnet) -> Self {
        let masked = self.payload(place, REGISTER).mask(subnet.mask().octets());
        masked.compare(Is::Equal, &subnet.first().octets())
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

    /// Link, source hardware address and source address are a guest's in the set `guests`.
    pub(in crate::network) fn sent_by_guest(self, guests: &str) -> Self {
        self.guest(guests, LINK_SOURCE, IP_SOURCE)
    }

    /// The same of the sender of an ARP packet: once as the frame says, once as ARP does.
    pub(in crate::network) fn arp_by_guest(self, guests: &str) -> Self {
        self.guest(guests, LINK_SOURCE, ARP_SENDER_IP).guest(guests, ARP_SENDER_LINK, ARP_SENDER_IP)
    }

    fn guest(self, guests: &str, mac: Place, address: Place) -> Self {
        // 16 bytes of name, 6 of hardware address in two words, 4 of address.
        let loaded = self.meta(Side::In.key(), REGISTER_WORDS);
        let loaded = loaded.payload(mac, REGISTER_WORDS + 4).payload(address, REGISTER_WORDS + 6);
        loaded.expression("lookup", Writer::default().text(1, guests).number(2, REGISTER_WORDS))
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

fn link_name(name: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(name.bytes().take(15)) {
        *to = from;
    }
    bytes
}

/// Changes that are made together or not at all.
#[derive(Debug, Default)]
pub(in crate::network) struct Batch {
    messages: Vec<Message>,
}

impl Batch {
    pub(in crate::network) fn new() -> Self {
        Self { messages: vec![edge(BATCH_BEGIN)] }
    }

    /// An empty table; `mark` comes back with it.
    pub(in crate::network) fn add_table(&mut self, table: Table<'_>, mark: &[u8]) {
        let attributes = Writer::default().text(1, table.name).bytes(6, mark);
        self.add(NEW_TABLE, CREATE | EXCLUSIVE, table.family, attributes, format!("add table {table}"));
    }

    pub(in crate::network) fn delete_table(&mut self, table: Table<'_>) {
        let name = Writer::default().text(1, table.name);
        self.add(DELETE_TABLE, 0, table.family, name, format!("delete table {table}"));
    }

    /// A chain which the kernel asks at `hook`, `kind` being `filter` or `nat`; what no rule
    /// decides is accepted.
    pub(in crate::network) fn add_base_chain(
        &mut self,
        table: Table<'_>,
        name: &str,
        kind: &str,
        hook: Hook,
    ) {
        let place = Writer::default().number(1, hook.number).number(2, hook.priority.cast_unsigned());
        let chain = Writer::default().text(1, table.name).text(3, name).nest(4, place);
        let chain = chain.number(5, 1).text(7, kind);
        self.add(NEW_CHAIN, CREATE, table.family, chain, format!("add chain {table} {name}"));
    }

    /// At the end of the chain.
    pub(in crate::network) fn add_rule(&mut self, table: Table<'_>, chain: &str, rule: Rule) {
        let rule = rule_in(table, chain).nest(4, rule.0);
        self.add(NEW_RULE, CREATE | APPEND, table.family, rule, format!("add rule {table} {chain}"));
    }

    /// In another owner's chain, with `comment` to know it by: before the rule `before`, or
    /// at the end.
    pub(in crate::network) fn add_tagged_rule(
        &mut self,
        table: Table<'_>,
        chain: &str,
        before: Option<u64>,
        rule: Rule,
        comment: &str,
    ) {
        let mut attributes = rule_in(table, chain).nest(4, rule.0);
        let mut flags = CREATE;
        match before {
            Some(handle) => attributes = attributes.bytes(6, &handle.to_be_bytes()),
            None => flags |= APPEND,
        }
        let attributes = attributes.bytes(7, &ruleset::comment(comment));
        self.add(NEW_RULE, flags, table.family, attributes, format!("add rule {table} {chain}"));
    }

    pub(in crate::network) fn delete_rule(&mut self, table: Table<'_>, chain: &str, handle: u64) {
        let rule = rule_in(table, chain).bytes(3, &handle.to_be_bytes());
        self.add(DELETE_RULE, 0, table.family, rule, format!("delete rule {table} {chain} handle {handle}"));
    }

    /// A set of guests: see [`Rule::sent_by_guest`].
    pub(in crate::network) fn add_guest_set(&mut self, table: Table<'_>, name: &str) {
        // As nft numbers the types of a key's parts: ifname . ether_addr . ipv4_addr.
        const TYPE: u32 = 41 << 12 | 9 << 6 | 7;
        let set = Writer::default().text(1, table.name).text(2, name).number(3, 0);
        let set = set.number(4, TYPE).number(5, GUEST_LENGTH).number(10, 1);
        self.add(NEW_SET, CREATE, table.family, set, format!("add set {table} {name}"));
    }

    pub(in crate::network) fn add_guests(
        &mut self,
        table: Table<'_>,
        set: &str,
        guests: impl Iterator<Item = Guest>,
    ) {
        // An attribute holds 64 KiB, so a thousand guests a message.
        let guests: Vec<Guest> = guests.collect();
        for some in guests.chunks(1000) {
            let elements = guest_elements(table, set, some);
            self.add(NEW_ELEMENT, CREATE, table.family, elements, format!("add element {table} {set}"));
        }
    }

    pub(in crate::network) fn delete_all_guests(&mut self, table: Table<'_>, set: &str) {
        let all = Writer::default().text(1, table.name).text(2, set);
        self.add(DELETE_ELEMENT, 0, table.family, all, format!("flush set {table} {set}"));
    }

    fn add(&mut self, kind: u16, flags: u16, family: Family, attributes: Writer, what: String) {
        self.messages.push(message(kind, flags, family, &attributes, format!("nf_tables({what})")));
    }
}

const GUEST_LENGTH: u32 = 28;

fn guest_elements(table: Table<'_>, set: &str, guests: &[Guest]) -> Writer {
    let elements = guests.iter().fold(Writer::default(), |list, guest| {
        let mut key = link_name(&guest.port).to_vec();
        key.extend(guest.mac.0);
        key.extend([0; 2]);
        key.extend(guest.address.octets());
        list.nest(1, Writer::default().value(1, &key))
    });
    Writer::default().text(1, table.name).text(2, set).nest(3, elements)
}

fn rule_in(table: Table<'_>, chain: &str) -> Writer {
    Writer::default().text(1, table.name).text(2, chain)
}

/// Whether a failure says that this kernel has no nf_tables for a family.
pub(in crate::network) fn is_unsupported(error: &crate::sys::Error) -> bool {
    [Errno::OPNOTSUPP, Errno::AFNOSUPPORT, Errno::PROTONOSUPPORT].iter().any(|&errno| error.is(errno))
}

/// The rules of one network namespace.
#[derive(Debug)]
pub(in crate::network) struct Tables {
    socket: Socket,
}

impl Tables {
    pub(in crate::network) fn open() -> sys::Result<Self> {
        Ok(Self { socket: Socket::open(Protocol::Netfilter)? })
    }

    /// Does all of `batch`.
    pub(in crate::network) fn commit(&mut self, mut batch: Batch) -> sys::Result<()> {
        batch.messages.push(edge(BATCH_END));
        self.socket.request(&batch.messages)
    }

    /// The number of the ruleset, another one after every change of it; 0 where the kernel
    /// does not say.
    pub(in crate::network) fn generation(&mut self) -> sys::Result<u32> {
        let call = "nf_tables(get generation)".to_owned();
        let get = message(GET_GENERATION, 0, Family::Other(0), &Writer::default(), call);
        let reply = self.socket.get(&get)?;
        Ok(reply.and_then(|reply| attributes_of(&reply).get(1).and_then(be32)).unwrap_or(0))
    }

    /// What a table was marked with when it was made; `None` when it is not there.
    pub(in crate::network) fn mark_of(&mut self, table: Table<'_>) -> sys::Result<Option<Vec<u8>>> {
        let name = Writer::default().text(1, table.name);
        let call = format!("nf_tables(list table {table})");
        let get = message(GET_TABLE, 0, table.family, &name, call).tolerate(&[Errno::NOENT]);
        let reply = self.socket.get(&get)?;
        Ok(reply.map(|reply| attributes_of(&reply).get(6).unwrap_or_default().to_vec()))
    }

    /// Every chain of every family.
    pub(in crate::network) fn chains(&mut self) -> sys::Result<Vec<Chain>> {
        let call = "nf_tables(list chains)".to_owned();
        let all = message(GET_CHAIN, 0, Family::Other(0), &Writer::default(), call);
        Ok(self.socket.dump(&all)?.iter().filter_map(Chain::read).collect())
    }

    /// The rules of one table, each chain's in their order.
    pub(in crate::network) fn rules(&mut self, table: Table<'_>) -> sys::Result<Vec<Existing>> {
        let name = Writer::default().text(1, table.name);
        let call = format!("nf_tables(list table {table})");
        let all = message(GET_RULE, 0, table.family, &name, call).tolerate(&[Errno::NOENT]);
        Ok(self.socket.dump(&all)?.iter().filter_map(Existing::read).collect())
    }
}

fn message(kind: u16, flags: u16, family: Family, attributes: &Writer, call: String) -> Message {
    let mut payload = vec![family.number(), 0, 0, 0];
    payload.extend(&attributes.0);
    Message::new(SUBSYSTEM << 8 | kind, flags, payload, call)
}

fn edge(kind: u16) -> Message {
    let mut payload = vec![0, 0];
    payload.extend(SUBSYSTEM.to_be_bytes());
    Message::unanswered(kind, payload)
}

/// Behind the four bytes that begin every message of netfilter.
fn attributes_of(reply: &Reply) -> Attributes<'_> {
    Attributes(reply.payload.get(4..).unwrap_or_default())
}

fn be32(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

fn be64(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}
