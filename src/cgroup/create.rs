//! Creates a container's cgroups, with limits set before any process enters them.

use std::os::fd::AsFd as _;
use std::path::Path;

use super::hierarchy::{Controller, Hierarchy};
use super::{Cgroup, DeviceRule, Error, Limits, Parent, Result, devices, files, limits, relative};
use crate::sys::{self, probe::Probe};

/// v2 controllers that the counters need, even without limits.
const COUNTED_V2: &[&str] = &["memory", "pids", "io", "cpu"];
/// v2 controllers used only for limits, and by container managers inside a container.
const LIMITED_V2: &[&str] = &["cpuset", "hugetlb", "rdma"];
/// The group to which processes at the top of a cgroup namespace are moved, as in Docker-in-Docker.
const TOP_PROCESSES: &str = "init";
/// How often the processes at the top are listed, since those being moved may fork meanwhile.
const CLEAR_ATTEMPTS: usize = 10;

impl Cgroup {
    /// Creates the cgroup and sets its limits. If the caller may not write cgroups, it continues
    /// without them and adds to `warnings`.
    ///
    /// # Errors
    ///
    /// If the kernel rejects a limit or lacks its controller; if device rules could not be
    /// enforced.
    pub fn create(parent: &Parent, id: &str, limits: &Limits, probe: &Probe) -> Result<Self> {
        let hierarchy = Hierarchy::detect(&parent.root);
        let place = relative(&parent.path).join(id);
        let mut cgroup = Self { unified: None, v1: Vec::new(), hierarchy, warnings: Vec::new() };
        let made = cgroup.make_groups(&place, limits, probe).and_then(|()| cgroup.update(limits));
        if made.is_err() {
            let _ = cgroup.remove(); // report the original error
        }
        made.map(|()| cgroup)
    }

    fn make_groups(&mut self, place: &Path, limits: &Limits, probe: &Probe) -> Result<()> {
        let hierarchy = self.hierarchy.clone();
        if let Some(tree) = &hierarchy.unified {
            self.create_unified(tree, place)?;
        }
        // A group in every tree: otherwise the container would share its caller's group, with that
        // group's limits. At the top of a v1 tree it could also write `release_agent`, which runs
        // programs on the host.
        for (controller, tree) in &hierarchy.v1 {
            self.create_v1(*controller, tree, place)?;
        }
        // In a user namespace no device nodes can be created, so only devices that are mounted are
        // accessible. The kernel accepts no rules there, and other runtimes continue without them
        // too.
        let restricts = limits::restrict(&limits.devices) && !probe.in_user_namespace;
        if !restricts {
            return Ok(());
        }
        match self.restrict_by_program(limits) {
            Ok(()) => {
                self.list_v1_devices(limits);
                Ok(())
            }
            Err(_) if self.v1_dir(Controller::Devices).is_some() => self.restrict_v1_devices(limits),
            Err(error) => self.without_device_rules(error, probe),
        }
    }

    /// Writes the rules that a program enforces to the v1 group too, whose `devices.list` shows
    /// them, if they mean the same there.
    fn list_v1_devices(&self, limits: &Limits) {
        let Some(dir) = self.v1_dir(Controller::Devices) else { return };
        if limits::are_a_list(&limits.devices) {
            for (file, rule) in v1_device_rules(&limits.devices) {
                // What the group above denies cannot be allowed, which that group enforces itself.
                let _ = files::write(&dir.join(file), &rule);
            }
        }
    }

    /// Without device rules a container could create a node for any device and open it. If the
    /// caller cannot create nodes, neither can its container, so as in a user namespace only
    /// mounted devices are accessible, and a warning is enough.
    fn without_device_rules(&mut self, error: Error, probe: &Probe) -> Result<()> {
        if probe.mknod {
            return Err(error);
        }
        self.warnings.push(crate::base::error::one_line(&error));
        Ok(())
    }

    fn create_unified(&mut self, tree: &Path, place: &Path) -> Result<()> {
        let dir = tree.join(place);
        match files::make_dirs(&dir) {
            Ok(()) => {
                enable_controllers(tree, place);
                self.unified = Some(dir);
                Ok(())
            }
            Err(error) => self.without(error),
        }
    }

    fn create_v1(&mut self, controller: Controller, tree: &Path, place: &Path) -> Result<()> {
        let dir = tree.join(place);
        match files::make_dirs(&dir) {
            Ok(()) => {
                if controller == Controller::Cpuset {
                    inherit_cpuset(tree, place)?;
                }
                self.v1.push((controller, dir));
                Ok(())
            }
            Err(error) => self.without(error),
        }
    }

    /// Continues without cgroups if the caller may not write them, with one warning for all trees.
    fn without(&mut self, error: Error) -> Result<()> {
        match error {
            Error::File { source, path, .. } if is_denied(&source) => {
                if self.warnings.is_empty() {
                    self.warnings.push(format!("no cgroup: {} cannot be created: {source}", path.display()));
                }
                Ok(())
            }
            error => Err(error),
        }
    }

    /// Restricts devices with an eBPF program (v2).
    fn restrict_by_program(&self, limits: &Limits) -> Result<()> {
        let dir = self.unified.as_ref().ok_or(Error::NoDeviceRules { source: None })?;
        let group = files::open(dir)?;
        sys::bpf::load_device_program(&devices::compile(&limits.devices))
            .and_then(|program| sys::bpf::attach_device_program(group.as_fd(), program.as_fd()))
            .map_err(|error| Error::NoDeviceRules { source: Some(error) })
    }

    fn restrict_v1_devices(&mut self, limits: &Limits) -> Result<()> {
        let Some(dir) = self.v1_dir(Controller::Devices) else { return Ok(()) };
        for (file, rule) in v1_device_rules(&limits.devices) {
            files::write(&dir.join(file), &rule)?;
        }
        Ok(())
    }
}

/// Returns the v1 files to write for these rules. There `a` stands for all devices whatever its
/// numbers are, so a rule for both kinds becomes two.
fn v1_device_rules(rules: &[DeviceRule]) -> impl Iterator<Item = (&'static str, String)> {
    rules.iter().flat_map(|rule| {
        let file = if rule.allow { "devices.allow" } else { "devices.deny" };
        let kinds = if rule.kind == 'a' && !rule.is_for_all() { vec!['b', 'c'] } else { vec![rule.kind] };
        kinds.into_iter().map(move |kind| (file, DeviceRule { kind, ..rule.clone() }.to_string()))
    })
}

/// Enables the controllers in all groups from the root to the container's parent. Errors are
/// ignored here; setting a limit without its controller fails later.
fn enable_controllers(tree: &Path, place: &Path) {
    let mut above: Vec<&Path> = place.ancestors().skip(1).collect();
    above.reverse();
    for dir in above.into_iter().map(|above| tree.join(above)) {
        let read = |file: &str| files::read(&dir.join(file)).unwrap_or_default();
        let (available, enabled) = (read("cgroup.controllers"), read("cgroup.subtree_control"));
        let has = |list: &str, name: &str| list.split_ascii_whitespace().any(|word| word == name);
        let wanted = COUNTED_V2.iter().chain(LIMITED_V2);
        let missing: Vec<_> = wanted.filter(|name| has(&available, name) && !has(&enabled, name)).collect();
        if missing.is_empty() || !can_hand_down(&dir, tree) {
            continue;
        }
        for name in missing {
            let _ = files::write(&dir.join("cgroup.subtree_control"), &format!("+{name}"));
        }
    }
}

/// Whether a group may delegate controllers. If it has processes, enabling some controllers would
/// make it a threaded domain, which cannot contain containers. Only the machine's root may have
/// both. The top of a cgroup namespace looks like the root, but may not, so its processes are moved
/// away.
fn can_hand_down(dir: &Path, tree: &Path) -> bool {
    if !dir.join("cgroup.type").exists() {
        return true; // the machine's root
    }
    let pids = || files::pids(&dir.join("cgroup.procs"));
    let is_empty = || pids().is_ok_and(|pids| pids.is_empty());
    if dir == tree && !is_empty() {
        clear_top(tree, pids);
    }
    is_empty()
}

/// Moves the processes at the top of a cgroup namespace, including this one, into a child group.
fn clear_top(tree: &Path, pids: impl Fn() -> Result<Vec<i32>>) {
    let group = tree.join(TOP_PROCESSES);
    if files::make_dir(&group).is_err() {
        return;
    }
    for _ in 0..CLEAR_ATTEMPTS {
        // A process of another pid namespace is listed as 0, which would move this process.
        let Ok(pids) = pids() else { return };
        let pids: Vec<i32> = pids.into_iter().filter(|pid| *pid > 0).collect();
        if pids.is_empty() {
            return;
        }
        for pid in pids {
            let _ = files::write(&group.join("cgroup.procs"), &pid.to_string()); // it may have ended
        }
    }
}

/// Fills empty v1 cpusets from their parents. A new one is empty, and accepts no processes.
fn inherit_cpuset(tree: &Path, place: &Path) -> Result<()> {
    let mut dir = tree.to_owned();
    for part in place {
        let parent = dir.clone();
        dir.push(part);
        for file in ["cpuset.cpus", "cpuset.mems"] {
            if files::read(&dir.join(file))?.trim().is_empty() {
                files::write(&dir.join(file), files::read(&parent.join(file))?.trim())?;
            }
        }
    }
    Ok(())
}

fn is_denied(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A v2 tree of plain files, for machines without v2 controllers.
    fn fake_v2() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for group in ["", "hoist", "hoist/c1"] {
            let group = dir.path().join(group);
            fs::create_dir_all(&group).unwrap();
            fs::write(group.join("cgroup.controllers"), "cpuset cpu io memory pids").unwrap();
            fs::write(group.join("cgroup.subtree_control"), "").unwrap();
        }
        let container = dir.path().join("hoist/c1");
        let files = ["memory.max", "memory.swap.max", "memory.low", "cpu.weight", "cpu.max", "pids.max"];
        for file in files.into_iter().chain(["cgroup.procs", "cgroup.kill", "cgroup.freeze"]) {
            fs::write(container.join(file), "").unwrap();
        }
        dir
    }

    fn parent(root: &tempfile::TempDir) -> Parent {
        Parent { root: root.path().to_owned(), path: "/hoist".into() }
    }

    #[test]
    fn on_v2_controllers_are_handed_down_and_limits_set_on_the_container() {
        let root = fake_v2();
        let limits =
            Limits { memory: Some(1 << 20), pids: Some(7), cpu_quota: Some(20_000), ..Limits::default() };
        let cgroup = Cgroup::create(&parent(&root), "c1", &limits, &Probe::of_kernel((6, 18))).unwrap();
        assert_eq!(cgroup.warnings, [""; 0]);
        let read = |file: &str| fs::read_to_string(root.path().join(file)).unwrap();
        assert_eq!(read("hoist/c1/memory.max"), "1048576");
        assert_eq!(read("hoist/c1/pids.max"), "7");
        assert_eq!(read("hoist/c1/cpu.max"), "20000");
        for group in ["", "hoist/"] {
            assert_eq!(read(&format!("{group}cgroup.subtree_control")).trim(), "+cpuset", "the last written");
        }
        assert_eq!(read("hoist/c1/cgroup.subtree_control"), "", "a container's processes live there");
    }

    #[test]
    fn a_limit_without_its_controller_is_refused_by_name() {
        let root = fake_v2();
        fs::remove_file(root.path().join("hoist/c1/memory.max")).unwrap();
        for group in ["", "hoist", "hoist/c1"] {
            fs::write(root.path().join(group).join("cgroup.controllers"), "cpuset cpu io pids").unwrap();
        }
        let limits = Limits { memory: Some(1 << 20), ..Limits::default() };
        let error = Cgroup::create(&parent(&root), "c1", &limits, &Probe::of_kernel((6, 18))).unwrap_err();
        assert_eq!(error.to_string(), "this machine has no cgroup controller for memory");
    }

    #[test]
    fn a_group_with_processes_of_its_own_keeps_its_controllers_and_the_limit_names_it() {
        let root = fake_v2();
        fs::remove_file(root.path().join("hoist/c1/memory.max")).unwrap();
        fs::write(root.path().join("hoist/cgroup.type"), "domain\n").unwrap();
        fs::write(root.path().join("hoist/cgroup.procs"), "17\n").unwrap();
        let limits = Limits { memory: Some(1 << 20), ..Limits::default() };
        let error = Cgroup::create(&parent(&root), "c1", &limits, &Probe::of_kernel((6, 18))).unwrap_err();
        let group = root.path().join("hoist");
        assert_eq!(
            error.to_string(),
            format!("the cgroup controller for memory is not enabled below {}", group.display())
        );
        assert_eq!(fs::read_to_string(group.join("cgroup.subtree_control")).unwrap(), "");
    }

    #[test]
    fn a_machine_without_cgroups_gets_warnings_instead_of_limits() {
        let root = tempfile::tempdir().unwrap();
        let limits = Limits { pids: Some(7), ..Limits::default() };
        let cgroup = Cgroup::create(&parent(&root), "c1", &limits, &Probe::of_kernel((6, 18))).unwrap();
        assert_eq!(cgroup.warnings, ["cannot limit processes: cgroups are not writable here"]);
        assert!(!cgroup.exists());
    }

    #[test]
    fn device_rules_that_nobody_enforces_are_refused_where_nodes_can_be_made() {
        let deny_all =
            DeviceRule { allow: false, kind: 'a', major: None, minor: None, access: "rwm".to_owned() };
        let limits = Limits { devices: vec![deny_all], ..Limits::default() };
        let machine = Probe::of_kernel((6, 18));
        let powerless = Probe { mknod: false, ..machine.clone() };
        let nested = Probe { in_user_namespace: true, ..powerless.clone() };
        // The kernel attaches no program to a folder that is not a cgroup.
        for root in [fake_v2(), tempfile::tempdir().unwrap()] {
            let create = |probe| Cgroup::create(&parent(&root), "c1", &limits, probe);
            let error = create(&machine).unwrap_err();
            assert_eq!(error.to_string(), "cannot restrict which devices the container uses");
            let [warning] = &create(&powerless).unwrap().warnings[..] else { panic!("no single warning") };
            assert!(warning.starts_with("cannot restrict which devices the container uses"), "{warning}");
            assert_eq!(create(&nested).unwrap().warnings, [""; 0]);
        }

        let hybrid = tempfile::tempdir().unwrap();
        let group = hybrid.path().join("devices/hoist/c1");
        fs::create_dir_all(&group).unwrap();
        fs::write(hybrid.path().join("devices/cgroup.procs"), "").unwrap();
        fs::write(group.join("devices.deny"), "").unwrap();
        Cgroup::create(&parent(&hybrid), "c1", &limits, &machine).unwrap();
        assert_eq!(fs::read_to_string(group.join("devices.deny")).unwrap(), "a");
    }

    #[test]
    fn a_v1_rule_for_both_kinds_of_a_number_does_not_allow_all() {
        let rule =
            |kind, major| DeviceRule { allow: true, kind, major, minor: None, access: "rw".to_owned() };
        let written: Vec<String> =
            v1_device_rules(&[rule('a', Some(42)), rule('c', Some(1))]).map(|(_, rule)| rule).collect();
        assert_eq!(written, ["b 42:* rw", "c 42:* rw", "c 1:* rw"]);
    }

    #[test]
    fn on_v1_a_container_has_a_group_in_every_tree() {
        let root = tempfile::tempdir().unwrap();
        for tree in ["memory", "cpuacct", "net_prio", "systemd"] {
            fs::create_dir_all(root.path().join(tree)).unwrap();
            fs::write(root.path().join(tree).join("cgroup.procs"), "").unwrap();
        }
        Cgroup::create(&parent(&root), "c1", &Limits::default(), &Probe::of_kernel((6, 18))).unwrap();
        for tree in ["memory", "cpuacct", "net_prio", "systemd"] {
            assert!(root.path().join(tree).join("hoist/c1").is_dir(), "{tree}");
        }
    }
}
