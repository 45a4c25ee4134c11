//! Converts older versions of the state files to the current one.
//!
//! ```text
//! record.json  1    options and configuration had no groups, and some fields had other names
//! run.json     1    the network's values: `network`, with what had been applied, and `endpoint`
//! ```

use serde_json::{Map, Value};

use super::{RUN_VERSION, Record, Run, VERSION};

/// The groups that the fields of version 1 belong to in version 2.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "process",
        &[
            "entrypoint",
            "command",
            "env",
            "workdir",
            "user",
            "group_add",
            "tty",
            "interactive",
            "attach",
            "init",
        ],
    ),
    ("mounts", &["list", "volumes", "read_only"]),
    (
        "networking",
        &[
            "network",
            "hostname",
            "domainname",
            "extra_hosts",
            "dns",
            "dns_search",
            "dns_options",
            "exposed_ports",
        ],
    ),
    (
        "security",
        &["cap_add", "cap_drop", "privileged", "no_new_privileges", "seccomp", "apparmor", "selinux"],
    ),
    ("resources", &["ulimits", "shm_size"]),
    ("lifecycle", &["auto_remove", "restart", "stop_signal", "stop_timeout"]),
];

/// Fields that were renamed.
const RENAMED: &[(&str, &str)] = &[("open_stdin", "interactive"), ("mounts", "list"), ("log", "logging")];

/// Converts a record of version 1.
pub(super) fn record(bytes: &[u8]) -> serde_json::Result<Record> {
    let mut record: Map<String, Value> = serde_json::from_slice(bytes)?;
    record.insert("version".to_owned(), VERSION.into());
    // The resolved options had only the resulting set of capabilities.
    let asked = record.get("options").and_then(Value::as_object);
    let caps = ["cap_add", "cap_drop"].map(|name| (name, asked.and_then(|it| it.get(name)).cloned()));
    for name in ["options", "config"] {
        let Some(Value::Object(fields)) = record.get_mut(name) else { continue };
        if name == "options" {
            forget_default_log(fields);
        }
        if name == "config" {
            fields.remove("capabilities");
            fields.extend(caps.iter().filter_map(|(name, value)| Some(((*name).to_owned(), value.clone()?))));
        }
        group(fields);
    }
    serde_json::from_value(record.into())
}

/// Removes defaults: version 1 always wrote all logging options, even if unset.
fn forget_default_log(asked: &mut Map<String, Value>) {
    let default = [("driver", "json-file".into()), ("max_size", 10_000_000.into()), ("max_files", 3.into())];
    let Some(Value::Object(log)) = asked.get_mut("log") else { return };
    if log.get("driver").is_some_and(|driver| driver == "none") {
        log.retain(|name, _| name == "driver"); // there is nothing to rotate
    }
    log.retain(|name, value: &mut Value| !default.contains(&(name.as_str(), value.clone())));
}

/// Moves the fields of version 1 into their groups.
fn group(fields: &mut Map<String, Value>) {
    for (old, new) in RENAMED {
        if let Some(value) = fields.remove(*old) {
            fields.insert((*new).to_owned(), value);
        }
    }
    for (group, names) in GROUPS {
        let members: Map<_, _> = names.iter().filter_map(|name| fields.remove_entry(*name)).collect();
        fields.insert((*group).to_owned(), members.into());
    }
}

/// Converts a run of version 1. Only its network part differs.
pub(super) fn run(bytes: &[u8]) -> serde_json::Result<Run> {
    let mut run: Run = serde_json::from_slice(bytes)?;
    run.version = RUN_VERSION;
    run.unknown.remove("endpoint"); // the same as in `network`
    run.endpoints = match run.unknown.remove("network") {
        Some(Value::Object(mut applied)) => match applied.remove("endpoint") {
            None | Some(Value::Null) => Some(Vec::new()),
            Some(endpoint) => serde_json::from_value(endpoint).ok().map(|endpoint| vec![endpoint]),
        },
        _ => None,
    };
    Ok(run)
}
