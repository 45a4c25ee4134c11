//! Unix sockets that preserve message boundaries (`SOCK_SEQPACKET`): unix(7).

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendFlags,
    SocketAddrUnix, SocketFlags, SocketType, sockopt,
};

use super::{Error, Result, check};

/// The result of sending a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// The message is in the peer's queue.
    Whole,
    /// The queue is full, and nothing was sent.
    Full,
    /// The peer is gone.
    Gone,
}

/// The result of receiving a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// A message of this many bytes.
    Message(usize),
    /// No message is pending.
    Nothing,
    /// The peer is gone, or its message did not fit into the buffer.
    Gone,
}

/// Creates two connected sockets.
///
/// # Errors
///
/// `EMFILE`.
pub fn pair() -> Result<(OwnedFd, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC;
    let pair = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None);
    check(pair, || "socketpair(AF_UNIX, SOCK_SEQPACKET)".to_owned())
}

/// Creates a listening, non-blocking socket `name` in the folder `dir` with mode 0600, replacing an
/// existing one.
///
/// # Errors
///
/// `EACCES` or similar for the folder.
pub fn listen(dir: &Path, name: &str) -> Result<OwnedFd> {
    let folder = open_folder(dir)?;
    let call = |what: &str| format!("{what}({dir:?}/{name})");
    let _ = rustix::fs::unlinkat(&folder, name, rustix::fs::AtFlags::empty());
    let socket = socket(SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?;
    let address = address(folder.as_fd(), name)?;
    check(rustix::net::bind(&socket, &address), || call("bind"))?;
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    check(rustix::fs::chmodat(&folder, name, mode, rustix::fs::AtFlags::empty()), || call("chmod"))?;
    check(rustix::net::listen(&socket, 64), || call("listen"))?;
    Ok(socket)
}

/// Connects to the socket `name` in the folder `dir`. The connection is blocking.
///
/// # Errors
///
/// `ENOENT` or `ECONNREFUSED` if nobody listens; `EAGAIN` if the queue of clients stays full for
/// `patience`.
pub fn connect(dir: &Path, name: &str, patience: Duration) -> Result<OwnedFd> {
    let folder = open_folder(dir)?;
    let socket = socket(SocketFlags::CLOEXEC)?;
    let address = address(folder.as_fd(), name)?;
    let limit = |time| {
        let set = sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, time);
        check(set, || "setsockopt(SO_SNDTIMEO)".to_owned())
    };
    limit(Some(patience))?;
    check(rustix::net::connect(&socket, &address), || format!("connect({dir:?}/{name})"))?;
    limit(None)?;
    Ok(socket)
}

/// Accepts the next client of a listening socket; `None` if there is none. The connection is
/// non-blocking.
///
/// # Errors
///
/// `EMFILE`.
pub fn accept(listener: BorrowedFd<'_>) -> Result<Option<OwnedFd>> {
    match rustix::net::accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
        Ok(client) => Ok(Some(client)),
        Err(Errno::AGAIN | Errno::CONNABORTED | Errno::INTR) => Ok(None),
        Err(errno) => Err(Error::new("accept4()", errno)),
    }
}

/// Returns the user id of the peer process.
///
/// # Errors
///
/// None in practice.
pub fn peer_uid(socket: BorrowedFd<'_>) -> Result<u32> {
    let peer = rustix::net::sockopt::socket_peercred(socket);
    Ok(check(peer, || "getsockopt(SO_PEERCRED)".to_owned())?.uid.as_raw())
}

/// Returns a pidfd of the peer process; for a client, that of the process that called listen(2).
/// The pidfd refers to that process even if its id has been reused.
///
/// # Errors
///
/// `ESRCH` if it is gone.
pub fn peer(socket: BorrowedFd<'_>) -> Result<OwnedFd> {
    match nix::sys::socket::getsockopt(&socket, nix::sys::socket::sockopt::PeerPidfd) {
        // Before Linux 6.5 only the process id is available.
        Err(nix::errno::Errno::ENOPROTOOPT) => {
            let peer = check(sockopt::socket_peercred(socket), || "getsockopt(SO_PEERCRED)".to_owned())?;
            super::process::open(peer.pid.as_raw_nonzero().get())
        }
        peer => check(peer, || "getsockopt(SO_PEERPIDFD)".to_owned()),
    }
}

/// Sends one message, gathered from parts.
///
/// # Errors
///
/// `EMSGSIZE` if it is larger than the socket's buffer.
pub fn send(socket: BorrowedFd<'_>, parts: &[&[u8]]) -> Result<Sent> {
    let slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut nothing = SendAncillaryBuffer::default();
    loop {
        return match rustix::net::sendmsg(socket, &slices, &mut nothing, SendFlags::NOSIGNAL) {
            Ok(_) => Ok(Sent::Whole),
            Err(Errno::INTR) => continue,
            Err(Errno::AGAIN | Errno::NOBUFS) => Ok(Sent::Full),
            Err(Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN) => Ok(Sent::Gone),
            Err(errno) => Err(Error::new(format!("sendmsg({} parts)", parts.len()), errno)),
        };
    }
}

/// Receives one message.
///
/// # Errors
///
/// None in practice.
pub fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<Received> {
    loop {
        let mut slices = [IoSliceMut::new(buffer)];
        let mut nothing = RecvAncillaryBuffer::default();
        return match rustix::net::recvmsg(socket, &mut slices, &mut nothing, RecvFlags::empty()) {
            // If the peer closed without reading everything, this is reported once, before its
            // messages.
            Err(Errno::INTR | Errno::CONNRESET) => continue,
            Err(Errno::AGAIN) => Ok(Received::Nothing),
            Err(Errno::PIPE | Errno::NOTCONN) => Ok(Received::Gone),
            Err(errno) => Err(Error::new("recvmsg()", errno)),
            Ok(message) if message.flags.contains(ReturnFlags::TRUNC) => Ok(Received::Gone),
            // Every message starts with a type byte, so an empty one means the end.
            Ok(message) if message.bytes == 0 => Ok(Received::Gone),
            Ok(message) => Ok(Received::Message(message.bytes)),
        };
    }
}

/// Makes a descriptor non-blocking.
///
/// # Errors
///
/// None in practice.
pub fn set_nonblocking(fd: BorrowedFd<'_>) -> Result<()> {
    let flags = check(rustix::fs::fcntl_getfl(fd), || "fcntl(F_GETFL)".to_owned())?;
    check(rustix::fs::fcntl_setfl(fd, flags | rustix::fs::OFlags::NONBLOCK), || {
        "fcntl(F_SETFL, O_NONBLOCK)".to_owned()
    })
}

fn socket(flags: SocketFlags) -> Result<OwnedFd> {
    let made = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None);
    check(made, || "socket(AF_UNIX, SOCK_SEQPACKET)".to_owned())
}

fn open_folder(dir: &Path) -> Result<OwnedFd> {
    super::fs::open_dir(dir)
}

/// Returns an address through the folder's descriptor: an address holds 108 bytes, and paths may be
/// longer.
fn address(folder: BorrowedFd<'_>, name: &str) -> Result<SocketAddrUnix> {
    let path = format!("/proc/self/fd/{}/{name}", folder.as_raw_fd());
    check(SocketAddrUnix::new(path.as_str()), || format!("sockaddr_un({path})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_listener_that_takes_nobody_on_is_not_waited_for_without_end() {
        let dir = tempfile::tempdir().unwrap();
        let _listener = listen(dir.path(), "control").unwrap();
        let mut waiting = Vec::new();
        let full = loop {
            match connect(dir.path(), "control", Duration::from_millis(10)) {
                Ok(client) => waiting.push(client),
                Err(error) => break error,
            }
        };
        assert_eq!((full.errno(), waiting.len() > 10), (libc::EAGAIN, true));
    }

    #[test]
    fn messages_keep_their_borders_over_a_path_of_any_length() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("x".repeat(200));
        std::fs::create_dir(&deep).unwrap();
        let listener = listen(&deep, "control").unwrap();
        let listener_again = listen(&deep, "control").unwrap();
        drop(listener);
        let client = connect(&deep, "control", LONG).unwrap();
        let server = accept(listener_again.as_fd()).unwrap().unwrap();
        assert!(accept(listener_again.as_fd()).unwrap().is_none());
        assert_eq!(peer_uid(server.as_fd()).unwrap(), rustix::process::getuid().as_raw());
        let listener = super::super::pidfd::pid(peer(client.as_fd()).unwrap().as_fd());
        assert_eq!(listener.unwrap().cast_unsigned(), std::process::id());
        send(client.as_fd(), &[b"a", b"bc"]).unwrap();
        send(client.as_fd(), &[b"d"]).unwrap();
        let mut buffer = [0; 8];
        assert_eq!(receive(server.as_fd(), &mut buffer).unwrap(), Received::Message(3));
        assert_eq!(&buffer[..3], b"abc");
        assert_eq!(receive(server.as_fd(), &mut buffer).unwrap(), Received::Message(1));
        assert_eq!(receive(server.as_fd(), &mut buffer).unwrap(), Received::Nothing);
        drop(client);
        assert_eq!(receive(server.as_fd(), &mut buffer).unwrap(), Received::Gone);
        assert_eq!(send(server.as_fd(), &[b"x"]).unwrap(), Sent::Gone);
    }

    #[test]
    fn a_full_queue_is_told_and_a_message_too_large_ends_it() {
        let (a, b) = pair().unwrap();
        set_nonblocking(a.as_fd()).unwrap();
        let mut sent = 0;
        while send(a.as_fd(), &[&[0; 1000]]).unwrap() == Sent::Whole {
            sent += 1;
        }
        assert!(sent > 10, "{sent}");
        assert_eq!(receive(b.as_fd(), &mut [0; 10]).unwrap(), Received::Gone);
    }

    #[test]
    fn the_last_words_of_a_peer_that_did_not_listen_are_heard() {
        let (a, b) = pair().unwrap();
        send(b.as_fd(), &[b"unread"]).unwrap();
        send(a.as_fd(), &[b"last"]).unwrap();
        drop(a);
        let mut buffer = [0; 10];
        assert_eq!(receive(b.as_fd(), &mut buffer).unwrap(), Received::Message(4));
        assert_eq!(receive(b.as_fd(), &mut buffer).unwrap(), Received::Gone);
    }

    #[test]
    fn nobody_listening_is_an_error_with_the_path() {
        let dir = tempfile::tempdir().unwrap();
        let error = connect(dir.path(), "control", LONG).unwrap_err();
        assert_eq!(error.errno(), libc::ENOENT);
        assert!(error.to_string().ends_with("/control)"), "{error}");
    }
}
