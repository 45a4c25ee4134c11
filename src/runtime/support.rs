//! Rejects features of a spec that this runtime does not support, instead of ignoring them.

use std::path::Path;

use super::{Error, Result};
use crate::oci::runtime::{Hooks, Linux, LinuxResources, Process, Spec};

/// Rejects unsupported features.
pub(super) fn check(spec: &Spec) -> Result<()> {
    let version = spec.version();
    if !version.starts_with("1.") {
        return Err(Error::spec("ociVersion", &format!("`{version}` is not supported: expected 1.x")));
    }
    let elsewhere = [
        ("solaris", spec.solaris().is_some()),
        ("windows", spec.windows().is_some()),
        ("vm", spec.vm().is_some()),
        ("zos", spec.zos().is_some()),
    ];
    refuse(&elsewhere)?;
    if let Some(linux) = spec.linux() {
        check_linux(linux)?;
    }
    match spec.process() {
        Some(process) => check_process(process),
        None => Ok(()),
    }
}

/// Whether there is a hook at any point.
pub(super) fn has_hooks(hooks: &Hooks) -> bool {
    let lists = [
        hooks.prestart(),
        hooks.create_runtime(),
        hooks.create_container(),
        hooks.start_container(),
        hooks.poststart(),
        hooks.poststop(),
    ];
    lists.iter().any(|list| list.as_ref().is_some_and(|list| !list.is_empty()))
}

/// Rejects unsupported features of a process, also for one that joins later.
pub(super) fn check_process(process: &Process) -> Result<()> {
    let is_set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    refuse(&[("process.commandLine", is_set(process.command_line()))])?;
    if process.args().as_ref().is_none_or(Vec::is_empty) {
        return Err(Error::spec("process.args", "no command specified"));
    }
    if !process.cwd().is_absolute() {
        return Err(Error::spec("process.cwd", &format!("`{}` is not absolute", process.cwd().display())));
    }
    Ok(())
}

fn check_linux(linux: &Linux) -> Result<()> {
    refuse(&[
        ("linux.intelRdt", linux.intel_rdt().is_some()),
        ("linux.memoryPolicy", linux.memory_policy().is_some()),
        ("linux.netDevices", linux.net_devices().as_ref().is_some_and(|devices| !devices.is_empty())),
    ])?;
    let Some(resources) = linux.resources() else { return Ok(()) };
    check_devices(resources)
}

/// Rejects device rules that would become wider than they are written.
fn check_devices(resources: &LinuxResources) -> Result<()> {
    for (index, rule) in resources.devices().iter().flatten().enumerate() {
        let field = |name: &str| format!("linux.resources.devices[{index}].{name}");
        for (name, number) in [("major", rule.major()), ("minor", rule.minor())] {
            if number.is_some_and(|number| number != -1 && u32::try_from(number).is_err()) {
                return Err(Error::spec(&field(name), "it is not the number of a device"));
            }
        }
        if rule.access().iter().any(|access| access.contains(|letter| !"rwm".contains(letter))) {
            return Err(Error::spec(&field("access"), "it has letters other than `r`, `w` and `m`"));
        }
    }
    Ok(())
}

fn refuse(fields: &[(&str, bool)]) -> Result<()> {
    match fields.iter().find(|(_, is_set)| *is_set) {
        Some((field, _)) => Err(Error::spec(field, "it is not supported")),
        None => Ok(()),
    }
}

/// Files of procfs that may be mounted over: harmless ones, which lxcfs and similar programs
/// replace.
const PROC_FILES: &[&str] = &[
    "cpuinfo",
    "diskstats",
    "meminfo",
    "stat",
    "swaps",
    "uptime",
    "loadavg",
    "slabinfo",
    "net/dev",
    "sys/kernel/ns_last_pid",
    "sys/crypto/fips_enabled",
];

/// Rejects mounts that would change security-related files in `/proc` (CVE-2019-16884).
pub(super) fn check_destination(destination: &Path, kind: Option<&str>) -> Result<()> {
    let field = || format!("mounts[{}]", destination.display());
    if !destination.is_absolute() {
        return Err(Error::spec(&field(), "the destination is not absolute"));
    }
    let plain: std::path::PathBuf = lexical(destination);
    match plain.strip_prefix("proc") {
        Ok(inside) if inside.as_os_str().is_empty() => match kind {
            Some("proc") => Ok(()),
            // A bind over all of `/proc` is checked to be a procfs when it is mounted.
            Some("bind" | "none") | None => Ok(()),
            Some(_) => Err(Error::spec(&field(), "only a procfs can be mounted at /proc")),
        },
        Ok(inside) if !PROC_FILES.iter().any(|file| inside == Path::new(file)) => {
            Err(Error::spec(&field(), "cannot mount inside /proc"))
        }
        _ => Ok(()),
    }
}

/// Returns the path without `.`, `..` and the leading `/`.
pub(super) fn lexical(path: &Path) -> std::path::PathBuf {
    let mut plain = std::path::PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::Normal(name) => plain.push(name),
            std::path::Component::ParentDir => {
                plain.pop();
            }
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_mounted_over_proc_but_harmless_files() {
        let table = [
            ("/proc", Some("proc"), true),
            ("/proc", Some("tmpfs"), false),
            ("/proc/self/attr", Some("bind"), false),
            ("/proc/sys/kernel", Some("tmpfs"), false),
            ("/x/../proc/./self", Some("bind"), false),
            ("/proc/uptime", Some("bind"), true),
            ("/proc/net/dev", Some("bind"), true),
            ("/process", Some("bind"), true),
            ("proc", Some("proc"), false),
        ];
        for (destination, kind, fine) in table {
            assert_eq!(
                check_destination(Path::new(destination), kind).is_ok(),
                fine,
                "{destination} {kind:?}"
            );
        }
    }

    #[test]
    fn what_is_not_supported_is_refused_by_its_name() {
        let spec = |text: &str| -> Spec { serde_json::from_str(text).unwrap() };
        let message = |text: &str| check(&spec(text)).unwrap_err().to_string();
        assert_eq!(
            message(r#"{"ociVersion":"2.0.0"}"#),
            "`ociVersion`: `2.0.0` is not supported: expected 1.x"
        );
        assert_eq!(
            message(r#"{"ociVersion":"1.0.2","linux":{"intelRdt":{}}}"#),
            "`linux.intelRdt`: it is not supported"
        );
        let rule = |text: &str| {
            message(&format!(r#"{{"ociVersion":"1.0.2","linux":{{"resources":{{"devices":[{text}]}}}}}}"#))
        };
        assert_eq!(
            rule(r#"{"allow":true,"type":"c","major":4294967296,"access":"r"}"#),
            "`linux.resources.devices[0].major`: it is not the number of a device"
        );
        assert_eq!(
            rule(r#"{"allow":true,"type":"c","major":1,"minor":-1,"access":"rx"}"#),
            "`linux.resources.devices[0].access`: it has letters other than `r`, `w` and `m`"
        );
        assert_eq!(
            message(
                r#"{"ociVersion":"1.0.2","process":{"cwd":"/","args":["a"],"commandLine":"p","user":{}}}"#
            ),
            "`process.commandLine`: it is not supported"
        );
        assert_eq!(
            message(r#"{"ociVersion":"1.0.2","process":{"cwd":"/","args":[],"user":{}}}"#),
            "`process.args`: no command specified"
        );
    }
}
