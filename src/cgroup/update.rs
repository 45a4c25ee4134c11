//! Sets the limits of a cgroup, new or in use.

use std::path::{Path, PathBuf};

use super::hierarchy::Controller;
use super::settings::{Absent, Setting};
use super::{Cgroup, Error, Limits, Result, files};

impl Cgroup {
    /// Changes the limits of the cgroup. What is not in `limits` stays as it is.
    ///
    /// # Errors
    ///
    /// If the kernel rejects a limit or lacks its controller; if a limit cannot be expressed in
    /// this version of cgroups. The limits before it have been set then.
    pub fn update(&mut self, limits: &Limits) -> Result<()> {
        limits.check()?;
        if limits.is_flat {
            self.warnings.push("memory is always counted with the groups below".to_owned());
        }
        let limits = &self.completed(limits);
        self.check_memory(limits)?;
        self.make_room_for_memory(limits)?;
        let mut places = self.places_of_v1(limits)?;
        for setting in limits.v2() {
            let limit = setting.limit;
            match &self.unified {
                _ if self.is_in_v1(&setting.file) => {}
                Some(group) => places.push((group.clone(), setting)),
                None if self.exists() => return Err(Error::NoController { limit }),
                None => self.warnings.push(format!("cannot limit {limit}: cgroups are not writable here")),
            }
        }
        self.set_all(&places)?;
        self.set_unified(limits)
    }

    /// Returns what is to be written to v1 groups.
    fn places_of_v1(&mut self, limits: &Limits) -> Result<Vec<(PathBuf, Setting)>> {
        let mut places = Vec::new();
        for (controller, setting) in limits.only_v1() {
            match self.v1_dir(controller) {
                Some(dir) => places.push((dir.to_owned(), setting)),
                None if setting.absent == Absent::Refused => {
                    return Err(Error::OnlyV1 { limit: setting.limit, controller: controller.name() });
                }
                None => self.warnings.push(format!("{} has no effect: cgroup v2 has none", setting.file)),
            }
        }
        // A controller is either in a v1 tree or in the v2 tree, never in both.
        let v1 = limits.v1().into_iter();
        places.extend(v1.filter_map(|(controller, set)| Some((self.v1_dir(controller)?.to_owned(), set))));
        Ok(places)
    }

    /// Whether the controller of a v2 file is in a v1 tree.
    fn is_in_v1(&self, v2: &str) -> bool {
        v2.split('.')
            .next()
            .is_some_and(|name| self.v1.iter().any(|(controller, _)| is_for(*controller, name)))
    }

    /// Adds the present value of what v2 keeps in one file with something that changes: the quota
    /// beside a new period, and memory beside a new limit of memory and swap.
    pub(super) fn completed(&self, limits: &Limits) -> Limits {
        let mut limits = limits.clone();
        let Some(group) = &self.unified else { return limits };
        let now = |file: &str| -> Option<i64> {
            files::read(&group.join(file)).ok()?.split_ascii_whitespace().next()?.parse().ok()
        };
        if limits.cpu_period.is_some() && limits.cpu_quota.is_none() && !self.is_in_v1("cpu.max") {
            limits.cpu_quota = now("cpu.max");
        }
        let limits_both = limits.memory_and_swap.is_some_and(|both| both > 0);
        if limits_both && limits.memory.is_none() && !self.is_in_v1("memory.max") {
            limits.memory = now("memory.max");
        }
        limits
    }

    /// Checks on v2 what the kernel checks on v1.
    fn check_memory(&self, limits: &Limits) -> Result<()> {
        let Some(group) = self.unified.as_ref().filter(|_| !self.is_in_v1("memory.max")) else {
            return Ok(());
        };
        let memory = limits.memory.filter(|memory| *memory >= 0);
        if let Some(both) = limits.memory_and_swap.filter(|both| *both > 0) {
            match memory {
                None => return Err(Error::Swap { both, memory: "no limit of memory".to_owned() }),
                Some(memory) if memory > both => {
                    return Err(Error::Swap { both, memory: format!("{memory} of memory") });
                }
                Some(_) => {}
            }
        }
        let limit = memory.and_then(|memory| u64::try_from(memory).ok()).filter(|_| limits.checks_memory);
        let used = files::number(&group.join("memory.current"));
        match (limit, used) {
            (Some(limit), Some(used)) if used > limit => Err(Error::InUse { limit, used }),
            _ => Ok(()),
        }
    }

    /// Raises the v1 limit of memory and swap first if the new limit of memory alone is above it, which
    /// the kernel refuses.
    fn make_room_for_memory(&mut self, limits: &Limits) -> Result<()> {
        let (Some(memory), Some(both)) = (limits.memory, limits.memory_and_swap) else { return Ok(()) };
        let file = self.v1_dir(Controller::Memory).map(|dir| dir.join("memory.memsw.limit_in_bytes"));
        let Some(file) = file.filter(|file| file.exists()) else { return Ok(()) };
        let now: u64 = files::read(&file)?.trim().parse().unwrap_or(u64::MAX);
        let is_above = u64::try_from(memory).map_or(true, |memory| memory > now);
        if is_above { files::write(&file, &both.to_string()) } else { Ok(()) }
    }

    /// Writes all settings. The kernel checks quota, period, burst, weight and idling against each
    /// other, so one of them may fit only after those behind it.
    fn set_all(&mut self, places: &[(PathBuf, Setting)]) -> Result<()> {
        let mut later = Vec::new();
        for (dir, setting) in places {
            match self.set(dir, setting) {
                Err(error) if error.is_unfit() && setting.file.starts_with("cpu.") => {
                    later.push((dir, setting));
                }
                result => result?,
            }
        }
        later.into_iter().try_for_each(|(dir, setting)| self.set(dir, setting))
    }

    fn set(&mut self, dir: &Path, setting: &Setting) -> Result<()> {
        let file = dir.join(setting.file.as_ref());
        if file.exists() {
            return files::write(&file, &setting.value);
        }
        if let Some((other, value)) = &setting.instead
            && dir.join(other).exists()
        {
            return files::write(&dir.join(other), value);
        }
        let limit = setting.limit;
        match setting.absent {
            Absent::Refused => return Err(self.missing(limit, &file)),
            Absent::Told => {
                let told = format!("cannot limit {limit}: this kernel has no {}", file.display());
                self.warnings.push(told);
            }
            Absent::Fine => {}
        }
        Ok(())
    }

    /// Returns why a limit has no file: there is no controller, a parent group does not delegate
    /// it, or the controller has no such file.
    fn missing(&self, limit: &'static str, file: &Path) -> Error {
        let controller = file.file_name().and_then(|name| name.to_str()?.split('.').next());
        let lists = |dir: &Path, list: &str| {
            let list = files::read(&dir.join(list)).unwrap_or_default();
            controller.is_some_and(|name| list.split_ascii_whitespace().any(|word| word == name))
        };
        let keeps = |dir: &&Path| lists(dir, "cgroup.controllers") && !lists(dir, "cgroup.subtree_control");
        if let Some(group) = file.ancestors().skip(2).find(keeps) {
            return Error::NotHandedDown { limit, group: group.to_owned() };
        }
        let dir = file.parent().unwrap_or(file);
        if lists(dir, "cgroup.controllers") || self.v1.iter().any(|(_, group)| group == dir) {
            return Error::NoFile { limit, path: file.to_owned() };
        }
        Error::NoController { limit }
    }

    /// Writes the v2 files that a specification names itself.
    fn set_unified(&mut self, limits: &Limits) -> Result<()> {
        for (name, value) in &limits.unified {
            let refuse = |reason| Err(Error::name("unified", name, reason));
            if self.v1.iter().any(|(controller, _)| *controller != Controller::Systemd) {
                return refuse("cannot be set: this machine uses cgroup v1");
            }
            let Some(group) = &self.unified else { return refuse("cannot be set: there is no cgroup v2") };
            let file = group.join(name);
            if !file.exists() {
                return refuse("cannot be set: the group has no such file");
            }
            value.trim().lines().try_for_each(|line| files::write(&file, line))?;
        }
        Ok(())
    }
}

/// Whether a v1 controller corresponds to the v2 files with this prefix.
pub(super) fn is_for(controller: Controller, v2: &str) -> bool {
    match v2 {
        "io" => controller == Controller::Blkio,
        name => controller.name() == name,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::cgroup::Parent;

    /// A v2 group of plain files with contents.
    fn group(contents: &[(&str, &str)]) -> (tempfile::TempDir, Cgroup) {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("hoist/c1");
        fs::create_dir_all(&dir).unwrap();
        fs::write(root.path().join("cgroup.controllers"), "").unwrap();
        for (file, text) in contents {
            fs::write(dir.join(file), text).unwrap();
        }
        let parent = Parent { root: root.path().to_owned(), path: "/hoist".into() };
        let cgroup = Cgroup::open(&parent, "c1");
        (root, cgroup)
    }

    fn limits(text: &str) -> Limits {
        Limits::from_spec(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn a_change_on_v2_keeps_what_is_in_the_same_file() {
        let (root, mut cgroup) =
            group(&[("cpu.max", "20000 100000\n"), ("memory.max", "1000\n"), ("memory.swap.max", "")]);
        cgroup.update(&limits(r#"{"cpu":{"period":500000},"memory":{"swap":1500}}"#)).unwrap();
        let read = |file: &str| fs::read_to_string(root.path().join("hoist/c1").join(file)).unwrap();
        assert_eq!(read("cpu.max").trim(), "20000 500000");
        assert_eq!((read("memory.max").trim(), read("memory.swap.max").trim()), ("1000", "500"));
    }

    #[test]
    fn what_v2_cannot_do_is_refused_by_name_or_told() {
        let files =
            [("memory.max", "max"), ("memory.swap.max", ""), ("memory.current", "900"), ("cpu.max", "")];
        let table = [
            (
                r#"{"memory":{"swap":1500}}"#,
                "cannot limit memory and swap to 1500 bytes with no limit of memory",
            ),
            (
                r#"{"memory":{"limit":1501,"swap":1500}}"#,
                "cannot limit memory and swap to 1500 bytes with 1501 of memory",
            ),
            (
                r#"{"memory":{"limit":800,"checkBeforeUpdate":true}}"#,
                "cannot limit memory to 800 bytes: 900 are in use",
            ),
            (
                r#"{"cpu":{"realtimeRuntime":1}}"#,
                "`realtimeRuntime` needs the cgroup v1 controller `cpu`, which is not there",
            ),
            (
                r#"{"network":{"classID":1}}"#,
                "`classID` needs the cgroup v1 controller `net_cls`, which is not there",
            ),
            (
                r#"{"unified":{"memory.none":"1"}}"#,
                "`linux.resources.unified`: `memory.none` cannot be set: the group has no such file",
            ),
        ];
        for (text, wanted) in table {
            let (_root, mut cgroup) = group(&files);
            assert_eq!(cgroup.update(&limits(text)).unwrap_err().to_string(), wanted, "{text}");
        }
        let (_root, mut cgroup) = group(&files);
        let told = r#"{"memory":{"limit":800,"swappiness":1,"disableOOMKiller":true,"useHierarchy":false},
            "cpu":{"burst":0,"idle":0}}"#;
        cgroup.update(&limits(told)).unwrap();
        let wanted = [
            "memory is always counted with the groups below",
            "memory.swappiness has no effect: cgroup v2 has none",
            "memory.oom_control has no effect: cgroup v2 has none",
        ];
        assert_eq!(cgroup.warnings, wanted);
    }

    #[test]
    fn files_of_v2_are_written_by_name_after_all_others() {
        let (root, mut cgroup) = group(&[("memory.max", ""), ("memory.high", ""), ("io.bfq.weight", "")]);
        let text = r#"{"memory":{"limit":800},"blockIO":{"weight":20},
            "unified":{"memory.max":" 700\n","memory.high":"600"}}"#;
        cgroup.update(&limits(text)).unwrap();
        let read = |file: &str| fs::read_to_string(root.path().join("hoist/c1").join(file)).unwrap();
        assert_eq!((read("memory.max"), read("memory.high")), ("700".to_owned(), "600".to_owned()));
        assert_eq!(read("io.bfq.weight"), "default 20", "without io.weight");
    }
}
