//! Control groups: limits, freezing, killing and counters of a container, with the same interface
//! for v1, hybrid and v2.
//!
//! ```text
//! v2   <root>/<parent>/<id>                 the container: what limits, freeze and kill act on
//!                     /monitors             the monitors of all of them
//! v1   <root>/<controller>/<parent>/<id>    in every tree that is mounted
//! ```
//! A hybrid machine uses both: the v2 tree to freeze, to kill, to start processes in a group and to
//! restrict devices, and v1 for controllers that are only there. The root is a parameter, so that
//! tests can use a tree of plain files.
//!
//! A monitor removes its container's group, so it cannot be in it or below it. The monitors share a
//! group without limits, which exists as long as `<parent>`.

mod create;
mod devices;
mod error;
mod files;
mod hierarchy;
mod limits;
mod settings;
mod stats;
mod units;
mod update;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use error::{Error, Result};
pub use limits::{DeviceRule, Limits};
pub use stats::{Pressure, RESOURCES, Stall};
pub use units::properties;

use crate::sys;
use hierarchy::{Controller, Hierarchy};
use update::is_for;

/// The group that monitors share, beside their containers' groups. It is not a container's id.
const MONITORS: &str = "monitors";
/// The v1 trees in which a group can stop, freeze or throttle its processes.
const CAN_STOP_V1: &[Controller] =
    &[Controller::Systemd, Controller::Freezer, Controller::Cpuset, Controller::Cpu, Controller::Pids];
/// How long to wait until processes are frozen.
const FREEZE_LIMIT: Duration = Duration::from_secs(10);
/// How long to wait until killed processes are gone.
const EMPTY_LIMIT: Duration = Duration::from_secs(2);

/// The cgroup of one container.
#[derive(Debug)]
pub struct Cgroup {
    /// `<parent>/<id>` in the v2 tree.
    unified: Option<PathBuf>,
    /// `<parent>/<id>` in the v1 trees.
    v1: Vec<(Controller, PathBuf)>,
    /// The mounted trees.
    hierarchy: Hierarchy,
    /// What could not be set up and was left out, one sentence each.
    pub warnings: Vec<String>,
}

/// Where a container's cgroup is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// The mount point of the cgroup file systems: `/sys/fs/cgroup`.
    pub root: PathBuf,
    /// The path below each tree: `hoist`.
    pub path: PathBuf,
}

impl Parent {
    /// Returns the parent `path` below the default root.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { root: PathBuf::from("/sys/fs/cgroup"), path: path.into() }
    }

    /// Returns the names of the groups below it: container ids, and `monitors`.
    ///
    /// # Errors
    ///
    /// If they cannot be listed.
    pub fn groups(&self) -> Result<Vec<String>> {
        let hierarchy = Hierarchy::detect(&self.root);
        let trees = hierarchy.v1.iter().map(|(_, tree)| tree).chain(hierarchy.unified.as_ref());
        let mut groups = Vec::new();
        for tree in trees {
            let names = files::groups_in(&tree.join(relative(&self.path)))?;
            groups.extend(names.into_iter().filter_map(|name| name.into_string().ok()));
        }
        Ok(groups)
    }

    /// Prepares a monitor to leave the session or unit that it was started in, so that neither a
    /// logout nor stopping a service ends it. If no unit owns the caller, there is nothing to do.
    ///
    /// # Errors
    ///
    /// If the group cannot be created.
    pub fn monitors(&self) -> Result<Entrance> {
        let mut entrance = Entrance { born_into: None, joined: Vec::new() };
        let own = hierarchy::own();
        let hierarchy = Hierarchy::detect(&self.root);
        let stopping = hierarchy.v1.iter().filter(|(controller, _)| CAN_STOP_V1.contains(controller));
        for (_, tree) in stopping.filter(|(controller, _)| hierarchy::is_below(&own, *controller)) {
            entrance.joined.push(files::open_to_write(&tree.join("cgroup.procs"))?);
        }
        if let Some(tree) = hierarchy.unified.as_ref().filter(|_| !hierarchy::is_at_the_top(&own)) {
            let group = tree.join(relative(&self.path)).join(MONITORS);
            files::make_dirs(&group)?;
            // Joining another group already waits for the kernel, so starting in this one gains
            // nothing.
            if entrance.joined.is_empty() {
                entrance.born_into = Some(files::open(&group)?);
            }
            entrance.joined.push(files::open_to_write(&group.join("cgroup.procs"))?);
        }
        Ok(entrance)
    }
}

/// How a process enters its groups: started in the v2 group, and moved to v1 groups by its own
/// writes.
///
/// A write can take the kernel some 10 ms (it waits for RCU) if no process was moved recently;
/// starting a process in a group costs nothing.
#[derive(Debug)]
pub struct Entrance {
    /// The v2 group, for `CLONE_INTO_CGROUP`.
    pub born_into: Option<OwnedFd>,
    /// Files to which the process writes `0` to join their groups.
    pub joined: Vec<OwnedFd>,
}

impl Entrance {
    /// Moves the calling process into the groups it was not started in.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn join(&mut self) -> sys::Result<()> {
        for file in self.joined.drain(..) {
            sys::check(rustix::io::write(&file, b"0"), || "write(cgroup.procs, 0)".to_owned())?;
        }
        Ok(())
    }
}

/// A descriptor that reports out-of-memory kills.
#[derive(Debug)]
pub enum OomEvents {
    /// An eventfd (v1), to be polled for `POLLIN` and read.
    Readable(OwnedFd),
    /// `memory.events` (v2), to be polled for `POLLPRI`.
    Priority(OwnedFd),
}

impl Cgroup {
    /// Opens the cgroup of a running container, to signal it or to read its counters. Missing
    /// groups are left out.
    #[must_use]
    pub fn open(parent: &Parent, id: &str) -> Self {
        let hierarchy = Hierarchy::detect(&parent.root);
        let place = relative(&parent.path).join(id);
        let v1 = hierarchy.v1.iter().map(|(controller, dir)| (*controller, dir.join(&place)));
        Self {
            unified: hierarchy.unified.as_ref().map(|dir| dir.join(&place)).filter(|dir| dir.exists()),
            v1: v1.filter(|(_, dir)| dir.exists()).collect(),
            hierarchy,
            warnings: Vec::new(),
        }
    }

    /// Whether any of its groups exists.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.unified.is_some() || !self.v1.is_empty()
    }

    /// Prepares the entry of the container's init process.
    ///
    /// # Errors
    ///
    /// If the group is gone.
    pub fn entrance(&self, can_be_born: bool) -> Result<Entrance> {
        self.entrance_to(self.unified.as_deref(), can_be_born)
    }

    /// Prepares the entry of another process, beside the container's init, `first`. A v2 group that
    /// delegates controllers accepts no processes. So in a container with groups of its own
    /// (systemd, another container manager) the process joins the group of init.
    ///
    /// # Errors
    ///
    /// If the group is gone.
    pub fn entrance_beside(&self, first: BorrowedFd<'_>, can_be_born: bool) -> Result<Entrance> {
        let own = self.unified.as_deref();
        let below =
            own.filter(|dir| hands_controllers_down(dir)).and_then(|dir| self.group_below(dir, first));
        self.entrance_to(below.as_deref().or(own), can_be_born)
    }

    /// Returns the group of a process if it is `dir` or below it.
    fn group_below(&self, dir: &Path, process: BorrowedFd<'_>) -> Option<PathBuf> {
        let pid = sys::pidfd::pid(process)?;
        let groups = files::read(Path::new(&format!("/proc/{pid}/cgroup"))).ok()?;
        let group = self.hierarchy.unified.as_ref()?.join(hierarchy::unified_group(&groups)?);
        Some(group).filter(|group| group.starts_with(dir))
    }

    fn entrance_to(&self, group: Option<&Path>, can_be_born: bool) -> Result<Entrance> {
        let mut entrance = Entrance { born_into: None, joined: Vec::new() };
        if let Some(group) = group {
            if can_be_born {
                entrance.born_into = Some(files::open(group)?);
            } else {
                entrance.joined.push(files::open_to_write(&group.join("cgroup.procs"))?);
            }
        }
        for (_, dir) in &self.v1 {
            entrance.joined.push(files::open_to_write(&dir.join("cgroup.procs"))?);
        }
        Ok(entrance)
    }

    /// Returns detached mounts of the groups, to be attached in the container, each with the name
    /// of its directory there. An empty name stands for a single v2 tree.
    ///
    /// # Errors
    ///
    /// `EPERM` without privilege over the mount namespace.
    pub fn trees(&self) -> Result<Vec<(String, OwnedFd)>> {
        let name = if self.v1.is_empty() { "" } else { "unified" };
        let unified = self.unified.iter().map(|dir| (name, dir.clone()));
        let v1 = self.v1.iter().map(|(controller, dir)| (controller.name(), dir.clone()));
        v1.chain(unified)
            .map(|(name, dir)| {
                let tree = sys::mount::open_tree_at(&dir, sys::mount::Depth::One)?;
                Ok((name.to_owned(), tree))
            })
            .collect()
    }

    /// Freezes all processes of the container and waits until they are frozen. If one does not
    /// freeze, all are thawed again.
    ///
    /// # Errors
    ///
    /// If the kernel refuses, or a process does not freeze within ten seconds.
    pub fn freeze(&self) -> Result<()> {
        self.freeze_within(FREEZE_LIMIT)
    }

    fn freeze_within(&self, limit: Duration) -> Result<()> {
        let frozen = self.set_frozen(Frozen::Yes, limit);
        if frozen.is_err() {
            self.cancel_freeze();
        }
        frozen
    }

    /// Starts to freeze all processes of the container, without waiting.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn begin_freeze(&self) -> Result<Freezing> {
        if let Some(group) = &self.unified {
            let events = files::open(&group.join("cgroup.events"))?;
            files::write(&group.join("cgroup.freeze"), "1")?;
            return Ok(Freezing { events: Some(events) });
        }
        files::write(&self.v1_freezer()?, "FROZEN")?;
        Ok(Freezing { events: None })
    }

    /// Whether all processes are frozen.
    ///
    /// # Errors
    ///
    /// If the group is gone.
    pub fn has_frozen(&self, freezing: &Freezing) -> Result<bool> {
        match (&freezing.events, &self.unified) {
            (Some(events), Some(group)) => files::is_frozen(events, group),
            _ => files::freeze_v1(&self.v1_freezer()?, "FROZEN"),
        }
    }

    /// Returns the error for a freeze that was given up after `limit`.
    #[must_use]
    pub fn not_frozen(&self, limit: Duration) -> Error {
        let group = self.unified.as_deref().or_else(|| self.v1_dir(Controller::Freezer));
        stuck(group.unwrap_or(Path::new("")).to_owned(), "running", limit)
    }

    /// Undoes [`Cgroup::freeze`] or [`Cgroup::begin_freeze`], without waiting.
    pub fn cancel_freeze(&self) {
        // If the group is gone, there is nothing to thaw.
        let _ = match (&self.unified, self.v1_freezer()) {
            (Some(group), _) => files::write(&group.join("cgroup.freeze"), "0"),
            (None, Ok(file)) => files::write(&file, "THAWED"),
            (None, Err(_)) => Ok(()),
        };
    }

    /// Thaws the container and waits until it runs.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn thaw(&self) -> Result<()> {
        self.set_frozen(Frozen::No, FREEZE_LIMIT)
    }

    /// Whether the container is frozen.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        let read = |path: PathBuf| files::read(&path).unwrap_or_default();
        match (&self.unified, self.v1_dir(Controller::Freezer)) {
            (Some(group), _) => files::field(&read(group.join("cgroup.events")), "frozen") == Some(1),
            (None, Some(dir)) => read(dir.join("freezer.state")).trim() == "FROZEN",
            (None, None) => false,
        }
    }

    fn set_frozen(&self, frozen: Frozen, limit: Duration) -> Result<()> {
        if let Some(group) = &self.unified {
            let (value, want) = if frozen == Frozen::Yes { ("1", 1) } else { ("0", 0) };
            files::write(&group.join("cgroup.freeze"), value)?;
            let events = group.join("cgroup.events");
            let done = files::wait_for(&events, limit, |text| files::field(text, "frozen") == Some(want))?;
            return if done { Ok(()) } else { Err(self.not_frozen(limit)) };
        }
        let file = self.v1_freezer()?;
        let want = if frozen == Frozen::Yes { "FROZEN" } else { "THAWED" };
        let end = Instant::now() + limit;
        while !files::freeze_v1(&file, want)? {
            if Instant::now() > end {
                return Err(self.not_frozen(limit));
            }
            std::thread::yield_now();
        }
        Ok(())
    }

    fn v1_freezer(&self) -> Result<PathBuf> {
        let dir = self.v1_dir(Controller::Freezer).ok_or(Error::NoController { limit: "freezing" })?;
        Ok(dir.join("freezer.state"))
    }

    /// Kills all processes of the container, including those in nested groups and even if frozen.
    /// They may take a moment to die; [`Cgroup::remove`] waits for that.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn kill(&self) -> Result<()> {
        if let Some(group) = &self.unified {
            match files::write(&group.join("cgroup.kill"), "1") {
                // The kernel is too old, or the group has just been removed.
                Err(Error::File { source, .. }) if files::is_gone(source.raw_os_error()) => {}
                result => return result,
            }
        }
        self.kill_one_by_one()
    }

    /// Kills without `cgroup.kill` (Linux 5.14). While frozen, no process can escape by forking.
    fn kill_one_by_one(&self) -> Result<()> {
        let can_freeze = self.freeze().is_ok();
        let end = Instant::now() + EMPTY_LIMIT;
        let killed = loop {
            let pids = match self.pids() {
                Ok(pids) => pids,
                Err(error) => break Err(error),
            };
            for &pid in &pids {
                let _ = sys::signal::send(pid, libc::SIGKILL); // it may be gone already
            }
            if can_freeze || pids.is_empty() || Instant::now() > end {
                break Ok(());
            }
            std::thread::yield_now();
        };
        let _ = self.thaw(); // frozen processes die only once thawed
        killed
    }

    /// Returns the processes of the container, including nested groups; empty if its group is gone.
    ///
    /// # Errors
    ///
    /// If they cannot be listed.
    pub fn pids(&self) -> Result<Vec<i32>> {
        let place = self.unified.as_deref().or_else(|| self.v1.first().map(|(_, dir)| dir.as_path()));
        place.map_or(Ok(Vec::new()), |dir| files::pids_below(dir, "cgroup.procs"))
    }

    /// Returns a descriptor to poll for out-of-memory kills; [`Cgroup::stats`] then has their
    /// number.
    ///
    /// # Errors
    ///
    /// If there is no memory controller.
    pub fn oom_events(&self) -> Result<OomEvents> {
        if let Some(dir) = self.v1_dir(Controller::Memory) {
            return Ok(OomEvents::Readable(files::v1_oom_eventfd(dir)?));
        }
        let group = self.unified.as_ref().ok_or(Error::NoController { limit: "memory" })?;
        Ok(OomEvents::Priority(files::open(&group.join("memory.events"))?))
    }

    /// Removes the groups, which must be empty or about to be. Groups that are gone are ignored.
    ///
    /// # Errors
    ///
    /// If a group still has processes after two seconds. The other groups are removed nevertheless.
    pub fn remove(&self) -> Result<()> {
        let v1 = self.v1.iter().map(|(_, dir)| dir.as_path());
        let groups = self.unified.as_deref().into_iter().chain(v1);
        groups.map(remove_when_empty).fold(Ok(()), Result::and)
    }

    fn v1_dir(&self, wanted: Controller) -> Option<&Path> {
        self.v1.iter().find(|(controller, _)| *controller == wanted).map(|(_, dir)| dir.as_path())
    }
}

/// A freeze in progress.
#[derive(Debug)]
pub struct Freezing {
    /// `cgroup.events`; `None` on v1, which has no notification.
    events: Option<OwnedFd>,
}

impl Freezing {
    /// Returns a descriptor to poll for `POLLPRI` before calling [`Cgroup::has_frozen`] again.
    /// `None` if that has to be called repeatedly.
    #[must_use]
    pub fn events(&self) -> Option<BorrowedFd<'_>> {
        self.events.as_ref().map(AsFd::as_fd)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Frozen {
    Yes,
    No,
}

/// Removes a group, waiting for its last processes: a killed process leaves its group shortly after
/// its parent is notified.
fn remove_when_empty(dir: &Path) -> Result<()> {
    let end = Instant::now() + EMPTY_LIMIT;
    let mut pause = Duration::from_micros(100);
    loop {
        match files::remove_groups(dir) {
            Ok(()) => return Ok(()),
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {
                if Instant::now() > end {
                    return Err(stuck(dir.to_owned(), "alive", EMPTY_LIMIT));
                }
                wait_until_empty(dir, pause);
                pause = (pause * 2).min(Duration::from_millis(20));
            }
            Err(source) => return Err(files::failed("remove", dir, source)),
        }
    }
}

/// Waits for a group to empty. v2 announces this; v1 does not.
fn wait_until_empty(dir: &Path, pause: Duration) {
    let is_empty = |text: &str| files::field(text, "populated") == Some(0);
    match files::wait_for(&dir.join("cgroup.events"), EMPTY_LIMIT, is_empty) {
        Ok(true) if !dir.join("cgroup.procs").exists() => {}
        _ => {
            let pause = rustix::event::Timespec::try_from(pause).unwrap_or_default();
            let _ = rustix::event::poll(&mut [], Some(&pause));
        }
    }
}

/// Whether this v2 group cannot have processes of its own (`man 7 cgroups`, "no internal
/// processes").
fn hands_controllers_down(dir: &Path) -> bool {
    files::read(&dir.join("cgroup.subtree_control")).is_ok_and(|controllers| !controllers.trim().is_empty())
}

fn stuck(path: PathBuf, state: &'static str, limit: Duration) -> Error {
    Error::Stuck { path, state, secs: limit.as_secs() }
}

/// Returns the path relative to a tree, with or without a leading `/`.
fn relative(path: &Path) -> PathBuf {
    path.components().filter(|part| matches!(part, std::path::Component::Normal(_))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn processes_that_do_not_stop_go_on() {
        let root = tempfile::tempdir().unwrap();
        let group = root.path().join("hoist/c1");
        fs::create_dir_all(&group).unwrap();
        fs::write(root.path().join("cgroup.controllers"), "").unwrap();
        fs::write(group.join("cgroup.freeze"), "0").unwrap();
        fs::write(group.join("cgroup.events"), "populated 1\nfrozen 0\n").unwrap();
        let parent = Parent { root: root.path().to_owned(), path: "/hoist".into() };
        let error = Cgroup::open(&parent, "c1").freeze_within(Duration::ZERO).unwrap_err();
        assert!(matches!(error, Error::Stuck { state: "running", .. }), "{error}");
        assert_eq!(fs::read_to_string(group.join("cgroup.freeze")).unwrap(), "0");
    }

    #[test]
    fn a_group_that_cannot_be_removed_leaves_no_other_behind() {
        let root = tempfile::tempdir().unwrap();
        for (tree, file) in
            [("memory", "cgroup.procs"), ("pids", "cgroup.procs"), ("unified", "cgroup.controllers")]
        {
            fs::create_dir_all(root.path().join(tree).join("hoist/c1")).unwrap();
            fs::write(root.path().join(tree).join(file), "").unwrap();
        }
        // In a real tree files disappear with their group; here they remain.
        fs::write(root.path().join("unified/hoist/c1/file"), "").unwrap();
        let parent = Parent { root: root.path().to_owned(), path: "/hoist".into() };
        let error = Cgroup::open(&parent, "c1").remove().unwrap_err();
        let kept = root.path().join("unified/hoist/c1");
        assert_eq!(error.to_string(), format!("cannot remove {}", kept.display()));
        assert!(kept.exists());
        assert!(!root.path().join("memory/hoist/c1").exists());
        assert!(!root.path().join("pids/hoist/c1").exists());
    }
}
