//! The namespaces of bundles on the real kernel: new, joined by path and inherited
//! (config-linux.md, "Namespaces"). Needs root, or a user namespace that maps it, and
//! busybox-static.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::bundle::{Bundle, HOIST, Said};
use crate::support::{in_user_namespace, skipped};

/// Types in the specification, with their files in /proc/PID/ns.
const TYPES: [(&str, &str); 8] = [
    ("pid", "pid"),
    ("network", "net"),
    ("ipc", "ipc"),
    ("uts", "uts"),
    ("mount", "mnt"),
    ("user", "user"),
    ("cgroup", "cgroup"),
    ("time", "time"),
];

/// Prints the namespaces of the container's process, one a line, in the order of [`TYPES`].
const SHOW: &str = "cd /proc/self/ns; for ns in pid net ipc uts mnt user cgroup time; do readlink $ns; done";

/// A process in namespaces of its own, which ends with the test.
struct Owner(Child);

impl Owner {
    /// Starts it with these options of unshare(1).
    fn unshare(options: &[&str]) -> Self {
        let mut command = Command::new("unshare");
        // It writes once it is in its namespaces, and ends with its standard input.
        command
            .args(options)
            .args(["sh", "-c", "echo; exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = [0];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut line).unwrap();
        Self(child)
    }

    fn path(&self, file: &str) -> PathBuf {
        // The pid namespace is that of its children.
        let process = match file {
            "pid" => return PathBuf::from(format!("/proc/{}/ns/pid_for_children", self.0.id())),
            _ => self.0.id(),
        };
        PathBuf::from(format!("/proc/{process}/ns/{file}"))
    }

    fn id(&self, file: &str) -> String {
        fs::read_link(self.path(file)).unwrap().display().to_string()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

fn own(file: &str) -> String {
    fs::read_link(format!("/proc/self/ns/{file}")).unwrap().display().to_string()
}

/// Replaces the namespaces of the bundle.
fn with_namespaces(bundle: Bundle, namespaces: Value) -> Bundle {
    bundle.with(|config| {
        config["linux"]["namespaces"] = namespaces;
        config["hostname"] = Value::Null;
        // In a user namespace, these need namespaces of their own.
        let needs = ["/sys/fs/cgroup", "/dev/mqueue"].map(Value::from);
        config["mounts"].as_array_mut().unwrap().retain(|mount| !needs.contains(&mount["destination"]));
    })
}

fn lines(said: Said) -> Vec<String> {
    said.ok().lines().map(str::to_owned).collect()
}

#[test]
fn namespaces_that_are_not_listed_are_the_callers() {
    let bundle = with_namespaces(Bundle::sh(SHOW), json!([{ "type": "mount" }]));
    let inside = lines(bundle.run());
    for (number, (kind, file)) in TYPES.iter().enumerate() {
        assert_eq!(inside[number] == own(file), *kind != "mount", "{kind}: {inside:?}");
    }
}

#[test]
fn a_namespace_of_each_type_is_new_if_it_has_no_path() {
    let all: Vec<Value> = TYPES.iter().map(|(kind, _)| json!({ "type": kind })).collect();
    let bundle = with_namespaces(Bundle::sh(SHOW), json!(all)).with(|config| {
        let map = json!([{ "containerID": 0, "hostID": 0, "size": 1 }]);
        config["linux"]["uidMappings"] = map.clone();
        config["linux"]["gidMappings"] = map;
    });
    let inside = lines(bundle.run());
    for (number, (kind, file)) in TYPES.iter().enumerate() {
        assert_ne!(inside[number], own(file), "{kind}");
    }
}

#[test]
fn namespaces_are_joined_by_path() {
    let owner = Owner::unshare(&["-n", "-i", "-u", "-C", "-T", "-m"]);
    for (number, (kind, file)) in TYPES.iter().enumerate() {
        if matches!(*kind, "pid" | "user" | "mount") {
            continue;
        }
        let list = json!([{ "type": "mount" }, { "type": kind, "path": owner.path(file) }]);
        let bundle = with_namespaces(Bundle::sh(SHOW), list);
        assert_eq!(lines(bundle.run())[number], owner.id(file), "{kind}");
        let bundle = bundle.with(|config| config["process"]["args"] = json!(["sleep", "1000"]));
        bundle.start();
        assert_eq!(lines(bundle.exec(SHOW))[number], owner.id(file), "exec: {kind}");
    }
}

#[test]
fn a_pid_namespace_is_joined_by_path() {
    let sleeper = Bundle::sh("exec sleep 1000");
    sleeper.start();
    let path = format!("/proc/{}/ns/pid", sleeper.state()["pid"]);
    let list = json!([{ "type": "mount" }, { "type": "pid", "path": path }, { "type": "time" }]);
    let bundle = with_namespaces(Bundle::sh(&format!("{SHOW}; ps -o args | grep -c '^sleep 1000'")), list);
    let inside = lines(bundle.run());
    assert_eq!(inside[0], fs::read_link(&path).unwrap().display().to_string());
    assert_ne!(inside[7], own("time"));
    assert_eq!(inside[8], "1");
}

#[test]
fn a_user_namespace_is_joined_with_the_namespaces_that_it_owns() {
    let owner = Owner::unshare(&["-U", "-r", "-n", "-u"]);
    let path = |file: &str| owner.path(file);
    let map = json!([{ "containerID": 0, "hostID": 0, "size": 1 }]);
    for others in [
        json!([{ "type": "network", "path": path("net") }, { "type": "uts" }, { "type": "pid" }, { "type": "ipc" }]),
        json!([{ "type": "pid" }, { "type": "time" }, { "type": "cgroup" }, { "type": "network" }, { "type": "ipc" }]),
    ] {
        let mut list = vec![json!({ "type": "mount" }), json!({ "type": "user", "path": path("user") })];
        list.extend(others.as_array().unwrap().clone());
        let script = format!("{SHOW}; id -u; echo $$; hostname 2>&1 >/dev/null");
        let bundle = with_namespaces(Bundle::sh(&script), json!(list)).with(|config| {
            config["linux"]["uidMappings"] = map.clone();
        });
        let inside = lines(bundle.run());
        assert_eq!(inside[5], owner.id("user"));
        let joins = others[0]["path"].is_string();
        assert_eq!(inside[1] == owner.id("net"), joins, "{inside:?}");
        assert_ne!(inside[1], own("net"));
        assert_ne!(inside[0], own("pid"));
        assert_eq!(&inside[8..], ["0", "1"]);
        let bundle = bundle.with(|config| config["process"]["args"] = json!(["sleep", "1000"]));
        bundle.start();
        let exec = lines(bundle.exec(SHOW));
        assert_eq!(exec[5], owner.id("user"));
        assert_eq!(exec[1] == owner.id("net"), joins);
    }
    let bundle = with_namespaces(
        Bundle::new(),
        json!([{ "type": "mount" }, { "type": "user", "path": path("user") }]),
    )
    .with(|config| {
        config["linux"]["gidMappings"] = json!([{ "containerID": 0, "hostID": 1, "size": 1 }]);
    });
    let told = bundle.run().fails();
    assert!(told.contains("`linux.gidMappings`: they are not those of the user namespace"), "{told}");
}

#[test]
fn a_new_user_namespace_can_use_namespaces_of_the_host() {
    if in_user_namespace() {
        skipped("its network cannot be joined from a namespace below");
        return;
    }
    let owner = Owner::unshare(&["-n", "-i"]);
    let list = json!([
        { "type": "user" }, { "type": "mount" }, { "type": "pid" }, { "type": "uts" },
        { "type": "network", "path": owner.path("net") }, { "type": "ipc", "path": owner.path("ipc") }
    ]);
    let bundle = with_namespaces(Bundle::sh(&format!("{SHOW}; id -u; echo $$")), list).with(|config| {
        let map = json!([{ "containerID": 0, "hostID": 0, "size": 1000 }]);
        config["linux"]["uidMappings"] = map.clone();
        config["linux"]["gidMappings"] = map;
        config["mounts"].as_array_mut().unwrap().retain(|mount| mount["destination"] != "/sys");
    });
    let inside = lines(bundle.run());
    assert_eq!((&inside[1], &inside[2]), (&owner.id("net"), &owner.id("ipc")));
    assert_eq!(&inside[8..], ["0", "1"]);
}

#[test]
fn a_mount_namespace_is_joined_by_path_without_changes_for_others_in_it() {
    let owner = Owner::unshare(&["-m"]);
    let list = json!([{ "type": "pid" }, { "type": "mount", "path": owner.path("mnt") }]);
    let script = format!("{SHOW}; readlink /proc/1/root; ls /; touch /proc/sys/x 2>&1");
    let bundle = with_namespaces(Bundle::sh(&script), list);
    let others_root = || fs::metadata(format!("/proc/{}/root/", owner.0.id())).unwrap().ino();
    let before = others_root();
    let said = bundle.run();
    let inside: Vec<&str> = said.out.lines().collect();
    assert_eq!(inside[4], owner.id("mnt"));
    assert_eq!(inside[8], "/");
    let listing: Vec<&str> = inside[9..].iter().copied().filter(|name| !name.contains(' ')).collect();
    assert_eq!(listing, ["bin", "dev", "etc", "proc", "sys", "tmp"]);
    assert_eq!(others_root(), before);
    let bundle = bundle.with(|config| config["process"]["args"] = json!(["sleep", "1000"]));
    bundle.start();
    let exec = bundle.exec(&format!("{SHOW}; ls /"));
    assert_eq!(
        lines(exec)[4..],
        [
            owner.id("mnt").as_str(),
            &own("user"),
            &own("cgroup"),
            &own("time"),
            "bin",
            "dev",
            "etc",
            "proc",
            "sys",
            "tmp"
        ]
    );
}

#[test]
fn without_a_mount_namespace_the_root_is_mounted_for_the_caller_until_it_is_deleted() {
    let bundle = with_namespaces(Bundle::sh("exec sleep 1000"), json!([{ "type": "pid" }]));
    bundle.write();
    let root = bundle.path("rootfs").canonicalize().unwrap().display().to_string();
    // In a mount namespace of its own, so that nothing is left if this fails.
    let script = format!(
        "oci() {{ {HOIST} oci --root state \"$@\"; }}
         count() {{ grep -c ' {root}[ /]' /proc/self/mountinfo; }}
         oci create c >/dev/null 2>&1 </dev/null && oci start c || exit 1
         [ $(readlink /proc/self/ns/mnt) = $(oci exec c readlink /proc/self/ns/mnt) ] || exit 2
         oci exec c ls /; [ $(count) -gt 3 ] || exit 3
         oci delete -f c || exit 4; count
         sed -i 's/\"sh\"/\"nosuch\"/' config.json
         oci create c 2>/dev/null && exit 5; count; true"
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script]).current_dir(bundle.dir.path()).stdin(Stdio::null());
    let said: Said = command.output().unwrap().into();
    assert_eq!(said.ok(), "bin\ndev\netc\nproc\nsys\ntmp\n0\n0");
}

#[test]
fn a_time_namespace_has_its_own_clocks() {
    let day = 24 * 60 * 60;
    let list = json!([{ "type": "mount" }, { "type": "time" }, { "type": "pid" }]);
    let bundle = with_namespaces(Bundle::sh("cat /proc/self/timens_offsets; cut -d. -f1 /proc/uptime"), list)
        .with(|config| {
            config["linux"]["timeOffsets"] =
                json!({ "boottime": { "secs": 100 * day, "nanosecs": 5 }, "monotonic": { "secs": day } });
        });
    let said = bundle.run().ok();
    let words: Vec<&str> = said.split_ascii_whitespace().collect();
    assert_eq!(words[..6], ["monotonic", "86400", "0", "boottime", "8640000", "5"]);
    let uptime: f64 = fs::read_to_string("/proc/uptime").unwrap().split(' ').next().unwrap().parse().unwrap();
    let inside: f64 = words[6].parse().unwrap();
    assert!((inside - uptime - 8_640_000.0).abs() < 60.0, "{inside} {uptime}");
    let bundle = bundle.with(|config| config["process"]["args"] = json!(["sleep", "1000"]));
    bundle.start();
    let exec: f64 = bundle.exec("cut -d. -f1 /proc/uptime").ok().parse().unwrap();
    assert!(exec > 8_640_000.0, "{exec}");
}

#[test]
fn faults_in_the_list_are_refused() {
    let owner = Owner::unshare(&["-n"]);
    let refused = |namespaces: Value, linux: Value| {
        let bundle = with_namespaces(Bundle::new(), namespaces).with(|config| {
            let all = config["linux"].as_object_mut().unwrap();
            all.extend(linux.as_object().unwrap().clone());
        });
        bundle.run().fails()
    };
    let net = owner.path("net");
    let map = json!([{ "containerID": 0, "hostID": 0, "size": 1 }]);
    let offsets = json!({ "timeOffsets": { "monotonic": { "secs": 1 } } });
    let time = |offsets: Value| {
        refused(json!([{ "type": "mount" }, { "type": "time" }]), json!({ "timeOffsets": offsets }))
    };
    fs::write("/tmp/hoist-not-a-namespace", "").unwrap();
    let cases = [
        (
            refused(json!([{ "type": "mount" }, { "type": "ipc" }, { "type": "ipc" }]), json!({})),
            "`linux.namespaces`: `ipc` is listed twice".to_owned(),
        ),
        (
            refused(json!([{ "type": "mount" }, { "type": "uts", "path": net }]), json!({})),
            format!("`linux.namespaces`: `{}` is not a uts namespace", net.display()),
        ),
        (
            refused(
                json!([{ "type": "mount" }, { "type": "network", "path": "/tmp/hoist-not-a-namespace" }]),
                json!({}),
            ),
            "`/tmp/hoist-not-a-namespace` is not a network namespace".to_owned(),
        ),
        (
            refused(
                json!([{ "type": "mount" }, { "type": "network", "path": "proc/self/ns/net" }]),
                json!({}),
            ),
            "`proc/self/ns/net` is not an absolute path".to_owned(),
        ),
        (
            refused(json!([{ "type": "mount" }, { "type": "network", "path": "/nosuch" }]), json!({})),
            "open(/nosuch): no such file or directory".to_owned(),
        ),
        (
            refused(json!([{ "type": "mount" }]), json!({ "uidMappings": map })),
            "`linux.uidMappings`: they require a user namespace".to_owned(),
        ),
        (
            refused(json!([{ "type": "mount" }, { "type": "user" }]), json!({})),
            "`linux.uidMappings`: a user namespace requires mappings".to_owned(),
        ),
        (
            refused(json!([{ "type": "mount" }]), offsets.clone()),
            "`linux.timeOffsets`: they require a time namespace".to_owned(),
        ),
        (
            refused(json!([{ "type": "mount" }, { "type": "time", "path": "/proc/self/ns/time" }]), offsets),
            "the clocks of an existing time namespace cannot be set".to_owned(),
        ),
        (
            time(json!({ "realtime": { "secs": 1 } })),
            "`realtime` is not a clock of a time namespace".to_owned(),
        ),
        (
            time(json!({ "monotonic": { "nanosecs": 1_000_000_000 } })),
            "`monotonic` has more than 999999999 nanoseconds".to_owned(),
        ),
        (time(json!({ "monotonic": { "secs": i64::MIN } })), "timens_offsets".to_owned()),
    ];
    fs::remove_file("/tmp/hoist-not-a-namespace").unwrap();
    for (told, expected) in cases {
        assert!(told.contains(&expected), "{told}\n{expected}");
    }
}

#[test]
fn a_container_joins_all_namespaces_of_another_but_its_mounts() {
    let mapped = |bundle: Bundle| {
        bundle.with(|config| {
            let map = json!([{ "containerID": 0, "hostID": 0, "size": 1 }]);
            config["linux"]["uidMappings"] = map.clone();
            config["linux"]["gidMappings"] = map;
        })
    };
    let all: Vec<Value> = TYPES.iter().map(|(kind, _)| json!({ "type": kind })).collect();
    let other = mapped(with_namespaces(Bundle::sh("exec sleep 1000"), json!(all)));
    other.start();
    let pid = other.state()["pid"].to_string();
    let path = |file: &str| format!("/proc/{pid}/ns/{file}");
    let list: Vec<Value> = TYPES
        .iter()
        .map(|(kind, file)| match *kind {
            "mount" => json!({ "type": kind }),
            _ => json!({ "type": kind, "path": path(file) }),
        })
        .collect();
    let script = format!("{SHOW}; ps -o args | grep -c '^sleep 1000'; id -u");
    let bundle = mapped(with_namespaces(Bundle::sh(&script), json!(list)));
    let inside = lines(bundle.run());
    for (number, (kind, file)) in TYPES.iter().enumerate() {
        let theirs = fs::read_link(path(file)).unwrap().display().to_string();
        assert_eq!(inside[number] == theirs, *kind != "mount", "{kind}");
    }
    assert_eq!(&inside[8..], ["1", "0"]);
}
