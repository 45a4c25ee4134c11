//! nf_tables over netlink: the requests that nft(8) would send.
//!
//! The constants are those of `linux/netfilter/nf_tables.h`. All integers in this protocol are
//! big-endian, except values that are compared with a register in host byte order. A [`Batch`] is
//! atomic.

mod rule;
mod ruleset;
mod sets;

use std::fmt;

use rustix::io::Errno;

pub(super) use rule::Rule;
pub(super) use ruleset::{Chain, Existing, Term};
pub(super) use sets::{Element, Field, Kind, Part, Set};

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
/// The same register, numbered in units of 4 bytes, for concatenated keys.
const REGISTER_WORDS: u32 = 8;

/// The address family of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::network) enum Family {
    /// IPv4 and IPv6.
    Inet,
    /// IPv4, including what `iptables` writes.
    Ipv4,
    /// Frames on a bridge.
    Bridge,
    /// A family that hoist does not use.
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

    /// Returns the name used by nft(8).
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

/// A hook at which the kernel evaluates a base chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::network) struct Hook {
    pub(in crate::network) number: u32,
    pub(in crate::network) priority: i32,
}

/// Before routing and connection tracking.
pub(in crate::network) const RAW: Hook = Hook { number: 0, priority: -300 };
/// Packets forwarded by this machine.
pub(in crate::network) const FORWARD: Hook = Hook { number: 2, priority: 0 };
/// Translation of source addresses.
pub(in crate::network) const SOURCE_NAT: Hook = Hook { number: 4, priority: 100 };

/// The verdict on a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::network) enum Verdict {
    Accept,
    Drop,
    Return,
    Jump(String),
    Goto(String),
    /// Continues with the next rule, or queues to user space.
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

/// One of the two links of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::network) enum Side {
    /// The link it came in by.
    In,
    /// The link it goes out by.
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

/// How a comparison tests.
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

/// A sequence of netlink attributes.
#[derive(Debug, Clone, Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn bytes(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX); // too long: the kernel rejects it
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

    /// Adds a value nested as `NFTA_DATA_VALUE`.
    fn value(self, kind: u16, value: &[u8]) -> Self {
        self.nest(kind, Self::default().bytes(1, value))
    }
}

fn link_name(name: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(name.bytes().take(15)) {
        *to = from;
    }
    bytes
}

/// Changes that are applied atomically.
#[derive(Debug, Default)]
pub(in crate::network) struct Batch {
    messages: Vec<Message>,
    /// The number of sets created, for their ids.
    sets: u32,
}

impl Batch {
    pub(in crate::network) fn new() -> Self {
        Self { messages: vec![edge(BATCH_BEGIN)], sets: 0 }
    }

    /// Adds an empty table, with `mark` as its user data.
    pub(in crate::network) fn add_table(&mut self, table: Table<'_>, mark: &[u8]) {
        let attributes = Writer::default().text(1, table.name).bytes(6, mark);
        self.add(NEW_TABLE, CREATE | EXCLUSIVE, table.family, attributes, format!("add table {table}"));
    }

    pub(in crate::network) fn delete_table(&mut self, table: Table<'_>) {
        let name = Writer::default().text(1, table.name);
        self.add(DELETE_TABLE, 0, table.family, name, format!("delete table {table}"));
    }

    /// Adds a base chain at `hook` with the policy accept. `kind` is `filter` or `nat`.
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

    /// Adds a rule at the end of a chain, identified by its comment.
    pub(in crate::network) fn add_rule(&mut self, table: Table<'_>, chain: &str, rule: Rule, comment: &str) {
        let rule = rule_in(table, chain).nest(4, rule.0).bytes(7, &ruleset::comment(comment));
        self.add(NEW_RULE, CREATE | APPEND, table.family, rule, format!("add rule {table} {chain}"));
    }

    /// Adds a rule to another owner's chain, identified by its comment: before the rule `before`,
    /// or at the end.
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

    fn add(&mut self, kind: u16, flags: u16, family: Family, attributes: Writer, what: String) {
        self.messages.push(message(kind, flags, family, &attributes, format!("nf_tables({what})")));
    }
}

fn rule_in(table: Table<'_>, chain: &str) -> Writer {
    Writer::default().text(1, table.name).text(2, chain)
}

/// Whether an error means that this kernel does not support nf_tables for a family.
pub(in crate::network) fn is_unsupported(error: &crate::sys::Error) -> bool {
    [Errno::OPNOTSUPP, Errno::AFNOSUPPORT, Errno::PROTONOSUPPORT].iter().any(|&errno| error.is(errno))
}

/// The ruleset of a network namespace.
#[derive(Debug)]
pub(in crate::network) struct Tables {
    socket: Socket,
}

impl Tables {
    pub(in crate::network) fn open() -> sys::Result<Self> {
        Ok(Self { socket: Socket::open(Protocol::Netfilter)? })
    }

    /// Applies `batch`.
    pub(in crate::network) fn commit(&mut self, mut batch: Batch) -> sys::Result<()> {
        batch.messages.push(edge(BATCH_END));
        self.socket.request(&batch.messages)
    }

    /// Returns the generation of the ruleset, which changes with every change to it; `None` if the
    /// kernel does not provide it.
    pub(in crate::network) fn generation(&mut self) -> sys::Result<Option<u32>> {
        let call = "nf_tables(get generation)".to_owned();
        let get = message(GET_GENERATION, 0, Family::Other(0), &Writer::default(), call);
        let reply = self.socket.get(&get)?;
        Ok(reply.and_then(|reply| attributes_of(&reply).get(1).and_then(be32)))
    }

    /// Returns the user data of a table; `None` if the table does not exist.
    pub(in crate::network) fn mark_of(&mut self, table: Table<'_>) -> sys::Result<Option<Vec<u8>>> {
        let name = Writer::default().text(1, table.name);
        let call = format!("nf_tables(list table {table})");
        let get = message(GET_TABLE, 0, table.family, &name, call).tolerate(&[Errno::NOENT]);
        let reply = self.socket.get(&get)?;
        Ok(reply.map(|reply| attributes_of(&reply).get(6).unwrap_or_default().to_vec()))
    }

    /// Returns the chains of all families.
    pub(in crate::network) fn chains(&mut self) -> sys::Result<Vec<Chain>> {
        let call = "nf_tables(list chains)".to_owned();
        let all = message(GET_CHAIN, 0, Family::Other(0), &Writer::default(), call);
        Ok(self.socket.dump(&all)?.iter().filter_map(Chain::read).collect())
    }

    /// Returns the rules of a table, those of each chain in order.
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

/// Returns the table in which elements of a set were deleted, if a message of type `number` says
/// so.
pub(in crate::network) fn table_of_deleted(number: u16, payload: &[u8]) -> Option<String> {
    let attributes = Attributes(payload.get(4..)?);
    (number == DELETE_ELEMENT).then(|| attributes.get(1).map(text))?
}

/// Skips the four bytes at the start of every netfilter message.
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
