//! systemd, as far as it starts an engine's containers at boot and stops them at shutdown.
//!
//! ```text
//! hoist.service            in /etc/systemd/system, by `system install`: boot and shutdown
//! hoist-shutdown.service   transient, by the first start of a boot where the other is not
//!                          active: shutdown alone
//! ```

pub mod unit;

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::base::{ErrorKind, Explain};

/// Where it is when systemd runs the machine (sd_booted(3)).
const RUNTIME: &str = "/run/systemd/system";
/// Where the administrator's units are.
pub const UNITS: &str = "/etc/systemd/system";

/// Why systemd does not do it.
#[derive(Debug, thiserror::Error)]
pub enum UnitError {
    /// Another program is its init.
    #[error("systemd does not run this machine")]
    NoSystemd {
        /// What is to be run at boot.
        boot: String,
        /// What is to be run at shutdown.
        shutdown: String,
    },
    /// This unit was never installed.
    #[error("{} is not there", .0.display())]
    NotInstalled(PathBuf),
    /// A program of systemd's cannot be run.
    #[error("cannot run `{program}`")]
    NotRun {
        /// Which.
        program: &'static str,
        /// Why.
        source: io::Error,
    },
    /// It says no.
    #[error("`{command}` failed: {said}")]
    Failed {
        /// The whole command.
        command: String,
        /// Its last words.
        said: String,
    },
    /// The kernel does not tell it.
    #[error("the path of this program cannot be told")]
    NoProgram(#[source] io::Error),
}

impl Explain for UnitError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoSystemd { .. } => ErrorKind::Unsupported,
            Self::NotInstalled(_) => ErrorKind::NotFound,
            Self::NotRun { .. } | Self::Failed { .. } | Self::NoProgram(_) => ErrorKind::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoSystemd { boot, shutdown } => Some(format!(
                "have your init system run `{boot}` at boot, and `{shutdown}` at shutdown while the network is up"
            )),
            _ => None,
        }
    }
}

/// Whether systemd runs this machine.
pub fn is_systemd() -> bool {
    Path::new(RUNTIME).is_dir()
}

/// Whether a unit as `systemctl show` describes it stops containers at a shutdown.
pub fn waits_for_shutdown(properties: &str) -> bool {
    let has = |line: &str| properties.lines().any(|it| it == line);
    has("LoadState=loaded") && (has("ActiveState=active") || has("ActiveState=activating"))
}

/// Whether a unit as `systemctl show` describes it is there, perhaps with its start still due.
pub fn is_being_made(properties: &str) -> bool {
    let has = |line: &str| properties.lines().any(|it| it == line);
    let is = |state| has(&format!("ActiveState={state}"));
    has("LoadState=loaded") && ["inactive", "activating", "active"].into_iter().any(is)
}

/// Runs systemctl(1) with these words; gives what it says.
///
/// # Errors
///
/// When it is not there, or fails.
pub fn systemctl(words: &[&str]) -> std::result::Result<String, UnitError> {
    run("systemctl", words)
}

/// Runs a program of systemd's; gives what it says.
///
/// # Errors
///
/// As [`systemctl`].
pub fn run(program: &'static str, words: &[&str]) -> std::result::Result<String, UnitError> {
    let output = Command::new(program).args(words).output();
    let output = output.map_err(|source| UnitError::NotRun { program, source })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    Err(UnitError::Failed { command: format!("{program} {}", words.join(" ")), said: text(&output.stderr) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_systemd_it_is_said_what_to_run() {
        let (boot, shutdown) = ("hoist system boot".to_owned(), "hoist system shutdown".to_owned());
        let error = UnitError::NoSystemd { boot, shutdown };
        assert_eq!(error.to_string(), "systemd does not run this machine");
        let hint = "have your init system run `hoist system boot` at boot, and `hoist system shutdown` at \
                    shutdown while the network is up";
        assert_eq!(error.hint().as_deref(), Some(hint));
    }

    #[test]
    fn a_unit_whose_file_is_gone_waits_for_nothing() {
        for (load, active, waits) in [
            ("loaded", "active", (true, true)),
            ("loaded", "activating", (true, true)),
            ("not-found", "active", (false, false)),
            ("loaded", "inactive", (false, true)), // its start is still due
            ("loaded", "failed", (false, false)),
            ("loaded", "deactivating", (false, false)),
        ] {
            let properties = format!("LoadState={load}\nActiveState={active}\n");
            let found = (waits_for_shutdown(&properties), is_being_made(&properties));
            assert_eq!(found, waits, "{properties}");
        }
    }
}
