//! The options of a container: as requested by a user, and as resolved with its image.
//!
//! ```text
//! Options (the user's words) ──┐
//!                              ├─ Options::resolve ─▶ Options, complete
//! ImageConfig (the image's) ───┘
//! ```
//! One type serves both. What was not requested is empty or `None`; resolved options no longer
//! depend on the image. Readers use the groups' methods, which know the defaults. Each group is one
//! file with its fields, defaults, checks, and Docker's rules for merging them with the image's
//! configuration. Everything here is pure and uses only its arguments. What depends on the
//! container's files (a user's id, the program's location in `$PATH`) is decided at start.

pub mod lifecycle;
pub mod logging;
pub mod mounts;
pub mod networking;
pub mod process;
pub mod resources;
pub mod security;

pub use lifecycle::{LifecycleOptions, RestartPolicy};
pub use logging::LogOptions;
pub use mounts::{Bind, MountKind, MountOptions, MountRequest, Propagation, Relabel, Submounts, Tmpfs};
pub use networking::{NetworkMode, NetworkOptions};
pub use process::{ProcessOptions, Streams, environment};
pub use resources::{ResourceOptions, Ulimit};
pub use security::{Seccomp, SecurityOptions};

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::capability::NoCapability;
use crate::base::disk::Unknown;
use crate::base::{ContainerId, ErrorKind, Explain};
use crate::oci::Platform;
use crate::oci::image::Config as ImageConfig;

/// The options of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// What to run.
    pub process: ProcessOptions,
    /// Its mounts.
    pub mounts: MountOptions,
    /// Its network.
    pub networking: NetworkOptions,
    /// Its privileges.
    pub security: SecurityOptions,
    /// Its limits.
    pub resources: ResourceOptions,
    /// How it is stopped, restarted and removed.
    pub lifecycle: LifecycleOptions,
    /// Its log.
    pub logging: LogOptions,
    /// `--label`; once resolved, with the image's labels.
    pub labels: BTreeMap<String, String>,
    /// `--platform`; once resolved, the image's platform.
    pub platform: Option<Platform>,
    /// `--runtime`; `None` or [`RUNTIME`] is the embedded runtime.
    pub runtime: Option<String>,
    /// Fields written by a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The name of the embedded runtime.
pub const RUNTIME: &str = "hoist";

/// When `run` and `create` pull the image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PullPolicy {
    /// Always.
    Always,
    /// Only if the image does not exist locally.
    #[default]
    Missing,
    /// Never.
    Never,
}

/// Invalid or unsupported options.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Of the process.
    #[error(transparent)]
    Process(#[from] process::Error),
    /// Of the mounts.
    #[error(transparent)]
    Mounts(#[from] mounts::Error),
    /// Of the network.
    #[error(transparent)]
    Networking(#[from] networking::Error),
    /// Of the privileges.
    #[error(transparent)]
    Security(#[from] NoCapability),
    /// Of the limits.
    #[error(transparent)]
    Resources(#[from] resources::Error),
    /// Of the lifecycle.
    #[error(transparent)]
    Lifecycle(#[from] lifecycle::Error),
    /// Of the log.
    #[error(transparent)]
    Logging(#[from] logging::NoDriver),
    /// `--runtime` with another value than [`RUNTIME`].
    #[error("the runtime `{0}` is not supported")]
    Runtime(String),
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Networking(error) => error.kind(),
            Self::Runtime(_) => ErrorKind::Unsupported,
            _ => ErrorKind::Invalid,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Process(error) => error.hint(),
            Self::Networking(error) => error.hint(),
            Self::Lifecycle(error) => error.hint(),
            Self::Logging(_) => Some("use `--log-driver` json-file or none"),
            Self::Runtime(_) => Some("omit `--runtime` to use the embedded runtime"),
            Self::Mounts(_) | Self::Security(_) | Self::Resources(_) => None,
        };
        hint.map(str::to_owned)
    }
}

/// A value written by a newer hoist in a field that this version has to understand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its {field} is `{value}`, which this version of hoist does not support")]
pub struct NotUnderstood {
    field: String,
    value: String,
}

impl NotUnderstood {
    /// Creates the error for this value of this field.
    pub fn new(field: impl Into<String>, value: impl ToString) -> Self {
        Self { field: field.into(), value: value.to_string() }
    }
}

impl Explain for NotUnderstood {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unsupported
    }

    fn hint(&self) -> Option<String> {
        Some("use the newer version of hoist that wrote it, or create the container again".to_owned())
    }
}

/// Facts about the container and the host that options depend on.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The new container's id; its short form is the default hostname.
    pub id: &'a ContainerId,
    /// The host's name, used by containers in the host's network.
    pub host_name: &'a str,
    /// The image's platform.
    pub platform: &'a Platform,
}

impl Options {
    /// Merges the requested options with the image's configuration.
    ///
    /// # Errors
    ///
    /// The first option that is invalid or unsupported.
    pub fn resolve(&self, image: &ImageConfig, facts: &Facts<'_>) -> Result<Self, Error> {
        if let Some(runtime) = self.runtime.as_ref().filter(|name| *name != RUNTIME) {
            return Err(Error::Runtime(runtime.clone()));
        }
        let mut labels: BTreeMap<_, _> = image.labels().clone().unwrap_or_default().into_iter().collect();
        labels.extend(self.labels.clone());
        Ok(Self {
            process: self.process.resolve(image)?,
            mounts: self.mounts.resolve(image)?,
            networking: self.networking.resolve(image, facts)?,
            security: self.security.resolve()?,
            resources: self.resources.resolve()?,
            lifecycle: self.lifecycle.resolve(image)?,
            logging: self.logging.resolve()?,
            labels,
            platform: Some(facts.platform.clone()),
            runtime: None,
            ..self.clone()
        })
    }

    /// Checks before a start that every value that matters is understood.
    ///
    /// # Errors
    ///
    /// The first value that is not understood; a newer hoist wrote it.
    pub fn check_understood(&self) -> Result<(), NotUnderstood> {
        self.mounts.check_understood()?;
        self.networking.check_understood()?;
        self.security.check_understood()?;
        self.lifecycle.check_understood()?;
        self.logging.check_understood()?;
        match &self.runtime {
            Some(runtime) => Err(NotUnderstood::new("runtime", runtime)),
            None => Ok(()),
        }
    }
}

/// Normalizes a path without accessing the file system: removes `.`, `..` and repeated slashes.
fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => out.push(name),
            Component::ParentDir => drop(out.pop()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::oci::image::ConfigBuilder;

    pub(super) fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    pub(super) fn image(entrypoint: &str, cmd: &str) -> ImageConfig {
        ConfigBuilder::default()
            .entrypoint(words(entrypoint))
            .cmd(words(cmd))
            .env(vec!["PATH=/bin".to_owned(), "A=1".to_owned(), "HOSTSECRET".to_owned()])
            .working_dir("/srv")
            .labels(HashMap::from([("a".to_owned(), "image".to_owned())]))
            .stop_signal("3")
            .build()
            .unwrap()
    }

    /// Resolves options with a test image after `ask` has changed them.
    pub(super) fn resolved(ask: impl FnOnce(&mut Options)) -> Result<Options, Error> {
        let id = "ab".repeat(32).parse().unwrap();
        let mut options = Options::default();
        ask(&mut options);
        let facts = Facts { id: &id, host_name: "host", platform: &Platform::host() };
        options.resolve(&image("/entry", "serve"), &facts)
    }

    #[test]
    fn the_users_labels_go_over_the_images() {
        assert_eq!(resolved(|_| {}).unwrap().labels["a"], "image");
        let mine = [("a".to_owned(), "mine".to_owned())];
        assert_eq!(resolved(|options| options.labels = mine.into()).unwrap().labels["a"], "mine");
    }

    #[test]
    fn what_is_resolved_stays_so() {
        let first = resolved(|options| options.process.env = words("B=2")).unwrap();
        let id = "cd".repeat(32).parse().unwrap();
        let facts = Facts { id: &id, host_name: "other", platform: &Platform::host() };
        assert_eq!(first.resolve(&image("", ""), &facts).unwrap(), first);
    }
}
