//! The runtime specification of a container, complete with its system call filter: the
//! same for its start and for the commands that are executed in it.

use std::path::PathBuf;

use super::error::Error;
use crate::base::Paths;
use crate::container::spec::{Place, spec};
use crate::container::{Config, Record, Seccomp};
use crate::oci::runtime::{LinuxSeccomp, Spec};
use crate::runtime::seccomp;
use crate::sys::cap::{Cap, CapSet};
use crate::sys::probe::Probe;

/// The folder of the files that are bound to the container's /etc.
pub(super) fn etc(paths: &Paths, record: &Record) -> PathBuf {
    paths.container(&record.id).join("etc")
}

/// The specification of the container of `record`.
///
/// # Errors
///
/// A system call filter of the user's that is none.
pub(super) fn bundle(paths: &Paths, record: &Record, probe: &Probe) -> Result<Spec, Error> {
    let etc = etc(paths, record);
    let mut spec = spec(&record.config, &Place { etc: &etc, cgroup: None, root: None });
    let filter = filter(&record.config, probe)?;
    if let Some(linux) = spec.linux_mut() {
        linux.set_seccomp(filter);
    }
    Ok(spec)
}

fn filter(config: &Config, probe: &Probe) -> Result<Option<LinuxSeccomp>, Error> {
    let profile = match &config.seccomp {
        Seccomp::Unconfined => return Ok(None),
        Seccomp::Default => seccomp::default_profile()?,
        Seccomp::Profile(text) => seccomp::read(text)?,
    };
    let caps = config.capabilities.iter().filter_map(|name| name.parse::<Cap>().ok());
    Ok(Some(profile.for_container(caps.collect::<CapSet>(), probe.kernel)))
}
