//! The privileges of a container.

use serde::{Deserialize, Serialize};

use super::NotUnderstood;
use crate::base::disk::{Unknown, Unrecognized};
use crate::container::capability::{self, NoCapability};

/// Security options.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SecurityOptions {
    /// `--cap-add`, as written (`NET_ADMIN`, `CAP_NET_ADMIN`, `ALL`).
    pub cap_add: Vec<String>,
    /// `--cap-drop`
    pub cap_drop: Vec<String>,
    /// `--privileged`: every privilege that the engine itself has.
    pub privileged: bool,
    /// `--security-opt no-new-privileges`: no program gains privileges through set-user-id bits or
    /// file capabilities.
    pub no_new_privileges: bool,
    /// `--security-opt seccomp=`
    pub seccomp: Seccomp,
    /// `--security-opt apparmor=`: the name of a profile, or `unconfined`; the default profile if
    /// unset.
    pub apparmor: Option<String>,
    /// `--security-opt label=`: parts of an SELinux label such as `type:container_t`, or `disable`.
    /// No effect where SELinux is off.
    pub selinux: Vec<String>,
    /// Fields written by a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Which system calls the container may make.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Seccomp {
    /// Those of Docker's default profile.
    #[default]
    Default,
    /// All of them.
    Unconfined,
    /// Those of a profile: its JSON text, which the front end has read from the file.
    Profile(String),
    /// A value written by a newer hoist.
    #[serde(untagged)]
    Unknown(Unrecognized),
}

impl SecurityOptions {
    /// Returns the full set of capabilities, as `CAP_…`, before it is reduced to those that the
    /// caller has. Empty if `cap_add` or `cap_drop` contains an unknown word.
    #[must_use]
    pub fn capabilities(&self) -> Vec<String> {
        if self.privileged {
            return capability::ALL.map(str::to_owned).into();
        }
        capability::resolve(&self.cap_add, &self.cap_drop).unwrap_or_default()
    }

    pub(super) fn resolve(&self) -> Result<Self, NoCapability> {
        if !self.privileged {
            capability::resolve(&self.cap_add, &self.cap_drop)?;
        }
        let seccomp = match &self.seccomp {
            Seccomp::Default if self.privileged => Seccomp::Unconfined,
            other => other.clone(),
        };
        Ok(Self { seccomp, ..self.clone() })
    }

    /// Checks that every value is understood.
    ///
    /// # Errors
    ///
    /// The first value that a newer hoist wrote.
    pub fn check_understood(&self) -> Result<(), NotUnderstood> {
        if let Seccomp::Unknown(value) = &self.seccomp {
            return Err(NotUnderstood::new("seccomp", value));
        }
        match capability::resolve(&self.cap_add, &self.cap_drop) {
            Err(NoCapability(word)) if !self.privileged => Err(NotUnderstood::new("capability", word)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::options::tests::resolved;

    #[test]
    fn privileged_has_everything() {
        let security = resolved(|options| options.security.privileged = true).unwrap().security;
        assert_eq!(security.capabilities().len(), 41);
        assert_eq!(security.seccomp, Seccomp::Unconfined);
    }

    #[test]
    fn with_a_capability_that_is_not_known_there_are_none() {
        let with = |word: &str| SecurityOptions { cap_drop: vec![word.to_owned()], ..Default::default() };
        assert_eq!(with("KILL").capabilities().len(), capability::DEFAULT.len() - 1);
        assert_eq!(with("TELEPATHY").capabilities(), Vec::<String>::new());
        assert_eq!(with("TELEPATHY").resolve().unwrap_err().to_string(), "invalid capability: \"TELEPATHY\"");
    }
}
