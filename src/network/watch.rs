//! Changes of the machine's rules, by whoever made them: `nft flush ruleset`, a firewall that
//! is loaded again.

use std::os::fd::BorrowedFd;

use super::error::{Result, Step};
use crate::sys::netlink::{Protocol, Socket};

/// `NFNLGRP_NFTABLES`
const GROUP: u32 = 7;
/// The subsystem of nf_tables is the upper byte of a message's kind.
const SUBSYSTEM: u16 = 10;
/// Kinds below are of tables, chains and rules; the others are of sets, whose elements come
/// and go with every container.
const FIRST_OF_SETS: u16 = 9;

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

    /// Takes all news. Whether a table, a chain or a rule came or went, or may have.
    pub fn take(&self) -> bool {
        let is_of_rules = |kind: u16| kind >> 8 == SUBSYSTEM && kind & 0xff < FIRST_OF_SETS;
        self.0.take_news(is_of_rules).unwrap_or(true)
    }
}
