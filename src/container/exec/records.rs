//! Finds the records of commands by id, claims a command for its start, and removes old records.

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{
    ExecRecord, ExecRequest, KEPT, KEPT_BYTES, created_file, end_unwatched, ended_file, file, folder,
};
use jiff::Timestamp;
use rustix::io::Errno;

use crate::base::{ContainerId, ErrorKind, ExecId, Explain, Paths, disk};
use crate::container::record::UNKNOWN;
use crate::container::{Process, store};
use crate::sys::socket;

/// How long to wait for a monitor whose queue of clients is full.
const PATIENCE: Duration = Duration::from_millis(50);

/// The maximum number of sessions of a container at the same time.
const MAX_SESSIONS: usize = 256;

/// The state of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecStatus {
    /// It has been created, but not started.
    Created,
    /// It has been started. Its pid on the host, once it has been executed.
    Running(Option<u32>),
    /// It has exited with this code; 255 if that is unknown.
    Exited(u8),
}

/// The container cannot have more sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it already has {MAX_SESSIONS} sessions")]
pub struct TooMany;

impl Explain for TooMany {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Conflict
    }
}

/// What front ends see of a command in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "Docker's flags")]
pub struct ExecView {
    /// Its id.
    pub id: ExecId,
    /// Its container.
    pub container: ContainerId,
    /// Its state.
    pub status: ExecStatus,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// As for `run -u`; `None` means the container's user.
    pub user: Option<String>,
    /// The working directory; `None` means the container's.
    pub workdir: Option<String>,
    /// Whether it has a terminal instead of pipes.
    pub tty: bool,
    /// Whether its standard input is kept open.
    pub interactive: bool,
    /// Whether it has all capabilities.
    pub privileged: bool,
    /// Whether it runs in the background, without a client.
    pub detach: bool,
    /// When its process was started, while it is running.
    pub started: Option<Timestamp>,
}

impl ExecView {
    fn new(id: &ExecId, container: &ContainerId, status: ExecStatus, record: ExecRecord) -> Self {
        let ExecRecord { request, process, .. } = record;
        let running = process.filter(|_| matches!(status, ExecStatus::Running(_)));
        Self {
            started: running.and_then(Process::started),
            id: id.clone(),
            container: container.clone(),
            status,
            command: request.command,
            user: request.user,
            workdir: request.workdir,
            tty: request.tty,
            interactive: request.interactive,
            privileged: request.privileged,
            detach: request.detach,
        }
    }
}

/// Returns the command with this id, whichever container it is in; `None` if there is none.
///
/// # Errors
///
/// If the containers cannot be listed, or a record cannot be read.
pub fn find(paths: &Paths, id: &ExecId) -> store::Result<Option<ExecView>> {
    for container in store::run_ids(paths)? {
        if let Some(found) = look(paths, &container, id)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Returns the commands that are running in a container, oldest first. Records that cannot be read
/// are skipped.
#[must_use]
pub fn running(paths: &Paths, container: &ContainerId) -> Vec<ExecView> {
    let Ok(entries) = fs::read_dir(folder(paths, container)) else { return Vec::new() };
    let id = |path: PathBuf| match path.extension()?.to_str()? {
        "json" => path.file_stem()?.to_str()?.parse::<ExecId>().ok(),
        _ => None,
    };
    let ids = entries.flatten().filter_map(|entry| id(entry.path()));
    let views = ids.filter_map(|id| look(paths, container, &id).ok()?);
    let mut running: Vec<ExecView> =
        views.filter(|view| matches!(view.status, ExecStatus::Running(_))).collect();
    // One that is just being started is the newest.
    running.sort_by(|one, other| {
        let key = |view: &ExecView| (view.started.is_none(), view.started, view.id.to_string());
        key(one).cmp(&key(other))
    });
    running
}

/// Looks for a command in a container, in the order in which its files appear, so that one that is
/// changing its state is not missed.
fn look(paths: &Paths, container: &ContainerId, id: &ExecId) -> disk::Result<Option<ExecView>> {
    let view = |status, record: ExecRecord| Ok(Some(ExecView::new(id, container, status, record)));
    if let Some(record) = read(&created_file(paths, container, id))? {
        return view(ExecStatus::Created, record);
    }
    let running = read(&file(paths, container, id))?;
    if let Some(record) = read(&ended_file(paths, container, id))? {
        return view(ExecStatus::Exited(record.exit_code.unwrap_or(UNKNOWN)), record);
    }
    match running {
        Some(record) if record.is_over() => view(ExecStatus::Exited(UNKNOWN), record),
        Some(record) => view(ExecStatus::Running(record.process.map(|process| process.pid)), record),
        None => Ok(None),
    }
}

/// Records the end of sessions that were killed with their monitors, and removes the oldest records
/// of those that have exited or were never started.
///
/// # Errors
///
/// [`TooMany`] if the container cannot have another session.
pub fn make_room(paths: &Paths, container: &ContainerId) -> Result<(), TooMany> {
    let Ok(entries) = fs::read_dir(folder(paths, container)) else { return Ok(()) };
    let (mut count, mut ended, mut created) = (0, Vec::new(), Vec::new());
    for path in entries.flatten().map(|entry| entry.path()) {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") if !settle_if_over(paths, container, &path) => count += 1,
            Some("ended") => ended.push(path),
            Some("created") => created.push(path),
            _ => {}
        }
    }
    for kept in [ended, created] {
        surplus(kept.into_iter().filter_map(Kept::of).collect()).iter().for_each(|path| {
            let _ = fs::remove_file(path); // another process may have removed it
        });
    }
    if count < MAX_SESSIONS { Ok(()) } else { Err(TooMany) }
}

/// Records the end of a session that was killed; returns `false` if it is running, or may be. A record
/// that cannot be read is removed only if it is damaged and nobody is responsible for its process.
fn settle_if_over(paths: &Paths, container: &ContainerId, path: &Path) -> bool {
    let Some(id) = path.file_stem().and_then(|stem| stem.to_str()?.parse::<ExecId>().ok()) else {
        return true; // not a record
    };
    // A process is starting it, or was killed while it did; the next one to start it takes over. This
    // must be checked first: once the file is gone, the record below counts.
    if path.with_extension("created").exists() {
        return false;
    }
    match disk::read_state::<ExecRecord>(path) {
        Ok(record) if !record.is_over() => false,
        Ok(record) => {
            // If this fails, the next call tries again.
            let _ = end_unwatched(paths, container, &id, &record, UNKNOWN);
            true
        }
        Err(error) if error.is_not_found() => true,
        // The version that wrote it removes it.
        Err(error) if error.is_of_another_version() => {
            !disk::read_json(path).map_or_else(|_| has_monitor(path), |it: Processes| it.may_live(path))
        }
        Err(error) if !error.is_of_the_file() => false,
        Err(_) if has_monitor(path) => false,
        Err(_) => {
            let _ = fs::remove_file(path.with_extension("")); // the socket
            let _ = fs::remove_file(path);
            true
        }
    }
}

/// What is known of a record of another version.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
struct Processes {
    owner: Option<Process>,
    process: Option<Process>,
}

impl Processes {
    fn may_live(self, path: &Path) -> bool {
        let is_alive = |process: Option<Process>| process.is_some_and(Process::is_alive);
        is_alive(self.owner) || is_alive(self.process) || has_monitor(path)
    }
}

/// Whether a monitor listens for the clients of the session with this record.
fn has_monitor(path: &Path) -> bool {
    let (Some(folder), Some(name)) = (path.parent(), path.file_stem().and_then(|stem| stem.to_str())) else {
        return false;
    };
    match socket::connect(folder, name, PATIENCE) {
        Err(error) => !error.is(Errno::NOENT) && !error.is(Errno::CONNREFUSED),
        Ok(_) => true,
    }
}

/// Claims a created command in order to start it. Of several processes that try, one succeeds, and
/// the others get `None`. The record is rewritten with `change` and is owned by this process. As
/// long as the first file exists, the command has not been started.
///
/// # Errors
///
/// If the record cannot be read or written.
pub fn claim(
    paths: &Paths,
    container: &ContainerId,
    id: &ExecId,
    change: impl FnOnce(ExecRequest) -> ExecRequest,
) -> disk::Result<Option<ExecRecord>> {
    let (from, to) = (&created_file(paths, container, id), &file(paths, container, id));
    let file = match disk::open(from) {
        Ok(file) => file,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error),
    };
    // The lock is released when this process exits.
    file.lock().map_err(disk::Error::io("lock", from))?;
    // The previous holder of the lock may have removed the file. It is never created again.
    let Some(mut record) = read(from)?.map(ExecRecord::owned) else { return Ok(None) };
    record.request = change(record.request);
    disk::write_state(to, &record)?;
    match fs::remove_file(from) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(disk::Error::io("remove", from)(error))
        }
        // It may have been removed as one of too many.
        _ => Ok(Some(record)),
    }
}

fn read(path: &Path) -> disk::Result<Option<ExecRecord>> {
    match disk::read_state(path) {
        Ok(record) => Ok(Some(record)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// A record that is kept only for inspection.
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

/// Returns the records beyond the limits of number and size, oldest ones, and never the newest.
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
    use super::*;

    /// Creates a container's folder of sessions.
    fn folders() -> (tempfile::TempDir, Paths, ContainerId, ExecId) {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        let (id, exec): (ContainerId, ExecId) = ("ab".repeat(32).parse().unwrap(), ExecId::random().unwrap());
        fs::create_dir_all(folder(&paths, &id)).unwrap();
        (dir, paths, id, exec)
    }

    const DEAD: Process = Process { pid: 4_000_000, start_time: 1 };

    #[test]
    fn of_many_who_claim_a_command_one_does_and_nobody_finds_it_unowned() {
        let (_dir, paths, id, exec) = folders();
        let (from, to) = (created_file(&paths, &id, &exec), file(&paths, &id, &exec));
        for _ in 0..50 {
            disk::write_state(&from, &ExecRecord::new(ExecRequest::default())).unwrap();
            let try_it = || {
                let claimed = claim(&paths, &id, &exec, |record| record).unwrap().is_some();
                let view = look(&paths, &id, &exec).unwrap().unwrap();
                (claimed, view.status)
            };
            let results = std::thread::scope(|scope| {
                let all = [(); 4].map(|()| scope.spawn(try_it));
                all.map(|one| one.join().unwrap())
            });
            assert_eq!(results.iter().filter(|(claimed, _)| *claimed).count(), 1, "{results:?}");
            assert!(results.iter().all(|(_, status)| *status == ExecStatus::Running(None)), "{results:?}");
            fs::remove_file(&to).unwrap();
        }
    }

    #[test]
    fn a_claim_that_fails_or_is_cut_off_leaves_the_command_as_it_was_made() {
        let (_dir, paths, id, exec) = folders();
        let (from, to) = (created_file(&paths, &id, &exec), file(&paths, &id, &exec));
        let status = || look(&paths, &id, &exec).unwrap().map(|view| view.status);
        disk::write_state(&from, &ExecRecord::new(ExecRequest::default())).unwrap();
        fs::create_dir_all(to.join("in the way")).unwrap();
        assert!(claim(&paths, &id, &exec, |record| record).is_err());
        assert_eq!(status(), Some(ExecStatus::Created));
        crate::sys::tree::remove(&to).unwrap();
        // Killed before the first file was removed.
        disk::write_state(&to, &ExecRecord { owner: Some(DEAD), ..ExecRecord::new(ExecRequest::default()) })
            .unwrap();
        make_room(&paths, &id).unwrap();
        assert_eq!(status(), Some(ExecStatus::Created));
        assert!(claim(&paths, &id, &exec, |record| record).unwrap().is_some());
        make_room(&paths, &id).unwrap();
        assert_eq!(status(), Some(ExecStatus::Running(None)));
        assert!(claim(&paths, &id, &exec, |record| record).unwrap().is_none());
    }

    #[test]
    fn a_record_without_an_owner_is_not_ended() {
        let (_dir, paths, id, exec) = folders();
        let file = file(&paths, &id, &exec);
        for (owner, want) in [(None, ExecStatus::Running(None)), (Some(DEAD), ExecStatus::Exited(UNKNOWN))] {
            disk::write_state(&file, &ExecRecord { owner, ..ExecRecord::new(ExecRequest::default()) })
                .unwrap();
            make_room(&paths, &id).unwrap();
            assert_eq!(look(&paths, &id, &exec).unwrap().unwrap().status, want);
            assert_eq!(file.exists(), owner.is_none());
        }
    }

    #[test]
    fn what_cannot_be_read_stays_while_its_process_may_run() {
        let own = serde_json::to_string(&Process::own()).unwrap();
        let dead = serde_json::to_string(&DEAD).unwrap();
        let newer = |owner: &str, process: &str| {
            format!(r#"{{"version":2,"command":{{"argv":[]}},"owner":{owner},"process":{process}}}"#)
        };
        for (text, listens, counts, stays) in [
            (newer(&own, "null"), false, true, true),
            (newer(&dead, &own), false, true, true),
            (newer(&dead, &dead), true, true, true),
            (newer(&dead, &dead), false, false, true),
            (newer("[7]", "{}"), true, true, true),
            (newer("[7]", "{}"), false, false, true),
            (r#"{"version":2}"#.to_owned(), false, false, true),
            ("{".to_owned(), true, true, true),
            ("{".to_owned(), false, false, false),
            (String::new(), true, true, true),
        ] {
            let (_dir, paths, id, exec) = folders();
            let (folder, file) = (folder(&paths, &id), file(&paths, &id, &exec));
            fs::write(&file, &text).unwrap();
            let listener = socket::listen(&folder, exec.as_str()).unwrap();
            let _listener = listens.then_some(listener);
            assert_eq!(settle_if_over(&paths, &id, &file), !counts, "{text}, {listens}");
            make_room(&paths, &id).unwrap();
            assert_eq!((file.exists(), folder.join(exec.as_str()).exists()), (stays, stays), "{text}");
        }
        // What is not the record of a session is nobody's to remove.
        let (_dir, paths, id, _) = folders();
        let other = folder(&paths, &id).join("notes.json");
        fs::write(&other, "{").unwrap();
        make_room(&paths, &id).unwrap();
        assert!(other.exists());
    }

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
