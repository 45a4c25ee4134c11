//! How a container is stopped, and what happens after it exits.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::NotUnderstood;
use crate::base::disk::{Unknown, Unrecognized};
use crate::oci::image::Config as ImageConfig;
use crate::sys::signal;

const STOP_SIGNAL: &str = "SIGTERM";
/// Seconds between the stop signal and SIGKILL.
const STOP_TIMEOUT: i64 = 10;

/// Options for stopping, restarting and removing a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LifecycleOptions {
    /// `--rm`
    pub auto_remove: bool,
    /// `--restart`
    pub restart: RestartPolicy,
    /// `--stop-signal`: a name or a number; once resolved, a name as in signal(7).
    pub stop_signal: Option<String>,
    /// `--stop-timeout` in seconds; a negative value waits indefinitely.
    pub stop_timeout: Option<i64>,
    /// Fields written by a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What happens when the container exits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartPolicy {
    /// Never restart.
    #[default]
    No,
    /// Always restart, except after a manual stop; then it is started again at boot.
    Always,
    /// Like `always`, but a manually stopped container is not started at boot.
    UnlessStopped,
    /// Restart after a non-zero exit code, at most this many times (0: no limit).
    OnFailure(u32),
    /// A policy written by a newer hoist.
    #[serde(untagged)]
    Unknown(Unrecognized),
}

impl fmt::Display for RestartPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No => f.write_str("no"),
            Self::Always => f.write_str("always"),
            Self::UnlessStopped => f.write_str("unless-stopped"),
            Self::OnFailure(0) => f.write_str("on-failure"),
            Self::OnFailure(most) => write!(f, "on-failure:{most}"),
            Self::Unknown(value) => write!(f, "{value}"),
        }
    }
}

/// Invalid lifecycle options.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A word that does not name a signal.
    #[error("invalid signal: {0}")]
    Signal(String),
    /// `--rm` together with a restart policy.
    #[error("conflicting options: cannot specify both --restart and --rm")]
    RestartAndRemove,
}

impl Error {
    pub(super) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::RestartAndRemove => Some("use only one of them"),
            Self::Signal(_) => None,
        }
    }
}

impl crate::base::Explain for Error {
    fn kind(&self) -> crate::base::ErrorKind {
        crate::base::ErrorKind::Invalid
    }

    fn hint(&self) -> Option<String> {
        self.hint().map(str::to_owned)
    }
}

impl LifecycleOptions {
    /// Returns the stop signal's name as in signal(7), such as `SIGTERM`.
    #[must_use]
    pub fn stop_signal(&self) -> &str {
        self.stop_signal.as_deref().unwrap_or(STOP_SIGNAL)
    }

    /// Returns the seconds between that signal and SIGKILL; negative waits indefinitely.
    #[must_use]
    pub fn stop_timeout(&self) -> i64 {
        self.stop_timeout.unwrap_or(STOP_TIMEOUT)
    }

    pub(super) fn resolve(&self, image: &ImageConfig) -> Result<Self, Error> {
        if self.auto_remove && self.restart != RestartPolicy::No {
            return Err(Error::RestartAndRemove);
        }
        let word =
            self.stop_signal.clone().or_else(|| image.stop_signal().clone()).filter(|word| !word.is_empty());
        let word = word.as_deref().unwrap_or(STOP_SIGNAL);
        let signal = signal::parse(word).map(signal::name).ok_or_else(|| Error::Signal(word.to_owned()))?;
        Ok(Self { stop_signal: Some(signal), stop_timeout: Some(self.stop_timeout()), ..self.clone() })
    }

    pub(super) fn check_understood(&self) -> Result<(), NotUnderstood> {
        match &self.restart {
            RestartPolicy::Unknown(value) => Err(NotUnderstood::new("restart policy", value)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::options::tests::resolved;

    #[test]
    fn the_signal_is_the_images_and_ten_seconds_go_by() {
        let found = resolved(|_| {}).unwrap().lifecycle;
        assert_eq!((found.stop_signal(), found.stop_timeout()), ("SIGQUIT", 10));
        let error =
            resolved(|options| options.lifecycle.stop_signal = Some("SIGNOPE".to_owned())).unwrap_err();
        assert_eq!(error.to_string(), "invalid signal: SIGNOPE");
    }

    #[test]
    fn what_is_removed_is_not_restarted() {
        let both = |options: &mut super::super::Options| {
            options.lifecycle.auto_remove = true;
            options.lifecycle.restart = RestartPolicy::Always;
        };
        assert_eq!(
            resolved(both).unwrap_err().to_string(),
            "conflicting options: cannot specify both --restart and --rm"
        );
    }
}
