//! What front ends see of a container: plain data, the same for every engine.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::base::{ContainerId, Endpoint, Name, Paths};
use crate::container::exec::{self, ExecView};
use crate::container::{ExitState, Options, Record, Run, Status, log};
use crate::monitor::recover::UNSEEN;
use crate::oci::ImageId;

/// A container and its current state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerView {
    /// Its id.
    pub id: ContainerId,
    /// Its name.
    pub name: Name,
    /// When it was created.
    pub created: Timestamp,
    /// The image as the user wrote it.
    pub image: String,
    /// The id of the image.
    pub image_id: ImageId,
    /// The options as requested.
    pub asked: Options,
    /// The resolved options, merged with the image's configuration: mounts, ports, limits.
    pub config: Options,
    /// Its status.
    pub status: Status,
    /// The pid of its init while it is up.
    pub pid: Option<u32>,
    /// Start and exit times, exit code, and whatever else is remembered of its runs.
    pub state: ExitState,
    /// Its network connections while it is up.
    pub endpoints: Vec<Endpoint>,
    /// What is missing in the log of its last run and why, if known.
    pub log_gap: Option<String>,
    /// Its size on disk, if requested.
    pub size: Option<DiskUse>,
    /// The paths of its files, if a single container was requested.
    pub files: Option<Box<ContainerFiles>>,
    /// The commands that are running in it besides its own, oldest first, if a single container was
    /// requested.
    pub execs: Vec<ExecView>,
    /// What went wrong when a dead run was settled, one sentence each.
    pub warnings: Vec<String>,
}

#[cfg(test)]
impl ContainerView {
    /// Returns a running container with this record.
    pub(crate) fn running(record: serde_json::Value) -> Self {
        let record: Record = serde_json::from_value(record).expect("it is a record");
        let stored = Stored { record, run: None, status: Status::Running, warnings: Vec::new() };
        stored.whole_view(&Paths::new("/data", "/run/x"))
    }
}

/// The paths of a container's files on the engine's machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerFiles {
    /// The file bound to /etc/resolv.conf. This and the next two are empty before the first start.
    pub resolv_conf: PathBuf,
    /// The file bound to /etc/hostname.
    pub hostname: PathBuf,
    /// The file bound to /etc/hosts.
    pub hosts: PathBuf,
    /// The current log file; empty before the first start, or if no log is kept.
    pub log: PathBuf,
    /// The image's layers, topmost first.
    pub lower: Vec<PathBuf>,
    /// The upper folder of its overlay, with its own changes.
    pub upper: PathBuf,
    /// The work folder of its overlay.
    pub work: PathBuf,
}

/// The disk usage of a container, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiskUse {
    /// Its own changes.
    pub writable: u64,
    /// Its changes and its image's layers.
    pub total: u64,
    /// Its log files.
    pub log: u64,
}

/// A container according to its state files, after settling a run that was found dead.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Stored {
    /// Its `record.json`, which survives a reboot.
    pub(in crate::engine) record: Record,
    /// Its `run.json`; `None` unless it is up.
    pub(in crate::engine) run: Option<Run>,
    /// Its status.
    pub(in crate::engine) status: Status,
    /// What went wrong when a dead run was settled, one sentence each.
    pub(in crate::engine) warnings: Vec<String>,
}

impl Stored {
    /// Returns the view for front ends.
    pub(in crate::engine) fn view(self) -> ContainerView {
        let log_gap = self.log_gap();
        let Self { record, run, status, warnings } = self;
        let init = run.as_ref().and_then(Run::init).filter(|_| status.is_up());
        let pid = init.map(|init| init.pid);
        let mut state = record.state;
        state.started = run.as_ref().and_then(|run| run.started).or(state.started);
        let endpoints = run.filter(|_| status.is_up()).and_then(|run| run.endpoints).unwrap_or_default();
        ContainerView {
            id: record.id,
            name: record.name,
            created: record.created,
            image: record.image,
            image_id: record.image_id,
            asked: record.options,
            config: record.config,
            status,
            pid,
            state,
            endpoints,
            log_gap,
            size: None,
            files: None,
            execs: Vec::new(),
            warnings,
        }
    }

    /// Returns the view with the paths of its files and the commands that are running in it.
    pub(in crate::engine) fn whole_view(self, paths: &Paths) -> ContainerView {
        let files = Some(Box::new(self.files(paths)));
        let execs = if self.status.is_up() { exec::running(paths, &self.record.id) } else { Vec::new() };
        ContainerView { files, execs, ..self.view() }
    }

    fn files(&self, paths: &Paths) -> ContainerFiles {
        let record = &self.record;
        let folder = paths.container(&record.id);
        let etc = paths.container_etc(&record.id);
        let was_started = self.run.is_some() || record.state.started.is_some();
        let started = |path: PathBuf| if was_started { path } else { PathBuf::new() };
        let log = match record.config.logging.is_kept() {
            true => log::current(&log::folder(&folder)),
            false => PathBuf::new(),
        };
        ContainerFiles {
            resolv_conf: started(etc.join("resolv.conf")),
            hostname: started(etc.join("hostname")),
            hosts: started(etc.join("hosts")),
            log: started(log),
            lower: record.layers.iter().map(|layer| paths.layers().join(layer)).collect(),
            upper: folder.join("upper"),
            work: folder.join("work"),
        }
    }

    fn log_gap(&self) -> Option<String> {
        let (state, name) = (&self.record.state, &self.record.name);
        let faults = self.run.iter().map(|run| &run.log_fault).chain([&state.log_fault]);
        if let Some(fault) = faults.into_iter().find(|fault| !fault.is_empty()) {
            return Some(format!("lines are missing from the log of `{name}`: {fault}"));
        }
        let is_unseen = UNSEEN.contains(&state.error.as_str());
        is_unseen.then(|| format!("the log of `{name}` may lack its last lines: {}", state.error))
    }
}
