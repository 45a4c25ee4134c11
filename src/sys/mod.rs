//! System calls: the only place with `unsafe`.
//!
//! One call a function, owned descriptors in and out; a failed call prints as the call
//! with its arguments, and its cause is the error number.
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
pub mod seccomp;
pub mod selinux;
pub mod shared;
pub mod signal;
pub mod socket;
pub mod spawn;
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
    /// `call`, written as in C, failed for the reason `source`.
    pub fn new(call: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self { call: call.into(), source: source.into() }
    }

    /// The call with its arguments.
    #[must_use]
    pub fn call(&self) -> &str {
        &self.call
    }

    /// The error number; 0 when the cause is not the kernel's.
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
        // No disk is full then.
        let limits = [
            ("inotify_", "watches", "fs.inotify.max_user_watches"),
            ("open(pts/ptmx", "terminals", "kernel.pty.max"),
        ];
        let limit = limits.iter().find(|(call, ..)| self.call.starts_with(call));
        if let Some((_, what, setting)) = limit.filter(|_| self.is(rustix::io::Errno::NOSPC)) {
            return Some(format!("raise the limit of {what}: `sysctl {setting}`"));
        }
        io_hint(&self.source)
    }
}

/// The result of a system call.
pub type Result<T> = std::result::Result<T, Error>;

/// Turns the result of a `rustix`, `nix` or `std` call into ours; `call` is only asked
/// for when it failed.
///
/// # Errors
///
/// `result`'s own.
pub fn check<T, E: Into<io::Error>>(
    result: std::result::Result<T, E>,
    call: impl FnOnce() -> String,
) -> Result<T> {
    result.map_err(|source| Error::new(call(), source))
}

/// Turns the return value of a bare libc call, -1 and `errno`, into a result.
///
/// # Errors
///
/// `errno`, when `ret` is -1.
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
            ("open(pts/ptmx)", "raise the limit of terminals: `sysctl kernel.pty.max`"),
            ("inotify_add_watch(\"/x\")", "raise the limit of watches: `sysctl fs.inotify.max_user_watches`"),
            ("write(\"/x\")", "free some disk space there"),
        ] {
            let error = check::<(), _>(Err(rustix::io::Errno::NOSPC), || call.to_owned()).unwrap_err();
            assert!(error.hint().unwrap().starts_with(hint), "{call}: {:?}", error.hint());
        }
    }
}
