//! systemd units that start an engine's containers at boot and stop them at shutdown, and the scopes
//! of containers whose callers leave cgroups to systemd.
//!
//! ```text
//! hoist.service            in /etc/systemd/system, created by `system install`: boot and shutdown
//! hoist-shutdown.service   transient, created by the first start after a boot if the other is not
//!                          active: only shutdown
//! ```

pub mod scope;
mod unit;
mod variant;

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::base::{ErrorKind, Explain, OWN_PROGRAM, Paths, disk};
use unit::Invocation;

/// Exists if systemd runs the machine (sd_booted(3)).
const RUNTIME: &str = "/run/systemd/system";
/// The folder of the administrator's units.
const UNITS: &str = "/etc/systemd/system";

/// A request to systemd failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The machine has a different init system.
    #[error("this machine was not booted with systemd")]
    NoSystemd {
        /// The command to run at boot.
        boot: String,
        /// The command to run at shutdown.
        shutdown: String,
    },
    /// The unit is not installed.
    #[error("{} does not exist", .0.display())]
    NotInstalled(PathBuf),
    /// A systemd program could not be run.
    #[error("cannot run `{program}`")]
    NotRun {
        /// The program.
        program: &'static str,
        /// Why.
        source: io::Error,
    },
    /// systemd reported an error.
    #[error("`{command}` failed: {said}")]
    Failed {
        /// The whole command.
        command: String,
        /// Its error message.
        said: String,
    },
    /// The file of a unit could not be read or written.
    #[error(transparent)]
    Disk(#[from] disk::Error),
    /// The kernel does not report the path.
    #[error("cannot determine the path of this program")]
    NoProgram(#[source] io::Error),
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoSystemd { .. } => ErrorKind::Unsupported,
            Self::NotInstalled(_) => ErrorKind::NotFound,
            Self::Disk(error) => error.kind(),
            Self::NotRun { .. } | Self::Failed { .. } | Self::NoProgram(_) => ErrorKind::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoSystemd { boot, shutdown } => Some(format!(
                "have your init system run `{boot}` at boot, and `{shutdown}` at shutdown while the network is up"
            )),
            Self::Disk(error) => error.hint(),
            Self::NotInstalled(_) | Self::NotRun { .. } | Self::Failed { .. } | Self::NoProgram(_) => None,
        }
    }
}

/// The result of a request to systemd.
pub type Result<T> = std::result::Result<T, Error>;

/// The units of one engine.
#[derive(Debug, Clone, Copy)]
pub struct Units<'a> {
    /// The engine's folders.
    pub paths: &'a Paths,
    /// The program that the units run.
    pub program: &'a Path,
}

impl Units<'_> {
    /// Makes systemd start containers at boot and stop them at shutdown. Returns the unit's file.
    ///
    /// # Errors
    ///
    /// [`Error::NoSystemd`] if systemd does not run the machine, or systemd's error.
    pub fn install(&self) -> Result<PathBuf> {
        let hoist = self.invocation()?;
        let shown = |verb: &str| format!("{} {verb}", hoist.words().join(" "));
        if !is_systemd() {
            let (boot, shutdown) = (shown("system boot"), shown("system shutdown"));
            return Err(Error::NoSystemd { boot, shutdown });
        }
        let path = self.file();
        disk::replace(&path, unit::installed(&hoist).as_bytes())?;
        let readable = fs::set_permissions(&path, fs::Permissions::from_mode(0o644));
        readable.map_err(disk::Error::io("change the mode of", &path))?;
        disk::sync_file(&path).and_then(|()| disk::sync_folders(path.parent()))?;
        systemctl(&["daemon-reload"])?;
        systemctl(&["enable", "--now", &self.name()])?;
        Ok(path)
    }

    /// Reverts [`Self::install`]. Returns the unit's file.
    ///
    /// # Errors
    ///
    /// [`Error::NotInstalled`], or systemd's error.
    pub fn uninstall(&self) -> Result<PathBuf> {
        let path = self.file();
        if !path.exists() {
            return Err(Error::NotInstalled(path));
        }
        systemctl(&["disable", &self.name()])?;
        fs::remove_file(&path).map_err(disk::Error::io("remove", &path))?;
        systemctl(&["daemon-reload"])?;
        Ok(path)
    }

    /// Creates the unit that stops containers at a shutdown, unless one exists.
    ///
    /// # Errors
    ///
    /// systemd's error.
    pub fn wait_for_shutdown(&self) -> Result<()> {
        let name = self.shutdown_name();
        let states = systemctl(&["show", "--property=LoadState,ActiveState", &self.name(), &name])?;
        if states.split("\n\n").any(waits_for_shutdown) {
            return Ok(());
        }
        let words = unit::transient(&name, &self.invocation()?);
        let made = run("systemd-run", &words.iter().map(String::as_str).collect::<Vec<_>>());
        made.map(drop).or_else(|error| {
            // Another first start may have created it meanwhile.
            let states = systemctl(&["show", "--property=LoadState,ActiveState", &name])?;
            if is_being_made(&states) { Ok(()) } else { Err(error) }
        })
    }

    /// Stops that unit. If the installed unit is active, there is none.
    ///
    /// # Errors
    ///
    /// systemd's error.
    pub fn forget_shutdown(&self) -> Result<()> {
        systemctl(&["stop", &self.shutdown_name()]).map(drop)
    }

    /// Returns the command line of the engine.
    fn invocation(&self) -> Result<Invocation> {
        let program = match self.program == Path::new(OWN_PROGRAM) {
            true => fs::read_link(self.program).map_err(Error::NoProgram)?,
            false => self.program.to_owned(),
        };
        let text = |path: &Path| path.to_string_lossy().into_owned();
        // The kernel's mark for a file that has been replaced, usually by a newer version.
        let program = text(&program).trim_end_matches(" (deleted)").to_owned();
        Ok(Invocation { program, root: text(self.paths.root()), run_root: text(self.paths.run()) })
    }

    fn name(&self) -> String {
        format!("{}.service", self.paths.engine_name())
    }

    fn shutdown_name(&self) -> String {
        format!("{}-shutdown.service", self.paths.engine_name())
    }

    fn file(&self) -> PathBuf {
        Path::new(UNITS).join(self.name())
    }
}

/// Whether systemd runs this machine.
pub fn is_systemd() -> bool {
    Path::new(RUNTIME).is_dir()
}

/// Whether a unit, as described by `systemctl show`, stops containers at a shutdown.
fn waits_for_shutdown(properties: &str) -> bool {
    let has = |line: &str| properties.lines().any(|it| it == line);
    has("LoadState=loaded") && (has("ActiveState=active") || has("ActiveState=activating"))
}

/// Whether a unit, as described by `systemctl show`, exists, perhaps with a pending start.
fn is_being_made(properties: &str) -> bool {
    let has = |line: &str| properties.lines().any(|it| it == line);
    let is = |state| has(&format!("ActiveState={state}"));
    has("LoadState=loaded") && ["inactive", "activating", "active"].into_iter().any(is)
}

/// Runs systemctl(1) with these arguments; returns its output.
fn systemctl(words: &[&str]) -> Result<String> {
    run("systemctl", words)
}

/// Runs a systemd program; returns its output.
fn run(program: &'static str, words: &[&str]) -> Result<String> {
    let output = Command::new(program).args(words).output();
    let output = output.map_err(|source| Error::NotRun { program, source })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    Err(Error::Failed { command: format!("{program} {}", words.join(" ")), said: text(&output.stderr) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_systemd_it_is_said_what_to_run() {
        let (boot, shutdown) = ("hoist system boot".to_owned(), "hoist system shutdown".to_owned());
        let error = Error::NoSystemd { boot, shutdown };
        assert_eq!(error.to_string(), "this machine was not booted with systemd");
        let hint = "have your init system run `hoist system boot` at boot, and `hoist system shutdown` at \
                    shutdown while the network is up";
        assert_eq!(error.hint().as_deref(), Some(hint));
    }

    #[test]
    fn the_words_of_a_unit_call_the_program_itself_and_not_a_link_to_it() {
        let paths = Paths::new("/r", "/s");
        let words = |program| {
            let hoist = Units { paths: &paths, program: Path::new(program) }.invocation().unwrap();
            hoist.words().map(str::to_owned)
        };
        assert_eq!(words("/usr/bin/hoist"), ["/usr/bin/hoist", "--root", "/r", "--run-root", "/s"]);
        assert_eq!(words("/usr/bin/hoist (deleted)")[0], "/usr/bin/hoist", "it was replaced");
        assert_eq!(words(OWN_PROGRAM)[0], std::env::current_exe().unwrap().display().to_string());
    }

    #[test]
    fn a_unit_whose_file_is_gone_waits_for_nothing() {
        for (load, active, waits) in [
            ("loaded", "active", (true, true)),
            ("loaded", "activating", (true, true)),
            ("not-found", "active", (false, false)),
            ("loaded", "inactive", (false, true)), // its start is pending
            ("loaded", "failed", (false, false)),
            ("loaded", "deactivating", (false, false)),
        ] {
            let properties = format!("LoadState={load}\nActiveState={active}\n");
            let found = (waits_for_shutdown(&properties), is_being_made(&properties));
            assert_eq!(found, waits, "{properties}");
        }
    }
}
