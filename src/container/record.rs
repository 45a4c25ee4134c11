//! The state files of a container: `record.json` and `run.json`.

mod old;

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::options::{Options, RestartPolicy};
use super::status::Status;
use crate::base::disk::{Kept, State, Unknown};
use crate::base::{ContainerId, Endpoint, Name};
use crate::oci::ImageId;

/// Current version of `record.json`.
pub const VERSION: u32 = 2;
/// Current version of `run.json`.
pub const RUN_VERSION: u32 = 2;

/// What must survive a reboot: `<root>/containers/<id>/record.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The version of the file format.
    pub version: u32,
    /// The container's id.
    pub id: ContainerId,
    /// Its name; the link in `names/` must point back here.
    pub name: Name,
    /// When it was created.
    pub created: Timestamp,
    /// The image as the user named it.
    pub image: String,
    /// The image's id.
    pub image_id: ImageId,
    /// The image's layers, topmost first, each relative to `<root>/layers`.
    pub layers: Vec<PathBuf>,
    /// The options as requested, for display and to recreate the container.
    pub options: Options,
    /// The resolved options, with the image's configuration merged in.
    pub config: Options,
    /// How it last exited, and what else is remembered of its runs.
    #[serde(default)]
    pub state: ExitState,
    /// Fields written by a newer hoist, kept when the file is rewritten.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl State for Record {
    const NEWEST: u32 = VERSION;

    fn version(&self) -> u32 {
        self.version
    }

    fn read_old(bytes: &[u8]) -> serde_json::Result<Self> {
        old::record(bytes)
    }
}

impl Record {
    /// Returns whether its restart policy restarts it after this exit code.
    #[must_use]
    pub fn wants_restart(&self, code: u8) -> bool {
        let wants = match &self.config.lifecycle.restart {
            RestartPolicy::No | RestartPolicy::Unknown(_) => false,
            RestartPolicy::Always | RestartPolicy::UnlessStopped => true,
            &RestartPolicy::OnFailure(most) => code != 0 && (most == 0 || self.state.restart_count < most),
        };
        wants && !self.state.stopped_by_hand
    }

    /// Returns whether to restart a container that was found without a monitor and without a first
    /// process. `unseen` is the exit code to assume where none was recorded.
    ///
    /// ```text
    ///  on disk                               run.status   run.starting  state.finished
    ///  first start, not yet executed         running      yes           any             no
    ///  running, or exit not recorded         running      no            none            policy
    ///  exit recorded                         running      no            some            policy
    ///  back-off                              restarting   no            some            yes
    ///  restart, not yet recorded             restarting   yes           some            yes
    ///  restart, recorded and interrupted     restarting   yes           none            policy
    /// ```
    /// An interrupted start that a user requested has been reported as failed. A restart counts as
    /// soon as it is recorded, so a policy with a maximum cannot go on forever.
    #[must_use]
    pub fn is_to_be_restarted(&self, run: &Run, unseen: u8) -> bool {
        match (run.status, self.state.finished) {
            (Status::Restarting, Some(_)) => !self.state.stopped_by_hand,
            (Status::Restarting, None) => self.wants_restart(unseen),
            _ if run.starting => false,
            (_, Some(_)) => self.wants_restart(self.state.exit_code),
            (_, None) => self.wants_restart(unseen),
        }
    }
}

/// The exit code of a container whose end nobody saw.
pub const UNKNOWN: u8 = 255;

/// How a container last exited, and what else is remembered of its runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExitState {
    /// When it was last started.
    pub started: Option<Timestamp>,
    /// When it last exited.
    pub finished: Option<Timestamp>,
    /// 0 to 255; 128 + n after signal n; 255 if it could not be determined.
    pub exit_code: u8,
    /// The kernel killed it because it was out of memory.
    pub oom_killed: bool,
    /// Why it did not start, as readable text.
    pub error: String,
    /// How often its restart policy has restarted it.
    pub restart_count: u32,
    /// The AppArmor profile of its last start; empty where AppArmor is off.
    pub apparmor: String,
    /// The SELinux label of its processes; empty if none was requested.
    pub process_label: String,
    /// The SELinux label of its files.
    pub mount_label: String,
    /// `stop` or `kill` ended it, so its policy does not restart it.
    pub stopped_by_hand: bool,
    /// Why lines of its last run are missing from its log; empty if none are.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub log_fault: String,
    /// Fields written by a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl ExitState {
    /// Returns whether `policy` starts a container in this state at boot, as Docker does when its
    /// daemon starts. A container that never ran is not started.
    #[must_use]
    pub fn wants_boot(&self, policy: &RestartPolicy) -> bool {
        let wants = match policy {
            RestartPolicy::Always => true,
            RestartPolicy::UnlessStopped => !self.stopped_by_hand,
            // Only restarts after failures, and a shutdown is not one.
            RestartPolicy::OnFailure(_) | RestartPolicy::No | RestartPolicy::Unknown(_) => false,
        };
        wants && self.started.is_some()
    }
}

/// What a reboot invalidates: `<run>/containers/<id>/run.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The version of the file format.
    pub version: u32,
    /// `/proc/sys/kernel/random/boot_id` of the boot it belongs to.
    pub boot_id: String,
    /// The protocol version of its monitor.
    pub protocol: u32,
    /// The container's status.
    pub status: Status,
    /// Its monitor.
    pub monitor: Kept<Process>,
    /// Its first process.
    pub init: Option<Kept<Process>>,
    /// The first process has not yet executed the program: it is still hoist's and holds resources
    /// of the host, so nobody may enter the container through it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub starting: bool,
    /// When this run was started.
    pub started: Option<Timestamp>,
    /// The payload's cgroup, relative to the cgroup root.
    pub cgroup: Option<PathBuf>,
    /// Device number of its root file system. While that is mounted, no other file system has it.
    /// `None` if an older hoist started the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_device: Option<u64>,
    /// Inode number of that root: its folders have the same device number, and can be mounted too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_inode: Option<u64>,
    /// Inodes of the payload's output pipes, by which an adopting monitor finds them.
    #[serde(default)]
    pub pipes: Option<[u64; 2]>,
    /// Its network endpoints; `None` if they are unknown and have to be looked for.
    #[serde(default)]
    pub endpoints: Option<Vec<Endpoint>>,
    /// Why lines are missing from its log; empty if none are.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub log_fault: String,
    /// How it exited, if the record could not be written; the next command writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<ExitState>,
    /// Fields written by a newer hoist, kept when the file is rewritten.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl State for Run {
    const NEWEST: u32 = RUN_VERSION;

    fn version(&self) -> u32 {
        self.version
    }

    fn read_old(bytes: &[u8]) -> serde_json::Result<Self> {
        old::run(bytes)
    }
}

impl Run {
    /// Returns the container's first process.
    #[must_use]
    pub fn init(&self) -> Option<Process> {
        self.init.as_ref().map(|init| init.value)
    }

    /// Returns the monitor.
    #[must_use]
    pub fn monitor(&self) -> Process {
        self.monitor.value
    }
}

/// A process that cannot be confused with a later one with the same pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id in the engine's pid namespace.
    pub pid: u32,
    /// Start time in clock ticks since boot: field 22 of `/proc/<pid>/stat`.
    pub start_time: u64,
}

#[cfg(test)]
mod tests;
