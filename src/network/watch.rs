//! Watches for changes to the machine's rules by anyone, such as `nft flush ruleset` or a reloaded
//! firewall.

use std::os::fd::BorrowedFd;

use super::error::{Result, Step};
use super::nft;
use super::plan::NetworkPaths;
use super::rules::Names;
use crate::sys::netlink::{Protocol, Socket};

/// `NFNLGRP_NFTABLES`.
const GROUP: u32 = 7;
/// The subsystem of nf_tables, in the upper byte of a message's type.
const SUBSYSTEM: u16 = 10;
/// Types below this one are of tables, chains and rules. The others are of sets, whose elements
/// change with every container, and in tables of others with every blocked address.
const FIRST_OF_SETS: u16 = 9;

/// A listener for changes to the machine's rules.
#[derive(Debug)]
pub struct Changes {
    socket: Socket,
    names: Names,
}

impl Changes {
    /// Starts to listen for changes that affect the networks of `paths`.
    ///
    /// # Errors
    ///
    /// `EPERM` without CAP_NET_ADMIN; `EPROTONOSUPPORT` without nf_tables.
    pub fn listen(paths: &NetworkPaths) -> Result<Self> {
        let socket =
            Socket::listen(Protocol::Netfilter, GROUP).step(|| "listen for changed firewall rules")?;
        Ok(Self { socket, names: Names::of(&paths.engine) })
    }

    /// Returns the descriptor, which is readable after a change.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.socket.fd()
    }

    /// Consumes all notifications. Returns whether a table, a chain or a rule was added or removed,
    /// or an element of our sets was removed, or may have been.
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
