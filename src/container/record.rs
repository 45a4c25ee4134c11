//! What is on disk about a container: `record.json` and `run.json`.

mod old;

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::options::{
    LogOptions, MountRequest, NetworkMode, Options, RestartPolicy, Seccomp, Streams, Ulimit,
};
use super::status::Status;
use crate::base::disk::{Kept, State, Unknown, state};
use crate::base::{ContainerId, Endpoint, Name};
use crate::oci::{ImageId, Platform};

/// Current version of `record.json`.
pub const VERSION: u32 = 1;
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
    pub config: Config,
    /// How it last ended, and what else is remembered of its runs.
    #[serde(default)]
    pub state: ExitState,
    /// Fields of a newer hoist, kept when this one rewrites the file.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, serde_json::Value>,
}

state!(Record, VERSION);

impl Record {
    /// Whether its restart policy wants it started when the machine is, as Docker does when
    /// its daemon starts. One that never ran is not started.
    #[must_use]
    pub fn wants_boot(&self) -> bool {
        let wants = match self.config.restart {
            RestartPolicy::Always => true,
            RestartPolicy::UnlessStopped => !self.state.stopped_by_hand,
            // For failures alone, which the end of the machine is not.
            RestartPolicy::OnFailure(_) | RestartPolicy::No => false,
        };
        wants && self.state.started.is_some()
    }

    /// Whether its restart policy starts it again after an end with this exit code.
    #[must_use]
    pub fn wants_restart(&self, code: u8) -> bool {
        let wants = match self.config.restart {
            RestartPolicy::No => false,
            RestartPolicy::Always | RestartPolicy::UnlessStopped => true,
            RestartPolicy::OnFailure(most) => code != 0 && (most == 0 || self.state.restart_count < most),
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

/// A container's configuration, complete: nothing of the image is left to look up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Entry point, then command: what is executed is the one followed by the other.
    pub entrypoint: Vec<String>,
    /// The words after the entry point.
    pub command: Vec<String>,
    /// `NAME=value`, the image's first.
    pub env: Vec<String>,
    /// Absolute.
    pub workdir: PathBuf,
    /// `name|uid[:group|gid]`, empty for root.
    pub user: String,
    /// The container's short id unless asked otherwise; the host's with the host's network.
    pub hostname: String,
    /// Empty unless asked for.
    pub domainname: String,
    /// A terminal instead of three pipes.
    pub tty: bool,
    /// Standard input is a pipe or the terminal; it is /dev/null otherwise.
    pub open_stdin: bool,
    /// The streams that the command which made it attaches, where that was said.
    pub attach: Option<Streams>,
    /// The image's labels and the user's.
    pub labels: BTreeMap<String, String>,
    /// A name as in signal(7), `SIGTERM`.
    pub stop_signal: String,
    /// Seconds between that signal and SIGKILL; negative waits for ever.
    pub stop_timeout: i64,
    /// Binds and tmpfs.
    pub mounts: Vec<MountRequest>,
    /// Anonymous volumes the image declares: paths in the container.
    pub volumes: Vec<PathBuf>,
    /// Which network.
    pub network: NetworkMode,
    /// Further lines of /etc/hosts, `name:address`.
    pub extra_hosts: Vec<String>,
    /// Name servers instead of the host's.
    pub dns: Vec<String>,
    /// Search domains instead of the host's.
    pub dns_search: Vec<String>,
    /// Resolver options instead of the host's.
    pub dns_options: Vec<String>,
    /// The root cannot be written.
    pub read_only: bool,
    /// The full set of capabilities, `CAP_…`, before it is cut to what the caller has.
    pub capabilities: Vec<String>,
    /// Everything the engine itself may do.
    pub privileged: bool,
    /// No program gains rights by set-user-id bits or file capabilities.
    pub no_new_privileges: bool,
    /// Which system calls.
    pub seccomp: Seccomp,
    /// An AppArmor profile by name, or `unconfined`; the default one where nothing is said.
    pub apparmor: Option<String>,
    /// Parts of an SELinux label, as `type:container_t`; they are without effect where SELinux is off.
    pub selinux: Vec<String>,
    /// Resource limits.
    pub ulimits: Vec<Ulimit>,
    /// An init process of ours reaps orphans and passes signals on.
    pub init: bool,
    /// Removed when it ends.
    pub auto_remove: bool,
    /// Where output goes.
    pub log: LogOptions,
    /// `None` is the embedded runtime.
    pub runtime: Option<String>,
    /// What happens when it ends.
    pub restart: RestartPolicy,
    /// What the image was built for.
    pub platform: Option<Platform>,
    /// Further groups, names or numbers.
    pub group_add: Vec<String>,
    /// Bytes of /dev/shm.
    pub shm_size: u64,
    /// Ports the image exposes, `80/tcp`.
    pub exposed_ports: Vec<String>,
}

impl Config {
    /// The streams that the command which made it attaches: Docker's `AttachStdin`,
    /// `AttachStdout` and `AttachStderr`.
    #[must_use]
    pub fn attached(&self) -> Streams {
        self.attach.unwrap_or(Streams { stdin: self.open_stdin, stdout: true, stderr: true })
    }

    /// Whether standard input ends with the first client that carries it, as Docker's
    /// `StdinOnce`. Without, clients come and go (`run -di`).
    #[must_use]
    pub fn stdin_once(&self) -> bool {
        self.open_stdin && self.attached().stdin
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
    pub unknown: BTreeMap<String, serde_json::Value>,
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
