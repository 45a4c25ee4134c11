//! The data folder and the run folder: their ownership, that they belong together, and what works
//! if the disk is full or read-only. Needs root, or root in a user namespace (`unshare -Urmn`); the
//! disks are mounts in a separate namespace.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::case::{Case, until};
use crate::support::{self, HOIST, busybox_tar};
use hoist::engine::{Engine, ExecRequest, Settings, Status};
use hoist::internals::base::Paths;

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn open(root: &Path, run: &Path) -> Result<Engine, String> {
    let opened = Engine::open(Settings::new(Paths::new(root, run)));
    opened.map_err(|error| [error.causes().join(": "), error.hint().unwrap_or_default()].join(" | "))
}

#[test]
fn a_run_folder_of_another_data_folder_is_refused_by_name_and_nothing_happens() {
    let (one, other) = (Case::new(), Case::empty());
    let id = one.start(&["sleep", "1000"], |_| {});
    let init = one.run_of(&id).init().unwrap();
    let (root, run) = (one.dir.path().join("root"), one.dir.path().join("run"));
    for (root, run) in [(&root, &other.dir.path().join("run")), (&other.dir.path().join("root"), &run)] {
        for words in [&["ps"][..], &["start", &id], &["system", "reset", "-f"]] {
            let said =
                Command::new(HOIST).arg("--root").arg(root).arg("--run-root").arg(run).args(words).output();
            let said = said.unwrap();
            let text = stderr(&said);
            assert!(
                !said.status.success() && text.contains("folder") && text.contains(", not to "),
                "{text}"
            );
            assert!(text.contains("engine.json"), "{text}");
        }
    }
    assert!(init.is_alive());
    assert_eq!(one.container(&id).status, Status::Running);
}

#[test]
fn old_folders_get_to_know_each_other_and_a_link_is_no_other_folder() {
    let dir = tempfile::tempdir_in("/var/tmp").unwrap();
    let (root, run) = (dir.path().join("root"), dir.path().join("run"));
    open(&root, &run).unwrap();
    for file in [root.join("engine.json"), run.join("engine.json")] {
        fs::remove_file(file).unwrap();
    }
    open(&root, &run).unwrap();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&root, &link).unwrap();
    open(&link, &run).unwrap();
    // A reboot removes the run folder.
    hoist::internals::sys::tree::remove(&run).unwrap();
    open(&root, &run).unwrap();
    let (other, deeper) = (dir.path().join("other"), dir.path().join("a/b"));
    assert!(open(&root, &other).is_err() && open(&deeper, &run).is_err());
    assert!(!other.exists() && !dir.path().join("a").exists(), "what was refused left no folder");
    fs::write(root.join("engine.json"), r#"{"version":7}"#).unwrap();
    assert!(open(&root, &run).unwrap_err().contains("written by a newer version of hoist"));
}

#[test]
fn a_folder_that_others_can_write_is_refused() {
    let dir = tempfile::tempdir_in("/var/tmp").unwrap();
    let (root, run) = (dir.path().join("root"), dir.path().join("run"));
    open(&root, &run).unwrap();
    for (folder, mode) in [(&root, 0o777), (&root, 0o770), (&run, 0o1777)] {
        fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
        let error = open(&root, &run).unwrap_err();
        let text = format!("{} is writable by other users: its mode is {mode:04o}", folder.display());
        assert!(
            error.starts_with(&text) && error.ends_with(&format!("`chmod go-w {}`", folder.display())),
            "{error}"
        );
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    }
    if support::in_user_namespace() {
        support::skipped("a folder of another user: there is one id only");
        return;
    }
    std::os::unix::fs::chown(&root, Some(12345), None).unwrap();
    assert!(open(&root, &run).unwrap_err().contains("belongs to user 12345"));
}

#[test]
fn what_a_killed_import_left_goes_with_the_next_command() {
    let case = Case::empty();
    let mut child = case.command(&["import", "-", "cut:1"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    // A truncated file.
    let mut header = tar::Header::new_gnu();
    header.set_path("file").unwrap();
    header.set_size(64 << 20);
    header.set_mode(0o644);
    header.set_cksum();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(header.as_bytes()).unwrap();
    stdin.write_all(&vec![b'x'; 1 << 20]).unwrap();
    assert_gone_once_killed(&case, child, "file");
}

#[test]
fn what_a_killed_from_host_left_goes_with_the_next_command() {
    let case = Case::empty();
    // Reading it takes seconds.
    let program = case.dir.path().join("program");
    fs::copy("/bin/busybox", &program).unwrap();
    fs::File::options().write(true).open(&program).unwrap().set_len(4 << 30).unwrap();
    let mut child = case.command(&["image", "from-host", "-t", "cut:1", program.to_str().unwrap()]);
    let child = child.stdout(Stdio::null()).spawn().unwrap();
    assert_gone_once_killed(&case, child, program.strip_prefix("/").unwrap());
}

/// Kills the process that creates an image as soon as this file of it exists, and checks what the
/// next command leaves behind.
fn assert_gone_once_killed(case: &Case, mut child: Child, file: impl AsRef<Path>) {
    let ingest = case.engine.paths().ingest();
    let is_unpacking = || {
        let entries = fs::read_dir(&ingest).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.path().join("diff").join(&file).exists())
    };
    until("it unpacks", is_unpacking);
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGKILL));
    assert!(case.hoist(&["images"]).status.success());
    let mut left: Vec<_> = fs::read_dir(&ingest).unwrap().map(|it| it.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["boot", "leases"]);
    assert_eq!(fs::read_dir(ingest.join("leases")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(case.engine.paths().discarded()).unwrap().count(), 0);
    assert!(case.wait_for(case.engine.images().list()).unwrap().is_empty());
}

#[test]
fn a_detached_command_leaves_its_record_and_no_other_file() {
    let case = Case::new();
    let id = case.start(&["sleep", "1000"], |_| {});
    let request = ExecRequest { command: vec!["true".to_owned()], ..ExecRequest::default() };
    drop(case.wait_for(case.engine.containers().exec_detached(&id, request)).unwrap());
    let folder = case.engine.paths().container_run(&id.parse().unwrap()).join("exec");
    let names = || fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    until("it has ended", || names().all(|name| name.to_str().unwrap().ends_with(".ended")));
    assert_eq!(names().count(), 1);
}

#[test]
fn what_a_reboot_ended_has_the_time_of_the_boot() {
    let case = Case::new();
    let id = case.create(&["true"], |_| {});
    let path = case.engine.paths().container(&id.parse().unwrap()).join("record.json");
    let mut record: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    record["state"]["started"] = "2001-02-03T04:05:06Z".into();
    fs::write(&path, record.to_string()).unwrap();
    let state = case.container(&id).state;
    let stat = fs::read_to_string("/proc/stat").unwrap();
    let boot = stat.lines().find_map(|line| line.strip_prefix("btime ")).unwrap();
    assert_eq!(state.finished.unwrap().as_second().to_string(), boot.trim());
    assert_eq!((state.exit_code, state.error.as_str()), (255, "the machine was restarted"));
}

/// Runs a script with `$hoist` in a mount namespace where `disk` is a small file system that
/// contains both folders of an engine, and an image. Returns its output.
fn on_a_small_disk(script: &str) -> String {
    let dir = tempfile::tempdir_in("/var/tmp").unwrap();
    busybox_tar(&dir.path().join("busybox.tar"));
    fs::create_dir(dir.path().join("disk")).unwrap();
    let whole = format!(
        r#"set -e
        mount -t tmpfs -o size=24m,mode=700 none disk
        hoist="{HOIST} --root $PWD/disk/root --run-root $PWD/disk/run"
        trap 'mount -o remount,rw disk; rm -f disk/ballast; $hoist system reset -f >&2' EXIT
        fill() {{ cat /dev/zero > disk/ballast 2>/dev/null || true; printf x >> disk/ballast 2>/dev/null && exit 9; true; }}
        $hoist import busybox.tar busybox >/dev/null
        {script}"#
    );
    let said =
        Command::new("unshare").args(["-m", "sh", "-c", &whole]).current_dir(dir.path()).output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success(), "{text}{}", stderr(&said));
    text
}

#[test]
fn a_full_disk_is_emptied_by_rm_and_rmi() {
    let said = on_a_small_disk(
        r#"$hoist create --name one busybox true >/dev/null
        $hoist create --name two busybox true >/dev/null
        fill
        $hoist ps -aq | wc -l; $hoist images -q | wc -l; $hoist info | grep '^Containers'
        $hoist create --name three busybox true 2>&1 | grep -c 'No space left'
        $hoist inspect -f '{{.Name}}' one
        $hoist logs one
        $hoist rm one
        fill
        $hoist rm two
        fill
        $hoist rmi busybox | grep -c Deleted
        ls disk/root/layers
        $hoist image ls -q | wc -l"#,
    );
    assert_eq!(said, "2\n1\nContainers: 2\n1\n/one\none\ntwo\n2\nby-diff\n0\n");
}

#[test]
fn a_full_disk_is_emptied_by_a_reset() {
    let said = on_a_small_disk(
        r#"$hoist create --name one busybox true >/dev/null
        fill
        $hoist system reset -f
        ls disk"#,
    );
    assert_eq!(said, "ballast\n");
}

#[test]
fn an_exit_code_that_cannot_be_saved_is_kept() {
    let said = on_a_small_disk(
        r#"mkfifo disk/go
        $hoist run -d --log-driver none --network none -v $PWD/disk/go:/go --name one busybox sh -c 'read x < /go; exit 7' >/dev/null
        fill
        echo > disk/go
        $hoist wait one
        $hoist ps -a --format '{{.Status}}' | cut -d' ' -f1-2
        $hoist inspect -f '{{.State.ExitCode}}' one
        rm disk/ballast
        $hoist ps -a --format '{{.Status}}' | cut -d' ' -f1-2
        $hoist inspect -f '{{.State.ExitCode}}' one
        ls disk/run/containers | wc -l"#,
    );
    assert_eq!(said, "7\nExited (7)\n7\nExited (7)\n7\n0\n");
}

#[test]
fn a_full_disk_costs_no_container_that_runs() {
    let said = on_a_small_disk(
        r#"for name in asked failing; do mkfifo disk/$name
        $hoist run -d --log-driver none --network none --restart always -v $PWD/disk/$name:/go --name $name busybox sh -c 'read x < /go; exit 7' >/dev/null
        done
        pid() { $hoist inspect -f '{{.State.Pid}}' $1; }
        asked=$(pid asked) failing=$(pid failing)
        fill
        $hoist restart -t 0 asked 2>&1 | grep -c 'No space left'
        test $(pid asked) = $asked && echo the same
        echo > disk/failing
        until [ "$(pid failing)" != $failing ] && $hoist ps | grep failing | grep -q Up; do sleep 0.01; done
        rm disk/ballast
        $hoist restart -t 0 asked
        test $(pid asked) != $asked && echo another
        $hoist ps -a --format '{{.Names}} {{.Status}}' | cut -d' ' -f1-2 | sort"#,
    );
    assert_eq!(said, "1\nthe same\nasked\nanother\nasked Up\nfailing Up\n");
}

#[test]
fn a_read_only_disk_is_looked_at() {
    let said = on_a_small_disk(
        r#"$hoist run --network none --name one busybox echo told
        $hoist create --name two busybox true >/dev/null
        mount --bind disk/root disk/root
        mount -o remount,ro,bind disk/root
        $hoist ps -a --format '{{.Names}}'; $hoist images --format '{{.Repository}}'; $hoist info | grep '^Containers'
        $hoist inspect -f '{{.State.Status}}' one
        $hoist logs one
        $hoist image inspect -f '{{.Os}}' busybox
        $hoist rm one 2>&1 | grep -c 'Read-only'
        umount disk/root"#,
    );
    assert_eq!(said, "told\ntwo\none\nbusybox\nContainers: 2\nexited\ntold\nlinux\n1\n");
}
