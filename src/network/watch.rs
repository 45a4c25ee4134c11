//! Changes of the machine's rules, by whoever made them: `nft flush ruleset`, a firewall that
//! is loaded again.

use std::os::fd::BorrowedFd;

use super::error::{Result, Step};
use super::nft;
use super::plan::NetworkPaths;
use super::rules::Names;
use crate::sys::netlink::{Protocol, Socket};

/// `NFNLGRP_NFTABLES`
const GROUP: u32 = 7;
/// The subsystem of nf_tables is the upper byte of a message's kind.
const SUBSYSTEM: u16 = 10;
/// Kinds below are of tables, chains and rules; the others are of sets, whose elements come with
/// every container, and in others' tables with every address that they block.
const FIRST_OF_SETS: u16 = 9;

/// News of the machine's rules.
#[derive(Debug)]
pub struct Changes {
    socket: Socket,
    names: Names,
}

impl Changes {
    /// Hears from here on of changes that concern the networks of `paths`.
    ///
    /// # Errors
    ///
    /// `EPERM` without CAP_NET_ADMIN; `EPROTONOSUPPORT` without nf_tables.
    pub fn listen(paths: &NetworkPaths) -> Result<Self> {
        let socket = Socket::listen(Protocol::Netfilter, GROUP).step(|| "hear of changed rules")?;
        Ok(Self { socket, names: Names::of(&paths.engine) })
    }

    /// Readable when there is news.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.socket.fd()
    }

    /// Takes all news. Whether a table, a chain or a rule came or went, or an element of a set of
    /// ours went, or may have.
    pub fn take(&self) -> bool {
        let is_wanted = |kind: u16, payload: &[u8]| {
            let of = kind & 0xff;
            kind >> 8 == SUBSYSTEM
                && (of < FIRST_OF_SETS
                    || nft::table_of_deleted(of, payload).is_some_and(|table| self.names.is_own(&table)))
        };
        self.socket.take_news(is_wanted).unwrap_or(true)
    }
}
