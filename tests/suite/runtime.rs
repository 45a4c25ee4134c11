//! Less common features of the runtime: user namespaces, joined namespaces, mount propagation, an
//! interrupted start. Needs root, or a user namespace that maps it.

use std::fs;
use std::process::{Child, Command, Stdio};

use crate::bundle::{self, Bundle};
use crate::support::{in_user_namespace, skipped};
use serde_json::json;

/// A process in its own namespaces, killed at the end of the test.
struct Holder(Child);

impl Holder {
    fn new(flag: &str) -> Self {
        let mut child = Command::new("unshare")
            .args([flag, "sh", "-c", "echo up; exec sleep 1000"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut up = [0; 3];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut up).unwrap();
        Self(child)
    }

    fn namespace(&self, kind: &str) -> String {
        format!("/proc/{}/ns/{kind}", self.0.id())
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill(); // it may have exited
        let _ = self.0.wait();
    }
}

#[test]
fn a_container_in_a_user_namespace_is_root_only_there() {
    if in_user_namespace() {
        skipped("one id cannot be mapped to many");
        return;
    }
    let bundle = Bundle::sh("cat /proc/self/uid_map | tr -s ' '; id -u; touch /tmp/x && stat -c %u /tmp/x; echo x > /dev/null && echo null; mount -t tmpfs t /tmp 2>/dev/null || echo no mount")
        .with(|config| {
            config["linux"]["namespaces"].as_array_mut().unwrap().push(json!({ "type": "user" }));
            config["linux"]["uidMappings"] = json!([{ "containerID": 0, "hostID": 100_000, "size": 1000 }]);
            config["linux"]["gidMappings"] = json!([{ "containerID": 0, "hostID": 100_000, "size": 1000 }]);
        });
    std::os::unix::fs::chown(bundle.in_root("tmp"), Some(100_000), Some(100_000)).unwrap();
    fs::set_permissions(bundle.dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(bundle.run().ok(), " 0 100000 1000\n0\n0\nnull\nno mount");
    let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata(bundle.in_root("tmp/x")).unwrap());
    assert_eq!(owner, 100_000);
}

#[test]
fn namespaces_of_other_processes_are_joined_by_their_path() {
    let holder = Holder::new("-nui");
    let bundle = Bundle::sh("for n in net uts ipc; do readlink /proc/self/ns/$n; done").with(|config| {
        config.as_object_mut().unwrap().remove("hostname");
        for namespace in config["linux"]["namespaces"].as_array_mut().unwrap() {
            let kind = match namespace["type"].as_str().unwrap() {
                "network" => "net",
                "uts" => "uts",
                "ipc" => "ipc",
                _ => continue,
            };
            namespace["path"] = json!(holder.namespace(kind));
        }
    });
    let want: Vec<String> = ["net", "uts", "ipc"]
        .iter()
        .map(|kind| fs::read_link(holder.namespace(kind)).unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(bundle.run().ok(), want.join("\n"));
}

#[test]
fn a_pid_namespace_is_joined_by_being_born_into_it() {
    let first = Bundle::sh("exec sleep 1000");
    first.start();
    let pid = first.state()["pid"].to_string();
    let second = Bundle::sh("ps -o args | grep -c '^sleep 1000'").with(|config| {
        for namespace in config["linux"]["namespaces"].as_array_mut().unwrap() {
            if namespace["type"] == "pid" {
                namespace["path"] = json!(format!("/proc/{pid}/ns/pid"));
            }
        }
    });
    assert_eq!(second.run().ok(), "1");
}

#[test]
fn the_hosts_namespaces_are_shared_where_the_spec_names_none() {
    let bundle = Bundle::sh("readlink /proc/self/ns/net; readlink /proc/self/ns/pid").with(|config| {
        let kept = |namespace: &serde_json::Value| namespace["type"] == "mount";
        config["linux"]["namespaces"].as_array_mut().unwrap().retain(kept);
        config.as_object_mut().unwrap().remove("hostname");
        if in_user_namespace() && !std::path::Path::new("/dev/mqueue").exists() {
            // It could only be the host's, and this host has none.
            let kept = |mount: &serde_json::Value| mount["type"] != "mqueue";
            config["mounts"].as_array_mut().unwrap().retain(kept);
        }
        // The host's sysfs and procfs are visible, since mounting new ones requires the namespaces.
        config["process"]["args"][2] =
            json!("readlink /proc/self/ns/net; readlink /proc/self/ns/pid; ls -d /sys/class/net/lo");
    });
    let link = |kind: &str| fs::read_link(format!("/proc/self/ns/{kind}")).unwrap().display().to_string();
    assert_eq!(bundle.run().ok(), format!("{}\n{}\n/sys/class/net/lo", link("net"), link("pid")));
}

#[test]
fn a_mount_on_the_host_reaches_a_container_that_follows_it() {
    if in_user_namespace() {
        skipped("what is mounted there belongs to the user namespace above");
        return;
    }
    // In the test's own mount namespaces, so that nothing remains mounted.
    let bundle = Bundle::sh("sleep 1000");
    fs::create_dir(bundle.path("v")).unwrap();
    let bundle = bundle
        .with_mount(json!({ "destination": "/follows", "type": "bind", "source": "v", "options": ["rbind", "rslave"] }))
        .with_mount(json!({ "destination": "/stays", "type": "bind", "source": "v", "options": ["rbind"] }));
    bundle.write();
    let script = "mount -t tmpfs v v && mount --make-shared v && mkdir v/sub && \
        $H create c >/dev/null 2>&1 && $H start c && mount -t tmpfs s v/sub && touch v/sub/late && \
        $H exec c ls /follows/sub /stays/sub; $H delete -f c";
    let said: bundle::Said = Command::new("unshare")
        .args(["-m", "sh", "-c", script])
        .env("H", format!("{} oci --root {}", bundle::HOIST, bundle.path("state").display()))
        .current_dir(bundle.dir.path())
        .stdin(Stdio::null())
        .output()
        .unwrap()
        .into();
    assert_eq!(said.ok(), "/follows/sub:\nlate\n\n/stays/sub:");
}

#[test]
fn a_created_container_that_is_deleted_never_runs() {
    let bundle = Bundle::sh("touch /tmp/ran");
    bundle.write();
    let mut create = bundle.command(["create", "c"]);
    assert!(create.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
    bundle.oci(["delete", "-f", "c"]).ok();
    assert!(!bundle.in_root("tmp/ran").exists());
    assert_eq!(bundle.oci(["list", "-q"]).ok(), "");
}
