//! System calls. This is the only module with `unsafe` code.
//!
//! Each function makes one call, and takes and returns owned or borrowed descriptors. An error is
//! displayed as the call with its arguments; its source is the error number.
#![allow(unsafe_code, reason = "system calls are made here and nowhere else")]

pub mod apparmor;
pub mod bpf;
pub mod cap;
pub mod clone;
pub mod exe;
pub mod fs;
pub mod inherited;
pub mod inotify;
pub mod keyring;
pub mod limit;
pub mod loopback;
pub mod mount;
pub mod netlink;
pub mod ns;
pub mod pidfd;
pub mod probe;
pub mod process;
pub mod pty;
pub mod sched;
pub mod seccomp;
pub mod selinux;
pub mod shared;
pub mod signal;
pub mod socket;
pub mod spawn;
pub mod stdio;
pub mod tree;
pub mod xattr;
pub mod xtables;

use std::io;

use crate::base::error::{ErrorKind, Explain, RAISE_PROCESSES, io_hint, io_kind};

/// A system call that failed.
#[derive(Debug, thiserror::Error)]
#[error("{call}")]
pub struct Error {
    call: String,
    source: io::Error,
}

impl Error {
    /// Creates an error for `call`, written as in C, that failed with `source`.
    pub fn new(call: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self { call: call.into(), source: source.into() }
    }

    /// Returns the call with its arguments.
    #[must_use]
    pub fn call(&self) -> &str {
        &self.call
    }

    /// Returns the error number; 0 if the error is not from the kernel.
    #[must_use]
    pub fn errno(&self) -> i32 {
        self.source.raw_os_error().unwrap_or(0)
    }

    /// Whether the error number is `errno`.
    #[must_use]
    pub fn is(&self, errno: rustix::io::Errno) -> bool {
        self.source.raw_os_error() == Some(errno.raw_os_error())
    }
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        io_kind(&self.source)
    }

    fn hint(&self) -> Option<String> {
        let starts_process =
            ["posix_spawn(", "clone", "fork("].iter().any(|call| self.call.starts_with(call));
        if starts_process && self.is(rustix::io::Errno::AGAIN) {
            return Some(RAISE_PROCESSES.to_owned());
        }
        // `ENOSPC` means a kernel limit here, not a full disk.
        let limits = [
            ("inotify_", "watches", "fs.inotify.max_user_watches"),
            ("open(pts/ptmx", "terminals", "kernel.pty.max"),
        ];
        let limit = limits.iter().find(|(call, ..)| self.call.starts_with(call));
        if let Some((_, what, setting)) = limit.filter(|_| self.is(rustix::io::Errno::NOSPC)) {
            return Some(format!("raise the limit on {what}: `sysctl {setting}`"));
        }
        io_hint(&self.source)
    }
}

/// The result of a system call.
pub type Result<T> = std::result::Result<T, Error>;

/// Converts a result of `rustix`, `nix` or `std`. `call` is evaluated only on failure.
///
/// # Errors
///
/// The error in `result`.
pub fn check<T, E: Into<io::Error>>(
    result: std::result::Result<T, E>,
    call: impl FnOnce() -> String,
) -> Result<T> {
    result.map_err(|source| Error::new(call(), source))
}

/// Converts the return value of a libc call, -1 with `errno`, into a result.
///
/// # Errors
///
/// `errno`, if `ret` is -1.
pub fn check_ret(ret: libc::c_long, call: impl FnOnce() -> String) -> Result<libc::c_long> {
    if ret == -1 { Err(Error::new(call(), io::Error::last_os_error())) } else { Ok(ret) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_call_prints_as_the_call_and_its_cause() {
        let error =
            check::<(), _>(Err(rustix::io::Errno::PERM), || "mount(\"proc\")".to_owned()).unwrap_err();
        assert_eq!(
            crate::base::error::chain(&error),
            ["mount(\"proc\")", "Operation not permitted (os error 1)"]
        );
        assert!(error.is(rustix::io::Errno::PERM));
        assert_eq!((error.errno(), error.kind()), (1, ErrorKind::Denied));
    }

    #[test]
    fn what_has_no_space_is_not_always_a_disk() {
        for (call, hint) in [
            ("open(pts/ptmx)", "raise the limit on terminals: `sysctl kernel.pty.max`"),
            ("inotify_add_watch(\"/x\")", "raise the limit on watches: `sysctl fs.inotify.max_user_watches`"),
            ("write(\"/x\")", "free some disk space there"),
        ] {
            let error = check::<(), _>(Err(rustix::io::Errno::NOSPC), || call.to_owned()).unwrap_err();
            assert!(error.hint().unwrap().starts_with(hint), "{call}: {:?}", error.hint());
        }
    }
}
