//! What a user asks of a new container: the words of `run` and `create`, parsed.
//!
//! Everything may be left out; [`super::config`] merges it with the image's configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::oci::Platform;

/// What a user asks of a new container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// Words after the image; empty takes the image's.
    pub command: Vec<String>,
    /// `--entrypoint`; `Some` of an empty list clears the image's.
    pub entrypoint: Option<Vec<String>>,
    /// `NAME=value`; a later one wins. (`-e NAME` was looked up by who read the words.)
    pub env: Vec<String>,
    /// `-w`
    pub workdir: Option<PathBuf>,
    /// `-u name|uid[:group|gid]`, looked up inside the image.
    pub user: Option<String>,
    /// `-h`
    pub hostname: Option<String>,
    /// `--domainname`
    pub domainname: Option<String>,
    /// `-t`
    pub tty: bool,
    /// `-i`
    pub interactive: bool,
    /// `-a` and `-d`: the streams that the command attaches. When not said, output, and input
    /// with `-i`.
    pub attach: Option<Streams>,
    /// `--rm`
    pub auto_remove: bool,
    /// `--label`
    pub labels: BTreeMap<String, String>,
    /// `--stop-signal`: a name or a number.
    pub stop_signal: Option<String>,
    /// `--stop-timeout` in seconds; negative waits for ever.
    pub stop_timeout: Option<i64>,
    /// `-v` and `--mount`.
    pub mounts: Vec<MountRequest>,
    /// `--network`
    pub network: NetworkMode,
    /// `--add-host name:address`
    pub extra_hosts: Vec<String>,
    /// `--dns`
    pub dns: Vec<String>,
    /// `--dns-search`
    pub dns_search: Vec<String>,
    /// `--dns-option`
    pub dns_options: Vec<String>,
    /// `--read-only`
    pub read_only: bool,
    /// `--cap-add`, as written (`NET_ADMIN`, `CAP_NET_ADMIN`, `ALL`).
    pub cap_add: Vec<String>,
    /// `--cap-drop`
    pub cap_drop: Vec<String>,
    /// `--privileged`
    pub privileged: bool,
    /// `--security-opt no-new-privileges`
    pub no_new_privileges: bool,
    /// `--security-opt seccomp=`
    pub seccomp: Seccomp,
    /// `--security-opt apparmor=`: a profile's name, or `unconfined`.
    pub apparmor: Option<String>,
    /// `--security-opt label=`: parts of an SELinux label, `disable` for none.
    pub selinux: Vec<String>,
    /// `--ulimit`
    pub ulimits: Vec<Ulimit>,
    /// `--init`
    pub init: bool,
    /// `--platform`
    pub platform: Option<Platform>,
    /// `--runtime`: `None` is the embedded one.
    pub runtime: Option<String>,
    /// `--restart`
    pub restart: RestartPolicy,
    /// `--log-driver`, `--log-opt`
    pub log: LogOptions,
    /// `--group-add`
    pub group_add: Vec<String>,
    /// `--shm-size` in bytes.
    pub shm_size: Option<u64>,
}

/// Some of a process's three standard streams.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Streams {
    /// Standard input.
    pub stdin: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
}

/// A file system made visible in the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountRequest {
    /// Where, an absolute path in the container.
    pub target: PathBuf,
    /// Whether writing is refused.
    pub read_only: bool,
    /// What.
    pub kind: MountKind,
}

/// Where a mount's files come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "type")]
pub enum MountKind {
    /// A path of the host.
    Bind(Bind),
    /// Memory.
    Tmpfs(Tmpfs),
}

/// A path of the host, seen in the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bind {
    /// An absolute path of the host.
    pub source: PathBuf,
    /// `-v` makes a missing source as a folder, `--mount` refuses it.
    pub create_source: bool,
    /// How mounts made later pass between host and container.
    pub propagation: Propagation,
    /// Mounts below the source come along.
    pub recursive: bool,
    /// Whether a read-only mount makes those below it read-only.
    #[serde(default, skip_serializing_if = "is_default")]
    pub submounts: Submounts,
}

/// What becomes of the mounts below a source that is mounted read-only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Submounts {
    /// Read-only too, where the kernel can do it.
    #[default]
    Alike,
    /// They stay as they are.
    Writable,
    /// Read-only too, or the container does not start.
    ReadOnly,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// How mounts made later pass between host and container: mount_namespaces(7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the kernel's words")]
pub enum Propagation {
    Private,
    #[default]
    Rprivate,
    Shared,
    Rshared,
    Slave,
    Rslave,
}

/// A file system in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tmpfs {
    /// Most bytes it holds; half of the memory when not said.
    pub size: Option<u64>,
    /// Mode of its root, 1777 when not said.
    pub mode: Option<u32>,
    /// Further mount options as written: `exec`, `noexec`, `uid=…`, …
    pub options: Vec<String>,
}

/// Which network a container has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum NetworkMode {
    /// One of its own with nothing but `lo`.
    None,
    /// The host's.
    Host,
    /// The default bridge.
    #[default]
    Bridge,
    /// Another container's, by name or id.
    Container(String),
    /// A network that was created, by name or id.
    Named(String),
}

impl From<String> for NetworkMode {
    fn from(word: String) -> Self {
        match word.as_str() {
            "none" => Self::None,
            "host" => Self::Host,
            "bridge" | "default" | "" => Self::Bridge,
            _ => match word.strip_prefix("container:") {
                Some(other) => Self::Container(other.to_owned()),
                None => Self::Named(word),
            },
        }
    }
}

impl From<NetworkMode> for String {
    fn from(mode: NetworkMode) -> Self {
        match mode {
            NetworkMode::None => "none".to_owned(),
            NetworkMode::Host => "host".to_owned(),
            NetworkMode::Bridge => "bridge".to_owned(),
            NetworkMode::Container(other) => format!("container:{other}"),
            NetworkMode::Named(name) => name,
        }
    }
}

/// Which system calls the container may make.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Seccomp {
    /// Docker's default profile.
    #[default]
    Default,
    /// All of them.
    Unconfined,
    /// The profile with this text (JSON; read from its file by who read the words).
    Profile(String),
}

/// One resource limit: setrlimit(2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ulimit {
    /// `nofile`, `nproc`, `core`, …
    pub name: String,
    /// -1 is no limit.
    pub soft: i64,
    /// -1 is no limit.
    pub hard: i64,
}

/// What happens when the container's process ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartPolicy {
    /// Nothing.
    #[default]
    No,
    /// It is started again, unless it was stopped by hand; then at boot.
    Always,
    /// As `always`, but not at boot when it was stopped by hand.
    UnlessStopped,
    /// It is started again when its exit code is not 0, at most so often (0: no bound).
    OnFailure(u32),
}

/// Where output goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogOptions {
    /// `json-file` or `none`.
    pub driver: String,
    /// A file of this many bytes is rotated.
    pub max_size: u64,
    /// So many files are kept.
    pub max_files: u32,
}

impl Default for LogOptions {
    /// Docker keeps everything, and that fills disks; hoist keeps 3 files of 10 MB.
    fn default() -> Self {
        Self { driver: "json-file".to_owned(), max_size: 10_000_000, max_files: 3 }
    }
}

/// Whether `run` and `create` ask a registry first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PullPolicy {
    /// Always.
    Always,
    /// Only when the image is not here.
    #[default]
    Missing,
    /// Never.
    Never,
}
