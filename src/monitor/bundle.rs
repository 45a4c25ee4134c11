//! The runtime specification of a container, complete with what depends on this machine: its
//! system call filter, the host's devices, settings of the kernel. It is the same for its
//! start and for the commands that are executed in it.

use std::collections::HashMap;
use std::path::Path;

use super::error::Error;
use crate::base::Paths;
use crate::container::spec::{self, Place};
use crate::container::{Config, NetworkMode, Record, Seccomp, devices};
use crate::oci::runtime::{LinuxSeccomp, Spec};
use crate::runtime::seccomp;
use crate::sys::cap::{Cap, CapSet};
use crate::sys::probe::Probe;

/// The specification of the container of `record`.
///
/// # Errors
///
/// A system call filter of the user's that is none; a device of the host's that cannot be
/// looked at.
pub(super) fn bundle(paths: &Paths, record: &Record, probe: &Probe) -> Result<Spec, Error> {
    let etc = paths.container_etc(&record.id);
    let mut spec = spec::spec(&record.config, &Place { etc: &etc, cgroup: None, root: None });
    let filter = filter(&record.config, probe)?;
    if asks_for_all(record)
        && let Some(process) = spec.process_mut()
    {
        process.set_capabilities(Some(spec::capabilities(&held(&record.config, probe))));
    }
    if let Some(linux) = spec.linux_mut() {
        linux.set_seccomp(filter);
        linux.set_sysctl(Some(sysctls(&record.config, probe)));
        if record.config.privileged {
            linux.set_devices(Some(devices::of_host(Path::new("/dev"))?));
        }
    }
    Ok(spec)
}

/// Ports below 1024 and ICMP echo need no capability in a network of the container's own.
const OPEN_PORTS: (&str, &str) = ("net.ipv4.ip_unprivileged_port_start", "0");
/// Up to the largest group id there is; a user namespace does not map that many.
const OPEN_PING: (&str, &str) = ("net.ipv4.ping_group_range", "0 2147483647");

fn sysctls(config: &Config, probe: &Probe) -> HashMap<String, String> {
    if config.network == NetworkMode::Host {
        return HashMap::new();
    }
    let ping = (!probe.in_user_namespace).then_some(OPEN_PING);
    let is_known = |name: &str| Path::new("/proc/sys").join(name.replace('.', "/")).exists();
    let wanted = [Some(OPEN_PORTS), ping].into_iter().flatten();
    wanted
        .filter(|(name, _)| is_known(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Every capability means every one that hoist has. One that was asked for by its name is
/// left in the specification, and the start warns when it cannot be given.
fn asks_for_all(record: &Record) -> bool {
    let all = |name: &String| name.eq_ignore_ascii_case("all");
    record.config.privileged || record.options.cap_add.iter().any(all)
}

fn held(config: &Config, probe: &Probe) -> Vec<String> {
    let is_held = |name: &&String| name.parse().is_ok_and(|cap: Cap| probe.effective.has(cap));
    config.capabilities.iter().filter(is_held).cloned().collect()
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
