//! What is on disk about a container: `record.json` and `run.json`.

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

/// What must outlive a reboot: `<root>/containers/<id>/record.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The form of this file.
    pub version: u32,
    /// The container's id.
    pub id: ContainerId,
    /// Its name; the link in `names/` must point back here.
    pub name: Name,
    /// When it was created.
    pub created: Timestamp,
    /// The image as the user named it.
    pub image: String,
    /// The image.
    pub image_id: ImageId,
    /// The image's layers, top-most first, each relative to `<root>/layers`.
    pub layers: Vec<PathBuf>,
    /// What the user asked for, to show it and to do it again.
    pub options: Options,
    /// What that means, with the image's configuration merged in.
    pub config: Options,
    /// How it last ended, and what else is remembered of its runs.
    #[serde(default)]
    pub state: ExitState,
    /// Fields of a newer hoist, kept when this one rewrites the file.
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
    /// Whether its restart policy starts it again after an end with this exit code.
    #[must_use]
    pub fn wants_restart(&self, code: u8) -> bool {
        let wants = match &self.config.lifecycle.restart {
            RestartPolicy::No | RestartPolicy::Unknown(_) => false,
            RestartPolicy::Always | RestartPolicy::UnlessStopped => true,
            &RestartPolicy::OnFailure(most) => code != 0 && (most == 0 || self.state.restart_count < most),
        };
        wants && !self.state.stopped_by_hand
    }

    /// Whether a container is to be started again that was found without a monitor and without
    /// a first process. `unseen` is the exit code where nobody recorded one.
    ///
    /// ```text
    ///  on disk                               run.status   run.starting  state.finished
    ///  first start, not yet executed         running      yes           any             no
    ///  running, or ended and not recorded    running      no            none            policy
    ///  end recorded                          running      no            some            policy
    ///  back-off                              restarting   no            some            yes
    ///  restart, not yet recorded             restarting   yes           some            yes
    ///  restart, recorded and cut off         restarting   yes           none            policy
    /// ```
    /// A start that a person asked for and that was cut off has been reported as failed. A
    /// restart counts from the moment it is recorded, so a policy that counts does not go on
    /// for ever.
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

/// How a container last ended, and what else is remembered of its runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExitState {
    /// When it was last started.
    pub started: Option<Timestamp>,
    /// When it last ended.
    pub finished: Option<Timestamp>,
    /// 0…255; 128 + n after signal n; 255 when nobody could see it.
    pub exit_code: u8,
    /// The kernel ended it because memory ran out.
    pub oom_killed: bool,
    /// Why it did not start, for people.
    pub error: String,
    /// How often its policy started it again.
    pub restart_count: u32,
    /// The AppArmor profile it was last started with; empty where AppArmor is not in force.
    pub apparmor: String,
    /// The SELinux label of its processes; empty where none was asked for.
    pub process_label: String,
    /// The SELinux label of its files.
    pub mount_label: String,
    /// `stop` or `kill` ended it: the policy does not start it again.
    pub stopped_by_hand: bool,
    /// Why lines of its last run are missing from its log; empty where none is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub log_fault: String,
    /// Fields of a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl ExitState {
    /// Whether `policy` wants a container with this past started when the machine is, as Docker
    /// does when its daemon starts. One that never ran is not started.
    #[must_use]
    pub fn wants_boot(&self, policy: &RestartPolicy) -> bool {
        let wants = match policy {
            RestartPolicy::Always => true,
            RestartPolicy::UnlessStopped => !self.stopped_by_hand,
            // For failures alone, which the end of the machine is not.
            RestartPolicy::OnFailure(_) | RestartPolicy::No | RestartPolicy::Unknown(_) => false,
        };
        wants && self.started.is_some()
    }
}

/// What a reboot voids: `<run>/containers/<id>/run.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The form of this file.
    pub version: u32,
    /// `/proc/sys/kernel/random/boot_id` of the boot it belongs to.
    pub boot_id: String,
    /// The protocol its monitor speaks.
    pub protocol: u32,
    /// How the container is.
    pub status: Status,
    /// The monitor.
    pub monitor: Kept<Process>,
    /// The container's first process.
    pub init: Option<Kept<Process>>,
    /// The first process is still hoist's, with what it holds of this machine, and has yet to
    /// execute the program: nobody may enter the container through it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub starting: bool,
    /// When this run was started.
    pub started: Option<Timestamp>,
    /// The payload's cgroup, relative to the cgroup root.
    pub cgroup: Option<PathBuf>,
    /// The payload's output pipes, by inode: an adopting monitor finds them again.
    #[serde(default)]
    pub pipes: Option<[u64; 2]>,
    /// Where it is connected; `None` where that is not known, and has to be looked for.
    #[serde(default)]
    pub endpoints: Option<Vec<Endpoint>>,
    /// Why lines are missing from its log; empty where none is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub log_fault: String,
    /// How it ended, where the record could not be written: the next command writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<ExitState>,
    /// Fields of a newer hoist, kept when this one rewrites the file.
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
    /// The container's first process.
    #[must_use]
    pub fn init(&self) -> Option<Process> {
        self.init.as_ref().map(|init| init.value)
    }

    /// The monitor.
    #[must_use]
    pub fn monitor(&self) -> Process {
        self.monitor.value
    }
}

/// A process that a reused pid is not mistaken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id in the engine's pid namespace.
    pub pid: u32,
    /// Clock ticks after boot when it started: field 22 of `/proc/<pid>/stat`.
    pub start_time: u64,
}

#[cfg(test)]
mod tests;
