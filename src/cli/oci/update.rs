//! `hoist oci update`: changes the limits of a container.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::saved::Folder;
use super::{Failed, Global, refuse, scope};
use crate::base::disk;
use crate::base::units;
use crate::cgroup::Limits;
use crate::oci::runtime::{ContainerState, LinuxResources};

/// The largest document with resources.
const MAX_RESOURCES: u64 = 1 << 20;

#[derive(Debug, Args)]
pub(super) struct Update {
    /// File with resources as in a spec, or `-` for standard input. It replaces the other options.
    #[arg(short, long)]
    resources: Option<PathBuf>,
    /// Memory, in bytes or with a unit; -1 for no limit.
    #[arg(long, allow_hyphen_values = true, value_parser = bytes)]
    memory: Option<i64>,
    /// Memory and swap together; -1 for no limit.
    #[arg(long, allow_hyphen_values = true, value_parser = bytes)]
    memory_swap: Option<i64>,
    /// Memory to leave to it when memory is short.
    #[arg(long, allow_hyphen_values = true, value_parser = bytes)]
    memory_reservation: Option<i64>,
    /// No effect, which is said: kernels have no such limit any longer.
    #[arg(long, allow_hyphen_values = true, hide = true)]
    kernel_memory: Option<String>,
    #[arg(long, allow_hyphen_values = true, hide = true)]
    kernel_memory_tcp: Option<String>,
    /// Relative CPU weight, from 2 to 262144.
    #[arg(long)]
    cpu_share: Option<u64>,
    /// Length of a CPU period in microseconds.
    #[arg(long)]
    cpu_period: Option<u64>,
    /// CPU time in a period, in microseconds; -1 for no limit.
    #[arg(long, allow_hyphen_values = true)]
    cpu_quota: Option<i64>,
    /// CPUs that may be used: `0-2,7`.
    #[arg(long)]
    cpuset_cpus: Option<String>,
    /// Memory nodes that may be used.
    #[arg(long)]
    cpuset_mems: Option<String>,
    /// Number of processes; -1 for no limit.
    #[arg(long, allow_hyphen_values = true)]
    pids_limit: Option<i64>,
    /// Relative disk weight, from 10 to 1000.
    #[arg(long)]
    blkio_weight: Option<u16>,
    /// ID of the container.
    id: String,
}

fn bytes(text: &str) -> Result<i64, String> {
    if text == "-1" {
        return Ok(-1);
    }
    let bytes = units::parse_size(text).map_err(|error| error.to_string())?;
    i64::try_from(bytes).map_err(|error| error.to_string())
}

impl Update {
    /// Returns the resources that the options describe, as a spec does.
    fn resources(&self) -> Result<LinuxResources, Failed> {
        if let Some(file) = &self.resources {
            return resources(file);
        }
        let memory = json!({
            "limit": self.memory,
            "swap": self.memory_swap,
            "reservation": self.memory_reservation,
        });
        let cpu = json!({
            "shares": self.cpu_share,
            "quota": self.cpu_quota,
            "period": self.cpu_period,
            "cpus": self.cpuset_cpus,
            "mems": self.cpuset_mems,
        });
        let pids = self.pids_limit.map(|limit| json!({ "limit": limit }));
        let disks = json!({ "weight": self.blkio_weight });
        let resources = json!({ "memory": memory, "cpu": cpu, "pids": pids, "blockIO": disks });
        Ok(serde_json::from_value(resources)?)
    }
}

fn resources(file: &Path) -> Result<LinuxResources, Failed> {
    if file != Path::new("-") {
        return Ok(disk::read_json(file)?);
    }
    let mut text = String::new();
    io::stdin().take(MAX_RESOURCES).read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}

pub(super) fn update(global: &Global, words: &Update) -> Result<(), Failed> {
    let folder = Folder::new(&global.root, &words.id)?;
    let saved = folder.load()?;
    if folder.status(&saved) == ContainerState::Stopped {
        return refuse(format!("cannot update `{}`: it is stopped", words.id));
    }
    if words.kernel_memory.is_some() || words.kernel_memory_tcp.is_some() {
        global.warn(&["limits of kernel memory have no effect: kernels have none any longer".to_owned()]);
    }
    let mut cgroup = saved.cgroup();
    let limits = Limits::from_spec(&words.resources()?);
    cgroup.update(&limits)?;
    global.warn(&cgroup.warnings);
    if let Some(unit) = &saved.unit {
        scope::update(global, unit, &cgroup.properties(&limits))?;
        cgroup.update(&limits)?; // systemd has rounded a quota
    }
    Ok(())
}
