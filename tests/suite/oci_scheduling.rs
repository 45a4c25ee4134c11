//! Tests how a container's processes are scheduled, and what kernel they see, on real bundles.
//! Needs root and busybox-static.

use std::fs;

use serde_json::{Value, json};

use crate::bundle::{Bundle, Said};

/// Prints the nice value, the policy, the class of disk I/O and the machine.
const SHOW: &str = "cut -d' ' -f19,41 /proc/self/stat; busybox ionice; busybox uname -m";

/// Runs a process that is described in a file in the running container.
fn exec_file(bundle: &Bundle, script: &str, change: impl FnOnce(&mut Value)) -> Said {
    let mut process = bundle.config["process"].clone();
    process["args"] = json!(["sh", "-c", script]);
    change(&mut process);
    fs::write(bundle.path("process.json"), process.to_string()).unwrap();
    bundle.oci(["exec", "--process", "process.json", "c"])
}

#[test]
fn a_process_has_the_scheduler_the_priorities_and_the_personality_that_it_is_given() {
    let bundle = Bundle::sh(SHOW).with(|config| {
        config["process"]["scheduler"] = json!({ "policy": "SCHED_BATCH", "nice": 5 });
        config["process"]["ioPriority"] = json!({ "class": "IOPRIO_CLASS_BE", "priority": 2 });
        config["linux"]["personality"] = json!({ "domain": "LINUX32" });
        // This is for exec only.
        config["process"]["execCPUAffinity"] = json!({ "initial": "1023", "final": "1023" });
    });
    let machine = if cfg!(target_arch = "x86_64") { "i686" } else { "armv8l" };
    assert_eq!(bundle.run().ok(), format!("5 3\nbest-effort: prio 2\n{machine}"));
}

#[test]
fn a_process_that_joins_has_a_scheduler_and_cpus_of_its_own() {
    let bundle = Bundle::sh("exec sleep 1000")
        .with(|config| config["linux"]["personality"] = json!({ "domain": "LINUX32" }));
    bundle.start();
    let cpus = |affinity: Value| {
        let script = "grep Cpus_allowed_list /proc/self/status | cut -f2";
        exec_file(&bundle, script, |process| process["execCPUAffinity"] = affinity)
    };
    assert_eq!(cpus(json!({ "initial": "0", "final": "0" })).ok(), "0");
    assert_eq!(cpus(json!({ "initial": "", "final": "0" })).ok(), "0", "empty is unset");
    let missing = cpus(json!({ "final": "1023" })).fails();
    assert!(missing.contains("set the CPUs: sched_setaffinity("), "{missing}");
    let missing = cpus(json!({ "initial": "1023" })).fails();
    assert!(missing.contains("sched_setaffinity("), "{missing}");
    let show = |scheduler: Value| {
        exec_file(&bundle, "cut -d' ' -f19,41 /proc/self/stat; busybox uname -m", |process| {
            process["scheduler"] = scheduler;
        })
    };
    let machine = if cfg!(target_arch = "x86_64") { "i686" } else { "armv8l" };
    assert_eq!(show(json!({ "policy": "SCHED_IDLE" })).ok(), format!("0 5\n{machine}"));
    let lost = json!({ "policy": "SCHED_OTHER", "flags": ["SCHED_RESET_ON_FORK"] });
    assert!(show(lost).fails().contains("`process.scheduler`: a process that joins"));
}

#[test]
fn what_a_scheduler_cannot_be_is_refused_with_its_field() {
    let refused = |process: &str, value: Value| {
        Bundle::new().with(|config| config["process"][process] = value).run().fails()
    };
    let told = refused("scheduler", json!({ "policy": "SCHED_OTHER", "priority": 1 }));
    assert!(told.contains("`process.scheduler.priority`"), "{told}");
    let told = refused("ioPriority", json!({ "class": "IOPRIO_CLASS_BE", "priority": 8 }));
    assert!(told.contains("`process.ioPriority.priority`: expected 0 to 7"), "{told}");
    // The name in the specification, which its types do not know.
    let overrun = json!({ "policy": "SCHED_DEADLINE", "flags": ["SCHED_FLAG_DL_OVERRUN"], "runtime": 1 });
    assert!(refused("scheduler", overrun).contains("sched_setattr("));
}
