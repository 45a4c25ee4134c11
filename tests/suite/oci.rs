//! Tests `hoist oci` against the runtime specification, and compares it with Debian's runc. Needs
//! root, or a user namespace that maps it, and busybox-static.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::bundle::{Bundle, Said, read_all, receive_terminal};
use crate::support::{has_memory_controller, in_user_namespace, skipped};
use serde_json::json;

#[test]
fn a_container_goes_from_created_to_stopped() {
    let bundle = Bundle::sh("echo started > /tmp/mark; exec sleep 1000");
    bundle.write();
    let pid_file = bundle.path("pid");
    let mut create = bundle.command(["create", "--pid-file"]);
    create.arg(&pid_file).arg("c").stdout(Stdio::null()).stderr(Stdio::null());
    assert!(create.status().unwrap().success());
    let state = bundle.state();
    assert_eq!(state["status"], "created");
    assert_eq!(state["id"], "c");
    assert_eq!(state["pid"].to_string(), fs::read_to_string(&pid_file).unwrap());
    assert_eq!(state["bundle"], json!(bundle.dir.path()));
    assert!(!bundle.in_root("tmp/mark").exists(), "the payload runs before its start");

    bundle.oci(["start", "c"]).ok();
    assert_eq!(bundle.state()["status"], "running");
    assert!(bundle.oci(["start", "c"]).fails().contains("it is running"));
    assert!(bundle.oci(["delete", "c"]).fails().contains("it is running"));
    let ps = bundle.oci(["ps", "c"]).ok();
    assert!(ps.contains("sleep 1000"), "{ps}");

    bundle.oci(["pause", "c"]).ok();
    assert_eq!(bundle.state()["status"], "paused");
    assert!(bundle.oci(["exec", "c", "true"]).fails().contains("it is paused"));
    bundle.oci(["resume", "c"]).ok();
    assert_eq!(bundle.state()["status"], "running");

    bundle.oci(["kill", "c", "KILL"]).ok();
    wait_until(|| bundle.state()["status"] == "stopped");
    assert_eq!(bundle.state()["pid"], 0);
    assert!(bundle.oci(["kill", "c"]).fails().contains("it is stopped"));
    bundle.oci(["delete", "c"]).ok();
    assert!(bundle.oci(["state", "c"]).fails().contains("does not exist"));
}

/// Creates the container `c` with its streams connected to /dev/null.
#[track_caller]
fn create(bundle: &Bundle) {
    bundle.write();
    let mut create = bundle.command(["create", "c"]);
    assert!(create.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
}

fn state_of(pid: i32) -> String {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1[..1].to_owned()
}

#[test]
fn a_process_that_cannot_be_handed_over_is_ended() {
    let bundle = Bundle::sh("sleep 1000");
    bundle.write();
    let mut create = bundle.command(["create", "--pid-file", "/nosuch/pid", "c"]);
    // The container inherits the streams of the process that creates it.
    let status = create.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(1));
    assert_eq!(bundle.groups(), [""; 0].map(std::path::PathBuf::from));
    assert_eq!(bundle.oci(["list", "-q"]).ok(), "");

    bundle.start();
    let mut exec = bundle.command(["exec", "-d", "--pid-file", "/nosuch/pid", "c", "sleep", "1001"]);
    let status = exec.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(1));
    let processes = bundle.exec("ps -o args").ok();
    assert!(processes.contains("sleep 1000") && !processes.contains("sleep 1001"), "{processes}");
}

#[test]
fn a_container_whose_state_cannot_be_read_is_listed_and_can_be_deleted() {
    if in_user_namespace() {
        skipped("without a cgroup nothing tells what is the container's");
        return;
    }
    for damage in [None, Some("{"), Some(r#"{ "version": 99 }"#)] {
        let bundle = Bundle::sh("sleep 1000");
        bundle.start();
        let state = bundle.path("state/c/state.json");
        match damage {
            None => fs::remove_file(&state).unwrap(), // killed before it was written
            Some(text) => fs::write(&state, text).unwrap(),
        }
        bundle.oci(["delete", "c"]).fails();
        let list = bundle.oci(["list", "-q"]);
        assert_eq!((list.code, list.out.as_str()), (0, ""));
        assert!(list.err.contains("`hoist oci delete -f c` kills and removes it"), "{list:?}");
        assert_ne!(bundle.groups(), [""; 0].map(std::path::PathBuf::from));
        bundle.oci(["delete", "-f", "c"]).ok();
        assert_eq!(bundle.groups(), [""; 0].map(std::path::PathBuf::from), "{damage:?}");
        assert!(!state.parent().unwrap().exists());
        bundle.oci(["delete", "-f", "c"]).ok();
    }
}

#[test]
fn a_start_that_fails_can_be_tried_again() {
    let bundle = Bundle::sh("sleep 1000");
    create(&bundle);
    let pid = i32::try_from(bundle.state()["pid"].as_i64().unwrap()).unwrap();
    let fifo = bundle.path("state/c/start.fifo");
    let mut fifo = fs::OpenOptions::new().read(true).write(true).open(fifo).unwrap();
    rustix::fs::fcntl_setfl(&fifo, rustix::fs::OFlags::NONBLOCK).unwrap();
    // It is stopped, and its FIFO is full.
    hoist::internals::sys::signal::send(pid, libc::SIGSTOP).unwrap();
    wait_until(|| state_of(pid) == "T");
    let mut written = 0;
    while let Ok(length) = fifo.write(&[b'x'; 4096]) {
        written += length;
    }
    bundle.oci(["start", "c"]).fails();
    assert_eq!(bundle.state()["status"], "created");
    fifo.read_exact(&mut vec![0; written]).unwrap();
    hoist::internals::sys::signal::send(pid, libc::SIGCONT).unwrap();
    bundle.oci(["start", "c"]).ok();
    assert_eq!(bundle.state()["status"], "running");
}

#[test]
fn a_container_runs_although_who_started_it_could_not_say_so() {
    let bundle = Bundle::sh("sleep 1000");
    create(&bundle);
    // As if the process that starts it were killed right afterwards.
    fs::OpenOptions::new()
        .write(true)
        .open(bundle.path("state/c/start.fifo"))
        .unwrap()
        .write_all(b"s")
        .unwrap();
    wait_until(|| bundle.state()["status"] == "running");
    assert!(bundle.oci(["start", "c"]).fails().contains("it is running"));
    assert!(bundle.oci(["delete", "c"]).fails().contains("it is running"));
}

/// Returns a command for a machine without cgroup v2, where the freezer also keeps killed
/// processes.
fn on_v1_alone(command: &Command) -> Command {
    let mut words = Command::new("unshare");
    words.args(["--mount", "sh", "-ec", "umount /sys/fs/cgroup/unified; exec \"$0\" \"$@\""]);
    words.arg(command.get_program()).args(command.get_args());
    words.current_dir(command.get_current_dir().unwrap()).stdin(Stdio::null()).stdout(Stdio::null());
    words.stderr(Stdio::null());
    words
}

#[test]
fn a_paused_container_can_be_killed_and_deleted() {
    let is_hybrid = ["freezer", "unified"]
        .iter()
        .all(|tree| Path::new("/sys/fs/cgroup").join(tree).join("cgroup.procs").exists());
    if in_user_namespace() || !is_hybrid {
        skipped("there is no tree of v1");
        return;
    }
    let bundle = Bundle::sh("sleep 1000");
    bundle.write();
    let done = |words: &[&str]| {
        let child = std::cell::RefCell::new(on_v1_alone(&bundle.command(words)).spawn().unwrap());
        wait_until(|| child.borrow_mut().try_wait().unwrap().is_some());
        assert!(child.into_inner().wait().unwrap().success(), "{words:?}");
    };
    for end in [&["kill", "c", "KILL"][..], &["delete", "-f", "c"]] {
        for words in [&["create", "c"][..], &["start", "c"], &["pause", "c"], end] {
            done(words);
        }
        if end[0] == "kill" {
            wait_until(|| bundle.state()["status"] == "stopped");
            done(&["delete", "c"]);
        }
        assert!(bundle.oci(["state", "c"]).fails().contains("does not exist"));
    }
}

#[test]
fn an_id_is_a_plain_name_and_used_once() {
    let bundle = Bundle::sh("sleep 1000");
    bundle.start();
    assert!(bundle.oci(["create", "c"]).fails().contains("already exists"));
    for id in ["..", ".", "a/b", "", "a b"] {
        assert!(bundle.oci(["create", id]).fails().contains("is not a valid container ID"), "{id:?}");
    }
}

#[test]
fn exit_codes_and_streams_are_the_payloads() {
    let bundle = Bundle::sh("cat; echo out; echo err >&2; exit 7");
    bundle.write();
    let mut child = bundle
        .command(["run", "c"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"in\n").unwrap();
    let said: Said = child.wait_with_output().unwrap().into();
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (7, "in\nout\n", "err\n"));
    let bundle = Bundle::sh("sh -c 'kill -9 $$'; echo $?");
    assert_eq!(bundle.run().ok(), "137");
}

#[test]
fn what_the_spec_says_is_what_the_payload_sees() {
    let script = "hostname; pwd; id; umask; ulimit -n; echo $A; cat /proc/sys/net/ipv4/ip_forward; \
        stat -c %a /dev/shm; ls -1 /dev; ifconfig lo | grep -c UP; touch /x || echo read-only; readlink /dev/fd";
    let bundle = Bundle::sh(script).with(|config| {
        config["hostname"] = json!("box");
        config["root"]["readonly"] = json!(true);
        config["process"]["cwd"] = json!("/tmp");
        config["process"]["user"] = json!({ "uid": 0, "gid": 0, "umask": 63 });
        config["process"]["env"].as_array_mut().unwrap().push(json!("A=b c"));
        config["process"]["rlimits"] = json!([{ "type": "RLIMIT_NOFILE", "soft": 100, "hard": 200 }]);
        config["linux"]["sysctl"] = json!({ "net.ipv4.ip_forward": "1" });
    });
    let devices = "fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero";
    assert_eq!(
        bundle.run().ok(),
        format!("box\n/tmp\nuid=0 gid=0\n0077\n100\nb c\n1\n1777\n{devices}\n1\nread-only\n/proc/self/fd")
    );
}

#[test]
fn a_failed_step_is_told_with_its_system_call() {
    let bundle = Bundle::new().with_mount(json!({ "destination": "/x", "type": "nosuchfs", "source": "x" }));
    let error = bundle.run().fails();
    assert_eq!(
        error,
        "hoist oci: error: container set-up stopped at: mount /x: fsopen(nosuchfs): no such device\n"
    );
    assert_eq!(bundle.oci(["list", "-q"]).ok(), "", "a failed creation leaves nothing");
}

#[test]
fn a_program_that_is_missing_or_no_program_is_told_so() {
    let run = |program: &str| {
        let bundle = Bundle::new().with(|config| config["process"]["args"] = json!([program]));
        fs::write(bundle.in_root("etc/text"), "no program").unwrap();
        bundle.run().fails()
    };
    assert_eq!(
        run("nosuch"),
        "hoist oci: error: exec: `nosuch`: executable file not found in the container\n"
    );
    assert_eq!(
        run("/bin/nosuch"),
        "hoist oci: error: exec: `/bin/nosuch`: executable file not found in the container\n"
    );
    assert_eq!(
        run("/etc/text"),
        "hoist oci: error: exec: `/etc/text` cannot be executed: faccessat(/etc/text, X_OK): permission denied\n"
    );
    let long = "x".repeat(20_000);
    let told = run(&long);
    assert!(told.starts_with("hoist oci: error: exec: `xxx"), "{told}");
    assert!(told.ends_with("x…`: executable file not found in the container\n"), "{told}");
    assert_eq!(
        run("/etc"),
        "hoist oci: error: exec: `/etc` cannot be executed: faccessat(/etc, X_OK): permission denied\n"
    );
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    type Change = fn(&mut serde_json::Value);
    let refused = |change: Change| Bundle::new().with(change).run().fails();
    let table: &[(Change, &str)] = &[
        (|config| config["hooks"] = json!({ "prestart": [{ "path": "true" }] }), "`hooks.prestart[0].path`"),
        // AppArmor is disabled, or there is no such profile.
        (|config| config["process"]["apparmorProfile"] = json!("no such"), "`process.apparmorProfile`"),
        (|config| config["process"]["selinuxLabel"] = json!("x"), "`process.selinuxLabel`"),
        (|config| config["linux"]["intelRdt"] = json!({ "closID": "x" }), "`linux.intelRdt`"),
        (|config| config["linux"]["cgroupsPath"] = json!("a:b:c"), "systemd"),
        (|config| config["ociVersion"] = json!("2.0.0"), "`ociVersion`"),
    ];
    for (change, name) in table {
        let error = refused(*change);
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn an_selinux_label_is_refused_where_it_would_not_confine() {
    if hoist::internals::sys::selinux::is_enabled() {
        skipped("SELinux is on");
        return;
    }
    let label = "system_u:system_r:container_t:s0:c1,c2";
    let of_process = Bundle::new().with(|config| config["process"]["selinuxLabel"] = json!(label));
    let of_mounts = Bundle::new().with(|config| config["linux"]["mountLabel"] = json!(label));
    for (bundle, field) in [(of_process, "process.selinuxLabel"), (of_mounts, "linux.mountLabel")] {
        let told = bundle.run().fails();
        assert_eq!(told, format!("hoist oci: error: `{field}`: SELinux is disabled on this machine\n"));
    }
}

#[test]
fn binds_keep_their_options_and_missing_targets_are_made() {
    let bundle =
        Bundle::sh("cat /data/a /etc/deep/file; touch /data/b || echo ro; touch /etc/deep/file && echo rw");
    fs::create_dir(bundle.path("data")).unwrap();
    fs::write(bundle.path("data/a"), "a\n").unwrap();
    fs::write(bundle.path("file"), "file\n").unwrap();
    let bundle = bundle
        .with_mount(
            json!({ "destination": "/data", "type": "bind", "source": "data", "options": ["rbind", "ro"] }),
        )
        .with_mount(
            json!({ "destination": "/etc/deep/file", "type": "bind", "source": "file", "options": ["bind"] }),
        );
    assert_eq!(bundle.run().ok(), "a\nfile\nro\nrw");
}

#[test]
fn options_of_a_mount_can_be_long() {
    let bundle = Bundle::sh("cat /over/0 /over/9; grep -c ' /over overlay ro,' /proc/mounts");
    let layer = |number: usize| bundle.path(&format!("layers/{}/{number}", "long".repeat(10)));
    for number in 0..10 {
        fs::create_dir_all(layer(number)).unwrap();
        fs::write(layer(number).join(number.to_string()), format!("file {number}\n")).unwrap();
    }
    let layers: Vec<_> = (0..10).map(|number| layer(number).display().to_string()).collect();
    let layers = format!("lowerdir={}", layers.join(":"));
    let bundle = bundle.with_mount(json!({ "destination": "/over", "type": "overlay", "source": "overlay",
        "options": ["ro", "nosuid", layers] }));
    let mounts = || fs::read_to_string("/proc/self/mountinfo").unwrap().lines().count();
    let before = mounts();
    assert_eq!(bundle.run().ok(), "file 0\nfile 9\n1");
    assert_eq!(mounts(), before);
}

#[test]
fn no_mount_of_a_container_is_seen_on_the_host() {
    let mounts = || fs::read_to_string("/proc/self/mountinfo").unwrap().lines().count();
    let before = mounts();
    let bundle = Bundle::sh("sleep 1000");
    bundle.start();
    assert_eq!(mounts(), before);
}

#[test]
fn an_exec_joins_the_container_and_its_cgroup() {
    let bundle = Bundle::sh("echo $$; hostname inside; exec sleep 1000").with(|config| {
        config["hostname"] = json!("box");
    });
    bundle.start();
    let said =
        bundle.oci(["exec", "-e", "A=1", "--cwd", "/tmp", "c", "sh", "-c", "hostname; pwd; echo $A; exit 3"]);
    assert_eq!((said.code, said.out.as_str()), (3, "box\n/tmp\n1\n"));
    let error = bundle.oci(["exec", "--cwd", "/nosuch", "c", "pwd"]).fails();
    assert!(
        error.contains("`/nosuch` does not exist in the container: no such file or directory"),
        "{error}"
    );
    // It starts as the shell.
    wait_until(|| bundle.exec("ps -o pid,args | head -2 | tail -1").ok().trim() == "1 sleep 1000");
    let own = bundle.exec("cat /proc/self/cgroup").ok();
    let first = bundle.exec("cat /proc/1/cgroup").ok();
    assert_eq!(own, first);
    assert!(bundle.oci(["exec", "c", "nosuch"]).fails().contains("not found in the container"));
}

#[test]
fn a_terminal_goes_to_the_console_socket() {
    let bundle =
        Bundle::sh("tty; stat -c %t:%T /dev/console /dev/stdin -L; stty size; test -t 1 && echo terminal")
            .with(|config| {
                config["process"]["terminal"] = json!(true);
                config["process"]["consoleSize"] = json!({ "height": 33, "width": 99 });
            });
    bundle.write();
    let listener = UnixListener::bind(bundle.path("socket")).unwrap();
    let mut child = bundle.command(["run", "--console-socket", "socket", "c"]).spawn().unwrap();
    let master = receive_terminal(&listener);
    let text = read_all(master);
    assert!(child.wait().unwrap().success());
    assert_eq!(text, "/dev/pts/0\r\n88:0\r\n88:0\r\n33 99\r\nterminal\r\n");
}

#[test]
fn an_exec_gets_a_terminal_of_the_container() {
    let bundle = Bundle::sh("sleep 1000");
    bundle.start();
    let listener = UnixListener::bind(bundle.path("socket")).unwrap();
    let mut child = bundle
        .command(["exec", "-t", "--console-socket", "socket", "c", "sh", "-c", "tty; exit 4"])
        .spawn()
        .unwrap();
    let text = read_all(receive_terminal(&listener));
    assert_eq!(child.wait().unwrap().code(), Some(4));
    assert_eq!(text, "/dev/pts/0\r\n");
    assert!(bundle.oci(["exec", "-dt", "c", "tty"]).fails().contains("--console-socket"));
}

#[test]
fn an_init_reaps_and_passes_signals_on() {
    let bundle = Bundle::sh(
        "trap 'echo got; exit 5' TERM; (sh -c 'exit 0' &); echo up > /tmp/up; while :; do sleep 0.05; done",
    );
    bundle.write();
    let child = bundle
        .command(["run", "--init", "c"])
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    wait_until(|| bundle.in_root("tmp/up").exists());
    wait_until(|| !bundle.exec("ps -o stat").out.contains('Z'));
    assert_eq!(bundle.exec("readlink /proc/1/exe; true").ok(), "", "init shows its program to nobody");
    bundle.oci(["kill", "c", "TERM"]).ok();
    let said: Said = child.wait_with_output().unwrap().into();
    assert_eq!((said.code, said.out.as_str()), (5, "got\n"));
}

#[test]
fn limits_are_set_and_memory_is_taken_away() {
    if in_user_namespace() {
        skipped("the controllers' files belong to the user namespace above");
        return;
    }
    let bundle = Bundle::sh("dd if=/dev/zero of=/dev/shm/x bs=1M count=60").with(|config| {
        config["linux"]["resources"]["memory"] = json!({ "limit": 16 << 20 });
        config["linux"]["resources"]["pids"] = json!({ "limit": 20 });
    });
    let said = bundle.run();
    if !has_memory_controller() {
        // `tests/on-v2` has only the controllers that a hybrid machine leaves to cgroup v2.
        assert!(said.err.contains("this machine has no cgroup controller for memory"), "{said:?}");
        return;
    }
    assert_eq!(said.code, 137, "{said:?}");
    let bundle = Bundle::sh("for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; wait")
        .with(|config| config["linux"]["resources"]["pids"] = json!({ "limit": 5 }));
    let said = bundle.run();
    assert!(said.err.contains("can't fork"), "{said:?}");
}

/// Adds Docker's filter, and a limit on the number of processes.
fn with_room_for(processes: u32, bundle: Bundle) -> Bundle {
    let filter = hoist::internals::runtime::seccomp::default_profile().unwrap();
    let filter = filter.for_container(hoist::internals::sys::cap::CapSet::EMPTY, (6, 1));
    bundle.with(|config| {
        config["linux"]["seccomp"] = serde_json::to_value(filter).unwrap();
        config["linux"]["resources"]["pids"] = json!({ "limit": processes });
    })
}

#[test]
fn a_container_without_room_for_processes_runs_or_says_why() {
    for limit in 1..=4 {
        for init in [&[][..], &["--init"]] {
            let bundle = with_room_for(limit, Bundle::sh("true; true"));
            bundle.write();
            let said = bundle.oci([&["run"], init, &["c"]].concat());
            if said.err.contains("this machine has no cgroup controller for processes") {
                skipped("this cgroup tree has no pids controller");
                return;
            }
            let is_full = said.err.to_lowercase().contains("resource temporarily unavailable");
            assert!((said.code == 0) != is_full, "{limit} {init:?}: {said:?}");
            assert!(!said.err.contains("seccomp"), "{limit} {init:?}: {said:?}");
            let is_ours = said.err.contains("hoist oci: ");
            assert!(is_ours || limit > 1 || init.is_empty(), "{limit} {init:?}: {said:?}");
        }
    }
}

/// A tracer in the container may keep the write end of the report open, and write to it.
#[test]
fn a_start_does_not_wait_for_who_else_holds_the_report() {
    for text in [&b""[..], &[b' '; 128 * 1024]] {
        let bundle = Bundle::new();
        create(&bundle);
        let report = bundle.path("state").join("c/report.fifo");
        let held = fs::OpenOptions::new().write(true).open(report).unwrap();
        let mut writes = held.try_clone().unwrap();
        let writer = std::thread::spawn(move || writes.write_all(text));
        let started = bundle.oci(["start", "c"]);
        let _ = writer.join().unwrap(); // it may have lost its reader
        let is_refused = started.err.contains("it is longer than any valid report");
        assert!(started.code == 0 || is_refused && !text.is_empty(), "{started:?}");
    }
}

#[test]
fn features_and_spec_are_documents_of_the_specification() {
    let bundle = Bundle::new();
    let features: serde_json::Value = serde_json::from_str(&bundle.oci(["features"]).ok()).unwrap();
    assert_eq!((&features["ociVersionMin"], &features["ociVersionMax"]), (&json!("1.0.0"), &json!("1.3.0")));
    assert_eq!(features["linux"]["mountExtensions"]["idmap"]["enabled"], true);
    assert_eq!(
        features["linux"]["namespaces"],
        json!(["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"])
    );
    // Each can be an option of a mount; those that only a bind has are refused for another reason.
    let options = features["mountOptions"].as_array().unwrap();
    for option in ["tmpcopyup", "ridmap", "rnorelatime", "rslave", "nolazytime", "dirsync"] {
        assert!(options.contains(&json!(option)), "{option}");
    }
    let tmpfs =
        |option| json!({ "destination": "/srv", "type": "tmpfs", "source": "t", "options": [option] });
    for option in options.iter().filter(|option| *option != "idmap" && *option != "ridmap") {
        if *option == "bind" || *option == "rbind" {
            continue;
        }
        let said = Bundle::new().with_mount(tmpfs(option)).run();
        assert_eq!(said.code, 0, "{option}: {said:?}");
    }
    assert!(bundle.oci(["spec"]).fails().contains("already exists"));
    let list: serde_json::Value = serde_json::from_str(&bundle.oci(["list", "-f", "json"]).ok()).unwrap();
    assert_eq!(list, json!([]));
}

#[test]
fn messages_go_to_the_log_as_callers_of_runtimes_read_them() {
    let bundle = Bundle::new();
    let log = bundle.path("log");
    bundle.oci(["--log", log.to_str().unwrap(), "--log-format", "json", "start", "none"]).fails();
    let line: serde_json::Value = serde_json::from_str(&fs::read_to_string(&log).unwrap()).unwrap();
    assert_eq!(
        (line["level"].as_str(), line["msg"].as_str()),
        (Some("error"), Some("container `none` does not exist"))
    );
}

#[test]
fn what_could_not_be_had_is_told_by_who_creates() {
    let more_than_any = 1_u64 << 40;
    let limit = json!([{ "type": "RLIMIT_NOFILE", "soft": more_than_any, "hard": more_than_any }]);
    let bundle = Bundle::sh("sleep 1000").with(|config| config["process"]["rlimits"] = limit);
    bundle.write();
    // The container inherits its streams, and keeps them open.
    let errors = fs::File::create(bundle.path("errors")).unwrap();
    let created = bundle.command(["create", "c"]).stdout(Stdio::null()).stderr(errors).status();
    assert!(created.unwrap().success());
    let told = fs::read_to_string(bundle.path("errors")).unwrap();
    assert!(told.starts_with("hoist oci: warning: RLIMIT_NOFILE is limited to "), "{told}");
    bundle.oci(["start", "c"]).ok();
}

#[test]
fn runc_shows_the_same_container_of_the_same_bundle() {
    if in_user_namespace() {
        skipped("runc refuses cgroups in a user namespace with one id");
        return;
    }
    // Not compared: standard input, which runc replaces with a pipe.
    let script = "id; hostname; pwd; umask; ulimit -n; env | sort; ls -1 /dev | grep -v console; stat -c '%a %n' /dev/* -L | grep -v std; \
        grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status; ls /proc/kcore -l | cut -c1-10; cat /proc/keys | wc -c; \
        mount | grep -v ' /proc/\\| /sys/\\| / ' | cut -d' ' -f2-5 | sort; touch /proc/sys/x; ls /proc/self/fd | wc -l";
    let bundle = Bundle::sh(script).with(|config| {
        config["hostname"] = json!("box");
        let groups = json!([7, 33, 7]);
        config["process"]["user"] = json!({ "uid": 0, "gid": 5, "username": "x", "additionalGids": groups });
        config["process"]["rlimits"] = json!([{ "type": "RLIMIT_NOFILE", "soft": 100, "hard": 200 }]);
        let caps = hoist::internals::sys::cap::CapSet::EMPTY;
        let filter =
            hoist::internals::runtime::seccomp::default_profile().unwrap().for_container(caps, (6, 1));
        config["linux"]["seccomp"] = serde_json::to_value(filter).unwrap();
    });
    let ours = bundle.run();
    let theirs: Said = Command::new("runc")
        .arg("--root")
        .arg(bundle.path("runc"))
        .args(["run", "r"])
        .current_dir(bundle.dir.path())
        .stdin(Stdio::null())
        .output()
        .expect("the Debian package runc is installed (tests/all does it)")
        .into();
    assert_eq!(ours.out, theirs.out, "hoist says: {}\nrunc says: {}", ours.err, theirs.err);
    assert_eq!(ours.code, theirs.code);
}

/// For state visible only in files: polls until it holds.
pub(crate) fn wait_until(holds: impl Fn() -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !holds() {
        assert!(std::time::Instant::now() < end, "it did not come about");
        std::thread::yield_now();
    }
}
