//! The resource limits of a container.

use clap::Args;

use super::values::size;
use super::{Line, Result, each};
use crate::command::field::{Field, Section as S};
use crate::command::usage::Usage;
use crate::engine::{ResourceOptions, ULIMITS, Ulimit, Unknown};

#[derive(Debug, Args)]
pub(super) struct ResourceWords {
    /// Memory limit, such as 512m
    #[arg(short, long, value_name = "BYTES")]
    memory: Option<String>,
    /// Limit for memory plus swap; -1 for unlimited swap
    #[arg(long, value_name = "BYTES", allow_negative_numbers = true)]
    memory_swap: Option<String>,
    /// Size of /dev/shm, such as 64m
    #[arg(long, value_name = "BYTES")]
    shm_size: Option<String>,
    /// Set a resource limit, such as nofile=1024:4096
    #[arg(long, value_name = "NAME=SOFT[:HARD]")]
    ulimit: Vec<String>,
}

/// Fields of the form.
pub(super) const FIELDS: &[Field] = &[
    Field::one(190, "Shm size", "shm-size", &[S::Mounts, S::Resources], "64m"),
    Field::one(192, "Memory", "memory", &[S::Resources], "no limit, or 512m"),
    Field::one(194, "Memory+swap", "memory-swap", &[S::Resources], "twice the memory"),
    Field::many(270, "Ulimits", "ulimit", &[S::Resources], "nofile=1024:2048"),
];

/// Docker's options that are not supported yet.
pub(super) const LACKS: &[&str] = &[
    "--blkio-weight",
    "--blkio-weight-device",
    "--cgroup-parent",
    "--cpu-count",
    "--cpu-percent",
    "--cpu-period",
    "--cpu-quota",
    "--cpu-rt-period",
    "--cpu-rt-runtime",
    "-c, --cpu-shares",
    "--cpus",
    "--cpuset-cpus",
    "--cpuset-mems",
    "--device-read-bps",
    "--device-read-iops",
    "--device-write-bps",
    "--device-write-iops",
    "--io-maxbandwidth",
    "--io-maxiops",
    "--kernel-memory",
    "--memory-reservation",
    "--memory-swappiness",
    "--oom-kill-disable",
    "--oom-score-adj",
    "--pids-limit",
];

impl ResourceWords {
    pub(super) fn read(self) -> Result<ResourceOptions> {
        Ok(ResourceOptions {
            ulimits: each(&self.ulimit, ulimit)?,
            shm_size: self.shm_size.as_deref().map(|word| size("--shm-size", word)).transpose()?,
            memory: self.memory.as_deref().map(|word| size("--memory", word)).transpose()?,
            memory_swap: self.memory_swap.as_deref().map(swap).transpose()?,
            unknown: Unknown::new(),
        })
    }
}

pub(super) fn write(resources: &ResourceOptions, line: &mut Line) {
    if let Some(bytes) = resources.shm_size {
        line.value("--shm-size", bytes.to_string());
    }
    if let Some(bytes) = resources.memory {
        line.value("--memory", bytes.to_string());
    }
    if let Some(bytes) = resources.memory_swap {
        line.value("--memory-swap", bytes.to_string());
    }
    for limit in &resources.ulimits {
        line.value("--ulimit", format!("{}={}:{}", limit.name, limit.soft, limit.hard));
    }
}

/// Parses a number of bytes, or -1.
fn swap(word: &str) -> Result<i64> {
    match word {
        "-1" => Ok(-1),
        word => size("--memory-swap", word).map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
    }
}

/// Parses `nofile=1024:2048`.
fn ulimit(word: &str) -> Result<Ulimit> {
    let bad = |why: &str| Usage::argument(format!("invalid ulimit `{word}`: {why}"));
    let (name, limits) = word.split_once('=').ok_or_else(|| bad("expected name=soft[:hard]"))?;
    if !ULIMITS.contains(&name) {
        return Err(bad("unknown limit").hint(format!("valid limits: {}", ULIMITS.join(", "))));
    }
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    let number = |text: &str| match text {
        "unlimited" => Ok(-1),
        _ => text
            .parse::<i64>()
            .ok()
            .filter(|n| *n >= -1)
            .ok_or_else(|| bad("expected numbers, or -1 for unlimited")),
    };
    let (soft, hard) = (number(soft)?, number(hard)?);
    let above = hard != -1 && (soft > hard || soft == -1);
    if above {
        return Err(bad("the soft limit must be less than or equal to the hard limit"));
    }
    Ok(Ulimit { name: name.to_owned(), soft, hard, ..Ulimit::default() })
}
