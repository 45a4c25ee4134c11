//! Detects a standard output that was closed when the program started.
//!
//! Rust's runtime opens `/dev/null` for closed standard streams before `main` runs, so that no other
//! file gets their numbers. Output written there is lost without an error.

use std::io;
use std::sync::atomic::{AtomicI32, Ordering};

/// The error number of the descriptor, or 0.
static OUTPUT: AtomicI32 = AtomicI32::new(0);

/// Called by the C library before Rust's runtime starts.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    if let Err(errno) = rustix::io::fcntl_getfd(rustix::stdio::stdout()) {
        OUTPUT.store(errno.raw_os_error(), Ordering::Relaxed);
    }
}

/// Checks that standard output was open when the program started.
///
/// # Errors
///
/// `EBADF` if it was closed.
pub fn check_output() -> io::Result<()> {
    match OUTPUT.load(Ordering::Relaxed) {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}
