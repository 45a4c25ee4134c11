//! The only clean-up code: after a run, and for a removal.
//!
//! The monitor calls these functions when its container has exited; an engine calls them for a run
//! whose monitor it finds dead. They continue after a failure and return all errors. Calling them
//! twice is not an error.

use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;

use super::error::Error;
use super::journal;
use crate::base::disk::Unknown;
use crate::base::{ContainerId, Endpoint, Paths};
use crate::cgroup::{Cgroup, Parent};
use crate::container::record::{RUN_VERSION, UNKNOWN};
use crate::container::{Process, Record, Run, Status, store};
use crate::network;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// 0…255; 255 if it is unknown.
    pub code: u8,
    /// Whether the kernel killed a process that was out of memory.
    pub oom_killed: bool,
    /// The time of the exit.
    pub time: Timestamp,
}

impl End {
    /// Returns an end with an unknown exit code, at the current time.
    #[must_use]
    pub fn unseen() -> Self {
        Self { code: UNKNOWN, oom_killed: false, time: Timestamp::now() }
    }
}

/// What happens to a container after its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It stays and can be started again.
    Stay,
    /// A monitor restarts it. The record is written, and the run is kept.
    Restart,
    /// It is removed immediately. The record is not written, and the run is only removed with the
    /// whole container.
    Remove,
}

/// Returns the parent of this engine's cgroups.
#[must_use]
pub fn cgroup_parent(paths: &Paths) -> Parent {
    Parent::new(paths.engine_name())
}

/// Returns the cgroup of a container according to its run. Without a run, returns the one in this
/// engine's parent.
#[must_use]
pub fn cgroup_of(paths: &Paths, id: &ContainerId, run: Option<&Run>) -> Cgroup {
    let said = run.and_then(|run| run.cgroup.as_deref());
    let parent = said.and_then(|path| parent_of(path, id)).map_or_else(|| cgroup_parent(paths), Parent::new);
    Cgroup::open(&parent, id.as_str())
}

/// Returns the parent of a container's own group; `None` if the path is not such a group.
fn parent_of<'a>(path: &'a Path, id: &ContainerId) -> Option<&'a Path> {
    let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty())?;
    (is_below && path.file_name().is_some_and(|name| name == id.as_str())).then_some(parent)
}

/// Cleans up after a run: remaining processes, network, cgroup. Records how it ended, handles the
/// record and the run according to `next`, and writes the journal. `run` is `None` after a reboot
/// or if it was lost.
pub fn settle(paths: &Paths, record: &mut Record, run: Option<&Run>, end: End, next: Next) -> Vec<Error> {
    let mut errors = clear(paths, &record.id, run);
    note(record, end);
    if let Some(run) = run {
        record.state.log_fault.clone_from(&run.log_fault);
    }
    match next {
        Next::Stay => errors.extend(conclude(paths, record)),
        Next::Restart => {
            errors.extend(store::save(paths, record).err().map(Error::from));
            // Readers of the event look at the container, which must no longer be running.
            let waiting = run.map(|run| store::replace_run(paths, &record.id, &waiting_run(run.monitor())));
            errors.extend(waiting.and_then(std::result::Result::err).map(Error::from));
        }
        Next::Remove => {}
    }
    let code = end.code.to_string();
    if let Err(error) = journal::tell(paths, record, "die", &[("exitCode", &code)]) {
        errors.push(error.into());
    }
    errors
}

/// Records the end of the run.
pub fn note(record: &mut Record, end: End) {
    record.state.exit_code = end.code;
    record.state.oom_killed = end.oom_killed;
    record.state.finished = Some(end.time);
}

/// Writes the record of a container that has exited, and removes its run. Readers trust the run
/// while it exists, so the record is written first. If that fails (on a full or read-only disk),
/// the run stays and contains the exit until [`record_late`].
pub fn conclude(paths: &Paths, record: &Record) -> Vec<Error> {
    let id = &record.id;
    match store::save(paths, record) {
        Ok(()) => store::forget_run(paths, id).err().map(Error::from).into_iter().collect(),
        Err(error) => {
            let kept = store::keep_end(paths, record).err().map(Error::from);
            std::iter::once(error.into()).chain(kept).collect()
        }
    }
}

/// Writes the record of a container whose run contains its exit.
///
/// # Errors
///
/// If it still cannot be written; then the run stays.
pub fn record_late(paths: &Paths, record: &mut Record, run: &Run) -> Result<(), store::Error> {
    if let Some(ended) = &run.ended {
        record.state.clone_from(ended);
    }
    store::save(paths, record)?;
    store::forget_run(paths, &record.id)
}

/// Returns the run of a container between an exit and the restart that its policy or a user
/// requested.
#[must_use]
pub fn waiting_run(monitor: Process) -> Run {
    Run {
        version: RUN_VERSION,
        boot_id: store::boot_id().to_owned(),
        protocol: super::wire::PROTOCOL,
        status: Status::Restarting,
        monitor: monitor.into(),
        init: None,
        starting: false,
        started: None,
        cgroup: None,
        root_device: None,
        root_inode: None,
        pipes: None,
        endpoints: None,
        log_fault: String::new(),
        ended: None,
        unknown: Unknown::new(),
    }
}

/// Removes what a start created outside the container's folders. Without a run, searches for it.
pub fn clear(paths: &Paths, id: &ContainerId, run: Option<&Run>) -> Vec<Error> {
    let endpoints = run.and_then(|run| run.endpoints.as_deref());
    take_back(paths, id, &cgroup_of(paths, id, run), endpoints)
}

/// Like [`clear`], for a start that failed before there was a run.
pub(super) fn clear_start(paths: &Paths, id: &ContainerId, endpoints: Option<&[Endpoint]>) -> Vec<Error> {
    take_back(paths, id, &cgroup_of(paths, id, None), endpoints)
}

fn take_back(paths: &Paths, id: &ContainerId, cgroup: &Cgroup, endpoints: Option<&[Endpoint]>) -> Vec<Error> {
    let mut errors = Vec::new();
    if cgroup.exists() {
        let is_empty = cgroup.pids().is_ok_and(|pids| pids.is_empty());
        if !is_empty && let Err(error) = cgroup.kill() {
            errors.push(error.into());
        }
        if let Err(error) = cgroup.remove() {
            errors.push(error.into());
        }
    }
    let networks = network::NetworkPaths::new(paths);
    let removed = match endpoints {
        Some(endpoints) => network::remove(endpoints, &networks),
        None => network::forget(id, &networks),
    };
    errors.extend(removed.into_iter().map(Error::from));
    errors
}

/// Removes a container that has no run. It no longer exists afterwards. Returns its folder, to be
/// deleted with [`store::delete`], which may take time, and a warning.
///
/// # Errors
///
/// If its folder cannot be moved away; then the container still exists.
pub fn remove(paths: &Paths, record: &Record) -> Result<(PathBuf, Option<String>), Error> {
    let discarded = store::remove(paths, record)?;
    // It is removed even if the event cannot be written.
    Ok((discarded, journal::tell_or_warn(paths, record, "destroy", &[])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::ExitState;

    #[test]
    fn only_a_group_of_the_containers_own_is_believed_to_be_its_cgroup() {
        let id: ContainerId = "ab".repeat(32).parse().unwrap();
        let of = |path: String| parent_of(Path::new(&path), &id).map(Path::to_owned);
        assert_eq!(of(format!("hoist/{id}")), Some("hoist".into()));
        assert_eq!(of(format!("user.slice/hoist.scope/{id}")), Some("user.slice/hoist.scope".into()));
        for bad in ["hoist", "", "/", "..", "hoist/monitors"] {
            assert_eq!(of(bad.to_owned()), None, "{bad}");
        }
        for above in ["", "/hoist/", "../hoist/", "hoist/../"] {
            assert_eq!(of(format!("{above}{id}")), None, "{above}");
        }
    }

    /// Returns a running container in its own folders, without a cgroup and network.
    fn up() -> (tempfile::TempDir, Paths, Record, Run) {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        let mut record: Record =
            serde_json::from_str(include_str!("../../tests/old_state/record-2.json")).unwrap();
        record.state = ExitState { started: Some(Timestamp::now()), ..ExitState::default() };
        drop(store::create(&paths, &record).unwrap());
        let mut run = waiting_run(Process { pid: 4_000_000, start_time: 1 });
        (run.status, run.endpoints) = (Status::Running, Some(Vec::new()));
        "a full disk".clone_into(&mut run.log_fault);
        std::fs::create_dir_all(paths.container_run(&record.id)).unwrap();
        store::save_run(&paths, &record.id, &run).unwrap();
        (dir, paths, record, run)
    }

    const END: End = End { code: 137, oom_killed: true, time: Timestamp::UNIX_EPOCH };

    #[test]
    fn an_end_is_in_the_record_the_journal_and_where_the_container_stays_in_no_run() {
        for (next, is_written, is_up) in
            [(Next::Stay, true, false), (Next::Restart, true, true), (Next::Remove, false, true)]
        {
            let (_dir, paths, mut record, run) = up();
            let errors = settle(&paths, &mut record, Some(&run), END, next);
            assert!(errors.is_empty(), "{errors:?}");
            let state = &record.state;
            assert_eq!((state.exit_code, state.oom_killed, state.finished), (137, true, Some(END.time)));
            assert_eq!(state.log_fault, "a full disk");
            let written = store::load(&paths, &record.id).unwrap().unwrap();
            assert_eq!(written == record, is_written, "{next:?}");
            let left = store::load_run(&paths, &record.id).unwrap();
            assert_eq!(left.is_some(), is_up, "{next:?}");
            let is_waiting = left.is_some_and(|run| run.status == Status::Restarting && run.init.is_none());
            assert_eq!(is_waiting, next == Next::Restart, "{next:?}");
            let journal = std::fs::read_to_string(paths.journal()).unwrap();
            assert!(journal.contains("\"die\"") && journal.contains("\"exitCode\":\"137\""), "{journal}");
            assert!(clear(&paths, &record.id, Some(&run)).is_empty(), "a second time is no failure");
        }
    }

    #[test]
    fn an_end_that_cannot_be_recorded_is_kept_in_the_run_until_it_can() {
        let (_dir, paths, mut record, run) = up();
        let file = paths.container(&record.id).join("record.json");
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir_all(file.join("in the way")).unwrap();
        let errors = settle(&paths, &mut record, Some(&run), END, Next::Stay);
        assert_eq!(errors.len(), 1, "{errors:?}");
        let kept = store::load_run(&paths, &record.id).unwrap().unwrap();
        assert_eq!(kept.ended.as_ref(), Some(&record.state));
        record.state = ExitState::default();
        assert!(record_late(&paths, &mut record, &kept).is_err());
        assert!(store::load_run(&paths, &record.id).unwrap().is_some(), "nothing else tells of it");
        std::fs::remove_dir(file.join("in the way")).unwrap();
        std::fs::remove_dir(&file).unwrap();
        record_late(&paths, &mut record, &kept).unwrap();
        assert_eq!(store::load(&paths, &record.id).unwrap().unwrap().state.exit_code, 137);
        assert_eq!(store::load_run(&paths, &record.id).unwrap(), None);
    }
}
