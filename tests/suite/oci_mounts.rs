//! Tests the mounts of `hoist oci` against the runtime specification (config.md, "Mounts"). Needs
//! root, and busybox-static.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::process::Command;

use serde_json::json;

use crate::bundle::Bundle;
use crate::support::in_user_namespace;

fn tmpfs(destination: &str, options: &[&str]) -> serde_json::Value {
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
        command.args(["-c", create, crate::bundle::HOIST, &state]).current_dir(bundle.dir.path());
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
