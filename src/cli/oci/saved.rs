//! The state of a container between calls of `hoist oci`: a folder in `--root`.

use std::fs;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags};
use serde::{Deserialize, Serialize};

use super::{Failed, refuse};
use crate::base::disk::{self, state};
use crate::base::error::one_line;
use crate::cgroup::{Cgroup, Parent};
use crate::oci::runtime::{ContainerState, Spec};
use crate::runtime::hook::Calls;
use crate::sys::{process, tree};

/// The version of `state.json`.
const VERSION: u32 = 1;

/// The saved state of a container.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Saved {
    version: u32,
    pub(super) id: String,
    pub(super) pid: i32,
    /// The start time of the process in ticks since boot, which distinguishes it from later
    /// processes with the same pid.
    start_time: u64,
    pub(super) bundle: PathBuf,
    pub(super) created: jiff::Timestamp,
    pub(super) cgroup_parent: PathBuf,
    pub(super) cgroup_name: String,
    /// The mount of the root file system, if that is in the caller's mount namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) root_mount: Option<u64>,
    /// The unit of systemd that the cgroup belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unit: Option<String>,
    pub(super) spec: Spec,
}

state!(Saved, VERSION);

/// A container's folder in `--root`.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

/// The FIFOs of a container that waits to be started.
pub(super) struct Fifos {
    pub(super) start: OwnedFd,
    pub(super) report: OwnedFd,
}

impl Folder {
    /// Returns the folder of `id`, which must be a plain name.
    pub(super) fn new(root: &Path, id: &str) -> Result<Self, Failed> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-.".contains(&byte);
        if id.is_empty() || id.len() > 1024 || !id.bytes().all(plain) || id.bytes().all(|byte| byte == b'.') {
            return refuse(format!(
                "`{id}` is not a valid container ID: expected letters, digits and `_+-.`"
            ));
        }
        Ok(Self(root.join(id)))
    }

    /// Creates the folder, which reserves the id. The path of the cgroup is recorded first, so that
    /// its processes can be found even if the state is lost.
    pub(super) fn make(&self, place: &(Parent, String)) -> Result<(), Failed> {
        if let Some(root) = self.0.parent() {
            fs::create_dir_all(root)?;
        }
        match fs::create_dir(&self.0) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                refuse(format!("container `{}` already exists", self.name()))
            }
            result => Ok(result?),
        }?;
        let noted = std::os::unix::fs::symlink(place.0.path.join(&place.1), self.cgroup_link());
        if noted.is_err() {
            let _ = self.remove(); // the first error is the one to report
        }
        Ok(noted?)
    }

    fn cgroup_link(&self) -> PathBuf {
        self.0.join("cgroup")
    }

    /// Returns the recorded cgroup, or `None` if none has been recorded.
    pub(super) fn cgroup(&self) -> Result<Option<Cgroup>, Failed> {
        let path = match fs::read_link(self.cgroup_link()) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            path => path.map_err(disk::Error::io("read", self.cgroup_link()))?,
        };
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return refuse(format!("`{}` does not point to a cgroup", self.cgroup_link().display()));
        };
        Ok(Some(Cgroup::open(&Parent::new(parent), &name.to_string_lossy())))
    }

    /// Keeps others from starting the container until the lock is dropped. The lock is on the
    /// folder, which no process of a container can open.
    pub(super) fn lock(&self) -> Result<OwnedFd, Failed> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(&self.0, flags, Mode::empty())?;
        rustix::fs::flock(&folder, rustix::fs::FlockOperation::LockExclusive)?;
        Ok(folder)
    }

    /// Removes the folder. Succeeds if it does not exist.
    pub(super) fn remove(&self) -> Result<(), Failed> {
        Ok(tree::remove(&self.0)?)
    }

    fn name(&self) -> String {
        self.0.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    pub(super) fn save(&self, saved: &Saved) -> Result<(), Failed> {
        Ok(disk::write_state(&self.0.join("state.json"), saved)?)
    }

    pub(super) fn load(&self) -> Result<Saved, Failed> {
        match disk::read_state(&self.0.join("state.json")) {
            Err(error) if error.is_not_found() && !self.0.exists() => {
                refuse(format!("container `{}` does not exist", self.name()))
            }
            Err(error) if error.is_not_found() => refuse(format!(
                "container `{}` has not been created yet, or its creation was interrupted",
                self.name()
            )),
            result => Ok(result?),
        }
    }

    pub(super) fn make_fifos(&self) -> Result<Fifos, Failed> {
        for path in [self.start_fifo(), self.report_fifo()] {
            rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        }
        // For reading and writing, which neither blocks nor ends if the other side is missing.
        let open = |path: &Path| rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
        Ok(Fifos { start: open(&self.start_fifo())?, report: open(&self.report_fifo())? })
    }

    pub(super) fn start_fifo(&self) -> PathBuf {
        self.0.join("start.fifo")
    }

    pub(super) fn report_fifo(&self) -> PathBuf {
        self.0.join("report.fifo")
    }

    /// Removes the FIFOs once a start has been requested: nothing waits on them any longer.
    pub(super) fn remove_fifos(&self) {
        for path in [self.start_fifo(), self.report_fifo()] {
            let _ = fs::remove_file(path); // a second start finds none
        }
    }

    /// Returns whether the container is created, running or stopped.
    pub(super) fn status(&self, saved: &Saved) -> ContainerState {
        match saved.process() {
            None => ContainerState::Stopped,
            // It counts as started even if the starter could not record that.
            Some(_) if self.start_fifo().exists() && process::has_executed(saved.pid) != Some(true) => {
                ContainerState::Created
            }
            Some(_) => ContainerState::Running,
        }
    }
}

impl Saved {
    pub(super) fn new(id: &str, pid: i32, bundle: &Path, spec: Spec, place: (Parent, String)) -> Self {
        Self {
            version: VERSION,
            id: id.to_owned(),
            pid,
            start_time: start_time(pid).unwrap_or(0),
            bundle: bundle.to_owned(),
            created: jiff::Timestamp::now(),
            cgroup_parent: place.0.path,
            cgroup_name: place.1,
            root_mount: None,
            unit: None,
            spec,
        }
    }

    /// Notes the container's first process.
    pub(super) fn set_process(&mut self, pid: i32) {
        self.pid = pid;
        self.start_time = start_time(pid).unwrap_or(0);
    }

    /// Returns the container's first process while it is alive.
    pub(super) fn process(&self) -> Option<OwnedFd> {
        let pidfd = process::open(self.pid).ok()?;
        let is_it = start_time(self.pid) == Some(self.start_time);
        (is_it && !process::has_ended(pidfd.as_fd()).ok()?).then_some(pidfd)
    }

    /// Returns an existing cgroup below the container's.
    pub(super) fn cgroup_below(&self, path: &Path) -> Result<Cgroup, Failed> {
        let plain = path.strip_prefix("/").unwrap_or(path);
        let is_plain = |part| matches!(part, std::path::Component::Normal(_));
        if plain.as_os_str().is_empty() || !plain.components().all(is_plain) {
            return refuse(format!("`{}` is not a path below the container's cgroup", path.display()));
        }
        let whole = self.cgroup_parent.join(&self.cgroup_name).join(plain);
        let (Some(parent), Some(name)) = (whole.parent(), whole.file_name()) else {
            return refuse(format!("`{}` is not a path of a cgroup", path.display()));
        };
        let cgroup = Cgroup::open(&Parent::new(parent), &name.to_string_lossy());
        if cgroup.exists() {
            Ok(cgroup)
        } else {
            refuse(format!("cgroup `{}` does not exist", whole.display()))
        }
    }

    /// Returns the container's hooks.
    pub(super) fn hooks(&self) -> Result<Calls, Failed> {
        Ok(Calls::new(&self.id, &self.bundle, &self.spec)?)
    }

    pub(super) fn cgroup(&self) -> Cgroup {
        Cgroup::open(&Parent::new(&self.cgroup_parent), &self.cgroup_name)
    }
}

/// The containers in a root.
#[derive(Debug, Default)]
pub(super) struct All {
    /// Sorted by id.
    pub(super) found: Vec<(Folder, Saved)>,
    /// Why others could not be read, one sentence each.
    pub(super) unreadable: Vec<String>,
}

/// Returns every container in `root`.
pub(super) fn all(root: &Path) -> Result<All, Failed> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(All::default()),
        result => result?,
    };
    let All { mut found, mut unreadable } = All::default();
    for folder in entries.flatten().map(|entry| Folder(entry.path())) {
        match folder.load() {
            Ok(saved) => found.push((folder, saved)),
            // It has been removed meanwhile.
            Err(_) if !folder.0.exists() => {}
            Err(error) => {
                let (name, why) = (folder.name(), one_line(error.as_ref()));
                unreadable.push(format!("{why}: `hoist oci delete -f {name}` kills and removes it"));
            }
        }
    }
    found.sort_by(|a, b| a.1.id.cmp(&b.1.id));
    Ok(All { found, unreadable })
}

fn start_time(pid: i32) -> Option<u64> {
    process::start_time(u32::try_from(pid).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(id: &str, pid: i32) -> Saved {
        let place = (Parent::new("oci"), id.to_owned());
        Saved::new(id, pid, Path::new("/bundle"), Spec::default(), place)
    }

    #[test]
    fn an_id_is_a_plain_name() {
        let root = Path::new("/run/oci");
        for id in ["a", "web-1_2+3.x", ".hidden", "...a", &"x".repeat(1024)] {
            assert_eq!(Folder::new(root, id).unwrap().0, root.join(id));
        }
        for id in ["", ".", "..", "...", "a/b", "/etc", "a b", "a\0", "naïve", &"x".repeat(1025)] {
            assert!(Folder::new(root, id).is_err(), "{id:?}");
        }
    }

    #[test]
    fn an_id_is_one_containers_until_it_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(&dir.path().join("root"), "web").unwrap();
        let place = || (Parent::new("oci/pods"), "web".to_owned());
        let told = |error: Failed| one_line(error.as_ref());
        assert_eq!(told(folder.load().unwrap_err()), "container `web` does not exist");
        assert!(folder.cgroup().unwrap().is_none());
        folder.make(&place()).unwrap();
        assert_eq!(told(folder.make(&place()).unwrap_err()), "container `web` already exists");
        assert_eq!(
            told(folder.load().unwrap_err()),
            "container `web` has not been created yet, or its creation was interrupted"
        );
        assert!(folder.cgroup().unwrap().is_some(), "noted first");
        folder.save(&saved("web", 1)).unwrap();
        assert_eq!(folder.load().unwrap().bundle, Path::new("/bundle"));
        folder.remove().unwrap();
        folder.remove().unwrap();
        assert!(!folder.0.exists());
    }

    #[test]
    fn a_container_is_created_until_it_is_started_and_stopped_once_it_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path(), "web").unwrap();
        folder.make(&(Parent::new("oci"), "web".to_owned())).unwrap();
        let own = saved("web", std::process::id().cast_signed());
        assert!(own.process().is_some());
        assert_eq!(folder.status(&own), ContainerState::Running);
        folder.make_fifos().unwrap();
        // This process has executed its program: who started it could not say so.
        assert_eq!(folder.status(&own), ContainerState::Running);
        folder.remove_fifos();
        assert!(!folder.start_fifo().exists() && !folder.report_fifo().exists());
        let other = Saved { start_time: own.start_time + 1, ..own };
        assert!(other.process().is_none(), "another process has its number by now");
        assert_eq!(folder.status(&other), ContainerState::Stopped);
        assert_eq!(folder.status(&saved("web", i32::MAX)), ContainerState::Stopped);
    }

    #[test]
    fn what_cannot_be_read_is_told_beside_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        assert!(all(&root).unwrap().found.is_empty(), "there is none");
        for id in ["b", "a", "broken", "begun"] {
            let folder = Folder::new(&root, id).unwrap();
            folder.make(&(Parent::new("oci"), id.to_owned())).unwrap();
            match id {
                "broken" => fs::write(folder.0.join("state.json"), "{").unwrap(),
                "begun" => {}
                id => folder.save(&saved(id, 1)).unwrap(),
            }
        }
        let All { found, mut unreadable } = all(&root).unwrap();
        assert_eq!(found.iter().map(|(_, saved)| saved.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        unreadable.sort();
        assert_eq!(unreadable.len(), 2);
        assert!(
            unreadable.iter().any(|why| why.ends_with("`hoist oci delete -f broken` kills and removes it"))
        );
    }
}
