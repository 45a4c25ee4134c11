//! The loopback interface of the current network namespace.

use std::os::fd::AsRawFd as _;

use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::{Result, check, check_ret};

#[repr(C)]
struct Request {
    name: [u8; 16],
    flags: libc::c_short,
    rest: [u8; 22],
}

/// Brings `lo` up.
///
/// # Errors
///
/// `EPERM` without CAP_NET_ADMIN in the network's user namespace.
pub fn bring_up() -> Result<()> {
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None);
    let socket = check(socket, || "socket(AF_INET, SOCK_DGRAM)".to_owned())?;
    let up = libc::c_short::try_from(libc::IFF_UP | libc::IFF_RUNNING).unwrap_or_default();
    let mut request = Request { name: [0; 16], flags: up, rest: [0; 22] };
    request.name[..2].copy_from_slice(b"lo");
    // SAFETY: `request` has the layout of `struct ifreq`: a name of 16 bytes, followed by a union
    // of 24 bytes, of which the kernel reads the first two.
    let ret = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    check_ret(ret.into(), || "ioctl(lo, SIOCSIFFLAGS, IFF_UP)".to_owned())?;
    Ok(())
}
