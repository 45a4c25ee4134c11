//! `export` on a real kernel: the archive of a container's root file system, and what happens if
//! the container changes, exits or is removed in the meantime.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustix::fs::OFlags;

use crate::case::{self, Case, until};
use crate::support::in_user_namespace;
use hoist::engine::files::Place;
use hoist::engine::{
    ArchiveStream, Bind, ErrorKind, MountKind, MountRequest, Options, Removal, Result, Running, Tmpfs,
    WaitFor,
};
use hoist::internals::base::journal::{Found, Reader};
use hoist::internals::base::progress::Reporter;
use hoist::internals::sys::mount::{Attrs, Filesystem};
use hoist::internals::sys::{self, fs, xattr};

/// Returns the rest of a stream.
async fn rest(stream: &mut ArchiveStream) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(piece) = stream.next().await {
        bytes.extend(piece?);
    }
    Ok(bytes)
}

fn export(case: &Case, id: &str) -> Result<Vec<u8>> {
    case.wait_for(async { rest(&mut case.engine.containers().export(id).await?).await })
}

/// Returns the entries of an archive by path, without times.
fn tree(tar: &[u8]) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let link = entry.link_name().unwrap().map(|link| link.display().to_string()).unwrap_or_default();
        let records = entry.pax_extensions().unwrap().into_iter().flatten().map(|record| {
            let record = record.unwrap();
            format!(" {}={:?}", record.key().unwrap(), record.value().unwrap())
        });
        let xattrs: String = records.filter(|record| record.starts_with(" SCHILY.xattr.")).collect();
        let header = entry.header().clone();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let text =
            String::from_utf8(bytes).unwrap_or_else(|error| format!("{} bytes", error.as_bytes().len()));
        let (mode, uid, gid) = (header.mode().unwrap(), header.uid().unwrap(), header.gid().unwrap());
        (path, format!("{:?} {mode:o} {uid}:{gid}{xattrs} {link}{text}", header.entry_type()))
    });
    entries.collect()
}

fn told(id: &str, case: &Case) -> usize {
    let mut journal = Reader::at_start(&case.engine.paths().journal()).unwrap();
    let found = std::iter::from_fn(|| journal.read_next().unwrap());
    let is_export =
        |found: &Found| matches!(found, Found::Event(it) if it.actor.id == id && it.action == "export");
    found.filter(is_export).count()
}

/// Returns the number of mounts of a test case on this machine.
fn mounts(case: &Case) -> usize {
    let own = case.dir.path().to_str().unwrap();
    std::fs::read_to_string("/proc/self/mountinfo").unwrap().lines().filter(|line| line.contains(own)).count()
}

fn exec(case: &Case, id: &str, script: &str) {
    let done = case.hoist(&["exec", id, "sh", "-c", script]);
    assert!(done.status.success(), "{done:?}");
}

fn started(case: &Case, script: &str, adjust: impl FnOnce(&mut Options)) -> String {
    let id = case.start(&["sh", "-c", &format!("{script}; touch /done; exec sleep 1000")], adjust);
    let done = Place::Container(id.clone());
    until("its script is done", || {
        case.wait_for(case.engine.files().read(&done, Path::new("/done"), 1)).is_ok()
    });
    id
}

fn stop(case: &Case, id: &str) {
    let _ = case.wait_for(case.engine.containers().stop(id, Some("KILL"), Some(1))).unwrap();
    case.wait_for(case.engine.containers().wait(id, WaitFor::NotRunning)).unwrap();
}

const SCRIPT: &str = "echo changed > /etc/group; rm /bin/wc; mkdir -p /d/e; echo text > /d/e/f; ln /d/e/f /d/again; \
    ln -s /etc/passwd /d/link; mkfifo /d/pipe; chown 12:34 /d/pipe; chmod 4711 /d/e/f; echo v > /data/inside; \
    echo m > /memory/inside; touch /d/.wh.odd; rm -r /root; mkdir /root; touch /root/new";

#[test]
fn a_root_is_exported_whole_and_alone_whether_the_container_runs_or_not() {
    let case = Case::new();
    let data = case.dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let mounted = |options: &mut Options| {
        let bind = MountKind::Bind(Bind { source: data.clone(), recursive: true, ..Bind::default() });
        let tmpfs = MountKind::Tmpfs(Tmpfs::default());
        options.mounts.list = vec![MountRequest::new("/data", bind), MountRequest::new("/memory", tmpfs)];
    };
    let made = tree(&export(&case, &case.create(&["true"], |_| {})).unwrap());
    assert!(made.contains_key("bin/wc") && made["etc/passwd"].contains("root:x:0:0"), "{made:?}");

    let id = started(&case, SCRIPT, mounted);
    let before = mounts(&case);
    let running = tree(&export(&case, &id).unwrap());
    for (path, is) in [
        ("etc/group", "Regular 644 0:0 changed\n"),
        ("d/again", "Regular 4711 0:0 text\n"),
        ("d/e/f", "Link 4711 0:0 d/again"),
        ("d/link", "Symlink 777 0:0 /etc/passwd"),
        // With a single id, the owner cannot be changed.
        ("d/pipe", if in_user_namespace() { "Fifo 644 0:0 " } else { "Fifo 644 12:34 " }),
        ("d/.wh.odd", "Regular 644 0:0 "),
        ("d/e/", "Directory 755 0:0 "),
        ("root/new", "Regular 644 0:0 "),
    ] {
        assert_eq!(running.get(path).map(String::as_str), Some(is), "{path}");
    }
    assert!(data.join("inside").exists());
    for inside in ["data/", "memory/", "proc/", "sys/", "dev/"] {
        let paths: Vec<_> = running.keys().filter(|path| path.starts_with(inside)).collect();
        assert_eq!(paths, [inside], "an empty folder");
    }
    let is_strange = |path: &&String| path.starts_with(['/', '.']) || path.starts_with("bin/wc");
    assert_eq!(running.keys().find(is_strange), None);
    assert_eq!((mounts(&case), told(&id, &case)), (before, 1));

    let _ = case.wait_for(case.engine.containers().pause(&id)).unwrap();
    assert_eq!(tree(&export(&case, &id).unwrap()), running, "paused");
    let _ = case.wait_for(case.engine.containers().unpause(&id)).unwrap();
    stop(&case, &id);
    let stopped = export(&case, &id).unwrap();
    assert_eq!(tree(&stopped), running, "stopped");
    assert_eq!(export(&case, &id).unwrap(), stopped, "the same bytes");
    assert_eq!(told(&id, &case), 4);
    let missing = export(&case, "nobody").unwrap_err();
    assert_eq!((missing.kind(), missing.to_string().as_str()), (ErrorKind::NotFound, "cannot find `nobody`"));
}

#[test]
fn what_a_container_mounts_over_its_root_is_not_exported_for_it() {
    let case = Case::new();
    let overlay = "mkdir /t; mount -t tmpfs x /t; mkdir /t/l /t/u /t/w; \
        mount -t overlay x -o lowerdir=/t/l,upperdir=/t/u,workdir=/t/w /";
    for (name, mount) in
        [("tmpfs", "mount -t tmpfs x /"), ("overlay", overlay), ("bind", "mkdir /b; mount --bind /b /")]
    {
        let run = ["run", "-d", "--name", name, "--network", "none", "--cap-add", "SYS_ADMIN", case::IMAGE];
        let script = format!("{mount} && echo covered; sleep 1000");
        assert!(case.hoist(&[&run[..], &["sh", "-c", &script]].concat()).status.success());
        let logged = || String::from_utf8(case.hoist(&["logs", name]).stdout).unwrap();
        until("something is mounted", || logged().contains("covered"));
        let output = case.hoist(&["export", name]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(
            told.contains("cannot be distinguished from what is mounted over it")
                && told.contains("stop it first"),
            "{name}: {told}"
        );
        assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()));
        assert!(case.hoist(&["stop", "-t", "0", name]).status.success());
        assert!(tree(&export(&case, name).unwrap()).contains_key("etc/passwd"));
    }
}

#[test]
fn a_link_that_leads_nowhere_is_no_place_for_an_archive() {
    let case = Case::new();
    assert!(case.hoist(&["create", "--name", "web", case::IMAGE]).status.success());
    let (link, nowhere) = (case.dir.path().join("link"), case.dir.path().join("nowhere"));
    std::os::unix::fs::symlink(&nowhere, &link).unwrap();
    assert!(!case.hoist(&["export", "-o", link.to_str().unwrap(), "web"]).status.success());
    assert!(link.is_symlink() && !nowhere.exists());
}

#[test]
fn what_is_exported_is_imported_again() {
    let case = Case::new();
    let id =
        started(&case, "mkdir /d; echo text > /d/f; ln /d/f /d/g; mkfifo /d/pipe; chmod 2750 /d", |_| {});
    stop(&case, &id);
    let upper = case.engine.paths().container(&id.parse().unwrap()).join("upper");
    let file = std::fs::File::open(upper.join("d/f")).unwrap();
    xattr::set(&file, OsStr::new("user.kept"), b"value").unwrap();
    let exported = case.hoist(&["export", &id]);
    assert!(exported.status.success() && exported.stderr.is_empty(), "{exported:?}");
    let import =
        case.command(&["import", "-c", "CMD sleep 1000", "-", case::IMAGE]).stdin(Stdio::piped()).spawn();
    let mut import = import.unwrap();
    import.stdin.take().unwrap().write_all(&exported.stdout).unwrap();
    assert!(import.wait().unwrap().success());
    let again = case.create(&[], |_| {});
    let (first, second) = (tree(&exported.stdout), tree(&export(&case, &again).unwrap()));
    assert!(first["d/f"].contains("user.kept=\"value\""));
    assert_eq!(first, second);
    case.start_again(&again);
    assert!(tree(&export(&case, &again).unwrap())["d/f"].contains("user.kept"), "running");
}

/// Starts to export a container whose first file is large, and pauses inside that file.
fn begun(case: &Case, id: &str) -> (ArchiveStream, Vec<u8>) {
    case.wait_for(async {
        let mut stream = case.engine.containers().export(id).await.unwrap();
        let first = stream.next().await.unwrap().unwrap();
        (stream, first)
    })
}

const LARGE: &str = "dd if=/dev/zero of=/0 bs=1M count=4 2> /dev/null";

#[test]
fn files_that_change_while_they_are_read_break_no_archive() {
    let case = Case::new();
    let id = started(&case, LARGE, |_| {});
    let (mut stream, mut bytes) = begun(&case, &id);
    exec(&case, &id, "echo more >> /0");
    bytes.extend(case.wait_for(rest(&mut stream)).unwrap());
    let read = tree(&bytes);
    assert!(
        read["0"].starts_with("Regular") && read["0"].len() < (4 << 20) + 100 && read.contains_key("tmp/")
    );
    let (mut stream, _) = begun(&case, &id);
    exec(&case, &id, ": > /0");
    let error = case.wait_for(rest(&mut stream)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.causes(), ["`0` shrank while it was read"]);
    assert!(case.wait_for(stream.next()).is_none());
    assert_eq!(told(&id, &case), 1, "what failed is no export");
}

#[test]
fn an_export_keeps_no_container_from_anything() {
    let case = Case::new();
    let id = started(&case, LARGE, |_| {});
    // The container exits, starts again and exits during the export.
    let (mut stream, _) = begun(&case, &id);
    stop(&case, &id);
    case.start_again(&id);
    until("it has written", || case.hoist(&["exec", &id, "test", "-e", "/done"]).status.success());
    stop(&case, &id);
    // Its first file was overwritten: it is either exported completely, or the export fails.
    if let Err(error) = case.wait_for(rest(&mut stream)) {
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
    }
    let again = tree(&export(&case, &id).unwrap());
    assert!(again["0"].len() > 4 << 20 && again.contains_key("done"), "what it wrote is whole");
    let (mut stopped, _) = begun(&case, &id);
    let (dropped, _) = begun(&case, &id);
    drop(dropped);
    let removal = Removal::for_good(Running::Refuse);
    case.wait_for(case.engine.containers().remove(&id, removal)).unwrap();
    let error = case.wait_for(rest(&mut stopped)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.causes(), ["it was removed while it was being read"]);
    assert!(!case.engine.paths().container(&id.parse().unwrap()).exists());
}

#[test]
fn a_reader_that_leaves_ends_it_and_a_kill_leaves_nothing() {
    let case = Case::new();
    let id = started(&case, LARGE, |_| {});
    let before = mounts(&case);
    let begin = || {
        let mut child = case.command(&["export", &id]);
        let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut start = [0; 10];
        child.stdout.as_mut().unwrap().read_exact(&mut start).unwrap();
        child
    };
    let mut child = begin();
    drop(child.stdout.take());
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    assert_eq!((status.code(), stderr), (Some(141), Vec::new()));
    let mut child = begin();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((mounts(&case), told(&id, &case)), (before, 0));
    stop(&case, &id);
    let mut child = begin();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(mounts(&case), before);
}

#[test]
fn a_file_is_replaced_by_a_whole_archive_or_stays() {
    let case = Case::new();
    let id = case.create(&["true"], |_| {});
    let folder = case.dir.path().join("out");
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("c.tar");
    let said = |path: &Path| case.hoist(&["container", "export", "-o", path.to_str().unwrap(), &id]);
    assert!(said(&path).status.success());
    assert_eq!(std::fs::read(&path).unwrap(), export(&case, &id).unwrap());
    std::fs::write(&path, "old").unwrap();
    let old = || std::fs::read_to_string(&path).unwrap();
    let save =
        |path: &Path, reporter| case.wait_for(case.engine.containers().export_to(&id, path.into(), reporter));
    let cancelled = Reporter::silent();
    cancelled.cancel();
    assert_eq!(save(&path, cancelled).unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!((old().as_str(), std::fs::read_dir(&folder).unwrap().count()), ("old", 1));
    // A symbolic link leads to the file that is replaced.
    let link = folder.join("link");
    std::os::unix::fs::symlink("c.tar", &link).unwrap();
    assert!(save(&link, Reporter::silent()).unwrap().0.is_empty());
    assert!(link.is_symlink() && old_is_gone(&path));
    for (wrong, why) in [
        (folder.as_path(), "is a directory"),
        (Path::new("/dev/null"), "is not a regular file"),
        (&folder.join("no/c.tar"), "does not exist"),
        (&folder.join("no/"), "does not exist"),
    ] {
        let error = save(wrong, Reporter::silent()).unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.causes().concat().contains(why), "{error:?}");
    }
    assert_eq!(told(&id, &case), 3);
}

#[test]
fn a_kill_leaves_nothing_beside_the_file() {
    let case = Case::new();
    let id = case.create(&["true"], |_| {});
    let folder = case.dir.path().join("out");
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("c.tar");
    std::fs::write(&path, "old").unwrap();
    let hoist = case.command(&["export", "-o", path.to_str().unwrap(), &id]);
    // The kernel kills hoist in the middle of the archive.
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -c 0; ulimit -f 512; exec \"$@\"", "sh"]);
    let Output { status, stderr, .. } =
        shell.arg(hoist.get_program()).args(hoist.get_args()).output().unwrap();
    assert_eq!(status.signal(), Some(25), "SIGXFSZ: {status} {}", String::from_utf8_lossy(&stderr));
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["c.tar"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
}

#[test]
fn a_path_may_be_longer_than_any_call_takes() {
    let case = Case::new();
    let id = started(&case, "mkdir /deep", |_| {});
    stop(&case, &id);
    let upper = case.engine.paths().container(&id.parse().unwrap()).join("upper/deep");
    let name = "n".repeat(250);
    let mut folder = fs::open_dir(&upper).unwrap();
    for _ in 0..20 {
        fs::mkdir_at(&folder, OsStr::new(&name), 0o755).unwrap();
        folder = fs::open_at(&folder, OsStr::new(&name), OFlags::DIRECTORY).unwrap();
    }
    fs::create_at(&folder, OsStr::new("file"), 0o644).unwrap();
    let last = format!("deep/{}file", format!("{name}/").repeat(20));
    let stopped = export(&case, &id).unwrap();
    assert_eq!(tree(&stopped).get(&last).map(String::as_str), Some("Regular 644 0:0 "));
    case.start_again(&id);
    assert!(tree(&export(&case, &id).unwrap()).contains_key(&last), "running");
    // A path too long for any system call cannot be unpacked.
    let mut import = case.command(&["import", "-", "deep"]);
    let mut import = import.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _ = import.stdin.take().unwrap().write_all(&stopped); // it may exit earlier
    let output = import.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && told.contains("a path is longer than 4096 bytes"), "{told}");
    stop(&case, &id);
    sys::tree::remove(&upper).unwrap();
}

fn old_is_gone(path: &Path) -> bool {
    std::fs::metadata(path).unwrap().len() > 3
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let case = Case::new();
    let id = case.create(&["true"], |_| {});
    let mut disk = Filesystem::new("tmpfs").unwrap();
    disk.set("size", "64k").unwrap();
    let disk = disk.mount(Attrs::empty()).unwrap();
    let folder = fs::open_dir(Path::new(&format!("/proc/self/fd/{}", disk.as_raw_fd()))).unwrap();
    let folder = format!("/proc/{}/fd/{}", std::process::id(), folder.as_raw_fd());
    let path = Path::new(&folder).join("c.tar");
    std::fs::write(&path, "old").unwrap();
    let Output { status, stderr, .. } = case.hoist(&["export", "-o", path.to_str().unwrap(), &id]);
    let stderr = String::from_utf8(stderr).unwrap();
    assert!(status.code() == Some(1) && stderr.contains("No space left on device"), "{stderr}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
}
