//! A bundle on disk: `config.json` beside a root file system.

use std::path::{Path, PathBuf};

use super::{Failed, refuse};
use crate::base::disk;
use crate::cgroup::Parent;
use crate::oci::runtime::Spec;

/// Reads a bundle's `config.json` and makes its paths absolute. Also returns the absolute path of
/// the bundle.
pub(super) fn read(bundle: &Path) -> Result<(PathBuf, Spec), Failed> {
    let bundle = bundle.canonicalize().map_err(|error| disk::Error::io("read", bundle)(error))?;
    let mut spec: Spec = disk::read_json(&bundle.join("config.json"))?;
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
    Ok((bundle, spec))
}

/// Returns the parent and the name of the container's cgroup according to the specification.
pub(super) fn cgroup_place(spec: &Spec, id: &str) -> Result<(Parent, String), Failed> {
    let path = spec.linux().as_ref().and_then(|linux| linux.cgroups_path().as_deref());
    let Some(path) = path.filter(|path| !path.as_os_str().is_empty()) else {
        return Ok((Parent::new("hoist-oci"), id.to_owned()));
    };
    let text = path.to_string_lossy();
    if text.contains(':') {
        return refuse(format!("`linux.cgroupsPath`: the systemd format `{text}` is not supported"));
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
