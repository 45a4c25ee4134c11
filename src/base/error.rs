//! Kinds of errors, and hints on what to do about them.
//!
//! Each module has its own `thiserror` enum; this is what they share. A front end maps the kind to
//! an exit code, an HTTP status or a colour, in one place.

use std::error::Error;

use super::text;

/// What an error means to the caller, whichever module it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The named object does not exist (HTTP 404).
    NotFound,
    /// The state of the object, or another object, does not allow it (HTTP 409).
    Conflict,
    /// The request is invalid (HTTP 400).
    Invalid,
    /// A name matches several objects (HTTP 400).
    Ambiguous,
    /// The caller lacks permission (HTTP 403).
    Denied,
    /// This machine or this version does not support it (HTTP 501).
    Unsupported,
    /// A registry, a monitor or another peer does not answer (HTTP 503).
    Unreachable,
    /// Data does not match its digest, size or format (HTTP 500).
    Corrupt,
    /// Stopped by the user or by a signal.
    Interrupted,
    /// The program to run is missing in the container (exit code 127).
    ProgramNotFound,
    /// The program to run cannot be executed (exit code 126).
    ProgramNotRunnable,
    /// A system call or another step failed unexpectedly (HTTP 500).
    Internal,
}

/// An error that knows its kind and, possibly, a remedy.
pub trait Explain: Error + Send + Sync + 'static {
    /// Returns what the failure means to the caller.
    fn kind(&self) -> ErrorKind;

    /// Returns what to do about it: one imperative sentence without a full stop.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// Returns the kind of a system error, for modules without a more specific one.
#[must_use]
pub fn io_kind(error: &std::io::Error) -> ErrorKind {
    use std::io::ErrorKind as Io;
    match error.kind() {
        Io::NotFound => ErrorKind::NotFound,
        Io::PermissionDenied => ErrorKind::Denied,
        Io::InvalidInput => ErrorKind::Invalid,
        Io::Unsupported => ErrorKind::Unsupported,
        Io::Interrupted => ErrorKind::Interrupted,
        Io::InvalidData | Io::UnexpectedEof => ErrorKind::Corrupt,
        Io::ConnectionRefused | Io::ConnectionReset | Io::TimedOut | Io::NotConnected => {
            ErrorKind::Unreachable
        }
        _ => ErrorKind::Internal,
    }
}

/// Whether this process or the machine has run out of file descriptors.
#[must_use]
pub fn lacks_descriptors(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// The hint for when no process or thread can be started.
pub const RAISE_PROCESSES: &str = "raise the limit on processes: `ulimit -u`, or `pids.max` of the cgroup";

/// Returns the hint for a system error, where one applies everywhere.
#[must_use]
pub fn io_hint(error: &std::io::Error) -> Option<String> {
    use std::io::ErrorKind as Io;
    match error.kind() {
        _ if lacks_descriptors(error) => Some("raise the limit on open files: `ulimit -n`".to_owned()),
        Io::StorageFull | Io::QuotaExceeded => Some(
            "free some disk space there; in hoist's data folder, `hoist images` and `hoist rmi` show and \
             remove what fills it"
                .to_owned(),
        ),
        Io::ReadOnlyFilesystem => Some(
            "make that file system writable, or use another one: `--root` and `--run-root` for hoist's own \
             folders"
                .to_owned(),
        ),
        Io::PermissionDenied => Some("run it as root: `sudo hoist …`".to_owned()),
        _ => None,
    }
}

/// Formats an error for users: what failed, why, and what to do. Text from outside is made harmless
/// and cannot pass for a line of its own.
#[must_use]
pub fn report(what: &str, causes: &[String], hint: Option<String>) -> String {
    let mut report = format!("error: {}\n", text::line(what));
    for cause in causes {
        // Some causes have several lines, to show a place in a file.
        let lines: Vec<_> = cause.lines().map(text::line).collect();
        report += &format!("  because {}\n", lines.join("\n    "));
    }
    if let Some(hint) = hint {
        report += &format!("hint: {}\n", text::line(&hint));
    }
    report
}

/// Formats an error and its causes as one line.
#[must_use]
pub fn one_line(error: &dyn Error) -> String {
    chain(error).join(": ")
}

/// Returns all messages from `error` down to its root cause.
pub fn chain(error: &dyn Error) -> Vec<String> {
    let mut messages = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        messages.push(error.to_string());
        cause = error.source();
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_that_takes_nothing_has_a_hint_that_holds_wherever_it_is() {
        let hints = [libc::ENOSPC, libc::EDQUOT, libc::EROFS].map(|errno| {
            let error = std::io::Error::from_raw_os_error(errno);
            format!("{error}: {}", io_hint(&error).unwrap_or_default())
        });
        insta::assert_snapshot!(hints.join("\n"), @"
        No space left on device (os error 28): free some disk space there; in hoist's data folder, `hoist images` and `hoist rmi` show and remove what fills it
        Disk quota exceeded (os error 122): free some disk space there; in hoist's data folder, `hoist images` and `hoist rmi` show and remove what fills it
        Read-only file system (os error 30): make that file system writable, or use another one: `--root` and `--run-root` for hoist's own folders
        ");
    }
}
