//! Mounts whose files have other owners than on their disk: `idmap`, `ridmap`, and the mappings of a
//! mount.
//!
//! The kernel takes the mappings from a user namespace, which nobody needs to be in.

use std::os::fd::{AsFd, OwnedFd};

use super::namespaces::Joined;
use super::options::Options;
use super::{Error, Result};
use crate::oci::runtime::{LinuxIdMapping, Mount};
use crate::sys::clone::{self, Side};
use crate::sys::mount::{self, Depth};
use crate::sys::ns::{self, Namespace, Namespaces};
use crate::sys::{check, process};

/// How the ids of a mount are mapped.
pub(super) struct Mapping {
    depth: Depth,
    /// The contents of the map files; `None` for those of the container's user namespace.
    maps: Option<[String; 2]>,
}

impl Mapping {
    /// Reads a mount of the spec, named by `field`.
    pub(super) fn of(mount: &Mount, options: &Options, field: &str) -> Result<Option<Self>> {
        let lines = |maps: &Option<Vec<LinuxIdMapping>>| -> String {
            let maps = maps.iter().flatten();
            maps.map(|map| format!("{} {} {}\n", map.container_id(), map.host_id(), map.size())).collect()
        };
        let maps = [lines(mount.uid_mappings()), lines(mount.gid_mappings())];
        match (options.idmap, maps.each_ref().map(String::is_empty)) {
            (None, [true, true]) => Ok(None),
            (Some(depth), [true, true]) => Ok(Some(Self { depth, maps: None })),
            (depth, [false, false]) => {
                Ok(Some(Self { depth: depth.unwrap_or(Depth::One), maps: Some(maps) }))
            }
            _ => Err(Error::spec(field, "`uidMappings` and `gidMappings` must be given together")),
        }
    }

    /// Maps the ids of a detached tree.
    pub(super) fn apply(&self, tree: &OwnedFd, namespaces: &Joined, field: &str) -> Result<()> {
        let made;
        let namespace = match (&self.maps, namespaces.joined_user()) {
            (Some(maps), _) => {
                made = namespace(maps)?;
                &made
            }
            (None, Some(joined)) => joined,
            (None, None) => {
                let why = "`idmap` requires mappings, or a user namespace of the container";
                made = namespace(&namespaces.new_maps().ok_or_else(|| Error::spec(field, why))?)?;
                &made
            }
        };
        match mount::map_ids(tree.as_fd(), self.depth, namespace.as_fd()) {
            Err(error) if error.is(rustix::io::Errno::INVAL) => {
                Err(Error::spec(field, "the ids of its file system cannot be mapped (`idmap`)"))
            }
            result => Ok(result?),
        }
    }
}

/// Creates a user namespace with these maps of users and groups.
fn namespace([users, groups]: &[String; 2]) -> Result<OwnedFd> {
    let pipe = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC);
    let (waits, ends) = check(pipe, || "pipe2(O_CLOEXEC)".to_owned())?;
    match clone::clone3(Namespaces::NONE.with(Namespace::User), None)? {
        Side::Child => {
            drop(ends);
            let _ = rustix::io::read(&waits, &mut [0]); // until the creator is done, or gone
            process::exit_now(0)
        }
        Side::Parent(child) => {
            let made = write_map(child.pid, "uid_map", users)
                .and_then(|()| write_map(child.pid, "gid_map", groups))
                .and_then(|()| Ok(process::above_standard_streams(ns::open(child.pid, Namespace::User)?)?));
            drop((waits, ends));
            process::wait(child.pidfd.as_fd())?;
            made
        }
    }
}

fn write_map(pid: i32, name: &str, lines: &str) -> Result<()> {
    let path = format!("/proc/{pid}/{name}");
    Ok(check(std::fs::write(&path, lines), || format!("write({path}, {lines:?})"))?)
}
