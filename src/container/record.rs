//! What is on disk about a container: `record.json` and `run.json`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::options::{
    LogOptions, MountRequest, NetworkMode, Options, RestartPolicy, Seccomp, Streams, Ulimit,
};
use super::status::Status;
use crate::base::disk::state;
use crate::base::{ContainerId, Name};
use crate::oci::{ImageId, Platform};

/// Current version of both files.
pub const VERSION: u32 = 1;

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
    pub monitor: Process,
    /// The container's first process.
    pub init: Option<Process>,
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
    /// What the network part must undo, in its own form.
    #[serde(default)]
    pub network: Option<serde_json::Value>,
    /// Addresses and the like, for `inspect`, in the network part's form.
    #[serde(default)]
    pub endpoint: Option<serde_json::Value>,
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

state!(Run, VERSION);

/// A process that a reused pid is not mistaken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id in the engine's pid namespace.
    pub pid: u32,
    /// Clock ticks after boot when it started: field 22 of `/proc/<pid>/stat`.
    pub start_time: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record and a run as files of this version have them.
    fn record_and_run(restart: RestartPolicy) -> (Record, Run) {
        let id = "a".repeat(64);
        let process = serde_json::json!({ "pid": 1, "start_time": 1 });
        let record = serde_json::json!({
            "version": VERSION, "id": id, "name": "web", "created": "2026-01-01T00:00:00Z",
            "image": "busybox", "image_id": format!("sha256:{id}"), "layers": [],
            "options": Options::default(), "config": Config { restart, ..Config::default() },
        });
        let run = serde_json::json!({
            "version": VERSION, "boot_id": "", "protocol": 1, "status": "running",
            "monitor": process, "init": process, "started": null, "cgroup": null,
        });
        (serde_json::from_value(record).unwrap(), serde_json::from_value(run).unwrap())
    }

    #[test]
    fn a_run_found_dead_is_followed_by_another_as_its_policy_says() {
        use RestartPolicy::{Always, No, OnFailure};
        use Status::{Restarting, Running};
        let ended = Some(Timestamp::UNIX_EPOCH);
        for (restart, status, starting, finished, code, count, wanted) in [
            // The first start was cut off.
            (Always, Running, true, None, 0, 0, false),
            (Always, Running, true, ended, 1, 0, false),
            // It ended, and nobody recorded it.
            (Always, Running, false, None, 0, 0, true),
            (No, Running, false, None, 0, 0, false),
            (OnFailure(2), Running, false, None, 0, 1, true),
            (OnFailure(2), Running, false, None, 0, 2, false),
            // Its end is recorded.
            (OnFailure(2), Running, false, ended, 0, 1, false),
            (OnFailure(2), Running, false, ended, 1, 1, true),
            (No, Running, false, ended, 1, 0, false),
            // It waits for its restart: that was decided before it was counted.
            (OnFailure(2), Restarting, false, ended, 1, 1, true),
            (No, Restarting, false, ended, 143, 0, true), // `hoist restart`
            // The restart was cut off before it was counted, and after.
            (OnFailure(2), Restarting, true, ended, 1, 1, true),
            (OnFailure(2), Restarting, true, None, 0, 1, true),
            (OnFailure(2), Restarting, true, None, 0, 2, false),
        ] {
            let (mut record, mut run) = record_and_run(restart);
            (run.status, run.starting) = (status, starting);
            record.state = ExitState { finished, exit_code: code, restart_count: count, ..record.state };
            let case = (&record.config.restart, status, starting, finished, code, count);
            assert_eq!(record.is_to_be_restarted(&run, 255), wanted, "{case:?}");
            record.state.stopped_by_hand = true;
            assert!(!record.is_to_be_restarted(&run, 255), "{case:?}, stopped by hand");
        }
    }

    #[test]
    fn standard_input_ends_with_its_client_only_where_one_was_attached() {
        let attach = |stdin, stdout, stderr| Some(Streams { stdin, stdout, stderr });
        for (open_stdin, attach, attached, once) in [
            (true, None, (true, true, true), true), // run -i, create -i, records of before
            (false, None, (false, true, true), false), // run, create
            (true, attach(false, false, false), (false, false, false), false), // run -di
            (true, attach(true, true, false), (true, true, false), true), // run -i -a stdout
            (false, attach(true, false, false), (true, false, false), false), // run -a stdin
        ] {
            let config = Config { open_stdin, attach, ..Config::default() };
            let Streams { stdin, stdout, stderr } = config.attached();
            assert_eq!(((stdin, stdout, stderr), config.stdin_once()), (attached, once), "{attach:?}");
        }
    }
}
