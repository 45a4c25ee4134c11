//! Changes of the machine's rules, by whoever made them: `nft flush ruleset`, a firewall that
//! is loaded again.

use std::os::fd::BorrowedFd;

use super::error::{Result, Step};
use crate::sys::netlink::{Protocol, Socket};

/// `NFNLGRP_NFTABLES`
const GROUP: u32 = 7;
/// The subsystem of nf_tables is the upper byte of a message's kind.
const SUBSYSTEM: u16 = 10;
/// Kinds below are of tables, chains and rules; the others are of sets, whose elements come with
/// every container.
const FIRST_OF_SETS: u16 = 9;
/// Elements that go: somebody has emptied a set, or many containers are gone.
const DELETE_ELEMENT: u16 = 14;

/// News of the machine's rules.
#[derive(Debug)]
pub struct Changes(Socket);

impl Changes {
    /// Hears of changes from here on.
    ///
    /// # Errors
    ///
    /// `EPERM` without CAP_NET_ADMIN; `EPROTONOSUPPORT` without nf_tables.
    pub fn listen() -> Result<Self> {
        Socket::listen(Protocol::Netfilter, GROUP).map(Self).step(|| "hear of changed rules")
    }

    /// Readable when there is news.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.0.fd()
    }

    /// Takes all news. Whether a table, a chain or a rule came or went, or an element of a set
    /// went, or may have.
    pub fn take(&self) -> bool {
        let is_of_rules = |kind: u16| {
            let of = kind & 0xff;
            kind >> 8 == SUBSYSTEM && (of < FIRST_OF_SETS || of == DELETE_ELEMENT)
        };
        self.0.take_news(is_of_rules).unwrap_or(true)
    }
}
