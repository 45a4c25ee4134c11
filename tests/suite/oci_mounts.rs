//! Tests the mounts of `hoist oci` against the runtime specification (config.md, "Mounts"). Needs
//! root, and busybox-static.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::bundle::{Bundle, HOIST, Said};
use crate::support::{in_user_namespace, skipped};

fn tmpfs(destination: &str, options: &[&str]) -> Value {
    json!({ "destination": destination, "type": "tmpfs", "source": "tmpfs", "options": options })
}

#[test]
fn a_tmpfs_is_filled_with_what_it_covers() {
    let script = "cd /full; stat -c '%n %a %u:%g %h %Y %F' . file sub sub/deep link fifo suid; readlink link; \
                  cat file sub/deep; ls -A socket; touch new; grep -c ' /full tmpfs ' /proc/mounts";
    let bundle = Bundle::sh(script).with_mount(tmpfs("/full", &["tmpcopyup", "nosuid"]));
    let root = bundle.in_root("full");
    fs::create_dir_all(root.join("sub")).unwrap();
    fs::write(root.join("file"), "content\n").unwrap();
    fs::hard_link(root.join("file"), root.join("sub/deep")).unwrap();
    fs::write(root.join("suid"), "").unwrap();
    symlink("sub/deep", root.join("link")).unwrap();
    let fifo = Command::new("mkfifo").arg(root.join("fifo")).status().unwrap();
    assert!(fifo.success());
    drop(std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap());
    let (uid, gid) = if in_user_namespace() { (0, 0) } else { (1000, 2000) };
    std::os::unix::fs::chown(root.join("suid"), Some(uid), Some(gid)).unwrap();
    for (name, mode) in [("suid", 0o4755), ("file", 0o640), ("sub", 0o1770), ("fifo", 0o604), ("", 0o711)] {
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    for name in ["file", "sub", "suid"] {
        fs::File::open(root.join(name)).unwrap().set_modified(time).unwrap();
    }
    let time = |name: &str| fs::symlink_metadata(root.join(name)).unwrap().mtime();

    let said = bundle.run().ok();
    let expected = format!(
        ". 711 0:0 3 {} directory\nfile 640 0:0 1 1000000000 regular file\n\
         sub 1770 0:0 2 1000000000 directory\nsub/deep 640 0:0 1 1000000000 regular file\n\
         link 777 0:0 1 {} symbolic link\nfifo 604 0:0 1 {} fifo\n\
         suid 4755 {uid}:{gid} 1 1000000000 regular empty file\nsub/deep\ncontent\ncontent\n1",
        time(""),
        time("link"),
        time("fifo"),
    );
    assert_eq!(said, expected);
    assert!(!root.join("new").exists());
}

#[test]
fn a_tmpfs_has_the_mode_of_what_it_covers_or_that_of_its_option() {
    let bundle = Bundle::sh("stat -c %a /covered /given /made /filled")
        .with_mount(tmpfs("/covered", &[]))
        .with_mount(tmpfs("/given", &["mode=700"]))
        .with_mount(tmpfs("/made", &[]))
        .with_mount(tmpfs("/filled", &["tmpcopyup", "mode=750"]));
    for name in ["covered", "given", "filled"] {
        fs::create_dir(bundle.in_root(name)).unwrap();
        fs::set_permissions(bundle.in_root(name), fs::Permissions::from_mode(0o2711)).unwrap();
    }
    assert_eq!(bundle.run().ok(), "2711\n700\n1777\n750");
}

#[test]
fn what_does_not_fit_fails_the_creation() {
    let bundle = Bundle::sh("true").with_mount(tmpfs("/full", &["tmpcopyup", "size=64k"]));
    fs::create_dir(bundle.in_root("full")).unwrap();
    fs::write(bundle.in_root("full/file"), vec![0; 1 << 17]).unwrap();
    let error = bundle.run().fails();
    assert!(error.contains("mount /full") && error.contains("no space left on device"), "{error}");
}

#[test]
fn only_a_tmpfs_is_filled() {
    let bundle = Bundle::sh("true").with_mount(json!({ "destination": "/full", "type": "bind",
        "source": "/etc", "options": ["bind", "tmpcopyup"] }));
    let error = bundle.run().fails();
    assert!(error.contains("`mounts[/full]`: the option `tmpcopyup` is for a tmpfs"), "{error}");
}

#[test]
fn a_read_only_tmpfs_is_filled_too_with_attributes_and_at_any_depth() {
    let bundle = Bundle::sh("exec sleep 1000").with_mount(tmpfs("/full", &["tmpcopyup", "ro"]));
    let root = bundle.in_root("full");
    let name = if in_user_namespace() { "user.hoist" } else { "trusted.hoist" };
    fs::create_dir_all(root.join("sub")).unwrap();
    fs::write(root.join("sub/file"), "x").unwrap();
    for path in ["", "sub", "sub/file"] {
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::setxattr(root.join(path), name, path.as_bytes(), flags).unwrap();
    }
    // More folders than a process may have open files.
    let mut deepest = root.join("sub");
    for _ in 0..300 {
        deepest.push("d");
    }
    let made = Command::new("mkdir").args(["-p".as_ref(), deepest.as_os_str()]).status().unwrap();
    assert!(made.success());
    bundle.write();
    let state = bundle.path("state").display().to_string();
    let create = "ulimit -n 256; exec \"$0\" oci --root \"$1\" create c >/dev/null";
    let mut create = {
        let mut command = Command::new("sh");
        command.args(["-c", create, HOIST, &state]).current_dir(bundle.dir.path());
        command
    };
    assert!(create.status().unwrap().success());
    bundle.oci(["start", "c"]).ok();
    let inside = format!("/proc/{}/root/full", bundle.state()["pid"]);
    for path in ["", "sub", "sub/file"] {
        let mut value = [0; 64];
        let length = rustix::fs::getxattr(format!("{inside}/{path}"), name, value.as_mut_slice()).unwrap();
        assert_eq!(&value[..length], path.as_bytes());
    }
    assert_eq!(bundle.exec("cd /full; find . -type d | wc -l").ok(), "302");
    assert!(bundle.exec("echo > /full/sub/file").fails().contains("Read-only file system"));
}

#[test]
fn a_link_in_the_place_of_proc_or_sys_is_refused() {
    for (place, kind, link) in [
        ("proc", "proc", "tmp"),
        ("sys", "sysfs", "tmp"),
        ("srv/proc", "proc", "../tmp"),
        ("srv/file", "sysfs", ""),
    ] {
        let mount = json!({ "destination": format!("/{place}"), "type": kind, "source": kind });
        let bundle = Bundle::new().with_mount(mount);
        fs::create_dir(bundle.in_root("srv")).unwrap();
        let path = bundle.in_root(place);
        let _ = fs::remove_dir(&path);
        match link {
            "" => fs::write(&path, "").unwrap(),
            link => symlink(link, &path).unwrap(),
        }
        let told = bundle.run().fails();
        let why = "the root file system has a symbolic link or a file there";
        assert!(told.contains(&format!("`mounts[/{place}]`: {why}")), "{told}");
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink() || link.is_empty(), "it is left as it is");
    }
    // On the way to it, a link stays inside the root.
    let bundle = Bundle::sh("ls -d /tmp/there/sys/kernel")
        .with_mount(json!({ "destination": "/link/sys", "type": "sysfs", "source": "sysfs" }));
    symlink("/tmp/there", bundle.in_root("link")).unwrap();
    assert_eq!(bundle.run().ok(), "/tmp/there/sys/kernel");
}

/// Runs the bundle after a shell script, in a mount namespace where that can mount what it likes.
/// `$OCI` is the runtime there.
fn run_after(bundle: &Bundle, script: &str) -> Said {
    bundle.write();
    let script = format!("set -e; OCI='{HOIST} oci --root state'; {script}");
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script]).current_dir(bundle.dir.path()).stdin(Stdio::null());
    command.output().unwrap().into()
}

/// A bind of the folder `src` of the bundle.
fn bind(bundle: &Bundle, destination: &str, options: &[&str]) -> Value {
    let source = bundle.path("src");
    json!({ "destination": destination, "type": "bind", "source": source, "options": options })
}

/// Mounts a tree of two file systems at `src`: the lower one in `src/sub`.
const TREE: &str =
    "mkdir src; mount -t tmpfs -o noatime one src; mkdir src/sub; mount -t tmpfs -o nosuid two src/sub";

#[test]
fn attributes_are_those_of_a_mount_or_of_the_whole_tree() {
    let table = [
        ("rw", "rw,noatime", "rw,nosuid,relatime"),
        ("ro", "ro,noatime", "rw,nosuid,relatime"),
        ("rro", "ro,noatime", "ro,nosuid,relatime"),
        ("rro,rrw", "rw,noatime", "rw,nosuid,relatime"),
        ("ro,rrw", "rw,noatime", "rw,nosuid,relatime"),
        ("rsuid", "rw,noatime", "rw,relatime"),
        ("suid,nosuid", "rw,nosuid,noatime", "rw,nosuid,relatime"),
        ("rnosuid,rnodev,rnoexec", "rw,nosuid,nodev,noexec,noatime", "rw,nosuid,nodev,noexec,relatime"),
        ("rnodev,rdev,rnoexec,rexec,rnosymfollow,rsymfollow", "rw,noatime", "rw,nosuid,relatime"),
        ("nodiratime", "rw,noatime,nodiratime", "rw,nosuid,relatime"),
        ("rnodiratime", "rw,noatime,nodiratime", "rw,nosuid,nodiratime,relatime"),
        ("rnodiratime,rdiratime", "rw,noatime", "rw,nosuid,relatime"),
        ("nosymfollow", "rw,noatime,nosymfollow", "rw,nosuid,relatime"),
        ("rnosymfollow", "rw,noatime,nosymfollow", "rw,nosuid,relatime,nosymfollow"),
        ("relatime", "rw,relatime", "rw,nosuid,relatime"),
        ("norelatime", "rw,noatime", "rw,nosuid,relatime"),
        ("strictatime", "rw", "rw,nosuid,relatime"),
        ("nostrictatime", "rw,noatime", "rw,nosuid,relatime"),
        ("atime", "rw,relatime", "rw,nosuid,relatime"),
        ("noatime,relatime", "rw,noatime", "rw,nosuid,relatime"),
        ("rnoatime", "rw,noatime", "rw,nosuid,noatime"),
        ("rnoatime,ratime", "rw,relatime", "rw,nosuid,relatime"),
        ("rrelatime", "rw,relatime", "rw,nosuid,relatime"),
        ("rnorelatime", "rw,noatime", "rw,nosuid,relatime"),
        ("rstrictatime", "rw", "rw,nosuid"),
        ("rstrictatime,rnostrictatime", "rw,relatime", "rw,nosuid,relatime"),
        ("noatime,rrelatime", "rw,relatime", "rw,nosuid,relatime"),
    ];
    // Those of new file systems: the kernel's default is relatime.
    let new = [
        ("norelatime", "rw,relatime"),
        ("nostrictatime", "rw,relatime"),
        ("atime", "rw,relatime"),
        ("strictatime", "rw"),
        ("noatime,strictatime", "rw"),
        ("relatime,noatime", "rw,noatime"),
        ("rro,rnoexec,rnoatime", "ro,noexec,noatime"),
        ("tmpcopyup,ro,nodiratime", "ro,nodiratime,relatime"),
    ];
    let mut bundle = Bundle::sh("cut -d' ' -f5,6 /proc/self/mountinfo");
    for (number, (options, _, _)) in table.iter().enumerate() {
        let options: Vec<&str> = ["rbind"].into_iter().chain(options.split(',')).collect();
        let mount = bind(&bundle, &format!("/bind{number}"), &options);
        bundle = bundle.with_mount(mount);
    }
    for (number, (options, _)) in new.iter().enumerate() {
        let options: Vec<&str> = options.split(',').collect();
        bundle = bundle.with_mount(tmpfs(&format!("/new{number}"), &options));
    }
    let said = run_after(&bundle, &format!("{TREE}; exec $OCI run c")).ok();
    let found = |place: String| {
        let line = said.lines().find_map(|line| line.strip_prefix(&format!("{place} ")).map(str::to_owned));
        line.unwrap_or_else(|| panic!("{place}: {said}"))
    };
    for (number, (options, top, sub)) in table.iter().enumerate() {
        assert_eq!(found(format!("/bind{number}")), *top, "{options}");
        assert_eq!(found(format!("/bind{number}/sub")), *sub, "{options}, below");
    }
    for (number, (options, expected)) in new.iter().enumerate() {
        assert_eq!(found(format!("/new{number}")), *expected, "{options}");
    }
}

#[test]
fn a_file_system_has_options_of_its_own() {
    let bundle = Bundle::sh("grep ' /srv ' /proc/self/mountinfo | sed 's/.* - //' | cut -d' ' -f3")
        .with_mount(tmpfs("/srv", &["sync", "lazytime", "dirsync", "nolazytime", "nr_inodes=9"]));
    let options = bundle.run().ok();
    assert!(options.starts_with("rw,sync,dirsync,") && options.contains("nr_inodes=9"), "{options}");
    for (option, name) in [("sync", "sync"), ("size=1k", "size"), ("idmap=uids=0-1-1", "idmap")] {
        let bundle = Bundle::new();
        let mount = bind(&bundle, "/srv", &["bind", option]);
        let told = bundle.with_mount(mount).run().fails();
        assert!(told.contains(&format!("`mounts[/srv]`: a bind has no option `{name}`")), "{told}");
    }
    for option in ["remount", "mand", "iversion"] {
        let told = Bundle::new().with_mount(tmpfs("/srv", &[option])).run().fails();
        assert!(told.contains(&format!("`mounts[/srv]`: option `{option}` is not supported")), "{told}");
    }
}

/// Maps one id on the disk to an id of the host.
fn one(disk: u32, host: u32) -> Value {
    json!([{ "containerID": disk, "hostID": host, "size": 1 }])
}

#[test]
fn the_ids_of_a_mount_are_mapped() {
    // With a single id, another one on the disk has none.
    let (disk, host, shown) = if in_user_namespace() { (7, 0, 65534) } else { (0, 1000, 1000) };
    let mut bundle =
        Bundle::sh("for place in one all both plain; do stat -c '%n %u:%g' /$place /$place/sub; done");
    for (name, options) in [("one", "idmap"), ("all", "ridmap"), ("both", ""), ("plain", "")] {
        let mut mount = bind(&bundle, &format!("/{name}"), &["rbind", options, "ro"]);
        mount["options"].as_array_mut().unwrap().retain(|option| option != "");
        if name != "plain" {
            mount["uidMappings"] = one(disk, host);
            mount["gidMappings"] = if name == "both" { one(0, 0) } else { one(disk, host) };
        }
        bundle = bundle.with_mount(mount);
    }
    let said = run_after(&bundle, &format!("{TREE}; exec $OCI run c")).ok();
    let expected = format!(
        "/one {shown}:{shown}\n/one/sub 0:0\n/all {shown}:{shown}\n/all/sub {shown}:{shown}\n\
         /both {shown}:0\n/both/sub 0:0\n/plain 0:0\n/plain/sub 0:0"
    );
    assert_eq!(said, expected);
}

#[test]
fn a_mount_has_the_mapping_of_the_containers_user_namespace() {
    if in_user_namespace() {
        skipped("there is one id only");
        return;
    }
    let script = "stat -c '%u:%g' /mapped/file /plain/file; echo > /mapped/new";
    let bundle = Bundle::sh(script).with(|config| {
        let map = json!([{ "containerID": 0, "hostID": 100_000, "size": 1000 }]);
        config["linux"]["uidMappings"] = map.clone();
        config["linux"]["gidMappings"] = map;
        config["linux"]["namespaces"].as_array_mut().unwrap().push(json!({ "type": "user" }));
    });
    let mount = bind(&bundle, "/mapped", &["bind", "idmap"]);
    let plain = bind(&bundle, "/plain", &["bind"]);
    let bundle = bundle.with_mount(mount).with_mount(plain);
    let prepare = "chmod 755 .; chown -R 100000:100000 rootfs; mkdir src; mount -t tmpfs one src; \
        touch src/file; chown 5:6 src/file";
    let said = run_after(&bundle, &format!("{prepare}; $OCI run c; stat -c '%u:%g' src/new")).ok();
    assert_eq!(said, "5:6\n65534:65534\n0:0");
}

#[test]
fn mappings_that_cannot_be_had_are_refused() {
    let refused = |mount: Value| Bundle::new().with_mount(mount).run().fails();
    let bind = |source: &str, mappings: [Option<Value>; 2], options: &[&str]| {
        let mut mount =
            json!({ "destination": "/srv", "type": "bind", "source": source, "options": options });
        for (name, mapping) in ["uidMappings", "gidMappings"].into_iter().zip(mappings) {
            if let Some(mapping) = mapping {
                mount[name] = mapping;
            }
        }
        refused(mount)
    };
    let map = || Some(one(0, 0));
    let told = bind("/tmp", [None, None], &["bind", "idmap"]);
    assert!(told.contains("`mounts[/srv]`: `idmap` requires mappings, or a user namespace"), "{told}");
    let told = bind("/tmp", [map(), None], &["bind", "idmap"]);
    assert!(told.contains("`uidMappings` and `gidMappings` must be given together"), "{told}");
    let told = bind("/proc", [map(), map()], &["bind", "idmap"]);
    assert!(told.contains("`mounts[/srv]`: the ids of its file system cannot be mapped (`idmap`)"), "{told}");
    let told = refused(tmpfs("/srv", &["ridmap"]));
    assert!(told.contains("`mounts[/srv]`: only the ids of a bind mount can be mapped"), "{told}");
}

#[test]
fn the_root_has_the_propagation_that_it_is_given() {
    // Mount points with their propagation. The read-only paths are bound within the root.
    let script =
        "awk() { busybox awk \"$@\"; }; awk '{ print $5, $7 }' /proc/self/mountinfo | grep -E '^(/|/dev) '";
    let shared = "mount --bind rootfs rootfs; mount --make-shared rootfs";
    for (word, root, dev) in [
        ("", "-", "-"),
        ("private", "-", "-"),
        ("rprivate", "-", "-"),
        ("slave", "master:", "-"),
        ("rslave", "master:", "-"),
        ("shared", "shared:", "-"),
        ("rshared", "shared:", "shared:"),
        ("unbindable", "unbindable", "-"),
        ("runbindable", "unbindable", "unbindable"),
    ] {
        let bundle = Bundle::sh(script).with(|config| config["linux"]["rootfsPropagation"] = json!(word));
        let said = run_after(&bundle, &format!("{shared}; exec $OCI run c")).ok();
        let found = |place: &str| said.lines().find_map(|line| line.strip_prefix(place)).unwrap().to_owned();
        assert!(found("/ ").starts_with(root), "{word}: {said}");
        assert!(found("/dev ").starts_with(dev), "{word}: {said}");
    }
    let bundle = Bundle::new().with(|config| config["linux"]["rootfsPropagation"] = json!("public"));
    let told = bundle.run().fails();
    assert!(told.contains("`linux.rootfsPropagation`: `public` is not a propagation mode"), "{told}");
}

#[test]
fn a_slave_sees_what_is_mounted_for_its_root_later() {
    for (word, count) in [("slave", "1"), ("private", "0"), ("shared", "0")] {
        let bundle =
            Bundle::sh("exec sleep 1000").with(|config| config["linux"]["rootfsPropagation"] = json!(word));
        let script = "mount --bind rootfs rootfs; mount --make-shared rootfs; \
            $OCI create c >/dev/null 2>&1; $OCI start c; mount -t tmpfs late rootfs/tmp; \
            $OCI exec c grep -c ' /tmp .* late ' /proc/self/mountinfo || true; $OCI delete -f c";
        assert_eq!(run_after(&bundle, script).ok(), count, "{word}");
    }
}
