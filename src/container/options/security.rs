//! What a container may do.

use serde::{Deserialize, Serialize};

use super::NotUnderstood;
use crate::base::disk::{Unknown, Unrecognized};
use crate::container::capability::{self, NoCapability};

/// The rights of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SecurityOptions {
    /// `--cap-add`, as written (`NET_ADMIN`, `CAP_NET_ADMIN`, `ALL`).
    pub cap_add: Vec<String>,
    /// `--cap-drop`
    pub cap_drop: Vec<String>,
    /// `--privileged`: everything the engine itself may do.
    pub privileged: bool,
    /// `--security-opt no-new-privileges`: no program gains rights by set-user-id bits or file
    /// capabilities.
    pub no_new_privileges: bool,
    /// `--security-opt seccomp=`
    pub seccomp: Seccomp,
    /// `--security-opt apparmor=`: a profile's name, or `unconfined`; the default one where nothing
    /// is said.
    pub apparmor: Option<String>,
    /// `--security-opt label=`: parts of an SELinux label, as `type:container_t`, `disable` for none;
    /// they are without effect where SELinux is off.
    pub selinux: Vec<String>,
    /// Fields of a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
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
    /// What a newer hoist has.
    #[serde(untagged)]
    Unknown(Unrecognized),
}

impl SecurityOptions {
    /// The full set of capabilities, `CAP_…`, before it is cut to what the caller has. Of words
    /// that are not known nothing follows but that there are none.
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

    /// Refuses what a newer hoist wrote.
    ///
    /// # Errors
    ///
    /// The first field that is not understood.
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
