//! Tests of the state files: decisions based on them, older versions, and files of a newer hoist.

use serde_json::{Value, json};

use super::*;
use crate::base::disk::{self, State};
use crate::container::NetworkMode;
use crate::container::options::LogOptions;

/// Creates a record and a run of the current version.
fn record_and_run(restart: RestartPolicy) -> (Record, Run) {
    let id = "a".repeat(64);
    let mut config = Options::default();
    config.lifecycle.restart = restart;
    let process = serde_json::json!({ "pid": 1, "start_time": 1 });
    let record = serde_json::json!({
        "version": VERSION, "id": id, "name": "web", "created": "2026-01-01T00:00:00Z",
        "image": "busybox", "image_id": format!("sha256:{id}"), "layers": [],
        "options": Options::default(), "config": config,
    });
    let run = serde_json::json!({
        "version": RUN_VERSION, "boot_id": "", "protocol": 1, "status": "running",
        "monitor": process, "init": process, "started": null, "cgroup": null,
    });
    (serde_json::from_value(record).unwrap(), serde_json::from_value(run).unwrap())
}

#[test]
fn a_run_found_dead_is_followed_by_another_as_its_policy_says() {
    use RestartPolicy::{Always, No, OnFailure};
    use Status::{Restarting, Running};
    let ended = Some(Timestamp::UNIX_EPOCH);
    for (restart, status, starting, finished, code, count, wanted) in [
        // The first start was interrupted.
        (Always, Running, true, None, 0, 0, false),
        (Always, Running, true, ended, 1, 0, false),
        // It exited, and nobody recorded it.
        (Always, Running, false, None, 0, 0, true),
        (No, Running, false, None, 0, 0, false),
        (OnFailure(2), Running, false, None, 0, 1, true),
        (OnFailure(2), Running, false, None, 0, 2, false),
        // Its exit is recorded.
        (OnFailure(2), Running, false, ended, 0, 1, false),
        (OnFailure(2), Running, false, ended, 1, 1, true),
        (No, Running, false, ended, 1, 0, false),
        // It waits for its restart, which was decided before it was counted.
        (OnFailure(2), Restarting, false, ended, 1, 1, true),
        (No, Restarting, false, ended, 143, 0, true), // `hoist restart`
        // The restart was interrupted before it was counted, and after.
        (OnFailure(2), Restarting, true, ended, 1, 1, true),
        (OnFailure(2), Restarting, true, None, 0, 1, true),
        (OnFailure(2), Restarting, true, None, 0, 2, false),
    ] {
        let (mut record, mut run) = record_and_run(restart);
        (run.status, run.starting) = (status, starting);
        record.state = ExitState { finished, exit_code: code, restart_count: count, ..record.state };
        let case = (&record.config.lifecycle.restart, status, starting, finished, code, count);
        assert_eq!(record.is_to_be_restarted(&run, 255), wanted, "{case:?}");
        record.state.stopped_by_hand = true;
        assert!(!record.is_to_be_restarted(&run, 255), "{case:?}, stopped by hand");
    }
}

/// Reads a state file with this text.
fn read<T: State>(text: &str) -> T {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json");
    std::fs::write(&path, text).unwrap();
    disk::read_state(&path).unwrap()
}

/// Reads a state file and writes it again.
fn rewritten<T: State>(value: &Value) -> Value {
    serde_json::to_value(read::<T>(&value.to_string())).unwrap()
}

/// Adds an unknown field to every object of `value` except those with keys chosen by the user.
fn extend(value: &mut Value, more: &Value) {
    match value {
        Value::Object(fields) => {
            let keys_of_users = ["labels"];
            fields.iter_mut().filter(|(name, _)| !keys_of_users.contains(&name.as_str())).for_each(
                |(_, value)| {
                    extend(value, more);
                },
            );
            fields.insert("of_a_newer".to_owned(), more.clone());
        }
        Value::Array(values) => values.iter_mut().for_each(|value| extend(value, more)),
        _ => {}
    }
}

/// Returns every path in `value` that ends in `end`.
fn places(value: &Value, end: &str) -> Vec<String> {
    fn walk(value: &Value, path: &str, end: &str, found: &mut Vec<String>) {
        let children: Vec<(String, &Value)> = match value {
            Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
            Value::Array(values) => values.iter().enumerate().map(|(at, it)| (at.to_string(), it)).collect(),
            _ => Vec::new(),
        };
        for (name, value) in children {
            let path = format!("{path}/{name}");
            if path.ends_with(end) {
                found.push(path.clone());
            }
            walk(value, &path, end, found);
        }
    }
    let mut found = Vec::new();
    walk(value, "", end, &mut found);
    found
}

const RECORD: &str = include_str!("../../../tests/old_state/record-2.json");

#[test]
fn a_record_of_a_newer_hoist_is_rewritten_as_it_is() {
    let mut value: Value = serde_json::from_str(RECORD).unwrap();
    assert_eq!(rewritten::<Record>(&value), value);
    for more in [json!(1), json!(null), json!({ "a": [{ "b": "c" }] })] {
        extend(&mut value, &more);
        assert_eq!(rewritten::<Record>(&value), value);
    }
    for (end, forms) in [
        ("/kind", [json!({ "type": "volume", "name": "data", "nested": { "a": [1] } }), json!("odd")]),
        ("/kind/propagation", [json!("unbindable"), json!({ "kind": "private" })]),
        ("/submounts", [json!("deeper"), json!([1])]),
        ("/network", [json!("overlay"), json!({ "all": ["a", "b"] })]),
        ("/restart", [json!("on-monday"), json!({ "on-failure": { "most": 3 } })]),
        ("/seccomp", [json!("strict"), json!({ "listener": "/run/x" })]),
        ("/driver", [json!("journald"), json!("syslog")]),
        ("/cap_add/0", [json!("TELEPATHY"), json!("ALL_BUT")]),
        ("/runtime", [json!("runc"), json!("kata")]),
    ] {
        for form in forms {
            let mut newer = value.clone();
            let places = places(&value, end);
            assert!(places.len() > 1, "{end}");
            for place in places {
                *newer.pointer_mut(&place).unwrap() = form.clone();
            }
            assert_eq!(rewritten::<Record>(&newer), newer, "{end}");
            let record = read::<Record>(&newer.to_string());
            let error = record.config.check_understood().unwrap_err().to_string();
            assert!(error.ends_with("which this version of hoist does not support"), "{error}");
        }
    }
}

#[test]
fn a_record_of_version_1_is_read() {
    let old = read::<Record>(include_str!("../../../tests/old_state/record-1.json"));
    let (options, config) = (&old.options, &old.config);
    assert_eq!((old.version, old.state.restart_count), (VERSION, 2));
    assert_eq!((options.process.command.join(" ").as_str(), options.process.interactive), ("sleep 1", true));
    assert_eq!((options.mounts.list.len(), options.networking.network.clone()), (1, NetworkMode::None));
    assert_eq!(options.lifecycle.restart, RestartPolicy::OnFailure(3));
    assert!(config.process.interactive && config.process.stdin_once());
    assert_eq!(
        (config.process.env.join(" ").as_str(), config.networking.hostname()),
        ("PATH=/bin A=1", "web")
    );
    assert_eq!((config.logging.max_size, config.resources.shm_size), (Some(10_000_000), Some(64 << 20)));
    assert_eq!(options.logging, LogOptions::default(), "nobody had asked for it");
    assert_eq!(config.platform.as_ref().unwrap().to_string(), "linux/amd64");
    assert_eq!((config.labels["a"].as_str(), &old.unknown["later"]["kept"]), ("b", &json!(true)));
    let unknown = [&options.unknown, &config.unknown, &config.process.unknown].map(|unknown| unknown.len());
    assert_eq!(unknown, [0; 3], "each field has its group");
    config.check_understood().unwrap();
}

#[test]
fn a_log_that_was_asked_for_in_version_1_is_kept_as_it_can_be_asked_for() {
    let old: Value = serde_json::from_str(include_str!("../../../tests/old_state/record-1.json")).unwrap();
    for (log, want) in [
        (json!({ "driver": "none", "max_size": 10_000_000, "max_files": 3 }), json!({ "driver": "none" })),
        (json!({ "driver": "json-file", "max_size": 5, "max_files": 3 }), json!({ "max_size": 5 })),
    ] {
        let mut old = old.clone();
        old["options"]["log"] = log;
        let mut asked = serde_json::to_value(read::<Record>(&old.to_string()).options.logging).unwrap();
        asked.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        assert_eq!(asked, want);
    }
}

const RUN: &str = include_str!("../../../tests/old_state/run-2.json");

#[test]
fn a_run_of_a_newer_hoist_is_rewritten_as_it_is() {
    let mut value: Value = serde_json::from_str(RUN).unwrap();
    assert_eq!(rewritten::<Run>(&value), value);
    for more in [json!(1), json!(null), json!({ "a": [{ "b": "c" }] })] {
        extend(&mut value, &more);
        assert_eq!(rewritten::<Run>(&value), value);
    }
    value["status"] = json!("parked");
    assert_eq!(rewritten::<Run>(&value), value);
}

#[test]
fn a_run_of_version_1_is_read() {
    let newest: Value = serde_json::from_str(RUN).unwrap();
    let mut old = newest.clone();
    let fields = old.as_object_mut().unwrap();
    fields.insert("version".to_owned(), json!(1));
    let endpoint = fields.remove("endpoints").unwrap()[0].clone();
    fields.insert("network".to_owned(), json!({ "version": 1, "mode": "bridge", "endpoint": endpoint }));
    fields.insert("endpoint".to_owned(), endpoint);
    assert_eq!(rewritten::<Run>(&old), newest);
    for (network, endpoints) in [
        (json!({ "version": 1, "mode": "none", "endpoint": null }), json!([])),
        (json!({ "version": 1, "mode": "bridge", "endpoint": { "network": "?" } }), Value::Null),
        (Value::Null, Value::Null),
    ] {
        old["network"] = network;
        assert_eq!(rewritten::<Run>(&old)["endpoints"], endpoints);
    }
    let old = read::<Run>(include_str!("../../../tests/old_state/run-1.json"));
    assert_eq!((old.version, old.status, old.endpoints), (RUN_VERSION, Status::Paused, Some(Vec::new())));
}
