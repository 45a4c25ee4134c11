//! The record of a command in a running container.
//!
//! ```text
//! <run>/containers/<id>/exec/<exec id>.created   made, and not started
//!                            <exec id>.json      is started, runs, or was killed with its monitor;
//!                                                beside the one above it says nothing
//!                            <exec id>.ended     how it ended
//!                            <exec id>           the socket, as a container's, while it runs
//! ```
//! Who starts a command holds a lock on the first, writes the second and removes the first, so that
//! of two who do one succeeds, and who is killed before that leaves it as it was made. Likewise the
//! third is written before the second is removed, and decides from then on. The record goes with the
//! container's run; of those that ended, and of those that were never started, the newest are kept
//! ([`KEPT`], [`KEPT_BYTES`]).

mod records;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::record::Process;
use crate::base::disk::state;
use crate::base::{ContainerId, ExecId, Paths, disk};

pub use records::{ExecStatus, ExecView, claim, find, make_room};

/// Current version of the file.
const VERSION: u32 = 1;

/// How many records of commands that ended are kept, and as many of those that were not started.
pub const KEPT: usize = 32;
/// No more than this many bytes of each, but for the newest.
pub const KEPT_BYTES: u64 = 1 << 20;

/// What is on disk about a command in a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "Docker's flags")]
pub struct ExecRecord {
    /// The form of this file.
    pub version: u32,
    /// The program and its words.
    pub command: Vec<String>,
    /// `NAME=value`, on top of the container's.
    pub env: Vec<String>,
    /// As `run -u`.
    pub user: Option<String>,
    /// The container's when not said.
    pub workdir: Option<String>,
    /// A terminal instead of pipes.
    pub tty: bool,
    /// Standard input stays open.
    pub interactive: bool,
    /// All capabilities.
    pub privileged: bool,
    /// Nobody waits and nothing is shown.
    pub detach: bool,
    /// Terminal size (rows, columns) to start with.
    pub size: Option<(u16, u16)>,
    /// The process responsible for it: the engine that makes it, then its monitor.
    pub owner: Option<Process>,
    /// Its process, once it was executed.
    pub process: Option<Process>,
    /// How it ended: 0…255; 255 when nobody could see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
    /// Fields of a newer hoist.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, serde_json::Value>,
}

state!(ExecRecord, VERSION);

impl ExecRecord {
    /// A command that has not begun. Nobody is responsible for it yet.
    #[must_use]
    pub fn new() -> Self {
        Self { version: VERSION, ..Self::default() }
    }

    /// One that this process is responsible for, until its monitor is.
    #[must_use]
    pub fn owned(self) -> Self {
        Self { owner: Some(Process::own()), ..self }
    }

    /// Whether who was responsible for it lives no more, nor does its process: it was killed with
    /// its monitor, or never began. One that nobody was ever responsible for is not over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.owner.is_some_and(|owner| !owner.is_alive()) && !self.lives()
    }

    /// Whether its process lives.
    fn lives(&self) -> bool {
        self.process.is_some_and(Process::is_alive)
    }
}

/// The folder of the sessions of a container.
#[must_use]
pub fn folder(paths: &Paths, id: &ContainerId) -> PathBuf {
    paths.container_run(id).join("exec")
}

/// The file of one session.
#[must_use]
pub fn file(paths: &Paths, id: &ContainerId, exec: &ExecId) -> PathBuf {
    folder(paths, id).join(format!("{exec}.json"))
}

/// The file of one that is not started.
#[must_use]
pub fn created_file(paths: &Paths, id: &ContainerId, exec: &ExecId) -> PathBuf {
    folder(paths, id).join(format!("{exec}.created"))
}

/// The file of one that has ended.
#[must_use]
pub fn ended_file(paths: &Paths, id: &ContainerId, exec: &ExecId) -> PathBuf {
    folder(paths, id).join(format!("{exec}.ended"))
}

/// Keeps of a session how it ended, and takes its other files away.
///
/// # Errors
///
/// When that cannot be written: then the record of its run stays. Where the container ended too, its
/// folder is gone already.
pub fn end(
    paths: &Paths,
    id: &ContainerId,
    exec: &ExecId,
    record: &ExecRecord,
    code: u8,
) -> disk::Result<()> {
    // Its environment may hold secrets, and nobody asks for it.
    let ended = ExecRecord { exit_code: Some(code), owner: None, env: Vec::new(), ..record.clone() };
    let written = disk::write_state(&ended_file(paths, id, exec), &ended);
    let _ = std::fs::remove_file(folder(paths, id).join(exec.as_str()));
    if written.is_ok() {
        let _ = std::fs::remove_file(file(paths, id, exec));
    }
    written
}

/// The same for one whose monitor has ended or never came up, unless that one said how it ended.
///
/// # Errors
///
/// When it cannot be written: then the record of its run stays.
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

/// The same for one that did not begin.
///
/// # Errors
///
/// As [`end_unwatched`], and when that record cannot be read at this moment.
pub fn end_unbegun(paths: &Paths, id: &ContainerId, exec: &ExecId, code: u8) -> disk::Result<()> {
    match disk::read_state::<ExecRecord>(&file(paths, id, exec)) {
        // Its monitor was killed, and it goes on.
        Ok(record) if record.lives() => Ok(()),
        Ok(record) => end_unwatched(paths, id, exec, &record, code),
        Err(error) if error.is_not_found() => Ok(()),
        // What this process or the machine lacks says nothing about the record.
        Err(error) if !error.is_of_the_file() => Err(error),
        Err(_) => {
            let _ = std::fs::remove_file(file(paths, id, exec)); // it has nothing to be kept
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::record::UNKNOWN;

    /// A session's folder, and the record of one whose owner is long dead.
    fn dead() -> (tempfile::TempDir, Paths, ContainerId, ExecId, ExecRecord) {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        let (id, exec): (ContainerId, ExecId) = ("ab".repeat(32).parse().unwrap(), ExecId::random().unwrap());
        std::fs::create_dir_all(folder(&paths, &id)).unwrap();
        let owner = Some(Process { pid: 4_000_000, start_time: 1 });
        let record = ExecRecord { owner, ..ExecRecord::new() };
        disk::write_state(&file(&paths, &id, &exec), &record).unwrap();
        (dir, paths, id, exec, record)
    }

    fn code(paths: &Paths, id: &ContainerId, exec: &ExecId) -> Option<u8> {
        disk::read_state::<ExecRecord>(&ended_file(paths, id, exec)).unwrap().exit_code
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
            let record = ExecRecord { owner, process, ..ExecRecord::new() };
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
