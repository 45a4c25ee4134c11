//! Detects a standard output that was closed when the program started.
//!
//! Rust's runtime opens `/dev/null` for closed standard streams before `main` runs, so that no other
//! file gets their numbers. Output written there is lost without an error.

use std::io;
use std::sync::atomic::{AtomicI32, Ordering};

/// The error number of the descriptor, or 0.
static OUTPUT: AtomicI32 = AtomicI32::new(0);

/// Called by the C library before Rust's runtime starts.
// SAFETY: the section is a list of pointers to functions, and this is one. The C library may pass
// arguments, which a function without parameters ignores, and nothing unwinds out of `extern "C"`.
// It runs before Rust's runtime, perhaps before other constructors, and needs neither: it makes one
// system call, `fcntl`, allocates nothing, and stores to an atomic that is initialized statically.
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
