//! How a container is stopped, and what happens after it exits.

use clap::Args;

use super::{Line, Result};
use crate::command::field::{Field, Section as S};
use crate::command::usage::Usage;
use crate::engine::{LifecycleOptions, RestartPolicy, Unknown};

#[derive(Debug, Args)]
pub(super) struct LifecycleWords {
    /// Restart policy: no, always, unless-stopped or on-failure[:N]
    #[arg(long, value_name = "POLICY", default_value = "no")]
    restart: String,
    /// Automatically remove the container when it exits
    #[arg(long)]
    rm: bool,
    /// Signal to stop the container (default: the image's, or SIGTERM)
    #[arg(long, value_name = "SIGNAL")]
    stop_signal: Option<String>,
    /// Seconds to wait before killing the container (default 10)
    #[arg(long, value_name = "SECONDS")]
    stop_timeout: Option<i64>,
}

/// Signals that people send by hand.
pub(in crate::command) const SIGNALS: &[&str] =
    &["SIGTERM", "SIGKILL", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGSTOP", "SIGCONT"];

/// Fields of the form.
pub(super) const FIELDS: &[Field] = &[
    Field::switch(40, "remove on exit", "rm", &[S::General]),
    Field::one(260, "Restart", "restart", &[S::General], "no")
        .few(&["no", "always", "unless-stopped", "on-failure"])
        .optional(),
    Field::one(400, "Stop signal", "stop-signal", &[S::Advanced], "SIGTERM or the image's")
        .few(SIGNALS)
        .optional(),
    Field::one(410, "Stop timeout", "stop-timeout", &[S::Advanced], "10"),
];

/// Docker's options that are not supported yet.
pub(super) const LACKS: &[&str] = &[
    "--health-cmd",
    "--health-interval",
    "--health-retries",
    "--health-start-interval",
    "--health-start-period",
    "--health-timeout",
    "--no-healthcheck",
];

impl LifecycleWords {
    pub(super) fn read(self) -> Result<LifecycleOptions> {
        Ok(LifecycleOptions {
            auto_remove: self.rm,
            restart: restart(&self.restart)?,
            stop_signal: self.stop_signal,
            stop_timeout: self.stop_timeout,
            unknown: Unknown::new(),
        })
    }
}

pub(super) fn write(lifecycle: &LifecycleOptions, line: &mut Line) {
    line.flag("--rm", lifecycle.auto_remove);
    if lifecycle.restart != RestartPolicy::No {
        line.value("--restart", lifecycle.restart.to_string());
    }
    if let Some(signal) = &lifecycle.stop_signal {
        line.value("--stop-signal", signal);
    }
    if let Some(seconds) = lifecycle.stop_timeout {
        line.value("--stop-timeout", seconds.to_string());
    }
}

fn restart(word: &str) -> Result<RestartPolicy> {
    let bad = |why: &str| Usage::argument(format!("invalid restart policy `{word}`: {why}"));
    let (name, most) = match word.split_once(':') {
        Some((name, most)) => (name, Some(most)),
        None => (word, None),
    };
    let policy = match name {
        "no" | "" => RestartPolicy::No,
        "always" => RestartPolicy::Always,
        "unless-stopped" => RestartPolicy::UnlessStopped,
        "on-failure" => {
            let most = most
                .map_or(Ok(0), str::parse)
                .map_err(|_| bad("the maximum retry count must be an integer"))?;
            return Ok(RestartPolicy::OnFailure(most));
        }
        _ => return Err(bad("expected no, always, unless-stopped or on-failure[:n]")),
    };
    match most {
        Some(_) => Err(bad("a maximum retry count can only be used with on-failure")),
        None => Ok(policy),
    }
}
