//! Pseudo-terminals of a given devpts instance.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;

use super::{Result, check, check_ret};

/// Opens a new pseudo-terminal in the devpts instance with the root `devpts`, and returns the
/// master.
///
/// # Errors
///
/// `ENOSPC` if the instance is full.
pub fn open_master(devpts: BorrowedFd<'_>) -> Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let master =
        check(rustix::fs::openat(devpts, c"ptmx", flags, Mode::empty()), || "open(pts/ptmx)".to_owned())?;
    check(rustix::pty::unlockpt(&master), || "ioctl(TIOCSPTLCK, 0)".to_owned())?;
    Ok(master)
}

/// Opens the slave of a pseudo-terminal, without a path that someone could have replaced.
///
/// # Errors
///
/// `EIO` if the terminal is gone.
pub fn open_peer(master: BorrowedFd<'_>) -> Result<OwnedFd> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    check(rustix::pty::ioctl_tiocgptpeer(master, flags), || "ioctl(TIOCGPTPEER)".to_owned())
}

/// Sets the size of a terminal.
///
/// # Errors
///
/// `ENOTTY` if it is not a terminal.
pub fn set_size(terminal: BorrowedFd<'_>, columns: u16, rows: u16) -> Result<()> {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    check(rustix::termios::tcsetwinsize(terminal, size), || format!("ioctl(TIOCSWINSZ, {columns}x{rows})"))
}

/// Makes a terminal the controlling terminal of this session.
///
/// # Errors
///
/// `EPERM` if this process is not a session leader.
pub fn make_controlling(terminal: BorrowedFd<'_>) -> Result<()> {
    // SAFETY: the request takes a number.
    let ret = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY, 0) };
    check_ret(ret.into(), || "ioctl(TIOCSCTTY)".to_owned())?;
    Ok(())
}
