//! What the configuration of a container mounts, shown while it is not running: attached as by a
//! start, but in a private tree ([`crate::files::attach`]).

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use super::shown;
use crate::container::spec::ETC_FILES;
use crate::container::{MountKind, MountRequest, Record, Submounts};
use crate::files::attach::{self, Source};
use crate::files::mount::{Missing, Mount};
use crate::files::root::cleaned;
use crate::sys;
use crate::sys::mount::Depth;

/// Returns the mounts of the configuration.
pub(super) fn configured(record: &Record) -> Vec<Mount> {
    record.config.mounts.list.iter().map(mount_of).collect()
}

fn mount_of(request: &MountRequest) -> Mount {
    let (shown, source) = match &request.kind {
        MountKind::Bind(bind) => (format!("→ {}", shown(&bind.source)), bind.source.clone()),
        MountKind::Tmpfs(_) | MountKind::Unknown(_) => (request.kind.as_str().to_owned(), PathBuf::new()),
    };
    let is_tmpfs = matches!(request.kind, MountKind::Tmpfs(_));
    Mount { target: cleaned(&request.target), shown, is_tmpfs, source, missing: None }
}

/// Attaches in `root` what a start of the container would, except for what is created for its
/// processes. Returns a guard that keeps it attached, and the result for each mount of the
/// configuration.
pub(super) fn attach(
    root: &OwnedFd,
    record: &Record,
    folder: &Path,
) -> sys::Result<(Option<OwnedFd>, Vec<Mount>)> {
    let mut sources = etc(record, folder);
    let first = sources.len();
    sources.extend(record.config.mounts.list.iter().map(source));
    if sources.is_empty() {
        return Ok((None, Vec::new()));
    }
    let (namespace, done) = attach::attach(root, sources)?;
    let mut mounts = configured(record);
    for (mount, done) in mounts.iter_mut().zip(done.into_iter().skip(first)) {
        mount.missing = done.err();
        if matches!(mount.missing, Some(Missing::Source(_))) {
            mount.shown.insert_str(0, "missing ");
        }
    }
    Ok((Some(namespace), mounts))
}

/// Returns the container's own files of /etc, as its last run left them.
fn etc(record: &Record, folder: &Path) -> Vec<Source> {
    let of = |name: &&str| {
        let target = Path::new("/etc").join(name);
        let is_replaced = record.config.mounts.list.iter().any(|mount| mount.target == target);
        let path = folder.join("etc").join(name);
        let file = (!is_replaced).then(|| Source::bind(target, &path, Depth::One, None));
        file.filter(Source::is_there) // they do not exist before the first run
    };
    ETC_FILES.iter().filter_map(of).collect()
}

fn source(request: &MountRequest) -> Source {
    let target = request.target.clone();
    match &request.kind {
        MountKind::Bind(bind) => {
            let depth = if bind.recursive { Depth::Tree } else { Depth::One };
            let read_only = if bind.submounts == Submounts::Writable { Depth::One } else { Depth::Tree };
            Source::bind(target, &bind.source, depth, request.read_only.then_some(read_only))
        }
        // Its content was lost with its run, and files put there now would be lost at the next
        // start.
        MountKind::Tmpfs(_) | MountKind::Unknown(_) => Source::empty(target),
    }
}
