//! Kernel settings of the container's own namespaces.
//!
//! They are written through a procfs that is not attached anywhere, so no mount of the container
//! can replace it (CVE-2025-52881).

use std::io::Write as _;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::OFlags;

use super::state::State;
use super::{Error, Result};
use crate::oci::runtime::Spec;
use crate::sys::mount::{Attrs, Filesystem};
use crate::sys::ns::{Namespace, Namespaces};
use crate::sys::{check, fs};

/// Opens the procfs while the host's is still visible.
pub(super) fn open_procfs(state: &mut State<'_>) -> Result<()> {
    if settings(state.plan.spec).next().is_none() {
        return Ok(());
    }
    let attrs = Attrs::MOUNT_ATTR_NOSUID | Attrs::MOUNT_ATTR_NODEV | Attrs::MOUNT_ATTR_NOEXEC;
    state.procfs = Some(Filesystem::new("proc")?.mount(attrs)?);
    Ok(())
}

/// Writes `linux.sysctl`.
pub(super) fn write_all(state: &mut State<'_>) -> Result<()> {
    let Some(procfs) = state.procfs.take() else { return Ok(()) };
    let own = state.plan.namespaces.own;
    for (key, value) in settings(state.plan.spec) {
        let path = path_of(key, own)?;
        write(&procfs, &path, value).map_err(|error| error.in_step(format!("set sysctl {key}")))?;
    }
    Ok(())
}

/// Rejects settings that do not belong to one of the container's own namespaces.
pub(super) fn check_settings(spec: &Spec, own: Namespaces) -> Result<()> {
    settings(spec).try_for_each(|(key, _)| path_of(key, own).map(drop))
}

fn settings(spec: &Spec) -> impl Iterator<Item = (&String, &String)> {
    spec.linux().as_ref().and_then(|linux| linux.sysctl().as_ref()).into_iter().flatten()
}

fn write(procfs: &OwnedFd, path: &std::path::Path, value: &str) -> Result<()> {
    let file = fs::open_beneath(procfs.as_fd(), path, OFlags::WRONLY)?;
    let written = std::fs::File::from(file).write_all(value.as_bytes());
    Ok(check(written, || format!("write({}, {value:?})", path.display()))?)
}

const OF_IPC: &[&str] = &[
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

/// Returns the file of a setting if it belongs to one of the container's own namespaces. Other
/// settings would be the host's.
fn path_of(key: &str, own: Namespaces) -> Result<PathBuf> {
    let dotted = if key.contains('/') { key.replace('/', ".") } else { key.to_owned() };
    let owner = if OF_IPC.contains(&dotted.as_str()) || dotted.starts_with("fs.mqueue.") {
        Namespace::Ipc
    } else if dotted.starts_with("net.") {
        Namespace::Net
    } else if dotted == "kernel.domainname" {
        Namespace::Uts
    } else {
        return Err(Error::spec(&format!("linux.sysctl[{key}]"), "it is not a namespaced setting"));
    };
    if !own.has(owner) {
        let why = format!("the container has no {} namespace of its own", owner.file());
        return Err(Error::spec(&format!("linux.sysctl[{key}]"), &why));
    }
    // A key with dots may contain an interface whose name has a dot; such keys use slashes.
    let path = if key.contains('/') { key.to_owned() } else { key.replace('.', "/") };
    if path.split('/').any(|part| part.is_empty() || part == "..") {
        return Err(Error::spec(&format!("linux.sysctl[{key}]"), "it is not the name of a setting"));
    }
    Ok(PathBuf::from("sys").join(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_settings_of_own_namespaces_can_be_set() {
        let all: Namespaces = Namespace::ALL.into_iter().collect();
        let without_net = all.without(Namespace::Net);
        let path = |key, own| path_of(key, own).ok().map(|path| path.display().to_string());
        assert_eq!(path("net.ipv4.ip_forward", all).as_deref(), Some("sys/net/ipv4/ip_forward"));
        assert_eq!(
            path("net/ipv4/conf/eth0.1/forwarding", all).as_deref(),
            Some("sys/net/ipv4/conf/eth0.1/forwarding")
        );
        assert_eq!(path("kernel.shmmax", all).as_deref(), Some("sys/kernel/shmmax"));
        for (key, own) in [
            ("net.ipv4.ip_forward", without_net),
            ("kernel.core_pattern", all),
            ("vm.swappiness", all),
            ("kernel.hostname", all),
            ("net.../../kernel/core_pattern", all),
            ("net/../kernel/core_pattern", all),
        ] {
            assert_eq!(path(key, own), None, "{key}");
        }
    }
}
