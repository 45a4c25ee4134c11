//! How a container ends, and what happens then.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::NotUnderstood;
use crate::base::disk::{Unknown, Unrecognized};
use crate::oci::image::Config as ImageConfig;
use crate::sys::signal;

const STOP_SIGNAL: &str = "SIGTERM";
/// Seconds between the stop signal and SIGKILL.
const STOP_TIMEOUT: i64 = 10;

/// The end of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LifecycleOptions {
    /// `--rm`
    pub auto_remove: bool,
    /// `--restart`
    pub restart: RestartPolicy,
    /// `--stop-signal`: a name or a number; resolved, a name as in signal(7).
    pub stop_signal: Option<String>,
    /// `--stop-timeout` in seconds; negative waits for ever.
    pub stop_timeout: Option<i64>,
    /// Fields of a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What happens when the container's process ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartPolicy {
    /// Nothing.
    #[default]
    No,
    /// It is started again, unless it was stopped by hand; then at boot.
    Always,
    /// As `always`, but not at boot when it was stopped by hand.
    UnlessStopped,
    /// It is started again when its exit code is not 0, at most this often (0: no bound).
    OnFailure(u32),
    /// What a newer hoist has.
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

/// An end that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A word that is no signal.
    #[error("invalid signal: {0}")]
    Signal(String),
    /// `--rm` and a restart policy.
    #[error("conflicting options: --restart and --rm")]
    RestartAndRemove,
}

impl Error {
    pub(super) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::RestartAndRemove => Some("give only one of them"),
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
    /// A name as in signal(7), `SIGTERM`.
    #[must_use]
    pub fn stop_signal(&self) -> &str {
        self.stop_signal.as_deref().unwrap_or(STOP_SIGNAL)
    }

    /// Seconds between that signal and SIGKILL; negative waits for ever.
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
        assert_eq!(resolved(both).unwrap_err().to_string(), "conflicting options: --restart and --rm");
    }
}
