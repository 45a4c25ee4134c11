//! `linux.resources` of a bundle on the real kernel: what the files of the cgroup then hold, and
//! that runc, where it is installed, makes them hold the same. Needs root and busybox-static.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::bundle::{Bundle, Said};
use crate::support::{in_user_namespace, skipped};

/// Whether the groups of containers have this file; the root of a tree has it only in part.
fn file(bundle: &Bundle, name: &str) -> Option<String> {
    let groups = bundle.groups();
    let text = groups.iter().find_map(|group| fs::read_to_string(group.join(name)).ok());
    text.map(|text| text.trim().to_owned())
}

fn sleeper(resources: &Value) -> Bundle {
    Bundle::sh("exec sleep 1000").with(|config| {
        let all = config["linux"]["resources"].as_object_mut().unwrap();
        all.extend(resources.as_object().unwrap().clone());
    })
}

#[track_caller]
fn refused(resources: &Value) -> String {
    let said = sleeper(resources).run().fails();
    said.lines().collect::<Vec<_>>().join(" ")
}

fn runc(bundle: &Bundle, words: &[&str]) -> Said {
    let mut command = Command::new("runc");
    command.arg("--root").arg(bundle.path("runc")).args(words).current_dir(bundle.dir.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.output().unwrap().into()
}

/// A device whose weight or rate can be limited.
fn disk() -> Option<(u32, u32)> {
    let disks = fs::read_dir("/sys/block").ok()?.flatten();
    let mut numbers = disks.filter_map(|disk| {
        let text = fs::read_to_string(disk.path().join("dev")).ok()?;
        let (major, minor) = text.trim().split_once(':')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    });
    numbers.next()
}

/// The files of both versions that these tests set.
const FILES: &[&str] = &[
    "memory.limit_in_bytes",
    "memory.soft_limit_in_bytes",
    "memory.swappiness",
    "memory.max",
    "memory.low",
    "cpu.shares",
    "cpu.cfs_period_us",
    "cpu.cfs_quota_us",
    "cpu.max",
    "cpu.weight",
    "pids.max",
    "blkio.throttle.read_bps_device",
    "blkio.throttle.write_iops_device",
    "io.max",
];

#[test]
fn the_files_hold_what_the_bundle_says_as_with_runc() {
    if in_user_namespace() || !crate::support::has_memory_controller() {
        skipped("without controllers of its own");
        return;
    }
    let mut resources = json!({
        "memory": { "limit": 64 << 20, "reservation": 32 << 20, "swappiness": 7, "kernel": 1, "kernelTCP": 1 },
        "cpu": { "shares": 512, "quota": 30_000, "period": 60_000 },
        "pids": { "limit": 77 },
    });
    if let Some((major, minor)) = disk() {
        let rate = json!([{ "major": major, "minor": minor, "rate": 1 << 20 }]);
        resources["blockIO"] = json!({ "throttleReadBpsDevice": rate, "throttleWriteIOPSDevice": rate });
    }
    let bundle = sleeper(&resources);
    bundle.start();
    let ours: Vec<_> = FILES.iter().map(|name| (name, file(&bundle, name))).collect();
    let of = |name: &str| file(&bundle, name);
    assert_eq!(of("pids.max").as_deref(), Some("77"));
    let limit = of("memory.limit_in_bytes").or_else(|| of("memory.max"));
    assert_eq!(limit.as_deref(), Some("67108864"));
    let time =
        of("cpu.max").or_else(|| Some(format!("{} {}", of("cpu.cfs_quota_us")?, of("cpu.cfs_period_us")?)));
    assert_eq!(time.as_deref(), Some("30000 60000"));
    bundle.oci(["delete", "-f", "c"]).ok();

    if runc(&bundle, &["--version"]).code != 0 {
        skipped("runc is not installed");
        return;
    }
    assert_eq!(runc(&bundle, &["run", "-d", "c"]).code, 0, "runc run");
    let theirs: Vec<_> = FILES.iter().map(|name| (name, file(&bundle, name))).collect();
    assert_eq!(runc(&bundle, &["delete", "-f", "c"]).code, 0, "runc delete");
    assert_eq!(ours, theirs);
}

#[test]
fn bursts_and_idling_are_set_and_changed_in_any_order() {
    let bundle = sleeper(&json!({ "cpu": { "quota": 50_000, "burst": 30_000 } }));
    if in_user_namespace() || !crate::support::has_memory_controller() {
        skipped("without controllers of its own");
        return;
    }
    bundle.start();
    let of = |v1: &str, v2: &str| file(&bundle, v1).or_else(|| file(&bundle, v2));
    let burst = || of("cpu.cfs_burst_us", "cpu.max.burst");
    if burst().is_none() {
        skipped("this kernel has no bursts");
        return;
    }
    assert_eq!(burst().as_deref(), Some("30000"));
    let update = |cpu: Value| {
        fs::write(bundle.path("resources"), json!({ "cpu": cpu }).to_string()).unwrap();
        bundle.oci(["update", "--resources", "resources", "c"]).ok();
    };
    // The new quota is below the old burst, and then the new burst above the old quota.
    update(json!({ "quota": 20_000, "burst": 10_000 }));
    assert_eq!(burst().as_deref(), Some("10000"));
    update(json!({ "quota": 90_000, "burst": 80_000 }));
    assert_eq!(burst().as_deref(), Some("80000"));
    update(json!({ "shares": 512, "idle": 1 }));
    assert_eq!(file(&bundle, "cpu.idle").as_deref(), Some("1"));
    // An idle group has no weight, until it is idle no longer.
    update(json!({ "shares": 2048, "idle": 0 }));
    assert_eq!(file(&bundle, "cpu.idle").as_deref(), Some("0"));
    let weight = of("cpu.shares", "cpu.weight");
    assert!(["2048", "79"].contains(&weight.as_deref().unwrap()), "{weight:?}");
}

#[test]
fn memory_and_swap_grow_and_shrink_together() {
    if in_user_namespace() || !crate::support::has_memory_controller() {
        skipped("without controllers of its own");
        return;
    }
    let bundle = sleeper(&json!({ "memory": { "limit": 32 << 20, "swap": 40 << 20 } }));
    bundle.start();
    for (memory, both) in [(64 << 20, 80 << 20), (16 << 20, 24 << 20), (48 << 20, 48 << 20)] {
        let resources = json!({ "memory": { "limit": memory, "swap": both } });
        fs::write(bundle.path("resources"), resources.to_string()).unwrap();
        bundle.oci(["update", "--resources", "resources", "c"]).ok();
        let now = file(&bundle, "memory.limit_in_bytes").or_else(|| file(&bundle, "memory.max"));
        assert_eq!(now, Some(memory.to_string()));
        if let Some(swap) = file(&bundle, "memory.memsw.limit_in_bytes") {
            assert_eq!(swap, both.to_string());
        } else if let Some(swap) = file(&bundle, "memory.swap.max") {
            assert_eq!(swap, (both - memory).to_string());
        }
    }
}

#[test]
fn huge_pages_are_limited_and_their_size_is_checked() {
    if in_user_namespace() {
        skipped("without a cgroup of its own");
        return;
    }
    let of = |size: &str| json!({ "hugepageLimits": [{ "pageSize": size, "limit": 4 << 20 }] });
    assert!(refused(&of("../x")).contains("`../x` is not a page size such as `2MB`"));
    let plain = sleeper(&json!({}));
    plain.start();
    let names = ["hugetlb.2MB.max", "hugetlb.2MB.limit_in_bytes"];
    let Some(name) = names.into_iter().find(|name| file(&plain, name).is_some()) else {
        assert!(refused(&of("2MB")).contains("huge pages"));
        return;
    };
    let bundle = sleeper(&of("2MB"));
    bundle.start();
    assert_eq!(file(&bundle, name), Some((4 << 20).to_string()));
    let said = refused(&of("3MB"));
    assert!(said.contains("cannot limit huge pages: this kernel has no") && said.contains("3MB"), "{said}");
}

#[test]
fn files_of_v2_are_set_by_name_only_there() {
    if in_user_namespace() {
        skipped("without a cgroup of its own");
        return;
    }
    let of = |name: &str| json!({ "unified": { name: "12" } });
    assert!(refused(&of("../cgroup.max.depth")).contains("`../cgroup.max.depth` is not the name of a file"));
    if !std::path::Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
        assert!(refused(&of("cgroup.max.depth")).contains("this machine uses cgroup v1"));
        return;
    }
    let bundle = sleeper(&of("cgroup.max.depth"));
    bundle.start();
    assert_eq!(file(&bundle, "cgroup.max.depth").as_deref(), Some("12"));
    assert!(refused(&of("memory.none")).contains("the group has no such file"));
}

#[test]
fn what_needs_a_controller_that_is_missing_is_refused_by_name() {
    if in_user_namespace() {
        skipped("without a cgroup of its own");
        return;
    }
    let has = |controller: &str| std::path::Path::new("/sys/fs/cgroup").join(controller).exists();
    let class = json!({ "network": { "classID": 1_048_577 } });
    let priority = json!({ "network": { "priorities": [{ "name": "lo", "priority": 5 }] } });
    for (controller, limit, resources) in
        [("net_cls", "classID", class), ("net_prio", "priorities", priority)]
    {
        if has(controller) {
            skipped("there is a v1 controller for networks");
            continue;
        }
        let said = refused(&resources);
        let wanted = format!("`{limit}` needs the cgroup v1 controller `{controller}`");
        assert!(said.contains(&wanted), "{said}");
    }
    if !has("cpu") {
        let said = refused(&json!({ "cpu": { "realtimeRuntime": 1000 } }));
        assert!(said.contains("`realtimeRuntime` needs the cgroup v1 controller `cpu`"), "{said}");
    }
}

#[test]
fn a_v1_list_of_devices_shows_the_rules() {
    if in_user_namespace() || !std::path::Path::new("/sys/fs/cgroup/devices").exists() {
        skipped("without a v1 group of devices");
        return;
    }
    let bundle = Bundle::sh("exec sleep 1000").with(|config| {
        config["linux"]["resources"]["devices"] = json!([
            { "allow": false, "access": "rwm" },
            { "allow": true, "type": "c", "major": 42, "access": "rwm" },
        ]);
    });
    bundle.start();
    let list = file(&bundle, "devices.list").unwrap();
    assert!(list.lines().any(|line| line == "c 42:* rwm"), "{list}");
    assert!(!list.lines().any(|line| line.starts_with('a')), "{list}");
}
