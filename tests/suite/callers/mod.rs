//! Runs the everyday commands of Podman and Docker beside each other: with `hoist oci` as their
//! runtime, and with runc. Exit codes and output must be alike.
//!
//! The commands are in `podman.txt` and `docker.txt`, one a line, for sh. A line that begins with `?`
//! gives the reason why the command before it may print something else with hoist, with the same exit
//! code. `!` gives the reason why both may differ.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::{HOIST, Said, busybox_tar};

mod alike;
use alike::{alike, read};

/// Namespaces in which an engine runs with one of the runtimes. They end with the thread that made
/// them, and everything in them.
struct House {
    dir: PathBuf,
    first: Child,
    pid: u32,
    prelude: &'static str,
}

/// What every house starts with: no service of the machine is reachable, and what the engines write
/// outside the test's folder is not kept.
const SETUP: &str = r#"
set -e
mount -t tmpfs -o mode=755 none /run
mount -t tmpfs -o mode=755 none /var/lib
ip link set lo up
cd "$HOUSE"
"#;

const PODMAN: &str = r#"
podman() {
    command podman --root "$HOUSE/root" --runroot /run/podman --tmpdir /run/libpod --runtime "$HOUSE/runtime" \
        --cgroup-manager cgroupfs --events-backend file --network-config-dir "$HOUSE/net" "$@"
}
"#;

const DOCKER: &str = r#"
export DOCKER_HOST=unix:///run/docker.sock DOCKER_CONFIG="$HOUSE" DOCKER_BUILDKIT=0
"#;

const START_PODMAN: &str = r#"podman import -q "$HOUSE/../busybox.tar" busybox >&2"#;

const START_DOCKER: &str = r#"
echo {} >"$HOUSE/daemon.json"
dockerd --config-file "$HOUSE/daemon.json" --data-root "$HOUSE/root" --exec-root /run/docker --pidfile /run/docker.pid \
    --add-runtime "it=$HOUSE/runtime" --default-runtime it --exec-opt native.cgroupdriver=cgroupfs \
    --cgroup-parent "/hoist-callers" >"$HOUSE/dockerd.log" 2>&1 </dev/null &
tries=0
until docker version >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || { cat "$HOUSE/dockerd.log" >&2; exit 1; }
    sleep 0.1
done
docker import "$HOUSE/../busybox.tar" busybox >&2
"#;

impl House {
    fn new(dir: &Path, runtime: &str, prelude: &'static str, start: &str) -> Self {
        fs::create_dir_all(dir).unwrap();
        let wrapper = dir.join("runtime");
        fs::write(&wrapper, format!("#!/bin/sh\nexec {runtime} \"$@\"\n")).unwrap();
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
        let script = format!("{SETUP}{prelude}{start}\necho ready\nexec sleep infinity");
        let mut first = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork"])
            .args(["--kill-child", "--mount-proc", "sh", "-c", &script])
            .env("HOUSE", dir)
            .env("TMPDIR", dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(first.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "the engine with {runtime} did not start");
        let children = format!("/proc/{0}/task/{0}/children", first.id());
        let pid = fs::read_to_string(children).unwrap().split_whitespace().next().unwrap().parse().unwrap();
        Self { dir: dir.to_owned(), first, pid, prelude }
    }

    fn run(&self, line: &str) -> Said {
        let script = format!("{}cd \"$HOUSE\"\n{line}", self.prelude);
        let output = Command::new("timeout")
            .args([
                "--foreground",
                "60",
                "nsenter",
                "-t",
                &self.pid.to_string(),
                "-m",
                "-n",
                "-p",
                "-i",
                "-u",
                "--",
            ])
            .args(["sh", "-c", &script])
            .env("HOUSE", &self.dir)
            .env("TMPDIR", &self.dir)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = Said::from(output);
        let house = self.dir.to_str().unwrap();
        Said { out: said.out.replace(house, "HOUSE"), err: said.err.replace(house, "HOUSE"), ..said }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.first.kill();
        let _ = self.first.wait();
    }
}

/// Runs the commands with both runtimes, at the same time, and panics with what differs.
fn compare(commands: &str, prelude: &'static str, start: &str) {
    let dir = tempfile::Builder::new().prefix("hoist-callers-").tempdir_in("/var/tmp").unwrap();
    busybox_tar(&dir.path().join("busybox.tar"));
    let commands = read(commands);
    let hoist = format!("\"{HOIST}\" oci");
    let run = |name: &str, runtime: &str| {
        let house = House::new(&dir.path().join(name), runtime, prelude, start);
        commands.iter().map(|command| house.run(command.line)).collect::<Vec<_>>()
    };
    let (ours, theirs) = std::thread::scope(|scope| {
        let ours = scope.spawn(|| run("hoist", &hoist));
        let theirs = run("runc", "runc");
        (ours.join().unwrap(), theirs)
    });
    let mut differences = String::new();
    for ((command, ours), theirs) in commands.iter().zip(&ours).zip(&theirs) {
        if let Err(difference) = alike(command, ours, theirs) {
            write!(differences, "\n{}\n{difference}\n", command.line).unwrap();
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
#[ignore = "takes minutes; tests/all runs it: cargo test --test suite -- --ignored callers::"]
fn podman_does_the_same_with_it_as_with_runc() {
    // buildah names no cgroup, so that its containers are in the default one.
    let _groups = [Groups("libpod_parent"), Groups("hoist-oci")];
    compare(include_str!("podman.txt"), PODMAN, START_PODMAN);
}

#[test]
#[ignore = "takes minutes; tests/all runs it: cargo test --test suite -- --ignored callers::"]
fn docker_does_the_same_with_it_as_with_runc() {
    let _groups = Groups("hoist-callers");
    compare(include_str!("docker.txt"), DOCKER, START_DOCKER);
}

/// The cgroups of an engine's containers, in each tree. Dropping it removes those without a process.
struct Groups(&'static str);

impl Drop for Groups {
    fn drop(&mut self) {
        let trees = fs::read_dir("/sys/fs/cgroup").unwrap().map(|entry| entry.unwrap().path());
        for tree in trees.chain(["/sys/fs/cgroup".into()]) {
            remove_groups(&tree.join(self.0));
        }
    }
}

fn remove_groups(group: &Path) {
    let below = fs::read_dir(group).into_iter().flatten().flatten();
    for below in below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        remove_groups(&below.path());
    }
    // Other containers may be in it.
    let _ = fs::remove_dir(group);
}
