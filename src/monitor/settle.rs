//! The only clean-up there is: after a run, and for good.
//!
//! The monitor calls these at a container's end; an engine calls them for a run whose
//! monitor it finds dead. They go on after a failure and return all of them, and doing
//! them twice is no failure.

use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;

use super::error::Error;
use super::journal;
use crate::base::disk::Unknown;
use crate::base::{ContainerId, Endpoint, Paths};
use crate::cgroup::{Cgroup, Parent};
use crate::container::record::RUN_VERSION;
pub use crate::container::record::UNKNOWN;
use crate::container::{Process, Record, Run, Status, store};
use crate::network;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// 0…255; 255 when nobody saw it.
    pub code: u8,
    /// The kernel killed a process of it: out of memory.
    pub oom_killed: bool,
    /// When.
    pub time: Timestamp,
}

impl End {
    /// Nobody saw how, nor when.
    #[must_use]
    pub fn unseen() -> Self {
        Self { code: UNKNOWN, oom_killed: false, time: Timestamp::now() }
    }
}

/// What becomes of a container after its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It stays, to be started again.
    Stay,
    /// A monitor starts it again: the record is written, and the run is kept.
    Restart,
    /// It is removed at once: neither is its record written any more, nor its run forgotten
    /// before it goes as a whole.
    Remove,
}

/// Where this engine's cgroups are.
#[must_use]
pub fn cgroup_parent(paths: &Paths) -> Parent {
    Parent::new(paths.engine_name())
}

/// The cgroup of a container: where its run says that it is. Without a run it is looked for where
/// this engine makes them.
#[must_use]
pub fn cgroup_of(paths: &Paths, id: &ContainerId, run: Option<&Run>) -> Cgroup {
    let said = run.and_then(|run| run.cgroup.as_deref());
    let parent = said.and_then(|path| parent_of(path, id)).map_or_else(|| cgroup_parent(paths), Parent::new);
    Cgroup::open(&parent, id.as_str())
}

/// The folder above a container's own group; `None` for a path that is none of these.
fn parent_of<'a>(path: &'a Path, id: &ContainerId) -> Option<&'a Path> {
    let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty())?;
    (is_below && path.file_name().is_some_and(|name| name == id.as_str())).then_some(parent)
}

/// Cleans up after a run: processes that are left, network, cgroup. Notes how it ended, does as
/// `next` says with the record and the run, and tells the journal. After a reboot, and where it
/// was lost, there is no run.
pub fn settle(paths: &Paths, record: &mut Record, run: Option<&Run>, end: End, next: Next) -> Vec<Error> {
    let mut errors = clear(paths, &record.id, run);
    note(record, end);
    if let Some(run) = run {
        record.state.log_fault.clone_from(&run.log_fault);
    }
    match next {
        Next::Stay => errors.extend(conclude(paths, record)),
        Next::Restart => errors.extend(store::save(paths, record).err().map(Error::from)),
        Next::Remove => {}
    }
    let code = end.code.to_string();
    if let Err(error) = journal::tell(paths, record, "die", &[("exitCode", &code)]) {
        errors.push(error.into());
    }
    errors
}

/// Notes in the record how its run ended.
pub fn note(record: &mut Record, end: End) {
    record.state.exit_code = end.code;
    record.state.oom_killed = end.oom_killed;
    record.state.finished = Some(end.time);
}

/// Writes the record of a container that has ended, and forgets its run. Readers believe the
/// run while there is one, so the record has to know first; where it cannot be written (a full
/// or read-only disk), the run stays, and tells how it ended until [`record_late`].
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

/// Writes the record of a container whose run tells how it ended.
///
/// # Errors
///
/// When it still cannot be written; then the run stays.
pub fn record_late(paths: &Paths, record: &mut Record, run: &Run) -> Result<(), store::Error> {
    if let Some(ended) = &run.ended {
        record.state.clone_from(ended);
    }
    store::save(paths, record)?;
    store::forget_run(paths, &record.id)
}

/// The run of a container between an end and the next start: its policy, or a person who
/// restarts it, wants one.
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
        pipes: None,
        endpoints: None,
        log_fault: String::new(),
        ended: None,
        unknown: Unknown::new(),
    }
}

/// Takes back what a start made outside of the container's folders. What no run tells of is looked
/// for.
pub fn clear(paths: &Paths, id: &ContainerId, run: Option<&Run>) -> Vec<Error> {
    let endpoints = run.and_then(|run| run.endpoints.as_deref());
    take_back(paths, id, &cgroup_of(paths, id, run), endpoints)
}

/// The same for a start that has failed before there was a run.
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

/// Removes a container that has no run: from then on it is not there. The folder that is returned
/// is to be deleted with [`store::delete`], which may take its time; and what to warn of.
///
/// # Errors
///
/// When its folder cannot be moved away; then it is still there.
pub fn remove(paths: &Paths, record: &Record) -> Result<(PathBuf, Option<String>), Error> {
    let discarded = store::remove(paths, record)?;
    // It is gone whether or not that can be told.
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

    /// A container that runs, in folders of its own: its cgroup and network are not there.
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
            assert_eq!(store::load_run(&paths, &record.id).unwrap().is_some(), is_up, "{next:?}");
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
