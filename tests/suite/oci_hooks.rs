//! Tests the hooks of `hoist oci` against the runtime specification (runtime.md, "Lifecycle", and
//! config.md, "POSIX-platform Hooks"). Needs root, and busybox-static.

use std::fs;

use serde_json::{Value, json};

use crate::bundle::Bundle;
use crate::support::{in_user_namespace, skipped};

const POINTS: [&str; 6] =
    ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];

fn sh(script: &str) -> Value {
    json!([{ "path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/bin:/usr/bin"] }])
}

/// Each hook stores its state and its namespaces, in the order in which they run.
#[test]
fn hooks_run_at_their_points_with_the_state_and_in_their_namespaces() {
    if in_user_namespace() {
        skipped("the hooks write as the host's root");
        return;
    }
    let bundle = Bundle::sh("echo program >> /tmp/order; exec sleep 1000");
    let outside = bundle.dir.path().join("rootfs/tmp").display().to_string();
    let script = |point: &str| {
        let tmp = if point == "startContainer" { "/tmp" } else { outside.as_str() };
        let namespaces = "readlink /proc/self/ns/mnt /proc/self/ns/net /proc/self/root";
        sh(&format!("cat > {tmp}/{point}; {namespaces} > {tmp}/{point}.ns; echo {point} >> {tmp}/order"))
    };
    let bundle = bundle.with(|config| {
        config["hooks"] = POINTS.iter().map(|point| ((*point).to_owned(), script(point))).collect();
        config["annotations"] = json!({ "com.example.key": "value" });
    });
    bundle.start();
    let order = || fs::read_to_string(bundle.in_root("tmp/order")).unwrap();
    let before: String = POINTS[..4].iter().map(|point| format!("{point}\n")).collect();
    assert!(order().starts_with(&before), "{}", order());
    let pid = bundle.state()["pid"].clone();
    bundle.oci(["delete", "-f", "c"]).ok();
    assert!(order().ends_with("poststop\n") && order().contains("poststart\n"), "{}", order());

    let host = fs::read_link("/proc/self/ns/mnt").unwrap().display().to_string();
    let statuses = ["creating", "creating", "creating", "created", "running", "stopped"];
    for (point, status) in POINTS.into_iter().zip(statuses) {
        let read = |name: &str| fs::read_to_string(bundle.in_root(&format!("tmp/{name}"))).unwrap();
        let state: Value = serde_json::from_str(&read(point)).unwrap();
        let is_inside = ["createContainer", "startContainer"].contains(&point);
        let seen = match point {
            "poststop" => Value::Null,
            _ if is_inside => json!(1),
            _ => pid.clone(),
        };
        let want = json!({ "ociVersion": "1.0.2", "id": "c", "status": status, "bundle": bundle.dir.path(),
            "annotations": { "com.example.key": "value" } });
        assert_eq!(state.get("pid").cloned().unwrap_or_default(), seen, "{point}");
        for (name, value) in want.as_object().unwrap() {
            assert_eq!(state[name], *value, "{point}: {name}");
        }
        assert_eq!(read(&format!("{point}.ns")).contains(&host), !is_inside, "{point}");
    }
}

/// Returns a bundle with a failing hook, and one that leaves a mark after the end.
fn failing(point: &str) -> Bundle {
    let bundle = Bundle::sh("echo program > /tmp/mark; exec sleep 1000");
    let mark = bundle.path("stopped").display().to_string();
    let program = bundle.in_root("tmp/mark").display().to_string();
    // The hook after the start fails once the program has run.
    let wait = if point == "poststart" {
        format!("until [ -e {program} ]; do sleep 0.01; done; ")
    } else {
        String::new()
    };
    bundle.with(|config| {
        config["hooks"] = json!({
            point: sh(&format!("{wait}echo no such network >&2; exit 3")),
            "poststop": sh(&format!("touch {mark}")),
        });
    })
}

#[test]
fn a_failing_hook_of_the_creation_leaves_nothing() {
    for point in &POINTS[..3] {
        let bundle = failing(point);
        bundle.write();
        let error = bundle.oci(["create", "c"]).fails();
        assert!(error.contains(&format!("run the {point} hook /bin/sh")), "{error}");
        assert!(error.contains("no such network"), "{error}");
        assert_eq!(bundle.oci(["list", "-q"]).ok(), "");
        assert!(bundle.groups().is_empty());
        assert!(bundle.path("stopped").exists(), "{point}: the hooks after the end run");
    }
}

/// Specification 1.0 asks for a warning after a failing poststart hook, later versions for an error;
/// runc stops the container in either case.
#[test]
fn a_failing_hook_of_the_start_stops_the_container() {
    for point in &POINTS[3..5] {
        let bundle = failing(point);
        bundle.write();
        let created = bundle.command(["create", "c"]).stdout(std::process::Stdio::null()).status().unwrap();
        assert!(created.success());
        let error = bundle.oci(["start", "c"]).fails();
        assert!(error.contains(&format!("run the {point} hook")), "{error}");
        assert!(error.contains("no such network"), "{error}");
        crate::oci::wait_until(|| bundle.state()["status"] == "stopped");
        assert_eq!(bundle.in_root("tmp/mark").exists(), *point == "poststart");
        bundle.oci(["delete", "c"]).ok();
        assert!(bundle.path("stopped").exists());
    }
}

#[test]
fn a_failing_hook_after_the_end_is_only_a_warning() {
    let bundle = failing("poststart").with(|config| {
        config["hooks"] = json!({ "poststop": sh("exit 3") });
    });
    bundle.start();
    let said = bundle.oci(["delete", "-f", "c"]);
    assert!(said.err.contains("warning:") && said.err.contains("poststop"), "{said:?}");
    said.ok();
    assert_eq!(bundle.oci(["list", "-q"]).ok(), "");
}
