//! Known vulnerabilities of other runtimes, tested on this one: each row of the list of runtime
//! vulnerabilities has a test. Needs root, or a user namespace that maps it.

#![allow(unsafe_code, reason = "the probe inside makes bare system calls, to see them refused")]

use std::ffi::CString;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::bundle::{self, Bundle, DOCKER_CAPS, HOIST, Said};
use crate::support::{Home, copy_program, in_user_namespace, skipped};
use hoist::internals::runtime::seccomp;
use hoist::internals::sys::cap::CapSet;
use hoist::internals::sys::mount::{self, Attrs};
use serde_json::{Value, json};

/// Docker's seccomp filter for a container with its capabilities.
fn with_docker_filter(bundle: Bundle) -> Bundle {
    let caps: CapSet =
        DOCKER_CAPS.iter().map(|name| name.parse::<hoist::internals::sys::cap::Cap>().unwrap()).collect();
    let filter = seccomp::default_profile().unwrap().for_container(caps, (6, 1));
    bundle.with(|config| config["linux"]["seccomp"] = serde_json::to_value(filter).unwrap())
}

fn write_script(bundle: &Bundle, path: &str, text: &str) {
    fs::write(bundle.in_root(path), text).unwrap();
    fs::set_permissions(bundle.in_root(path), fs::Permissions::from_mode(0o755)).unwrap();
}

/// CVE-2019-5736: the kernel rejects writes to a running program. The attack therefore keeps a
/// descriptor of the program, and opens it for writing after the program exits.
#[test]
fn what_a_container_holds_of_the_runtimes_program_stays_read_only_after_its_end() {
    // A copy, since other tests that run the original would make it unwritable as well.
    let dir = tempfile::tempdir().unwrap();
    let hoist = dir.path().join("hoist");
    copy_program(HOIST, &hoist);
    let of_copy = |command: &Command| {
        let mut copied = Command::new(&hoist);
        copied.args(command.get_args()).current_dir(dir.path());
        copied.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        copied
    };
    let refused = "sh: can't create /proc/self/fd/3: Read-only file system\n";

    let bundle = Bundle::sh("exec sleep 1000");
    bundle.start();
    // The payload executes the runtime itself, which then waits for input.
    let mut victim = of_copy(&bundle.command(["exec", "c", "/proc/self/exe", "load"]));
    let mut attacker = bundle.command(["exec", "c", "sh", "-c", HOLD]);
    assert_eq!(opened_after_the_end_of(&mut victim, &mut attacker), refused);

    let home = Home::with_busybox();
    home.hoist(["run", "-d", "--name", "held", "--network", "none", "busybox", "sleep", "1000"]).ok();
    let mut victim = of_copy(&home.command(["exec", "-i", "held", "/proc/self/exe", "load"]));
    let mut attacker = home.command(["exec", "-i", "held", "sh", "-c", HOLD]);
    assert_eq!(opened_after_the_end_of(&mut victim, &mut attacker), refused);
}

/// A process that may mount could make the mount writable while it is in a mount namespace, which a
/// descriptor extends. `exec` closes its descriptors before it enters.
#[test]
fn nobody_can_change_the_mount_that_a_process_in_a_container_runs_from() {
    let home = Home::with_busybox();
    home.hoist(["run", "-d", "--name", "held", "--network", "none", "busybox", "sleep", "1000"]).ok();
    let mut victim = home.command(["exec", "-i", "held", "/proc/self/exe", "load"]);
    let mut victim = victim.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let is_over = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let looker = scope.spawn(|| {
            let mut seen = Vec::new();
            while !is_over.load(Ordering::Relaxed) || seen.is_empty() {
                seen.extend(changed_mounts_of_programs_in_containers());
            }
            seen
        });
        for _ in 0..40 {
            home.hoist(["exec", "held", "true"]).ok();
        }
        is_over.store(true, Ordering::Relaxed);
        looker.join().unwrap()
    });
    drop(victim.stdin.take());
    victim.wait().unwrap();
    assert!(seen.iter().all(|result| *result == Err(libc::EINVAL)), "{seen:?}");
}

/// Returns the results of remounting the mount that each process runs from, for processes that run
/// hoist in their own pid namespace.
fn changed_mounts_of_programs_in_containers() -> Vec<Result<(), i32>> {
    let program = fs::metadata(HOIST).unwrap();
    let mut results = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let levels = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
        let exe = entry.path().join("exe");
        let is_hoist = || {
            fs::metadata(&exe).is_ok_and(|meta| (meta.dev(), meta.ino()) == (program.dev(), program.ino()))
        };
        if levels.is_none_or(|levels| levels.split_whitespace().count() < 2) || !is_hoist() {
            continue;
        }
        let Ok(place) = hoist::internals::sys::fs::open_place(&exe) else { continue };
        let changed =
            mount::set_attrs(place.as_fd(), mount::Depth::One, Attrs::MOUNT_ATTR_RDONLY, Attrs::empty());
        results.push(changed.map_err(|error| error.errno()));
    }
    results
}

/// Waits for a program other than busybox, and holds it open.
const HOLD: &str = "for round in $(seq 10000); do for p in /proc/[0-9]*; do \
    case $(readlink $p/exe) in ''|*/busybox) continue;; esac; \
    (exec 3<$p/exe) 2>/dev/null || continue; exec 3<$p/exe; \
    echo held $(grep -c '/hoist ' $p/mountinfo); read end; \
    (: >/proc/self/fd/3) 2>&1 && echo open for writing; exit; \
    done; done; echo nothing found";

/// Returns what `attacker` finds; it holds the program that `victim` executes until that exits.
fn opened_after_the_end_of(victim: &mut Command, attacker: &mut Command) -> String {
    let piped = |command: &mut Command| {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    };
    let (mut victim, mut attacker) = (piped(victim), piped(attacker));
    let mut told = BufReader::new(attacker.stdout.take().unwrap());
    let mut line = String::new();
    told.read_line(&mut line).unwrap();
    assert_eq!(line, "held 0\n", "and no mount table shows it");
    drop(victim.stdin.take());
    victim.wait().unwrap();
    attacker.stdin.take().unwrap().write_all(b"\n").unwrap();
    let mut found = String::new();
    told.read_to_string(&mut found).unwrap();
    attacker.wait().unwrap();
    found
}

/// CVE-2024-21626
#[test]
fn no_working_directory_leads_out_by_an_open_descriptor() {
    let bundle = Bundle::sh("sleep 1000");
    bundle.start();
    let other = Bundle::sh("ls -a; pwd").with(|config| config["process"]["cwd"] = json!("/proc/self/fd/7"));
    for number in 0..=40 {
        let cwd = format!("/proc/self/fd/{number}");
        let said = bundle.oci(["exec", "--cwd", &cwd, "c", "sh", "-c", "pwd; ls -a"]);
        assert!(!said.out.contains("config.json") && said.code != 0, "exec in {cwd}: {said:?}");
    }
    for number in (3..=20).chain([40]) {
        let cwd = format!("/proc/self/fd/{number}");
        let said = {
            fs::write(other.path("config.json"), other.config.to_string().replace("/proc/self/fd/7", &cwd))
                .unwrap();
            other.oci(["run", "c"])
        };
        assert!(said.code != 0 && !said.out.contains("config.json"), "run in {cwd}: {said:?}");
    }
}

/// CVE-2024-21626: the payload inherits no open descriptors of the runtime.
#[test]
fn the_payload_inherits_its_three_streams_and_nothing_else() {
    let bundle = Bundle::sh("ls /proc/self/fd | wc -l");
    // 0, 1, 2, and the descriptor of ls itself.
    assert_eq!(bundle.run().ok(), "4");
    let bundle = Bundle::sh("sleep 1000");
    bundle.start();
    assert_eq!(bundle.exec("ls /proc/self/fd | wc -l").ok(), "4");
    assert_eq!(bundle.exec("ls /proc/1/fd | wc -l").ok(), "3");
}

/// CVE-2025-31133, CVE-2025-62161
#[test]
fn masks_are_a_null_of_their_own_and_not_a_link_of_the_image() {
    let before = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    let bundle = Bundle::sh(
        "stat -c '%F %t:%T' /proc/keys; echo x > /proc/keys; cat /proc/timer_list | wc -c",
    )
    .with(|config| {
        // Without a tmpfs on /dev, the image's own folder with its links is used.
        config["mounts"]
            .as_array_mut()
            .unwrap()
            .retain(|mount| !mount["destination"].as_str().unwrap().starts_with("/dev"));
    });
    symlink("/proc/sys/kernel/core_pattern", bundle.in_root("dev/null")).unwrap();
    let said = bundle.run();
    if in_user_namespace() {
        // No node can be created there.
        assert_eq!(said.out, "regular empty file 0:0\n0\n");
    } else {
        assert_eq!(said.ok(), "character special file 1:3\n0");
    }
    assert_eq!(fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap(), before);
}

/// With CAP_SYS_ADMIN, a read-only mount can be made writable again.
#[test]
fn a_remounted_mask_is_still_none_of_the_hosts_files() {
    use std::os::unix::fs::MetadataExt as _;
    let of_null = || fs::metadata("/dev/null").map(|null| (null.mode(), null.uid(), null.mtime())).unwrap();
    let before = of_null();
    let with_admin = |bundle: Bundle| {
        let caps: Vec<&str> = DOCKER_CAPS.iter().copied().chain(["CAP_SYS_ADMIN"]).collect();
        bundle.with(|config| {
            for set in ["bounding", "effective", "permitted"] {
                config["process"]["capabilities"][set] = json!(caps);
            }
        })
    };
    let own_namespace = |bundle: Bundle| {
        bundle.with(|config| {
            let map = json!([{ "containerID": 0, "hostID": 0, "size": 1 }]);
            config["linux"]["uidMappings"] = map.clone();
            config["linux"]["gidMappings"] = map;
            config["linux"]["namespaces"].as_array_mut().unwrap().push(json!({ "type": "user" }));
        })
    };
    let script = "for f in /proc/keys /proc/timer_list /proc/kcore; do \
        test -e $f || continue; mount -o remount,rw,bind $f || exit; chmod 601 $f; touch -d '2001-01-01 00:00' $f; done; \
        stat -c %a /proc/keys";
    assert_eq!(with_admin(Bundle::sh(script)).run().ok(), "601");
    assert_eq!(own_namespace(with_admin(Bundle::sh(script))).run().ok(), "601");
    assert_eq!(of_null(), before);
}

/// A device of the host can be used, but not changed.
#[test]
fn nothing_done_to_a_masked_path_or_a_device_reaches_the_hosts_node() {
    use std::os::unix::fs::MetadataExt as _;
    let of_null = || fs::metadata("/dev/null").map(|null| (null.mode(), null.uid(), null.mtime())).unwrap();
    let before = of_null();
    let script = "for f in /proc/keys /proc/timer_list /proc/kcore; do \
        chmod 667 $f; touch -d '2001-01-01 00:00' $f; done 2>/dev/null; \
        for f in /dev/*; do chmod 601 $f; touch -d '2001-01-01 00:00' $f; done 2>/dev/null; echo tried";
    assert_eq!(Bundle::sh(script).run().ok(), "tried");
    assert_eq!(of_null(), before);
}

/// Mounts that a container makes over one of its mounts must not appear on the host.
#[test]
fn no_mount_of_a_container_is_shared_with_the_host() {
    let bundle = Bundle::sh("grep -E 'shared:|master:' /proc/self/mountinfo; echo read");
    bundle.write();
    let said: Said = Command::new("unshare")
        .args(["--mount", "--propagation", "shared", HOIST, "oci", "--root"])
        .arg(bundle.path("state"))
        .args(["run", "c"])
        .current_dir(bundle.dir.path())
        .output()
        .unwrap()
        .into();
    assert_eq!(said.ok(), "read");
}

/// A namespace that is not the container's own belongs to the caller, and so does its content.
#[test]
fn what_belongs_to_a_namespace_of_the_caller_is_refused() {
    let hostname = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let without = |kind: &str| {
        Bundle::new().with(|config| {
            config.as_object_mut().unwrap().remove("hostname");
            config["linux"]["namespaces"]
                .as_array_mut()
                .unwrap()
                .retain(|namespace| namespace["type"] != kind);
        })
    };
    let callers = |kind: &str, file: &str| {
        without(kind).with(|config| {
            let path = format!("/proc/self/ns/{file}");
            config["linux"]["namespaces"].as_array_mut().unwrap().push(json!({ "type": kind, "path": path }));
        })
    };
    for field in ["hostname", "domainname"] {
        for bundle in [without("uts"), callers("uts", "uts")] {
            let error = bundle.with(|config| config[field] = json!("evil")).run().fails();
            assert!(
                error.contains(&format!("`{field}`: the container has no UTS namespace of its own")),
                "{error}"
            );
        }
    }
    for (kind, file, key) in [
        ("ipc", "ipc", "kernel.shmmax"),
        ("ipc", "ipc", "fs.mqueue.msg_max"),
        ("network", "net", "net.ipv4.ip_forward"),
        ("uts", "uts", "kernel.domainname"),
    ] {
        for bundle in [without(kind), callers(kind, file)] {
            let bundle = bundle.with(|config| config["linux"]["sysctl"] = json!({ key: "1" }));
            let error = bundle.run().fails();
            assert!(
                error.contains(&format!("the container has no {file} namespace of its own")),
                "{key}: {error}"
            );
        }
    }
    assert_eq!(fs::read_to_string("/proc/sys/kernel/hostname").unwrap(), hostname);
}

/// CVE-2025-52565, CVE-2026-41579, CVE-2026-47766
#[test]
fn folders_of_the_image_that_are_links_to_the_host_change_nothing_there() {
    let canary = tempfile::tempdir().unwrap();
    let bundle =
        Bundle::sh("ls -d /proc/1 /sys/kernel /dev/null; cat /etc/resolv.conf; test -d /run/x && echo made");
    fs::write(bundle.path("resolv.conf"), "nameserver 1.2.3.4\n").unwrap();
    // Those for a procfs or sysfs are refused: see `oci_mounts`.
    for folder in ["dev", "etc"] {
        fs::remove_dir(bundle.in_root(folder)).unwrap();
    }
    for folder in ["dev", "etc", "run"] {
        symlink(canary.path(), bundle.in_root(folder)).unwrap();
    }
    let bundle = bundle
        .with_mount(json!({ "destination": "/etc/resolv.conf", "type": "bind", "source": "resolv.conf", "options": ["bind"] }))
        .with_mount(json!({ "destination": "/run/x", "type": "tmpfs", "source": "tmpfs" }))
        .with(|config| {
            config["linux"]["devices"] =
                json!([{ "path": "/run/deep/null", "type": "c", "major": 1, "minor": 3, "fileMode": 438 }]);
        });
    let said = bundle.run();
    assert_eq!(fs::read_dir(canary.path()).unwrap().count(), 0, "{said:?}");
    if !in_user_namespace() {
        assert_eq!(said.ok(), "/dev/null\n/proc/1\n/sys/kernel\nnameserver 1.2.3.4\nmade");
    }
}

/// CVE-2025-52565
#[test]
fn the_console_is_the_terminal_and_not_what_the_image_put_there() {
    let canary = tempfile::tempdir().unwrap();
    for target in ["/target", "/proc/sys/kernel/core_pattern", canary.path().join("made").to_str().unwrap()] {
        // The image's own /dev, in which the console is a symbolic link.
        let bundle = Bundle::sh(
            "test -L /dev/console || stat -c '%F %t:%T' /dev/console; stat -c %F /target",
        )
        .with(|config| {
            config["process"]["terminal"] = json!(true);
            let mounts = config["mounts"].as_array_mut().unwrap();
            mounts.retain(|mount| mount["destination"] != "/dev");
        });
        fs::write(bundle.in_root("target"), "untouched").unwrap();
        symlink(target, bundle.in_root("dev/console")).unwrap();
        bundle.write();
        let listener = UnixListener::bind(bundle.path("socket")).unwrap();
        let mut child = bundle.command(["run", "--console-socket", "socket", "c"]).spawn().unwrap();
        let text = bundle::read_all(bundle::receive_terminal(&listener));
        assert!(child.wait().unwrap().success());
        assert_eq!(text, "character special file 88:0\r\nregular file\r\n", "{target}");
    }
    assert_eq!(fs::read_dir(canary.path()).unwrap().count(), 0);
}

/// CVE-2025-52565: the terminal of an exec comes from the container's devpts, and only from a
/// devpts.
#[test]
fn a_terminal_comes_from_no_folder_that_only_looks_like_a_devpts() {
    let bundle = Bundle::sh("sleep 1000").with(|config| {
        config["mounts"].as_array_mut().unwrap().retain(|mount| mount["destination"] != "/dev/pts");
    });
    bundle.start();
    bundle.exec("mkdir /dev/pts; ln -s /proc/self/fd/0 /dev/pts/ptmx").ok();
    let _listener = UnixListener::bind(bundle.path("socket")).unwrap();
    let error = bundle.oci(["exec", "-t", "--console-socket", "socket", "c", "tty"]).fails();
    assert!(error.contains("/dev/pts in the container is not a devpts"), "{error}");
}

/// CVE-2025-52881, CVE-2025-62596
#[test]
fn settings_are_written_through_a_procfs_nobody_else_sees() {
    let bundle = Bundle::sh("cat /other/sys/net/ipv4/ip_forward").with(|config| {
        config["linux"]["sysctl"] = json!({ "net.ipv4.ip_forward": "1" });
        let mounts = config["mounts"].as_array_mut().unwrap();
        mounts.iter_mut().find(|mount| mount["type"] == "proc").unwrap()["destination"] = json!("/other");
    });
    fs::remove_dir(bundle.in_root("proc")).unwrap();
    fs::create_dir_all(bundle.path("canary/sys/net/ipv4")).unwrap();
    fs::write(bundle.path("canary/sys/net/ipv4/ip_forward"), "canary").unwrap();
    symlink(bundle.path("canary"), bundle.in_root("proc")).unwrap();
    assert_eq!(bundle.run().ok(), "1");
    assert_eq!(fs::read_to_string(bundle.path("canary/sys/net/ipv4/ip_forward")).unwrap(), "canary");
    for key in ["kernel.core_pattern", "kernel.hostname", "vm.overcommit_memory", "net.../../../x"] {
        let bundle = Bundle::new().with(|config| config["linux"]["sysctl"] = json!({ key: "1" }));
        let error = bundle.run().fails();
        assert!(error.contains(&format!("`linux.sysctl[{key}]`")), "{error}");
    }
}

/// CVE-2019-16884, CVE-2019-19921, CVE-2023-27561, CVE-2023-28642
#[test]
fn nothing_is_mounted_over_proc() {
    let run = |destination: &str| {
        let bundle = Bundle::new();
        fs::create_dir(bundle.path("volume")).unwrap();
        symlink("/proc", bundle.in_root("link")).unwrap();
        symlink("/proc/self/attr", bundle.in_root("deep")).unwrap();
        bundle
            .with_mount(json!({ "destination": destination, "type": "bind", "source": "volume", "options": ["bind"] }))
            .run()
            .fails()
    };
    for destination in ["/proc/self", "/proc/sys/kernel", "/proc/1/attr", "/tmp/../proc/self/attr"] {
        assert!(run(destination).contains("cannot mount inside /proc"), "{destination}");
    }
    for destination in ["/link", "/link/sys", "/deep"] {
        assert!(run(destination).contains("resolves to a path in /proc"), "{destination}");
    }
    assert!(run("/proc").contains("the source is not a procfs"));
}

/// CVE-2021-30465, CVE-2024-45310
#[test]
fn a_target_that_is_exchanged_with_a_link_leads_nowhere() {
    let canary = tempfile::tempdir().unwrap();
    fs::create_dir(canary.path().join("inner")).unwrap();
    let bundle = Bundle::new();
    let volume = bundle.path("volume");
    fs::create_dir_all(volume.join("a/inner")).unwrap();
    symlink(canary.path(), volume.join("b")).unwrap();
    fs::write(bundle.path("file"), "x").unwrap();
    let bundle = bundle
        .with_mount(json!({ "destination": "/v", "type": "bind", "source": "volume", "options": ["rbind"] }))
        .with_mount(json!({ "destination": "/v/a/inner", "type": "tmpfs", "source": "tmpfs" }))
        .with_mount(
            json!({ "destination": "/v/a/made/file", "type": "bind", "source": "file", "options": ["bind"] }),
        );
    bundle.write();
    let stop = AtomicBool::new(false);
    let mounts = || fs::read_to_string("/proc/self/mountinfo").unwrap().lines().count();
    let before = mounts();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                exchange(&volume.join("a"), &volume.join("b"));
            }
        });
        let end = Instant::now() + Duration::from_secs(5);
        let mut rounds = 0;
        while Instant::now() < end || rounds < 10 {
            bundle.oci(["run", "c"]); // it may fail: only its effect outside matters
            rounds += 1;
        }
        stop.store(true, Ordering::Relaxed);
    });
    let found: Vec<_> =
        fs::read_dir(canary.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(found, ["inner"], "something was made on the host");
    assert_eq!(fs::read_dir(canary.path().join("inner")).unwrap().count(), 0);
    assert_eq!(mounts(), before);
}

fn exchange(a: &Path, b: &Path) {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).unwrap();
}

/// CVE-2022-24769, -27649, -27650, -27651, -29162: none is inheritable or ambient unless requested.
#[test]
fn capabilities_are_the_five_lists_and_no_more() {
    check_capabilities(|bundle| bundle);
}

/// A process in its own user namespace starts with all capabilities.
#[test]
fn capabilities_in_a_user_namespace_of_its_own_are_the_five_lists_too() {
    check_capabilities(|bundle| {
        bundle.with(|config| {
            let size = if in_user_namespace() { 1 } else { 65_536 };
            let map = json!([{ "containerID": 0, "hostID": 0, "size": size }]);
            config["linux"]["uidMappings"] = map.clone();
            config["linux"]["gidMappings"] = map;
            config["linux"]["namespaces"].as_array_mut().unwrap().push(json!({ "type": "user" }));
        })
    });
}

fn check_capabilities(adjust: impl Fn(Bundle) -> Bundle) {
    let bundle = adjust(Bundle::sh("exec sleep 1000"));
    bundle.start();
    let sets = |bundle: &Bundle, user: &str| {
        let said = bundle.oci(["exec", "-u", user, "c", "grep", "^Cap", "/proc/self/status"]).ok();
        said.replace("Cap", "").replace(":\t", " ").replace('\n', ", ")
    };
    let none = "0000000000000000";
    let dockers = "00000000a80425fb";
    let want = format!("Inh {none}, Prm {dockers}, Eff {dockers}, Bnd {dockers}, Amb {none}");
    assert_eq!(sets(&bundle, "0"), want);
    assert_eq!(
        bundle
            .exec("grep '^Cap' /proc/1/status")
            .ok()
            .replace("Cap", "")
            .replace(":\t", " ")
            .replace('\n', ", "),
        want
    );
    let asked = adjust(Bundle::sh("exec sleep 1000")).with(|config| {
        let lists = &mut config["process"]["capabilities"];
        lists["inheritable"] = json!(["CAP_CHOWN", "CAP_KILL"]);
        lists["ambient"] = json!(["CAP_KILL"]);
    });
    asked.start();
    let (inheritable, ambient) = ("0000000000000021", "0000000000000020");
    assert_eq!(
        sets(&asked, "0"),
        format!("Inh {inheritable}, Prm {dockers}, Eff {dockers}, Bnd {dockers}, Amb {ambient}")
    );
    if !in_user_namespace() {
        // For another user, the kernel keeps only the ambient capabilities.
        assert_eq!(
            sets(&bundle, "1000"),
            format!("Inh {none}, Prm {none}, Eff {none}, Bnd {dockers}, Amb {none}")
        );
        assert_eq!(
            sets(&asked, "1000"),
            format!("Inh {inheritable}, Prm {ambient}, Eff {ambient}, Bnd {dockers}, Amb {ambient}")
        );
    }
}

#[test]
fn capabilities_that_cannot_be_granted_are_left_out_with_a_warning() {
    for (list, names, why) in [
        ("effective", json!(["CAP_SYS_ADMIN"]), "that are not permitted cannot be effective: CAP_SYS_ADMIN"),
        ("ambient", json!(["CAP_KILL"]), "that are not inheritable cannot be ambient: CAP_KILL"),
        ("ambient", json!(["CAP_SYS_ADMIN"]), "that are not permitted cannot be ambient: CAP_SYS_ADMIN"),
        ("bounding", json!(["CAP_CHOWN", "CAP_FLY"]), "`CAP_FLY` is not a capability that hoist knows"),
    ] {
        let bundle = Bundle::sh("grep ^Cap /proc/self/status").with(|config| {
            for list in ["bounding", "effective", "permitted"] {
                config["process"]["capabilities"][list] = json!(["CAP_CHOWN", "CAP_KILL"]);
            }
            config["process"]["capabilities"][list] = names;
        });
        let said = bundle.run();
        assert!(said.err.starts_with("hoist oci: warning: ") && said.err.contains(why), "{said:?}");
        let caps = said.ok();
        assert!(caps.contains("CapAmb:\t0000000000000000"), "{caps}");
        // A caller with a log gets it there.
        let log = bundle.path("log");
        let words = ["--log", log.to_str().unwrap(), "--log-format", "json", "run", "c"];
        let said = bundle.oci(words);
        assert_eq!(said.err, "", "{list}");
        let line: Value = serde_json::from_str(&fs::read_to_string(log).unwrap()).unwrap();
        assert_eq!(line["level"], "warning");
        assert!(line["msg"].as_str().unwrap().contains(why), "{line}");
    }
}

/// A filter applies to the program: it need not allow the runtime's own system calls.
#[test]
fn a_filter_need_not_allow_what_only_the_runtime_calls() {
    let filter = json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{ "action": "SCMP_ACT_KILL_PROCESS", "names": [
            "close_range", "faccessat", "faccessat2", "statx", "setresuid", "setresgid", "setgroups",
            "openat2", "fchdir", "chdir", "setrlimit", "keyctl", "umask", "mkdirat", "mount", "mount_setattr",
            "seccomp", "sendto", "sendmsg", "dup2", "fchown", "getdents64", "madvise", "capget",
        ] }],
    });
    for no_new_privileges in [false, true] {
        let bundle = Bundle::sh("exec sleep 1000").with(|config| {
            config["linux"]["seccomp"] = filter.clone();
            config["process"]["noNewPrivileges"] = json!(no_new_privileges);
        });
        bundle.start();
        let grep = ["exec", "c", "grep", "-E", "^(Seccomp|NoNewPrivs|CapPrm):", "/proc/1/status"];
        let want =
            format!("CapPrm:\t00000000a80425fb\nNoNewPrivs:\t{}\nSeccomp:\t2", u8::from(no_new_privileges));
        assert_eq!(bundle.oci(grep).ok(), want);
    }
}

/// A filter may prevent a failed start from reporting what it blocked.
#[test]
fn a_filter_that_stops_the_start_is_named() {
    let run = |action: &str, names: &[&str]| {
        let bundle = Bundle::sh("exec sleep 1000").with(|config| {
            config["linux"]["seccomp"] = json!({
                "defaultAction": "SCMP_ACT_ALLOW",
                "syscalls": [{ "action": action, "names": names }],
            });
        });
        let said = bundle.run().fails();
        assert_eq!(bundle.oci(["list", "-q"]).out, "", "{said}");
        said
    };
    let (kill, refuse) = ("SCMP_ACT_KILL_PROCESS", "SCMP_ACT_ERRNO");
    let stopped = "the program cannot be started under its seccomp profile: ";
    let silent = ["sendto", "sendmsg", "write", "writev"];
    let denied = "operation not permitted";
    for (action, call, step, why) in [
        (kill, "capset", "drop the capability to set a filter", "it ended with signal 31"),
        (kill, "execve", "execute the program", "it ended before executing the program"),
        (refuse, "capset", "drop the capability to set a filter", denied),
        (refuse, "close", "wait to be started", denied),
        (refuse, "execve", "execute the program", "it ended before executing the program"),
    ] {
        let said = run(action, &[&[call][..], &silent].concat());
        let want = format!("hoist oci: error: {stopped}{step}: {why}\n");
        assert!(said.ends_with(&want), "{action} {call}: {said}");
    }
    let told = run(refuse, &["capset"]);
    assert!(told.contains(&format!("{stopped}drop the capability to set a filter: capset(")), "{told}");
}

/// The same for processes that enter a container.
#[test]
fn a_filter_that_stops_an_exec_is_named() {
    for action in ["SCMP_ACT_KILL_PROCESS", "SCMP_ACT_ERRNO"] {
        for (call, step) in [("setsid", "execute the program"), ("clone", "enter the pid namespace")] {
            if (action, call) == ("SCMP_ACT_ERRNO", "setsid") {
                continue; // not an error without a terminal
            }
            let bundle = Bundle::sh("exec sleep 1000").with(|config| {
                config["linux"]["seccomp"] = json!({
                    "defaultAction": "SCMP_ACT_ALLOW",
                    "syscalls": [{ "action": action, "names": [call, "write", "sendto", "sendmsg"] }],
                });
            });
            bundle.start();
            let said = bundle.oci(["exec", "c", "true"]).fails();
            let want = format!("the program cannot be started under its seccomp profile: {step}: ");
            assert!(said.contains(&want), "{action} {call}: {said}");
        }
    }
}

#[test]
fn a_filter_may_refuse_a_session_where_there_is_no_terminal() {
    let bundle = Bundle::sh("exec sleep 1000").with(|config| {
        config["linux"]["seccomp"] = json!({
            "defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [{ "action": "SCMP_ACT_ERRNO", "names": ["setsid"] }],
        });
    });
    bundle.start();
    let session = "cut -d ' ' -f 6 /proc/self/stat";
    assert_eq!(bundle.exec(session).ok(), "0", "one that nobody in the container is in");
}

/// CVE-2023-25809
#[test]
fn the_cgroup_tree_is_read_only_also_for_who_makes_a_user_namespace() {
    let attempt = "for f in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs; do \
        test -e $f || continue; (echo 1 > $f) 2>&1 | grep -c 'Read-only'; mkdir ${f%/*}/x 2>&1 | grep -c 'Read-only'; done | sort -u; \
        mount -o remount,rw /sys/fs/cgroup 2>&1 | grep -c -i 'denied\\|permitted'";
    assert_eq!(Bundle::sh(attempt).run().ok(), "1\n1");
    let bundle = Bundle::sh(attempt);
    bundle.write();
    let said: Said = Command::new("unshare")
        .args(["-Urmn", HOIST, "oci", "--root"])
        .arg(bundle.path("state"))
        .args(["run", "c"])
        .current_dir(bundle.dir.path())
        .output()
        .unwrap()
        .into();
    assert_eq!(said.ok(), "1\n1");
}

/// CVE-2022-0492
#[test]
fn no_release_agent_can_be_set() {
    let attempt = "mkdir /tmp/c; mount -t cgroup -o memory c /tmp/c 2>&1 | grep -c 'permi\\|denied'; \
        unshare -Urm true 2>&1 | grep -c permi; \
        for f in $(find /sys/fs/cgroup -name release_agent); do echo found $f; done; \
        (echo /x > /sys/fs/cgroup/memory/release_agent) 2>/dev/null || echo refused";
    assert_eq!(with_docker_filter(Bundle::sh(attempt)).run().ok(), "1\n1\nrefused");
}

/// CVE-2026-30892, CVE-2024-40635
#[test]
fn a_user_is_who_it_was_meant_to_be_or_none() {
    let bundle = Bundle::sh("sleep 1000");
    fs::write(bundle.in_root("etc/passwd"), "root:x:0:0::/root:/bin/sh\nweb:x:1000:1001::/web:/bin/sh\n")
        .unwrap();
    fs::write(bundle.in_root("etc/group"), "root:x:0:\nweb:x:1001:\ndisk:x:6:web\n").unwrap();
    bundle.start();
    let id = |user: &str| bundle.oci(["exec", "-u", user, "c", "sh", "-c", "echo $(id -u):$(id -g)"]);
    for user in
        ["2147483647", "4294967295", "4294967296", "-1", "0x0", "nobody", "web:none", " 0", "-1:", ":x"]
    {
        let error = id(user).fails();
        assert!(error.contains("process.user") || error.contains("unable to find"), "{user}: {error}");
    }
    if in_user_namespace() {
        skipped("users other than root: there is one id only");
        return;
    }
    for (user, want) in [
        ("web", "1000:1001"),
        ("1000", "1000:1001"),
        ("1000:", "1000:1001"),
        ("7:8", "7:8"),
        ("web:disk", "1000:6"),
        (":29", "0:29"),
        (":", "0:0"),
    ] {
        assert_eq!(id(user).ok(), want, "{user}");
    }
}

/// CVE-2022-36109, CVE-2022-2989, CVE-2022-2990, CVE-2022-2995, CVE-2023-25173
#[test]
fn supplementary_groups_are_those_of_the_image_and_the_primary_one() {
    if in_user_namespace() {
        skipped("groups cannot be set in a user namespace with one id");
        return;
    }
    let bundle = Bundle::sh("sleep 1000");
    fs::write(bundle.in_root("etc/passwd"), "web:x:1000:1001::/web:/bin/sh\n").unwrap();
    fs::write(bundle.in_root("etc/group"), "web:x:1001:\ndisk:x:6:root,web\naudio:x:29:web\n").unwrap();
    bundle.start();
    assert_eq!(bundle.oci(["exec", "-u", "web", "c", "id", "-G"]).ok(), "1001 6 29");
    assert_eq!(bundle.oci(["exec", "-u", "web:disk", "c", "id", "-G"]).ok(), "6");
    assert_eq!(bundle.exec("id -G").ok(), "0", "none of the caller's");
}

/// CVE-2024-9676
#[test]
fn a_passwd_file_that_is_none_stops_nothing() {
    let bundle = Bundle::sh("sleep 1000");
    bundle.start();
    let passwd = bundle.in_root("etc/passwd");
    let id = || {
        let start = Instant::now();
        let said = bundle.oci(["exec", "-u", "web", "c", "id"]);
        assert!(start.elapsed() < Duration::from_secs(60), "it hung");
        let _ = fs::remove_file(&passwd);
        said.fails()
    };
    bundle.exec("mknod /etc/passwd p").ok();
    assert!(id().contains("it is not a regular file"));
    symlink("/dev/zero", &passwd).unwrap();
    assert!(id().contains("leads to another file system"));
    fs::File::create(&passwd).unwrap().set_len(10 << 30).unwrap();
    assert!(id().contains("it is larger than 1 MiB"));
    symlink("/../../../../../../etc/passwd", &passwd).unwrap();
    assert!(id().contains("Too many levels") || !passwd.exists());
    symlink("/proc/self/environ", &passwd).unwrap();
    assert!(id().contains("leads to another file system"));
}

/// CVE-2026-57231
#[test]
fn entries_of_the_environment_without_a_value_take_none_from_the_host() {
    let bundle = Bundle::sh("env | grep -c SECRET; env | sort")
        .with(|config| config["process"]["env"] = json!(["PATH=/bin", "SECRET", "*", "S*", "=x", "A="]));
    bundle.write();
    let said: Said = bundle.command(["run", "c"]).env("SECRET", "host").output().unwrap().into();
    assert_eq!(said.ok(), "0\nA=\nHOME=/\nPATH=/bin\nPWD=/\nSHLVL=1");
}

/// CVE-2026-53488
#[test]
fn annotations_change_nothing() {
    let canary = tempfile::tempdir().unwrap();
    let touch = format!("touch {}/x", canary.path().display());
    let bundle = Bundle::sh("echo fine").with(|config| {
        let mut annotations = serde_json::Map::new();
        for key in [
            "run.oci.handler",
            "run.oci.hooks.stderr",
            "io.podman.annotations.init",
            "org.systemd.property.ExecStart",
        ] {
            annotations.insert(key.to_owned(), json!(touch));
        }
        config["annotations"] = Value::Object(annotations);
    });
    assert_eq!(bundle.run().ok(), "fine");
    assert_eq!(fs::read_dir(canary.path()).unwrap().count(), 0);
}

/// CVE-2018-10892, GHSA-jq35-85cj-fj4p, GHSA-6fw5-f8r9-fgfm
#[test]
fn what_tells_of_the_host_is_masked_and_what_changes_it_is_read_only() {
    let spec = Bundle::new().config.clone();
    let list = |field: &str| -> Vec<String> {
        spec["linux"][field]
            .as_array()
            .unwrap()
            .iter()
            .map(|path| path.as_str().unwrap().to_owned())
            .collect()
    };
    let masked = list("maskedPaths").join(" ");
    let script = format!(
        "for p in {masked}; do if test -d $p; then test -z \"$(ls $p)\" || echo open $p; \
         elif test -e $p; then test -z \"$(cat $p)\" || echo open $p; fi; done; \
         for p in {}; do test -e $p || continue; touch $p/x 2>/dev/null && echo writable $p; done; \
         (echo 1 > /proc/sys/kernel/core_pattern) 2>/dev/null && echo writable; \
         (echo b > /proc/sysrq-trigger) 2>/dev/null && echo rebooted; echo done",
        list("readonlyPaths").join(" ")
    );
    assert_eq!(Bundle::sh(&script).run().ok(), "done");
}

/// CVE-2022-1227, CVE-2019-14271, CVE-2026-41567
#[test]
fn no_program_of_the_container_runs_on_the_host() {
    let canary = tempfile::tempdir().unwrap();
    let bundle = Bundle::sh("sleep 1000");
    let trojan =
        format!("#!/bin/sh\n/bin/busybox touch {0}/$(/bin/busybox basename $0)\n", canary.path().display());
    for name in
        ["nsenter", "xz", "unpigz", "gzip", "ps", "runc", "hoist", "mount", "newuidmap", "getent", "ldconfig"]
    {
        let _ = fs::remove_file(bundle.in_root("bin").join(name));
        write_script(&bundle, &format!("bin/{name}"), &trojan);
    }
    fs::create_dir_all(bundle.in_root("lib")).unwrap();
    write_script(&bundle, "lib/libnss_files.so.2", &trojan);
    write_script(&bundle, "etc/nsswitch.conf", "passwd: files\n");
    fs::write(bundle.in_root("etc/passwd"), "web:x:0:0::/:/bin/sh\n").unwrap();
    bundle.start();
    bundle.oci(["ps", "c"]).ok();
    bundle.oci(["exec", "-u", "web", "c", "true"]).ok();
    bundle.oci(["pause", "c"]).ok();
    bundle.oci(["resume", "c"]).ok();
    bundle.oci(["delete", "-f", "c"]).ok();
    assert_eq!(fs::read_dir(canary.path()).unwrap().count(), 0);
}

/// CVE-2021-43784
#[test]
fn a_report_of_any_bytes_is_an_error_and_no_panic() {
    let mut state = 1_u64;
    for length in 0..2000 {
        let bytes: Vec<u8> = (0..length % 97)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                state.to_le_bytes()[7]
            })
            .collect();
        let _ = hoist::internals::runtime::read_report(&bytes); // any result is fine
    }
    assert!(
        hoist::internals::runtime::read_report(
            br#"{"Failed":{"Step":{"step":"s","call":"c","errno":1,"text":""}}}"#
        )
        .is_err()
    );
    assert!(hoist::internals::runtime::read_report(br#""Executing""#).is_ok());
}

/// The keys of the caller are not accessible.
#[test]
fn a_container_has_a_session_keyring_of_its_own_and_cannot_use_keys() {
    let said = probe(with_docker_filter(Bundle::new()));
    assert_eq!(said["keyctl"], libc::EPERM);
    assert_eq!(said["add_key"], libc::EPERM);
    let free = probe(Bundle::new());
    assert_eq!(free["keyctl"], 0, "without a filter the new keyring is there");
}

#[test]
fn dockers_filter_refuses_real_system_calls() {
    let said = probe(with_docker_filter(Bundle::new()));
    let want = [
        ("clone3", libc::ENOSYS),
        ("unshare", libc::EPERM),
        ("mount", libc::EPERM),
        ("io_uring_setup", libc::EPERM),
        ("userfaultfd", libc::EPERM),
        ("bpf", libc::EPERM),
        ("socket AF_VSOCK", libc::EPERM),
        ("socket AF_VSOCK with a bit above", libc::EPERM),
        ("socket AF_ALG", libc::EPERM),
        ("socket AF_INET", 0),
        ("personality ADDR_NO_RANDOMIZE", libc::EPERM),
        ("number 1000", libc::ENOSYS),
    ];
    for (call, errno) in want {
        assert_eq!(said[call], errno, "{call}");
    }
}

/// Returns a disk of this machine. Reading from it requires no capability.
fn a_disk() -> Option<String> {
    let mut disks: Vec<String> = fs::read_dir("/sys/dev/block")
        .ok()?
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().replace(':', " "))
        .collect();
    disks.sort();
    disks.into_iter().next()
}

#[test]
fn devices_of_the_host_cannot_be_opened() {
    if in_user_namespace() {
        assert!(Bundle::sh("mknod /tmp/node c 5 1").run().fails().contains("Operation not permitted"));
        return;
    }
    let open = |node: &str| Bundle::sh(&format!("mknod /tmp/node {node} && : < /tmp/node"));
    let disk = format!("b {}", a_disk().unwrap());
    // The console belongs to the host; a container's own console is its terminal.
    for node in [disk.as_str(), "c 5 1"] {
        let told = open(node).run().fails();
        assert_eq!(told, "sh: can't open /tmp/node: Operation not permitted\n", "{node}");
    }
    // The device rules are what denies access.
    let free = open(&disk).with(|config| {
        config["linux"]["resources"]["devices"] = json!([{ "allow": true, "access": "rwm" }]);
    });
    free.run().ok();
    assert_eq!(Bundle::sh("head -c 1 /dev/zero | wc -c; echo x > /dev/null").run().ok(), "1");
}

#[test]
fn privileges_cannot_be_gained_where_that_is_forbidden() {
    let bundle = Bundle::sh("grep NoNewPrivs /proc/self/status")
        .with(|config| config["process"]["noNewPrivileges"] = json!(true));
    assert_eq!(bundle.run().ok(), "NoNewPrivs:\t1");
}

/// Runs system calls in a container, and returns their errno, or 0 for success. The program is this
/// test binary, which is static.
fn probe(bundle: Bundle) -> serde_json::Map<String, Value> {
    let me = std::env::current_exe().unwrap();
    let bundle = bundle
        .with_mount(
            json!({ "destination": "/probe", "type": "bind", "source": me, "options": ["bind", "ro"] }),
        )
        .with(|config| {
            config["process"]["args"] =
                json!(["/probe", "--exact", "security::the_probe_inside", "--nocapture"]);
            config["process"]["env"].as_array_mut().unwrap().push(json!("HOIST_PROBE=1"));
        });
    let out = bundle.run().ok();
    let line = out.lines().find(|line| line.starts_with('{')).unwrap_or_else(|| panic!("no answer: {out}"));
    serde_json::from_str(line).unwrap()
}

/// Not a test, but the program run by [`probe`].
#[test]
#[expect(clippy::disallowed_methods, reason = "it is how the container knows its part")]
fn the_probe_inside() {
    if std::env::var_os("HOIST_PROBE").is_none() {
        return;
    }
    let zeroes = [0_u64; 16];
    let address = zeroes.as_ptr().addr().cast_signed() as i64;
    let bit = 1_i64 << 32;
    let path = CString::new("/nowhere").unwrap();
    let path = path.as_ptr().addr().cast_signed() as i64;
    let table: &[(&str, i64, [i64; 5])] = &[
        ("clone3", libc::SYS_clone3, [0, 0, 0, 0, 0]),
        ("unshare", libc::SYS_unshare, [libc::CLONE_NEWUSER.into(), 0, 0, 0, 0]),
        ("mount", libc::SYS_mount, [path, path, path, 0, 0]),
        ("io_uring_setup", libc::SYS_io_uring_setup, [1, address, 0, 0, 0]),
        ("userfaultfd", libc::SYS_userfaultfd, [0; 5]),
        ("bpf", libc::SYS_bpf, [0, address, 0, 0, 0]),
        ("keyctl", libc::SYS_keyctl, [0, -3, 0, 0, 0]),
        ("add_key", libc::SYS_add_key, [path, path, 0, 0, 0]),
        ("socket AF_VSOCK", libc::SYS_socket, [40, 1, 0, 0, 0]),
        ("socket AF_VSOCK with a bit above", libc::SYS_socket, [40 | bit, 1, 0, 0, 0]),
        ("socket AF_ALG", libc::SYS_socket, [38, 5, 0, 0, 0]),
        ("socket AF_INET", libc::SYS_socket, [2, 1, 0, 0, 0]),
        ("personality ADDR_NO_RANDOMIZE", libc::SYS_personality, [0x0004_0000, 0, 0, 0, 0]),
        ("number 1000", 1000, [0; 5]),
    ];
    let mut answers = serde_json::Map::new();
    for (name, number, [a, b, c, d, e]) in table {
        // SAFETY: the addresses are those of a C string and of zeroes that outlive the call; none
        // of these calls writes through them.
        let ret = unsafe { libc::syscall(*number, *a, *b, *c, *d, *e) };
        let errno = if ret == -1 { std::io::Error::last_os_error().raw_os_error() } else { Some(0) };
        answers.insert((*name).to_owned(), json!(errno));
    }
    println!("\n{}", Value::Object(answers));
}
