//! Data of a newer hoist that this one does not understand is shown and kept. It is rejected only
//! where it has to be understood. Needs root, or root in a user namespace (`unshare -Urmn`).

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::case::Case;

/// Returns the output of the binary on both streams.
fn said(case: &Case, words: &[&str]) -> String {
    let output = case.hoist(words);
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// Changes a state file as a newer hoist would.
fn change(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

#[test]
fn a_container_with_a_status_of_a_newer_hoist_is_shown_stopped_and_removed() {
    let case = Case::new();
    for words in [&["stop", "-t0"][..], &["rm", "-f"]] {
        let id = case.start(&["sleep", "1000"], |_| {});
        let run = case.engine.paths().container_run(&id.parse().unwrap()).join("run.json");
        change(&run, |run| run["status"] = json!("parked"));
        assert_eq!(said(&case, &["ps", "--format", "{{.State}} {{.Status}}"]), "parked parked\n");
        assert_eq!(said(&case, &["inspect", "-f", "{{.State.Status}}", &id]), "parked\n");
        for verb in ["start", "pause", "rm"] {
            let error = said(&case, &[verb, &id]);
            assert!(
                error.contains("it is parked") && error.contains("a newer version of hoist wrote it"),
                "{error}"
            );
        }
        assert_eq!(said(&case, &[words, &[&id]].concat()), format!("{id}\n"));
        let now = said(&case, &["ps", "-a", "--format", "{{.State}}"]);
        assert_eq!(now, if words[0] == "rm" { "" } else { "exited\n" });
        said(&case, &["rm", &id]);
    }
}

#[test]
fn what_a_start_must_understand_of_a_newer_hoist_is_shown_refused_by_name_and_removed() {
    let case = Case::new();
    for (place, form, told, template, shown) in [
        (
            "/config/mounts/list/0/kind",
            json!({ "type": "volume", "name": "data" }),
            "its type of mount /data is `volume`",
            "{{range .Mounts}}{{.Type}} {{.Destination}}{{end}}",
            "volume /data",
        ),
        (
            "/config/networking/network",
            json!({ "overlay": "x" }),
            "its network is `{\"overlay\":\"x\"}`",
            "{{.HostConfig.NetworkMode}}",
            "{\"overlay\":\"x\"}",
        ),
        (
            "/config/lifecycle/restart",
            json!("on-monday"),
            "its restart policy is `on-monday`",
            "{{.HostConfig.RestartPolicy.Name}}",
            "on-monday",
        ),
        (
            "/config/security/seccomp",
            json!("strict"),
            "its seccomp is `strict`",
            "{{.HostConfig.SecurityOpt}}",
            "[seccomp=strict]",
        ),
        (
            "/config/logging/driver",
            json!("journald"),
            "its log driver is `journald`",
            "{{.HostConfig.LogConfig.Type}}",
            "journald",
        ),
    ] {
        let id = case.create(&["true"], |options| {
            let tmpfs = hoist::engine::MountKind::Tmpfs(hoist::engine::Tmpfs::default());
            options.mounts.list = vec![hoist::engine::MountRequest::new("/data", tmpfs)];
        });
        let record = case.engine.paths().container(&id.parse().unwrap()).join("record.json");
        change(&record, |record| {
            *record.pointer_mut(place).unwrap() = form.clone();
            record["config"]["resources"]["of_a_newer"] = json!({ "kept": [1] });
        });
        assert!(said(&case, &["ps", "-a"]).contains(&id[..12]), "{place}");
        assert_eq!(said(&case, &["inspect", "-f", template, &id]).trim(), shown);
        let error = said(&case, &["start", &id]);
        assert!(
            error.contains(told) && error.contains("which this version of hoist does not support"),
            "{error}"
        );
        // The start and the new name were saved.
        assert_eq!(said(&case, &["rename", &id, "other"]), "");
        assert!(!said(&case, &["logs", &id]).contains("damaged"));
        let now: Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
        assert_eq!(now.pointer(place), Some(&form));
        assert_eq!(now["config"]["resources"]["of_a_newer"], json!({ "kept": [1] }));
        assert_eq!(said(&case, &["rm", &id]), format!("{id}\n"));
    }
}

#[test]
fn containers_of_an_older_hoist_are_listed_started_stopped_and_removed() {
    let case = Case::new();
    let id = case.create(&["sleep", "1000"], |_| {});
    let record = case.engine.paths().container(&id.parse().unwrap()).join("record.json");
    change(&record, |record| {
        let old = include_str!("../old_state/record-1.json");
        let mut old: Value = serde_json::from_str(old).unwrap();
        for field in ["id", "name", "image", "image_id", "layers"] {
            old[field] = record[field].clone();
        }
        old["config"]["command"] = json!(["sleep", "1000"]);
        old["config"]["restart"] = json!("no");
        old["state"]["started"] = Value::Null;
        *record = old;
    });
    assert_eq!(said(&case, &["ps", "-a", "--format", "{{.State}} {{.Command}}"]), "created \"sleep 1000\"\n");
    assert_eq!(said(&case, &["start", &id]), format!("{id}\n"));
    // A monitor of version 1 would update it like this.
    let run = case.engine.paths().container_run(&id.parse().unwrap()).join("run.json");
    change(&run, |run| {
        run.as_object_mut().unwrap().remove("endpoints");
        run["version"] = json!(1);
        run["network"] = json!({ "version": 1, "mode": "none", "endpoint": null });
        run["endpoint"] = Value::Null;
    });
    assert_eq!(said(&case, &["ps", "--format", "{{.State}}"]), "running\n");
    assert_eq!(said(&case, &["exec", &id, "echo", "hi"]), "hi\n");
    assert_eq!(said(&case, &["stop", "-t0", &id]), format!("{id}\n"));
    let now: Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
    assert_eq!(
        (&now["version"], &now["config"]["process"]["command"]),
        (&json!(2), &json!(["sleep", "1000"]))
    );
    assert_eq!(now["later"], json!({ "kept": true }));
    assert_eq!(said(&case, &["rm", &id]), format!("{id}\n"));
}
