//! What kind of failure an error is, and what its reader can do about it.
//!
//! Each module has its own `thiserror` enum; this is what they share. A front end turns
//! the kind into an exit code, an HTTP status or a colour, once.

use std::error::Error;

use super::text;

/// What an error means for the one who asked, whatever the module it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The named object does not exist (HTTP 404).
    NotFound,
    /// The object's state, or another object, forbids it (HTTP 409).
    Conflict,
    /// The request itself cannot be right (HTTP 400).
    Invalid,
    /// A word fits several objects (HTTP 400).
    Ambiguous,
    /// The caller may not do this (HTTP 403).
    Denied,
    /// Neither this machine nor this version can do it (HTTP 501).
    Unsupported,
    /// A registry, a monitor or another peer does not answer (HTTP 503).
    Unreachable,
    /// Bytes are not what their digest, size or format says (HTTP 500).
    Corrupt,
    /// Stopped by the user or by a signal.
    Interrupted,
    /// The program to run is missing in the container (exit code 127).
    ProgramNotFound,
    /// The program to run cannot be executed (exit code 126).
    ProgramNotRunnable,
    /// A system call or another step failed where none should (HTTP 500).
    Internal,
}

/// An error that knows its kind and, where there is one, the way out.
pub trait Explain: Error + Send + Sync + 'static {
    /// What the failure means for the one who asked.
    fn kind(&self) -> ErrorKind;

    /// What to do about it: one imperative sentence without a full stop.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// The kind of a bare system error, where a module has nothing better to say.
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

/// Whether this process, or the machine, has no descriptor left.
#[must_use]
pub fn lacks_descriptors(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// What to do where no process or thread can be started.
pub const RAISE_PROCESSES: &str = "raise the limit of processes: `ulimit -u`, or `pids.max` of the cgroup";

/// What to do about a bare system error, where that is the same everywhere.
#[must_use]
pub fn io_hint(error: &std::io::Error) -> Option<String> {
    use std::io::ErrorKind as Io;
    match error.kind() {
        _ if lacks_descriptors(error) => Some("raise the limit of open files: `ulimit -n`".to_owned()),
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

/// An error as people read it: what failed, its causes, and what to do. What others wrote in
/// it is harmless, and cannot pass for a line of its own.
#[must_use]
pub fn report(what: &str, causes: &[String], hint: Option<String>) -> String {
    let mut report = format!("error: {}\n", text::line(what));
    for cause in causes {
        // Some causes are a picture of several lines: where in a file a mistake is.
        let lines: Vec<_> = cause.lines().map(text::line).collect();
        report += &format!("  because {}\n", lines.join("\n    "));
    }
    if let Some(hint) = hint {
        report += &format!("hint: {}\n", text::line(&hint));
    }
    report
}

/// An error as one line: what failed, why, and why that.
#[must_use]
pub fn one_line(error: &dyn Error) -> String {
    chain(error).join(": ")
}

/// Every message from `error` down to its root cause.
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
