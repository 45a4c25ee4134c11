//! Sends the terminal's master to the console socket.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

use super::{Failed, refuse};
use crate::base::disk;

/// Connects before anything is created, so that a wrong path fails early. Who stays with the process
/// needs no socket for its terminal.
pub(super) fn connect(
    path: Option<&Path>,
    wants_terminal: bool,
    stays: bool,
) -> Result<Option<UnixStream>, Failed> {
    match (path, wants_terminal) {
        (Some(path), true) => {
            Ok(Some(UnixStream::connect(path).map_err(|error| disk::Error::io("connect to", path)(error))?))
        }
        (None, false) => Ok(None),
        (None, true) if stays => Ok(None),
        (None, true) => refuse("a process with a terminal requires --console-socket"),
        (Some(_), false) => refuse("--console-socket requires a process with a terminal"),
    }
}

/// Sends the master.
pub(super) fn send(socket: &UnixStream, master: BorrowedFd<'_>) -> Result<(), Failed> {
    let fds = [master];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    rustix::net::sendmsg(socket, &[IoSlice::new(b"/dev/ptmx")], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}
