//! What front ends see of a container: plain data, the same whatever engine tells it.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::base::{ContainerId, Endpoint, Name, Paths};
use crate::container::{ExitState, Options, Record, Run, Status, log};
use crate::monitor::recover::UNSEEN;
use crate::oci::ImageId;

/// A container as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerView {
    /// Its id.
    pub id: ContainerId,
    /// Its name.
    pub name: Name,
    /// When it was created.
    pub created: Timestamp,
    /// The image as the user named it.
    pub image: String,
    /// The image.
    pub image_id: ImageId,
    /// What the user asked for.
    pub asked: Options,
    /// What that means, with the image's configuration merged in: its mounts, ports, limits.
    pub config: Options,
    /// How it is.
    pub status: Status,
    /// Its first process, while it is up.
    pub pid: Option<u32>,
    /// When it was last started, how it last ended, and what else is remembered of its runs.
    pub state: ExitState,
    /// Where it is connected, while it is up.
    pub endpoints: Vec<Endpoint>,
    /// What the log of its last run lacks, and why, as far as that is known.
    pub log_gap: Option<String>,
    /// Bytes on disk, where asked for.
    pub size: Option<DiskUse>,
    /// Where its files are, where one container was asked for.
    pub files: Option<Box<ContainerFiles>>,
    /// What went wrong when a dead run of it was seen to, a sentence each.
    pub warnings: Vec<String>,
}

#[cfg(test)]
impl ContainerView {
    /// A container that is up, with this record.
    pub(crate) fn running(record: serde_json::Value) -> Self {
        let record: Record = serde_json::from_value(record).expect("it is a record");
        let stored = Stored { record, run: None, status: Status::Running, warnings: Vec::new() };
        stored.view_with_files(&Paths::new("/data", "/run/x"))
    }
}

/// Where a container's files are, on the machine of its engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerFiles {
    /// What is bound to /etc/resolv.conf; like the next two empty before its first start.
    pub resolv_conf: PathBuf,
    /// What is bound to /etc/hostname.
    pub hostname: PathBuf,
    /// What is bound to /etc/hosts.
    pub hosts: PathBuf,
    /// The log that is written; empty before its first start, and where none is kept.
    pub log: PathBuf,
    /// The image's layers, top-most first.
    pub lower: Vec<PathBuf>,
    /// Its own changes.
    pub upper: PathBuf,
    /// The kernel's, beside these.
    pub work: PathBuf,
}

/// What a container takes on the disk, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiskUse {
    /// Its own changes.
    pub writable: u64,
    /// Those and its image's layers.
    pub total: u64,
    /// Its log files.
    pub log: u64,
}

/// A container as its state files tell, seen to where a run of it was found dead.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Stored {
    /// Its `record.json`, which outlives a reboot.
    pub(in crate::engine) record: Record,
    /// Its `run.json`; `None` unless it is up.
    pub(in crate::engine) run: Option<Run>,
    /// How it is.
    pub(in crate::engine) status: Status,
    /// What went wrong when a dead run of it was seen to, a sentence each.
    pub(in crate::engine) warnings: Vec<String>,
}

impl Stored {
    /// For front ends.
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
            warnings,
        }
    }

    /// The same with where its files are.
    pub(in crate::engine) fn view_with_files(self, paths: &Paths) -> ContainerView {
        let files = Some(Box::new(self.files(paths)));
        ContainerView { files, ..self.view() }
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
