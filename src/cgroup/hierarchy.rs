//! Finds the cgroup file systems: one tree (v2), one per controller (v1), or both.

use std::fs;
use std::path::{Path, PathBuf};

/// A cgroup v1 controller, named like its directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Controller {
    Memory,
    Blkio,
    Devices,
    Pids,
    Cpu,
    Cpuacct,
    Cpuset,
    Freezer,
    NetCls,
    NetPrio,
    PerfEvent,
    Hugetlb,
    Rdma,
    Misc,
    /// Not a controller, but the tree in which systemd keeps its units.
    Systemd,
}

impl Controller {
    const ALL: [Controller; 15] = [
        Self::Memory,
        Self::Blkio,
        Self::Devices,
        Self::Pids,
        Self::Cpu,
        Self::Cpuacct,
        Self::Cpuset,
        Self::Freezer,
        Self::NetCls,
        Self::NetPrio,
        Self::PerfEvent,
        Self::Hugetlb,
        Self::Rdma,
        Self::Misc,
        Self::Systemd,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Blkio => "blkio",
            Self::Devices => "devices",
            Self::Pids => "pids",
            Self::Cpu => "cpu",
            Self::Cpuacct => "cpuacct",
            Self::Cpuset => "cpuset",
            Self::Freezer => "freezer",
            Self::NetCls => "net_cls",
            Self::NetPrio => "net_prio",
            Self::PerfEvent => "perf_event",
            Self::Hugetlb => "hugetlb",
            Self::Rdma => "rdma",
            Self::Misc => "misc",
            Self::Systemd => "systemd",
        }
    }
}

/// The trees mounted below a root such as `/sys/fs/cgroup`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Hierarchy {
    /// The v2 tree: the root itself, or `unified` below it on a hybrid machine.
    pub(super) unified: Option<PathBuf>,
    /// The v1 trees.
    pub(super) v1: Vec<(Controller, PathBuf)>,
}

impl Hierarchy {
    /// Finds the trees mounted below `root`.
    pub(super) fn detect(root: &Path) -> Self {
        let is_unified = |dir: &Path| dir.join("cgroup.controllers").exists();
        if is_unified(root) {
            return Self { unified: Some(root.to_owned()), v1: Vec::new() };
        }
        let unified = root.join("unified");
        let v1 = Controller::ALL
            .into_iter()
            .map(|controller| (controller, root.join(controller.name())))
            .filter(|(_, dir)| dir.join("cgroup.procs").exists());
        Self { v1: v1.collect(), unified: Some(unified).filter(|dir| is_unified(dir)) }
    }
}

/// Whether every cgroup of this process is a root, so that no session or unit owns it.
pub(super) fn is_at_the_top(proc_cgroup: &str) -> bool {
    proc_cgroup
        .lines()
        .filter_map(|line| line.split_once(':').and_then(|(_, rest)| rest.split_once(':')))
        .filter(|(controllers, _)| controllers.is_empty() || *controllers == "name=systemd")
        .all(|(_, path)| path == "/")
}

/// Whether a process is below the top of a v1 controller's tree, according to its
/// `/proc/<pid>/cgroup`.
pub(super) fn is_below(proc_cgroup: &str, controller: Controller) -> bool {
    let name = match controller {
        Controller::Systemd => "name=systemd",
        other => other.name(),
    };
    proc_cgroup
        .lines()
        .filter_map(|line| line.split_once(':').and_then(|(_, rest)| rest.split_once(':')))
        .any(|(controllers, path)| path != "/" && controllers.split(',').any(|one| one == name))
}

/// Returns the v2 group in a `/proc/<pid>/cgroup`, relative to the root; `None` if it is outside
/// this process's cgroup namespace.
pub(super) fn unified_group(proc_cgroup: &str) -> Option<&Path> {
    let path = Path::new(proc_cgroup.lines().find_map(|line| line.strip_prefix("0::/"))?);
    path.components().all(|part| matches!(part, std::path::Component::Normal(_))).then_some(path)
}

/// Returns the contents of `/proc/self/cgroup`.
pub(super) fn own() -> String {
    fs::read_to_string("/proc/self/cgroup").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layouts_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        assert_eq!(Hierarchy::detect(root), Hierarchy::default());
        for tree in ["memory", "freezer", "unified"] {
            fs::create_dir(root.join(tree)).unwrap();
            fs::write(root.join(tree).join("cgroup.procs"), "").unwrap();
        }
        let v1 = Hierarchy::detect(root);
        assert_eq!((v1.unified.clone(), v1.v1.len()), (None, 2));
        fs::write(root.join("unified/cgroup.controllers"), "").unwrap();
        let hybrid = Hierarchy::detect(root);
        assert_eq!((hybrid.unified, hybrid.v1), (Some(root.join("unified")), v1.v1));
        fs::write(root.join("cgroup.controllers"), "").unwrap();
        assert_eq!(Hierarchy::detect(root), Hierarchy { unified: Some(root.to_owned()), v1: Vec::new() });
    }

    #[test]
    fn a_group_outside_of_this_namespace_is_none() {
        let group = |text| unified_group(text).map(|path| path.to_str().unwrap());
        assert_eq!(group("9:name=systemd:/x\n0::/hoist/c1/init.scope\n"), Some("hoist/c1/init.scope"));
        assert_eq!(group("0::/\n"), Some(""));
        assert_eq!(group("0::/../../c1\n"), None);
        assert_eq!(group("4:memory:/c1\n"), None);
    }

    #[test]
    fn a_group_of_v1_is_found_by_its_controller() {
        let groups = "5:cpu,cpuacct:/limited\n4:cpuset:/\n1:name=systemd:/user.slice\n0::/x\n";
        let below = Controller::ALL.into_iter().filter(|controller| is_below(groups, *controller));
        let below: Vec<_> = below.map(Controller::name).collect();
        assert_eq!(below, ["cpu", "cpuacct", "systemd"]);
    }

    #[test]
    fn only_the_trees_that_units_live_in_decide_who_owns_us() {
        assert!(is_at_the_top("9:name=systemd:/\n4:memory:/process_api/4ac3\n0::/\n"));
        assert!(!is_at_the_top("0::/user.slice/user-1000.slice/session-2.scope\n"));
        assert!(!is_at_the_top("1:name=systemd:/system.slice/cron.service\n0::/\n"));
    }
}
