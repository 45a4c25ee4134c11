//! `version` and `info`: as text and as Docker's JSON.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::engine::AppArmor;

/// Facts about the host and the engine, for `version` and `info`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// hoist's version.
    pub version: String,
    /// The architecture, such as `amd64`.
    pub arch: String,
    /// The kernel's release, such as `6.18.5`.
    pub kernel: String,
    /// The operating system, such as `Debian GNU/Linux 12 (bookworm)`.
    pub system: String,
    /// The host's name.
    pub hostname: String,
    /// Number of CPUs.
    pub cpus: usize,
    /// Memory in bytes.
    pub memory: u64,
    /// The cgroup version: `1` or `2`.
    pub cgroup: String,
    /// Whether AppArmor confines containers.
    pub apparmor: AppArmor,
    /// Number of running, paused and other containers, if known.
    pub containers: Option<(usize, usize, usize)>,
    /// Number of images, if known.
    pub images: Option<usize>,
    /// Warnings, one sentence each.
    pub warnings: Vec<String>,
    /// Why something could not be counted.
    pub faults: Vec<String>,
    /// The engine's name.
    pub engine: String,
    /// The folder of persistent state.
    pub root: PathBuf,
    /// The folder of state that does not survive a reboot.
    pub run: PathBuf,
}

/// The version of Docker's API that hoist's JSON follows.
pub const API: &str = "1.51";

/// Returns `version` as JSON.
#[must_use]
pub fn version(facts: &Facts) -> Json {
    let side = json!({
        "Version": facts.version,
        "ApiVersion": API,
        "Os": "linux",
        "Arch": facts.arch,
        "KernelVersion": facts.kernel,
    });
    let mut client = side.clone();
    client["DefaultAPIVersion"] = API.into();
    let mut server = side;
    server["Platform"] = json!({"Name": "hoist"});
    server["Components"] =
        json!([{"Name": "Engine", "Version": facts.version, "Details": {"Os": "linux", "Arch": facts.arch}}]);
    server["MinAPIVersion"] = "1.24".into();
    json!({"Client": client, "Server": server})
}

/// Returns `version` as text.
#[must_use]
pub fn version_text(facts: &Facts) -> String {
    format!(
        "hoist:\n Version:           {}\n API version:       {API}\n OS/Arch:           linux/{}\n Kernel version:    {}\n",
        facts.version, facts.arch, facts.kernel
    )
}

/// Returns `info` as JSON.
#[must_use]
pub fn info(facts: &Facts) -> Json {
    let warnings = warnings(facts);
    let count = |of: fn((usize, usize, usize)) -> usize| facts.containers.map(of);
    let mut shown = json!({
        "ID": facts.engine,
        "Containers": count(|(running, paused, stopped)| running + paused + stopped),
        "ContainersRunning": count(|(running, ..)| running),
        "ContainersPaused": count(|(_, paused, _)| paused),
        "ContainersStopped": count(|(.., stopped)| stopped),
        "Images": facts.images,
        "Driver": "overlay2",
        "DriverStatus": null,
        "Plugins": {"Volume": ["local"], "Network": ["bridge", "host", "null"], "Log": ["json-file", "none"]},
        "LoggingDriver": "json-file",
        "CgroupDriver": "cgroupfs",
        "CgroupVersion": facts.cgroup,
        "KernelVersion": facts.kernel,
        "OperatingSystem": facts.system,
        "OSType": "linux",
        "Architecture": machine(&facts.arch),
        "NCPU": facts.cpus,
        "MemTotal": facts.memory,
        "DockerRootDir": facts.root,
        "RunRoot": facts.run,
        "Name": facts.hostname,
        "Labels": [],
        "ServerVersion": facts.version,
        "Runtimes": {"hoist": {}},
        "DefaultRuntime": "hoist",
        "Swarm": {"NodeID": "", "NodeAddr": "", "LocalNodeState": "inactive", "ControlAvailable": false, "Error": ""},
        "LiveRestoreEnabled": true,
        "SecurityOptions": security_options(facts),
        "Warnings": if warnings.is_empty() { Json::Null } else { warnings.into() },
    });
    if !facts.faults.is_empty() {
        shown["ServerErrors"] = facts.faults.clone().into();
    }
    shown
}

/// Returns `info` as text.
#[must_use]
pub fn info_text(facts: &Facts) -> String {
    let known = |count: Option<usize>| count.map_or_else(|| "unknown".to_owned(), |count| count.to_string());
    let count = |of: fn((usize, usize, usize)) -> usize| known(facts.containers.map(of));
    let rows: &[(&str, String)] = &[
        ("Containers", count(|(running, paused, stopped)| running + paused + stopped)),
        (" Running", count(|(running, ..)| running)),
        (" Paused", count(|(_, paused, _)| paused)),
        (" Stopped", count(|(.., stopped)| stopped)),
        ("Images", known(facts.images)),
        ("Server Version", facts.version.clone()),
        ("Storage Driver", "overlay2".to_owned()),
        ("Logging Driver", "json-file".to_owned()),
        ("Cgroup Driver", "cgroupfs".to_owned()),
        ("Cgroup Version", facts.cgroup.clone()),
        ("Runtimes", "hoist".to_owned()),
        ("Default Runtime", "hoist".to_owned()),
        ("Security Options", security_text(facts)),
        ("Kernel Version", facts.kernel.clone()),
        ("Operating System", facts.system.clone()),
        ("OSType", "linux".to_owned()),
        ("Architecture", machine(&facts.arch).to_owned()),
        ("CPUs", facts.cpus.to_string()),
        ("Total Memory", crate::base::units::binary(facts.memory)),
        ("Name", facts.hostname.clone()),
        ("Engine", facts.engine.clone()),
        ("Root Dir", facts.root.display().to_string()),
        ("Run Dir", facts.run.display().to_string()),
    ];
    let rows = rows.iter().map(|(name, value)| format!("{name}: {value}\n").replacen("::", ":", 1));
    let warnings = warnings(facts);
    let warnings = warnings.iter();
    rows.chain(warnings.map(|text| format!("WARNING: {}\n", crate::base::text::line(text)))).collect()
}

fn security_options(facts: &Facts) -> Vec<&'static str> {
    let apparmor = (facts.apparmor == AppArmor::Full).then_some("name=apparmor");
    apparmor.into_iter().chain(["name=seccomp,profile=builtin", "name=cgroupns"]).collect()
}

fn security_text(facts: &Facts) -> String {
    let apparmor = if facts.apparmor == AppArmor::Full { "apparmor, " } else { "" };
    format!("{apparmor}seccomp (builtin), cgroupns")
}

/// Returns all warnings, one sentence each.
fn warnings(facts: &Facts) -> Vec<String> {
    let is_wanting = facts.apparmor == AppArmor::NoParser;
    let apparmor = is_wanting
        .then_some("AppArmor is enabled, but apparmor_parser is not installed: containers are not confined");
    apparmor.map(str::to_owned).into_iter().chain(facts.warnings.iter().cloned()).collect()
}

/// Converts Go's name of an architecture to that of `uname -m`.
fn machine(arch: &str) -> &str {
    match arch {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        other => other,
    }
}
