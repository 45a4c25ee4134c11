//! The complete runtime specification of a container, including what depends on this machine: its
//! seccomp filter, the host's devices, kernel settings. It is the same for a start and for executed
//! commands.

use std::collections::HashMap;
use std::path::Path;

use super::confine;
use super::error::Error;
use crate::base::Paths;
use crate::container::options::NotUnderstood;
use crate::container::spec::{self, SpecPaths};
use crate::container::{NetworkMode, Options, Record, Seccomp, devices};
use crate::oci::runtime::{LinuxSeccomp, Spec};
use crate::runtime::seccomp;
use crate::sys::cap::{Cap, CapSet};
use crate::sys::probe::Probe;

/// Returns the specification of the container of `record`, with this AppArmor profile.
///
/// # Errors
///
/// If the user's seccomp profile is invalid, or a host device is inaccessible.
pub(super) fn bundle(
    paths: &Paths,
    record: &Record,
    probe: &Probe,
    apparmor: Option<&str>,
) -> Result<Spec, Error> {
    let etc = paths.container_etc(&record.id);
    let mut spec = spec::spec(&record.config, &SpecPaths { etc: &etc, cgroup: None, root: None });
    let filter = filter(&record.config, probe, apparmor)?;
    if let Some(process) = spec.process_mut() {
        process.set_apparmor_profile(apparmor.map(str::to_owned));
        if asks_for_all(record) {
            process.set_capabilities(Some(spec::capabilities(&held(&record.config, probe))));
        }
    }
    if let Some(linux) = spec.linux_mut() {
        linux.set_seccomp(filter);
        linux.set_sysctl(Some(sysctls(&record.config, probe)));
        if record.config.security.privileged {
            linux.set_devices(Some(devices::of_host(Path::new("/dev"))?));
        }
    }
    Ok(spec)
}

/// In the container's own network, ports below 1024 and ICMP echo require no capability.
const OPEN_PORTS: (&str, &str) = ("net.ipv4.ip_unprivileged_port_start", "0");
/// All group ids. A user namespace does not map that many.
const OPEN_PING: (&str, &str) = ("net.ipv4.ping_group_range", "0 2147483647");

fn sysctls(config: &Options, probe: &Probe) -> HashMap<String, String> {
    if config.networking.network == NetworkMode::Host {
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

/// Whether the container requests all capabilities, which means all that hoist has. Capabilities
/// requested by name stay in the specification, and the start warns if one is unavailable.
fn asks_for_all(record: &Record) -> bool {
    let all = |name: &String| name.eq_ignore_ascii_case("all");
    record.config.security.privileged || record.options.security.cap_add.iter().any(all)
}

fn held(config: &Options, probe: &Probe) -> Vec<String> {
    let is_held = |name: &&String| name.parse().is_ok_and(|cap: Cap| probe.effective.has(cap));
    config.security.capabilities().iter().filter(is_held).cloned().collect()
}

/// System calls that mount without mount(2). AppArmor checks mount(2), but of these only
/// `move_mount`, so `mount_setattr` and the descriptors of `fsmount` would bypass a profile that
/// denies mounts. Without them programs fall back to mount(2).
const MOUNTS_WITHOUT_MOUNT: &[&str] = &[
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "mount_setattr",
    "move_mount",
    "open_tree",
    "open_tree_attr",
];

fn filter(config: &Options, probe: &Probe, apparmor: Option<&str>) -> Result<Option<LinuxSeccomp>, Error> {
    let denies_mounts = apparmor.is_some_and(confine::is_default);
    let profile = match &config.security.seccomp {
        Seccomp::Unconfined => return Ok(None),
        Seccomp::Default if denies_mounts => seccomp::default_profile()?.without(MOUNTS_WITHOUT_MOUNT),
        Seccomp::Default => seccomp::default_profile()?,
        Seccomp::Profile(text) => seccomp::read(text)?,
        Seccomp::Unknown(value) => return Err(NotUnderstood::new("seccomp", value).into()),
    };
    let caps = config.security.capabilities();
    let caps = caps.iter().filter_map(|name| name.parse::<Cap>().ok());
    Ok(Some(profile.for_container(caps.collect::<CapSet>(), probe.kernel)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::runtime::{LinuxSeccompAction, LinuxSyscall};

    #[test]
    fn a_profile_that_denies_mounts_is_not_gone_past() {
        let mut config = Options::default();
        config.security.cap_add = vec!["SYS_ADMIN".to_owned()];
        let default = confine::default_name();
        let allowed = |config: &Options, profile| {
            let filter = filter(config, &Probe::now().unwrap(), profile).unwrap().unwrap();
            let rules = filter.syscalls().clone().unwrap();
            let allows = |rule: &&LinuxSyscall| rule.action() == LinuxSeccompAction::ScmpActAllow;
            let names: Vec<String> =
                rules.iter().filter(allows).flat_map(|rule| rule.names().clone()).collect();
            [
                names.iter().any(|name| name == "mount"),
                names.iter().any(|name| MOUNTS_WITHOUT_MOUNT.contains(&&**name)),
            ]
        };
        assert_eq!(allowed(&config, Some(default.as_str())), [true, false]);
        assert_eq!(allowed(&config, Some("hoist-default-1a2b3c4d")), [true, false], "an older one");
        assert_eq!(allowed(&config, None), [true, true]);
        assert_eq!(allowed(&config, Some("of-another")), [true, true]);
    }
}
