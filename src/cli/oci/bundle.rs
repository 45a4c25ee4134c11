//! A bundle on disk: `config.json` beside a root file system.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Failed, refuse};
use crate::base::disk;
use crate::cgroup::Parent;
use crate::oci::runtime::{Process, Spec};
use crate::sys::cap::Cap;

/// A bundle that has been read.
pub(super) struct Bundle {
    /// Its absolute path.
    pub(super) path: PathBuf,
    /// Its `config.json`, with absolute paths.
    pub(super) spec: Spec,
    /// What of it is unknown and has been left out.
    pub(super) warnings: Vec<String>,
}

/// Reads a bundle's `config.json`.
pub(super) fn read(bundle: &Path) -> Result<Bundle, Failed> {
    let path = bundle.canonicalize().map_err(|error| disk::Error::io("read", bundle)(error))?;
    let mut config: Value = disk::read_json(&path.join("config.json"))?;
    let mut warnings = Vec::new();
    if let Some(process) = config.get_mut("process") {
        warnings = leave_out(process);
    }
    let mut spec: Spec = typed(&path.join("config.json"), config)?;
    make_absolute(&path, &mut spec)?;
    Ok(Bundle { path, spec, warnings })
}

/// Reads a file with a process, as `exec` takes it. Also returns what of it has been left out.
pub(super) fn read_process(file: &Path) -> Result<(Process, Vec<String>), Failed> {
    let mut process: Value = disk::read_json(file)?;
    let warnings = leave_out(&mut process);
    Ok((typed(file, process)?, warnings))
}

fn typed<T: DeserializeOwned>(path: &Path, value: Value) -> Result<T, Failed> {
    let typed = serde_json::from_value(value);
    Ok(typed.map_err(|source| disk::Error::Damaged { path: path.into(), source })?)
}

/// Leaves out what does not apply on Linux, and unknown capabilities, as the specification demands.
/// Returns a warning for each of the latter.
fn leave_out(process: &mut Value) -> Vec<String> {
    if let Some(user) = process.get_mut("user").and_then(Value::as_object_mut) {
        user.remove("username"); // for Windows: on Linux, the numbers say who it is
    }
    if let Some(cpus) = process.get_mut("execCPUAffinity").and_then(Value::as_object_mut) {
        cpus.retain(|_, list| list != "");
    }
    let flags = process.get_mut("scheduler").and_then(|scheduler| scheduler.get_mut("flags"));
    for flag in flags.and_then(Value::as_array_mut).into_iter().flatten() {
        if flag == "SCHED_FLAG_DL_OVERRUN" {
            *flag = "SCHED_FLAG_D_L_OVERRUN".into(); // so in the crate's types
        }
    }
    let mut unknown = Vec::new();
    let lists = process.get_mut("capabilities").and_then(Value::as_object_mut);
    for list in lists.into_iter().flat_map(serde_json::Map::values_mut).filter_map(Value::as_array_mut) {
        list.retain(|name| {
            let is_unknown = |name: &&str| name.parse::<Cap>().is_err();
            let Some(name) = name.as_str().filter(is_unknown) else { return true };
            if !unknown.iter().any(|known| known == name) {
                unknown.push(name.to_owned());
            }
            false
        });
    }
    unknown.into_iter().map(|name| format!("`{name}` is not a capability that hoist knows")).collect()
}

fn make_absolute(bundle: &Path, spec: &mut Spec) -> Result<(), Failed> {
    match spec.root_mut() {
        Some(root) => {
            let path = bundle.join(root.path());
            root.set_path(path);
        }
        None => return refuse("`root`: missing"),
    }
    for mount in spec.mounts_mut().iter_mut().flatten() {
        let options = mount.options().as_deref().unwrap_or_default();
        let is_bind =
            mount.typ().as_deref() == Some("bind") || options.iter().any(|o| o == "bind" || o == "rbind");
        if is_bind && let Some(source) = mount.source().as_ref().filter(|source| source.is_relative()) {
            let source = bundle.join(source);
            mount.set_source(Some(source));
        }
    }
    Ok(())
}

/// Returns the parent and the name of the container's cgroup according to the specification.
pub(super) fn cgroup_place(spec: &Spec, id: &str) -> Result<(Parent, String), Failed> {
    let path = spec.linux().as_ref().and_then(|linux| linux.cgroups_path().as_deref());
    let Some(path) = path.filter(|path| !path.as_os_str().is_empty()) else {
        return Ok((Parent::new("hoist-oci"), id.to_owned()));
    };
    let text = path.to_string_lossy();
    if text.contains(':') {
        return refuse(format!(
            "`linux.cgroupsPath`: `{text}` is a place of systemd, which needs `--systemd-cgroup`"
        ));
    }
    if path.components().any(|part| part == std::path::Component::ParentDir) {
        return refuse(format!("`linux.cgroupsPath`: `{text}` must not contain `..`"));
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => Ok((Parent::new(parent), name.to_string_lossy().into_owned())),
        _ => refuse(format!("`linux.cgroupsPath`: `{text}` is not a valid cgroup path")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cgroup_path_is_a_parent_and_a_name() {
        let place = |path: &str| {
            let json = format!(r#"{{"ociVersion":"1.0.2","linux":{{"cgroupsPath":"{path}"}}}}"#);
            cgroup_place(&serde_json::from_str(&json).unwrap(), "c1")
                .map(|(p, n)| (p.path.display().to_string(), n))
        };
        assert_eq!(place("").unwrap(), ("hoist-oci".to_owned(), "c1".to_owned()));
        assert_eq!(place("/docker/abc").unwrap(), ("/docker".to_owned(), "abc".to_owned()));
        assert!(place("system.slice:docker:abc").is_err());
        assert!(place("/a/../../b").is_err());
    }
}
