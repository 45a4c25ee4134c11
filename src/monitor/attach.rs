//! The client's side of a session: connecting, and decoding its packets.

use std::os::fd::OwnedFd;

use super::launch::{Error, connect as connect_to, hear_answer, send_hello};
use super::wire::{Answer, Ask, Attach, tag};
use crate::base::{ContainerId, ExecId, Paths};
use crate::container::log::Stream;
use crate::sys::socket;

/// Output of a container's process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Bytes of a stream.
    Bytes(Stream, Vec<u8>),
    /// A best-effort client was too slow: this many bytes are missing here.
    Skipped(u64),
    /// The process exited; nothing follows.
    Exited(u8),
    /// The connection ended without an exit: the monitor was killed, or the client detached.
    Closed,
}

impl Output {
    /// Decodes a packet of a monitor; `None` for an unknown packet of a newer one.
    #[must_use]
    pub fn parse(packet: &[u8]) -> Option<Self> {
        let (tag, payload) = packet.split_first()?;
        Some(match *tag {
            tag::STDOUT => Self::Bytes(Stream::Stdout, payload.to_vec()),
            tag::STDERR => Self::Bytes(Stream::Stderr, payload.to_vec()),
            tag::SKIPPED => Self::Skipped(payload.try_into().map(u64::from_le_bytes).unwrap_or_default()),
            tag::EXITED => Self::Exited(payload.first().copied().unwrap_or(255)),
            _ => return None,
        })
    }
}

/// A connection that a monitor has accepted.
#[derive(Debug)]
pub struct Connection {
    /// The socket for its packets.
    pub socket: OwnedFd,
    /// Whether the process has a terminal.
    pub tty: bool,
    /// The container.
    pub container: ContainerId,
    /// The command, unless it is the container's own process.
    pub exec: Option<ExecId>,
}

/// Returns a pair of sockets: ours, on which the request was already sent, and one for the monitor
/// to be launched.
///
/// # Errors
///
/// If no descriptors are available.
pub fn early(wish: Attach) -> Result<(OwnedFd, OwnedFd), Error> {
    let (ours, theirs) = socket::pair()?;
    send_hello(&ours, Ask::Attach(wish))?;
    Ok((ours, theirs))
}

/// Waits until the client is accepted; returns whether there is a terminal.
///
/// # Errors
///
/// As for [`hear_answer`].
pub fn accepted(socket: &OwnedFd) -> Result<bool, Error> {
    match hear_answer(socket, None)? {
        Answer::Attached { tty } => Ok(tty),
        _ => Err(Error::Gone),
    }
}

/// Connects to the process of a container that is up, or to a command that is running in it.
///
/// # Errors
///
/// As for [`super::launch::ask`].
pub fn connect(
    paths: &Paths,
    id: &ContainerId,
    exec: Option<&ExecId>,
    wish: Attach,
) -> Result<Connection, Error> {
    let socket = connect_to(paths, id, exec)?;
    send_hello(&socket, Ask::Attach(wish))?;
    let tty = accepted(&socket)?;
    Ok(Connection { socket, tty, container: id.clone(), exec: exec.cloned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_say_what_the_process_did() {
        for (packet, want) in [
            (&b"Ohello"[..], Some(Output::Bytes(Stream::Stdout, b"hello".to_vec()))),
            (b"E", Some(Output::Bytes(Stream::Stderr, Vec::new()))),
            (b"K\x02\x01\0\0\0\0\0\0", Some(Output::Skipped(258))),
            (b"K\x02", Some(Output::Skipped(0))),
            (b"X\x07", Some(Output::Exited(7))),
            (b"X", Some(Output::Exited(255))),
            (b"?of a newer monitor", None),
            (b"", None),
        ] {
            assert_eq!(Output::parse(packet), want, "{packet:?}");
        }
    }

    #[test]
    fn a_client_that_nobody_takes_is_told() {
        let (ours, theirs) = early(Attach::default()).unwrap();
        drop(theirs);
        assert!(matches!(accepted(&ours), Err(Error::Gone)));
    }
}
