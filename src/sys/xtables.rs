//! Reads the rules of the old iptables (`x_tables`), which nf_tables does not show, with
//! `IPT_SO_GET_INFO` and `IPT_SO_GET_ENTRIES` of `linux/netfilter_ipv4/ip_tables.h`.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::net::{AddressFamily, RawProtocol, SocketFlags, SocketType, ipproto, socket_with};

use super::{Result, check, check_ret};

const GET_INFO: libc::c_int = 64;
const GET_ENTRIES: libc::c_int = 65;
/// `struct ipt_getinfo`.
const INFO: usize = 84;
const NAME: usize = 32;
/// The header before the entries: name and size, padded.
const BEFORE_ENTRIES: usize = 40;

/// A table in the kernel's format.
#[derive(Debug, Clone)]
pub struct Table {
    /// The offsets in `entries` of the policies of the hooks prerouting, input, forward, output and
    /// postrouting.
    pub policies: [u32; 5],
    /// A sequence of `struct ipt_entry`.
    pub entries: Vec<u8>,
}

/// Reads an IPv4 table.
///
/// # Errors
///
/// `ENOENT` if there is no such table, `ENOPROTOOPT` if the kernel has no x_tables, `EPERM` without
/// `CAP_NET_ADMIN`, `EAGAIN` if the table changed in between.
pub fn table(name: &str) -> Result<Table> {
    let raw = RawProtocol::new(255).map(rustix::net::Protocol::from_raw);
    let socket =
        socket_with(AddressFamily::INET, SocketType::RAW, SocketFlags::CLOEXEC, raw.or(Some(ipproto::RAW)));
    let socket = check(socket, || "socket(AF_INET, SOCK_RAW, IPPROTO_RAW)".to_owned())?;
    let mut info = [0; INFO];
    put_name(&mut info, name);
    get(&socket, GET_INFO, &mut info, || format!("getsockopt(IPT_SO_GET_INFO, {name:?})"))?;
    let policies = [0, 1, 2, 3, 4].map(|hook| word(&info, NAME + 4 + 20 + 4 * hook));
    let size = word(&info, INFO - 4);
    let mut entries = vec![0; BEFORE_ENTRIES + size as usize];
    put_name(&mut entries, name);
    entries[NAME..NAME + 4].copy_from_slice(&size.to_ne_bytes());
    get(&socket, GET_ENTRIES, &mut entries, || format!("getsockopt(IPT_SO_GET_ENTRIES, {name:?})"))?;
    entries.drain(..BEFORE_ENTRIES);
    Ok(Table { policies, entries })
}

fn put_name(to: &mut [u8], name: &str) {
    for (to, from) in to.iter_mut().zip(name.bytes().take(NAME - 1)) {
        *to = from;
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_ne_bytes)
}

fn get(socket: &OwnedFd, option: libc::c_int, to: &mut [u8], call: impl FnOnce() -> String) -> Result<()> {
    let Ok(mut length) = libc::socklen_t::try_from(to.len()) else {
        return check(Err(io::Error::from(io::ErrorKind::FileTooLarge)), call);
    };
    // SAFETY: `to` is writable for `length` bytes, and the kernel writes no more than that. Both
    // outlive the call.
    let ret = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            option,
            to.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    check_ret(ret.into(), call).map(|_| ())
}
