//! Limits as properties of a unit of systemd, so that systemd does not undo them:
//! systemd.resource-control(5).

use std::path::Path;

use super::hierarchy::Hierarchy;
use super::{Cgroup, Limits};
use crate::base::dbus::Value;

/// No limit.
const INFINITY: u64 = u64::MAX;
/// systemd keeps a quota in steps of 10 ms for each second.
const QUOTA_STEP: u64 = 10_000;
/// The period that a quota alone is for, in microseconds.
const PERIOD: u64 = 100_000;
/// The largest number of a CPU or a node.
const MAX_CPU: usize = 8191;

/// Returns the properties of a new unit that hold the limits of its cgroup, where the cgroup file
/// systems are below `root`. What systemd has no property for is left out.
#[must_use]
pub fn properties(limits: &Limits, root: &Path) -> Vec<(String, Value)> {
    in_trees(limits, &Hierarchy::detect(root))
}

impl Cgroup {
    /// Returns the properties of its unit that hold new limits: see [`properties`]. What one of them
    /// holds together with something that changes has its present value.
    #[must_use]
    pub fn properties(&self, limits: &Limits) -> Vec<(String, Value)> {
        in_trees(&self.completed(limits), &self.hierarchy)
    }
}

fn in_trees(limits: &Limits, hierarchy: &Hierarchy) -> Vec<(String, Value)> {
    let is_v1 = |file: &str| hierarchy.v1.iter().any(|(controller, _)| super::is_for(*controller, file));
    let v1 = limits.v1().into_iter().map(|(_, setting)| (setting.file.into_owned(), setting.value));
    let v2 = limits.v2().into_iter().map(|setting| (setting.file.into_owned(), setting.value));
    let unified = limits.unified.iter().map(|(file, value)| (file.clone(), value.trim().to_owned()));
    let mut properties = Vec::new();
    for (is_of_v1, (file, value)) in
        v1.map(|one| (true, one)).chain(v2.chain(unified).map(|one| (false, one)))
    {
        let prefix = file.split('.').next().unwrap_or_default();
        if is_of_v1 != is_v1(prefix) {
            continue;
        }
        match (file.as_str(), property(&file)) {
            ("cpu.max", _) => properties.extend(quota(&value)),
            ("cpuset.cpus", _) => properties.extend(set_of("AllowedCPUs", &value)),
            ("cpuset.mems", _) => properties.extend(set_of("AllowedMemoryNodes", &value)),
            (_, Some(name)) => properties.extend(number(&value).map(|value| (name, value))),
            (_, None) => {}
        }
    }
    if is_v1("cpu") {
        let period = limits.cpu_period.map_or(String::new(), |period| format!(" {period}"));
        properties.extend(limits.cpu_quota.into_iter().flat_map(|us| quota(&format!("{us}{period}"))));
    }
    properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Returns the property that holds what is written to a file as a number.
fn property(file: &str) -> Option<&'static str> {
    Some(match file {
        "memory.max" => "MemoryMax",
        "memory.high" => "MemoryHigh",
        "memory.low" => "MemoryLow",
        "memory.min" => "MemoryMin",
        "memory.swap.max" => "MemorySwapMax",
        "memory.limit_in_bytes" => "MemoryLimit",
        "cpu.weight" => "CPUWeight",
        "cpu.shares" => "CPUShares",
        "pids.max" => "TasksMax",
        "io.weight" => "IOWeight",
        "blkio.weight" | "blkio.bfq.weight" => "BlockIOWeight",
        _ => return None,
    })
}

/// Reads `max`, a number, or `default` and a number. A negative number is no limit.
fn number(text: &str) -> Option<Value> {
    let text = text.strip_prefix("default ").unwrap_or(text);
    match text.parse::<i64>() {
        Ok(number) => Some(Value::Uint64(u64::try_from(number).unwrap_or(INFINITY))),
        Err(_) if text == "max" => Some(Value::Uint64(INFINITY)),
        Err(_) => None,
    }
}

/// Returns the properties for a quota and an optional period in microseconds, as in `cpu.max`.
fn quota(text: &str) -> Vec<(&'static str, Value)> {
    let mut words = text.split_ascii_whitespace();
    let quota = words.next().and_then(|quota| quota.parse::<i64>().ok());
    let period = words.next().and_then(|period| period.parse::<u64>().ok()).filter(|period| *period > 0);
    let per_second = match quota.and_then(|quota| u64::try_from(quota).ok()).filter(|quota| *quota > 0) {
        None => INFINITY,
        Some(quota) => (quota.saturating_mul(1_000_000) / period.unwrap_or(PERIOD))
            .checked_next_multiple_of(QUOTA_STEP)
            .unwrap_or(INFINITY),
    };
    let period = period.map(|period| ("CPUQuotaPeriodUSec", Value::Uint64(period)));
    [("CPUQuotaPerSecUSec", Value::Uint64(per_second))].into_iter().chain(period).collect()
}

/// Returns the property for a list such as `0-2,7`: a bit for each number, the lowest first.
fn set_of(name: &'static str, list: &str) -> Option<(&'static str, Value)> {
    let mut bytes = Vec::new();
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        for number in first..=last.min(MAX_CPU) {
            if bytes.len() <= number / 8 {
                bytes.resize(number / 8 + 1, 0_u8);
            }
            bytes[number / 8] |= 1 << (number % 8);
        }
    }
    Some((name, Value::Bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(trees: &[&str], resources: &str) -> Vec<(String, Value)> {
        let root = tempfile::tempdir().unwrap();
        if trees.is_empty() {
            std::fs::write(root.path().join("cgroup.controllers"), "").unwrap();
        }
        for tree in trees {
            std::fs::create_dir(root.path().join(tree)).unwrap();
            std::fs::write(root.path().join(tree).join("cgroup.procs"), "").unwrap();
        }
        properties(&Limits::from_spec(&serde_json::from_str(resources).unwrap()), root.path())
    }

    fn numbers(properties: &[(String, Value)]) -> Vec<(&str, u64)> {
        let number = |value: &Value| match value {
            Value::Uint64(number) => *number,
            other => panic!("{other:?}"),
        };
        properties.iter().map(|(name, value)| (name.as_str(), number(value))).collect()
    }

    #[test]
    fn limits_are_the_properties_of_each_version() {
        let resources = r#"{"memory":{"limit":67108864,"swap":-1,"reservation":1024},"pids":{"limit":20},
            "cpu":{"shares":1024,"quota":25000,"period":50000},"blockIO":{"weight":500}}"#;
        let found = on(&[], resources);
        let expected = [
            ("MemoryMax", 67_108_864),
            ("MemorySwapMax", INFINITY),
            ("MemoryLow", 1024),
            ("CPUWeight", 39),
            ("CPUQuotaPerSecUSec", 500_000),
            ("CPUQuotaPeriodUSec", 50_000),
            ("TasksMax", 20),
        ];
        for one in expected {
            assert!(numbers(&found).contains(&one), "{one:?}: {found:?}");
        }
        let found = on(&["memory", "cpu", "pids", "blkio"], resources);
        let expected = [
            ("MemoryLimit", 67_108_864),
            ("CPUShares", 1024),
            ("TasksMax", 20),
            ("BlockIOWeight", 500),
            ("CPUQuotaPerSecUSec", 500_000),
            ("CPUQuotaPeriodUSec", 50_000),
        ];
        assert_eq!(numbers(&found), expected);
    }

    #[test]
    fn what_changes_in_part_keeps_the_rest() {
        let root = tempfile::tempdir().unwrap();
        let group = root.path().join("slice/c.scope");
        std::fs::create_dir_all(&group).unwrap();
        std::fs::write(root.path().join("cgroup.controllers"), "").unwrap();
        std::fs::write(group.join("cpu.max"), "20000 50000\n").unwrap();
        std::fs::write(group.join("memory.max"), "1000\n").unwrap();
        let parent = crate::cgroup::Parent { root: root.path().to_owned(), path: "slice".into() };
        let limits = |json: &str| Limits::from_spec(&serde_json::from_str(json).unwrap());
        let found = |json: &str| Cgroup::open(&parent, "c.scope").properties(&limits(json));
        let period = found(r#"{"cpu":{"period":100000}}"#);
        assert_eq!(numbers(&period), [("CPUQuotaPerSecUSec", 200_000), ("CPUQuotaPeriodUSec", 100_000)]);
        let both = found(r#"{"memory":{"swap":3000}}"#);
        assert_eq!(numbers(&both), [("MemoryMax", 1000), ("MemorySwapMax", 2000)]);
    }

    #[test]
    fn a_list_of_processors_is_a_set_of_bits() {
        let found = on(&[], r#"{"cpu":{"cpus":"0-2,9","mems":"0"}}"#);
        let expected = [("AllowedCPUs", vec![0b111, 0b10]), ("AllowedMemoryNodes", vec![1])];
        assert_eq!(found, expected.map(|(name, bytes)| (name.to_owned(), Value::Bytes(bytes))));
        assert_eq!(set_of("AllowedCPUs", "0,x"), None);
        assert_eq!(set_of("AllowedCPUs", "0-4294967295").map(|_| ()), Some(()), "the kernel refuses it");
    }

    #[test]
    fn files_that_a_bundle_names_are_properties_too() {
        let found =
            on(&[], r#"{"unified":{"memory.high":"max","cpu.max":"30000 100000","io.max":"8:0 rbps=1"}}"#);
        let mut found = numbers(&found);
        found.sort_unstable(); // the files have no order
        assert_eq!(
            found,
            [("CPUQuotaPerSecUSec", 300_000), ("CPUQuotaPeriodUSec", 100_000), ("MemoryHigh", INFINITY)]
        );
        assert_eq!(quota("12345 100000")[0].1, Value::Uint64(130_000), "rounded up to what systemd keeps");
        assert_eq!(quota("max")[0].1, Value::Uint64(INFINITY));
    }
}
