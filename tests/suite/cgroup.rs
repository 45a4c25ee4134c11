//! Cgroups: where monitors run, what remains after a container exits, and containers that create
//! cgroups. Needs root: in a user namespace with a single id no cgroup can be created.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::case::{ALL, Case, IMAGE, hear, until};
use crate::support::{HOIST, in_user_namespace, skipped};
use hoist::engine::{ExecRequest, Status};
use hoist::internals::cgroup::{Cgroup, Parent};
use hoist::internals::sys;
use rustix::fs::OFlags;

/// Returns the mount point of the v2 tree.
#[track_caller]
fn unified() -> Option<PathBuf> {
    let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(PathBuf::from);
    let found = roots.into_iter().find(|root| root.join("cgroup.controllers").exists());
    if found.is_none() || in_user_namespace() {
        skipped("no cgroup v2 tree in which groups can be made");
        return None;
    }
    found
}

/// A cgroup like that of a login session or a unit. Nothing may remain in it.
struct Session(PathBuf);

impl Session {
    fn new(unified: &Path) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let group = unified.join(format!("hoist-test-session-{}-{number}", std::process::id()));
        std::fs::create_dir(&group).unwrap();
        Self(group)
    }

    /// Returns a shell that joins the cgroup and runs `script` with arguments.
    fn shell(&self, script: &str, words: &[&str]) -> Command {
        let mut command = Command::new("sh");
        let script = format!("echo 0 > \"$0/cgroup.procs\" && {script}");
        command.args(["-ec", &script]).arg(&self.0).args(words).stdin(Stdio::null());
        command
    }

    /// Runs hoist in the cgroup, and waits for it.
    #[track_caller]
    fn hoist(&self, case: &Case, args: &[&str]) -> String {
        let hoist = case.command(args);
        let words: Vec<&str> = hoist.get_args().map(|word| word.to_str().unwrap()).collect();
        ok(self.shell("exec \"$@\"", &[&[HOIST], words.as_slice()].concat()).output().unwrap())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A monitor that has answered takes a moment to exit.
        let events = || std::fs::read_to_string(self.0.join("cgroup.events")).unwrap();
        until("the session is empty", || std::thread::panicking() || events().contains("populated 0"));
        let words = ["-depth", "-type", "d", "-exec", "rmdir", "{}", ";"];
        let removed = Command::new("find").arg(&self.0).args(words).output().unwrap();
        assert!(removed.stderr.is_empty() || std::thread::panicking(), "left in the session: {removed:?}");
    }
}

#[track_caller]
fn ok(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// Returns the v2 cgroup of a process.
fn group_of(pid: u32) -> String {
    let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    groups.lines().find_map(|line| line.strip_prefix("0::")).unwrap().to_owned()
}

#[test]
fn the_end_of_a_container_that_a_session_started_leaves_no_group() {
    let Some(unified) = unified() else { return };
    let case = Case::new();
    let session = Session::new(&unified);
    session.hoist(&case, &["run", "--rm", "--network", "none", IMAGE, "true"]);
    assert_eq!(case.cgroups(), [""; 0].map(PathBuf::from));
    let id = session.hoist(&case, &["run", "-d", "--network", "none", IMAGE, "sleep", "1000"]);
    session.hoist(&case, &["restart", "-t", "0", &id]);
    assert!(!case.cgroups().is_empty());
    session.hoist(&case, &["stop", "-t", "0", &id]);
    assert_eq!(case.cgroups(), [""; 0].map(PathBuf::from));
    session.hoist(&case, &["start", &id]);
    session.hoist(&case, &["rm", "-f", &id]);
    assert_eq!(case.cgroups(), [""; 0].map(PathBuf::from));
}

#[test]
fn monitors_share_a_group_that_no_logout_ends() {
    let Some(unified) = unified() else { return };
    let case = Case::new();
    let session = Session::new(&unified);
    let monitors = format!("/{}/monitors", case.engine.paths().engine_name());
    let id = session.hoist(&case, &["run", "-d", "--network", "none", IMAGE, "sleep", "1000"]);
    session.hoist(&case, &["exec", "-d", &id, "sleep", "1001"]);
    let file = unified.join(monitors.trim_start_matches('/')).join("cgroup.procs");
    let pids = || std::fs::read_to_string(&file).unwrap_or_default().lines().count();
    assert_eq!(pids(), 2, "the container's and the command's");

    let before = case.run_of(&id).monitor();
    assert_eq!(group_of(before.pid), monitors);
    sys::signal::send(before.pid.try_into().unwrap(), libc::SIGKILL).unwrap();
    until("the monitor is dead", || !before.is_alive());
    session.hoist(&case, &["ps"]);
    let container = case.container(&id);
    assert_eq!(container.status, Status::Running);
    let run = case.run_of(&id);
    let adopting = run.monitor();
    assert_ne!(adopting, before);
    assert_eq!(group_of(adopting.pid), monitors);

    // No process is left to remove the cgroup, so the next command does.
    for process in [adopting, run.init().unwrap()] {
        sys::signal::send(process.pid.try_into().unwrap(), libc::SIGKILL).unwrap();
    }
    session.hoist(&case, &["ps"]);
    until("the dead run is settled", || case.container(&id).status == Status::Exited);
    assert_eq!(case.cgroups(), [""; 0].map(PathBuf::from));
}

#[test]
fn in_no_tree_of_v1_a_container_is_where_its_caller_is() {
    let name = format!("hoist-test-v1-{}", std::process::id());
    let trees = ["freezer", "pids"].map(|tree| Path::new("/sys/fs/cgroup").join(tree));
    let mut groups = trees.to_vec();
    groups.retain(|tree| tree.join("cgroup.procs").exists());
    groups.iter_mut().for_each(|tree| tree.push(&name));
    if groups.is_empty() || in_user_namespace() {
        skipped("no cgroup v1 tree in which groups can be made");
        return;
    }
    groups.iter().for_each(|group| std::fs::create_dir(group).unwrap());
    let case = Case::new();
    let joins: String =
        groups.iter().map(|group| format!("echo 0 > {}/cgroup.procs; ", group.display())).collect();
    let hoist = case.command(&["run", "-d", "--network", "none", IMAGE, "sleep", "1000"]);
    let mut started = Command::new("sh");
    started.args(["-ec", &format!("{joins} exec \"$@\""), "sh", HOIST]).args(hoist.get_args());
    let id = ok(started.stdin(Stdio::null()).output().unwrap());

    let run = case.run_of(&id);
    let of = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let init = of(run.init().unwrap().pid);
    let mut apart = init.lines().filter(|line| !line.starts_with("0::") || unified().is_some());
    assert!(apart.all(|line| line.ends_with(&format!("/{id}"))), "{init}");
    assert!(!of(run.monitor.pid).contains(&name), "{}", of(run.monitor.pid));
    let command = ok(case.command(&["exec", &id, "cat", "/proc/self/cgroup"]).output().unwrap());
    assert!(command.lines().all(|line| line.ends_with(":/")), "{command}");
    groups.iter().for_each(|group| std::fs::remove_dir(group).unwrap());
}

/// CVE-2022-0492: the host executes what is written to `release_agent` at the root of a v1 tree.
#[test]
fn a_container_that_may_mount_finds_no_release_agent() {
    let has_v1 = Path::new("/sys/fs/cgroup/cpuacct/cgroup.procs").exists();
    if !has_v1 && std::fs::read_to_string("/proc/self/cgroup").unwrap().contains(":cpuacct:") {
        skipped("trees of v1 that hoist can see: this machine's are hidden");
        return;
    }
    let case = Case::new();
    let script =
        "mkdir /m; for tree in cpuacct cpuset devices freezer memory pids blkio none,name=systemd; do
        mount -t cgroup -o $tree x /m 2>/dev/null || continue
        echo $tree; ls /m/release_agent 2>/dev/null; umount /m; done; true";
    let words = ["run", "--rm", "--network", "none", "--cap-add", "SYS_ADMIN", IMAGE, "sh", "-c", script];
    let said = ok(case.command(&words).output().unwrap());
    assert!(!said.contains("release_agent"), "{said}");
    assert_eq!(said.contains("cpuacct"), has_v1, "{said}");
}

#[test]
fn a_command_joins_the_first_process_where_the_container_has_groups_of_its_own() {
    let Some(_) = unified() else { return };
    let case = Case::new();
    // systemd and Docker do this in a container.
    let script = "cd /sys/fs/cgroup; [ ! -d unified ] || cd unified; mkdir leaf; \
                  echo 1 > leaf/cgroup.procs; \
                  for name in $(cat cgroup.controllers); do echo +$name > cgroup.subtree_control; done; \
                  cat cgroup.subtree_control > /handed; exec sleep 1000";
    let id = case.start(&["sh", "-c", script], |options| options.security.privileged = true);
    until("it has made its groups", || {
        let upper = case.engine.paths().container(&id.parse().unwrap()).join("upper/handed");
        std::fs::read(upper).is_ok_and(|text| !text.is_empty())
    });
    let said = case.wait_for(async {
        let request = ExecRequest {
            command: ["sh", "-c", "cat /handed; grep ^0:: /proc/self/cgroup"].map(str::to_owned).to_vec(),
            ..ExecRequest::default()
        };
        hear(case.engine.containers().exec(&id, request, ALL).await.unwrap().attached).await
    });
    let (handed, group) = said.stdout.split_once('\n').unwrap();
    assert_ne!(handed, "", "without a controller that is handed down nothing is tried");
    assert_eq!(group, "0::/leaf\n", "{said:?}");
}

#[test]
fn at_the_top_of_a_cgroup_namespace_processes_make_room() {
    let Some(unified) = unified() else { return };
    let case = Case::new();
    // Running a container delegates this machine's controllers.
    case.run(&["true"], |_| {});
    let session = Session::new(&unified);
    let script = "exec unshare --mount --cgroup sh -ec '\
                  umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; \
                  cat /sys/fs/cgroup/cgroup.controllers; \
                  \"$@\"; \
                  cat /sys/fs/cgroup/cgroup.subtree_control; grep ^0:: /proc/self/cgroup' sh \"$@\"";
    let hoist = case.command(&["run", "--rm", "--network", "none", IMAGE, "echo", "it runs"]);
    let words: Vec<&str> = hoist.get_args().map(|word| word.to_str().unwrap()).collect();
    let said = ok(session.shell(script, &[&[HOIST], words.as_slice()].concat()).output().unwrap());
    let lines: Vec<&str> = said.lines().collect();
    let [available, "it runs", handed, group] = lines[..] else { panic!("{lines:?}") };
    let known = |list: &str| {
        ["cpu", "memory", "pids", "hugetlb"].map(|name| list.split(' ').any(|word| word == name))
    };
    assert!(!available.is_empty(), "without a controller nothing is tried");
    assert_eq!(known(handed), known(available));
    assert_eq!(group, "0::/init");
}

/// A file system that can be frozen. A process that writes to it then blocks in the kernel.
struct Disk(PathBuf);

impl Disk {
    fn new(folder: &Path) -> Self {
        let (file, mount) = (folder.join("disk"), folder.join("mounted"));
        std::fs::File::create(&file).unwrap().set_len(16 << 20).unwrap();
        std::fs::create_dir(&mount).unwrap();
        ok(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&file).output().unwrap());
        ok(Command::new("mount").args(["-o", "loop"]).arg(&file).arg(&mount).output().unwrap());
        Self(mount)
    }

    fn freeze(&self, flag: &str) -> Output {
        Command::new("fsfreeze").arg(flag).arg(&self.0).output().unwrap()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.freeze("-u"); // it may already be thawed
        let unmounted = Command::new("umount").arg(&self.0).output().unwrap();
        assert!(unmounted.status.success() || std::thread::panicking(), "{unmounted:?}");
    }
}

#[test]
fn a_pause_that_hangs_keeps_nobody_else_waiting() {
    let Some(unified) = unified() else { return };
    let case = Case::new();
    let disk = Disk::new(case.dir.path());
    let volume = format!("{}:/disk", disk.0.display());
    let script = "while :; do echo x > /disk/file; done";
    let words = ["run", "-d", "--name", "web", "--network", "none", "-v", &volume, IMAGE, "sh", "-c", script];
    let id = ok(case.hoist(&words));
    let init = case.run_of(&id).init().unwrap();
    ok(disk.freeze("-f"));
    let is_blocked = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", init.pid)).unwrap();
        stat.rsplit_once(") ").unwrap().1.starts_with('D')
    };
    until("it waits for the disk", is_blocked);

    let mut pause = case.command(&["pause", "web"]).spawn().unwrap();
    let asked = unified.join(case.engine.paths().engine_name()).join(&id).join("cgroup.freeze");
    until("the pause has begun", || std::fs::read_to_string(&asked).unwrap().trim() == "1");
    ok(case.hoist(&["rename", "web", "box"]));
    assert!(pause.try_wait().unwrap().is_none(), "it waits until all processes stand");
    assert_eq!(case.container("box").status, Status::Running);
    ok(disk.freeze("-u"));
    assert!(pause.wait().unwrap().success());
    assert_eq!(case.container("box").status, Status::Paused);
    ok(case.hoist(&["unpause", "box"]));

    // A container killed in the meantime is not paused.
    ok(disk.freeze("-f"));
    until("it waits for the disk", is_blocked);
    let pause = case.command(&["pause", "box"]).stderr(Stdio::piped()).spawn().unwrap();
    until("the pause has begun", || std::fs::read_to_string(&asked).unwrap().trim() == "1");
    let mut kill = case.command(&["kill", "box"]).spawn().unwrap();
    until("the pause is over", || std::fs::read_to_string(&asked).unwrap().trim() == "0");
    ok(disk.freeze("-u"));
    assert!(kill.wait().unwrap().success());
    let refused = pause.wait_with_output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert_eq!(case.container("box").status, Status::Exited);
    ok(case.hoist(&["rm", "box"]));
}

#[test]
fn groups_nested_deeper_than_a_path_is_long_are_found_and_removed() {
    let Some(root) = unified() else { return };
    let parent = Parent::new(format!("hoist-test-{}", std::process::id()));
    let top = root.join(&parent.path).join("deep");
    std::fs::create_dir_all(&top).unwrap();
    let open = |dir: &OwnedFd, name: &str, flags| sys::fs::open_at(dir, OsStr::new(name), flags).unwrap();
    let mut group = sys::fs::open_dir(&top).unwrap();
    for _ in 0..1000 {
        sys::fs::mkdir_at(&group, OsStr::new("inner"), 0o755).unwrap();
        group = open(&group, "inner", OFlags::RDONLY | OFlags::DIRECTORY);
    }
    let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
    let procs = open(&group, "cgroup.procs", OFlags::WRONLY);
    rustix::io::write(&procs, child.id().to_string().as_bytes()).unwrap();
    let deep = Cgroup::open(&parent, "deep");
    assert_eq!(deep.pids().unwrap(), [i32::try_from(child.id()).unwrap()]);
    deep.kill().unwrap();
    child.wait().unwrap();
    deep.remove().unwrap();
    assert!(!top.exists());
    std::fs::remove_dir(root.join(&parent.path)).unwrap();
}

#[test]
fn a_threaded_group_has_its_processes_above() {
    let Some(root) = unified() else { return };
    let parent = Parent::new(format!("hoist-test-threaded-{}", std::process::id()));
    let top = root.join(&parent.path).join("c1");
    let inner = top.join("inner");
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::write(inner.join("cgroup.type"), "threaded").unwrap();
    let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
    std::fs::write(top.join("cgroup.procs"), child.id().to_string()).unwrap();
    let group = Cgroup::open(&parent, "c1");
    let pids = [i32::try_from(child.id()).unwrap()];
    assert_eq!(group.pids().unwrap(), pids);
    std::fs::write(inner.join("cgroup.threads"), child.id().to_string()).unwrap();
    assert_eq!(group.pids().unwrap(), pids, "its thread is in the inner group");
    assert_eq!(Cgroup::open(&parent, "c1/inner").pids().unwrap(), pids);
    group.kill().unwrap();
    child.wait().unwrap();
    group.remove().unwrap();
    std::fs::remove_dir(root.join(&parent.path)).unwrap();
}
