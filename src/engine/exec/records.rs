//! Records of commands: found by their id, claimed by who starts them, swept when there are many.

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{MAX_SESSIONS, Refused};
use crate::base::{ContainerId, ExecId, disk};
use crate::container::store;
use crate::engine::error::{Doing, NotFound, Result};
use crate::engine::{Engine, Verb};
use crate::monitor::exec::{self, ExecRecord, KEPT, KEPT_BYTES};
use crate::monitor::settle::UNKNOWN;

/// Where a command is between its making and its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecStatus {
    /// It was made, and is not started.
    Created,
    /// It is started; its process, once it was executed, as the host counts.
    Running(Option<u32>),
    /// It has ended: 0…255, 255 when nobody could see it.
    Exited(u8),
}

/// A command in a container, as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "Docker's flags")]
pub struct ExecView {
    /// Its id.
    pub id: ExecId,
    /// In which container.
    pub container: ContainerId,
    /// How it is.
    pub status: ExecStatus,
    /// The program and its words.
    pub command: Vec<String>,
    /// As `run -u`; the container's when not said.
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
}

impl ExecView {
    fn new(id: &ExecId, container: &ContainerId, status: ExecStatus, record: ExecRecord) -> Self {
        Self {
            id: id.clone(),
            container: container.clone(),
            status,
            command: record.command,
            user: record.user,
            workdir: record.workdir,
            tty: record.tty,
            interactive: record.interactive,
            privileged: record.privileged,
            detach: record.detach,
        }
    }
}

impl Engine {
    /// What is known of a command, whatever its container.
    pub(super) fn find_exec(&self, id: &ExecId, doing: impl Fn() -> String) -> Result<ExecView> {
        for container in store::run_ids(self.paths()).doing(&doing)? {
            if let Some(found) = self.look_at_exec(&container, id).doing(&doing)? {
                return Ok(found);
            }
        }
        Err(NotFound { noun: "exec instance", name: id.to_string() }).doing(doing)
    }

    /// In the order in which a record moves, so that it is not missed on its way.
    fn look_at_exec(&self, container: &ContainerId, id: &ExecId) -> disk::Result<Option<ExecView>> {
        let view = |status, record| Ok(Some(ExecView::new(id, container, status, record)));
        if let Some(record) = read(&exec::created_file(self.paths(), container, id))? {
            return view(ExecStatus::Created, record);
        }
        let running = read(&exec::file(self.paths(), container, id))?;
        if let Some(record) = read(&exec::ended_file(self.paths(), container, id))? {
            return view(ExecStatus::Exited(record.exit_code.unwrap_or(UNKNOWN)), record);
        }
        match running {
            Some(record) if record.is_over() => view(ExecStatus::Exited(UNKNOWN), record),
            Some(record) => view(ExecStatus::Running(record.process.map(|process| process.pid)), record),
            None => Ok(None),
        }
    }

    /// Takes a command that was made, to start it: of several who try, one does.
    pub(super) fn claim_exec(
        &self,
        id: &ExecId,
        change: impl FnOnce(ExecRecord) -> ExecRecord,
        doing: impl Fn() -> String,
    ) -> Result<(ContainerId, ExecRecord)> {
        let found = self.find_exec(id, &doing)?;
        let container = found.container;
        self.get(container.as_str())?.status.after(Verb::Exec).doing(&doing)?;
        let (from, to) =
            (exec::created_file(self.paths(), &container, id), exec::file(self.paths(), &container, id));
        if let Err(error) = fs::rename(&from, &to) {
            if error.kind() != std::io::ErrorKind::NotFound {
                return Err(disk::Error::io("rename", &from)(error)).doing(doing);
            }
            let is_over = matches!(self.find_exec(id, &doing)?.status, ExecStatus::Exited(_));
            return Err(if is_over { Refused::HasRun } else { Refused::Running }).doing(doing);
        }
        let record = disk::read_state::<ExecRecord>(&to).doing(&doing)?;
        let record = change(record).owned();
        disk::write_state(&to, &record).doing(doing)?;
        Ok((container, record))
    }

    /// Notes the end of sessions that were killed with their monitors, forgets those that ended or
    /// were made long ago, and refuses too many.
    pub(super) fn make_room(&self, container: &ContainerId) -> std::result::Result<(), Refused> {
        let Ok(entries) = fs::read_dir(exec::folder(self.paths(), container)) else { return Ok(()) };
        let (mut count, mut ended, mut created) = (0, Vec::new(), Vec::new());
        for path in entries.flatten().map(|entry| entry.path()) {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("json") if !self.is_over(container, &path) => count += 1,
                Some("ended") => ended.push(path),
                Some("created") => created.push(path),
                _ => {}
            }
        }
        for kept in [ended, created] {
            surplus(kept.into_iter().filter_map(Kept::of).collect()).iter().for_each(|path| {
                let _ = fs::remove_file(path); // another engine may have been faster
            });
        }
        if count < MAX_SESSIONS { Ok(()) } else { Err(Refused::TooMany) }
    }

    /// Whether a session is over; one that was killed leaves a record of that.
    fn is_over(&self, container: &ContainerId, path: &Path) -> bool {
        let id = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<ExecId>().ok());
        match (disk::read_state::<ExecRecord>(path), id) {
            (Ok(record), _) if !record.is_over() => return false,
            (Ok(record), Some(id)) => exec::end(self.paths(), container, &id, &record, UNKNOWN),
            (Err(error), _) if error.is_not_found() => {}
            (Err(error), _) if !error.is_of_the_file() => return false,
            // No session has such a name, or its file cannot be read.
            _ => {
                let _ = fs::remove_file(path.with_extension("")); // the socket
                let _ = fs::remove_file(path);
            }
        }
        true
    }
}

fn read(path: &Path) -> disk::Result<Option<ExecRecord>> {
    match disk::read_state(path) {
        Ok(record) => Ok(Some(record)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// A record that nobody needs but who asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    path: PathBuf,
    written: SystemTime,
    bytes: u64,
}

impl Kept {
    fn of(path: PathBuf) -> Option<Self> {
        let file = fs::metadata(&path).ok()?;
        Some(Self { written: file.modified().ok()?, bytes: file.len(), path })
    }
}

/// Those that are too many, or too large together: the oldest, and never the newest.
fn surplus(mut kept: Vec<Kept>) -> Vec<PathBuf> {
    kept.sort_by_key(|kept| Reverse(kept.written));
    let mut bytes = 0;
    let is_kept = |(number, kept): (usize, &Kept)| {
        bytes += kept.bytes;
        number == 0 || (number < KEPT && bytes <= KEPT_BYTES)
    };
    let count = kept.iter().enumerate().map(is_kept).take_while(|is_kept| *is_kept).count();
    kept.drain(count..).map(|kept| kept.path).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn kept(count: u64, bytes: u64) -> Vec<Kept> {
        let written = |age| SystemTime::UNIX_EPOCH + Duration::from_secs(1000 - age);
        // In no order.
        let ages = (0..count).rev().step_by(2).chain((0..count).rev().skip(1).step_by(2));
        ages.map(|age| Kept { path: age.to_string().into(), written: written(age), bytes }).collect()
    }

    #[test]
    fn the_newest_are_kept_up_to_a_count_and_a_size() {
        let limit = KEPT as u64;
        for (count, bytes, stay) in [
            (0, 1, 0),
            (limit, 1, limit),
            (limit + 9, 1, limit),
            (limit, KEPT_BYTES / 4, 4),
            (3, KEPT_BYTES + 1, 1),
        ] {
            let gone = surplus(kept(count, bytes));
            let want: Vec<PathBuf> = (stay..count).map(|age| age.to_string().into()).collect();
            assert_eq!(gone, want, "{count} of {bytes} bytes");
        }
    }
}
