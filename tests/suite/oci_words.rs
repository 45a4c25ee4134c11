//! Tests the command line of `hoist oci`, which callers of runc use. Needs root, busybox-static and
//! ps(1).

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::bundle::{Bundle, HOIST, Said};
use crate::support::{in_user_namespace, skipped};

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Runs hoist by this name with its descriptors 3 and 4 open.
fn with_files(bundle: &Bundle, words: &[&str], env: &str) -> Said {
    let state = bundle.path("state").display().to_string();
    let script = format!("{env} exec \"$0\" oci --root {state} \"$@\" 3<three 4<four");
    let mut command = Command::new("sh");
    command.args(["-c", &script, HOIST]).args(words).current_dir(bundle.dir.path()).stdin(Stdio::null());
    command.output().unwrap().into()
}

/// Scopes themselves are tested in a virtual machine: tests/vm.
#[test]
fn a_scope_needs_a_place_of_systemd_and_systemd() {
    let create = |place: &str| {
        let bundle = Bundle::sh("true").with(|config| config["linux"]["cgroupsPath"] = json!(place));
        bundle.write();
        let error = bundle.oci(["--systemd-cgroup", "create", "c"]).fails();
        assert_eq!(bundle.oci(["list", "-q"]).ok(), "");
        error
    };
    let error = create("/a/b");
    assert!(error.contains("`linux.cgroupsPath`: `/a/b` is not of the form `slice:prefix:name`"), "{error}");
    if Path::new("/run/systemd/system").exists() {
        skipped("the error without systemd");
        return;
    }
    let error = create("a.slice:b:c");
    assert!(error.contains("cannot reach systemd, which `--systemd-cgroup` needs"), "{error}");
}

#[test]
fn descriptors_are_passed_only_when_asked_for() {
    let script = "ls /proc/self/fd | tr '\\n' ' '; cat <&3; cat <&4; echo end $LISTEN_FDS $LISTEN_PID";
    let bundle = Bundle::sh(script);
    bundle.write();
    fs::write(bundle.path("three"), "three ").unwrap();
    fs::write(bundle.path("four"), "four ").unwrap();
    // ls has a descriptor of its own, the folder.
    assert_eq!(
        with_files(&bundle, &["run", "--preserve-fds", "2", "c"], "").ok(),
        "0 1 2 3 4 5 three four end"
    );
    let activated = with_files(&bundle, &["run", "--preserve-fds", "1", "c"], "LISTEN_FDS=1 LISTEN_PID=$$");
    assert_eq!(activated.ok(), "0 1 2 3 4 5 three four end 1 1");
    // A hook in the container does not get them; ls has a descriptor of its own there too.
    let hook = json!({ "path": "/bin/sh", "args": ["sh", "-c", "ls /proc/self/fd > /tmp/hook"],
        "env": ["PATH=/bin"] });
    let bundle = bundle.with(|config| config["hooks"] = json!({ "startContainer": [hook] }));
    bundle.write();
    assert_eq!(
        with_files(&bundle, &["run", "--preserve-fds", "2", "c"], "").ok(),
        "0 1 2 3 4 5 three four end"
    );
    assert_eq!(fs::read_to_string(bundle.in_root("tmp/hook")).unwrap(), "0\n1\n2\n3\n");
    let refused = with_files(&bundle, &["run", "--preserve-fds", "3", "c"], "").fails();
    assert!(refused.contains("fcntl(5, F_GETFD)"), "{refused}");
    let bundle = bundle.with(|config| config["process"]["args"] = json!(["sleep", "1000"]));
    bundle.start();
    let words = ["exec", "--preserve-fds", "2", "c", "sh", "-c", "cat <&3; cat <&4"];
    assert_eq!(with_files(&bundle, &words, "").ok(), "three four ");
    let words = ["exec", "c", "sh", "-c", "ls /proc/self/fd | tr '\\n' ' '"];
    assert_eq!(with_files(&bundle, &words, "").ok(), "0 1 2 3 ");
}

#[test]
fn an_exec_has_the_groups_user_and_variables_that_it_is_given() {
    if in_user_namespace() {
        skipped("there is one id only");
        return;
    }
    let bundle = Bundle::sh("exec sleep 1000").with(|config| {
        config["process"]["user"]["additionalGids"] = json!([33]);
        config["process"]["env"].as_array_mut().unwrap().push(json!("A=old"));
    });
    fs::write(bundle.in_root("etc/passwd"), "web:x:1000:1001::/srv:/bin/sh\n").unwrap();
    bundle.start();
    let exec = |words: &[&str], script: &str| {
        bundle.oci(["exec"].iter().chain(words).chain(&["c", "sh", "-c", script])).ok()
    };
    assert_eq!(exec(&[], "id -G; echo $A"), "0 33\nold");
    assert_eq!(
        exec(&["--additional-gids", "7", "-g", "8", "--env", "A=new"], "id -G; echo $A"),
        "0 7 8 33\nnew"
    );
    assert_eq!(exec(&["--env", "A=new"], "env | grep -c ^A="), "1");
    assert_eq!(exec(&["-u", "1000:5"], "id -u; id -G"), "1000\n5 33");
    assert_eq!(exec(&["-u", "web"], "id -u; id -g"), "1000\n1001");
    assert_eq!(
        exec(&["--cap", "CAP_SYS_PTRACE"], "grep CapEff /proc/self/status"),
        "CapEff:\t00000000a80c25fb"
    );
}

#[test]
fn an_exec_can_run_in_a_cgroup_below_the_containers() {
    if in_user_namespace() {
        skipped("without a cgroup of its own");
        return;
    }
    let bundle = Bundle::sh("exec sleep 1000");
    bundle.start();
    for group in bundle.groups() {
        let below = group.join("below");
        fs::create_dir(&below).unwrap();
        // A new v1 cpuset is empty, and accepts no processes.
        for file in ["cpuset.cpus", "cpuset.mems"] {
            if group.starts_with("/sys/fs/cgroup/cpuset") {
                fs::write(below.join(file), fs::read(group.join(file)).unwrap()).unwrap();
            }
        }
    }
    let of = |words: &[&str]| {
        let words = ["exec"].iter().chain(words).chain(&["c", "cat", "/proc/1/cgroup", "/proc/self/cgroup"]);
        bundle.oci(words)
    };
    // With a cgroup namespace, the container's group is shown as `/`.
    let said = of(&["--cgroup", "/below"]).ok();
    let count = said.lines().filter(|line| line.ends_with(":/below")).count();
    assert_eq!(count, bundle.groups().len(), "{said}");
    assert!(of(&["--cgroup", "none"]).fails().contains("does not exist"));
    assert!(of(&["--cgroup", "../.."]).fails().contains("is not a path below"));
    bundle.oci(["delete", "-f", "c"]).ok();
    assert!(bundle.groups().is_empty());
}

#[test]
fn ps_takes_the_options_of_ps() {
    let bundle = Bundle::sh("exec sleep 1000");
    bundle.start();
    let pid = bundle.state()["pid"].to_string();
    let said = bundle.oci(["ps", "c", "-o", "pid,args"]).ok();
    let rows: Vec<&str> = said.lines().map(str::trim).collect();
    assert_eq!(rows, ["PID COMMAND", &format!("{pid} sleep 1000")]);
    let said = bundle.oci(["ps", "c", "-ef"]).ok();
    assert!(said.starts_with("UID ") && said.lines().count() == 2, "{said}");
    assert!(bundle.oci(["ps", "c", "-o", "args"]).fails().contains("does not print a PID"));
}

/// runtime.md, "Delete": what is not stopped cannot be deleted, and nothing happens to it.
#[test]
fn only_what_is_stopped_is_deleted_without_force() {
    let bundle = Bundle::sh("exec sleep 1000");
    bundle.write();
    let created = bundle.command(["create", "c"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(created.unwrap().success());
    assert!(bundle.oci(["delete", "c"]).fails().contains("it is created"));
    bundle.oci(["start", "c"]).ok();
    assert!(bundle.oci(["delete", "c"]).fails().contains("it is running"));
    assert_eq!(bundle.state()["status"], "running");
    bundle.oci(["delete", "-f", "c"]).ok();
}

#[test]
fn checkpoints_are_refused_by_name() {
    let bundle = Bundle::new();
    for words in [&["checkpoint", "--image-path", "x", "c"][..], &["restore", "-d", "c"]] {
        assert!(bundle.oci(words).fails().contains("error: checkpoints are not supported"));
    }
}

#[test]
fn the_version_is_printed_as_callers_read_it() {
    let said = Bundle::new().oci(["--version"]).ok();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines, [&format!("hoist oci version {}", env!("CARGO_PKG_VERSION")), "spec: 1.3.0"]);
}

#[test]
fn global_options_may_be_before_the_verb_or_the_name_says_it() {
    let bundle = Bundle::new();
    let state = bundle.path("state");
    let of = |program: &std::path::Path, words: &[&str]| -> Said {
        Command::new(program).args(words).current_dir(bundle.dir.path()).output().unwrap().into()
    };
    let root = state.to_str().unwrap();
    let format = "--log-format=json";
    let words = ["--root", root, "--log", "log", format, "--debug", "oci", "state", "none"];
    of(HOIST.as_ref(), &words).fails();
    let line = json_of(&fs::read_to_string(bundle.path("log")).unwrap());
    assert_eq!(line["msg"], "container `none` does not exist");
    let link = bundle.path("hoist-oci");
    std::os::unix::fs::symlink(HOIST, &link).unwrap();
    assert!(
        of(&link, &["--root", root, "state", "none"]).fails().contains("container `none` does not exist")
    );
}

/// Callers show their user what is in the log.
#[test]
fn a_mistake_in_the_command_line_is_in_the_log_too() {
    let bundle = Bundle::new();
    let log = bundle.path("log").display().to_string();
    for (format, wanted) in [("json", "\"level\":\"error\""), ("text", "level=error msg=\"unexpected")] {
        bundle.oci(["--log", &log, "--log-format", format, "start", "--nosuch"]).fails();
        let said = fs::read_to_string(&log).unwrap();
        assert!(said.contains(wanted) && said.contains("--nosuch"), "{said}");
        fs::remove_file(&log).unwrap();
    }
}

/// Returns the text of a v1 cgroup file of the container `c`, without its last newline.
fn limit(bundle: &Bundle, file: &str) -> Option<String> {
    let text = bundle.groups().iter().find_map(|group| fs::read_to_string(group.join(file)).ok())?;
    Some(text.trim_end().to_owned())
}

#[test]
fn the_limits_of_a_running_container_are_changed() {
    let bundle = Bundle::sh("exec sleep 1000").with(|config| {
        config["linux"]["resources"]["memory"] = json!({ "limit": 32 << 20, "swap": 32 << 20 });
    });
    if !crate::support::has_memory_controller() {
        skipped("without a memory controller of its own");
        return;
    }
    bundle.start();
    let (memory, both) = match limit(&bundle, "memory.max") {
        Some(_) => ("memory.max", None),
        None => ("memory.limit_in_bytes", Some("memory.memsw.limit_in_bytes")),
    };
    // The new limit of memory is above the old one of memory and swap.
    bundle.oci(["update", "--memory", "64m", "--memory-swap", "64m", "c"]).ok();
    assert_eq!(limit(&bundle, memory).unwrap(), (64 << 20).to_string());
    // Zeros change nothing: Docker sends them for what it leaves as it is.
    let resources = json!({ "memory": { "limit": 48 << 20, "swap": 48 << 20 }, "pids": { "limit": 33 },
        "cpu": { "shares": 0, "quota": 0, "period": 0 }, "blockIO": { "weight": 0 } });
    fs::write(bundle.path("resources"), resources.to_string()).unwrap();
    bundle.oci(["update", "--resources", "resources", "c"]).ok();
    assert_eq!(limit(&bundle, memory).unwrap(), (48 << 20).to_string());
    if let Some(both) = both.filter(|both| limit(&bundle, both).is_some()) {
        assert_eq!(limit(&bundle, both).unwrap(), (48 << 20).to_string());
    }
    assert_eq!(limit(&bundle, "pids.max").unwrap(), "33");
    let said = bundle.oci(["update", "--pids-limit", "-1", "--kernel-memory", "1g", "c"]);
    assert!(said.err.contains("warning: limits of kernel memory have no effect"), "{said:?}");
    said.ok();
    assert_eq!(limit(&bundle, "pids.max").unwrap(), "max");
    assert!(bundle.oci(["update", "--memory", "many", "c"]).fails().contains("--memory"));
    bundle.oci(["kill", "c", "KILL"]).ok();
    crate::oci::wait_until(|| bundle.state()["status"] == "stopped");
    assert!(bundle.oci(["update", "--pids-limit", "7", "c"]).fails().contains("it is stopped"));
}

#[test]
fn limits_of_v1_alone_are_set_there_and_told_elsewhere() {
    if !crate::support::has_memory_controller() {
        skipped("without a memory controller of its own");
        return;
    }
    let bundle = Bundle::sh("exec sleep 1000").with(|config| {
        config["linux"]["resources"]["memory"] =
            json!({ "limit": 32 << 20, "swappiness": 7, "disableOOMKiller": true, "kernel": 1 << 30 });
    });
    bundle.start();
    match limit(&bundle, "memory.swappiness") {
        Some(swappiness) => {
            assert_eq!(swappiness, "7");
            assert!(limit(&bundle, "memory.oom_control").unwrap().starts_with("oom_kill_disable 1"));
        }
        None => assert!(bundle.run().err.contains("memory.swappiness has no effect")),
    }
}
