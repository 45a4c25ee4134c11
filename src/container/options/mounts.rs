//! The mounts of a container.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{NotUnderstood, clean};
use crate::base::disk::{Unknown, Unrecognized};
use crate::oci::image::Config as ImageConfig;

/// Mount options.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MountOptions {
    /// `-v`, `--mount` and `--tmpfs`; once resolved, parents come before their children.
    pub list: Vec<MountRequest>,
    /// Anonymous volumes declared by the image: paths in the container.
    pub volumes: Vec<PathBuf>,
    /// `--read-only`: mounts the root file system read-only.
    pub read_only: bool,
    /// Fields written by a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A mount in the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountRequest {
    /// The mount point, an absolute path in the container.
    pub target: PathBuf,
    /// Mounts it read-only.
    pub read_only: bool,
    /// What is mounted.
    pub kind: MountKind,
    /// Fields written by a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl MountRequest {
    /// Creates a writable mount.
    #[must_use]
    pub fn new(target: impl Into<PathBuf>, kind: MountKind) -> Self {
        Self { target: target.into(), read_only: false, kind, unknown: Unknown::new() }
    }
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "type")]
pub enum MountKind {
    /// A path on the host.
    Bind(Bind),
    /// A file system in memory.
    Tmpfs(Tmpfs),
    /// A type written by a newer hoist.
    #[serde(untagged)]
    Unknown(Unrecognized),
}

impl MountKind {
    /// Returns Docker's name for the type.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Bind(_) => "bind",
            Self::Tmpfs(_) => "tmpfs",
            Self::Unknown(value) => {
                value.0.get("type").and_then(serde_json::Value::as_str).unwrap_or("unknown")
            }
        }
    }
}

/// A path on the host, mounted into the container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bind {
    /// An absolute path on the host.
    pub source: PathBuf,
    /// Creates a missing source as a folder, as `-v` does; `--mount` fails instead.
    pub create_source: bool,
    /// How later mounts propagate between host and container.
    pub propagation: Propagation,
    /// Includes the mounts below the source.
    pub recursive: bool,
    /// Whether a read-only mount makes the mounts below it read-only.
    #[serde(default)]
    pub submounts: Submounts,
    /// `z` or `Z`: relabels the files so that containers can use them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relabel: Option<Relabel>,
    /// Fields written by a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// How to mount submounts of a read-only bind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Submounts {
    /// Read-only too, if the kernel supports it.
    #[default]
    Alike,
    /// Writable.
    Writable,
    /// Read-only too; otherwise the container does not start.
    ReadOnly,
    /// A value written by a newer hoist.
    #[serde(untagged)]
    Unknown(Unrecognized),
}

/// Which containers may use the files, by their SELinux label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Relabel {
    /// All containers.
    #[serde(rename = "z")]
    Shared,
    /// This container only.
    #[serde(rename = "Z")]
    Private,
    /// A value written by a newer hoist.
    #[serde(untagged)]
    Unknown(Unrecognized),
}

impl Relabel {
    /// Returns the mode as written in `-v`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Shared => "z",
            Self::Private => "Z",
            Self::Unknown(value) => value.0.as_str().unwrap_or("unknown"),
        }
    }
}

/// How later mounts propagate between host and container: mount_namespaces(7).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the kernel's words")]
pub enum Propagation {
    Private,
    #[default]
    Rprivate,
    Shared,
    Rshared,
    Slave,
    Rslave,
    #[serde(untagged)]
    Unknown(Unrecognized),
}

impl Propagation {
    /// Returns the word used by `mount --make-…` and the runtime specification.
    #[must_use]
    pub fn as_str(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Private => "private",
            Self::Rprivate => "rprivate",
            Self::Shared => "shared",
            Self::Rshared => "rshared",
            Self::Slave => "slave",
            Self::Rslave => "rslave",
            Self::Unknown(value) => return Cow::Owned(value.to_string()),
        })
    }
}

/// A file system in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tmpfs {
    /// Maximum size in bytes; half of the memory by default.
    pub size: Option<u64>,
    /// Mode of its root; 1777 by default.
    pub mode: Option<u32>,
    /// Further mount options as written: `exec`, `noexec`, `uid=…`, …
    pub options: Vec<String>,
    /// Fields written by a newer hoist.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// An invalid mount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The target is relative, or is the root itself.
    #[error("invalid mount target `{0}`: expected an absolute path other than `/`")]
    Target(PathBuf),
    /// Two mounts have the same target.
    #[error("duplicate mount point: {0}")]
    Duplicate(PathBuf),
}

impl MountOptions {
    pub(super) fn resolve(&self, image: &ImageConfig) -> Result<Self, Error> {
        let volumes = image.volumes().iter().flatten().map(PathBuf::from).collect();
        Ok(Self { list: resolve(&self.list)?, volumes, ..self.clone() })
    }

    /// Returns a warning for each bind that asks for a label, for use where SELinux is on: files
    /// are not relabeled.
    pub(crate) fn unlabelled(&self) -> impl Iterator<Item = String> {
        self.list.iter().filter_map(|mount| {
            let MountKind::Bind(Bind { source, relabel: Some(relabel), .. }) = &mount.kind else {
                return None;
            };
            let (source, target, mode) = (source.display(), mount.target.display(), relabel.as_str());
            Some(format!(
                "relabeling is not supported yet: SELinux may deny the container access to {source} \
                 (`-v {source}:{target}:{mode}`)"
            ))
        })
    }

    pub(super) fn check_understood(&self) -> Result<(), NotUnderstood> {
        for mount in &self.list {
            let of = |what: &str| format!("{what} of mount {}", mount.target.display());
            match &mount.kind {
                MountKind::Unknown(_) => return Err(NotUnderstood::new(of("type"), mount.kind.as_str())),
                MountKind::Bind(Bind { propagation: Propagation::Unknown(value), .. }) => {
                    return Err(NotUnderstood::new(of("propagation"), value));
                }
                MountKind::Bind(Bind { submounts: Submounts::Unknown(value), .. }) => {
                    return Err(NotUnderstood::new(of("submounts"), value));
                }
                MountKind::Bind(Bind { relabel: Some(Relabel::Unknown(value)), .. }) => {
                    return Err(NotUnderstood::new(of("label"), value));
                }
                MountKind::Bind(_) | MountKind::Tmpfs(_) => {}
            }
        }
        Ok(())
    }
}

fn resolve(requests: &[MountRequest]) -> Result<Vec<MountRequest>, Error> {
    let mut seen = BTreeSet::new();
    let mut mounts = Vec::with_capacity(requests.len());
    for request in requests {
        let target = clean(&request.target);
        if !request.target.is_absolute() || target == Path::new("/") {
            return Err(Error::Target(request.target.clone()));
        }
        if !seen.insert(target.clone()) {
            return Err(Error::Duplicate(target));
        }
        mounts.push(MountRequest { target, ..request.clone() });
    }
    // A mount must exist before those below it.
    mounts.sort_by_key(|mount| mount.target.components().count());
    Ok(mounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_are_not_changed_are_told_of_by_mount() {
        let mount = |relabel| {
            let bind = Bind { source: "/srv/a".into(), relabel, ..Bind::default() };
            MountRequest::new("/b", MountKind::Bind(bind))
        };
        let list = vec![mount(None), mount(Some(Relabel::Shared)), mount(Some(Relabel::Private))];
        let told: Vec<_> = MountOptions { list, ..MountOptions::default() }.unlabelled().collect();
        assert_eq!(
            told,
            ["z", "Z"].map(|mode| format!(
                "relabeling is not supported yet: SELinux may deny the container access to /srv/a \
                 (`-v /srv/a:/b:{mode}`)"
            ))
        );
    }

    #[test]
    fn mounts_are_ordered_by_depth_and_checked() {
        let with = |targets: &[&str]| {
            let tmpfs = |target: &&str| MountRequest::new(*target, MountKind::Tmpfs(Tmpfs::default()));
            let list: Vec<_> = targets.iter().map(tmpfs).collect();
            let mounts = resolve(&list)?;
            Ok(mounts.into_iter().map(|mount| mount.target.display().to_string()).collect::<Vec<_>>())
        };
        assert_eq!(with(&["/a/b", "/c/", "/a"]).unwrap(), ["/c", "/a", "/a/b"]);
        assert_eq!(with(&["/a", "/b/../a"]), Err(Error::Duplicate("/a".into())));
        assert_eq!(with(&["a"]), Err(Error::Target("a".into())));
        assert_eq!(with(&["/.."]), Err(Error::Target("/..".into())));
    }
}
