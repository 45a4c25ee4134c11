//! The record of a command in a running container.
//!
//! ```text
//! <run>/containers/<id>/exec/<exec id>.created   created, not started
//!                            <exec id>.json      started; ignored while the file above exists
//!                            <exec id>.ended     the exit code
//!                            <exec id>           the socket while it runs, as for a container
//! ```
//! To start a command, a process locks the first file, writes the second and removes the first. Of
//! several processes that try, one succeeds, and one that is killed before the removal leaves the
//! command as it was created. In the same way the third file is written before the second is
//! removed, and takes precedence from then on. The records are removed with the container's run.
//! Of the commands that have exited, and of those that were never started, only the newest are kept
//! ([`KEPT`], [`KEPT_BYTES`]).

mod records;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::record::Process;
use crate::base::disk::{Unknown, state};
use crate::base::{ContainerId, ExecId, Paths, disk};

pub use records::{ExecStatus, ExecView, claim, find, make_room, running};

/// Current version of the file.
const VERSION: u32 = 1;

/// How many records are kept of commands that have exited, and of those that were not started.
pub const KEPT: usize = 32;
/// The maximum total size of each; the newest record is always kept.
pub const KEPT_BYTES: u64 = 1 << 20;

/// A command to run in a running container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "Docker's flags")]
pub struct ExecRequest {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// `NAME=value`, added to the container's environment.
    pub env: Vec<String>,
    /// As for `run -u`; `None` means the container's user.
    pub user: Option<String>,
    /// The working directory; `None` means the container's.
    pub workdir: Option<String>,
    /// Whether to allocate a terminal instead of pipes.
    pub tty: bool,
    /// Whether to keep standard input open.
    pub interactive: bool,
    /// Whether the command gets all capabilities.
    pub privileged: bool,
    /// Whether to run the command in the background, without a client.
    pub detach: bool,
    /// The initial terminal size (rows, columns).
    pub size: Option<(u16, u16)>,
}

/// The record of a command, as it is on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExecRecord {
    /// The version of the file.
    pub version: u32,
    /// What to run.
    #[serde(flatten)]
    pub request: ExecRequest,
    /// The process that is responsible for it: the engine that starts it, then its monitor.
    pub owner: Option<Process>,
    /// The command's process, once it has been executed.
    pub process: Option<Process>,
    /// The exit code; 255 if it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
    /// Fields written by a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

state!(ExecRecord, VERSION);

impl ExecRecord {
    /// Creates the record of a command that has not been started. It has no owner yet.
    #[must_use]
    pub fn new(request: ExecRequest) -> Self {
        Self { version: VERSION, request, ..Self::default() }
    }

    /// Makes this process the owner, until a monitor takes over.
    #[must_use]
    pub fn owned(self) -> Self {
        Self { owner: Some(Process::own()), ..self }
    }

    /// Whether both its owner and its process have exited: it was killed with its monitor, or never
    /// executed. A command that never had an owner is not over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.owner.is_some_and(|owner| !owner.is_alive()) && !self.lives()
    }

    /// Whether its process is running.
    fn lives(&self) -> bool {
        self.process.is_some_and(Process::is_alive)
    }
}

/// Returns the folder of a container's sessions.
#[must_use]
pub fn folder(paths: &Paths, id: &ContainerId) -> PathBuf {
    paths.container_run(id).join("exec")
}

/// Returns the file of a session that was started.
#[must_use]
pub fn file(paths: &Paths, id: &ContainerId, exec: &ExecId) -> PathBuf {
    folder(paths, id).join(format!("{exec}.json"))
}

/// Returns the file of a session that was created but not started.
#[must_use]
pub fn created_file(paths: &Paths, id: &ContainerId, exec: &ExecId) -> PathBuf {
    folder(paths, id).join(format!("{exec}.created"))
}

/// Returns the file of a session that has ended.
#[must_use]
pub fn ended_file(paths: &Paths, id: &ContainerId, exec: &ExecId) -> PathBuf {
    folder(paths, id).join(format!("{exec}.ended"))
}

/// Records how a session ended, and removes its other files.
///
/// # Errors
///
/// If the record cannot be written; then the record of the started session stays. If the container
/// has exited too, the folder no longer exists.
pub fn end(
    paths: &Paths,
    id: &ContainerId,
    exec: &ExecId,
    record: &ExecRecord,
    code: u8,
) -> disk::Result<()> {
    // The environment may contain secrets, and is not needed any longer.
    let request = ExecRequest { env: Vec::new(), ..record.request.clone() };
    let ended = ExecRecord { request, exit_code: Some(code), owner: None, ..record.clone() };
    let written = disk::write_state(&ended_file(paths, id, exec), &ended);
    let _ = std::fs::remove_file(folder(paths, id).join(exec.as_str()));
    if written.is_ok() {
        let _ = std::fs::remove_file(file(paths, id, exec));
    }
    written
}

/// Like [`end`], for a session whose monitor has exited or never started. If the monitor recorded
/// how the session ended, that stands.
///
/// # Errors
///
/// As for [`end`].
pub fn end_unwatched(
    paths: &Paths,
    id: &ContainerId,
    exec: &ExecId,
    record: &ExecRecord,
    code: u8,
) -> disk::Result<()> {
    if !ended_file(paths, id, exec).exists() {
        return end(paths, id, exec, record, code);
    }
    let _ = std::fs::remove_file(folder(paths, id).join(exec.as_str()));
    let _ = std::fs::remove_file(file(paths, id, exec));
    Ok(())
}

/// Like [`end_unwatched`], for a session whose start has failed.
///
/// # Errors
///
/// As for [`end`], or if the record cannot be read for lack of resources.
pub fn end_unbegun(paths: &Paths, id: &ContainerId, exec: &ExecId, code: u8) -> disk::Result<()> {
    match disk::read_state::<ExecRecord>(&file(paths, id, exec)) {
        // Its monitor was killed, and it is running.
        Ok(record) if record.lives() => Ok(()),
        Ok(record) => end_unwatched(paths, id, exec, &record, code),
        Err(error) if error.is_not_found() => Ok(()),
        // The version that wrote it ends it.
        Err(error) if error.is_of_another_version() => Ok(()),
        // A lack of resources says nothing about the record.
        Err(error) if !error.is_of_the_file() => Err(error),
        Err(_) => {
            let _ = std::fs::remove_file(file(paths, id, exec)); // nothing in it can be kept
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::record::UNKNOWN;

    /// Creates a folder of sessions, and the record of one whose owner has exited.
    fn dead() -> (tempfile::TempDir, Paths, ContainerId, ExecId, ExecRecord) {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        let (id, exec): (ContainerId, ExecId) = ("ab".repeat(32).parse().unwrap(), ExecId::random().unwrap());
        std::fs::create_dir_all(folder(&paths, &id)).unwrap();
        let owner = Some(Process { pid: 4_000_000, start_time: 1 });
        let record = ExecRecord { owner, ..ExecRecord::new(ExecRequest::default()) };
        disk::write_state(&file(&paths, &id, &exec), &record).unwrap();
        (dir, paths, id, exec, record)
    }

    fn code(paths: &Paths, id: &ContainerId, exec: &ExecId) -> Option<u8> {
        disk::read_state::<ExecRecord>(&ended_file(paths, id, exec)).unwrap().exit_code
    }

    #[test]
    fn what_is_asked_for_is_written_beside_the_rest_and_unknown_fields_are_kept() {
        let request = ExecRequest {
            command: vec!["sh".to_owned()],
            user: Some("app".to_owned()),
            tty: true,
            size: Some((24, 80)),
            ..ExecRequest::default()
        };
        let mut record = serde_json::to_value(ExecRecord::new(request)).unwrap();
        insta::assert_snapshot!(record, @r#"{"version":1,"command":["sh"],"env":[],"user":"app","workdir":null,"tty":true,"interactive":false,"privileged":false,"detach":false,"size":[24,80],"owner":null,"process":null}"#);
        record["newer"] = 1.into();
        let read: ExecRecord = serde_json::from_value(record.clone()).unwrap();
        assert_eq!((read.request.size, read.unknown.len()), (Some((24, 80)), 1));
        assert_eq!(serde_json::to_value(read).unwrap(), record);
        let least: ExecRecord = serde_json::from_str(r#"{"version":1,"command":["true"]}"#).unwrap();
        assert_eq!(least.request.command, ["true"]);
    }

    #[test]
    fn a_record_is_over_once_its_owner_and_its_process_are_dead() {
        let (ours, dead) = (Some(Process::own()), Some(Process { pid: 4_000_000, start_time: 1 }));
        for (owner, process, is_over) in [
            (None, None, false),
            (ours, None, false),
            (dead, None, true),
            (dead, ours, false),
            (ours, dead, false),
            (dead, dead, true),
        ] {
            let record = ExecRecord { owner, process, ..ExecRecord::new(ExecRequest::default()) };
            assert_eq!(record.is_over(), is_over, "{owner:?} {process:?}");
        }
    }

    #[test]
    fn an_end_that_cannot_be_written_leaves_the_record_of_the_run() {
        let (_dir, paths, id, exec, record) = dead();
        let in_the_way = ended_file(&paths, &id, &exec).join("in the way");
        std::fs::create_dir_all(&in_the_way).unwrap();
        assert!(end(&paths, &id, &exec, &record, 7).is_err());
        assert!(file(&paths, &id, &exec).exists());
        crate::sys::tree::remove(in_the_way.parent().unwrap()).unwrap();
        end(&paths, &id, &exec, &record, 7).unwrap();
        assert!(!file(&paths, &id, &exec).exists());
        assert_eq!(code(&paths, &id, &exec), Some(7));
    }

    type Late = fn(&Paths, &ContainerId, &ExecId, &ExecRecord) -> disk::Result<()>;

    #[test]
    fn an_end_that_was_written_stands() {
        let (_dir, paths, id, exec, record) = dead();
        let ended = ExecRecord { exit_code: Some(7), ..record.clone() };
        for late in [
            (|paths, id, exec, record| end_unwatched(paths, id, exec, record, UNKNOWN)) as Late,
            |paths, id, exec, _| end_unbegun(paths, id, exec, 126),
        ] {
            disk::write_state(&file(&paths, &id, &exec), &record).unwrap();
            disk::write_state(&ended_file(&paths, &id, &exec), &ended).unwrap();
            late(&paths, &id, &exec, &record).unwrap();
            assert!(!file(&paths, &id, &exec).exists());
            assert_eq!(code(&paths, &id, &exec), Some(7));
        }
    }

    #[test]
    fn one_whose_process_lives_has_begun() {
        let (_dir, paths, id, exec, record) = dead();
        let record = ExecRecord { process: Some(Process::own()), ..record };
        disk::write_state(&file(&paths, &id, &exec), &record).unwrap();
        end_unbegun(&paths, &id, &exec, 126).unwrap();
        assert_eq!(disk::read_state::<ExecRecord>(&file(&paths, &id, &exec)).unwrap(), record);
        assert!(!ended_file(&paths, &id, &exec).exists());
    }
}
